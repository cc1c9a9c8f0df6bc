"""JSON values as Azure sends them, and paths into them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

# What `json.loads` returns. Mutable by nature: nothing here changes a value it was handed.
Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = "dict[str, Json]"

# A path in canonical form: list elements are named by their key, not their position.
Path: TypeAlias = tuple[str, ...]
# A path in wire form: list elements are named by position.
WirePath: TypeAlias = tuple["str | int", ...]


def pointer(path: Path | WirePath) -> str:
    """`path` as an RFC 6901 JSON pointer, e.g. `/properties/containers/web/properties/image`."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def parse_pointer(text: str) -> Path:
    """The path a JSON pointer names.

    Raises:
        ValueError: it does not start with `/` or holds a `~` that is not `~0` or `~1`.
    """
    if not text.startswith("/"):
        raise ValueError(f"a JSON pointer starting with '/', got {text!r}")
    parts = text[1:].split("/")
    for part in parts:
        if re.search("~(?![01])", part):
            raise ValueError(f"'~' written as '~0', got {part!r}")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)


def as_object(value: Json) -> JsonObject:
    """`value` when it is an object, otherwise an empty one: for reading what others wrote."""
    return value if isinstance(value, dict) else {}


def as_list(value: Json) -> list[Json]:
    """`value` when it is an array, otherwise an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: Json) -> str:
    """`value` when it is a string, otherwise an empty one."""
    return value if isinstance(value, str) else ""


def dig(value: Json, *names: str) -> Json:
    """The member that `names` lead to, or None where one of them is missing."""
    for name in names:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def text_map(value: Json) -> Mapping[str, str]:
    """A map of strings such as `tags`; members that are not strings are left out."""
    return {key: item for key, item in as_object(value).items() if isinstance(item, str)}


def without(value: Json, path: Path) -> Json:
    """`value` less the member at `path`; nothing is changed in place."""
    if not isinstance(value, dict) or path[0] not in value:
        return value
    rest = {name: item for name, item in value.items() if name != path[0]}
    return rest if len(path) == 1 else {**rest, path[0]: without(value[path[0]], path[1:])}
