"""The table answers for everything the description and the SDK know, with agreeing flags."""

from __future__ import annotations

import re
from importlib.metadata import version

import pytest

from reconciler.core.jsonval import dig
from reconciler.core.normalise import canonical
from reconciler.core.properties import PROPERTIES, Access, Effect, Fold, row_of
from tests.core.conftest import SHARED
from tests.core.full import full_body

# Writable by the description, yet the server's value wins (azure-facts C.3).
_DEVIATIONS = {("properties", "ipAddress", "ip")}

# Maps of anything: below them the description says no more.
_OPEN = ("settings", "protectedSettings")


def _described(description, name, path=()):
    """Paths of a definition, `*` for one element or key, with its read-only flag."""
    schema = description["definitions"][name]
    for part in (schema, *(_resolve(description, part) for part in schema.get("allOf", ()))):
        for member, found in part.get("properties", {}).items():
            yield from _member(description, found, (*path, member), read_only=False)


def _resolve(description, schema):
    reference = schema.get("$ref", "")
    name = reference.rsplit("/", 1)[-1]
    return description["definitions"][name] if name else schema


def _member(description, schema, path, *, read_only):
    inner = _resolve(description, schema)
    read_only = read_only or bool(schema.get("readOnly") or inner.get("readOnly"))
    yield path, read_only
    if path[-1] in _OPEN:
        return
    if inner.get("type") == "array":
        yield from _member(description, inner["items"], (*path, "*"), read_only=read_only)
    if isinstance(inner.get("additionalProperties"), dict):
        more = inner["additionalProperties"]
        yield from _member(description, more, (*path, "*"), read_only=read_only)
    for part in (inner, *(_resolve(description, one) for one in inner.get("allOf", ()))):
        for member, found in part.get("properties", {}).items():
            yield from _member(description, found, (*path, member), read_only=read_only)


def _disagreement(path, *, read_only):
    row = row_of(path)
    if row is None:
        return f"{'/'.join(path)}: no row"
    if (row.access is Access.READ_ONLY) != read_only and path not in _DEVIATIONS:
        return f"{'/'.join(path)}: read-only is {read_only}, the table says {row.access}"
    return ""


def test_every_path_of_the_official_description_is_answered(description):
    paths = list(_described(description, "ContainerGroup"))

    assert len(paths) > 150
    assert [text for path, flag in paths if (text := _disagreement(path, read_only=flag))] == []


def _sdk_paths(model, models, path=(), *, read_only=False):
    validation = getattr(model, "_validation", {})
    for name, facts in model._attribute_map.items():
        parts = tuple(facts["key"].split("."))
        flag = read_only or bool(validation.get(name, {}).get("readonly"))
        yield from _typed(facts["type"], models, (*path, *parts), read_only=flag)


def _typed(kind, models, path, *, read_only):
    yield path, read_only
    if kind[0] in "[{":
        yield from _typed(kind[1:-1], models, (*path, "*"), read_only=read_only)
    elif hasattr(getattr(models, kind, None), "_attribute_map"):
        yield from _sdk_paths(getattr(models, kind), models, path, read_only=read_only)


def test_every_path_of_the_sdk_is_answered():
    models = pytest.importorskip("azure.mgmt.containerinstance.models")
    if not hasattr(models.ContainerGroup, "_attribute_map"):
        pytest.skip(f"SDK {version('azure-mgmt-containerinstance')} has another model base class")
    paths = list(_sdk_paths(models.ContainerGroup, models))

    assert len(paths) > 150
    assert [text for path, flag in paths if (text := _disagreement(path, read_only=flag))] == []


def test_every_enumeration_is_spelled_as_the_description_spells_it(description):
    wrong = []
    for row in PROPERTIES:
        schema = _schema_at(description, row.path)
        if schema is not None and "enum" in schema and set(schema["enum"]) != set(row.values):
            wrong.append(("/".join(row.path), row.values, schema["enum"]))

    assert wrong == []


def _schema_at(description, path):
    schema = description["definitions"]["ContainerGroup"]
    for part in path:
        schema = _resolve(description, schema)
        if part == "*":
            schema = schema.get("items") or schema.get("additionalProperties")
        else:
            parts = (schema, *(_resolve(description, one) for one in schema.get("allOf", ())))
            found = [one["properties"][part] for one in parts if part in one.get("properties", {})]
            schema = found[0] if found else None
        if not isinstance(schema, dict):
            return None
    return _resolve(description, schema)


PLACE = r"[A-I]\.\d+(?: #\d+)?|[GI]\d+"
GRADED = re.compile(rf"(?:{PLACE})(?:, (?:{PLACE}|#\d+))* (?:\[(?:R|S|D|I|C|INF)\])+")


def test_every_row_names_a_place_in_the_facts_and_its_grade():
    """Such as `C.2 #14 [R]` or `D.1, D.2 [D][I]`."""
    assert [
        ("/".join(row.path), row.source) for row in PROPERTIES if not GRADED.search(row.source)
    ] == []


def test_every_place_that_is_cited_exists():
    facts = SHARED / "azure-facts.md"
    if not facts.is_file():
        pytest.skip(f"no {facts.name} at {SHARED}")
    text = facts.read_text("utf-8")
    sections = set(re.findall(r"^### ([A-I]\.\d+) ", text, re.MULTILINE))
    rules = set(re.findall(r"^\|? ?\**([GI]\d+)\**[ .|]", text, re.MULTILINE))
    exceptions = text.partition("### C.2 ")[2].partition("###")[0]
    numbers = set(re.findall(r"^\| (\d+) \|", exceptions, re.MULTILINE))
    missing = [
        ("/".join(row.path), place)
        for row in PROPERTIES
        for place in re.findall(rf"\b(?:{PLACE})(?![\d.])", row.source)
        if (place.split(" #")[0] not in sections | rules)
        or (place.startswith("C.2 #") and place.split("#")[1] not in numbers)
    ]

    assert sections
    assert rules
    assert numbers
    assert missing == []


def test_no_path_has_two_rows():
    assert len({row.path for row in PROPERTIES}) == len(PROPERTIES)


def test_a_path_that_nobody_knows_has_no_row():
    assert row_of(("properties", "configMap")) is None
    assert row_of(("properties", "containers", "web", "properties", "configMap", "x")) is None


def test_a_path_below_open_settings_is_answered_by_them():
    path = ("properties", "extensions", "kube", "properties", "settings", "a", "b")

    assert row_of(path).path[-1] == "settings"


def test_what_cannot_change_in_place_says_so():
    """Azure-facts D.1 and D.2, in the test's own list."""
    root = ("properties", "containers", "web", "properties", "resources", "requests")
    replaced = [
        ("location",),
        ("zones",),
        *(("properties", name) for name in ("osType", "restartPolicy", "sku", "priority")),
        *(("properties", name) for name in ("subnetIds", "dnsConfig", "encryptionProperties")),
        ("properties", "confidentialComputeProperties"),
        ("properties", "ipAddress", "type"),
        ("properties", "ipAddress", "autoGeneratedDomainNameLabelScope"),
        *((*root, name) for name in ("cpu", "memoryInGB", "gpu")),
        (*root, "gpu", "sku"),
    ]
    assert {row_of(path).effect for path in replaced} == {Effect.REPLACE}
    assert row_of((*root[:-1], "limits", "cpu")).effect is Effect.UPDATE
    assert row_of(("properties", "ipAddress", "dnsNameLabel")).effect is Effect.UPDATE
    assert row_of(("tags", "team")).effect is Effect.TAGS


def test_everything_azure_drops_is_write_only():
    """Azure-facts C.2, rows 15 to 20."""
    container = ("properties", "containers", "c", "properties", "environmentVariables", "v")
    dropped = [
        ("properties", "imageRegistryCredentials", "s", "password"),
        (*container, "secureValue"),
        ("properties", "initContainers", *container[2:], "secureValue"),
        ("properties", "volumes", "v", "secret", "key"),
        ("properties", "volumes", "v", "azureFile", "storageAccountKey"),
        ("properties", "diagnostics", "logAnalytics", "workspaceKey"),
        ("properties", "extensions", "e", "properties", "protectedSettings"),
    ]
    assert {row_of(path).access for path in dropped} == {Access.WRITE_ONLY}
    assert sum(row.access is Access.WRITE_ONLY for row in PROPERTIES) == len(dropped)


def test_an_enumeration_is_folded_and_a_fold_of_case_is_an_enumeration():
    for row in PROPERTIES:
        assert (row.fold is Fold.CASE) == bool(row.values), row.path


def _is_in(value, pattern):
    if not pattern:
        return True
    part, rest = pattern[0], pattern[1:]
    if part in ("*", "**"):
        members = (
            value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        )
        return any(_is_in(item, rest) for item in members)
    return isinstance(value, dict) and part in value and _is_in(value[part], rest)


def test_the_body_that_holds_everything_does():
    """The mutation tests walk this body, so a new row must find its way into it."""
    body = {**full_body(), "tags": {"team": "shop"}}
    missing = [
        "/".join(row.path)
        for row in PROPERTIES
        if row.access is not Access.READ_ONLY and not _is_in(body, row.path)
    ]
    assert missing == []


def test_no_write_only_row_reaches_a_canonical_form():
    found = canonical(full_body())

    variable = dig(
        found, "properties", "containers", "web", "properties", "environmentVariables", "HIDDEN"
    )
    assert variable == {"name": "HIDDEN"}
    assert dig(found, "properties", "volumes", "files", "secret") == {}
    assert "hunter2" not in repr(found)
    assert "aHVudGVyMg" not in repr(found)
