"""What is stored of a container group, and of a resource group: plain facts, as JSON.

Everything a reader sees is a function of these facts, of the time and of how often somebody has
looked, so a task started by one process is finished when a later one looks.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta

from reconciler.emulator.jsonval import Json, JsonObject, as_number, as_object, as_text, objects
from reconciler.emulator.pace import Kind, Pace, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """What the last write set going."""

    kind: Kind
    since: datetime
    unit: Unit
    span: float  # how long until it is settled
    task: float = 0.0  # how long a task runs after that


@dataclass(frozen=True, slots=True)
class Moment:
    """When somebody looks: the time, and how many reads came before since the last write."""

    now: datetime
    reads: int


MILLISECOND = timedelta(milliseconds=1)
# Later than any transition: what a group will look like in the end.
AT_LAST = Moment(datetime.max.replace(tzinfo=UTC), 1 << 40)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ailment:
    """What a fault made of a group's containers, or of the one that `container` names."""

    kind: str  # crash-loop, exits, image-pull or probe
    container: str = ""
    exit_code: int = 1
    probe: str = "liveness"
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How the operation of a failed write ends. Source: A.3."""

    status: str = "Failed"  # or Canceled
    code: str = "Failed"
    message: str = ""
    event: str = "InsufficientCapacity."  # the platform's event; none when empty
    timeout: float | None = None  # units until it is given up, when it would never end


CAPACITY_FAILED = Ending()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A container group: its specification, without write-only values, and its history."""

    subscription: str
    resource_group: str
    name: str
    version: str  # the api-version it was written at
    spec: JsonObject
    phase: Phase
    started: datetime  # when the containers last started
    deployed: datetime  # when they were first put where they are
    deployments: int = 1  # each gets an address of its own
    restarts: int = 0  # in place, by a PUT or by a restart
    failure: str = ""  # why provisioning failed, if it did
    ending: Ending = CAPACITY_FAILED  # how that was told
    ailments: tuple[Ailment, ...] = ()  # of its containers, by a fault

    @property
    def id(self) -> str:
        """The resource id, cased as in the PUT. Source: A.1."""
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.ContainerInstance/containerGroups/{self.name}"
        )

    @property
    def location(self) -> str:
        """The location as it was sent."""
        return as_text(self.spec.get("location"))

    @property
    def properties(self) -> JsonObject:
        """The ARM `properties` bag of the specification."""
        return as_object(self.spec.get("properties"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceGroup:
    """A resource group; `going` is set while it is being deleted."""

    subscription: str
    name: str
    location: str
    tags: JsonObject | None = None
    managed_by: str = ""
    going: Phase | None = None

    @property
    def id(self) -> str:
        """The resource id."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A resource of another kind: all that is known of it. `rotations` counts, by key's name."""

    id: str
    name: str
    type: str
    location: str = "westeurope"
    tags: JsonObject = field(default_factory=dict)
    rotations: JsonObject = field(default_factory=dict)


def begin(kind: Kind, pace: Pace, after: datetime | None = None) -> Phase:
    """A phase that begins now, and later than `after`: two writes never share a moment."""
    since = pace.now()
    if after is not None and (since - after).total_seconds() < 0.001:
        since = after.replace(microsecond=after.microsecond // 1000 * 1000) + MILLISECOND
    return Phase(
        kind=kind,
        since=since,
        unit=pace.unit,
        span=pace.span(kind),
        task=pace.span(Kind.TASK),
    )


def healed(group: Group) -> Group:
    """`group` with nothing wrong with its containers; one that would never settle has failed."""
    if group.ending.timeout is None:
        return replace(group, ailments=())
    ending = replace(group.ending, timeout=None)
    return replace(group, ailments=(), ending=ending, phase=replace(group.phase, span=0.0))


def region_of(location: str) -> str:
    """The region id: `westeurope` for `West Europe`. Source: C.1."""
    return location.replace(" ", "").lower()


def dump_phase(phase: Phase) -> JsonObject:
    """`phase` as JSON."""
    return {
        "kind": phase.kind.value,
        "since": phase.since.isoformat(),
        "unit": phase.unit.value,
        "span": phase.span,
        "task": phase.task,
    }


def load_phase(value: Json) -> Phase:
    """The reverse of `dump_phase`."""
    data = as_object(value)
    return Phase(
        kind=Kind(data["kind"]),
        since=datetime.fromisoformat(as_text(data["since"])),
        unit=Unit(data["unit"]),
        span=as_number(data["span"]),
        task=as_number(data["task"]),
    )


def dump_group(group: Group) -> str:
    """`group` as JSON text."""
    return json.dumps(
        {
            "subscription": group.subscription,
            "resourceGroup": group.resource_group,
            "name": group.name,
            "version": group.version,
            "spec": group.spec,
            "phase": dump_phase(group.phase),
            "started": group.started.isoformat(),
            "deployed": group.deployed.isoformat(),
            "deployments": group.deployments,
            "restarts": group.restarts,
            "failure": group.failure,
            "ending": asdict(group.ending),
            "ailments": [asdict(ailment) for ailment in group.ailments],
        }
    )


def load_group(text: str) -> Group:
    """The reverse of `dump_group`."""
    data = as_object(json.loads(text))
    return Group(
        subscription=as_text(data["subscription"]),
        resource_group=as_text(data["resourceGroup"]),
        name=as_text(data["name"]),
        version=as_text(data["version"]),
        spec=as_object(data["spec"]),
        phase=load_phase(data["phase"]),
        started=datetime.fromisoformat(as_text(data["started"])),
        deployed=datetime.fromisoformat(as_text(data["deployed"])),
        deployments=int(as_number(data["deployments"])),
        restarts=int(as_number(data["restarts"])),
        failure=as_text(data["failure"]),
        # Databases from before there were faults have neither.
        ending=_load_ending(data.get("ending")),
        ailments=tuple(_load_ailment(item) for item in objects(data.get("ailments"))),
    )


def _load_ending(value: Json) -> Ending:
    if not isinstance(value, dict):
        return CAPACITY_FAILED
    timeout = value["timeout"]
    return Ending(
        status=as_text(value["status"]),
        code=as_text(value["code"]),
        message=as_text(value["message"]),
        event=as_text(value["event"]),
        timeout=None if timeout is None else as_number(timeout),
    )


def _load_ailment(value: JsonObject) -> Ailment:
    return Ailment(
        kind=as_text(value["kind"]),
        container=as_text(value["container"]),
        exit_code=int(as_number(value["exit_code"])),
        probe=as_text(value["probe"]),
        message=as_text(value["message"]),
    )


def with_tags(group: Group, tags: Json) -> Group:
    """`group` with its tag map replaced; without one when `tags` is nothing."""
    spec = {key: value for key, value in group.spec.items() if key != "tags"}
    if isinstance(tags, dict):
        spec["tags"] = tags
    return replace(group, spec=spec)
