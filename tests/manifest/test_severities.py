"""How much a finding weighs: the project's `lint`, a command's levels, comments in manifests."""

from __future__ import annotations

import pytest

from reconciler.core.finding import Severity
from reconciler.manifest import open_project
from reconciler.manifest.lint.comments import silences_in
from reconciler.manifest.rules import RULES
from tests.manifest.conftest import CASES, Load, web

PROJECT = """
owner: shop
manifests: [groups/*.yaml]
defaults: {resourceGroup: rg, location: westeurope, subscription: 00000000-0000-0000-0000-000000000000}
environments:
  prod: {patches: [patches/prod.yaml]}
  dev: {}
"""
NO_PORT = web(extra="") + "  ipAddress: {type: Public, ports: [{port: 80}]}\n"
LATEST = web().replace("nginx:1.27", "nginx:latest")


def told(loaded) -> list[str]:
    return [f"{one.severity.value} {one.rule}" for one in (*loaded.findings, *loaded.advice)]


def project(write, lint: str = "") -> None:
    write("aci-reconcile.yaml", PROJECT + (f"lint: {lint}\n" if lint else ""))


# the project file


@pytest.mark.parametrize(
    ("lint", "manifest", "expected"),
    [
        ("", NO_PORT, ["error M307"]),
        ("{warn: [M307]}", NO_PORT, ["warning M307"]),
        ("{ignore: [M307]}", NO_PORT, []),
        ("", LATEST, ["warning M801"]),
        ("{error: [M801]}", LATEST, ["error M801"]),
        ("{ignore: [M801]}", LATEST, []),
        ("", web().replace("image:", "ports: [{port: 80}]\n        image:"), []),
        ("{warn: [M821]}", web().replace("image:", "ports: [{port: 80}]\n        image:"), ["warning M821"]),
        ("{error: [M103]}", web().replace("cpu: 1", "cpu: '1'"), ["error M103"]),
        ("{error: [M403]}", web().replace("image:", "environmentVariables: [{name: A}]\n        image:"), ["error M403"]),
        ("{error: [M902]}", web() + "# aci-reconcile: ignore[M801] why\n", ["error M902"]),
    ],
)  # fmt: skip
def test_the_project_says_how_much_a_rule_weighs(write, load: Load, lint, manifest, expected):
    project(write, lint)
    write("groups/web.yaml", manifest)

    loaded = load(environment="dev")

    assert told(loaded) == expected
    assert bool(loaded.errors) is any(one.startswith("error") for one in expected)


@pytest.mark.parametrize(
    ("lint", "says"),
    [
        ("{warn: [M201]}", "aci-reconcile.yaml:7:15: M505 lint.warn[0]: expected a rule that can be demoted, got 'M201', which is always an error: a key is known"),
        ("{ignore: [M004]}", "aci-reconcile.yaml:7:17: M505 lint.ignore[0]: expected a rule that can be silenced, got 'M004', which is always an error: a key stands once in its mapping"),
        ("{error: [M899]}", "aci-reconcile.yaml:7:16: M505 lint.error[0]: expected the id of a rule, got 'M899': did you mean 'M819'?"),
        ("{error: [M801], ignore: [M802, M801]}", "aci-reconcile.yaml:7:38: M505 lint.ignore[1]: expected each rule once, got 'M801' again (first on line 7)"),
        ("{error: [801]}", 'aci-reconcile.yaml:7:16: M203 lint.error[0]: expected a string, got the number 801; try quoting it: "801"'),
        ("{errors: [M801]}", "aci-reconcile.yaml:7:8: M201 lint.errors: expected a known key, got 'errors': did you mean 'error'?"),
    ],
)  # fmt: skip
def test_a_project_cannot_ask_for_what_makes_no_sense(tmp_path, write, lint, says):
    project(write, lint)

    opened, findings = open_project([tmp_path], cwd=tmp_path, environment="dev")

    assert opened is None
    assert [str(one) for one in findings] == [says]


def test_a_command_outweighs_the_project(write, load: Load):
    project(write, "{ignore: [M801], warn: [M307]}")
    write("groups/web.yaml", NO_PORT.replace("nginx:1.27", "nginx"))

    loaded = load(environment="dev", levels={"M801": Severity.ERROR, "M307": Severity.ERROR})

    assert told(loaded) == ["error M801", "error M307"]


def test_advice_is_apart_and_makes_no_manifest_invalid(write, load: Load):
    project(write)
    write("groups/web.yaml", LATEST)

    loaded = load(environment="dev")

    assert (loaded.findings, loaded.errors, len(loaded.groups)) == ((), (), 1)
    assert loaded.is_complete
    assert [one.rule for one in loaded.advice] == ["M801"]


# comments


def test_a_comment_beside_a_value_silences_it(write, load: Load):
    project(write)
    write("groups/web.yaml", LATEST.replace("latest", "latest # aci-reconcile: ignore[M801] why"))

    assert told(load(environment="dev")) == []


def test_a_comment_alone_silences_the_next_line_that_says_something(write, load: Load):
    comment = "# aci-reconcile: ignore[M801] why\n\n        # more\n"
    project(write)
    write("groups/web.yaml", LATEST.replace("image:", f"{comment}        image:"))

    assert told(load(environment="dev")) == []


def test_a_comment_silences_an_error_and_the_group_is_there(write, load: Load):
    project(write)
    write("groups/web.yaml", NO_PORT.rstrip() + " # aci-reconcile: ignore[M307] a try\n")

    loaded = load(environment="dev")

    assert told(loaded) == []
    assert len(loaded.groups) == 1


def test_a_comment_silences_no_other_rule_and_no_other_line(write, load: Load):
    two = LATEST + "  initContainers: [{name: init, properties: {image: busybox}}]\n"
    project(write)
    write("groups/web.yaml", two.replace("latest", "latest # aci-reconcile: ignore[M801,M804] why"))

    assert told(load(environment="dev")) == ["warning M902", "warning M801"]


def test_without_a_reason_it_silences_and_that_is_told(write, load: Load):
    project(write)
    write("groups/web.yaml", LATEST.replace("latest", "latest # aci-reconcile: ignore[M801]"))

    assert told(load(environment="dev")) == ["warning M901"]


def test_a_comment_in_a_patch_is_about_what_the_patch_brings(write, load: Load):
    project(write)
    write("groups/web.yaml", web())
    patch = "name: web\nproperties:\n  containers:\n    - name: web\n      properties:\n"
    write(
        "patches/prod.yaml",
        patch + "        image: nginx:latest # aci-reconcile: ignore[M801] why\n",
    )

    assert told(load(environment="prod")) == []
    assert told(load(environment="dev")) == []


def test_a_comment_that_a_patch_makes_needless_is_needed_elsewhere(write, load: Load):
    project(write)
    write("groups/web.yaml", LATEST.replace("latest", "latest # aci-reconcile: ignore[M801] why"))
    patch = "name: web\nproperties:\n  containers:\n    - name: web\n      properties:\n"
    write("patches/prod.yaml", patch + "        image: nginx:1.27\n")

    prod, dev = load(environment="prod"), load(environment="dev")

    assert told(prod) == ["warning M902"]
    assert prod.advice == dev.needed


def test_of_some_files_nobody_says_that_a_patch_needs_no_comment(write, load: Load):
    project(write)
    write("groups/web.yaml", web())
    write("groups/other.yaml", web("other"))
    patch = "name: web\nproperties:\n  containers:\n    - name: web\n      properties:\n"
    write(
        "patches/prod.yaml",
        patch + "        image: nginx:latest # aci-reconcile: ignore[M801] why\n",
    )

    assert told(load("groups/other.yaml", environment="prod")) == []


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028"])
def test_lines_are_counted_as_yaml_counts_them(end: str):
    text = end.join(["﻿name: web", "# aci-reconcile: ignore[M801] é why", "tags: {}"])

    found, wrong = silences_in("web.yaml", text.encode())

    assert wrong == []
    assert [(str(one.where), one.line, one.rules) for one in found] == [
        ("web.yaml:2:1", 3, ("M801",))
    ]


@pytest.mark.parametrize("raw", [b"# aci-reconcile: ignore[M801] \xff", b"{# aci-reconcile: ignore[", b"a: [# aci-reconcile: ignore[M801] x\n\t", b"\x00aci-reconcile:"])  # fmt: skip
def test_no_bytes_make_the_scan_fail(raw: bytes):
    silences_in("web.yaml", raw)


def test_no_plain_secret_is_told():
    told = (CASES / "m802-plain-secrets.txt").read_text(encoding="utf-8")

    assert told.count("M802") == 6
    assert "s3cr3t" not in told


def test_errors_of_the_linter_can_be_demoted():
    firm = [r.id for r in RULES.values() if r.is_firm and "M307" <= r.id <= "M399"]

    assert firm == []
