"""Properties of whole plans: total, sorted, independent of order, safe, and then empty."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.groups import Replace
from reconciler.core.ownership import OWNER_TAG, Ownership, ownership_of, state_of
from reconciler.core.plan import ActionKind
from reconciler.core.policy import Limits, Prune
from tests.core.given import (
    KEY,
    OWNER,
    applied,
    asker,
    owned,
    plan_for,
    rarely,
    resource_group,
    tagged,
)
from tests.strategies import HOME, NAMES, bodies, desired_groups, live_groups

_HOMES = (HOME, "rg-two")
_limits = st.builds(
    Limits,
    prune=st.sampled_from(Prune),
    max_deletes=st.integers(0, 3),
    max_delete_percent=st.integers(0, 100),
    max_replaces=st.integers(0, 3),
)


@st.composite
def situations(draw):
    """Some manifests, and live groups of every kind of owner, some of them once applied by us."""
    desired, live = [], []
    for home in _HOMES:
        for name in draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=3)):
            manifest = draw(desired_groups(name, home))
            whose = draw(
                st.sampled_from(
                    ["absent", "ours", "moved", "foreign", "copied", "nobody", "broken"]
                )
            )
            if whose != "absent":
                live.append(draw(_live(manifest, whose)))
            if whose == "absent" or draw(st.integers(0, 2)):
                desired.append(manifest)
    return desired, live


@st.composite
def _live(draw, manifest, whose):
    found = draw(live_groups(manifest.id.name, manifest.id.resource_group))
    if whose == "ours":
        return owned(manifest)
    if whose == "moved":
        before = owned(replace(manifest, tags={"stage": "old"}))
        return replace(found, tags={**found.tags, **before.tags})
    if whose == "copied":
        other = replace(manifest, id=replace(manifest.id, name="another"))
        return replace(found, tags={**found.tags, **owned(other).tags})
    if whose == "foreign":
        return replace(found, tags={**found.tags, **owned(manifest, owner="shop/prod").tags})
    return tagged(found, OWNER, "garbage") if whose == "broken" else found


def plan(desired, live, **more):
    return plan_for(desired, live, homes=[resource_group(name) for name in _HOMES], **more)


@rarely
@given(situations(), _limits, st.booleans())
def test_a_plan_is_total_sorted_and_names_each_target_once(situation, limits, complete):
    desired, live = situation

    found = plan(desired, live, limits=limits, is_complete=complete)

    addresses = [action.address for action in found.actions]
    assert addresses == sorted(set(addresses))
    assert {group.id.address for group in desired} <= set(addresses)
    assert all(set(action.after) | set(action.behind) <= set(addresses) for action in found.actions)


@rarely
@given(situations(), _limits, st.randoms(use_true_random=False))
def test_a_plan_does_not_depend_on_the_order_of_what_was_read(situation, limits, random):
    desired, live = situation
    before = plan(desired, live, limits=limits)
    random.shuffle(desired)
    random.shuffle(live)

    after = plan(desired, live, limits=limits)

    assert after == before
    assert after.digest == before.digest


@rarely
@given(situations(), st.data())
def test_no_plan_touches_what_is_not_ours(situation, data):
    desired, live = situation
    named = [group.id for group in desired]
    who = asker(adopt=named, replace=named)

    found = plan(desired, live, who=who)

    for action in found.actions:
        if action.live is None:
            continue
        whose = ownership_of(action.live, OWNER)
        if whose is Ownership.FOREIGN:
            assert action.kind is ActionKind.REFUSE
        if action.kind is ActionKind.DELETE:
            assert whose is Ownership.OURS


@rarely
@given(situations())
def test_without_consent_only_what_is_ours_is_written(situation):
    desired, live = situation
    desired = [
        replace(d, policy=replace(d.policy, adopt=type(d.policy.adopt).IDENTICAL)) for d in desired
    ]

    for action in plan(desired, live).actions:
        if action.live is not None and ownership_of(action.live, OWNER) is not Ownership.OURS:
            assert action.kind in (ActionKind.ADOPT, ActionKind.NO_OP, ActionKind.REFUSE)


@rarely
@given(situations())
def test_nothing_is_replaced_without_leave_and_nothing_protected_goes(situation):
    desired, live = situation

    for action in plan(desired, live, allow={"move": 9}).actions:
        if action.kind is ActionKind.REPLACE:
            assert action.desired.policy.replace is Replace.ALLOW
            assert not action.desired.policy.protect
        if action.kind is ActionKind.DELETE:
            assert not state_of(action.live).protect


@rarely
@given(situations())
def test_nothing_is_removed_from_a_partial_or_empty_set(situation):
    desired, live = situation

    for found in (plan(desired, live, is_complete=False), plan([], live)):
        assert ActionKind.DELETE not in found.counts


@rarely
@given(situations())
def test_a_no_op_never_hides_a_difference(situation):
    desired, live = situation

    for action in plan(desired, live).actions:
        if action.kind is ActionKind.NO_OP:
            assert not action.diff or action.live.in_transition


@rarely
@given(situations())
def test_after_an_apply_the_next_plan_is_empty(situation):
    """Refused groups are excluded, as a person would do to go on; transitions end by themselves."""
    desired, live = situation
    first = plan(desired, live, allow={"move": 9})
    refused = frozenset(action.address for action in first.refusals)
    there = {group.id.address: group for group in live}
    first = plan(desired, live, allow={"move": 9}, left_out=refused)
    if first.is_blocked:
        return
    for action in first.actions:
        there[action.address] = applied(action, key=KEY)
    after = [group for group in there.values() if group is not None]

    second = plan(desired, after, allow={"move": 9}, left_out=refused)

    assert {action.kind for action in second.actions} <= {ActionKind.NO_OP}


@rarely
@given(desired_groups(), bodies)
def test_protection_outlives_the_manifest(desired, body):
    """Protect an unchanged group, apply, delete its manifest, apply with pruning: refused."""
    unprotected = replace(desired, policy=replace(desired.policy, protect=False))
    protected = replace(desired, policy=replace(desired.policy, protect=True))
    live = owned(unprotected)

    remembered = applied(plan([protected], [live]).actions[0])
    other = replace(protected, id=replace(protected.id, name="other"))
    found = plan([other], [remembered, owned(other)])

    kinds = {action.target.name: action.kind for action in found.actions}
    assert kinds[desired.id.name] is ActionKind.REFUSE
    assert remembered.tags[OWNER_TAG] == OWNER
