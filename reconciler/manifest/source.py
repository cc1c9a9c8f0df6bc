"""YAML with positions: bytes in, documents with a mark for every value and key out.

Values are built from the C parser's events, not from PyYAML's nodes: its composer recurses in C
and dies with the process on deep nesting, and keeping a node for every value keeps the garbage
collector busy. Marks are (line, column) pairs by wire path.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml
from yaml._yaml import CParser

from reconciler.core.finding import Finding, Mark, Position
from reconciler.core.jsonval import Json, JsonObject, WirePath
from reconciler.manifest import scalars
from reconciler.manifest.document import Document, Pair
from reconciler.manifest.rules import finding
from reconciler.manifest.wording import described, quoted, shown_path

_DEEPEST = 100
_MOST_COPIES = 10_000  # values that aliases of one file may add
_CORE = "tag:yaml.org,2002:"

# JSON writes a character beyond U+FFFF as two escapes; YAML knows each of them alone, and no half.
_BAD_ESCAPE = "found invalid Unicode character escape code"
_ESCAPE_HINT = "the character itself, or '\\U' and its eight digits, instead of a pair of '\\u'"

# PyYAML's stubs know neither the anchors nor the certain marks of these events.
Event: TypeAlias = Any


class _Stop(Exception):  # a way out, not an error
    """The rest of the file cannot be read."""

    def __init__(self, found: Finding) -> None:
        super().__init__(found.rule)
        self.found = found


def parse(
    file: str,
    raw: bytes,
    *,
    noun: str = "a manifest",
    keys: str = "'name' and 'properties'",
    items: str = "",
) -> tuple[tuple[Document, ...], tuple[Finding, ...]]:
    """The documents of one file, shown as `file`, and what is wrong with them. Total.

    `noun` and `keys` say what is expected where there is nothing, or no mapping. Where `items` is
    given, a list is taken as well: as the member of that name.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        where = _where(file, raw.count(b"\n", 0, exc.start) + 1, 1)
        kind = "UTF-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "other bytes"
        says = f"expected UTF-8, got {kind}"
        return (), (finding("M002", where, says, hint="saving the file as UTF-8"),)
    reader = _Reader(file, keys, items)
    try:
        reader.read(text)
    except _Stop as stop:
        reader.findings.append(stop.found)
    except yaml.YAMLError as exc:
        reader.findings.append(_syntax(file, text, exc))
    if not reader.documents and not reader.findings:
        says = f"expected {noun}, got an empty file"
        reader.findings.append(finding("M008", _where(file, 1, 1), says))
    return tuple(reader.documents), tuple(reader.findings)


def _where(file: str, line: int, column: int) -> Position:
    return Position(file=file, mark=Mark(line, column))


def _syntax(file: str, text: str, exc: yaml.YAMLError) -> Finding:
    mark = getattr(exc, "problem_mark", None) or getattr(exc, "context_mark", None)
    if mark is not None:
        where = _where(file, mark.line + 1, mark.column + 1)
    else:
        where = _offset(file, text, getattr(exc, "position", 0))
    problem = getattr(exc, "problem", None) or getattr(exc, "reason", None) or "unreadable text"
    # The problem is libyaml's fixed wording; the snippet, which may hold a secret, is left out.
    hint = _ESCAPE_HINT if problem == _BAD_ESCAPE else ""
    return finding("M003", where, f"expected YAML, got an error: {problem}", hint=hint)


def _offset(file: str, text: str, position: int) -> Position:
    """Where the UTF-8 byte at `position` stands; libyaml counts so when a character is wrong."""
    lines = text.encode("utf-8")[:position].decode("utf-8", "replace").split("\n")
    return _where(file, len(lines), len(lines[-1]) + 1)


@dataclass(slots=True)
class _Anchor:
    path: WirePath
    value: Json = None
    is_done: bool = False


class _Reader:
    """Builds the documents of one file, event by event."""

    def __init__(self, file: str, keys: str, items: str) -> None:
        self.file = file
        self.keys = keys
        self.items = items
        self.documents: list[Document] = []
        self.findings: list[Finding] = []
        self._copies = 0
        self._begin()

    def _begin(self) -> None:
        self._values: dict[WirePath, Pair] = {}
        self._keys: dict[WirePath, Pair] = {}
        self._dates: set[WirePath] = set()
        self._anchors: dict[str, _Anchor] = {}

    def read(self, text: str) -> None:
        parser: Any = CParser(text)
        self._next = parser.get_event
        while (event := self._next()) is not None:
            if isinstance(event, yaml.DocumentStartEvent):
                self._begin()
                self._document(self._node(self._next(), (), 0))

    def _document(self, data: Json) -> None:
        if data is None:
            return  # `---` before, between or after: nothing is said
        if self.items and isinstance(data, list):
            data = {self.items: data}
            self._values = {(self.items, *path): pair for path, pair in self._values.items()}
            self._keys = {(self.items, *path): pair for path, pair in self._keys.items()}
        if isinstance(data, dict):
            self.documents.append(
                Document(
                    file=self.file,
                    data=data,
                    values=self._values,
                    keys=self._keys,
                    dates=frozenset(self._dates),
                )
            )
        else:
            says = f"expected a mapping with {self.keys}, got {described(data)}"
            self._say("M007", self._values.get((), (1, 1)), (), says)

    def _say(self, rule: str, pair: Pair, path: WirePath, says: str, hint: str = "") -> None:
        where = _where(self.file, *pair)
        self.findings.append(finding(rule, where, says, path=shown_path(path), hint=hint))

    def _node(self, event: Event, path: WirePath, depth: int) -> Json:
        mark = event.start_mark
        pair = (mark.line + 1, mark.column + 1)
        self._values[path] = pair
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event, path, pair)
            if event.anchor:
                self._anchors[event.anchor] = _Anchor(path, value, is_done=True)
            return value
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path, pair)
        if depth >= _DEEPEST:
            raise _Stop(self._too_deep(pair))
        return self._collection(event, path, depth, pair)

    def _too_deep(self, pair: Pair) -> Finding:
        says = f"expected at most {_DEEPEST} levels of nesting, got more"
        return finding("M010", _where(self.file, *pair), says)

    def _collection(self, event: Event, path: WirePath, depth: int, pair: Pair) -> Json:
        anchor = None
        if event.anchor:
            anchor = self._anchors[event.anchor] = _Anchor(path)
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", _CORE + ("map" if is_mapping else "seq")):
            self._refuse_tag(path, pair)
        value: Json = self._mapping(path, depth) if is_mapping else self._sequence(path, depth)
        if anchor:
            anchor.value, anchor.is_done = value, True
        return value

    def _sequence(self, path: WirePath, depth: int) -> list[Json]:
        items: list[Json] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._node(event, (*path, len(items)), depth + 1))
        return items

    def _mapping(self, path: WirePath, depth: int) -> JsonObject:
        result: JsonObject = {}
        merges: list[tuple[WirePath, Json]] = []
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            mark = event.start_mark
            pair = (mark.line + 1, mark.column + 1)
            key = self._key(event, path, depth, pair)
            place = (*path, "?" if key is None else key)
            is_merge = key == "<<" and isinstance(event, yaml.ScalarEvent) and event.implicit[0]
            if key is None:
                self._node(self._next(), (*path, "?"), depth + 1)
                continue
            if key in result:
                self._say("M004", pair, place, f"expected each key once, got {quoted(key)} again")
                place = (*path, f"{key} (again)")
            else:
                self._keys[place] = pair
            value = self._node(self._next(), place, depth + 1)
            if is_merge:
                merges.append((place, value))
            elif place[-1] == key:
                result[key] = value
        for place, value in merges:
            self._merge(result, value, path, place)
        return result

    def _key(self, event: Event, path: WirePath, depth: int, pair: Pair) -> str | None:
        """The key; None for one that is no scalar."""
        if isinstance(event, yaml.ScalarEvent):
            place = (*path, event.value)
            value = self._scalar(event, place, pair)
            if event.anchor:
                self._anchors[event.anchor] = _Anchor(place, value, is_done=True)
        else:
            value = self._node(event, (*path, "?"), depth + 1)
        if isinstance(value, str):
            return value
        says = f"expected a string as key, got {described(value)}"
        self._say("M009", pair, path, says, "quoting it")
        return str(event.value) if isinstance(event, yaml.ScalarEvent) else None

    def _merge(self, result: JsonObject, value: Json, path: WirePath, place: WirePath) -> None:
        """Add what `<<` brings, as az does: keys written here win, then earlier mappings."""
        parts = value if isinstance(value, list) else [value]
        for index, part in enumerate(parts):
            origin = (*place, index) if isinstance(value, list) else place
            if not isinstance(part, dict):
                pair = self._values.get(origin, (1, 1))
                says = f"expected a mapping after '<<', got {described(part)}"
                self._say("M014", pair, path, says)
                continue
            for key, item in part.items():
                if key not in result:
                    here = (*path, key)
                    self._keys[here] = self._keys.get((*origin, key), (1, 1))
                    result[key] = self._copy(item, (*origin, key), here)

    def _alias(self, event: Event, path: WirePath, pair: Pair) -> Json:
        anchor = self._anchors.get(event.anchor)
        if anchor is None or not anchor.is_done:
            problem = "an alias without its anchor" if anchor is None else "an alias inside itself"
            # Its name is not shown: it may be the start of a secret that nobody quoted.
            says, where = f"expected a value, got {problem}", _where(self.file, *pair)
            hint = "quoting it, if it is text"
            raise _Stop(finding("M005", where, says, path=shown_path(path), hint=hint))
        value = self._copy(anchor.value, anchor.path, path)
        self._values[path] = pair
        return value

    def _copy(self, value: Json, old: WirePath, new: WirePath) -> Json:
        """`value` once more with the marks of its first place, so that nothing is shared."""
        self._copies += 1
        pair = self._values.get(old, (1, 1))
        if self._copies > _MOST_COPIES:
            says = f"expected aliases to add at most {_MOST_COPIES} values, got more"
            raise _Stop(finding("M005", _where(self.file, *pair), says))
        if len(new) > _DEEPEST:
            raise _Stop(self._too_deep(pair))
        self._values[new] = pair
        if old in self._dates:
            self._dates.add(new)
        if isinstance(value, list):
            return [self._copy(item, (*old, i), (*new, i)) for i, item in enumerate(value)]
        if isinstance(value, dict):
            for key in value:
                self._keys[(*new, key)] = self._keys.get((*old, key), pair)
            return {key: self._copy(item, (*old, key), (*new, key)) for key, item in value.items()}
        return value

    def _scalar(self, event: Event, path: WirePath, pair: Pair) -> Json:
        text: str = event.value
        tag: str | None = event.tag
        try:
            if tag is None:
                if not event.implicit[0]:
                    return text
                if scalars.is_date(text):
                    self._dates.add(path)
                return scalars.plain(text)
            if tag == "!":
                return text
            if tag in _SCALAR_TAGS:
                return scalars.tagged(tag.removeprefix(_CORE), text)
        except ValueError as exc:
            # The text itself is not shown: the place may hold a secret.
            self._say("M203", pair, path, f"expected {exc}", "quoting it, if it is text")
            return text
        self._refuse_tag(path, pair)
        return text

    def _refuse_tag(self, path: WirePath, pair: Pair) -> None:
        # Its name is not shown: it may be the start of a secret that nobody quoted.
        says = "expected no tag or one of the YAML core schema, got another"
        self._say("M006", pair, path, says, "removing the tag, or quoting what is text")


_SCALAR_TAGS = frozenset(_CORE + kind for kind in ("str", "null", "bool", "int", "float"))
