"""Every rule a manifest can break, by its stable id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.core.finding import Finding, Position
from reconciler.manifest.rule_rows import ROWS, Rule

__all__ = ["RULES", "Rule", "finding", "without_echoes"]

RULES: Mapping[str, Rule] = {rule.id: rule for rule in ROWS}


def finding(rule: str, where: Position, says: str, *, path: str = "", hint: str = "") -> Finding:
    """A finding with the severity its rule has."""
    known = RULES[rule]
    return Finding(
        rule=rule,
        severity=known.severity,
        where=where,
        path=path,
        says=says,
        hint=hint,
        about=known.summary,
        link=known.link,
    )


def without_echoes(*stages: Iterable[Finding]) -> list[Finding]:
    """The findings of all stages, without those about a value that an earlier stage refused."""
    kept: list[Finding] = []
    refused: set[tuple[Position, str]] = set()
    for stage in stages:
        new = [found for found in stage if (found.where, found.path) not in refused]
        refused |= {(found.where, found.path) for found in new if found.is_error and found.path}
        kept += new
    return kept
