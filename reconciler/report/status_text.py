"""Groups as an aligned table: a row each, nothing cut."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

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
    """The table, ages being those of the last start.

    Image and address are its last columns as far as they fit, the address before the image; an
    address that does not stands below its row.
    """
    if not report.lines:
        return
    rows = [_row(one) for one in report.lines]
    limit = max(int(width * _NAME_SHARE), len(_HEAD[0]))
    sizes = _sizes(rows, limit)
    tails = _tails(report.lines, room=width - sum(sizes) - len(_GAP) * len(sizes))
    for name, tail in tails.items():
        sizes = [*sizes, _widest(name, tail)]
        rows = [(*row, cell) for row, cell in zip(rows, tail, strict=True)]
    yield _table_line([*_HEAD, *tails], sizes, is_head=True)
    for one, row in zip(report.lines, rows, strict=True):
        yield from _row_lines(one, row, sizes, beside="ADDRESS" in tails)
    yield BLANK


def _tails(lines: Sequence[StatusLine], *, room: int) -> Mapping[str, Sequence[str]]:
    """The last columns that fit into so many cells, by their heads."""
    found = {"IMAGE": [_images(one) for one in lines], "ADDRESS": [one.address for one in lines]}
    found = {name: tail for name, tail in found.items() if any(tail)}
    for shown in (found, {name: found[name] for name in found if name == "ADDRESS"}):
        sizes = [_widest(name, tail) for name, tail in shown.items()]
        if sum(sizes) + len(_GAP) * (len(sizes) - 1) <= room:
            return shown
    return {}


def _widest(name: str, tail: Sequence[str]) -> int:
    return max(len(name), *(cells(safe(cell)) for cell in tail))


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
    if one.address and not beside:
        yield line("    ", ("at ", "dim"), one.address, hang=None)
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
