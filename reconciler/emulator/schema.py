"""What a container group may hold, in the order Azure writes it, and since which api-version.

Azure parses a body into a typed model and writes it out again (C.1): unknown members disappear,
keys come back canonically spelled and in a fixed order, whole numbers for CPU and memory come back
as `1.0`. `read_in` does the same from these tables. Write-only values are left out here, at the
door: nothing behind it ever holds them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from reconciler.emulator.errors import invalid_content
from reconciler.emulator.jsonval import Json, JsonObject


@dataclass(frozen=True, slots=True)
class Text:
    """A string; with `choices`, one of them, written in any case and read back as listed."""

    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number; a numeric string will do. Source: C.1, docs ci-vnet."""


@dataclass(frozen=True, slots=True)
class Double:
    """A number that reads back with a decimal point. Source: C.1."""


@dataclass(frozen=True, slots=True)
class Boolean:
    """True or false."""


@dataclass(frozen=True, slots=True)
class Free:
    """Any JSON, echoed."""


@dataclass(frozen=True, slots=True)
class Emptied:
    """An object whose members are write-only or server-assigned: it reads back as `{}`."""


@dataclass(frozen=True, slots=True)
class ListOf:
    """An array; its order is kept. Source: C.1."""

    of: Shape


@dataclass(frozen=True, slots=True)
class MapOf:
    """An object with free keys, whose case is kept."""

    of: Shape


@dataclass(frozen=True, slots=True)
class Field:
    """One member of an object."""

    name: str
    shape: Shape
    since: str = ""
    until: str = "9999"
    write_only: bool = False


@dataclass(frozen=True, slots=True)
class Object:
    """An object with known members; `ignored` ones are the server's and taken without a word."""

    fields: tuple[Field, ...]
    ignored: tuple[str, ...] = ()


Shape: TypeAlias = "Text | Integer | Double | Boolean | Free | Emptied | ListOf | MapOf | Object"


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads values at one api-version and counts what it drops, by path."""

    version: str
    dropped: Counter[str]

    def read(self, shape: Shape, value: Json, path: str) -> Json:
        """`value` as Azure would write it out again.

        Raises:
            Refusal: it is not of this shape (400 `InvalidRequestContent`).
        """
        match shape:
            case Object():
                return self._object(shape, value, path)
            case ListOf(of):
                items = _array(value, path)
                return [self.read(of, item, f"{path}/*") for item in items if item is not None]
            case MapOf(of):
                return {
                    key: self.read(of, item, f"{path}/*")
                    for key, item in _members(value, path).items()
                    if item is not None
                }
            case Emptied():
                _members(value, path)
                return {}
            case Free():
                return value
            case _:
                return _SCALARS[type(shape)](shape, value, path)

    def _object(self, shape: Object, value: Json, path: str) -> JsonObject:
        # Keys are taken in any case: the documentation itself writes `memoryInGb` (C.1).
        given = {key.lower(): (key, item) for key, item in _members(value, path).items()}
        result: JsonObject = {}
        for field in shape.fields:
            _, item = given.get(field.name.lower(), ("", None))
            # A null is as good as nothing. Source: C.2 #25.
            if item is None or not field.since <= self.version[: len("2000-01-01")] <= field.until:
                continue
            del given[field.name.lower()]
            if not field.write_only:
                result[field.name] = self.read(field.shape, item, f"{path}/{field.name}")
        for lower, (key, item) in given.items():
            if item is not None and lower not in shape.ignored:
                self.dropped[f"{path}/{key}"] += 1
        return result


def _mismatch(path: str, wanted: str) -> Exception:
    return invalid_content(f"the value at '{path}' must be {wanted}.")


def _members(value: Json, path: str) -> JsonObject:
    if not isinstance(value, dict):
        raise _mismatch(path, "an object")
    return value


def _array(value: Json, path: str) -> list[Json]:
    if not isinstance(value, list):
        raise _mismatch(path, "an array")
    return value


def _text(shape: Shape, value: Json, path: str) -> Json:
    if not isinstance(value, str):
        raise _mismatch(path, "a string")
    choices = shape.choices if isinstance(shape, Text) else ()
    if not choices:
        return value
    folded = {choice.replace(" ", "").lower(): choice for choice in choices}
    # An unknown word passes: `validation` refuses those whose error text is known.
    return folded.get(value.replace(" ", "").lower(), value)


def _integer(_: Shape, value: Json, path: str) -> Json:
    number = _number(value)
    if number is None or number != int(number):
        raise _mismatch(path, "an integer")
    return int(number)


def _double(_: Shape, value: Json, path: str) -> Json:
    number = _number(value)
    if number is None:
        raise _mismatch(path, "a number")
    return number


def _boolean(_: Shape, value: Json, path: str) -> Json:
    if not isinstance(value, bool):
        raise _mismatch(path, "true or false")
    return value


def _number(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except ValueError:
        return None


_SCALARS: dict[type, Callable[[Shape, Json, str], Json]] = {
    Text: _text,
    Integer: _integer,
    Double: _double,
    Boolean: _boolean,
}
