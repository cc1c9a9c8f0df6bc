"""Whether a group is still as the plan saw it: there is no ETag (design, section 2.7)."""

from __future__ import annotations

from datetime import datetime

from reconciler.core.groups import LiveGroup
from reconciler.core.ids import GroupId
from reconciler.core.plan import Action
from reconciler.errors import StaleAction
from reconciler.execute.wait import Waiter


def reread(action: Action, waiter: Waiter) -> LiveGroup | None:
    """The group as it is now, provided it is as the plan saw it.

    Raises:
        StaleAction: it moved, appeared, vanished or is in transition; nothing was written.
    """
    assert isinstance(action.target, GroupId)
    now = waiter.view(action.target)
    check_same(now, action.live, action)
    return now


def free(action: Action, waiter: Waiter, *, until: datetime) -> None:
    """Return once nothing goes by the name of a group that was deleted.

    What was just deleted may show for a while.

    Raises:
        StaleAction: something does that is not about to go.
        OperationTimedOut: it is still going at `until`.
    """
    assert isinstance(action.target, GroupId)
    lags_until = waiter.clock.now() + waiter.patience
    for pause_s in waiter.pauses_until(max(until, lags_until)):
        now = waiter.view(action.target)
        if now is None:
            return
        if not is_going(now) and waiter.clock.now() >= lags_until:
            check_same(now, None, action)
        waiter.clock.sleep(pause_s)
    waiter.gone(action.target, until=until)


def is_going(live: LiveGroup) -> bool:
    """Whether Azure is deleting it."""
    return live.provisioning.lower() == "deleting"


def check_same(now: LiveGroup | None, before: LiveGroup | None, action: Action) -> None:
    """Return when `now` is as `before`.

    Raises:
        StaleAction: it is not; the error says what moved.
    """
    if moved := _moved(now, before):
        raise StaleAction(
            f"{moved} since the plan",
            verb=action.kind.value,
            target=str(action.target),
            hint="plan again",
        )


def _moved(now: LiveGroup | None, before: LiveGroup | None) -> str:
    """What is not as it was, empty for nothing."""
    if now is None or before is None:
        return "" if now is before else "it appeared" if before is None else "it vanished"
    if now.in_transition:
        return f"it is in transition ({now.provisioning})"
    if now.canonical != before.canonical:
        return "its definition changed"
    if dict(now.tags) != dict(before.tags):
        return "its tags changed"
    if before.has_failed and (not now.has_failed or now.has_run != before.has_run):
        # What failed may recover by itself (E.1); a repair would restart it.
        return f"its deployment went from {before.provisioning} to {now.provisioning}"
    if before.state and now.has_ended != before.has_ended:
        # A PUT would start what somebody has just stopped: not what the plan said.
        return f"it went from {before.state} to {now.state}"
    return ""
