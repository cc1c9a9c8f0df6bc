"""Between wire paths (lists by position) and canonical paths (lists by key)."""

from __future__ import annotations

from reconciler.core.jsonval import Json, JsonObject, Path, WirePath, pointer
from reconciler.core.normalise import ORDER, list_key
from reconciler.core.properties import Access, Node, tree
from reconciler.manifest.wording import listed

_MOST_NAMES = 5


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


# What is left out of the comparison whole would leave nothing of the manifest, or too much unseen.
_WHOLE: tuple[Path, ...] = ((), ("properties",), ("properties", "containers"), ("tags",))
_IDENTITY: tuple[Path, ...] = (("name",), ("type",), ("location",))


def why_not_ignorable(path: Path) -> tuple[str, str]:
    """Why a property cannot be left out of the comparison, and what to try; empty when it can."""
    end = len(path)
    while end and not path[end - 1]:
        end -= 1
    if path[:end] in _WHOLE:
        return "that would leave too much unseen", "a field below it"
    if path in _IDENTITY:
        return "it says which group is meant", "a field below '/properties'"
    node: Node = tree()
    for part in path:
        child = node.children.get(part) or node.any
        if child is None:
            return ("" if node.is_open else "no property has that path"), ""
        node = child
    if node.row is not None and node.row.access is Access.WRITE_ONLY:
        return "it is write-only and never compared as a value", ""
    if node.row is not None and node.row.access is Access.READ_ONLY:
        return "only Azure sets it, so it is never compared", ""
    return "", ""


def absent_element(canonical: JsonObject, path: Path) -> tuple[str, str]:
    """Why `path` can match nothing, and what to try; empty when it can.

    The last part may name an element that others add in Azure: that is what ignoring is for.
    Below an element that the manifest lacks nothing is compared, and a position is no name.
    """
    node: Node | None = tree()
    value: Json = canonical
    for index, part in enumerate(path):
        members = value if isinstance(value, dict) else {}
        is_keyed = node is not None and node.row is not None and bool(node.row.key)
        if is_keyed and part not in members and (part.isdigit() or index < len(path) - 1):
            by_position = "lists go by name, not by position"
            why = by_position if part.isdigit() else "no element has that name"
            names = [pointer((name,))[1:] for name in members if name != ORDER]
            return why, listed(names[:_MOST_NAMES]) if names else ""
        value = members.get(part)
        node = (node.children.get(part) or node.any) if node is not None else None
    return "", ""
