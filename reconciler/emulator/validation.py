"""What Azure refuses in a PUT by itself, before anything happens (B.3).

Texts are the reported ones. Codes marked "guess" are ours: only the text is known (question I7).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from reconciler.emulator.errors import Refusal, bad_request
from reconciler.emulator.jsonval import (
    Json,
    JsonObject,
    as_number,
    as_object,
    as_text,
    dig,
    objects,
)

_LABEL = re.compile(r"[a-z][a-z0-9-]{3,61}[a-z0-9]")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_AMOUNTS = {"cpu": "Cpu", "memoryInGB": "MemoryInGB"}


def first_objection(name: str, sent: JsonObject, kept: JsonObject) -> Refusal | None:
    """The first reason to refuse a PUT, if there is one.

    `sent` is the body as it came, for the write-only values; `kept` is what `spec_of` made of it.
    """
    for rule in _RULES:
        for refusal in rule(name, as_object(kept.get("properties"))):
            return refusal
    return next(_secrets(name, as_object(_lower(sent).get("properties"))), None)


def _shape(name: str, properties: JsonObject) -> Iterator[Refusal]:
    kind = properties.get("osType")
    if kind not in ("Windows", "Linux"):
        yield bad_request(
            "InvalidOsType",  # guess
            f"The 'osType' for container group '{kind or '<null>'}' is invalid. "
            "The value must be one of 'Windows,Linux'.",
        )
    if not objects(properties.get("containers")):
        yield bad_request(
            "MissingContainers",  # guess
            f"The 'containers' of container group '{name}' cannot be empty.",
        )
    if properties.get("restartPolicy") not in (None, "Always", "OnFailure", "Never"):
        yield bad_request(
            "InvalidRestartPolicy",  # guess, text too
            f"The 'restartPolicy' for container group '{name}' is invalid. "
            "The value must be one of 'Always,OnFailure,Never'.",
        )
    if properties.get("priority") not in (None, "Regular", "Spot"):
        yield bad_request(
            "PriorityNotSpecified",
            f"The 'Priority' must be one of 'Regular,Spot' for container group '{name}'.",
        )


def _names(name: str, properties: JsonObject) -> Iterator[Refusal]:
    seen: set[str] = set()
    for container in _all_containers(properties):
        own = as_text(container.get("name"))
        if not own or own in seen:
            yield bad_request(
                "InvalidContainerName",  # guess, text too
                f"The container name '{own}' in container group '{name}' is missing or duplicate.",
            )
        seen.add(own)


def _images(name: str, properties: JsonObject) -> Iterator[Refusal]:
    """No image is ever pulled; one named `…does-not-exist…` stands for those that cannot be."""
    for container in _all_containers(properties):
        image = as_text(dig(container, "properties", "image"))
        if not image or "does-not-exist" in image:
            yield bad_request(
                "InaccessibleImage",
                f"The image '{image}' in container group '{name}' is not accessible. "
                "Please check the image and registry credential.",
            )


def _ports(name: str, properties: JsonObject) -> Iterator[Refusal]:
    address = properties.get("ipAddress")
    if not isinstance(address, dict):
        return
    wanted = [_port(port) for port in objects(address.get("ports"))]
    if not wanted:
        yield bad_request(
            "MissingIpAddressPorts",
            f"The ports in the 'ipAddress' of container group '{name}' cannot be empty.",
        )
    exposed = {
        _port(port)
        for container in objects(properties.get("containers"))
        for port in objects(dig(container, "properties", "ports"))
    }
    if missing := [str(port) for port, protocol in wanted if (port, protocol) not in exposed]:
        yield bad_request(
            "UnreferencedIpAddressPorts",
            f"Following ports '{','.join(missing)}' in the 'ipAddress' are not used by any "
            f"container in container group '{name}'.",
        )


def _network(name: str, properties: JsonObject) -> Iterator[Refusal]:
    kind = dig(properties, "ipAddress", "type")
    in_subnet = bool(properties.get("subnetIds") or properties.get("networkProfile"))
    if in_subnet and kind == "Public":
        yield bad_request(
            "InvalidIpAddressTypeForNetworkProfile",
            "IP Address type can't be public when network profile is set.",
        )
    if kind == "Private" and not in_subnet:
        yield bad_request(
            "PrivateIPAddressNotSupported",
            f"IP Address type in container group '{name}' is invalid. "
            "Private IP address is only supported when network profile is defined.",
        )
    label = dig(properties, "ipAddress", "dnsNameLabel")
    if isinstance(label, str) and not _LABEL.fullmatch(label):
        yield bad_request(
            "InvalidDnsNameLabel",  # guess
            f"The DNS name label '{label}' in container group '{name}' is invalid. It can contain "
            "only lowercase letters, numbers and hyphens. The first character must be a letter. "
            "The last character must be a letter or number. The value must be between 5 and 63 "
            "characters long.",
        )


def _resources(name: str, properties: JsonObject) -> Iterator[Refusal]:
    found = objects(properties.get("containers"))
    requests = [as_object(dig(item, "properties", "resources", "requests")) for item in found]
    for container, request in zip(found, requests, strict=True):
        for key, title in _AMOUNTS.items():
            if as_number(request.get(key)) <= 0:
                yield bad_request(
                    "ResourceSomeRequestsNotSpecified",
                    f"The '{title}' request is not specified in container "
                    f"'{container.get('name')}' in container group '{name}'. "
                    "It is required since API version '2017-07-01-preview'.",
                )
        memory = as_number(request.get("memoryInGB"))
        if abs(memory * 10 - round(memory * 10)) > 1e-9:
            yield bad_request(
                "InvalidMemoryRequirement",  # guess
                f"The memory requirement is '{memory:g}' in container '{container.get('name')}' of "
                f"container group '{name}'. The memory requirement should be times of 0.1 GB.",
            )
    if sum(as_number(request.get("cpu")) for request in requests) < 1:
        # Azure answers this with a bare 500; the words are ours. Source: F.2, TF#26925.
        text = f"The containers of group '{name}' request less than 1 CPU together."
        yield Refusal(500, "InternalServerError", text)


def _limits(name: str, properties: JsonObject) -> Iterator[Refusal]:
    found = objects(properties.get("containers"))
    for key, title in _AMOUNTS.items():
        requests = [
            as_number(dig(item, "properties", "resources", "requests", key)) for item in found
        ]
        for container, request in zip(found, requests, strict=True):
            resources = as_object(dig(container, "properties", "resources"))
            limit = dig(resources, "limits", key)
            if limit is None:
                continue
            if as_number(limit) < request:
                yield bad_request(
                    "ResourceLimitsLessThanRequests",
                    f"The resource requirement '{json.dumps(resources)}' in container "
                    f"'{container.get('name')}' of contain group '{name}' is invalid. The "
                    f"'{title}' limit value must be greater than or equal to the request value.",
                )
            if as_number(limit) > sum(requests) + 1e-9:
                yield bad_request(
                    "ContainerLimitGreaterThanContainerGroupTotalRequest",
                    f"The '{title}' limit '{limit}' in container '{container.get('name')}' is "
                    f"greater than the total request '{sum(requests):g}' of container group "
                    f"'{name}'.",
                )


def _variables(name: str, properties: JsonObject) -> Iterator[Refusal]:
    for container in _all_containers(properties):
        for variable in objects(dig(container, "properties", "environmentVariables")):
            if not _VARIABLE.fullmatch(as_text(variable.get("name"))):
                yield bad_request(
                    "InvalidContainerEnvironmentVariable",
                    f"The environment variable name in container '{container.get('name')}' of "
                    f"container group '{name}' is invalid. A valid environment variable name must "
                    "start with alphabetic character or '_', followed by a string of alphanumeric "
                    "characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName').",
                )


def _diagnostics(_: str, properties: JsonObject) -> Iterator[Refusal]:
    analytics = as_object(dig(properties, "diagnostics", "logAnalytics"))
    # An empty metadata object is refused too. Source: B.3.
    if "metadata" in analytics and analytics.get("logType") != "ContainerInsights":
        kind = analytics.get("logType") or "ContainerInstanceLogs"
        yield bad_request(
            "LogAnalyticsMetadataNotAllowed",
            f"Log Analytics metadata is not allowed for log type: '{kind}'.",
        )


def _spot(_: str, properties: JsonObject) -> Iterator[Refusal]:
    if properties.get("priority") != "Spot":
        return
    sku = properties.get("sku", "Standard")
    if properties.get("ipAddress") or properties.get("subnetIds"):
        yield bad_request(
            "SpotPriorityContainerGroupNotSupportedForInboundConnectivity",
            "Spot Priority is not supported for container groups with inbound connectivity.",
        )
    if sku != "Standard":
        yield bad_request(
            "SpotPriorityContainerGroupNotSupportedInSku",
            f"Spot Priority Container Group is not supported in '{sku}' Sku.",
        )
    if any(
        dig(item, "properties", "resources", "requests", "gpu")
        for item in objects(properties.get("containers"))
    ):
        yield bad_request(
            "SpotPriorityContainerGroupWithGPUResourcesNotSupported",
            "Spot Priority Container Groups that include containers requesting GPU resources "
            "are not supported.",
        )


def _secrets(name: str, sent: JsonObject) -> Iterator[Refusal]:
    """Write-only values must come with every PUT. Source: D.1; keys of `sent` are lower case."""
    for credential in objects(sent.get("imageregistrycredentials")):
        has_other = credential.get("identity") or credential.get("passwordreference")
        if not credential.get("password") and not has_other:
            yield bad_request(
                "InvalidImageRegistryCredential",  # guess
                f"The password in the 'imageRegistryCredentials' of container group '{name}' "
                "cannot be empty.",
            )
    for volume in objects(sent.get("volumes")):
        share = volume.get("azurefile")
        if not isinstance(share, dict):
            continue
        if not share.get("storageaccountkey") and not share.get("storageaccountkeyreference"):
            yield bad_request(
                "InvalidStorageAccountKey",
                f"The storage account key of volume '{volume.get('name')}' in container group "
                f"'{name}' is missing or wrong.",
            )
    analytics = as_object(dig(sent, "diagnostics", "loganalytics"))
    if analytics and not analytics.get("workspacekey"):
        yield bad_request(
            "InvalidLogAnalyticsWorkspaceKey",  # guess, text too
            f"The log analytics workspace key of container group '{name}' cannot be empty.",
        )


_RULES: tuple[Callable[[str, JsonObject], Iterator[Refusal]], ...] = (
    _shape,
    _names,
    _spot,
    _resources,
    _limits,
    _variables,
    _ports,
    _network,
    _diagnostics,
    _images,
)


def _all_containers(properties: JsonObject) -> list[JsonObject]:
    return objects(properties.get("initContainers")) + objects(properties.get("containers"))


def _port(port: JsonObject) -> tuple[Json, str]:
    return port.get("port"), as_text(port.get("protocol")) or "TCP"


def _lower(value: Json) -> JsonObject:
    """`value` with the keys of its objects in lower case, all the way down."""
    return as_object(_lowered(value))


def _lowered(value: Json) -> Json:
    if isinstance(value, dict):
        return {key.lower(): _lowered(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_lowered(item) for item in value]
    return value
