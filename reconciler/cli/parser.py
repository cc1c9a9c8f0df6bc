"""The commands and their options, with a help that teaches."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from reconciler import __version__
from reconciler.cli.arguments import (
    alarming,
    azure,
    consenting,
    environments,
    faults,
    parallel,
    project,
    reporting,
    secrets,
    verbose,
    waiting,
)
from reconciler.cli.options import (
    count,
    output,
    pointer,
    port,
    text_or_json,
    yaml_or_json,
)
from reconciler.errors import ExitCode

_ABOUT = """\
Make Azure Container Instances equal to the YAML manifests in git.

  aci-reconcile validate manifests            are the manifests right?
  aci-reconcile plan manifests                what would change, and what does it cost?
  aci-reconcile apply manifests               do it, and wait until the containers are healthy
  aci-reconcile drift manifests               did somebody change Azure? (for cron; exit 2)

No Azure account at hand? Add --emulator to any of them, or run 'aci-reconcile demo'.
"""

_EXIT_CODES = """\
exit codes:
  0 done, or nothing to do       1 failed (Azure, network)      2 changes pending
  3 manifests invalid            4 blocked, nothing touched     5 stale: plan again
  6 partial: some actions failed 7 applied, but not healthy    64 usage   130 interrupted
"""


class _Parser(argparse.ArgumentParser):
    """argparse leaves with 2, which here means 'changes pending'."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(ExitCode.USAGE, f"{self.prog}: error: {message}; see '{self.prog} --help'\n")


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = _Parser(
        prog="aci-reconcile",
        description=_ABOUT,
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"aci-reconcile {__version__}")
    commands = top.add_subparsers(
        dest="command", metavar="COMMAND", required=True, title="commands"
    )
    for name, (summary, more, fill) in _COMMANDS.items():
        command = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.\n\n{more}".rstrip(),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        fill(command)
        command.add_argument(
            "--debug", action="store_true", help="log every request; show tracebacks"
        )
    return top


def _validate(command: argparse.ArgumentParser) -> None:
    project(command)
    reporting(command)


def _plan(command: argparse.ArgumentParser) -> None:
    project(command)
    azure(command)
    parallel(command)
    consenting(command)
    reporting(command)
    verbose(command)
    command.add_argument(
        "--detailed-exitcode", action="store_true", help="exit 2 when changes are pending"
    )


def _apply(command: argparse.ArgumentParser) -> None:
    project(command)
    azure(command)
    parallel(command)
    consenting(command)
    reporting(command)
    verbose(command)
    command.add_argument(
        "-y", "--yes", action="store_true", help="do not ask; needed without a terminal"
    )
    bound = command.add_argument_group(
        "what was reviewed", "give a plan document instead of manifests: apply plan.json"
    )
    bound.add_argument(
        "--expect-digest",
        metavar="DIGEST",
        help="stop with 5 unless the plan made now has this digest (plan -v shows it)",
    )
    bound.add_argument(
        "--accept-subset",
        action="store_true",
        help="carry out what is left of a reviewed plan, where some of it is done by now",
    )
    waiting(command)


def _show(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "paths", metavar="FILE", nargs=1, type=Path, help="written by plan -o json=FILE"
    )
    reporting(command)
    verbose(command)


def _observing(command: argparse.ArgumentParser) -> None:
    project(command)
    azure(command)
    parallel(command)
    reporting(command)


def _logs(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", metavar="NAME", help="group or resourceGroup/group, in any case")
    command.add_argument(
        "container", metavar="CONTAINER", nargs="?", help="default: all of the group"
    )
    command.add_argument(
        "--manifests",
        dest="paths",
        metavar="PATH",
        action="append",
        type=Path,
        help="the project's folder; default: around the current folder",
    )
    command.add_argument(
        "-e", "--env", dest="environment", metavar="NAME", help="environment of the project file"
    )
    secrets(command)
    command.add_argument("--tail", metavar="N", type=count, help="only the last N lines")
    command.add_argument("--timestamps", action="store_true", help="with the time of each line")
    azure(command)


def _drift(command: argparse.ArgumentParser) -> None:
    _observing(command)
    verbose(command)
    alarming(command)


def _report(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "paths",
        metavar="FILE",
        nargs="+",
        type=Path,
        help="written by plan, drift, apply, destroy, validate or status with -o json=FILE",
    )
    command.add_argument(
        "-o",
        dest="outputs",
        metavar="FORMAT[=PATH]",
        action="append",
        type=output,
        help="markdown (default) or json; to stdout or a file; may be repeated",
    )


def _destroy(command: argparse.ArgumentParser) -> None:
    _observing(command)
    verbose(command)
    command.add_argument(
        "--resource-groups",
        action="store_true",
        help="also the resource groups we created for the manifests, when nothing else is in them",
    )
    command.add_argument(
        "--confirm", metavar="OWNER", help="the owner's name, instead of being asked for it"
    )


def _release(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", metavar="NAME", help="group or resourceGroup/group, in any case")
    command.add_argument(
        "--manifests",
        dest="paths",
        metavar="PATH",
        action="append",
        type=Path,
        help="the project's folder; default: around the current folder",
    )
    command.add_argument(
        "-e", "--env", dest="environment", metavar="NAME", help="environment of the project file"
    )
    azure(command)
    command.add_argument(
        "-y", "--yes", action="store_true", help="do not ask; needed without a terminal"
    )


def _render(command: argparse.ArgumentParser) -> None:
    environments(command)
    command.add_argument(
        "-o",
        dest="outputs",
        metavar="FORMAT[=PATH]",
        action="append",
        type=yaml_or_json,
        help="yaml (default, to stdout) or json; may be repeated",
    )


def _diff(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "compared", metavar="ENV", nargs=2, help="two environments of the project file"
    )
    command.add_argument(
        "--manifests",
        dest="paths",
        metavar="PATH",
        action="append",
        type=Path,
        help="the project's folder, or only these of its manifests; default: around the current "
        "folder",
    )
    command.add_argument(
        "-o",
        dest="outputs",
        metavar="FORMAT[=PATH]",
        action="append",
        type=text_or_json,
        help="text (default) or json; to stdout or a file; may be repeated",
    )
    verbose(command)


def _schema(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "schema",
        metavar="KIND",
        nargs="?",
        choices=("manifest", "project", "report", "events", "webhook", "faults"),
        default="manifest",
        help="manifest (default), project, report, events of -o ndjson, "
        "webhook of drift --webhook, or faults of --faults",
    )


def _explain(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "property",
        metavar="PROPERTY",
        help="such as properties/containers/*/properties/image, or a pointer as in a plan",
    )


def _emulator(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: %(default)s)"
    )
    command.add_argument(
        "--port", type=port, default=8080, help="port, 0 for a free one (default: %(default)s)"
    )
    command.add_argument(
        "--database", metavar="FILE", type=Path, help="keep the state here; default: in memory"
    )
    command.add_argument(
        "--drop",
        dest="drops",
        metavar="POINTER",
        action="append",
        type=pointer,
        help="a fault to try: what Azure takes of each PUT and does not keep, such as "
        "/properties/containers/*/properties/livenessProbe; may be repeated",
    )
    faults(command)


def _nothing(_command: argparse.ArgumentParser) -> None:
    """A command without options."""


_COMMANDS: dict[str, tuple[str, str, Callable[[argparse.ArgumentParser], None]]] = {
    "validate": (
        "check the manifests, offline",
        (
            "Every finding of every file, as file:line:col: ID path: expected …, got …; try …\n"
            "Where environments exist and none is named, each of them is checked."
        ),
        _validate,
    ),
    "plan": (
        "show what apply would do, and what it costs",
        (
            "Reads Azure and writes nothing.\n\n"
            "  aci-reconcile plan manifests --detailed-exitcode   exit 2 when changes are pending\n"
            "  aci-reconcile plan -e prod -o text -o json=plan.json"
        ),
        _plan,
    ),
    "apply": (
        "make Azure equal to the manifests",
        (
            "Shows the plan, asks, and carries it out; waits until the containers are healthy.\n\n"
            "  aci-reconcile apply manifests\n"
            "  aci-reconcile apply manifests --prune --yes\n"
            "  aci-reconcile apply manifests --replace web --allow delete=2\n"
            "  aci-reconcile apply plan.json        just what was reviewed, or nothing (exit 5)"
        ),
        _apply,
    ),
    "show": (
        "show a plan that was written down, in any format",
        (
            "Offline: the document tells all.\n\n"
            "  aci-reconcile show plan.json\n"
            "  aci-reconcile show plan.json -o markdown=comment.md"
        ),
        _show,
    ),
    "drift": (
        "tell whether Azure still is as it was last applied (for cron)",
        (
            "Exit 0 when it is, 2 when it is not, 1 when that could not be told. What is merged\n"
            "and not yet applied is pending, and no drift.\n\n"
            "  aci-reconcile drift -e prod --since drift.json -o text -o json=drift.json\n"
            "  aci-reconcile drift -e prod --fail-on missing,changed --webhook https://…"
        ),
        _drift,
    ),
    "report": (
        "gather what many runs wrote with -o json into one comment or issue",
        (
            "Offline. By project and environment, the worst first.\n\n"
            "  aci-reconcile report drift-*.json -o markdown=issue.md\n\n"
            "Exit 1 when one of the files could not be read: it is reported as such."
        ),
        _report,
    ),
    "status": (
        "show one row a group: sync, provisioning, run state, restarts, address",
        "",
        _observing,
    ),
    "logs": ("print what the containers of a group printed", "", _logs),
    "release": (
        "give up a group: it runs on, and is nobody's",
        "Takes our two tags away, nothing else; protection goes with them.",
        _release,
    ),
    "destroy": (
        "delete everything this project owns",
        "Asks for the owner's name. Groups of others are never touched.",
        _destroy,
    ),
    "render": (
        "print what the manifests of an environment come to, offline",
        (
            "With defaults, variables and patches put in, as manifests: resource groups first,\n"
            "all by address. Secrets stay references; one written down becomes {unknown: true}.\n\n"
            "  aci-reconcile render -e prod\n"
            "  aci-reconcile render -e prod -o json | jq '.[].name'"
        ),
        _render,
    ),
    "diff": (
        "compare what two environments want, offline",
        (
            "Group by group: those of one manifest are a pair, else those of equal resource group\n"
            "and name, else of equal name. Where they live is no difference. Exit 0 when all are\n"
            "equal, 2 when not.\n\n"
            "  aci-reconcile diff staging prod"
        ),
        _diff,
    ),
    "schema": (
        "print the JSON Schema of manifests, of the project file, or of reports",
        "",
        _schema,
    ),
    "explain": (
        "tell what a property is, its default, and what a change of it costs",
        (
            "  aci-reconcile explain 'properties/containers/*/properties/image'\n\n"
            "A source carries its grade: R recorded traffic, S specification, D documentation,\n"
            "I public issue, C source of another client, INF inferred."
        ),
        _explain,
    ),
    "emulator": (
        "serve the ARM emulator over HTTP, for any Azure SDK",
        "Plain HTTP, no credentials asked for; Ctrl-C stops it.",
        _emulator,
    ),
    "demo": (
        "the whole job on the embedded emulator, in a temporary folder",
        "validate, plan, apply, drift, prune, status and logs on a sample repository; no Azure.",
        _nothing,
    ),
}
