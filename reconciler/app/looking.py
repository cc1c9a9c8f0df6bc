"""What only looks: status, drift, logs."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from reconciler.app.asked import MOST_COMMITS, Azure, Consent, History, Wanted, with_members
from reconciler.app.by_hand import named
from reconciler.app.place import seen
from reconciler.app.planning import is_foreign, situation, who_asks
from reconciler.core.asker import Asker
from reconciler.core.build import build_plan
from reconciler.core.drift import Drift, drift_of, without_told
from reconciler.core.evidence import Evidence, Previous, commits_of, is_absent
from reconciler.core.groups import (
    DesiredGroup,
    LiveGroup,
)
from reconciler.core.ids import GroupId, Target
from reconciler.core.origin import commits_to_ask, with_history
from reconciler.core.ownership import Ownership, ownership_of
from reconciler.core.plan import Plan
from reconciler.core.selection import Candidate, is_pattern, left_out
from reconciler.core.sync import standing_of, sync_of
from reconciler.errors import UsageError
from reconciler.execute.observe import (
    Observed,
    settled,
    view_all,
)
from reconciler.execute.wait import Waiter


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupStatus:
    """How one group stands: against git, and in itself."""

    target: Target
    sync: str
    live: LiveGroup | None
    why: str
    trouble: str = ""
    desired: DesiredGroup | None = None
    ownership: Ownership | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Only:
    """Which groups a look is about, by name or by pattern; `others`: also those that are not ours.

    With nothing named it is about all that a manifest names or that we own.
    """

    names: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    others: bool = False


def status(
    wanted: Wanted, azure: Azure, only: Only | None = None
) -> tuple[tuple[GroupStatus, ...], tuple[str, ...]]:
    """A line for each group that it is about, by address, and notes on what was looked at.

    Costs one GET a live group.

    Raises:
        UsageError: a name or a pattern fits nothing.
        PlanRefused: the run is in the wrong place.
        AzureError: something could not be read.
    """
    only = only or Only()
    observed = seen(wanted, azure)
    asker = Asker(owner=wanted.owner, key=azure.key)
    chosen = _chosen(only, wanted, observed)
    observed = _viewed(observed, chosen, azure)
    planned = build_plan(situation(wanted, observed, asker, Consent(), frozenset()))
    rows = [
        GroupStatus(
            target=action.target,
            sync=sync_of(action),
            live=action.live,
            why=standing_of(action),
            trouble=action.trouble,
            desired=action.desired,
            ownership=_ownership(action.live, wanted),
        )
        for action in planned.actions
        if isinstance(action.target, GroupId) and action.address in chosen
    ]
    rows += [
        GroupStatus(
            target=orphan.live.id,
            sync="orphan",
            live=orphan.live,
            why=orphan.note,
            ownership=Ownership.OURS,
        )
        for orphan in planned.orphans
        if orphan.live.id.address in chosen
    ]
    known = {row.target.address for row in rows}
    rows += [
        GroupStatus(
            target=live.id,
            sync="unmanaged",
            live=live,
            why="no manifest names it, and it is not ours",
            ownership=_ownership(live, wanted),
        )
        for live in observed.groups
        if live.id.address in chosen - known
    ]
    return tuple(sorted(rows, key=lambda row: row.target.address)), planned.notes


def _ownership(live: LiveGroup | None, wanted: Wanted) -> Ownership | None:
    return None if live is None else ownership_of(live, wanted.owner)


def _chosen(only: Only, wanted: Wanted, observed: Observed) -> frozenset[str]:
    """The addresses of the groups that a look is about, those that do not exist included."""
    files = {group.id.address: group.where.file for group in wanted.groups}
    known = {group.id.address: Candidate(id=group.id, tags=group.tags) for group in wanted.groups}
    for live in observed.groups:
        address = live.id.address
        if only.others or address in known or _ownership(live, wanted) is Ownership.OURS:
            known[address] = Candidate(id=live.id, tags=live.tags)
    found = [replace(one, file=files.get(address, "")) for address, one in known.items()]
    exact = [name for name in only.names if not is_pattern(name)]
    select = [*only.select, *(name for name in only.names if is_pattern(name))]
    addresses = {named(name, wanted, observed.groups).address for name in exact}
    if select or not exact:
        addresses |= {*known} - left_out(found, select=select, exclude=())
    if only.exclude:
        addresses -= left_out(found, select=(), exclude=only.exclude)
    return frozenset(addresses)


def drift(
    wanted: Wanted,
    azure: Azure,
    consent: Consent | None = None,
    *,
    history: History | None = None,
    previous: Previous | None = None,
) -> tuple[Plan, Drift]:
    """How Azure stands against what was last applied, with the plan that would mend it.

    Costs one GET a live group that a manifest names: LIST does not tell how a group is doing.
    `history` is as for `plan`; it is also asked whether a group that is not there was applied.
    What `consent` selects or excludes makes the scope partial.

    Raises:
        AzureError: something could not be read.
        UsageError: a pattern fits nothing, or nothing is left to look at.
    """
    consent = consent or Consent()
    observed = seen(wanted, azure)
    asker, skipped = who_asks(wanted, azure.key, consent, observed)
    named = {group.id.address for group in wanted.groups} - skipped
    if skipped and not named:
        raise UsageError(
            "--select and --exclude leave no group that a manifest names",
            hint="what no manifest names is looked at by a run without them",
        )
    mine = {g.id.address for g in observed.groups if not is_foreign(g, wanted.owner)} & named
    waiter = Waiter(cloud=azure.cloud, clock=azure.clock, pace=azure.pace)
    observed = settled(observed, mine, waiter, workers=azure.workers)
    observed = _viewed(observed, mine, azure)
    wanted = with_members(wanted, observed, azure)
    planned = build_plan(situation(wanted, observed, asker, consent, skipped))
    if not planned.is_complete:
        planned = replace(planned, notes=(*planned.notes, _partial(wanted, skipped)))
    then = _remembered(history)
    asked = {commit: then(commit) or {} for commit in commits_to_ask(planned)[:MOST_COMMITS]}
    planned = with_history(planned, asked)
    applied: dict[str, frozenset[str] | None] = {}
    if any(is_absent(action, wanted.owner) for action in planned.actions):
        for number, commit in enumerate(commits_of(observed.groups, wanted.owner)):
            found = then(commit) if number < MOST_COMMITS else None
            applied[commit] = None if found is None else frozenset(found)
    evidence = Evidence(
        live=observed.groups,
        applied=applied | {commit: frozenset(found) for commit, found in asked.items() if found},
        closed=observed.closed,
        is_bounded=observed.is_bounded,
        previous=previous,
    )
    return without_told(planned), drift_of(planned, evidence)


def _partial(wanted: Wanted, skipped: AbstractSet[str]) -> str:
    left_out = sum(group.id.address in skipped for group in wanted.groups)
    says = "partial scope: unmanaged groups were not looked for"
    if not left_out:
        return says
    return f"{says}, and {left_out} of {len(wanted.groups)} groups were left out"


def _viewed(observed: Observed, addresses: AbstractSet[str], azure: Azure) -> Observed:
    """`observed` with the instance view of the groups at `addresses`."""
    ids = [live.id for live in observed.groups if live.id.address in addresses]
    views = view_all(azure.cloud, ids, workers=azure.workers) if ids else {}
    lives = [views.get(live.id.address, live) for live in observed.groups]
    return replace(observed, groups=tuple(live for live in lives if live is not None))


def _remembered(history: History | None) -> History:
    """`history`, each commit asked for once: it costs a reading of all manifests of then."""
    known: dict[str, Mapping[str, DesiredGroup] | None] = {}

    def at(commit: str) -> Mapping[str, DesiredGroup] | None:
        if commit not in known:
            known[commit] = history(commit) if history is not None else None
        return known[commit]

    return at


def named_group(name: str, wanted: Wanted, azure: Azure, *, others: bool = False) -> GroupId:
    """The group a person means: of the manifests and of those we own, with `others` also of these.

    Raises:
        UsageError: none fits, or several do.
    """
    lives = seen(wanted, azure).groups
    ours = (live for live in lives if _ownership(live, wanted) is Ownership.OURS)
    return named(name, wanted, lives if others else ours)
