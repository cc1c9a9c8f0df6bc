"""Outcomes as blocks of Markdown: a table, and what Azure said of each that did not succeed."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.outcome import Status, TaskLog, Trouble
from reconciler.core.plan import ActionKind
from reconciler.report.markdown_escape import code, fence, html, prose, table
from reconciler.report.markdown_plan import Detail, bounded, is_alarming, target
from reconciler.report.shape import ActionRow, OutcomeRow, Report
from reconciler.report.words import PAST, SIGNS, duration, plural, repair, unstarted

_LOG_LINES = 40  # the last ones of a container; its end tells why it ended
_BAD = (Status.FAILED, Status.STALE, Status.UNHEALTHY)


def is_bad(outcome: OutcomeRow) -> bool:
    """Whether a person has to look at it."""
    return outcome.status in _BAD


def outcome_blocks(report: Report, detail: Detail) -> Iterator[str]:
    """The table of outcomes, and below it the details of what did not succeed."""
    shown = [one for one in report.outcomes if detail < Detail.ALARMS or _is_shown_always(one)]
    rows = [_row(outcome, detail) for outcome in shown]
    if detail < Detail.ALARMS:
        rows += [_unstarted_row(action, report) for action in unstarted(report)]
    if not rows or detail >= Detail.COUNTS:
        return
    yield table(("", "Group", "Result", "Took"), rows)
    if detail >= Detail.TABLE:
        return
    for outcome in report.outcomes:
        if detail is Detail.FULL or is_bad(outcome):
            yield from _details(outcome, detail)


def stranded_entry(outcome: OutcomeRow, report: Report, detail: Detail) -> str:
    """A group that is gone, the command that creates it again, and why it came to that."""
    again = bounded(repair(outcome.action, report), detail)
    return (
        f"{target(outcome.action)} was **deleted and NOT created again**; run {code(again)}. "
        f"{prose(bounded(outcome.says, detail))}{_azure(outcome, detail)}."
    )


def failure_entry(outcome: OutcomeRow, detail: Detail) -> str:
    """What went wrong, with what Azure calls it and what to do."""
    word = "refused" if outcome.action.kind is ActionKind.REFUSE else outcome.status.value
    hint = f" To go on: {prose(bounded(outcome.hint, detail))}." if outcome.hint else ""
    return (
        f"{target(outcome.action)} **{word}**: {prose(bounded(outcome.says, detail))}"
        f"{_azure(outcome, detail)}.{hint}"
    )


def _azure(outcome: OutcomeRow, detail: Detail) -> str:
    parts = [code(bounded(part, detail)) for part in (outcome.code, outcome.request_id) if part]
    return f" ({', '.join(parts)})" if parts else ""


def _is_shown_always(outcome: OutcomeRow) -> bool:
    return is_bad(outcome) or is_alarming(outcome.action)


def _row(outcome: OutcomeRow, detail: Detail) -> tuple[str, ...]:
    action = outcome.action
    if detail >= Detail.TABLE:
        says = PAST[action.kind] if outcome.status is Status.SUCCEEDED else outcome.status.value
    elif outcome.status in (Status.FAILED, Status.STALE, Status.NOT_STARTED):
        word = "refused" if action.kind is ActionKind.REFUSE else outcome.status.value
        says = f"**{word}**: {prose(bounded(outcome.says, detail))}"
    else:
        mark = "**unhealthy**: " if outcome.status is Status.UNHEALTHY else ""
        says = mark + prose(bounded(outcome.says, detail))
    return (code(_sign(outcome)), target(action), says, duration(outcome.took))


def _sign(outcome: OutcomeRow) -> str:
    signs = {Status.UNHEALTHY: "!", Status.FAILED: "x", Status.STALE: "?", Status.NOT_STARTED: "."}
    return signs.get(outcome.status, SIGNS[outcome.action.kind][0])


def _unstarted_row(action: ActionRow, report: Report) -> tuple[str, ...]:
    says = f"{action.kind.value} **not started**"
    if report.is_interrupted:
        says = f"{action.kind.value}: no outcome, it may be under way in Azure"
        if operation := report.under_way.get(action.target.address):
            says += f", {code(bounded(operation, Detail.FULL))}"
    return (code("?" if report.is_interrupted else "."), target(action), says, "")


def _details(outcome: OutcomeRow, detail: Detail) -> Iterator[str]:
    """What was seen in Azure, and the last lines of the logs; folded unless it failed."""
    parts = [*_seen(outcome, detail)] if is_bad(outcome) else []
    blocks = ["\n".join(f"- {part}" for part in parts)] if parts else []
    if detail is Detail.FULL:
        blocks += [_log(log) for log in outcome.logs]
    if not blocks:
        return
    is_open = " open" if outcome.status is Status.FAILED else ""
    body = "\n\n".join(blocks)
    yield (
        f"<details{is_open}><summary><code>{html(str(outcome.action.target))}</code>: "
        f"{outcome.action.kind.value}, {outcome.status.value}</summary>\n\n{body}\n\n</details>"
    )


def _seen(outcome: OutcomeRow, detail: Detail) -> Iterator[str]:
    if outcome.is_restored:
        yield "created again as it was before"
    if outcome.operation:
        yield f"operation: {code(bounded(outcome.operation, detail))}"
    if outcome.health and outcome.health not in outcome.says:
        yield f"health: {prose(bounded(outcome.health, detail))}"
    for trouble in outcome.troubles:
        yield _trouble(trouble, detail)
        yield from (f"event: {prose(bounded(event, detail))}" for event in trouble.events)


def _trouble(trouble: Trouble, detail: Detail) -> str:
    parts = [prose(bounded(trouble.state, detail))] if trouble.state else []
    parts += [] if trouble.exit_code is None else [f"exit code {trouble.exit_code}"]
    parts += [plural(trouble.restarts, "restart")] if trouble.restarts else []
    return f"container {code(trouble.container)}: {', '.join(parts) or 'no state'}"


def _log(log: TaskLog) -> str:
    if not log.text.strip():
        return f"Log of {code(log.container)}: empty."
    text = log.text.replace("\r\n", "\n").rstrip("\n")
    left_out = text.count("\n") + 1 - _LOG_LINES
    which = f", without its first {plural(left_out, 'line')}" if left_out > 0 else ""
    lines = text.rsplit("\n", _LOG_LINES)[-_LOG_LINES:]
    shown = [bounded(line.expandtabs(8), Detail.FULL) for line in lines]
    return f"Log of {code(log.container)}{which}:\n\n{fence(shown)}"
