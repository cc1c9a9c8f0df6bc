"""Paths a manifest ignores keep their live value, also when the group is written."""

from __future__ import annotations

import copy
from dataclasses import replace

from reconciler.core.groups import DesiredGroup, LiveGroup
from reconciler.core.jsonval import Json, JsonObject, Path, as_object, pointer
from reconciler.core.normalise import list_key
from reconciler.core.properties import Node, Property, tree


class NotCarried(Exception):
    """An ignored path holds, in Azure, a value that never comes back: it would be lost."""


def with_ignored(desired: DesiredGroup, live: LiveGroup) -> DesiredGroup:
    """`desired` with the live value at every path its policy ignores.

    Raises:
        NotCarried: the live value includes a secure environment variable, which cannot be read.
    """
    if not desired.policy.ignore:
        return desired
    body = copy.deepcopy(desired.body)
    for path in desired.policy.ignore:
        found = _at(live.body, path)
        if _holds_secret(found, path):
            raise NotCarried(f"{pointer(path)} holds a secure value in Azure, which cannot be carried over")
        _set(body, path, copy.deepcopy(found))
    return replace(desired, body=body)


def _at(value: Json, path: Path) -> Json:
    node: Node | None = tree()
    for part in path:
        value = _member(value, part, node)
        node = _child(node, part)
    return value


def _set(body: JsonObject, path: Path, value: Json) -> None:
    """Put `value` at `path`; a parent the manifest does not have makes it pointless, so skip."""
    holder: Json = body
    node: Node | None = tree()
    for part in path[:-1]:
        child = _member(holder, part, node)
        if child is None and isinstance(holder, dict) and value is not None:
            after = _child(node, part)
            is_list = after is not None and after.row is not None and bool(after.row.key)
            child = holder.setdefault(part, [] if is_list else {})
        holder, node = child, _child(node, part)
    if isinstance(holder, list):
        row = node.row if node is not None else None
        index = _index(holder, path[-1], row)
        holder[index : index + 1] = [] if value is None else [value]
    elif isinstance(holder, dict) and value is None:
        holder.pop(path[-1], None)
    elif isinstance(holder, dict):
        holder[path[-1]] = value


def _member(value: Json, part: str, node: Node | None) -> Json:
    if isinstance(value, list):
        index = _index(value, part, node.row if node is not None else None)
        return value[index] if index < len(value) else None
    if isinstance(value, dict):
        return value.get(part)
    return None


def _index(items: list[Json], part: str, row: Property | None) -> int:
    """The position of the element named `part`, or the end."""
    if row is None or not row.key:
        return len(items)
    names = [list_key(item, row) for item in items]
    return names.index(part) if part in names else len(items)


def _child(node: Node | None, part: str) -> Node | None:
    return None if node is None else node.children.get(part) or node.any


def _holds_secret(value: Json, path: Path) -> bool:
    """Whether a live subtree has a variable without a value: Azure keeps it and does not say it."""
    if isinstance(value, list):
        return any(_holds_secret(item, (*path, "*")) for item in value)
    if not isinstance(value, dict):
        return False
    is_variable = len(path) >= 2 and path[-2] == "environmentVariables"
    if is_variable and "value" not in value:
        return True
    return any(_holds_secret(item, (*path, name)) for name, item in as_object(value).items())
