"""What real Azure was sent and answered. It lies outside the repository and is not copied into it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

Wire = dict[str, Any]

TRAFFIC = Path(__file__).parents[3] / "shared" / "azure-traffic"


def _read(name: str) -> list[Wire]:
    file = TRAFFIC / name
    return json.loads(file.read_text("utf-8")) if file.is_file() else []


GROUPS = _read("groups.json")
LISTS = _read("lists.json")

needs_recordings = pytest.mark.skipif(not GROUPS, reason=f"no recordings at {TRAFFIC}")


def title(recorded: Wire) -> str:
    """What a failure calls a recording."""
    return f"{recorded['source']} {recorded['name']}"


def without_views(value: Any) -> Any:
    """A LIST item is a GET without any instance view (azure-facts 0.3)."""
    if isinstance(value, dict):
        return {name: without_views(item) for name, item in value.items() if name != "instanceView"}
    return [without_views(item) for item in value] if isinstance(value, list) else value


def listed(recorded: Wire) -> Iterator[Wire]:
    """The recorded LIST items of a recorded group."""
    wanted = (recorded["source"], recorded["resourceGroup"].lower(), recorded["name"].lower())
    for answer in LISTS:
        for item in answer["list"]["value"]:
            at = (answer["source"], answer["resourceGroup"].lower(), item["name"].lower())
            if at == wanted:
                yield item
