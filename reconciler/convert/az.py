"""What the Azure CLI takes and prints: its YAML, `az container show` and `list`, answers of ARM.

`az container show` prints the SDK's models: `properties` is dissolved into what holds it, and a key
such as `memory_in_gb` comes out as `memoryInGb`. Everything Azure alone sets is in there as well.
"""

from __future__ import annotations

import re
from dataclasses import replace

from reconciler.convert.found import FoundGroup, Reading
from reconciler.core.ids import GROUP_TYPE
from reconciler.core.jsonval import Json, JsonObject, WirePath, as_list, as_object, as_text
from reconciler.manifest.document import Document
from reconciler.manifest.recognise import Form, form_of

# What stands beside `properties`; all else of a flattened group belongs inside.
_OUTSIDE = frozenset(
    {
        "id", "name", "type", "location", "tags", "identity", "zones", "apiVersion",
        "resourceGroup", "systemData", "reconcile",
    }
)  # fmt: skip
# Lists whose elements are `{name, properties}` on the wire.
_WRAPPED = ("containers", "initContainers", "extensions")
# Beside `properties` in what `az resource show` prints, empty for container groups.
_ENVELOPE = frozenset(
    {
        "id", "type", "resourceGroup", "systemData", "etag", "kind", "plan", "sku", "scale",
        "managedBy", "extendedLocation", "changedTime", "createdTime", "provisioningState",
        "apiVersion",
    }
)  # fmt: skip
_ADDRESS = re.compile(r"/resourceGroups/(?P<name>[^/]+)/providers/", re.IGNORECASE)


def read_group(document: Document) -> Reading:
    """The one group of a document, or each of a list."""
    data = document.data
    items = data.get("value")
    if isinstance(items, list) and "properties" not in data:
        groups = [
            _group(as_object(item), document, ("value", index)) for index, item in enumerate(items)
        ]
        return Reading(groups=tuple(groups), notes=_more(data))
    return Reading(groups=(_group(data, document, ()),))


def _more(data: JsonObject) -> tuple[str, ...]:
    is_part = as_text(data.get("nextLink")) != ""
    return ("the list goes on at its nextLink: what follows is not in the file",) if is_part else ()


def _group(data: JsonObject, document: Document, root: WirePath) -> FoundGroup:
    is_flat = form_of(data) is Form.SHOWN
    body = _raised(data) if is_flat else data
    is_live = "id" in data or _has_state(as_object(body.get("properties")))
    address = _ADDRESS.search(as_text(data.get("id")))
    home = address["name"] if address else as_text(data.get("resourceGroup"))
    return FoundGroup(
        body=_carried(body),
        source=document if not is_flat else _with_raised_marks(document, root),
        root=root,
        resource_group=home,
        is_live=is_live,
        is_literal="reconcile" not in data,  # no tool but ours writes that
    )


def _has_state(properties: JsonObject) -> bool:
    return "provisioningState" in properties or "instanceView" in properties


def _carried(body: JsonObject) -> JsonObject:
    """The body without what surrounds a resource."""
    return {key: value for key, value in body.items() if key not in _ENVELOPE}


def _raised(data: JsonObject) -> JsonObject:
    """A flattened group as ARM knows it."""
    outside = {key: value for key, value in data.items() if key in _OUTSIDE}
    properties = {key: value for key, value in data.items() if key not in _OUTSIDE}
    for name in _WRAPPED:
        if isinstance(properties.get(name), list):
            properties[name] = [_wrapped(item) for item in as_list(properties[name])]
    return {**outside, "type": GROUP_TYPE, "properties": properties}


def _wrapped(item: Json) -> Json:
    if not isinstance(item, dict) or "properties" in item:
        return item
    inside = {key: value for key, value in item.items() if key != "name"}
    return {**({"name": item["name"]} if "name" in item else {}), "properties": inside}


def _with_raised_marks(document: Document, root: WirePath) -> Document:
    """The document with its marks where the raised group has its values."""

    def moved(path: WirePath) -> WirePath:
        inside = path[len(root) :]
        if path[: len(root)] != root or not inside or inside[0] in _OUTSIDE:
            return path
        if inside[0] in _WRAPPED and len(inside) > 2 and inside[2] != "name":
            inside = (*inside[:2], "properties", *inside[2:])
        return (*root, "properties", *inside)

    return replace(
        document,
        values={moved(path): pair for path, pair in document.values.items()},
        keys={moved(path): pair for path, pair in document.keys.items()},
    )
