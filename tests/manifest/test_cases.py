"""The corpus: each `cases/NAME.yaml` beside the exact findings it earns in `NAME.txt`.

UPDATE_GOLDEN=1 writes the .txt files anew; review them as text.
"""

from __future__ import annotations

import os

import pytest

from reconciler.manifest import load_desired
from reconciler.manifest.rules import RULES
from tests.manifest.conftest import CASES, ENVIRON, SECRETS, case_project

ADVICE = ("m8", "m9", "good-silenced")  # told apart from other findings, and shown in these
NAMES = sorted(path.stem for path in CASES.glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_the_findings_of(name: str) -> None:
    rule = RULES.get(name[:4].upper())
    on = {rule.id: rule.severity} if rule and rule.is_off else {}
    loaded = load_desired(case_project(name), [], environ=ENVIRON, levels=on)
    advice = loaded.advice if name.startswith(ADVICE) else ()
    text = "".join(f"{one.severity.value} {one}\n" for one in (*loaded.findings, *advice))
    golden = CASES / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")

    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_no_secret_shows_in(name: str) -> None:
    """Neither findings nor the values that go on may print one; the body never holds one."""
    loaded = load_desired(case_project(name), [], environ=ENVIRON)

    shown = "\n".join([*map(str, loaded.findings), repr(loaded)])

    assert not [secret for secret in SECRETS if secret in shown]


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith(("good-", "docs-"))])
def test_what_azure_takes_loads(name: str) -> None:
    loaded = load_desired(case_project(name), [], environ=ENVIRON)
    refused = name == "docs-network-profile"  # retired

    assert bool(loaded.errors) is refused
    assert bool(loaded.groups or loaded.resource_groups) is not refused


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith("good-")])
def test_a_good_manifest_has_no_finding(name: str) -> None:
    assert (CASES / f"{name}.txt").read_text(encoding="utf-8") == ""


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith("m")])
def test_a_case_shows_the_rule_it_is_named_after(name: str) -> None:
    assert f" {name[:4].upper()} " in (CASES / f"{name}.txt").read_text(encoding="utf-8")


def test_every_rule_of_a_single_file_has_a_case() -> None:
    """M001, M012, M013, M503 to M505 are about files and projects, M406 about registries, M7 about patches."""
    elsewhere = {
        *("M001", "M012", "M013", "M406", "M503", "M504", "M505"),
        *("M701", "M702", "M703"),
    }

    assert {name[:4].upper() for name in NAMES if name.startswith("m")} == set(RULES) - elsewhere
