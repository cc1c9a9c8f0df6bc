"""How much each finding weighs: by its rule, by what the project asks for, by comments."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from reconciler.core.finding import Finding, Position, Severity
from reconciler.manifest.lint.comments import Silence, silences_in
from reconciler.manifest.rules import RULES, finding
from reconciler.manifest.wording import near, quoted

# By rule; None is for a rule that is not to be heard.
Levels: TypeAlias = Mapping[str, Severity | None]

_VERBS = {Severity.ERROR: "promoted", Severity.WARNING: "demoted", None: "silenced"}


def problem_of(rule: str, level: Severity | None) -> str:
    """Why a rule cannot be set to `level`; empty where it can."""
    known = RULES.get(rule)
    if known is None:
        guess = near(rule, RULES)
        more = f": did you mean {quoted(guess)}?" if guess else ""
        return f"expected the id of a rule, got {quoted(rule)}{more}"
    if known.is_firm and level is not Severity.ERROR:
        return (
            f"expected a rule that can be {_VERBS[level]}, got {quoted(rule)}, which is always an"
            f" error: {known.summary}"
        )
    return ""


@dataclass(slots=True)
class Severities:
    """Settles findings; remembers which comments silenced something."""

    levels: Levels = field(default_factory=dict)
    _silences: dict[tuple[str, int, str], Silence] = field(default_factory=dict)
    _used: set[tuple[Position, str]] = field(default_factory=set)
    _every: list[Silence] = field(default_factory=list)

    def listen(self, file: str, raw: bytes) -> list[Finding]:
        """Take the comments of a file into account; what is wrong with them."""
        found, findings = silences_in(file, raw)
        self._every += found
        for silence in found:
            for rule in silence.rules:
                self._silences.setdefault((file, silence.line, rule), silence)
        return findings

    def settled(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings that are to be heard, each with the severity it has here."""
        return [kept for one in findings if (kept := self._one(one)) is not None]

    def _one(self, found: Finding) -> Finding | None:
        silence = self._silences.get((found.where.file, found.where.mark.line, found.rule))
        if silence is not None:
            self._used.add((silence.where, found.rule))
            return None
        known = RULES[found.rule]
        level = self.levels.get(found.rule, None if known.is_off else known.severity)
        if level is None or level is found.severity:
            return None if level is None else found
        return replace(found, severity=level)

    def needless(self, files: Collection[str]) -> list[Finding]:
        """A finding for each rule that a comment of `files` silences and nobody broke there."""
        return [
            _needless(silence.where, rule)
            for silence in self._every
            for rule in silence.rules
            if silence.where.file in files and (silence.where, rule) not in self._used
        ]

    def needed(self) -> list[Finding]:
        """What `needless` would say of the comments that did silence something."""
        return [_needless(where, rule) for where, rule in sorted(self._used, key=str)]


def _needless(where: Position, rule: str) -> Finding:
    says = f"expected something to silence, got nothing that breaks {quoted(rule)} there"
    return finding("M902", where, says, hint="removing it")
