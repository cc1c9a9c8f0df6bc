"""The least a manifest has to say: what the property table fills in by itself is left out."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.jsonval import Json, JsonObject, WirePath, as_object
from reconciler.core.normalise import filled, fold_text, is_dropped
from reconciler.core.properties import Access, Fold, Node, Property, tree

# Spelt as Azure does; names and ids keep the letters they were written in.
_SPELT = (Fold.CASE, Fold.REGION)


def least(body: Json) -> JsonObject:
    """The least body with the canonical form of `body`, without its tags and without secrets.

    Lists keep their elements and their order, so that a path into `body` is one into the result.
    """
    wire = {name: value for name, value in as_object(body).items() if name != "tags"}
    return _object(wire, tree())


def unknown_members(body: Json) -> Iterator[WirePath]:
    """Where a body says what the property table does not know, so that it means nothing to us."""
    yield from _unknown(body, tree(), ())


def secret_places(body: Json) -> Iterator[tuple[WirePath, bool]]:
    """Where a body has room for a secret, and whether it holds one.

    A secret volume that holds none is a place of its own: the names of its files are lost too.
    """
    yield from _secrets(body, tree(), ())


def _object(value: JsonObject, node: Node) -> JsonObject:
    known = value if node.any is not None else node.children
    result: JsonObject = {}
    for name in known:
        child = node.children.get(name) or node.any
        if child is None or is_dropped(child.row, value):
            continue
        kept = _kept(value.get(name), child)
        if kept is not None:
            result[name] = kept
        elif child is node.any and isinstance(value.get(name), dict):
            result[name] = {}
    return result


def _kept(value: Json, node: Node) -> Json:
    """What has to be said of a member; None where the table says it as well."""
    row = node.row
    found = filled(value, node)
    if found is None or value is None:
        return None
    if row is not None and row.default is not None and found == filled(None, node):
        return None
    if isinstance(value, dict):
        return found if node.is_leaf or node.is_open else _object(value, node)
    if isinstance(value, list) and node.any is not None:
        return [_object(as_object(item), node.any) for item in value]
    if isinstance(value, list):
        return list(value)
    return _leaf(value, row)


def _leaf(value: Json, row: Property | None) -> Json:
    if isinstance(value, str):
        return fold_text(value, row) if row is not None and row.fold in _SPELT else value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _unknown(value: Json, node: Node, path: WirePath) -> Iterator[WirePath]:
    if isinstance(value, list):
        for i, item in enumerate(value):
            if node.any is not None:
                yield from _unknown(item, node.any, (*path, i))
    if not isinstance(value, dict) or node.is_open or (node.is_leaf and path):
        return
    for name, item in value.items():
        child = node.children.get(name) or node.any
        if child is None:
            yield (*path, name)
        elif child.row is None or child.row.access is not Access.READ_ONLY:
            yield from _unknown(item, child, (*path, name))


def _secrets(value: Json, node: Node, path: WirePath) -> Iterator[tuple[WirePath, bool]]:
    if isinstance(value, list) and node.any is not None:
        for i, item in enumerate(value):
            yield from _secrets(item, node.any, (*path, i))
    if not isinstance(value, dict):
        return
    if node.any is not None and _is_secret(node.any):
        yield from [((*path, name), True) for name in value] or [(path, False)]
        return
    for name in node.children if node.any is None else value:
        child = node.children.get(name) or node.any
        assert child is not None
        if not _is_secret(child):
            yield from _secrets(value.get(name), child, (*path, name))
        elif value.get(name) is not None or not _is_replaced(child, value):
            yield (*path, name), value.get(name) is not None


def _is_secret(node: Node) -> bool:
    return node.row is not None and node.row.access is Access.WRITE_ONLY


def _is_replaced(node: Node, parent: JsonObject) -> bool:
    """Whether a sibling stands in the place of a secret."""
    return node.row is not None and any(parent.get(name) is not None for name in node.row.instead)
