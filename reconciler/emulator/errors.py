"""Azure's refusals as values: status, code and message.

Messages are the recorded or reported ones (section B). Where the message is known but its code is
not (question I7), the code is marked below as our guess.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.emulator.jsonval import (
    JsonObject,
    as_number,
    as_object,
    as_text,
    dig,
    objects,
)


class EmulatorStateUnusable(Exception):
    """The database file cannot be used; the message says which file, why, and what to do."""


class Refusal(Exception):
    """A request that is answered with an ARM error envelope instead of being carried out."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    @property
    def body(self) -> JsonObject:
        """The envelope every ARM error comes in. Source: A.1."""
        return {"error": {"code": self.code, "message": self.message}}


def bad_request(code: str, message: str) -> Refusal:
    """A 400 of the resource provider."""
    return Refusal(400, code, message)


def invalid_content(message: str) -> Refusal:
    """The body is not JSON, or a value in it has another type. Source: B.4."""
    return bad_request("InvalidRequestContent", f"The request content was invalid: {message}")


def missing_api_version() -> Refusal:
    """`api-version` is mandatory on every call. Source: A.1; code and text are ARM's own."""
    return Refusal(
        400,
        "MissingApiVersionParameter",
        "The api-version query parameter (?api-version=) is required for all requests.",
        GATEWAY,
    )


def unknown_api_version(version: str, kind: str, location: str, known: list[str]) -> Refusal:
    """The api-version is none the provider registered. Source: B.1."""
    return Refusal(
        400,
        "NoRegisteredProviderFound",
        f"No registered resource provider found for location '{location}' and API version "
        f"'{version}' for type '{kind}'. The supported api-versions are '{', '.join(known)}'.",
        GATEWAY,
    )


def group_not_found(name: str, resource_group: str) -> Refusal:
    """The usual 404: ARM does not know the id. Source: B.1."""
    return resource_not_found("Microsoft.ContainerInstance/containerGroups", name, resource_group)


def resource_not_found(kind: str, name: str, resource_group: str) -> Refusal:
    """The usual 404 for any type. Source: B.1."""
    return Refusal(
        404,
        "ResourceNotFound",
        f"The Resource '{kind}/{name}' under resource group '{resource_group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
        GATEWAY,
    )


def group_gone(name: str) -> Refusal:
    """The rarer 404: ARM still knows the id, the provider does not. Source: B.1."""
    return Refusal(404, "ContainerGroupNotFound", f"The container group '{name}' does not exist.")


def resource_group_not_found(name: str) -> Refusal:
    """Source: B.4."""
    message = f"Resource group '{name}' could not be found."
    return Refusal(404, "ResourceGroupNotFound", message, GATEWAY)


def resource_group_going(name: str) -> Refusal:
    """Source: A.9, B.4; the text is ARM's own."""
    return Refusal(
        409,
        "ResourceGroupBeingDeleted",
        f"The resource group '{name}' is in deprovisioning state and cannot perform this "
        "operation.",
        GATEWAY,
    )


def transitioning(name: str) -> Refusal:
    """Source: B.2."""
    message = f"The container group '{name}' is still transitioning, please retry later."
    return Refusal(409, "ContainerGroupTransitioning", message)


def no_capacity(body: JsonObject) -> str:
    """What Azure says when a region has no room for the group `body` asks for. Source: B.2."""
    properties = as_object(body.get("properties"))
    requests = [
        as_object(dig(item, "properties", "resources", "requests"))
        for item in objects(properties.get("containers"))
    ]
    cpu = sum(as_number(request.get("cpu")) for request in requests)
    memory = sum(as_number(request.get("memoryInGB")) for request in requests)
    region = as_text(body.get("location")).replace(" ", "").lower() or "westeurope"
    network = " virtual network" if properties.get("subnetIds") else ""
    return (
        f"The requested resource is not available in the location '{region}' at this moment. "
        "Please retry with a different resource request or in another location. Resource "
        f"requested: '{cpu:g}' CPU '{memory:g}' GB memory "
        f"'{as_text(properties.get('osType')) or 'Linux'}' OS{network}"
    )


def quota_reached(name: str, region: str, *, limit: float, used: float, asked: float) -> Refusal:
    """Source: B.2."""
    return Refusal(
        409,
        "ContainerGroupQuotaReached",
        "Resource type 'Microsoft.ContainerInstance/containerGroups' container group quota "
        f"'{name}' exceeded in region '{region}'. Limit: '{limit:g}', Usage: '{used:g}' "
        f"Requested: '{asked:g}'.",
    )


def not_registered(subscription: str) -> Refusal:
    """Source: B.4; the text is ARM's own."""
    return Refusal(
        409,
        "MissingSubscriptionRegistration",
        f"The subscription '{subscription}' is not registered to use namespace "
        "'Microsoft.ContainerInstance'. See https://aka.ms/rps-not-found for how to register "
        "subscriptions.",
        GATEWAY,
    )


def other_location(name: str, here: str, asked: str, resource_group: str) -> Refusal:
    """Source: B.2, ARM generic."""
    return Refusal(
        409,
        "InvalidResourceLocation",
        f"The resource '{name}' already exists in location '{here}' in resource group "
        f"'{resource_group}'. A resource with the same name cannot be created in location "
        f"'{asked}'. Please select a new resource name.",
        GATEWAY,
    )


def state_unusable(why: EmulatorStateUnusable) -> Refusal:
    """The database failed under a request: no answer of Azure's, so the code is the emulator's."""
    return Refusal(500, "EmulatorStateUnusable", f"{why}.")


def not_modelled(what: str) -> Refusal:
    """Whatever the emulator does not know is refused loudly, never answered by a guess."""
    return Refusal(501, "NotImplemented", f"The emulator does not model {what}.")


# ARM says so when it answered by itself, before the resource provider was asked. Source: B.1.
GATEWAY: Mapping[str, str] = {"x-ms-failure-cause": "gateway"}
