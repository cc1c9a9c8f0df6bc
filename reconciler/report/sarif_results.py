"""What of a report is a result for code scanning: its rule, level, place and identity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.core.category import Category
from reconciler.core.diff import Origin
from reconciler.core.finding import Finding, Mark, Position
from reconciler.core.outcome import Status
from reconciler.core.plan import ActionKind, Rail
from reconciler.report.shape import ActionRow, DriftRow, FieldRow, OutcomeRow, Report

LEVELS = ("error", "warning", "note")  # worst first
_PROJECT_FILE = "aci-reconcile.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What all results of a rule have in common."""

    title: str
    help: str
    tag: str
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One result. `same` is what it is recognised by when its line moves.

    `related` are further places with what is there; `about` is what the rule of a finding asks
    for, `link` where that is written.
    """

    rule: str
    level: str
    says: str
    same: tuple[str, ...]
    where: Position
    group: str = ""
    related: tuple[tuple[Position, str], ...] = ()
    about: str = ""
    link: str = ""


_REFUSED = Rule(
    title="The plan refuses to act on a group",
    help="Nothing is done to the group, and nothing of the plan where the refusal blocks it. "
    "The message says why, and what can be done about it.",
    tag="plan",
)
_RAIL = (
    "Nothing of the plan is carried out. What can be set is set under 'policy' of the project; "
    "the message says what allows it, or which other way there is."
)
_DRIFT: Mapping[Category, str] = {
    Category.MISSING: "A group that was applied is gone",
    Category.CHANGED: "Azure differs from what was applied",
    Category.CRASH_LOOPING: "A container crashes again and again",
    Category.UNHEALTHY: "A group is not healthy",
    Category.ORPHANED: "A group of ours is in no manifest",
    Category.STOPPED: "A group is stopped",
    Category.ADDRESS_MOVED: "The IP address of a group moved",
    Category.IMAGE_MOVED: "The tag of an image moved",
    Category.UNMANAGED: "A group is nobody's",
    Category.PENDING: "A manifest is not applied yet",
}
_BAD: Mapping[Status, str] = {
    Status.FAILED: "An action failed",
    Status.STALE: "A group moved since it was planned",
    Status.UNHEALTHY: "A group was written and is not healthy",
}


def rule_of(result: Result) -> Rule:
    """What is known of the rule of a result."""
    family, _, name = result.rule.partition("/")
    if result.about:
        title = f"Expected: {result.about}"
        return Rule(
            title=title,
            help=f"{title}. The message says what was found.",
            tag="manifest",
            link=result.link,
        )
    if family == "rail":
        return Rule(title=f"The limit {name} stops the plan", help=_RAIL, tag="plan")
    if family == "drift":
        title = _DRIFT[Category(name)]
        return Rule(title=title, help=f"{title}. See 'aci-reconcile drift'.", tag="drift")
    if family == "failed":
        title = "A group is gone" if name == "stranded" else _BAD[Status(name)]
        return Rule(title=title, help=f"{title}. The message says how to go on.", tag="apply")
    if family == "refused":
        return _REFUSED
    return Rule(title=result.rule, help="The message says what is expected.", tag="manifest")


def results_of(report: Report) -> Iterator[Result]:
    """Every result, in the order of the report."""
    yield from map(_of_finding, report.findings)
    home = _home(report)
    yield from (_of_rail(rail, home) for rail in report.rails)
    if report.drift is not None:
        actions = {action.target.address: action for action in report.actions}
        for row in report.drift.rows:
            yield from _of_drift(row, actions.get(row.target.address), home)
        return
    bad = [outcome for outcome in report.outcomes if outcome.status in _BAD]
    told = {outcome.action.target.address for outcome in bad}
    for action in report.actions:
        if action.target.address not in told:
            yield from _of_action(action, home, is_drift=report.command == "drift")
    yield from (_of_outcome(outcome, home) for outcome in bad)


def _home(report: Report) -> Position:
    """The first line of the project file; where nobody says which that is, of the usual one."""
    files = (rail.where.file for rail in report.rails if rail.where is not None)
    return Position(file=next(files, _PROJECT_FILE), mark=Mark(1, 1))


def _of_finding(finding: Finding) -> Result:
    subject = f"{finding.path}: " if finding.path else ""
    hint = f"; try {finding.hint}" if finding.hint else ""
    return Result(
        rule=finding.rule,
        level="error" if finding.is_error else "warning",
        says=f"{subject}{finding.says}{hint}",
        same=(finding.where.file, finding.path),
        where=finding.where,
        about=finding.about,
        link=finding.link,
    )


def _of_rail(rail: Rail, home: Position) -> Result:
    return Result(
        rule=f"rail/{rail.rule}",
        level="error",
        says=_to_go_on(rail.says, rail.allow),
        same=(),
        where=rail.where or home,
    )


def _of_action(action: ActionRow, home: Position, *, is_drift: bool) -> Iterator[Result]:
    if is_drift:  # what was merged and is not yet applied is pending
        if action.kind is not ActionKind.NO_OP and action.origin is not Origin.CONFIG:
            is_missing = action.kind is ActionKind.CREATE
            category = Category.MISSING if is_missing else Category.CHANGED
            yield _of_group(f"drift/{category.value}", "warning", action.why, action, home)
    elif action.kind is ActionKind.REFUSE:
        says = _to_go_on(action.why, action.allow)
        yield _of_group("refused", "error" if action.blocks else "warning", says, action, home)


def _of_outcome(outcome: OutcomeRow, home: Position) -> Result:
    kind = "stranded" if outcome.is_stranded else outcome.status.value
    rule = "refused" if outcome.action.kind is ActionKind.REFUSE else f"failed/{kind}"
    azure = ", ".join(part for part in (outcome.code, outcome.request_id) if part)
    says = f"{outcome.says} ({azure})" if azure else outcome.says
    return _of_group(rule, "error", _to_go_on(says, outcome.hint), outcome.action, home)


def _of_group(rule: str, level: str, says: str, action: ActionRow, home: Position) -> Result:
    own = _place(action) or home
    return Result(
        rule=rule,
        level=level,
        says=f"{action.target}: {says}",
        same=(action.target.address,),
        where=own,
        group=str(action.target),
        related=tuple((f.where, f.pointer) for f in action.fields if f.where not in (None, own)),
    )


def _of_drift(row: DriftRow, action: ActionRow | None, home: Position) -> Iterator[Result]:
    """What was changed lies on the line of each field, all else on that of the group."""
    place = _place(action) if action is not None else None
    doubt = "" if row.is_certain else " (or it is pending, which cannot be told)"
    result = Result(
        rule=f"drift/{row.category.value}",
        level="warning" if row.counts else "note",
        says=f"{row.target}: {row.says}{doubt}",
        same=(row.target.address,),
        where=place or home,
        group=str(row.target),
    )
    changed = row.category is Category.CHANGED and action is not None
    fields = (
        [f for f in action.fields if f.origin is not Origin.CONFIG] if changed and action else []
    )
    if not fields:
        yield result
    for field in fields:
        yield Result(
            rule=result.rule,
            level=result.level,
            says=f"{row.target}: {_differs(field)}",
            same=(*result.same, field.pointer),
            where=field.where or result.where,
            group=result.group,
        )


def _differs(field: FieldRow) -> str:
    if field.is_sensitive:
        return f"{field.pointer} is not what the manifest asks for"
    return f"{field.pointer} is {field.before} in Azure, the manifest asks for {field.after}"


def _place(action: ActionRow) -> Position | None:
    if not action.file:
        return None
    return Position(file=action.file, mark=Mark(action.line, action.column))


def _to_go_on(says: str, hint: str) -> str:
    return f"{says}; to go on: {hint}" if hint else says
