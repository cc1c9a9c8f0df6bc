"""What elements of lists are called in a diff, in the tests' own words."""

from __future__ import annotations

from typing import Any

from tests.traffic.recordings import Wire

# C.6: unordered maps by these members; init containers are in order and have names all the same.
LIST_KEYS: dict[Any, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "environmentVariables": ("name",),
    "volumes": ("name",),
    "extensions": ("name",),
    "httpHeaders": ("name",),
    "imageRegistryCredentials": ("server",),
    "volumeMounts": ("mountPath",),
    "ports": ("port", "protocol"),
    "subnetIds": ("id",),
}


def element_name(member: Any, element: Wire) -> str:
    """`web`, or `80/TCP`; a subnet by its id, which ARM compares without case."""
    parts = []
    for name in LIST_KEYS[member]:
        value = element.get(name)
        if name == "protocol":
            value = str(value or "TCP").upper()
        if name == "port" and isinstance(value, float):
            value = int(value)
        if name == "id":
            value = str(value or "").lower().rstrip("/")
        parts.append("" if value is None else str(value))
    return "/".join(parts)


def element_names(member: Any, elements: list[Wire]) -> list[str]:
    """The names of all elements; a second one of the same name is numbered, never merged away."""
    result: list[str] = []
    for element in elements:
        plain = name = element_name(member, element)
        number = 2
        while name in result:
            name, number = f"{plain} ({number})", number + 1
        result.append(name)
    return result


def shown(body: Wire, place: tuple[str | int, ...]) -> tuple[str, ...]:
    """The path a diff gives a place of `body`; it ends at a list of plain values."""
    result: list[str] = []
    value: Any = body
    for depth, part in enumerate(place):
        if isinstance(part, int):
            keyed = place[depth - 1] in LIST_KEYS and "settings" not in place[:depth]
            if not keyed:
                break
            result.append(element_names(place[depth - 1], value)[part])
        else:
            is_identity = depth == 2 and place[:2] == ("identity", "userAssignedIdentities")
            result.append(part.lower().rstrip("/") if is_identity else part)
        value = _member(value, part)
    return tuple(result)


def _member(value: Any, part: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(part)
    return value[part] if isinstance(value, list) and part < len(value) else None
