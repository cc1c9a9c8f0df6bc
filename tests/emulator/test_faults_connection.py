"""Faults of the connection: reset, never answered, answered late."""

from __future__ import annotations

import threading
import time

import pytest
import requests

from reconciler.emulator import Emulator


def test_a_reset_before_the_effect_leaves_nothing(make, body):
    client = make(faults=[{"fault": "reset", "when": {"stage": "put", "first": 1}}])

    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        client.put(body)

    logged = client.emulator.requests[-1]
    assert (logged.status, logged.answered, logged.faults) == (0, None, ("reset",))
    assert client.put(body).status_code == 201


def test_a_reset_after_the_effect_hides_a_write(make, body):
    fault = {"kind": "reset", "afterEffect": True}
    client = make(faults=[{"fault": fault, "when": {"stage": "put", "first": 1}}])

    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        client.put(body)

    logged = client.emulator.requests[-1]
    assert (logged.status, logged.answered) == (201, None)
    assert client.get()["name"] == "web"


def test_the_sdk_takes_a_reset_for_a_response_that_was_lost(make, sdk, body):
    from azure.core.exceptions import ServiceResponseError

    client = make(faults=[{"fault": "reset", "when": {"stage": "get"}}])

    with pytest.raises(ServiceResponseError):
        sdk(client).container_groups.get("rg", "web")


def test_no_answer_lasts_until_the_client_gives_up(make, body):
    fault = {"kind": "no-answer", "afterEffect": True}
    client = make(faults=[{"fault": fault, "when": {"stage": "put"}}])

    with pytest.raises(requests.ReadTimeout):
        client.session.put(
            f"{client.emulator.url}{client.groups}/web?api-version=2023-05-01",
            json=body,
            timeout=0.2,
        )

    assert client.emulator.requests[-1].answered is None
    assert client.get()["name"] == "web"


def test_no_answer_for_a_while_ends_with_a_closed_connection(make):
    fault = {"kind": "no-answer", "seconds": 0.05}
    client = make(faults=[{"fault": fault, "when": {"stage": "list", "first": 1}}])

    with pytest.raises(requests.ConnectionError, match="without response|reset by peer"):
        client.call("GET", client.groups)

    assert client.call("GET", client.groups).status_code == 200


@pytest.mark.parametrize("fault", ["no-answer", {"kind": "slow", "seconds": 3600}])
def test_nobody_waits_for_an_answer_when_the_server_stops(session, fault):
    ended = []
    heard = threading.Event()
    script = [{"fault": fault, "when": {"path": "/subscriptions"}}]
    with Emulator(faults=script) as emulator:

        def ask():
            try:
                session.get(f"{emulator.url}/subscriptions?api-version=2022-12-01", timeout=60)
            except requests.ConnectionError as exc:
                ended.append(exc)
                heard.set()

        thread = threading.Thread(target=ask)
        thread.start()
        while not emulator.requests:
            time.sleep(0.001)
    thread.join()

    assert len(ended) == 1
    assert heard.is_set()


def test_slow_is_carried_out_and_answered_late(make, body):
    client = make(faults=[{"fault": {"kind": "slow", "seconds": 0.3}, "when": {"stage": "put"}}])

    began = time.monotonic()
    answered = client.put(body)

    assert answered.status_code == 201
    assert time.monotonic() - began >= 0.3


def test_a_slow_answer_does_not_hold_up_others(make, body):
    fault = {"kind": "slow", "seconds": 3600}
    client = make(faults=[{"fault": fault, "when": {"stage": "put"}}])

    with pytest.raises(requests.ReadTimeout):
        client.session.put(
            f"{client.emulator.url}{client.groups}/web?api-version=2023-05-01",
            json=body,
            timeout=0.2,
        )

    assert client.get()["name"] == "web"


def test_slow_comes_on_top_of_another_fault(make, body):
    script = [
        {"fault": {"status": 503}, "when": {"stage": "put"}},
        {"fault": {"kind": "slow", "seconds": 0.2}, "when": {"stage": "put"}},
    ]
    client = make(faults=script)

    began = time.monotonic()
    answered = client.put(body)

    assert answered.status_code == 503
    assert time.monotonic() - began >= 0.2
    assert client.emulator.played == {"503": 1, "slow": 1}
