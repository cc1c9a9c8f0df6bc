"""What an editor makes of our schemas: a real language server, driven as editors drive it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT
from tests.ready.language_server import VARIABLE, Client, server, talking

MANIFEST = """\
# yaml-language-server: $schema=../.schemas/manifest.schema.json
name: web
reconcile:
  wait:
    for: running
properties:
  osType: Linux
  containers:
    - name: web
      properties:
        image: nginx:1.27
        imge: typo
        resources: {requests: {cpu: 1, memoryInGB: 1}}
"""
PROJECT = """\
# yaml-language-server: $schema=.schemas/project.schema.json
owner: shop
policy:
  maxDeletes: many
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository as `init` lays it out."""
    root = tmp_path_factory.mktemp("repository")
    (root / "groups").mkdir()
    (root / ".schemas").mkdir()
    for path in (CHECKOUT / "schemas").glob("*.schema.json"):
        (root / ".schemas" / path.name).write_bytes(path.read_bytes())
    return root


@pytest.fixture(scope="module")
def client(root: Path) -> Iterator[Client]:
    if not server():
        pytest.skip(f"no yaml-language-server: install it, or name it in {VARIABLE}")
    with talking(root) as client:
        yield client


@pytest.fixture(scope="module")
def manifest(client: Client, root: Path) -> str:
    return client.open(root / "groups" / "web.yaml", MANIFEST)


def test_a_key_that_is_none_is_underlined_where_it_stands(client: Client, manifest: str) -> None:
    (found,) = client.diagnostics(manifest)

    assert "imge" in found["message"]
    assert found["range"]["start"] == {"line": 11, "character": 8}


def test_a_key_that_is_pointed_at_is_described(client: Client, manifest: str) -> None:
    for mark, words in (
        ("image:", "The name of the image"),
        ("osType", "operating system type"),
        ("wait:", "counts as healthy"),
        ("memoryInGB", "memory"),
    ):
        said = client.at("textDocument/hover", manifest, MANIFEST, mark)

        assert words in said["contents"]["value"], mark


def test_the_keys_that_may_stand_at_a_place_are_offered(client: Client, root: Path) -> None:
    text = MANIFEST.replace("imge: typo", "p")
    uri = client.open(root / "groups" / "typed.yaml", text)

    said = client.at("textDocument/completion", uri, text, "\n        resources")

    offered = {item["label"]: item for item in said["items"]}
    assert {"command", "ports", "livenessProbe", "environmentVariables"} <= offered.keys()
    assert not {"image", "osType", "instanceView"} & offered.keys()  # there, elsewhere, Azure's
    assert "probe" in str(offered["livenessProbe"]["documentation"])


def test_the_values_of_a_choice_are_offered(client: Client, manifest: str) -> None:
    said = client.at("textDocument/completion", manifest, MANIFEST, "running")

    labels = {item["label"] for item in said["items"]}
    assert {"provisioned", "running", "succeeded"} <= labels


def test_a_project_file_is_checked_by_its_own_schema(client: Client, root: Path) -> None:
    uri = client.open(root / "aci-reconcile.yaml", PROJECT)

    (found,) = client.diagnostics(uri)
    said = client.at("textDocument/hover", uri, PROJECT, "owner")

    assert found["range"]["start"] == {"line": 3, "character": 14}
    assert "integer" in found["message"]
    assert "tag" in said["contents"]["value"]


def test_what_this_project_ships_has_nothing_to_complain_of(client: Client, root: Path) -> None:
    for path in sorted((CHECKOUT / "manifests").glob("*.yaml")):
        text = path.read_text("utf-8").replace("../schemas/", ".schemas/")

        uri = client.open(root / path.name.replace("aci-reconcile", "aci-project"), text)

        assert client.diagnostics(uri) == [], path.name
