"""Groups as an aligned table: a row each, nothing cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.report.lines import Line, Span, cells, line, safe
from reconciler.report.plan_text import BLANK
from reconciler.report.shape import Report, StatusLine
from reconciler.report.words import plural, status_counts

_HEAD = ("GROUP", "SYNC", "PROVISIONING", "STATE", "RESTARTS")
_GAP = "  "
_NAME_SHARE = 0.4  # of the width; a longer name stands on a line of its own

# Words of Azure and of ours, by what they mean to the reader; any other word has no colour.
_STYLES = {
    "good": ("in sync", "insync", "synced", "succeeded", "running"),
    "bad": ("failed", "missing", "unhealthy", "canceled", "crash-looping"),
    "change": (
        "drifted",
        "drift",
        "pending",
        "orphan",
        "orphaned",
        "changed",
        "stopped",
        "repairing",
    ),
}


def status_lines(report: Report, *, width: int) -> Iterator[Line]:
    """The table; the address is the last column, or below its row where it would not fit."""
    if not report.lines:
        return
    rows = [_row(one) for one in report.lines]
    limit = max(int(width * _NAME_SHARE), len(_HEAD[0]))
    sizes = _sizes(rows, limit)
    lead = sum(sizes) + len(_GAP) * len(sizes)
    widest = max(cells(safe(one.address)) for one in report.lines)
    beside = lead + max(widest, len("ADDRESS")) <= width
    yield _table_line([*_HEAD, "ADDRESS"] if beside and widest else _HEAD, sizes, is_head=True)
    for one, row in zip(report.lines, rows, strict=True):
        yield from _row_lines(one, row, sizes, beside=beside)
    yield BLANK


def status_summary(report: Report) -> Line:
    """How many groups there are, and how many of each sync word."""
    counts = status_counts(report)
    words = ", ".join(f"{number} {sync}" for sync, number in counts.items() if sync)
    restarts = sum(one.restarts or 0 for one in report.lines)
    tail = f"; {plural(restarts, 'restart')}" if restarts else ""
    return line(
        (f"Status: {plural(len(report.lines), 'group')}", "name"), f": {words}" * bool(words), tail
    )


def _row(one: StatusLine) -> tuple[str, ...]:
    restarts = "-" if one.restarts is None else str(one.restarts)
    return (str(one.target), one.sync or "-", one.provisioning or "-", one.state or "-", restarts)


def _sizes(rows: Sequence[Sequence[str]], limit: int) -> list[int]:
    """The width of each column: its longest cell, names only up to `limit`."""
    sizes = [max(cells(safe(cell)) for cell in column) for column in zip(_HEAD, *rows, strict=True)]
    names = [size for row in rows if (size := cells(safe(row[0]))) <= limit]
    return [max([len(_HEAD[0]), *names]), *sizes[1:]]


def _row_lines(
    one: StatusLine, row: Sequence[str], sizes: Sequence[int], *, beside: bool
) -> Iterator[Line]:
    if cells(safe(row[0])) > sizes[0]:
        yield line((row[0], "name"), hang=None)
        row = ["", *row[1:]]
    yield _table_line([*row, one.address] if beside else row, sizes)
    if one.address and not beside:
        yield line("    ", ("at ", "dim"), one.address, hang=None)
    if one.note:
        yield line("    ", (one.note, "dim"), hang=4)


def _table_line(row: Sequence[str], sizes: Sequence[int], *, is_head: bool = False) -> Line:
    spans: list[Span] = []
    for index, cell in enumerate(row):
        size = sizes[index] if index < len(sizes) else 0
        blanks = " " * max(size - cells(safe(cell)), 0)
        text = f"{blanks}{cell}" if index == 4 else f"{cell}{blanks}"
        spans += [(text, "dim" if is_head else _style(index, cell)), (_GAP, "")]
    return line(*spans[:-1], hang=None)


def _style(index: int, cell: str) -> str:
    if index == 0:
        return "name"
    if index == 4:
        return "change" if cell not in ("-", "0") else ""
    found = (style for style, words in _STYLES.items() if cell.lower() in words)
    return next(found, "") if index < 4 else ""
