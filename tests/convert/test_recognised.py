"""A file of another form is named by `validate`, once, with the way out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import typed

CASES = Path(__file__).parent / "cases"


@pytest.mark.parametrize(
    ("file", "form"),
    [
        ("quickstart.json", "an ARM template"),
        ("bicep.json", "an ARM template"),
        ("shown.json", "a container group as 'az container show' prints it"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_validate_names_the_form_and_the_command(tmp_path, file, form, encoding):
    (tmp_path / file).write_bytes((CASES / file).read_text("utf-8").encode(encoding))

    done = typed("validate", file, cwd=tmp_path)

    assert done.code == 3
    first, *others = done.out.splitlines()
    assert first.startswith(
        f"{file}:1:1: M015 expected a manifest, got {form}; try 'aci-reconcile convert"
    )
    assert others == ["1 error, 0 warnings in 1 file (0 documents)"]


def test_a_list_is_named(tmp_path):
    shown = json.loads((CASES / "shown.json").read_text("utf-8"))
    (tmp_path / "list.json").write_text(json.dumps([shown, shown]))

    done = typed("validate", "list.json", cwd=tmp_path)

    assert "M015 expected a manifest, got a list of container groups" in done.out
    assert len(done.out.splitlines()) == 2


@pytest.mark.parametrize("file", ["tutorial.yaml", "files.yaml", "network.yaml", "debris.yaml"])
def test_what_az_takes_is_a_manifest_and_not_named(tmp_path, file):
    (tmp_path / file).write_bytes((CASES / file).read_bytes())

    assert "M015" not in typed("validate", file, cwd=tmp_path).out


def test_broken_json_keeps_its_own_finding(tmp_path):
    (tmp_path / "x.json").write_text('{"$schema": "deploymentTemplate.json", // x\n "resources": [')

    done = typed("validate", "x.json", cwd=tmp_path)

    assert "M003" in done.out
    assert "M015" not in done.out
