"""What the provider says of itself: registration, operations, usages, capabilities. Source: A.8."""

from __future__ import annotations

from reconciler.emulator.errors import not_modelled
from reconciler.emulator.facts import region_of
from reconciler.emulator.jsonval import Json, JsonObject
from reconciler.emulator.world import API_VERSIONS, Call, Reply, World

NAMESPACE = "Microsoft.ContainerInstance"
REGIONS = (
    "Australia East",
    "Brazil South",
    "Canada Central",
    "Central India",
    "Central US",
    "East Asia",
    "East US",
    "East US 2",
    "France Central",
    "Germany West Central",
    "Japan East",
    "Korea Central",
    "North Central US",
    "North Europe",
    "Norway East",
    "South Central US",
    "Southeast Asia",
    "Sweden Central",
    "Switzerland North",
    "UAE North",
    "UK South",
    "West Central US",
    "West Europe",
    "West US",
    "West US 2",
    "West US 3",
)
_OPERATIONS = (
    ("containerGroups/read", "Container Group", "Get Container Groups"),
    ("containerGroups/write", "Container Group", "Create or Update Container Group"),
    ("containerGroups/delete", "Container Group", "Delete Container Group"),
    ("containerGroups/start/action", "Container Group", "Start Container Group"),
    ("containerGroups/stop/action", "Container Group", "Stop Container Group"),
    ("containerGroups/restart/action", "Container Group", "Restart Container Group"),
    ("containerGroups/containers/logs/read", "Container Logs", "Get Container Logs"),
    ("containerGroups/containers/exec/action", "Container Exec", "Exec into Container"),
    ("locations/usages/read", "Usage", "Get Usage"),
)
_GROUPS_LIMIT = 100
_CORES_LIMIT = 100


def get_provider(_: World, call: Call) -> Reply:
    """The provider is registered everywhere; others are not modelled."""
    if call.args["namespace"].lower() != NAMESPACE.lower():
        raise not_modelled(f"the resource provider '{call.args['namespace']}'")
    return Reply(status=200, body=_provider(call.args["subscription"]))


def list_providers(_: World, call: Call) -> Reply:
    """The one provider."""
    return Reply(status=200, body={"value": [_provider(call.args["subscription"])]})


def list_operations(_world: World, _call: Call) -> Reply:
    """The actions that role definitions may name."""
    value: list[Json] = [
        {
            "name": f"{NAMESPACE}/{name}",
            "display": {
                "provider": "Microsoft Container Instance",
                "resource": resource,
                "operation": operation,
                "description": f"{operation}.",
            },
        }
        for name, resource, operation in _OPERATIONS
    ]
    return Reply(status=200, body={"value": value})


def list_usages(world: World, call: Call) -> Reply:
    """How much of its quota a subscription uses in a region, in the order Azure serves it."""
    subscription, location = call.args["subscription"], call.args["location"]
    groups, cores = world.records.usage(subscription, region_of(location))
    # The location is echoed in the caller's spelling. Source: A.8.
    base = f"/subscriptions/{subscription}/providers/{NAMESPACE}/locations/{location}/usages"
    counted = {
        "ContainerGroups": ("Container Groups", groups, _GROUPS_LIMIT),
        "StandardCores": ("Standard Cores", int(cores), _CORES_LIMIT),
        "StandardK80Cores": ("Standard K80 Cores", 0, 0),
        "StandardP100Cores": ("Standard P100 Cores", 0, 0),
        "StandardV100Cores": ("Standard V100 Cores", 0, 0),
        "DedicatedContainerGroups": ("Dedicated Container Groups", 0, 0),
        "DedicatedCores": ("Dedicated Cores", 0, 0),
    }
    value: list[Json] = []
    for name, (title, current, limit) in counted.items():
        item: JsonObject = {
            "unit": "Count",
            "currentValue": current,
            "limit": limit,
            "name": {"value": name, "localizedValue": title},
        }
        segment = "standardCores" if name == "StandardCores" else name
        head: JsonObject = {"id": f"{base}/{segment}"} if call.version >= "2021-09-01" else {}
        value.append(head | item)
    return Reply(status=200, body={"value": value})


def list_capabilities(_: World, call: Call) -> Reply:
    """The largest group a region takes. Source: F.2; the shape is the swagger's (I20)."""
    value: list[Json] = [
        {
            "resourceType": "containerGroups",
            "osType": kind,
            "location": call.args["location"],
            "ipAddressType": address,
            "gpu": "None",
            "capabilities": {"maxMemoryInGB": 240.0, "maxCpu": 31.0, "maxGpuCount": 0.0},
        }
        for kind in ("Linux", "Windows")
        for address in ("Public", "Private")
    ]
    return Reply(status=200, body={"value": value})


def list_cached_images(_world: World, _call: Call) -> Reply:
    """Images that start faster. The shape is the swagger's (I20)."""
    images = ("mcr.microsoft.com/azuredocs/aci-helloworld:latest", "alpine:latest")
    value: list[Json] = [{"osType": "Linux", "image": image} for image in images]
    return Reply(status=200, body={"value": value})


def list_dependencies(world: World, call: Call) -> Reply:
    """A bare array of addresses the group must reach. The shape is the swagger's (I20)."""
    world.look(call)
    return Reply(status=200, body=["mcr.microsoft.com", "*.data.mcr.microsoft.com"])


def _provider(subscription: str) -> JsonObject:
    locations: list[Json] = list(REGIONS)
    versions: list[Json] = list(API_VERSIONS)
    types = ("containerGroups", "locations", "locations/usages", "locations/operations")
    return {
        "id": f"/subscriptions/{subscription}/providers/{NAMESPACE}",
        "namespace": NAMESPACE,
        "registrationPolicy": "RegistrationRequired",
        "registrationState": "Registered",
        "resourceTypes": [
            {"resourceType": name, "locations": locations, "apiVersions": versions}
            for name in types
        ],
    }
