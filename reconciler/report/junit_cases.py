"""What is a test case of a report, and how each ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from reconciler.core.diff import Origin
from reconciler.core.finding import Finding
from reconciler.core.outcome import Status
from reconciler.core.plan import ActionKind
from reconciler.report.shape import (
    ActionRow,
    DriftRow,
    DriftView,
    FieldRow,
    OutcomeRow,
    Report,
    ReportKind,
    StatusLine,
)
from reconciler.report.verdict import outcome_of
from reconciler.report.words import plural, unstarted


class Verdict(Enum):
    """How a case ended; the value is the name of its element."""

    PASSED = ""
    FAILURE = "failure"
    ERROR = "error"
    SKIPPED = "skipped"


_VERDICTS = {
    Status.SUCCEEDED: Verdict.PASSED,
    Status.NOT_STARTED: Verdict.SKIPPED,
    Status.UNHEALTHY: Verdict.FAILURE,
    Status.FAILED: Verdict.FAILURE,
    Status.STALE: Verdict.FAILURE,
}
_STANDINGS = {"in sync": Verdict.PASSED, "in transition": Verdict.SKIPPED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test case; `holder` and `name` stay the same from run to run.

    `kind`, `says` and `detail` tell of one that did not pass, `out` of any.
    """

    holder: str
    name: str
    verdict: Verdict = Verdict.PASSED
    kind: str = ""
    says: str = ""
    detail: str = ""
    out: str = ""
    seconds: float = 0.0


def cases_of(report: Report) -> Iterator[Case]:
    """At least one case a report: some CI systems take a file without any for a broken run."""
    if (failure := report.failure) is not None:
        yield Case(
            holder="run",
            name=report.command,
            verdict=Verdict.ERROR,
            kind=outcome_of(report),
            says=failure.says,
            detail=_lines([failure.says, failure.hint, *failure.details]),
        )
        return
    for rail in report.rails:
        yield Case(
            holder="limits",
            name=rail.rule,
            verdict=Verdict.FAILURE,
            kind=rail.rule,
            says=rail.says,
            detail=_lines([rail.says, _to_go_on(rail.allow)]),
        )
    yield from _of_groups(report)
    yield from _of_files(report)


def _of_groups(report: Report) -> Iterator[Case]:
    yield from map(_of_line, report.lines)
    if report.drift is not None:
        yield from _of_drift(report, report.drift)
    elif report.kind is ReportKind.RESULT:
        yield from _of_result(report)
    else:
        is_drift = report.command == "drift"
        yield from (_of_action(action, is_drift=is_drift) for action in report.actions)


def _of_line(line: StatusLine) -> Case:
    seen = (line.provisioning, line.state, line.address, line.note)
    return Case(
        holder="groups",
        name=str(line.target),
        verdict=_STANDINGS.get(line.sync, Verdict.FAILURE),
        kind=line.sync,
        says=f"{line.sync}: {line.note}" if line.note else line.sync,
        out=_lines([line.sync, *seen]),
    )


def _of_action(action: ActionRow, *, is_drift: bool = False) -> Case:
    """A planned change is no failure; a refusal is, and for `drift` what somebody changed."""
    fails = action.kind is ActionKind.REFUSE
    if is_drift:  # what was merged and is not yet applied is pending
        fails = action.kind is not ActionKind.NO_OP and action.origin is not Origin.CONFIG
    left = Verdict.SKIPPED if action.is_moving else Verdict.PASSED
    return Case(
        holder="groups",
        name=str(action.target),
        verdict=Verdict.FAILURE if fails else left,
        kind=action.kind.value,
        says=action.why,
        detail=_lines([_placed(action, action.why), _to_go_on(action.allow)]),
        out=_planned(action),
    )


def _of_result(report: Report) -> Iterator[Case]:
    yield from map(_of_outcome, report.outcomes)
    for action in unstarted(report):
        yield _of_unstarted(action, report)
    told = {outcome.action.target.address for outcome in report.outcomes}
    for action in report.actions:
        if action.kind is ActionKind.NO_OP and action.target.address not in told:
            yield _of_action(action)


def _of_outcome(outcome: OutcomeRow) -> Case:
    action = outcome.action
    azure = (outcome.code, outcome.request_id and f"request id {outcome.request_id}")
    logs = [f"{log.container}: {text}" for log in outcome.logs for text in log.text.splitlines()]
    return Case(
        holder="groups",
        name=str(action.target),
        verdict=_VERDICTS[outcome.status],
        kind="stranded" if outcome.is_stranded else outcome.code or outcome.status.value,
        says=outcome.says,
        detail=_lines([_placed(action, outcome.says), *azure, _to_go_on(outcome.hint)]),
        out=_lines([_planned(action), outcome.says, outcome.operation, outcome.health, *logs]),
        seconds=max(0.0, outcome.took.total_seconds()),
    )


def _of_unstarted(action: ActionRow, report: Report) -> Case:
    """After an interrupt nobody can tell what became of it; else it was not begun."""
    says = f"not started: {action.kind.value}"
    if report.is_interrupted:
        says = f"{action.kind.value}: no outcome, it may be under way in Azure"
    operation = report.under_way.get(action.target.address, "")
    return Case(
        holder="groups",
        name=str(action.target),
        verdict=Verdict.ERROR if report.is_interrupted else Verdict.SKIPPED,
        kind="no outcome" if report.is_interrupted else Status.NOT_STARTED.value,
        says=says,
        detail=_lines([_placed(action, says), operation]),
        out=_planned(action),
    )


# Drift


def _of_drift(report: Report, drift: DriftView) -> Iterator[Case]:
    """A case a group, also where nothing was found, with all that was found of it."""
    actions = {action.target.address: action for action in report.actions}
    found: dict[str, list[DriftRow]] = {address: [] for address in actions}
    for row in drift.rows:
        found.setdefault(row.target.address, []).append(row)
    for address, rows in found.items():
        yield _of_rows(rows, actions.get(address))
    for untold in drift.untold:
        concerns = ", ".join(sorted(one.value for one in untold.concerns))
        yield Case(
            holder="checks",
            name=untold.says,
            verdict=Verdict.ERROR if untold.concerns & {*drift.fail_on} else Verdict.SKIPPED,
            kind="untold",
            says=untold.says,
            detail=f"left open: {concerns}",
        )


def _of_rows(rows: list[DriftRow], action: ActionRow | None) -> Case:
    counted = [row for row in rows if row.counts]
    said = [_said(row) for row in rows]
    target = rows[0].target if action is None else action.target
    case = Case(
        holder="groups",
        name=str(target),
        out=_lines([*said, *(map(_field, action.fields) if action is not None else ())]),
    )
    if not counted:
        return case
    told = [_said(row) for row in counted]
    return replace(
        case,
        verdict=Verdict.FAILURE,
        kind=counted[0].category.value,
        says=told[0],
        detail=_lines([_placed(action, told[0]) if action is not None else told[0], *told[1:]]),
    )


def _said(row: DriftRow) -> str:
    return f"{row.category.value}{'' if row.is_certain else ' (or pending)'}: {row.says}"


# Files


def _of_files(report: Report) -> Iterator[Case]:
    """A case a file with findings, and one for the rest where files are what it is about."""
    by_file: dict[str, list[Finding]] = {}
    for finding in report.findings:
        by_file.setdefault(finding.where.file, []).append(finding)
    for file, findings in sorted(by_file.items()):
        yield _of_file(file, findings)
    if report.kind is ReportKind.VALIDATION:
        rest = max(0, report.files - len(by_file))
        out = f"{plural(rest, 'file')} without a finding"
        yield Case(holder="files", name="all others", out=out)
    elif not (report.rails or report.actions or report.outcomes or report.lines or report.drift):
        yield Case(holder="groups", name="none", out="there are no groups")


def _of_file(file: str, findings: list[Finding]) -> Case:
    errors = [finding for finding in findings if finding.is_error]
    case = Case(holder="files", name=file, out=_lines(map(str, findings)))
    if not errors:
        return case
    more = f" (and {plural(len(errors) - 1, 'error')} more)" if len(errors) > 1 else ""
    return replace(
        case,
        verdict=Verdict.FAILURE,
        kind=errors[0].rule,
        says=f"{errors[0]}{more}",
        detail=_lines(map(str, errors)),
    )


# Texts


def _planned(action: ActionRow) -> str:
    """What the plan says of it, and every field that differs."""
    says = f"{action.kind.value}: {action.why}"
    return _lines([says, action.trouble, *action.costs, *map(_field, action.fields), *action.notes])


def _field(field: FieldRow) -> str:
    where = f" ({field.where})" if field.where is not None else ""
    among = f" (one or more of {', '.join(field.among)})" if field.among else ""
    return f"{field.pointer}: {field.before} -> {field.after}{among}{where}"


def _placed(action: ActionRow, says: str) -> str:
    place = f"{action.file}:{action.line}:{action.column}: " if action.file else ""
    return f"{place}{action.target}: {says}"


def _to_go_on(hint: str) -> str:
    return f"to go on: {hint}" if hint else ""


def _lines(texts: Iterable[str]) -> str:
    return "\n".join(text for text in texts if text)
