"""`logs` and `events`: what containers printed, and what happened to them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.loading import loaded_for, wanted_for
from reconciler.cli.options import Options, Output
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from reconciler import app
    from reconciler.core.ids import GroupId
    from reconciler.report.shape import EventRow


def logs(options: Options) -> ExitCode:
    """Print what the containers of a group printed, as they printed it."""
    from reconciler import app
    from reconciler.cli.connection import azure

    loaded = loaded_for(options)
    if isinstance(loaded, ExitCode):
        return loaded
    project, desired = loaded
    excerpt = app.Excerpt(
        container=options.container,
        tail=options.tail,
        since=options.back,
        timestamps=options.timestamps,
    )
    with azure(options, cloud=project.cloud) as connected:
        wanted = wanted_for(options, project, desired, prunes=False)
        group = app.named_group(options.name, wanted, connected, others=True)
        if options.follow:
            live = app.look_at(group, connected, container=options.container)
            is_one = sum(not view.is_init for view in live.containers) == 1
            prefixes = options.container is None and not is_one
            for printed in app.follow(group, connected, excerpt):
                _print(printed, Console(options), prefixes=prefixes)
            return ExitCode.DONE
        parts = app.logs(group, connected, excerpt)
    for name, text in parts:
        if len(parts) > 1:
            print(f"==> {name} <==")
        sys.stdout.write(text if text.endswith("\n") or not text else text + "\n")
    return ExitCode.DONE


def _print(printed: app.Printed, console: Console, *, prefixes: bool) -> None:
    """Lines as they are, and on stderr what there is to know about them."""
    if printed.lines:
        lead = f"[{printed.container}] " if prefixes else ""
        sys.stdout.write("".join(f"{lead}{line}\n" for line in printed.lines))
        sys.stdout.flush()
    if printed.says:
        from reconciler.report.lines import safe

        subject = f"container '{printed.container}': " if printed.container else ""
        console.say(safe(f"--- {subject}{printed.says}"))


def events(options: Options) -> ExitCode:
    """Show what happened to a group and its containers."""
    from reconciler import app
    from reconciler.cli.connection import azure
    from reconciler.cli.secrets import resolved
    from reconciler.report.status_rows import event_rows

    loaded = loaded_for(options)
    if isinstance(loaded, ExitCode):
        return loaded
    project, desired = loaded
    with azure(options, cloud=project.cloud) as opened:
        wanted = wanted_for(options, project, desired, prunes=False)
        # Secrets are had only to be hidden: Azure may quote them.
        wanted, connected, _ = resolved(wanted, opened, project, writes=False)
        group = app.named_group(options.name, wanted, connected, others=True)
        asked = next((one for one in wanted.groups if one.id.address == group.address), None)
        live = app.look_at(group, connected, container=options.container)
        _tell(event_rows(live, asked, container=options.container), live.id, connected, options)
    return ExitCode.DONE


def _tell(rows: Sequence[EventRow], group: GroupId, connected: app.Azure, options: Options) -> None:
    from reconciler.cli.files import write_text
    from reconciler.cli.terminal import shape
    from reconciler.report.events_report import events_json, events_text

    now = connected.clock.now()
    for output in options.outputs or (Output(format="text", path=None),):
        if output.format == "json":
            text = events_json(group, rows)
        else:
            color, width = shape(is_terminal=output.path is None and sys.stdout.isatty())
            text = events_text(group, rows, now=now, color=color, width=width)
        write_text(text, path=output.path, format_name=output.format)
