"""What cannot be carried from one form into another, as values that stand in its place."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.core.finding import Position
from reconciler.core.jsonval import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One thing that was not carried as it is: where it stands, what it is, what to do.

    `path` is its place in the manifest, empty where it has none there.
    """

    where: Position
    path: str
    says: str
    hint: str = ""
    group: str = ""

    def __str__(self) -> str:
        subject = f"{self.path}: " if self.path else ""
        text = f"{self.where}: {subject}{self.says}"
        return f"{text}; {self.hint}" if self.hint else text


@dataclass(frozen=True, slots=True)
class Unresolved:
    """The value of an expression that only a deployment knows.

    `text` is the expression as written, `reason` why it has no value here. A secret one has a
    `reference` where the manifest language can name it.
    """

    reason: str
    text: str = ""
    is_secret: bool = False
    reference: JsonObject | None = field(default=None, hash=False)
    hint: str = ""
    variable: str = ""


@dataclass(frozen=True, slots=True)
class Open:
    """A text with parameters in it that nobody gave: texts and `Blank`s in order."""

    parts: tuple[str | Blank, ...]


@dataclass(frozen=True, slots=True)
class Blank:
    """A parameter of type string without a value."""

    name: str
