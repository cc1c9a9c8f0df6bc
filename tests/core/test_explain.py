"""What the table knows, in words."""

from __future__ import annotations

import pytest

from reconciler.core.explain import explain, nearest
from reconciler.core.properties import PROPERTIES


def fact(text: str, label: str) -> str:
    found = explain(text)
    assert found is not None
    return dict(found.facts).get(label, "")


@pytest.mark.parametrize("row", PROPERTIES, ids=lambda row: "/".join(row.path))
def test_every_row_is_explained_with_its_source(row):
    path = tuple(part for part in row.path if part != "**")

    found = explain("/".join(path))

    assert found is not None
    assert dict(found.facts)["source"]


@pytest.mark.parametrize(
    "text",
    [
        "properties/containers/*/properties/image",
        "/properties/containers/web/properties/image",
        "properties/containers/web/properties/image/",
    ],
)
def test_patterns_and_pointers_lead_to_the_same_row(text):
    assert explain(text).path == ("properties", "containers", "*", "properties", "image")


def test_what_a_change_costs_is_told():
    assert fact("properties/restartPolicy", "change").startswith("not in place (replace)")
    assert fact("properties/restartPolicy", "default") == '"Always"'
    assert fact("tags/team", "change").startswith("in place (patch-tags)")
    assert fact("properties/ipAddress/ip", "access").startswith("read-only")
    assert fact("properties/ipAddress/ip", "change") == ""


def test_a_write_only_value_is_compared_by_digest():
    assert "keyed digest" in fact("properties/volumes/v/secret/tls.key", "compared")


def test_a_list_names_its_key():
    assert fact("properties/containers/*/properties/ports", "compared") == (
        "element by element, named by port and protocol; order does not matter"
    )
    assert fact("properties/initContainers", "compared").endswith("order matters")


@pytest.mark.parametrize("text", ["", "/", "properties/nothing", "nothing"])
def test_what_is_not_known_is_not_explained(text):
    assert explain(text) is None


def test_a_near_miss_is_helped():
    assert "properties/osType" in nearest("properties/osTyp")
    assert nearest("restartPolicy") == ("properties/restartPolicy",)
    assert nearest("") == ()
