"""Lines of styled text for people: made harmless, wrapped between words, coloured or not.

Every piece of text passes `safe` here, whoever wrote it. A word longer than the line overflows: a
name or an address that is cut in two is a wrong name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import TypeAlias

Span: TypeAlias = tuple[str, str]  # text and the name of its style, "" for none

# Names of styles as `rich` spells them; the eight colours that every terminal has and themes adapt.
_STYLES = {
    "name": "bold",
    "dim": "dim",
    "good": "green",
    "change": "yellow",
    "tags": "cyan",
    "bad": "red",
    "replace": "bold magenta",
    "loud": "bold red",
    "alarm": "bold white on red",
    "old": "red",
    "new": "green",
}
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line before wrapping; what is wrapped goes on at column `hang`, None: never wrapped."""

    spans: tuple[Span, ...]
    hang: int | None = 0


def line(*spans: str | Span, hang: int | None = 0) -> Line:
    """A line of spans, each safe to print; plain text has no style."""
    styled = ((span, "") if isinstance(span, str) else span for span in spans)
    return Line(tuple((safe(text), style) for text, style in styled if text), hang)


def safe(text: str) -> str:
    """`text` with everything that could steer a terminal or hide in it written as an escape."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return _SHORT.get(char, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def cells(text: str) -> int:
    """How many columns `text` takes on a terminal; East Asian letters and emoji take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def render(lines: Iterable[Line], *, color: bool, width: int) -> str:
    """The lines as text that ends in one newline; without `color` there is no escape in it."""
    paint = _painted if color else _plain
    wrapped = (piece for one in lines for piece in _wrapped(one, width))
    return "".join(_joined(spans, paint) + "\n" for spans in wrapped)


def _joined(spans: list[Span], paint: Callable[[str, str], str]) -> str:
    while spans and not spans[-1][0].rstrip(" "):
        spans = spans[:-1]
    if spans:
        text, style = spans[-1]
        spans = [*spans[:-1], (text.rstrip(" "), style)]
    runs = groupby(spans, key=itemgetter(1))
    return "".join(paint("".join(text for text, _ in run), style) for style, run in runs)


def _plain(text: str, _style: str) -> str:
    return text


def _painted(text: str, style: str) -> str:
    if not style or not text.strip():
        return text
    before, after = _codes(style)
    return f"{before}{text}{after}"


@cache
def _codes(style: str) -> tuple[str, str]:
    from rich.color import ColorSystem
    from rich.style import Style

    painted = Style.parse(_STYLES[style]).render("\0", color_system=ColorSystem.STANDARD)
    before, _, after = painted.partition("\0")
    return before, after


def _wrapped(one: Line, width: int) -> Iterator[list[Span]]:
    hang = one.hang
    if hang is None or sum(cells(text) for text, _ in one.spans) <= width:
        yield list(one.spans)
        return
    current: list[Span] = []
    column = 0
    for word in _words(one.spans):
        size = sum(cells(text) for text, _ in word)
        bare = sum(cells(text) for text, _ in _unled(word))
        # At the hang already, a word gains nothing by another line.
        if current and column + size - bare > hang and column + size > width:
            yield current
            current, column = [(" " * hang, ""), *_unled(word)], hang + bare
        else:
            current, column = [*current, *word], column + size
    yield current


def _words(spans: Iterable[Span]) -> Iterator[list[Span]]:
    """Words with the blanks before them; a word may run through several spans."""
    word: list[Span] = []
    for text, style in spans:
        for is_blank, run in groupby(text, key=lambda char: char == " "):
            if is_blank and any(part.strip(" ") for part, _ in word):
                yield word
                word = []
            word.append(("".join(run), style))
    yield word


def _unled(word: list[Span]) -> list[Span]:
    return [span for span in word if span[0].strip(" ")]
