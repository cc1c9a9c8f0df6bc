"""From what git says and what Azure holds to a plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.app.asked import MOST_COMMITS, Azure, Consent, History, Wanted, with_members
from reconciler.app.place import misplaced, unseen
from reconciler.core.asker import Asker
from reconciler.core.build import Situation, build_plan
from reconciler.core.fallback import commits_to_restore, with_fallbacks
from reconciler.core.groups import (
    DesiredGroup,
    LiveGroup,
)
from reconciler.core.ids import GroupId
from reconciler.core.names import find_group
from reconciler.core.origin import commits_to_ask, with_history
from reconciler.core.ownership import Ownership, SecretKey, ownership_of
from reconciler.core.plan import ActionKind, Plan
from reconciler.core.rails import too_much_consent
from reconciler.core.selection import Candidate, left_out
from reconciler.errors import UsageError
from reconciler.execute.observe import (
    Observed,
    observe,
    settled,
    with_views,
)
from reconciler.execute.secrets import resolved
from reconciler.execute.wait import Waiter


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
    if (rail := misplaced(wanted, azure)) is not None:
        return unseen(wanted, rail)
    observed = observe(azure.cloud, wanted.scope)
    asker, skipped = who_asks(wanted, azure.key, consent, observed)
    if settles:
        waiter = Waiter(cloud=azure.cloud, clock=azure.clock, pace=azure.pace)
        foreign = {g.id.address for g in observed.groups if is_foreign(g, wanted.owner)}
        ours = {group.id.address for group in wanted.groups} - skipped - foreign
        observed = settled(observed, ours, waiter, workers=azure.workers)
    observed = with_views(azure.cloud, observed, wanted.groups, asker, workers=azure.workers)
    wanted = with_members(wanted, observed, azure)
    planned = made(wanted, observed, asker, consent, skipped)
    return explained(planned, history, applied and _with_secrets(applied, azure))


def made(
    wanted: Wanted,
    observed: Observed,
    asker: Asker,
    consent: Consent,
    skipped: frozenset[str],
) -> Plan:
    """The plan, its labels apart.

    Raises:
        UsageError: consent exceeds it.
    """
    planned = build_plan(situation(wanted, observed, asker, consent, skipped))
    if consent.compared is None:  # what was reviewed was agreed to when that plan was made
        _check_consent(planned, observed, wanted, consent)
    return planned


def explained(planned: Plan, history: History | None, applied: History | None) -> Plan:
    """`planned` with what only earlier commits tell."""
    if applied is not None and (commits := commits_to_restore(planned)):
        planned = with_fallbacks(planned, {c: applied(c) for c in commits})
    else:
        planned = with_fallbacks(planned, {})
    if history is None:
        return planned
    # Each commit costs a reading of all manifests as they were then.
    asked = {commit: history(commit) or {} for commit in commits_to_ask(planned)[:MOST_COMMITS]}
    return with_history(planned, asked)


def _with_secrets(applied: History, azure: Azure) -> History:
    """The same with the secrets that lie in Azure."""

    def at(commit: str) -> Mapping[str, DesiredGroup] | None:
        groups = applied(commit)
        if groups is None:
            return None
        found = resolved(groups.values(), azure.sources, workers=azure.workers)
        return {group.id.address: group for group in found}

    return at


def is_foreign(live: LiveGroup, owner: str) -> bool:
    """Whether somebody else owns it."""
    return ownership_of(live, owner) is Ownership.FOREIGN


def who_asks(
    wanted: Wanted, key: SecretKey | None, consent: Consent, observed: Observed
) -> tuple[Asker, frozenset[str]]:
    """Who asks and what for, with the addresses of the groups that are left out.

    Raises:
        UsageError: a name fits nothing or several groups.
    """
    named = [group.id for group in wanted.groups]
    asker = Asker(
        owner=wanted.owner,
        key=key,
        adopt=_addresses(consent.adopt, named),
        replace=_addresses(consent.replace, named),
        retry=_addresses(consent.retry, named),
        rerun=_addresses(consent.rerun, named),
        rebaseline=_addresses(consent.rebaseline, named),
        compared=consent.compared,
        take_from=consent.take_from,
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


def situation(
    wanted: Wanted,
    observed: Observed,
    asker: Asker,
    consent: Consent,
    skipped: frozenset[str],
) -> Situation:
    """Everything that a plan is made of."""
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
        is_selection=bool(consent.select),
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
