"""Quotas, sizes, registration and limits that a test or a script sets."""

from __future__ import annotations

import pytest

from reconciler.emulator import Limits, ManualClock


def figure(client, kind):
    base = f"{client.root}/providers/Microsoft.ContainerInstance/locations/westeurope"
    return client.call("GET", f"{base}/{kind}").json()["value"]


def quotas(client):
    found = {item["name"]["value"]: item for item in figure(client, "usages")}
    return {name: (item["currentValue"], item["limit"]) for name, item in found.items()}


def registration(client):
    provider = f"{client.root}/providers/Microsoft.ContainerInstance"
    return client.call("GET", provider).json()["registrationState"]


def test_quotas_are_set_and_others_may_use_them_too(make, body):
    given = {
        "StandardCores": 10,
        "ContainerGroups": {"limit": 5, "used": 3},
        "StandardSpotCores": 7,
    }
    client = make(quotas=given)
    client.put(body)

    seen = quotas(client)

    assert seen["StandardCores"] == (1, 10)
    assert seen["ContainerGroups"] == (4, 5)
    assert seen["StandardSpotCores"] == (0, 7)
    assert seen["StandardK80Cores"] == (0, 0)


def test_a_quota_that_is_set_is_enforced(make, body):
    client = make(quotas={"StandardCores": 2})
    client.put(body, name="a")
    client.put(body, name="b")

    status, code, message = client.refused(body)

    assert (status, code) == (409, "ContainerGroupQuotaReached")
    assert (
        "'StandardCores' exceeded in region 'westeurope'. Limit: '2', Usage: '2' Requested: '1'."
        in message
    )
    assert client.put(body, name="a").status_code == 200, "an update asks for nothing more"


def test_the_number_of_groups_is_a_quota_too(make, body):
    client = make(faults={"quotas": {"ContainerGroups": {"limit": 3, "used": 2}}})
    client.put(body, name="a")

    assert client.refused(body)[1] == "ContainerGroupQuotaReached"


def test_a_quota_that_is_not_set_refuses_nothing(client, body):
    for container in body["properties"]["containers"]:
        container["properties"]["resources"]["requests"]["cpu"] = 101

    assert client.put(body).status_code != 409


def test_sizes_are_set(make):
    client = make(capabilities={"maxCpu": 4})

    assert {tuple(item["capabilities"].items()) for item in figure(client, "capabilities")} == {
        (("maxMemoryInGB", 240.0), ("maxCpu", 4.0), ("maxGpuCount", 0.0))
    }


@pytest.mark.parametrize(("state", "code"), [("NotRegistered", 409), ("Registering", 201)])
def test_registration_is_set_and_wanted_by_writes(make, body, state, code):
    client = make(registration=state)

    assert registration(client) == state
    assert client.put(body).status_code == code


def test_figures_of_a_script_go_before_those_of_the_start_until_it_ends(make):
    client = make(quotas={"StandardCores": 10}, registration="Registering")
    client.emulator.plays(
        {
            "quotas": {"StandardCores": 3},
            "capabilities": {"maxMemoryInGB": 16},
            "registration": "Registered",
        }
    )
    script = quotas(client)["StandardCores"], registration(client)
    size = figure(client, "capabilities")[0]["capabilities"]["maxMemoryInGB"]
    client.emulator.plays(None)

    assert (script, size) == (((0, 3), "Registered"), 16.0)
    assert (quotas(client)["StandardCores"], registration(client)) == ((0, 10), "Registering")


def test_a_script_sets_limits_and_pages(make, body):
    client = make(faults={"limits": {"pt5m": 1}, "pageSize": 1})

    first, second = client.put(body, name="a"), client.put(body, name="b")

    assert (first.status_code, second.status_code) == (201, 429)
    client.emulator.plays({"pageSize": 1})
    client.put(body, name="b")
    page = client.call("GET", client.groups).json()
    assert len(page["value"]) == 1
    assert "nextLink" in page


def taken(client, clock, body, times):
    """Which of the writes at these seconds are taken, and how long the others are to wait."""
    found = []
    for at in times:
        clock.advance(at - (clock.now() - clock.start).total_seconds())
        answered = client.put(body)
        wait = answered.headers.get("Retry-After")
        found.append(int(wait) if answered.status_code == 429 else "taken")
    return found


# Two writes in 300 s, at 0 and 200; then one after the other.
TIMES = [0, 200, 290, 300, 301, 499, 500]


def test_a_fixed_window_begins_anew_as_a_whole(make, body):
    clock = ManualClock()
    client = make(time=clock, limits=Limits(pt5m=2, window="fixed"))

    assert taken(client, clock, body, TIMES) == ["taken", "taken", 10, "taken", "taken", 101, 100]


def test_a_sliding_window_gives_back_one_at_a_time(make, body):
    clock = ManualClock()
    client = make(time=clock, limits=Limits(pt5m=2, window="sliding"))

    assert taken(client, clock, body, TIMES) == ["taken", "taken", 10, "taken", 199, 1, "taken"]


@pytest.mark.parametrize("window", ["fixed", "sliding"])
def test_who_waits_as_told_is_taken(make, body, window):
    clock = ManualClock()
    client = make(time=clock, limits=Limits(pt5m=1, window=window))
    client.put(body)
    clock.advance(0.4)

    refused = client.put(body)
    clock.advance(int(refused.headers["Retry-After"]))

    assert refused.status_code == 429
    assert client.put(body).status_code == 200


@pytest.mark.parametrize("window", ["fixed", "sliding"])
def test_a_refused_write_is_counted_by_neither_window(make, body, window):
    clock = ManualClock()
    client = make(time=clock, limits=Limits(pt5m=1, pt1h=10, window=window))
    prefix = "x-ms-ratelimit-remaining-subscription-resource-requests"
    first = client.put(body)
    refused = [client.put(body) for _ in range(5)][-1]
    clock.advance(301)
    later = client.put(body)

    left = [answer.headers[f"{prefix}-pt1h"] for answer in (first, refused, later)]
    assert (refused.status_code, left) == (429, ["9", "8", "8"])


@pytest.mark.parametrize("window", ["fixed", "sliding"])
def test_the_headers_count_down(make, body, window):
    client = make(time=ManualClock(), limits=Limits(pt5m=3, reads=2, window=window))
    prefix = "x-ms-ratelimit-remaining-subscription"

    left = []
    for _ in range(3):
        answered = client.put(body, name=f"g{len(left)}")
        left.append(answered.headers[f"{prefix}-resource-requests-pt5m"])
    reads = [client.call("GET", client.groups) for _ in range(3)]

    assert left == ["2", "1", "0"]
    assert [answer.headers[f"{prefix}-reads"] for answer in reads] == ["1", "0", "0"]
    assert [answer.status_code for answer in reads] == [200, 200, 429]
