"""What differs between two desired states, such as those of two environments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from reconciler.core.diff import ChangeKind, Diff, FieldChange, spec_changes
from reconciler.core.groups import DesiredGroup, DesiredResourceGroup, Secret
from reconciler.core.jsonval import Json, JsonObject, Path, as_object, parse_pointer
from reconciler.core.normalise import fold_text
from reconciler.core.properties import Effect, row_of
from reconciler.core.stated import stated

_Desired = TypeVar("_Desired", DesiredGroup, DesiredResourceGroup)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One group, or resource group, as two environments want it; None where one has no such."""

    before: DesiredGroup | DesiredResourceGroup | None
    after: DesiredGroup | DesiredResourceGroup | None
    diff: Diff = field(default_factory=Diff)

    @property
    def is_equal(self) -> bool:
        """Whether both have it and want the same of it."""
        return self.before is not None and self.after is not None and not self.diff


def compared(
    before: Sequence[DesiredGroup], after: Sequence[DesiredGroup]
) -> tuple[Comparison, ...]:
    """Each group of either, by name.

    Two groups are the same when one manifest declares both; otherwise when their resource group and
    name are equal; otherwise when their name is, and each side has it once among those left. Where
    they live (resource group, subscription) says which environment it is, and is no difference.
    """
    return _compared(before, after, keys=(_manifest, _address, _name), between=between)


def compared_homes(
    before: Sequence[DesiredResourceGroup], after: Sequence[DesiredResourceGroup]
) -> tuple[Comparison, ...]:
    """Each resource group of either, by name.

    Two are the same when one manifest declares both, otherwise when their name is equal; that one
    manifest calls them differently is no difference.
    """
    return _compared(before, after, keys=(_manifest, _name), between=between_homes)


def _compared(
    before: Sequence[_Desired],
    after: Sequence[_Desired],
    *,
    keys: Sequence[Callable[[_Desired], Hashable]],
    between: Callable[[_Desired, _Desired], Diff],
) -> tuple[Comparison, ...]:
    found: list[Comparison] = []
    left, right = list(before), list(after)
    for key in keys:
        for one, other in _pairs(left, right, key):
            left.remove(one)
            right.remove(other)
            found.append(Comparison(before=one, after=other, diff=between(one, other)))
    found += [Comparison(before=one, after=None) for one in left]
    found += [Comparison(before=None, after=one) for one in right]
    return tuple(sorted(found, key=_order))


def between(before: DesiredGroup, after: DesiredGroup) -> Diff:
    """Every field that two desired groups want differently, `reconcile` included."""
    changes = [
        *spec_changes(after.canonical, before.canonical),
        *_members(("tags",), dict(before.tags), dict(after.tags)),
        *_members(("reconcile",), _policy(before), _policy(after)),
    ]
    whole = [change.path for change in changes if change.kind is not ChangeKind.CHANGED]
    changes += [
        change
        for change in _secrets(before.secrets, after.secrets)
        # An element that comes or goes has its secrets with it.
        if not any(change.path[: len(path)] == path for path in whole)
    ]
    return Diff(changes=tuple(sorted(changes, key=lambda change: change.path)))


def between_homes(before: DesiredResourceGroup, after: DesiredResourceGroup) -> Diff:
    """Every field that two resource groups are declared with differently."""
    changes = [*_members(("tags",), dict(before.tags), dict(after.tags))]
    region = row_of(("location",))
    assert region is not None
    if fold_text(before.location, region) != fold_text(after.location, region):
        changes.append(_change(region.path, before.location, after.location, region.effect))
    return Diff(changes=tuple(sorted(changes, key=lambda change: change.path)))


def _pairs(
    left: Sequence[_Desired],
    right: Sequence[_Desired],
    key: Callable[[_Desired], Hashable],
) -> list[tuple[_Desired, _Desired]]:
    """Groups with the same key, where it is the key of one on each side."""
    ours, theirs = Counter(map(key, left)), Counter(map(key, right))
    by_key = {key(one): one for one in right}
    return [
        (one, by_key[key(one)]) for one in left if ours[key(one)] == 1 and theirs[key(one)] == 1
    ]


def _manifest(group: DesiredGroup | DesiredResourceGroup) -> Hashable:
    return group.where.file, group.where.mark


def _address(group: DesiredGroup) -> Hashable:
    return group.id.resource_group.lower(), group.id.name.lower()


def _name(group: DesiredGroup | DesiredResourceGroup) -> Hashable:
    return group.id.name.lower()


def _order(one: Comparison) -> tuple[str, str]:
    ids = [group.id for group in (one.before, one.after) if group is not None]
    return ids[0].name.lower(), ids[0].address


def _policy(group: DesiredGroup) -> JsonObject:
    """The block flat, dependencies by name: their resource groups differ as its own does."""
    block = stated(group)
    wait = {f"wait/{name}": value for name, value in as_object(block.pop("wait")).items()}
    if group.policy.depends_on:
        block["dependsOn"] = [one.name for one in group.policy.depends_on]
    return {**block, **wait}


def _members(root: Path, before: JsonObject, after: JsonObject) -> Iterator[FieldChange]:
    names = {_folded(root, name): name for name in (*before, *after)}
    old = {_folded(root, name): value for name, value in before.items()}
    new = {_folded(root, name): value for name, value in after.items()}
    for folded, name in names.items():
        was, becomes = old.get(folded), new.get(folded)
        if was != becomes:
            path = (*root, *(name.split("/") if root == ("reconcile",) else (name,)))
            yield _change(path, was, becomes, Effect.TAGS)


def _folded(root: Path, name: str) -> str:
    """Tag keys compare without case."""
    return name.lower() if root == ("tags",) else name


def _secrets(before: Sequence[Secret], after: Sequence[Secret]) -> Iterator[FieldChange]:
    """Secrets that are referred to differently; values are compared where they are written down."""
    old = {secret.name: secret for secret in before}
    new = {secret.name: secret for secret in after}
    for name in {**old, **new}:
        was, becomes = old.get(name), new.get(name)
        if was is None or becomes is None or _said(was) != _said(becomes):
            path = parse_pointer(name)
            row = row_of(path)
            effect = row.effect if row is not None else Effect.UPDATE
            kind = _kind(is_before=was is not None, is_after=becomes is not None)
            yield FieldChange(path=path, kind=kind, effect=effect, sensitive=True)


def _said(secret: Secret) -> Json:
    """What the manifest says in the place of a secret; of one that is written down the value."""
    return secret.source if secret.source is not None else secret.value


def _change(path: Path, before: Json, after: Json, effect: Effect) -> FieldChange:
    kind = _kind(is_before=before is not None, is_after=after is not None)
    return FieldChange(path=path, kind=kind, effect=effect, before=before, after=after)


def _kind(*, is_before: bool, is_after: bool) -> ChangeKind:
    if is_before and is_after:
        return ChangeKind.CHANGED
    return ChangeKind.REMOVED if is_before else ChangeKind.ADDED
