"""From a plan and what else is known to findings of drift: pure, by example and by property."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.ailments import Ailment, ailments_of
from reconciler.core.alert import DriftEvent, event_of, told_after
from reconciler.core.category import COUNTED, Category
from reconciler.core.containers import ContainerView
from reconciler.core.drift import drift_of
from reconciler.core.evidence import Evidence, Previous, Seen, Standing, commits_of
from reconciler.core.groups import LiveGroup
from reconciler.core.ownership import state_of
from reconciler.core.policy import Limits
from tests.core.given import OWNER, body_of, owned, plan_for, tagged, unowned, wanted, with_state

COMMIT = "abc1234"


def drift(desired, live, **evidence: Any):
    """What is found; nothing is ever pruned by drift."""
    options = {name: evidence.pop(name) for name in ("is_complete",) if name in evidence}
    plan = plan_for(desired, live, limits=Limits(), **options)
    return drift_of(plan, Evidence(live=tuple(live), **evidence))


def found(desired, live, **evidence: Any) -> set[tuple[str, str, bool]]:
    """Name, category and certainty of each finding."""
    return {
        (one.target.name, one.category.value, one.is_certain)
        for one in drift(desired, live, **evidence).findings
    }


def view(state: str = "Running", **facts: Any) -> ContainerView:
    usual = {"name": "web", "is_init": False, "detail": "", "exit_code": None, "restarts": 0}
    return ContainerView(state=state, **{**usual, **facts})


WEB = wanted()
LIVE = owned(WEB)


def test_what_is_as_it_was_applied_is_nothing() -> None:
    assert found([WEB], [LIVE]) == set()


# A group that is not there: was it ever applied?


KNOWN = Previous(seen={WEB.id.address: Seen(address=WEB.id.address)})
LOST = Previous(seen={WEB.id.address: Seen(address=WEB.id.address, standing=Standing.LOST)})
UNSURE = Previous(seen={WEB.id.address: Seen(address=WEB.id.address, standing=Standing.UNSURE)})
HAS = {COMMIT: frozenset({WEB.id.address})}
HAS_NOT = {COMMIT: frozenset({"another"})}
UNKNOWN = {COMMIT: None}


@pytest.mark.parametrize(
    ("previous", "applied", "category", "is_certain"),
    [
        (KNOWN, {}, "missing", True),
        (LOST, HAS_NOT, "missing", True),  # it stays missing until it is there
        (None, HAS, "missing", True),
        (UNSURE, HAS, "missing", True),
        (Previous(), HAS, "missing", True),  # it came and went between two runs
        (Previous(), {}, "pending", True),
        (Previous(), UNKNOWN, "pending", True),
        (None, HAS_NOT, "pending", True),
        (UNSURE, HAS_NOT, "pending", True),
        (None, {}, "missing", False),
        (None, UNKNOWN, "missing", False),
        (None, {**HAS_NOT, "def5678": None}, "missing", False),
        (UNSURE, {}, "missing", False),
        (Previous(is_complete=False), {}, "missing", False),  # it may not have looked
    ],
)
def test_a_group_that_is_not_there(previous, applied, category, is_certain) -> None:
    expected = {("web", category, is_certain)}

    assert found([WEB], [], previous=previous, applied=applied) == expected


@given(
    st.sampled_from([None, KNOWN, LOST, UNSURE, Previous()]),
    st.sampled_from([{}, HAS, HAS_NOT, UNKNOWN]),
)
def test_what_the_run_after_is_told_of_it_changes_no_mind(previous, applied) -> None:
    """Where nothing happens and nobody learns more, a second run finds the same."""
    first = drift([WEB], [], previous=previous, applied=applied)
    after = Previous(seen={one.address: one for one in first.seen})

    second = drift([WEB], [], previous=after, applied=applied)
    assert [(one.key, one.is_certain) for one in second.findings] == [
        (one.key, one.is_certain) for one in first.findings
    ]


@pytest.mark.parametrize(
    "live", [unowned(WEB), tagged(unowned(WEB), "theirs"), tagged(LIVE, "theirs")]
)
def test_a_group_of_that_name_that_is_not_ours(live: LiveGroup) -> None:
    assert found([WEB], [live], previous=KNOWN) == {("web", "changed", True)}
    assert found([WEB], [live]) == {("web", "changed", False)}
    waiting = {category for _, category, _ in found([WEB], [live], applied=HAS_NOT)}
    assert waiting - {"unmanaged"} == {"pending"}


def test_a_state_tag_that_cannot_be_read_is_a_change() -> None:
    assert found([WEB], [with_state(LIVE, "?")]) == {("web", "changed", True)}


# Who moved


def test_who_moved_is_told_by_the_tag_alone() -> None:
    there = owned(WEB, body_of("somebodys:1"))
    now = wanted(body_of("nginx:2"))

    assert found([WEB], [there]) == {("web", "changed", True)}
    assert found([now], [LIVE]) == {("web", "pending", True)}
    assert found([now], [there]) == {("web", "changed", True), ("web", "pending", True)}


def test_another_change_of_a_group_is_another_finding() -> None:
    one = drift([WEB], [owned(WEB, body_of("a:1"))])
    again = drift([WEB], [owned(WEB, body_of("a:1"))])
    other = drift([WEB], [owned(WEB, body_of("b:1"))])

    assert one.findings[0].key == again.findings[0].key
    assert one.findings[0].key != other.findings[0].key


def test_protection_that_is_not_remembered_yet_is_pending() -> None:
    assert found([wanted(protect=True)], [LIVE]) == {("web", "pending", True)}


# What no manifest names


def test_orphans_are_ours_and_the_unmanaged_nobodys() -> None:
    old, theirs = wanted(name="old"), wanted(name="theirs")
    nobodys, far = unowned(wanted(name="hand")), unowned(wanted(name="hand", home="rg-far"))
    live = [LIVE, owned(old), nobodys, far, tagged(owned(theirs), "theirs")]

    assert found([WEB], live) == {("old", "orphaned", True), ("hand", "unmanaged", True)}
    assert found([WEB], live, is_complete=False) == set()  # some manifests were left out


def test_what_was_not_read_leaves_orphans_open_alone() -> None:
    partly = drift([WEB], [LIVE], closed=("rg-prod",))
    bounded = drift([WEB], [LIVE], is_bounded=True)

    for one in (partly, bounded):
        assert one.open(COUNTED) != ()
        assert one.open(COUNTED - {Category.ORPHANED}) == ()


def test_a_group_in_transition_is_not_told() -> None:
    moving = replace(owned(WEB, body_of("somebodys:1")), provisioning="Updating")

    result = drift([WEB], [moving])

    assert (result.findings, len(result.untold)) == ((), 1)
    assert result.open(frozenset({Category.CHANGED}))
    assert not result.open(frozenset({Category.MISSING}))


# How a group is doing


LOOPS, ILL, STOPPED = Ailment.CRASH_LOOPING, Ailment.UNHEALTHY, Ailment.STOPPED


@pytest.mark.parametrize(
    ("facts", "ailments"),
    [
        ({"state": "Running", "containers": (view(),)}, []),
        ({"state": "Running", "containers": (view(restarts=400),)}, []),
        ({"state": "Stopped", "containers": (view("Terminated", exit_code=137),)}, [STOPPED]),
        (
            {"state": "Running", "containers": (view("Waiting", detail="CrashLoopBackOff: 10s"),)},
            [LOOPS],
        ),
        # Between two restarts.
        (
            {
                "state": "Succeeded",
                "containers": (view("Terminated", exit_code=1, restarts=3),),
            },
            [LOOPS],
        ),
        ({"state": "Running", "containers": (view("Terminated", exit_code=1, restarts=1),)}, []),
        ({"state": "Running", "containers": (view("Waiting", detail="ErrImagePull"),)}, [ILL]),
        ({"state": "Pending", "provisioning": "Failed", "containers": ()}, [ILL]),
        ({"state": "Running", "provisioning": "Repairing", "containers": (view(),)}, [ILL]),
        ({"state": "Failed", "containers": (view("Terminated", exit_code=1),)}, [ILL]),
    ],
)
def test_what_is_wrong_with_a_group(facts: dict[str, Any], ailments: list[Ailment]) -> None:
    live = replace(LIVE, **facts)

    assert [ailment for ailment, _ in ailments_of(WEB, live)] == ailments


def test_a_container_that_runs_whenever_somebody_looks_loops_all_the_same() -> None:
    live = replace(LIVE, state="Running", containers=(view(restarts=9),))
    before = Previous(seen={WEB.id.address: Seen(address=WEB.id.address, restarts=6)})

    assert found([WEB], [live], previous=before) == {("web", "crash-looping", True)}
    again = {one.address: one for one in drift([WEB], [live], previous=before).seen}
    assert found([WEB], [live], previous=Previous(seen=again)) == set()


# Events


KEYS = st.frozensets(st.sampled_from("abc"))


@given(KEYS, KEYS, st.booleans(), st.booleans())
def test_nothing_is_told_twice_and_nothing_is_lost(before, now, is_told, is_heard) -> None:
    event = event_of(before, now, is_told=is_told)
    told = told_after(event, before, now, is_heard=is_heard)
    after = event_of(told, now, is_told=True)

    if is_told and is_heard:
        assert after is DriftEvent.HEARTBEAT
    else:
        assert after is event_of(before, now, is_told=True)


@pytest.mark.parametrize(
    ("before", "now", "event"),
    [
        ("", "", "heartbeat"),
        ("", "a", "drift-detected"),
        ("a", "a", "heartbeat"),
        ("a", "ab", "drift-changed"),
        ("ab", "a", "drift-changed"),
        ("a", "b", "drift-changed"),
        ("a", "", "drift-resolved"),
    ],
)
def test_events(before: str, now: str, event: str) -> None:
    assert event_of(frozenset(before), frozenset(now), is_told=True).value == event
    assert event_of(frozenset(before), frozenset(now), is_told=False).value == "check-failed"


def test_the_commits_are_those_of_our_own_tags() -> None:
    theirs = tagged(owned(wanted(name="other")), "theirs")

    assert commits_of([LIVE, theirs, unowned(wanted(name="hand"))], OWNER) == (COMMIT,)
    state = state_of(LIVE)
    assert state is not None
    assert state.commit == COMMIT
