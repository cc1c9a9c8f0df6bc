"""The schema of the events of a webhook; what they share with reports is taken from there."""
# ruff: noqa: INP001  # imported by the script beside it alone

from __future__ import annotations

import json

from events import REPORT, needed, ref
from ours import DRAFT, Json, Schema

_TEXT: Schema = {"type": "string"}


def webhook() -> Schema:
    """The schema of the body of one request."""
    shared = json.loads(REPORT.read_text(encoding="utf-8"))["$defs"]
    finding = shared["driftFinding"]
    found: Schema = {
        **finding,
        "description": "One thing about one group, and whether it is new since the run before.",
        "properties": {**finding["properties"], "new": {"type": "boolean"}},
        "required": [*finding["required"], "new"],
    }
    members: dict[str, Json] = {
        "apiVersion": ref("apiVersion"),
        "kind": {"const": "DriftEvent"},
        "id": {
            "description": "Of this event, also in the header Idempotency-Key; the same whenever "
            "it is sent again.",
            "type": "string",
            "pattern": "^evt_[0-9a-f]{32}$",
        },
        "event": ref("driftEvent"),
        "at": ref("instant"),
        "environment": ref("environment"),
        "owner": _TEXT,
        "subscription": ref("lowerCase"),
        "exitCode": ref("exitCode"),
        "tool": {
            "type": "object",
            "additionalProperties": False,
            "required": ["version"],
            "properties": {"version": _TEXT},
        },
        "failOn": {
            "description": "The categories that count.",
            "type": "array",
            "items": ref("category"),
        },
        "counts": ref("driftCounts"),
        "found": {
            "description": "Those that count first; of more than 500 the first.",
            "type": "array",
            "maxItems": 500,
            "items": found,
        },
        "resolved": {
            "description": "The keys of findings that counted before and are gone.",
            "type": "array",
            "maxItems": 500,
            "items": _TEXT,
        },
        "problems": {
            "description": "What could not be told, and why.",
            "type": "array",
            "items": _TEXT,
        },
    }
    optional = {"owner", "subscription", "failOn", "counts", "found", "resolved"}
    event: Schema = {
        "description": "One run of drift. A check that failed before it could tell anything has "
        "only problems.",
        "type": "object",
        "additionalProperties": False,
        "required": [name for name in members if name not in optional],
        "properties": members,
    }
    return {
        "$schema": DRAFT,
        "$id": "https://aci-reconcile.dev/schemas/webhook.v1.json",
        "title": "aci-reconcile webhook, version 1",
        **event,
        "$defs": needed({"event": event}, shared),
    }
