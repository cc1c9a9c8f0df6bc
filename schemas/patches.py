"""The schema of patch files, made from that of manifests: a part of one, and what `$patch` says.

What a patch brings as a new whole, and what has to be there to be altered, only the manifest that
it is merged into tells.
"""
# ruff: noqa: INP001  # imported by the script beside it alone

from __future__ import annotations

from ours import DRAFT, Json, Schema

from reconciler.core.properties import Access, Node, tree

_REMOVAL = "removal"
_NOT_IN_A_PATCH = ("default", "required", "minItems", "maxItems")  # of what is altered
_WHICH = ("type", "apiVersion", "name")
_KINDS = ("containerGroup", "resourceGroup")


def patch(manifest: Schema) -> Schema:
    """The schema of one YAML document of a patch file."""
    maker = _Maker(_members(manifest, "$defs"))
    roots: dict[str, Json] = {kind: maker.root(kind) for kind in _KINDS}
    return {
        "$schema": DRAFT,
        "title": "aci-reconcile patch",
        "description": "A part of a manifest, which an environment changes it by: 'name' says "
        "which group is meant. Mappings are merged, and so are lists whose elements have a name; "
        "null removes a member. See docs/environments.md.",
        **{key: manifest[key] for key in ("type", "if", "then", "else")},
        "$defs": {
            **roots,
            _REMOVAL: {
                "type": "object",
                "description": "Removes what is there.",
                "properties": {"$patch": {"const": "delete"}},
                "required": ["$patch"],
                "additionalProperties": False,
            },
            **dict(sorted(maker.defs.items())),
        },
    }


class _Maker:
    """Loosens the definitions of manifests, each once. `defs` are those that are referred to."""

    def __init__(self, originals: dict[str, Json]) -> None:
        self.originals = originals
        self.defs: dict[str, Json] = {}

    def root(self, kind: str) -> Schema:
        """A whole document: it names what it is about."""
        original = _object(self.originals[kind])
        node = tree() if kind == "containerGroup" else None
        made = self._mapping(original, node, _directive("Takes it out.", "delete"))
        stated = _members(original, "properties")
        members = {**_members(made, "properties"), **{name: stated[name] for name in _WHICH}}
        if "reconcile" in members:
            block = _object(members["reconcile"])
            inner = _members(_object(stated["reconcile"]), "properties")
            home = {"resourceGroup": inner["resourceGroup"]}
            members["reconcile"] = {
                **block,
                "properties": {**_members(block, "properties"), **home},
            }
        needed: list[Json] = ["name"] if kind == "containerGroup" else ["type", "name"]
        return {**made, "type": "object", "properties": members, "required": needed}

    def _member(self, original: Schema, node: Node | None) -> Schema:
        """A value below a document: it may be left out, altered or removed."""
        if "$ref" in original:
            name = str(original["$ref"]).rpartition("/")[2]
            is_whole = _object(self.originals[name]).get("type") == "object"
            made = self._reference(name, node) if is_whole or name == "secret" else None
            if made is not None:
                return {**_noted(original), **made}
            return self._member({**_object(self.originals[name]), **_noted(original)}, node)
        if original.get("type") == "object":
            row = node.row if node is not None else None
            if row is not None and row.access is Access.WRITE_ONLY:
                self._keep(original)
                return _one_value(original)
            says = "delete removes it; replace puts this in its place, and merges nothing."
            made = self._mapping(original, node, _directive(says, "delete", "replace"))
            return {**made, "type": ["object", "null"]}
        if original.get("type") == "array":
            return _removable(_noted(original), self._list(original, node))
        return self._value(original, node)

    def _value(self, original: Schema, node: Node | None) -> Schema:
        made = {key: item for key, item in original.items() if key not in _NOT_IN_A_PATCH}
        if isinstance(kind := made.get("type"), str):
            made["type"] = [kind, "null"]
        if isinstance(values := made.get("enum"), list):
            made["enum"] = [*values, None]
        if isinstance(branches := made.get("anyOf"), list):
            made["anyOf"] = [
                self._member(_object(one), node) if "$ref" in _object(one) else one
                for one in branches
            ]
        notes = _noted(made)
        return _removable(notes, {k: v for k, v in made.items() if k not in notes})

    def _reference(self, name: str, node: Node | None) -> Schema:
        """A definition under a name of its own."""
        called = f"{name}Patch"
        if called not in self.defs:
            self.defs[called] = {}  # holds the place while its members are built
            original = _object(self.originals[name])
            self.defs[called] = (
                _one_value(original) if name == "secret" else self._member(original, node)
            )
        return {"$ref": f"#/$defs/{called}"}

    def _list(self, original: Schema, node: Node | None) -> Schema:
        """A list: merged where its elements have a name, else replaced by one that is whole."""
        kept = {k: v for k, v in original.items() if k not in ("description", "default")}
        items = _object(original["items"])
        row = node.row if node is not None else None
        if row is None or not row.key:
            self._keep(items)
            return {**kept, "type": ["array", "null"]}
        element = self._element(items, node.any if node is not None else None, row.key[0])
        marker: Schema = {"const": {"$patch": "replace"}}
        items = {"if": marker, "else": element}
        return {"type": ["array", "null"], "items": items}

    def _element(self, original: Schema, node: Node | None, key: str) -> Schema:
        """An element that is found by its name."""
        name = str(original["$ref"]).rpartition("/")[2]
        called = f"{name}Element"
        if called not in self.defs:
            self.defs[called] = {}
            says = (
                "add brings what is not there, delete removes it, replace puts this in its place; "
                "alone in an element, replace puts this list in the place of the one there."
            )
            whole = _object(self.originals[name])
            made = self._mapping(whole, node, _directive(says, "add", "delete", "replace"))
            stated = _members(whole, "properties")[key]
            members = {**_members(made, "properties"), key: stated}
            self.defs[called] = {**made, "properties": members, "required": [key]}
        return {"$ref": f"#/$defs/{called}"}

    def _mapping(self, original: Schema, node: Node | None, directive: Schema) -> Schema:
        """An object that is merged member by member."""
        made = {key: item for key, item in original.items() if key not in _NOT_IN_A_PATCH}
        members: dict[str, Json] = {}
        for name, item in _members(original, "properties").items():
            members[name] = self._member(_object(item), _below(node, name))
        open_to = made.get("additionalProperties")
        if isinstance(open_to, dict):
            made["additionalProperties"] = self._member(open_to, node.any if node else None)
        made.setdefault("additionalProperties", True)
        return {**made, "properties": {"$patch": directive, **members}}

    def _keep(self, original: Schema) -> None:
        """Let what is replaced as a whole refer to what it always did."""
        if "$ref" in original:
            name = str(original["$ref"]).rpartition("/")[2]
            if name not in self.defs:
                self.defs[name] = self.originals[name]
                self._keep(_object(self.originals[name]))
        for item in original.values():
            for one in item if isinstance(item, list) else [item]:
                if isinstance(one, dict):
                    self._keep(one)


def _one_value(original: Schema) -> Schema:
    """A write-only value: another one takes its place whole."""
    says = "replace is the same as leaving it out: what is secret is never merged."
    members = {"$patch": _directive(says, "replace"), **_members(original, "properties")}
    kinds = original["type"] if isinstance(original["type"], list) else [original["type"]]
    made = {**original, "type": [*kinds, "null"], "properties": members}
    notes = _noted(made)
    return _removable(
        notes, {key: item for key, item in made.items() if key not in notes}, "delete"
    )


def _removable(notes: Schema, value: Schema, directive: str = "") -> Schema:
    """A value, or the mapping that removes it; `directive` where other mappings are values."""
    says: Schema = {"properties": {"$patch": {"const": directive}}} if directive else {}
    return {
        **notes,
        "if": {"type": "object", **says, "required": ["$patch"], "additionalProperties": True},
        "then": {"$ref": f"#/$defs/{_REMOVAL}"},
        "else": value,
    }


def _directive(says: str, *words: str) -> Schema:
    return {"enum": list(words), "description": says}


def _noted(original: Schema) -> Schema:
    return {key: original[key] for key in ("description", "title") if key in original}


def _below(node: Node | None, name: str) -> Node | None:
    return (node.children.get(name) or node.any) if node is not None else None


def _members(holder: Schema, key: str) -> dict[str, Json]:
    found = holder.get(key)
    return dict(found) if isinstance(found, dict) else {}


def _object(value: Json) -> Schema:
    if not isinstance(value, dict):
        raise TypeError(f"expected a schema, got {value!r}")
    return value
