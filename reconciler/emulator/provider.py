"""What the provider says of itself: registration, operations, usages, capabilities. Source: A.8."""

from __future__ import annotations

from reconciler.emulator.errors import not_modelled, not_registered, quota_reached
from reconciler.emulator.facts import Group, region_of
from reconciler.emulator.jsonval import Json, JsonObject
from reconciler.emulator.offer import Quota
from reconciler.emulator.records import cores
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
# Quota names and their titles, in the order Azure serves them, with the usual limits.
_QUOTAS = (
    ("ContainerGroups", "Container Groups", 100),
    ("StandardCores", "Standard Cores", 100),
    ("StandardK80Cores", "Standard K80 Cores", 0),
    ("StandardP100Cores", "Standard P100 Cores", 0),
    ("StandardV100Cores", "Standard V100 Cores", 0),
    ("DedicatedContainerGroups", "Dedicated Container Groups", 0),
    ("DedicatedCores", "Dedicated Cores", 0),
)
_SIZES = {"maxMemoryInGB": 240.0, "maxCpu": 31.0, "maxGpuCount": 0.0}


def get_provider(world: World, call: Call) -> Reply:
    """The provider is registered everywhere unless set otherwise; others are not modelled."""
    if call.args["namespace"].lower() != NAMESPACE.lower():
        raise not_modelled(f"the resource provider '{call.args['namespace']}'")
    return Reply(status=200, body=_provider(call.args["subscription"], world.offer.registration))


def list_providers(world: World, call: Call) -> Reply:
    """The one provider."""
    provider = _provider(call.args["subscription"], world.offer.registration)
    return Reply(status=200, body={"value": [provider]})


def check_offer(world: World, asked: Group, before: Group | None) -> None:
    """Refuse a write that the subscription is not entitled to, where a test has set so.

    Raises:
        Refusal: 409 `MissingSubscriptionRegistration` or `ContainerGroupQuotaReached`.
    """
    offer = world.offer
    if offer.registration in ("NotRegistered", "Unregistered"):
        raise not_registered(asked.subscription)
    region = region_of(asked.location)
    groups, used = world.records.usage(asked.subscription, region)
    more = {
        "ContainerGroups": (groups, 0 if before else 1),
        "StandardCores": (used, cores(asked) - (cores(before) if before else 0)),
    }
    for name, (current, added) in more.items():
        quota = offer.quotas.get(name)
        if quota is not None and added > 0 and current + quota.used + added > quota.limit:
            total = current + quota.used
            raise quota_reached(name, region, limit=quota.limit, used=total, asked=added)


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
    groups, cores_held = world.records.usage(subscription, region_of(location))
    # The location is echoed in the caller's spelling. Source: A.8.
    base = f"/subscriptions/{subscription}/providers/{NAMESPACE}/locations/{location}/usages"
    held = {"ContainerGroups": groups, "StandardCores": cores_held}
    titles = {name: (title, limit) for name, title, limit in _QUOTAS}
    # A quota that Azure adds later comes last.
    titles |= {name: (name, 0) for name in world.offer.quotas if name not in titles}
    value: list[Json] = []
    for name, (title, usual) in titles.items():
        quota = world.offer.quotas.get(name, Quota(limit=usual))
        current, limit = int(held.get(name, 0) + quota.used), int(quota.limit)
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


def list_capabilities(world: World, call: Call) -> Reply:
    """The largest group a region takes. Source: F.2; the shape is the swagger's (I20)."""
    sizes: JsonObject = {**_SIZES, **world.offer.capabilities}
    value: list[Json] = [
        {
            "resourceType": "containerGroups",
            "osType": kind,
            "location": call.args["location"],
            "ipAddressType": address,
            "gpu": "None",
            "capabilities": sizes,
        }
        for kind in ("Linux", "Windows")
        for address in ("Public", "Private")
    ]
    return Reply(status=200, body={"value": value})


def list_permissions(_world: World, _call: Call) -> Reply:
    """Whoever asks may do everything. Source: the REST reference of Microsoft.Authorization."""
    everything: JsonObject = {
        "actions": ["*"],
        "notActions": [],
        "dataActions": [],
        "notDataActions": [],
    }
    return Reply(status=200, body={"value": [everything]})


def list_cached_images(_world: World, _call: Call) -> Reply:
    """Images that start faster. The shape is the swagger's (I20)."""
    images = ("mcr.microsoft.com/azuredocs/aci-helloworld:latest", "alpine:latest")
    value: list[Json] = [{"osType": "Linux", "image": image} for image in images]
    return Reply(status=200, body={"value": value})


def list_dependencies(world: World, call: Call) -> Reply:
    """A bare array of addresses the group must reach. The shape is the swagger's (I20)."""
    world.look(call)
    return Reply(status=200, body=["mcr.microsoft.com", "*.data.mcr.microsoft.com"])


def _provider(subscription: str, registration: str) -> JsonObject:
    locations: list[Json] = list(REGIONS)
    versions: list[Json] = list(API_VERSIONS)
    types = ("containerGroups", "locations", "locations/usages", "locations/operations")
    return {
        "id": f"/subscriptions/{subscription}/providers/{NAMESPACE}",
        "namespace": NAMESPACE,
        "registrationPolicy": "RegistrationRequired",
        "registrationState": registration,
        "resourceTypes": [
            {"resourceType": name, "locations": locations, "apiVersions": versions}
            for name in types
        ],
    }
