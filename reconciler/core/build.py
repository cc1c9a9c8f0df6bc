"""From everything read to a plan: one action a target, orphans, and the safety rails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from reconciler.core.asker import Asker
from reconciler.core.decide import comparable, decide, decide_resource_group
from reconciler.core.diff import compared_secrets
from reconciler.core.groups import (
    DesiredGroup,
    DesiredResourceGroup,
    LiveGroup,
    LiveResourceGroup,
    with_location,
)
from reconciler.core.jsonval import as_text
from reconciler.core.order import ordered
from reconciler.core.ownership import Ownership, ownership_of, state_of
from reconciler.core.plan import Action, ActionKind, Orphan, Plan, Rail
from reconciler.core.policy import Limits, Prune
from reconciler.core.rails import nothing_wanted, partly_seen, rails
from reconciler.core.removal import removal

_ORPHANED = "ours, and no manifest names it"
_LIFT = "bring its manifest back with 'reconcile: {protect: false}', apply, then remove it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that a plan depends on.

    `live` holds every group that was listed, those we do not own included. `left_out` are addresses
    the user excluded. `allow` is counted consent by kind, see `core.rails`. `asks_to_prune`: not
    only the project's policy, but this very run is to remove what no manifest names.
    """

    subscription: str
    asker: Asker
    desired: Sequence[DesiredGroup]
    declared: Sequence[DesiredResourceGroup]
    live: Sequence[LiveGroup]
    resource_groups: Sequence[LiveResourceGroup]
    limits: Limits
    is_complete: bool
    allow: Mapping[str, int] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    is_selection: bool = False  # only what was named is in scope
    asks_to_prune: bool = False
    notes: tuple[str, ...] = ()


def build_plan(given: Situation) -> Plan:
    """The plan for a situation: total, sorted, independent of the order of what was read."""
    live = {group.id.address: group for group in given.live}
    skipped = given.left_out | _homes_left_out(given)
    actions = [action for action in _wanted(given, live) if action.address not in skipped]
    removals, orphans, notes = _removals(given, live)
    listed = {action.address for action in (*actions, *removals)}
    unlisted = [group for address, group in sorted(live.items()) if address not in listed]
    owned = [g for g in live.values() if ownership_of(g, given.asker.owner) is Ownership.OURS]
    final = ordered([*actions, *removals], unlisted)
    return Plan(
        owner=given.asker.owner,
        subscription=given.subscription,
        actions=final,
        orphans=orphans,
        rails=(
            *_forbidden(given, orphans),
            *rails(
                final,
                given.limits,
                owned=len(owned),
                allow=given.allow,
                replaced=given.asker.replace,
            ),
        ),
        notes=(*given.notes, *notes),
        is_complete=given.is_complete,
        owned=len(owned),
        compared=_compared(final, given.asker),
    )


def _compared(actions: Sequence[Action], asker: Asker) -> Mapping[str, tuple[str, ...]]:
    """The names of the secrets of which a rotation was looked for, by address."""
    found = {}
    for action in actions:
        if action.desired is None or action.live is None:
            continue
        secrets = compared_secrets(
            comparable(action.desired, asker), state_of(action.live), asker.key
        )
        if secrets:
            found[action.address] = tuple(sorted(secret.name for secret in secrets))
    return found


def _homes_left_out(given: Situation) -> frozenset[str]:
    """The resource groups that nothing in scope needs: of a selection the others, too."""
    if not (given.left_out or given.is_selection):
        return frozenset()
    needed = {d.id.parent.address: False for d in given.desired}
    chosen = [d for d in given.desired if d.id.address not in given.left_out]
    needed |= {d.id.parent.address: True for d in chosen}
    return frozenset(
        home.id.address
        for home in given.declared
        if not needed.get(home.id.address, not given.is_selection)
    )


def _forbidden(given: Situation, orphans: Sequence[Orphan]) -> Iterator[Rail]:
    """What no consent allows."""
    if given.asks_to_prune and not given.is_complete:
        yield partly_seen()
    is_empty = given.is_complete and not given.desired  # a resource group is nothing that runs
    if is_empty and orphans and given.limits.prune is Prune.DELETE:
        yield nothing_wanted(len(orphans))


def _wanted(given: Situation, live: Mapping[str, LiveGroup]) -> list[Action]:
    existing = {group.id.address: group for group in given.resource_groups}
    declared = {group.id.address: group for group in given.declared}
    actions = [
        decide_resource_group(group, existing.get(address)) for address, group in declared.items()
    ]
    for desired in given.desired:
        parent = desired.id.parent.address
        home = existing.get(parent) or declared.get(parent)
        there = live.get(desired.id.address)
        placed = with_location(desired, _location(home, there))
        action = decide(placed, there, given.asker)
        actions.append(action if home is not None else _homeless(action, placed))
    return actions


def _location(home: LiveResourceGroup | DesiredResourceGroup | None, live: LiveGroup | None) -> str:
    """Where a group goes whose manifest does not say; it stays where the home is not known."""
    if home is not None:
        return home.location
    return as_text(live.body.get("location")) if live is not None else ""


def _homeless(action: Action, desired: DesiredGroup) -> Action:
    if action.kind is not ActionKind.CREATE:
        return action
    name = desired.id.resource_group
    return replace(
        action,
        kind=ActionKind.REFUSE,
        why=f"resource group '{name}' does not exist",
        allow="declare it with 'type: Microsoft.Resources/resourceGroups', or create it",
    )


def _removals(
    given: Situation, live: Mapping[str, LiveGroup]
) -> tuple[list[Action], tuple[Orphan, ...], tuple[str, ...]]:
    """Groups of ours that no manifest names: to delete, or only to report."""
    if not given.is_complete:
        return [], (), ("partial scope: orphans were not looked for, nothing is removed",)
    named = {desired.id.address for desired in given.desired}
    orphans = [
        group
        for address, group in sorted(live.items())
        if address not in named
        and address not in given.left_out
        and ownership_of(group, given.asker.owner) is Ownership.OURS
    ]
    if not orphans:
        return [], (), ()
    if not given.desired:
        reported = tuple(Orphan(live=group, note="no manifest names it") for group in orphans)
        return [], reported, ("no manifests at all: nothing is removed; see 'destroy'",)
    missing = {d.id.name.lower() for d in given.desired if d.id.address not in live}
    return _sorted_out(given, orphans, missing)


def _sorted_out(
    given: Situation, orphans: Sequence[LiveGroup], missing: AbstractSet[str]
) -> tuple[list[Action], tuple[Orphan, ...], tuple[str, ...]]:
    moves = {group.id.address for group in orphans if group.id.name.lower() in missing}
    # Consent is to a number of moves; for more than that it was given for another plan.
    may_move = given.allow.get("move", 0) >= len(moves)
    removals: list[Action] = []
    reported: list[Orphan] = []
    for group in orphans:
        is_move = group.id.address in moves
        if group.in_transition:
            note = f"in transition (provisioning state {group.provisioning}): left until it settles"
            reported.append(Orphan(live=group, note=note))
        elif given.limits.prune is Prune.REPORT:
            note = (
                "a group of this name is created elsewhere: a move"
                if is_move
                else "no manifest names it"
            )
            reported.append(Orphan(live=group, note=note))
        elif is_move and not may_move:
            note = (
                "moved: this plan creates its name elsewhere; "
                f"delete the old one with --allow move={len(moves)}"
            )
            reported.append(Orphan(live=group, note=note))
        else:
            removals.append(removal(group, why=_ORPHANED, lift=_LIFT))
    return removals, tuple(reported), ()
