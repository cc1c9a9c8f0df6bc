"""Where a field of a group is written down: in its manifest, or in a patch of the environment."""

from __future__ import annotations

from reconciler.core.finding import Position
from reconciler.core.groups import DesiredGroup
from reconciler.core.jsonval import Json, Path, WirePath
from reconciler.core.normalise import list_key
from reconciler.core.properties import Node, tree


def position_of(desired: DesiredGroup, path: Path) -> Position:
    """Where the value at a canonical path starts, or the nearest value around it."""
    place = wire_path(desired.body, path)
    while place not in desired.marks:
        if not place:
            return desired.where
        place = place[:-1]
    file = desired.files.get(place, desired.where.file)
    return Position(file=file, mark=desired.marks[place])


def wire_path(body: Json, path: Path) -> WirePath:
    """A canonical path with elements by position; it ends where an element is not in `body`."""
    result: list[str | int] = []
    node: Node | None = tree()
    value = body
    for part in path:
        if isinstance(value, list):
            row = node.row if node is not None else None
            keyed = row is not None and bool(row.key)
            names = [
                list_key(item, row) if keyed and row else str(i) for i, item in enumerate(value)
            ]
            if part not in names:
                break
            index = names.index(part)
            result.append(index)
            value = value[index]
        else:
            result.append(part)
            value = value.get(part) if isinstance(value, dict) else None
        node = (node.children.get(part) or node.any) if node is not None else None
    return tuple(result)
