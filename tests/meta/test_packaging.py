"""What the wheel promises, and who may import whom."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from reconciler import __version__
from reconciler.manifest import schema_text
from tests.conftest import CHECKOUT, environment_of

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
WHEEL = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]


def test_imports_go_one_way() -> None:
    program = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())"

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=CHECKOUT,
        env=environment_of(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(("source", "target"), WHEEL["force-include"].items())
def test_what_the_wheel_takes_from_outside_the_package_exists(source: str, target: str) -> None:
    assert (CHECKOUT / source).exists()
    assert target.startswith("reconciler/_")
    assert not (CHECKOUT / target).exists()  # or the checkout would hide what the wheel lacks


@pytest.mark.parametrize("kind", ["manifest", "patch", "project", "report", "events", "faults"])
def test_each_schema_is_shipped_and_read_from_where_it_lies(kind: str) -> None:
    committed = (CHECKOUT / "schemas" / f"{kind}.schema.json").read_text()

    assert schema_text(kind) == committed
    assert f"schemas/{kind}.schema.json" in WHEEL["force-include"]


@pytest.mark.parametrize("kind", ["manifest", "patch", "project", "report", "events", "faults"])
def test_each_schema_is_of_draft_2020_12_and_sound(kind: str) -> None:
    from jsonschema import Draft202012Validator

    schema = json.loads(schema_text(kind))

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The layout of an installed wheel, laid out by hand: building one asks the network."""
    import shutil

    site = tmp_path / "site"
    shutil.copytree(
        CHECKOUT / "reconciler", site / "reconciler", ignore=shutil.ignore_patterns("__pycache__")
    )
    for source, target in WHEEL["force-include"].items():
        place = site / target
        place.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (CHECKOUT / source).is_dir() else shutil.copy
        copy(CHECKOUT / source, place)
    return site


def test_a_wheel_has_the_files_of_the_ci_that_init_writes(site: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "init", "shop", "--ci", "github"],
        cwd=tmp_path,
        env=environment_of(PYTHONPATH=str(site)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    workflow = tmp_path / "shop" / ".github" / "workflows" / "aci-apply.yml"
    original = CHECKOUT / "ci" / "github" / "merge.yml"
    assert workflow.read_text().splitlines()[2:] == original.read_text().splitlines()[2:]


def test_the_package_reads_its_schemas_where_a_wheel_puts_them(site: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "schema", "project"],
        cwd=tmp_path,
        env=environment_of(PYTHONPATH=str(site)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == (CHECKOUT / "schemas" / "project.schema.json").read_text()


def test_the_version_is_said_once() -> None:
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "reconciler/__init__.py"
    assert version("aci-reconcile") == __version__


def test_the_console_script_leads_to_the_command_line() -> None:
    module, _, name = PROJECT["project"]["scripts"]["aci-reconcile"].partition(":")

    assert callable(getattr(__import__(module, fromlist=[name]), name))


def test_the_emulators_texts_are_inside_the_package() -> None:
    from importlib.resources import files

    assert files("reconciler.emulator").joinpath("texts", "hamlet.txt").is_file()
