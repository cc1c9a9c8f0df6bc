"""What happens while a plan is carried out, as lines for machines: `schemas/events.schema.json`.

Each function makes what an event says; `line` makes one line of JSON of it. Pure ASCII. Texts and
outcomes are free of secrets when they come here, as in the report.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from reconciler.core.jsonval import Json, JsonObject
from reconciler.core.plan import Action
from reconciler.report.as_json import (
    API_VERSION,
    error_of,
    findings_of,
    given,
    instant,
    left_over,
    outcome_of,
    place_of,
    sound,
    subject_of,
)
from reconciler.report.shape import OutcomeRow, Report
from reconciler.report.words import VERBS, plan_counts, result_counts


def line(event: JsonObject, *, seq: int, at: datetime) -> str:
    """One event as one line that ends in a line break; `seq` counts from 1."""
    head: JsonObject = {"apiVersion": API_VERSION, "kind": "ApplyEvent", "seq": seq}
    document = sound({**head, "at": instant(at), **event})
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text + "\n"


def started(planned: Report) -> JsonObject:
    """The first event: the plan that is going to be carried out, and each of its actions."""
    return {
        "event": "started",
        "command": planned.command,
        **place_of(planned),
        "counts": dict(plan_counts(planned)),
        "actions": [subject_of(one) for one in planned.actions if one.kind in VERBS],
    }


def began(action: Action) -> JsonObject:
    """Work on an action has begun."""
    return {"event": "began", **subject_of(action)}


def step(action: Action, text: str, operation: str) -> JsonObject:
    """A step of an action; `operation` is the URL of what it began in Azure, or empty."""
    return {"event": "step", **subject_of(action), "text": text, **given(operation=operation)}


def held(text: str, until: datetime) -> JsonObject:
    """Work waits for a ration of requests."""
    return {"event": "held", "text": text, "until": instant(until)}


def landed(outcome: OutcomeRow) -> JsonObject:
    """An action is over."""
    return {
        "event": "landed",
        **subject_of(outcome.action),
        "outcome": outcome_of(outcome),
    }


def interrupted(under_way: Iterable[tuple[Action, str]]) -> JsonObject:
    """The first interrupt: what is waited for, each with the URL of its operation or nothing."""
    listed: list[Json] = [
        {**subject_of(action), **given(operation=operation)} for action, operation in under_way
    ]
    return {"event": "interrupted", "underWay": listed}


def finished(report: Report) -> JsonObject:
    """The last event: the result without its outcomes, which have been told by then."""
    if report.failure is not None:
        return {
            "event": "failed",
            "command": report.command,
            "exitCode": int(report.exit_code),
            "error": error_of(report.failure),
        }
    return {
        "event": "finished",
        "command": report.command,
        "exitCode": int(report.exit_code),
        "interrupted": report.is_interrupted,
        "counts": dict(result_counts(report)),
        "noOutcome": left_over(report),
        "findings": findings_of(report.findings),
    }
