"""What a replace falls back to: the group as it was last applied, or a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.core.groups import DesiredGroup, OnReplaceFailure, SecretState, with_location
from reconciler.core.moved import as_applied
from reconciler.core.normalise import NORMALISER_VERSION
from reconciler.core.ownership import Ownership, StateTag, desired_hash, ownership_of, state_of
from reconciler.core.plan import Action, ActionKind, Plan

_ALLOW = "write reconcile.onReplaceFailure: report to replace it without a way back"


def commits_to_restore(plan: Plan) -> tuple[str, ...]:
    """The applied commits of the groups that must be had again if their replace fails."""
    states = [_applied(action, plan.owner) for action in plan.actions if _restores(action)]
    return tuple(sorted({state.commit for state in states if state is not None and state.commit}))


_SHALLOW = "; a shallow clone needs 'git fetch --unshallow', in CI 'fetch-depth: 0'"


def with_fallbacks(plan: Plan, applied: Mapping[str, Mapping[str, DesiredGroup] | None]) -> Plan:
    """The plan with what each replace falls back to, where its policy asks for that.

    `applied` holds the groups by address that manifests asked for at a commit, secrets included as
    far as they can be had; None where git has not got them. A replace without a way back is
    refused.
    """
    return replace(
        plan,
        actions=tuple(
            _with_fallback(action, plan.owner, applied) if _restores(action) else action
            for action in plan.actions
        ),
    )


def _restores(action: Action) -> bool:
    desired = action.desired
    return (
        action.kind is ActionKind.REPLACE
        and desired is not None
        and desired.policy.on_replace_failure is OnReplaceFailure.RESTORE
    )


def _with_fallback(
    action: Action, owner: str, applied: Mapping[str, Mapping[str, DesiredGroup] | None]
) -> Action:
    state = _applied(action, owner)
    if state is None or not state.commit:
        return _refused(action, "its tags do not tell the commit it was applied at")
    groups = applied.get(state.commit)
    if groups is None:
        return _refused(action, f"git has not got the manifests of commit {state.commit}{_SHALLOW}")
    then = groups.get(action.address)
    live = action.live
    if then is None or live is None:
        return _refused(action, f"commit {state.commit} holds no manifest of it")
    then = with_location(then, live.location)
    then = as_applied(then, live, state) or then
    if state.hash_version != NORMALISER_VERSION or desired_hash(then) != state.spec:
        return _refused(action, f"its manifest at commit {state.commit} is not what was applied")
    if unknown := then.lacking(SecretState.UNKNOWN):
        return _refused(action, f"{unknown[0].name} was unknown at commit {state.commit}")
    return replace(action, fallback=then)


def _applied(action: Action, owner: str) -> StateTag | None:
    live = action.live
    if live is None or ownership_of(live, owner) is not Ownership.OURS:
        return None
    return state_of(live)


def _refused(action: Action, why: str) -> Action:
    return replace(
        action,
        kind=ActionKind.REFUSE,
        why=f"{action.why}; policy onReplaceFailure is 'restore', and {why}",
        allow=_ALLOW,
        costs=(),
    )
