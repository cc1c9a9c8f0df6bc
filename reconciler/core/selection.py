"""Which groups a run is about: by name, by tag, or by the manifest they stand in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from reconciler.core.ids import GroupId
from reconciler.core.names import find_group
from reconciler.errors import UsageError

_GLOB = frozenset("*?[")
_KNOWN = 10  # names in a hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A group that can be selected; `file` is its manifest, empty where there is none."""

    id: GroupId
    tags: Mapping[str, str] = field(default_factory=dict)
    file: str = ""


def left_out(
    candidates: Sequence[Candidate], *, select: Iterable[str], exclude: Iterable[str]
) -> frozenset[str]:
    """The addresses that a run leaves alone.

    A pattern is a name (`web`, `rg/web`, `web-*`), `tag:KEY`, `tag:KEY=VALUE` or `path:PATTERN`.

    Raises:
        UsageError: a pattern fits nothing, or a name without a wildcard fits several.
    """
    chosen = [address for pattern in select for address in _fitting(pattern, candidates)]
    dropped = {address for pattern in exclude for address in _fitting(pattern, candidates)}
    if chosen:
        dropped |= {one.id.address for one in candidates} - set(chosen)
    return frozenset(dropped)


def is_pattern(text: str) -> bool:
    """Whether `text` may fit several groups: a wildcard, a tag or a path."""
    kind, colon, _ = text.partition(":")
    return bool(_GLOB & set(text)) or bool(colon and kind in ("tag", "path"))


def _fitting(pattern: str, candidates: Sequence[Candidate]) -> list[str]:
    kind, colon, rest = pattern.partition(":")
    if not (colon and kind in ("tag", "path")):
        kind, rest = "name", pattern
        if not _GLOB & set(pattern):
            return [find_group(pattern, [one.id for one in candidates]).address]
    found = [one.id.address for one in candidates if _fits(kind, rest, one)]
    if not found:
        names = sorted({str(one.id) for one in candidates})
        listed = ", ".join(names[:_KNOWN]) + (" …" if len(names) > _KNOWN else "")
        raise UsageError(
            f"'{pattern}' fits no group",
            hint=f"there are: {listed}" if listed else "there are no groups",
        )
    return found


def _fits(kind: str, pattern: str, one: Candidate) -> bool:
    if kind == "path":
        return fnmatchcase(one.file, pattern)
    if kind == "name":
        names = (one.id.name.lower(), str(one.id).lower())
        return any(fnmatchcase(name, pattern.lower()) for name in names)
    key, equals, value = pattern.partition("=")
    return any(
        name.lower() == key.lower() and (not equals or fnmatchcase(found, value))
        for name, found in one.tags.items()
    )
