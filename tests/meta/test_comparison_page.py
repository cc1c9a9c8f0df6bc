"""docs/comparison.md: every tool is answered for in every question, and sources are real addresses."""

from __future__ import annotations

import re

from reconciler.cli.parser import parser
from tests.conftest import CHECKOUT

PAGE = (CHECKOUT / "docs" / "comparison.md").read_text("utf-8")
TOOLS = ("aci-reconcile", "azurerm", "azapi", "Pulumi", "Bicep", "ARM", "az", "Ansible")
ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def questions() -> dict[str, str]:
    """The text below each question."""
    _, _, rest = PAGE.partition("## Question by question\n")
    parts = re.split(r"^### (.*)$", rest.partition("\n## ")[0], flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_every_question_answers_for_every_tool_once() -> None:
    assert len(questions()) >= 8
    for question, text in questions().items():
        rows = [row for row in ROW.findall(text) if row[0] not in ("tool", "---")]
        named = [name.strip("` ") for tools, _ in rows for name in tools.split(",")]
        assert sorted(named) == sorted(TOOLS), question


def test_it_says_where_the_others_are_better_before_where_we_are() -> None:
    heads = re.findall(r"^## (.*)$", PAGE, re.MULTILINE)

    assert heads[:3] == ["When not to use this", "Where they are better", "Question by question"]
    better = PAGE.partition("## Where they are better")[2].partition("\n## ")[0]
    for tool in ("Terraform", "Bicep", "az", "Ansible", "Pulumi"):
        assert re.search(rf"^\| `?{tool}`?\b.* \| .{{40,}} \|$", better, re.MULTILINE), tool


def test_sources_are_threads_and_documents_of_their_makers() -> None:
    urls = re.findall(r"\]\((https?://[^)\s]+)\)", PAGE)
    thread = r"https://github\.com/[\w.-]+/[\w.-]+/issues/\d+"
    document = r"https://(learn\.microsoft|docs\.ansible)\.com/.+"

    assert len(urls) >= 15
    assert [url for url in urls if not re.fullmatch(f"{thread}|{document}", url)] == []


def test_the_commands_of_ours_on_it_exist() -> None:
    text = parser().format_help()
    for command in re.findall(r"`aci-reconcile (\w+)", PAGE.replace("\n", " ")):
        assert re.search(rf"^    {command}\b", text, re.MULTILINE), command
