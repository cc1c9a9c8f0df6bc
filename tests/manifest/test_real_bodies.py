"""What real Azure was sent and answered: it loads, and reads back as equal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from reconciler.core.normalise import canonical
from reconciler.manifest import load_desired, open_project

TRAFFIC = Path(__file__).parents[3] / "shared" / "azure-traffic" / "groups.json"
RECORDED = json.loads(TRAFFIC.read_text(encoding="utf-8")) if TRAFFIC.is_file() else []

pytestmark = pytest.mark.skipif(not RECORDED, reason=f"no recordings at {TRAFFIC}")


@pytest.mark.parametrize(
    "recorded", RECORDED, ids=[f"{r['source']}-{i}" for i, r in enumerate(RECORDED)]
)
def test_a_recorded_body_as_manifest_equals_what_azure_shows(tmp_path: Path, recorded: dict):
    text = yaml.safe_dump({"name": recorded["name"], **recorded["put"]})
    (tmp_path / "group.yaml").write_text(text, encoding="utf-8")
    project, _ = open_project([tmp_path], cwd=tmp_path, environment=None)

    loaded = load_desired(project, [tmp_path / "group.yaml"], environ={})

    assert loaded.errors == ()
    assert loaded.groups[0].canonical == canonical(recorded["get"])


@pytest.mark.parametrize(
    "recorded", RECORDED, ids=[f"{r['source']}-{i}" for i, r in enumerate(RECORDED)]
)
def test_a_recorded_answer_loads_as_an_export(tmp_path: Path, recorded: dict):
    """`az container export` prints less of it than this, never more."""
    text = yaml.safe_dump(recorded["get"])
    (tmp_path / "group.yaml").write_text(text, encoding="utf-8")
    project, _ = open_project([tmp_path], cwd=tmp_path, environment=None)

    loaded = load_desired(project, [tmp_path / "group.yaml"], environ={})

    assert loaded.errors == ()
    assert loaded.groups[0].canonical == canonical(recorded["get"])
