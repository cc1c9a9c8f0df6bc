"""The real SDK's clients against the emulator: if they are content, so is any other client."""

from __future__ import annotations

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.resource.resources import ResourceManagementClient

from reconciler.emulator import Polls


@pytest.fixture
def polled(make):
    return make(time=Polls(1), page_size=2)


def test_a_group_lives_its_life(polled, sdk, body, as_bytes):
    groups = sdk(polled).container_groups

    created = groups.begin_create_or_update(
        "rg", "web", as_bytes(body), content_type="application/json"
    ).result()
    updated = groups.begin_create_or_update(
        "rg", "web", as_bytes(body), content_type="application/json"
    ).result()
    tagged = groups.update("rg", "web", {"tags": {"a": "b"}})
    groups.begin_restart("rg", "web").result()
    groups.stop("rg", "web")
    stopped = [groups.get("rg", "web").instance_view.state for _ in range(2)]
    groups.begin_start("rg", "web").result()
    started = groups.get("rg", "web")
    deleted = groups.begin_delete("rg", "web").result()

    assert (created.provisioning_state, created.instance_view.state) == ("Succeeded", "Running")
    assert updated.containers[0].instance_view.current_state.state == "Running"
    assert tagged.tags == {"a": "b"}
    assert stopped == ["Running", "Stopped"]
    assert started.instance_view.state == "Running"
    assert deleted.name == "web"
    with pytest.raises(ResourceNotFoundError, match="does not exist"):
        groups.get("rg", "web")


def test_models_go_there_and_back(polled, sdk):
    from azure.mgmt.containerinstance import models

    group = models.ContainerGroup(
        location="westeurope",
        os_type="Linux",
        containers=[
            models.Container(
                name="web",
                image="nginx",
                resources=models.ResourceRequirements(
                    requests=models.ResourceRequests(cpu=1, memory_in_gb=1)
                ),
            )
        ],
    )

    seen = sdk(polled).container_groups.begin_create_or_update("rg", "web", group).result()

    assert seen.containers[0].image == "nginx"
    assert seen.sku == "Standard"


def test_lists_are_followed_over_pages(polled, sdk, body):
    for name in ("a", "b", "c"):
        polled.emulator.given(polled.subscription, "rg", name, body)
    groups = sdk(polled).container_groups

    assert [group.name for group in groups.list()] == ["a", "b", "c"]
    assert [group.name for group in groups.list_by_resource_group("rg")] == ["a", "b", "c"]


def test_refusals_arrive_as_the_sdks_exceptions(polled, sdk, body, as_bytes):
    groups = sdk(polled).container_groups
    polled.put(body)
    with pytest.raises(ResourceExistsError, match="still transitioning") as conflict:
        groups.begin_create_or_update("rg", "web", as_bytes(body), content_type="application/json")
    body["properties"]["osType"] = "Windows"
    with pytest.raises(HttpResponseError, match="must delete it first") as refused:
        groups.begin_create_or_update("rg", "web", as_bytes(body), content_type="application/json")

    assert conflict.value.error.code == "ContainerGroupTransitioning"
    assert refused.value.error.code == "InvalidContainerGroupUpdate"


def test_a_failed_provisioning_is_an_exception_with_its_reason(polled, sdk, body):
    created = polled.put(body)
    polled.emulator.given(polled.subscription, "rg", "failed", body, failure="no room")

    assert created.status_code == 201
    assert sdk(polled).container_groups.get("rg", "failed").provisioning_state == "Failed"


def test_logs_exec_attach_and_the_rest(polled, sdk, body):
    polled.emulator.given(polled.subscription, "rg", "web", body)
    client = sdk(polled)

    assert (
        client.containers.list_logs("rg", "web", "web", tail=5, timestamps=False).content
        == "listening on port 80\n"
    )
    assert client.containers.attach("rg", "web", "web").password
    assert client.containers.execute_command("rg", "web", "web", {"command": "sh"}).web_socket_uri
    assert [usage.current_value for usage in client.location.list_usage("westeurope")][0] == 1
    assert list(client.location.list_capabilities("westeurope"))[0].os_type == "Linux"
    assert list(client.location.list_cached_images("westeurope"))[0].image
    assert list(client.operations.list())[0].name
    assert client.container_groups.get_outbound_network_dependencies_endpoints("rg", "web")


def test_resource_groups_live_their_lives(polled, sdk, body):
    client = sdk(polled, ResourceManagementClient)
    polled.emulator.given(polled.subscription, "mine", "web", body)

    made = client.resource_groups.create_or_update(
        "mine", {"location": "westeurope", "tags": {"a": "b"}}
    )
    inside = [item.type for item in client.resources.list_by_resource_group("mine")]
    listed = [group.name for group in client.resource_groups.list()]
    provider = client.providers.get("Microsoft.ContainerInstance")
    client.resource_groups.begin_delete("mine").result()

    assert made.tags == {"a": "b"}
    assert inside == ["Microsoft.ContainerInstance/containerGroups"]
    assert listed == ["mine", "rg"]
    assert provider.registration_state == "Registered"
    assert client.resource_groups.check_existence("mine") is False
    assert polled.emulator.groups(polled.subscription) == []


def test_a_long_running_delete_is_waited_for(make, sdk, body):
    from reconciler.emulator import Answers

    client = make(time=Polls(2), answers=Answers(delete_status=202))
    client.emulator.given(client.subscription, "rg", "web", body)

    sdk(client).container_groups.begin_delete("rg", "web").result()

    assert client.emulator.groups(client.subscription) == []
