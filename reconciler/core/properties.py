"""THE property table: what is known of every path of a container group, API version 2023-05-01.

Normalising, diffing, planning, masking and explaining only read it. A row's `source` cites
azure-facts by section and carries its grade: R recorded traffic, S specification, D documentation,
I public issue, C a client's source, INF inference. A path without a row is unknown to us: it is
dropped from live bodies (Azure adds properties) and refused in manifests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from functools import cache

from reconciler.core.jsonval import Json, Path


class Access(Enum):
    """Who writes a property, and whether it comes back."""

    READ_WRITE = "read-write"
    READ_ONLY = "read-only"  # dropped on both sides
    WRITE_ONLY = "write-only"  # never comes back: compared by keyed digest or not at all
    ASSIGNED = "assigned"  # the service chooses what a manifest leaves out: then not compared
    UNCONFIRMED = "unconfirmed"  # read-back never recorded: compared where both sides state it


class Effect(IntEnum):
    """What a change costs; the costliest change of a group decides its action."""

    TAGS = 1
    UPDATE = 2
    REPLACE = 3


class Fold(Enum):
    """What is no difference between two values."""

    EXACT = "exact"
    CASE = "case"  # letter case and blanks, for enumerations
    REGION = "region"  # "West Europe" is "westeurope"
    RESOURCE_ID = "resource id"  # ARM compares ids without case
    WORDS = "words"  # a blank-separated set


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One row. In `path`, `*` is one list element or one key of a map."""

    path: Path
    access: Access = Access.READ_WRITE
    effect: Effect = Effect.UPDATE
    default: Json = None  # filled in on both sides where the parent exists
    fold: Fold = Fold.EXACT
    values: tuple[str, ...] = ()  # the enumeration in Azure's spelling
    key: tuple[str, ...] = ()  # a list whose elements are named by these members
    ordered: bool = False  # a keyed list whose order matters
    bare: bool = False  # an object that says something by merely being there
    only_with: str = ""  # dropped by Azure unless this sibling is present
    instead: tuple[str, ...] = ()  # siblings that stand in the place of a write-only value
    source: str = ""


UPDATE_DOC = "D.1 [D]: supported by an update in place, every container restarts"
REPLACE_DOC = "D.1, D.2 [D][I]: cannot change in place, InvalidContainerGroupUpdate"
REPLACE_INF = "D.2 [INF]: documentation silent, Terraform replaces; treated as immutable"
UPDATE_INF = "D.2 [INF]: documentation silent, a change in place is expected to work"
READ = "C.2 #2 [R]: server value"
WRITE = "C.2 [R]: dropped by the service on every read"


def _row(path: str, **facts: object) -> Property:
    return Property(path=tuple(path.split("/")), **facts)  # type: ignore[arg-type]  # names checked by the dataclass


def _environment(root: str) -> Iterator[Property]:
    variables = f"{root}/environmentVariables"
    yield _row(variables, key=("name",), source="C.2 #6 [R]: omitted reads back as []")
    yield _row(f"{variables}/*", source=UPDATE_DOC)
    yield _row(f"{variables}/*/name", source="C.3 [R]: echo")
    yield _row(f"{variables}/*/value", source=f"C.3 [R]: echo; {UPDATE_DOC}")
    yield _row(
        f"{variables}/*/secureValue",
        access=Access.WRITE_ONLY,
        instead=("value",),
        source=f"{WRITE}, #16; {UPDATE_DOC}",
    )


def _mounts(root: str) -> Iterator[Property]:
    mounts = f"{root}/volumeMounts"
    yield _row(mounts, key=("mountPath",), source="G24 [INF]: one mount a path; C.3 [R]: echo")
    yield _row(f"{mounts}/*", source=UPDATE_DOC)
    yield _row(f"{mounts}/*/name", source="C.3 [R]: echo")
    yield _row(f"{mounts}/*/mountPath", source="C.3 [R]: echo")
    yield _row(
        f"{mounts}/*/readOnly",
        default=False,
        source="C.3 [R]: echo, also false; C.6: absent is false",
    )


def _security(root: str) -> Iterator[Property]:
    context = f"{root}/securityContext"
    yield _row(context, source=f"C.3 [R]: echo; {UPDATE_INF}")
    yield _row(f"{context}/allowPrivilegeEscalation", source="C.3 [R]: echo")
    yield _row(f"{context}/capabilities", source="C.3 [R]: echo, also {}")
    yield _row(f"{context}/capabilities/add", source="C.3 [INF]: echo, values never recorded")
    yield _row(f"{context}/capabilities/drop", source="C.3 [INF]: echo, values never recorded")
    yield _row(f"{context}/privileged", source="G20 [D]; C.3 [R]: echo")
    yield _row(f"{context}/runAsGroup", source="I12 [INF]: echo, never recorded")
    yield _row(f"{context}/runAsUser", source="I12 [INF]: echo, never recorded")
    yield _row(f"{context}/seccompProfile", source="I12 [INF]: echo, never recorded")


def _probe(root: str) -> Iterator[Property]:
    yield _row(root, source=f"C.3 [R]: echo, nothing added; {UPDATE_DOC}")
    yield _row(f"{root}/exec", source="C.3 [R]: echo")
    yield _row(f"{root}/exec/command", source="C.3 [R]: echo")
    yield _row(f"{root}/httpGet", source="C.3 [R]: echo")
    yield _row(f"{root}/httpGet/path", source="C.3 [R]: echo")
    yield _row(f"{root}/httpGet/port", source="C.3 [R]: echo")
    yield _row(
        f"{root}/httpGet/scheme",
        fold=Fold.CASE,
        values=("http", "https"),
        source="C.3 [C]: lower case stays lower case",
    )
    yield _row(f"{root}/httpGet/httpHeaders", key=("name",), source="C.3 [R]: echo")
    yield _row(f"{root}/httpGet/httpHeaders/*", source=UPDATE_DOC)
    yield _row(f"{root}/httpGet/httpHeaders/*/name", source="C.3 [R]: echo")
    yield _row(f"{root}/httpGet/httpHeaders/*/value", source="C.3 [R]: echo")
    for number in (
        "initialDelaySeconds",
        "periodSeconds",
        "failureThreshold",
        "successThreshold",
        "timeoutSeconds",
    ):
        yield _row(f"{root}/{number}", source="C.3 [R]: omitted stays absent")


def _containers() -> Iterator[Property]:
    root = "properties/containers/*/properties"
    yield _row(
        "properties/containers",
        key=("name",),
        source="G2 [S]: names are unique; C.6 [INF]: order means nothing",
    )
    yield _row(
        "properties/containers/*", source="D.2 [INF]: in place unless the requests' sum moves"
    )
    yield _row("properties/containers/*/name", source="C.3 [R]: echo")
    yield _row(root, source=UPDATE_DOC)
    yield _row(f"{root}/image", source=f"C.1 [R]: echo, tags are not resolved; {UPDATE_DOC}")
    yield _row(f"{root}/command", source=f"C.3 [R]: echo, [] is absent; {UPDATE_DOC}")
    yield _row(
        f"{root}/ports", key=("port", "protocol"), source="C.2 #5 [R]; D.2 [D]: in place since 2019"
    )
    yield _row(f"{root}/ports/*", source="D.2 [D]: in place since about 2019")
    yield _row(f"{root}/ports/*/port", source="C.3 [R]: echo")
    yield _row(
        f"{root}/ports/*/protocol",
        default="TCP",
        fold=Fold.CASE,
        values=("TCP", "UDP"),
        source="C.3 [R]: omitted stays absent, means TCP (C.6)",
    )
    yield from _environment(root)
    yield _row(f"{root}/instanceView", access=Access.READ_ONLY, source=READ)
    yield from _resources(f"{root}/resources")
    yield from _mounts(root)
    yield from _probe(f"{root}/livenessProbe")
    yield from _probe(f"{root}/readinessProbe")
    yield from _security(root)


def _resources(root: str) -> Iterator[Property]:
    replace = Effect.REPLACE
    yield _row(root, source="G3 [S]: required")
    yield _row(f"{root}/requests", source="G3 [S]: required")
    yield _row(
        f"{root}/requests/cpu", effect=replace, source=f"C.3 [R]: echo as double; {REPLACE_DOC}"
    )
    yield _row(
        f"{root}/requests/memoryInGB",
        effect=replace,
        source=f"C.3 [R]: echo as double; {REPLACE_DOC}",
    )
    yield _row(f"{root}/requests/gpu", effect=replace, source=REPLACE_DOC)
    yield _row(f"{root}/requests/gpu/count", effect=replace, source=REPLACE_DOC)
    yield _row(
        f"{root}/requests/gpu/sku",
        effect=replace,
        fold=Fold.CASE,
        values=("K80", "P100", "V100"),
        source=REPLACE_DOC,
    )
    limits = "C.3 [R]: echo; D.2 [C]: updatable, Terraform's acceptance test passed"
    yield _row(f"{root}/limits", source=limits)
    yield _row(f"{root}/limits/cpu", source=limits)
    yield _row(f"{root}/limits/memoryInGB", source=limits)
    yield _row(f"{root}/limits/gpu", source=f"S; {UPDATE_INF}")
    yield _row(f"{root}/limits/gpu/count", source=f"S; {UPDATE_INF}")
    yield _row(
        f"{root}/limits/gpu/sku",
        fold=Fold.CASE,
        values=("K80", "P100", "V100"),
        source=f"S; {UPDATE_INF}",
    )


def _init_containers() -> Iterator[Property]:
    root = "properties/initContainers/*/properties"
    yield _row(
        "properties/initContainers",
        key=("name",),
        ordered=True,
        source=f"C.2 #4 [R]: omitted reads back as []; E.2 [D]: run in list order; {UPDATE_INF}",
    )
    yield _row("properties/initContainers/*", source=UPDATE_INF)
    yield _row("properties/initContainers/*/name", source="C.3 [R]: echo")
    yield _row(root, source=UPDATE_INF)
    yield _row(f"{root}/image", source=f"C.3 [R]: echo; {UPDATE_INF}")
    yield _row(f"{root}/command", source=f"C.3 [R]: echo; {UPDATE_INF}")
    yield _row(f"{root}/instanceView", access=Access.READ_ONLY, source=READ)
    yield from _environment(root)
    yield from _mounts(root)
    yield from _security(root)


def _credentials() -> Iterator[Property]:
    root = "properties/imageRegistryCredentials"
    yield _row(
        root, key=("server",), source="C.6: absent is []; D.2 [I]: re-deploys rotate passwords"
    )
    yield _row(f"{root}/*", source=UPDATE_INF)
    yield _row(f"{root}/*/server", source="C.3 [R]: echo")
    yield _row(f"{root}/*/username", source="C.3 [R]: echo")
    yield _row(
        f"{root}/*/password",
        access=Access.WRITE_ONLY,
        instead=("identity",),
        source=f"{WRITE}, #15",
    )
    yield _row(
        f"{root}/*/identity", fold=Fold.RESOURCE_ID, source="C.3 [R]: echo; C.6: ids without case"
    )
    yield _row(f"{root}/*/identityUrl", source="I12 [INF]: echo, never recorded")


def _ip_address() -> Iterator[Property]:
    root = "properties/ipAddress"
    yield _row(root, source="C.3 [R]")
    yield _row(f"{root}/ports", key=("port", "protocol"), source="C.3 [R]: echo; D.2 [D]: in place")
    yield _row(f"{root}/ports/*", source="D.2 [D]: in place since about 2019")
    yield _row(f"{root}/ports/*/port", source="C.3 [R]: echo")
    yield _row(
        f"{root}/ports/*/protocol",
        default="TCP",
        fold=Fold.CASE,
        values=("TCP", "UDP"),
        source="C.3 [R]: echo; omitted means TCP (C.6)",
    )
    yield _row(
        f"{root}/type",
        effect=Effect.REPLACE,
        fold=Fold.CASE,
        values=("Public", "Private"),
        source="D.2 [INF]: follows from the subnet, which is immutable",
    )
    yield _row(f"{root}/ip", access=Access.READ_ONLY, source="C.2 #12 [R]: server value")
    yield _row(f"{root}/fqdn", access=Access.READ_ONLY, source="C.2 #13 [R]: server value")
    yield _row(f"{root}/dnsNameLabel", source="C.3 [R]: echo; D.2 [D]: in place")
    yield _row(
        f"{root}/autoGeneratedDomainNameLabelScope",
        effect=Effect.REPLACE,
        default="Unsecure",
        fold=Fold.CASE,
        values=("Unsecure", "TenantReuse", "SubscriptionReuse", "ResourceGroupReuse", "Noreuse"),
        only_with="dnsNameLabel",
        source="C.2 #14 [R]: dropped without a label; D.2 [I]: a change in place is not applied",
    )


def _volumes() -> Iterator[Property]:
    root = "properties/volumes"
    write = Access.WRITE_ONLY
    yield _row(root, key=("name",), source=f"C.3 [R]: echo; {UPDATE_DOC}")
    yield _row(f"{root}/*", source="D.1 [D]: in place, may fail where Azure Files is attached")
    yield _row(f"{root}/*/name", source="C.3 [R]: echo")
    yield _row(f"{root}/*/azureFile", source="C.3 [R]: echo without the key")
    yield _row(f"{root}/*/azureFile/shareName", source="C.3 [R]: echo")
    yield _row(
        f"{root}/*/azureFile/readOnly", default=False, source="C.3 [R]: echo; C.6: absent is false"
    )
    yield _row(f"{root}/*/azureFile/storageAccountName", source="C.3 [R]: echo")
    yield _row(f"{root}/*/azureFile/storageAccountKey", access=write, source=f"{WRITE}, #18")
    yield _row(f"{root}/*/emptyDir", bare=True, source="C.3 [R]: {}")
    yield _row(
        f"{root}/*/secret", bare=True, source="C.2 #17 [R]: reads back as {}, keys are lost too"
    )
    yield _row(f"{root}/*/secret/*", access=write, source=f"{WRITE}, #17")
    yield _row(f"{root}/*/gitRepo", source="C.3 [R]: echo")
    yield _row(f"{root}/*/gitRepo/repository", source="C.3 [R]: echo")
    yield _row(f"{root}/*/gitRepo/directory", source="C.3 [R]: echo")
    yield _row(f"{root}/*/gitRepo/revision", source="C.3 [R]: echo")


def _diagnostics() -> Iterator[Property]:
    root = "properties/diagnostics/logAnalytics"
    yield _row("properties/diagnostics", source=f"C.3 [R]: echo; {UPDATE_INF}")
    yield _row(root, source=f"C.3 [R]: echo; {UPDATE_INF}; I azure-docs#65195 saw one refusal")
    yield _row(f"{root}/workspaceId", source="C.3 [R]: echo, not checked")
    yield _row(f"{root}/workspaceKey", access=Access.WRITE_ONLY, source=f"{WRITE}, #19")
    yield _row(
        f"{root}/logType",
        fold=Fold.CASE,
        values=("ContainerInsights", "ContainerInstanceLogs"),
        source="C.3 [R]: echo",
    )
    yield _row(f"{root}/metadata", source="C.3 [R]: echo")
    yield _row(f"{root}/metadata/*", source="C.3 [R]: echo")
    yield _row(
        f"{root}/workspaceResourceId",
        fold=Fold.RESOURCE_ID,
        source="C.3 [R]: echo; C.6: ids without case",
    )


def _network() -> Iterator[Property]:
    replace = Effect.REPLACE
    yield _row(
        "properties/subnetIds",
        effect=replace,
        key=("id",),
        fold=Fold.RESOURCE_ID,
        source=f"C.3 [R]: echo, case kept; {REPLACE_DOC}",
    )
    yield _row("properties/subnetIds/*", effect=replace, source=REPLACE_DOC)
    yield _row(
        "properties/subnetIds/*/id", effect=replace, fold=Fold.RESOURCE_ID, source=REPLACE_DOC
    )
    yield _row(
        "properties/subnetIds/*/name",
        access=Access.UNCONFIRMED,
        effect=replace,
        source="I12 [INF]: a label whose read-back was never recorded",
    )
    yield _row("properties/dnsConfig", effect=replace, source=REPLACE_INF)
    yield _row(
        "properties/dnsConfig/nameServers", effect=replace, source=f"C.6: ordered; {REPLACE_INF}"
    )
    for words in ("searchDomains", "options"):
        yield _row(
            f"properties/dnsConfig/{words}",
            effect=replace,
            fold=Fold.WORDS,
            source=f"C.3 [S]: one blank-separated string; {REPLACE_INF}",
        )


def _identity() -> Iterator[Property]:
    yield _row(
        "identity",
        default={"type": "None"},
        source="C.2 #10 [R]: absent is None; D.2 [D]: in place",
    )
    yield _row(
        "identity/type",
        fold=Fold.CASE,
        values=("SystemAssigned", "UserAssigned", "SystemAssigned, UserAssigned", "None"),
        source="C.4 [R]: echo",
    )
    yield _row("identity/principalId", access=Access.READ_ONLY, source="C.2 #11 [R]: server value")
    yield _row("identity/tenantId", access=Access.READ_ONLY, source="C.2 #11 [R]: server value")
    ids = "identity/userAssignedIdentities"
    yield _row(
        ids, fold=Fold.RESOURCE_ID, source="C.4 [R]: keys keep the case sent, compare without"
    )
    yield _row(f"{ids}/*", source="D.2 [D]: identity changes in place")
    yield _row(f"{ids}/*/principalId", access=Access.READ_ONLY, source="C.2 #11 [R]: server value")
    yield _row(f"{ids}/*/clientId", access=Access.READ_ONLY, source="C.2 #11 [R]: server value")


def _special() -> Iterator[Property]:
    replace = Effect.REPLACE
    encryption = "properties/encryptionProperties"
    yield _row(encryption, effect=replace, source=f"C.3 [R]: echo; {REPLACE_INF}")
    for name in ("vaultBaseUrl", "keyName", "keyVersion"):
        yield _row(f"{encryption}/{name}", effect=replace, source=f"C.3 [R]: echo; {REPLACE_INF}")
    yield _row(
        f"{encryption}/identity",
        effect=replace,
        fold=Fold.RESOURCE_ID,
        source=f"C.3 [R]: echo; {REPLACE_INF}",
    )
    confidential = "properties/confidentialComputeProperties"
    yield _row(confidential, effect=replace, source=REPLACE_INF)
    yield _row(
        f"{confidential}/ccePolicy",
        access=Access.ASSIGNED,
        effect=replace,
        source=f"C.2 #21 [R]: filled in when omitted; {REPLACE_INF}",
    )
    extensions = "properties/extensions"
    yield _row(extensions, key=("name",), source=f"C.3 [S]; {UPDATE_INF}")
    yield _row(f"{extensions}/*", source=UPDATE_INF)
    yield _row(f"{extensions}/*/name", source="C.3 [S]: echo")
    yield _row(f"{extensions}/*/properties", source=UPDATE_INF)
    for name in ("extensionType", "version", "settings", "settings/**"):
        yield _row(f"{extensions}/*/properties/{name}", source=f"C.3 [S]: echo; {UPDATE_INF}")
    yield _row(
        f"{extensions}/*/properties/protectedSettings",
        access=Access.WRITE_ONLY,
        source=f"{WRITE}, #20 [S]",
    )


def _group() -> Iterator[Property]:
    replace = Effect.REPLACE
    for name in ("id", "name", "type"):
        yield _row(
            name, access=Access.READ_ONLY, effect=replace, source="C.2 #1 [R]: part of the id"
        )
    yield _row(
        "apiVersion", access=Access.READ_ONLY, source="H.1 [C]: chosen by the client, not echoed"
    )
    yield _row(
        "location",
        effect=replace,
        fold=Fold.REGION,
        source="C.1 [R]: echoed as sent; D.2 [D]: InvalidResourceLocation",
    )
    yield _row("tags", effect=Effect.TAGS, source="A.5 [R]: PATCH, containers keep running")
    yield _row("tags/*", effect=Effect.TAGS, source="A.5 [R]: PATCH, containers keep running")
    yield _row("zones", effect=replace, source=f"C.3 [R]: echo; {REPLACE_DOC}")
    yield _row("properties", source="C.3 [S]: the object that holds all else")
    for name in ("provisioningState", "instanceView"):
        yield _row(f"properties/{name}", access=Access.READ_ONLY, source=READ)
    yield _row(
        "properties/sku",
        effect=replace,
        default="Standard",
        fold=Fold.CASE,
        values=("Standard", "Dedicated", "Confidential"),
        source=f"C.2 #3 [R]: omitted reads back as Standard; {REPLACE_INF}",
    )
    yield _row(
        "properties/osType",
        effect=replace,
        fold=Fold.CASE,
        values=("Linux", "Windows"),
        source=f"C.3 [R]: echo; {REPLACE_DOC}",
    )
    yield _row(
        "properties/restartPolicy",
        effect=replace,
        default="Always",
        fold=Fold.CASE,
        values=("Always", "OnFailure", "Never"),
        source=f"C.1 [R]: omitted stays absent, means Always [D]; {REPLACE_DOC}",
    )
    yield _row(
        "properties/priority",
        effect=replace,
        default="Regular",
        fold=Fold.CASE,
        values=("Regular", "Spot"),
        source=f"C.3 [R]: omitted stays absent; {REPLACE_INF}",
    )


PROPERTIES: tuple[Property, ...] = (
    *_group(),
    *_identity(),
    *_containers(),
    *_init_containers(),
    *_credentials(),
    *_ip_address(),
    *_volumes(),
    *_diagnostics(),
    *_network(),
    *_special(),
)


@dataclass(slots=True)
class Node:
    """The table as a tree: a step a path part. `any` is the child for `*`."""

    row: Property | None = None
    children: dict[str, Node] = field(default_factory=dict)
    any: Node | None = None
    is_open: bool = False  # `**`: anything below is kept as it is

    @property
    def is_leaf(self) -> bool:
        """Whether the table says no more: an element of a plain list is answered by its list."""
        return not self.children and self.any is None

    @property
    def write_only(self) -> list[Property]:
        """The rows of its members that never come back."""
        members = [*self.children.values(), *([self.any] if self.any is not None else [])]
        rows = [member.row for member in members if member.row is not None]
        return [row for row in rows if row.access is Access.WRITE_ONLY]


@cache
def tree() -> Node:
    """The root of the table; built once."""
    root = Node()
    for row in PROPERTIES:
        node = root
        for part in row.path:
            if part == "**":
                node.is_open = True
                break
            node = _step(node, part)
        else:
            node.row = row
    return root


def _step(node: Node, part: str) -> Node:
    if part == "*":
        node.any = node.any or Node()
        return node.any
    return node.children.setdefault(part, Node())


def row_of(path: Path) -> Property | None:
    """The row that answers for a concrete canonical path: its own, or its nearest ancestor's."""
    node, found = tree(), None
    for part in path:
        child = node.children.get(part) or node.any
        if child is None:
            return found if node.is_open or node.is_leaf else None
        node, found = child, child.row or found
    return found


@cache
def write_only_names() -> frozenset[str]:
    """The members of a body whose values, and all beneath them, never come back."""
    rows = [row for row in PROPERTIES if row.access is Access.WRITE_ONLY]
    return frozenset(next(part for part in reversed(row.path) if part[0] != "*") for row in rows)


def holds_write_only(path: Path) -> bool:
    """Whether members of what lies at a canonical path are write-only."""
    node: Node | None = tree()
    for part in path:
        node = (node.children.get(part) or node.any) if node is not None else None
    return node is not None and bool(node.write_only)
