"""One YAML document as values beside their places. Loads no YAML library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from reconciler.core.finding import Mark, Position
from reconciler.core.jsonval import JsonObject, WirePath

Pair: TypeAlias = tuple[int, int]


class Marks(Mapping[WirePath, Mark]):
    """Positions by wire path; a `Mark` is made only when it is asked for."""

    __slots__ = ("_pairs",)

    def __init__(self, pairs: Mapping[WirePath, Pair]) -> None:
        self._pairs = pairs

    def __getitem__(self, path: WirePath) -> Mark:
        return Mark(*self._pairs[path])

    def __iter__(self) -> Iterator[WirePath]:
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One YAML document whose root is a mapping."""

    file: str
    data: JsonObject
    values: Mapping[WirePath, Pair] = field(repr=False)
    keys: Mapping[WirePath, Pair] = field(repr=False)
    dates: frozenset[WirePath] = frozenset()  # plain scalars that YAML 1.1 reads as dates
    # Of what a patch brought; the rest stands in `file`.
    files: Mapping[WirePath, str] = field(default_factory=dict, repr=False)

    def at(self, path: WirePath) -> Position:
        """Where the value at `path` starts, or the nearest value around it."""
        while path not in self.values and path:
            path = path[:-1]
        mark = Mark(*self.values.get(path, (1, 1)))
        return Position(file=self.files.get(path, self.file), mark=mark)

    def at_key(self, path: WirePath) -> Position:
        """Where the key that `path` ends in stands."""
        pair = self.keys.get(path)
        if pair is None:
            return self.at(path)
        return Position(file=self.files.get(path, self.file), mark=Mark(*pair))
