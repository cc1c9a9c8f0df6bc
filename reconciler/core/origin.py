"""Who moved: the manifest since the last apply, or Azure. It labels changes and decides nothing."""

from __future__ import annotations

from dataclasses import replace

from reconciler.core.diff import ChangeKind, Diff, FieldChange, Origin
from reconciler.core.groups import DesiredGroup, LiveGroup
from reconciler.core.normalise import NORMALISER_VERSION
from reconciler.core.ownership import StateTag, desired_hash, live_hash


def labelled(found: Diff, desired: DesiredGroup, live: LiveGroup, state: StateTag) -> Diff:
    """`found` with the origin of each change."""
    origin = origin_of(found, desired, live, state)
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


def origin_of(found: Diff, desired: DesiredGroup, live: LiveGroup, state: StateTag) -> Origin:
    """Who moved the group as a whole, told by the hash of what was last applied."""
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
            # Outside the hash are secrets, which move in the manifest, and what Azure may choose.
            only_secrets = all(_is_rotation(change) for change in found.changes)
            return Origin.CONFIG if only_secrets else Origin.UNKNOWN
