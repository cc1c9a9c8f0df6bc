"""Who asks for a plan, and what that person consented to or asked for by name."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.core.ownership import SecretKey

_NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """The sets hold addresses of groups.

    `adopt` and `replace` are consent, `retry` is consent to write again what Azure did not take,
    `rerun` asks for a group that has ended to run again, `rebaseline` for its secrets to be taken
    for what Azure holds.
    """

    owner: str
    key: SecretKey | None = None
    adopt: frozenset[str] = field(default=_NOBODY)
    replace: frozenset[str] = field(default=_NOBODY)
    retry: frozenset[str] = field(default=_NOBODY)
    rerun: frozenset[str] = field(default=_NOBODY)
    rebaseline: frozenset[str] = field(default=_NOBODY)
