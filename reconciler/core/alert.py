"""What is new about drift since somebody was told last."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from enum import Enum

from reconciler.core.drift import address_of
from reconciler.core.plan import Plan


class DriftEvent(Enum):
    """What a run has to tell."""

    DETECTED = "drift-detected"
    CHANGED = "drift-changed"  # there was drift before, and it is another one now
    RESOLVED = "drift-resolved"
    CHECK_FAILED = "check-failed"  # whether there is drift could not be told
    HEARTBEAT = "heartbeat"  # nothing is new


def event_of(before: AbstractSet[str], now: AbstractSet[str], *, is_told: bool) -> DriftEvent:
    """The event of a run, by the keys of the findings that counted when told last and now.

    `is_told` is false for a run that could not tell all that counts.
    """
    if not is_told:
        return DriftEvent.CHECK_FAILED
    if before == now:
        return DriftEvent.HEARTBEAT
    if not now:
        return DriftEvent.RESOLVED
    return DriftEvent.CHANGED if before else DriftEvent.DETECTED


def told_of_others(told: AbstractSet[str], plan: Plan) -> frozenset[str]:
    """The keys that are about groups out of a partial scope: neither found nor resolved now."""
    if plan.is_complete:
        return frozenset()
    scope = {action.address for action in plan.actions}
    return frozenset(key for key in told if address_of(key) not in scope)


def told_after(
    event: DriftEvent, before: AbstractSet[str], now: AbstractSet[str], *, is_heard: bool
) -> AbstractSet[str]:
    """The keys that count as told after a run: unchanged where nobody heard, or all is not known.

    So what could not be delivered, or not be seen, is new again in the run after.
    """
    return now if is_heard and event is not DriftEvent.CHECK_FAILED else before
