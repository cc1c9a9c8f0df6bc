"""Every leaf of a body changed, removed and given siblings."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from reconciler.core.properties import Access, Node, tree
from tests.traffic.description import BASE64, Place, is_map, is_secret, rules_at, sample, samples
from tests.traffic.names import LIST_KEYS, element_name
from tests.traffic.recordings import Wire

UNKNOWN_KEY = "sampleUnknownKey"
# Seen in answers although no description has them (azure-facts C.2, #7 to #9).
UNDOCUMENTED = {
    ("properties",): (
        "provisioningTimeoutInSeconds",
        "isCustomProvisioningTimeout",
        "isCreatedFromStandbyPool",
    ),
    ("properties", "imageRegistryCredentials", "*"): ("isDelegatedIdentity",),
}


class How(Enum):
    """What was done to a leaf."""

    CHANGED = "changed"
    REMOVED = "removed"
    UNKNOWN = "unknown sibling"
    KNOWN = "known sibling"


class Absent:
    """No value at all; None is a value."""

    def __repr__(self) -> str:
        return "absent"


ABSENT = Absent()


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """One place of a body, what stood there and what stands there now."""

    how: How
    place: Place
    old: Any
    new: Any
    before: Wire
    after: Wire

    @property
    def pattern(self) -> str:
        """The place without positions and names."""
        return "/".join("*" if isinstance(part, int) else part for part in self.place)

    def __str__(self) -> str:
        where = "/".join(str(part) for part in self.place)
        return f"{self.how.value} {where}: {self.old!r} -> {self.new!r}"


def leaves(value: Any, place: Place = ()) -> Iterator[Place]:
    """The places that hold a plain value or something empty."""
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from leaves(item, (*place, name))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from leaves(item, (*place, index))
    else:
        yield place


def at(value: Any, place: Sequence[str | int]) -> Any:
    """What stands at a place."""
    for part in place:
        value = value[part]
    return value


def mutations(body: Wire) -> Iterator[Mutation]:
    """Each leaf changed and removed; each object and list of plain values given each sibling."""
    seen: set[Place] = set()
    for place in leaves(body):
        old = at(body, place)
        yield _made(How.CHANGED, body, place, old, _other(body, place, old))
        if _has_case(place, old):
            yield _made(How.CHANGED, body, place, old, old.swapcase())
        yield _made(How.REMOVED, body, place, old, ABSENT)
        holder = place[:-1]
        if isinstance(place[-1], int):
            end = (*holder, len(at(body, holder)))
            yield _made(How.KNOWN, body, end, ABSENT, sample(end, ()))
            continue
        if not is_map(holder):
            unknown = (*holder, UNKNOWN_KEY)
            yield _made(How.UNKNOWN, body, unknown, ABSENT, "sample-text")
        if holder not in seen:
            seen.add(holder)
            for sibling, value in _siblings(body, holder):
                yield _made(How.KNOWN, body, sibling, ABSENT, value)


def _has_case(place: Place, old: Any) -> bool:
    """Whether it is a text whose letters may be in another case."""
    rules = rules_at(place)
    is_free = rules.get("type") == "string" and "pattern" not in rules and "const" not in rules
    return isinstance(old, str) and old != old.swapcase() and (is_free or "settings" in place[:-1])


def _made(how: How, body: Wire, place: Place, old: Any, new: Any) -> Mutation:
    after = copy.deepcopy(body)
    holder = at(after, place[:-1])
    if new is ABSENT:
        del holder[place[-1]]
    elif isinstance(holder, list) and place[-1] == len(holder):
        holder.append(new)
    else:
        holder[place[-1]] = copy.deepcopy(new)
    return Mutation(how=how, place=place, old=old, new=new, before=body, after=after)


def _node(place: Sequence[str | int]) -> Node:
    node = tree()
    for part in place:
        child = node.any if isinstance(part, int) else node.children.get(part) or node.any
        if child is None:
            return Node()
        node = child
    return node


def _siblings(body: Wire, holder: Place) -> Iterator[tuple[Place, Any]]:
    """The table's members of `holder` that are absent, with a value or two each."""
    taken = at(body, holder)
    volumes = [volume["name"] for volume in body["properties"].get("volumes") or []]
    if is_map(holder):
        value = "sample-text" if "settings" in holder else sample((*holder, "sample-key"), volumes)
        yield (*holder, "sample-key"), value
        return
    for name, node in _node(holder).children.items():
        if name in taken or (not holder and name == "name"):
            continue
        place = (*holder, name)
        if not holder and name in ("type", "apiVersion"):
            yield place, rules_at(place).get("const", "2023-05-01")
        elif node.row is not None and node.row.access is Access.READ_ONLY:
            yield place, "sample-text"
        else:
            for value in samples(place, volumes):
                yield place, value
    pattern = tuple("*" if isinstance(part, int) else part for part in holder)
    for name in UNDOCUMENTED.get(pattern, ()):
        yield (*holder, name), False


def _other(body: Wire, place: Place, old: Any) -> Any:
    """Another value that may stand at `place`: no spelling of the old one, no sibling's key."""
    if isinstance(place[-1], str) and len(place) > 1 and isinstance(place[-2], int):
        key = LIST_KEYS.get(place[-3])
        if key is not None and place[-1] in key:
            return _unused(at(body, place[:-2]), place, old)
    return _varied(place, old)


def _unused(items: list[Wire], place: Place, old: Any) -> Any:
    """A key that no other element of the list has, as long as there is one."""
    taken = {element_name(place[-3], item) for item in items}
    new = old
    for _ in range(len(items) + 1):
        new = _varied(place, new)
        if element_name(place[-3], {**items[place[-2]], place[-1]: new}) not in taken:
            break
    return new


def _varied(place: Place, old: Any) -> Any:
    rules = rules_at(place)
    match old:
        case bool():
            return not old
        case int() | float() if rules.get("type") == "number":
            return old + 0.5
        case int() | float():
            return old + 1 if old < rules.get("maximum", old + 1) else old - 1
        case str():
            return _text(place, old, rules)
        case _:
            return _filled(place)


def _text(place: Place, old: str, rules: Wire) -> str:
    if "enum" in rules:
        folded = _squeezed(old)
        return next(c for c in rules["enum"] if _squeezed(c) != folded and c != "None")
    if is_secret(rules):
        return BASE64 if old != BASE64 else "b3RoZXI="
    if place[-1] == "location":
        return "westus3" if _squeezed(old) != "westus3" else "eastus"
    if place[-1] in ("searchDomains", "options"):
        return f"{old} more:1"
    if place[-1] == "dnsNameLabel":
        return f"{old[:60]}-x"
    return f"{old}-other"


def _squeezed(text: str) -> str:
    return "".join(text.split()).lower()


def _filled(place: Place) -> Any:
    """Something where nothing or something empty is; in an object that holds only what Azure sets, just that."""
    rules = rules_at(place)
    if rules.get("type") != "object" or is_map(place) or rules.get("properties"):
        return sample(place, ())
    server = [name for name, child in _node(place).children.items() if child.row is not None]
    return {server[0] if server else UNKNOWN_KEY: "sample-text"}
