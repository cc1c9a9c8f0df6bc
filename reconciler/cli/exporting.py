"""Export: what runs in Azure, written down as manifests that equal it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.files import write_file
from reconciler.cli.loading import invalid, opened
from reconciler.cli.options import Options
from reconciler.errors import ExitCode, PlanRefused, UsageError

if TYPE_CHECKING:
    from reconciler.app import Wanted
    from reconciler.app.exporting import Estate, Found
    from reconciler.convert.export import Home
    from reconciler.convert.writing import Written
    from reconciler.manifest import DesiredSet, Project

_STDOUT = Path("-")
_EMPTY = "M013"  # a project without manifests: what an export begins with
_ELSEWHERE = "give another folder with -d"


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """One file to write; `written` tells what of it is to be filled in."""

    path: Path
    text: str
    group: str = ""
    written: Written | None = None
    is_updated: bool = False


def export(options: Options) -> ExitCode:
    """Write live groups down as manifests; a file that says something else is not overwritten."""
    from reconciler.app.exporting import survey
    from reconciler.cli.connection import azure

    folder = options.folder or Path()
    project, findings = opened(replace(options, paths=() if folder == _STDOUT else (folder,)))
    if project is None or any(finding.is_error for finding in findings):
        return invalid(options, project, findings)
    project = _settled(project, options, folder)
    loaded = _there(project, options)
    if isinstance(loaded, ExitCode):
        return loaded
    wanted = _wanted(options, project, loaded)
    with azure(options, cloud=project.cloud) as connected:
        estate = survey(
            wanted, connected, names=options.names, resource_groups=options.in_resource_groups
        )
    return _Export(options, project, folder, wanted.subscription, estate).run()


def _settled(project: Project, options: Options, folder: Path) -> Project:
    """The project that is there, or the one that is made.

    Raises:
        UsageError: the command line names another owner or subscription than its file.
    """
    from reconciler.cli.loading import check_environment
    from reconciler.convert.export import owner_named_after

    if project.file is None:
        name = (Path() if folder == _STDOUT else folder).resolve().name
        owner = options.owner or owner_named_after(name)
        project = replace(project, owner=owner, name=owner)
        return replace(project, subscription=_named_subscription(options, project))
    check_environment(project)
    for flag, given, there in (
        ("--owner", options.owner, project.name),
        ("--subscription", options.subscription, project.subscription),
    ):
        if given and there and given.lower() != there.lower():
            raise UsageError(
                f"{flag}: expected '{there}', as {project.file} says, got '{given}'",
                hint=f"leave out {flag}, or export into a folder of its own",
            )
    return replace(project, subscription=project.subscription or (options.subscription or ""))


def _named_subscription(options: Options, project: Project) -> str:
    """The subscription, where no project file says it.

    Raises:
        UsageError: nothing names one.
    """
    from reconciler.cli.connection import subscription

    if options.subscription is not None:
        return options.subscription.lower()
    try:
        return subscription(options, project)
    except UsageError as exc:
        raise UsageError(exc.says, hint="add --subscription ID") from exc


def _there(project: Project, options: Options) -> DesiredSet | ExitCode:
    """What the manifests say that are there already: with errors in them nothing is exported."""
    from reconciler.cli.connection import subscription
    from reconciler.manifest import load_desired

    found = load_desired(
        project,
        [] if project.file is not None else [project.root],
        environ=os.environ,
        subscription=subscription(options, project),
        secrets_dirs=options.secrets_dirs,
    )
    errors = [one for one in found.errors if one.rule != _EMPTY]
    if errors and project.file is not None:
        return invalid(options, project, errors, files=found.files, documents=found.documents)
    return found


def _wanted(options: Options, project: Project, desired: DesiredSet) -> Wanted:
    from reconciler.cli.loading import wanted_for

    return wanted_for(options, project, desired, prunes=False)


class _Export:
    """One export: what is written, and what is said of it."""

    def __init__(
        self, options: Options, project: Project, folder: Path, subscription: str, estate: Estate
    ) -> None:
        from reconciler.convert.export import Home, common_home

        self.options = options
        self.project = project
        self.folder = folder
        self.subscription = subscription
        self.estate = estate
        self.say = Console(options).say
        self.same: list[Found] = []
        self.home: Home = common_home([one.live for one in estate.found], project.owner)
        if project.file is not None:
            self.home = Home(
                owner=project.owner,
                resource_group=project.resource_group,
                location=project.location,
                tags=project.tags,
            )

    def run(self) -> ExitCode:
        if not self.estate.found:
            self._notes()
            self.say("nothing to export")
            return ExitCode.DONE
        if self.folder == _STDOUT:
            return self._print()
        files = self._files()
        self._write(files)
        self._notes()
        self._tell(files)
        return self._check()

    def _print(self) -> ExitCode:
        """All manifests on stdout, whatever files there are."""
        from reconciler.convert.export import exported

        texts = [exported(one.live, self.home) for one in self.estate.found]
        sys.stdout.write("".join(f"---\n{written.text}" for written in texts))
        self._notes()
        for one, written in zip(self.estate.found, texts, strict=True):
            for place in written.fill_in:
                self.say(f"fill in: {one.live.id}: {place.name}")
        return ExitCode.DONE

    def _files(self) -> list[_File]:
        """Every file to write.

        Raises:
            PlanRefused: a file is there and says something else; nothing is written.
        """
        from reconciler.convert.export import exported, file_names

        names = file_names([one.live.id for one in self.estate.found])
        files: list[_File] = []
        obstacles: list[str] = []
        for one in self.estate.found:
            path = self.folder / names[one.live.id.address]
            if one.desired is None and path.exists():
                obstacles.append(f"{path}: holds something else than {one.live.id}")
            elif one.desired is None:
                written = exported(one.live, self.home)
                files.append(
                    _File(path=path, text=written.text, group=str(one.live.id), written=written)
                )
            elif not one.differs:
                self.same.append(one)
            elif self.options.update:
                files.append(self._updated(one, files))
            else:
                obstacles.append(f"{one.desired.where}: differs in {_listed(one.differs)}")
        if obstacles:
            raise PlanRefused(
                "files are there that say something else; nothing was written",
                hint="add --update to change manifests where they differ, or " + _ELSEWHERE,
                details=tuple(obstacles),
            )
        return files

    def _updated(self, one: Found, files: list[_File]) -> _File:
        """The file of a manifest once it equals the live group.

        Raises:
            PlanRefused: it cannot be changed in place.
        """
        from reconciler.convert.updating import NotRewritten, updated

        assert one.desired is not None
        path = Path(one.desired.where.file)
        earlier = next((file for file in files if file.path == path), None)
        if earlier is not None:
            files.remove(earlier)
        text = earlier.text if earlier is not None else path.read_bytes().decode("utf-8")
        try:
            text = updated(one.live, one.desired, self.project, text=text)
        except NotRewritten as exc:
            raise PlanRefused(
                f"{one.desired.where}: cannot be updated: {exc}; nothing was written",
                hint=f"change it by hand: it differs in {_listed(one.differs)}",
            ) from exc
        return _File(path=path, text=text, group=str(one.live.id), is_updated=True)

    def _write(self, files: Sequence[_File]) -> None:
        from reconciler.convert.export import project_text

        made: list[_File] = []
        if self.project.file is None:
            text = project_text(self.home, subscription=self.subscription, cloud=self.project.cloud)
            made.append(_File(path=self.folder / "aci-reconcile.yaml", text=text))
        for file in [*made, *files]:
            _make_folder(file.path.parent)
            write_file(file.path, file.text, hint=_ELSEWHERE)
        for file in made:
            print(f"wrote {file.path}: owner '{self.home.owner}'")

    def _notes(self) -> None:
        for note in self.estate.notes:
            self.say(f"note: {note}")

    def _tell(self, files: Sequence[_File]) -> None:
        """What was written, and what somebody has to do about it."""
        for file in files:
            print(f"{'updated' if file.is_updated else 'wrote'} {file.path}: {file.group}")
        for one in self.same:
            assert one.desired is not None
            print(f"kept {one.desired.where.file}: {one.live.id} equals it")
        lost = [
            f"  {file.path}:{place.line}: {place.name}"
            for file in files
            if file.written is not None
            for place in file.written.fill_in
        ]
        if lost:
            print(
                "\nAzure does not return these secrets. Plan and adopt do without; before a group"
            )
            print("is written for the first time, say where its secrets are:")
            print("\n".join(lost))
        for line in self._doubts(files):
            self.say(f"warning: {line}")

    def _doubts(self, files: Sequence[_File]) -> Iterator[str]:
        from reconciler.convert.export import shown_openly
        from reconciler.report.lines import safe

        for file in files:
            for name in file.written.left_out if file.written is not None else ():
                yield safe(
                    f"{file.path}: left out {name}, which API version 2023-05-01 does not know:"
                    " the next write would lose it"
                )
        written = {file.group for file in files if file.written is not None}
        for one in self.estate.found:
            for name in shown_openly(one.live) if str(one.live.id) in written else ():
                yield safe(
                    f"{one.live.id}: {name} looks like a secret that every reader of Azure sees;"
                    " it stands in the manifest now"
                )

    def _check(self) -> ExitCode:
        """What our own rules say of the manifests: Azure may hold what they refuse."""
        project, findings = opened(replace(self.options, paths=(self.folder,)))
        if project is None or any(finding.is_error for finding in findings):
            return invalid(self.options, project, findings)
        found = _there(project, self.options)
        if isinstance(found, ExitCode):
            return found
        named = {group.id.address for group in found.groups}
        for one in self.estate.found:
            if one.live.id.address not in named:
                where = project.file or self.folder
                self.say(
                    f"warning: {one.live.id} is matched by no pattern of 'manifests' in {where}"
                )
        env = f" -e {project.environment}" if project.environment else ""
        # Where all was kept there may be no such folder; the project is around this one then.
        folder = f" {self.folder}" if self.folder.is_dir() else ""
        print(f"\nNext: aci-reconcile plan{folder}{env}")
        return ExitCode.DONE


def _make_folder(folder: Path) -> None:
    from reconciler.cli.files import why_not
    from reconciler.errors import LocalStateUnusable

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as exc:
        says = f"{folder}: cannot be made: {why_not(exc)}"
        raise LocalStateUnusable(says, hint=_ELSEWHERE) from exc


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
