"""JUnit, SARIF and metrics as a pipeline gets them: real manifests, somebody else in Azure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.conftest import HOME, Done, Repository, group

MANIFEST = """\
# the shop
name: web
properties:
  osType: Linux
  containers:
    - name: web
      properties:
        # pinned
        image: "nginx:1.27"
        environmentVariables:
          - {name: TOKEN, secureValue: {fromEnv: TOKEN}}
          - name: LEVEL
            value: info
        resources: {requests: {cpu: 1, memoryInGB: 1}}
"""


@pytest.fixture
def shop(repository: Repository) -> Repository:
    """A group of a manifest with comments, applied."""
    repository.given_home()
    repository.environ["TOKEN"] = "hunter2-token"
    repository.file("groups/web.yaml", MANIFEST)
    done = repository.here("apply", "--yes")
    assert done.code == 0, done.err
    return repository


def run(repository: Repository, *arguments: str) -> tuple[Done, dict[str, Any], ET.Element, str]:
    """What a command wrote: the run of the SARIF log, the suite, and the metrics."""
    paths = {name: repository.root / f".out.{name}" for name in ("sarif", "junit", "prometheus")}
    outputs = [part for name, path in paths.items() for part in ("-o", f"{name}={path}")]
    done = repository.here(*arguments, *outputs)
    texts = {name: path.read_text("utf-8") for name, path in paths.items()}
    assert not any("hunter2" in text for text in texts.values())
    (log,) = json.loads(texts["sarif"])["runs"]
    (suite,) = ET.fromstring(texts["junit"])
    return done, log, suite, texts["prometheus"]


def lines(log: dict[str, Any]) -> list[tuple[str, str, int]]:
    """Rule, file and line of each result."""
    physical = [(one, one["locations"][0]["physicalLocation"]) for one in log["results"]]
    return [
        (one["ruleId"], place["artifactLocation"]["uri"], place["region"]["startLine"])
        for one, place in physical
    ]


def failed(suite: ET.Element) -> list[str]:
    return [case.attrib["name"] for case in suite if case.find("failure") is not None]


def test_drift_lies_on_the_line_of_the_field(shop: Repository) -> None:
    shop.set_image("web", "nginx:hotfix")

    done, log, suite, metrics = run(shop, "drift")

    assert done.code == 2
    assert lines(log) == [("drift/changed", "groups/web.yaml", 9)]
    assert '"nginx:hotfix" in Azure' in log["results"][0]["message"]["text"]
    assert failed(suite) == [f"{HOME}/web"]
    assert f'group="{HOME}/web"}} 1\n' in metrics


def test_without_drift_there_is_nothing_to_look_at(shop: Repository) -> None:
    done, log, suite, metrics = run(shop, "drift")

    assert (done.code, log["results"], failed(suite)) == (0, [], [])
    assert suite.attrib["tests"] == "1"
    assert "aci_reconcile_exit_code" in metrics


def test_findings_lie_on_their_lines_with_what_the_rule_asks_for(repository: Repository) -> None:
    broken = MANIFEST.replace("osType: Linux", "osTyp: Linux")
    repository.file("groups/web.yaml", broken)

    done, log, suite, _ = run(repository, "validate")

    assert done.code == 3
    assert ("M201", "groups/web.yaml", 4) in lines(log)
    titles = {r["id"]: r["shortDescription"]["text"] for r in log["tool"]["driver"]["rules"]}
    assert titles["M201"] == "Expected: a key is known"
    assert failed(suite) == ["groups/web.yaml"]


def test_a_limit_lies_on_its_line_in_the_project_file(shop: Repository) -> None:
    shop.write(group("other"), group("more"))
    assert shop.here("apply", "--yes").code == 0
    shop.forget("other", "more")
    project: Path = shop.root / "aci-reconcile.yaml"
    text = json.loads(project.read_text("utf-8"))
    head = "policy:\n  prune: delete\n  maxDeletePercent: 100\n  maxDeletes: 1\n"
    project.write_text(head + "".join(f"{k}: {json.dumps(v)}\n" for k, v in text.items()))

    done, log, suite, metrics = run(shop, "apply", "--yes")

    assert done.code == 4
    assert lines(log) == [("rail/maxDeletes", "aci-reconcile.yaml", 4)]
    assert "--allow delete=2" in log["results"][0]["message"]["text"]
    assert failed(suite) == ["maxDeletes"]
    assert "aci_reconcile_blocked{" in metrics
