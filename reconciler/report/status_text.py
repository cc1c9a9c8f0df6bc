"""Groups as an aligned table: a row each, nothing cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from reconciler.core.moments import age
from reconciler.report.lines import Line, Span, cells, line, safe
from reconciler.report.plan_text import BLANK
from reconciler.report.shape import Report, StatusLine
from reconciler.report.words import plural, status_counts

_HEAD = ("GROUP", "SYNC", "PROVISIONING", "STATE", "READY", "RESTARTS", "AGE")
_RESTARTS = _HEAD.index("RESTARTS")
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
    """The table; address and image are the last columns, or below their row where they do not fit.

    The age is that of the last start.
    """
    if not report.lines:
        return
    rows = [_row(one) for one in report.lines]
    limit = max(int(width * _NAME_SHARE), len(_HEAD[0]))
    sizes = _sizes(rows, limit)
    lead = sum(sizes) + len(_GAP) * len(sizes)
    tails = {
        name: [get(one) for one in report.lines]
        for name, get in _TAILS.items()
        if any(get(one) for one in report.lines)
    }
    wide = [max(len(name), *(cells(safe(cell)) for cell in tail)) for name, tail in tails.items()]
    beside = lead + sum(wide) + len(_GAP) * (len(wide) - 1) <= width
    if beside:
        sizes, rows = (
            [*sizes, *wide],
            [(*r, *t) for r, *t in zip(rows, *tails.values(), strict=True)],
        )
    yield _table_line([*_HEAD, *tails] if beside else _HEAD, sizes, is_head=True)
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


def standing_in_words(one: StatusLine) -> str:
    """How a group stands, in a line that changes when it does."""
    parts = [one.sync, one.state]
    parts += [f"provisioning {one.provisioning}"] if one.provisioning != "Succeeded" else []
    parts += [f"{one.ready} ready"] if one.ready else []
    parts += [plural(one.restarts, "restart")] if one.restarts else []
    parts += [f"at {one.address}"] if one.address else []
    return ", ".join(part for part in parts if part)


def _row(one: StatusLine) -> tuple[str, ...]:
    restarts = "-" if one.restarts is None else str(one.restarts)
    since = "-" if one.started is None or one.seen is None else age(one.started, one.seen)
    state = (one.sync or "-", one.provisioning or "-", one.state or "-")
    return (str(one.target), *state, one.ready or "-", restarts, since)


def _images(one: StatusLine) -> str:
    first, *more = one.images or ("",)
    return f"{first} +{len(more)}" if more else first


_TAILS: Mapping[str, Callable[[StatusLine], str]] = {
    "IMAGE": _images,
    "ADDRESS": lambda one: one.address,
}


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
    yield _table_line(row, sizes)
    below: list[Span] = [("    ", "")]
    below += [("runs ", "dim"), (f"{image} ", "")] if (image := _images(one)) else []
    below += [("at ", "dim"), (one.address, "")] if one.address else []
    if not beside and len(below) > 1:
        yield line(*below, hang=None)
    if one.note:
        yield line("    ", (one.note, "dim"), hang=4)


def _table_line(row: Sequence[str], sizes: Sequence[int], *, is_head: bool = False) -> Line:
    spans: list[Span] = []
    for index, cell in enumerate(row):
        size = sizes[index] if index < len(sizes) else 0
        blanks = " " * max(size - cells(safe(cell)), 0)
        text = f"{blanks}{cell}" if index == _RESTARTS else f"{cell}{blanks}"
        spans += [(text, "dim" if is_head else _style(index, cell)), (_GAP, "")]
    return line(*spans[:-1], hang=None)


def _style(index: int, cell: str) -> str:
    if index == 0:
        return "name"
    if index == _RESTARTS:
        return "change" if cell not in ("-", "0") else ""
    found = (style for style, words in _STYLES.items() if cell.lower() in words)
    return next(found, "") if index < _RESTARTS else ""
