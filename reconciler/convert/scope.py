"""What the expressions of a template may refer to, and how far they may go.

Where a template is deployed to is said on the command line or not at all: then it is a gap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from reconciler.convert.gaps import Open, Unresolved
from reconciler.convert.values import NoValue, Value

_MOST_STEPS = 100_000
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


SCOPED: Mapping[str, Callable[..., Value]] = {
    "parameters": _parameters,
    "variables": _variables,
    "copyindex": _copy_index,
    "resourcegroup": _resource_group,
    "subscription": _subscription,
    "resourceid": _resource_id,
    "subscriptionresourceid": _subscription_resource_id,
    "extensionresourceid": _extension_resource_id,
}
