"""Which handler answers which request. Keywords in paths are case-free (A.1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.emulator import actions, groups, keyholders, operations, provider, resource_groups
from reconciler.emulator.world import Call, Reply, World

Handler = Callable[[World, Call], Reply]

_SUB = "/subscriptions/{subscription}"
_RG = _SUB + "/resourceGroups/{rg}"
_ACI = "/providers/Microsoft.ContainerInstance"
_GROUPS = _RG + _ACI + "/containerGroups"
_GROUP = _GROUPS + "/{name}"
_CONTAINER = _GROUP + "/containers/{container}"
_ACCOUNT = _RG + "/providers/Microsoft.Storage/storageAccounts/{holder}"
_WORKSPACE = _RG + "/providers/Microsoft.OperationalInsights/workspaces/{holder}"
_LOCATION = _SUB + _ACI + "/locations/{location}"
_RIGHTS = "/providers/Microsoft.Authorization/permissions"
_RESOURCE = _RG + "/providers/{namespace}/{type}/{name}"
_CHILD = _RESOURCE + "/{child_type}/{child}"
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class Route:
    """A method, a path and who answers."""

    method: str
    path: re.Pattern[str]
    handler: Handler


def _route(method: str, template: str, handler: Handler) -> Route:
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
    return Route(method, re.compile(pattern, re.IGNORECASE), handler)


ROUTES = (
    _route("GET", _GROUP, groups.get_group),
    _route("PUT", _GROUP, groups.put_group),
    _route("PATCH", _GROUP, groups.patch_group),
    _route("DELETE", _GROUP, groups.delete_group),
    _route("GET", _GROUPS, groups.list_groups),
    _route("GET", _SUB + _ACI + "/containerGroups", groups.list_groups),
    _route("GET", _LOCATION + "/operations/{operation}", operations.get_operation),
    _route("POST", _GROUP + "/start", actions.start_group),
    _route("POST", _GROUP + "/stop", actions.stop_group),
    _route("POST", _GROUP + "/restart", actions.restart_group),
    _route("GET", _CONTAINER + "/logs", actions.get_logs),
    _route("POST", _CONTAINER + "/exec", actions.exec_command),
    _route("POST", _CONTAINER + "/attach", actions.attach),
    _route("GET", _GROUP + "/outboundNetworkDependenciesEndpoints", provider.list_dependencies),
    _route("GET", _LOCATION + "/usages", provider.list_usages),
    _route("GET", _LOCATION + "/capabilities", provider.list_capabilities),
    _route("GET", _LOCATION + "/cachedImages", provider.list_cached_images),
    _route("PUT", _ACCOUNT, keyholders.put_holder),
    _route("GET", _ACCOUNT, keyholders.get_holder),
    _route("DELETE", _ACCOUNT, keyholders.delete_holder),
    _route("POST", _ACCOUNT + "/listKeys", keyholders.list_account_keys),
    _route("POST", _ACCOUNT + "/regenerateKey", keyholders.renew_account_key),
    _route("PUT", _WORKSPACE, keyholders.put_holder),
    _route("GET", _WORKSPACE, keyholders.get_holder),
    _route("DELETE", _WORKSPACE, keyholders.delete_holder),
    _route("POST", _WORKSPACE + "/sharedKeys", keyholders.list_workspace_keys),
    _route("POST", _WORKSPACE + "/regenerateSharedKey", keyholders.renew_workspace_keys),
    _route("GET", _ACI + "/operations", provider.list_operations),
    *(
        _route("GET", scope + _RIGHTS, provider.list_permissions)
        for scope in (_SUB, _RG, _RESOURCE, _CHILD)
    ),
    _route("GET", "/subscriptions", resource_groups.list_subscriptions),
    _route("GET", _SUB, resource_groups.get_subscription),
    _route("GET", _SUB + "/resourceGroups", resource_groups.list_resource_groups),
    _route("GET", _RG, resource_groups.get_resource_group),
    _route("HEAD", _RG, resource_groups.has_resource_group),
    _route("PUT", _RG, resource_groups.put_resource_group),
    _route("PATCH", _RG, resource_groups.patch_resource_group),
    _route("DELETE", _RG, resource_groups.delete_resource_group),
    _route("GET", _RG + "/resources", resource_groups.list_resources),
    _route("GET", _SUB + "/resources", resource_groups.list_resources),
    _route("GET", _SUB + "/operationresults/{operation}", resource_groups.poll_deletion),
    _route("GET", _SUB + "/providers", provider.list_providers),
    _route("GET", _SUB + "/providers/{namespace}", provider.get_provider),
    _route("POST", _SUB + "/providers/{namespace}/register", provider.get_provider),
)


def find(method: str, path: str) -> tuple[Handler, dict[str, str]] | None:
    """The handler of a request and what its path names; None when nobody answers it."""
    for route in ROUTES:
        if route.method == method and (found := route.path.fullmatch(path)):
            return route.handler, found.groupdict()
    return None


def is_subscription(text: str) -> bool:
    """Whether `text` is a GUID: any will do."""
    return _GUID.fullmatch(text) is not None
