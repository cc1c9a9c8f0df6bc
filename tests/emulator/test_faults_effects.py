"""What faults leave behind on a group: operations that do not end well, ill containers."""

from __future__ import annotations

import json

import pytest

from reconciler.emulator import ManualClock, Polls
from reconciler.emulator.facts import dump_group, load_group


def polled(client, answer):
    return client.call("GET", answer.headers["Azure-AsyncOperation"]).json()


def states(client, name="web"):
    properties = client.get(name)["properties"]
    return properties["provisioningState"], properties["instanceView"]["state"]


def view(client, name="web", container=0):
    return client.get(name)["properties"]["containers"][container]["properties"]["instanceView"]


def listed(client):
    return [item["name"] for item in client.call("GET", client.groups).json()["value"]]


# Operations


def test_a_failed_operation_is_one_of_capacity_unless_told_otherwise(make, body):
    client = make(time=Polls(1), faults=[{"fault": {"kind": "operation", "ends": "Failed"}}])
    created = client.put(body)

    under_way, done = polled(client, created), polled(client, created)

    assert created.status_code == 201
    assert (under_way["status"], done["status"]) == ("Pending", "Failed")
    assert under_way["properties"] == {"events": []}
    text = done["error"]["message"]
    assert text.startswith("The requested resource is not available in the location 'westeurope'")
    assert done["error"]["code"] == "Failed"
    (event,) = done["properties"]["events"]
    assert (event["name"], event["type"], event["message"]) == (
        "InsufficientCapacity.",
        "Warning",
        text,
    )
    assert states(client) == ("Failed", "Failed")


def test_the_failure_may_have_a_code_a_message_and_an_event(make, body):
    fault = {
        "kind": "operation",
        "ends": "Failed",
        "code": "Odd",
        "message": "No.",
        "event": "Odd.",
    }
    client = make(faults=[{"fault": fault}])

    done = polled(client, client.put(body))

    assert done["error"] == {"code": "Odd", "message": "No."}
    assert [event["name"] for event in done["properties"]["events"]] == ["Odd."]


def test_a_canceled_operation_leaves_a_canceled_group(make, body):
    client = make(faults=[{"fault": {"kind": "operation", "ends": "Canceled"}}])

    done = polled(client, client.put(body))

    assert (done["status"], done["error"]["code"]) == ("Canceled", "Canceled")
    assert done["properties"]["events"] == []
    assert states(client)[0] == "Canceled"


@pytest.mark.parametrize("ends", ["Failed", "Canceled", "never"])
def test_the_next_put_deploys_it_anew(make, body, ends):
    fault = {"kind": "operation", "ends": ends, "timeout": 0}
    client = make(faults=[{"fault": fault, "when": {"first": 1}}])
    client.put(body)

    done = polled(client, client.put(body))

    assert done["status"] == "Succeeded"
    assert states(client) == ("Succeeded", "Running")


def test_what_never_ends_is_in_transition_until_it_is_given_up(make, body):
    clock = ManualClock()
    client = make(time=clock, faults=[{"fault": {"kind": "operation", "ends": "never"}}])
    created = client.put(body)

    clock.advance(1799)
    before, refused = polled(client, created)["status"], client.refused(body)[1]
    clock.advance(2)
    after = polled(client, created)

    assert (before, refused) == ("Pending", "ContainerGroupTransitioning")
    assert after["status"] == "Failed"
    assert after["error"]["message"] == "Provisioning of the container group timed out."
    assert states(client)[0] == "Failed"


def test_by_polls_it_is_given_up_after_so_many_looks(make, body):
    client = make(faults=[{"fault": {"kind": "operation", "ends": "never", "timeout": 2}}])
    created = client.put(body)

    assert [polled(client, created)["status"] for _ in range(3)] == ["Pending", "Pending", "Failed"]


def test_an_update_may_fail_too(make, body):
    fault = {"kind": "operation", "ends": "Failed"}
    client = make(faults=[{"fault": fault, "when": {"stage": "update"}}])
    first = polled(client, client.put(body))["status"]

    second = polled(client, client.put(body))["status"]

    assert (first, second) == ("Succeeded", "Failed")
    assert states(client)[0] == "Failed"


@pytest.mark.parametrize(("stage", "before"), [("start", "stop"), ("restart", None)])
def test_a_start_and_a_restart_may_fail(make, body, stage, before):
    fault = {"kind": "operation", "ends": "Failed", "message": "No room."}
    client = make(faults=[{"fault": fault, "when": {"stage": stage}}])
    client.put(body)
    if before:
        client.post(before)

    done = polled(client, client.post(stage))

    assert (done["status"], done["error"]["message"]) == ("Failed", "No room.")


@pytest.mark.parametrize("ends", ["Failed", "Canceled", "never"])
def test_a_deletion_may_fail_and_leave_the_group(make, body, ends):
    fault = {"kind": "operation", "ends": ends, "timeout": 1}
    client = make(faults=[{"fault": fault, "when": {"stage": "delete", "first": 1}}])
    client.put(body)
    deleted = client.call("DELETE", f"{client.groups}/web")

    seen = [polled(client, deleted)["status"] for _ in range(2)]

    status = "Failed" if ends == "never" else ends
    assert deleted.status_code == 202
    assert seen[-1] == status
    assert states(client)[0] == status
    assert listed(client) == ["web"]
    assert client.call("DELETE", f"{client.groups}/web").status_code == 200
    assert listed(client) == []


def test_a_group_whose_deletion_failed_can_be_written(make, body):
    fault = {"kind": "operation", "ends": "Failed"}
    client = make(faults=[{"fault": fault, "when": {"stage": "delete"}}])
    client.put(body)
    client.call("DELETE", f"{client.groups}/web")

    assert polled(client, client.put(body))["status"] == "Succeeded"
    assert states(client) == ("Succeeded", "Running")


def test_healing_ends_what_would_never_end(make, body):
    client = make(faults=[{"fault": {"kind": "operation", "ends": "never"}}])
    created = client.put(body)
    client.emulator.heals()

    assert polled(client, created)["status"] == "Failed"
    assert client.put(body).status_code == 200
    assert states(client) == ("Succeeded", "Running")


# Containers


def test_a_crash_loop_is_restarted_again_and_again(make, body):
    client = make(faults=[{"fault": "crash-loop"}])
    done = polled(client, client.put(body))

    first, second = view(client), view(client)

    assert done["status"] == "Succeeded", "provisioning says nothing of health"
    assert first["currentState"]["state"] == "Waiting"
    assert first["currentState"]["detailStatus"].startswith("CrashLoopBackOff: Back-off ")
    assert first["previousState"]["exitCode"] == 1
    assert second["restartCount"] == first["restartCount"] + 1
    assert ("BackOff", "Warning") in {(e["name"], e["type"]) for e in first["events"]}


def test_under_never_a_crash_ends_the_container(make, task):
    client = make(faults=[{"fault": {"kind": "crash-loop", "code": 9}}])
    client.put(task)

    assert view(client)["currentState"]["exitCode"] == 9
    assert states(client) == ("Succeeded", "Failed")


@pytest.mark.parametrize(("code", "state"), [(0, "Succeeded"), (3, "Failed")])
def test_a_task_exits_with_the_given_code(make, task, code, state):
    client = make(faults=[{"fault": {"kind": "exits", "code": code}}])
    client.put(task)

    assert view(client)["currentState"]["exitCode"] == code
    assert states(client)[1] == state


def test_one_container_may_be_ill_alone(make, body):
    other = json.loads(json.dumps(body["properties"]["containers"][0]))
    other["name"], other["properties"]["ports"] = "side", []
    body["properties"]["containers"].append(other)
    client = make(faults=[{"fault": {"kind": "crash-loop", "container": "side"}}])
    client.put(body)

    found = [view(client, container=n)["currentState"]["state"] for n in (0, 1)]

    assert found == ["Running", "Waiting"]


def test_an_image_that_cannot_be_pulled(make, body):
    client = make(faults=[{"fault": {"kind": "image-pull", "message": "manifest unknown"}}])
    done = polled(client, client.put(body))

    seen = view(client)

    assert done["status"] == "Succeeded"
    assert seen["restartCount"] == 0
    assert seen["currentState"] == {
        "state": "Waiting",
        "detailStatus": 'ImagePullBackOff: Back-off pulling image "nginx:1.27"',
    }
    pulling, failed = seen["events"]
    assert (pulling["name"], failed["name"], failed["type"]) == ("Pulling", "Failed", "Warning")
    assert failed["message"] == 'Failed to pull image "nginx:1.27": manifest unknown'
    assert states(client) == ("Succeeded", "Pending")
    assert view(client)["events"][1]["count"] > failed["count"]


def test_the_first_look_says_why_an_image_cannot_be_pulled(make, body):
    client = make(faults=[{"fault": {"kind": "image-pull"}}])
    client.put(body)

    detail = view(client)["currentState"]["detailStatus"]

    assert detail.startswith('ErrImagePull: Failed to pull image "nginx:1.27": manifest unknown')


def test_a_deployment_held_up_by_its_image_says_so_while_it_is_polled(make, body):
    script = [{"fault": "image-pull"}, {"fault": {"kind": "operation", "ends": "never"}}]
    client = make(faults=script)

    under_way = polled(client, client.put(body))

    assert under_way["status"] == "Pending"
    assert [e["name"] for e in under_way["properties"]["events"]] == ["Pulling", "Failed"]
    assert states(client) == ("Pending", "Pending")
    assert view(client)["currentState"]["state"] == "Waiting"


def test_a_failing_liveness_probe_restarts_at_each_third_failure(make, body):
    client = make(faults=[{"fault": {"kind": "probe", "message": "HTTP 500"}}])
    client.put(body)

    seen = [view(client) for _ in range(6)]

    unhealthy = [[e for e in one["events"] if e["name"] == "Unhealthy"][0] for one in seen]
    assert [event["count"] for event in unhealthy] == [1, 2, 3, 4, 5, 6]
    assert {(event["message"], event["type"]) for event in unhealthy} == {
        ("Liveness probe failed: HTTP 500", "Warning")
    }
    assert [one["restartCount"] for one in seen] == [0, 0, 1, 1, 1, 2]
    assert {one["currentState"]["state"] for one in seen} == {"Running"}


def test_a_failing_readiness_probe_restarts_nothing(make, body):
    client = make(faults=[{"fault": {"kind": "probe", "probe": "readiness"}}])
    client.put(body)

    seen = [view(client) for _ in range(4)][-1]

    assert seen["restartCount"] == 0
    assert any(e["message"].startswith("Readiness probe failed: ") for e in seen["events"])


def test_containers_stay_ill_until_a_put_that_is_not_hit(make, body):
    client = make(faults=[{"fault": "crash-loop", "when": {"first": 1}}])
    client.put(body)
    client.post("stop")
    client.post("start")
    started = view(client)["currentState"]["state"]
    client.put(body)

    assert (started, view(client)["currentState"]["state"]) == ("Waiting", "Running")


def test_healing_makes_containers_well(make, body):
    client = make(faults=[{"fault": "crash-loop"}])
    client.put(body)
    client.emulator.heals()

    assert view(client)["currentState"]["state"] == "Running"
    assert client.emulator.faults.rules == ()


def test_another_process_finds_them_ill_too(make, body, tmp_path):
    first = make(database=tmp_path / "emulator.db", faults=[{"fault": "crash-loop"}])
    first.put(body)
    first.emulator.stop()
    again = make(database=tmp_path / "emulator.db")
    again.subscription, again.groups = first.subscription, first.groups

    assert view(again)["currentState"]["state"] == "Waiting"


def test_facts_from_before_there_were_faults_still_load(make, body):
    client = make()
    client.put(body)
    with client.emulator._world() as world:
        ((group, _),) = world.records.groups()
    old = json.loads(dump_group(group))
    del old["ailments"], old["ending"]

    assert load_group(json.dumps(old)) == group


def test_facts_of_faults_survive_being_stored(make, body):
    fault = {"kind": "operation", "ends": "never", "timeout": 7}
    client = make(
        faults=[{"fault": fault}, {"fault": {"kind": "exits", "code": 4, "container": "web"}}]
    )
    client.put(body)
    with client.emulator._world() as world:
        ((group, _),) = world.records.groups()

    assert group.ending.timeout == 7
    assert group.ailments[0].exit_code == 4
    assert load_group(dump_group(group)) == group
