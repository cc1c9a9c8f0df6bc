"""In one word, and in a sentence, how a group stands against its manifest."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.core.diff import Origin
from reconciler.core.plan import Action, ActionKind

_SYNC: Mapping[ActionKind, str] = {
    ActionKind.CREATE: "missing",
    ActionKind.NO_OP: "in sync",
    ActionKind.ADOPT: "not adopted",
    ActionKind.DELETE: "orphan",
    ActionKind.REFUSE: "refused",
}


def standing_of(action: Action) -> str:
    """The reason, and what a person can do where the group is left as it is."""
    if action.trouble:
        return "; ".join((action.why, *action.notes))
    return f"{action.why}; {action.allow}" if action.allow else action.why


def sync_of(action: Action) -> str:
    """The word `status` has for a group."""
    if action.kind is ActionKind.NO_OP and action.live is not None and action.live.in_transition:
        return "in transition"
    if action.kind is ActionKind.REFUSE and not action.blocks and not action.diff:
        return "unhealthy"
    is_drifted = action.origin in (Origin.DRIFT, Origin.BOTH)
    return _SYNC.get(action.kind) or ("drifted" if is_drifted else "pending")
