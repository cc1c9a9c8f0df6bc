"""Start-up is a feature: what a command does not need it does not load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT, Repository, environment_of, group

HEAVY = {"yaml", "jsonschema", "deepdiff", "azure", "rich", "starlette", "uvicorn", "requests"}

LOADED = """
import sys
from reconciler.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
sys.stderr.write("LOADED " + " ".join(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def loaded_by(*arguments: str, cwd: Path) -> set[str]:
    """The top-level modules a command has loaded by its end."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        cwd=cwd,
        env=environment_of(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(done.stderr.rpartition("LOADED ")[2].split())


@pytest.mark.parametrize("line", ["--help", "--version", "apply --help", "apply --nonsense"])
def test_asking_for_help_loads_no_heavy_library(tmp_path: Path, line: str) -> None:
    loaded = loaded_by(*line.split(), cwd=tmp_path)

    assert "argparse" in loaded
    assert loaded & HEAVY == set()


def test_validating_loads_nothing_of_azure(repository: Repository) -> None:
    repository.write(group())

    loaded = loaded_by("validate", cwd=repository.root)

    assert "yaml" in loaded
    assert loaded & {"azure", "requests", "deepdiff", "starlette", "uvicorn"} == set()


def test_planning_no_change_loads_no_emulator_and_no_deepdiff(repository: Repository) -> None:
    """Equality comes first: deepdiff takes its time to load, and there is nothing to tell apart."""
    repository.given_home()
    repository.write(group())
    repository.apply()

    loaded = loaded_by("plan", "--endpoint", repository.emulator.url, cwd=repository.root)

    assert "azure" in loaded
    assert loaded & {"starlette", "uvicorn", "deepdiff"} == set()


def test_the_package_itself_loads_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys, reconciler; print(*sys.modules)"],
        cwd=tmp_path,
        env=environment_of(),
        capture_output=True,
        text=True,
        check=True,
    )

    assert {name for name in done.stdout.split() if name.startswith("reconciler")} == {"reconciler"}


def test_the_checkout_is_what_is_tested() -> None:
    import reconciler

    assert Path(reconciler.__file__).is_relative_to(CHECKOUT)
