"""The pictures of the tutorial show what the commands beside them print."""

from __future__ import annotations

import html
import re

import pytest

from tests.conftest import CHECKOUT

DOCS = CHECKOUT / "docs"
PAGE = (DOCS / "tutorial.md").read_text("utf-8")


def told(picture: str) -> str:
    """The text of a picture, without blanks: it sets each run of text on its own."""
    svg = (DOCS / "pictures" / f"{picture}.svg").read_text("utf-8")
    texts = re.findall(r"<text[^>]*clip-path[^>]*>(.*?)</text>", svg, re.DOTALL)
    return "".join(html.unescape("".join(texts)).split())


@pytest.mark.parametrize("picture", ["plan", "change"])
def test_a_terminal_shows_the_block_before_it(picture: str) -> None:
    before, found, _ = PAGE.partition(f"(pictures/{picture}.svg)")
    assert found
    block = re.findall(r"```console\n(.*?)```", before, re.DOTALL)[-1]
    block = block[block.index("$ aci-reconcile plan") :]

    assert told(picture) == "".join(block.split())


def test_no_picture_fetches_anything() -> None:
    for picture in (DOCS / "pictures").glob("*.svg"):
        text = picture.read_text("utf-8").replace('"http://www.w3.org/', "")
        assert not re.search(r"https?://(?!www\.textualize\.io)|url\((?!#)", text), picture
