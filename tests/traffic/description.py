"""The manifest schema as a map from places to what may stand there, and values that fit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tests.traffic.recordings import Wire

Place = tuple[str | int, ...]

_FILE = Path(__file__).parents[2] / "schemas" / "manifest.schema.json"
_ID = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ManagedIdentity"
IDENTITY = f"{_ID}/userAssignedIdentities/Sample"
BASE64 = "c2FtcGxl"


@cache
def _whole() -> Wire:
    return json.loads(_FILE.read_text("utf-8"))


def _resolved(rules: Wire) -> Wire:
    name = rules.get("$ref", "").removeprefix("#/$defs/")
    return {**rules, **_whole()["$defs"][name]} if name else rules


def is_secret(rules: Wire) -> bool:
    """Whether a secret or a reference to one may stand there."""
    return rules.get("title") == "secret"


def rules_at(place: Sequence[str | int]) -> Wire:
    """The schema of one place, {} where it says nothing."""
    rules = _whole()["$defs"]["containerGroup"]
    for part in place:
        rules = _resolved(rules)
        if isinstance(part, int):
            rules = rules.get("items", {})
        elif part in rules.get("properties", {}):
            rules = rules["properties"][part]
        else:
            more = rules.get("additionalProperties", {})
            rules = more if isinstance(more, dict) else {}
    return _resolved(rules)


def is_map(place: Sequence[str | int]) -> bool:
    """Whether the keys of this object are data, not names."""
    rules = rules_at(place)
    return isinstance(rules.get("additionalProperties"), dict) or "settings" in place


def is_required(place: Place) -> bool:
    """Whether the schema wants this member."""
    return place[-1] in rules_at(place[:-1]).get("required", ())


def samples(place: Place, volumes: Sequence[str]) -> Iterator[Any]:
    """Values that may stand at an empty place: one that says something, and the default."""
    rules = rules_at(place)
    default = rules.get("default")
    yield sample(place, volumes)
    if default is not None:
        yield default


def sample(place: Place, volumes: Sequence[str]) -> Any:
    """A value that may stand there and is not the default."""
    rules = rules_at(place)
    if is_secret(rules):
        return BASE64
    if "enum" in rules:
        return next(one for one in rules["enum"] if one not in (rules.get("default"), "None"))
    match rules.get("type"):
        case "boolean":
            return True
        case "integer":
            return 7
        case "number":
            return 0.5
        case "array":
            return [sample((*place, 0), volumes)]
        case "object":
            return _object(place, rules, volumes)
        case _:
            return _text(place, volumes)


def _text(place: Place, volumes: Sequence[str]) -> str:
    if place[-1] == "name" and place[-3:-2] == ("volumeMounts",) and volumes:
        return volumes[0]
    return "sample-text"


def _object(place: Place, rules: Wire, volumes: Sequence[str]) -> Wire:
    """What is required and what is secret; one more where that is nothing."""
    more, known = rules.get("additionalProperties"), rules.get("properties", {})
    if isinstance(more, dict):
        key = IDENTITY if place[-1] == "userAssignedIdentities" else "sample-key"
        return {key: sample((*place, key), volumes)}
    if place[-1] == "settings":
        return {"sample-key": "sample-text"}
    wanted = list(rules.get("required", ()))
    wanted += [name for name in known if is_secret(rules_at((*place, name)))]
    wanted = wanted or list(known)[:1]
    return {name: sample((*place, name), volumes) for name in dict.fromkeys(wanted)}
