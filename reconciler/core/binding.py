"""What binds an apply to the plan that was reviewed: its effects, compared one by one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.core.jsonval import Json
from reconciler.errors import ExitCode


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PlannedEffect:
    """What a plan does to one target.

    `desired` and `live` are fingerprints, `sha256:…`, of what is written and of what is there,
    empty where there is nothing; no secret is in either.
    """

    address: str
    action: str
    desired: str = ""
    live: str = ""

    @property
    def says(self) -> str:
        """A line for people."""
        prints = [
            f"{name} {print_.removeprefix('sha256:')[:12]}"
            for name, print_ in (("desired", self.desired), ("live", self.live))
            if print_
        ]
        return f"{self.action} {self.address}" + (f" ({', '.join(prints)})" if prints else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """The identity of a plan, and what it was made with.

    `options` are the words of the command line that decide what a plan does, by option; `secrets`
    the names of the secrets that were compared, by address.
    """

    plan_id: str
    created: datetime
    expires: datetime
    options: Mapping[str, Json] = field(default_factory=dict)
    secrets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf:
    """Where the live side of a plan comes from that did not ask Azure."""

    file: str
    taken: datetime | None = None

    def __str__(self) -> str:
        when = f" of {self.taken:%Y-%m-%d %H:%M:%S} UTC" if self.taken is not None else ""
        return f"the snapshot{when} in {self.file}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """A plan that somebody has looked at, as it was written down."""

    file: str
    binding: Binding
    owner: str
    subscription: str
    environment: str | None
    digest: str
    effects: tuple[PlannedEffect, ...]
    is_blocked: bool = False
    as_of: AsOf | None = None  # the snapshot it was made against; None: Azure itself
    exit_code: ExitCode = ExitCode.DONE  # of the run that made it


def fingerprint(value: Json) -> str:
    """`sha256:…` of JSON, the same for equal values."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def digest_of(owner: str, effects: Iterable[PlannedEffect]) -> str:
    """`sha256:…` over who acts and the effects, in any order of these."""
    rows: list[Json] = [[e.address, e.action, e.desired, e.live] for e in sorted(effects)]
    return fingerprint([owner, rows])


def differences(
    reviewed: Sequence[PlannedEffect],
    now: Sequence[PlannedEffect],
    *,
    accept_subset: bool = False,
) -> tuple[str, ...]:
    """A line for each target that would be treated otherwise than reviewed, empty for none.

    With `accept_subset` less may be done than was reviewed, but nothing else.
    """
    before = {effect.address: effect for effect in reviewed}
    after = {effect.address: effect for effect in now}
    return tuple(_lines(before, after, accept_subset=accept_subset))


def _lines(
    before: Mapping[str, PlannedEffect], after: Mapping[str, PlannedEffect], *, accept_subset: bool
) -> Iterator[str]:
    for address in sorted({*before, *after}):
        was, becomes = before.get(address), after.get(address)
        if was == becomes or (becomes is None and accept_subset):
            continue
        left = was.says if was is not None else "nothing"
        right = becomes.says if becomes is not None else "nothing"
        yield f"reviewed: {left} | now: {right}"
