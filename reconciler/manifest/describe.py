"""What the manifest schema says of a property, for people."""

from __future__ import annotations

import json

from reconciler.core.jsonval import Json, JsonObject, Path, as_object, as_text
from reconciler.manifest.schemas import schema_text


def description(path: Path) -> str:
    """The schema's description at a pattern of the property table; empty where it has none."""
    whole = as_object(json.loads(schema_text("manifest")))
    defs = as_object(whole.get("$defs"))
    node = as_object(defs.get("containerGroup"))
    text = ""
    for part in path:
        node = _below(node, part, defs)
        text = as_text(node.get("description")) or _target(node, defs)
    return text


def _below(node: JsonObject, part: str, defs: JsonObject) -> JsonObject:
    """The schema of one member, or of any element where `part` is `*`."""
    node = _resolved(node, defs)
    found: Json
    if part == "*":
        found = node.get("items") or node.get("additionalProperties")
    else:
        found = as_object(node.get("properties")).get(part)
    return as_object(found)


def _resolved(node: JsonObject, defs: JsonObject) -> JsonObject:
    name = as_text(node.get("$ref")).removeprefix("#/$defs/")
    return {**as_object(defs.get(name)), **node} if name else node


def _target(node: JsonObject, defs: JsonObject) -> str:
    return as_text(_resolved(node, defs).get("description"))
