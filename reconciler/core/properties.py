"""THE property table: what is known of every path of a container group, API version 2023-05-01.

Normalising, diffing, planning, masking and explaining only read it. A row's `source` cites
azure-facts by section and carries its grade: R recorded traffic, S specification, D documentation,
I public issue, C a client's source, INF inference. A path without a row is unknown to us: it is
dropped from live bodies (Azure adds properties) and refused in manifests.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from reconciler.core import container_rows, group_rows
from reconciler.core.jsonval import Path
from reconciler.core.property import Access, Effect, Fold, Property

__all__ = [
    "PROPERTIES",
    "Access",
    "Effect",
    "Fold",
    "Node",
    "Property",
    "holds_write_only",
    "row_of",
    "tree",
    "write_only_names",
]

PROPERTIES: tuple[Property, ...] = (
    *group_rows.group(),
    *group_rows.identity(),
    *container_rows.containers(),
    *container_rows.init_containers(),
    *group_rows.credentials(),
    *group_rows.ip_address(),
    *group_rows.volumes(),
    *group_rows.diagnostics(),
    *group_rows.network(),
    *group_rows.special(),
)


@dataclass(slots=True)
class Node:
    """The table as a tree: a step a path part. `any` is the child for `*`."""

    row: Property | None = None
    children: dict[str, Node] = field(default_factory=dict)
    any: Node | None = None
    is_open: bool = False  # `**`: anything below is kept as it is

    @property
    def is_leaf(self) -> bool:
        """Whether the table says no more: an element of a plain list is answered by its list."""
        return not self.children and self.any is None

    @property
    def write_only(self) -> list[Property]:
        """The rows of its members that never come back."""
        members = [*self.children.values(), *([self.any] if self.any is not None else [])]
        rows = [member.row for member in members if member.row is not None]
        return [row for row in rows if row.access is Access.WRITE_ONLY]


@cache
def tree() -> Node:
    """The root of the table; built once."""
    root = Node()
    for row in PROPERTIES:
        node = root
        for part in row.path:
            if part == "**":
                node.is_open = True
                break
            node = _step(node, part)
        else:
            node.row = row
    return root


def _step(node: Node, part: str) -> Node:
    if part == "*":
        node.any = node.any or Node()
        return node.any
    return node.children.setdefault(part, Node())


def row_of(path: Path) -> Property | None:
    """The row that answers for a concrete canonical path: its own, or its nearest ancestor's."""
    node, found = tree(), None
    for part in path:
        child = node.children.get(part) or node.any
        if child is None:
            return found if node.is_open or node.is_leaf else None
        node, found = child, child.row or found
    return found


@cache
def write_only_names() -> frozenset[str]:
    """The members of a body whose values, and all beneath them, never come back."""
    rows = [row for row in PROPERTIES if row.access is Access.WRITE_ONLY]
    return frozenset(next(part for part in reversed(row.path) if part[0] != "*") for row in rows)


def holds_write_only(path: Path) -> bool:
    """Whether members of what lies at a canonical path are write-only."""
    node: Node | None = tree()
    for part in path:
        node = (node.children.get(part) or node.any) if node is not None else None
    return node is not None and bool(node.write_only)
