"""`start`, `stop`, `restart`: what a person does to groups by name, past their manifests."""

from __future__ import annotations

from reconciler.cli.console import Console
from reconciler.cli.loading import loaded_for, wanted_for
from reconciler.cli.options import Options
from reconciler.core.plan import ActionKind
from reconciler.errors import ExitCode, UsageError


def start(options: Options) -> ExitCode:
    """Let groups that were stopped or have ended run again."""
    return _by_hand(ActionKind.START, options)


def stop(options: Options) -> ExitCode:
    """Stop groups: nothing of them runs, and nothing is paid, until they are started."""
    return _by_hand(ActionKind.STOP, options)


def restart(options: Options) -> ExitCode:
    """Restart groups in place."""
    return _by_hand(ActionKind.RESTART, options)


def _by_hand(kind: ActionKind, options: Options) -> ExitCode:
    from reconciler import app
    from reconciler.cli.commands import carry_out
    from reconciler.cli.connection import azure
    from reconciler.report.rows import plan_report

    console = Console(options)
    loaded = loaded_for(options)
    if isinstance(loaded, ExitCode):
        return loaded
    project, desired = loaded
    if not options.yes and not console.can_ask:
        raise UsageError(
            f"{kind.value} asks before it writes, and there is no terminal", hint="add --yes"
        )
    asked = app.Asked(
        kind=kind,
        names=options.names,
        select=options.select,
        exclude=options.exclude,
        foreign=options.foreign,
        waits=not options.no_wait,
        timeout=options.wait_timeout,
    )
    with azure(options, cloud=project.cloud) as connected:
        wanted = wanted_for(options, project, desired, prunes=False)
        planned = app.hand_plan(asked, wanted, connected)
        code = ExitCode.BLOCKED if planned.is_blocked else ExitCode.DONE
        shown = plan_report(
            planned, command=kind.value, environment=project.environment, exit_code=code
        )
        if planned.is_blocked or not planned.has_changes:
            console.result(shown)
            return code
        console.preview(shown)
        question = f"{kind.value.capitalize()} in subscription {planned.subscription}?"
        if not options.yes and not console.ask(question, "yes"):
            console.say("not confirmed, nothing was touched")
            return ExitCode.BLOCKED
        return carry_out(planned, connected, project, options, shown)
