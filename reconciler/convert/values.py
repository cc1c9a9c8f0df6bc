"""What expressions are made of: JSON, and what stands in the place of a value nobody knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from reconciler.convert.gaps import Blank, Open, Unresolved

# JSON, with `Unresolved` and `Open` where a value is not known.
Value: TypeAlias = Any

LONGEST_TEXT = 1_000_000
LONGEST_LIST = 10_000


class NoValue(Exception):
    """A call that has no value here; the message follows 'because'."""


def weight(value: Value) -> int:
    """How many values there are in a value, each counted as often as it is reached.

    Raises:
        NoValue: they are too many: a few lines of a template can ask for billions.
    """
    count, waiting = 0, [value]
    while waiting:
        one = waiting.pop()
        count += 1
        if count > LONGEST_LIST:
            raise NoValue(f"it holds more than {LONGEST_LIST} values")
        if isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return count


def unknown_in(value: Value) -> Unresolved | Open | None:
    """The first thing in `value` that is not known."""
    if isinstance(value, Unresolved | Open):
        return value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((found for part in parts if (found := unknown_in(part))), None)


def member(holder: Value, key: Value, *, is_lenient: bool = False) -> Value:
    """The member of an object, whose names have no case, or the element of a list.

    Raises:
        NoValue: there is none.
    """
    if isinstance(holder, Unresolved):
        return replace(holder, reference=None)  # it leads to the whole, not to a part
    if isinstance(holder, dict) and isinstance(key, str):
        for name, item in holder.items():
            if name.lower() == key.lower():
                return item
    elif is_whole(key) and isinstance(holder, list | str) and 0 <= key < len(holder):
        return holder[key]
    if is_lenient:
        return None
    raise NoValue(f"there is no member {str(key)[:60]!r}")


def is_whole(value: Value) -> bool:
    """Whether it is a whole number; a boolean is none."""
    return isinstance(value, int) and not isinstance(value, bool)


def text_of(value: Value) -> str:
    """`value`, which has to be a text.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(value, str):
        raise TypeError
    return value


def whole_of(value: Value) -> int:
    """`value`, which has to be a whole number.

    Raises:
        TypeError: it is none.
    """
    if not is_whole(value):
        raise TypeError
    return int(value)


def truth_of(value: Value) -> bool:
    """`value`, which has to be a boolean.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(value, bool):
        raise TypeError
    return value


def closed(value: Value) -> Value:
    """`value`, in which everything has to be known.

    Raises:
        NoValue: something is not; it says what.
    """
    unknown = unknown_in(value)
    if isinstance(unknown, Unresolved):
        raise NoValue(unknown.reason)
    if unknown is not None:
        raise NoValue("a parameter in it has no value")
    return value


def pieces(value: Value) -> tuple[str | Blank, ...]:
    """What a text, a number or an open text adds to a text."""
    if isinstance(value, Open):
        return value.parts
    if is_whole(value):
        return (str(value),)
    return (text_of(value),)


def joined(parts: Sequence[str | Blank]) -> str | Open:
    """A text of its parts, open where one of them is."""
    if all(isinstance(part, str) for part in parts):
        return "".join(str(part) for part in parts)
    return Open(tuple(parts))


def sequence(value: Value) -> Value:
    """`value`, which has to be a text or a list.

    Raises:
        TypeError: it is neither.
    """
    if not isinstance(value, str | list):
        raise TypeError
    return value


def bounded(value: Value) -> Value:
    """`value`, which has to be of bearable size.

    Raises:
        NoValue: it is too large.
    """
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise NoValue(f"the text has more than {LONGEST_TEXT} characters")
    if is_whole(value) and not -(2**63) <= value < 2**63:
        raise NoValue("the number has more than 64 bits")
    if isinstance(value, list) and len(value) > LONGEST_LIST:
        raise NoValue(f"the list has more than {LONGEST_LIST} elements")
    return value
