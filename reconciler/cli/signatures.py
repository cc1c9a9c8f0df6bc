"""What each command takes: a function fills the parser of the command it is named after."""

from __future__ import annotations

import argparse
from pathlib import Path

from reconciler.cli.arguments import (
    alarming,
    around,
    azure,
    consenting,
    environments,
    faults,
    images,
    linting,
    observing,
    parallel,
    project,
    reporting,
    selecting,
    verbose,
    waiting,
)
from reconciler.cli.options import (
    SHELLS,
    digest,
    given_path,
    given_text,
    named_value,
    one_path,
    output,
    pointer,
    port,
    subscription_id,
    text_or_json,
    yaml_or_json,
)


def validate(command: argparse.ArgumentParser) -> None:
    """What is checked, and how it is reported."""
    project(command)
    linting(command)
    reporting(command)


def init(command: argparse.ArgumentParser) -> None:
    """Where, and for which CI."""
    command.add_argument(
        "paths",
        metavar="DIR",
        nargs="?",
        type=one_path,
        help="made where it does not exist; default: the current folder",
    )
    command.add_argument(
        "--ci",
        metavar="SYSTEM",
        choices=("github", "azure", "gitlab", "none"),
        help="github, azure, gitlab or none; default: what the repository's files and remote "
        "tell, else github",
    )


def fmt(command: argparse.ArgumentParser) -> None:
    """Which files, and whether they are written."""
    command.add_argument(
        "paths",
        metavar="PATH",
        nargs="*",
        type=given_path,
        help="files or folders, or - for stdin; default: the project around the current folder",
    )
    command.add_argument(
        "--check", action="store_true", help="write nothing; exit 2 and list what would change"
    )
    command.add_argument(
        "--diff", action="store_true", help="write nothing; show what would change"
    )


def completion(command: argparse.ArgumentParser) -> None:
    """Which shell."""
    command.add_argument("shell", metavar="SHELL", choices=SHELLS, help="bash, zsh or fish")


def plan(command: argparse.ArgumentParser) -> None:
    """Reading Azure, consent, and the report."""
    project(command)
    azure(command)
    parallel(command)
    consenting(command)
    images(command)
    reporting(command)
    verbose(command)
    command.add_argument(
        "--detailed-exitcode", action="store_true", help="exit 2 when changes are pending"
    )
    command.add_argument(
        "--live",
        metavar="FILE",
        type=Path,
        help="plan against a snapshot instead of asking Azure: no credentials needed",
    )


def apply(command: argparse.ArgumentParser) -> None:
    """A plan and whatever carrying it out asks for besides."""
    project(command)
    azure(command)
    parallel(command)
    consenting(command)
    images(command)
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
        type=digest,
        help="stop with 5 unless the plan made now has this digest (plan -v shows it)",
    )
    bound.add_argument(
        "--accept-subset",
        action="store_true",
        help="carry out what is left of a reviewed plan, where some of it is done by now",
    )
    waiting(command)


def show(command: argparse.ArgumentParser) -> None:
    """A plan document."""
    command.add_argument(
        "paths", metavar="FILE", nargs=1, type=Path, help="written by plan -o json=FILE"
    )
    reporting(command)
    verbose(command)


def drift(command: argparse.ArgumentParser) -> None:
    """Looking at Azure, and whom to tell."""
    observing(command)
    verbose(command)
    selecting(command, partial="orphaned and unmanaged groups are not looked for")
    images(command)
    alarming(command)


def report(command: argparse.ArgumentParser) -> None:
    """Documents of other commands."""
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


def destroy(command: argparse.ArgumentParser) -> None:
    """Consent to delete everything."""
    observing(command)
    verbose(command)
    command.add_argument(
        "--resource-groups",
        action="store_true",
        help="also the resource groups we created for the manifests, when nothing else is in them",
    )
    command.add_argument(
        "--confirm", metavar="OWNER", help="the owner's name, instead of being asked for it"
    )


def release(command: argparse.ArgumentParser) -> None:
    """One group, and consent."""
    command.add_argument("name", metavar="NAME", help="group or resourceGroup/group, in any case")
    around(command)
    azure(command)
    command.add_argument(
        "-y", "--yes", action="store_true", help="do not ask; needed without a terminal"
    )


def snapshot(command: argparse.ArgumentParser) -> None:
    """Where to, and which Azure."""
    command.add_argument("file", metavar="FILE", type=Path, help="where to; - for stdout")
    around(command)
    azure(command)
    parallel(command)


def render(command: argparse.ArgumentParser) -> None:
    """Environments and how to print them."""
    environments(command)
    command.add_argument(
        "-o",
        dest="outputs",
        metavar="FORMAT[=PATH]",
        action="append",
        type=yaml_or_json,
        help="yaml (default, to stdout) or json; may be repeated",
    )


def diff(command: argparse.ArgumentParser) -> None:
    """Two environments."""
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


def convert(command: argparse.ArgumentParser) -> None:
    """A file, what a template lacks, and where to."""
    command.add_argument(
        "paths", metavar="FILE", nargs=1, type=Path, help="YAML or JSON; - for stdin"
    )
    command.add_argument(
        "-d",
        dest="folder",
        metavar="DIR",
        type=Path,
        help="write one file a group into this folder, over none that is there; default: stdout",
    )
    template = command.add_argument_group("what a template is deployed with")
    template.add_argument(
        "--parameters", metavar="FILE", action="append", type=Path, help="a file of parameters"
    )
    template.add_argument(
        "-p",
        dest="values",
        metavar="NAME=VALUE",
        action="append",
        type=named_value,
        help="a parameter; may be repeated, and wins over --parameters",
    )
    template.add_argument("--subscription", metavar="ID", type=subscription_id, help="its ID")
    template.add_argument(
        "-g", "--resource-group", metavar="NAME", type=given_text,
        help="written into the manifests as well",
    )  # fmt: skip
    template.add_argument(
        "--location", metavar="REGION", type=given_text,
        help="the region of the resource group",
    )  # fmt: skip


def schema(command: argparse.ArgumentParser) -> None:
    """Which schema."""
    command.add_argument(
        "schema",
        metavar="KIND",
        nargs="?",
        choices=(
            "manifest",
            "patch",
            "project",
            "report",
            "snapshot",
            "events",
            "webhook",
            "faults",
        ),
        default="manifest",
        help="manifest (default), patch, project, report, snapshot, events of -o ndjson, "
        "webhook of drift --webhook, or faults of --faults",
    )


def explain(command: argparse.ArgumentParser) -> None:
    """Which property, or which rule."""
    command.add_argument(
        "property",
        metavar="PROPERTY|RULE",
        help="such as properties/containers/*/properties/image, a pointer as in a plan, or M801",
    )


def emulator(command: argparse.ArgumentParser) -> None:
    """Where it listens, and what goes wrong there."""
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


def nothing(_command: argparse.ArgumentParser) -> None:
    """A command without options."""
