"""Who asks for a plan, and what that person consented to or asked for by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.core.ownership import SecretKey

_NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """The sets hold addresses of groups.

    `adopt` and `replace` are consent, `retry` is consent to write again what Azure did not take,
    `rerun` asks for a group that has ended to run again, `rebaseline` for its secrets to be taken
    for what Azure holds. `compared` are the names of the secrets that may be compared, by address,
    None for all: whoever carries out a reviewed plan compares no others than that did. `take_from`
    names, by address, the other owner that a group may be taken from.
    """

    owner: str
    key: SecretKey | None = None
    adopt: frozenset[str] = field(default=_NOBODY)
    replace: frozenset[str] = field(default=_NOBODY)
    retry: frozenset[str] = field(default=_NOBODY)
    rerun: frozenset[str] = field(default=_NOBODY)
    rebaseline: frozenset[str] = field(default=_NOBODY)
    compared: Mapping[str, frozenset[str]] | None = None
    take_from: Mapping[str, str] = field(default_factory=dict)
