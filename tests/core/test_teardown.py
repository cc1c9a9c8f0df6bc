"""`destroy` removes what the owner owns, and nothing else."""

from __future__ import annotations

from reconciler.core.ownership import CREATED_TAG, address_digest
from reconciler.core.teardown import build_teardown
from tests.core.given import (
    OWNER,
    declared,
    kinds,
    of,
    owned,
    resource_group,
    unowned,
    wanted,
    with_state,
)
from tests.strategies import SUBSCRIPTION, group_id

MADE = resource_group(**{CREATED_TAG: OWNER})


def group(name, **more):
    return wanted(name=name, **more)


def teardown(live, *homes):
    return build_teardown(owner=OWNER, subscription=SUBSCRIPTION, live=live, resource_groups=homes)


def holds(*lives):
    return [{"id": live.id.arm.upper()} for live in lives]


def test_every_group_of_ours_goes_and_no_other():
    live = [
        owned(group("b")),
        owned(group("a")),
        owned(group("c"), owner="else"),
        unowned(group("d")),
    ]

    plan = teardown(live)

    assert [(action.target.name, action.kind.value) for action in plan.actions] == [
        ("a", "delete"),
        ("b", "delete"),
    ]
    assert plan.owned == 2


def test_what_is_protected_or_may_be_is_refused():
    newer = with_state(owned(group("b")), f"2;{address_digest(group_id('b'))};x")

    plan = teardown([owned(group("a", protect=True)), newer])

    assert kinds(plan) == {"a": "refuse", "b": "refuse"}


def test_a_resource_group_we_made_goes_last_when_it_holds_only_ours():
    live = owned(group("a"))

    plan = teardown([live], (declared(), MADE, holds(live)))

    assert of(plan, "rg-shop").kind.value == "delete"
    assert of(plan, "rg-shop").after == (live.id.address,)


def test_a_resource_group_somebody_else_made_stays():
    for home in (resource_group(), resource_group(**{CREATED_TAG: "shop/prod"})):
        assert kinds(teardown([], (declared(), home, []))) == {"rg-shop": "refuse"}


def test_a_resource_group_that_holds_anything_else_stays_and_says_what():
    mine, theirs = owned(group("a")), owned(group("b"), owner="else")
    protected = owned(group("c", protect=True))

    for others in ([theirs], [protected], [unowned(group("d"))]):
        plan = teardown([mine, *others], (declared(), MADE, holds(mine, *others)))
        assert of(plan, "rg-shop").kind.value == "refuse"
        assert others[0].id.arm.upper() in of(plan, "rg-shop").why


def test_a_resource_without_an_id_is_something_else():
    assert kinds(teardown([], (declared(), MADE, [{}]))) == {"rg-shop": "refuse"}


def test_only_groups_inside_it_are_waited_for():
    near, far = owned(group("a")), owned(group("a", home="rg-shop-two"))

    plan = teardown([near, far], (declared(), MADE, holds(near)))

    assert of(plan, "rg-shop").after == (near.id.address,)
