"""One patch onto one manifest: what is merged, what is replaced, what has to be there.

Lists whose elements have a name (by the property table) merge by it, mappings member by member;
anything else is replaced. Each value keeps the position of the file that brought it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.core.finding import Finding
from reconciler.core.jsonval import Json, JsonObject, WirePath, as_object, as_text
from reconciler.core.normalise import list_key
from reconciler.core.properties import Property
from reconciler.manifest.document import Document, Pair
from reconciler.manifest.rules import finding
from reconciler.manifest.shape import Shape
from reconciler.manifest.variables import expanded
from reconciler.manifest.wording import described, listed, near, quoted, shown_path

DIRECTIVE = "$patch"
_ADD, _DELETE, _REPLACE = "add", "delete", "replace"
_MOST_NAMES = 5
# What says which group is meant; a patch changes none of it.
_IDENTITY: frozenset[WirePath] = frozenset(
    {("type",), ("apiVersion",), ("name",), ("reconcile", "resourceGroup")}
)


@dataclass(frozen=True, slots=True)
class _Side:
    """A value of one of the two documents, and where it stands there."""

    document: Document
    value: Json
    path: WirePath
    is_patch: bool = False

    def member(self, name: str | int) -> _Side:
        """The member or element of that name."""
        value: Json = None
        match self.value, name:
            case dict() as members, str():
                value = members[name]
            case list() as items, int():
                value = items[name]
        return replace(self, value=value, path=(*self.path, name))


@dataclass(frozen=True, slots=True)
class _Edit:
    """An element of a patch's list, and what is to be done with it."""

    side: _Side
    directive: str


def patched(
    base: Document, patch: Document, shape: Shape, variables: Mapping[str, str]
) -> tuple[Document | None, list[Finding]]:
    """`base` as `patch` wants it, None where it takes it away; and what is wrong with the patch.

    Both have been repaired; `shape` is that of the whole document.
    """
    merge = _Merge(variables)
    data = merge.root(_Side(base, base.data, ()), _Side(patch, patch.data, (), True), shape)
    if data is None:
        return None, merge.findings
    result = replace(base, data=data, values=merge.values, keys=merge.keys, files=merge.files)
    return result, merge.findings


class _Merge:
    """Builds the merged values, and beside them the position of each."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables
        self.findings: list[Finding] = []
        self.values: dict[WirePath, Pair] = {}
        self.keys: dict[WirePath, Pair] = {}
        self.files: dict[WirePath, str] = {}

    def root(self, base: _Side, patch: _Side, shape: Shape) -> JsonObject | None:
        """The whole document; None where it is taken away."""
        said = as_object(patch.value)
        if DIRECTIVE in said:
            if self._directive(patch, (_DELETE,)) == _DELETE:
                self._check_alone(patch, _rest_of_root(said))
                return None
            said = {name: item for name, item in said.items() if name != DIRECTIVE}
        elif not _rest_of_root(said):
            says = "expected something to change, got only which group is meant"
            self._say("M701", patch, says, "the members that differ, or '$patch: delete'")
        return self._mapping(base, replace(patch, value=said), shape, ())

    def _mapping(self, base: _Side, patch: _Side, shape: Shape, place: WirePath) -> JsonObject:
        """Two mappings, member by member."""
        old, new = as_object(base.value), as_object(patch.value)
        self._mark(base, place)
        dropped = _displaced(new, shape)
        result: JsonObject = {}
        for name in old:
            here = (*place, name)
            if name not in new or here in _IDENTITY:
                if name not in dropped:
                    result[name] = self._keep(base.member(name), here)
                continue
            child = shape.children.get(name, shape.any)
            found = self._member(base.member(name), patch.member(name), child, here)
            if found is not None:
                result[name] = found
        for name in new:
            here = (*place, name)
            if name not in old and name != DIRECTIVE and here not in _IDENTITY:
                child = shape.children.get(name, shape.any)
                found = self._new_member(patch.member(name), child, here)
                if found is not None:
                    result[name] = found
        return result

    def _member(self, base: _Side, patch: _Side, shape: Shape | None, place: WirePath) -> Json:
        """A member that both have; None where the patch takes it away."""
        if patch.value is None:
            return None
        if isinstance(patch.value, dict) and DIRECTIVE in patch.value:
            directive = self._directive(patch, (_DELETE, _REPLACE))
            rest = _without_directive(patch.value)
            if directive == _DELETE:
                self._check_alone(patch, rest)
                return None
            if directive == _REPLACE:
                return self._keep(replace(patch, value=rest), place)
        if shape is None or shape.is_secret:
            return self._keep(patch, place)  # a reference is one value, not members to mix
        if isinstance(base.value, dict) and isinstance(patch.value, dict):
            return self._mapping(base, patch, shape, place)
        row = shape.row
        if row is not None and row.key and isinstance(patch.value, list):
            return self._list(base, patch, shape, row, place)
        return self._keep(patch, place)

    def _new_member(self, patch: _Side, shape: Shape | None, place: WirePath) -> Json:
        """A member that only the patch has; None where there is nothing to take away."""
        value = patch.value
        is_removal = isinstance(value, dict) and value.get(DIRECTIVE) == _DELETE
        if value is None or is_removal:
            self._say_nothing_there(patch)
            return None
        row = shape.row if shape is not None else None
        if shape is not None and row is not None and row.key and isinstance(value, list):
            nothing = replace(patch, value=[])
            return self._list(nothing, patch, shape, row, place)
        return self._keep(patch, place)

    def _list(
        self, base: _Side, patch: _Side, shape: Shape, row: Property, place: WirePath
    ) -> list[Json]:
        """Two lists, element by element of the same name; what is added comes last."""
        given = patch.value if isinstance(patch.value, list) else []
        self._mark(base, place)
        if any(_is_marker(item) for item in given):
            kept = [i for i, item in enumerate(given) if not _is_marker(item)]
            self._mark(patch, place)
            return [self._keep(patch.member(i), (*place, n)) for n, i in enumerate(kept)]
        edits = self._edits(patch, given, row)
        result: list[Json] = []
        known: list[str] = []
        for index, item in enumerate(base.value if isinstance(base.value, list) else []):
            here, element = (*place, len(result)), base.member(index)
            key = self._key(item, row)
            known.append(key)
            edit = edits.pop(key, None)
            if edit is None:
                result.append(self._keep(element, here))
            elif (found := self._element(element, edit, shape, here)) is not None:
                result.append(found)
        for key, edit in edits.items():
            if edit.directive == _ADD:
                result.append(self._keep(edit.side, (*place, len(result))))
            elif edit.directive != "?":
                self._say_unknown(edit, row, key, known)
        return result

    def _edits(self, patch: _Side, given: Sequence[Json], row: Property) -> dict[str, _Edit]:
        """What a patch's list says, by the names of its elements."""
        edits: dict[str, _Edit] = {}
        for index, item in enumerate(given):
            side = patch.member(index)
            if not isinstance(item, dict) or row.key[0] not in item:
                got = described(item, secret=True)
                says = f"expected an element with {quoted(row.key[0])}, got {got}"
                self._say("M702", side, says)
                continue
            directive = ""
            if DIRECTIVE in item:
                # A directive that means nothing is told once; the element is left alone then.
                directive = self._directive(side, (_ADD, _DELETE, _REPLACE)) or "?"
                rest = _without_directive(item)
                if directive == _DELETE:
                    self._check_alone(side, {k: v for k, v in rest.items() if k not in row.key})
                side = replace(side, value=rest)
            key = self._key(item, row)
            if key in edits:
                says = f"expected each element once in a patch, got {quoted(key)} again"
                self._say("M702", side.member(row.key[0]), says)
                continue
            edits[key] = _Edit(side, directive)
        return edits

    def _element(self, base: _Side, edit: _Edit, shape: Shape, place: WirePath) -> Json:
        """An element that both have; None where the patch takes it away."""
        match edit.directive:
            case "delete":
                return None
            case "replace":
                return self._keep(edit.side, place)
            case "add":
                says = "expected an element to add that is not there yet, got one that is"
                self._say("M702", edit.side, says, "leaving out '$patch: add', to alter it")
                return self._keep(base, place)
            case "?":
                return self._keep(base, place)
        element = shape.any
        if element is None or not isinstance(base.value, dict):
            return self._keep(edit.side, place)
        return self._mapping(base, edit.side, element, place)

    def _key(self, item: Json, row: Property) -> str:
        members = {
            name: expanded(value, self.variables) if isinstance(value, str) else value
            for name, value in as_object(item).items()
            if name in row.key
        }
        return list_key(members, row)

    def _directive(self, patch: _Side, allowed: tuple[str, ...]) -> str:
        """What `$patch` says; empty where that means nothing here."""
        given = as_object(patch.value)[DIRECTIVE]
        if isinstance(given, str) and given in allowed:
            return given
        says = f"expected {listed(allowed)} here, got {described(given)}"
        self._say("M703", patch.member(DIRECTIVE), says)
        return ""

    def _check_alone(self, patch: _Side, rest: JsonObject) -> None:
        for name in rest:
            says = f"expected nothing beside '$patch: delete', got {quoted(name)}"
            self._say("M703", patch.member(name), says, at_key=True)

    def _keep(self, side: _Side, place: WirePath) -> Json:
        """A value as it is, with its positions. In what a patch brings nothing is merged."""
        self._mark(side, place)
        value = side.value
        if isinstance(value, list):
            return [self._keep(side.member(i), (*place, i)) for i in range(len(value))]
        if not isinstance(value, dict):
            return value
        result: JsonObject = {}
        for name in value:
            inner = side.member(name)
            if side.is_patch and name == DIRECTIVE:
                says = "expected no '$patch' inside something that is new as a whole, got one"
                self._say("M703", inner, says, "removing it", at_key=True)
            elif side.is_patch and inner.value is None:
                self._say_nothing_there(inner)
            else:
                result[name] = self._keep(inner, (*place, name))
        return result

    def _mark(self, side: _Side, place: WirePath) -> None:
        document, path = side.document, side.path
        for old, new in ((document.values, self.values), (document.keys, self.keys)):
            new.pop(place, None)
            if (pair := old.get(path)) is not None:
                new[place] = pair
        file = document.file if side.is_patch else document.files.get(path)
        self.files.pop(place, None)
        if file is not None:
            self.files[place] = file

    def _say_nothing_there(self, patch: _Side) -> None:
        says = "expected something to remove, got nothing of that name"
        self._say("M702", patch, says, at_key=True)

    def _say_unknown(self, edit: _Edit, row: Property, key: str, known: Sequence[str]) -> None:
        guess = near(key, known)
        verb = edit.directive or "alter"
        says = f"expected one of {quoted(row.path[-1])} to {verb}, got {quoted(key)}"
        says += f": did you mean {quoted(guess)}?" if guess else ""
        there = f"one of {listed(known[:_MOST_NAMES])}" if known and not guess else ""
        new = "'$patch: add' beside its name, if it is new" if verb == "alter" else ""
        hint = ", or ".join(text for text in (there, new) if text)
        self._say("M702", edit.side.member(row.key[0]), says, hint)

    def _say(
        self, rule: str, side: _Side, says: str, hint: str = "", *, at_key: bool = False
    ) -> None:
        document, path = side.document, side.path
        where = document.at_key(path) if at_key else document.at(path)
        self.findings.append(finding(rule, where, says, path=shown_path(path), hint=hint))


def _displaced(new: JsonObject, shape: Shape) -> frozenset[str]:
    """Members whose place another one takes: a variable has a value or a secret, never both."""
    found: set[str] = set()
    for name, child in shape.children.items():
        instead = child.row.instead if child.row is not None else ()
        if new.get(name) is not None:
            found.update(instead)
        if any(new.get(other) is not None for other in instead):
            found.add(name)
    return frozenset(found - new.keys())


def _is_marker(item: Json) -> bool:
    """`$patch: replace` alone: it speaks of the whole list."""
    return item == {DIRECTIVE: _REPLACE}


def _without_directive(value: JsonObject) -> JsonObject:
    return {name: item for name, item in value.items() if name != DIRECTIVE}


def _rest_of_root(said: JsonObject) -> JsonObject:
    """What a patch says besides which group it means."""
    rest: JsonObject = {}
    for name, item in said.items():
        inner = [n for n in as_object(item) if (name, n) not in _IDENTITY]
        says_where = name == "reconcile" and isinstance(item, dict) and not inner
        is_identity = (name,) in _IDENTITY or says_where
        if not is_identity and name != DIRECTIVE:
            rest[name] = item
    return rest


def name_of(document: Document, variables: Mapping[str, str]) -> str:
    """The name of what a document declares, or changes; empty where it has none."""
    return expanded(as_text(document.data.get("name")), variables)


def resource_group_of(document: Document, variables: Mapping[str, str]) -> str:
    """The resource group that the document itself states; empty where it states none."""
    stated = as_object(document.data.get("reconcile")).get("resourceGroup")
    return expanded(as_text(stated), variables)
