"""What the tests of the core read from beside the project; each skips, saying so, without it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).parents[3] / "shared"


def read(name: str) -> Any:
    """A file beside the project, None where it is absent."""
    path = SHARED / name
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def read_shared(name: str) -> Any:
    """A file beside the project, or a skip that says so."""
    found = read(name)
    if found is None:
        pytest.skip(f"no {name} at {SHARED}")
    return found


@pytest.fixture(scope="session")
def recorded_groups() -> list[dict[str, Any]]:
    """Creates recorded from real Azure: PUT body, 201 body, settled GET."""
    return read_shared("azure-traffic/groups.json")


@pytest.fixture(scope="session")
def recorded_lists() -> list[dict[str, Any]]:
    """List answers recorded from real Azure."""
    return read_shared("azure-traffic/lists.json")


@pytest.fixture(scope="session")
def description() -> dict[str, Any]:
    """The official description of the API."""
    return read_shared("swagger/containerInstance.json")
