"""ARM templates, such as Bicep builds: the container groups in them, as a deployment would ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from reconciler.convert.expressions import count_of, evaluated
from reconciler.convert.found import FoundGroup, Reading
from reconciler.convert.gaps import Gap, Unresolved
from reconciler.convert.parameters import given_in, scope_of
from reconciler.convert.scope import Place, Scope, Steps
from reconciler.convert.values import Value
from reconciler.core.ids import GROUP_TYPE
from reconciler.core.jsonval import Json, JsonObject, WirePath, as_list, as_object, as_text
from reconciler.manifest.document import Document

_CARRIED = ("name", "location", "tags", "identity", "zones", "properties")
_DEPLOYMENT = "microsoft.resources/deployments"
_DEEPEST = 8  # templates inside templates
_MOST_GROUPS = 1000


@dataclass(slots=True)
class _Found:
    """What has been gathered so far; `symbols` name the groups that a resource stands for."""

    groups: list[FoundGroup] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    others: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Resource:
    """One resource of a template, and where it stands; `symbol` is its key in the object form."""

    data: JsonObject
    path: WirePath
    symbol: str = ""


def read_template(document: Document, given: Mapping[str, Value], place: Place) -> Reading:
    """The container groups that deploying `document` would make. Total."""
    found = _Found()
    known = {name.lower() for name in as_object(document.data.get("parameters"))}
    for name in given:
        if name.lower() not in known:
            found.notes.append(f"the template has no parameter '{name}': its value is not used")
    steps = Steps()
    scope = scope_of(document.data, given, place, steps)
    _Walk(document, found, place.resource_group).template(document.data, (), scope, 0)
    if found.others:
        found.gaps.append(_others(document, found.others))
    return Reading(groups=tuple(found.groups), gaps=tuple(found.gaps), notes=tuple(found.notes))


def _others(document: Document, others: Mapping[str, int]) -> Gap:
    named = ", ".join(f"{kind} ({count})" for kind, count in sorted(others.items()))
    return Gap(
        where=document.at_key(("resources",)),
        path="",
        says=f"resources that are no container groups: {named}",
        hint="leave them to the template",
    )


class _Walk:
    def __init__(self, document: Document, found: _Found, home: str) -> None:
        self.document = document
        self.found = found
        self.home = home  # the resource group that is deployed to

    def template(self, template: JsonObject, path: WirePath, scope: Scope, depth: int) -> None:
        """Gather from one template; `path` is where it stands in the file."""
        resources = list(_resources(template, path))
        names = self._names(resources, scope)
        for resource in resources:
            if resource.data.get("existing") is True:
                continue
            kind = evaluated(resource.data.get("type"), scope)
            if not isinstance(kind, str):
                self._gap(resource.path, kind, "type", "a resource whose type is not known")
            elif kind.lower() == GROUP_TYPE.lower():
                self._each(resource, scope, names)
            elif kind.lower() == _DEPLOYMENT:
                self._deployment(resource, scope, depth)
            else:
                self.found.others[kind] = self.found.others.get(kind, 0) + 1

    def _names(self, resources: list[_Resource], scope: Scope) -> dict[str, tuple[str, ...]]:
        """The groups' names by whatever `dependsOn` may call them, in lower case."""
        known: dict[str, tuple[str, ...]] = {}
        for resource in resources:
            if as_text(resource.data.get("type")).lower() != GROUP_TYPE.lower():
                continue
            loop = as_object(resource.data.get("copy"))
            found = self._turns(resource, scope)
            turns = [] if isinstance(found, Unresolved) else found
            names = [evaluated(resource.data.get("name"), turn) for turn in turns]
            plain = tuple(name for name in names if isinstance(name, str))
            for name in plain:
                known[name.lower()] = (name,)
            for word in (resource.symbol, as_text(loop.get("name"))):
                if word:
                    known[word.lower()] = plain
        return known

    def _turns(self, resource: _Resource, scope: Scope) -> list[Scope] | Unresolved:
        """The scope of each copy of a resource; one where it is not copied."""
        loop = resource.data.get("copy")
        if not isinstance(loop, dict):
            return [scope]
        count = count_of(loop.get("count"), scope)
        if isinstance(count, Unresolved):
            return count
        return [scope.at(as_text(loop.get("name")), i) for i in range(count)]

    def _each(
        self, resource: _Resource, scope: Scope, names: Mapping[str, tuple[str, ...]]
    ) -> None:
        turns = self._turns(resource, scope)
        if isinstance(turns, Unresolved):
            self._gap((*resource.path, "copy"), turns, "copy", "a container group in copies")
            return
        for turn in turns:
            if len(self.found.groups) >= _MOST_GROUPS:
                says = f"more than {_MOST_GROUPS} container groups"
                self._gap(resource.path, Unresolved(""), "", says)
                return
            if scope.steps.left < 0:
                says = "the template asks for more than can be evaluated: the rest of it is missing"
                self._gap(resource.path, Unresolved(""), "", says)
                return
            if self._is_wanted(resource, turn):
                self._group(resource, turn, names)

    def _is_wanted(self, resource: _Resource, scope: Scope) -> bool:
        if "condition" not in resource.data:
            return True
        condition = evaluated(resource.data["condition"], scope)
        where = self.document.at((*resource.path, "condition"))
        if condition is False:
            self.found.notes.append(f"{where}: left out: its condition is false")
            return False
        if condition is not True:
            says = "whether it is deployed at all depends on a condition"
            self._gap((*resource.path, "condition"), condition, "condition", says)
        return True

    def _group(
        self, resource: _Resource, scope: Scope, names: Mapping[str, tuple[str, ...]]
    ) -> None:
        body = {
            key: evaluated(resource.data[key], scope) for key in _CARRIED if key in resource.data
        }
        self.found.groups.append(
            FoundGroup(
                body=body,
                source=self.document,
                root=resource.path,
                resource_group=self.home,
                depends_on=_dependencies(resource, scope, names),
            )
        )

    def _deployment(self, resource: _Resource, scope: Scope, depth: int) -> None:
        """A template inside the template: what Bicep makes of a module."""
        properties = as_object(resource.data.get("properties"))
        inner = properties.get("template")
        turns = self._turns(resource, scope)
        if not isinstance(inner, dict) or depth >= _DEEPEST or isinstance(turns, Unresolved):
            reason = turns if isinstance(turns, Unresolved) else Unresolved("")
            says = "a template that is not in this file" if not inner else "a nested template"
            hint = "convert that template by itself"
            self._gap(resource.path, replace(reason, hint=hint), "", says)
            return
        options = as_object(properties.get("expressionEvaluationOptions"))
        is_inner = as_text(options.get("scope")).lower() == "inner"
        path = (*resource.path, "properties", "template")
        for turn in turns:
            if not self._is_wanted(resource, turn):
                continue
            place, within = _place(resource, turn), turn
            if is_inner:
                given = given_in(evaluated(properties.get("parameters"), turn))
                within = scope_of(inner, given, place, turn.steps)
            walk = _Walk(self.document, self.found, place.resource_group)
            walk.template(inner, path, within, depth + 1)

    def _gap(self, path: WirePath, value: Value, key: str, says: str) -> None:
        why = value if isinstance(value, Unresolved) else Unresolved("it has no plain value")
        place = (*path, key) if key and path[-1] != key else path
        text = f" ({why.text[:120]})" if why.text and not why.is_secret else ""
        says = f"{says}{text}: {why.reason}" if why.reason else f"{says}{text}"
        self.found.gaps.append(
            Gap(where=self.document.at(place), path="", says=says, hint=why.hint)
        )


def _place(resource: _Resource, scope: Scope) -> Place:
    """Where a nested deployment goes to."""
    place = scope.place
    for key, name in (("resourceGroup", "resource_group"), ("subscriptionId", "subscription")):
        if key in resource.data:
            value = evaluated(resource.data[key], scope)
            place = replace(place, **{name: value if isinstance(value, str) else ""})
    if "resourceGroup" in resource.data and place.resource_group != scope.place.resource_group:
        place = replace(place, location="")  # that of another resource group
    return place


def _dependencies(
    resource: _Resource, scope: Scope, names: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """The groups of the same template that come first; other resources are not ours."""
    # Only the last part of an address matters, so that any subscription will do.
    place = replace(
        scope.place,
        subscription=scope.place.subscription or "-",
        resource_group=scope.place.resource_group or "-",
    )
    found: dict[str, None] = {}
    for entry in as_list(resource.data.get("dependsOn")):
        value = evaluated(entry, replace(scope, place=place))
        if not isinstance(value, str):
            continue
        kind, _, last = value.rpartition("/")
        if not kind or "/containergroups" in kind.lower():
            found.update(dict.fromkeys(names.get(last.lower(), ())))
    return tuple(found)


def _resources(template: JsonObject, path: WirePath) -> Iterator[_Resource]:
    resources: Json = template.get("resources")
    if isinstance(resources, dict):
        for symbol, one in resources.items():
            if isinstance(one, dict):
                yield _Resource(data=one, path=(*path, "resources", symbol), symbol=symbol)
        return
    for index, one in enumerate(as_list(resources)):
        if isinstance(one, dict):
            yield _Resource(data=one, path=(*path, "resources", index))
