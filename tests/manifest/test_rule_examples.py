"""Each rule's own examples: the wrong one breaks it, the right one breaks no rule at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from reconciler.core.finding import Severity
from reconciler.manifest import load_desired
from reconciler.manifest.lint.guide import guides
from reconciler.manifest.rules import RULES
from tests.manifest.conftest import CASES, ENVIRON, case_project

BASE = """
name: web
properties:
  osType: Linux
  containers:
    - name: web
      properties:
        image: nginx:1.27
        resources: {requests: {cpu: 1, memoryInGB: 1}}
"""
WHOLE_FILES = ("M0",)
EXCERPTS = ("M5", "M6", "M7")  # of project files and of several manifests
IN_FRONT = ("M9",)


def merged(base: object, over: object) -> object:
    """Mappings member by member, lists of named elements name by name."""
    if isinstance(base, dict) and isinstance(over, dict):
        return {**base, **{key: merged(base.get(key), item) for key, item in over.items()}}
    if isinstance(base, list) and isinstance(over, list):
        known = {item["name"]: item for item in base}
        new = {item["name"]: merged(known.get(item["name"]), item) for item in over}
        return list({**known, **new}.values())
    return over


def found(folder: Path, rule: str, example: str) -> list:
    if rule.startswith(WHOLE_FILES):
        text = example
    elif rule.startswith(IN_FRONT):
        text = f"{example}\n{BASE}"
    else:
        text = yaml.safe_dump(merged(yaml.safe_load(BASE), yaml.safe_load(example)))
        if example.startswith("apiVersion"):  # what a merge of values would lose
            text = f"{example}{BASE}"
    (folder / "web.yaml").write_text(text, encoding="utf-8")
    project = replace(
        case_project("web"),
        root=folder,
        cwd=folder,
        file=folder / "aci-reconcile.yaml",
        lint={rule: RULES[rule].severity},  # on, should it be off
    )
    loaded = load_desired(project, [], environ=ENVIRON)
    return [*loaded.findings, *loaded.advice]


def is_checked(rule: str, example: str) -> bool:
    """Whether an example is YAML of one manifest, and not in words or of several files."""
    return not rule.startswith(EXCERPTS) and (example.endswith("\n") or example.startswith("#"))


WRONG = [name for name, guide in guides().items() if is_checked(name, guide.wrong)]
RIGHT = [name for name, guide in guides().items() if is_checked(name, guide.right)]


def test_every_rule_is_explained() -> None:
    assert set(guides()) == set(RULES)


def test_most_examples_are_yaml() -> None:
    rules = [name for name in RULES if not name.startswith(EXCERPTS)]

    assert len(WRONG) > 0.88 * len(rules)
    assert len(RIGHT) > 0.85 * len(rules)


@pytest.mark.parametrize("rule", WRONG)
def test_the_wrong_example_breaks_its_rule(tmp_path: Path, rule: str) -> None:
    broken = {one.rule for one in found(tmp_path, rule, guides()[rule].wrong)}

    assert rule in broken


@pytest.mark.parametrize("rule", RIGHT)
def test_the_right_example_breaks_no_rule(tmp_path: Path, rule: str) -> None:
    broken = found(tmp_path, rule, guides()[rule].right)
    if rule.startswith(WHOLE_FILES):  # shows reading alone, and is no whole group
        broken = [one for one in broken if one.rule.startswith("M0")]

    assert [str(one) for one in broken if one.rule != "M902"] == []


def test_what_is_off_says_so_in_its_guide() -> None:
    off = [rule.id for rule in RULES.values() if rule.is_off]

    assert off
    assert [name for name in off if "Off by default" not in guides()[name].why] == []


def test_every_rule_has_a_link() -> None:
    strange = [
        r.id for r in RULES.values() if not r.link.startswith(("https://", "docs/rules.md#m"))
    ]

    assert strange == []


def test_only_errors_are_firm() -> None:
    assert [r.id for r in RULES.values() if r.is_firm and r.severity is not Severity.ERROR] == []


def test_the_page_of_rules_is_up_to_date() -> None:
    from reconciler.manifest.lint.guide import page

    committed = CASES.parents[2] / "docs" / "rules.md"

    assert committed.read_text(encoding="utf-8") == page(), "run 'make rules'"
