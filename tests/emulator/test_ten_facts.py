"""The ten facts that matter most (0.3), each over HTTP."""

from __future__ import annotations

import copy


def test_get_returns_what_put_sent_and_the_closed_list(client, body):
    body["properties"]["containers"][0]["properties"]["livenessProbe"] = {
        "httpGet": {"port": 80, "path": "/", "scheme": "http"},
        "periodSeconds": 20,
    }

    seen = client.read_back(body)

    properties = seen["properties"]
    container = properties["containers"][0]["properties"]
    assert container.pop("instanceView")["currentState"]["state"] == "Running"
    assert container.pop("environmentVariables") == []
    assert properties.pop("instanceView") == {"events": [], "state": "Running"}
    assert properties.pop("provisioningState") == "Succeeded"
    assert properties.pop("sku") == "Standard"
    assert properties.pop("initContainers") == []
    assert properties.pop("provisioningTimeoutInSeconds") == 1800
    assert properties.pop("isCustomProvisioningTimeout") is False
    assert properties["ipAddress"].pop("ip").startswith("20.")
    assert seen.pop("id") == f"{client.groups}/web"
    assert (seen.pop("name"), seen.pop("type")) == (
        "web",
        "Microsoft.ContainerInstance/containerGroups",
    )
    assert seen == body


def test_nothing_that_was_not_sent_is_invented(client, body):
    seen = client.read_back(body)["properties"]

    assert "restartPolicy" not in seen
    assert "priority" not in seen
    assert "volumes" not in seen
    assert seen["containers"][0]["properties"]["ports"] == [{"port": 80}]


def test_write_only_values_vanish(client, body):
    properties = body["properties"]
    properties["imageRegistryCredentials"] = [
        {"server": "acme.azurecr.io", "username": "acme", "password": "hunter2"}
    ]
    properties["containers"][0]["properties"]["environmentVariables"] = [
        {"name": "A", "value": "1"},
        {"name": "B", "secureValue": "hunter2"},
    ]
    properties["volumes"] = [
        {"name": "secrets", "secret": {"file": "aHVudGVyMg=="}},
        {
            "name": "share",
            "azureFile": {
                "shareName": "s",
                "storageAccountName": "a",
                "storageAccountKey": "hunter2",
            },
        },
    ]
    properties["diagnostics"] = {"logAnalytics": {"workspaceId": "w", "workspaceKey": "hunter2"}}

    created = client.put(body)
    seen = client.get()["properties"]

    assert "hunter2" not in created.text
    assert seen["imageRegistryCredentials"] == [{"server": "acme.azurecr.io", "username": "acme"}]
    assert seen["containers"][0]["properties"]["environmentVariables"] == [
        {"name": "A", "value": "1"},
        {"name": "B"},
    ]
    assert seen["volumes"] == [
        {"name": "secrets", "secret": {}},
        {"name": "share", "azureFile": {"shareName": "s", "storageAccountName": "a"}},
    ]
    assert seen["diagnostics"] == {"logAnalytics": {"workspaceId": "w"}}


def test_list_is_get_without_instance_views(client, body):
    body["properties"]["initContainers"] = [{"name": "first", "properties": {"image": "alpine"}}]
    seen = client.read_back(body)

    listed = client.call("GET", client.groups).json()

    properties = seen["properties"]
    del properties["instanceView"]
    for container in properties["containers"] + properties["initContainers"]:
        del container["properties"]["instanceView"]
    assert listed == {"value": [seen]}
    assert (
        client.call(
            "GET", f"{client.root}/providers/Microsoft.ContainerInstance/containerGroups"
        ).json()
        == listed
    )


def test_a_list_at_another_api_version_shows_what_that_version_shows(client, body):
    client.put(body, version="2024-05-01-preview")

    newer = client.call("GET", client.groups, version="2024-05-01-preview").json()["value"][0]
    older = client.call("GET", client.groups, version="2018-10-01").json()["value"][0]

    assert newer["properties"]["isCreatedFromStandbyPool"] is False
    assert older["identity"] == {"type": "None"}
    assert "sku" not in older["properties"]


def test_create_answers_201_pending_with_an_operation_to_follow(client, body):
    created = client.put(body)

    assert created.status_code == 201
    properties = created.json()["properties"]
    assert properties["provisioningState"] == "Pending"
    assert properties["instanceView"] == {"events": [], "state": "Pending"}
    assert "instanceView" not in properties["containers"][0]["properties"]
    assert "ip" not in properties["ipAddress"]
    assert "Location" not in created.headers
    assert "Retry-After" not in created.headers
    url = created.headers["Azure-AsyncOperation"]
    assert "/locations/westeurope/operations/" in url
    assert "api-version=2018-06-01&t=" in url
    region, guid = created.headers["x-ms-request-id"].split(":")
    assert region == "westeurope"
    assert f"/{guid}?" in url


def test_delete_answers_200_with_the_last_body_then_204(client, body):
    seen = client.read_back(body)

    first = client.call("DELETE", f"{client.groups}/web")
    second = client.call("DELETE", f"{client.groups}/web")

    assert (first.status_code, first.json()) == (200, seen)
    assert (second.status_code, second.content) == (204, b"")
    assert client.call("GET", client.groups).json() == {"value": []}


def test_patch_replaces_the_tag_map_and_restarts_nothing(client, body):
    before = client.read_back(body)

    patched = client.call(
        "PATCH", f"{client.groups}/web", {"tags": {"new": "1"}, "properties": {"osType": "Windows"}}
    )

    assert patched.status_code == 200
    assert "Azure-AsyncOperation" not in patched.headers
    before["tags"] = {"new": "1"}
    assert client.get() == before
    assert patched.json() == before


def test_patch_works_on_a_stopped_group(client, body):
    client.put(body)
    client.post("stop")

    client.call("PATCH", f"{client.groups}/web", {"tags": {"a": "b"}})

    assert client.get()["tags"] == {"a": "b"}
    assert client.get()["properties"]["instanceView"]["state"] == "Stopped"


def test_put_replaces_everything_and_restarts_every_container(client, body):
    body["properties"]["containers"][0]["properties"]["command"] = ["nginx"]
    before = client.read_back(body)
    del body["properties"]["containers"][0]["properties"]["command"]
    del body["tags"]

    again = client.put(body)
    after = client.get()

    assert again.status_code == 200
    assert "tags" not in after
    old, new = (group["properties"]["containers"][0]["properties"] for group in (before, after))
    assert "command" not in new
    assert (
        new["instanceView"]["currentState"]["startTime"]
        > old["instanceView"]["currentState"]["startTime"]
    )
    assert client.emulator.restarts(client.subscription, "rg", "web") == 1
    assert after["properties"]["ipAddress"]["ip"] == before["properties"]["ipAddress"]["ip"]


def test_an_identical_put_restarts_too(client, body):
    client.put(body)

    client.put(body)

    assert client.emulator.restarts(client.subscription, "rg", "web") == 1


def test_a_fixed_property_is_refused_and_nothing_changes(client, body):
    before = client.read_back(body)
    changed = copy.deepcopy(body)
    changed["properties"]["restartPolicy"] = "Never"

    status, code, message = client.refused(changed)

    assert (status, code) == (400, "InvalidContainerGroupUpdate")
    assert message == (
        "The updates on container group 'web' are invalid. If you are going to update the "
        'RestartPolicy (old "Always", new "Never") for a container group, you must delete it first '
        "and then create a new one."
    )
    assert client.get() == before


def test_a_stopped_group_is_deployed_anew_by_put(client, body):
    before = client.read_back(body)
    client.post("stop")

    client.put(body)
    after = client.get()

    assert after["properties"]["instanceView"]["state"] == "Running"
    assert after["properties"]["ipAddress"]["ip"] != before["properties"]["ipAddress"]["ip"]
    assert client.emulator.restarts(client.subscription, "rg", "web") == 0


def test_a_finished_task_is_deployed_anew_by_put(client, task):
    first = client.read_back(task)
    assert first["properties"]["instanceView"]["state"] == "Succeeded"

    client.put(task)
    second = client.get()

    started = [
        group["properties"]["containers"][0]["properties"]["instanceView"]["currentState"][
            "startTime"
        ]
        for group in (first, second)
    ]
    assert started[0] < started[1]
    assert client.emulator.restarts(client.subscription, "rg", "web") == 0
