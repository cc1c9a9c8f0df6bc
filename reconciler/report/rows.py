"""From plans, outcomes and findings to a report.

Values of manifests and of Azure enter here through `core.mask` and nowhere else, so that no format
can print what must stay hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from types import MappingProxyType

from reconciler.core.binding import Binding
from reconciler.core.category import Category
from reconciler.core.compare import Comparison
from reconciler.core.diff import FieldChange
from reconciler.core.drift import Drift
from reconciler.core.finding import Finding
from reconciler.core.groups import DesiredGroup
from reconciler.core.jsonval import Json, as_object, dig, pointer
from reconciler.core.mask import HIDDEN, Shown, disclosed, is_hidden, scrubber, show
from reconciler.core.outcome import Outcome, TaskLog
from reconciler.core.places import position_of
from reconciler.core.plan import Action, ActionKind, Plan
from reconciler.errors import ExitCode
from reconciler.report.shape import (
    ActionRow,
    DriftRow,
    DriftView,
    Failure,
    FieldRow,
    OrphanRow,
    OutcomeRow,
    Report,
    ReportKind,
    StatusLine,
)

__all__ = [
    "ActionRow",
    "FieldRow",
    "OrphanRow",
    "OutcomeRow",
    "Report",
    "ReportKind",
    "StatusLine",
    "apply_report",
    "compared_rows",
    "drift_report",
    "findings_report",
    "outcome_row",
    "plan_report",
    "secrets_of",
    "status_report",
]


def plan_report(
    plan: Plan,
    *,
    command: str = "plan",
    environment: str | None,
    findings: tuple[Finding, ...] = (),
    exit_code: ExitCode,
    binding: Binding | None = None,
) -> Report:
    """A plan, or with `command="drift"` or `"destroy"` the same in the words of that command."""
    return Report(
        kind=ReportKind.PLAN,
        command=command,
        exit_code=exit_code,
        environment=environment,
        owner=plan.owner,
        subscription=plan.subscription,
        digest=plan.digest,
        binding=binding,
        is_complete=plan.is_complete,
        actions=tuple(_action_row(action) for action in plan.actions),
        orphans=tuple(OrphanRow(target=o.live.id, note=o.note) for o in plan.orphans),
        rails=plan.rails,
        notes=plan.notes,
        findings=findings,
        as_of=plan.as_of,
    )


def drift_report(
    plan: Plan,
    drift: Drift,
    *,
    environment: str | None,
    findings: tuple[Finding, ...] = (),
    exit_code: ExitCode,
    fail_on: AbstractSet[Category],
    told: Iterable[str] = (),
    event: str = "",
) -> Report:
    """What `drift` found, with the plan that would mend it."""
    report = plan_report(
        plan, command="drift", environment=environment, findings=findings, exit_code=exit_code
    )
    scrubs = {a.address: scrubber(secrets_of(a)) for a in plan.actions if a.desired is not None}
    rows = tuple(
        DriftRow(
            target=one.target,
            category=one.category,
            says=scrubs.get(one.target.address, str)(one.says),
            key=one.key,
            is_certain=one.is_certain,
            counts=one.category in fail_on,
        )
        for one in drift.findings
    )
    view = DriftView(
        rows=rows,
        fail_on=tuple(category for category in Category if category in fail_on),
        untold=drift.untold,
        seen=drift.seen,
        told=tuple(sorted(told)),
        event=event,
    )
    return replace(report, drift=view)


def apply_report(
    plan: Plan,
    outcomes: Sequence[Outcome],
    *,
    command: str = "apply",
    environment: str | None,
    findings: tuple[Finding, ...] = (),
    exit_code: ExitCode,
    interrupted: bool = False,
    under_way: Mapping[str, str] = MappingProxyType({}),
    reach: tuple[str, ...] = (),
) -> Report:
    """A plan that was carried out, or with `command="destroy"` a destruction.

    `under_way` are the URLs of operations that were left to themselves, by address.
    """
    planned = plan_report(
        plan, command=command, environment=environment, findings=findings, exit_code=exit_code
    )
    return replace(
        planned,
        kind=ReportKind.RESULT,
        is_interrupted=interrupted,
        outcomes=tuple(outcome_row(outcome) for outcome in outcomes),
        under_way=under_way,
        reach=reach,
    )


def findings_report(
    findings: Sequence[Finding],
    *,
    files: int,
    documents: int,
    exit_code: ExitCode,
    command: str = "validate",
    owner: str = "",
    environment: str | None = None,
) -> Report:
    """What `validate`, or another command before its own work, found in so many files."""
    return Report(
        kind=ReportKind.VALIDATION,
        command=command,
        exit_code=exit_code,
        owner=owner,
        environment=environment,
        findings=tuple(findings),
        files=files,
        documents=documents,
    )


def failure_report(
    failure: Failure,
    *,
    command: str,
    exit_code: ExitCode,
    owner: str = "",
    environment: str | None = None,
) -> Report:
    """What is told of a run that ended before it had anything to report."""
    return Report(
        kind=ReportKind.FAILURE,
        command=command,
        exit_code=exit_code,
        owner=owner,
        environment=environment,
        failure=failure,
    )


def status_report(
    lines: Sequence[StatusLine],
    *,
    exit_code: ExitCode,
    notes: Sequence[str] = (),
    findings: Sequence[Finding] = (),
    owner: str = "",
    environment: str | None = None,
) -> Report:
    """What `status` saw, in the order given; `notes` say what it could not look at."""
    return Report(
        kind=ReportKind.STATUS,
        command="status",
        exit_code=exit_code,
        owner=owner,
        environment=environment,
        lines=tuple(lines),
        notes=tuple(notes),
        findings=tuple(findings),
    )


def _action_row(action: Action) -> ActionRow:
    live = action.live
    moving = live is not None and live.in_transition
    asking = action.desired or action.declared
    return ActionRow(
        target=action.target,
        kind=action.kind,
        why=action.why,
        origin=action.origin,
        costs=action.costs,
        notes=action.notes,
        allow=action.allow,
        after=action.after,
        fields=_field_rows(action),
        containers=_containers(action.desired) if action.desired is not None else (),
        restarts=_restarts(action),
        is_moving=action.kind is ActionKind.NO_OP and moving,
        blocks=action.kind is ActionKind.REFUSE and action.blocks,
        trouble=action.trouble,
        file=asking.where.file if asking is not None else "",
        line=asking.where.mark.line if asking is not None else 1,
        column=asking.where.mark.column if asking is not None else 1,
        desired=action.effect.desired,
        live=action.effect.live,
    )


def secrets_of(action: Action) -> tuple[str, ...]:
    """Every text of an action's bodies that must not be printed."""
    bodies = (action.desired, action.fallback)
    return tuple(text for body in bodies if body is not None for text in body.secret_texts)


def _field_rows(action: Action) -> tuple[FieldRow, ...]:
    if not action.diff.changes:
        return ()
    scrub = scrubber(secrets_of(action))
    wanted = action.desired
    return tuple(
        _placed(_field_row(change, scrub), wanted, change) for change in action.diff.changes
    )


def _placed(row: FieldRow, desired: DesiredGroup | None, change: FieldChange) -> FieldRow:
    """The row with the line that asks for it; also as `patch` where that is no manifest's."""
    if desired is None:
        return row
    where = position_of(desired, change.path)
    return replace(row, where=where, patch=where if where.file != desired.where.file else None)


def compared_rows(comparison: Comparison) -> tuple[FieldRow, ...]:
    """The fields that differ between two environments; the secrets of both are hidden."""
    sides = (comparison.before, comparison.after)
    groups = [one for one in sides if isinstance(one, DesiredGroup)]
    scrub = scrubber([text for one in groups for text in one.secret_texts])
    after = comparison.after if isinstance(comparison.after, DesiredGroup) else None
    return tuple(
        _placed(_field_row(change, scrub), after, change) for change in comparison.diff.changes
    )


def _field_row(change: FieldChange, scrub: Callable[[str], str]) -> FieldRow:
    sides = (change.before, change.after)
    # A secret may have stood in a plain place before, whatever that was called.
    shown = (_scrubbed(change.before, scrub), _scrubbed(change.after, scrub))
    hidden = change.sensitive or any(
        side == HIDDEN or (side is not None and is_hidden(change.path, side)) for side in shown
    )
    old, new = (None if hidden or side is None else disclosed(change.path, side) for side in shown)
    return FieldRow(
        pointer=pointer(change.path),
        kind=change.kind,
        effect=change.effect,
        origin=change.origin,
        before=_shown(change, shown[0], is_hidden=hidden),
        after=_shown(change, shown[1], is_hidden=hidden),
        is_sensitive=hidden,
        is_partly_hidden=not hidden and (old, new) != sides,
        among=change.among,
        old=old,
        new=new,
    )


def _scrubbed(value: Json, scrub: Callable[[str], str]) -> Json:
    """`value` with every text in it scrubbed, keys included."""
    match value:
        case str():
            return scrub(value)
        case dict():
            return {scrub(name): _scrubbed(item, scrub) for name, item in value.items()}
        case list():
            return [_scrubbed(item, scrub) for item in value]
    return value


def _shown(change: FieldChange, value: Json, *, is_hidden: bool) -> Shown:
    if change.sensitive:
        return HIDDEN  # its values are not carried at all, so absent cannot be told from hidden
    return show(change.path, value, sensitive=is_hidden, longest=None)


def _containers(desired: DesiredGroup) -> tuple[tuple[str, Shown], ...]:
    holder = ("properties", "containers")
    found = as_object(dig(desired.canonical, *holder))
    return tuple(
        (name, show((*holder, name, "properties", "image"), image))
        for name in sorted(found)
        if isinstance(image := dig(found[name], "properties", "image"), str)
    )


def _restarts(action: Action) -> int:
    """As its costs count them: a group that has ended starts, it does not restart."""
    if action.kind is not ActionKind.UPDATE or action.live is None or action.live.has_ended:
        return 0
    desired = action.desired.canonical if action.desired is not None else {}
    containers = as_object(dig(desired, "properties", "containers"))
    return sum(isinstance(container, dict) for container in containers.values())


def outcome_row(outcome: Outcome) -> OutcomeRow:
    """What became of an action, its group's secrets hidden in every text of others."""
    scrub = scrubber(secrets_of(outcome.action))
    return OutcomeRow(
        action=_action_row(outcome.action),
        status=outcome.status,
        says=scrub(outcome.says),
        hint=scrub(outcome.hint),
        code=outcome.code,
        request_id=outcome.request_id,
        wrote=outcome.wrote,
        took=outcome.took,
        logs=tuple(TaskLog(container=log.container, text=scrub(log.text)) for log in outcome.logs),
        is_stranded=outcome.is_stranded,
        is_restored=outcome.is_restored,
        operation=scrub(outcome.operation),
        health=scrub(outcome.health),
        started=outcome.started,
        troubles=tuple(
            replace(trouble, state=scrub(trouble.state), events=tuple(map(scrub, trouble.events)))
            for trouble in outcome.troubles
        ),
    )
