"""Plain YAML scalars by the core schema of YAML 1.2.

PyYAML's own resolver is YAML 1.1: it reads `no` as false, `22:30` as 1350 and `017` as 15.
"""

from __future__ import annotations

import math
import re

from reconciler.core.jsonval import Json

_WORDS: dict[str, Json] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT = re.compile(r"[-+]?[0-9]+\Z")
_RADIX = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_NUMERIC_START = frozenset("+-.0123456789")
_MOST_DIGITS = 40


def plain(text: str) -> Json:
    """The value of an unquoted scalar.

    Raises:
        ValueError: a number that JSON cannot carry; the message says which.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC_START:
        return text
    if _INT.match(text) or _RADIX.match(text):
        return _whole(text)
    if _SPECIAL.match(text):
        raise ValueError("a finite number, got another")
    return _fraction(text) if _FLOAT.match(text) else text


def tagged(kind: str, text: str) -> Json:
    """The value of a scalar under the core tag `!!kind`.

    Raises:
        ValueError: the text is not of that kind.
    """
    if kind == "str":
        return text
    value = plain(text)
    fits = {
        "null": value is None,
        "bool": isinstance(value, bool),
        "int": isinstance(value, int) and not isinstance(value, bool),
        "float": isinstance(value, int | float) and not isinstance(value, bool),
    }
    if not fits.get(kind, False):
        raise ValueError(f"a value that fits its tag '!!{kind}', got another")
    return float(value) if kind == "float" and isinstance(value, int) else value


def is_date(text: str) -> bool:
    """Whether YAML 1.1 tools, az among them, read the plain scalar as a date."""
    return _DATE.match(text) is not None


def _whole(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"a number of at most {_MOST_DIGITS} digits, got a longer one")
    if text.startswith(("0o", "0x")):
        return int(text, 0)
    return int(text)


def _fraction(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a finite number, got another")
    return value
