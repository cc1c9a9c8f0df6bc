"""Where the product is known to be wrong: each with the reason, none silently.

Once the product is right, an entry matches nothing any more and can go.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.traffic.expected import Class
from tests.traffic.mutations import How, Mutation


@dataclass(frozen=True, kw_only=True)
class Known:
    """Mutations of one pattern, due in one class, that come out otherwise for one cause."""

    how: How
    pattern: str
    due: Class
    reason: str


KNOWN: tuple[Known, ...] = ()


def reason_of(mutation: Mutation, due: Class) -> Known | None:
    """The entry that speaks of a mutation."""
    at = (mutation.how, mutation.pattern, due)
    return next((one for one in KNOWN if (one.how, one.pattern, one.due) == at), None)
