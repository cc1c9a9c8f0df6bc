"""Checking a script's members against small JSON Schemas, with messages for people."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from reconciler.emulator.jsonval import Json, JsonObject, as_list, as_number, as_object, as_text


class FaultsInvalid(ValueError):
    """The script cannot be meant; the message says where, what was expected and what came."""


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a script: its file, the rule counted from 1, the member."""

    file: str
    rule: int = 0
    member: str = ""

    def at(self, member: str) -> Where:
        """The same place, further in."""
        return Where(self.file, self.rule, member)

    def __str__(self) -> str:
        text = self.file
        text += f": rule {self.rule}" if self.rule else ""
        if self.member:
            text += f'{"," if self.rule else ":"} member "{self.member}"'
        return text


def expected(where: Where, what: str, got: Json) -> FaultsInvalid:
    """The error of a value that is another than expected."""
    text = json.dumps(got)
    short = text if len(text) < 60 else f"{text[:57]}…"
    return FaultsInvalid(f"{where}: expected {what}, got {short}")


def one_of(where: Where, value: Json, known: Iterable[str]) -> str:
    """`value`, which has to be a known word.

    Raises:
        FaultsInvalid: it is none.
    """
    names = list(known)
    if isinstance(value, str) and value in names:
        return value
    close = get_close_matches(value, names, n=1) if isinstance(value, str) else []
    text = f"one of {', '.join(names)}"
    if close:
        raise FaultsInvalid(f"{where}: expected {text}, got '{value}'; did you mean '{close[0]}'?")
    raise expected(where, text, value)


def check_members(
    where: Where,
    value: JsonObject,
    schemas: Mapping[str, JsonObject],
    *,
    needs: Iterable[str] = (),
) -> None:
    """Check every member of an object.

    Raises:
        FaultsInvalid: one is unknown, missing or of another shape.
    """
    for name, item in value.items():
        if name not in schemas:
            raise _unknown(where, name, schemas)
        if not fits(item, schemas[name]):
            raise expected(where.at(name), said(schemas[name]), item)
    for name in needs:
        if name not in value:
            raise FaultsInvalid(f"{where.at(name)}: expected {said(schemas[name])}, got nothing")


def _unknown(where: Where, name: str, schemas: Iterable[str]) -> FaultsInvalid:
    names = sorted(schemas)
    close = get_close_matches(name, names, n=1)
    hint = f"did you mean '{close[0]}'?" if close else "drop it"
    listed = f"one of {', '.join(names)}" if names else "none"
    return FaultsInvalid(f"{where}: unknown member '{name}', expected {listed}; {hint}")


def fits(value: Json, schema: JsonObject) -> bool:
    """Whether `value` is what the small schema asks for."""
    if "anyOf" in schema:
        return any(fits(value, as_object(one)) for one in as_list(schema["anyOf"]))
    if "enum" in schema:
        return value in as_list(schema["enum"]) and not isinstance(value, bool)
    match schema.get("type"):
        case None:
            return True
        case "string":
            return isinstance(value, str) and _text_fits(value, schema)
        case "boolean":
            return isinstance(value, bool)
        case "array":
            items = as_object(schema.get("items"))
            enough = isinstance(value, list) and len(value) >= as_number(schema.get("minItems"))
            return enough and all(fits(item, items) for item in as_list(value))
        case "object":
            return isinstance(value, dict) and _object_fits(value, schema)
        case kind:
            return _number_fits(value, schema, whole=kind == "integer")


def _text_fits(value: str, schema: JsonObject) -> bool:
    pattern = as_text(schema.get("pattern"))
    # `\Z`, as Python's `$` lets a line end pass.
    fine = not pattern or re.search(pattern.removesuffix("$") + r"\Z", value) is not None
    return fine and len(value) >= as_number(schema.get("minLength"))


def _object_fits(value: JsonObject, schema: JsonObject) -> bool:
    known, others = as_object(schema.get("properties")), schema.get("additionalProperties", {})
    names = as_object(schema.get("propertyNames"))
    return all(fits(name, names) for name in value) and all(
        fits(item, as_object(known.get(name, others))) and (name in known or others is not False)
        for name, item in value.items()
    )


def _number_fits(value: Json, schema: JsonObject, *, whole: bool) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if whole and not isinstance(value, int):
        return False
    least, most = as_number(schema.get("minimum", -math.inf)), schema.get("maximum", math.inf)
    return least <= value <= as_number(most)


def said(schema: JsonObject) -> str:
    """What the schema asks for, in words."""
    if text := as_text(schema.get("description")):
        return text
    if "enum" in schema:
        return f"one of {', '.join(str(item) for item in as_list(schema['enum']))}"
    kind = as_text(schema.get("type"))
    words = {
        "string": "a text",
        "boolean": "true or false",
        "integer": "a whole number",
        "number": "a number",
        "object": "an object of texts",
        "array": "a list",
    }
    least, most = schema.get("minimum"), schema.get("maximum")
    span = f" from {least}" if least is not None else ""
    span += f" to {most}" if most is not None else (" on" if span else "")
    return words.get(kind, "a value") + span


def as_texts(value: Json) -> list[str]:
    """The texts of a list, or the one text that stands for it."""
    return [value] if isinstance(value, str) else [as_text(item) for item in as_list(value)]
