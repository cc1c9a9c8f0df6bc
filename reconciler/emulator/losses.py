"""A fault: members of a body that the service takes without a word and does not keep.

Azure does so where a property needs a preview feature or a region that the subscription has not:
the PUT succeeds, and a GET shows the group without it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from reconciler.emulator.jsonval import Json, JsonObject

Steps: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Losses:
    """What is lost of each PUT, as steps from the top of the body."""

    paths: tuple[Steps, ...] = ()

    @classmethod
    def of(cls, pointers: Iterable[str]) -> Losses:
        """The losses that `pointers` name (see `steps_of`).

        Raises:
            ValueError: one of them is no pointer.
        """
        return cls(tuple(steps_of(pointer) for pointer in pointers))

    def leave(self, spec: JsonObject, dropped: Counter[str]) -> JsonObject:
        """What is left of `spec`; each member lost is counted in `dropped`, by its pointer."""
        left: Json = spec
        for steps in self.paths:
            left = _without(left, steps, "", dropped)
        return left if isinstance(left, dict) else {}


def steps_of(pointer: str) -> Steps:
    """The steps of a JSON pointer into a body, such as `/properties/containers/*/name`.

    Members are named in any case. `*` stands for every element of a list or every member of an
    object; one element is named by its position or its `name`.

    Raises:
        ValueError: it does not start with `/`, or names the whole body.
    """
    if not pointer.startswith("/") or pointer == "/":
        raise ValueError(
            f"expected a pointer such as /properties/containers/*/properties/livenessProbe, "
            f"got '{pointer}'"
        )
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/"))


def _without(value: Json, rest: Steps, at: str, dropped: Counter[str]) -> Json:
    """`value` without what `rest` leads to."""
    if isinstance(value, dict):
        return {key: item for (key,), item in _kept(_members(value), rest, at, dropped)}
    if isinstance(value, list):
        return [item for _, item in _kept(_elements(value), rest, at, dropped)]
    return value


def _members(value: JsonObject) -> Iterator[tuple[Steps, Json]]:
    return (((key,), item) for key, item in value.items())


def _elements(value: list[Json]) -> Iterator[tuple[Steps, Json]]:
    """Each element behind what it is called: its `name`, if it has one, and its position."""
    for index, item in enumerate(value):
        name = item.get("name") if isinstance(item, dict) else None
        yield ((name, str(index)) if isinstance(name, str) else (str(index),)), item


def _kept(
    items: Iterable[tuple[Steps, Json]], rest: Steps, at: str, dropped: Counter[str]
) -> Iterator[tuple[Steps, Json]]:
    step, *further = rest
    for names, item in items:
        here = f"{at}/{_step(names[0])}"
        if step != "*" and step.lower() not in (name.lower() for name in names):
            yield names, item
        elif further:
            yield names, _without(item, tuple(further), here, dropped)
        else:
            dropped[here] += 1


def _step(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
