"""What became of a plan, as lines for people: past tense, failures with what Azure said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.core.outcome import Status, TaskLog, Trouble
from reconciler.core.plan import ActionKind
from reconciler.report.lines import Line, Span, line
from reconciler.report.plan_text import BLANK, detail, headline, joined
from reconciler.report.shape import ActionRow, OutcomeRow, Report
from reconciler.report.words import (
    HANDS,
    PAST,
    SIGNS,
    duration,
    plural,
    repair,
    result_counts,
    unstarted,
)

_VERBS: Mapping[str, str] = {"destroy": "Destroyed", **HANDS}
_SIGNS: Mapping[Status, tuple[str, str]] = {
    Status.UNHEALTHY: ("!", "change"),
    Status.FAILED: ("x", "loud"),
    Status.STALE: ("?", "change"),
    Status.NOT_STARTED: (".", "dim"),
}


def result_lines(report: Report, *, verbose: bool = False) -> Iterator[Line]:
    """Everything above the last line: an outcome each, and what is stranded once more, loudest.

    `verbose` adds, also where all went well, what was seen of the containers and the operation.
    """
    for outcome in report.outcomes:
        yield from _outcome_lines(outcome, verbose=verbose)
    for action in unstarted(report):
        yield _unstarted_line(action, is_interrupted=report.is_interrupted)
        if operation := report.under_way.get(action.target.address, ""):
            yield _operation_line(operation)
    yield from [BLANK] if report.outcomes or unstarted(report) else []
    stranded = [outcome for outcome in report.outcomes if outcome.is_stranded]
    if stranded:
        yield from _alarm(stranded, report)
        yield BLANK


def _outcome_lines(outcome: OutcomeRow, *, verbose: bool) -> Iterator[Line]:
    kind = outcome.action.kind
    sign, style = _SIGNS.get(outcome.status, SIGNS[kind])
    failed = outcome.status in (Status.FAILED, Status.STALE)
    lead = f"{kind.value} {outcome.status.value}: " if failed else ""
    lead = "not started: " if outcome.status is Status.NOT_STARTED else lead
    lead = "refused: " if kind is ActionKind.REFUSE else lead
    took = f"  ({text})" if (text := duration(outcome.took)) else ""
    says_style = "" if lead or outcome.status is Status.SUCCEEDED else style
    name = str(outcome.action.target)
    yield headline(sign, style, name, (lead, style), (outcome.says, says_style), (took, "dim"))
    if outcome.code or outcome.request_id:
        request = f"request id {outcome.request_id}" if outcome.request_id else ""
        yield detail("azure", ", ".join(part for part in (outcome.code, request) if part))
    if verbose or outcome.status is not Status.SUCCEEDED:
        yield from _seen_lines(outcome)
    if outcome.is_restored:
        yield detail("now", "created again as it was before", style="change")
    if outcome.hint:
        yield detail("try", outcome.hint)
    for log in outcome.logs:
        yield from _log_lines(log)


def _seen_lines(outcome: OutcomeRow) -> Iterator[Line]:
    """What may go on in Azure, and what was seen there."""
    if outcome.operation:
        yield _operation_line(outcome.operation)
    if outcome.health and outcome.health not in outcome.says:
        yield detail("health", outcome.health)
    for trouble in outcome.troubles:
        yield from _trouble_lines(trouble)


def _operation_line(operation: str) -> Line:
    """Never wrapped: it is there to be copied."""
    return line("    ", (f"{'azure':<7}", "dim"), operation, hang=None)


def _trouble_lines(trouble: Trouble) -> Iterator[Line]:
    parts = [trouble.state] if trouble.state else []
    parts += [] if trouble.exit_code is None else [f"exit code {trouble.exit_code}"]
    parts += [plural(trouble.restarts, "restart")] if trouble.restarts else []
    yield detail("state", f"{trouble.container}: {', '.join(parts) or 'no state'}", style="change")
    for event in trouble.events:
        yield line("    ", ("! ", "dim"), event, hang=6)


def _log_lines(log: TaskLog) -> Iterator[Line]:
    text = log.text.replace("\r\n", "\n").rstrip("\n")
    yield detail("log", log.container + ("" if text else ": empty"))
    for one in text.split("\n") if text else ():
        yield line("    ", ("| ", "dim"), one.expandtabs(8), hang=None)


def _unstarted_line(action: ActionRow, *, is_interrupted: bool) -> Line:
    if not is_interrupted:
        return headline(
            ".", "dim", str(action.target), (f"not started: {action.kind.value}", "dim")
        )
    says = f"{action.kind.value}: no outcome, it may be under way in Azure"
    return headline("?", "change", str(action.target), (says, "change"))


def _alarm(stranded: list[OutcomeRow], report: Report) -> Iterator[Line]:
    verb = "group was" if len(stranded) == 1 else "groups were"
    says = f" STRANDED: {len(stranded)} {verb} deleted and NOT created again "
    yield line(("!!! ", "loud"), (says, "alarm"), hang=4)
    for outcome in stranded:
        name = str(outcome.action.target)
        yield line(
            ("!!! ", "loud"), (name, "name"), (" is gone as far as is known; run:", "loud"), hang=4
        )
        # Never wrapped: it is there to be pasted.
        yield line(("!!!   ", "loud"), repair(outcome.action, report), hang=None)


def result_summary(report: Report) -> Line:
    """The last line: what was done out of what was to be done."""
    counts = result_counts(report)
    verb = _VERBS.get(report.command, "Applied")
    lead = f"{verb} {counts['applied']} of {counts['total']}"
    if report.is_interrupted:
        lead = f"Interrupted: {lead.lower()}"
    whole = counts["applied"] == counts["total"] and not counts["unhealthy"]
    done = [] if report.command in HANDS else _done(counts)  # the verb says it already
    parts = [*_stranded(counts), *done, *_undone(report, counts)]  # each counted once
    if not counts["total"]:
        lead, parts = f"{verb} nothing", [[("no changes", "good")]]
    tail = f"; {counts['unchanged']} unchanged" if counts["unchanged"] else ""
    colon = ": " if parts else ""
    style = "good" if whole else "name"
    return line((lead, style), colon, *joined(parts, by=", "), tail)


def _stranded(counts: Mapping[str, int]) -> list[list[Span]]:
    return [[(f"{counts['stranded']} STRANDED", "alarm")]] if counts["stranded"] else []


def _done(counts: Mapping[str, int]) -> list[list[Span]]:
    return [
        [(f"{number} {past}", SIGNS[kind][1])]
        for kind, past in PAST.items()
        if (number := counts.get(kind.value, 0))
    ]


def _undone(report: Report, counts: Mapping[str, int]) -> list[list[Span]]:
    missing = ("without an outcome", "change") if report.is_interrupted else ("not started", "dim")
    counts = {**counts, "failed": counts["failed"] - counts["stranded"]}
    words = {
        "unhealthy": ("unhealthy", "change"),
        "failed": ("failed", "loud"),
        "restored": ("of them restored", "change"),
        "stale": ("stale", "change"),
        "notStarted": ("not started", "dim"),
        "noOutcome": missing,
    }
    return [
        [(f"{number} {says}", style)]
        for name, (says, style) in words.items()
        if (number := counts[name])
    ]
