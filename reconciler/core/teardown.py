"""The plan of `destroy`: everything the owner owns goes, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from reconciler.core.groups import DesiredResourceGroup, LiveGroup, LiveResourceGroup
from reconciler.core.ids import ResourceGroupId
from reconciler.core.jsonval import Json, as_text, dig
from reconciler.core.ownership import CREATED_TAG, Ownership, ownership_of, tag
from reconciler.core.plan import Action, ActionKind, Plan
from reconciler.core.removal import removal

_LIFT = "write 'reconcile: {protect: false}' in its manifest, apply, then destroy"


def build_teardown(
    *,
    owner: str,
    subscription: str,
    live: Sequence[LiveGroup],
    resource_groups: Sequence[tuple[DesiredResourceGroup, LiveResourceGroup, Sequence[Json]]],
    protected: AbstractSet[str] = frozenset(),
    notes: tuple[str, ...] = (),
) -> Plan:
    """Deletes every owned group; then each declared resource group that we made and that holds
    nothing else. `resource_groups` pairs what is declared with what is live and all it holds.

    `protected` are the addresses of the groups whose manifests protect them, which no apply may
    have carried to Azure yet.
    """
    owned = [group for group in live if ownership_of(group, owner) is Ownership.OURS]
    actions = [
        removal(group, why="owned by us", lift=_LIFT, is_protected=group.id.address in protected)
        for group in sorted(owned, key=lambda group: group.id.address)
    ]
    going = {
        action.live.id.arm.lower(): action.address
        for action in actions
        if action.kind is ActionKind.DELETE and action.live is not None
    }
    for declared, home, held in resource_groups:
        actions.append(_resource_group(declared, home, held, going=going, owner=owner))
    return Plan(
        owner=owner,
        subscription=subscription,
        actions=tuple(sorted(actions, key=lambda action: action.address)),
        notes=notes,
        owned=len(owned),
    )


def _resource_group(
    declared: DesiredResourceGroup,
    home: LiveResourceGroup,
    held: Sequence[Json],
    *,
    going: Mapping[str, str],
    owner: str,
) -> Action:
    ids = [as_text(dig(resource, "id")) for resource in held]
    others = sorted(i for i in ids if i.lower() not in going)
    maker = tag(home.tags, CREATED_TAG)
    if maker != owner:
        why = (
            "its tag does not say that we created it" if maker is None else f"created by '{maker}'"
        )
        return _refused(declared, why, "delete it by hand, or leave out --resource-groups")
    if others:
        why = f"it holds {len(others)} other resource(s): {', '.join(others[:5])}"
        return _refused(declared, why, "remove them, or leave out --resource-groups")
    return Action(
        kind=ActionKind.DELETE,
        target=declared.id,
        why="declared and created by us, and holds nothing else",
        declared=declared,
        after=tuple(sorted(address for arm, address in going.items() if _is_in(arm, declared.id))),
        costs=("gone for good",),
    )


def _is_in(arm: str, home: ResourceGroupId) -> bool:
    return arm.startswith(f"{home.arm.lower()}/")


def _refused(declared: DesiredResourceGroup, why: str, allow: str) -> Action:
    return Action(
        kind=ActionKind.REFUSE, target=declared.id, why=why, allow=allow, declared=declared
    )
