"""How time passes inside the emulator: by reads, by a clock the test turns, or really.

One seam: `now()` says what time it is and `span(kind)` how long a transition of that kind takes.
The span is written into the group when the transition begins, so a later process, in whatever
mode, comes to the same conclusion from the stored facts.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Protocol


class Unit(Enum):
    """What a span is counted in."""

    READS = "reads"
    SECONDS = "seconds"


class Kind(Enum):
    """What a write sets going."""

    CREATE = "create"
    UPDATE = "update"
    START = "start"
    STOP = "stop"
    RESTART = "restart"
    DELETE = "delete"
    TASK = "task"
    DELETE_RESOURCE_GROUP = "delete resource group"


class Pace(Protocol):
    """A mode of time."""

    @property
    def unit(self) -> Unit:
        """What `span` counts."""

    @property
    def retry_after(self) -> int:
        """Seconds a client is told to wait where Azure says so (deleting a resource group)."""

    def now(self) -> datetime:
        """The time of day, in UTC."""

    def span(self, kind: Kind) -> float:
        """How many units a transition of this kind takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """Seconds that each transition takes; a real create takes 17 s in the median (A.3: <= 31 s)."""

    create: float = 1.5
    update: float = 1.5
    start: float = 1.0
    stop: float = 0.5
    restart: float = 1.0
    delete: float = 0.5
    task: float = 1.5
    delete_resource_group: float = 1.0

    def of(self, kind: Kind) -> float:
        """The seconds `kind` takes."""
        return {
            Kind.CREATE: self.create,
            Kind.UPDATE: self.update,
            Kind.START: self.start,
            Kind.STOP: self.stop,
            Kind.RESTART: self.restart,
            Kind.DELETE: self.delete,
            Kind.TASK: self.task,
            Kind.DELETE_RESOURCE_GROUP: self.delete_resource_group,
        }[kind]


@dataclass(frozen=True, slots=True)
class Polls:
    """Transitions end by being looked at: the first `settle` reads still see them under way.

    A read is a GET or LIST that shows the group, a poll of its operation, or a write refused
    because the group is in transition. `Polls(0)` settles at once. A task runs for `task` more.
    """

    settle: int = 1
    task: int = 1

    @property
    def unit(self) -> Unit:
        """Spans are reads."""
        return Unit.READS

    @property
    def retry_after(self) -> int:
        """Nothing is gained by waiting."""
        return 0

    def now(self) -> datetime:
        """The real time: only what is shown depends on it."""
        return datetime.now(UTC)

    def span(self, kind: Kind) -> float:
        """`task` for a task, `settle` for all else."""
        return self.task if kind is Kind.TASK else self.settle


@dataclass(slots=True)
class ManualClock:
    """Time stands still until `advance` is called."""

    durations: Durations = field(default_factory=Durations)
    start: datetime = datetime(2025, 1, 1, 12, tzinfo=UTC)
    _passed: timedelta = timedelta()
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def unit(self) -> Unit:
        """Spans are seconds of this clock."""
        return Unit.SECONDS

    @property
    def retry_after(self) -> int:
        """As Azure says. Source: A.9."""
        return 15

    def now(self) -> datetime:
        """The time the test has set."""
        with self._lock:
            return self.start + self._passed

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        with self._lock:
            self._passed += timedelta(seconds=seconds)

    def span(self, kind: Kind) -> float:
        """The seconds `kind` takes."""
        return self.durations.of(kind)


@dataclass(frozen=True, slots=True)
class RealTime:
    """Time passes as it does: for demonstrations and the command line."""

    durations: Durations = field(default_factory=Durations)

    @property
    def unit(self) -> Unit:
        """Spans are real seconds."""
        return Unit.SECONDS

    @property
    def retry_after(self) -> int:
        """Shorter than Azure's 15, as everything here is."""
        return 1

    def now(self) -> datetime:
        """The real time."""
        return datetime.now(UTC)

    def span(self, kind: Kind) -> float:
        """The seconds `kind` takes."""
        return self.durations.of(kind)
