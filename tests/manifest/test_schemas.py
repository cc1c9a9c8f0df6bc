"""The committed schemas: equal to what the generator makes, and at one with the property table."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from reconciler.core.properties import PROPERTIES, Access, tree
from reconciler.manifest.schemas import Kind, schema, schema_text

ROOT = Path(__file__).parents[2]


def test_the_committed_files_are_what_the_generator_makes():
    command = [sys.executable, str(ROOT / "schemas" / "generate.py"), "--check"]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.parametrize("name", ["manifest", "patch", "project"])
def test_a_schema_is_valid_and_refuses_unknown_keys(name):
    whole = json.loads(schema_text(name))

    Draft202012Validator.check_schema(whole)
    for place, part in objects(whole):
        assert "additionalProperties" in part, place
        assert name != "project" or part.get("description"), place


def objects(node: object, place: str = "") -> Iterator[tuple[str, dict]]:
    if isinstance(node, dict):
        if "properties" in node and isinstance(node.get("type"), str | list):
            if place:
                yield place, node
        for key, item in node.items():
            yield from objects(item, f"{place}/{key}")
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from objects(item, f"{place}/{index}")


@pytest.mark.parametrize(
    ("document", "is_valid"),
    [
        ({"name": "a", "type": "Microsoft.Resources/resourceGroups"}, True),
        ({"name": "a", "properties": {}}, False),
        ({"type": "Microsoft.Resources/resourceGroups", "name": "a", "properties": {}}, False),
    ],
)
def test_an_editor_sees_which_kind_of_document_it_is(document, is_valid):
    whole = json.loads(schema_text("manifest"))

    assert Draft202012Validator(whole).is_valid(document) is is_valid


def leaves(node: dict, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict]]:
    """Every place of the inlined schema, `*` for list elements and map keys."""
    if path:
        yield path, node
    is_secret = node.get("type") == ["string", "object"]
    for name, member in ({} if is_secret else node.get("properties", {})).items():
        yield from leaves(member, (*path, name))
    for inner in (node.get("items"), node.get("additionalProperties")):
        if isinstance(inner, dict):
            yield from leaves(inner, (*path, "*"))


def is_secret(part: dict) -> bool:
    return part.get("type") == ["string", "object"] or "anyOf" in part


def known(path: tuple[str, ...]):
    node = tree()
    for part in path:
        node = node.children.get(part) or node.any
        if node is None:
            return None
    return node


PLACES = {path: part for path, part in leaves(schema(Kind.GROUP)) if path[0] != "reconcile"}


def test_the_table_knows_every_place_of_the_schema():
    """Words of a list such as `command` have no row of their own, the list has."""

    def is_word(path):
        return path[-1] == "*" and PLACES[path[:-1]].get("type") == "array" and known(path[:-1])

    inside_secret = {p for p in PLACES if "protectedSettings" in p}
    unknown = {p for p in PLACES if known(p) is None and not is_word(p)}

    assert unknown - inside_secret == set()


def test_the_schema_has_a_place_for_every_row_a_manifest_may_write():
    written = [
        row.path
        for row in PROPERTIES
        if row.access is not Access.READ_ONLY and "**" not in row.path
    ]

    assert [path for path in written if path not in PLACES] == []


def test_what_the_table_calls_write_only_is_a_secret_in_the_schema_and_nothing_else():
    by_table = {row.path for row in PROPERTIES if row.access is Access.WRITE_ONLY}
    by_schema = {
        (*path[:-1], "*") if path[-1] == "unknown" else path
        for path, part in PLACES.items()
        if is_secret(part)
    }

    settings = {p for p in by_schema if "protectedSettings" in p}
    assert {p[: p.index("protectedSettings") + 1] for p in settings} | (
        by_schema - settings
    ) == by_table


def test_the_enumerations_agree():
    for path, part in PLACES.items():
        node = known(path)
        if node is not None and node.row is not None and node.row.values:
            assert set(part.get("enum", ())) == set(node.row.values), path


def test_the_sample_and_the_files_of_the_corpus_name_schemas_that_exist():
    for path in (ROOT / "manifests").glob("*.yaml"):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        named = first.partition("$schema=")[2]
        assert (path.parent / named).is_file(), path
