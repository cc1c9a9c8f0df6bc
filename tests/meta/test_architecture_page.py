"""docs/architecture.md and its picture tell the rooms that the import contracts keep apart."""

from __future__ import annotations

import re
import tomllib
from xml.etree import ElementTree as ET

from tests.conftest import CHECKOUT

PAGE = (CHECKOUT / "docs" / "architecture.md").read_text("utf-8")
PICTURE = CHECKOUT / "docs" / "pictures" / "architecture.svg"
CONTRACTS = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
    "contracts"
]
ROOM = re.compile(r"reconciler\.(\w+)$")
SVG = "{http://www.w3.org/2000/svg}"


def layers() -> list[set[str]]:
    """The rooms of each layer, the highest first."""
    (contract,) = (one for one in CONTRACTS if one["type"] == "layers")
    return [
        {found[1] for name in layer.split(" | ") if (found := ROOM.match(name))}
        for layer in contract["layers"]
    ]


def rooms() -> set[str]:
    """Every room that a contract names."""
    named = [
        name
        for contract in CONTRACTS
        for key in ("source_modules", "forbidden_modules")
        for name in contract.get(key, ())
    ]
    return {found[1] for name in named if (found := ROOM.match(name))}.union(*layers())


def drawn() -> dict[str, float]:
    """The rooms of the picture, and how far down each is written."""
    root = ET.parse(PICTURE).getroot()
    return {
        str(text.text): float(text.attrib["y"])
        for text in root.iter(f"{SVG}text")
        if text.attrib.get("class") == "room"
    }


def test_the_page_and_the_picture_name_the_rooms_of_the_contracts() -> None:
    table = re.findall(r"^\| `(\w+)` \|", PAGE.partition("## The way of a plan")[0], re.MULTILINE)

    assert len(table) == len(set(table))
    assert set(table) == set(drawn()) == rooms()
    folders = {path.parent.name for path in (CHECKOUT / "reconciler").glob("*/__init__.py")}
    assert rooms() == folders | {"errors"}


def test_the_picture_has_the_layers_in_their_order() -> None:
    at = drawn()
    depths = [{at[room] for room in layer} for layer in layers()]

    for upper, lower in zip(depths, depths[1:], strict=False):
        assert max(upper) < min(lower)


def test_every_module_and_page_that_is_named_is_there() -> None:
    modules = re.findall(r"`(\w+/[\w/]+\.py)`", PAGE)
    assert len(modules) > 15
    missing = [one for one in modules if not (CHECKOUT / "reconciler" / one).is_file()]
    assert not missing

    links = re.findall(r"\]\(([\w./-]+)\)", PAGE)
    assert len(links) > 10
    assert not [one for one in links if not (CHECKOUT / "docs" / one).is_file()]


def test_the_picture_is_text_and_stands_by_itself() -> None:
    source = PICTURE.read_text("utf-8")

    assert "prefers-color-scheme: dark" in source
    assert not re.search(r"<image|<script|href=|@import|url\((?!#)", source)
    assert "<title" in source and "<desc" in source
