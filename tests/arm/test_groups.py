"""The whole protocol against the emulator, through the real SDK."""

from __future__ import annotations

import pytest

from reconciler.arm.connect import connect
from reconciler.core.cloud import Cloud
from reconciler.core.ids import GroupId, ResourceGroupId
from reconciler.core.jsonval import dig
from reconciler.emulator import Emulator
from reconciler.errors import Conflict, NotFound, Rejected


def body(**properties: object) -> dict:
    container = {
        "name": "web",
        "properties": {
            "image": "nginx:1.27",
            "command": ["/bin/sh", "-c", "echo first; echo last; sleep 9999"],
            "resources": {"requests": {"cpu": 1, "memoryInGB": 1.5}},
        },
    }
    return {
        "location": "westeurope",
        "tags": {"team": "shop"},
        "properties": {"osType": "Linux", "containers": [container], **properties},
    }


@pytest.fixture(scope="module")
def emulator():
    with Emulator() as running:
        yield running


@pytest.fixture
def azure(emulator):
    with connect(cloud="AzureCloud", endpoint=emulator.url, parallelism=4, environ={}) as cloud:
        typed: Cloud = cloud
        yield typed


@pytest.fixture
def place(azure, request) -> ResourceGroupId:
    """A resource group in a subscription of the test's own."""
    number = abs(hash(request.node.nodeid)) % 10**12
    found = ResourceGroupId(subscription=f"00000000-0000-0000-0000-{number:012d}", name="rg-shop")
    azure.put_resource_group(found, location="westeurope", tags={"team": "shop"})
    return found


@pytest.fixture
def web(place) -> GroupId:
    return GroupId(subscription=place.subscription, resource_group=place.name, name="web")


def settled(azure, accepted) -> str:
    for _ in range(50):
        look = azure.look(accepted.operation)
        if look.is_final:
            return look.status
    raise AssertionError("the operation does not end")


def test_a_group_that_was_put_is_read_back_and_listed(azure, place, web) -> None:
    accepted = azure.put_group(web, body())

    assert dig(accepted.body, "name") == "web"
    assert accepted.request_id
    assert settled(azure, accepted) == "Succeeded"
    live = azure.group(web)
    assert dig(live, "properties", "containers")[0]["properties"]["image"] == "nginx:1.27"
    assert dig(live, "properties", "instanceView") is not None
    for found in (azure.groups(place.subscription), azure.groups_in(place)):
        assert [dig(item, "name") for item in found] == ["web"]
        assert dig(found[0], "properties", "instanceView") is None


def test_live_properties_that_the_sdk_does_not_know_survive(azure, emulator, web) -> None:
    azure.put_group(web, body())

    live = azure.group(web)

    from azure.mgmt.containerinstance.models import ContainerGroup

    known = {name["key"] for name in ContainerGroup._attribute_map.values()}
    unknown = set(dig(live, "properties")) - {key.removeprefix("properties.") for key in known}
    assert unknown >= {"provisioningTimeoutInSeconds"}
    assert dig(azure.groups(web.subscription)[0], "properties", "provisioningTimeoutInSeconds")


def test_properties_that_the_sdk_does_not_know_are_sent(azure, emulator, web) -> None:
    azure.put_group(web, body() | {"novel": {"a": [1]}})

    sent = [r for r in emulator.requests if r.method == "PUT" and web.name in r.path][-1]
    assert sent.body["novel"] == {"a": [1]}


def test_what_is_not_there_is_none(azure, place, web) -> None:
    nowhere = ResourceGroupId(subscription=place.subscription, name="rg-absent")
    there = GroupId(subscription=place.subscription, resource_group="rg-absent", name="web")

    assert azure.group(web) is None
    assert azure.group(there) is None
    assert azure.groups_in(place) == []
    assert azure.groups_in(nowhere) is None
    assert azure.resource_group(nowhere) is None


def test_tags_are_replaced_as_a_whole_and_nothing_restarts(azure, emulator, web) -> None:
    settled(azure, azure.put_group(web, body()))

    azure.patch_tags(web, {"a": "b"})

    assert dig(azure.group(web), "tags") == {"a": "b"}
    assert emulator.restarts(web.subscription, web.resource_group, web.name) == 0


def test_a_deleted_group_is_gone_and_deleting_it_again_is_no_error(azure, web) -> None:
    settled(azure, azure.put_group(web, body()))

    first, second = azure.delete_group(web), azure.delete_group(web)

    assert dig(first.body, "name") == "web"
    assert (second.body, second.operation) == (None, None)
    assert azure.group(web) is None


def test_a_group_stops_starts_and_restarts(azure, emulator, web) -> None:
    settled(azure, azure.put_group(web, body()))

    stopped = azure.stop(web)
    assert stopped.body is None
    while dig(azure.group(web), "properties", "instanceView", "state") != "Stopped":
        pass
    assert settled(azure, azure.start(web)) == "Succeeded"
    assert dig(azure.group(web), "properties", "instanceView", "state") == "Running"
    assert settled(azure, azure.restart(web)) == "Succeeded"
    assert emulator.restarts(web.subscription, web.resource_group, web.name) == 1


def test_logs_are_what_the_container_printed(azure, web) -> None:
    settled(azure, azure.put_group(web, body()))

    whole = azure.logs(web, "web")
    last = azure.logs(web, "web", tail=1, timestamps=True)

    assert whole.splitlines() == ["first", "last"]
    assert last.endswith("Z last\n")
    assert len(last.splitlines()) == 1
    with pytest.raises((NotFound, Rejected)):
        azure.logs(web, "absent")


def test_resource_groups_come_and_go_with_what_they_hold(azure, emulator, place, web) -> None:
    settled(azure, azure.put_group(web, body()))
    emulator.place_resource(
        place.subscription, place.name, "Microsoft.Storage/storageAccounts", "data"
    )

    found = azure.resource_group(place)
    assert (dig(found, "location"), dig(found, "tags")) == ("westeurope", {"team": "shop"})
    assert [dig(item, "name") for item in azure.resource_groups(place.subscription)] == ["rg-shop"]
    types = {dig(item, "type") for item in azure.resources_in(place)}
    assert types == {
        "Microsoft.ContainerInstance/containerGroups",
        "Microsoft.Storage/storageAccounts",
    }

    accepted = azure.delete_resource_group(place)

    assert accepted.operation is not None
    assert accepted.operation.is_location
    assert settled(azure, accepted) == "Succeeded"
    assert azure.resource_group(place) is None
    assert azure.groups(place.subscription) == []


def test_many_groups_come_in_pages_and_all_are_listed() -> None:
    subscription = "00000000-0000-0000-0000-000000000abc"
    with Emulator(page_size=3) as paged:
        for number in range(10):
            paged.given(subscription, "rg", f"g{number}", body())
        with connect(cloud="AzureCloud", endpoint=paged.url, parallelism=1, environ={}) as cloud:
            names = [dig(item, "name") for item in cloud.groups(subscription)]
        pages = paged.count("GET")

    assert sorted(names) == [f"g{number}" for number in range(10)]
    assert pages == 4


def test_a_change_that_cannot_be_made_in_place_is_rejected_with_a_way_on(azure, web) -> None:
    settled(azure, azure.put_group(web, body()))

    with pytest.raises((Rejected, Conflict), match="InvalidContainerGroupUpdate.*--replace web"):
        azure.put_group(web, body(restartPolicy="Never"))
