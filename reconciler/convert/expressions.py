"""Template expressions evaluated: what a deployment alone knows becomes an `Unresolved` value.

Every step counts against a limit of the whole file, so that no template is slow to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from reconciler.convert.functions import NoValue, Value, call, deployed, member, weight
from reconciler.convert.gaps import Open, Unresolved
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
from reconciler.core.jsonval import Json

_MOST_STEPS = 100_000
_VALUES_A_STEP = 20
_DEEPEST = 60  # variables and functions that lead to each other
_GIVE = "convert with {}"


@dataclass(slots=True)
class Steps:
    """How much work one file has made so far."""

    left: int = _MOST_STEPS

    def take(self, count: int = 1) -> None:
        """Count steps.

        Raises:
            NoValue: there have been too many.
        """
        self.left -= count
        if self.left < 0:
            raise NoValue(f"the template asks for more than {_MOST_STEPS} steps")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the template would be deployed to; empty where nobody said."""

    subscription: str = ""
    resource_group: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What an expression may refer to. `parameter` and `variable` take a name in lower case."""

    parameter: Callable[[str], Value]
    variable: Callable[[str], Value]
    place: Place
    steps: Steps
    indices: Mapping[str, int] = field(default_factory=dict)  # of the copies around, by name

    def at(self, name: str, index: int) -> Scope:
        """The scope inside one turn of the copy `name`; the innermost has the empty name too."""
        return replace(self, indices={**self.indices, name.lower(): index, "": index})


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
    scoped = _SCOPED.get(tree.name)
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


def _variables(scope: Scope, name: Value) -> Value:
    return scope.variable(str(name).lower())


def _parameters(scope: Scope, name: Value) -> Value:
    return scope.parameter(str(name).lower())


def _copy_index(scope: Scope, name: Value = "", offset: Value = 0) -> int:
    if isinstance(name, int):
        name, offset = "", name
    found = scope.indices.get(str(name).lower())
    if found is None or not isinstance(offset, int):
        raise NoValue("copyIndex() stands outside of its copy")
    return found + offset


def _resource_group(scope: Scope, *arguments: Value) -> Value:
    if arguments:
        raise TypeError
    place = scope.place
    known = {
        "name": place.resource_group or _not_said("its resource group", "-g NAME"),
        "location": place.location
        or _not_said("the region of its resource group", "--location REGION"),
    }
    return {**known, "id": _group_id(place), "tags": _not_said("the tags of its group", "")}


def _not_said(what: str, option: str) -> Unresolved:
    hint = _GIVE.format(option) if option else ""
    return Unresolved(f"{what} is not in the file", hint=hint)


def _group_id(place: Place) -> Value:
    if not place.subscription or not place.resource_group:
        return _not_said("its address", "-g NAME --subscription ID")
    return f"/subscriptions/{place.subscription}/resourceGroups/{place.resource_group}"


def _subscription(scope: Scope) -> Value:
    known = scope.place.subscription
    missing = _not_said("its subscription", "--subscription ID")
    ident: Value = f"/subscriptions/{known}" if known else missing
    return {"subscriptionId": known or missing, "id": ident}


def _resource_id(scope: Scope, *arguments: Value) -> Value:
    kind = next((i for i, one in enumerate(arguments) if isinstance(one, str) and "/" in one), None)
    if kind is None or kind > 2:
        raise NoValue("resourceId() has no resource type in it")
    place = scope.place
    before = list(arguments[:kind])
    if before:
        place = replace(place, resource_group=_known(before[-1]))
    if len(before) == 2:
        place = replace(place, subscription=_known(before[0]))
    root = _group_id(place)
    if isinstance(root, Unresolved):
        raise _Hinted(root.reason, root.hint)
    return root + _provider(arguments[kind:])


def _subscription_resource_id(scope: Scope, *arguments: Value) -> Value:
    given = list(arguments)
    place = scope.place
    if given and "/" not in _known(given[0]):
        place = replace(place, subscription=_known(given.pop(0)))
    if not place.subscription:
        missing = _not_said("its subscription", "--subscription ID")
        raise _Hinted(missing.reason, missing.hint)
    return f"/subscriptions/{place.subscription}{_provider(given)}"


def _extension_resource_id(_scope: Scope, base: Value, *arguments: Value) -> Value:
    return _known(base) + _provider(arguments)


def _provider(arguments: Value) -> str:
    namespace, *types = _known(arguments[0]).split("/")
    names = [_known(one) for one in arguments[1:]]
    if len(types) != len(names):
        raise NoValue("resourceId() has not as many names as its type has parts")
    pairs = "".join(f"/{kind}/{name}" for kind, name in zip(types, names, strict=True))
    return f"/providers/{namespace}{pairs}"


def _known(value: Value) -> str:
    if isinstance(value, Unresolved):
        raise _Hinted(value.reason, value.hint)
    if isinstance(value, Open):
        raise NoValue("a parameter in it has no value")
    if not isinstance(value, str):
        raise TypeError
    return value


class _Hinted(NoValue):
    """With what would help."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.hint = hint


_LAZY: Mapping[str, Callable[[Call, Scope, int], Value]] = {
    "if": _if,
    "and": _and,
    "or": _or,
    "coalesce": _coalesce,
    "tryget": _try_get,
}
_SCOPED: Mapping[str, Callable[..., Value]] = {
    "parameters": _parameters,
    "variables": _variables,
    "copyindex": _copy_index,
    "resourcegroup": _resource_group,
    "subscription": _subscription,
    "resourceid": _resource_id,
    "subscriptionresourceid": _subscription_resource_id,
    "extensionresourceid": _extension_resource_id,
}
