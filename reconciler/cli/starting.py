"""`init`: a project to begin with. It writes all of its files or none, and over nothing."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from reconciler.cli.files import why_not
from reconciler.cli.options import Options
from reconciler.errors import ExitCode, LocalStateUnusable, UsageError
from reconciler.report.lines import safe

_STATE = ".aci-reconcile/"  # of the emulator; nothing for git
_SCHEMAS = ".schemas"
_HOSTS = {"gitlab": "gitlab", "dev.azure.com": "azure", "visualstudio.com": "azure"}
_SIGNS = {
    ".github": "github",
    ".gitlab-ci.yml": "gitlab",
    "azure-pipelines.yml": "azure",
}
# By system, where each file of the folder `ci` goes in a repository.
_CI: Mapping[str, Mapping[str, str]] = {
    "github": {
        "github/pull-request.yml": ".github/workflows/aci-plan.yml",
        "github/merge.yml": ".github/workflows/aci-apply.yml",
        "github/drift.yml": ".github/workflows/aci-drift.yml",
    },
    "azure": {"azure-pipelines.yml": "azure-pipelines.yml"},
    "gitlab": {"gitlab-ci.yml": ".gitlab-ci.yml"},
    "none": {},
}
_PROJECT = """\
# yaml-language-server: $schema=.schemas/project.schema.json
# This file makes the folder a project of aci-reconcile.
owner: {owner}  # goes into the tag aci-reconcile-owner; only groups that carry it are ever changed
manifests: [groups/**/*.yaml]

defaults:  # what manifests need not repeat
  resourceGroup: {resource_group}
  location: westeurope

policy:  # what a run may do without being asked again
  adopt: identical  # a group that someone else made is taken over only when it is equal
  replace: forbid  # some changes need delete and create: ask with --replace NAME
  prune: report  # a group whose manifest is gone is reported; 'apply --prune' deletes it

environments:
  prod:
    subscription: 00000000-0000-0000-0000-000000000000  # yours goes here; the emulator takes any
"""
_RESOURCE_GROUP = """\
# yaml-language-server: $schema=../.schemas/manifest.schema.json
# Created before its groups when it does not exist, and otherwise left alone.
type: Microsoft.Resources/resourceGroups
name: {resource_group}
location: westeurope
"""
_GROUP = """\
# yaml-language-server: $schema=../.schemas/manifest.schema.json
# The first group: one container with a public address.
name: hello
properties:
  osType: Linux
  containers:
    - name: web
      properties:
        image: mcr.microsoft.com/oss/nginx/nginx:1.15.5-alpine
        ports: [{port: 80}]
        livenessProbe:  # restarts the container when it fails
          httpGet: {path: /, port: 80, scheme: http}
          periodSeconds: 30
        resources: {requests: {cpu: 1, memoryInGB: 1}}
  ipAddress:
    type: Public
    ports: [{port: 80}]  # each has to be a port of a container above
"""


def init(options: Options) -> ExitCode:
    """Write a project file, a first manifest, the schemas for editors and the files of the CI.

    Raises:
        UsageError: one of the files exists already; nothing was written.
        LocalStateUnusable: one cannot be written; nothing is left of the others.
    """
    folder = Path(os.path.normpath(Path.cwd() / (options.paths or (Path(),))[0]))
    root = _root_of(folder)
    ci = options.ci or _detected(root)
    files = _files(folder) | _ci_files(ci, root, folder)
    _check_absent(files)
    ignore = folder / ".gitignore"
    _write_all(files, also=(ignore, _ignoring(ignore)))
    for path in (*files, ignore):
        print(safe(f"wrote {_shown(path)}"))
    _say_next(folder, ci)
    return ExitCode.DONE


def _files(folder: Path) -> dict[Path, str]:
    from reconciler.manifest import schema_text
    from reconciler.manifest.formatting import format_text

    owner = re.sub(r"[^A-Za-z0-9._-]+", "-", folder.name).strip("-.")[:50].rstrip("-.") or "demo"
    words = {"owner": json.dumps(owner), "resource_group": json.dumps(f"rg-{owner}")}
    return {
        folder / "aci-reconcile.yaml": format_text(_PROJECT.format(**words)),
        folder / "groups" / "resource-group.yaml": format_text(_RESOURCE_GROUP.format(**words)),
        folder / "groups" / "hello.yaml": _GROUP,
        **{
            folder / _SCHEMAS / f"{name}.schema.json": schema_text(name)
            for name in ("manifest", "patch", "project")
        },
    }


def _root_of(folder: Path) -> Path:
    """The root of the repository around `folder`, itself where there is none."""
    return next((one for one in (folder, *folder.parents) if (one / ".git").exists()), folder)


def _detected(root: Path) -> str:
    for sign, system in _SIGNS.items():
        if (root / sign).exists():
            return system
    remote = ""
    with suppress(OSError):
        asked = ["git", "-C", str(root), "config", "--get", "remote.origin.url"]
        remote = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    return next((system for host, system in _HOSTS.items() if host in remote), "github")


def _ci_files(ci: str, root: Path, folder: Path) -> dict[Path, str]:
    """The files of a CI system, told where in the repository the project lies."""
    shipped = resources.files("reconciler") / "_ci"
    source: Traversable = shipped if shipped.is_dir() else Path(__file__).parents[2] / "ci"
    found = {}
    for name, target in _CI[ci].items():
        text = source.joinpath(*name.split("/")).read_text(encoding="utf-8")
        text = re.sub(r"\A# Copy to \S+: (\w)", lambda start: f"# {start[1].upper()}", text)
        if folder != root:
            text = _inside(text, str(folder.relative_to(root)))
        found[root / target] = text
    return found


def _inside(text: str, place: str) -> str:
    """The text of a CI file for a project in the folder `place` of the repository."""
    quoted = json.dumps(place, ensure_ascii=False)

    def with_path(found: re.Match[str]) -> str:
        return f"{found[0]}\n{found[1]}path: {quoted}"

    text = re.sub(r"^( +)mode: (?:plan|apply|drift)$", with_path, text, flags=re.MULTILINE)
    word = shlex.quote(place)
    return re.sub(r"\b(aci-reconcile (?:plan|drift)) ", lambda f: f"{f[1]} {word} ", text)


def _check_absent(files: Mapping[Path, str]) -> None:
    from reconciler.manifest.files import PROJECT_FILES

    others = [path.with_name(name) for path in files for name in PROJECT_FILES]
    wanted = [*files, *(path for path in others if path.with_name(PROJECT_FILES[0]) in files)]
    there = sorted({path for path in wanted if os.path.lexists(path)})
    if there:
        listed = ", ".join(_shown(path) for path in there)
        raise UsageError(
            f"init writes over nothing, and there is already: {listed}; nothing was written",
            hint="move it away, use another folder, or --ci none where it is a file of the CI",
        )


def _ignoring(path: Path) -> str:
    """What `.gitignore` is to hold."""
    try:
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
    except (OSError, UnicodeDecodeError) as exc:
        raise LocalStateUnusable(f"{_shown(path)}: cannot be read: {why_not(exc)}") from exc
    if _STATE in text.split():
        return text
    return f"{text}{'' if text.endswith(chr(10)) or not text else chr(10)}{_STATE}\n"


def _write_all(files: Mapping[Path, str], *, also: tuple[Path, str]) -> None:
    """Write every file anew, and one more that may be there; or none of them."""
    from reconciler.cli.files import write_file

    made: list[Path] = []
    path = Path()
    try:
        for path, text in files.items():
            for folder in reversed([one for one in path.parents if not one.exists()]):
                folder.mkdir()
                made.append(folder)
            with path.open("x", encoding="utf-8") as file:
                made.append(path)
                file.write(text)
        path = also[0]
        write_file(*also, hint="see that it may be written")
    except (OSError, LocalStateUnusable) as exc:
        for one in reversed(made):
            with suppress(OSError):
                one.rmdir() if one.is_dir() else one.unlink()
        if isinstance(exc, LocalStateUnusable):
            raise
        says = f"{_shown(path)}: cannot be written: {why_not(exc)}; nothing was written"
        raise LocalStateUnusable(says) from exc


def _shown(path: Path) -> str:
    from reconciler.manifest.files import shown

    return shown(path, Path.cwd())


def _say_next(folder: Path, ci: str) -> None:
    place = "" if folder == Path.cwd() else f" {shlex.quote(_shown(folder))}"
    if ci != "none":
        print("The CI files need identities in Azure: see aci-reconcile's docs/ci.md.")
    commands: Sequence[tuple[str, str]] = (
        (f"aci-reconcile validate{place}", "are the manifests right?"),
        (f"aci-reconcile plan{place} -e prod --emulator", "what would be done; no Azure needed"),
        (f"aci-reconcile apply{place} -e prod --emulator", "do it; then without --emulator"),
    )
    width = max(len(command) for command, _ in commands)
    print("\nnext:")
    for command, what in commands:
        print(safe(f"  {command:<{width}}   {what}"))
