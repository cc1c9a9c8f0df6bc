"""What a start, stop or restart by hand comes to, by whose the group is and how it does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.by_hand import Request, by_hand, in_turn
from reconciler.core.groups import LiveGroup, Wait, WaitFor
from reconciler.core.plan import ActionKind
from tests.core.given import OWNER, body_of, owned, public, unowned, wanted

START, STOP, RESTART = ActionKind.START, ActionKind.STOP, ActionKind.RESTART


def live(state: str = "Running", provisioning: str = "Succeeded", **properties) -> LiveGroup:
    """A group of ours as a GET shows it."""
    body = body_of(**properties)
    return replace(owned(wanted(body)), state=state, provisioning=provisioning)


def asked(kind: ActionKind, group: LiveGroup, desired=None, **request):
    """The action that is come to."""
    return by_hand(group.id, group, desired, Request(kind=kind, owner=OWNER, **request))


@pytest.mark.parametrize(
    ("kind", "state", "provisioning", "becomes"),
    [
        (START, "Stopped", "Succeeded", START),
        (START, "Succeeded", "Succeeded", ActionKind.NO_OP),  # Always: between two restarts
        (START, "Failed", "Succeeded", START),
        (START, "Pending", "Failed", START),
        (START, "Running", "Succeeded", ActionKind.NO_OP),
        (START, "Stopped", "Pending", ActionKind.REFUSE),
        (STOP, "Running", "Succeeded", STOP),
        (STOP, "Pending", "Succeeded", STOP),
        (STOP, "Stopped", "Succeeded", ActionKind.NO_OP),
        (STOP, "Running", "Updating", ActionKind.REFUSE),
        (STOP, "Running", "Unhealthy", STOP),
        (RESTART, "Running", "Succeeded", RESTART),
        (RESTART, "Stopped", "Failed", ActionKind.REFUSE),
        (RESTART, "Running", "Deleting", ActionKind.REFUSE),
    ],
)
def test_what_azure_would_refuse_is_refused_and_what_is_so_is_left(
    kind, state, provisioning, becomes
):
    action = asked(kind, live(state, provisioning))

    assert action.kind is becomes
    assert (action.hand is not None) is (becomes is kind)
    assert bool(action.allow) is (becomes is ActionKind.REFUSE)


def test_what_does_not_exist_is_refused():
    desired = wanted()

    action = by_hand(desired.id, None, desired, Request(kind=START, owner=OWNER))

    assert (action.kind, action.why) == (ActionKind.REFUSE, "it does not exist in Azure")


def test_consent_is_to_one_group_alone():
    alien = replace(unowned(wanted(name="alien")), state="Running")
    other = replace(unowned(wanted(name="other")), state="Running")
    consent = frozenset({alien.id.address})

    assert asked(STOP, alien, foreign=consent).kind is STOP
    assert asked(STOP, other, foreign=consent).kind is ActionKind.REFUSE


@pytest.mark.parametrize("kind", [START, STOP, RESTART])
def test_tags_that_were_copied_give_no_ownership(kind):
    desired = wanted(name="copy")
    copied = replace(owned(wanted()), id=desired.id, state="Running")

    action = asked(kind, copied, desired)

    assert action.kind is ActionKind.REFUSE
    assert "it is not ours: it has a copy of our tags" in action.why


def test_a_manifest_that_lifts_protection_wins_over_the_tag_that_remembers_it():
    protected, lifted = wanted(protect=True), wanted()
    group = replace(owned(protected), state="Running")

    kinds = [asked(STOP, group, desired).kind for desired in (protected, lifted, None)]

    assert kinds == [ActionKind.REFUSE, STOP, ActionKind.REFUSE]


def test_what_is_waited_for_is_as_the_manifest_says():
    wait = Wait(until=WaitFor.SUCCEEDED, timeout=timedelta(minutes=3))

    def waited(group, desired=None, **request):
        return asked(RESTART, group, desired, **request).hand.wait

    assert waited(live(), wanted(wait=wait)) == wait
    assert waited(live(), wanted(wait=wait), timeout=timedelta(hours=1)).timeout == timedelta(
        hours=1
    )
    assert waited(live()).until is WaitFor.RUNNING
    assert waited(live(restartPolicy="OnFailure")).until is WaitFor.STARTED
    assert waited(live(), waits=False) is None


def test_costs_are_what_the_workload_loses():
    volumes = [{"name": "scratch", "emptyDir": {}}, {"name": "data", "gitRepo": {}}]
    group = live(volumes=volumes, ipAddress=public())

    assert asked(STOP, group).costs == (
        "stops 1 container",
        "down until it is started",
        "data in emptyDir scratch lost",
    )
    assert asked(RESTART, group).costs == (
        "restarts 1 container",
        "data in emptyDir scratch may be lost",
    )
    assert asked(START, replace(group, state="Stopped")).costs == (
        "starts 1 container",
        "IP address may change",
    )


def test_dependencies_order_only_what_is_acted_on():
    db, app = wanted(name="db"), wanted(name="app")
    app = replace(app, policy=replace(app.policy, depends_on=(db.id,)))
    lives = {one.id.name: replace(owned(one), state="Running") for one in (db, app)}

    def actions(kind, *, db_state="Running"):
        found = [asked(kind, lives["app"], app)]
        found.append(asked(kind, replace(lives["db"], state=db_state), db))
        return {action.target.name: action for action in in_turn(found)}

    restart, stop = actions(RESTART), actions(STOP)
    assert (restart["app"].after, restart["db"].after) == ((db.id.address,), ())
    assert (stop["db"].behind, stop["app"].behind) == ((app.id.address,), ())
    assert actions(STOP, db_state="Stopped")["app"].behind == ()
    assert actions(RESTART, db_state="Stopped")["app"].after == ()
