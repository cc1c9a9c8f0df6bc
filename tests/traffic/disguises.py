"""Other ways to write down the same group: what a service may answer, or a hand may type.

Each takes a body and gives another one that means the same (azure-facts C.1, C.2, C.6). Nothing
here knows the table: what an object is, what may stand in it and what its default is comes from the
schema's places and from the tests' own list of defaults.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from tests.traffic.description import Place, is_map, rules_at
from tests.traffic.expected import DEFAULTS, KINDS, SCOPE
from tests.traffic.names import LIST_KEYS
from tests.traffic.recordings import Wire

Disguise = Callable[[Wire, Random], Wire]

# Answers hold more with every year; a value of each kind.
STRANGE: tuple[Any, ...] = (True, 7, "sample-text", None, [], {}, [{"name": "x"}], {"a": {"b": 1}})
# Seen live although API version 2023-05-01 has none of them (C.2, C.5).
UNDOCUMENTED: dict[Place, Wire] = {
    ("properties",): {
        "provisioningTimeoutInSeconds": 1800,
        "isCustomProvisioningTimeout": False,
        "isCreatedFromStandbyPool": False,
        "standbyPoolProfile": {"id": "/sample"},
        "containerGroupProfile": {"id": "/sample", "revision": 1},
    },
    (): {"systemData": {"createdAt": "2025-01-01T00:00:00Z"}, "etag": "sample", "managedBy": ""},
}
IN_ELEMENTS: dict[str, Wire] = {
    "imageRegistryCredentials": {"isDelegatedIdentity": False, "passwordReference": "sample"},
    "environmentVariables": {"secureValueReference": "sample"},
}
IN_CONTAINERS: Wire = {"configMap": {"keyValuePairs": {"key": "value"}}}
# Whose order says something (C.6), beside lists of plain values.
IN_ORDER = ("initContainers",)


def objects(value: Any, place: Place = ()) -> Iterator[tuple[Place, Wire]]:
    """Every object whose members are names, the whole body first; none inside free data."""
    if isinstance(value, dict):
        is_data = place[:1] == ("tags",) or "instanceView" in place or is_map(place)
        if not is_data:
            yield place, value
        if not is_data or place[-1:] == ("userAssignedIdentities",):
            for name in list(value):
                yield from objects(value[name], (*place, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from objects(item, (*place, index))


def lists(value: Any, place: Place = ()) -> Iterator[tuple[Place, list[Any]]]:
    """Every list of objects that have a key."""
    for where, holder in objects(value, place):
        for name, item in holder.items():
            if isinstance(item, list) and name in LIST_KEYS:
                yield (*where, name), item


def in_order(body: Wire) -> Iterator[Place]:
    """The lists whose order says something, and that read otherwise from behind."""
    for place, holder in objects(body):
        for name, item in holder.items():
            is_one = name in IN_ORDER or name in ("command", "nameServers")
            if is_one and isinstance(item, list) and item != item[::-1]:
                yield (*place, name)


def strange_members(body: Wire, random: Random) -> Wire:
    """Members that nobody knows, at every level."""
    for place, holder in list(objects(body)):
        is_identity = place[-2:-1] == ("userAssignedIdentities",)
        holder["sampleUnknownKey"] = "x" if is_identity else copy.deepcopy(random.choice(STRANGE))
    return body


def undocumented_members(body: Wire, random: Random) -> Wire:
    """Those that were seen, with values of each kind."""
    for place, holder in list(objects(body)):
        known = UNDOCUMENTED.get(place, {})
        if isinstance(place[-1:] and place[-1], int):
            known = IN_ELEMENTS.get(str(place[-2]), {})
        if place[1:2] in (("containers",), ("initContainers",)) and len(place) == 4:
            known = IN_CONTAINERS
        for name, value in known.items():
            holder[name] = copy.deepcopy(value) if random.random() < 0.8 else random.choice(STRANGE)
    return body


def null_members(body: Wire, _random: Random) -> Wire:
    """A null for everything that is not there."""
    for place, holder in list(objects(body)):
        for name in rules_at(place).get("properties", {}):
            holder.setdefault(name, None)
    return body


def empty_members(body: Wire, _random: Random) -> Wire:
    """An empty list or object for everything that is not there and may be one."""
    for place, holder in list(objects(body)):
        for name in rules_at(place).get("properties", {}):
            rules = rules_at((*place, name))
            is_free = not rules.get("required") and name not in KINDS and name != "reconcile"
            if rules.get("type") in ("array", "object") and is_free:
                holder.setdefault(name, [] if rules["type"] == "array" else {})
    return body


def hollow_members(body: Wire, _random: Random) -> Wire:
    """An empty object also where one without certain members makes no sense in a manifest."""
    for place, holder in list(objects(body)):
        for name in rules_at(place).get("properties", {}):
            rules = rules_at((*place, name))
            if rules.get("type") == "object" and name not in KINDS and rules.get("required"):
                holder.setdefault(name, {})
    return body


def defaults_stated(body: Wire, _random: Random) -> Wire:
    """Every default said aloud."""
    for place, holder in list(objects(body)):
        for name in rules_at(place).get("properties", {}):
            is_free = name != SCOPE or holder.get("dnsNameLabel")
            if is_free and _has_default(place, name) and holder.get(name) is None:
                holder[name] = DEFAULTS[name]
    if body.get("identity") is None:
        body["identity"] = {"type": "None"}
    return body


def defaults_left_out(body: Wire, _random: Random) -> Wire:
    """Nothing that is a default anyway, and nothing empty."""
    for place, holder in list(objects(body)):
        for name, value in list(holder.items()):
            is_empty = value in ([], {}) and name not in KINDS and place != ()
            is_default = _has_default(place, name) and value == DEFAULTS[name]
            if (is_empty and not is_map((*place, name))) or is_default:
                del holder[name]
    return body


def _has_default(place: Place, name: str) -> bool:
    """Whether a default of that name is meant: the model of a GPU is called `sku`, too."""
    return name in DEFAULTS and (name != "sku" or place == ("properties",))


def other_order(body: Wire, random: Random) -> Wire:
    """The elements of unordered lists and the members of objects in another order."""
    for place, items in list(lists(body)):
        if place[-1] not in IN_ORDER:
            random.shuffle(items)
    return _members_shuffled(body, random)


def _members_shuffled(value: Any, random: Random) -> Any:
    if isinstance(value, dict):
        names = list(value)
        random.shuffle(names)
        return {name: _members_shuffled(value[name], random) for name in names}
    return [_members_shuffled(item, random) for item in value] if isinstance(value, list) else value


def other_case(body: Wire, random: Random) -> Wire:
    """Enumerations, regions and resource ids in another case."""
    for place, holder in list(objects(body)):
        for name, value in list(holder.items()):
            if isinstance(value, str) and _is_caseless((*place, name), value):
                holder[name] = random.choice((value.upper(), value.lower(), value.swapcase()))
        if place[-1:] == ("identity",) and isinstance(holder.get("userAssignedIdentities"), dict):
            held = holder["userAssignedIdentities"]
            holder["userAssignedIdentities"] = {key.upper(): item for key, item in held.items()}
    if isinstance(body.get("location"), str):
        body["location"] = _spaced(body["location"].replace(" ", ""), random)
    return body


def _is_caseless(place: Place, value: str) -> bool:
    is_enumeration = "enum" in rules_at(place)
    return is_enumeration or (value.lower().startswith("/subscriptions/") and place != ("id",))


def _spaced(region: str, random: Random) -> str:
    """`westeurope` as `West europe`."""
    cut = random.randrange(1, len(region))
    return f"{region[:cut].title()} {region[cut:]}"


def other_numbers(body: Wire, _random: Random) -> Wire:
    """`1` as `1.0` and the other way round."""

    def turned(value: Any) -> Any:
        match value:
            case bool():
                return value
            case int():
                return float(value)
            case float() if value.is_integer():
                return int(value)
            case dict():
                return {name: turned(item) for name, item in value.items()}
            case list():
                return [turned(item) for item in value]
        return value

    return turned(body)


def other_words(body: Wire, random: Random) -> Wire:
    """Blank-separated words in another order and farther apart."""
    holder = body["properties"].get("dnsConfig") or {}
    for name in ("searchDomains", "options"):
        if isinstance(holder.get(name), str):
            words = holder[name].split()
            random.shuffle(words)
            holder[name] = "  ".join(words)
    return body


def new_tags(body: Wire, _random: Random) -> Wire:
    """Tags of somebody else, such as a policy adds."""
    body["tags"] = {**(body.get("tags") or {}), "CreatedBy": "policy", "created-by": ""}
    return body


ALWAYS: tuple[Disguise, ...] = (
    null_members,
    empty_members,
    defaults_stated,
    defaults_left_out,
    other_order,
    other_case,
    other_numbers,
    other_words,
)
"""Those that a manifest may wear, too."""
LIVE: tuple[Disguise, ...] = (
    strange_members,
    undocumented_members,
    hollow_members,
    new_tags,
    *ALWAYS,
)


def worn(body: Wire, disguises: tuple[Disguise, ...], random: Random) -> Wire:
    """`body` in all these disguises, one over the other."""
    body = copy.deepcopy(body)
    for disguise in disguises:
        body = disguise(body, random)
    return body
