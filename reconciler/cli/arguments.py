"""Options that several commands share, a function a group."""

from __future__ import annotations

import argparse
from pathlib import Path

from reconciler.cli.options import (
    WAITS,
    categories,
    consent,
    duration,
    folder,
    given_text,
    output,
    positive,
    rollout,
    rules,
)


def project(command: argparse.ArgumentParser) -> None:
    """Which manifests, for which environment."""
    command.add_argument(
        "paths",
        metavar="PATH",
        nargs="*",
        type=Path,
        help="files or folders; default: the project around the current folder. Leaving out any "
        "manifest of the project makes the scope partial: nothing is pruned",
    )
    environment(command)
    secrets(command)


def environments(command: argparse.ArgumentParser) -> None:
    """Which manifests, for which environment, where Azure is not asked."""
    command.add_argument(
        "paths",
        metavar="PATH",
        nargs="*",
        type=Path,
        help="files or folders; default: the project around the current folder",
    )
    environment(command)


def environment(command: argparse.ArgumentParser) -> None:
    """Which environment, or several."""
    command.add_argument(
        "-e",
        "--env",
        dest="environments",
        metavar="NAME",
        action="append",
        help="environment of the project file; may be repeated: one after the other, each with its "
        "own report ({environment} in the PATH of -o stands for its name)",
    )


def secrets(command: argparse.ArgumentParser) -> None:
    """Where files of secrets may lie."""
    command.add_argument(
        "--secrets-dir",
        dest="secrets_dirs",
        metavar="DIR",
        action="append",
        type=folder,
        help="a folder where fromFile may lead besides the project's; may be repeated",
    )


def verbose(command: argparse.ArgumentParser) -> None:
    """Also what does not change."""
    command.add_argument(
        "-v", "--verbose", action="store_true", help="also list what does not change"
    )


def linting(command: argparse.ArgumentParser) -> None:
    """How much the findings of a rule weigh."""
    weights = command.add_argument_group("how much findings weigh", "over 'lint' of the project")
    for flag, name, more in (
        ("-W", "warn", "warnings: errors that may be, and rules that are off"),
        ("-E", "error", "errors, which end in exit 3"),
    ):
        weights.add_argument(
            flag,
            f"--{name}",
            dest=name,
            metavar="ID,…",
            action="extend",
            type=rules,
            help=f"make findings of these rules {more}; may be repeated",
        )


def reporting(command: argparse.ArgumentParser) -> None:
    """What is written where."""
    command.add_argument(
        "-o",
        dest="outputs",
        metavar="FORMAT[=PATH]",
        action="append",
        type=output,
        help="text (default), json, or for apply and destroy ndjson, an event a line while it "
        "runs; to stdout or a file; may be repeated",
    )


def azure(command: argparse.ArgumentParser) -> None:
    """Where Azure is."""
    where = command.add_argument_group("where Azure is")
    one = where.add_mutually_exclusive_group()
    one.add_argument("--emulator", action="store_true", help="the emulator, inside this process")
    one.add_argument(
        "--endpoint",
        metavar="URL",
        type=given_text,
        help="another ARM; plain http for loopback hosts only",
    )
    where.add_argument(
        "--emulator-db",
        metavar="FILE",
        type=Path,
        help="where --emulator keeps its state (default: .aci-reconcile/emulator.db)",
    )
    faults(where)


def images(command: argparse.ArgumentParser) -> None:
    """Whether registries are asked."""
    command.add_argument(
        "--resolve-digests",
        action="store_true",
        help="ask the registries what the tags of all images point at, and tell which have moved "
        "(docs/images.md)",
    )


def faults(command: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """What goes wrong in the emulator."""
    command.add_argument(
        "--faults",
        metavar="FILE",
        type=Path,
        help="a JSON script of what goes wrong in the emulator (docs/faults.md)",
    )


def parallel(command: argparse.ArgumentParser) -> None:
    """How much at once."""
    command.add_argument(
        "--parallelism",
        metavar="N",
        type=positive,
        default=16,
        help="requests at once (default: %(default)s)",
    )


def consenting(command: argparse.ArgumentParser) -> None:
    """What is agreed to, by name and by number."""
    agree = command.add_argument_group("consent", "NAME is group or resourceGroup/group")
    agree.add_argument(
        "--prune", action="store_true", help="delete groups we own that no manifest names"
    )
    agree.add_argument(
        "--allow",
        metavar="KIND=N",
        action="append",
        type=consent,
        help="consent to exactly what the plan holds: delete=N, replace=N, restart=N, move=N",
    )
    for flag, text in (
        ("--replace", "delete and create NAME again, also where nothing differs"),
        ("--retry", "write NAME again although Azure did not take all of it the last time"),
        ("--rerun", "start NAME, which has ended or is stopped, though nothing changed"),
        ("--rebaseline-secrets", "trust that Azure holds NAME's secrets as they are now"),
        ("--adopt", "take over NAME, which has no owner, also when it differs"),
    ):
        agree.add_argument(flag, metavar="NAME", action="append", help=text)
    selecting(command)


def selecting(command: argparse.ArgumentParser, *, partial: str = "nothing is removed") -> None:
    """Which of the groups it is about; `partial` says what that means for the others."""
    scope = command.add_argument_group(
        "scope",
        "PATTERN is a name (web, rg/web, web-*), tag:KEY, tag:KEY=VALUE or path:PATTERN; "
        f"with either option the scope is partial, and {partial}",
    )
    scope.add_argument(
        "--select", metavar="PATTERN", action="append", help="only these groups; may be repeated"
    )
    scope.add_argument(
        "--exclude", metavar="PATTERN", action="append", help="not these; may be repeated"
    )


def alarming(command: argparse.ArgumentParser) -> None:
    """What of drift counts, and who is told."""
    alarm = command.add_argument_group("what counts, and who is told", "see docs/drift.md")
    alarm.add_argument(
        "--fail-on",
        metavar="CATEGORIES",
        type=categories,
        help="what makes it end with 2, parted by commas, or none (default: missing,changed,"
        "crash-looping,unhealthy,orphaned; there are also stopped, address-moved, image-moved, "
        "unmanaged and pending)",
    )
    alarm.add_argument(
        "--since",
        metavar="FILE",
        type=Path,
        help="what the run before wrote with -o json=FILE; one that is not there yet is a first "
        "run. Tells what is new, a moved IP address, and groups that are gone",
    )
    alarm.add_argument(
        "--webhook",
        metavar="URL",
        help="post an event of each run, signed with the key in ACI_RECONCILE_WEBHOOK_KEY; https, "
        "or plain http to loopback hosts",
    )


def waiting(command: argparse.ArgumentParser) -> None:
    """What is waited for, and in which steps."""
    waits = command.add_argument_group("waiting", "over what manifests say in reconcile.wait")
    waits.add_argument(
        "--wait",
        metavar="FOR",
        choices=WAITS,
        help=f"what to wait for: {', '.join(WAITS)}",
    )
    waits.add_argument(
        "--wait-timeout", metavar="TIME", type=duration, help="for at most TIME, such as 10m"
    )
    waits.add_argument(
        "--rollout",
        metavar="STEPS",
        type=rollout,
        help="in steps such as 1,25%%,100%%; stops at the first that is not healthy",
    )


def around(command: argparse.ArgumentParser) -> None:
    """The project of a command whose positional arguments are no manifests."""
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


def observing(command: argparse.ArgumentParser) -> None:
    """A command that looks at Azure and writes nothing to it."""
    project(command)
    azure(command)
    parallel(command)
    reporting(command)
