"""What happened to one group: as a table for people, and as a document."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from reconciler.core.ids import GroupId
from reconciler.core.jsonval import JsonObject
from reconciler.report.as_json import API_VERSION, sound
from reconciler.report.lines import line, render
from reconciler.report.shape import EventRow
from reconciler.report.status_detail import event_lines
from reconciler.report.status_json import event_of


def events_json(group: GroupId, rows: Sequence[EventRow]) -> str:
    """The document `Events` of `schemas/report.schema.json`."""
    document: JsonObject = {
        "apiVersion": API_VERSION,
        "kind": "Events",
        "command": "events",
        "exitCode": 0,
        "address": group.address,
        "name": str(group),
        "events": [event_of(row) for row in rows],
    }
    return json.dumps(sound(document), indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def events_text(
    group: GroupId, rows: Sequence[EventRow], *, now: datetime, color: bool, width: int
) -> str:
    """The table, the latest last."""
    lines = event_lines(rows, now=now) if rows else [line(f"{group}: nothing has happened")]
    return render(lines, color=color, width=width)
