"""What the project file says under `lint`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.core.finding import Finding, Severity
from reconciler.core.jsonval import JsonObject, WirePath, as_list, as_object, as_text, dig
from reconciler.manifest.document import Document
from reconciler.manifest.lint.severities import Levels, problem_of
from reconciler.manifest.rules import finding
from reconciler.manifest.wording import quoted, shown_path

_LEVELS: Mapping[str, Severity | None] = {
    "error": Severity.ERROR,
    "warn": Severity.WARNING,
    "ignore": None,
}


def stated_levels(data: JsonObject) -> Levels:
    """The severity of each rule that the project sets."""
    stated = as_object(data.get("lint"))
    return {
        as_text(rule): level
        for member, level in _LEVELS.items()
        for rule in as_list(stated.get(member))
    }


def level_findings(document: Document) -> Iterator[Finding]:
    """Rules that are none, that cannot be set so, or that are set twice."""
    seen: dict[str, WirePath] = {}
    for member, level in _LEVELS.items():
        for index, rule in enumerate(as_list(dig(document.data, "lint", member))):
            if not isinstance(rule, str):
                continue  # the schema has said so
            path: WirePath = ("lint", member, index)
            says = problem_of(rule, level)
            if not says and rule in seen:
                line = document.at(seen[rule]).mark.line
                says = f"expected each rule once, got {quoted(rule)} again (first on line {line})"
            if says:
                yield finding("M505", document.at(path), says, path=shown_path(path))
            seen.setdefault(rule, path)
