"""From a text to its layout.

Values are read from libyaml's events; between the places that these name, the text is walked
through by hand, since the events know neither comments nor blank lines.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import yaml
from yaml._yaml import CParser

from reconciler.manifest.formatting.layout import Entry, Kind, Node, Page, Remark

# PyYAML's stubs do not know the certain marks of these events.
Event: TypeAlias = Any

_CORE = "tag:yaml.org,2002:"
_END_OF_NAME = frozenset(" \t\n,[]{}")


def pages(text: str) -> list[Page]:
    """The documents of a text that the loader takes, whose lines end in LF alone.

    Raises:
        yaml.YAMLError: it is no YAML.
    """
    return _Walker(text).pages()


class _Walker:
    """Goes through a text once, beside libyaml."""

    def __init__(self, text: str) -> None:
        parser: Any = CParser(text)
        self._next = parser.get_event
        self._text = text if text.endswith("\n") else f"{text}\n"
        self._at = 0  # all before it has been taken
        self._ahead: list[Remark] = []  # read already, and about the entry that comes
        self._closed: list[tuple[int, Node]] = []  # since the last entry, the innermost first
        self._content = 0  # up to here a blank line belongs to a block scalar
        self._is_parted = False  # a blank line stands before what follows

    def pages(self) -> list[Page]:
        found: list[Page] = []
        while (event := self._next()) is not None:
            if isinstance(event, yaml.DocumentStartEvent):
                found.append(self._page(event))
        if found:
            found[-1].below += self._gap()
        return found

    def _page(self, start: Event) -> Page:
        page = Page(is_marked=bool(start.explicit), opening=self._gap())
        while self._sees("%"):
            page.directives.append(self._rest())
            page.opening += self._gap()
        if page.is_marked:
            self._at += len("---")
            page.beside = self._trailing()
            page.above = self._gap()
        else:
            page.above, page.opening = page.opening, []
        page.is_parted = self._is_parted
        event = self._next()
        if not _is_nothing(event):
            page.root = self._value(event)
            if page.root.is_flow:
                page.root.beside = self._trailing()
        page.below = self._lead(self._gap(), -1)
        if self._next().explicit:
            self._at += len("...")
            page.is_closed, page.closing = True, self._trailing()
        return page

    # Values

    def _value(self, event: Event) -> Node:
        properties = self._properties(event)
        if any(properties) and not _is_empty(event):
            self._ahead += self._gap()
        return self._content_of(event, properties)

    def _properties(self, event: Event) -> tuple[str, str]:
        """The anchor and the tag, which stand before a value in either order."""
        if isinstance(event, yaml.AliasEvent):
            return "", ""
        for index in range((event.anchor is not None) + (event.tag is not None)):
            if index:
                self._ahead += self._gap()
            self._at = self._end_of_property()
        tag = event.tag or ""
        short = f"!!{tag.removeprefix(_CORE)}" if tag.startswith(_CORE) else tag
        return (f"&{event.anchor}" if event.anchor else ""), short

    def _end_of_property(self) -> int:
        if self._text.startswith("!<", self._at):
            return self._text.index(">", self._at) + 1
        end = self._at
        while self._text[end] not in _END_OF_NAME:
            end += 1
        return end

    def _content_of(self, event: Event, properties: tuple[str, str]) -> Node:
        first = self._at
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event)
        elif isinstance(event, yaml.AliasEvent):
            end: Event = event.end_mark
            self._at = end.index
            node = Node(Kind.ALIAS, source=self._text[first : self._at])
        else:
            is_mapping = isinstance(event, yaml.MappingStartEvent)
            node = Node(Kind.MAPPING if is_mapping else Kind.SEQUENCE)
            node.is_flow = bool(event.flow_style)
            self._flow(node) if node.is_flow else self._block(node)
        node.anchor, node.tag = properties
        node.span = (first, self._at)
        node.is_one_line = "\n" not in self._text[first : self._at]
        return node

    def _scalar(self, event: Event) -> Node:
        style: str = event.style or ""
        if _is_empty(event):
            return Node(Kind.SCALAR)
        if style and style in "|>":
            return self._block_scalar(event, style)
        first, self._at = self._at, event.end_mark.index
        return Node(Kind.SCALAR, self._text[first : self._at], event.value, style)

    def _block_scalar(self, event: Event, style: str) -> Node:
        """Its `source` is the header and the lines below it, without their indentation."""
        header, _, comment = self._rest().partition("#")
        self._at += 1
        told = next((line for line in event.value.split("\n") if line.strip(" ")), None)
        base = -1
        lines: list[str] = []
        while self._at < len(self._text):
            end = self._text.index("\n", self._at)
            line = self._text[self._at : end]
            if line.strip(" "):
                if base < 0 and told is not None:
                    base = _depth(line) - _depth(told)
                if base < 0 or _depth(line) < base:
                    break
            lines.append(line)
            self._at = end + 1
        while "+" not in header and lines and len(lines[-1]) <= base and not lines[-1].strip(" "):
            self._at -= len(lines.pop()) + 1
        if base < 0 and "+" not in header:
            self._at -= sum(len(line) + 1 for line in lines)
            lines = []
        self._content = self._at
        body = [line[max(base, 0) :] for line in lines]
        node = Node(Kind.SCALAR, "\n".join([header.rstrip(), *body]), event.value, style)
        node.beside = f"#{comment}".rstrip() if comment else ""
        return node

    # Block style

    def _block(self, node: Node) -> None:
        is_mapping = node.kind is Kind.MAPPING
        end = yaml.MappingEndEvent if is_mapping else yaml.SequenceEndEvent
        columns: list[int] = []
        while not isinstance(event := self._next(), end):
            remarks = self._taken_ahead() + self._gap()
            is_parted = self._is_parted
            columns.append(self._column())
            above = self._lead(remarks, columns[-1])
            entry = self._pair(event) if is_mapping else self._item(event)
            entry.above = above + entry.above
            entry.is_parted = is_parted
            node.entries.append(entry)
        self._closed.append((columns[0], node))

    def _lead(self, remarks: list[Remark], column: int) -> list[Remark]:
        """Those of `remarks` that are about what starts at `column`.

        The others, further to the right, end the collections above it.
        """
        above: list[Remark] = []
        closed, self._closed = self._closed, []
        for remark in remarks:
            if above or not closed or remark.column <= column:
                above.append(remark)
                continue
            while len(closed) > 1 and closed[0][0] > remark.column:
                closed.pop(0)
            closed[0][1].below.append(remark)
        return above

    def _pair(self, event: Event) -> Entry:
        above: list[Remark] = []
        is_explicit = self._takes_question_mark()
        if is_explicit:
            above += self._gap()
        key = self._value(event)
        above += self._taken_ahead()
        following = self._next()
        if is_explicit:
            above += self._gap()
        else:
            self._blanks()
        if self._sees(":"):
            self._at += 1
        entry = self._after_sign(following)
        entry.key = key
        entry.above = above + entry.above
        return entry

    def _takes_question_mark(self) -> bool:
        sees = self._sees("?") and self._text[self._at + 1] in " \t\n"
        self._at += sees
        return sees

    def _item(self, event: Event) -> Entry:
        self._at += len("-")
        return self._after_sign(event)

    def _after_sign(self, event: Event) -> Entry:
        """What follows the `:` of a pair or the `-` of an item."""
        if _is_nothing(event):
            return Entry(Node(Kind.SCALAR, beside=self._trailing()))
        beside = self._trailing()
        remarks = self._gap()
        properties = self._properties(event)
        if isinstance(event, yaml.CollectionStartEvent) and not event.flow_style:
            beside = beside or self._trailing()
            self._ahead += remarks + self._gap()
            return Entry(self._content_of(event, properties), beside=beside)
        if any(properties) and not _is_empty(event):
            remarks += self._taken_ahead() + self._gap()
        value = self._content_of(event, properties)
        value.beside = value.beside or self._trailing()
        return Entry(value, above=[Remark(beside), *remarks] if beside else remarks)

    # Flow style

    def _flow(self, node: Node) -> None:
        is_mapping = node.kind is Kind.MAPPING
        end = yaml.MappingEndEvent if is_mapping else yaml.SequenceEndEvent
        is_bare = is_mapping and not self._sees("{")  # `[name: value]`: a mapping without braces
        self._at += not is_bare
        while not isinstance(event := self._next(), end):
            above = self._taken_ahead() + ([] if is_bare else self._gap())
            entry = self._flow_pair(event) if is_mapping else Entry(self._value(event))
            entry.above = above + self._taken_ahead() + entry.above
            node.entries.append(entry)
            if not is_bare:
                self._comma(entry)
        if not is_bare:
            node.below = self._taken_ahead() + self._gap()
            self._at += 1

    def _flow_pair(self, event: Event) -> Entry:
        above = self._gap() if self._takes_question_mark() else []
        key = self._value(event)
        above += self._gap()
        following = self._next()
        if self._sees(":"):
            self._at += 1
            above += self._gap()
        return Entry(self._value(following), key, above)

    def _comma(self, entry: Entry) -> None:
        """Take the comma after an entry, and the comment that stands beside it."""
        entry.value.beside = entry.value.beside or self._trailing()
        remarks = self._gap()
        if self._sees(","):
            self._at += 1
            entry.value.beside = entry.value.beside or self._trailing()
        self._ahead = remarks

    # Between values

    def _gap(self) -> list[Remark]:
        """Take blanks and comments; the comments."""
        found: list[Remark] = []
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == "#":
                column, is_alone = self._column(), not self._before().strip()
                is_parted = is_alone and self._has_blank_line_above()
                found.append(Remark(self._rest(), column, is_alone, is_parted))
            elif char in " \t\n":
                self._at += 1
            else:
                break
        self._is_parted = self._has_blank_line_above()
        return found

    def _taken_ahead(self) -> list[Remark]:
        ahead, self._ahead = self._ahead, []
        return ahead

    def _trailing(self) -> str:
        """Take the comment on the rest of this line, which something stands on."""
        at = self._at
        while self._text.startswith((" ", "\t"), at):
            at += 1
        if at == self._at or not self._before().strip() or not self._text.startswith("#", at):
            return ""
        self._at = at
        return self._rest()

    def _rest(self) -> str:
        """Take the rest of the line, not its break."""
        first, self._at = self._at, self._text.index("\n", self._at)
        return self._text[first : self._at].rstrip()

    def _blanks(self) -> None:
        while self._text.startswith((" ", "\t"), self._at):
            self._at += 1

    def _sees(self, char: str) -> bool:
        return self._text.startswith(char, self._at)

    def _start(self) -> int:
        """Where this line starts."""
        return self._text.rfind("\n", 0, self._at) + 1

    def _before(self) -> str:
        return self._text[self._start() : self._at]

    def _column(self) -> int:
        return self._at - self._start()

    def _has_blank_line_above(self) -> bool:
        end = self._start() - 1
        first = self._text.rfind("\n", 0, max(end, 0)) + 1
        return end >= 0 and first >= self._content and not self._text[first:end].strip()


def _is_empty(event: Event) -> bool:
    """A scalar of which nothing is written but, perhaps, its anchor and tag."""
    return isinstance(event, yaml.ScalarEvent) and not event.value and not event.style


def _is_nothing(event: Event) -> bool:
    return _is_empty(event) and event.anchor is None and event.tag is None


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
