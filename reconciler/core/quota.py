"""What a plan needs of the regions it writes to, against what is left there and how large is large.

Counted at its worst moment: removals run last, so what they free is not there when it is needed; a
replace deletes first, so it counts what it needs more than its old group. What is written in place
keeps its size, and a start is of a group that is counted already [INF].
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from reconciler.core.finding import Position
from reconciler.core.groups import DesiredGroup, LiveGroup
from reconciler.core.ids import GroupId, Target
from reconciler.core.jsonval import Json, JsonObject, as_object, as_text, dig
from reconciler.core.ownership import state_of
from reconciler.core.plan import Action, ActionKind, Plan

_GROUPS = "ContainerGroups"
_STANDARD_CORES = "StandardCores"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """A quota that a plan would exceed.

    All numbers count what the quota counts: groups, or CPU cores. Azure serves whole numbers; what
    is asked for is compared as it is, half a core as half a core. `asking` are the groups that need
    it, `freeing` those of ours whose removal would be enough, none where even all are not.
    """

    region: str
    quota: str
    used: Decimal
    limit: Decimal
    asked: Decimal
    asking: tuple[Target, ...]
    freeing: tuple[GroupId, ...] = ()

    @property
    def missing(self) -> Decimal:
        """How much too little is left."""
        return self.used + self.asked - self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class TooLarge:
    """A group that its region does not take; memory in GB."""

    target: Target
    where: Position
    region: str
    os_type: str
    cpu: Decimal
    memory: Decimal
    max_cpu: Decimal
    max_memory: Decimal


def newcomers(plan: Plan) -> tuple[Action, ...]:
    """The actions that need room: creations and replacements of container groups."""
    return tuple(
        action
        for action in plan.actions
        if action.desired is not None and action.kind in (ActionKind.CREATE, ActionKind.REPLACE)
    )


def regions_of(plan: Plan) -> tuple[str, ...]:
    """The regions that need room, in Azure's spelling, such as `westeurope`."""
    found = {_region(action.desired.canonical) for action in newcomers(plan) if action.desired}
    return tuple(sorted(found - {""}))


def shortfalls(plan: Plan, usages: Mapping[str, Sequence[Json]]) -> tuple[Shortfall, ...]:
    """What `usages` (the answer by region) leaves too little of; what it does not list is free."""
    found = [
        short
        for region, answer in sorted(usages.items())
        for quota, used, limit in _counted(answer)
        if (short := _shortfall(plan, region, quota, used, limit)) is not None
    ]
    return tuple(found)


def too_large(plan: Plan, capabilities: Mapping[str, Sequence[Json]]) -> tuple[TooLarge, ...]:
    """The groups that exceed what `capabilities` (the answer by region) says a region takes.

    Its entries say nothing of GPUs, Spot and the other SKUs: such a group is not judged, nor is one
    that no entry fits.
    """
    found = [
        large
        for action in newcomers(plan)
        if action.desired is not None and _is_standard(action.desired.canonical)
        if (large := _excess(action.desired, capabilities)) is not None
    ]
    return tuple(found)


# Quotas


def demand_of(action: Action) -> Mapping[str, Decimal]:
    """What an action needs of each quota of its region, never less than nothing."""
    if action.desired is None:
        return {}
    needed = _needs(action.desired.canonical)
    freed = _freed(action, _region(action.desired.canonical))
    return {
        quota: more
        for quota, amount in needed.items()
        if (more := amount - freed.get(quota, 0)) > 0
    }


def _freed(action: Action, region: str) -> Mapping[str, Decimal]:
    live = action.live
    if action.kind is not ActionKind.REPLACE or live is None or _region(live.canonical) != region:
        return {}
    needs = _needs(live.canonical)
    # Whether the cores of what has ended count is not known. To be wrong is to have deleted it.
    idle = live.has_ended or live.has_failed
    return {_quota_of_groups(live.canonical): Decimal(1)} if idle else needs


def _needs(canonical: JsonObject) -> Mapping[str, Decimal]:
    """Source: A.8 [R] for the names, F.1 [D] for what they count."""
    needs = {_quota_of_groups(canonical): Decimal(1)}
    if quota := _quota_of_cores(canonical):
        needs[quota] = _total(canonical, "cpu")
    return needs


def _quota_of_groups(canonical: JsonObject) -> str:
    dedicated = dig(canonical, "properties", "sku") == "Dedicated"
    return "DedicatedContainerGroups" if dedicated else _GROUPS


def _quota_of_cores(canonical: JsonObject) -> str:
    """The quota its cores come from, empty where none is known: Confidential has no name yet."""
    sku = dig(canonical, "properties", "sku")
    if sku in ("Dedicated", "Confidential"):
        return "DedicatedCores" if sku == "Dedicated" else ""
    if gpus := _gpus(canonical):
        return f"Standard{gpus[0]}Cores"
    if dig(canonical, "properties", "priority") == "Spot":
        return "StandardSpotCores"
    return _STANDARD_CORES


def _shortfall(
    plan: Plan, region: str, quota: str, used: Decimal, limit: Decimal
) -> Shortfall | None:
    demands = {
        action.target: amount
        for action in newcomers(plan)
        if action.desired is not None and _region(action.desired.canonical) == region
        if (amount := _folded(demand_of(action)).get(quota.lower())) is not None
    }
    asked = sum(demands.values(), Decimal(0))
    if not asked or used + asked <= limit:
        return None
    return Shortfall(
        region=region,
        quota=quota,
        used=used,
        limit=limit,
        asked=asked,
        asking=tuple(demands),
        freeing=_freeing(plan, region, quota, used + asked - limit),
    )


def _freeing(plan: Plan, region: str, quota: str, missing: Decimal) -> tuple[GroupId, ...]:
    """Groups of ours on their way out whose removal makes up for `missing`: the fewest."""
    removable = {
        live.id: _folded(_needs(live.canonical)).get(quota.lower(), Decimal(0))
        for live in _leaving(plan)
        if _region(live.canonical) == region
    }
    chosen: list[GroupId] = []
    for group, amount in sorted(removable.items(), key=lambda item: (-item[1], item[0].address)):
        if missing <= 0 or amount <= 0:
            break
        chosen.append(group)
        missing -= amount
    return tuple(chosen) if missing <= 0 else ()


def _leaving(plan: Plan) -> Iterable[LiveGroup]:
    for action in plan.actions:
        if action.kind is ActionKind.DELETE and action.live is not None:
            yield action.live
    for orphan in plan.orphans:
        state = state_of(orphan.live)
        if state is None or not state.protect:
            yield orphan.live


def _counted(answer: Sequence[Json]) -> Iterable[tuple[str, Decimal, Decimal]]:
    """Name, use and limit of each quota that is told in full."""
    for item in answer:
        name = as_text(dig(item, "name", "value"))
        used, limit = _number(dig(item, "currentValue")), _number(dig(item, "limit"))
        if name and used is not None and limit is not None:
            yield name, used, limit


def _folded(amounts: Mapping[str, Decimal]) -> Mapping[str, Decimal]:
    return {quota.lower(): amount for quota, amount in amounts.items()}


# Sizes


def _is_standard(canonical: JsonObject) -> bool:
    properties = dig(canonical, "properties")
    regular = dig(properties, "sku") == "Standard" and dig(properties, "priority") == "Regular"
    return regular and not _gpus(canonical)


def _excess(desired: DesiredGroup, capabilities: Mapping[str, Sequence[Json]]) -> TooLarge | None:
    canonical = desired.canonical
    region = _region(canonical)
    sizes = _sizes(canonical, capabilities.get(region, ()))
    cpu, memory = _total(canonical, "cpu"), _total(canonical, "memoryInGB")
    if not sizes or any(cpu <= most[0] and memory <= most[1] for most in sizes):
        return None
    max_cpu, max_memory = max(sizes)
    return TooLarge(
        target=desired.id,
        where=desired.where,
        region=region,
        os_type=as_text(dig(canonical, "properties", "osType")),
        cpu=cpu,
        memory=memory,
        max_cpu=max_cpu,
        max_memory=max_memory,
    )


def _sizes(canonical: JsonObject, entries: Sequence[Json]) -> list[tuple[Decimal, Decimal]]:
    """The limits that apply, as CPU and memory; one is enough."""
    address = dig(canonical, "properties", "ipAddress", "type")
    asked = {
        "resourceType": ("containergroups",),
        "osType": (as_text(dig(canonical, "properties", "osType")).lower(),),
        "gpu": ("none", ""),
    }
    if isinstance(address, str):
        asked["ipAddressType"] = (address.lower(),)
    found = []
    for entry in entries:
        fits = all(as_text(dig(entry, name)).lower() in values for name, values in asked.items())
        cpu = _number(dig(entry, "capabilities", "maxCpu"))
        memory = _number(dig(entry, "capabilities", "maxMemoryInGB"))
        if fits and cpu is not None and memory is not None:
            found.append((cpu, memory))
    return found


# Bodies


def _region(canonical: JsonObject) -> str:
    return as_text(canonical.get("location"))


def _requests(canonical: JsonObject) -> list[Json]:
    """Of each container; init containers request nothing (G21)."""
    containers = as_object(dig(canonical, "properties", "containers")).values()
    return [dig(container, "properties", "resources", "requests") for container in containers]


def _total(canonical: JsonObject, member: str) -> Decimal:
    numbers = (_number(dig(requests, member)) for requests in _requests(canonical))
    return sum((number for number in numbers if number is not None), Decimal(0))


def _gpus(canonical: JsonObject) -> list[str]:
    """The GPU models it asks for, the most wanted first."""
    models = (as_text(dig(requests, "gpu", "sku")) for requests in _requests(canonical))
    return [model for model, _ in Counter(filter(None, models)).most_common()]


def _number(value: Json) -> Decimal | None:
    """A number as it is written: 0.1 and 0.2 are 0.3."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    number = Decimal(str(value))
    return number if number.is_finite() else None
