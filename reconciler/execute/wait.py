"""Waiting: for operations, for a name to be free, for containers to be healthy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from reconciler.core.cloud import Clock, Cloud, Look, Operation
from reconciler.core.containers import Event
from reconciler.core.groups import LiveGroup, Wait, WaitFor
from reconciler.core.ids import GroupId
from reconciler.core.remedies import Cause, remedy_of
from reconciler.errors import AzureError, NotFound, OperationTimedOut, Throttled, Unavailable
from reconciler.execute.health import Before, Health, cannot_pull, hopeless, lacking, reached
from reconciler.execute.look import view

_LONGEST_HINT_S = 120.0  # a longer Retry-After on a poll is taken for a mistake
OPERATION_TIMEOUT = timedelta(minutes=35)  # provisioning itself gives up after 30 (E.1)
_GOES_ON = "the operation goes on in Azure: plan again later"
_Out = TypeVar("_Out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often to look. Azure names no interval on creates (A.2), so the schedule is ours.

    `scale` shrinks every pause of ours, for a server on this machine. `patience` is how long Azure
    may contradict itself after a write, and a read may fail: ARM's caches lag.
    """

    scale: float = 1.0
    patience: timedelta = timedelta(minutes=1)

    @property
    def is_local(self) -> bool:
        """Whether it is that of a server on this machine."""
        return self.scale < 1

    def pauses(self) -> Iterator[float]:
        """Seconds to sleep before each look: close together at first, then ever further apart."""
        elapsed = 0.0
        while True:
            pause = _pause_after(elapsed)
            elapsed += pause
            yield pause * self.scale


def _pause_after(elapsed_s: float) -> float:
    # The median real create takes 17 s, nine in ten take under 29 s.
    for until_s, pause_s in ((5, 5.0), (30, 3.0), (50, 5.0), (120, 10.0)):
        if elapsed_s < until_s:
            return pause_s
    return 15.0


def is_passing(error: AzureError) -> bool:
    """Whether the same question may well be answered a little later."""
    if isinstance(error, Unavailable | Throttled):
        return True
    return remedy_of(error).cause is Cause.SIGN_IN and error.status == 401


def _is_signed_out(failed: Sequence[AzureError]) -> bool:
    """Whether a new token does not help either: the last looks failed, all for want of one."""
    attempts = remedy_of(failed[-1]).attempts
    latest = failed[-attempts - 1 :]
    return len(latest) > attempts and all(error.status == 401 for error in latest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiter:
    """Waits on one cloud by one clock."""

    cloud: Cloud
    clock: Clock
    pace: Pace

    @property
    def patience(self) -> timedelta:
        """How long answers may fail or lag behind a write until that is taken for the truth."""
        return self.pace.patience

    def view(self, group: GroupId) -> LiveGroup | None:
        """The group with its instance view, None where it does not exist.

        A read that fails is repeated for a while: what was written must not be lost sight of.
        """
        return self.patiently(lambda: view(self.cloud, group))

    def patiently(self, read: Callable[[], _Out]) -> _Out:
        """What `read` gives, repeated while it fails in a way that passes."""
        last: AzureError | None = None
        for pause_s in self.pauses_until(self.clock.now() + self.patience):
            try:
                return read()
            except AzureError as exc:
                if not is_passing(exc):
                    raise
                last = exc
            self.clock.sleep(max(pause_s, _asked(last)))
        assert last is not None
        raise last

    def finished(self, operation: Operation, group: GroupId | None, *, until: datetime) -> Look:
        """The last look at an operation that has ended, or that Azure has forgotten.

        A forgotten one has the status `Unknown`: the group itself tells. One whose image cannot be
        pulled is not waited for; its status is not final then, and `error_message` says why.

        Raises:
            OperationTimedOut: still running at the deadline; it goes on in Azure.
            AuthenticationFailed: the identity is not taken any more.
        """
        hint_s, status = operation.retry_after_s, "not seen"
        events: tuple[Event, ...] = ()
        unchanged = 0
        failed: list[AzureError] = []  # since the last look that was answered
        for pause_s in self.pauses_until(until):
            self.clock.sleep(
                pause_s if hint_s is None else min(max(hint_s, self.pace.scale), _LONGEST_HINT_S)
            )
            try:
                look = self.cloud.look(operation)
            except NotFound:
                return Look(status="Unknown")
            except AzureError as exc:
                failed.append(exc)
                if not is_passing(exc) or _is_signed_out(failed):
                    raise
                hint_s = exc.retry_after_s
                continue
            failed.clear()
            if look.is_final:
                return look
            unchanged = unchanged + 1 if look.events and look.events == events else 0
            events = look.events
            if stuck := cannot_pull(events, looks=unchanged):
                return Look(status=look.status, error_message=f"an image cannot be pulled: {stuck}")
            hint_s, status = look.retry_after_s, look.status
        unread = f", and could not be looked at: {failed[-1].says}" if failed else ""
        raise self._timed_out(f"the operation is still {status}{unread}", group)

    def settled(
        self, group: GroupId, *, until: datetime, seen: LiveGroup | None = None
    ) -> LiveGroup | None:
        """The group once no operation runs on it any more; None when it is gone.

        `seen` is a look at it just now.

        Raises:
            OperationTimedOut: still in transition at the deadline.
        """
        live = seen or self.view(group)
        for pause_s in self.pauses_until(until):
            if live is None or not live.in_transition:
                return live
            self.clock.sleep(pause_s)
            live = self.view(group)
        raise self._timed_out("still in transition", group)

    def present(self, group: GroupId) -> LiveGroup | None:
        """`view`, for one that was just written: ARM may say for a while that it is not there.

        None when that does not change.
        """
        for pause_s in self.pauses_until(self.clock.now() + self.patience):
            if (live := self.view(group)) is not None:
                return live
            self.clock.sleep(pause_s)
        return None

    def gone(self, group: GroupId, *, until: datetime) -> None:
        """Return once a GET finds nothing: a name can be reused only then.

        Raises:
            OperationTimedOut: still there at the deadline; the deletion goes on in Azure.
        """
        for pause_s in self.pauses_until(until):
            if self.view(group) is None:
                return
            self.clock.sleep(pause_s)
        raise self._timed_out("it is still there", group)

    def healthy(
        self, group: GroupId, wait: Wait, *, until: datetime, seen: LiveGroup | None = None
    ) -> Health:
        """The verdict once it is clear, at the latest at the deadline `until`.

        `seen` is a look at it just now.
        """
        steady_since: datetime | None = None
        before: Before | None = None
        restarts = -1
        health = Health(is_healthy=False, says="not looked at", live=None)
        for pause_s in self.pauses_until(until):
            live, seen = seen or self.present(group), None
            if live is None:
                return Health(is_healthy=False, says="the group is gone", live=None)
            before = before or Before.of(live)
            if trouble := hopeless(live, wait.until, before):
                return Health(is_healthy=False, says=trouble, live=live)
            missing = lacking(live, wait.until)
            if missing or live.restarts != restarts:
                steady_since, restarts = None, live.restarts
            if not missing:
                steady_since = steady_since or self.clock.now()
                if self.clock.now() - steady_since >= wait.stable_for:
                    return Health(is_healthy=True, says=reached(live, wait.until), live=live)
            health = Health(is_healthy=False, says=missing or "not stable yet", live=live)
            self.clock.sleep(pause_s)
        return Health(
            is_healthy=False,
            says=f"not {wait.until.value} in {wait.timeout.total_seconds():.0f} s: {health.says}",
            live=health.live,
        )

    def _timed_out(self, says: str, group: GroupId | None) -> OperationTimedOut:
        """The error of a deadline, with the container that keeps it waiting."""
        try:
            live = None if group is None else view(self.cloud, group)
        except AzureError:
            live = None
        tail = "" if live is None else _last_seen(live)
        return OperationTimedOut(
            f"timed out, {says}{tail}",
            verb="wait",
            target="" if group is None else str(group),
            hint=_GOES_ON,
        )

    def pauses_until(self, until: datetime) -> Iterator[float]:
        """Pauses until the deadline; the last one ends with it."""
        for pause_s in self.pace.pauses():
            left_s = (until - self.clock.now()).total_seconds()
            yield max(0.0, min(pause_s, left_s))
            if left_s <= 0:
                return


def _last_seen(live: LiveGroup) -> str:
    """What a group lacks, and what happened last in a container of it."""
    tail = f": {what}" if (what := lacking(live, WaitFor.STARTED)) else ""
    events = [f"'{view.name}': {view.last_event}" for view in live.containers if view.last_event]
    if events and "last event" not in tail:
        tail += f"; last event of container {events[-1]}"
    return tail


def _asked(error: AzureError) -> float:
    return min(error.retry_after_s or 0.0, _LONGEST_HINT_S)
