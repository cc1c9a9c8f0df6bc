"""Going on in steps: so many first, then more, and no further than the first that is not well."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_STEP = re.compile(r"([1-9]\d*)(%?)")


@dataclass(frozen=True, slots=True)
class Rollout:
    """Steps such as `1,25%,100%`: how many of the writes may have been begun in each.

    A step is a number of groups or a share of them all; the last one takes what is left.
    """

    steps: tuple[tuple[int, bool], ...]  # a number, and whether it is a percentage

    def limits(self, total: int) -> tuple[int, ...]:
        """How many of `total` writes may have begun by the end of each step, ever more."""
        found: list[int] = []
        for number, is_share in self.steps:
            limit = min(total, math.ceil(total * number / 100) if is_share else number)
            if limit > (found[-1] if found else 0):
                found.append(limit)
        return (*found, total) if not found or found[-1] < total else tuple(found)


def parse_rollout(text: str) -> Rollout:
    """The rollout that `text` describes.

    Raises:
        ValueError: a step is no number or percentage from 1 on, or exceeds 100%.
    """
    steps = []
    for part in text.split(","):
        found = _STEP.fullmatch(part.strip())
        if found is None or (found[2] and int(found[1]) > 100):
            raise ValueError(f"expected steps such as 1,25%,100%, got '{part.strip()}'")
        steps.append((int(found[1]), bool(found[2])))
    return Rollout(tuple(steps))
