"""JSON values as they travel, and how to read them without surprises."""

from __future__ import annotations

from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = "dict[str, Json]"


def as_object(value: Json) -> JsonObject:
    """`value` when it is an object, otherwise an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Json) -> list[Json]:
    """`value` when it is an array, otherwise an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: Json) -> str:
    """`value` when it is a string, otherwise an empty one."""
    return value if isinstance(value, str) else ""


def as_number(value: Json) -> float:
    """`value` when it is a number, otherwise 0."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0.0


def objects(value: Json) -> list[JsonObject]:
    """The objects in the array `value`; anything else in it is left out."""
    return [item for item in as_list(value) if isinstance(item, dict)]


def dig(value: Json, *names: str) -> Json:
    """The member that `names` lead to, or None where one of them is missing."""
    for name in names:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value
