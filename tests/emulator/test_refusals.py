"""What the service refuses, in its own words (B), and what the emulator refuses as not modelled."""

from __future__ import annotations

import copy

import pytest
import requests

PORTS = "The ports in the 'ipAddress' of container group 'web' cannot be empty."


def at(body, path):
    """The object a dotted path leads to; `0` is a position."""
    for part in path.split("."):
        body = body[int(part)] if part.isdecimal() else body[part]
    return body


CONTAINER = "properties.containers.0.properties"
CASES = {
    "an address without ports": (
        "properties.ipAddress", {"ports": []}, "MissingIpAddressPorts", PORTS,
    ),
    "ports no container has": (
        "properties.ipAddress", {"ports": [{"port": 443}, {"port": 80}, {"port": 8080}]},
        "UnreferencedIpAddressPorts",
        "Following ports '443,8080' in the 'ipAddress' are not used by any container in container group 'web'.",
    ),
    "a port under another protocol": (
        "properties.ipAddress", {"ports": [{"port": 80, "protocol": "UDP"}]},
        "UnreferencedIpAddressPorts", "Following ports '80'",
    ),
    "a private address outside a network": (
        "properties.ipAddress", {"type": "Private"},
        "PrivateIPAddressNotSupported", "Private IP address is only supported when network profile is defined.",
    ),
    "a public address inside a network": (
        "properties", {"subnetIds": [{"id": "/subnet"}]},
        "InvalidIpAddressTypeForNetworkProfile", "IP Address type can't be public when network profile is set.",
    ),
    "a bad DNS label": (
        "properties.ipAddress", {"dnsNameLabel": "Shop"},
        "InvalidDnsNameLabel", "The value must be between 5 and 63 characters long.",
    ),
    "a limit below the request": (
        f"{CONTAINER}.resources", {"limits": {"cpu": 0.5}},
        "ResourceLimitsLessThanRequests", "The 'Cpu' limit value must be greater than or equal to the request value.",
    ),
    "a limit above all requests": (
        f"{CONTAINER}.resources", {"limits": {"memoryInGB": 2}},
        "ContainerLimitGreaterThanContainerGroupTotalRequest",
        "The 'MemoryInGB' limit '2.0' in container 'web' is greater than the total request '1.5' of container group 'web'.",
    ),
    "no memory request": (
        f"{CONTAINER}.resources", {"requests": {"cpu": 1}},
        "ResourceSomeRequestsNotSpecified", "The 'MemoryInGB' request is not specified in",
    ),
    "memory off the 0.1 grid": (
        f"{CONTAINER}.resources", {"requests": {"cpu": 1, "memoryInGB": 1.55}},
        "InvalidMemoryRequirement",
        "The memory requirement is '1.55' in container 'web' of container group 'web'. The memory requirement should be times of 0.1 GB.",
    ),
    "no operating system": (
        "properties", {"osType": None}, "InvalidOsType",
        "The 'osType' for container group '<null>' is invalid. The value must be one of 'Windows,Linux'.",
    ),
    "a bad variable name": (
        CONTAINER, {"environmentVariables": [{"name": "discovery.type", "value": "x"}]},
        "InvalidContainerEnvironmentVariable", "(e.g. 'my_name',  or 'MY_NAME',  or 'MyName').",
    ),
    "a registry without password": (
        "properties", {"imageRegistryCredentials": [{"server": "a.io", "username": "u"}]},
        "InvalidImageRegistryCredential",
        "The password in the 'imageRegistryCredentials' of container group 'web' cannot be empty.",
    ),
    "a share without key": (
        "properties", {"volumes": [{"name": "share", "azureFile": {"shareName": "s", "storageAccountName": "a"}}]},
        "InvalidStorageAccountKey", "share",
    ),
    "metadata for plain logs": (
        "properties", {"diagnostics": {"logAnalytics": {"workspaceId": "w", "workspaceKey": "k", "metadata": {}}}},
        "LogAnalyticsMetadataNotAllowed", "Log Analytics metadata is not allowed for log type: 'ContainerInstanceLogs'.",
    ),
    "an image nobody has": (
        CONTAINER, {"image": "does-not-exist:1"}, "InaccessibleImage",
        "The image 'does-not-exist:1' in container group 'web' is not accessible. Please check the image and registry credential.",
    ),
    "an unknown priority": (
        "properties", {"priority": "High"}, "PriorityNotSpecified",
        "The 'Priority' must be one of 'Regular,Spot' for container group 'web'.",
    ),
    "spot with an address": (
        "properties", {"priority": "Spot"},
        "SpotPriorityContainerGroupNotSupportedForInboundConnectivity", "inbound connectivity",
    ),
    "spot in another sku": (
        "properties", {"priority": "Spot", "ipAddress": None, "sku": "Dedicated"},
        "SpotPriorityContainerGroupNotSupportedInSku", "is not supported in 'Dedicated' Sku.",
    ),
    "no containers": (
        "properties", {"containers": []}, "MissingContainers", "cannot be empty",
    ),
    "an unknown restart policy": (
        "properties", {"restartPolicy": "Sometimes"}, "InvalidRestartPolicy", "one of 'Always,OnFailure,Never'.",
    ),
    "two containers of one name": (
        "properties", {"initContainers": [{"name": "web", "properties": {"image": "alpine"}}]},
        "InvalidContainerName", "'web'",
    ),
    "log analytics without key": (
        "properties", {"diagnostics": {"logAnalytics": {"workspaceId": "w"}}},
        "InvalidLogAnalyticsWorkspaceKey", "cannot be empty",
    ),
    "spot with a GPU": (
        "properties", {
            "priority": "Spot", "ipAddress": None,
            "containers": [{"name": "web", "properties": {"image": "i", "resources": {
                "requests": {"cpu": 1, "memoryInGB": 1, "gpu": {"count": 1, "sku": "V100"}}}}}],
        },
        "SpotPriorityContainerGroupWithGPUResourcesNotSupported", "requesting GPU resources",
    ),
    "an object where an array is due": (
        "properties", {"volumes": {}}, "InvalidRequestContent", "'/properties/volumes' must be an array",
    ),
    "a string where an object is due": (
        "properties", {"ipAddress": "public"}, "InvalidRequestContent", "must be an object",
    ),
    "a word where a number is due": (
        f"{CONTAINER}.resources.requests", {"cpu": "one"}, "InvalidRequestContent", "must be a number",
    ),
    "half a port": (
        CONTAINER, {"ports": [{"port": 80.5}]}, "InvalidRequestContent", "must be an integer",
    ),
    "a word where true or false is due": (
        CONTAINER, {"volumeMounts": [{"name": "v", "mountPath": "/v", "readOnly": "yes"}]},
        "InvalidRequestContent", "must be true or false",
    ),
    "a number where a string is due": (
        CONTAINER, {"environmentVariables": [{"name": "A", "value": 5}]},
        "InvalidRequestContent", "/properties/containers/*/properties/environmentVariables/*/value",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_put_is_refused_because_of(client, body, case):
    where, change, code, text = CASES[case]
    at(body, where).update(change)

    status, found, message = client.refused(body)

    assert (status, found) == (400, code)
    assert text in message
    assert client.call("GET", client.groups).json() == {"value": []}


def test_less_than_one_cpu_in_all_is_answered_as_reported(client, body):
    at(body, f"{CONTAINER}.resources.requests")["cpu"] = 0.5

    assert client.refused(body)[:2] == (500, "InternalServerError")


def test_two_containers_may_share_one_cpu(client, body):
    first = body["properties"]["containers"][0]
    first["properties"]["resources"]["requests"] = {"cpu": 0.5, "memoryInGB": 0.5}
    second = copy.deepcopy(first) | {"name": "side"}
    second["properties"]["ports"] = [{"port": 81}]
    body["properties"]["containers"].append(second)

    assert client.put(body).status_code == 201


def test_a_dns_label_is_given_once(client, body):
    body["properties"]["ipAddress"]["dnsNameLabel"] = "shop-web"
    client.put(body, name="first")

    status, _, message = client.refused(body, name="second")

    assert status == 400
    assert message == (
        "The DNS name label 'shop-web' in container group 'second' not available. "
        "Try using a different label."
    )
    client.call("DELETE", f"{client.groups}/first")
    assert client.put(body, name="second").status_code == 201


FIXED = {
    "OsType": ("properties", {"osType": "Windows"}),
    "RestartPolicy": ("properties", {"restartPolicy": "OnFailure"}),
    "Cpu": (f"{CONTAINER}.resources.requests", {"cpu": 2}),
    "MemoryInGB": (f"{CONTAINER}.resources.requests", {"memoryInGB": 2}),
    "Zones": ("", {"zones": ["1"]}),
    "Sku": ("properties", {"sku": "Dedicated"}),
    "DnsConfig": ("properties", {"dnsConfig": {"nameServers": ["10.0.0.1"]}}),
    "EncryptionProperties": (
        "properties",
        {"encryptionProperties": {"vaultBaseUrl": "https://v/", "keyName": "k", "keyVersion": "1"}},
    ),
}


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize("title", FIXED)
def test_what_is_fixed_cannot_be_changed(client, body, title, stopped):
    client.put(body)
    if stopped:
        client.post("stop")
    where, change = FIXED[title]
    (at(body, where) if where else body).update(change)

    status, code, message = client.refused(body)

    assert (status, code) == (400, "InvalidContainerGroupUpdate")
    assert f"you are going to update the {title} (old " in message


def test_another_subnet_or_priority_is_refused_too(client, task):
    task["properties"] |= {
        "subnetIds": [{"id": "/subscriptions/S/subnets/A"}],
        "priority": "Regular",
    }
    client.put(task)
    task["properties"]["subnetIds"] = [{"id": "/SUBSCRIPTIONS/s/subnets/a"}]
    assert client.put(task).status_code == 200
    task["properties"]["subnetIds"] = [{"id": "/subscriptions/S/subnets/B"}]

    assert "SubnetIds (old" in client.refused(task)[2]


def test_one_container_more_changes_the_sum_and_is_refused(client, body):
    client.put(body)
    more = copy.deepcopy(body["properties"]["containers"][0]) | {"name": "more"}
    more["properties"]["ports"] = []
    body["properties"]["containers"].append(more)

    assert client.refused(body)[1] == "InvalidContainerGroupUpdate"


def test_defaults_spelled_out_are_no_change(client, body):
    client.put(body)
    body["properties"] |= {"restartPolicy": "Always", "sku": "Standard", "priority": "Regular"}

    assert client.put(body).status_code == 200


@pytest.mark.parametrize(
    ("where", "change"),
    [
        (CONTAINER, {"image": "nginx:2"}),
        (CONTAINER, {"environmentVariables": [{"name": "A", "value": "1"}]}),
        (f"{CONTAINER}.resources", {"limits": {"cpu": 1, "memoryInGB": 1.5}}),
        ("properties.ipAddress", {"dnsNameLabel": "shop-web"}),
        ("properties", {"volumes": [{"name": "v", "emptyDir": {}}]}),
        ("", {"identity": {"type": "SystemAssigned"}}),
        ("", {"location": "westeurope"}),
    ],
)
def test_all_else_changes_in_place(client, body, where, change):
    client.put(body)
    (at(body, where) if where else body).update(change)

    assert client.put(body).status_code == 200
    assert client.emulator.restarts(client.subscription, "rg", "web") == 1


def test_a_stopped_group_may_change_anything_where_that_is_asked_for(make, body):
    from reconciler.emulator import Answers

    client = make(answers=Answers(keeps_fixed_when_stopped=False))
    client.put(body)
    client.post("stop")
    body["properties"]["restartPolicy"] = "Never"

    assert client.put(body).status_code == 200


def test_another_location_is_a_conflict(client, body):
    client.put(body)

    status, code, message = client.refused(body | {"location": "eastus"})

    assert (status, code) == (409, "InvalidResourceLocation")
    assert message == (
        "The resource 'web' already exists in location 'West Europe' in resource group 'rg'. A "
        "resource with the same name cannot be created in location 'eastus'. Please select a new "
        "resource name."
    )


def test_a_missing_location_is_refused(client, body):
    del body["location"]

    assert client.refused(body)[1] == "LocationRequired"


def test_a_missing_resource_group_is_told(client, body):
    path = client.groups.replace("/rg/", "/other/")

    for method in ("GET", "PUT", "PATCH", "DELETE"):
        response = client.call(method, f"{path}/web", body)
        assert response.status_code == 404
        assert response.json()["error"] == {
            "code": "ResourceGroupNotFound",
            "message": "Resource group 'other' could not be found.",
        }
    assert client.call("GET", path).status_code == 404


def test_a_missing_group_has_two_forms(client, body):
    client.put(body)
    client.call("DELETE", f"{client.groups}/web")

    first, second = (client.call("GET", f"{client.groups}/web") for _ in range(2))

    assert first.json()["error"] == {
        "code": "ContainerGroupNotFound",
        "message": "The container group 'web' does not exist.",
    }
    assert "x-ms-failure-cause" not in first.headers
    assert second.json()["error"] == {
        "code": "ResourceNotFound",
        "message": "The Resource 'Microsoft.ContainerInstance/containerGroups/web' under resource "
        "group 'rg' was not found. For more details please go to "
        "https://aka.ms/ARMResourceNotFoundFix",
    }
    assert second.headers["x-ms-failure-cause"] == "gateway"


def test_an_api_version_is_wanted_and_a_known_one(client, body):
    missing = client.call("GET", client.groups, version=None)
    unknown = client.put(body, version="2020-01-01")
    malformed = client.call("GET", client.rg, version="latest")

    assert missing.json()["error"]["code"] == "MissingApiVersionParameter"
    assert unknown.json()["error"]["code"] == "NoRegisteredProviderFound"
    assert (
        "location 'West Europe' and API version '2020-01-01'" in unknown.json()["error"]["message"]
    )
    assert malformed.json()["error"]["code"] == "InvalidApiVersionParameter"
    assert {r.status_code for r in (missing, unknown, malformed)} == {400}


@pytest.mark.parametrize("text", ["{", "[]", '"text"', ""])
def test_a_body_that_is_no_object_is_refused(client, text):
    url = f"{client.emulator.url}{client.groups}/web?api-version=2023-05-01"

    response = requests.put(url, data=text, timeout=5)

    assert response.status_code == 400
    assert response.json()["error"]["code"] == "InvalidRequestContent"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        (
            "PUT",
            "/subscriptions/{s}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v",
        ),
        ("GET", "/subscriptions/{s}/providers/Microsoft.Network"),
        ("GET", "/subscriptions/{s}/providers/Microsoft.ContainerInstance/containerGroupProfiles"),
        ("POST", "/subscriptions/{s}/resourceGroups/rg/moveResources"),
    ],
)
def test_what_is_not_modelled_says_so(client, method, path):
    response = client.call(method, path.format(s=client.subscription), {})

    assert response.status_code == 501
    assert response.json()["error"]["code"] == "NotImplemented"
    assert "does not model" in response.json()["error"]["message"]


def test_a_container_group_profile_is_not_modelled(client, body):
    body["properties"]["containerGroupProfile"] = {"id": "/profile", "revision": 1}

    assert client.put(body, version="2024-05-01-preview").status_code == 501


def test_a_subscription_is_a_guid(client):
    response = client.call("GET", "/subscriptions/mine/resourceGroups")

    assert response.json()["error"]["code"] == "InvalidSubscriptionId"
