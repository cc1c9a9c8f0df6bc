"""A manifest that is there, brought to what is live: comments, order and references are kept.

Only here is ruamel.yaml known: it writes back what it did not change as it was read.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.emitter import Emitter
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString
from yaml import CSafeLoader, DocumentEndEvent, DocumentStartEvent
from yaml import parse as events

from reconciler.convert.writing import Written, comment_of
from reconciler.core.jsonval import Json, JsonObject, Path, as_list, as_object
from reconciler.core.normalise import element_names, filled, map_key
from reconciler.core.properties import Access, Node, tree
from reconciler.manifest.rendered import is_quoted
from reconciler.manifest.variables import expanded

_WIDEST = 10**6
_COMMENT = re.compile(r"\s*(#|$)")
_OPENS = re.compile(r":\s*(#.*)?$")  # a key whose value stands below
_AROUND = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*")
_BELOW = re.compile(r"(?<=\n)(?:[ \t]*\n|#[^\n]*(?:\n|\Z))+\Z")
_TOP = ("location", "identity", "zones", "properties")  # what a body holds, apart from its tags


class NotRewritten(Exception):
    """Why a file cannot be changed in place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One document of a file: the manifest at `index`, counted from 0, with its variables.

    What lies at an `ignored` canonical path is nobody's business.
    """

    text: str
    index: int
    variables: Mapping[str, str]
    ignored: tuple[Path, ...] = ()


def rewritten(target: Target, new: Written, *, drop_tags: frozenset[str] = frozenset()) -> str:
    """The file's text with that document saying what `new` says.

    A value that means the same stays as it is written, a reference to a secret stays. Tags that
    `new` has not got stay as well, apart from `drop_tags`, in lower case.

    Raises:
        NotRewritten: the file cannot be read.
    """
    before, middle, after = _cut(target.text, target.index)
    yaml = _round_trip()
    try:
        there = yaml.load(middle)
    except (YAMLError, ValueError) as exc:
        raise NotRewritten("it cannot be read so that it can be written back") from exc
    _indent_like(yaml, middle)
    as_read = _dumped(yaml, there)
    merge = _Merge(target)
    for name in _TOP:
        if name == "location" and name not in new.document:
            continue
        merge.member(there, name, new.document.get(name), tree().children[name], (name,))
    merge.tags(there, as_object(new.document.get("tags")), drop_tags)
    made = _dumped(yaml, there)
    return target.text if made == as_read else f"{before}{made}{after}"


def _dumped(yaml: YAML, document: Any) -> str:
    out = io.StringIO()
    yaml.dump(document, out)
    return out.getvalue()


def _cut(text: str, index: int) -> tuple[str, str, str]:
    """One document with what stands around it in the file, comments above and below included.

    Only what has to be read is: ruamel.yaml forgets comments around the lines that part documents.
    """
    starts: list[int] = []
    ends: list[int] = []
    lines = text.splitlines(keepends=True)
    offsets = [0, *accumulate(len(line) for line in lines)]
    for event in events(text, Loader=CSafeLoader):
        if isinstance(event, DocumentStartEvent):
            mark = event.end_mark if event.explicit else event.start_mark
            starts.append(_offset(offsets, mark))
        elif isinstance(event, DocumentEndEvent):
            ends.append(_offset(offsets, event.start_mark))
    inside = text[starts[index] : ends[index]]
    head, tail = _AROUND.match(inside), _BELOW.search(inside)
    first = head.end() if head else 0
    last = tail.start() if tail else len(inside)
    start, end = starts[index] + first, starts[index] + last
    return text[:start], text[start:end], text[end:]


def _offset(offsets: Sequence[int], mark: Any) -> int:
    """Where a mark stands in the text: libyaml counts its index in other units."""
    return offsets[int(mark.line)] + int(mark.column)


class _Emitter(Emitter):
    """Keeps ids of identities, as keys, on their line: `? ` is what few have seen."""

    MAX_SIMPLE_KEY_LENGTH = 1000  # YAML reads 1024


def _round_trip() -> YAML:
    yaml = YAML(typ="rt", pure=True)
    yaml.Emitter = _Emitter
    yaml.preserve_quotes = True
    yaml.width = _WIDEST
    yaml.allow_duplicate_keys = False
    return yaml


def _indent_like(yaml: YAML, text: str) -> None:
    """Write lists as the file does: its dashes below their key, or inside."""
    lines = [line for line in text.splitlines() if not _COMMENT.match(line)]
    for above, line in pairwise(lines):
        if line.lstrip().startswith("- ") and _OPENS.search(above):
            if len(line) - len(line.lstrip()) > len(above) - len(above.lstrip(" -")):
                yaml.indent(mapping=2, sequence=4, offset=2)
            return


class _Merge:
    """Walks a document and what it should say, by the property table."""

    def __init__(self, target: Target) -> None:
        self._variables = target.variables
        self._ignored = target.ignored

    def tags(self, there: Any, new: JsonObject, dropped: frozenset[str]) -> None:
        """Set the tags that differ."""
        old = there.get("tags")
        if old is None:
            if new:
                there["tags"] = _fresh(new, ("tags",))
            return
        for key in [key for key in old if str(key).lower() in dropped]:
            del old[key]
        spelt = {str(key).lower(): key for key in old}
        for key, value in new.items():
            at = spelt.get(key.lower(), key)
            if self._plain(old.get(at)) != self._plain(value):
                old[at] = _fresh(value, ("tags", key))

    def member(self, there: Any, name: str, new: Json, node: Node, path: Path) -> None:
        """Bring one member of a mapping to `new`, None for nothing to say."""
        if path in self._ignored:
            return
        spelt = _spelt(there, name)
        old = there.get(spelt)
        is_secret = node.row is not None and node.row.access is Access.WRITE_ONLY
        if spelt not in there:
            if new is not None:
                _insert(there, name, new, path)
        elif is_secret or self._means(old, node) == self._means(new, node):
            return
        elif isinstance(old, CommentedMap) and isinstance(new, dict) and not node.is_open:
            self.mapping(old, new, node, path)
        elif isinstance(old, CommentedSeq) and isinstance(new, list) and _is_keyed(node):
            self.elements(old, new, node, path)
        elif new is None:
            del there[spelt]
        else:
            there[spelt] = _fresh(new, path)

    def mapping(self, old: CommentedMap, new: JsonObject, node: Node, path: Path) -> None:
        """Bring each member to what is new."""
        if node.any is not None:
            self._keys(old, new, node, path)
            return
        names = [*new, *(str(key) for key in old if _table_name(str(key), node) not in new)]
        for key in names:
            name = key if key in new else _table_name(key, node)
            child = node.children.get(name)
            if child is None:
                continue
            if name not in new and _is_replaced(child, new):
                del old[key]  # a plain value stands in the place of the secret
                continue
            self.member(old, name, new.get(name), child, (*path, name))

    def _keys(self, old: CommentedMap, new: JsonObject, node: Node, path: Path) -> None:
        """Bring a map, whose keys are data, to what is new: each key says something by itself."""
        assert node.any is not None
        spelt = {map_key(str(key), node): str(key) for key in old}
        wanted = {map_key(key, node): key for key in new}
        for name, key in spelt.items():
            if name not in wanted:
                del old[key]
        for name, key in wanted.items():
            if name not in spelt:
                _insert(old, key, new[key], (*path, name))
            elif self._means(old[spelt[name]], node.any) != self._means(new[key], node.any):
                old[spelt[name]] = _fresh(new[key], (*path, name))

    def elements(self, old: CommentedSeq, new: list[Json], node: Node, path: Path) -> None:
        """Bring a list whose elements have names to what is new: what is there keeps its place."""
        assert node.row is not None
        assert node.any is not None
        resolved = as_list(self._plain(old))
        before = dict(zip(element_names(resolved, node.row), list(old), strict=True))
        names = element_names(new, node.row)
        for name, one in before.items():
            if name not in names and (*path, name) not in self._ignored:
                del old[next(i for i, item in enumerate(old) if item is one)]
        for name, item in zip(names, new, strict=True):
            at = (*path, name)
            if at in self._ignored:
                continue
            if name not in before:
                before[name] = _fresh(item, at)
                old.append(before[name])
            elif isinstance(before[name], CommentedMap):
                self.mapping(before[name], as_object(item), node.any, at)
        if node.row.ordered:
            _sort(old, [before.get(name) for name in names])

    def _means(self, value: Any, node: Node) -> Json:
        """What a value comes to, as far as Azure ever shows it."""
        return filled(self._plain(value), node)

    def _plain(self, value: Any) -> Json:
        """A value without comments, its variables put in."""
        if isinstance(value, dict):
            return {str(key): self._plain(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._plain(item) for item in value]
        if isinstance(value, str):
            return expanded(str(value), self._variables)
        if isinstance(value, bool) or value is None:
            return value
        return int(value) if isinstance(value, int) else float(value)


def _sort(elements: CommentedSeq, wanted: list[Any]) -> None:
    """Bring elements into an order; those it does not hold come last."""
    place = {id(one): i for i, one in enumerate(wanted)}
    order = [id(one) for one in elements]
    if order != sorted(order, key=lambda one: place.get(one, len(wanted))):
        elements.sort(key=lambda item: place.get(id(item), len(wanted)))


def _is_keyed(node: Node) -> bool:
    return node.row is not None and bool(node.row.key) and node.any is not None


def _is_replaced(child: Node, new: JsonObject) -> bool:
    row = child.row
    return (
        row is not None
        and row.access is Access.WRITE_ONLY
        and any(name in new for name in row.instead)
    )


def _spelt(there: Any, name: str) -> str:
    """The key of a member as the file writes it: Azure takes it in any case."""
    if name in there:
        return name
    return next((str(key) for key in there if str(key).lower() == name.lower()), name)


def _table_name(key: str, node: Node) -> str:
    """The member that a key of the file stands for."""
    if key in node.children:
        return key
    return next((name for name in node.children if name.lower() == key.lower()), key)


def _insert(there: Any, name: str, value: Json, path: Path) -> None:
    there[name] = _fresh(value, path)
    if comment := comment_of(value, path):
        there.yaml_add_eol_comment(comment, key=name)


def _fresh(value: Json, path: Path) -> Any:
    """A new value as the round trip writes it, with the comments of what is unknown."""
    if isinstance(value, dict):
        result = CommentedMap()
        for name, item in value.items():
            _insert(result, name, item, (*path, name))
        if value == {"unknown": True}:
            result.fa.set_flow_style()
        return result
    if isinstance(value, list):
        return CommentedSeq(_fresh(item, path) for item in value)
    if isinstance(value, str) and is_quoted(value):
        return DoubleQuotedScalarString(value)
    return value
