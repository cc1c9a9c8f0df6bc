"""The event that a run of `drift` tells, by `schemas/webhook.schema.json`; pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from reconciler import __version__
from reconciler.core.alert import DriftEvent
from reconciler.core.jsonval import JsonObject
from reconciler.errors import ExitCode
from reconciler.report.as_json import API_VERSION, drift_row, given, instant, sound
from reconciler.report.shape import DriftView, Report
from reconciler.report.words import drift_counts

_MOST_FOUND = 500  # findings of one event; `counts` has all


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What was checked; empty as far as it is not known yet."""

    owner: str = ""
    environment: str | None = None
    subscription: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Which event, and of which run; `id` is the same however often it is sent."""

    event: DriftEvent
    id: str
    at: datetime


def told_body(
    occasion: Occasion, report: Report, drift: DriftView, before: AbstractSet[str]
) -> bytes:
    """The event of a run that has a report. `before` are the keys that were told before it.

    Findings that count come first, and of very many only the first.
    """
    now = {row.key for row in drift.rows if row.counts}
    rows = sorted(drift.rows, key=lambda row: not row.counts)
    where = Where(
        owner=report.owner, environment=report.environment, subscription=report.subscription
    )
    resolved = sorted(before - now) if report.exit_code is not ExitCode.FAILED else []
    body: JsonObject = {
        **_head(occasion, where, report.exit_code),
        "failOn": [category.value for category in drift.fail_on],
        "counts": dict(drift_counts(drift)),
        "found": [{**drift_row(row), "new": row.key not in before} for row in rows[:_MOST_FOUND]],
        "resolved": list(resolved[:_MOST_FOUND]),
        "problems": [one.says for one in drift.untold],
    }
    return _bytes(body)


def failed_body(
    occasion: Occasion, where: Where, problems: Sequence[str], exit_code: ExitCode
) -> bytes:
    """The event of a run that ended before it could tell anything."""
    return _bytes({**_head(occasion, where, exit_code), "problems": list(problems)})


def _head(occasion: Occasion, where: Where, exit_code: ExitCode) -> JsonObject:
    return {
        "apiVersion": API_VERSION,
        "kind": "DriftEvent",
        "id": occasion.id,
        "event": occasion.event.value,
        "at": instant(occasion.at),
        "environment": where.environment,
        **given(owner=where.owner, subscription=where.subscription.lower()),
        "exitCode": int(exit_code),
        "tool": {"version": __version__},
    }


def _bytes(body: JsonObject) -> bytes:
    return json.dumps(sound(body), ensure_ascii=True, separators=(",", ":")).encode("ascii")
