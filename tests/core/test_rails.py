"""How much one run may destroy, and what no consent allows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.groups import Replace
from reconciler.core.policy import Limits, Prune
from tests.core.given import ANYTHING_GOES, asker, body_of, owned, plan_for, wanted

LIMITS = replace(ANYTHING_GOES, max_replaces=0)


def rules(plan):
    return [rail.rule for rail in plan.rails]


def moved(number, *, of, **changes):
    """So many groups that changed in place, or in what cannot be, of so many that are ours."""
    names = [f"g{i:02}" for i in range(of)]
    live = [owned(wanted(name=name)) for name in names]
    desired = [
        wanted(name=name, body=body_of(**changes), replace=Replace.ALLOW)
        if index < number
        else wanted(name=name)
        for index, name in enumerate(names)
    ]
    return desired, live


RESTARTS = [
    ("no limit by default", 9, 10, {}, {}, []),
    ("above the number", 3, 10, {"max_restarts": 2}, {}, ["maxRestarts"]),
    ("just the number", 2, 10, {"max_restarts": 2}, {}, []),
    ("above the share", 3, 10, {"max_restart_percent": 20}, {}, ["maxRestartPercent"]),
    ("one is no share", 1, 2, {"max_restart_percent": 10}, {}, []),
    (
        "whichever trips first",
        5,
        10,
        {"max_restarts": 4, "max_restart_percent": 20},
        {},
        ["maxRestarts", "maxRestartPercent"],
    ),
    ("none at all", 1, 10, {"max_restarts": 0}, {}, ["maxRestarts"]),
    ("consent to that many", 3, 10, {"max_restarts": 2}, {"restart": 3}, []),
    ("consent to fewer", 3, 10, {"max_restarts": 2}, {"restart": 2}, ["maxRestarts"]),
]


@pytest.mark.parametrize(
    ("why", "number", "of", "limits", "allow", "expected"), RESTARTS, ids=[r[0] for r in RESTARTS]
)
def test_rails_for_restarts(why, number, of, limits, allow, expected):
    desired, live = moved(number, of=of, image="nginx:2")

    plan = plan_for(desired, live, limits=replace(LIMITS, **limits), allow=allow)

    assert rules(plan) == expected
    assert plan.is_blocked == bool(expected)


def test_a_share_of_replaces_is_limited_too():
    desired, live = moved(3, of=10, sku="Dedicated")
    limits = replace(ANYTHING_GOES, max_replace_percent=20)

    (rail,) = plan_for(desired, live, limits=limits).rails

    assert rail.says.startswith("3 of 10 groups (30 %) would be deleted and created again")
    assert rail.allow == "--allow replace=3"
    named = asker(replace=[group.id for group in desired[:2]])
    assert plan_for(desired, live, limits=limits, who=named).rails == ()


def test_a_rail_for_restarts_says_what_allows_it():
    desired, live = moved(2, of=4, image="nginx:2")

    (rail,) = plan_for(desired, live, limits=replace(LIMITS, max_restarts=1)).rails

    assert rail.says == "2 groups to restart, the limit is 1 (default)"
    assert rail.allow == "--allow restart=2"


@pytest.mark.parametrize("prune", [Prune.DELETE, Prune.REPORT])
def test_no_manifests_at_all_is_a_mistake_that_no_consent_allows(prune):
    live = [owned(wanted(name=name)) for name in ("a", "b")]
    limits = Limits(prune=prune, max_deletes=9, max_delete_percent=100)

    plan = plan_for([], live, limits=limits, allow={"delete": 2})

    assert rules(plan) == (["emptyDesired"] if prune is Prune.DELETE else [])
    assert plan.actions == ()
    if plan.rails:
        assert "destroy" in plan.rails[0].allow
        assert "--allow" not in plan.rails[0].allow


def test_nothing_wanted_and_nothing_owned_is_no_mistake():
    assert plan_for([], [], limits=ANYTHING_GOES).rails == ()


@pytest.mark.parametrize(
    ("asks", "is_complete", "expected"),
    [(True, False, ["partialScope"]), (True, True, []), (False, False, [])],
)
def test_a_partial_scope_cannot_be_pruned(asks, is_complete, expected):
    live = [owned(wanted(name=name)) for name in ("a", "b")]

    plan = plan_for([wanted(name="a")], live, asks_to_prune=asks, is_complete=is_complete, allow={})

    assert rules(plan) == expected
    assert plan.is_blocked == bool(expected)
