"""Which lines of a log are new, where each look shows all of it, or only its end.

Azure knows no "since": a look is answered with the last lines of what a container has printed
(azure-facts A.8). Asked for timestamps it puts the time before each line, which tells lines of the
same words apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.core.moments import moment_in

_STAMP = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)(?= |$)", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Look:
    """The lines of one look; `rest` is the beginning of a line that is not over yet."""

    lines: tuple[str, ...] = ()
    rest: str = ""


def look_of(content: str) -> Look:
    """The lines of what Azure shows, without their breaks."""
    *lines, rest = content.split("\n")
    return Look(tuple(lines), rest)


def fresh(known: Sequence[str], now: Sequence[str]) -> tuple[str, ...] | None:
    """The lines of `now` that follow the last of `known`; None where the two do not meet.

    Both are stretches of one log, and each may begin later than the other. They meet where the end
    of `known` stands in `now`, as far back as both go. Where lines repeat so that there are several
    such places, it is the one with most in common, and of these the first: no line is lost then.
    """
    if not known:
        return tuple(now)
    best, at = 0, -1
    for end, common in enumerate(_common_ends(known, now), start=1):
        if common >= min(len(known), end) and common > best:
            best, at = common, end
    return None if at < 0 else tuple(now[at:])


def _common_ends(known: Sequence[str], now: Sequence[str]) -> list[int]:
    """For each beginning of `now`, how many lines its end has in common with that of `known`."""
    # The Z-function of both, read backwards, with a line between that is equal to none.
    text: list[str | None] = [*reversed(known), None, *reversed(now)]
    size = len(text)
    common = [0] * size
    left = right = 0
    for index in range(1, size):
        length = min(right - index, common[index - left]) if index < right else 0
        while index + length < size and text[length] == text[index + length]:
            length += 1
        common[index] = length
        if index + length > right:
            left, right = index, index + length
    return common[len(known) + 1 :][::-1]


def stamp_of(line: str) -> datetime | None:
    """The time in front of a line, None where there is none."""
    found = _STAMP.match(line)
    return None if found is None else moment_in(found.group())


def bare(line: str) -> str:
    """The line without the time in front of it."""
    found = _STAMP.match(line)
    return line if found is None else line[found.end() + 1 :]


def is_stamped(lines: Iterable[str]) -> bool:
    """Whether every line has its time, so that no two of them are alike by chance."""
    return all(_STAMP.match(line) for line in lines)


def since(lines: Sequence[str], start: datetime) -> tuple[str, ...]:
    """The lines from the first on that was printed at `start` or later."""
    for index, line in enumerate(lines):
        at = stamp_of(line)
        if at is not None and at >= start:
            return tuple(lines[index:])
    return ()
