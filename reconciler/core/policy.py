"""What a run may do without being asked again: the project file's `policy:` block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from reconciler.core.finding import Position


class Prune(Enum):
    """What to do with groups we own that no manifest names."""

    REPORT = "report"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Safety rails. `where` tells the file and line of each limit that was written down."""

    prune: Prune = Prune.REPORT
    max_deletes: int = 1
    max_delete_percent: int = 20
    max_replaces: int = 0
    where: Mapping[str, Position] = field(default_factory=dict)  # by the key in the project file
