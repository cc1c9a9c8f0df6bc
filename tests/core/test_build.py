"""From everything read to a plan: one action a target, orphans, and the safety rails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.finding import Mark, Position
from reconciler.core.groups import Replace
from reconciler.core.ownership import address_digest
from reconciler.core.policy import Limits, Prune
from reconciler.core.rails import too_much_consent
from tests.core.given import (
    ANYTHING_GOES,
    asker,
    body_of,
    declared,
    kinds,
    of,
    owned,
    plan_for,
    resource_group,
    unowned,
    wanted,
    with_state,
)
from tests.strategies import group_id

REPORT = replace(ANYTHING_GOES, prune=Prune.REPORT)
DEFAULTS = Limits(prune=Prune.DELETE)


def group(name, **more):
    return wanted(name=name, **more)


def ours(*names, **more):
    return [owned(group(name), **more) for name in names]


def test_orphans_are_reported_by_default_and_are_no_pending_change():
    plan = plan_for([group("web")], ours("web", "old"), limits=REPORT)

    assert kinds(plan) == {"web": "no-op"}
    assert [(orphan.live.id.name, orphan.note) for orphan in plan.orphans] == [
        ("old", "no manifest names it")
    ]
    assert not plan.has_changes


def test_orphans_are_deleted_when_asked():
    plan = plan_for([group("web")], ours("web", "old"))

    assert kinds(plan) == {"web": "no-op", "old": "delete"}
    assert plan.has_changes and plan.orphans == ()


def test_orphans_are_found_in_any_resource_group():
    far = owned(wanted(name="old", home="rg-else"))

    assert kinds(plan_for([group("web")], [*ours("web"), far])) == {"web": "no-op", "old": "delete"}


def test_a_partial_scope_removes_and_reports_nothing():
    plan = plan_for([group("web")], ours("web", "old"), is_complete=False)

    assert kinds(plan) == {"web": "no-op"}
    assert plan.orphans == ()
    assert plan.notes == ("partial scope: orphans were not looked for, nothing is removed",)
    assert not plan.is_complete


def test_an_empty_manifest_set_removes_nothing():
    plan = plan_for([], ours("web", "old"))

    assert plan.actions == ()
    assert [orphan.live.id.name for orphan in plan.orphans] == ["old", "web"]
    assert plan.notes == ("no manifests at all: nothing is removed; see 'destroy'",)


@pytest.mark.parametrize("owner", ["else", "shop/prod", "sho"])
def test_no_plan_deletes_a_group_of_another_owner(owner):
    theirs = owned(group("old"), owner=owner)

    plan = plan_for([group("web")], [*ours("web"), theirs])

    assert kinds(plan) == {"web": "no-op"}


def test_prune_never_follows_a_copy_of_our_tags():
    copy = replace(unowned(group("old")), tags=owned(group("web")).tags)

    assert kinds(plan_for([group("web")], [*ours("web"), copy])) == {"web": "no-op"}


def test_prune_leaves_a_group_whose_state_cannot_be_read():
    broken = with_state(owned(group("old")), "garbage")

    assert kinds(plan_for([group("web")], [*ours("web"), broken])) == {"web": "no-op"}


def test_a_protected_orphan_is_refused():
    plan = plan_for([group("web")], [*ours("web"), owned(group("old", protect=True))])

    assert kinds(plan)["old"] == "refuse"
    assert of(plan, "old").why == "ours, and no manifest names it, but it is protected"
    assert plan.is_blocked


def test_an_orphan_whose_protection_cannot_be_read_is_refused():
    """A newer version of the tool may have protected it in a way this one cannot read."""
    newer = with_state(owned(group("old")), f"2;{address_digest(group_id('old'))};whatever")

    assert kinds(plan_for([group("web")], [*ours("web"), newer]))["old"] == "refuse"


def test_an_orphan_in_transition_is_left_until_it_settles():
    plan = plan_for([group("web")], [*ours("web"), *ours("old", provisioning="Deleting")])

    assert kinds(plan) == {"web": "no-op"}
    assert plan.orphans[0].note.startswith("in transition (provisioning state Deleting)")


def moved(*names):
    """Groups of ours in one resource group whose manifests now say another one."""
    old = [owned(wanted(name=name, home="rg-old")) for name in names]
    return [group(name) for name in names], old


def test_a_move_is_reported_and_not_deleted_without_consent():
    desired, live = moved("web")

    plan = plan_for(desired, live)

    assert kinds(plan) == {"web": "create"}
    assert plan.orphans[0].note.endswith("delete the old one with --allow move=1")
    assert plan_for(desired, live, limits=REPORT).orphans[0].note.endswith("elsewhere: a move")


def test_consent_to_fewer_moves_is_consent_to_none():
    desired, live = moved("web", "api")

    assert [a.kind.value for a in plan_for(desired, live, allow={"move": 1}).actions] == [
        "create"
    ] * 2
    assert sorted(a.kind.value for a in plan_for(desired, live, allow={"move": 2}).actions) == [
        "create",
        "create",
        "delete",
        "delete",
    ]


def test_a_move_into_a_missing_resource_group_deletes_nothing():
    desired, live = moved("web")

    plan = plan_for(desired, live, homes=())

    assert kinds(plan) == {"web": "refuse"}
    assert len(plan.orphans) == 1
    left_out = plan_for(desired, live, homes=(), left_out=frozenset({desired[0].id.address}))
    assert (left_out.actions, len(left_out.orphans)) == ((), 1)


def many(number, *, gone):
    names = [f"g{i:02}" for i in range(number)]
    return [group(name) for name in names[gone:]], ours(*names)


def rules(plan):
    return [rail.rule for rail in plan.rails]


RAILS = [
    ("one of two is no share", 2, 1, DEFAULTS, {}, []),
    ("two are above maxDeletes", 20, 2, DEFAULTS, {}, ["maxDeletes"]),
    ("and above the share", 5, 2, DEFAULTS, {}, ["maxDeletes", "maxDeletePercent"]),
    ("the share alone", 5, 2, replace(DEFAULTS, max_deletes=9), {}, ["maxDeletePercent"]),
    ("exactly the share", 10, 2, replace(DEFAULTS, max_deletes=9), {}, []),
    ("consent covers both", 5, 2, DEFAULTS, {"delete": 2}, []),
    (
        "too little consent covers none",
        5,
        3,
        DEFAULTS,
        {"delete": 2},
        ["maxDeletes", "maxDeletePercent"],
    ),
    ("no deletes at all allowed", 5, 1, replace(DEFAULTS, max_deletes=0), {}, ["maxDeletes"]),
]


@pytest.mark.parametrize(
    ("why", "number", "gone", "limits", "allow", "rails"), RAILS, ids=[r[0] for r in RAILS]
)
def test_rails_for_deletes(why, number, gone, limits, allow, rails):
    desired, live = many(number, gone=gone)

    plan = plan_for(desired, live, limits=limits, allow=allow)

    assert rules(plan) == rails
    assert plan.is_blocked == bool(rails)
    assert plan.owned == number


def test_a_rail_says_what_where_and_how_to_consent():
    desired, live = many(5, gone=2)
    where = {"maxDeletes": Position(file="aci-reconcile.yaml", mark=Mark(3, 5))}

    first, second = plan_for(desired, live, limits=replace(DEFAULTS, where=where)).rails

    assert first.says == "2 groups to delete, the limit is 1 (aci-reconcile.yaml:3:5)"
    assert second.says == "2 of 5 groups (40 %) would be deleted, the limit is 20 % (default)"
    assert {first.allow, second.allow} == {"--allow delete=2"}


def test_rails_for_replaces_leave_out_those_consented_to_by_name():
    desired = [
        group(n, body=body_of(sku="Dedicated"), replace=Replace.ALLOW) for n in ("api", "web")
    ]
    live = ours("api", "web")

    assert rules(plan_for(desired, live, limits=DEFAULTS)) == ["maxReplaces"]
    assert rules(plan_for(desired, live, limits=replace(DEFAULTS, max_replaces=2))) == []
    assert rules(plan_for(desired, live, limits=DEFAULTS, allow={"replace": 2})) == []
    named = asker(replace=[group("api").id])
    assert (
        plan_for(desired, live, limits=DEFAULTS, who=named)
        .rails[0]
        .says.startswith("1 group to replace")
    )


def test_consent_to_more_than_the_plan_holds_was_given_for_another_plan():
    desired, live = many(5, gone=2)
    plan = plan_for(desired, live)

    assert too_much_consent(plan, {"delete": 2}, moves=0) == ()
    assert too_much_consent(plan, {"delete": 3, "move": 1, "replace": 0}, moves=0) == (
        "--allow delete=3 consents to more than the 2 this plan holds",
        "--allow move=1 consents to more than the 0 this plan holds",
    )


def test_a_declared_resource_group_is_created_before_its_groups():
    plan = plan_for([group("web")], declared=(declared(),), homes=())

    assert kinds(plan) == {"rg-shop": "create", "web": "create"}
    assert of(plan, "web").after == (declared().id.address,)


def test_an_existing_resource_group_is_no_pending_change():
    plan = plan_for([group("web")], ours("web"), declared=(declared(),))

    assert kinds(plan) == {"rg-shop": "no-op", "web": "no-op"}
    assert not plan.has_changes


def test_a_group_without_a_home_is_refused():
    plan = plan_for([group("web")], homes=())

    assert of(plan, "web").why == "resource group 'rg-shop' does not exist"
    assert plan.refusals == plan.actions


def without_location():
    body = body_of()
    del body["location"]
    return body


def test_a_group_lies_where_its_resource_group_lies_unless_it_says_otherwise():
    desired = group("web", body=without_location())

    plan = plan_for([desired], homes=(resource_group(location="eastus"),))

    assert of(plan, "web").desired.location == "eastus"
    stated = plan_for([group("web")], homes=(resource_group(location="eastus"),))
    assert of(stated, "web").desired.location == "westeurope"


def test_a_group_stays_where_it_is_when_its_resource_group_could_not_be_read():
    """The resource group is missing from what was listed, not from Azure: a group lives in it."""
    plan = plan_for([group("web", body=without_location())], ours("web"), homes=())

    assert kinds(plan) == {"web": "no-op"}


def test_what_was_excluded_is_neither_planned_nor_removed():
    left_out = frozenset({group_id("web").address, group_id("old").address})

    plan = plan_for([group("web"), group("api")], ours("web", "old"), left_out=left_out)

    assert kinds(plan) == {"api": "create"}
    assert plan.orphans == ()


def test_a_plan_counts_and_blocks():
    plan = plan_for([group("web"), group("api", body=body_of(sku="Dedicated"))], ours("api"))

    assert {kind.value: number for kind, number in plan.counts.items()} == {
        "create": 1,
        "refuse": 1,
    }
    assert plan.is_blocked and plan.has_changes


def test_the_digest_is_of_the_effects():
    same = plan_for([group("web")], ours("web"))
    other = plan_for([group("web", body=body_of("nginx:2"))], ours("web"))

    assert same.digest == plan_for([group("web")], ours("web")).digest
    assert same.digest != other.digest
    assert same.digest.startswith("sha256:")


def test_a_group_that_was_listed_twice_counts_once():
    """Pages shift while they are read."""
    plan = plan_for([group("web")], [*ours("web"), *ours("web")])

    assert (kinds(plan), plan.owned) == ({"web": "no-op"}, 1)


def test_notes_of_the_reader_come_first():
    plan = plan_for([group("web")], is_complete=False, notes=("looked only at rg-shop",))

    assert plan.notes[0] == "looked only at rg-shop"
