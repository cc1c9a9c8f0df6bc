"""One function a command. What is heavy is imported where it is needed, never at the top."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.loading import applied_of, consent_of, history_of, loaded_for, wanted_for
from reconciler.cli.options import Options, reach_of
from reconciler.core.finding import Finding, in_order
from reconciler.errors import ExitCode, PlanDiffers, UsageError

if TYPE_CHECKING:
    from reconciler.app import Azure, Wanted
    from reconciler.core.binding import Binding, Reviewed
    from reconciler.core.plan import Plan
    from reconciler.manifest import Project
    from reconciler.report.rows import Report


def plan(options: Options) -> ExitCode:
    """Show what apply would do."""
    from reconciler.cli.plans import consent_in
    from reconciler.report.rows import plan_report

    loaded = loaded_for(options)
    if isinstance(loaded, ExitCode):
        return loaded
    project, desired = loaded
    wanted = wanted_for(options, project, desired, prunes=True)
    doubts: tuple[Finding, ...] = ()
    if options.live is not None:
        from reconciler.cli.snapshots import plan_of

        planned = plan_of(options, project, wanted)
    else:
        planned, doubts = _asked(wanted, project, options)
    code = _plan_code(planned, options)
    binding = _binding(planned, options, wanted)
    if words := consent_in(binding):
        planned = replace(planned, notes=(*planned.notes, f"made with {words}"))
    report = plan_report(
        planned,
        environment=project.environment,
        findings=in_order([*desired.findings, *doubts]),
        exit_code=code,
        binding=binding,
    )
    Console(options).report(report)
    return code


def _asked(wanted: Wanted, project: Project, options: Options) -> tuple[Plan, tuple[Finding, ...]]:
    """The plan against Azure, and which secrets could not be had."""
    from reconciler import app
    from reconciler.cli.connection import azure
    from reconciler.cli.secrets import resolved

    with azure(options, cloud=project.cloud) as opened:
        wanted, connected, doubts = resolved(wanted, opened, project, writes=False)
        # What Azure is still changing cannot be compared: whoever relies on the answer waits.
        planned = app.plan(
            wanted,
            connected,
            consent_of(options),
            settles=options.detailed_exitcode,
            history=history_of(project, wanted),
            applied=applied_of(options, project, wanted),
        )
    return planned, doubts


def _binding(planned: Plan, options: Options, wanted: Wanted) -> Binding:
    from reconciler.cli.plans import binding_of

    return binding_of(planned, options, now=datetime.now(UTC), valid=wanted.limits.plan_valid)


def _plan_code(planned: Plan, options: Options) -> ExitCode:
    if planned.is_blocked or planned.refusals:
        return ExitCode.BLOCKED
    pending = options.detailed_exitcode and planned.has_changes
    return ExitCode.CHANGES if pending else ExitCode.DONE


def apply(options: Options) -> ExitCode:
    """Show the plan, ask, carry it out."""
    from reconciler import app
    from reconciler.cli.connection import azure
    from reconciler.cli.plans import check_made_for
    from reconciler.cli.secrets import resolved
    from reconciler.report.rows import plan_report

    options, reviewed = _reviewed(options)
    console = Console(options)
    loaded = loaded_for(options)
    if isinstance(loaded, ExitCode):
        return loaded
    project, desired = loaded
    if not options.yes and not console.can_ask:
        raise UsageError("apply asks before it writes, and there is no terminal", hint="add --yes")
    with azure(options, cloud=project.cloud) as opened:
        wanted = wanted_for(options, project, desired, prunes=True)
        if reviewed is not None:
            check_made_for(reviewed, wanted)
        wanted, connected, doubts = resolved(wanted, opened, project, writes=True)
        findings = in_order([*desired.findings, *doubts])
        with _as_reviewed(reviewed):
            planned = app.plan(
                wanted,
                connected,
                consent_of(options, reviewed),
                settles=True,
                history=history_of(project, wanted),
                applied=applied_of(options, project, wanted),
            )
        _check_reviewed(planned, reviewed, options, console)
        code = ExitCode.BLOCKED if planned.is_blocked else ExitCode.DONE
        shown = plan_report(
            planned,
            command="apply",
            environment=project.environment,
            findings=findings,
            exit_code=code,
        )
        if planned.is_blocked or not planned.has_changes:
            console.result(shown)
            return code
        console.preview(shown)
        _preflight(planned, connected, console)
        if not options.yes and not console.ask(
            f"Apply to subscription {planned.subscription}?", "yes"
        ):
            console.say("not confirmed, nothing was touched")
            return ExitCode.BLOCKED
        return carry_out(planned, connected, project, options, shown)


def _reviewed(options: Options) -> tuple[Options, Reviewed | None]:
    """The options of the plan document that is to be applied, and that; else as they are."""
    from reconciler.cli.plans import bound, check_ready, plan_file, reviewed_in

    path = plan_file(options)
    if path is None:
        if options.accept_subset:
            raise UsageError("--accept-subset goes with a plan document", hint="apply plan.json")
        return options, None
    reviewed = reviewed_in(path)
    check_ready(reviewed, now=datetime.now(UTC))
    return bound(options, reviewed), reviewed


@contextmanager
def _as_reviewed(reviewed: Reviewed | None) -> Iterator[None]:
    """Names that a plan document holds and that fit no more: the world has moved.

    Raises:
        PlanDiffers: such a name, instead of a UsageError.
    """
    try:
        yield
    except UsageError as exc:
        if reviewed is None:
            raise
        says = f"{reviewed.file} cannot be planned again: {exc.says}: nothing was touched"
        raise PlanDiffers(says, hint="plan again") from exc


def _check_reviewed(
    planned: Plan, reviewed: Reviewed | None, options: Options, console: Console
) -> None:
    """Return when what would be done now was reviewed, as far as anything was."""
    from reconciler.cli.plans import check_digest, check_same
    from reconciler.core.place import is_misplaced
    from reconciler.report.lines import safe

    if is_misplaced(planned):
        return  # nothing was looked at to compare with, and nothing will be done
    if reviewed is not None:
        check_same(planned, reviewed, accept_subset=options.accept_subset)
        console.say(
            safe(
                f"as reviewed: plan {reviewed.binding.plan_id} of {reviewed.file}; no other"
                " secrets are compared than it compared"
            )
        )
    if options.expect_digest is not None:
        check_digest(planned, options.expect_digest)


def _preflight(planned: Plan, connected: Azure, console: Console) -> None:
    """Return when nothing stands in the way; what could not be checked is said."""
    from reconciler.execute.preflight import preflight
    from reconciler.report.lines import safe

    for note in preflight(planned, connected.cloud, workers=connected.workers):
        console.say(safe(f"note: {note}"))


def carry_out(
    planned: Plan,
    connected: Azure,
    project: Project,
    options: Options,
    shown: Report,
) -> ExitCode:
    """Carry out a plan that was shown and agreed to, and report what became of it."""
    from reconciler import app
    from reconciler.cli.signals import counted_interrupts
    from reconciler.core.outcome import exit_code
    from reconciler.manifest.history import commit_of
    from reconciler.report.rows import apply_report

    console = Console(options)
    with counted_interrupts(console.abandon) as interrupts:  # the result is written whatever comes
        with console.progress(planned, shown) as watcher:
            done = app.apply(
                planned,
                connected,
                commit=commit_of(project.root, os.environ),
                watcher=watcher,
                interrupts=interrupts,
                rollout=options.rollout,
            )
        console.say("")  # parts the progress from the result
        code = exit_code(done.outcomes, is_interrupted=done.is_interrupted)
        report = apply_report(
            planned,
            done.outcomes,
            command=shown.command,
            environment=shown.environment,
            findings=shown.findings,
            exit_code=code,
            interrupted=done.is_interrupted,
            under_way=done.under_way,
            reach=reach_of(options),
        )
        console.result(report)
    return code


def release(options: Options) -> ExitCode:
    """Give a group up: it runs on, and is nobody's."""
    from reconciler import app
    from reconciler.cli.connection import azure
    from reconciler.cli.progress import Lines, Several, Underway

    loaded = loaded_for(options)
    if isinstance(loaded, ExitCode):
        return loaded
    project, desired = loaded
    console = Console(options)
    if not options.yes and not console.can_ask:
        raise UsageError(
            "release asks before it writes, and there is no terminal", hint="add --yes"
        )
    with azure(options, cloud=project.cloud) as connected:
        wanted = wanted_for(options, project, desired, prunes=False)
        group = app.named_group(options.name, wanted, connected)
        if not options.yes and not console.ask(f"Give up {group}? It runs on.", "yes"):
            console.say("not confirmed, nothing was touched")
            return ExitCode.BLOCKED
        lines = Lines(Underway(total=1))
        try:
            app.release(group, wanted, connected, watcher=Several([lines]))
        finally:
            lines.close()
    is_named = any(one.id.address == group.address for one in desired.groups)
    again = "; its manifest is still there: the next apply adopts it again" if is_named else ""
    sys.stdout.write(f"released {group}: it runs on, and is nobody's{again}\n")
    return ExitCode.DONE


def destroy(options: Options) -> ExitCode:
    """Delete everything this project owns, once its owner's name has been given."""
    from reconciler import app
    from reconciler.cli.connection import azure
    from reconciler.report.rows import plan_report

    console = Console(options)
    loaded = loaded_for(options)
    if isinstance(loaded, ExitCode):
        return loaded
    project, desired = loaded
    if not desired.is_complete:
        raise UsageError(
            "destroy takes the whole project, not some of its files", hint="leave PATH out"
        )
    if options.confirm is None and not console.can_ask:
        raise UsageError(
            "destroy asks for the owner's name, and there is no terminal",
            hint=f"add --confirm {project.owner}",
        )
    if options.confirm not in (None, project.owner):
        raise UsageError(f"--confirm: expected '{project.owner}', got '{options.confirm}'")
    with azure(options, cloud=project.cloud) as connected:
        wanted = wanted_for(options, project, desired, prunes=False)
        planned = app.teardown(wanted, connected, resource_groups=options.resource_groups)
        code = ExitCode.BLOCKED if planned.is_blocked else ExitCode.DONE
        shown = plan_report(
            planned, command="destroy", environment=project.environment, exit_code=code
        )
        if planned.is_blocked or not planned.has_changes:
            console.result(shown)
            return code
        console.preview(shown)
        _preflight(planned, connected, console)
        if options.confirm is None and not console.ask(
            "This deletes all of the above.", project.owner
        ):
            console.say("not confirmed, nothing was touched")
            return ExitCode.BLOCKED
        return carry_out(planned, connected, project, options, shown)
