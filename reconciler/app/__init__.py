"""The use cases. Each reads as the sentence it is; the rooms do the work."""

from reconciler.app.asked import Azure, Consent, History, Wanted, with_digests, with_secrets
from reconciler.app.by_hand import Asked, hand_plan
from reconciler.app.carrying import apply, release, teardown
from reconciler.app.looking import GroupStatus, Only, drift, named_group, status
from reconciler.app.offline import Recalled, plan_against, take
from reconciler.app.planning import plan
from reconciler.app.printed import Excerpt, Printed, follow, logs, look_at
from reconciler.app.reached import Short, Until, short_of

__all__ = [
    "Asked",
    "Azure",
    "Consent",
    "Excerpt",
    "GroupStatus",
    "History",
    "Only",
    "Printed",
    "Recalled",
    "Short",
    "Until",
    "Wanted",
    "apply",
    "drift",
    "follow",
    "hand_plan",
    "logs",
    "look_at",
    "named_group",
    "plan",
    "plan_against",
    "release",
    "short_of",
    "status",
    "take",
    "teardown",
    "with_digests",
    "with_secrets",
]
