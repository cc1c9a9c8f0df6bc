"""From a live group to what `status` and `events` show of it; secrets are hidden on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from reconciler.core.containers import ContainerView, Event
from reconciler.core.groups import DesiredGroup, LiveGroup
from reconciler.core.ids import Target
from reconciler.core.mask import scrubber
from reconciler.core.moments import moment_in
from reconciler.core.ownership import OWNER_TAG, Ownership, tag
from reconciler.report.shape import ContainerRow, EventRow, StatusLine

_OWNERSHIP = {
    Ownership.OURS: "ours",
    Ownership.NOBODYS: "none",
    Ownership.COPIED: "copied",
    Ownership.UNREADABLE: "unreadable",
    Ownership.FOREIGN: "foreign",
}


def status_line(
    target: Target,
    live: LiveGroup | None,
    desired: DesiredGroup | None,
    *,
    sync: str,
    note: str,
    ownership: Ownership | None,
    seen: datetime,
) -> StatusLine:
    """One group; `live` is a view with states, None where there is no such group."""
    if live is None:
        return StatusLine(target=target, sync=sync, note=note, seen=seen)
    scrub = scrubber(desired.secret_texts if desired is not None else ())
    return StatusLine(
        target=target,
        sync=sync,
        provisioning=live.provisioning,
        state=live.state,
        restarts=live.restarts,
        address=live.address,
        note=scrub(note),
        ownership="" if ownership is None else _OWNERSHIP[ownership],
        owner=tag(live.tags, OWNER_TAG) or "",
        containers=tuple(_container(view, scrub) for view in live.containers),
        events=event_rows(live, desired),
        seen=seen,
    )


def event_rows(
    live: LiveGroup, desired: DesiredGroup | None, *, container: str | None = None
) -> tuple[EventRow, ...]:
    """The events of a group and its containers, or of one of these, the latest last."""
    scrub = scrubber(desired.secret_texts if desired is not None else ())
    found = list(_events("", live.events, scrub)) if container is None else []
    for view in live.containers:
        if container in (None, view.name):
            found += _events(view.name, view.events, scrub)
    # Sorted by Azure's own order where times are equal or none.
    return tuple(sorted(found, key=lambda row: row.last.timestamp() if row.last else 0.0))


def _events(
    container: str, events: Iterable[Event], scrub: Callable[[str], str]
) -> Iterator[EventRow]:
    for event in events:
        yield EventRow(
            container=container,
            name=event.name,
            message=scrub(event.message),
            is_warning=event.is_warning,
            count=event.count,
            last=moment_in(event.last),
            first=moment_in(event.first),
        )


def _container(view: ContainerView, scrub: Callable[[str], str]) -> ContainerRow:
    return ContainerRow(
        name=view.name,
        image=scrub(view.image),
        is_init=view.is_init,
        state=view.state,
        detail=scrub(view.detail),
        restarts=view.restarts,
        exit_code=view.exit_code,
        started=moment_in(view.started),
        finished=moment_in(view.finished),
    )
