"""Template expressions evaluated: what a deployment alone knows becomes an `Unresolved` value.

Every step counts against a limit of the whole file, so that no template is slow to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from reconciler.convert.functions import call, deployed
from reconciler.convert.gaps import Unresolved
from reconciler.convert.scope import SCOPED, Scope
from reconciler.convert.syntax import (
    BadExpression,
    Call,
    Expression,
    Literal,
    Member,
    is_expression,
    parsed,
    unescaped,
)
from reconciler.convert.values import NoValue, Value, member, weight
from reconciler.core.jsonval import Json

_VALUES_A_STEP = 20
_DEEPEST = 60  # variables and functions that lead to each other


def evaluated(value: Json, scope: Scope) -> Value:
    """`value` with every expression in it evaluated. Total."""
    try:
        scope.steps.take()
    except NoValue as exc:
        return Unresolved(str(exc))
    if isinstance(value, str):
        return text_value(value, scope)
    if isinstance(value, list):
        return [evaluated(item, scope) for item in value]
    if isinstance(value, dict):
        return _object(value, scope)
    return value


def text_value(text: str, scope: Scope) -> Value:
    """What a text of a template stands for. Total."""
    if not is_expression(text):
        return unescaped(text)
    try:
        found = _value(parsed(text), scope, 0)
    except BadExpression as exc:
        return Unresolved(f"it cannot be read: {exc}", text=text)
    except NoValue as exc:
        return Unresolved(str(exc), text=text, hint=getattr(exc, "hint", ""))
    except RecursionError:
        return Unresolved("it is nested too deeply", text=text)
    if isinstance(found, Unresolved) and not found.text:
        return replace(found, text=text)
    return found


def _object(value: dict[str, Json], scope: Scope) -> Value:
    result: dict[str, Value] = {}
    for key, item in value.items():
        if key.lower() == "copy" and _is_loops(item):
            result |= _loops(item, scope)
            continue
        name = text_value(key, scope)
        if isinstance(name, str):
            result[name] = evaluated(item, scope)
        else:
            why = name.reason if isinstance(name, Unresolved) else "a parameter has no value"
            hint = name.hint if isinstance(name, Unresolved) else ""
            result[key] = Unresolved(f"this key is not known: {why}", text=key, hint=hint)
    return result


def _is_loops(value: Json) -> bool:
    """Whether it is a list of property loops: each has a name, a count and an input."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, dict) and {"name", "count", "input"} <= one.keys() for one in value)
    )


def _loops(loops: Json, scope: Scope) -> dict[str, Value]:
    result: dict[str, Value] = {}
    for loop in loops if isinstance(loops, list) else []:
        if isinstance(loop, dict):
            name = str(loop["name"])
            count = count_of(loop["count"], scope)
            result[name] = (
                count
                if isinstance(count, Unresolved)
                else [evaluated(loop["input"], scope.at(name, i)) for i in range(count)]
            )
    return result


_MOST_COPIES = 800  # what a deployment takes


def count_of(value: Json, scope: Scope) -> int | Unresolved:
    """How often a loop turns."""
    found = evaluated(value, scope)
    if isinstance(found, Unresolved):
        return replace(found, reason=f"how often it is copied is not known: {found.reason}")
    if isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= _MOST_COPIES:
        return found
    says = f"a copy has a whole number from 0 to {_MOST_COPIES} as its count"
    return Unresolved(says, text=str(value)[:80])


def _value(tree: Expression, scope: Scope, depth: int) -> Value:
    scope.steps.take()
    if depth > _DEEPEST:
        raise NoValue("it is nested too deeply")
    if isinstance(tree, Literal):
        return tree.value
    if isinstance(tree, Member):
        holder = _value(tree.holder, scope, depth + 1)
        if holder is None and tree.is_lenient:
            return None
        key = _value(tree.key, scope, depth + 1)
        return member(holder, key, is_lenient=tree.is_lenient)
    return _call(tree, scope, depth)


def _call(tree: Call, scope: Scope, depth: int) -> Value:
    lazy = _LAZY.get(tree.name)
    if lazy is not None:
        return lazy(tree, scope, depth)
    if reason := deployed(tree.name):
        raise NoValue(reason)
    arguments = [_value(one, scope, depth + 1) for one in tree.arguments]
    scoped = SCOPED.get(tree.name)
    try:
        found = call(tree.name, arguments) if scoped is None else scoped(scope, *arguments)
        if isinstance(found, list | dict):
            scope.steps.take(weight(found) // _VALUES_A_STEP)
    except TypeError:
        raise NoValue(f"{tree.name}() does not take such arguments") from None
    except NoValue:
        unknown = [one for one in arguments if isinstance(one, Unresolved)]
        if not unknown:
            raise
        return _made_of(tree.name, next((one for one in unknown if one.is_secret), unknown[0]))
    return found


def _made_of(name: str, value: Unresolved) -> Unresolved:
    """What is made of a secret is one; a reference leads to it only where it is just encoded."""
    if not value.is_secret:
        return replace(value, text="")
    reference = value.reference
    if name == "base64" and reference and not {"encode", "fromKeyVault"} & reference.keys():
        return replace(value, text="", reference={**reference, "encode": "base64"})
    reason = f"it is made of a secret: {value.reason}"
    return Unresolved(reason, is_secret=True)


def _if(tree: Call, scope: Scope, depth: int) -> Value:
    if len(tree.arguments) != 3:
        raise NoValue("if() takes three arguments")
    condition = _value(tree.arguments[0], scope, depth + 1)
    if not isinstance(condition, bool):
        raise NoValue(_why(condition, "its condition is no boolean"))
    return _value(tree.arguments[1 if condition else 2], scope, depth + 1)


def _why(value: Value, otherwise: str) -> str:
    return value.reason if isinstance(value, Unresolved) else otherwise


def _and(tree: Call, scope: Scope, depth: int) -> Value:
    return _chain(tree, scope, depth, ends_with=False)


def _or(tree: Call, scope: Scope, depth: int) -> Value:
    return _chain(tree, scope, depth, ends_with=True)


def _chain(tree: Call, scope: Scope, depth: int, *, ends_with: bool) -> bool:
    for argument in tree.arguments:
        found = _value(argument, scope, depth + 1)
        if not isinstance(found, bool):
            raise NoValue(_why(found, f"{tree.name}() takes booleans"))
        if found is ends_with:
            return ends_with
    return not ends_with


def _coalesce(tree: Call, scope: Scope, depth: int) -> Value:
    for argument in tree.arguments:
        found = _value(argument, scope, depth + 1)
        if found is not None:
            return found
    return None


def _try_get(tree: Call, scope: Scope, depth: int) -> Value:
    found = _value(tree.arguments[0], scope, depth + 1) if tree.arguments else None
    for argument in tree.arguments[1:]:
        if found is None:
            return None
        found = member(found, _value(argument, scope, depth + 1), is_lenient=True)
    return found


_LAZY: Mapping[str, Callable[[Call, Scope, int], Value]] = {
    "if": _if,
    "and": _and,
    "or": _or,
    "coalesce": _coalesce,
    "tryget": _try_get,
}
