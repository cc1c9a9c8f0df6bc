"""A container group as some other form holds it, before it becomes a manifest."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.convert.gaps import Gap
from reconciler.convert.values import Value
from reconciler.core.jsonval import WirePath
from reconciler.manifest.document import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundGroup:
    """One group, wire-shaped, with `Unresolved` and `Open` where a value is not known.

    `root` is where it stands in `source`. `is_live` is true of what Azure answered: its texts mean
    themselves, and write-only values are missing from it.
    """

    body: dict[str, Value]
    source: Document
    root: WirePath = ()
    resource_group: str = ""
    depends_on: tuple[str, ...] = ()
    is_live: bool = False
    is_literal: bool = True  # `${var:` in a text is no variable of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one file holds: groups, what is in it besides, and what deserves a word."""

    groups: tuple[FoundGroup, ...] = ()
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()
