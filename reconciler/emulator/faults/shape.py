"""The members of a script and of a rule's `when`, as small JSON Schemas."""

from __future__ import annotations

from reconciler.emulator.faults.kinds import TEXT, WHOLE
from reconciler.emulator.jsonval import Json, JsonObject

NTH_SAYS = "the number of a call from 1 on, or a list of such numbers"
METHODS = ("GET", "HEAD", "PUT", "PATCH", "POST", "DELETE")
_METHODS: list[Json] = [*METHODS, *(method.lower() for method in METHODS)]
_METHOD: JsonObject = {"enum": _METHODS}
_COUNT: JsonObject = {"type": "integer", "minimum": 0, "maximum": 1_000_000_000}
_AMOUNT: JsonObject = _COUNT | {"type": "number"}
_SOME_TEXT: JsonObject = {"type": "string", "minLength": 1}


def _one_or_more(item: JsonObject, says: str) -> JsonObject:
    many: JsonObject = {"type": "array", "items": item, "minItems": 1}
    choices: list[Json] = [item, many]
    return {"anyOf": choices, "description": says}


_QUOTA: JsonObject = {
    "anyOf": [
        _COUNT,
        {
            "type": "object",
            "properties": {
                "limit": _COUNT,
                "used": _AMOUNT,
            },
            "additionalProperties": False,
        },
    ]
}

WHEN: dict[str, JsonObject] = {
    "stage": _one_or_more(TEXT, "a stage, or a list of them"),
    "method": _one_or_more(_METHOD, f"one of {', '.join(METHODS)}, or a list of them"),
    "path": _SOME_TEXT,
    "group": _SOME_TEXT,
    "nth": _one_or_more(WHOLE, NTH_SAYS),
    "first": WHOLE,
    "after": WHOLE,
    "probability": {"type": "number", "minimum": 0, "maximum": 1},
    "per": {"enum": ["rule", "group"]},
}

SCRIPT: dict[str, JsonObject] = {
    "$schema": TEXT,
    "seed": {"type": "integer"},
    "faults": {"type": "array", "description": "a list of rules"},
    "limits": {
        "type": "object",
        "description": "an object with pt5m, pt1h, reads, writes, deletes (whole numbers from 0 "
        "on) or window (fixed or sliding)",
        "properties": {
            **dict.fromkeys(("pt5m", "pt1h", "reads", "writes", "deletes"), _COUNT),
            "window": {"enum": ["fixed", "sliding"]},
        },
        "additionalProperties": False,
    },
    "quotas": {
        "type": "object",
        "description": "an object with a limit, or {limit, used}, for each quota",
        "additionalProperties": _QUOTA,
    },
    "capabilities": {
        "type": "object",
        "description": "an object with maxCpu, maxMemoryInGB or maxGpuCount",
        "properties": dict.fromkeys(("maxCpu", "maxMemoryInGB", "maxGpuCount"), _AMOUNT),
        "additionalProperties": False,
    },
    "registration": {"enum": ["Registered", "NotRegistered", "Registering", "Unregistered"]},
    "pageSize": WHOLE,
}
