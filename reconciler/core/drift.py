"""How Azure stands against what was last applied, as findings by category.

The state tags remember what was last applied; `core.origin` tells from them who moved a group. A
manifest that is merged and not yet applied is `pending`, which is no drift.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from reconciler.core.ailments import Ailment, ailments_of
from reconciler.core.category import Category
from reconciler.core.diff import FieldChange, Origin, known_not_taken
from reconciler.core.evidence import Evidence, Seen, Standing, ip_of, is_absent, was_applied
from reconciler.core.groups import DesiredGroup, LiveGroup
from reconciler.core.ids import ResourceGroupId, Target
from reconciler.core.jsonval import pointer
from reconciler.core.moved import standings, tag_notes
from reconciler.core.normalise import NORMALISER_VERSION
from reconciler.core.ownership import OWNER_TAG, Ownership, StateTag, ownership_of, state_of, tag
from reconciler.core.plan import Action, ActionKind, Plan

_NAMED = 5  # fields named in a sentence


_RANK = {category: rank for rank, category in enumerate(Category)}
_OF_AILMENT = {
    Ailment.CRASH_LOOPING: Category.CRASH_LOOPING,
    Ailment.UNHEALTHY: Category.UNHEALTHY,
    Ailment.STOPPED: Category.STOPPED,
}
_OF_ONE_GROUP = frozenset({Category.CHANGED, *_OF_AILMENT.values()})
_OF_ALL_GROUPS = frozenset({Category.ORPHANED})


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftFinding:
    """One thing about one group. `key` stays the same for as long as the finding does.

    One that is not `is_certain` may be pending instead: that cannot be told, and the worse of the
    two is taken.
    """

    target: Target
    category: Category
    says: str
    key: str
    is_certain: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """What could not be looked at, and the categories that it leaves open."""

    says: str
    concerns: frozenset[Category]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """All findings, worst first, and what could not be told; `seen` is for the run after."""

    findings: tuple[DriftFinding, ...]
    untold: tuple[Untold, ...] = ()
    seen: tuple[Seen, ...] = ()

    def counted(self, fail_on: AbstractSet[Category]) -> tuple[DriftFinding, ...]:
        """The findings of the categories that count."""
        return tuple(one for one in self.findings if one.category in fail_on)

    def open(self, fail_on: AbstractSet[Category]) -> tuple[Untold, ...]:
        """What could not be told of the categories that count."""
        return tuple(one for one in self.untold if one.concerns & fail_on)


def drift_of(plan: Plan, evidence: Evidence) -> Drift:
    """The drift that a plan and what else is known tell; the plan's live groups have their views.

    The plan must be one that deletes nothing, so that every group of ours that no manifest names
    is among its orphans.
    """
    found = [one for action in plan.actions for one in _of_action(action, plan.owner, evidence)]
    found += [_finding(o.live.id, Category.ORPHANED, f"ours: {o.note}") for o in plan.orphans]
    found += _unmanaged(plan, evidence)
    untold = [one for action in plan.actions for one in _moving(action, plan.owner)]
    untold += [one for action in plan.actions for one in _unasked(action, plan.owner)]
    return Drift(
        findings=tuple(sorted(found, key=lambda f: (_RANK[f.category], f.target.address))),
        untold=(*untold, *_unread(evidence)),
        seen=tuple(sorted(_seen(plan, evidence), key=lambda one: one.address)),
    )


def _finding(
    target: Target, category: Category, says: str, *, detail: str = "", is_certain: bool = True
) -> DriftFinding:
    key = " ".join(part for part in (target.address, category.value, detail) if part)
    return DriftFinding(target=target, category=category, says=says, key=key, is_certain=is_certain)


def address_of(key: str) -> str:
    """The address of what a finding with that key is about."""
    return key.partition(" ")[0]


def _of_action(action: Action, owner: str, evidence: Evidence) -> Iterator[DriftFinding]:
    live, desired = action.live, action.desired
    if desired is None or isinstance(action.target, ResourceGroupId):
        if action.is_pending:
            yield _finding(action.target, Category.PENDING, _pending(action))
        return
    if live is None:
        yield _absent(action, evidence)
        return
    ownership = ownership_of(live, owner)
    if ownership is Ownership.UNREADABLE:
        says = "its state tag is gone or cannot be read: what was last applied is not known"
        yield _changed(action, says)
    elif ownership is not Ownership.OURS:
        yield from _taken_away(action, live, ownership, evidence)
    elif not live.in_transition:
        yield from _moved(action, desired, live, evidence)
        yield from _images(action, desired, live)
        yield from _health(action, desired, live, evidence)


def _images(action: Action, desired: DesiredGroup, live: LiveGroup) -> Iterator[DriftFinding]:
    """The tags that have moved, where registries were asked."""
    for one in standings(desired, live, state_of(live)):
        if one.has_moved:
            detail = f"{one.container} {one.lookup.digest.partition(':')[2][:16]}"
            says = f"its tag has moved: {one}"
            yield _finding(action.target, Category.IMAGE_MOVED, says, detail=detail)


def without_told(plan: Plan) -> Plan:
    """`plan` without the notes on images that are findings, or told to be open."""
    return replace(
        plan, actions=tuple(_without_told(action, plan.owner) for action in plan.actions)
    )


def _without_told(action: Action, owner: str) -> Action:
    desired, live = action.desired, action.live
    if desired is None or live is None or ownership_of(live, owner) is not Ownership.OURS:
        return action
    told = {*tag_notes(desired, live, state_of(live), deploys=action.deploys)}
    return replace(action, notes=tuple(note for note in action.notes if note not in told))


def _changed(action: Action, says: str, *, is_certain: bool = True) -> DriftFinding:
    # With what is live: another change of the same group is another finding.
    detail = action.effect.live.removeprefix("sha256:")[:16]
    return _finding(action.target, Category.CHANGED, says, detail=detail, is_certain=is_certain)


def _pending(action: Action) -> str:
    verb = "refuses it" if action.kind is ActionKind.REFUSE else f"is to {action.kind.value} it"
    return f"the next apply {verb}: {action.why}"


# Groups that are not there


def _absent(action: Action, evidence: Evidence) -> DriftFinding:
    known, why = was_applied(action.address, evidence)
    if known is False:
        return _finding(action.target, Category.PENDING, f"not applied yet: {why}")
    is_certain = known is True
    says = f"it is gone: {why}" if is_certain else f"it is not there: {why}"
    return _finding(action.target, Category.MISSING, says, is_certain=is_certain)


def _taken_away(
    action: Action, live: LiveGroup, ownership: Ownership, evidence: Evidence
) -> Iterator[DriftFinding]:
    """A manifest names it, and by its tags it is not ours."""
    whose = {
        Ownership.COPIED: "it carries the tags of another group",
        Ownership.FOREIGN: f"its owner tag names '{tag(live.tags, OWNER_TAG)}'",
    }.get(ownership, "it has no owner tag")
    known, why = was_applied(action.address, evidence)
    if known is False:
        yield _finding(action.target, Category.PENDING, _pending(action))
        if ownership is not Ownership.FOREIGN:
            says = f"{whose}; a manifest names it: not applied yet"
            yield _finding(action.target, Category.UNMANAGED, says)
        return
    yield _changed(action, f"{whose}: {why}", is_certain=known is True)


# Groups of ours


def _moved(
    action: Action, desired: DesiredGroup, live: LiveGroup, evidence: Evidence
) -> Iterator[DriftFinding]:
    """Who moved a group of ours: Azure, the manifest, both; uncertain is taken for Azure."""
    state = state_of(live)
    assert state is not None  # what makes it ours
    lost = known_not_taken(action.diff.changes, state)
    left = [change for change in action.diff.changes if change.path in lost]
    changes = [change for change in action.diff.changes if change.path not in lost]
    origins = {action.origin, *(change.origin for change in changes)}
    unknown = [change for change in changes if change.origin is Origin.UNKNOWN]
    if lost and not (changes and origins & {Origin.DRIFT, Origin.BOTH}):
        # Nobody moved it, and yet it is not what was applied.
        yield _changed(action, f"Azure did not take {_fields(left)} when it was written last")
    if not changes:
        if not lost and action.is_pending and not _is_ailing(action, desired):
            yield _finding(action.target, Category.PENDING, _pending(action))
        return
    if origins & {Origin.DRIFT, Origin.BOTH}:
        drifted = [c for c in changes if c.origin in (Origin.DRIFT, Origin.BOTH)] or changes
        also = "; the manifest was changed, too" if Origin.BOTH in origins else ""
        yield _changed(action, f"changed in Azure: {_fields(drifted)}{also}")
    elif unknown and not lost:
        why = _why_unknown(state, evidence)
        says = f"differs in {_fields(unknown)}; whether Azure or the manifest moved: {why}"
        yield _changed(action, says, is_certain=False)
    if origins & {Origin.CONFIG, Origin.BOTH}:
        yield _finding(action.target, Category.PENDING, _pending(action))


def _is_ailing(action: Action, desired: DesiredGroup) -> bool:
    """Whether the action is about how the group is doing, and not about its definition."""
    if action.diff or action.live is None:
        return False
    is_about_health = action.kind in (ActionKind.REFUSE, ActionKind.UPDATE)
    return is_about_health and any(ailments_of(desired, action.live))


def _fields(changes: Sequence[FieldChange]) -> str:
    more = f" and {len(changes) - _NAMED} more" if len(changes) > _NAMED else ""
    return ", ".join(pointer(change.path) for change in changes[:_NAMED]) + more


def _why_unknown(state: StateTag, evidence: Evidence) -> str:
    if state.hash_version != NORMALISER_VERSION:
        return "cannot be told, it was last applied by another version"
    if not state.commit:
        return "cannot be told, the applied commit is not known"
    if evidence.applied.get(state.commit) is None:
        return f"cannot be told, git has not got the applied commit {state.commit}"
    return f"cannot be told, also not by the applied commit {state.commit}"


def _health(
    action: Action, desired: DesiredGroup, live: LiveGroup, evidence: Evidence
) -> Iterator[DriftFinding]:
    before = evidence.previous.seen.get(action.address) if evidence.previous else None
    restarts = before.restarts if before is not None else None
    for ailment, says in ailments_of(desired, live, restarts_before=restarts):
        yield _finding(action.target, _OF_AILMENT[ailment], says)
    ip = ip_of(live)
    if before is not None and before.ip and ip and ip != before.ip:
        says = f"its IP address was {before.ip} in the run before and is {ip}"
        yield _finding(action.target, Category.ADDRESS_MOVED, says, detail=ip)


# What no manifest names


def _unmanaged(plan: Plan, evidence: Evidence) -> Iterator[DriftFinding]:
    """Nobody's groups in the resource groups of our manifests, where we know all of these."""
    if not plan.is_complete:
        return
    named = {action.address for action in plan.actions}
    homes = {
        target.address if isinstance(target, ResourceGroupId) else target.parent.address
        for target in (action.target for action in plan.actions)
    }
    for live in evidence.live:
        if live.id.address in named or live.id.parent.address not in homes:
            continue
        ownership = ownership_of(live, plan.owner)
        if ownership in (Ownership.NOBODYS, Ownership.COPIED, Ownership.UNREADABLE):
            says = f"{ownership.value}, and no manifest names it"
            yield _finding(live.id, Category.UNMANAGED, says)


# What could not be told, and what is kept for the run after


def _moving(action: Action, owner: str) -> Iterator[Untold]:
    live = action.live
    if live is None or not live.in_transition or ownership_of(live, owner) is Ownership.FOREIGN:
        return
    says = f"{action.target}: in transition (provisioning state {live.provisioning}), not compared"
    yield Untold(says=says, concerns=_OF_ONE_GROUP)


def _unasked(action: Action, owner: str) -> Iterator[Untold]:
    """The images of which the registry did not tell what they are, or nothing what runs."""
    desired, live = action.desired, action.live
    if desired is None or live is None or ownership_of(live, owner) is not Ownership.OURS:
        return
    for one in standings(desired, live, state_of(live)):
        if not one.is_known:
            why = one.lookup.reason or "nothing tells which image runs"
            says = f"{action.target}: image of {one.container} not compared: {why}"
            yield Untold(says=says, concerns=frozenset({Category.IMAGE_MOVED}))


def _unread(evidence: Evidence) -> Iterator[Untold]:
    if evidence.closed:
        names = ", ".join(evidence.closed)
        yield Untold(
            says=f"not allowed to look at resource groups {names}", concerns=_OF_ALL_GROUPS
        )
    elif evidence.is_bounded:
        says = "the subscription may not be listed: groups of ours elsewhere are not seen"
        yield Untold(says=says, concerns=_OF_ALL_GROUPS)


def _seen(plan: Plan, evidence: Evidence) -> Iterator[Seen]:
    known = evidence.previous.seen if evidence.previous is not None else {}
    for action in plan.actions:
        if isinstance(action.target, ResourceGroupId):
            continue
        before = known.get(action.address)
        ip = before.ip if before is not None else ""
        live = action.live
        if live is not None and not is_absent(action, plan.owner):
            # A stopped group has no address; the last one is compared with once it runs again.
            yield Seen(address=action.address, ip=ip_of(live) or ip, restarts=live.restarts)
            continue
        was_ours, _ = was_applied(action.address, evidence)
        if was_ours is not False:
            standing = Standing.LOST if was_ours else Standing.UNSURE
            yield Seen(address=action.address, standing=standing, ip=ip)
    if not plan.is_complete:
        looked_at = {action.address for action in plan.actions}
        yield from (one for address, one in known.items() if address not in looked_at)
