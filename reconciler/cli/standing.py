"""`status`: how groups stand, once or for as long as somebody looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.loading import loaded_for, wanted_for
from reconciler.cli.options import Options, is_watching
from reconciler.errors import AzureError, ExitCode, UsageError

if TYPE_CHECKING:
    from reconciler import app
    from reconciler.cli.watching import Screens
    from reconciler.report.shape import Report

_PATIENCE = timedelta(minutes=10)
_OTHER_READS = 3  # lists, and the tenant
_STREAMED = ("text", "ndjson")


def status(options: Options) -> ExitCode:
    """One row a group, or all of those that are named."""
    from reconciler import app
    from reconciler.cli.connection import azure
    from reconciler.cli.secrets import resolved
    from reconciler.report.rows import status_report
    from reconciler.report.status_rows import status_line

    options, names = _parted(options)
    _check(options)
    loaded = loaded_for(options)
    if isinstance(loaded, ExitCode):
        return loaded
    project, desired = loaded
    only = app.Only(
        names=names, select=options.select, exclude=options.exclude, others=options.others
    )
    with azure(options, cloud=project.cloud) as opened:
        wanted = wanted_for(options, project, desired, prunes=False)
        wanted, connected, doubts = resolved(wanted, opened, project, writes=False)

        def look() -> Look:
            groups, notes = app.status(wanted, connected, only)
            now = connected.clock.now()
            report = status_report(
                [
                    status_line(
                        group.target,
                        group.live,
                        group.desired,
                        sync=group.sync,
                        note="" if group.sync == "in sync" and not group.trouble else group.why,
                        ownership=group.ownership,
                        seen=now,
                    )
                    for group in groups
                ],
                exit_code=ExitCode.DONE,
                notes=notes,
                findings=(*desired.findings, *doubts),
                owner=project.owner,
                environment=project.environment,
            )
            return Look(groups=groups, report=report)

        if is_watching(options):
            return _watched(look, connected, options)
        report = look().report
    Console(options).report(report)
    return ExitCode.DONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen once."""

    groups: tuple[app.GroupStatus, ...]
    report: Report


def _parted(options: Options) -> tuple[Options, tuple[str, ...]]:
    """The options with paths alone, and the words that name groups.

    What exists as a file or folder is one, and what ends as a manifest does is meant for one.
    """
    paths = [path for path in options.paths if _is_path(path)]
    names = tuple(path.as_posix() for path in options.paths if not _is_path(path))
    verbose = options.verbose or bool(names)
    return replace(options, paths=tuple(paths), verbose=verbose), names


def _is_path(path: Path) -> bool:
    try:
        return path.suffix in (".yaml", ".yml") or path.is_absolute() or path.exists()
    except (OSError, ValueError):
        return True  # no name of a group is like that: opening it says why


def _check(options: Options) -> None:
    """Return when the options go together.

    Raises:
        UsageError: they do not.
    """
    if not is_watching(options):
        if options.timeout is not None:
            raise UsageError("--timeout goes with --watch or --until", hint="add one of them")
        return
    if len(options.environments) > 1:
        raise UsageError("watching is for one environment", hint="give -e once")
    for output in options.outputs:
        if output.format not in _STREAMED:
            raise UsageError(
                f"-o {output.format}: expected text or ndjson while watching",
                hint="-o ndjson writes the JSON document of each change, one a line",
            )


def _watched(look: Callable[[], Look], azure: app.Azure, options: Options) -> ExitCode:
    """Look again and again, until all is as it is waited for or time is up."""
    from reconciler.cli.watching import screens_for

    with screens_for(options, azure.clock) as screens:
        watch = _Watch(look=look, azure=azure, options=options, screens=screens)
        is_reached = watch.run()
    return ExitCode.DONE if is_reached else _too_late(watch.short, options)


@dataclass(kw_only=True)
class _Watch:
    """Looks until something is reached; `short` are the groups that are not there yet, if seen."""

    look: Callable[[], Look]
    azure: app.Azure
    options: Options
    screens: Screens
    short: tuple[app.Short, ...] | None = None
    _first: tuple[app.GroupStatus, ...] = ()

    def run(self) -> bool:
        """Whether it was reached, or only time was to pass.

        Raises:
            AzureError: a look failed in a way that does not pass.
        """
        clock = self.azure.clock
        patience = self.options.timeout or (_PATIENCE if self.options.until else None)
        end = None if patience is None else clock.now() + patience
        while True:
            pause_s = self._looked()
            if self.short == ():
                return True
            if any(one.is_hopeless for one in self.short or ()):
                return False
            if end is not None:
                left_s = (end - clock.now()).total_seconds()
                if left_s <= 0:
                    return self.options.until is None
                pause_s = min(pause_s, left_s)
            clock.sleep(pause_s)

    def _looked(self) -> float:
        """Seconds to the next look, after one; one that fails in a way that passes is only said."""
        from reconciler.execute.wait import is_passing

        try:
            seen = self.look()
        except AzureError as exc:
            if not is_passing(exc):
                raise
            self.screens.failed(str(exc))
            return max(self._pause_s(), exc.retry_after_s or 0.0)
        self._judge(seen.groups)
        pause_s = self._pause_s(sum(group.live is not None for group in seen.groups))
        self.screens.show(seen.report, every_s=pause_s)
        return pause_s

    def _pause_s(self, reads: int = 0) -> float:
        from reconciler.execute.throttle import pause_for

        wished_s = self.options.interval.total_seconds()
        return pause_for(reads + _OTHER_READS, wished_s, self.azure.pace)

    def _judge(self, groups: tuple[app.GroupStatus, ...]) -> None:
        from reconciler import app

        self._first = self._first or groups
        if self.options.until is not None:
            self.short = app.short_of(app.Until(self.options.until), groups, self._first)


def _too_late(short: tuple[app.Short, ...] | None, options: Options) -> ExitCode:
    """Tell what was not reached."""
    from reconciler.report.lines import safe

    console = Console(options)
    if short is None:
        console.say("aci-reconcile: nothing could be seen in time")
        return ExitCode.FAILED
    for one in short:
        says = "will not be" if one.is_hopeless else "is not"
        what = f"'{one.group.target}' {says} {options.until}: {one.says}"
        console.say(safe(f"aci-reconcile: {what}"))
    return ExitCode.UNHEALTHY
