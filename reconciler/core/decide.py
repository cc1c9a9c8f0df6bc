"""The one action that brings a live group to what its manifest says. Total: never raises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import assert_never

from reconciler.core.carry import NotCarried, with_ignored
from reconciler.core.diff import ChangeKind, Diff, FieldChange, Origin, diff, secrets_comparable
from reconciler.core.groups import (
    Adopt,
    DesiredGroup,
    DesiredResourceGroup,
    LiveGroup,
    LiveResourceGroup,
    Replace,
    SecretState,
)
from reconciler.core.jsonval import as_object, dig, pointer
from reconciler.core.normalise import NORMALISER_VERSION, fold_text
from reconciler.core.ownership import (
    OWNER_TAG,
    Ownership,
    SecretKey,
    StateTag,
    desired_hash,
    live_hash,
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


def decide_resource_group(
    declared: DesiredResourceGroup, live: LiveResourceGroup | None
) -> Action:
    """Create it when absent; an existing one is never written."""
    if live is None:
        return _of_resource_group(declared, ActionKind.CREATE, why="no such resource group")
    region = row_of(("location",))
    assert region is not None
    if fold_text(live.location, region) != fold_text(declared.location, region):
        why = f"it exists in '{live.location}', the manifest says '{declared.location}'"
        return replace(
            _of_resource_group(declared, ActionKind.REFUSE, why=why),
            allow=f"write location: {live.location}, or use another name: a resource group cannot move",
        )
    return _of_resource_group(declared, ActionKind.NO_OP, why="exists")


def _of_resource_group(declared: DesiredResourceGroup, kind: ActionKind, *, why: str) -> Action:
    return Action(kind=kind, target=declared.id, why=why, declared=declared)


def needs_view(desired: DesiredGroup, live: LiveGroup, asker: Asker) -> bool:
    """Whether the action depends on what the containers do, which only a GET tells."""
    if live.in_transition:
        return False
    found = diff(desired, live, state=state_of(live), key=asker.key)
    return live.provisioning.lower() == "failed" or found.effect in (Effect.UPDATE, Effect.REPLACE)


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
    if policy is Adopt.NEVER:
        return _refuse(desired, live, why=f"{called}, and policy adopt is 'never'", allow=_adopting(desired))
    if live.in_transition:
        return _no_op(desired, live, why=f"{called} and {_moving(live)}")
    if not differing:
        notes = ("secrets not compared until the next write",) if desired.secrets else ()
        return Action(
            kind=ActionKind.ADOPT,
            target=desired.id,
            why=f"{called} and equals the manifest",
            desired=desired,
            live=live,
            diff=found,
            notes=notes,
        )
    if policy is Adopt.IDENTICAL:
        fields = ", ".join(pointer(change.path) for change in differing[:5])
        more = f" and {len(differing) - 5} more" if len(differing) > 5 else ""
        refused = _refuse(
            desired, live, why=f"{called} and differs: {fields}{more}", allow=_adopting(desired)
        )
        return replace(refused, diff=found)
    action = _by_effect(desired, live, found, asker)
    return replace(action, why=f"{called}, adopted by consent: {action.why}")


def _adopting(desired: DesiredGroup) -> str:
    return f"make the manifest equal, or consent with --adopt {desired.id}"


def _reconcile(desired: DesiredGroup, live: LiveGroup, asker: Asker) -> Action:
    if live.in_transition:
        return _no_op(desired, live, why=_moving(live))
    state = state_of(live)
    assert state is not None  # ownership is established by a readable state tag
    found = _labelled(diff(desired, live, state=state, key=asker.key), desired, live, state)
    if found:
        action = _by_effect(desired, live, found, asker)
    elif live.provisioning.lower() in ("failed", "canceled"):
        action = _repair(desired, live)
    elif remembers := _to_remember(desired, state):
        action = _patch_tags(desired, live, found, why=remembers)
    else:
        action = _no_op(desired, live, why="equal")
    return replace(
        action,
        origin=_origin_of(found, desired, live, state),
        notes=(*action.notes, *_secret_notes(desired, state, asker.key)),
    )


def _moving(live: LiveGroup) -> str:
    return f"in transition (provisioning state {live.provisioning}): nothing is done until it settles"


def _by_effect(desired: DesiredGroup, live: LiveGroup, found: Diff, asker: Asker) -> Action:
    effect = found.effect
    match effect:
        case None:
            return _no_op(desired, live, why="equal")
        case Effect.TAGS:
            return _patch_tags(desired, live, found, why="only tags differ")
        case Effect.UPDATE:
            return _written(desired, live, ActionKind.UPDATE, found, why=_update_reason(live, found))
        case Effect.REPLACE:
            return _replace_if_allowed(desired, live, found, asker)
        case _:
            assert_never(effect)


def _update_reason(live: LiveGroup, found: Diff) -> str:
    text = f"{_fields(found.costing(Effect.UPDATE))} can change in place"
    if live.has_ended:
        return f"{text}; the group is {live.state} and is deployed anew by it"
    return text


def _replace_if_allowed(
    desired: DesiredGroup, live: LiveGroup, found: Diff, asker: Asker
) -> Action:
    because = f"{_fields(found.costing(Effect.REPLACE))} cannot change in place"
    if any("[INF]" in _source(change) for change in found.costing(Effect.REPLACE)):
        because += " (inferred, see 'explain')"
    if desired.policy.protect:
        allow = "lift 'protect' in the manifest"
        refused = _refuse(desired, live, why=f"{because}, and the group is protected", allow=allow)
        return replace(refused, diff=found)
    if desired.policy.replace is Replace.FORBID and desired.id.address not in asker.replace:
        allow = f"consent with --replace {desired.id}, or write reconcile.replace: allow"
        return replace(
            _refuse(desired, live, why=f"{because}, and policy replace is 'forbid'", allow=allow),
            diff=found,
        )
    return _written(desired, live, ActionKind.REPLACE, found, why=because)


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
        costs=_COSTS[kind](desired, live),
        notes=tuple(notes),
    )


def _no_costs(_desired: DesiredGroup, _live: LiveGroup | None) -> tuple[str, ...]:
    return ()


def _update_costs(desired: DesiredGroup, live: LiveGroup | None) -> tuple[str, ...]:
    number = len(as_object(dig(desired.canonical, "properties", "containers")))
    verb = "starts" if live is not None and live.has_ended else "restarts"
    costs = [f"{verb} {number} container{'' if number == 1 else 's'}"]
    if dig(desired.canonical, "properties", "ipAddress"):
        costs.append("IP address may change")
    return (*costs, *_data_lost(live))


def _replace_costs(_desired: DesiredGroup, live: LiveGroup | None) -> tuple[str, ...]:
    costs = ["deleted and created again, down meanwhile"]
    if live is not None and dig(live.canonical, "properties", "ipAddress"):
        costs.append("IP address changes")
    return (*costs, *_data_lost(live))


def _data_lost(live: LiveGroup | None) -> tuple[str, ...]:
    volumes = as_object(dig(live.canonical, "properties", "volumes")) if live is not None else {}
    lost = [name for name, volume in volumes.items() if "emptyDir" in as_object(volume)]
    return (f"data in emptyDir {', '.join(lost)} lost",) if lost else ()


_COSTS: dict[ActionKind, Callable[[DesiredGroup, LiveGroup | None], tuple[str, ...]]] = {
    ActionKind.CREATE: _no_costs,
    ActionKind.UPDATE: _update_costs,
    ActionKind.REPLACE: _replace_costs,
}


def _repair(desired: DesiredGroup, live: LiveGroup) -> Action:
    """A deployment that failed is written again, but only where nothing of it runs or ran."""
    ran = any(view.state in ("Running", "Terminated") for view in live.containers)
    if live.state in ("", "Pending", "Failed") and not ran:
        return _written(desired, live, ActionKind.UPDATE, Diff(), why="last deployment failed")
    stopped = live.state == "Stopped"
    state = live.state or "unknown"
    note = f"provisioning state {live.provisioning}, group state {state}: " + (
        "start it by hand" if stopped else "look at 'aci-reconcile status' and its events"
    )
    return replace(_no_op(desired, live, why="equal, but unhealthy"), notes=(note,))


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
    if state.protect != desired.policy.protect:
        return "protection is remembered on the group" if desired.policy.protect else "protection is lifted"
    keys = frozenset(tag_key_digest(name) for name in desired.tags)
    wanted = frozenset({merged_tag_keys(keys)}) if state.tags_merged else keys
    return "" if state.tag_keys == wanted else "the set of tag keys we manage changed"


def _secret_notes(
    desired: DesiredGroup, state: StateTag, key: SecretKey | None
) -> tuple[str, ...]:
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


def _labelled(found: Diff, desired: DesiredGroup, live: LiveGroup, state: StateTag) -> Diff:
    origin = _origin_of(found, desired, live, state)
    # When both moved, only the manifest at the applied commit could tell which field is whose.
    label = Origin.UNKNOWN if origin is Origin.BOTH else origin
    changes = [
        replace(change, origin=Origin.CONFIG if _is_rotation(change) else label)
        for change in found.changes
    ]
    return Diff(changes=tuple(changes))


def _is_rotation(change: FieldChange) -> bool:
    """A secret is compared with what was last written, so only the manifest's side can move."""
    return change.sensitive and change.kind is ChangeKind.CHANGED


def _origin_of(found: Diff, desired: DesiredGroup, live: LiveGroup, state: StateTag) -> Origin:
    if not found or state.hash_version != NORMALISER_VERSION:
        return Origin.UNKNOWN
    manifest_moved = desired_hash(desired) != state.spec
    azure_moved = live_hash(live, desired, state) != state.spec
    match manifest_moved, azure_moved:
        case True, True:
            return Origin.BOTH
        case True, False:
            return Origin.CONFIG
        case False, True:
            return Origin.DRIFT
        case _:
            return Origin.CONFIG  # only secrets differ, and those move in the manifest
