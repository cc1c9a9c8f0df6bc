"""One form for what a manifest says and what Azure answers, so that equal means equal.

`canonical` is driven by the property table alone: known paths are kept, read-only and write-only
ones dropped, defaults filled in, enumerations, regions and ids folded, and lists with a key become
maps, so that their order stops mattering and paths read `containers/web/properties/image`.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.jsonval import Json, JsonObject, as_object
from reconciler.core.properties import Access, Fold, Node, Property, tree

# Raised whenever `canonical` gives another result for the same body; state tags carry it.
NORMALISER_VERSION = 1

# The member under which a list whose order matters keeps that order.
ORDER = "(order)"

_DROPPED = (Access.READ_ONLY, Access.WRITE_ONLY)


def canonical(body: Json) -> JsonObject:
    """The canonical form of a container group, without its tags. Idempotent.

    Two bodies with equal canonical forms mean the same to Azure, apart from write-only values.
    """
    wire = {name: value for name, value in as_object(body).items() if name != "tags"}
    return as_object(_object(wire, tree()))


def list_key(element: Json, row: Property) -> str:
    """The name of a list element, e.g. `web` for a container or `80/TCP` for a port."""
    members = as_object(element)
    node = tree()
    for part in (*row.path, "*"):
        node = node.any if part == "*" and node.any else node.children[part]
    parts = []
    for name in row.key:
        child = node.children[name].row
        value = _leaf(_given(members.get(name), child), child)
        text = "" if value is None else str(value)
        parts.append(fold_text(text, child) if child is not None else text)
    return "/".join(parts)


def fold_text(value: str, row: Property) -> str:
    """`value` as the row's fold writes it."""
    match row.fold:
        case Fold.CASE:
            wanted = _flags(value)
            return next((name for name in row.values if _flags(name) == wanted), value)
        case Fold.REGION:
            return _squeezed(value)
        case Fold.RESOURCE_ID:
            return value.lower().rstrip("/")
        case Fold.WORDS:
            return " ".join(sorted(set(value.split())))
        case Fold.EXACT:
            return value


def _flags(text: str) -> list[str]:
    """An enumeration's members: "UserAssigned,SystemAssigned" is "SystemAssigned, UserAssigned"."""
    return sorted(_squeezed(text).split(","))


def _squeezed(text: str) -> str:
    return text.replace(" ", "").lower()


def _value(value: Json, node: Node) -> Json:
    """The canonical form of one value, None where it says nothing."""
    row = node.row
    if isinstance(value, dict) and row is not None and row.bare and node.is_leaf:
        return {}  # being there is all it says; members nobody knows are dropped by Azure (C.1)
    if isinstance(value, dict) and (node.children or node.any or node.is_open):
        found = _open(value) if node.is_open else _object(value, node)
        return found if found or (row and row.bare) else None
    if isinstance(value, list):
        return _list(value, node) or None
    return _leaf(value, row)


def _object(value: JsonObject, node: Node) -> JsonObject:
    known = value if node.any is not None else node.children
    result: JsonObject = {}
    for name in known:
        child = node.children.get(name) or node.any
        if child is None or is_dropped(child.row, value):
            continue
        found = filled(value.get(name), child)
        if found is not None:
            result[map_key(name, node)] = found
        elif child is node.any and isinstance(value.get(name), dict):
            # A key of a map is a statement even where nothing stands behind it (C.4).
            result[map_key(name, node)] = {}
    return result


def is_dropped(row: Property | None, parent: JsonObject) -> bool:
    """Whether a member says nothing: it never comes back, or not without a sibling."""
    if row is None:
        return False
    return row.access in _DROPPED or bool(row.only_with and not parent.get(row.only_with))


def filled(value: Json, node: Node) -> Json:
    """The canonical form of a member; the default where it is absent or says nothing."""
    found = _value(value, node)
    if found is None and node.row is not None and node.row.default is not None:
        return _value(node.row.default, node)
    return found


def map_key(name: str, node: Node) -> str:
    """A member's name in a canonical path; the keys of a map fold as its row says."""
    is_map = node.any is not None and node.row is not None
    return fold_text(name, node.row) if is_map and node.row else name


def _list(value: list[Json], node: Node) -> Json:
    row, element = node.row, node.any
    if row is None or not row.key or element is None:
        return [_leaf(item, row) for item in value]
    names = element_names(value, row)
    result: JsonObject = {
        name: _object(as_object(item), element) for name, item in zip(names, value, strict=True)
    }
    if row.ordered and len(result) > 1:
        result[ORDER] = list(result)
    return result


def element_names(elements: list[Json], row: Property) -> list[str]:
    """What each element of a keyed list is called in a canonical path."""
    names: list[str] = []
    for element in elements:
        names.append(_unused(list_key(element, row), names))
    return names


def _unused(name: str, taken: list[str]) -> str:
    """A name for an element whose key another one has already: nothing is merged away."""
    reserved = {*taken, ORDER}
    return next(candidate for candidate in _candidates(name) if candidate not in reserved)


def _candidates(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name} ({number})"
        number += 1


def _given(value: Json, row: Property | None) -> Json:
    return row.default if value is None and row is not None else value


def _open(value: JsonObject) -> JsonObject:
    """What is kept as it is, apart from the spelling of numbers and of absence."""
    return {name: _plain(item) for name, item in value.items() if item is not None}


def _plain(value: Json) -> Json:
    if isinstance(value, dict):
        return _open(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return _leaf(value, None)


def _leaf(value: Json, row: Property | None) -> Json:
    if isinstance(value, str) and row is not None:
        return fold_text(value, row)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
