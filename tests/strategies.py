"""Hypothesis strategies for container groups, and Azure's read-back in the tests' own words.

Bodies cover every row of the property table. `served` restates the closed list of azure-facts C.2
without looking at the table, so that a wrong row cannot make both sides wrong alike.
"""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

from reconciler.core.finding import Mark, Position
from reconciler.core.groups import (
    Adopt,
    DesiredGroup,
    GroupPolicy,
    LiveGroup,
    Replace,
    Secret,
    SecretState,
    live_group,
)
from reconciler.core.ids import GroupId
from reconciler.core.normalise import canonical

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
HOME = "rg-shop"
NAMES = ("api", "cache", "db", "web", "worker")
REGIONS = ("westeurope", "northeurope", "eastus2")
HERE = Position(file="groups/web.yaml", mark=Mark(1, 1))

Wire = dict[str, Any]

_words = st.text(alphabet="abcdefgXYZ0123456789-./ =é✓", min_size=1, max_size=8)
_secret_words = st.text(alphabet="hunterHUNTER0123456789", min_size=6, max_size=10)
_names = st.sampled_from(["alpha", "beta", "gamma", "delta-1"])
_variables = st.sampled_from(["HOST", "PORT", "__private", "_x", "LOG_LEVEL", "DB_PASSWORD"])
_paths = st.sampled_from(["/data", "/var/log/", "/etc/x~y", "/srv"])
_numbers = st.sampled_from([0.1, 0.5, 1, 1.0, 1.5, 2, 4.0])
_ports = st.integers(1, 9999)
_seconds = st.integers(1, 120)


def _arm_id(kind: str) -> st.SearchStrategy[str]:
    root = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{HOME}/providers"
    return st.sampled_from([f"{root}/{kind}/{name}" for name in ("one", "Two", "three")])


_identities = _arm_id("Microsoft.ManagedIdentity/userAssignedIdentities")
_subnets = _arm_id("Microsoft.Network/virtualNetworks/net/subnets")
_workspaces = _arm_id("Microsoft.OperationalInsights/workspaces")


def _listed(element: st.SearchStrategy[Wire], *key: str, least: int = 0) -> Any:
    """A list whose elements differ in `key`; ports that leave out their protocol mean TCP."""

    def named(item: Wire) -> tuple[str, ...]:
        return tuple(str(item.get(part, "TCP")).lower() for part in key)

    return st.lists(element, min_size=least, max_size=3, unique_by=named)


def _some(required: Wire | None = None, /, **optional: Any) -> st.SearchStrategy[Wire]:
    return st.fixed_dictionaries(required or {}, optional=optional)


port = _some({"port": _ports}, protocol=st.sampled_from(["TCP", "UDP"]))
variable = st.one_of(
    _some({"name": _variables, "value": _words}),
    _some({"name": _variables, "secureValue": _secret_words}),
)
mount = _some({"name": _names, "mountPath": _paths}, readOnly=st.booleans())
gpu = _some({"count": st.sampled_from([1, 2, 4]), "sku": st.sampled_from(["K80", "P100", "V100"])})
resources = _some(
    {"requests": _some({"cpu": _numbers, "memoryInGB": _numbers}, gpu=gpu)},
    limits=_some(cpu=_numbers, memoryInGB=_numbers, gpu=gpu),
)
command = st.lists(_words, max_size=3)
header = _some({"name": st.sampled_from(["Accept", "X-Token"]), "value": _words})
http = _some(
    {"port": _ports},
    path=_paths,
    scheme=st.sampled_from(["http", "https"]),
    httpHeaders=_listed(header, "name"),
)
_timing = {
    name: _seconds
    for name in (
        "initialDelaySeconds",
        "periodSeconds",
        "failureThreshold",
        "successThreshold",
        "timeoutSeconds",
    )
}
probe = st.one_of(
    _some({"exec": _some({"command": command})}, **_timing), _some({"httpGet": http}, **_timing)
)
security = _some(
    allowPrivilegeEscalation=st.booleans(),
    capabilities=_some(add=st.lists(_words, max_size=2), drop=st.lists(_words, max_size=2)),
    privileged=st.booleans(),
    runAsGroup=st.integers(1, 5000),
    runAsUser=st.integers(1, 5000),
    seccompProfile=_words,
)
_shared = {
    "command": command,
    "environmentVariables": _listed(variable, "name"),
    "volumeMounts": _listed(mount, "mountPath"),
    "securityContext": security,
}
container = st.fixed_dictionaries(
    {
        "name": _names,
        "properties": _some(
            {"image": _words, "resources": resources},
            ports=_listed(port, "port", "protocol"),
            livenessProbe=probe,
            readinessProbe=probe,
            **_shared,
        ),
    }
)
init_container = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["first", "second", "third"]),
        "properties": _some({"image": _words}, **_shared),
    }
)
credential = st.one_of(
    _some({"server": _words, "username": _words, "password": _secret_words}),
    _some({"server": _words, "identity": _identities}, identityUrl=_words),
)
volume = st.one_of(
    _some({"name": _names, "emptyDir": st.just({})}),
    _some(
        {
            "name": _names,
            "azureFile": _some(
                {
                    "shareName": _words,
                    "storageAccountName": _words,
                    "storageAccountKey": _secret_words,
                },
                readOnly=st.booleans(),
            ),
        }
    ),
    _some(
        {
            "name": _names,
            "gitRepo": _some({"repository": _words}, directory=_words, revision=_words),
        }
    ),
    _some(
        {
            "name": _names,
            "secret": st.dictionaries(_variables, _secret_words, min_size=1, max_size=2),
        }
    ),
)
ip_address = _some(
    {
        "type": st.sampled_from(["Public", "Private"]),
        "ports": _listed(port, "port", "protocol", least=1),
    },
    dnsNameLabel=st.sampled_from(["shop-one", "shop-two"]),
    autoGeneratedDomainNameLabelScope=st.sampled_from(
        ["Unsecure", "TenantReuse", "SubscriptionReuse", "ResourceGroupReuse", "Noreuse"]
    ),
)
diagnostics = _some(
    {
        "logAnalytics": _some(
            {"workspaceId": _words, "workspaceKey": _secret_words},
            logType=st.sampled_from(["ContainerInsights", "ContainerInstanceLogs"]),
            metadata=st.dictionaries(_names, _words, max_size=2),
            workspaceResourceId=_workspaces,
        )
    }
)
dns_config = _some(
    {"nameServers": st.lists(st.sampled_from(["10.0.0.1", "10.0.0.2"]), min_size=1, max_size=2)},
    searchDomains=st.sampled_from(["a.example b.example", "c.example"]),
    options=st.sampled_from(["ndots:2", "ndots:2 rotate"]),
)
encryption = _some(
    {"vaultBaseUrl": _words, "keyName": _words, "keyVersion": _words}, identity=_identities
)
_anything = st.recursive(
    st.one_of(st.booleans(), st.integers(-9, 9), st.sampled_from([0.5, 2.0]), _words),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(_names, inner, max_size=2)
    ),
    max_leaves=4,
)
extension = st.fixed_dictionaries(
    {
        "name": _names,
        "properties": _some(
            {"extensionType": _words, "version": _words},
            settings=st.dictionaries(_names, _anything, max_size=2),
            protectedSettings=st.dictionaries(_names, _secret_words, min_size=1, max_size=2),
        ),
    }
)
identity = st.one_of(
    st.just({"type": "SystemAssigned"}),
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["UserAssigned", "SystemAssigned, UserAssigned"]),
            "userAssignedIdentities": st.dictionaries(
                _identities, st.just({}), min_size=1, max_size=2
            ),
        }
    ),
)
tags = st.dictionaries(st.sampled_from(["team", "Cost-Center", "env", "stage"]), _words, max_size=3)
bodies = _some(
    {
        "location": st.sampled_from(REGIONS),
        "properties": _some(
            {
                "osType": st.sampled_from(["Linux", "Windows"]),
                "containers": _listed(container, "name", least=1),
            },
            initContainers=_listed(init_container, "name"),
            restartPolicy=st.sampled_from(["Always", "OnFailure", "Never"]),
            sku=st.sampled_from(["Standard", "Dedicated", "Confidential"]),
            priority=st.sampled_from(["Regular", "Spot"]),
            imageRegistryCredentials=_listed(credential, "server"),
            volumes=_listed(volume, "name"),
            ipAddress=ip_address,
            subnetIds=_listed(_some({"id": _subnets}, name=_names), "id"),
            dnsConfig=dns_config,
            diagnostics=diagnostics,
            encryptionProperties=encryption,
            confidentialComputeProperties=_some(ccePolicy=_words),
            extensions=_listed(extension, "name"),
        ),
    },
    identity=identity,
    zones=st.sampled_from([["1"], ["2"]]),
)
"""A PUT body with its secrets in it, without tags."""

policies = st.builds(
    GroupPolicy,
    adopt=st.sampled_from(Adopt),
    replace=st.sampled_from(Replace),
    protect=st.booleans(),
)


def group_id(name: str, home: str = HOME) -> GroupId:
    """A group of the tests' subscription."""
    return GroupId(subscription=SUBSCRIPTION, resource_group=home, name=name)


def _secret_places(body: Wire) -> list[tuple[Any, ...]]:
    """Where a PUT body holds what Azure never shows again."""
    found: list[tuple[Any, ...]] = []

    def walk(value: Any, path: tuple[Any, ...]) -> None:
        if isinstance(value, list):
            for index, item in enumerate(value):
                walk(item, (*path, index))
        if not isinstance(value, dict):
            return
        for name, item in value.items():
            is_one = name in ("password", "secureValue", "storageAccountKey", "workspaceKey")
            if is_one or path[-1:] in (("secret",), ("protectedSettings",)):
                found.append((*path, name))
            elif name != "settings":
                walk(item, (*path, name))

    walk(body.get("properties"), ("properties",))
    return found


def _shown_name(body: Wire, path: tuple[Any, ...]) -> str:
    value: Any = body
    parts = []
    for part in path:
        value = value[part]
        if isinstance(part, int):
            part = value.get("name") or value.get("server")
        parts.append(str(part).replace("~", "~0").replace("/", "~1"))
    return "/" + "/".join(parts)


def split(body: Wire) -> tuple[Wire, tuple[Secret, ...]]:
    """A PUT body without its secrets, and the secrets."""
    clean, secrets = copy.deepcopy(body), []
    for path in _secret_places(body):
        holder: Any = clean
        for part in path[:-1]:
            holder = holder[part]
        value = holder.pop(path[-1])
        secrets.append(
            Secret(
                path=path,
                name=_shown_name(body, path),
                state=SecretState.KNOWN,
                where=HERE,
                value=value,
            )
        )
    return clean, tuple(secrets)


def desired_of(
    body: Wire,
    group: GroupId | None = None,
    *,
    tags: dict[str, str] | None = None,
    policy: GroupPolicy | None = None,
) -> DesiredGroup:
    """What a manifest with this PUT body says."""
    clean, secrets = split(body)
    return DesiredGroup(
        id=group or group_id("web"),
        body=clean,
        canonical=canonical(clean),
        tags=tags or {},
        secrets=secrets,
        policy=policy or GroupPolicy(),
        where=HERE,
    )


def served(
    body: Wire, group: GroupId, *, provisioning: str = "Succeeded", state: str | None = "Running"
) -> Wire:
    """What Azure answers for a PUT body: an echo, apart from the closed list of azure-facts C.2.

    `state` None leaves the instance views out, as a LIST does.
    """
    answer = copy.deepcopy(body)
    for path in _secret_places(body):  # 15 to 20: whatever is secret is gone
        holder: Any = answer
        for part in path[:-1]:
            holder = holder[part]
        del holder[path[-1]]
    properties = answer["properties"]
    for holder in properties.get("extensions", []):
        holder["properties"].pop("protectedSettings", None)
    for member in ("id", "name", "type", "apiVersion"):
        answer.pop(member, None)
    answer |= {
        "id": group.arm,
        "name": group.name,
        "type": "Microsoft.ContainerInstance/containerGroups",
    }
    properties["provisioningState"] = provisioning  # 2
    properties.setdefault("sku", "Standard")  # 3
    properties.setdefault("initContainers", [])  # 4
    properties["provisioningTimeoutInSeconds"] = 1800  # 8
    properties["isCustomProvisioningTimeout"] = False
    properties["isCreatedFromStandbyPool"] = False  # 7
    for one in properties["containers"]:
        one["properties"].setdefault("ports", [])  # 5
        _as_doubles(one["properties"])
    for one in (*properties["containers"], *properties["initContainers"]):
        one["properties"].setdefault("environmentVariables", [])  # 6
        if state is not None:
            one["properties"]["instanceView"] = _view(state)
    if state is not None:
        properties["instanceView"] = {"events": [], "state": state}
    for one in properties.get("imageRegistryCredentials", []):
        one["isDelegatedIdentity"] = False  # 9
    _identity(answer)
    _address(properties, answer["location"])
    if properties.get("sku") == "Confidential":  # 21
        properties.setdefault("confidentialComputeProperties", {}).setdefault("ccePolicy", "YWxs")
    return answer


def _as_doubles(properties: Wire) -> None:
    for amounts in properties.get("resources", {}).values():
        for name in ("cpu", "memoryInGB"):
            if name in amounts:
                amounts[name] = float(amounts[name])


def _view(state: str) -> Wire:
    word = {"Running": "Running", "Pending": "Waiting", "Stopped": "Terminated"}.get(
        state, "Terminated"
    )
    return {"restartCount": 0, "currentState": {"state": word, "detailStatus": ""}, "events": []}


def _identity(answer: Wire) -> None:
    given = answer.get("identity")
    if given is None:
        return
    if "SystemAssigned" in given["type"]:
        given["principalId"] = "22222222-2222-2222-2222-222222222222"
    given["tenantId"] = "33333333-3333-3333-3333-333333333333"
    for name in given.get("userAssignedIdentities", {}):
        given["userAssignedIdentities"][name] = {"principalId": "p", "clientId": "c"}


def _address(properties: Wire, location: str) -> None:
    address = properties.get("ipAddress")
    if address is None:
        return
    address["ip"] = "20.1.2.3"  # 12
    if "dnsNameLabel" in address:
        region = location.replace(" ", "").lower()
        address["fqdn"] = f"{address['dnsNameLabel']}.{region}.azurecontainer.io"  # 13
        address.setdefault("autoGeneratedDomainNameLabelScope", "Unsecure")  # 14
    else:
        address.pop("autoGeneratedDomainNameLabelScope", None)


def live_of(
    body: Wire,
    group: GroupId | None = None,
    *,
    tags: dict[str, str] | None = None,
    provisioning: str = "Succeeded",
    state: str | None = "Running",
) -> LiveGroup:
    """The live group that Azure would show once it took this PUT body."""
    answer = served(body, group or group_id("web"), provisioning=provisioning, state=state)
    return live_group({**answer, "tags": dict(tags or {})})


@st.composite
def desired_groups(draw: st.DrawFn, name: str = "web", home: str = HOME) -> DesiredGroup:
    """A manifest of any content and policy."""
    return desired_of(draw(bodies), group_id(name, home), tags=draw(tags), policy=draw(policies))


@st.composite
def live_groups(draw: st.DrawFn, name: str = "web", home: str = HOME) -> LiveGroup:
    """A live group of any content and state, without tags of ours."""
    return live_of(
        draw(bodies),
        group_id(name, home),
        tags=draw(tags),
        provisioning=draw(
            st.sampled_from(["Succeeded", "Failed", "Canceled", "Pending", "Updating"])
        ),
        state=draw(st.sampled_from([None, "Running", "Stopped", "Succeeded", "Failed", "Pending"])),
    )


_ENUMERATIONS = frozenset(
    ("type", "osType", "restartPolicy", "sku", "priority", "protocol", "scheme", "logType")
) | {"autoGeneratedDomainNameLabelScope"}
_IDS = frozenset(("id", "identity", "workspaceResourceId"))
_ORDERED = frozenset(
    ("command", "initContainers", "nameServers", "zones", "add", "drop", "settings")
)


@st.composite
def spelled_otherwise(draw: st.DrawFn, body: Wire) -> Wire:
    """The same request in other words: order, letter case, and defaults that are spelled out."""
    result = draw(st.just(_respelled(body, (), draw(st.randoms(use_true_random=False)))))
    result["location"] = draw(
        st.sampled_from(
            [
                result["location"],
                result["location"].upper(),
                f"{result['location'][:4]} {result['location'][4:]}",
            ]
        )
    )
    if draw(st.booleans()):
        _spell_out_defaults(result)
    return result


def _respelled(value: Any, path: tuple[str, ...], random: Any) -> Any:
    if isinstance(value, dict):
        items = list(value.items())
        random.shuffle(items)
        is_map_of_ids = path[-1:] == ("userAssignedIdentities",)
        return {
            _cased(name, random) if is_map_of_ids else name: _respelled(item, (*path, name), random)
            for name, item in items
        }
    if isinstance(value, list) and "settings" not in path:
        items = [_respelled(item, path, random) for item in value]
        if not _ORDERED & set(path[-1:]):
            random.shuffle(items)
        return items
    if not isinstance(value, str) or {"settings", "metadata", "secret", "protectedSettings"} & set(
        path
    ):
        return value
    if path[-1] in ("searchDomains", "options"):
        return "  ".join(reversed(value.split()))
    is_id = path[-1] in _IDS
    return _cased(value, random) if path[-1] in _ENUMERATIONS or is_id else value


def _cased(text: str, random: Any) -> str:
    return random.choice([text, text.lower(), text.upper()])


def _spell_out_defaults(body: Wire) -> None:
    properties = body["properties"]
    body.setdefault("identity", {"type": "None"})
    for name, value in (
        ("sku", "Standard"),
        ("restartPolicy", "Always"),
        ("priority", "Regular"),
        ("initContainers", []),
        ("volumes", []),
        ("imageRegistryCredentials", []),
    ):
        properties.setdefault(name, value)
    address = properties.get("ipAddress", {})
    if "dnsNameLabel" in address:
        address.setdefault("autoGeneratedDomainNameLabelScope", "Unsecure")
    for one in address.get("ports", []):
        one.setdefault("protocol", "TCP")
    for one in properties["volumes"]:
        if "azureFile" in one:
            one["azureFile"].setdefault("readOnly", False)
    for one in (*properties["containers"], *properties["initContainers"]):
        inner = one["properties"]
        for name in ("command", "environmentVariables", "volumeMounts"):
            inner.setdefault(name, [])
        for item in inner["volumeMounts"]:
            item.setdefault("readOnly", False)
    for one in properties["containers"]:
        for item in one["properties"].setdefault("ports", []):
            item.setdefault("protocol", "TCP")
