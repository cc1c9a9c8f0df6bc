"""What `drift` found as blocks of Markdown: a row a finding, and the fields that moved."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.category import Category
from reconciler.core.drift import Untold
from reconciler.report.drift_text import by_target
from reconciler.report.markdown_escape import code, prose, table
from reconciler.report.markdown_plan import Detail, bounded, field_details
from reconciler.report.shape import DriftRow, DriftView, Report
from reconciler.report.words import drift_counts

_MOVED = (Category.CHANGED, Category.PENDING)


def drift_blocks(report: Report, drift: DriftView, detail: Detail) -> Iterator[str]:
    """The table of findings, those that count first, and below it the fields of each group."""
    if not drift.rows:
        return
    if detail >= Detail.COUNTS:
        counts = drift_counts(drift)
        found = ((one.value, str(counts[one.value])) for one in Category if counts[one.value])
        yield table(("Found", "Findings"), found)
        return
    rows = [row for rows in by_target(drift.rows) for row in rows]
    if detail >= Detail.ALARMS and not (rows := [row for row in rows if row.counts]):
        return
    size = 4 if detail < Detail.TABLE else 3
    yield table(("", "Group", "Found", "What")[:size], (_row(row, detail)[:size] for row in rows))
    if detail < Detail.TABLE:
        yield from _fields(report, rows, detail)


def untold_entry(one: Untold, detail: Detail) -> str:
    """What could not be looked at, and what may be so without being told."""
    words = ", ".join(category.value for category in Category if category in one.concerns)
    return f"**not told** ({words}): {prose(bounded(one.says, detail))}"


def counting_entry(row: DriftRow, detail: Detail) -> str:
    """A finding that makes the command end with 2."""
    return f"{code(str(row.target))} **{_word(row)}**: {prose(bounded(row.says, detail))}"


def _row(row: DriftRow, detail: Detail) -> tuple[str, ...]:
    word = f"**{_word(row)}**" if row.counts else _word(row)
    says = prose(bounded(row.says, detail))
    return (code("!" if row.counts else "."), code(str(row.target)), word, says)


def _word(row: DriftRow) -> str:
    return row.category.value if row.is_certain else f"{row.category.value} (or pending)"


def _fields(report: Report, rows: list[DriftRow], detail: Detail) -> Iterator[str]:
    moved = {
        row.target.address
        for row in rows
        if row.category in _MOVED and (detail is Detail.FULL or row.counts)
    }
    for action in report.actions:
        if action.target.address in moved:
            yield from field_details(action, is_open=False)
