"""What a call is for, in one word each, so that a script needs no paths."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SUB = "/subscriptions/[^/]+"
_RG = _SUB + "/resourcegroups/(?P<rg>[^/]+)"
_ACI = "/providers/microsoft\\.containerinstance"
_GROUPS = _ACI + "/containergroups"
_GROUP = _RG + _GROUPS + "/(?P<group>[^/]+)"
_LOCATION = _SUB + _ACI + "/locations/[^/]+"

_CALLS = (
    ("list", "GET", f"({_RG}|{_SUB}){_GROUPS}"),
    ("get", "GET", _GROUP),
    ("put", "PUT", _GROUP),
    ("patch", "PATCH", _GROUP),
    ("delete", "DELETE", _GROUP),
    ("start", "POST", _GROUP + "/start"),
    ("stop", "POST", _GROUP + "/stop"),
    ("restart", "POST", _GROUP + "/restart"),
    ("logs", "GET", _GROUP + "/containers/[^/]+/logs"),
    ("poll", "GET", _LOCATION + "/operations/(?P<operation>[^/]+)"),
    ("poll", "GET", _SUB + "/operationresults/[^/]+"),
    ("usages", "GET", _LOCATION + "/usages"),
    ("capabilities", "GET", _LOCATION + "/capabilities"),
    ("provider", "GET", _SUB + "/providers/[^/]+"),
    ("register", "POST", _SUB + "/providers/[^/]+/register"),
    ("keys", "POST", _RG + "/providers/microsoft\\.storage/storageaccounts/[^/]+/listkeys"),
    (
        "keys",
        "POST",
        _RG + "/providers/microsoft\\.operationalinsights/workspaces/[^/]+/sharedkeys",
    ),
    ("resource-group", "", _RG),
    ("resources", "GET", f"({_RG}|{_SUB})/resources"),
)
_PATTERNS = tuple((name, method, re.compile(path)) for name, method, path in _CALLS)

# What each word means, for the document and the schema.
STAGES = {
    "list": "list container groups, of a resource group or of the subscription",
    "next-page": "the second or a later page of such a list",
    "get": "read a group",
    "put": "write a group",
    "create": "write a group that does not exist",
    "update": "write a group that exists",
    "patch": "change a group's tags",
    "delete": "delete a group",
    "start": "start a group",
    "stop": "stop a group",
    "restart": "restart a group",
    "poll": "ask how an operation is getting on",
    "logs": "read what a container printed",
    "usages": "read how much of the quota is used",
    "capabilities": "read how large a group may be",
    "provider": "read the registration of the resource provider",
    "register": "register the resource provider",
    "keys": "read the keys of a storage account or of a workspace",
    "resource-group": "anything with a resource group itself; 'method' says what",
    "resources": "list the resources of a resource group or of the subscription",
}

# Stages that are some of the calls of another.
NARROWER = {"create": "put", "update": "put", "next-page": "list"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a call is about; names are in lower case, empty where the path has none."""

    stage: str = ""
    rg: str = ""
    group: str = ""
    operation: str = ""


def place_of(method: str, path: str) -> Place:
    """What `method` on `path` is about; no stage where the call has no word of its own."""
    lowered = path.lower()
    for stage, wanted, pattern in _PATTERNS:
        if wanted in ("", method) and (found := pattern.fullmatch(lowered)):
            named = {name: text for name, text in found.groupdict().items() if text}
            return Place(stage=stage, **named)
    return Place()
