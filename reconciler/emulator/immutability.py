"""What a PUT cannot change on an existing group. Source: D.1, D.2.

Documented: osType, CPU, memory, GPU, restart policy, network, zones. The others are inferred there
(question I16) and refused as well, so that nobody relies on them.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from reconciler.emulator.errors import Refusal, bad_request
from reconciler.emulator.jsonval import (
    Json,
    JsonObject,
    as_number,
    as_object,
    as_text,
    dig,
    objects,
)

# The group is handed over whole: some of it (zones) lies outside `properties`.
_Reading = Callable[[JsonObject], Json]


def refused_change(name: str, before: JsonObject, after: JsonObject) -> Refusal | None:
    """The refusal of a PUT that changes what is fixed, in the wording of 2024. Source: B.2."""
    changes = [
        f"{title} (old {_quoted(old)}, new {_quoted(new)})"
        for title, old, new in _differences(before, after)
    ]
    if not changes:
        return None
    return bad_request(
        "InvalidContainerGroupUpdate",
        f"The updates on container group '{name}' are invalid. If you are going to update the "
        f"{', '.join(changes)} for a container group, you must delete it first and then create "
        "a new one.",
    )


def _differences(before: JsonObject, after: JsonObject) -> list[tuple[str, Json, Json]]:
    found = []
    for title, reading in _READINGS.items():
        old, new = reading(before), reading(after)
        if _is_fixed(title, old, new):
            found.append((title, old, new))
    return found


def _is_fixed(title: str, old: Json, new: Json) -> bool:
    """Whether these two values stand against the PUT."""
    if title in _ONLY_IF_BOTH and (old is None or new is None):
        return False
    if title not in _REQUESTED:
        return old != new
    # Containers come, go and change their names as long as the sum stays. Source: D.2.
    before, after = as_object(old), as_object(new)
    kept = before.keys() & after.keys()
    return _total(before) != _total(after) or any(before[one] != after[one] for one in kept)


def _total(requests: JsonObject) -> dict[str, float]:
    """The sum over all containers; of GPUs, one for each kind."""
    sums: dict[str, float] = {}
    for value in requests.values():
        kind = as_text(dig(value, "sku"))
        amount = as_number(dig(value, "count") if isinstance(value, dict) else value)
        sums[kind] = round(sums.get(kind, 0) + amount, 6)
    return sums


def _property(name: str, default: Json = None) -> _Reading:
    return lambda spec: as_object(spec.get("properties")).get(name, default)


def _requests(name: str) -> _Reading:
    """Per container, so that a shift between two of them counts."""

    def reading(spec: JsonObject) -> Json:
        return {
            as_text(item.get("name")): dig(item, "properties", "resources", "requests", name)
            for item in objects(dig(spec, "properties", "containers"))
        }

    return reading


def _subnets(spec: JsonObject) -> Json:
    """ARM ids compare without case. Source: C.6."""
    subnets = objects(dig(spec, "properties", "subnetIds"))
    return [*sorted(as_text(subnet.get("id")).lower() for subnet in subnets)]


def _profile(spec: JsonObject) -> Json:
    return as_text(dig(spec, "properties", "networkProfile", "id")).lower()


def _address_type(spec: JsonObject) -> Json:
    return dig(spec, "properties", "ipAddress", "type")


def _dns(spec: JsonObject) -> Json:
    """Blank-separated words are a set. Source: C.6."""
    config = as_object(dig(spec, "properties", "dnsConfig"))
    words = ("searchDomains", "options")
    return {
        name: [*sorted(as_text(value).split())] if name in words else value
        for name, value in config.items()
    }


def _encryption(spec: JsonObject) -> Json:
    """The identity is an ARM id, which compares without case. Source: C.6."""
    found = as_object(dig(spec, "properties", "encryptionProperties"))
    return {
        name: as_text(value).lower() if name == "identity" else value
        for name, value in found.items()
    }


def _policy(spec: JsonObject) -> Json:
    return dig(spec, "properties", "confidentialComputeProperties", "ccePolicy")


_READINGS: dict[str, _Reading] = {
    "OsType": _property("osType"),
    "RestartPolicy": _property("restartPolicy", "Always"),
    "Cpu": _requests("cpu"),
    "MemoryInGB": _requests("memoryInGB"),
    "Gpu": lambda spec: {key: gpu for key, gpu in as_object(_requests("gpu")(spec)).items() if gpu},
    "NetworkProfile": _profile,
    "SubnetIds": _subnets,
    "Zones": lambda spec: spec.get("zones") or [],
    "IpAddressType": _address_type,
    "Sku": _property("sku", "Standard"),
    "Priority": _property("priority", "Regular"),
    "EncryptionProperties": _encryption,
    "ConfidentialComputeProperties": _policy,
    "DnsConfig": _dns,
}
# An address may come or go; a policy that is not sent is the one that is there.
_REQUESTED = frozenset({"Cpu", "MemoryInGB", "Gpu"})
_ONLY_IF_BOTH = frozenset({"IpAddressType", "ConfidentialComputeProperties"})


def _quoted(value: Json) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return f'"{json.dumps(value)}"' if value is not None else '""'
