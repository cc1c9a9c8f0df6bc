"""What differs between a desired and a live group. The only module that knows deepdiff."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from reconciler.core.groups import DesiredGroup, LiveGroup, Secret, SecretState
from reconciler.core.jsonval import (
    Json,
    JsonObject,
    Path,
    as_object,
    dig,
    parse_pointer,
    pointer,
    without,
)
from reconciler.core.normalise import ORDER
from reconciler.core.ownership import (
    SecretKey,
    StateTag,
    fields_digests,
    foreign_tags,
    left_over,
    merged,
)
from reconciler.core.properties import Access, Effect, row_of

# Where secrets differ that have no path of their own to point at.
SECRETS: Path = ("(secrets)",)
_ADDRESS: Path = ("properties", "ipAddress")


class ChangeKind(Enum):
    """What an apply does to a field."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Origin(Enum):
    """Who moved: the manifest since the last apply, Azure, both, or nobody can tell."""

    CONFIG = "config"
    DRIFT = "drift"
    BOTH = "both"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One path that differs, from what is live (`before`) to what is desired (`after`).

    A `sensitive` change carries no values. `before` and `after` are None where the path is absent.
    `among` names the secrets of which one or more changed, where the tag cannot tell which.
    """

    path: Path
    kind: ChangeKind
    effect: Effect
    before: Json = None
    after: Json = None
    sensitive: bool = False
    among: tuple[str, ...] = ()
    origin: Origin = Origin.UNKNOWN

    def __post_init__(self) -> None:
        """Refuse to hold what must not be known further on.

        Raises:
            ValueError: a sensitive change was given a value.
        """
        if self.sensitive and not (self.before is None and self.after is None):
            raise ValueError(f"the change at {pointer(self.path)} is sensitive and has no values")


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """All that differs for one group, by path."""

    changes: tuple[FieldChange, ...] = ()

    @property
    def effect(self) -> Effect | None:
        """The costliest effect; None when nothing differs."""
        return max((change.effect for change in self.changes), default=None)

    def costing(self, effect: Effect) -> tuple[FieldChange, ...]:
        """The changes with exactly this effect."""
        return tuple(change for change in self.changes if change.effect is effect)

    def __bool__(self) -> bool:
        return bool(self.changes)


def diff(
    desired: DesiredGroup,
    live: LiveGroup,
    *,
    state: StateTag | None = None,
    key: SecretKey | None = None,
) -> Diff:
    """Every difference that an apply would act on; empty means Azure equals git.

    `state` is the state tag when the group is ours: it tells which tag keys we set once and the
    digests of the secrets last written, which `key` makes comparable.
    """
    changes = [
        change
        for change in spec_changes(desired.canonical, live.canonical, desired.policy.ignore)
        if not _is_ignored(change.path, desired.policy.ignore)
        and not (_lacks_address(live) and change.path[:2] == _ADDRESS)
    ]
    changes += _tag_changes(desired.tags, live.tags, state)
    changes += _secret_changes(desired, state, key)
    return Diff(changes=tuple(sorted(changes, key=lambda change: change.path)))


def spec_changes(
    desired: JsonObject, live: JsonObject, ignored: tuple[Path, ...] = ()
) -> list[FieldChange]:
    """What differs between two canonical forms, tags and secrets apart.

    What is `ignored` is written as it is live, so it moves no sum.
    """
    if desired == live:  # deepdiff costs milliseconds, equality microseconds
        return []
    moved = _requests_sum(_cut_off(desired, ignored)) != _requests_sum(_cut_off(live, ignored))
    found = {
        change.path: change
        for path in _differing_paths(desired, live)
        for change in _changes_at(path, desired, live, requests_moved=moved)
    }
    return list(found.values())


def _differing_paths(desired: JsonObject, live: JsonObject) -> Iterator[Path]:
    from deepdiff import DeepDiff

    tree = DeepDiff(
        live,
        desired,
        view="tree",
        # Names are people's: one that starts with two underscores is compared like any other.
        ignore_private_variables=False,
        # Two objects with little in common are still compared member by member.
        threshold_to_diff_deeper=0,
        cache_size=0,
    )
    for nodes in tree.values():
        for node in nodes:
            yield tuple(str(part) for part in node.path(output_format="list"))


def _changes_at(
    path: Path, desired: JsonObject, live: JsonObject, *, requests_moved: bool
) -> Iterator[FieldChange]:
    path, before, after = _cut(path, desired, live)
    for leaf, was, becomes in _leaves(path, before, after):
        if _is_compared(leaf, was, becomes):
            effect = effect_of(leaf, was, becomes, requests_moved=requests_moved)
            yield _change(leaf, was, becomes, effect, sensitive=_is_half_secret(leaf, was, becomes))


def _cut(path: Path, desired: JsonObject, live: JsonObject) -> tuple[Path, Json, Json]:
    """The path up to the first plain list, which is one value, with what both sides hold there."""
    before: Json = live
    after: Json = desired
    for depth, part in enumerate(path):
        if isinstance(before, list) or isinstance(after, list):
            return path[:depth], before, after
        before, after = dig(before, part), dig(after, part)
    return path, before, after


def _leaves(path: Path, before: Json, after: Json) -> Iterator[tuple[Path, Json, Json]]:
    """An object that appears or disappears, field by field; a list element stays one change."""
    whole = before if before is not None else after
    one_sided = before is None or after is None
    if not one_sided or not isinstance(whole, dict) or not whole or _is_element(path):
        yield path, before, after
        return
    for name in whole:
        yield from _leaves((*path, name), dig(before, name), dig(after, name))


def _is_element(path: Path) -> bool:
    holder = row_of(path[:-1])
    return holder is not None and len(holder.path) == len(path) - 1 and bool(holder.key)


def _is_compared(path: Path, before: Json, after: Json) -> bool:
    """Whether it is a change at all: some differences follow from others, or are Azure's choice."""
    if path[-1] == ORDER:
        return _common_order(before, after) != _common_order(after, before)
    row = row_of(path)
    if row is None or (before is not None and after is not None):
        return True
    if row.access is Access.ASSIGNED:
        return after is not None
    if row.access is Access.UNCONFIRMED:
        return False
    # It came or went with the sibling it hangs on; only a value that is not the default asks for
    # anything.
    return not row.only_with or (after is not None and after != row.default)


def _is_half_secret(path: Path, before: Json, after: Json) -> bool:
    """Whether a plain value turns into a secure one, or back.

    The variable is on both sides, its value on one: the other side holds it as a secret.
    """
    is_value = len(path) > 2 and path[-3] == "environmentVariables" and path[-1] == "value"
    return is_value and (before is None or after is None)


def effect_of(path: Path, before: Json, after: Json, *, requests_moved: bool) -> Effect:
    """What the change at `path` costs, by the table.

    Adding or removing a container changes the group's requests and then needs a replace, unless
    their sum stays the same (D.2 [INF]).
    """
    is_container = len(path) == 3 and path[:2] == ("properties", "containers")
    if is_container and (before is None or after is None):
        return Effect.REPLACE if requests_moved else Effect.UPDATE
    row = row_of(path)
    return row.effect if row is not None else Effect.UPDATE


def _requests_sum(canonical: JsonObject) -> tuple[tuple[str, float], ...]:
    totals: dict[str, float] = {}
    for container in as_object(dig(canonical, "properties", "containers")).values():
        requests = as_object(dig(container, "properties", "resources", "requests"))
        for name, amount in requests.items():
            # A GPU is a number and a kind.
            what = f"{name} {amount.get('sku')}" if isinstance(amount, dict) else name
            number = amount.get("count") if isinstance(amount, dict) else amount
            if isinstance(number, int | float):
                totals[what] = round(totals.get(what, 0) + number, 6)
    return tuple(sorted(totals.items()))


def _cut_off(form: JsonObject, paths: tuple[Path, ...]) -> JsonObject:
    for path in paths:
        form = as_object(without(form, path))
    return form


def _common_order(one: Json, other: Json) -> list[Json]:
    names = one if isinstance(one, list) else []
    others = other if isinstance(other, list) else []
    return [name for name in names if name in others]


def _change(
    path: Path, before: Json, after: Json, effect: Effect, *, sensitive: bool = False
) -> FieldChange:
    kind = ChangeKind.CHANGED
    if before is None or after is None:
        kind = ChangeKind.ADDED if before is None else ChangeKind.REMOVED
    return FieldChange(
        path=path,
        kind=kind,
        effect=effect,
        before=None if sensitive else before,
        after=None if sensitive else after,
        sensitive=sensitive,
    )


def _lacks_address(live: LiveGroup) -> bool:
    """Whether a deployment failed before it got its address, which then tells nothing (C.2)."""
    return live.has_failed and dig(live.canonical, *_ADDRESS) is None


def _is_ignored(path: Path, ignored: tuple[Path, ...]) -> bool:
    return any(path[: len(prefix)] == prefix for prefix in ignored)


def _tag_changes(
    desired: Mapping[str, str], live: Mapping[str, str], state: StateTag | None
) -> Iterator[FieldChange]:
    """Tags of others are none of our business; a key we set once and no longer want is."""
    have = {key.lower(): (key, value) for key, value in foreign_tags(live).items()}
    for key, value in desired.items():
        was = have.get(key.lower(), (key, None))[1]
        if was != value:
            yield _change(("tags", key), was, value, Effect.TAGS)
    for lowered in left_over(have, desired, state):
        key, value = have[lowered]
        yield _change(("tags", key), value, None, Effect.TAGS)


def _secret_changes(
    desired: DesiredGroup, state: StateTag | None, key: SecretKey | None
) -> Iterator[FieldChange]:
    compared = compared_secrets(desired, state, key)
    if state is None or key is None or state.key_id != key.id or (desired.secrets and not compared):
        return
    now = {key.digest(desired.id, secret): secret for secret in compared}
    if state.secrets_merged:
        if {merged(now)} != state.secrets:
            yield _secret_change(SECRETS, among=tuple(secret.name for secret in compared))
        return
    moved = [secret for digest, secret in now.items() if digest not in state.secrets]
    for secret in moved:
        yield _secret_change(parse_pointer(secret.name))
    # One that left the manifest: its digest does not tell its name, nor whether it is one that
    # could not be resolved here.
    if not moved and len(compared) == len(desired.secrets) and state.secrets - set(now):
        yield _secret_change(SECRETS)


def is_rotation(change: FieldChange) -> bool:
    """Whether it is a secret that differs from the one written last."""
    row = row_of(change.path)
    return change.path == SECRETS or (row is not None and row.access is Access.WRITE_ONLY)


def digests_of(changes: Iterable[FieldChange]) -> frozenset[str]:
    """What the state tag remembers of changes that Azure did not take."""
    return fields_digests((one.path, one.before, one.after) for one in changes)


def known_not_taken(changes: Iterable[FieldChange], state: StateTag) -> frozenset[Path]:
    """Where `changes` are just what Azure did not take in the last write, tags apart."""
    costly = [one for one in changes if one.effect > Effect.TAGS and not is_rotation(one)]
    if not state.not_taken or not costly:
        return frozenset()
    if digests_of(costly) <= state.not_taken:
        return frozenset(one.path for one in costly)  # also of many, which share one digest
    return frozenset(one.path for one in costly if digests_of([one]) <= state.not_taken)


def _secret_change(path: Path, *, among: tuple[str, ...] = ()) -> FieldChange:
    row = row_of(path)
    effect = row.effect if row is not None else Effect.UPDATE
    return FieldChange(
        path=path, kind=ChangeKind.CHANGED, effect=effect, sensitive=True, among=among
    )


def compared_secrets(
    desired: DesiredGroup, state: StateTag | None, key: SecretKey | None
) -> tuple[Secret, ...]:
    """The secrets of which a rotation would be seen: same key as last time, and a value at hand.

    Where the tag holds one digest for all of them, it takes every value to compare any.
    """
    if key is None or state is None or state.key_id != key.id:
        return ()
    known = desired.lacking(SecretState.KNOWN)
    return known if len(known) == len(desired.secrets) or not state.secrets_merged else ()
