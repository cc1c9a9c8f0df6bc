"""Who moved: the manifest since the last apply, or Azure. It labels changes and decides nothing.

The state tag's hash tells who moved in a group as a whole. Where both did, only the manifest at the
applied commit tells which field is whose.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from reconciler.core.diff import Diff, FieldChange, Origin, diff, is_rotation, known_not_taken
from reconciler.core.groups import DesiredGroup, LiveGroup, with_location
from reconciler.core.jsonval import Json, Path, as_list, as_text, dig
from reconciler.core.moved import as_applied
from reconciler.core.normalise import NORMALISER_VERSION, ORDER
from reconciler.core.ownership import (
    Ownership,
    StateTag,
    desired_hash,
    live_hash,
    ownership_of,
    state_of,
    tag,
)
from reconciler.core.plan import Action, Plan
from reconciler.core.properties import Access, row_of


def labelled(found: Diff, desired: DesiredGroup, live: LiveGroup, state: StateTag) -> Diff:
    """`found` with the origin of each change, as far as the state tag tells it."""
    origin = _by_hashes(found, desired, live, state)
    lost = known_not_taken(found.changes, state)
    changes = [replace(change, origin=_by_hash(change, origin, lost)) for change in found.changes]
    return Diff(changes=tuple(changes))


def _by_hash(change: FieldChange, group: Origin, lost: frozenset[Path]) -> Origin:
    if is_rotation(change):
        return Origin.CONFIG  # compared with what was last written: only the manifest can move
    # What the hash leaves out may have moved on either side, whatever the hash says, and what
    # Azure did not take was moved by nobody.
    is_told = group is not Origin.BOTH and not _is_unhashed(change.path)
    return group if is_told and change.path not in lost else Origin.UNKNOWN


def _is_unhashed(path: Path) -> bool:
    row = row_of(path)
    return row is not None and row.access in (Access.ASSIGNED, Access.UNCONFIRMED)


def origin_of(found: Diff, desired: DesiredGroup, live: LiveGroup, state: StateTag) -> Origin:
    """Who moved the group as a whole, told by what was last applied."""
    origin = _by_hashes(found, desired, live, state)
    is_rotated = any(is_rotation(change) for change in found.changes)
    return Origin.BOTH if is_rotated and origin is Origin.DRIFT else origin


def _by_hashes(found: Diff, desired: DesiredGroup, live: LiveGroup, state: StateTag) -> Origin:
    if not found or state.hash_version != NORMALISER_VERSION:
        return Origin.UNKNOWN
    manifest_moved = desired_hash(desired) != state.spec
    azure_moved = live_hash(live, desired, state) != state.spec
    if state.not_taken and azure_moved:
        # The hash differs since the write itself; only what differs besides was moved by somebody.
        lost = known_not_taken(found.changes, state)
        azure_moved = not manifest_moved and any(
            not is_rotation(change) and change.path not in lost for change in found.changes
        )
        if manifest_moved or not azure_moved:
            return Origin.UNKNOWN
    match manifest_moved, azure_moved:
        case True, True:
            return Origin.BOTH
        case True, False:
            return Origin.CONFIG
        case False, True:
            return Origin.DRIFT
        case _:
            # Outside the hash are secrets, which move in the manifest, and what Azure may choose.
            only_secrets = all(is_rotation(change) for change in found.changes)
            return Origin.CONFIG if only_secrets else Origin.UNKNOWN


def commits_to_ask(plan: Plan) -> tuple[str, ...]:
    """The applied commits whose manifests would tell what the state tags do not; as a tag says.

    Those come first that most groups were applied at.
    """
    states = [_open_question(action, plan.owner) for action in plan.actions]
    commits = Counter(state.commit for state in states if state is not None and state.commit)
    return tuple(sorted(commits, key=lambda commit: (-commits[commit], commit)))


def with_history(plan: Plan, applied: Mapping[str, Mapping[str, DesiredGroup]]) -> Plan:
    """`plan` with the labels that the manifests of then tell: by commit, groups by address.

    A manifest is believed only where it has the hash that the state tag remembers: the files may
    have differed from the commit, a variable or the normaliser may have changed since.
    """
    return replace(
        plan, actions=tuple(_told(action, plan.owner, applied) for action in plan.actions)
    )


def _open_question(action: Action, owner: str) -> StateTag | None:
    """The state tag of a group of ours with a change that it does not label."""
    live = action.live
    open_paths = {c.path for c in action.diff.changes if c.origin is Origin.UNKNOWN}
    if live is None or not open_paths or ownership_of(live, owner) is not Ownership.OURS:
        return None
    state = state_of(live)
    if state is None or state.hash_version != NORMALISER_VERSION:
        return None
    return state if open_paths - _lost(action, state) else None


def _lost(action: Action, state: StateTag) -> frozenset[Path]:
    return known_not_taken(action.diff.changes, state)


def _told(action: Action, owner: str, applied: Mapping[str, Mapping[str, DesiredGroup]]) -> Action:
    state, live = _open_question(action, owner), action.live
    if state is None or live is None:
        return action
    then = applied.get(state.commit, {}).get(action.address)
    if then is None:
        return action
    # A group stays in its region; the manifest may have left that to its resource group.
    then = with_location(then, as_text(live.body.get("location")))
    then = as_applied(then, live, state) or then
    if desired_hash(then) != state.spec:
        return action
    moved = frozenset(_key(change.path) for change in diff(then, live).changes)
    lost = _lost(action, state)
    changes = tuple(
        replace(change, origin=_by_values(change, then, action, moved))
        if change.origin is Origin.UNKNOWN and change.path not in lost
        else change
        for change in action.diff.changes
    )
    return replace(action, diff=Diff(changes=changes), origin=_together(action.origin, changes))


def _together(group: Origin, changes: tuple[FieldChange, ...]) -> Origin:
    """Who moved the group, once its fields are told: more than its hash knew, never less."""
    told = {group, *(change.origin for change in changes)} - {Origin.UNKNOWN}
    if len(told) > 1:
        return Origin.BOTH
    return next(iter(told), Origin.UNKNOWN)


def _by_values(
    change: FieldChange, then: DesiredGroup, action: Action, moved: frozenset[Path]
) -> Origin:
    """Who moved one field, by its value then, now and in Azure.

    `moved` are the paths at which Azure differs from the manifest of then.
    """
    path = change.path
    if any(path[: len(ignored)] == ignored for ignored in then.policy.ignore):
        return Origin.UNKNOWN  # what was written there was Azure's own value, not the manifest's
    if _came_whole(moved, path, then):
        return Origin.BOTH
    manifest_moved = not _is_same(path, *_then_and_now(change, then, action))
    azure_moved = _touches(moved, path)
    if manifest_moved and azure_moved:
        return Origin.BOTH
    if manifest_moved or azure_moved:
        return Origin.CONFIG if manifest_moved else Origin.DRIFT
    # Elements that were not there then have come on both sides, in another order.
    return Origin.BOTH if path[-1] == ORDER else Origin.UNKNOWN


def _then_and_now(change: FieldChange, then: DesiredGroup, action: Action) -> tuple[Json, Json]:
    """What the manifest said then, and what it says now."""
    if change.path[0] == "tags":
        return tag(then.tags, change.path[-1].lower()), change.after
    was = dig(then.canonical, *change.path)
    if not change.sensitive or action.desired is None:
        return was, change.after
    # A sensitive change carries no value. The two are compared here and go no further.
    return was, dig(action.desired.canonical, *change.path)


def _is_same(path: Path, one: Json, other: Json) -> bool:
    if path[-1] != ORDER:
        return one == other
    names, others = as_list(one), as_list(other)
    return [n for n in names if n in others] == [n for n in others if n in names]


def _came_whole(moved: frozenset[Path], path: Path, then: DesiredGroup) -> bool:
    """Whether `path` lies in a list element that was not there then and has come on both sides."""
    inside = (path[:depth] for depth in range(1, len(path)))
    return any(one in moved and dig(then.canonical, *one) is None for one in inside)


def _touches(moved: frozenset[Path], path: Path) -> bool:
    """Whether Azure moved what lies at `path`, or something in it."""
    key = _key(path)
    return any(other[: len(key)] == key for other in moved)


def _key(path: Path) -> Path:
    """A path that can be looked up: tag keys compare without case."""
    return (path[0], *(part.lower() for part in path[1:])) if path[0] == "tags" else path
