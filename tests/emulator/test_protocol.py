"""Paths, headers, pages, counters, and what a test may do behind a client's back."""

from __future__ import annotations

import time

import pytest

from reconciler.emulator import PLENTY, Emulator, Limits, ManualClock, Reply
from reconciler.emulator.facts import Group, begin
from reconciler.emulator.pace import Kind
from reconciler.emulator.properties import spec_of

RESOURCE_REQUESTS = "x-ms-ratelimit-remaining-subscription-resource-requests"


def test_doubled_slashes_are_collapsed(client, body):
    """As `az container create -f` sends them."""
    path = client.groups.replace("Instance/", "Instance//")

    assert client.call("PUT", f"{path}/web", body).status_code == 201


def test_every_answer_carries_arms_headers(client):
    found = client.call("GET", client.groups)
    refused = client.call("GET", f"{client.groups}/nobody")

    for response in (found, refused):
        headers = response.headers
        assert headers["Cache-Control"] == "no-cache"
        assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
        assert headers["Content-Type"] == "application/json; charset=utf-8"
        assert headers["x-ms-request-id"]
        assert headers["x-ms-correlation-request-id"]
        assert headers["x-ms-routing-request-id"].startswith("WESTEUROPE:")
        assert "x-ms-ratelimit-remaining-subscription-reads" in headers


def test_the_providers_answers_name_its_region(client, body):
    client.put(body)

    assert (
        client.call("GET", f"{client.groups}/web")
        .headers["x-ms-request-id"]
        .startswith("westeurope:")
    )
    assert ":" not in client.call("GET", client.rg).headers["x-ms-request-id"]


def test_lists_come_in_pages(make, body):
    client = make(page_size=2)
    for name in ("a", "b", "c", "d", "e"):
        client.put(body, name=name)

    pages = [client.call("GET", client.groups).json()]
    while "nextLink" in pages[-1]:
        pages.append(client.call("GET", pages[-1]["nextLink"]).json())

    assert [[group["name"] for group in page["value"]] for page in pages] == [
        ["a", "b"],
        ["c", "d"],
        ["e"],
    ]
    assert list(pages[-1]) == ["value"]


def test_a_page_that_ends_exactly_has_no_next(make, body):
    client = make(page_size=2)
    for name in ("a", "b"):
        client.put(body, name=name)

    assert "nextLink" not in client.call("GET", client.groups).json()


def test_a_made_up_skip_token_is_refused(client):
    assert client.call("GET", client.groups, **{"$skiptoken": "x"}).status_code == 400


def test_the_providers_counters_are_on_put_and_delete_only(client, body):
    first = client.put(body)
    refused = client.put(body | {"properties": {}})
    deleted = client.call("DELETE", f"{client.groups}/web")

    def left(response):
        return [
            response.headers.get(f"{RESOURCE_REQUESTS}-{window}") for window in ("pt5m", "pt1h")
        ]

    assert left(first) == ["99", "299"]
    assert (refused.status_code, left(refused)) == (400, ["98", "298"])
    assert left(deleted) == ["99", "299"]
    client.put(body)
    for response in (
        client.call("GET", f"{client.groups}/web"),
        client.call("GET", client.groups),
        client.call("PATCH", f"{client.groups}/web", {"tags": {}}),
        client.post("stop"),
        client.call("PUT", client.rg, {"location": "westeurope"}),
    ):
        assert left(response) == [None, None]


def test_regions_are_counted_apart(client, body):
    client.put(body)

    other = client.put(body | {"location": "eastus"}, name="other")

    assert other.headers[f"{RESOURCE_REQUESTS}-pt5m"] == "99"


def test_arms_counters_go_by_what_a_call_does(client, body):
    client.put(body)

    def left(response, kind):
        return response.headers.get(f"x-ms-ratelimit-remaining-subscription-{kind}")

    assert left(client.call("GET", client.groups), "reads") == "11999"
    assert left(client.post("stop"), "writes") == "1197"
    assert left(client.call("DELETE", f"{client.groups}/web"), "deletes") == "14999"


def test_too_many_writes_are_refused_until_the_window_ends(make, body):
    clock = ManualClock()
    client = make(time=clock, limits=Limits(pt5m=2, pt1h=300))
    for name in ("a", "b"):
        assert client.put(body, name=name).status_code == 201
    clock.advance(20)

    refused = client.put(body, name="c")

    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "280"
    assert refused.headers[f"{RESOURCE_REQUESTS}-pt5m"] == "0"
    assert refused.json()["error"] == {
        "code": "ResourceRequestsThrottled",
        "message": "Number of requests for action 'Microsoft.ContainerInstance/containerGroups/write' "
        "exceeded the limit of '2' for time interval '00:05:00'. Please try again after '280' seconds.",
    }
    assert client.call("DELETE", f"{client.groups}/a").status_code == 200
    clock.advance(281)
    assert client.put(body, name="c").status_code == 201


def test_too_many_reads_are_refused_by_arm(make):
    client = make(limits=Limits(reads=1))
    client.call("GET", client.groups)

    refused = client.call("GET", client.groups)

    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "SubscriptionRequestsThrottled"
    assert int(refused.headers["Retry-After"]) > 0


def test_requests_are_logged_for_assertions(make, body):
    client = make()
    client.put(body)
    client.call("GET", f"{client.groups}/nobody")

    last, missing = client.emulator.requests[-2:]

    assert (last.method, last.path, last.status) == ("PUT", f"{client.groups}/web", 201)
    assert last.body == body
    assert (missing.status, missing.body) == (404, None)
    assert client.emulator.count("PUT", containing="/containergroups/") == 1
    assert client.emulator.count("PUT") == 2


def test_a_change_behind_the_back_shows_and_restarts_nothing(client, body):
    before = client.read_back(body)

    def scale(spec):
        spec["properties"]["containers"][0]["properties"]["image"] = "nginx:evil"
        spec["tags"]["by"] = "hand"

    client.emulator.change(client.subscription, "RG", "web", scale)

    after = client.get()
    container = after["properties"]["containers"][0]["properties"]
    assert container["image"] == "nginx:evil"
    assert after["tags"] == {"team": "shop", "by": "hand"}
    old = before["properties"]["containers"][0]["properties"]["instanceView"]["currentState"]
    assert container["instanceView"]["currentState"] == old
    assert client.call("GET", client.groups).json()["value"][0]["tags"] == after["tags"]


def test_a_group_can_be_given_with_its_resource_group(client, body):
    client.emulator.given(client.subscription, "other", "web", body)

    path = client.groups.replace("/rg/", "/other/")
    assert (
        client.call("GET", path).json()["value"][0]["properties"]["provisioningState"]
        == "Succeeded"
    )
    assert client.emulator.groups(client.subscription)[0]["name"] == "web"


def test_changing_what_is_not_there_says_so(client):
    with pytest.raises(KeyError, match="no container group 'nobody'"):
        client.emulator.change(client.subscription, "rg", "nobody", lambda spec: None)
    with pytest.raises(KeyError, match="no container group 'nobody'"):
        client.emulator.restarts(client.subscription, "rg", "nobody")


def test_a_test_may_answer_in_the_emulators_place(make, body):
    client = make()
    seen = []

    def unavailable(call):
        seen.append((call.method, call.path))
        return (
            Reply(status=503, body={"error": {"code": "Busy", "message": "later"}})
            if call.method == "PUT"
            else None
        )

    client.emulator.intercept = unavailable

    assert client.put(body).json()["error"]["code"] == "Busy"
    assert client.call("GET", client.groups).json() == {"value": []}
    assert [method for method, _ in seen] == ["PUT", "GET"]


def test_what_nobody_knows_is_dropped_and_counted(make, body):
    client = make()
    body["properties"]["containers"][0]["properties"]["colour"] = "red"

    client.put(body)

    assert "colour" not in client.get()["properties"]["containers"][0]["properties"]
    assert client.emulator.dropped == {"/properties/containers/*/properties/colour": 1}


def test_an_emulator_that_does_not_run_has_no_url():
    emulator = Emulator()
    with pytest.raises(RuntimeError, match="not running"):
        emulator.url
    emulator.stop()


def test_a_taken_port_is_told(client):
    port = int(client.emulator.url.rsplit(":", 1)[1])

    with pytest.raises(OSError, match="in use"):
        Emulator(port=port).start()


def test_starting_and_stopping_is_quick():
    began = time.monotonic()
    with Emulator() as emulator:
        assert emulator.url.startswith("http://127.0.0.1:")

    assert time.monotonic() - began < 2


def test_a_list_of_ten_thousand_is_cheap(make, body):
    client = make(limits=PLENTY)
    with client.emulator._world() as world:  # seeded in one transaction
        spec = spec_of(body, "2023-05-01", world.dropped)
        phase = begin(Kind.CREATE, world.pace)
        for number in range(10_000):
            world.records.save(
                Group(
                    subscription=client.subscription,
                    resource_group="rg",
                    name=f"g{number:05}",
                    version="2023-05-01",
                    spec=spec,
                    phase=phase,
                    started=phase.since,
                    deployed=phase.since,
                )
            )

    began = time.process_time()
    page = client.call("GET", client.groups).json()
    count = len(page["value"])
    while "nextLink" in page:
        page = client.call("GET", page["nextLink"]).json()
        count += len(page["value"])

    # Both sides together: the emulator runs on a thread of this process.
    assert count == 10_000
    assert time.process_time() - began < 2
