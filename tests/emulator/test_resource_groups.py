"""Subscriptions, resource groups, what lies in them, and what the provider says of itself."""

from __future__ import annotations

import uuid

from reconciler.emulator import Polls


def delete(client):
    return client.call("DELETE", client.rg)


def test_a_resource_group_is_created_then_kept(client):
    body = {"location": "westeurope", "tags": {"a": "b"}}
    path = f"{client.root}/resourcegroups/Mine"

    created, again = client.call("PUT", path, body), client.call("PUT", path.lower(), body)

    assert (created.status_code, again.status_code) == (201, 200)
    assert again.json() == {
        "id": f"{client.root}/resourceGroups/Mine",
        "name": "Mine",
        "type": "Microsoft.Resources/resourceGroups",
        "location": "westeurope",
        "tags": {"a": "b"},
        "properties": {"provisioningState": "Succeeded"},
    }


def test_its_location_is_fixed(client):
    assert client.call("PUT", client.rg, {"location": "eastus"}).status_code == 409


def test_its_name_has_a_grammar(client):
    for name in ("ends.", "a%20b", "x" * 91):
        response = client.call(
            "PUT", f"{client.root}/resourceGroups/{name}", {"location": "eastus"}
        )
        assert response.status_code == 400, name


def test_head_tells_whether_it_exists(client):
    there = client.call("HEAD", client.rg)
    not_there = client.call("HEAD", f"{client.root}/resourceGroups/other")

    assert (there.status_code, not_there.status_code) == (204, 404)


def test_patch_replaces_its_tags(client):
    patched = client.call("PATCH", client.rg, {"tags": {"x": "y"}})

    assert patched.json()["tags"] == {"x": "y"}
    assert client.call("GET", client.rg).json() == patched.json()


def test_resource_groups_are_listed_and_found_by_tag(client):
    client.call(
        "PUT", f"{client.root}/resourceGroups/b", {"location": "eastus", "tags": {"Team": "x"}}
    )
    path = f"{client.root}/resourcegroups"

    def names(**query):
        return [group["name"] for group in client.call("GET", path, **query).json()["value"]]

    assert names() == ["b", "rg"]
    assert names(**{"$top": "1"}) == ["b"]
    assert names(**{"$filter": "tagName eq 'team' and tagValue eq 'x'"}) == ["b"]
    assert names(**{"$filter": "tagName eq 'team' and tagValue eq 'y'"}) == []
    assert client.call("GET", path, **{"$filter": "name eq 'b'"}).status_code == 501


def test_deleting_takes_a_while_and_takes_all_it_holds(make, body):
    client = make(time=Polls(1))
    client.put(body)

    deleted = delete(client)
    assert (deleted.status_code, deleted.content) == (202, b"")
    location = deleted.headers["Location"]
    polls = [client.call("GET", location) for _ in range(3)]

    assert [poll.status_code for poll in polls] == [202, 200, 200]
    assert polls[0].headers["Location"] == location
    assert client.call("GET", client.rg).status_code == 404
    assert client.emulator.groups(client.subscription) == []


def test_a_group_in_a_new_resource_group_of_that_name_is_a_new_one(client, body):
    client.put(body)
    client.call("GET", delete(client).headers["Location"])
    client.call("PUT", client.rg, {"location": "westeurope"})

    assert client.call("GET", client.groups).json() == {"value": []}
    assert client.put(body).status_code == 201


def test_nothing_is_written_into_what_is_being_deleted(make, body):
    client = make(time=Polls(5))
    delete(client)

    refused = client.put(body)

    assert (refused.status_code, refused.json()["error"]["code"]) == (
        409,
        "ResourceGroupBeingDeleted",
    )
    assert client.call("GET", client.rg).json()["properties"]["provisioningState"] == "Deleting"


def test_retry_after_is_azures_under_a_clock(make, clock):
    client = make(time=clock)

    assert delete(client).headers["Retry-After"] == "15"


def test_resources_show_whether_anything_else_lies_there(client, body):
    client.put(body)
    account = client.emulator.place_resource(
        client.subscription, "rg", "Microsoft.Storage/storageAccounts", "acct"
    )

    inside = client.call("GET", f"{client.rg}/resources").json()["value"]
    everywhere = client.call("GET", f"{client.root}/resources").json()["value"]

    assert [item["type"] for item in inside] == [
        "Microsoft.ContainerInstance/containerGroups",
        "Microsoft.Storage/storageAccounts",
    ]
    assert inside[1]["id"] == account
    assert "properties" not in inside[0]
    assert everywhere == inside
    only = client.call(
        "GET",
        f"{client.rg}/resources",
        **{"$filter": "resourceType eq 'Microsoft.Storage/storageAccounts'"},
    )
    assert [item["name"] for item in only.json()["value"]] == ["acct"]


def test_any_guid_is_a_subscription_and_the_default_is_listed(client):
    fresh = str(uuid.uuid4())

    listed = {
        item["subscriptionId"] for item in client.call("GET", "/subscriptions").json()["value"]
    }

    assert {client.subscription, "00000000-0000-0000-0000-000000000000"} <= listed
    assert client.call("GET", f"/subscriptions/{fresh}").json()["state"] == "Enabled"
    assert client.call("GET", f"/subscriptions/{fresh}/resourceGroups").json() == {"value": []}


def test_the_provider_is_registered(client):
    path = f"{client.root}/providers/Microsoft.ContainerInstance"

    provider = client.call("GET", path).json()

    assert provider["registrationState"] == "Registered"
    kinds = {kind["resourceType"]: kind for kind in provider["resourceTypes"]}
    assert "2023-05-01" in kinds["containerGroups"]["apiVersions"]
    assert client.call("POST", f"{path}/register").json() == provider
    assert client.call("GET", f"{client.root}/providers").json() == {"value": [provider]}


def test_usages_count_groups_and_cores_of_a_region(client, body):
    client.put(body)
    path = f"{client.root}/providers/Microsoft.ContainerInstance/locations/West%20Europe/usages"

    values = client.call("GET", path).json()["value"]

    assert [value["name"]["value"] for value in values[:2]] == ["ContainerGroups", "StandardCores"]
    assert [value["currentValue"] for value in values[:2]] == [1, 1]
    assert values[1]["id"].endswith("/locations/West Europe/usages/standardCores")
    assert "id" not in client.call("GET", path, version="2021-03-01").json()["value"][0]


def test_the_rest_of_the_provider_answers_in_the_described_shapes(client, body):
    client.put(body)
    location = f"{client.root}/providers/Microsoft.ContainerInstance/locations/westeurope"

    capabilities = client.call("GET", f"{location}/capabilities").json()["value"]
    images = client.call("GET", f"{location}/cachedImages").json()["value"]
    operations = client.call("GET", "/providers/Microsoft.ContainerInstance/operations").json()[
        "value"
    ]
    endpoints = client.call(
        "GET", f"{client.groups}/web/outboundNetworkDependenciesEndpoints"
    ).json()

    assert capabilities[0]["capabilities"] == {
        "maxMemoryInGB": 240.0,
        "maxCpu": 31.0,
        "maxGpuCount": 0.0,
    }
    assert sorted(images[0]) == ["image", "osType"]
    assert operations[0]["name"] == "Microsoft.ContainerInstance/containerGroups/read"
    assert endpoints and all(isinstance(endpoint, str) for endpoint in endpoints)


def test_a_subscription_says_which_tenant_it_belongs_to(client):
    """The same that identities of its groups are of."""
    one, listed = client.call("GET", client.root), client.call("GET", "/subscriptions")

    body = one.json()
    assert (one.status_code, body["subscriptionId"]) == (200, client.subscription)
    assert body["id"] == client.root
    assert {other["tenantId"] for other in listed.json()["value"]} == {body["tenantId"]}
