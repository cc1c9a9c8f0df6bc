"""Deleting one group of ours, or the refusal to."""

from __future__ import annotations

from reconciler.core.groups import LiveGroup
from reconciler.core.ownership import state_of
from reconciler.core.plan import Action, ActionKind


def removal(live: LiveGroup, *, why: str, lift: str, is_protected: bool = False) -> Action:
    """The action that deletes `live`; refused where it is protected, or nobody can tell.

    Its state tag remembers protection; `is_protected` where somebody else says so. `lift` says what
    to do about it.
    """
    state = state_of(live)
    if state is not None and not state.is_current:
        return _kept(
            live,
            why=f"{why}, but its state tag has another format: protected or not cannot be told",
            allow="delete it with the version of aci-reconcile that wrote the tag",
        )
    if is_protected or (state is not None and state.protect):
        return _kept(live, why=f"{why}, but it is protected", allow=lift)
    return Action(
        kind=ActionKind.DELETE,
        target=live.id,
        live=live,
        why=why,
        costs=("gone for good, with its IP address and logs",),
    )


def _kept(live: LiveGroup, *, why: str, allow: str) -> Action:
    return Action(kind=ActionKind.REFUSE, target=live.id, live=live, why=why, allow=allow)
