"""Between wire paths (lists by position) and canonical paths (lists by key)."""

from __future__ import annotations

from reconciler.core.jsonval import Json, JsonObject, Path, WirePath
from reconciler.core.normalise import list_key
from reconciler.core.properties import Access, Node, tree


def canonical_path(body: JsonObject, path: WirePath) -> Path:
    """`path` with each list element named as `canonical` names it."""
    result: list[str] = []
    value: Json = body
    node: Node | None = tree()
    for part in path:
        if isinstance(part, int):
            item = value[part] if isinstance(value, list) and part < len(value) else None
            keyed = node is not None and node.row is not None and node.row.key
            row = node.row if node is not None else None
            result.append(list_key(item, row) if keyed and row is not None else str(part))
            value = item
        else:
            result.append(part)
            value = value.get(part) if isinstance(value, dict) else None
        if node is not None:
            node = node.any if isinstance(part, int) else node.children.get(part) or node.any
    return tuple(result)


def why_not_ignorable(path: Path) -> str:
    """Why a property cannot be left out of the comparison; empty when it can."""
    node: Node = tree()
    for part in path:
        child = node.children.get(part) or node.any
        if child is None:
            return "" if node.is_open else "no property has that path"
        node = child
    if node.row is not None and node.row.access is Access.WRITE_ONLY:
        return "it is write-only and never compared as a value"
    if node.row is not None and node.row.access is Access.READ_ONLY:
        return "only Azure sets it, so it is never compared"
    return ""
