"""What `export` and `adopt` take: the commands that take over what runs already."""

from __future__ import annotations

import argparse
from pathlib import Path

from reconciler.cli.arguments import (
    azure,
    environment,
    parallel,
    reporting,
    secrets,
    selecting,
    verbose,
)
from reconciler.cli.options import given_text, owner_name, subscription_id


def export(command: argparse.ArgumentParser) -> None:
    """Which groups, where to, and which Azure."""
    _named_groups(command, "default: all")
    command.add_argument(
        "-d",
        "--directory",
        dest="folder",
        metavar="DIR",
        type=Path,
        required=True,
        help="the folder to write into: DIR/resourceGroup/group.yaml; - for stdout",
    )
    command.add_argument(
        "-g",
        "--resource-group",
        dest="in_resource_groups",
        metavar="RG",
        action="append",
        type=given_text,
        help="only groups of this resource group; may be repeated (default: the subscription)",
    )
    command.add_argument(
        "--subscription",
        metavar="ID",
        type=subscription_id,
        help="the subscription, where no project file says it",
    )
    command.add_argument(
        "--owner",
        metavar="NAME",
        type=owner_name,
        help="the owner in the project file that is made (default: the folder's name)",
    )
    command.add_argument(
        "--update",
        action="store_true",
        help="change manifests that differ from what is live; comments and order are kept",
    )
    command.add_argument(
        "-e", "--env", dest="environment", metavar="NAME", help="environment of the project file"
    )
    azure(command)


def _named_groups(command: argparse.ArgumentParser, default: str) -> None:
    command.add_argument(
        "names",
        metavar="NAME",
        nargs="*",
        type=given_text,
        help=f"group or resourceGroup/group, in any case; {default}",
    )


def adopt(command: argparse.ArgumentParser) -> None:
    """Which groups, from whom, and consent."""
    _named_groups(command, "default: all that manifests name")
    command.add_argument(
        "--manifests",
        dest="paths",
        metavar="PATH",
        action="append",
        type=Path,
        help="the project's folder, or only these of its manifests; default: around the current "
        "folder",
    )
    environment(command)
    secrets(command)
    azure(command)
    parallel(command)
    selecting(command)
    reporting(command)
    verbose(command)
    command.add_argument(
        "--from-owner",
        metavar="OWNER",
        type=given_text,
        help="take the groups that OWNER holds: its tag as it is, such as shop or shop/prod",
    )
    command.add_argument(
        "-y", "--yes", action="store_true", help="do not ask; needed without a terminal"
    )
