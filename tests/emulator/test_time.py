"""Transitions: under way, then settled, in each of the three modes of time."""

from __future__ import annotations

import time

import pytest

from reconciler.emulator import Answers, Durations, ManualClock, Polls, RealTime


def operation(client, response):
    return client.call("GET", response.headers["Azure-AsyncOperation"]).json()


def state(client, name="web"):
    properties = client.get(name)["properties"]
    return properties["provisioningState"], properties["instanceView"]["state"]


def test_by_polls_the_first_looks_see_it_pending(make, body):
    client = make(time=Polls(2))
    created = client.put(body)

    seen = [operation(client, created)["status"] for _ in range(3)]

    assert seen == ["Pending", "Pending", "Succeeded"]
    assert state(client) == ("Succeeded", "Running")


def test_by_polls_a_get_and_a_list_are_looks_too(make, body):
    client = make(time=Polls(2))
    client.put(body)

    first = state(client)
    listed = client.call("GET", client.groups).json()["value"][0]["properties"]
    last = state(client)

    assert first == ("Pending", "Pending")
    assert listed["provisioningState"] == "Pending"
    assert last == ("Succeeded", "Running")


def test_by_polls_a_write_refused_in_transition_is_a_look_too(make, body):
    """Or a client that tries again would do so for ever."""
    client = make(time=Polls(1))
    client.put(body)

    first = client.put(body)
    second = client.put(body)

    assert (first.status_code, second.status_code) == (409, 200)


def test_the_operation_names_the_group_and_its_events(make, body):
    client = make(time=Polls(1))
    created = client.put(body)

    under_way, done = operation(client, created), operation(client, created)

    assert list(done) == ["id", "status", "startTime", "properties"]
    assert done["id"] == f"{client.groups}/web"
    assert done["startTime"].endswith("Z")
    assert len(done["startTime"].split(".")[1]) == len("1234567Z")
    assert under_way["properties"] == {"events": []}
    assert [event["name"] for event in done["properties"]["events"]] == [
        "Pulling",
        "Pulled",
        "Started",
    ]


def test_an_operation_can_be_read_again_and_at_another_api_version(client, body):
    url = client.put(body).headers["Azure-AsyncOperation"].split("?")[0]

    again = [
        client.call("GET", url, version=v).json()["status"]
        for v in ("2018-06-01", "2022-10-01-preview")
    ]

    assert again == ["Succeeded", "Succeeded"]


def test_an_unknown_operation_is_not_found(client):
    path = f"{client.root}/providers/Microsoft.ContainerInstance/locations/westus/operations/x"

    assert client.call("GET", path).status_code == 404


def test_by_a_clock_nothing_happens_until_it_is_turned(make, body, clock):
    client = make(time=clock)
    created = client.put(body)

    before = [operation(client, created)["status"] for _ in range(3)]
    clock.advance(1.4)
    shortly_before = operation(client, created)["status"]
    clock.advance(0.1)

    assert before == ["Pending"] * 3
    assert shortly_before == "Pending"
    assert operation(client, created)["status"] == "Succeeded"
    assert state(client) == ("Succeeded", "Running")


def test_by_a_clock_a_task_runs_its_time(make, task, clock):
    client = make(time=ManualClock(Durations(create=2, task=3)))
    clock = client.emulator.time
    client.put(task)
    clock.advance(2)
    running = state(client)
    clock.advance(3)

    ended = client.get()["properties"]
    current = ended["containers"][0]["properties"]["instanceView"]["currentState"]
    assert running == ("Succeeded", "Running")
    assert ended["instanceView"]["state"] == "Succeeded"
    assert current == {
        "state": "Terminated",
        "startTime": "2025-01-01T12:00:02.000Z",
        "exitCode": 0,
        "finishTime": "2025-01-01T12:00:05.000Z",
        "detailStatus": "Completed",
    }


def test_really_it_takes_its_time(make, body):
    client = make(time=RealTime(Durations(create=0.15)))
    created = client.put(body)

    first = operation(client, created)["status"]
    deadline = time.monotonic() + 5
    while operation(client, created)["status"] == "Pending" and time.monotonic() < deadline:
        time.sleep(0.02)

    assert first == "Pending"
    assert state(client) == ("Succeeded", "Running")


@pytest.mark.parametrize("action", ["start", "stop", "restart"])
def test_nothing_can_be_done_in_transition(make, body, action):
    client = make(time=Polls(9))
    client.put(body)

    refused = client.post(action)

    assert refused.status_code == 409
    assert refused.json()["error"] == {
        "code": "ContainerGroupTransitioning",
        "message": "The container group 'web' is still transitioning, please retry later.",
    }


def test_a_creation_that_hangs_can_be_deleted_an_update_not(make, body):
    client = make(time=Polls(2))
    client.put(body, name="hangs")
    client.put(body)
    while state(client) != ("Succeeded", "Running"):
        pass
    client.put(body)

    assert client.call("DELETE", f"{client.groups}/hangs").status_code == 200
    assert client.call("DELETE", f"{client.groups}/web").status_code == 409


def test_an_operation_of_a_group_that_was_deleted_is_canceled(make, body):
    client = make(time=Polls(9))
    created = client.put(body)
    client.call("DELETE", f"{client.groups}/web")

    assert operation(client, created)["status"] == "Canceled"


def test_a_stop_takes_effect_after_a_while(make, body, clock):
    client = make(time=clock)
    client.put(body)
    clock.advance(2)

    stopped = client.post("stop")
    before = state(client)
    clock.advance(1)

    assert (stopped.status_code, stopped.content) == (204, b"")
    assert "Azure-AsyncOperation" not in stopped.headers
    assert before == ("Succeeded", "Running")
    assert state(client) == ("Succeeded", "Stopped")
    assert "ip" not in client.get()["properties"]["ipAddress"]


def test_a_stopped_group_starts_at_another_address(client, body):
    before = client.read_back(body)["properties"]["ipAddress"]["ip"]
    client.post("stop")

    started = client.post("start")
    again = client.post("start")

    assert started.status_code == 202
    assert operation(client, started)["status"] == "Succeeded"
    assert client.get()["properties"]["ipAddress"]["ip"] != before
    assert again.status_code == 204
    assert "Azure-AsyncOperation" not in again.headers


def test_starting_answered_204_before_2021_10(client, body):
    client.put(body)
    client.post("stop")

    started = client.post("start", version="2021-09-01")

    assert started.status_code == 204
    assert operation(client, started)["status"] == "Succeeded"


def test_a_finished_task_can_be_started_again(client, task):
    client.put(task)
    assert state(client) == ("Succeeded", "Succeeded")

    assert client.post("start").status_code == 202
    assert client.post("stop").status_code == 204
    assert state(client) == ("Succeeded", "Succeeded")


def test_a_restart_is_in_place(make, body, clock):
    client = make(time=clock)
    client.put(body)
    clock.advance(2)
    before = client.get()["properties"]

    restarted = client.post("restart")
    under_way = state(client)
    clock.advance(2)
    after = client.get()["properties"]

    assert restarted.status_code == 204
    assert under_way == ("Updating", "Running")
    assert operation(client, restarted)["status"] == "Succeeded"
    old, new = (p["containers"][0]["properties"]["instanceView"] for p in (before, after))
    assert new["currentState"]["startTime"] > old["currentState"]["startTime"]
    assert new["events"][0]["count"] == 2
    assert after["ipAddress"] == before["ipAddress"]
    assert client.emulator.restarts(client.subscription, "rg", "web") == 1


def test_a_stop_during_a_restart_fails_the_provisioning(make, body, clock):
    client = make(time=clock)
    client.put(body)
    clock.advance(2)
    client.post("restart")

    assert client.post("stop").status_code == 204
    clock.advance(2)

    assert state(client) == ("Failed", "Stopped")


def test_restarting_what_does_not_run_is_not_modelled(client, task):
    client.put(task)

    assert client.post("restart").status_code == 501


def test_a_put_on_an_existing_group_answers_201_where_that_is_asked_for(make, body):
    client = make(answers=Answers(update_status=201))
    client.put(body)

    again = client.put(body)

    assert again.status_code == 201
    assert operation(client, again)["status"] == "Succeeded"


def test_a_delete_can_be_a_long_running_operation(make, body):
    client = make(time=Polls(1), answers=Answers(delete_status=202))
    client.put(body)

    deleted = client.call("DELETE", f"{client.groups}/web")

    assert deleted.status_code == 202
    assert client.get()["properties"]["provisioningState"] == "Deleting"
    assert operation(client, deleted)["status"] == "Succeeded"
    assert client.call("GET", f"{client.groups}/web").status_code == 404
    assert client.call("GET", client.groups).json() == {"value": []}


def test_a_failed_provisioning_says_why(client, body):
    client.emulator.given(client.subscription, "rg", "web", body, failure="no room in westeurope")

    assert state(client) == ("Failed", "Failed")
    assert client.put(body).status_code == 200
    assert state(client) == ("Succeeded", "Running")
