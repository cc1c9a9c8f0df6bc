"""What the manifest tests share: a project around a folder, and one line a finding."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.manifest import DesiredSet, Project, load_desired, open_project

CASES = Path(__file__).parent / "cases"
ENVIRON = {"DB_PASSWORD": "hunter2-env", "B64": "aHVudGVyMg==", "EMPTY": ""}
SECRETS = ("hunter2", "aHVudGVyMg", "12345678")

Load = Callable[..., DesiredSet]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a file below the test's own folder."""

    def _write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    return _write


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load the test's own folder, or paths below it."""

    def _load(*names: str, environment: str | None = None, **options: object) -> DesiredSet:
        project, findings = open_project([tmp_path], cwd=tmp_path, environment=environment)
        assert project is not None, [str(f) for f in findings]
        options.setdefault("environ", ENVIRON)
        return load_desired(project, [tmp_path / name for name in names], **options)

    return _load


def case_project(name: str) -> Project:
    """A project that holds one file of the corpus."""
    return Project(
        root=CASES,
        file=CASES / "aci-reconcile.yaml",
        owner="shop",
        name="shop",
        subscription="00000000-0000-0000-0000-000000000000",
        resource_group="rg",
        variables={"tag": "1.27", "port": "80"},
        manifests=(f"{name}.yaml",),
        cwd=CASES,
    )


def web(name: str = "web", extra: str = "") -> str:
    """The smallest valid group."""
    return (
        f"name: {name}\n{extra}properties:\n  osType: Linux\n  containers:\n    - name: web\n"
        "      properties:\n        image: nginx:1.27\n"
        "        resources: {requests: {cpu: 1, memoryInGB: 1}}\n"
    )
