"""The one action that brings a live group to what its manifest says. Total: never raises."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import assert_never

from reconciler.core.asker import Asker
from reconciler.core.diff import (
    SECRETS,
    ChangeKind,
    Diff,
    FieldChange,
    compared_secrets,
    diff,
    is_rotation,
    known_not_taken,
)
from reconciler.core.groups import (
    Adopt,
    DesiredGroup,
    DesiredResourceGroup,
    LiveGroup,
    LiveResourceGroup,
    Secret,
    SecretState,
    with_location,
)
from reconciler.core.jsonval import Path, as_text, pointer
from reconciler.core.moved import as_applied, image_notes, needs_events
from reconciler.core.normalise import fold_text
from reconciler.core.origin import labelled, origin_of
from reconciler.core.ownership import (
    OWNER_TAG,
    Ownership,
    SecretKey,
    StateTag,
    ownership_of,
    state_of,
    tag,
)
from reconciler.core.pins import unpinned
from reconciler.core.plan import Action, ActionKind
from reconciler.core.properties import Effect, row_of
from reconciler.core.standing import equal, only_tags, run_again, with_baseline
from reconciler.core.verdicts import adopt, no_op, refuse, replacement, undigested, update, written


def decide(desired: DesiredGroup, live: LiveGroup | None, asker: Asker) -> Action:
    """The cheapest safe action, refusals included; see design, sections 4 and 5."""
    action = _decided(desired, live, asker)
    notes = (*action.notes, *_unheeded(action, asker), *_of_images(desired, live, action, asker))
    return replace(action, notes=notes)


def _of_images(
    desired: DesiredGroup, live: LiveGroup | None, action: Action, asker: Asker
) -> Iterator[str]:
    """What registries said, as far as it matters; a refusal says itself what it is about."""
    if action.kind is ActionKind.REFUSE or (live is not None and live.in_transition):
        return
    state = _own_state(live, asker) if live is not None else None
    yield from image_notes(desired, live, state, deploys=action.deploys)


def _own_state(live: LiveGroup, asker: Asker) -> StateTag | None:
    """The state tag as long as it speaks of this group."""
    return state_of(live) if ownership_of(live, asker.owner) is Ownership.OURS else None


def _unheeded(action: Action, asker: Asker) -> Iterator[str]:
    """What was asked for by name and comes to nothing, refusals apart: these say why."""
    kind = action.kind
    if kind is ActionKind.REFUSE:
        return
    if action.address in asker.replace and kind is not ActionKind.REPLACE:
        yield f"--replace comes to nothing: the action is {kind.value}"
    if action.address in asker.retry and not kind.sends_body:
        yield "--retry comes to nothing: there is nothing to write again"
    if action.address in asker.rerun and kind is not ActionKind.START and not kind.sends_body:
        state = action.live.state if action.live is not None else ""
        yield f"--rerun comes to nothing: the group is {state or 'in transition or not ours'}"
    if action.address in asker.rebaseline and not (action.rebaseline or kind.sends_body):
        yield "--rebaseline-secrets comes to nothing: there are no secrets to remember"


def _decided(desired: DesiredGroup, live: LiveGroup | None, asker: Asker) -> Action:
    if live is None:
        return written(desired, None, ActionKind.CREATE, Diff(), why="no such group")
    ownership = ownership_of(live, asker.owner)
    match ownership:
        case Ownership.OURS:
            return _reconcile(desired, live, asker)
        case Ownership.FOREIGN:
            named = tag(live.tags, OWNER_TAG)
            if named is not None and named == asker.take_from.get(live.id.address):
                return _take_over(desired, live, asker, ownership)
            return refuse(
                desired,
                live,
                why=f"owned by '{named}', not by '{asker.owner}'",
                allow=f"let '{named}' give it up with 'aci-reconcile release {desired.id}',"
                f" take it with 'aci-reconcile adopt {desired.id} --from-owner {named}',"
                " or take it out of the manifests",
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
    placed = _settled(placed, live, asker)
    if needs_events(placed, live, _own_state(live, asker)):
        return True
    found = diff(comparable(placed, asker), live, state=state_of(live), key=asker.key)
    asked = live.id.address in asker.rerun | asker.replace
    return asked or live.has_failed or found.effect in (Effect.UPDATE, Effect.REPLACE)


def _take_over(
    desired: DesiredGroup, live: LiveGroup, asker: Asker, ownership: Ownership
) -> Action:
    """A live group of the same name that is not ours: adopted when identical, else refused."""
    found = diff(desired, live)
    # Tags the manifest adds are no difference of the workload: the adopting PATCH brings them.
    differing = [c for c in found.changes if c.effect > Effect.TAGS or c.kind is ChangeKind.CHANGED]
    called = _called(live, ownership)
    consented = live.id.address in asker.adopt
    policy = Adopt.ALWAYS if consented else desired.policy.adopt
    if policy is Adopt.ALWAYS and not consented and ownership is Ownership.UNREADABLE:
        policy = Adopt.IDENTICAL  # what it was is lost: only consent by name goes further
    if policy is Adopt.NEVER:
        return refuse(
            desired, live, why=f"{called}, and policy adopt is 'never'", allow=_adopting(desired)
        )
    if live.in_transition:
        return no_op(desired, live, why=f"{called} and {_moving(live)}")
    if unpinned(desired):
        return undigested(desired, live, found, why=f"{called}, and ")
    if not differing:
        return _adopt(desired, live, found, asker, why=f"{called} and equals the manifest")
    if policy is Adopt.IDENTICAL:
        why = f"{called} and differs: {_pointers(differing)}"
        return refuse(desired, live, why=why, allow=_adopting(desired), found=found)
    if found.effect is Effect.TAGS:
        why = f"{called}, adopted by consent: only tags differ"
        return _adopt(desired, live, found, asker, why=why)
    action = _deployed(desired, live, found, asker)
    by = "consent" if consented else "policy"
    return replace(action, why=f"{called}, adopted by {by}: {action.why}")


def _called(live: LiveGroup, ownership: Ownership) -> str:
    match ownership:
        case Ownership.NOBODYS:
            return "has no owner"
        case Ownership.FOREIGN:
            return f"is taken from '{tag(live.tags, OWNER_TAG)}', as asked,"
        case _:
            return f"carries {ownership.value}"


def _adopt(
    desired: DesiredGroup, live: LiveGroup, found: Diff, asker: Asker, *, why: str
) -> Action:
    action = adopt(desired, live, found, why=why)
    notes: tuple[str, ...] = ()
    if live.has_failed:
        notes += ("its last deployment failed: apply again",)
    if desired.id.address in asker.rebaseline:
        return with_baseline(replace(action, notes=notes), desired, asker)
    if desired.secrets:
        notes += ("secrets not compared until the next write",)
    return replace(action, notes=notes)


def _adopting(desired: DesiredGroup) -> str:
    return f"make the manifest equal, or consent with --adopt {desired.id}"


def _reconcile(desired: DesiredGroup, live: LiveGroup, asker: Asker) -> Action:
    if live.in_transition:
        return no_op(desired, live, why=_moving(live))
    state = state_of(live)
    assert state is not None  # ownership is established by a readable state tag
    desired = _settled(desired, live, asker)
    found = diff(comparable(desired, asker), live, state=state, key=asker.key)
    if desired.id.address in asker.rebaseline:
        # What the tag says of them is out of date, on a person's word.
        found = Diff(changes=tuple(one for one in found.changes if not is_rotation(one)))
    found = labelled(found, desired, live, state)
    origin = origin_of(found, desired, live, state)
    if unpinned(desired):  # it is not as it was applied, or was applied by tag: a write is due
        action = undigested(desired, live, found)
    elif found.effect in (None, Effect.TAGS):
        action = equal(desired, live, found, asker, state)
    elif _knows_not_taken(found, state) and not _insists(desired, asker):
        action = _not_again(desired, live, found, asker, state)
    else:
        action = _deployed(desired, live, found, asker)
    notes: tuple[str, ...] = ()
    if not action.rebaseline:
        notes = _secret_notes(comparable(desired, asker), state, asker.key)
    if action.kind.sends_body and desired.secrets and state.key_id and asker.key is None:
        notes += ("without the key, this write forgets what the secrets were",)
    return replace(action, origin=origin, notes=(*action.notes, *notes))


def _settled(desired: DesiredGroup, live: LiveGroup, asker: Asker) -> DesiredGroup:
    """`desired` with the digests that were last applied, where no registry told those of now."""
    if not unpinned(desired):
        return desired
    return as_applied(desired, live, _own_state(live, asker)) or desired


def _insists(desired: DesiredGroup, asker: Asker) -> bool:
    return desired.id.address in asker.retry | asker.replace


def _knows_not_taken(found: Diff, state: StateTag) -> bool:
    """Whether all that differs is what Azure did not take in the last write."""
    left = {change.path for change in found.changes if change.effect > Effect.TAGS}
    return known_not_taken(found.changes, state) == left


def _not_again(
    desired: DesiredGroup, live: LiveGroup, found: Diff, asker: Asker, state: StateTag
) -> Action:
    """The refusal to restart a group in vain; what the tags alone bring is written all the same."""
    left = [change for change in found.changes if change.effect > Effect.TAGS]
    lost = f"Azure did not take {_pointers(left)} when it was written last"
    allow = f"change the manifest, or write it again with --retry {desired.id}"
    tags = Diff(changes=found.costing(Effect.TAGS))
    action = run_again(desired, live, tags, asker) or only_tags(desired, live, tags, asker, state)
    if action is not None:
        return replace(action, diff=found, trouble=lost, notes=(*action.notes, f"{lost}: {allow}"))
    why = f"{lost}; another write would restart the group for nothing"
    return refuse(desired, live, why=why, allow=allow, found=found, blocks=False)


def _pointers(changes: Sequence[FieldChange]) -> str:
    more = f" and {len(changes) - 5} more" if len(changes) > 5 else ""
    return ", ".join(pointer(change.path) for change in changes[:5]) + more


def _moving(live: LiveGroup) -> str:
    return (
        f"in transition (provisioning state {live.provisioning}): nothing is done until it settles"
    )


def _deployed(desired: DesiredGroup, live: LiveGroup, found: Diff, asker: Asker) -> Action:
    """The definition is written: in place where that is possible."""
    costly = found.costing(Effect.REPLACE)
    if costly:
        why = f"{_fields(costly)} cannot change in place{_inferred(costly)}"
        return replacement(desired, live, found, asker, why=why)
    moved = found.costing(Effect.UPDATE)
    why = f"{_fields(moved)} can change in place{_inferred(moved)}"
    if live.has_ended:
        why += f"; the group is {live.state} and is deployed anew by it"
    return update(desired, live, found, asker, why=why)


def _inferred(changes: Sequence[FieldChange]) -> str:
    rows = [row_of(change.path) for change in changes]
    is_inferred = any(row is not None and "[INF]" in row.source for row in rows)
    return " (inferred, see 'explain')" if is_inferred else ""


def _fields(changes: Sequence[FieldChange]) -> str:
    names = list(dict.fromkeys(_named(change.path) for change in changes))
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _named(path: Path) -> str:
    """A field as a sentence calls it: an element of a list with its list, a value with its name."""
    if path == SECRETS:
        return "a secret"
    if path[-1] in ("value", "secureValue") and len(path) > 2:
        return f"{path[-3]}/{path[-2]}"
    row = row_of(path)
    is_element = row is not None and row.path[-1] == "*"
    return "/".join(path[-2:] if is_element else path[-1:])


def comparable(desired: DesiredGroup, asker: Asker) -> DesiredGroup:
    """`desired` with only those secrets known that may be compared."""
    if asker.compared is None:
        return desired
    names = asker.compared.get(desired.id.address, frozenset())
    secrets = tuple(
        secret if secret.name in names else _withheld(secret) for secret in desired.secrets
    )
    return replace(desired, secrets=secrets)


def _withheld(secret: Secret) -> Secret:
    if secret.state is not SecretState.KNOWN:
        return secret
    why = "not compared when the plan was made"
    return replace(secret, state=SecretState.UNRESOLVED, reason=why)


def _secret_notes(desired: DesiredGroup, state: StateTag, key: SecretKey | None) -> tuple[str, ...]:
    """Which secrets were not compared, and why."""
    compared = compared_secrets(desired, state, key)
    left = [secret for secret in desired.secrets if secret not in compared]
    if not left:
        return ()
    if key is None:
        return ("secrets not compared: set ACI_RECONCILE_SECRET_KEY to see a rotated one",)
    trust = "until the next write, or --rebaseline-secrets NAME"
    if not state.key_id:
        return (f"secrets not compared: no baseline {trust}",)
    if state.key_id != key.id:
        return (f"secrets not compared: other key, {trust}",)
    lacking = [secret for secret in left if secret.state is not SecretState.KNOWN]
    named = ", ".join(f"{secret.name} ({secret.reason})" for secret in lacking[:3])
    more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
    which = "secrets" if len(left) == len(desired.secrets) else "some secrets"
    return (f"{which} not compared: {named}{more}",)
