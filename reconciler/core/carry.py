"""Paths a manifest ignores keep their live value, also when the group is written."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace

from reconciler.core.groups import DesiredGroup, LiveGroup, Secret, put_at
from reconciler.core.jsonval import Json, JsonObject, Path, WirePath, as_object, pointer
from reconciler.core.normalise import canonical, fold_text, list_key
from reconciler.core.properties import Access, Node, tree

# Stands in a body for a secret while elements move: no value of a manifest has this key.
_MARK = "(secret)"


class NotCarried(Exception):
    """An ignored path holds a value that never comes back: carrying it over would lose it."""


def with_ignored(desired: DesiredGroup, live: LiveGroup) -> DesiredGroup:
    """`desired` with the live value at every path its policy ignores.

    Raises:
        NotCarried: what would be carried over, or be overwritten by it, includes a secret.
    """
    if not desired.policy.ignore:
        return desired
    body = copy.deepcopy(desired.body)
    for number, secret in enumerate(desired.secrets):
        put_at(body, secret.path, {_MARK: number})
    for path in desired.policy.ignore:
        _carry(body, live.body, path)
    found = dict(_unmarked(body, ()))
    if len(found) < len(desired.secrets):
        lost = next(s for i, s in enumerate(desired.secrets) if i not in found)
        raise NotCarried(f"{lost.name} is a secret inside what the manifest ignores")
    secrets = tuple(_moved(secret, found[i]) for i, secret in enumerate(desired.secrets))
    return replace(desired, body=body, canonical=canonical(body), secrets=secrets)


def _carry(body: JsonObject, live: JsonObject, path: Path) -> None:
    found, node = _at(live, path)
    is_value = len(path) > 2 and path[-3] == "environmentVariables" and path[-1] == "value"
    holder, above = _at(live, path[:-1]) if is_value else (found, node)
    ours = _at(body, path[:-1])[0] if is_value else None
    if _holds_secret(holder, above) or any(_MARK in as_object(i) for i in as_object(ours).values()):
        raise NotCarried(
            f"{pointer(path)} holds a secure value in Azure or here, which cannot be carried over"
        )
    _set(body, path, _writable(found, node))


def _unmarked(value: Json, path: WirePath) -> Iterator[tuple[int, WirePath]]:
    """Take the marks out again, and tell where they stood."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unmarked(item, (*path, index))
    if not isinstance(value, dict):
        return
    for name, item in list(value.items()):
        number = as_object(item).get(_MARK)
        if isinstance(number, int):
            del value[name]
            yield number, (*path, name)
        else:
            yield from _unmarked(item, (*path, name))


def _moved(secret: Secret, path: WirePath) -> Secret:
    return secret if secret.path == path else replace(secret, path=path)


def _at(value: Json, path: Path) -> tuple[Json, Node | None]:
    node: Node | None = tree()
    for part in path:
        value = _member(value, part, node)
        node = _child(node, part)
    return value, node


def _set(body: JsonObject, path: Path, value: Json) -> None:
    """Put `value` at `path`; a list element the manifest does not have makes it pointless."""
    holder: Json = body
    node: Node | None = tree()
    for part in path[:-1]:
        child = _member(holder, part, node)
        if child is None and isinstance(holder, dict) and value is not None:
            after = _child(node, part)
            is_list = after is not None and after.row is not None and bool(after.row.key)
            child = holder.setdefault(_name(holder, part, node), [] if is_list else {})
        holder, node = child, _child(node, part)
    if isinstance(holder, list):
        index = _index(holder, path[-1], node)
        holder[index : index + 1] = [] if value is None else [value]
    elif isinstance(holder, dict):
        name = _name(holder, path[-1], node)
        holder.pop(name, None)
        if value is not None:
            holder[name] = value


def _member(value: Json, part: str, node: Node | None) -> Json:
    if isinstance(value, list):
        index = _index(value, part, node)
        return value[index] if index < len(value) else None
    if isinstance(value, dict):
        return value.get(_name(value, part, node))
    return None


def _name(holder: JsonObject, part: str, node: Node | None) -> str:
    """The member called `part`, in the case it is written in where case means nothing."""
    row = node.row if node is not None and node.any is not None else None
    if row is None or part in holder:
        return part
    return next((name for name in holder if fold_text(name, row) == fold_text(part, row)), part)


def _index(items: list[Json], part: str, node: Node | None) -> int:
    """The position of the element named `part`, or the end."""
    row = node.row if node is not None else None
    if row is None or not row.key:
        return len(items)
    names = [list_key(item, row) for item in items]
    return names.index(part) if part in names else len(items)


def _child(node: Node | None, part: str) -> Node | None:
    return None if node is None else node.children.get(part) or node.any


def _writable(value: Json, node: Node | None) -> Json:
    """A copy of a live value without what only Azure writes."""
    if isinstance(value, list):
        return [_writable(item, node.any if node is not None else None) for item in value]
    if not isinstance(value, dict):
        return value
    result: JsonObject = {}
    for name, item in value.items():
        child = _child(node, name)
        if child is None or child.row is None or child.row.access is not Access.READ_ONLY:
            result[name] = _writable(item, child)
    return result


def _holds_secret(value: Json, node: Node | None) -> bool:
    """Whether Azure may keep something in a live subtree that it does not say."""
    if node is None:
        return False
    if isinstance(value, list):
        return any(_holds_secret(item, node.any) for item in value)
    if not isinstance(value, dict):
        return False
    if any(not value.keys() & row.instead for row in node.write_only):
        return True
    return any(_holds_secret(item, _child(node, name)) for name, item in value.items())
