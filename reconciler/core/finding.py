"""What is wrong, or doubtful, in a manifest: a value with a position, never an exception."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Severity(Enum):
    """An error stops the run (exit 3), a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a file, both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place a person can jump to.

    `file` is relative to the working folder where it lies inside.
    """

    file: str
    mark: Mark

    def __str__(self) -> str:
        return f"{self.file}:{self.mark.line}:{self.mark.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found in one place. `rule` is stable; `says` reads "expected …, got …".

    `about` is what the rule asks for and `link` where that is written, the same for all its
    findings; empty where nobody knows.
    """

    rule: str
    severity: Severity
    where: Position
    path: str
    says: str
    hint: str = ""
    about: str = field(default="", compare=False)
    link: str = field(default="", compare=False)

    @property
    def is_error(self) -> bool:
        """Whether it makes the manifests invalid."""
        return self.severity is Severity.ERROR

    def __str__(self) -> str:
        subject = f"{self.path}: " if self.path else ""
        text = f"{self.where}: {self.rule} {subject}{self.says}"
        return f"{text}; try {self.hint}" if self.hint else text


def in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    """Findings as a reader walks the files, the same whatever order they were made in."""
    unique = dict.fromkeys(findings)
    return tuple(sorted(unique, key=lambda f: (f.where.file, f.where.mark, f.rule, f.path, f.says)))
