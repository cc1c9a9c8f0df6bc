"""Who writes, how far an action has got, and pauses that an interrupt ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.core.cloud import Clock, Cloud
from reconciler.core.events import Watcher
from reconciler.core.groups import LiveGroup
from reconciler.core.ownership import SecretKey
from reconciler.core.plan import Action
from reconciler.errors import (
    AuthenticationFailed,
    Conflict,
    Forbidden,
    Interrupted,
    NotFound,
    Rejected,
    Throttled,
    Unreachable,
)
from reconciler.execute.pacing import Pacer
from reconciler.execute.wait import OPERATION_TIMEOUT, Pace, Waiter

# Answers that leave no doubt: the write was not taken.
_REFUSALS = (
    AuthenticationFailed,
    Forbidden,
    NotFound,
    Conflict,
    Throttled,
    Rejected,
    Unreachable,
    Interrupted,
)
_SLICE_S = 1.0  # how soon a pause hears of an interrupt


@dataclass(slots=True)
class Progress:
    """What an action has done so far.

    `wrote`: Azure may have changed. `is_deleted`: the delete of a replace is on its way or over,
    and the group not created again. `is_bound`: a replace has once deleted the group, so it goes
    on to its end whatever interrupts. `operation` is the URL of the last operation, without its
    signed query.
    """

    wrote: bool = False
    is_deleted: bool = False
    is_bound: bool = False
    is_restored: bool = False
    operation: str = ""
    insist: Callable[[], object] = lambda: None  # what was begun is finished: heard after a write
    relent: Callable[[], object] = lambda: None  # and after one that came to nothing

    @property
    def so_far(self) -> tuple[bool, bool, bool]:
        """What `take_back` goes back to."""
        return self.wrote, self.is_deleted, self.is_bound

    def take_back(self, so_far: tuple[bool, bool, bool]) -> None:
        """A write that was begun after `so_far` was not carried out."""
        self.wrote, self.is_deleted, self.is_bound = so_far
        if not self.wrote:
            self.relent()

    @contextmanager
    def writing(self, *, removes: bool = False) -> Iterator[None]:
        """One write, which counts unless Azure refuses it; one that is lost on the way counts.

        `removes`: what it deletes is to be created again. That counts from before it is sent: an
        interrupt that comes meanwhile must find it.
        """
        before = self.so_far
        self.wrote = True
        self.is_deleted, self.is_bound = self.is_deleted or removes, self.is_bound or removes
        try:
            yield
        except _REFUSALS:
            self.take_back(before)
            raise
        finally:
            if self.wrote:
                self.insist()


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who writes, and how; `leaving` tells whether the run was interrupted."""

    cloud: Cloud
    clock: Clock
    pace: Pace
    pacer: Pacer
    owner: str
    key: SecretKey | None
    commit: str
    watcher: Watcher
    leaving: Callable[[], bool] = field(default=lambda: False)

    @property
    def waiter(self) -> Waiter:
        """Waits by the same clock and pace."""
        return Waiter(cloud=self.cloud, clock=self.clock, pace=self.pace)

    def deadline(self, action: Action) -> datetime:
        """Until when a write of this action, begun now, may take until its group is healthy."""
        timeout: timedelta = OPERATION_TIMEOUT
        if action.desired is not None:
            timeout = action.desired.policy.wait.timeout
        return self.clock.now() + timeout

    def rest(self, seconds: float, progress: Progress) -> None:
        """Pause before something is sent.

        Raises:
            Interrupted: the run is to end, and nothing has been begun that must be finished.
        """
        end = self.clock.now() + timedelta(seconds=seconds)
        while True:
            self.check_leaving(progress)
            left_s = (end - self.clock.now()).total_seconds()
            if left_s <= 0:
                return
            self.clock.sleep(min(left_s, _SLICE_S))

    def check_leaving(self, progress: Progress) -> None:
        """Return when a write may still go out.

        Raises:
            Interrupted: the run is to end. A group that was deleted is always created again.
        """
        if self.leaving() and not progress.is_bound:
            raise Interrupted("interrupted before it was written")


def is_same(now: LiveGroup, before: LiveGroup) -> bool:
    """Whether two looks show the same definition, tags and deployment."""
    return (
        now.canonical == before.canonical
        and dict(now.tags) == dict(before.tags)
        and now.has_failed == before.has_failed
        and now.in_transition == before.in_transition
    )
