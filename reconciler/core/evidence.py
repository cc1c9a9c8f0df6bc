"""What is known besides a plan: what an earlier run saw, and what was applied by git's account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import Enum

from reconciler.core.groups import LiveGroup
from reconciler.core.ids import ResourceGroupId
from reconciler.core.jsonval import as_text, dig
from reconciler.core.ownership import Ownership, ownership_of, state_of
from reconciler.core.plan import Action


class Standing(Enum):
    """Whether a group that a manifest names was ours when somebody looked."""

    OURS = "ours"
    LOST = "lost"  # it was applied before, and is gone or no longer ours
    UNSURE = "unsure"  # not there, and perhaps never was


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A group as it was seen: what the run after compares with."""

    address: str
    standing: Standing = Standing.OURS
    ip: str = ""  # the last that was known
    restarts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Previous:
    """What the run before found: groups by address, and the keys of what had been told by then."""

    seen: Mapping[str, Seen] = field(default_factory=dict)
    told: frozenset[str] = frozenset()
    is_complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known besides the plan.

    `live` is every group that was read. `applied` are the addresses that the manifests had at each
    commit that a state tag of ours names, None where git has not got it. `closed` are resource
    groups that could not be read; with `is_bounded` nothing else than known ones was looked at.
    """

    live: Sequence[LiveGroup]
    applied: Mapping[str, AbstractSet[str] | None] = field(default_factory=dict)
    closed: tuple[str, ...] = ()
    is_bounded: bool = False
    previous: Previous | None = None


def commits_of(live: Sequence[LiveGroup], owner: str) -> tuple[str, ...]:
    """The commits at which groups of ours were last applied, as their state tags say."""
    states = [state_of(one) for one in live if ownership_of(one, owner) is Ownership.OURS]
    return tuple(sorted({state.commit for state in states if state is not None and state.commit}))


def is_absent(action: Action, owner: str) -> bool:
    """Whether a group that a manifest names is not there, or nobody's or another owner's.

    Where any is, it takes more than the tags to tell whether it was applied before.
    """
    if isinstance(action.target, ResourceGroupId):
        return False
    return action.live is None or ownership_of(action.live, owner) in (
        Ownership.NOBODYS,
        Ownership.COPIED,
        Ownership.FOREIGN,
    )


def ip_of(live: LiveGroup) -> str:
    """The IP address of a group, empty for none."""
    return as_text(dig(live.body, "properties", "ipAddress", "ip"))


def was_applied(address: str, evidence: Evidence) -> tuple[bool | None, str]:
    """Whether a group that is not ours, or not there, was applied before; None: not to be told.

    Its own tags are gone with it. The run before may have seen it; else an apply that left its
    commit on another group had it in its manifests, or had not.
    """
    previous = evidence.previous
    before = previous.seen.get(address) if previous is not None else None
    if before is not None and before.standing is not Standing.UNSURE:
        return True, "it was ours in an earlier run"
    for commit, addresses in sorted(evidence.applied.items()):
        if addresses is not None and address in addresses:
            return True, f"the manifests that were applied at {commit} have it"
    if previous is not None and previous.is_complete and before is None:
        return False, "it was not there in the run before either"
    if evidence.applied and None not in evidence.applied.values():
        return False, "no manifests that groups were applied from have it"
    why = "whether it was ever applied cannot be told without --since or the applied commits"
    return None, why
