"""What no schema can say of one group: what Azure refuses, and what nobody wants.

A module a subject; each rule is a function of a `Group`, tolerant of documents with errors.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.finding import Finding
from reconciler.manifest.document import Document
from reconciler.manifest.lint import (
    containers,
    diagnostics,
    names,
    network,
    offers,
    registries,
    resources,
    volumes,
)
from reconciler.manifest.lint.view import Group, view_of

_RULES = (
    *network.RULES,
    *resources.RULES,
    *containers.RULES,
    *volumes.RULES,
    *registries.RULES,
    *offers.RULES,
    *diagnostics.RULES,
    *names.RULES,
)


def linted(document: Document, *, subscription: str, location: str) -> Iterator[Finding]:
    """What is wrong with, or doubtful in, one container group.

    `subscription` and `location` are the project's where the document states none; may be empty.
    """
    group: Group = view_of(document, subscription=subscription, location=location)
    for rule in _RULES:
        yield from rule(group)
