"""Whether a group is still as the plan saw it: there is no ETag (design, section 2.7)."""

from __future__ import annotations

from reconciler.core.groups import LiveGroup
from reconciler.core.ids import GroupId
from reconciler.core.plan import Action
from reconciler.errors import StaleAction
from reconciler.execute.wait import Waiter


def reread(action: Action, waiter: Waiter) -> LiveGroup | None:
    """The group as it is now, provided it is as the plan saw it: there is no ETag (design 2.7).

    Raises:
        StaleAction: it moved, appeared, vanished or is in transition; nothing was written.
    """
    assert isinstance(action.target, GroupId)
    now = waiter.view(action.target)
    planned = action.live
    if now is None and planned is None:
        return None
    if now is None or planned is None:
        moved = "it appeared" if planned is None else "it vanished"
    elif now.in_transition:
        moved = f"it is in transition ({now.provisioning})"
    elif now.canonical != planned.canonical:
        moved = "its definition changed"
    elif dict(now.tags) != dict(planned.tags):
        moved = "its tags changed"
    elif planned.has_failed and (not now.has_failed or now.has_run != planned.has_run):
        # What failed may recover by itself (E.1); a repair would restart it.
        moved = f"its deployment went from {planned.provisioning} to {now.provisioning}"
    elif planned.state and now.has_ended != planned.has_ended:
        # A PUT would start what somebody has just stopped: not what the plan said.
        moved = f"it went from {planned.state} to {now.state}"
    else:
        return now
    raise StaleAction(
        f"{moved} since the plan",
        verb=action.kind.value,
        target=str(action.target),
        hint="plan again",
    )
