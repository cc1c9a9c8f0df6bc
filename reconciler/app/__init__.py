"""The use cases. Each reads as the sentence it is; the rooms do the work."""

from reconciler.app.asked import Azure, Consent, History, Wanted, with_digests, with_secrets
from reconciler.app.carrying import apply, release, teardown
from reconciler.app.looking import GroupStatus, drift, logs, named_group, status
from reconciler.app.offline import Recalled, plan_against, take
from reconciler.app.planning import plan

__all__ = [
    "Azure",
    "Consent",
    "GroupStatus",
    "History",
    "Recalled",
    "Wanted",
    "apply",
    "drift",
    "logs",
    "named_group",
    "plan",
    "plan_against",
    "release",
    "status",
    "take",
    "teardown",
    "with_digests",
    "with_secrets",
]
