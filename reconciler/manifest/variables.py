"""`${var:NAME}` inside strings. String in, string out: a variable never changes a type.

Any other `${…}` belongs to the shell in the container; `$${var:` stands for a plain `${var:`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from reconciler.core.finding import Finding
from reconciler.core.jsonval import Json, WirePath
from reconciler.manifest.document import Document
from reconciler.manifest.rules import finding
from reconciler.manifest.wording import listed, near, quoted, shown_path

_REFERENCE = re.compile(r"\$?\$\{var:(?P<name>[A-Za-z0-9_.-]+)\}|\$?\$\{var:")
_MARKER = "${var:"


def substituted(document: Document, variables: Mapping[str, str]) -> tuple[Document, list[Finding]]:
    """The document with every variable in place, and a finding for each that cannot be."""
    pass_ = _Pass(document, variables)
    data = {key: pass_.value(item, (key,)) for key, item in document.data.items()}
    return replace(document, data=data), pass_.findings


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """`text` with the variables that are set; of the others nothing is said here."""

    def one(match: re.Match[str]) -> str:
        whole = match.group(0)
        return whole[1:] if whole.startswith("$$") else variables.get(match["name"] or "", whole)

    return _REFERENCE.sub(one, text) if _MARKER in text else text


def escaped(text: str) -> str:
    """`text` as a manifest writes it, so that nothing is put in."""
    return text.replace(_MARKER, f"${_MARKER}")


def references(document: Document) -> list[Finding]:
    """A finding for each variable in a file where none is put in."""
    pass_ = _Pass(document, None)
    for key, item in document.data.items():
        pass_.value(item, (key,))
    return pass_.findings


class _Pass:
    def __init__(self, document: Document, variables: Mapping[str, str] | None) -> None:
        self.document = document
        self.variables = variables
        self.findings: list[Finding] = []

    def value(self, value: Json, path: WirePath) -> Json:
        if isinstance(value, str):
            return self._text(value, path) if _MARKER in value else value
        if isinstance(value, list):
            return [self.value(item, (*path, i)) for i, item in enumerate(value)]
        if isinstance(value, dict):
            return {key: self.value(item, (*path, key)) for key, item in value.items()}
        return value

    def _text(self, text: str, path: WirePath) -> str:
        return _REFERENCE.sub(lambda match: self._one(match, path), text)

    def _one(self, match: re.Match[str], path: WirePath) -> str:
        whole, name = match.group(0), match.group("name")
        if whole.startswith("$$"):
            return whole[1:]
        if self.variables is None:
            self._say("M502", path, "expected a plain text here, got a variable")
        elif name is None:
            self._say("M502", path, "expected '${var:NAME}', got '${var:' without name or '}'")
        elif name in self.variables:
            return self.variables[name]
        else:
            self._unset(name, path, self.variables)
        return whole

    def _unset(self, name: str, path: WirePath, variables: Mapping[str, str]) -> None:
        guess = near(name, variables)
        says = f"expected a variable that is set, got {quoted(name)}"
        says += f": did you mean {quoted(guess)}?" if guess else ""
        known = f"; known: {listed(sorted(variables))}" if variables and not guess else ""
        hint = "" if guess else "setting it under 'variables' in the project file" + known
        self._say("M501", path, says, hint)

    def _say(self, rule: str, path: WirePath, says: str, hint: str = "") -> None:
        where = self.document.at(path)
        self.findings.append(finding(rule, where, says, path=shown_path(path), hint=hint))
