"""docs/reference is what its generator makes of the schemas, the table, the parser and the codes."""

from __future__ import annotations

import importlib.util
import json
import re

import pytest

from reconciler.cli.parser import parser
from reconciler.core.properties import PROPERTIES, Access
from reconciler.errors import ExitCode
from tests.conftest import CHECKOUT

spec = importlib.util.spec_from_file_location("reference", CHECKOUT / "docs" / "reference.py")
assert spec is not None
assert spec.loader is not None
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)


def page(name: str) -> str:
    return (CHECKOUT / "docs" / "reference" / name).read_text("utf-8")


@pytest.mark.parametrize("name", reference.PAGES)
def test_a_page_is_up_to_date(name: str) -> None:
    assert page(name) == reference.PAGES[name](), "run 'make reference'"


def test_every_property_that_a_manifest_may_state_is_on_the_page() -> None:
    text = page("manifest.md")
    sections = re.split(
        r"^### `(.*)`$", text.partition("## A resource group")[0], flags=re.MULTILINE
    )
    told = {("", *re.findall(r"^- `(\w+)`", sections[0], re.MULTILINE))}
    members = {name for (_, *names) in told for name in names}
    for owner, body in zip(sections[1::2], sections[2::2], strict=True):
        members |= {f"{owner}/{name}" for name in re.findall(r"^- `(\w+)`", body, re.MULTILINE)}
    open_maps = {"userAssignedIdentities", "secret", "settings", "protectedSettings", "metadata"}
    wanted = {
        "/".join(row.path)
        for row in PROPERTIES
        if row.access not in (Access.READ_ONLY,) and not open_maps & {*row.path[:-1]}
    }

    assert len(wanted) > 80
    assert {one for one in wanted - members if not one.endswith("*")} == set()


def test_every_command_and_every_option_is_on_the_page() -> None:
    text = page("commands.md")
    (commands,) = [one for one in parser()._actions if one.choices and one.dest == "command"]
    for name, command in dict(commands.choices).items():  # type: ignore[call-overload]
        section = text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert section
        options = [one for action in command._actions for one in action.option_strings]
        assert [one for one in options if one not in section] == []


def test_every_code_is_on_the_page_and_in_the_readme() -> None:
    readme = (CHECKOUT / "README.md").read_text("utf-8")
    for text in (page("exit-codes.md"), readme):
        assert {int(one) for one in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)} == {*ExitCode}


def test_every_member_of_a_project_file_is_on_the_page() -> None:
    schema = json.loads((CHECKOUT / "schemas" / "project.schema.json").read_text("utf-8"))
    listed = re.findall(r"^- `(\w+)`", page("project.md"), re.MULTILINE)

    assert {*schema["properties"]} <= {*listed}
