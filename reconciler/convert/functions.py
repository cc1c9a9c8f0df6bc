"""The template functions whose values depend on their arguments alone.

After the reference of template functions on learn.microsoft.com. What it leaves open, such as how
a boolean becomes a text, has no value here: a gap is listed, never a guess written down.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias
from urllib.parse import quote, unquote

from reconciler.convert.gaps import Blank, Open, Unresolved
from reconciler.manifest.relaxed import NotJson, parsed

# JSON, with `Unresolved` and `Open` where a value is not known.
Value: TypeAlias = Any
_Function: TypeAlias = Callable[..., Value]

_LONGEST_TEXT = 1_000_000
_LONGEST_LIST = 10_000
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([0-9]{1,3})\}|[{}]")


class NoValue(Exception):
    """A call that has no value here; the message follows 'because'."""


def call(name: str, arguments: Sequence[Value]) -> Value:
    """What the function `name` (in lower case) makes of its arguments.

    Raises:
        NoValue: it is unknown, depends on the deployment, or does not take such arguments.
    """
    function = _FUNCTIONS.get(name)
    if function is None:
        raise NoValue(f"the function {name[:60]}() is not evaluated here")
    for argument in arguments:
        if isinstance(argument, Unresolved) and name not in _KEEPING:
            raise NoValue(argument.reason)
    try:
        return _bounded(function(*arguments))
    except (TypeError, ValueError, IndexError, KeyError, ArithmeticError, RecursionError):
        raise NoValue(f"{name}() does not take such arguments") from None


def weight(value: Value) -> int:
    """How many values there are in a value, each counted as often as it is reached.

    Raises:
        NoValue: they are too many: a few lines of a template can ask for billions.
    """
    count, waiting = 0, [value]
    while waiting:
        one = waiting.pop()
        count += 1
        if count > _LONGEST_LIST:
            raise NoValue(f"it holds more than {_LONGEST_LIST} values")
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
    elif _is_whole(key) and isinstance(holder, list | str) and 0 <= key < len(holder):
        return holder[key]
    if is_lenient:
        return None
    raise NoValue(f"there is no member {str(key)[:60]!r}")


_DEPLOYED = {
    "reference": "what a resource answers is known only to a deployment",
    "uniquestring": "its value is known only to a deployment",
    "guid": "its value is known only to a deployment",
    "newguid": "its value is another at each deployment",
    "utcnow": "its value is another at each deployment",
    "deployment": "it is known only to a deployment",
    "environment": "it depends on the cloud that is deployed to",
    "tenant": "the tenant is known only to a deployment",
    "managementgroup": "it is known only to a deployment",
    "getsecret": "it reads a secret",
}


def deployed(name: str) -> str:
    """Why a function has a value only in a deployment; empty for one that has a value here."""
    if name.startswith("list"):
        return f"{name}() asks a resource for its keys"
    return _DEPLOYED.get(name, "")


def _bounded(value: Value) -> Value:
    if isinstance(value, str) and len(value) > _LONGEST_TEXT:
        raise NoValue(f"the text has more than {_LONGEST_TEXT} characters")
    if _is_whole(value) and not -(2**63) <= value < 2**63:
        raise NoValue("the number has more than 64 bits")
    if isinstance(value, list) and len(value) > _LONGEST_LIST:
        raise NoValue(f"the list has more than {_LONGEST_LIST} elements")
    return value


def _is_whole(value: Value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _text(value: Value) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _whole(value: Value) -> int:
    if not _is_whole(value):
        raise TypeError
    return int(value)


def _truth(value: Value) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _closed(value: Value) -> Value:
    unknown = unknown_in(value)
    if isinstance(unknown, Unresolved):
        raise NoValue(unknown.reason)
    if unknown is not None:
        raise NoValue("a parameter in it has no value")
    return value


def _pieces(value: Value) -> tuple[str | Blank, ...]:
    """What a text, a number or an open text adds to a text."""
    if isinstance(value, Open):
        return value.parts
    if _is_whole(value):
        return (str(value),)
    return (_text(value),)


def _joined(parts: Sequence[str | Blank]) -> str | Open:
    if all(isinstance(part, str) for part in parts):
        return "".join(str(part) for part in parts)
    return Open(tuple(parts))


def _concat(*values: Value) -> Value:
    if values and all(isinstance(value, list) for value in values):
        return [item for value in values for item in value]
    return _joined([piece for value in values for piece in _pieces(value)])


def _format(pattern: Value, *values: Value) -> Value:
    parts: list[str | Blank] = []
    at = 0
    for found in _PLACEHOLDER.finditer(_text(pattern)):
        parts.append(pattern[at : found.start()])
        at = found.end()
        if found[0] in ("{{", "}}"):
            parts.append(found[0][0])
        elif found[1] is None:
            raise NoValue("format() with anything but {0}, {1} … is not evaluated here")
        else:
            parts += _pieces(values[int(found[1])])
    parts.append(pattern[at:])
    return _joined(parts)


def _string(value: Value) -> Value:
    if isinstance(value, Open):
        return value
    if isinstance(value, list | dict):
        return json.dumps(_closed(value), separators=(",", ":"), ensure_ascii=False)
    return _joined(_pieces(value))


def _int(value: Value) -> int:
    return int(value) if isinstance(value, str) else _whole(value)


def _bool(value: Value) -> bool:
    if isinstance(value, str):
        return value.lower() == "true"
    return bool(value) if isinstance(value, bool) else _whole(value) != 0


def _json(value: Value) -> Value:
    try:
        found, _, _ = parsed(_text(value))
    except NotJson:
        raise ValueError from None
    return found


def _equals(one: Value, other: Value) -> bool:
    _closed([one, other])
    if isinstance(one, bool) is not isinstance(other, bool):
        return False
    return bool(one == other)


def _contains(holder: Value, item: Value) -> bool:
    _closed([holder, item])
    if isinstance(holder, dict):
        return any(name.lower() == str(item).lower() for name in holder)
    if isinstance(holder, list):
        return any(_equals(one, item) for one in holder)
    return str(item) in _text(holder)


def _empty(value: Value) -> bool:
    if isinstance(value, Open):
        if any(isinstance(part, str) and part for part in value.parts):
            return False
        raise NoValue("a parameter has no value")
    if value is not None and not isinstance(value, str | list | dict):
        raise TypeError
    return not value


def _length(value: Value) -> int:
    if not isinstance(value, str | list | dict):
        raise TypeError
    return len(value)


def _first(value: Value) -> Value:
    return _sequence(value)[0]


def _last(value: Value) -> Value:
    return _sequence(value)[-1]


def _sequence(value: Value) -> Value:
    if not isinstance(value, str | list):
        raise TypeError
    return value


def _skip(value: Value, count: Value) -> Value:
    return _sequence(value)[max(_whole(count), 0) :]


def _take(value: Value, count: Value) -> Value:
    return _sequence(value)[: max(_whole(count), 0)]


def _split(text: Value, by: Value) -> Value:
    marks = by if isinstance(by, list) else [by]
    if not all(_text(mark) for mark in marks):
        raise ValueError
    return re.split("|".join(re.escape(mark) for mark in marks), _text(text))


def _join(items: Value, by: Value) -> Value:
    parts: list[str | Blank] = []
    for index, item in enumerate(items):
        parts += ([_text(by)] if index else []) + list(_pieces(item))
    return _joined(parts)


def _replace(text: Value, old: Value, new: Value) -> Value:
    if not _text(old):
        raise ValueError
    if len(_text(text)) * max(1, len(_text(new))) > 100 * _LONGEST_TEXT:
        raise NoValue("the text is too long")
    return text.replace(old, new)


def _substring(text: Value, start: Value, length: Value = None) -> Value:
    end = len(_text(text)) if length is None else _whole(start) + _whole(length)
    if not 0 <= _whole(start) <= end <= len(text):
        raise ValueError
    return text[start:end]


def _pad_left(text: Value, width: Value, filler: Value = " ") -> Value:
    if _whole(width) > _LONGEST_TEXT:
        raise NoValue("the text is too long")
    return str(_string(text)).rjust(width, _text(filler))


def _union(*values: Value) -> Value:
    if all(isinstance(value, list) for value in values):
        found: list[Value] = []
        for item in (item for value in values for item in value):
            if not any(_equals(item, one) for one in found[:_LONGEST_LIST]):
                found.append(item)
        return found
    result: dict[str, Value] = {}
    for value in values:
        if not isinstance(value, dict):
            raise TypeError
        result = _merged(result, value)
    return result


def _merged(base: dict[str, Value], over: Mapping[str, Value]) -> dict[str, Value]:
    """Objects inside objects are merged as well, lists are not."""
    result = dict(base)
    for name, item in over.items():
        before = result.get(name)
        is_pair = isinstance(before, dict) and isinstance(item, dict)
        result[name] = _merged(before or {}, item) if is_pair else item
    return result


def _intersection(*values: Value) -> Value:
    _closed(list(values))
    if all(isinstance(value, list) for value in values):
        first, *others = values
        return [one for one in first if all(_contains(other, one) for other in others)]
    raise TypeError


def _object(*values: Value) -> Value:
    if len(values) % 2:
        raise ValueError
    return {_text(values[i]): values[i + 1] for i in range(0, len(values), 2)}


def _range(start: Value, count: Value) -> Value:
    if not 0 <= _whole(count) <= _LONGEST_LIST:
        raise NoValue(f"the list has more than {_LONGEST_LIST} elements")
    return list(range(_whole(start), start + count))


def _items(value: Value) -> Value:
    if not isinstance(value, dict):
        raise TypeError
    return [{"key": key, "value": value[key]} for key in sorted(value, key=str.lower)]


def _flatten(value: Value) -> Value:
    return [item for part in value for item in (part if isinstance(part, list) else [part])]


def _div(one: Value, other: Value) -> int:
    quotient = abs(_whole(one)) // abs(_whole(other))
    return quotient if (one < 0) == (other < 0) else -quotient


def _mod(one: Value, other: Value) -> int:
    return int(_whole(one) - _div(one, other) * _whole(other))


def _numbers(values: Sequence[Value]) -> Sequence[int]:
    is_list = len(values) == 1 and isinstance(values[0], list)
    return [_whole(value) for value in (values[0] if is_list else values)]


def _ordered(one: Value, other: Value, test: Callable[[int], bool]) -> bool:
    # How texts are ordered depends on a culture: only numbers are compared.
    return test(_whole(one) - _whole(other))


def _base64(value: Value) -> str:
    return base64.b64encode(_text(value).encode()).decode()


def _from_base64(value: Value) -> str:
    try:
        return base64.b64decode(_text(value), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise ValueError from None


# Take arguments with unknown parts, and hand them on as they are.
_KEEPING = frozenset({"createarray", "createobject", "array"})
_FUNCTIONS: Mapping[str, _Function] = {
    "add": lambda one, other: _whole(one) + _whole(other),
    "array": lambda value: value if isinstance(value, list) else [value],
    "base64": _base64,
    "base64tojson": lambda value: _json(_from_base64(value)),
    "base64tostring": _from_base64,
    "bool": _bool,
    "concat": _concat,
    "contains": _contains,
    "createarray": lambda *values: list(values),
    "createobject": _object,
    "div": _div,
    "empty": _empty,
    "endswith": lambda text, end: _text(text).lower().endswith(_text(end).lower()),
    "equals": _equals,
    "false": lambda: False,
    "first": _first,
    "flatten": _flatten,
    "format": _format,
    "greater": lambda one, other: _ordered(one, other, lambda gap: gap > 0),
    "greaterorequals": lambda one, other: _ordered(one, other, lambda gap: gap >= 0),
    "indexof": lambda text, part: _text(text).lower().find(_text(part).lower()),
    "int": _int,
    "intersection": _intersection,
    "items": _items,
    "join": _join,
    "json": _json,
    "last": _last,
    "lastindexof": lambda text, part: _text(text).lower().rfind(_text(part).lower()),
    "length": _length,
    "less": lambda one, other: _ordered(one, other, lambda gap: gap < 0),
    "lessorequals": lambda one, other: _ordered(one, other, lambda gap: gap <= 0),
    "max": lambda *values: max(_numbers(values)),
    "min": lambda *values: min(_numbers(values)),
    "mod": _mod,
    "mul": lambda one, other: _whole(one) * _whole(other),
    "not": lambda value: not _truth(value),
    "null": lambda: None,
    "padleft": _pad_left,
    "range": _range,
    "replace": _replace,
    "skip": _skip,
    "split": _split,
    "startswith": lambda text, start: _text(text).lower().startswith(_text(start).lower()),
    "string": _string,
    "sub": lambda one, other: _whole(one) - _whole(other),
    "substring": _substring,
    "take": _take,
    "tolower": lambda text: _text(text).lower(),
    "toupper": lambda text: _text(text).upper(),
    "trim": lambda text: _text(text).strip(),
    "true": lambda: True,
    "union": _union,
    "uricomponent": lambda text: quote(_text(text), safe="-_.!~*'()"),
    "uricomponenttostring": lambda text: unquote(_text(text)),
}
