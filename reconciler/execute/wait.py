"""Waiting: for operations, for a name to be free, for containers to be healthy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.core.cloud import Clock, Cloud, Look, Operation
from reconciler.core.groups import ContainerView, LiveGroup, Wait, WaitFor
from reconciler.core.ids import GroupId
from reconciler.errors import OperationTimedOut

_LONGEST_HINT_S = 120.0  # a longer Retry-After on a poll is taken for a mistake
OPERATION_TIMEOUT = timedelta(minutes=35)  # provisioning itself gives up after 30 (E.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often to look. Azure names no interval on creates (A.2), so the schedule is ours.

    `scale` shrinks every pause, for a server on this machine.
    """

    scale: float = 1.0

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The verdict on a group after a write. `live` is the last view of it."""

    is_healthy: bool
    says: str
    live: LiveGroup | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiter:
    """Waits on one cloud by one clock."""

    cloud: Cloud
    clock: Clock
    pace: Pace

    def finished(self, operation: Operation, *, group: str) -> Look:
        """The last look at an operation that has ended, well or not.

        Raises:
            OperationTimedOut: still running at the deadline; it goes on in Azure.
        """
        hint_s = operation.retry_after_s
        for pause_s in self._pauses_until(OPERATION_TIMEOUT):
            self.clock.sleep(
                pause_s if hint_s is None else min(max(hint_s, self.pace.scale), _LONGEST_HINT_S)
            )
            look = self.cloud.look(operation)
            if look.is_final:
                return look
            hint_s = look.retry_after_s
        raise OperationTimedOut(
            f"still {look.status} after {OPERATION_TIMEOUT}",
            verb="wait",
            target=group,
            hint="the operation goes on in Azure: plan again later",
        )

    def settled(self, read: Callable[[], LiveGroup | None], *, group: str) -> LiveGroup | None:
        """The group once no operation runs on it any more; None when it is gone.

        Raises:
            OperationTimedOut: still in transition at the deadline.
        """
        live = read()
        for pause_s in self._pauses_until(OPERATION_TIMEOUT):
            if live is None or not live.in_transition:
                return live
            self.clock.sleep(pause_s)
            live = read()
        raise OperationTimedOut(
            "still in transition", verb="wait", target=group, hint="plan again later"
        )

    def gone(self, group: GroupId) -> None:
        """Return once a GET finds nothing: a name can be reused only then.

        Raises:
            OperationTimedOut: still there at the deadline; the deletion goes on in Azure.
        """
        for pause_s in self._pauses_until(OPERATION_TIMEOUT):
            if self.cloud.group(group) is None:
                return
            self.clock.sleep(pause_s)
        raise OperationTimedOut(
            f"still there after {OPERATION_TIMEOUT}",
            verb="delete",
            target=str(group),
            hint="the deletion goes on in Azure: plan again later",
        )

    def healthy(self, read: Callable[[], LiveGroup | None], wait: Wait) -> Health:
        """The verdict once it is clear, at the latest when `wait.timeout` has passed."""
        steady_since: datetime | None = None
        restarts = -1
        health = Health(is_healthy=False, says="not looked at", live=None)
        for pause_s in self._pauses_until(wait.timeout):
            live = read()
            if live is None:
                return Health(is_healthy=False, says="the group is gone", live=None)
            if trouble := hopeless(live, wait.until):
                return Health(is_healthy=False, says=trouble, live=live)
            missing = lacking(live, wait.until)
            if missing or live.restarts != restarts:
                steady_since, restarts = None, live.restarts
            if not missing:
                steady_since = steady_since or self.clock.now()
                if self.clock.now() - steady_since >= wait.stable_for:
                    return Health(is_healthy=True, says=_reached(live, wait.until), live=live)
            health = Health(is_healthy=False, says=missing or "not stable yet", live=live)
            self.clock.sleep(pause_s)
        return Health(
            is_healthy=False,
            says=f"not {wait.until.value} in {wait.timeout}: {health.says}",
            live=health.live,
        )

    def _pauses_until(self, timeout: timedelta) -> Iterator[float]:
        """Pauses until `timeout` has passed; the last one ends with it."""
        deadline = self.clock.now() + timeout
        for pause_s in self.pace.pauses():
            left_s = (deadline - self.clock.now()).total_seconds()
            yield max(0.0, min(pause_s, left_s))
            if left_s <= 0:
                return


def lacking(live: LiveGroup, until: WaitFor) -> str:
    """What `live` still lacks to be healthy; empty when it is."""
    if live.in_transition:
        return f"provisioning state {live.provisioning}"
    if until is WaitFor.PROVISIONED:
        return ""
    apps = [view for view in live.containers if not view.is_init]
    waiting = [view for view in apps if not _is_there(view, until)]
    if not apps:
        return "no container yet"
    return ", ".join(_described(view) for view in waiting)


def _is_there(view: ContainerView, until: WaitFor) -> bool:
    ended_well = view.state == "Terminated" and view.exit_code == 0
    match until:
        case WaitFor.RUNNING:
            return view.state == "Running"
        case WaitFor.STARTED:
            return view.state == "Running" or ended_well
        case _:
            return ended_well


def hopeless(live: LiveGroup, until: WaitFor) -> str:
    """Why waiting longer is pointless; empty when it is not.

    A failed provisioning, a container that crash-loops, or one that ended in a group that is over.
    """
    if live.has_failed:
        return f"provisioning {live.provisioning}"
    if until is WaitFor.PROVISIONED or live.in_transition:
        return ""
    for view in live.containers:
        if view.detail.startswith("CrashLoopBackOff"):
            return f"{_described(view)}, restarted {view.restarts} times"
        failed = view.state == "Terminated" and view.exit_code not in (0, None)
        if failed and live.state == "Failed":
            return _described(view)
    return f"the group is {live.state}" if live.state == "Stopped" else ""


def _described(view: ContainerView) -> str:
    exit_code = "" if view.exit_code is None else f" with exit code {view.exit_code}"
    detail = f" ({view.detail})" if view.detail and view.detail != view.state else ""
    last = f", last event: {view.last_event}" if view.last_event else ""
    return f"container '{view.name}' {view.state or 'not started'}{exit_code}{detail}{last}"


def _reached(live: LiveGroup, until: WaitFor) -> str:
    number = sum(1 for view in live.containers if not view.is_init)
    if until is WaitFor.PROVISIONED or number == 0:
        return "provisioned"
    ended = sum(1 for v in live.containers if not v.is_init and v.state == "Terminated")
    parts = [f"{ended} of {number} ended with 0"] if ended else []
    parts += [f"{number - ended} of {number} running"] if number - ended else []
    return ", ".join(parts)
