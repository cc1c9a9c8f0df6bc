"""One group at length: how it stands, its containers, and what happened to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from reconciler.core.moments import age
from reconciler.report.lines import Line, Span, cells, line, safe
from reconciler.report.plan_text import BLANK, detail
from reconciler.report.shape import ContainerRow, EventRow, StatusLine
from reconciler.report.words import plural

_GAP = "  "
_HEAD = ("LAST SEEN", "COUNT", "TYPE", "EVENT", "CONTAINER")
_OWNERSHIP = {
    "ours": "ours",
    "none": "nobody's",
    "copied": "its tags were copied from another group",
    "unreadable": "without a readable state tag",
    "foreign": "not ours",
}


def detail_lines(one: StatusLine) -> Iterator[Line]:
    """A block for one group."""
    yield line((str(one.target), "name"), _GAP, one.sync)
    if one.state or one.provisioning:
        yield detail("state", _state(one))
    if one.ownership:
        says = _OWNERSHIP[one.ownership]
        yield detail("owner", f"{one.owner} ({says})" if one.owner else says)
    if one.address:
        yield detail("at", one.address)
    if one.note:
        yield detail("note", one.note)
    for container in one.containers:
        yield from _container_lines(container, one.seen)
    if one.events:
        yield BLANK
        yield from event_lines(one.events, now=one.seen, indent=4)
    yield BLANK


def _state(one: StatusLine) -> str:
    parts = [one.state] if one.state else []
    parts += [f"{one.ready} ready"] if one.ready else []
    parts += [plural(one.restarts, "restart")] if one.restarts is not None else []
    parts += [f"provisioning {one.provisioning}"] if one.provisioning else []
    return ", ".join(parts)


def _container_lines(container: ContainerRow, now: datetime | None) -> Iterator[Line]:
    kind = "init container" if container.is_init else "container"
    yield line(
        "    ", (f"{kind} ", "dim"), (container.name, "name"), _GAP, container.image, hang=None
    )
    yield line(" " * 6, _doing(container, now), hang=8)


def _doing(container: ContainerRow, now: datetime | None) -> str:
    said = container.state or "not started"
    if container.exit_code is not None:
        said += f" with exit code {container.exit_code}"
    if container.detail and container.detail != container.state:
        said += f" ({container.detail})"
    parts = [said]
    at = container.finished or container.started
    if at is not None and now is not None:
        word = "ended" if container.finished else "started"
        parts.append(f"{word} {age(at, now)} ago, at {at:%Y-%m-%d %H:%M:%S} UTC")
    parts.append(plural(container.restarts, "restart"))
    return "; ".join(parts)


def event_lines(
    events: Sequence[EventRow], *, now: datetime | None, indent: int = 0, heads: bool = True
) -> Iterator[Line]:
    """A table of events, the message as the last column; it is wrapped, never cut."""
    rows = [_row(event, now) for event in events]
    sizes = [
        max(len(head), *(cells(safe(row[index])) for row in rows))
        for index, head in enumerate(_HEAD)
    ]
    lead = indent + sum(sizes) + len(_GAP) * len(sizes)
    if heads:
        head = _GAP.join(f"{cell:<{size}}" for cell, size in zip(_HEAD, sizes, strict=True))
        yield line(" " * indent, (f"{head}{_GAP}MESSAGE", "dim"), hang=None)
    for event, row in zip(events, rows, strict=True):
        spans: list[Span] = [(" " * indent, "")]
        for index, (cell, size) in enumerate(zip(row, sizes, strict=True)):
            blanks = " " * (size - cells(safe(cell)))
            is_loud = event.is_warning and index in (2, 3)
            text = f"{blanks}{cell}" if index == 1 else f"{cell}{blanks}"
            spans += [(text, "bad" if is_loud else ""), (_GAP, "")]
        yield line(*spans, event.message, hang=lead)


def _row(event: EventRow, now: datetime | None) -> tuple[str, ...]:
    seen = "-" if event.last is None or now is None else f"{age(event.last, now)} ago"
    kind = "Warning" if event.is_warning else "Normal"
    return (seen, str(event.count), kind, event.name or "-", event.container or "-")
