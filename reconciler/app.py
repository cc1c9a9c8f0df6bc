"""The use cases. Each reads as the sentence it is; the rooms do the work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from reconciler.core.asker import Asker
from reconciler.core.build import Situation, build_plan
from reconciler.core.cloud import Clock, Cloud, Vaults
from reconciler.core.drift import Drift, drift_of
from reconciler.core.events import Watcher
from reconciler.core.evidence import Evidence, Previous, commits_of, is_absent
from reconciler.core.fallback import commits_to_restore, with_fallbacks
from reconciler.core.groups import (
    DesiredGroup,
    DesiredResourceGroup,
    LiveGroup,
    LiveResourceGroup,
)
from reconciler.core.ids import GroupId, Target
from reconciler.core.jsonval import Json
from reconciler.core.names import find_group
from reconciler.core.origin import commits_to_ask, with_history
from reconciler.core.ownership import Ownership, SecretKey, ownership_of
from reconciler.core.plan import Action, ActionKind, Plan
from reconciler.core.policy import Limits
from reconciler.core.rails import too_much_consent
from reconciler.core.rollout import Rollout
from reconciler.core.selection import Candidate, left_out
from reconciler.core.sync import standing_of, sync_of
from reconciler.core.teardown import build_teardown
from reconciler.errors import PlanRefused, UsageError
from reconciler.execute.look import view
from reconciler.execute.observe import (
    Observed,
    Scope,
    observe,
    scope_of,
    settled,
    view_all,
    with_views,
)
from reconciler.execute.pacing import Pacer
from reconciler.execute.preflight import check_plan
from reconciler.execute.release import released
from reconciler.execute.run import Run, run
from reconciler.execute.secrets import resolved
from reconciler.execute.wait import Pace, Waiter
from reconciler.execute.writer import Writer

# The groups that manifests asked for at a commit, by address; None where git has not got them.
History: TypeAlias = Callable[[str], Mapping[str, DesiredGroup] | None]

_MOST_COMMITS = 8  # looked up in git for the labels of one plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What git says, and who says it."""

    owner: str
    subscription: str
    groups: tuple[DesiredGroup, ...]
    resource_groups: tuple[DesiredResourceGroup, ...]
    limits: Limits
    is_complete: bool
    known_resource_groups: tuple[str, ...] = ()

    @property
    def scope(self) -> Scope:
        """Where to look for it."""
        known = self.known_resource_groups
        return scope_of(self.subscription, known, self.groups, self.resource_groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What the command line agrees to, by name and by number."""

    adopt: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    retry: tuple[str, ...] = ()
    rerun: tuple[str, ...] = ()
    rebaseline: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    prune: bool = False
    compared: Mapping[str, frozenset[str]] | None = None  # of a plan that was reviewed
    allow: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Azure:
    """The way to Azure: the cloud, how many reads or writes at once, and the pace of polling."""

    cloud: Cloud
    clock: Clock
    workers: int
    pace: Pace
    key: SecretKey | None = None
    vaults: Vaults | None = None
    pacer: Pacer | None = None  # the gate of `cloud`; one of its own where that has none


def with_secrets(wanted: Wanted, azure: Azure) -> Wanted:
    """What git says, with the secrets that it refers to in key vaults, as far as they can be had.

    Not part of planning: what only looks at Azure or deletes from it needs no secret.
    """
    if azure.vaults is None:
        return wanted
    groups = resolved(wanted.groups, azure.vaults, workers=azure.workers)
    return replace(wanted, groups=groups)


def plan(
    wanted: Wanted,
    azure: Azure,
    consent: Consent,
    *,
    settles: bool = False,
    history: History | None = None,
    applied: History | None = None,
) -> Plan:
    """What would be done to make Azure equal git; nothing is written.

    With `settles`, groups in transition are waited for, so that they can be compared. `history`
    tells the groups that the manifests asked for at a commit, by address; it is asked where the
    state tags cannot tell who moved a field. `applied` tells the same with every secret that can
    be had, for groups that are to be created again where a replace of them fails.

    Raises:
        AzureError: something could not be read.
        UsageError: a name fits nothing or several groups, or consent exceeds the plan.
    """
    observed = observe(azure.cloud, wanted.scope)
    asker, skipped = _who_asks(wanted, azure, consent, observed)
    if settles:
        waiter = Waiter(cloud=azure.cloud, clock=azure.clock, pace=azure.pace)
        foreign = {g.id.address for g in observed.groups if _is_foreign(g, wanted.owner)}
        ours = {group.id.address for group in wanted.groups} - skipped - foreign
        observed = settled(observed, ours, waiter, workers=azure.workers)
    observed = with_views(azure.cloud, observed, wanted.groups, asker, workers=azure.workers)
    planned = build_plan(_situation(wanted, observed, asker, consent, skipped))
    _check_consent(planned, observed, wanted, consent)
    if applied is not None and (commits := commits_to_restore(planned)):
        planned = with_fallbacks(planned, {c: _with_vaults(applied(c), azure) for c in commits})
    else:
        planned = with_fallbacks(planned, {})
    if history is None:
        return planned
    # Each commit costs a reading of all manifests as they were then.
    asked = {commit: history(commit) or {} for commit in commits_to_ask(planned)[:_MOST_COMMITS]}
    return with_history(planned, asked)


def _with_vaults(
    groups: Mapping[str, DesiredGroup] | None, azure: Azure
) -> Mapping[str, DesiredGroup] | None:
    if groups is None or azure.vaults is None:
        return groups
    found = resolved(groups.values(), azure.vaults, workers=azure.workers)
    return {group.id.address: group for group in found}


def apply(
    planned: Plan,
    azure: Azure,
    *,
    commit: str,
    watcher: Watcher,
    interrupts: Callable[[], int] = lambda: 0,
    rollout: Rollout | None = None,
) -> Run:
    """What became of carrying out a plan.

    Raises:
        PlanRefused, SecretUnresolved: before anything was touched.
    """
    check_plan(planned)
    writer = _writer(azure, owner=planned.owner, commit=commit, watcher=watcher)
    return run(planned, writer, parallelism=azure.workers, interrupts=interrupts, rollout=rollout)


def release(group: GroupId, wanted: Wanted, azure: Azure, *, watcher: Watcher) -> LiveGroup:
    """The group once it is nobody's; it runs on as it is.

    Raises:
        PlanRefused: it is not ours, or Azure is still changing it.
        AzureError: Azure refused.
    """
    live = view(azure.cloud, group)
    ownership = Ownership.NOBODYS if live is None else ownership_of(live, wanted.owner)
    if live is None or ownership is not Ownership.OURS:
        found = "it does not exist" if live is None else f"it is {ownership.value}"
        raise PlanRefused(f"'{group}' is not released: {found}", hint="see 'aci-reconcile status'")
    if live.in_transition:
        raise PlanRefused(
            f"'{group}' is not released: it is in transition ({live.provisioning})",
            hint="run again when it has settled",
        )
    action = Action(kind=ActionKind.PATCH_TAGS, target=group, live=live, why="released")
    return released(action, _writer(azure, owner=wanted.owner, commit="", watcher=watcher))


def _writer(azure: Azure, *, owner: str, commit: str, watcher: Watcher) -> Writer:
    return Writer(
        cloud=azure.cloud,
        clock=azure.clock,
        pace=azure.pace,
        pacer=azure.pacer or Pacer(clock=azure.clock),
        owner=owner,
        key=azure.key,
        commit=commit,
        watcher=watcher,
    )


def teardown(wanted: Wanted, azure: Azure, *, resource_groups: bool) -> Plan:
    """What `destroy` would delete: every owned group, on request also our resource groups."""
    observed = observe(azure.cloud, wanted.scope)
    homes = _declared_and_live(wanted, observed, azure.cloud) if resource_groups else ()
    return build_teardown(
        owner=wanted.owner,
        subscription=wanted.subscription,
        live=observed.groups,
        resource_groups=homes,
        notes=observed.notes,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupStatus:
    """How one group stands: against git, and in itself."""

    target: Target
    sync: str
    live: LiveGroup | None
    why: str
    trouble: str = ""


def status(wanted: Wanted, azure: Azure) -> tuple[tuple[GroupStatus, ...], tuple[str, ...]]:
    """A line for each group that a manifest names or that we own, and notes on what was looked at.

    Costs one GET a live group.
    """
    observed = observe(azure.cloud, wanted.scope)
    asker = Asker(owner=wanted.owner, key=azure.key)
    named = {group.id.address for group in wanted.groups}
    ours = {
        live.id.address
        for live in observed.groups
        if live.id.address in named or ownership_of(live, wanted.owner) is Ownership.OURS
    }
    observed = _viewed(observed, ours, azure)
    planned = build_plan(_situation(wanted, observed, asker, Consent(), frozenset()))
    rows = [
        GroupStatus(
            target=action.target,
            sync=sync_of(action),
            live=action.live,
            why=standing_of(action),
            trouble=action.trouble,
        )
        for action in planned.actions
        if isinstance(action.target, GroupId)
    ]
    rows += [
        GroupStatus(target=orphan.live.id, sync="orphan", live=orphan.live, why=orphan.note)
        for orphan in planned.orphans
    ]
    return tuple(sorted(rows, key=lambda row: row.target.address)), planned.notes


def drift(
    wanted: Wanted,
    azure: Azure,
    *,
    history: History | None = None,
    previous: Previous | None = None,
) -> tuple[Plan, Drift]:
    """How Azure stands against what was last applied, with the plan that would mend it.

    Costs one GET a live group that a manifest names: LIST does not tell how a group is doing.
    `history` is as for `plan`; it is also asked whether a group that is not there was applied.

    Raises:
        AzureError: something could not be read.
    """
    observed = observe(azure.cloud, wanted.scope)
    asker, _ = _who_asks(wanted, azure, Consent(), observed)
    named = {group.id.address for group in wanted.groups}
    mine = {g.id.address for g in observed.groups if not _is_foreign(g, wanted.owner)} & named
    waiter = Waiter(cloud=azure.cloud, clock=azure.clock, pace=azure.pace)
    observed = settled(observed, mine, waiter, workers=azure.workers)
    observed = _viewed(observed, mine, azure)
    planned = build_plan(_situation(wanted, observed, asker, Consent(), frozenset()))
    then = _remembered(history)
    asked = {commit: then(commit) or {} for commit in commits_to_ask(planned)[:_MOST_COMMITS]}
    planned = with_history(planned, asked)
    applied: dict[str, frozenset[str] | None] = {}
    if any(is_absent(action, wanted.owner) for action in planned.actions):
        for number, commit in enumerate(commits_of(observed.groups, wanted.owner)):
            found = then(commit) if number < _MOST_COMMITS else None
            applied[commit] = None if found is None else frozenset(found)
    evidence = Evidence(
        live=observed.groups,
        applied=applied | {commit: frozenset(found) for commit, found in asked.items() if found},
        closed=observed.closed,
        is_bounded=observed.is_bounded,
        previous=previous,
    )
    return planned, drift_of(planned, evidence)


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


def named_group(name: str, wanted: Wanted, azure: Azure) -> GroupId:
    """The group a person means: of the manifests and of those we own in Azure.

    Raises:
        UsageError: none fits, or several do.
    """
    named = [group.id for group in wanted.groups]
    live = observe(azure.cloud, wanted.scope).groups
    owned = [g.id for g in live if ownership_of(g, wanted.owner) is Ownership.OURS]
    return find_group(name, [*named, *owned])


def logs(
    group: GroupId,
    azure: Azure,
    *,
    container: str | None,
    tail: int | None,
    timestamps: bool,
) -> tuple[tuple[str, str], ...]:
    """What one container, or each of a group, printed: pairs of name and text.

    Raises:
        UsageError: there is no such group in Azure, or no such container in it.
    """
    live = view(azure.cloud, group)
    if live is None:
        raise UsageError(f"group '{group}' does not exist in Azure", hint="apply it first")
    every = [one.name for one in live.containers]
    if container is not None and container not in every:
        raise UsageError(
            f"no container '{container}' in '{group}'", hint=f"there are: {', '.join(every)}"
        )
    names = (
        [container] if container is not None else [v.name for v in live.containers if not v.is_init]
    )
    return tuple(
        (name, azure.cloud.logs(group, name, tail=tail, timestamps=timestamps)) for name in names
    )


def _is_foreign(live: LiveGroup, owner: str) -> bool:
    return ownership_of(live, owner) is Ownership.FOREIGN


def _who_asks(
    wanted: Wanted, azure: Azure, consent: Consent, observed: Observed
) -> tuple[Asker, frozenset[str]]:
    named = [group.id for group in wanted.groups]
    asker = Asker(
        owner=wanted.owner,
        key=azure.key,
        adopt=_addresses(consent.adopt, named),
        replace=_addresses(consent.replace, named),
        retry=_addresses(consent.retry, named),
        rerun=_addresses(consent.rerun, named),
        rebaseline=_addresses(consent.rebaseline, named),
        compared=consent.compared,
    )
    candidates = _candidates(wanted, observed)
    return asker, left_out(candidates, select=consent.select, exclude=consent.exclude)


def _candidates(wanted: Wanted, observed: Observed) -> list[Candidate]:
    """What can be selected: what manifests name, and what we own besides."""
    found = {
        group.id.address: Candidate(id=group.id, tags=group.tags, file=group.where.file)
        for group in wanted.groups
    }
    for live in observed.groups:
        if ownership_of(live, wanted.owner) is Ownership.OURS:
            found.setdefault(live.id.address, Candidate(id=live.id, tags=live.tags))
    return list(found.values())


def _addresses(names: Iterable[str], candidates: Iterable[GroupId]) -> frozenset[str]:
    known = tuple(candidates)
    return frozenset(find_group(name, known).address for name in names)


def _situation(
    wanted: Wanted,
    observed: Observed,
    asker: Asker,
    consent: Consent,
    skipped: frozenset[str],
) -> Situation:
    return Situation(
        subscription=wanted.subscription,
        asker=asker,
        desired=wanted.groups,
        declared=wanted.resource_groups,
        live=observed.groups,
        resource_groups=observed.resource_groups,
        limits=wanted.limits,
        is_complete=wanted.is_complete and not (consent.select or consent.exclude),
        allow=consent.allow,
        left_out=skipped,
        asks_to_prune=consent.prune,
        notes=observed.notes,
    )


def _check_consent(planned: Plan, observed: Observed, wanted: Wanted, consent: Consent) -> None:
    created = {a.target.name.lower() for a in planned.actions if a.kind is ActionKind.CREATE}
    named = {group.id.address for group in wanted.groups}
    moves = sum(
        1
        for live in observed.groups
        if live.id.address not in named
        and live.id.name.lower() in created
        and ownership_of(live, wanted.owner) is Ownership.OURS
    )
    if excess := too_much_consent(planned, consent.allow, moves=moves):
        raise UsageError("; ".join(excess), hint="consent to what the plan shows")


def _declared_and_live(
    wanted: Wanted, observed: Observed, cloud: Cloud
) -> tuple[tuple[DesiredResourceGroup, LiveResourceGroup, tuple[Json, ...]], ...]:
    existing = {home.id.address: home for home in observed.resource_groups}
    return tuple(
        (declared, home, tuple(cloud.resources_in(home.id)))
        for declared in wanted.resource_groups
        if (home := existing.get(declared.id.address)) is not None
    )
