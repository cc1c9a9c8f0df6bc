"""The schema of patch files takes what merging takes, place by place, and refuses what is misspelt.

Each member of a manifest that holds every writable row is patched on its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from reconciler.core.finding import Finding
from reconciler.core.properties import tree
from reconciler.manifest import schema_text
from reconciler.manifest.document import Document
from reconciler.manifest.patching import patched
from reconciler.manifest.schemas import Kind, check_patch
from reconciler.manifest.shape import shape_of
from reconciler.manifest.source import parse
from tests.core.full import full_body
from tests.manifest.conftest import CASES, Load, web

ROOT = Path(__file__).parents[2]
SCHEMA = Draft202012Validator(json.loads(schema_text("patch")))
MANIFEST = Draft202012Validator(json.loads(schema_text("manifest")))
Place = tuple[str | int, ...]

RECONCILE = {
    "resourceGroup": "rg",
    "protect": True,
    "replace": "allow",
    "onReplaceFailure": "restore",
    "adopt": "always",
    "dependsOn": ["db"],
    "ignore": ["/tags/x"],
    "wait": {"for": "running", "timeout": "5m", "stableFor": "10s"},
}
FULL: dict[str, Any] = {"name": "web", "reconcile": RECONCILE, "tags": {"a": "b"}, **full_body()}
# What is replaced whole although it has members: a secret, and what Azure's schema says nothing of.
ONE_VALUE = {"protectedSettings", "nested"}
WHICH_GROUP = {("name",), ("type",), ("apiVersion",), ("reconcile", "resourceGroup")}


def key_of(place: Place) -> tuple[str, ...]:
    """The members that name an element of the list at a place; empty where it is one value."""
    node = tree()
    for part in place:
        child = node.any if isinstance(part, int) else node.children.get(part) or node.any
        if child is None:
            return ()
        node = child
    return node.row.key if node.row is not None else ()


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """Every member that a patch can change, remove or misspell on its own."""
    if isinstance(value, dict):
        for name, item in value.items():
            is_name = place and isinstance(place[-1], int) and name in key_of(place[:-1])
            if not is_name and (*place, name) not in WHICH_GROUP:
                yield (*place, name)
            if name not in ONE_VALUE:
                yield from places(item, (*place, name))
    elif isinstance(value, list) and key_of(place):
        for index, item in enumerate(value):
            yield from places(item, (*place, index))


EVERY = list(places(FULL))
IDS = ["/".join(map(str, place)) for place in EVERY]


def saying(said: Any, place: Place, *, called: str = "") -> dict[str, Any]:
    """The patch that says it at one place, by another name where one is given."""
    found: Any = {called or place[-1]: said}
    for end in range(len(place) - 2, -1, -1):
        part, whole = place[end], at(place[:end])
        if isinstance(part, int):
            names = {key: whole[part][key] for key in key_of(place[:end]) if key in whole[part]}
            found = [{**names, **found}]
        else:
            found = {part: found}
    return {"name": "web", **found}


def at(place: Place) -> Any:
    value: Any = FULL
    for part in place:
        value = value[part]
    return value


def document(data: object) -> Document:
    (made,), findings = parse("p.yaml", json.dumps(data).encode())
    assert not findings
    return made


def merging(patch: object) -> list[Finding]:
    """What merging says of a patch of the full manifest."""
    return patched(document(FULL), document(patch), shape_of(Kind.GROUP), {})[1]


def test_the_full_manifest_is_one() -> None:
    assert MANIFEST.is_valid(FULL)
    assert len(EVERY) > 150


@pytest.mark.parametrize("place", EVERY, ids=IDS)
def test_each_member_may_be_said_and_removed_in_either_way(place: Place) -> None:
    for said in (at(place), None, {"$patch": "delete"}):
        patch = saying(said, place)

        assert merging(patch) == [], said
        assert [error.message for error in SCHEMA.iter_errors(patch)] == [], said


@pytest.mark.parametrize("place", [place for place in EVERY if isinstance(at(place), dict)])
def test_each_mapping_may_be_replaced(place: Place) -> None:
    patch = saying({"$patch": "replace", **at(place)}, place)

    assert merging(patch) == []
    assert SCHEMA.is_valid(patch)


@pytest.mark.parametrize("place", [p for p in EVERY if isinstance(at(p), list) and key_of(p)])
def test_elements_may_be_added_removed_and_replaced_and_so_may_their_list(place: Place) -> None:
    first = at(place)[0]
    names = {key: first[key] for key in key_of(place) if key in first}
    new = {**first, key_of(place)[0]: 81 if "port" in names else "new"}
    for said in (
        [{**new, "$patch": "add"}],
        [{**names, "$patch": "delete"}],
        [{**first, "$patch": "replace"}],
        [{"$patch": "replace"}, first],
    ):
        patch = saying(said, place)

        assert merging(patch) == [], said
        assert [error.message for error in SCHEMA.iter_errors(patch)] == [], said
    assert not SCHEMA.is_valid(saying([{"$patch": "remove", **names}], place))
    assert not SCHEMA.is_valid(saying([{"value": "of nothing"}], place))


def is_free(place: Place) -> bool:
    """Whether the names in the mapping that holds it are anybody's."""
    names = [part for part in place[:-1] if isinstance(part, str)]
    is_open = {"settings", "protectedSettings", "metadata", "tags", "userAssignedIdentities"} & {
        *names
    }
    return bool(is_open) or names[-1:] == ["secret"]


CLOSED = [place for place in EVERY if not is_free(place)]


@pytest.mark.parametrize("place", CLOSED, ids=["/".join(map(str, place)) for place in CLOSED])
def test_a_misspelt_member_is_refused_by_its_place_with_a_guess(place: Place) -> None:
    wrong = f"{place[-1]}z"
    patch = saying(at(place), place, called=wrong)

    assert not SCHEMA.is_valid(patch)
    (found,) = check_patch(document(patch), Kind.GROUP)
    assert found.rule == "M201"
    assert f"got '{wrong}': did you mean" in found.says
    assert found.path.endswith(wrong)
    assert found.where.mark.column > 1


@pytest.mark.parametrize(
    "said",
    [
        {"name": "web", "$patch": "delete"},
        {"name": "web", "type": "Microsoft.ContainerInstance/containerGroups", "tags": None},
        {"name": "rg", "type": "Microsoft.Resources/resourceGroups", "tags": {"a": None}},
        {"name": "rg", "type": "Microsoft.Resources/resourceGroups", "location": None},
    ],
)
def test_whole_documents_that_are_patches(said: dict[str, Any]) -> None:
    assert [error.message for error in SCHEMA.iter_errors(said)] == []


@pytest.mark.parametrize(
    "said",
    [
        {"tags": {"a": "b"}},
        {"name": None},
        {"name": "web", "$patch": "replace"},
        {"name": "web", "tagz": {}},
        {"name": "rg", "type": "Microsoft.Resources/resourceGroups", "properties": {}},
        {"name": "web", "tags": {"a": 1}},
        {"name": "web", "properties": {"osType": "Solaris"}},
        {"name": "web", "properties": {"osType": {"$patch": "add"}}},
        {"name": "web", "properties": {"containers": ["web"]}},
        {"name": "web", "properties": {"containers": [{"properties": {"image": "x"}}]}},
        {"name": "web", "properties": {"volumes": [{"name": "v", "secret": {"a": {}}}]}},
        {"name": "web", "reconcile": {"resourceGroup": None}},
    ],
)
def test_what_is_no_patch(said: dict[str, Any]) -> None:
    assert not SCHEMA.is_valid(said)


MANIFESTS = [
    *sorted(CASES.glob("good-*.yaml")),
    *(path for path in sorted((ROOT / "manifests").glob("*.yaml")) if "reconcile" not in path.name),
]


@pytest.mark.parametrize("path", MANIFESTS, ids=[path.name for path in MANIFESTS])
def test_what_is_a_manifest_is_a_patch_that_says_all_of_it(path: Path) -> None:
    for one in yaml.safe_load_all(path.read_text("utf-8-sig")):
        if MANIFEST.is_valid(one):
            assert [error.message for error in SCHEMA.iter_errors(one)] == []


# What the command says of a patch file


PROJECT = """
owner: shop
defaults: {subscription: 00000000-0000-0000-0000-000000000000, resourceGroup: rg, location: westeurope}
variables: {policy: Never}
environments: {prod: {patches: ["patches/*.yaml"]}}
"""


def found_in(write: Any, load: Load, text: str) -> list[str]:
    write("aci-reconcile.yaml", PROJECT)
    write("groups/web.yaml", web())
    write("patches/p.yaml", text)
    return [str(one) for one in load(environment="prod").findings]


def test_a_patch_of_no_group_is_checked_as_well(write: Any, load: Load) -> None:
    text = "name: wbe\nproperties:\n  restartPolcy: Never\n  osType: Solaris\n"

    _, second, third = found = found_in(write, load, text)
    assert [one.split()[1] for one in found] == ["M701", "M201", "M204"]
    assert second == (
        "patches/p.yaml:3:3: M201 restartPolcy: expected a known key, got 'restartPolcy': did you"
        " mean 'restartPolicy'?"
    )
    assert third == (
        "patches/p.yaml:4:11: M204 osType: expected 'Windows' or 'Linux', got 'Solaris'"
    )


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("restartPolicy: ${var:policy}", []),
        ("restartPolicy: ${var:polcy}", ["4:18: M501"]),
        ("restartPolicy: Nevr", ["4:18: M204"]),
        ("ipAddress: {type: Public, ports: [{port: x}]}", ["4:44: M203"]),
        ("containers: [{nmae: web}]", ["4:16: M702", "4:17: M201"]),
        ("containers: [{name: web, $patch: remove}]", ["4:36: M703"]),
        ("dnsConfig: {nameServers: [10.0.0.1], searchDomains: null}", ["4:40: M702"]),
        ("volumes: [{name: v, $patch: add, emptyDir: {x: 1}}]", ["4:47: M201"]),
    ],
)
def test_each_mistake_of_a_patch_is_told_once(
    write: Any, load: Load, said: str, expected: list[str]
) -> None:
    found = found_in(write, load, f"name: web\nproperties:\n  # what differs\n  {said}\n")

    assert [one.split(" ", 2)[:2] for one in found] == [
        [f"patches/p.yaml:{where}", rule] for where, rule in (one.split(" ") for one in expected)
    ]
