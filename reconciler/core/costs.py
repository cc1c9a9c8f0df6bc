"""What an action costs the workload, in words."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.core.groups import DesiredGroup, LiveGroup
from reconciler.core.jsonval import as_object, dig
from reconciler.core.plan import ActionKind


def costs_of(kind: ActionKind, desired: DesiredGroup, live: LiveGroup | None) -> tuple[str, ...]:
    """What a reader should know before a whole definition is written."""
    return _COSTS[kind](desired, live)


def _no_costs(_desired: DesiredGroup, _live: LiveGroup | None) -> tuple[str, ...]:
    return ()


def _update_costs(desired: DesiredGroup, live: LiveGroup | None) -> tuple[str, ...]:
    number = len(as_object(dig(desired.canonical, "properties", "containers")))
    verb = "starts" if live is not None and live.has_ended else "restarts"
    costs = [f"{verb} {number} container{'' if number == 1 else 's'}"]
    if dig(desired.canonical, "properties", "ipAddress"):
        costs.append("IP address may change")
    return (*costs, *_data_lost(live))


def _replace_costs(_desired: DesiredGroup, live: LiveGroup | None) -> tuple[str, ...]:
    costs = ["deleted and created again, down meanwhile"]
    if live is not None and dig(live.canonical, "properties", "ipAddress"):
        costs.append("IP address changes")
    return (*costs, *_data_lost(live))


def _data_lost(live: LiveGroup | None) -> tuple[str, ...]:
    volumes = as_object(dig(live.canonical, "properties", "volumes")) if live is not None else {}
    lost = [name for name, volume in volumes.items() if "emptyDir" in as_object(volume)]
    return (f"data in emptyDir {', '.join(lost)} lost",) if lost else ()


_COSTS: dict[ActionKind, Callable[[DesiredGroup, LiveGroup | None], tuple[str, ...]]] = {
    ActionKind.CREATE: _no_costs,
    ActionKind.UPDATE: _update_costs,
    ActionKind.REPLACE: _replace_costs,
    ActionKind.START: _update_costs,
}
