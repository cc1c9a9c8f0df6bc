"""What the property table knows of one path, in words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from difflib import get_close_matches

from reconciler.core.jsonval import Path
from reconciler.core.properties import PROPERTIES, Access, Effect, Fold, Property, row_of

_ACCESS = {
    Access.READ_WRITE: "read-write",
    Access.READ_ONLY: "read-only: set by Azure, never compared, not allowed in a manifest",
    Access.WRITE_ONLY: "write-only: Azure never shows it; compared by keyed digest or not at all",
    Access.ASSIGNED: (
        "assigned: Azure chooses it when the manifest does not; compared where the manifest does"
    ),
    Access.UNCONFIRMED: (
        "read-write, but what Azure answers was never recorded: compared where both sides state it"
    ),
}
_EFFECT = {
    Effect.TAGS: "in place (patch-tags): nothing restarts",
    Effect.UPDATE: "in place (update): one PUT, every container of the group restarts",
    Effect.REPLACE: "not in place (replace): delete and create, only with leave; down meanwhile",
}
_FOLD = {
    Fold.EXACT: "exactly",
    Fold.CASE: "without letter case",
    Fold.REGION: "as a region: without letter case and blanks",
    Fold.RESOURCE_ID: "as an ARM id: without letter case",
    Fold.WORDS: "as a set of words",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One property. `facts` are pairs of a label and a sentence."""

    path: Path
    facts: tuple[tuple[str, str], ...]


def explain(text: str) -> Explanation | None:
    """What is known of the path in `text`, None where the table has no answer.

    Taken are patterns (`properties/containers/*/properties/image`) and JSON pointers as in
    `reconcile.ignore` (`/properties/containers/web/properties/image`).
    """
    path = tuple(part for part in text.strip("/").split("/") if part)
    row = row_of(path) if path else None
    return None if row is None else Explanation(path=row.path, facts=_facts(row))


def nearest(text: str) -> tuple[str, ...]:
    """Paths of the table that `text` may have meant."""
    known = {"/".join(row.path): row.path for row in PROPERTIES}
    wanted = text.strip("/")
    same_end = [name for name, path in known.items() if path[-1].lower() == wanted.lower()]
    return tuple(same_end or get_close_matches(wanted, known, n=3, cutoff=0.6))


def _facts(row: Property) -> tuple[tuple[str, str], ...]:
    facts = [("access", _ACCESS[row.access]), ("default", _default(row))]
    if row.values:
        facts.append(("values", ", ".join(row.values)))
    if row.access is not Access.READ_ONLY:
        facts.append(("change", _EFFECT[row.effect]))
        facts.append(("compared", _compared(row)))
    facts.append(("source", row.source))
    return tuple(facts)


def _default(row: Property) -> str:
    text = "none" if row.default is None else json.dumps(row.default)
    return f"{text}, where '{row.only_with}' is given" if row.only_with else text


def _compared(row: Property) -> str:
    if row.access is Access.WRITE_ONLY:
        return "by keyed digest, with ACI_RECONCILE_SECRET_KEY"
    if row.key:
        order = "order matters" if row.ordered else "order does not matter"
        return f"element by element, named by {' and '.join(row.key)}; {order}"
    return _FOLD[row.fold]
