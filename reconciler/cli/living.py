"""What the commands take that look at live groups, or work them by hand."""

from __future__ import annotations

import argparse
from datetime import timedelta
from pathlib import Path

from reconciler.cli.arguments import (
    around,
    azure,
    environment,
    parallel,
    project,
    reporting,
    secrets,
    selecting,
    verbose,
)
from reconciler.cli.options import (
    count,
    duration,
    text_or_json,
)


def logs(command: argparse.ArgumentParser) -> None:
    """One group, or one container of it."""
    command.add_argument("name", metavar="NAME", help="group or resourceGroup/group, in any case")
    command.add_argument(
        "container", metavar="CONTAINER", nargs="?", help="default: all of the group"
    )
    around(command)
    secrets(command)
    command.add_argument(
        "-f",
        "--follow",
        action="store_true",
        help="go on with what is printed from now, until nothing runs any more",
    )
    command.add_argument("--tail", metavar="N", type=count, help="only the last N lines")
    command.add_argument(
        "--since",
        dest="back",
        metavar="TIME",
        type=duration,
        help="only what was printed in the last TIME, such as 10m",
    )
    command.add_argument("--timestamps", action="store_true", help="with the time of each line")
    azure(command)


def status(command: argparse.ArgumentParser) -> None:
    """Which groups, and how long to look at them."""
    command.add_argument(
        "paths",
        metavar="NAME|PATH",
        nargs="*",
        type=Path,
        help="groups to tell all of (NAME, resourceGroup/NAME or a pattern such as 'web-*'), or "
        "files and folders of manifests; default: the project around the current folder",
    )
    environment(command)
    secrets(command)
    azure(command)
    parallel(command)
    reporting(command)
    selecting(command, partial="only what fits is looked at")
    command.add_argument("-v", "--verbose", action="store_true", help="tell all of every group")
    command.add_argument(
        "--all",
        dest="others",
        action="store_true",
        help="also groups that are not ours, as far as they may be listed",
    )
    watching = command.add_argument_group("watching", "ends with Ctrl-C")
    watching.add_argument(
        "-w",
        "--watch",
        action="store_true",
        help="look again and again: a table that is drawn anew on a terminal, else a line a change "
        "(or with -o ndjson a document a change)",
    )
    watching.add_argument(
        "--interval",
        metavar="TIME",
        type=duration,
        default=timedelta(seconds=5),
        help="how often (default: 5s); many groups are looked at less often: reads are rationed",
    )
    watching.add_argument(
        "--until",
        choices=("healthy", "in-sync", "stopped"),
        help="watch until all of them are; ends with 7 where they are not in time",
    )
    watching.add_argument(
        "--timeout",
        metavar="TIME",
        type=duration,
        help="watch for at most TIME (default: 10m with --until, else for ever)",
    )


def events(command: argparse.ArgumentParser) -> None:
    """One group, or one container of it."""
    command.add_argument("name", metavar="NAME", help="group or resourceGroup/group, in any case")
    command.add_argument(
        "container", metavar="CONTAINER", nargs="?", help="default: the group and all of them"
    )
    around(command)
    secrets(command)
    azure(command)
    command.add_argument(
        "-o",
        dest="outputs",
        metavar="FORMAT[=PATH]",
        action="append",
        type=text_or_json,
        help="text (default) or json; to stdout or a file; may be repeated",
    )


def operating(command: argparse.ArgumentParser) -> None:
    """Groups by name, consent, and what is waited for."""
    command.add_argument(
        "names",
        metavar="NAME",
        nargs="*",
        help="group or resourceGroup/group, in any case, or a pattern such as 'web-*', which fits "
        "groups of ours alone",
    )
    around(command)
    secrets(command)
    azure(command)
    parallel(command)
    selecting(command, partial="groups of others are not selected")
    reporting(command)
    verbose(command)
    command.add_argument(
        "--foreign",
        metavar="NAME",
        action="append",
        help="touch NAME although it is not ours; may be repeated",
    )
    command.add_argument(
        "-y", "--yes", action="store_true", help="do not ask; needed without a terminal"
    )
    waits = command.add_argument_group("waiting")
    one = waits.add_mutually_exclusive_group()
    one.add_argument(
        "--no-wait", action="store_true", help="end as soon as Azure has taken the request"
    )
    one.add_argument(
        "--wait-timeout",
        metavar="TIME",
        type=duration,
        help="wait for at most TIME, such as 10m (default: as the manifest says)",
    )


def doctor(command: argparse.ArgumentParser) -> None:
    """Which project, and what the identity is to do."""
    project(command)
    command.add_argument(
        "--for",
        dest="purpose",
        choices=("plan", "apply"),
        default="apply",
        help="what the identity is to do (default: apply); plan only reads",
    )
    azure(command)
    parallel(command)
    command.add_argument(
        "-o",
        dest="outputs",
        metavar="FORMAT[=PATH]",
        action="append",
        type=text_or_json,
        help="text (default) or json; to stdout or a file; may be repeated",
    )
