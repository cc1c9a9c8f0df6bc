"""`# aci-reconcile: ignore[M801] reason`: comments that silence rules, found as YAML finds them.

A comment beside a value is about its line; one alone on a line is about the next line that says
something.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml
from yaml._yaml import CParser

from reconciler.core.finding import Finding, Mark, Position
from reconciler.manifest.rules import RULES, finding
from reconciler.manifest.wording import near, quoted

_WORD = b"aci-reconcile:"
_COMMENT = re.compile(r"#\s*aci-reconcile:\s*ignore\b\s*(?:\[([^\]]*)\])?\s*(.*?)\s*\Z")
_HASH = re.compile(r"(?:(?<=\s)|^)#")
_LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")  # as libyaml counts lines
_FORM = "'# aci-reconcile: ignore[ID] reason'"

_Place: TypeAlias = tuple[int, int]  # line and column, from 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """One comment: the line it is about, and the rules that are not heard there."""

    where: Position
    line: int
    rules: tuple[str, ...]


def silences_in(file: str, raw: bytes) -> tuple[list[Silence], list[Finding]]:
    """The comments of one file, shown as `file`, and what is wrong with them. Total."""
    if _WORD not in raw:
        return [], []
    lines = _LINE_END.split(raw.decode("utf-8-sig", "replace"))
    texts = _Texts("\n".join(lines))
    found: list[Silence] = []
    findings: list[Finding] = []
    for number, line in enumerate(lines):
        start = _comment_start(line, number, texts)
        if start is None or not (match := _COMMENT.search(line, start)):
            continue
        where = Position(file=file, mark=Mark(number + 1, match.start() + 1))
        target = number if line[:start].strip() else _next_line(lines, number)
        rules, problems = _rules(match, where)
        findings += problems
        if rules:
            found.append(Silence(where=where, line=target + 1, rules=rules))
    return found, findings


def _rules(match: re.Match[str], where: Position) -> tuple[tuple[str, ...], list[Finding]]:
    names = [name.strip() for name in (match[1] or "").split(",") if name.strip()]
    findings = []
    if not names:
        says = "expected the rules to silence in brackets, got none"
        findings.append(finding("M903", where, says, hint=_FORM))
    elif not match[2]:
        says = "expected a reason after the brackets, got none"
        findings.append(finding("M901", where, says, hint=_FORM))
    rules = []
    for name in names:
        if problem := _problem(name):
            findings.append(finding("M903", where, problem))
        else:
            rules.append(name)
    return tuple(rules), findings


def _problem(name: str) -> str:
    """Why a comment cannot silence a rule; empty where it can."""
    rule = RULES.get(name)
    if rule is None:
        guess = near(name, RULES)
        more = f": did you mean {quoted(guess)}?" if guess else ""
        return f"expected the id of a rule, got {quoted(name)}{more}"
    if rule.is_firm:
        return f"expected a rule that can be silenced, got {quoted(name)}, which is always an error"
    if name.startswith("M9"):
        return f"expected a rule about what a manifest says, got {quoted(name)}"
    return ""


def _comment_start(line: str, number: int, texts: _Texts) -> int | None:
    """Where a line's comment begins: the first `#` that is in no scalar."""
    if "aci-reconcile:" not in line:
        return None
    for match in _HASH.finditer(line):
        if not texts.hold((number, match.start())):
            return match.start()
    return None


def _next_line(lines: Sequence[str], number: int) -> int:
    for later in range(number + 1, len(lines)):
        text = lines[later].strip()
        if text and not text.startswith("#"):
            return later
    return number


class _Texts:
    """Where the scalars of a file stand: a `#` in one of them begins no comment."""

    def __init__(self, text: str) -> None:
        self._starts: list[_Place] = []
        self._ends: list[_Place] = []
        for start, end in _spans(text):
            self._starts.append(start)
            self._ends.append(end)

    def hold(self, place: _Place) -> bool:
        """Whether a scalar goes over `place`."""
        index = bisect_right(self._starts, place) - 1
        return index >= 0 and place < self._ends[index]


def _spans(text: str) -> Iterator[tuple[_Place, _Place]]:
    parser: Any = CParser(text)
    try:
        while (event := parser.get_event()) is not None:
            if isinstance(event, yaml.ScalarEvent):
                start: Any = event.start_mark  # never None from this parser
                end: Any = event.end_mark
                # A block scalar begins below its '|', and beside that a comment may stand.
                first = (start.line + 1, 0) if event.style in ("|", ">") else None
                yield first or (start.line, start.column), (end.line, end.column)
    except yaml.YAMLError:
        return  # the reader says what is wrong, and where
