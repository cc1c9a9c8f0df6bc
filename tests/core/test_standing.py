"""What becomes of a group that equals its manifest, by how it is doing and by what was asked."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from reconciler.core.decide import decide, needs_view
from reconciler.core.diff import diff
from reconciler.core.groups import LiveGroup, SecretState, live_group
from reconciler.core.ownership import SecretKey, state_of
from reconciler.core.plan import Action, ActionKind
from tests.core.given import (
    KEY,
    applied,
    asker,
    body_of,
    of,
    only,
    owned,
    plan_for,
    public,
    unowned,
    unsaid,
    wanted,
    with_variables,
)

TASK = body_of(restartPolicy="Never")
SECURE_VARIABLES = (
    {"name": "A", "secureValue": "hunter2"},
    {"name": "B", "secureValue": "hunter3"},
)
SECURE = with_variables(*SECURE_VARIABLES)


def ended(exit_code: int, *, state: str, body: dict[str, Any] | None = None) -> LiveGroup:
    """A group of ours whose container ended."""
    live = copy.deepcopy(owned(wanted(body or TASK), state=state).body)
    live["properties"]["containers"][0]["properties"]["instanceView"] = {
        "restartCount": 0,
        "currentState": {"state": "Terminated", "exitCode": exit_code, "detailStatus": "Error"},
    }
    return live_group(live)


# What is left alone


def test_a_task_that_ended_well_is_left_alone():
    action = decide(wanted(TASK), ended(0, state="Succeeded"), asker())

    assert (action.kind, action.why) == (ActionKind.NO_OP, "equal; it has ended (Succeeded)")
    assert action.trouble == ""


def test_a_task_that_failed_is_left_alone_and_shown_as_failed():
    action = decide(wanted(TASK), ended(3, state="Failed"), asker())

    assert action.kind is ActionKind.NO_OP
    assert action.trouble == "failed: container 'web' ended with exit code 3"
    assert action.why == f"equal, but {action.trouble}"
    assert action.notes == (f"run it again with --rerun {action.target}",)


def test_a_task_of_which_nobody_saw_a_container_is_failed_by_its_state_alone():
    action = decide(wanted(TASK), owned(wanted(TASK), state="Failed"), asker())

    assert action.trouble == "failed: group state Failed"


def test_a_container_that_restarts_always_is_no_failed_task():
    action = decide(wanted(), ended(1, state="Running", body=body_of()), asker())

    assert (action.kind, action.trouble) == (ActionKind.NO_OP, "")


def test_a_stopped_group_is_left_alone_and_says_how_to_start_it():
    action = decide(wanted(), owned(wanted(), state="Stopped"), asker())

    assert (action.kind, action.trouble) == (ActionKind.NO_OP, "stopped")
    assert "--rerun" in action.notes[0]


def test_a_failed_task_still_learns_its_protection():
    action = decide(wanted(TASK, protect=True), ended(3, state="Failed"), asker())

    assert action.kind is ActionKind.PATCH_TAGS
    assert "exit code 3" in action.notes[0]


# --rerun


@pytest.mark.parametrize("state", ["Succeeded", "Failed", "Stopped"])
def test_what_has_ended_runs_again_only_by_name(state):
    desired, live = wanted(TASK), owned(wanted(TASK), state=state)

    action = decide(desired, live, asker(rerun=[desired.id]))

    assert (action.kind, action.why) == (ActionKind.START, f"asked to run again; it is {state}")
    assert action.costs == ("starts 1 container",)
    assert decide(desired, live, asker()).kind is ActionKind.NO_OP
    assert needs_view(desired, live, asker(rerun=[desired.id]))


def test_starting_says_that_the_address_may_change():
    desired = wanted(body_of(restartPolicy="Never", ipAddress=public()))

    action = decide(desired, owned(desired, state="Stopped"), asker(rerun=[desired.id]))

    assert "IP address may change" in action.costs


def test_what_runs_is_not_run_again_and_says_so():
    desired = wanted(TASK)

    action = decide(desired, owned(desired, state="Running"), asker(rerun=[desired.id]))

    assert action.kind is ActionKind.NO_OP
    assert action.notes == ("--rerun comes to nothing: the group is Running",)


def test_a_changed_task_is_deployed_anew_by_its_update():
    desired = wanted(body_of("nginx:2", restartPolicy="Never"))

    action = decide(desired, ended(3, state="Failed"), asker(rerun=[desired.id]))

    assert action.kind is ActionKind.UPDATE


def test_tags_that_differ_come_along_with_a_start():
    desired = wanted(TASK, tags={"team": "a"})

    action = decide(desired, ended(3, state="Failed"), asker(rerun=[desired.id]))

    assert (action.kind, only(action.diff.changes)) == (ActionKind.START, ["tags/team"])


def test_a_group_that_failed_and_was_stopped_is_started_by_name():
    desired = wanted()
    live = owned(desired, provisioning="Failed", state="Stopped")

    assert decide(desired, live, asker(rerun=[desired.id])).kind is ActionKind.START


def test_an_unowned_group_is_adopted_and_not_run():
    desired = wanted(TASK)

    action = decide(desired, unowned(desired, state="Failed"), asker(rerun=[desired.id]))

    assert action.kind is ActionKind.ADOPT
    assert "--rerun comes to nothing: the group is Failed" in action.notes


# A deployment that failed


def test_a_refusal_of_one_unhealthy_group_lets_the_others_go_on():
    unhealthy = owned(wanted(), provisioning="Failed", state="Stopped")

    alone = plan_for([wanted()], [unhealthy])
    beside = plan_for([wanted(), wanted(name="new")], [unhealthy])

    assert (of(alone, "web").blocks, alone.is_blocked, alone.has_changes) == (False, True, True)
    assert not beside.is_blocked


@pytest.mark.parametrize("kind", ["Private", "Public"])
def test_a_failed_group_without_an_address_is_written_again(kind):
    """Azure shows no address of a private group before it is provisioned."""
    desired = wanted(body_of(ipAddress={**public(), "type": kind}))
    live = owned(desired, body_of(), provisioning="Failed", state="Pending")

    action = decide(desired, live, asker())

    assert (action.kind, action.why) == (ActionKind.UPDATE, "last deployment failed")


def test_a_group_that_is_well_and_lost_its_address_differs():
    desired = wanted(body_of(ipAddress=public()))

    assert diff(desired, owned(desired, body_of(), provisioning="Succeeded"))


# --rebaseline-secrets


def test_secrets_become_the_baseline_by_name():
    desired = wanted(SECURE)
    for live in (owned(desired, key=None), owned(desired, key=SecretKey(b"another key entirely"))):
        action = decide(desired, live, asker(rebaseline=[desired.id]))

        assert (action.kind, action.rebaseline) == (ActionKind.PATCH_TAGS, True)
        assert "taken on trust" in action.why
        assert action.notes == ()
        now = decide(desired, baselined(action), asker())
        assert (now.kind, now.notes) == (ActionKind.NO_OP, ())


def test_a_baseline_on_trust_overrules_what_the_tag_says():
    rotated = wanted(with_variables(*({"name": n, "secureValue": "new"} for n in "AB")))
    live = owned(wanted(SECURE), SECURE)

    assert decide(rotated, live, asker()).kind is ActionKind.UPDATE
    action = decide(rotated, live, asker(rebaseline=[rotated.id]))

    assert (action.kind, only(action.diff.changes)) == (ActionKind.PATCH_TAGS, [])
    assert decide(rotated, baselined(action), asker()).kind is ActionKind.NO_OP


def test_a_baseline_can_come_with_the_adoption():
    desired = wanted(SECURE)

    action = decide(desired, unowned(desired), asker(rebaseline=[desired.id]))

    assert (action.kind, action.rebaseline) == (ActionKind.ADOPT, True)
    assert decide(desired, baselined(action), asker()).notes == ()


def test_without_a_key_or_a_value_nothing_becomes_the_baseline():
    desired = wanted(SECURE)
    live = owned(desired, key=None)

    no_key = decide(desired, live, asker(key=None, rebaseline=[desired.id]))
    no_value = decide(
        unsaid(desired, SecretState.UNRESOLVED, "no such variable"),
        live,
        asker(rebaseline=[desired.id]),
    )

    assert (no_key.kind, no_key.allow) == (ActionKind.REFUSE, "set ACI_RECONCILE_SECRET_KEY")
    assert no_value.kind is ActionKind.REFUSE
    assert "no such variable" in no_value.why


def test_a_group_without_secrets_has_no_baseline():
    desired = wanted()

    action = decide(desired, owned(desired), asker(rebaseline=[desired.id]))

    nothing = "--rebaseline-secrets comes to nothing: there are no secrets to remember"
    assert (action.kind, action.notes) == (ActionKind.NO_OP, (nothing,))


@pytest.mark.parametrize("asked", ["replace", "retry"])
def test_what_is_asked_for_a_group_that_is_only_adopted_or_created_says_that_it_comes_to_nothing(
    asked,
):
    desired = wanted()
    for live in (None, unowned(desired)):
        action = decide(desired, live, asker(**{asked: [desired.id]}))

        is_followed = asked == "retry" and live is None
        assert bool(action.notes) == (not is_followed)
        assert is_followed or action.notes[0].startswith(f"--{asked} comes to nothing")


def test_a_write_without_the_key_says_what_it_forgets():
    changed = with_variables(*SECURE_VARIABLES, image="nginx:2")

    action = decide(wanted(changed), owned(wanted(SECURE)), asker(key=None))

    assert action.notes[-1] == "without the key, this write forgets what the secrets were"


def baselined(action: Action) -> LiveGroup:
    """What is live once the tags were patched."""
    live = applied(action)
    assert live is not None
    state = state_of(live)
    assert state is not None
    assert state.key_id == KEY.id
    return live
