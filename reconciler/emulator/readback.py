"""What GET and LIST answer: the specification, plus the closed list of what Azure adds (C.2).

Nothing else is added, folded or reordered. `shown` is the one place where server values come in.
"""

from __future__ import annotations

import base64
import hashlib
import uuid

from reconciler.emulator.facts import Group, Moment, region_of
from reconciler.emulator.jsonval import Json, JsonObject, as_object, as_text, objects
from reconciler.emulator.lifecycle import group_state, is_settled, is_stopped, provisioning_state
from reconciler.emulator.pace import Kind
from reconciler.emulator.properties import seen_at
from reconciler.emulator.views import container_view, init_container_view

TENANT = "72f988bf-0000-4000-8000-2d7cd011db47"

# The order in which Azure writes `properties`; it carries no meaning. Source: A.1.
_ORDER = (
    "sku",
    "encryptionProperties",
    "confidentialComputeProperties",
    "isCreatedFromStandbyPool",
    "provisioningState",
    "provisioningTimeoutInSeconds",
    "isCustomProvisioningTimeout",
    "containers",
    "initContainers",
    "imageRegistryCredentials",
    "extensions",
    "restartPolicy",
    "ipAddress",
    "osType",
    "volumes",
    "instanceView",
    "priority",
    "diagnostics",
    "networkProfile",
    "subnetIds",
    "dnsConfig",
    "containerGroupProfile",
    "secretReferences",
    "identityAcls",
)

# Allows everything, like the policy Azure fills in (C.2 #21); its exact text is not established.
_ALLOW_ALL = """package policy

api_svn := "0.10.0"

mount_device := {"allowed": true}
mount_overlay := {"allowed": true}
create_container := {"allowed": true, "env_list": null, "allow_stdio_access": true}
unmount_device := {"allowed": true}
unmount_overlay := {"allowed": true}
exec_in_container := {"allowed": true, "env_list": null}
exec_external := {"allowed": true, "env_list": null, "allow_stdio_access": true}
shutdown_container := {"allowed": true}
signal_container_process := {"allowed": true}
plan9_mount := {"allowed": true}
plan9_unmount := {"allowed": true}
get_properties := {"allowed": true}
dump_stacks := {"allowed": true}
runtime_logging := {"allowed": true}
load_fragment := {"allowed": true}
scratch_mount := {"allowed": true}
scratch_unmount := {"allowed": true}
"""


def shown(group: Group, version: str, moment: Moment, *, views: bool = True) -> JsonObject:
    """`group` as a reader at `version` sees it; a list item has no `views`. Source: A.4."""
    spec = group.spec if version == group.version else seen_at(group.spec, version)
    body: JsonObject = {
        "properties": _properties(
            group, as_object(spec.get("properties")), version, moment, views=views
        )
    }
    identity = _identity(group, spec.get("identity"), version)
    if identity is not None:
        body["identity"] = identity
    body |= {
        "id": group.id,
        "name": group.name,
        "type": "Microsoft.ContainerInstance/containerGroups",
    }
    for name in ("location", "zones", "tags"):
        if name in spec:
            body[name] = spec[name]
    return body


def fqdn(label: str, scope: str, group: Group) -> str:
    """The host name of a DNS label; every scope but Unsecure inserts a hash. Source: C.7."""
    region = region_of(group.location)
    if scope in ("", "Unsecure"):
        return f"{label}.{region}.azurecontainer.io"
    owner = {
        "TenantReuse": TENANT,
        "SubscriptionReuse": group.subscription.lower(),
        "ResourceGroupReuse": f"{group.subscription}/{group.resource_group}".lower(),
    }.get(scope, f"{group.id}/{group.deployments}")
    digest = hashlib.sha256(f"{label}/{owner}".encode()).hexdigest()[:16]
    return f"{label}.{digest}.{region}.azurecontainer.io"


def _properties(
    group: Group, given: JsonObject, version: str, moment: Moment, *, views: bool
) -> JsonObject:
    found = dict(given)
    found["containers"] = [
        _container(group, item, moment, views=views) for item in objects(given.get("containers"))
    ]
    if version >= "2019-12-01":
        found.setdefault("sku", "Standard")
        found["initContainers"] = [
            _init_container(group, item, moment, views=views)
            for item in objects(given.get("initContainers"))
        ]
    if version >= "2023-05-01":
        found |= {"provisioningTimeoutInSeconds": 1800, "isCustomProvisioningTimeout": False}
    if version >= "2024-05-01-preview":
        found["isCreatedFromStandbyPool"] = False
        found |= _credentials(given)
    if found.get("sku") == "Confidential":
        found["confidentialComputeProperties"] = _confidential(given)
    found["provisioningState"] = provisioning_state(group, moment)
    if views:
        found["instanceView"] = {"events": [], "state": group_state(group, moment)}
    found |= _address(group, found.pop("ipAddress", None), version, moment)
    return {name: found[name] for name in _ORDER if name in found}


def _container(group: Group, given: JsonObject, moment: Moment, *, views: bool) -> JsonObject:
    properties = as_object(given.get("properties"))
    view = container_view(group, given, moment) if views else None
    server: JsonObject = {
        "ports": properties.get("ports", []),
        "environmentVariables": properties.get("environmentVariables", []),
    }
    if view is not None:
        server["instanceView"] = view
    return given | {"properties": _ordered(properties | server)}


# Where the server's additions stand among a container's members. Source: recorded GETs.
_CONTAINER_ORDER = (
    "image",
    "command",
    "ports",
    "environmentVariables",
    "configMap",
    "instanceView",
    "resources",
    "volumeMounts",
    "livenessProbe",
    "readinessProbe",
    "securityContext",
)


def _ordered(properties: JsonObject) -> JsonObject:
    return {name: properties[name] for name in _CONTAINER_ORDER if name in properties}


def _init_container(group: Group, given: JsonObject, moment: Moment, *, views: bool) -> JsonObject:
    properties = as_object(given.get("properties"))
    view = init_container_view(group, given, moment) if views else None
    server: JsonObject = {"environmentVariables": properties.get("environmentVariables", [])}
    if view is not None:
        server["instanceView"] = view
    return given | {"properties": _ordered(properties | server)}


def _credentials(given: JsonObject) -> JsonObject:
    """Source: C.2 #9."""
    if "imageRegistryCredentials" not in given:
        return {}
    items: list[Json] = [
        item | {"isDelegatedIdentity": False} for item in objects(given["imageRegistryCredentials"])
    ]
    return {"imageRegistryCredentials": items}


def _confidential(given: JsonObject) -> JsonObject:
    """The allow-all policy where none was sent. Source: C.2 #21."""
    sent = as_object(given.get("confidentialComputeProperties"))
    default = base64.b64encode(_ALLOW_ALL.encode()).decode()
    return {"ccePolicy": as_text(sent.get("ccePolicy")) or default}


def _address(group: Group, given: Json, version: str, moment: Moment) -> JsonObject:
    """`ipAddress` with the server's ip and fqdn. Source: C.2 #12-#14, A.2."""
    if not isinstance(given, dict):
        return {}
    is_private = given.get("type") == "Private"
    provisioning = group.phase.kind in (Kind.CREATE, Kind.START) and not is_settled(group, moment)
    if is_private and provisioning:
        return {}
    found: JsonObject = {"ports": given["ports"]} if "ports" in given else {}
    if not provisioning and not is_stopped(group, moment) and not group.failure:
        found["ip"] = _ip(group, is_private=is_private)
    found["type"] = given.get("type")
    label = as_text(given.get("dnsNameLabel"))
    if label:
        scope = as_text(given.get("autoGeneratedDomainNameLabelScope"))
        found["dnsNameLabel"] = label
        if version >= "2021-09-01":
            found["autoGeneratedDomainNameLabelScope"] = scope or "Unsecure"
        found["fqdn"] = fqdn(label, scope, group)
    return {"ipAddress": found}


def _ip(group: Group, *, is_private: bool) -> str:
    """An address that stays through updates in place and changes with a new deployment."""
    digest = hashlib.sha256(f"{group.id.lower()}/{group.deployments}".encode()).digest()
    if is_private:
        return f"10.0.0.{4 + digest[0] % 250}"
    return f"20.{digest[0]}.{digest[1]}.{digest[2]}"


def _identity(group: Group, given: Json, version: str) -> JsonObject | None:
    """`identity` with the ids the directory assigned. Source: C.4."""
    if not isinstance(given, dict):
        return {"type": "None"} if version == "2018-10-01" else None
    kind = as_text(given.get("type"))
    found: JsonObject = {}
    if users := as_object(given.get("userAssignedIdentities")):
        found["userAssignedIdentities"] = {
            key: {
                "principalId": _guid(f"principal/{key.lower()}"),
                "clientId": _guid(f"client/{key.lower()}"),
            }
            for key in users
        }
    if "SystemAssigned" in kind:
        found["principalId"] = _guid(f"principal/{group.id.lower()}")
    if kind not in ("", "None"):
        found["tenantId"] = TENANT
    return found | ({"type": kind} if kind else {})


def _guid(seed: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, seed))
