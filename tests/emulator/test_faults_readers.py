"""What faults make readers see: too late, still, only half, or nothing."""

from __future__ import annotations

import pytest

from reconciler.emulator import ManualClock


def listed(client):
    return [item["name"] for item in client.call("GET", client.groups).json()["value"]]


def test_a_new_group_is_not_found_for_so_many_reads(make, body):
    client = make(faults=[{"fault": {"kind": "missing-after-create", "reads": 2}}])
    client.put(body)

    seen = [client.call("GET", f"{client.groups}/web").status_code for _ in range(3)]

    assert seen == [404, 404, 200]
    assert client.put(body).status_code == 200
    assert client.get()["name"] == "web", "an update hides nothing"


def test_a_new_group_is_not_found_for_so_many_seconds(make, body):
    clock = ManualClock()
    fault = {"kind": "missing-after-create", "seconds": 5}
    client = make(time=clock, faults=[{"fault": fault, "when": {"stage": "put"}}])
    client.put(body)

    early = client.call("GET", f"{client.groups}/web")
    clock.advance(5)

    assert (early.status_code, early.json()["error"]["code"]) == (404, "ResourceNotFound")
    assert client.get()["name"] == "web"


def test_a_deleted_group_stays_in_so_many_lists(make, body):
    client = make(faults=[{"fault": {"kind": "listed-after-delete", "lists": 2}}])
    client.put(body)
    client.call("DELETE", f"{client.groups}/web")

    gone = client.call("GET", f"{client.groups}/web").status_code

    assert gone == 404
    assert [listed(client) for _ in range(3)] == [["web"], ["web"], []]


def test_a_deleted_group_stays_in_lists_for_so_many_seconds(make, body):
    clock = ManualClock()
    client = make(time=clock, faults=[{"fault": {"kind": "listed-after-delete", "seconds": 5}}])
    client.put(body)
    clock.advance(60)
    client.call("DELETE", f"{client.groups}/web")

    early = listed(client)
    clock.advance(5)

    assert (early, listed(client)) == (["web"], [])


def test_one_that_is_created_again_is_listed_once(make, body):
    client = make(faults=[{"fault": {"kind": "listed-after-delete", "lists": 9}}])
    client.put(body)
    client.call("DELETE", f"{client.groups}/web")
    client.put(body)

    assert listed(client) == ["web"]


def test_lists_of_other_places_do_not_show_it(make, body):
    client = make(faults=[{"fault": {"kind": "listed-after-delete", "lists": 1}}])
    client.call("PUT", f"{client.root}/resourceGroups/other", {"location": "westeurope"})
    client.put(body)
    client.call("DELETE", f"{client.groups}/web")

    elsewhere = client.call("GET", client.groups.replace("/rg/", "/other/")).json()["value"]
    everywhere = client.call(
        "GET", f"{client.root}/providers/Microsoft.ContainerInstance/containerGroups"
    ).json()["value"]

    assert elsewhere == []
    assert [item["name"] for item in everywhere] == ["web"]


@pytest.mark.parametrize("when", [{}, {"stage": "list"}, {"stage": "next-page"}])
def test_a_list_fails_midway(make, sdk, body, when):
    from azure.core.exceptions import HttpResponseError

    client = make(faults={"pageSize": 2, "faults": [{"fault": "page-fails", "when": when}]})
    for name in ("a", "b", "c"):
        client.put(body, name=name)
    seen = []

    with pytest.raises(HttpResponseError, match="InternalServerError"):
        for group in sdk(client).container_groups.list():
            seen.append(group.name)

    assert seen == ["a", "b"]


def test_a_list_comes_back_empty_by_mistake(make, body):
    client = make(faults=[{"fault": "empty-list", "when": {"nth": 2}}])
    client.put(body)

    assert [listed(client) for _ in range(3)] == [["web"], [], ["web"]]
    assert client.get()["name"] == "web"
