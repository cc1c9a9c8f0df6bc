"""Which calls a rule hits: stages, methods, paths, groups, counts and chances."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest


def outcome(response):
    return response.status_code


def puts(client, body, times, name="web"):
    return [client.put(body, name=name).status_code for _ in range(times)]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({}, [503, 503, 503, 503, 503]),
        ({"nth": 1}, [503, 201, 200, 200, 200]),
        ({"nth": [1, 3]}, [503, 201, 503, 200, 200]),
        ({"first": 2}, [503, 503, 201, 200, 200]),
        ({"after": 3}, [201, 200, 200, 503, 503]),
        ({"after": 1, "first": 2}, [201, 503, 503, 200, 200]),
        ({"probability": 0}, [201, 200, 200, 200, 200]),
        ({"probability": 1}, [503, 503, 503, 503, 503]),
    ],
)
def test_calls_are_counted(make, body, when, expected):
    client = make(faults=[{"when": {"stage": "put"} | when, "fault": {"status": 503}}])

    assert puts(client, body, 5) == expected


@pytest.mark.parametrize(
    "when",
    [
        {"method": "PUT", "path": "*/containerGroups/web"},
        {"method": ["put", "PATCH"], "path": "*/CONTAINERGROUPS/W*"},
        {"stage": "put", "group": "WEB"},
        {"stage": ["delete", "put"], "group": "rg/w*"},
        {"group": "web", "method": "PUT"},
    ],
)
def test_a_call_is_found_in_any_case(make, body, when):
    client = make(faults=[{"when": when, "fault": {"status": 503}}])

    assert client.put(body).status_code == 503
    assert client.put(body, name="api").status_code == 201


def test_a_group_of_another_resource_group_is_another(make, body):
    client = make(faults=[{"when": {"group": "other/web"}, "fault": {"status": 503}}])

    assert client.put(body).status_code == 201


def test_stages_are_told_apart(make, body):
    stages = (
        "list", "get", "put", "patch", "delete", "start", "stop", "restart", "poll", "logs",
        "usages", "capabilities", "provider", "register", "resource-group", "resources",
        "create", "update", "next-page",
    )  # fmt: skip
    rules = [
        {"name": s, "when": {"stage": s}, "fault": {"kind": "slow", "seconds": 0}} for s in stages
    ]
    client = make(faults={"pageSize": 1, "faults": rules})
    client.emulator.played.clear()
    web = f"{client.groups}/web"
    aci = f"{client.root}/providers/Microsoft.ContainerInstance"

    def played(*calls):
        before = client.emulator.played
        last = None
        for method, path, *sent in calls:
            last = client.call(method, path, *sent)
            assert last.status_code < 400, last.text
        return last, dict(client.emulator.played - before)

    created, seen = played(("PUT", web, body))
    assert seen == {"put": 1, "create": 1}
    assert played(("PUT", web, body))[1] == {"put": 1, "update": 1}
    assert played(("GET", created.headers["Azure-AsyncOperation"]))[1] == {"poll": 1}
    client.put(body, name="api")
    page, seen = played(("GET", client.groups))
    assert seen == {"list": 1}
    assert played(("GET", page.json()["nextLink"]))[1] == {"list": 1, "next-page": 1}
    assert played(("GET", f"{aci}/containerGroups"))[1] == {"list": 1}
    assert played(("GET", web))[1] == {"get": 1}
    assert played(("PATCH", web, {"tags": {}}))[1] == {"patch": 1}
    assert played(("GET", f"{web}/containers/web/logs"))[1] == {"logs": 1}
    assert played(("POST", f"{web}/restart"))[1] == {"restart": 1}
    assert played(("POST", f"{web}/stop"))[1] == {"stop": 1}
    assert played(("POST", f"{web}/start"))[1] == {"start": 1}
    assert played(("DELETE", web))[1] == {"delete": 1}
    assert played(("GET", f"{aci}/locations/westeurope/usages"))[1] == {"usages": 1}
    assert played(("GET", f"{aci}/locations/westeurope/capabilities"))[1] == {"capabilities": 1}
    assert played(("GET", aci))[1] == {"provider": 1}
    assert played(("POST", f"{aci}/register"))[1] == {"register": 1}
    assert played(("GET", client.rg))[1] == {"resource-group": 1}
    assert played(("GET", f"{client.rg}/resources"))[1] == {"resources": 1}


def test_a_poll_goes_by_the_group_it_is_about(make, body):
    client = make(faults=[{"when": {"stage": "poll", "group": "web"}, "fault": {"status": 500}}])
    polls = [client.put(body, name=name).headers["Azure-AsyncOperation"] for name in ("web", "api")]

    assert [client.call("GET", url).status_code for url in polls] == [500, 200]


def test_the_creation_after_a_deletion_is_a_creation(make, body):
    client = make(faults=[{"when": {"stage": "create", "nth": 2}, "fault": "capacity"}])
    client.put(body)
    client.put(body)
    client.call("DELETE", f"{client.groups}/web")

    assert client.refused(body)[:2] == (409, "ServiceUnavailable")


def test_calls_about_each_group_can_be_counted_apart(make, body):
    when = {"stage": "put", "first": 1, "per": "group"}
    client = make(faults=[{"when": when, "fault": {"status": 503}}])

    assert puts(client, body, 2, "web") + puts(client, body, 2, "api") == [503, 201, 503, 201]


def test_the_first_rule_that_answers_is_played(make, body):
    script = [
        {"when": {"stage": "put", "nth": 2}, "fault": {"status": 500}},
        {"when": {"stage": "put"}, "fault": {"status": 503}},
    ]
    client = make(faults=script)

    assert puts(client, body, 3) == [503, 500, 503]
    assert client.emulator.played == {"500": 1, "503": 2}


def test_what_is_not_carried_out_has_no_effects(make, body):
    script = [
        {"when": {"stage": "put", "first": 1}, "fault": {"status": 503}},
        {"fault": "crash-loop"},
    ]
    client = make(faults=script)

    client.put(body)

    assert client.emulator.played == {"503": 1}


def drawn(make, body, seed, order):
    """Which puts of which group met a fault, where groups take turns in a given order."""
    rule = {"when": {"stage": "put", "probability": 0.4}, "fault": {"status": 503}}
    client = make(faults={"seed": seed, "faults": [rule]})
    seen = {name: [] for name in set(order)}
    for name in order:
        seen[name].append(client.put(body, name=name).status_code == 503)
    return seen


def test_chances_come_from_the_seed_whatever_the_order_of_groups(make, body):
    one = drawn(make, body, 7, ["web"] * 12 + ["api"] * 12)
    again = drawn(make, body, 7, ["api", "web"] * 12)
    other = drawn(make, body, 8, ["web", "api"] * 12)

    assert one == again
    assert one != other
    assert one["web"] != one["api"]


def test_a_probability_is_about_that_share_of_calls(make):
    rule = {"when": {"stage": "list", "probability": 0.3}, "fault": {"status": 503}}
    client = make(faults={"seed": 1, "faults": [rule]})

    for _ in range(300):
        client.call("GET", client.groups)

    assert 60 <= client.emulator.played["503"] <= 120


def test_many_threads_count_every_call_once(make):
    client = make(faults=[{"when": {"stage": "list", "first": 25}, "fault": {"status": 503}}])

    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda _: client.call("GET", client.groups).status_code, range(100)))

    assert (seen.count(503), seen.count(200)) == (25, 75)


def test_a_script_can_be_changed_and_ended_at_any_time(make, body):
    client = make()
    client.emulator.plays([{"when": {"stage": "put"}, "fault": {"status": 503}}])
    refused = client.put(body).status_code
    client.emulator.plays(None)

    assert (refused, client.put(body).status_code) == (503, 201)
    assert client.emulator.played == {}
