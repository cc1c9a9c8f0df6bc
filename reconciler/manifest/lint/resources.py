"""CPU, memory, GPUs (azure-facts B.3, F.2, G3-G5, G44)."""

from __future__ import annotations

import math
from collections.abc import Iterator

from reconciler.core.finding import Finding
from reconciler.manifest.lint.view import Container, Group, GroupRule, Part, amount
from reconciler.manifest.wording import described, number

_UNITS = {"cpu": "CPU", "memoryInGB": "GB"}
_LEAST = 1  # of each, in a group
_ROUNDING = 1e-6  # what sums of decimals are off by
# What a group may request: CPU and GB. They grew over the years, and differ by region.
_MOST = (31, 240)
_MOST_CONFIDENTIAL = (31, 180)
_MOST_SPOT = (4, 16)
_GPU_COUNTS = (1, 2, 4)


def _requests(container: Container) -> Part:
    return container.inside.part("resources", "requests")


def _total(group: Group, key: str) -> float | None:
    """What the containers request together; None where one of them says nothing sensible."""
    stated = [amount(_requests(one).data.get(key)) for one in group.containers]
    known = [value for value in stated if value is not None and value > 0]
    return sum(known) if known and len(known) == len(stated) else None


def _is_multiple(value: float, per_unit: int) -> bool:
    return abs(value * per_unit - round(value * per_unit)) < _ROUNDING


def limits(group: Group) -> Iterator[Finding]:
    """M312, M313: own request <= limit <= what the group requests."""
    for key, unit in _UNITS.items():
        total = _total(group, key)
        for container in group.containers:
            stated = container.inside.part("resources", "limits")
            limit = amount(stated.data.get(key))
            request = amount(_requests(container).data.get(key))
            if limit is None:
                continue
            place = stated.at(key)
            if request is not None and limit < request - _ROUNDING:
                says = f"expected at least the request of {number(request)} {unit}"
                yield group.say("M312", place, f"{says}, got {number(limit)}")
            elif total is not None and limit > total + _ROUNDING:
                together = number(round(total, 6))
                says = f"expected at most the {together} {unit} that the group requests together"
                yield group.say("M313", place, f"{says}, got {number(limit)}")


def steps(group: Group) -> Iterator[Finding]:
    """M314, M816: what Azure cannot part any finer."""
    for container in group.containers:
        stated = _requests(container)
        memory, cpu = amount(stated.data.get("memoryInGB")), amount(stated.data.get("cpu"))
        if memory is not None and not _is_multiple(memory, 10):
            near = number(math.ceil(memory * 10) / 10)
            says = f"expected a multiple of 0.1 GB, got {number(memory)}"
            yield group.say("M314", stated.at("memoryInGB"), says, near)
        if cpu is not None and not _is_multiple(cpu, 100):
            near = number(math.ceil(cpu * 100) / 100)
            says = f"expected a multiple of 0.01 CPU, got {number(cpu)}"
            yield group.say("M816", stated.at("cpu"), says, near)


def sums(group: Group) -> Iterator[Finding]:
    """M315, M815: what a group may request as a whole."""
    most, offer = _MOST, "a group"
    if group.is_confidential:
        most, offer = _MOST_CONFIDENTIAL, "a confidential group"
    if group.is_spot:
        most, offer = _MOST_SPOT, "a Spot group"
    has_gpu = any(_requests(one).data.get("gpu") for one in group.containers)
    for (key, unit), limit in zip(_UNITS.items(), most, strict=True):
        total = _total(group, key)
        if total is None:
            continue
        got, place = number(round(total, 6)), group.inside.at("containers")
        if total < _LEAST - _ROUNDING:
            says = f"expected requests of at least {_LEAST} {unit} together, got {got}"
            yield group.say("M315", place, says)
        if total > limit + _ROUNDING and not has_gpu:
            says = f"expected requests of at most {limit} {unit} in {offer}, got {got}"
            yield group.say("M815", place, says)


def gpus(group: Group) -> Iterator[Finding]:
    """M331, M817: what GPUs need, and that there are none any more."""
    for container in group.containers:
        gpu = _requests(container).part("gpu")
        if not gpu.data:
            continue
        yield group.say("M817", gpu.path, "expected no GPU: Azure retired them on 2025-07-14")
        count = gpu.data.get("count")
        if isinstance(count, int) and count > 0 and count not in _GPU_COUNTS:
            yield group.say("M331", gpu.at("count"), f"expected 1, 2 or 4, got {described(count)}")
        if group.is_windows:
            yield group.say("M331", gpu.path, "expected GPUs on Linux alone, got Windows")
        if group.has_subnet:
            yield group.say("M331", gpu.path, "expected GPUs outside subnets, got 'subnetIds'")


RULES: tuple[GroupRule, ...] = (limits, steps, sums, gpus)
