"""Snapshots: what Azure holds, kept for whoever may not ask it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from reconciler.app.asked import Azure, Consent, History, Wanted
from reconciler.app.place import seen
from reconciler.app.planning import explained, made, who_asks
from reconciler.core.binding import AsOf
from reconciler.core.groups import LiveGroup, LiveResourceGroup
from reconciler.core.jsonval import Path, pointer
from reconciler.core.ownership import SecretKey
from reconciler.core.plan import Plan
from reconciler.core.snapshot import Snapshot, restored, saved
from reconciler.errors import PlanRefused
from reconciler.execute.look import live_of
from reconciler.execute.observe import Observed

_Hidden: TypeAlias = Mapping[str, tuple[Path, ...]]  # by address: where nothing was compared
_NAMED = 3  # places that a note names


def take(wanted: Wanted, azure: Azure) -> Snapshot:
    """What Azure holds now, fit to be kept: one LIST of groups, one of resource groups.

    Raises:
        AzureError: something could not be read.
    """
    observed = seen(wanted, azure)
    return Snapshot(
        subscription=wanted.subscription,
        owner=wanted.owner,
        taken=azure.clock.now(),
        key_id=azure.key.id if azure.key is not None else "",
        groups=tuple(saved(live, owner=wanted.owner, key=azure.key) for live in observed.groups),
        resource_groups=observed.resource_groups,
        notes=observed.notes,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """A snapshot with where it comes from, and the key of whoever looks at it now."""

    snapshot: Snapshot
    as_of: AsOf
    key: SecretKey | None = None


def plan_against(
    wanted: Wanted,
    recalled: Recalled,
    consent: Consent,
    *,
    history: History | None = None,
    applied: History | None = None,
) -> Plan:
    """What would be done if Azure still held what the snapshot says; Azure is not asked.

    How containers do is in no LIST answer, so what depends on it is planned as if they ran.

    Raises:
        PlanRefused: the snapshot is of another subscription, or for another owner.
        UsageError: as for `plan`.
    """
    _check(wanted, recalled)
    observed, hidden = _observed(wanted, recalled)
    asker, skipped = who_asks(wanted, recalled.key, consent, observed)
    planned = explained(made(wanted, observed, asker, consent, skipped), history, applied)
    actions = tuple(
        replace(
            action, notes=(*action.notes, _uncompared(hidden[action.address], recalled.snapshot))
        )
        if action.address in hidden
        else action
        for action in planned.actions
    )
    says = f"against {recalled.as_of}: Azure was not asked, nor how containers do"
    notes = (says, *planned.notes)
    return replace(planned, actions=actions, notes=notes, as_of=recalled.as_of)


def _check(wanted: Wanted, recalled: Recalled) -> None:
    snapshot = recalled.snapshot
    if snapshot.subscription.lower() != wanted.subscription.lower():
        raise PlanRefused(
            f"{recalled.as_of.file} is of subscription {snapshot.subscription},"
            f" this project is for {wanted.subscription}",
            hint="take a snapshot with the environment that is planned for",
        )
    if not snapshot.is_whole and snapshot.owner != wanted.owner:
        raise PlanRefused(
            f"{recalled.as_of.file} was taken for owner '{snapshot.owner}',"
            f" this project is of '{wanted.owner}'",
            hint="take a snapshot with the environment that is planned for",
        )


def _observed(wanted: Wanted, recalled: Recalled) -> tuple[Observed, _Hidden]:
    snapshot = recalled.snapshot
    if snapshot.is_whole:
        lives = tuple(live_of(body) for body in snapshot.groups)
        # Nothing is known of resource groups: only those that are declared matter.
        homes = tuple(
            LiveResourceGroup(id=home.id, location=home.location, tags=home.tags)
            for home in wanted.resource_groups
        )
        note = ("resource groups are not in it: those declared are taken to exist",)
        return Observed(groups=lives, resource_groups=homes, notes=note if homes else ()), {}
    key = recalled.key if recalled.key and recalled.key.id == snapshot.key_id else None
    named = {group.id.address: group for group in wanted.groups}
    found: list[LiveGroup] = []
    hidden: dict[str, tuple[Path, ...]] = {}
    for body in snapshot.groups:
        address = live_of({**body, "properties": {}}).id.address
        live, unknown = restored(body, named.get(address), key)
        found.append(live)
        if unknown:
            hidden[address] = unknown
    homes = snapshot.resource_groups
    return Observed(groups=tuple(found), resource_groups=homes, notes=snapshot.notes), hidden


def _uncompared(paths: tuple[Path, ...], snapshot: Snapshot) -> str:
    named = ", ".join(pointer(path) for path in paths[:_NAMED])
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    why = f"without key {snapshot.key_id}" if snapshot.key_id else "left out of the snapshot"
    return f"not compared, {why}: {named}{more}"
