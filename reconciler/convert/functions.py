"""The template functions whose values depend on their arguments alone.

After the reference of template functions on learn.microsoft.com. What it leaves open, such as how
a boolean becomes a text, has no value here: a gap is listed, never a guess written down.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias
from urllib.parse import quote, unquote

from reconciler.convert import texts
from reconciler.convert.gaps import Open, Unresolved
from reconciler.convert.values import (
    LONGEST_LIST,
    NoValue,
    Value,
    bounded,
    closed,
    joined,
    pieces,
    sequence,
    text_of,
    truth_of,
    whole_of,
)

_WHOLE = re.compile(r"[-+]?[0-9]{1,19}\Z")
_Function: TypeAlias = Callable[..., Value]


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
        return bounded(function(*arguments))
    except (TypeError, ValueError, IndexError, KeyError, ArithmeticError, RecursionError):
        raise NoValue(f"{name}() does not take such arguments") from None


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


def _concat(*values: Value) -> Value:
    if values and all(isinstance(value, list) for value in values):
        return [item for value in values for item in value]
    return joined([piece for value in values for piece in pieces(value)])


def _int(value: Value) -> int:
    if isinstance(value, str):
        if not _WHOLE.match(value):
            raise ValueError
        return int(value)
    return whole_of(value)


def _bool(value: Value) -> bool:
    if isinstance(value, str):
        return value.lower() == "true"
    return bool(value) if isinstance(value, bool) else whole_of(value) != 0


def _equals(one: Value, other: Value) -> bool:
    closed([one, other])
    if isinstance(one, bool) is not isinstance(other, bool):
        return False
    return bool(one == other)


def _contains(holder: Value, item: Value) -> bool:
    closed([holder, item])
    if isinstance(holder, dict):
        return any(name.lower() == str(item).lower() for name in holder)
    if isinstance(holder, list):
        return any(_equals(one, item) for one in holder)
    return str(item) in text_of(holder)


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
    return sequence(value)[0]


def _last(value: Value) -> Value:
    return sequence(value)[-1]


def _skip(value: Value, count: Value) -> Value:
    return sequence(value)[max(whole_of(count), 0) :]


def _take(value: Value, count: Value) -> Value:
    return sequence(value)[: max(whole_of(count), 0)]


def _union(*values: Value) -> Value:
    if all(isinstance(value, list) for value in values):
        found: list[Value] = []
        for item in (item for value in values for item in value):
            if not any(_equals(item, one) for one in found[:LONGEST_LIST]):
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
    closed(list(values))
    if all(isinstance(value, list) for value in values):
        first, *others = values
        return [one for one in first if all(_contains(other, one) for other in others)]
    raise TypeError


def _object(*values: Value) -> Value:
    if len(values) % 2:
        raise ValueError
    return {text_of(values[i]): values[i + 1] for i in range(0, len(values), 2)}


def _range(start: Value, count: Value) -> Value:
    if not 0 <= whole_of(count) <= LONGEST_LIST:
        raise NoValue(f"the list has more than {LONGEST_LIST} elements")
    return list(range(whole_of(start), start + count))


def _items(value: Value) -> Value:
    if not isinstance(value, dict):
        raise TypeError
    return [{"key": key, "value": value[key]} for key in sorted(value, key=str.lower)]


def _flatten(value: Value) -> Value:
    return [item for part in value for item in (part if isinstance(part, list) else [part])]


def _div(one: Value, other: Value) -> int:
    quotient = abs(whole_of(one)) // abs(whole_of(other))
    return quotient if (one < 0) == (other < 0) else -quotient


def _mod(one: Value, other: Value) -> int:
    return int(whole_of(one) - _div(one, other) * whole_of(other))


def _numbers(values: Sequence[Value]) -> Sequence[int]:
    is_list = len(values) == 1 and isinstance(values[0], list)
    return [whole_of(value) for value in (values[0] if is_list else values)]


def _ordered(one: Value, other: Value, test: Callable[[int], bool]) -> bool:
    # How texts are ordered depends on a culture: only numbers are compared.
    return test(whole_of(one) - whole_of(other))


# Take arguments with unknown parts, and hand them on as they are.
_KEEPING = frozenset({"createarray", "createobject", "array"})
_FUNCTIONS: Mapping[str, _Function] = {
    "add": lambda one, other: whole_of(one) + whole_of(other),
    "array": lambda value: value if isinstance(value, list) else [value],
    "base64": texts.encoded,
    "base64tojson": lambda value: texts.from_json(texts.decoded(value)),
    "base64tostring": texts.decoded,
    "bool": _bool,
    "concat": _concat,
    "contains": _contains,
    "createarray": lambda *values: list(values),
    "createobject": _object,
    "div": _div,
    "empty": _empty,
    "endswith": lambda text, end: text_of(text).lower().endswith(text_of(end).lower()),
    "equals": _equals,
    "false": lambda: False,
    "first": _first,
    "flatten": _flatten,
    "format": texts.formatted,
    "greater": lambda one, other: _ordered(one, other, lambda gap: gap > 0),
    "greaterorequals": lambda one, other: _ordered(one, other, lambda gap: gap >= 0),
    "indexof": lambda text, part: text_of(text).lower().find(text_of(part).lower()),
    "int": _int,
    "intersection": _intersection,
    "items": _items,
    "join": texts.join,
    "json": texts.from_json,
    "last": _last,
    "lastindexof": lambda text, part: text_of(text).lower().rfind(text_of(part).lower()),
    "length": _length,
    "less": lambda one, other: _ordered(one, other, lambda gap: gap < 0),
    "lessorequals": lambda one, other: _ordered(one, other, lambda gap: gap <= 0),
    "max": lambda *values: max(_numbers(values)),
    "min": lambda *values: min(_numbers(values)),
    "mod": _mod,
    "mul": lambda one, other: whole_of(one) * whole_of(other),
    "not": lambda value: not truth_of(value),
    "null": lambda: None,
    "padleft": texts.padded,
    "range": _range,
    "replace": texts.replaced,
    "skip": _skip,
    "split": texts.split,
    "startswith": lambda text, start: text_of(text).lower().startswith(text_of(start).lower()),
    "string": texts.as_text,
    "sub": lambda one, other: whole_of(one) - whole_of(other),
    "substring": texts.substring,
    "take": _take,
    "tolower": lambda text: text_of(text).lower(),
    "toupper": lambda text: text_of(text).upper(),
    "trim": lambda text: text_of(text).strip(),
    "true": lambda: True,
    "union": _union,
    "uricomponent": lambda text: quote(text_of(text), safe="-_.!~*'()"),
    "uricomponenttostring": lambda text: unquote(text_of(text)),
}
