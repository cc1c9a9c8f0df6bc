"""The parameters and variables of a template: evaluated when asked for, once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from reconciler.convert.expressions import count_of, evaluated
from reconciler.convert.gaps import Blank, Open, Unresolved
from reconciler.convert.scope import Place, Scope, Steps
from reconciler.convert.values import NoValue, Value
from reconciler.core.groups import is_variable
from reconciler.core.jsonval import Json, JsonObject, as_list, as_object, as_text

_DEEPEST = 40
_SECURE = frozenset({"securestring", "secureobject"})
_VARIABLE = re.compile(r"[A-Za-z0-9_.-]+\Z")
_VAULT = re.compile(r"/vaults/(?P<name>[A-Za-z0-9-]{3,24})\Z", re.IGNORECASE)


def scope_of(template: JsonObject, given: Mapping[str, Value], place: Place, steps: Steps) -> Scope:
    """What the expressions of `template` refer to; `given` holds values of parameters by name."""
    names = _Names(template, {name.lower(): value for name, value in given.items()})
    scope = Scope(parameter=names.parameter, variable=names.variable, place=place, steps=steps)
    names.scope = scope
    return scope


def given_in(parameters: Json) -> dict[str, Value]:
    """The values in a file of parameters, with a reference for a secret in a key vault."""
    found: dict[str, Value] = {}
    for name, entry in as_object(parameters).items():
        holder = as_object(entry)
        if "reference" in holder:
            found[name] = _from_vault(name, as_object(holder["reference"]))
        elif "value" in holder:
            found[name] = holder["value"]
    return found


def _from_vault(name: str, reference: JsonObject) -> Unresolved:
    vault = _VAULT.search(as_text(as_object(reference.get("keyVault")).get("id")))
    secret = as_text(reference.get("secretName"))
    reason = f"parameter '{name}' is a secret in a key vault"
    if vault is None or not secret:
        return Unresolved(reason, is_secret=True)
    version = as_text(reference.get("secretVersion"))
    leads: JsonObject = {"vault": vault["name"], "secret": secret}
    leads |= {"version": version} if version else {}
    return Unresolved(reason, is_secret=True, reference={"fromKeyVault": leads})


def environment_name(name: str) -> str:
    """`dbPassword` as `DB_PASSWORD`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+", "_", name)
    return words.strip("_").upper()


class _Names:
    """Looks names up by their lower case; each leads to its value once."""

    scope: Scope

    def __init__(self, template: JsonObject, given: Mapping[str, Value]) -> None:
        self._given = given
        self._definitions = as_object(template.get("definitions"))
        self._parameters = {
            name.lower(): (name, as_object(entry))
            for name, entry in as_object(template.get("parameters")).items()
        }
        self._variables, self._loops = _variables_of(template)
        self._known: dict[str, Value] = {}
        self._open: list[str] = []

    def parameter(self, name: str) -> Value:
        """The value of a parameter: given, else its default."""
        if name not in self._parameters:
            raise NoValue(f"the template has no parameter '{name[:60]}'")
        return self._once(f"parameter '{name}'", lambda: self._parameter(name))

    def variable(self, name: str) -> Value:
        """The value of a variable."""
        if name in self._loops:
            return self._once(f"variable '{name}'", lambda: self._loop(name))
        if name not in self._variables:
            raise NoValue(f"the template has no variable '{name[:60]}'")
        return self._once(
            f"variable '{name}'", lambda: evaluated(self._variables[name], self.scope)
        )

    def _once(self, key: str, make: Callable[[], Value]) -> Value:
        if key in self._known:
            return self._known[key]
        if key in self._open:
            raise NoValue(f"{key} leads back to itself")
        if len(self._open) >= _DEEPEST:
            raise NoValue(f"{key} is reached through more than {_DEEPEST} others")
        self._open.append(key)
        try:
            self._known[key] = make()
        finally:
            self._open.pop()
        return self._known[key]

    def _loop(self, name: str) -> Value:
        loop = self._loops[name]
        count = count_of(loop.get("count"), self.scope)
        if isinstance(count, Unresolved):
            return count
        return [evaluated(loop.get("input"), self.scope.at(name, i)) for i in range(count)]

    def _parameter(self, key: str) -> Value:
        name, entry = self._parameters[key]
        given = self._given.get(key)
        if isinstance(given, Unresolved) and given.reference:
            return given
        kind = self._type(entry)
        if kind in _SECURE:
            return _secure(name, kind)
        if key in self._given:
            return given
        if "defaultValue" in entry:
            return evaluated(entry["defaultValue"], self.scope)
        if entry.get("nullable") is True:
            return None
        if kind == "string" and _VARIABLE.match(name):
            return Open((Blank(name),))
        says = f"parameter '{name}' has no value"
        return Unresolved(says, hint=f"convert with -p {name}=VALUE")

    def _type(self, entry: JsonObject) -> str:
        """The type in lower case, that of a definition where one is named."""
        for _ in range(_DEEPEST):
            named = as_text(entry.get("$ref")).removeprefix("#/definitions/")
            if not named:
                break
            entry = as_object(self._definitions.get(named))
        return as_text(entry.get("type")).lower()


def _secure(name: str, kind: str) -> Unresolved:
    variable = environment_name(name)
    is_text = kind == "securestring" and is_variable(variable)
    return Unresolved(
        f"parameter '{name}' is a secret",
        is_secret=True,
        reference={"fromEnv": variable} if is_text else None,
    )


def _variables_of(template: JsonObject) -> tuple[dict[str, Json], dict[str, JsonObject]]:
    """The plain variables, and those that a loop makes."""
    plain: dict[str, Json] = {}
    loops: dict[str, JsonObject] = {}
    for name, value in as_object(template.get("variables")).items():
        if name.lower() == "copy" and isinstance(value, list):
            for loop in as_list(value):
                entry = as_object(loop)
                loops[as_text(entry.get("name")).lower()] = entry
        else:
            plain[name.lower()] = value
    return plain, loops
