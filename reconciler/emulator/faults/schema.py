"""The JSON Schema of a script, put together from the tables that the parser goes by."""

from __future__ import annotations

from reconciler.emulator.faults.kinds import KINDS, Kind
from reconciler.emulator.faults.shape import SCRIPT, WHEN
from reconciler.emulator.faults.stages import STAGES
from reconciler.emulator.jsonval import Json, JsonObject


def schema() -> JsonObject:
    """Draft 2020-12; what it cannot say (names once, spans apart) the parser checks."""
    stages: list[Json] = list(STAGES)
    stage: JsonObject = {"enum": stages}
    many: JsonObject = {"type": "array", "items": stage, "minItems": 1}
    when: JsonObject = {**WHEN, "stage": {"anyOf": [stage, many]}}
    rule: JsonObject = _object(
        {
            "name": {"type": "string", "description": "what the rule is counted under"},
            "when": _object(when),
            "fault": {"$ref": "#/$defs/fault"},
        },
        "fault",
    )
    rules: JsonObject = {"type": "array", "items": {"$ref": "#/$defs/rule"}}
    script = _object({**SCRIPT, "faults": rules})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Faults that the emulator plays",
        "anyOf": [script, rules],
        "$defs": {"rule": rule, "fault": _fault()},
    }


def _fault() -> JsonObject:
    names: list[Json] = [name for name, kind in KINDS.items() if not kind.needs]
    choices: list[Json] = [{"enum": names, "description": "a fault without options"}]
    choices += [_with_options(name, kind) for name, kind in KINDS.items()]
    return {"anyOf": choices}


def _with_options(name: str, kind: Kind) -> JsonObject:
    """A status may stand without its kind."""
    needs = kind.needs if name == "status" else ("kind", *kind.needs)
    found = _object({"kind": {"const": name}, **kind.options}, *needs)
    return found | {"description": kind.means}


def _object(members: JsonObject, *needs: str) -> JsonObject:
    required: list[Json] = list(needs)
    found: JsonObject = {"type": "object", "properties": members, "additionalProperties": False}
    return found | ({"required": required} if required else {})
