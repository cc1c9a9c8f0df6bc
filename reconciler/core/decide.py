"""The one action that brings a live group to what its manifest says. Total: never raises."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import assert_never

from reconciler.core.carry import NotCarried, with_ignored
from reconciler.core.costs import costs_of
from reconciler.core.diff import ChangeKind, Diff, FieldChange, diff, secrets_comparable
from reconciler.core.groups import (
    Adopt,
    DesiredGroup,
    DesiredResourceGroup,
    LiveGroup,
    LiveResourceGroup,
    Replace,
    SecretState,
    with_location,
)
from reconciler.core.jsonval import as_text, pointer
from reconciler.core.normalise import fold_text
from reconciler.core.origin import labelled, origin_of
from reconciler.core.ownership import (
    OWNER_TAG,
    Ownership,
    SecretKey,
    StateTag,
    merged_tag_keys,
    ownership_of,
    state_of,
    tag,
    tag_key_digest,
)
from reconciler.core.plan import Action, ActionKind
from reconciler.core.properties import Effect, row_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who runs, and what was consented to by name (addresses of groups)."""

    owner: str
    key: SecretKey | None = None
    adopt: frozenset[str] = field(default_factory=frozenset)
    replace: frozenset[str] = field(default_factory=frozenset)


def decide(desired: DesiredGroup, live: LiveGroup | None, asker: Asker) -> Action:
    """The cheapest safe action, refusals included; see design, sections 4 and 5."""
    if live is None:
        return _written(desired, None, ActionKind.CREATE, Diff(), why="no such group")
    ownership = ownership_of(live, asker.owner)
    match ownership:
        case Ownership.OURS:
            return _reconcile(desired, live, asker)
        case Ownership.FOREIGN:
            named = tag(live.tags, OWNER_TAG)
            return _refuse(
                desired,
                live,
                why=f"owned by '{named}', not by '{asker.owner}'",
                allow=f"let '{named}' give it up, or take it out of the manifests",
            )
        case Ownership.NOBODYS | Ownership.COPIED | Ownership.UNREADABLE:
            return _take_over(desired, live, asker, ownership)
        case _:
            assert_never(ownership)


def decide_resource_group(declared: DesiredResourceGroup, live: LiveResourceGroup | None) -> Action:
    """Create it when absent; an existing one is never written."""
    if live is None:
        return _of_resource_group(declared, ActionKind.CREATE, why="no such resource group")
    region = row_of(("location",))
    assert region is not None
    if fold_text(live.location, region) != fold_text(declared.location, region):
        why = f"it exists in '{live.location}', the manifest says '{declared.location}'"
        return replace(
            _of_resource_group(declared, ActionKind.REFUSE, why=why),
            allow=(
                f"write location: {live.location}, or use another name: "
                "a resource group cannot move"
            ),
        )
    return _of_resource_group(declared, ActionKind.NO_OP, why="exists")


def _of_resource_group(declared: DesiredResourceGroup, kind: ActionKind, *, why: str) -> Action:
    return Action(kind=kind, target=declared.id, why=why, declared=declared)


def needs_view(desired: DesiredGroup, live: LiveGroup, asker: Asker) -> bool:
    """Whether the action depends on what the containers do, which only a GET tells."""
    if live.in_transition or ownership_of(live, asker.owner) is Ownership.FOREIGN:
        return False
    # The resource group's region is not known here, and a group hardly ever lies elsewhere.
    placed = with_location(desired, as_text(live.body.get("location")))
    found = diff(placed, live, state=state_of(live), key=asker.key)
    return live.has_failed or found.effect in (Effect.UPDATE, Effect.REPLACE)


def _take_over(
    desired: DesiredGroup, live: LiveGroup, asker: Asker, ownership: Ownership
) -> Action:
    """A live group of the same name that is not ours: adopted when identical, else refused."""
    found = diff(desired, live)
    # Tags the manifest adds are no difference of the workload: the adopting PATCH brings them.
    differing = [c for c in found.changes if c.effect > Effect.TAGS or c.kind is ChangeKind.CHANGED]
    called = "has no owner" if ownership is Ownership.NOBODYS else f"carries {ownership.value}"
    consented = live.id.address in asker.adopt
    policy = Adopt.ALWAYS if consented else desired.policy.adopt
    if policy is Adopt.ALWAYS and not consented and ownership is Ownership.UNREADABLE:
        policy = Adopt.IDENTICAL  # what it was is lost: only consent by name goes further
    if policy is Adopt.NEVER:
        return _refuse(
            desired, live, why=f"{called}, and policy adopt is 'never'", allow=_adopting(desired)
        )
    if live.in_transition:
        return _no_op(desired, live, why=f"{called} and {_moving(live)}")
    if not differing:
        return _adopt(desired, live, found, why=f"{called} and equals the manifest")
    if policy is Adopt.IDENTICAL:
        fields = ", ".join(pointer(change.path) for change in differing[:5])
        more = f" and {len(differing) - 5} more" if len(differing) > 5 else ""
        refused = _refuse(
            desired, live, why=f"{called} and differs: {fields}{more}", allow=_adopting(desired)
        )
        return replace(refused, diff=found)
    if found.effect is Effect.TAGS:
        return _adopt(desired, live, found, why=f"{called}, adopted by consent: only tags differ")
    action = _by_effect(desired, live, found, asker)
    by = "consent" if consented else "policy"
    return replace(action, why=f"{called}, adopted by {by}: {action.why}")


def _adopt(desired: DesiredGroup, live: LiveGroup, found: Diff, *, why: str) -> Action:
    return Action(
        kind=ActionKind.ADOPT,
        target=desired.id,
        why=why,
        desired=desired,
        live=live,
        diff=found,
        notes=(
            *(("secrets not compared until the next write",) if desired.secrets else ()),
            *(("its last deployment failed: apply again",) if live.has_failed else ()),
        ),
    )


def _adopting(desired: DesiredGroup) -> str:
    return f"make the manifest equal, or consent with --adopt {desired.id}"


def _reconcile(desired: DesiredGroup, live: LiveGroup, asker: Asker) -> Action:
    if live.in_transition:
        return _no_op(desired, live, why=_moving(live))
    state = state_of(live)
    assert state is not None  # ownership is established by a readable state tag
    found = labelled(diff(desired, live, state=state, key=asker.key), desired, live, state)
    action = _by_effect(desired, live, found, asker)
    if live.has_failed and found.effect in (None, Effect.TAGS):
        action = _repair(action, desired, live, found, asker)
    remembers = _to_remember(desired, state)
    if action.kind is ActionKind.NO_OP and remembers:
        notes = action.notes
        action = replace(_patch_tags(desired, live, found, why=remembers), notes=notes)
    return replace(
        action,
        origin=origin_of(found, desired, live, state),
        notes=(*action.notes, *_secret_notes(desired, state, asker.key)),
    )


def _moving(live: LiveGroup) -> str:
    return (
        f"in transition (provisioning state {live.provisioning}): nothing is done until it settles"
    )


def _by_effect(desired: DesiredGroup, live: LiveGroup, found: Diff, asker: Asker) -> Action:
    effect = found.effect
    match effect:
        case None:
            return _no_op(desired, live, why="equal")
        case Effect.TAGS:
            return _patch_tags(desired, live, found, why="only tags differ")
        case Effect.UPDATE:
            return _in_place(desired, live, found, asker, why=_update_reason(live, found))
        case Effect.REPLACE:
            return _replace_if_allowed(desired, live, found, asker, why=_replace_reason(found))
        case _:
            assert_never(effect)


def _update_reason(live: LiveGroup, found: Diff) -> str:
    text = f"{_fields(found.costing(Effect.UPDATE))} can change in place"
    if live.has_ended:
        return f"{text}; the group is {live.state} and is deployed anew by it"
    return text


def _in_place(
    desired: DesiredGroup, live: LiveGroup, found: Diff, asker: Asker, *, why: str
) -> Action:
    """A PUT over the live group, unless it was asked by name to be replaced instead."""
    if desired.id.address in asker.replace:
        why = f"{why}; a replacement was asked for by name"
        return _replace_if_allowed(desired, live, found, asker, why=why)
    return _written(desired, live, ActionKind.UPDATE, found, why=why)


def _replace_reason(found: Diff) -> str:
    because = f"{_fields(found.costing(Effect.REPLACE))} cannot change in place"
    if any("[INF]" in _source(change) for change in found.costing(Effect.REPLACE)):
        because += " (inferred, see 'explain')"
    return because


def _replace_if_allowed(
    desired: DesiredGroup, live: LiveGroup, found: Diff, asker: Asker, *, why: str
) -> Action:
    if desired.policy.protect:
        why, allow = f"{why}, and the group is protected", "lift 'protect' in the manifest"
        return replace(_refuse(desired, live, why=why, allow=allow), diff=found)
    if desired.policy.replace is Replace.FORBID and desired.id.address not in asker.replace:
        why = f"{why}, and policy replace is 'forbid'"
        allow = f"consent with --replace {desired.id}, or write reconcile.replace: allow"
        return replace(_refuse(desired, live, why=why, allow=allow), diff=found)
    return _written(desired, live, ActionKind.REPLACE, found, why=why)


def _source(change: FieldChange) -> str:
    row = row_of(change.path)
    return row.source if row is not None else ""


def _fields(changes: tuple[FieldChange, ...]) -> str:
    names = list(dict.fromkeys(change.path[-1] for change in changes))
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _written(
    desired: DesiredGroup, live: LiveGroup | None, kind: ActionKind, found: Diff, *, why: str
) -> Action:
    """An action that sends the whole body: impossible while a secret is not known to anyone."""
    unknown = desired.lacking(SecretState.UNKNOWN)
    if unknown:
        first = unknown[0]
        refused = _refuse(
            desired,
            live,
            why=f"{why}, but {first.name} is unknown ({first.where}) and a write would lose it",
            allow="fill it in with a value or a reference",
        )
        return replace(refused, diff=found)
    if live is not None:
        try:
            desired = with_ignored(desired, live)
        except NotCarried as exc:
            allow = "take the path out of reconcile.ignore"
            return replace(_refuse(desired, live, why=str(exc), allow=allow), diff=found)
    notes = [
        f"{secret.name} is not resolved here: {secret.reason}"
        for secret in desired.lacking(SecretState.UNRESOLVED)
    ]
    return Action(
        kind=kind,
        target=desired.id,
        why=why,
        desired=desired,
        live=live,
        diff=found,
        costs=costs_of(kind, desired, live),
        notes=tuple(notes),
    )


def _repair(
    action: Action, desired: DesiredGroup, live: LiveGroup, found: Diff, asker: Asker
) -> Action:
    """A deployment that failed is written again, but only where nothing of it runs or ran.

    That takes a GET: a group whose containers were not looked at is left alone.
    """
    if live.state in ("Pending", "Failed") and not live.has_run:
        return _in_place(desired, live, found, asker, why="last deployment failed")
    state = live.state or "unknown"
    note = f"provisioning state {live.provisioning}, group state {state}: " + (
        "start it by hand"
        if live.state == "Stopped"
        else "look at 'aci-reconcile status' and its events"
    )
    why = "equal, but unhealthy" if action.kind is ActionKind.NO_OP else action.why
    return replace(action, why=why, notes=(*action.notes, note))


def _patch_tags(desired: DesiredGroup, live: LiveGroup, found: Diff, *, why: str) -> Action:
    return Action(
        kind=ActionKind.PATCH_TAGS,
        target=desired.id,
        why=why,
        desired=desired,
        live=live,
        diff=found,
        costs=("nothing restarts",),
    )


def _no_op(desired: DesiredGroup, live: LiveGroup, *, why: str) -> Action:
    return Action(kind=ActionKind.NO_OP, target=desired.id, why=why, desired=desired, live=live)


def _refuse(desired: DesiredGroup, live: LiveGroup | None, *, why: str, allow: str) -> Action:
    return Action(
        kind=ActionKind.REFUSE,
        target=desired.id,
        why=why,
        desired=desired,
        live=live,
        allow=allow,
    )


def _to_remember(desired: DesiredGroup, state: StateTag) -> str:
    """What only the tags can remember and do not yet; a tool upgrade alone is no reason."""
    if not state.is_current:
        return ""
    if state.protect != desired.policy.protect:
        return (
            "protection is remembered on the group"
            if desired.policy.protect
            else "protection is lifted"
        )
    keys = frozenset(tag_key_digest(name) for name in desired.tags)
    wanted = frozenset({merged_tag_keys(keys)}) if state.tags_merged else keys
    return "" if state.tag_keys == wanted else "the set of tag keys we manage changed"


def _secret_notes(desired: DesiredGroup, state: StateTag, key: SecretKey | None) -> tuple[str, ...]:
    if not desired.secrets or secrets_comparable(desired, state, key):
        return ()
    if desired.lacking(SecretState.UNKNOWN):
        return ("secrets not compared: some are unknown",)
    if key is None:
        return ("secrets not compared: set ACI_RECONCILE_SECRET_KEY to see a rotated one",)
    if desired.lacking(SecretState.UNRESOLVED):
        return ("secrets not compared: some could not be resolved here",)
    if state.key_id and state.key_id != key.id:
        return ("secrets not compared: they were last written with another key",)
    return ("secrets not compared: no baseline until the next write",)
