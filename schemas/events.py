"""The schema of the events of an apply; what they share with reports is taken from there."""
# ruff: noqa: INP001  # imported by the script beside it alone

from __future__ import annotations

import json
import re
from pathlib import Path

from ours import DRAFT, Json, Schema

REPORT = Path(__file__).parent / "report.schema.json"
_TEXT: Schema = {"type": "string"}


def events() -> Schema:
    """The schema of one line."""
    shared = json.loads(REPORT.read_text(encoding="utf-8"))["$defs"]
    made = {
        "started": _event(
            "started",
            "The first line: the plan, and what is going to be carried out.",
            command=ref("command"),
            environment=ref("environment"),
            owner=_TEXT,
            subscription=ref("lowerCase"),
            digest=ref("digest"),
            complete=ref("complete"),
            counts=ref("planCounts"),
            actions=_listed("subject"),
        ),
        "began": _event("began", "Work on an action has begun.", **_subject()),
        "step": _event(
            "step",
            "A step of an action, with the operation that it began or follows in Azure.",
            optional=("operation",),
            **_subject(),
            text=_TEXT,
            operation=ref("operation"),
        ),
        "held": _event(
            "held", "Work waits for a ration of requests.", text=_TEXT, until=ref("instant")
        ),
        "landed": _event(
            "landed",
            "An action is over; the outcome is as in the result document.",
            **_subject(),
            outcome=ref("outcome"),
        ),
        "interrupted": _event(
            "interrupted",
            "The first interrupt: nothing more is started, and this is waited for.",
            underWay=_listed("leftOver"),
        ),
        "failed": _event(
            "failed",
            "The only line of a run that ended before anything was carried out.",
            command=ref("command"),
            exitCode=ref("exitCode"),
            error=ref("error"),
        ),
        "finished": _event(
            "finished",
            "The last line; without it the run was cut off, and what began and did not land may "
            "go on in Azure.",
            command=ref("command"),
            exitCode=ref("exitCode"),
            interrupted={"type": "boolean"},
            counts=ref("resultCounts"),
            noOutcome=_listed("leftOver"),
            findings=_listed("finding"),
        ),
    }
    return {
        "$schema": DRAFT,
        "$id": "https://aci-reconcile.dev/schemas/events.v1.json",
        "title": "aci-reconcile events, version 1",
        "description": "One line of what apply, start, stop, restart and destroy write with -o "
        "ndjson while they run.",
        "oneOf": [ref(name) for name in made],
        "$defs": {**made, **needed(made, shared)},
    }


def _event(event: str, says: str, /, *, optional: tuple[str, ...] = (), **members: Json) -> Schema:
    head: dict[str, Json] = {
        "apiVersion": ref("apiVersion"),
        "kind": {"const": "ApplyEvent"},
        "seq": {"description": "Counts from 1.", "type": "integer", "minimum": 1},
        "at": ref("instant"),
        "event": {"const": event},
    }
    whole = {**head, **members}
    return {
        "description": says,
        "type": "object",
        "additionalProperties": False,
        "required": [key for key in whole if key not in optional],
        "properties": whole,
    }


def _subject() -> dict[str, Json]:
    return {
        "address": ref("address"),
        "type": ref("type"),
        "name": ref("name"),
        "action": ref("kind"),
    }


def ref(name: str) -> Schema:
    """A reference to a definition."""
    return {"$ref": f"#/$defs/{name}"}


def _listed(name: str) -> Schema:
    return {"type": "array", "items": ref(name)}


def needed(made: Schema, shared: Schema) -> Schema:
    """What `made` refers to in the schema of reports, directly or not."""
    found: dict[str, Json] = {}
    texts = [json.dumps(made)]
    while texts:
        for name in re.findall(r'"#/\$defs/(\w+)"', texts.pop()):
            if name not in found and name not in made:
                found[name] = shared[name]
                texts.append(json.dumps(shared[name]))
    return {name: found[name] for name in shared if name in found}
