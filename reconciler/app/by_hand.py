"""What a person asks of groups by name: start, stop, restart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from reconciler.app.asked import Azure, Wanted
from reconciler.app.place import seen
from reconciler.core.by_hand import Request, by_hand, in_turn
from reconciler.core.groups import LiveGroup
from reconciler.core.ids import GroupId
from reconciler.core.names import find_group
from reconciler.core.ownership import Ownership, ownership_of
from reconciler.core.plan import ActionKind, Plan
from reconciler.core.selection import Candidate, is_pattern, left_out
from reconciler.errors import UsageError
from reconciler.execute.observe import view_all


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line asks for; `names` may hold patterns, which fit groups of ours alone.

    `foreign` names groups of others that may be touched all the same.
    """

    kind: ActionKind
    names: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    waits: bool = True
    timeout: timedelta | None = None


def hand_plan(asked: Asked, wanted: Wanted, azure: Azure) -> Plan:
    """What would be done; nothing is written. Costs one GET a group that is asked for.

    Raises:
        UsageError: a name fits nothing or several groups, or nothing is named.
        PlanRefused: the run is in the wrong place.
        AzureError: something could not be read.
    """
    observed = seen(wanted, azure)
    chosen = chosen_groups(asked, wanted, observed.groups)
    consented = [find_group(name, chosen) for name in asked.foreign]
    views = view_all(azure.cloud, chosen, workers=azure.workers)
    desired = {group.id.address: group for group in wanted.groups}
    request = Request(
        kind=asked.kind,
        owner=wanted.owner,
        foreign=frozenset(group.address for group in consented),
        waits=asked.waits,
        timeout=asked.timeout,
    )
    actions = (
        by_hand(group, views[group.address], desired.get(group.address), request)
        for group in chosen
    )
    return Plan(
        owner=wanted.owner,
        subscription=wanted.subscription,
        actions=in_turn(actions),
        notes=observed.notes,
    )


def chosen_groups(asked: Asked, wanted: Wanted, lives: Sequence[LiveGroup]) -> tuple[GroupId, ...]:
    """The groups that are meant, each once.

    A plain name is looked for among the groups of the manifests and those we own, and only then
    among all others. A pattern fits groups of ours that exist.
    """
    ours = [one for one in lives if ownership_of(one, wanted.owner) is Ownership.OURS]
    if not asked.names and not asked.select:
        raise UsageError("no group is named", hint="give names, or --select PATTERN")
    files = {group.id.address: group.where.file for group in wanted.groups}
    candidates = [
        Candidate(id=one.id, tags=one.tags, file=files.get(one.id.address, "")) for one in ours
    ]
    patterns = [name for name in asked.names if is_pattern(name)]
    dropped = left_out(candidates, select=[*patterns, *asked.select], exclude=())
    fitting = [c.id for c in candidates if c.id.address not in dropped]
    found = fitting if patterns or asked.select else []
    for name in asked.names:
        if not is_pattern(name):
            found.append(named(name, wanted, lives))
    unique = {group.address: group for group in found}
    if asked.exclude:
        known = [Candidate(id=group) for group in unique.values()]
        for address in _excluded(asked.exclude, [*candidates, *known]):
            unique.pop(address, None)
    if not unique:
        raise UsageError("--exclude leaves no group", hint="drop it, or name others")
    return tuple(unique[address] for address in sorted(unique))


def named(name: str, wanted: Wanted, lives: Iterable[LiveGroup]) -> GroupId:
    """The one group a person means; one of ours goes before one of others.

    Raises:
        UsageError: none fits, or several do.
    """
    lives = tuple(lives)
    ours = [one.id for one in lives if ownership_of(one, wanted.owner) is Ownership.OURS]
    mine = [*(group.id for group in wanted.groups), *ours]
    try:
        return find_group(name, mine)
    except UsageError:
        others = [one.id for one in lives if name.lower() in _names(one.id)]
        if not others or any(name.lower() in _names(one) for one in mine):
            raise
        return find_group(name, others)


def _names(group: GroupId) -> tuple[str, str]:
    return group.name.lower(), str(group).lower()


def _excluded(patterns: Sequence[str], candidates: Sequence[Candidate]) -> frozenset[str]:
    return left_out(candidates, select=(), exclude=patterns)
