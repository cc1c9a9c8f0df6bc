"""The template functions that take texts apart and put them together."""

from __future__ import annotations

import base64
import binascii
import json
import re

from reconciler.convert.gaps import Blank, Open
from reconciler.convert.values import (
    LONGEST_TEXT,
    NoValue,
    Value,
    closed,
    joined,
    pieces,
    text_of,
    whole_of,
)
from reconciler.manifest.relaxed import NotJson, parsed

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([0-9]{1,3})\}|[{}]")


def formatted(pattern: Value, *values: Value) -> Value:
    """`{0}`, `{1}` … in a pattern replaced; alignments and formats depend on a culture."""
    parts: list[str | Blank] = []
    at = 0
    for found in _PLACEHOLDER.finditer(text_of(pattern)):
        parts.append(pattern[at : found.start()])
        at = found.end()
        if found[0] in ("{{", "}}"):
            parts.append(found[0][0])
        elif found[1] is None:
            raise NoValue("format() with anything but {0}, {1} … is not evaluated here")
        else:
            parts += pieces(values[int(found[1])])
    parts.append(pattern[at:])
    return joined(parts)


def as_text(value: Value) -> Value:
    """A value as text: numbers and JSON; how a boolean is spelled is not documented."""
    if isinstance(value, Open):
        return value
    if isinstance(value, list | dict):
        return json.dumps(closed(value), separators=(",", ":"), ensure_ascii=False)
    return joined(pieces(value))


def split(text: Value, by: Value) -> Value:
    """The parts of a text between delimiters, of which there may be several."""
    marks = by if isinstance(by, list) else [by]
    if not all(text_of(mark) for mark in marks):
        raise ValueError
    return re.split("|".join(re.escape(mark) for mark in marks), text_of(text))


def join(items: Value, by: Value) -> Value:
    """The elements of a list with a delimiter between them."""
    parts: list[str | Blank] = []
    for index, item in enumerate(items):
        parts += ([text_of(by)] if index else []) + list(pieces(item))
    return joined(parts)


def replaced(text: Value, old: Value, new: Value) -> Value:
    """Every `old` in a text replaced."""
    if not text_of(old):
        raise ValueError
    if len(text_of(text)) * max(1, len(text_of(new))) > 100 * LONGEST_TEXT:
        raise NoValue("the text is too long")
    return text.replace(old, new)


def substring(text: Value, start: Value, length: Value = None) -> Value:
    """A part of a text, which has to lie inside of it."""
    end = len(text_of(text)) if length is None else whole_of(start) + whole_of(length)
    if not 0 <= whole_of(start) <= end <= len(text):
        raise ValueError
    return text[start:end]


def padded(text: Value, width: Value, filler: Value = " ") -> Value:
    """A text or a number with fillers in front, up to a width."""
    if whole_of(width) > LONGEST_TEXT:
        raise NoValue("the text is too long")
    return str(as_text(text)).rjust(width, text_of(filler))


def encoded(value: Value) -> str:
    """A text in base64."""
    return base64.b64encode(text_of(value).encode()).decode()


def decoded(value: Value) -> str:
    """What base64 holds, if it is text."""
    try:
        return base64.b64decode(text_of(value), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise ValueError from None


def from_json(value: Value) -> Value:
    """What a text holds in JSON."""
    try:
        found, _, _ = parsed(text_of(value))
    except NotJson:
        raise ValueError from None
    return found
