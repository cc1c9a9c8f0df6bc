"""A YAML file as its author laid it out: what stands where, each comment beside what it is about.

A scalar keeps the very characters it was written with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum


class Kind(Enum):
    """What a node is."""

    SCALAR = "scalar"
    ALIAS = "alias"
    MAPPING = "mapping"
    SEQUENCE = "sequence"


@dataclass(slots=True)
class Remark:
    """A comment; `column` is where it stood, from 0."""

    text: str
    column: int = 0
    is_alone: bool = True  # nothing but blanks before it on its line
    is_parted: bool = False  # a blank line before it


@dataclass(slots=True)
class Node:
    """A value. `source` is a scalar's or an alias's own text, with its quotes."""

    kind: Kind
    source: str = ""
    value: str = ""
    style: str = ""  # of a scalar: none, ', ", | or >
    anchor: str = ""
    tag: str = ""
    entries: list[Entry] = field(default_factory=list)
    below: list[Remark] = field(default_factory=list)  # after its last entry
    beside: str = ""  # at its end, on the same line
    is_flow: bool = False
    span: tuple[int, int] = (0, 0)  # where in the text; a block collection's end is not exact
    is_one_line: bool = True

    @property
    def is_collection(self) -> bool:
        """Whether it has entries."""
        return self.kind in (Kind.MAPPING, Kind.SEQUENCE)

    @property
    def is_commented(self) -> bool:
        """Whether a comment stands inside."""
        return bool(self.below) or any(
            entry.above or entry.value.beside or entry.value.is_commented for entry in self.entries
        )

    def nodes(self) -> Iterator[Node]:
        """It and all below it, as they were written one after the other."""
        yield self
        for entry in self.entries:
            if entry.key is not None:
                yield entry.key
            yield from entry.value.nodes()


@dataclass(slots=True)
class Entry:
    """An item of a sequence, or a key and its value."""

    value: Node
    key: Node | None = None
    above: list[Remark] = field(default_factory=list)
    beside: str = ""  # on the line of the key or the dash, where the value starts below it
    is_parted: bool = False  # a blank line before it


@dataclass(slots=True)
class Page:
    """One document of a file; `root` is None where it says nothing."""

    root: Node | None = None
    directives: list[str] = field(default_factory=list)  # %YAML and %TAG, as they are
    opening: list[Remark] = field(default_factory=list)  # before `---`
    is_marked: bool = False  # `---` stands before it
    beside: str = ""  # the comment after `---`
    above: list[Remark] = field(default_factory=list)  # about the document, or its first entry
    is_parted: bool = False  # a blank line after these
    below: list[Remark] = field(default_factory=list)
    is_closed: bool = False  # `...` stands after it
    closing: str = ""  # the comment after `...`
