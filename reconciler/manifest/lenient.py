"""What the service accepts is accepted: one pass that repairs a document and warns of each repair.

It runs before the schema, which is strict, so that editors teach the spelling Azure answers with.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from reconciler.core.finding import Finding
from reconciler.core.jsonval import Json, JsonObject, WirePath
from reconciler.core.normalise import fold_text
from reconciler.core.properties import Access, Fold
from reconciler.manifest.document import Document, Pair
from reconciler.manifest.references import WRITTEN
from reconciler.manifest.rules import finding
from reconciler.manifest.schemas import Kind
from reconciler.manifest.shape import Shape, shape_of
from reconciler.manifest.wording import number, quoted, shown_path

# Read-only in the table, yet part of what a person writes.
_WRITTEN = frozenset({("name",), ("type",), ("apiVersion",)})
# Left behind by `az container export` or by tools, in no swagger we speak (azure-facts C.2, H.4).
LEFTOVERS = frozenset(
    {
        "isCreatedFromStandbyPool",
        "provisioningTimeoutInSeconds",
        "isCustomProvisioningTimeout",
        "isDelegatedIdentity",
        "systemData",
    }
)
_NEWER = {
    "configMap": "environmentVariables or a secret volume",
    "networkProfile": "'subnetIds', which replaced it",
    "containerGroupProfile": "",
    "standbyPoolProfile": "",
    "identityAcls": "",
    "secretReferences": f"{WRITTEN} where the secret is due",
    "secretReference": f"{WRITTEN} where the secret is due",
    "secureValueReference": "'secureValue: {fromEnv: NAME}'",
    "passwordReference": "'password: {fromEnv: NAME}'",
    "storageAccountKeyReference": "'storageAccountKey: {fromEnv: NAME}'",
}
_LATER_SECRETS = ("fromCommand", "fromSops")
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}\Z")
_DECIMAL = re.compile(r"[-+]?[0-9]{1,18}(\.[0-9]{1,18})?\Z")
_TRUTH = {
    **dict.fromkeys(("true", "yes", "on"), True),
    **dict.fromkeys(("false", "no", "off"), False),
}


def repaired(
    document: Document, kind: Kind, *, keeps_null: bool = False
) -> tuple[Document, list[Finding]]:
    """The document as the schema wants it, and a finding for everything that was not so.

    With `keeps_null` an absent value stays what it is: in a patch it says something.
    """
    pass_ = _Pass(document, keeps_null=keeps_null)
    data = pass_.mapping(document.data, shape_of(kind), ())
    if ("apiVersion",) in document.dates:
        says = f"expected a quoted string, got the date {document.data['apiVersion']}"
        pass_.say("M105", ("apiVersion",), says, f'"{document.data["apiVersion"]}"')
    values, keys = document.values, document.keys
    if pass_.renames:
        values, keys = pass_.moved(values), pass_.moved(keys)
    return replace(document, data=data, values=values, keys=keys), pass_.findings


class _Pass:
    """Walks by the paths as written; `renames` gives the canonical key of a path that differs."""

    def __init__(self, document: Document, *, keeps_null: bool) -> None:
        self.document = document
        self.keeps_null = keeps_null
        self.findings: list[Finding] = []
        self.renames: dict[WirePath, str] = {}

    def say(
        self, rule: str, path: WirePath, says: str, hint: str = "", *, at_key: bool = False
    ) -> None:
        where = self.document.at_key(path) if at_key else self.document.at(path)
        shown = shown_path(self._renamed(path))
        self.findings.append(finding(rule, where, says, path=shown, hint=hint))

    def moved(self, pairs: Mapping[WirePath, Pair]) -> dict[WirePath, Pair]:
        return {self._renamed(path): pair for path, pair in pairs.items()}

    def _renamed(self, path: WirePath) -> WirePath:
        if not self.renames:
            return path
        return tuple(self.renames.get(path[: i + 1], part) for i, part in enumerate(path))

    def mapping(self, value: JsonObject, shape: Shape, path: WirePath) -> JsonObject:
        result: JsonObject = {}
        for key, item in value.items():
            place = (*path, key)
            name = self._name(key, shape, value, place)
            child = shape.children.get(name, shape.any)
            if name in result:
                says = f"expected each key once, got {quoted(name)} again as {quoted(key)}"
                self.say("M004", place, says, at_key=True)
            elif not self._is_dropped(name, item, shape, child, place):
                result[name] = self.value(item, child, place)
        return result

    def _name(self, key: str, shape: Shape, siblings: JsonObject, place: WirePath) -> str:
        """The canonical spelling of `key`."""
        if key in shape.children or not shape.folds_keys:
            return key
        # az writes the members of `identity` in snake case (H.4); elsewhere that is unknown.
        folded = key.lower().replace("_", "") if place[0] == "identity" else key.lower()
        name = shape.by_folded.get(folded, key)
        if name != key and name not in siblings:
            self.renames[place] = name
            says = f"expected the key {quoted(name)}, got {quoted(key)}"
            self.say("M101", place, says, quoted(name), at_key=True)
        return name

    def _is_dropped(
        self, name: str, item: Json, shape: Shape, child: Shape | None, place: WirePath
    ) -> bool:
        if not shape.is_azure and item is not None:
            return False
        if item is None and self.keeps_null:
            return False
        if item is None and child is not None:
            if child is shape.any and child.type == "object":
                return False  # a key of a map says something even with nothing behind it
            self.say("M104", place, "expected the key to be left out, got null", at_key=True)
            return True
        row = child.row if child else None
        is_server_value = row is not None and row.access is Access.READ_ONLY
        if is_server_value and place not in _WRITTEN:
            return self._leftover(name, place)
        if child is None and (name in LEFTOVERS or _is_debris(name, item)):
            return self._leftover(name, place)
        return child is None and name in _NEWER and self._newer(name, item, place)

    def _leftover(self, name: str, place: WirePath) -> bool:
        says = f"expected no value that only Azure sets, got {quoted(name)}"
        self.say("M106", place, says, "removing it", at_key=True)
        return True

    def _newer(self, name: str, item: Json, place: WirePath) -> bool:
        if is_empty(item):
            says = f"expected no empty {quoted(name)}: it is not part of API version 2023-05-01"
            self.say("M107", place, says, "removing it", at_key=True)
        else:
            says = f"expected a key of API version 2023-05-01, got {quoted(name)}"
            self.say("M206", place, says, _NEWER[name], at_key=True)
        return True

    def value(self, value: Json, shape: Shape | None, path: WirePath) -> Json:
        if shape is None:
            return value
        if isinstance(value, dict):
            return self._object(value, shape, path)
        if isinstance(value, list):
            return [self.value(item, shape.any, (*path, i)) for i, item in enumerate(value)]
        if value is None and shape.type == "object" and not self.keeps_null:
            self.say("M104", path, "expected an empty mapping, got null", "{}")
            return {}
        if not shape.is_azure:
            return value
        return self._text(value, shape, path) if isinstance(value, str) else _whole(value, shape)

    def _object(self, value: JsonObject, shape: Shape, path: WirePath) -> Json:
        if shape.is_secret:
            for name in _LATER_SECRETS:
                if name in value:
                    says = f"expected a supported reference, got {quoted(name)}: not supported yet"
                    place = (*path, name)
                    self.say("M207", place, says, "{fromEnv: NAME}", at_key=True)
                    return {"unknown": True}
        return self.mapping(value, shape, path)

    def _text(self, value: str, shape: Shape, path: WirePath) -> Json:
        row = shape.row
        if row is not None and row.fold is Fold.CASE and row.values:
            folded = fold_text(value, row)
            if folded != value:
                self.say("M102", path, f"expected {quoted(folded)}, got {quoted(value)}")
            return folded
        found = _unquoted(value, shape.type)
        if found is None:
            return value
        shown = str(found).lower() if isinstance(found, bool) else number(found)
        says = f"expected {shown}, got the string {quoted(value)}"
        self.say("M103", path, says, f"{shown} without quotes")
        return found


def _whole(value: Json, shape: Shape) -> Json:
    """`80.0` as 80 where a whole number is due."""
    is_whole = isinstance(value, float) and value.is_integer() and shape.type == "integer"
    return int(value) if is_whole and isinstance(value, float) else value


def _unquoted(text: str, kind: str) -> bool | int | float | None:
    """The number or boolean that `text` spells where one is due."""
    match kind:
        case "integer":
            return int(text) if _INTEGER.match(text) else None
        case "number":
            if _INTEGER.match(text):
                return int(text)
            return float(text) if _DECIMAL.match(text) else None
        case "boolean":
            return _TRUTH.get(text.lower())
        case _:
            return None


def _is_debris(name: str, item: Json) -> bool:
    """`additional_properties: {}`, which the SDK's models print (H.3)."""
    return name == "additional_properties" and is_empty(item)


def is_empty(value: Json) -> bool:
    """Whether nothing is said: null, an empty list, or objects that hold no more than that."""
    if isinstance(value, dict):
        return all(is_empty(item) for item in value.values())
    return value is None or value == []
