"""How groups stand, and what happened to them, as members of documents."""

from __future__ import annotations

from datetime import UTC, datetime

from reconciler.core.jsonval import JsonObject
from reconciler.report.shape import ContainerRow, EventRow, StatusLine


def instant(moment: datetime) -> str:
    """`2025-01-31T23:59:59.123Z`: UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def given(**texts: str) -> JsonObject:
    """Those of `texts` that say something."""
    return {name: text for name, text in texts.items() if text}


def status_of(one: StatusLine, named: JsonObject) -> JsonObject:
    """One group; `named` are the members that name it."""
    return {
        **named,
        "sync": one.sync,
        "provisioning": one.provisioning,
        "state": one.state,
        "restarts": one.restarts,
        # `address` names the group everywhere; this is where people reach it.
        **given(endpoint=one.address, note=one.note, ownership=one.ownership, owner=one.owner),
        "containers": [_container(container) for container in one.containers],
        "events": [event_of(event) for event in one.events],
    }


def _container(one: ContainerRow) -> JsonObject:
    return {
        "name": one.name,
        "init": one.is_init,
        **given(image=one.image, state=one.state, detail=one.detail),
        "restarts": one.restarts,
        **({} if one.exit_code is None else {"exitCode": one.exit_code}),
        **({"startedAt": instant(one.started)} if one.started else {}),
        **({"finishedAt": instant(one.finished)} if one.finished else {}),
    }


def event_of(one: EventRow) -> JsonObject:
    """Something that happened to a group or a container."""
    return {
        **given(container=one.container),
        "name": one.name,
        "type": "Warning" if one.is_warning else "Normal",
        "message": one.message,
        "count": one.count,
        **({"firstAt": instant(one.first)} if one.first else {}),
        **({"lastAt": instant(one.last)} if one.last else {}),
    }
