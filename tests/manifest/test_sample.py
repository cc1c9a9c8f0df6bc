"""The sample repository in `manifests/` is valid, complete and shows what the README says."""

from __future__ import annotations

from pathlib import Path

from reconciler.core.groups import WaitFor
from reconciler.core.jsonval import dig
from reconciler.manifest import load_desired, open_project

ROOT = Path(__file__).parents[2]


def sample(environ: dict[str, str]):
    project, findings = open_project([ROOT / "manifests"], cwd=ROOT, environment=None)
    assert not findings
    return load_desired(project, [Path("manifests")], environ=environ)


def test_it_has_no_finding_once_its_one_secret_is_set():
    loaded = sample({"DEMO_PASSWORD": "demo"})

    assert [str(f) for f in loaded.findings] == []
    assert loaded.is_complete


def test_without_the_secret_there_is_one_warning_and_no_error():
    loaded = sample({})

    assert [f.rule for f in loaded.findings] == ["M402"]
    assert loaded.errors == ()


def test_it_holds_every_kind_of_group():
    loaded = sample({"DEMO_PASSWORD": "demo"})
    groups = {group.id.name: group for group in loaded.groups}

    assert [rg.id.name for rg in loaded.resource_groups] == ["rg-demo"]
    assert set(groups) == {"app-and-sidecar", "private", "secure", "web", "word-count"}
    assert dig(groups["web"].body, "properties", "ipAddress", "dnsNameLabel")
    assert groups["word-count"].policy.wait.until is WaitFor.SUCCEEDED
    assert len(groups["secure"].secrets) == 2
    assert groups["private"].policy.protect
