"""Which actions a run needs of the roles of its identity, where, and whether it has them. Pure.

Source: the operations that Microsoft.ContainerInstance, Microsoft.Network, Microsoft.Resources and
Microsoft.ManagedIdentity list for role definitions; a row of permissions allows its `actions`
without its `notActions`, and rows add up (Azure RBAC).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reconciler.core.diagnosis import Check, Identity, Purpose, State
from reconciler.core.groups import DesiredGroup
from reconciler.core.ids import GROUP_TYPE
from reconciler.core.jsonval import Json, as_list, as_object, as_text, dig
from reconciler.core.references import HolderKind, KeyReference

_RESOURCE_GROUPS = "Microsoft.Resources/subscriptions/resourceGroups"
_LOCATIONS = "Microsoft.ContainerInstance/locations"
_JOIN = "Microsoft.Network/virtualNetworks/subnets/join/action"
_ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
_READER = "Reader"
_CONTRIBUTOR = "Azure Container Instances Contributor Role"
_KEYS = {
    HolderKind.STORAGE_ACCOUNT: ("listKeys", "Storage Account Key Operator Service Role"),
    HolderKind.WORKSPACE: ("sharedKeys", "Log Analytics Contributor"),
}
_OWNING = "Contributor"
_JOINING, _ASSIGNING = "Network Contributor", "Managed Identity Operator"
_WIDEST = (
    _OWNING,
    _CONTRIBUTOR,
    _JOINING,
    _ASSIGNING,
    *(role for _, role in _KEYS.values()),
    _READER,
)  # the first holds the last, too
_NAMES_SHOWN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """An action at a scope; the role is a built-in one that has it.

    Without one that is not `is_essential` a run still works: it says less, or checks less.
    """

    scope: str
    action: str
    role: str
    is_essential: bool = True


def needs_of(
    groups: Iterable[DesiredGroup],
    *,
    subscription: str,
    present: Iterable[str],
    absent: Iterable[str],
    purpose: Purpose,
) -> tuple[Need, ...]:
    """What a run needs: at resource groups that are `present`, and to make those `absent`."""
    root = f"/subscriptions/{subscription}"
    needs = [
        Need(scope=root, action=f"{_LOCATIONS}/usages/read", role=_READER, is_essential=False),
        Need(
            scope=root, action=f"{_LOCATIONS}/capabilities/read", role=_READER, is_essential=False
        ),
    ]
    for name in present:
        needs += _in_home(f"{root}/resourceGroups/{name}", purpose)
    if [*absent]:
        needs.append(Need(scope=root, action=f"{GROUP_TYPE}/read", role=_READER))
        if purpose is Purpose.APPLY:
            needs.append(Need(scope=root, action=f"{_RESOURCE_GROUPS}/write", role=_OWNING))
            needs.append(Need(scope=root, action=f"{GROUP_TYPE}/write", role=_CONTRIBUTOR))
    if purpose is Purpose.APPLY:
        needs += _linked(groups)
    needs += _keys(groups, subscription, is_essential=purpose is Purpose.APPLY)
    return tuple(dict.fromkeys(needs))


def _in_home(scope: str, purpose: Purpose) -> Iterator[Need]:
    yield Need(scope=scope, action=f"{GROUP_TYPE}/read", role=_READER)
    yield Need(scope=scope, action=f"{_RESOURCE_GROUPS}/read", role=_READER)
    if purpose is Purpose.APPLY:
        for verb in ("write", "delete"):
            yield Need(scope=scope, action=f"{GROUP_TYPE}/{verb}", role=_CONTRIBUTOR)
        for verb in ("start/action", "stop/action", "restart/action", "containers/logs/read"):
            action = f"{GROUP_TYPE}/{verb}"
            yield Need(scope=scope, action=action, role=_CONTRIBUTOR, is_essential=False)


def _linked(groups: Iterable[DesiredGroup]) -> Iterator[Need]:
    """What a write names beside the group, and Azure wants a right on."""
    for group in groups:
        for item in as_list(dig(group.body, "properties", "subnetIds")):
            if scope := as_text(as_object(item).get("id")):
                yield Need(scope=scope, action=_JOIN, role=_JOINING)
        for scope in as_object(dig(group.body, "identity", "userAssignedIdentities")):
            yield Need(scope=scope, action=_ASSIGN, role=_ASSIGNING)


def _keys(
    groups: Iterable[DesiredGroup], subscription: str, *, is_essential: bool
) -> Iterator[Need]:
    """Keys that lie with resources; without them a plan compares less, and a write is refused."""
    for group in groups:
        for secret in group.secrets:
            if isinstance(secret.reference, KeyReference):
                holder = secret.reference.beside(subscription).holder
                verb, role = _KEYS[holder.kind]
                scope = (
                    f"/subscriptions/{holder.subscription}/resourceGroups/{holder.resource_group}"
                    f"/providers/{holder.kind.value}/{holder.name}"
                )
                action = f"{holder.kind.value}/{verb}/action"
                yield Need(scope=scope, action=action, role=role, is_essential=is_essential)


def allows(permissions: Iterable[Json], action: str) -> bool:
    """Whether one of the rows allows the action."""
    for item in permissions:
        row = as_object(item)
        named = _fits(as_list(row.get("actions")), action)
        if named and not _fits(as_list(row.get("notActions")), action):
            return True
    return False


def _fits(patterns: Iterable[Json], action: str) -> bool:
    """Whether a pattern of roles, `*` standing for anything, names the action, in any case."""
    return any(
        re.fullmatch(".*".join(map(re.escape, as_text(one).split("*"))), action, re.IGNORECASE)
        for one in patterns
        if as_text(one)
    )


def rights_check(
    scope: str, needs: Sequence[Need], permissions: Sequence[Json], identity: Identity
) -> Check:
    """Whether the identity may do at a scope all that is needed there."""
    name, place = "permissions", _short(scope)
    lacking = [need for need in needs if not allows(permissions, need.action)]
    if not lacking:
        word = "action" if len(needs) == 1 else "actions"
        return Check(
            name=name, state=State.OK, says=f"{place}: {len(needs)} {word} of {len(needs)}"
        )
    essential = [need for need in lacking if need.is_essential]
    actions = [need.action for need in lacking]
    shown = ", ".join(actions[:_NAMES_SHOWN])
    shown += f" and {len(actions) - _NAMES_SHOWN} more" if len(actions) > _NAMES_SHOWN else ""
    roles = {need.role for need in essential or lacking}
    return Check(
        name=name,
        state=State.FAILED if essential else State.WARNING,
        says=f"{place}: lacks {shown}",
        fix=_assignment(min(roles, key=_WIDEST.index), scope, identity),
    )


def _assignment(role: str, scope: str, identity: Identity) -> str:
    kind = "User" if identity.is_person else "ServicePrincipal"
    who = identity.principal or "OBJECT_ID"
    return (
        f"az role assignment create --assignee-object-id {who} --assignee-principal-type {kind}"
        f' --role "{role}" --scope {scope}'
    )


def _short(scope: str) -> str:
    parts = scope.strip("/").split("/")
    return "subscription" if len(parts) <= 2 else parts[-1]
