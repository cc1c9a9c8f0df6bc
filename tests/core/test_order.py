"""Which action waits for which: homes, `dependsOn`, DNS labels handed over, removals last."""

from __future__ import annotations

import itertools

import pytest

from reconciler.core.groups import Replace
from reconciler.core.order import label_of, ordered
from reconciler.core.plan import Action, ActionKind
from tests.core.given import body_of, kinds, of, owned, plan_for, public, unowned, wanted
from tests.strategies import group_id


def labelled(name, label, image="nginx:1", **more):
    address = {} if label is None else {"ipAddress": public(label)}
    return wanted(body_of(image, **address), name, **more)


def address(name):
    return group_id(name).address


def waits(plan, name):
    return of(plan, name).after


def test_an_action_waits_for_what_it_depends_on():
    web = wanted(name="web", depends_on=(group_id("db"), group_id("elsewhere")))

    plan = plan_for([web, wanted(name="db")])

    assert waits(plan, "web") == (address("db"),)
    assert waits(plan, "db") == ()


def test_a_label_passes_from_an_update_to_a_create():
    live = [owned(labelled("web", "shop"))]

    plan = plan_for([labelled("web", "shop-old"), labelled("new", "shop")], live)

    assert kinds(plan) == {"web": "update", "new": "create"}
    assert (waits(plan, "new"), waits(plan, "web")) == ((address("web"),), ())


def test_a_label_passes_from_a_delete_which_then_does_not_run_last():
    live = [owned(labelled("old", "shop")), owned(wanted(name="gone"))]

    plan = plan_for([labelled("new", "shop")], live)

    assert waits(plan, "new") == (address("old"),)
    assert of(plan, "old").behind == ()
    assert of(plan, "gone").behind == (address("new"),)


def test_removals_run_after_everything_else():
    plan = plan_for(
        [wanted(name="new"), wanted(name="web")], [owned(wanted(name=n)) for n in ("web", "old")]
    )

    assert of(plan, "old").behind == (address("new"),)


def test_swapped_labels_are_refused_with_the_way_out_in_two_steps():
    live = [owned(labelled("a", "one")), owned(labelled("b", "two"))]

    plan = plan_for([labelled("a", "two"), labelled("b", "one")], live)

    assert kinds(plan) == {"a": "refuse", "b": "refuse"}
    for name in "ab":
        assert "wait for each other" in of(plan, name).why
        assert of(plan, name).allow.startswith(
            "apply in two steps: give one of them a label nobody uses"
        )


def test_the_first_of_the_two_steps_is_a_plan():
    live = [owned(labelled("a", "one")), owned(labelled("b", "two"))]

    plan = plan_for([labelled("a", "free-one"), labelled("b", "one")], live)

    assert kinds(plan) == {"a": "update", "b": "update"}
    assert waits(plan, "b") == (address("a"),)


def test_three_labels_that_go_round_are_refused():
    live = [owned(labelled(n, label)) for n, label in (("a", "one"), ("b", "two"), ("c", "three"))]

    plan = plan_for([labelled("a", "two"), labelled("b", "three"), labelled("c", "one")], live)

    assert set(kinds(plan).values()) == {"refuse"}


def test_a_label_against_depends_on_is_refused():
    live = [owned(labelled("a", "one"))]
    giver = labelled("a", "other", depends_on=(group_id("b"),))

    assert kinds(plan_for([giver, labelled("b", "one")], live)) == {"a": "refuse", "b": "refuse"}


HOLDERS = [
    ("a group of ours that keeps it", [labelled("a", "shop")], owned(labelled("a", "shop"))),
    ("somebody else's", [], owned(labelled("a", "shop"), owner="else")),
    ("nobody's", [], unowned(labelled("a", "shop"))),
    (
        "one that only changes its image",
        [labelled("a", "shop", "nginx:2")],
        owned(labelled("a", "shop")),
    ),
    (
        "one in transition",
        [labelled("a", "other")],
        owned(labelled("a", "shop"), provisioning="Updating"),
    ),
]


@pytest.mark.parametrize(("why", "manifests", "holder"), HOLDERS, ids=[h[0] for h in HOLDERS])
def test_a_label_that_stays_with_its_holder_is_refused(why, manifests, holder):
    plan = plan_for([*manifests, labelled("new", "shop")], [holder])

    assert of(plan, "new").kind is ActionKind.REFUSE
    assert of(plan, "new").why == "DNS label 'shop' is held by 'rg-shop/a' and stays with it"


def test_a_label_of_an_orphan_that_is_only_moved_is_refused():
    old = owned(labelled("web", "shop", home="rg-old"))

    assert kinds(plan_for([labelled("web", "shop")], [old])) == {"web": "refuse"}
    allowed = plan_for([labelled("web", "shop")], [old], allow={"move": 1})
    create, delete = sorted(allowed.actions, key=lambda action: action.kind.value)
    assert (create.after, delete.behind) == ((delete.address,), ())


def test_a_group_keeps_its_own_label_through_any_write():
    live = [owned(labelled("a", "shop"))]
    replaced = wanted(
        body_of(sku="Dedicated", ipAddress=public("shop")), "a", replace=Replace.ALLOW
    )

    assert kinds(plan_for([labelled("a", "shop", "nginx:2")], live)) == {"a": "update"}
    assert kinds(plan_for([replaced], live)) == {"a": "replace"}


def test_labels_clash_within_a_region_and_scope_only():
    far = {**body_of(ipAddress=public("shop")), "location": "eastus"}
    hashed = body_of(ipAddress=public("shop", autoGeneratedDomainNameLabelScope="Noreuse"))

    for body in (far, hashed):
        assert kinds(plan_for([wanted(body, "new")], [unowned(labelled("a", "shop"))])) == {
            "new": "create"
        }


def test_a_label_is_found_without_case():
    assert label_of(labelled("a", "Shop").canonical) == ("westeurope", "shop")
    assert label_of(labelled("a", None).canonical) is None
    assert label_of({}) is None


def test_cycles_of_any_kind_end_in_refusals_whatever_the_order():
    names = "abcd"
    links = {"a": "bc", "b": "a", "c": "da", "d": "c"}
    groups = [wanted(name=n, depends_on=tuple(map(group_id, links[n]))) for n in names]

    plans = [plan_for(given) for given in itertools.permutations(groups)]

    assert set(kinds(plans[0]).values()) == {"refuse"}
    assert all(plan == plans[0] for plan in plans)


def test_an_action_that_is_behind_itself_is_refused():
    """Nothing makes such a plan today; ordering must end all the same."""
    loop = Action(kind=ActionKind.UPDATE, target=group_id("a"), why="", behind=(address("a"),))

    (found,) = ordered([loop], [])

    assert (found.kind, found.behind) == (ActionKind.REFUSE, ())
