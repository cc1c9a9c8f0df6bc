"""A report as GitHub's Markdown: a comment of a pull request, or the summary of a step.

GitHub takes 65,536 characters. What does not fit is dropped in steps, each a whole kind of detail,
and the comment says what, and how to see it; what stands in the way is dropped last.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.finding import Finding
from reconciler.core.plan import ActionKind
from reconciler.report.as_json import instant
from reconciler.report.drift_text import drift_summary
from reconciler.report.lines import Line
from reconciler.report.markdown_drift import counting_entry, drift_blocks, untold_entry
from reconciler.report.markdown_escape import code, marker, prose, table
from reconciler.report.markdown_plan import (
    DROPPED,
    Detail,
    action_blocks,
    bounded,
    count_block,
    note_blocks,
    rail_entry,
    refusal_entry,
)
from reconciler.report.markdown_result import (
    failure_entry,
    is_bad,
    outcome_blocks,
    stranded_entry,
)
from reconciler.report.plan_text import plan_summary
from reconciler.report.result_text import result_summary
from reconciler.report.shape import Failure, Report, ReportKind, StatusLine
from reconciler.report.status_text import status_summary
from reconciler.report.verdict import outcome_of
from reconciler.report.words import finding_counts, plural, web_link

BUDGET = 60_000  # characters; GitHub takes 65,536, and whoever posts it may add a line
_LOUD = ("loud", "alarm", "bad", "replace")  # styles of the text for people that are bold here
_ICONS = {
    "blocked": "⛔",
    "invalid": "❌",
    "failed": "❌",
    "partial": "❌",
    "stale": "❌",
    "interrupted": "❌",
    "unhealthy": "⚠️",
    "drift": "⚠️",
    "differs": "⚠️",
    "changes": "📝",
}
_ROOM_FOR_ALARMS = 0.6  # of the budget, where they are all that is told


def as_markdown(report: Report, *, budget: int = BUDGET) -> str:
    """The report in at most `budget` characters (from 20,000 on), ending in one newline.

    Its first line is a comment that nobody sees, of the project and the environment: by it a
    program finds what it wrote before.
    """
    fitting = (_joined(_blocks(report, detail, budget), budget) for detail in Detail)
    found = next((text for text in fitting if text is not None), None)
    return found or "\n\n".join(_blocks(report, Detail.LEAST, budget)) + "\n"


def _joined(blocks: Iterator[str], budget: int) -> str | None:
    """The blocks as one text, None as soon as it is too long: a fleet has many more to come."""
    shown: list[str] = []
    size = 1
    for block in blocks:
        size += len(block) + 2 * bool(shown)
        if size > budget:
            return None
        shown.append(block)
    return "\n\n".join(shown) + "\n"


def _blocks(report: Report, detail: Detail, budget: int) -> Iterator[str]:
    yield f"{_marker(report)}\n{_headline(report, detail)}"
    yield _summary(report)
    if alarms := [*_alarms(report, detail)]:
        room = int(budget * _ROOM_FOR_ALARMS) if detail is Detail.LEAST else None
        yield _caution(alarms, room=room)
    if detail is not Detail.FULL:
        yield _dropped(detail)
    yield from _body(report, detail)
    if detail <= Detail.DESTRUCTION:
        yield from _notes(report, detail)
    yield from _finding_blocks(report, detail, budget)
    if footer := _footer(report, detail):
        yield footer


def _marker(report: Report) -> str:
    environment = report.environment or ""
    return marker(report.owner.removesuffix(f"/{environment}"), environment)


def _headline(report: Report, detail: Detail) -> str:
    word = outcome_of(report)
    place = f": {code(bounded(report.environment, detail))}" if report.environment else ""
    title = f"aci-reconcile {prose(bounded(report.command, detail))}{place}"
    return f"### {_ICONS.get(word, '✅')} {title}, {word.replace('-', ' ')}"


def _summary(report: Report) -> str:
    match report.kind:
        case ReportKind.PLAN:
            if report.drift is not None:
                return _spans(drift_summary(report, report.drift))
            return _spans(plan_summary(report))
        case ReportKind.RESULT:
            return _spans(result_summary(report))
        case ReportKind.STATUS:
            return _spans(status_summary(report))
        case ReportKind.FAILURE:
            return "It ended before there was anything to report; nothing was written by it."
        case ReportKind.VALIDATION:
            counts = finding_counts(report)
            files = f"{plural(report.files, 'file')} ({plural(report.documents, 'document')})"
            errors = plural(counts["errors"], "error")
            errors = f"**{errors}**" if counts["errors"] else errors
            return f"{errors}, {plural(counts['warnings'], 'warning')} in {files}"


def _spans(line: Line) -> str:
    """The last line of the text for people, with its loud parts in bold."""
    parts: list[str] = []
    for text, style in line.spans:
        words = text.strip()
        lead, _, tail = text.partition(words) if words else (" ", "", "")
        shown = f"**{prose(words)}**" if style in _LOUD and words else prose(words)
        parts.append(f"{lead}{shown}{tail}")
    return "".join(parts)


def _alarms(report: Report, detail: Detail) -> Iterator[str]:
    """What stands in the way or went wrong, the worst first."""
    if report.drift is not None:
        yield from (untold_entry(one, detail) for one in report.drift.untold)
        if detail >= Detail.COUNTS:  # before that they are rows
            rows = [row for row in report.drift.rows if row.counts]
            yield from (counting_entry(row, detail) for row in rows)
        return
    if report.failure is not None:
        yield from _failure_entries(report.failure, detail)
    yield from (rail_entry(rail, detail) for rail in report.rails)
    stranded = [one for one in report.outcomes if one.is_stranded]
    yield from (stranded_entry(outcome, report, detail) for outcome in stranded)
    if report.kind is ReportKind.PLAN:
        refused = [one for one in report.actions if one.kind is ActionKind.REFUSE]
        yield from (refusal_entry(one, detail) for one in refused)
    failed = [one for one in report.outcomes if is_bad(one) and not one.is_stranded]
    yield from (failure_entry(outcome, detail) for outcome in failed)


def _failure_entries(failure: Failure, detail: Detail) -> Iterator[str]:
    hint = f"; {prose(bounded(failure.hint, detail))}" if failure.hint else ""
    yield f"{prose(bounded(failure.says, detail))}{hint}"
    yield from (prose(bounded(one, detail)) for one in failure.details)


def _caution(entries: list[str], *, room: int | None) -> str:
    shown = entries if room is None else _fitting(entries, room)
    lines = ["[!CAUTION]", *(f"- {entry}" for entry in shown)]
    if more := len(entries) - len(shown):
        lines.append(f"- **and {more} more** that stand in the way or failed")
    return "\n".join(f"> {line}" for line in lines)


def _fitting(entries: list[str], room: int) -> list[str]:
    """As many of the first entries as have room, whole."""
    shown: list[str] = []
    for entry in entries:
        room -= len(entry) + 5
        if room < 0:
            break
        shown.append(entry)
    return shown


def _dropped(detail: Detail) -> str:
    # No command to run again: of an apply that would be another one.
    return (
        f"> [!NOTE]\n> Too long to be shown whole, so this leaves out {DROPPED[detail]}. "
        "All of it is in the log of this run, and in the file that `-o text=FILE` writes besides."
    )


def _body(report: Report, detail: Detail) -> Iterator[str]:
    match report.kind:
        case ReportKind.PLAN if report.drift is not None:
            yield from drift_blocks(report, report.drift, detail)
        case ReportKind.PLAN:
            yield from action_blocks(report, detail)
            if detail >= Detail.ALARMS:
                yield count_block(report)
        case ReportKind.RESULT:
            yield from outcome_blocks(report, detail)
        case ReportKind.STATUS:
            yield from _status_blocks(report, detail)
        case ReportKind.VALIDATION | ReportKind.FAILURE:
            pass  # its findings, or what stands in the way, are all there is


def _notes(report: Report, detail: Detail) -> Iterator[str]:
    if report.kind is ReportKind.STATUS or detail is Detail.DESTRUCTION:
        lines = [f"- {prose(bounded(note, detail))}" for note in report.notes]
        yield from ["\n".join(["Notes:", "", *lines])] if lines else []
    elif report.kind is ReportKind.PLAN:
        yield from note_blocks(report)


def _status_blocks(report: Report, detail: Detail) -> Iterator[str]:
    lines = [one for one in report.lines if detail < Detail.ALARMS or one.sync != "in sync"]
    if not lines or detail >= Detail.COUNTS:
        return
    head = ("Group", "Sync", "Provisioning", "State", "Restarts", "Address", "Note")
    size = len(head) if detail < Detail.TABLE else 2
    yield table(head[:size], (_status_row(one, detail)[:size] for one in lines))


def _status_row(one: StatusLine, detail: Detail) -> tuple[str, ...]:
    sync = prose(one.sync)
    return (
        code(str(one.target)),
        sync if one.sync == "in sync" else f"**{sync}**",
        prose(one.provisioning),
        prose(one.state),
        "" if one.restarts is None else str(one.restarts),
        code(one.address) if one.address else "",
        prose(bounded(one.note, detail)),
    )


def _finding_blocks(report: Report, detail: Detail, budget: int) -> Iterator[str]:
    if not report.findings:
        return
    ranked = sorted(report.findings, key=lambda finding: not finding.is_error)
    entries = [_finding(finding, detail) for finding in ranked]
    shown = entries
    if detail >= Detail.TABLE:
        share = 0.1 if detail is Detail.LEAST and report.kind is not ReportKind.VALIDATION else 0.6
        shown = _fitting(entries, int(budget * share))
    lines = [f"- {entry}" for entry in shown]
    if more := len(entries) - len(shown):
        lines.append(f"- **and {more} more**")
    counts = finding_counts(report)
    found = ", ".join(plural(counts[f"{n}s"], n) for n in ("error", "warning") if counts[f"{n}s"])
    is_open = " open" if counts["errors"] else ""
    body = "\n".join(lines)
    yield f"<details{is_open}><summary>{found} in the manifests</summary>\n\n{body}\n\n</details>"


def _finding(finding: Finding, detail: Detail) -> str:
    link = web_link(finding.link)
    rule = f"[{prose(finding.rule)}]({link})" if link else prose(finding.rule)
    rule = f"**{rule}**" if finding.is_error else rule
    path = f" {code(bounded(finding.path, detail))}:" if finding.path else ""
    hint = f"; try {prose(bounded(finding.hint, detail))}" if finding.hint else ""
    where = code(bounded(str(finding.where), detail))
    return f"{where} {rule}{path} {prose(bounded(finding.says, detail))}{hint}"


def _footer(report: Report, detail: Detail) -> str:
    facts = [f"owner {code(bounded(report.owner, detail))}"] if report.owner else []
    # Enough to tell it from another, in a comment that anybody may read.
    facts += [f"subscription {code('…' + report.subscription[-4:])}"] if report.subscription else []
    facts += [f"digest {code(bounded(report.digest, detail))}"] if report.digest else []
    if report.binding is not None:
        facts.append(f"plan {code(report.binding.plan_id)}")
        facts.append(f"expires {instant(report.binding.expires)}")
    facts += [] if report.is_complete else ["partial scope"]
    return f"<sub>{' · '.join(facts)}</sub>" if facts else ""
