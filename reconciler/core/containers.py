"""What the containers of a group do, read from their instance views (azure-facts E.4)."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.core.jsonval import Json, JsonObject, as_list, as_object, as_text, dig


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happened to a container: `name` such as `Pulling`; a repeat raises `count`."""

    name: str
    message: str
    is_warning: bool
    count: int
    last: str  # when, as Azure wrote it
    first: str = ""  # likewise

    def __str__(self) -> str:
        times = f" ({self.count} times)" if self.count > 1 else ""
        return f"{self.name}: {self.message}{times}" if self.message else self.name + times


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerView:
    """What one container does; `state` is empty where no instance view was read.

    `events` come in the order of time: Azure's own order is not to be relied on (A.3). `ran` tells
    when it started and ended, in Azure's words.
    """

    name: str
    is_init: bool
    state: str
    detail: str
    exit_code: int | None
    restarts: int
    events: tuple[Event, ...] = ()
    ran: str = ""
    image: str = ""
    started: str = ""  # when the state of now began, in Azure's words; empty while it waits
    finished: str = ""

    @property
    def last_event(self) -> str:
        """The message of the latest event, empty where there is none."""
        return self.events[-1].message if self.events else ""


def views_of(wire: JsonObject, member: str, *, is_init: bool) -> tuple[ContainerView, ...]:
    """The views of the containers that lie in `member` of a group's properties."""
    containers = as_list(dig(wire, "properties", member))
    return tuple(_view(as_object(container), is_init=is_init) for container in containers)


def events_in(value: Json) -> tuple[Event, ...]:
    """A list of events as Azure sends it, by time."""
    found = sorted(map(as_object, as_list(value)), key=lambda e: as_text(e.get("lastTimestamp")))
    return tuple(_event(event) for event in found)


def _event(event: JsonObject) -> Event:
    count = event.get("count")
    return Event(
        name=as_text(event.get("name")).rstrip("."),
        message=as_text(event.get("message")),
        is_warning=as_text(event.get("type")).lower() not in ("", "normal"),
        count=count if isinstance(count, int) else 1,
        last=as_text(event.get("lastTimestamp")),
        first=as_text(event.get("firstTimestamp")),
    )


def _view(container: JsonObject, *, is_init: bool) -> ContainerView:
    view = dig(container, "properties", "instanceView")
    state = dig(view, "currentState")
    exit_code = dig(state, "exitCode")
    restarts = dig(view, "restartCount")
    return ContainerView(
        name=as_text(container.get("name")),
        is_init=is_init,
        state=as_text(dig(state, "state")).capitalize(),  # any case, as all of ARM's words (A.1)
        detail=as_text(dig(state, "detailStatus")),
        exit_code=exit_code if isinstance(exit_code, int) else None,
        restarts=restarts if isinstance(restarts, int) else 0,
        events=events_in(dig(view, "events")),
        ran=" ".join(as_text(dig(state, moment)) for moment in ("startTime", "finishTime")).strip(),
        image=as_text(dig(container, "properties", "image")),
        started=as_text(dig(state, "startTime")),
        finished=as_text(dig(state, "finishTime")),
    )
