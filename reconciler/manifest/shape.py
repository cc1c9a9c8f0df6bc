"""What may stand where: the property table (names, access, spelling) with the schema's types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from reconciler.core.jsonval import JsonObject, as_object, as_text
from reconciler.core.properties import Access, Node, Property, tree
from reconciler.manifest.schemas import Kind, schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One place. `row` is None where Azure knows nothing of it, as in `reconcile:`."""

    row: Property | None = None
    type: str = ""  # the schema's, empty where several fit or where it has none
    children: Mapping[str, Shape] = field(default_factory=dict)
    any: Shape | None = None
    is_azure: bool = True
    by_folded: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_secret(self) -> bool:
        """Whether Azure never shows the value again."""
        return self.row is not None and self.row.access is Access.WRITE_ONLY

    @property
    def folds_keys(self) -> bool:
        """Whether Azure takes its keys in other case: not in maps, whose keys are data."""
        return self.is_azure and self.any is None and not self.is_secret


@cache
def shape_of(kind: Kind) -> Shape:
    """The root shape of a document."""
    return _shape(schema(kind), tree() if kind is Kind.GROUP else None)


def _shape(rules: JsonObject, node: Node | None) -> Shape:
    children: dict[str, Shape] = {}
    for name, member in as_object(rules.get("properties")).items():
        children[name] = _shape(as_object(member), _child(node, name))
    for name, child in node.children.items() if node else ():
        # Server values have a row and no place in the schema.
        children.setdefault(name, _shape({}, child))
    element = as_object(rules.get("items")) or as_object(rules.get("additionalProperties"))
    beneath = node.any if node else None
    is_open = bool(element) or beneath is not None
    return Shape(
        row=node.row if node else None,
        type=as_text(rules.get("type")),
        children=children,
        any=_shape(element, beneath) if is_open else None,
        is_azure=node is not None,
        by_folded={name.lower(): name for name in children},
    )


def _child(node: Node | None, name: str) -> Node | None:
    if node is None:
        return None
    return node.children.get(name) or node.any
