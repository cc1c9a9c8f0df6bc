"""Reading Azure: one LIST for the whole subscription, a GET only where run state matters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import TypeVar

from reconciler.core.asker import Asker
from reconciler.core.cloud import Cloud
from reconciler.core.decide import needs_view
from reconciler.core.groups import (
    DesiredGroup,
    DesiredResourceGroup,
    LiveGroup,
    LiveResourceGroup,
    live_resource_group,
)
from reconciler.core.ids import GroupId, ResourceGroupId
from reconciler.core.jsonval import Json
from reconciler.errors import Forbidden, OperationTimedOut
from reconciler.execute.look import live_of, view
from reconciler.execute.pool import at_once
from reconciler.execute.wait import OPERATION_TIMEOUT, Waiter

_FEW_TASKS = 20
_Out = TypeVar("_Out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What Azure holds; `notes` say what could not be looked at.

    `is_bounded`: only known resource groups were looked at, and of these not the `closed` ones.
    """

    groups: tuple[LiveGroup, ...]
    resource_groups: tuple[LiveResourceGroup, ...]
    notes: tuple[str, ...] = ()
    is_bounded: bool = False
    closed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where to look: a subscription, and the resource groups to fall back on.

    Of these, all that manifests and environments name, the `needed` ones must be readable.
    """

    subscription: str
    resource_groups: tuple[str, ...]
    needed: frozenset[str] = frozenset()  # in lower case


def observe(cloud: Cloud, scope: Scope) -> Observed:
    """Everything in scope, without instance views.

    Raises:
        AzureError: something could not be read. A failed read is never taken for "nothing there".
    """
    homes = _resource_groups(cloud, scope)
    try:
        bodies = cloud.groups(scope.subscription)
    except Forbidden:
        return _observe_by_resource_group(cloud, scope, homes)
    return Observed(groups=_lives(bodies), resource_groups=homes)


def with_views(
    cloud: Cloud, observed: Observed, desired: Iterable[DesiredGroup], asker: Asker, *, workers: int
) -> Observed:
    """`observed` with the instance view of each group whose action depends on it.

    Tasks are looked at too, to tell which have failed, as long as they are few: that decides
    nothing, and in a fleet it would cost a GET each.
    """
    wanted = {group.id.address: group for group in desired}
    seen: dict[str, GroupId] = {}
    tasks: dict[str, GroupId] = {}
    for live in observed.groups:
        mine = wanted.get(live.id.address)
        if mine is not None and needs_view(mine, live, asker):
            seen[live.id.address] = live.id
        elif mine is not None and mine.is_task and not live.in_transition:
            tasks[live.id.address] = live.id
    notes = observed.notes
    if len(tasks) > _FEW_TASKS:
        notes += (f"how {len(tasks)} tasks ended was not looked at: see 'aci-reconcile status'",)
    else:
        seen |= tasks
    if not seen:
        return replace(observed, notes=notes)
    fresh = view_all(cloud, list(seen.values()), workers=workers)
    groups = [fresh[g.id.address] if g.id.address in seen else g for g in observed.groups]
    present = tuple(group for group in groups if group is not None)
    return replace(observed, groups=present, notes=notes)


def settled(
    observed: Observed, wanted: AbstractSet[str], waiter: Waiter, *, workers: int
) -> Observed:
    """`observed` once no operation runs any more on the groups at the `wanted` addresses.

    An apply that was cut off, or somebody else, may have left one in transition: what Azure is
    still changing cannot be compared, and it refuses writes until then (B.2). One that does not
    settle stays as it is, in transition, and holds up nobody else.
    """
    moving = [g for g in observed.groups if g.in_transition and g.id.address in wanted]
    if not moving:
        return observed

    until = waiter.clock.now() + OPERATION_TIMEOUT

    def settle(live: LiveGroup) -> LiveGroup | None:
        try:
            return waiter.settled(live.id, until=until)
        except OperationTimedOut:
            return live

    found = at_once(settle, moving, workers=workers)
    fresh = dict(zip((live.id.address for live in moving), found, strict=True))
    groups = [fresh.get(g.id.address, g) for g in observed.groups]
    return replace(observed, groups=tuple(group for group in groups if group is not None))


def view_all(cloud: Cloud, ids: Sequence[GroupId], *, workers: int) -> dict[str, LiveGroup | None]:
    """Each group with its instance view, by address; None for one that is gone by now."""
    found = at_once(lambda i: view(cloud, i), ids, workers=workers)
    return dict(zip((i.address for i in ids), found, strict=True))


def scope_of(
    subscription: str,
    known: Iterable[str],
    desired: Iterable[DesiredGroup],
    declared: Iterable[DesiredResourceGroup],
) -> Scope:
    """Where the manifests point to, and what else is known to be ours."""
    needed = [*(g.id.resource_group for g in desired), *(g.id.name for g in declared)]
    unique = {name.lower(): name for name in (*known, *needed)}
    return Scope(
        subscription=subscription,
        resource_groups=tuple(unique[n] for n in sorted(unique)),
        needed=frozenset(name.lower() for name in needed),
    )


def _resource_groups(cloud: Cloud, scope: Scope) -> tuple[LiveResourceGroup, ...]:
    try:
        bodies = cloud.resource_groups(scope.subscription)
    except Forbidden:
        found = [_readable(cloud.resource_group, home, scope) for home in _homes(scope)]
        bodies = [body for body, is_read in found if is_read and body is not None]
    return tuple(live_resource_group(scope.subscription, body) for body in bodies)


def _observe_by_resource_group(
    cloud: Cloud, scope: Scope, homes: tuple[LiveResourceGroup, ...]
) -> Observed:
    found: list[LiveGroup] = []
    looked: list[str] = []
    closed: list[str] = []
    for home in _homes(scope):
        bodies, is_read = _readable(cloud.groups_in, home, scope)
        found += _lives(bodies or ())
        (looked if is_read else closed).append(home.name)
    names = ", ".join(looked) or "none"
    notes = [f"the subscription may not be listed: looked only at resource groups {names}"]
    if closed:
        notes.append(f"not allowed to look at resource groups {', '.join(closed)}")
    return Observed(
        groups=tuple(found),
        resource_groups=homes,
        notes=tuple(notes),
        is_bounded=True,
        closed=tuple(closed),
    )


def _homes(scope: Scope) -> list[ResourceGroupId]:
    names = scope.resource_groups
    return [ResourceGroupId(subscription=scope.subscription, name=name) for name in names]


def _readable(
    read: Callable[[ResourceGroupId], _Out], home: ResourceGroupId, scope: Scope
) -> tuple[_Out | None, bool]:
    """What was read, and whether it could be: another environment's home may be closed to us."""
    try:
        return read(home), True
    except Forbidden:
        if home.name.lower() in scope.needed:
            raise
        return None, False


def _lives(bodies: Sequence[Json]) -> tuple[LiveGroup, ...]:
    return tuple(live_of(body) for body in bodies)
