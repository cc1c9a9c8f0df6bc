"""Completion of command lines: the shell's script, and what it asks for at each TAB.

Commands, options and choices come from the parser; names of groups and environments from the files
around the current folder. Nothing of Azure is loaded, and no exception reaches a prompt.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.options import FORMATS, Options, folder, given_path
from reconciler.core.category import Category
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from reconciler.core.jsonval import JsonObject

# A manifest's own name stands at the start of a line; to load each file would take too long.
_NAME = re.compile(r"^name:[ \t]*[\"']?([^\s\"'#]+)", re.MULTILINE)
_MOST_FILES = 2000


def completion(options: Options) -> ExitCode:
    """Print the script that completes command lines in a shell."""
    from argcomplete.shell_integration import shellcode

    sys.stdout.write(shellcode(["aci-reconcile"], shell=options.shell).lstrip("\n"))
    return ExitCode.DONE


def complete(parser: argparse.ArgumentParser) -> None:
    """Tell a shell what could come next; does not return."""
    import argcomplete
    from argcomplete.completers import SuppressCompleter

    for action in _actions(parser):
        if (completer := _completer(action)) is not None:
            action.completer = completer  # type: ignore[attr-defined]  # argcomplete looks there
    # Free text has nothing to offer; file names would only mislead.
    argcomplete.autocomplete(
        parser, always_complete_options=False, default_completer=SuppressCompleter()
    )


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:  # noqa: SLF001  # as argcomplete does: argparse has no other way
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for command in action.choices.values():
                yield from _actions(command)
        else:
            yield action


def _completer(action: argparse.Action) -> Callable[..., Iterable[str]] | None:
    """What can stand in the place of an argument; None where the parser itself says it."""
    from argcomplete.completers import DirectoriesCompleter, FilesCompleter

    if action.choices is not None:
        return None
    if action.dest in _NAMED:
        return partial(_quietly, _NAMED[action.dest])
    if action.type is folder or action.metavar == "DIR":
        return DirectoriesCompleter()
    if action.type in (Path, given_path):
        return FilesCompleter()
    return None


def _quietly(completer: Callable[..., Iterable[str]], **given: object) -> Iterable[str]:
    """What a completer offers; files that cannot be read offer nothing."""
    try:
        return completer(**given)
    except (OSError, ValueError):
        return ()


def _groups(parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """The names of the groups that the manifests around declare."""
    from reconciler.core.ids import RESOURCE_GROUP_TYPE
    from reconciler.manifest.formatting.choosing import chosen

    paths = [path for path in getattr(parsed_args, "paths", None) or () if path.is_dir()]
    names: set[str] = set()
    for file in chosen(paths, Path.cwd())[0][:_MOST_FILES]:
        text = _text(file.path)
        for document in re.split(r"^---", text, flags=re.MULTILINE):
            if RESOURCE_GROUP_TYPE not in document:
                names.update(_NAME.findall(document))
    return sorted(names)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _environments(parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """The environments of the project file around."""
    from reconciler.core.jsonval import as_object

    return sorted(as_object(_project(parsed_args).get("environments")))


def _project(parsed_args: argparse.Namespace) -> JsonObject:
    from reconciler.manifest.files import find_project_file, folder_of
    from reconciler.manifest.formatting.choosing import settings

    paths = getattr(parsed_args, "paths", None) or (Path(),)
    file, _ = find_project_file(folder_of(Path.cwd() / paths[0]))
    return settings(file) if file is not None else {}


def _properties(**_: object) -> list[str]:
    from reconciler.core.properties import PROPERTIES

    return ["/".join(row.path) for row in PROPERTIES]


def _formats(**_: object) -> list[str]:
    return [*FORMATS, *(f"{name}=" for name in FORMATS)]


def _consents(**_: object) -> list[str]:
    return [f"{kind}=" for kind in ("delete", "replace", "restart", "move")]


def _categories(prefix: str, **_: object) -> list[str]:
    before, comma, _last = prefix.rpartition(",")
    return [f"{before}{comma}{one.value}" for one in Category]


_NAMED: dict[str, Callable[..., Iterable[str]]] = {
    **dict.fromkeys(
        ("name", "select", "exclude", "adopt", "replace", "retry", "rerun", "rebaseline_secrets"),
        _groups,
    ),
    **dict.fromkeys(("environment", "environments", "compared"), _environments),
    "property": _properties,
    "outputs": _formats,
    "allow": _consents,
    "fail_on": _categories,
}
