"""What a run may do without being asked again: the project file's `policy:` block."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

from reconciler.core.finding import Position

_DURATION = re.compile(r"(?:([0-9]{1,4})h)?(?:([0-9]{1,5})m)?(?:([0-9]{1,6})s)?\Z")


class Prune(Enum):
    """What to do with groups we own that no manifest names."""

    REPORT = "report"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Safety rails; None is no limit. `where` tells the position of each that was written down.

    `plan_valid` is how long a plan that was written down may be applied.
    """

    prune: Prune = Prune.REPORT
    max_deletes: int = 1
    max_delete_percent: int = 20
    max_replaces: int = 0
    max_replace_percent: int | None = None
    max_restarts: int | None = None
    max_restart_percent: int | None = None
    plan_valid: timedelta = timedelta(hours=24)
    where: Mapping[str, Position] = field(default_factory=dict)  # by the key in the project file


def duration_in(text: str, default: timedelta) -> timedelta:
    """`1h30m`, `10m` or `30s` as a time; anything else is `default`."""
    found = _DURATION.fullmatch(text)
    if not text or found is None:
        return default
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)
