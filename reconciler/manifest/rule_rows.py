"""The rows of the rule table: id, severity, what holds where a rule is kept, and where to read on.

M0 reading, M1 repaired with a warning, M2 shape, M3 meaning, M4 secrets, M5 project and variables,
M6 several together, M7 patches, M8 advice, M9 comments that silence a rule.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.core.finding import Severity

_LEARN = "https://learn.microsoft.com/azure/"
_ACI = f"{_LEARN}container-instances/container-instances-"
_YAML = "https://yaml.org/spec/1.2.2/#"
_OURS = "docs/rules.md#"

_GROUPS = f"{_ACI}container-groups"
_QUOTA = f"{_ACI}resource-and-quota-limits"
_REFERENCE = f"{_ACI}reference-yaml"
_FAULTS = f"{_ACI}troubleshooting"
_NAMES = f"{_LEARN}azure-resource-manager/management/resource-name-rules"
_VNET = f"{_ACI}virtual-network-concepts"
_ENVIRONMENT = f"{_ACI}environment-variables"
_SPOT = f"{_ACI}spot-containers-overview"
_CONFIDENTIAL = f"{_ACI}confidential-overview"
_GPU = f"{_ACI}gpu"
_REGISTRY = f"{_ACI}using-azure-container-registry"
_GIT = f"{_ACI}volume-gitrepo"
_SHARE = f"{_ACI}volume-azure-files"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: its id never changes meaning, `summary` is true of manifests that keep it.

    `link` is a URL, or a place in our own pages. A firm rule is always an error: what breaks it
    cannot be read, or not be told apart. One that is off is heard only where somebody asks for it.
    """

    id: str
    severity: Severity
    summary: str
    link: str
    is_firm: bool = False
    is_off: bool = False

    @property
    def is_advice(self) -> bool:
        """Whether it is the linter's alone: its warnings are shown by `validate`."""
        return self.id.startswith(("M8", "M9"))


def _firm(name: str, summary: str, link: str = "") -> Rule:
    """What has to hold for anything to be read."""
    link = link or f"{_OURS}{name.lower()}"
    return Rule(id=name, severity=Severity.ERROR, summary=summary, link=link, is_firm=True)


def _refused(name: str, summary: str, link: str) -> Rule:
    """What Azure refuses; should it change its mind, the rule can be demoted."""
    return Rule(id=name, severity=Severity.ERROR, summary=summary, link=link)


def _doubt(name: str, summary: str, link: str = "", *, is_off: bool = False) -> Rule:
    """What works, and is not what people want."""
    link = link or f"{_OURS}{name.lower()}"
    return Rule(id=name, severity=Severity.WARNING, summary=summary, link=link, is_off=is_off)


ROWS = (
    _firm("M001", "a file or folder that is named exists and can be read"),
    _firm("M002", "a file is UTF-8", f"{_YAML}52-character-encodings"),
    _firm("M003", "a file is YAML 1.2", f"{_YAML}chapter-1-introduction-to-yaml"),
    _firm("M004", "a key stands once in its mapping", f"{_YAML}3213-node-comparison"),
    _firm("M005", "aliases are bounded and do not contain themselves", f"{_YAML}71-alias-nodes"),
    _firm("M006", "tags stay within the YAML core schema", f"{_YAML}103-core-schema"),
    _firm("M007", "a document is a mapping", f"{_YAML}3211-nodes"),
    _firm("M008", "a file holds at least one document", f"{_YAML}91-documents"),
    _firm("M009", "a key is a string", f"{_YAML}103-core-schema"),
    _firm("M010", "nesting stays within 100 levels"),
    _firm("M011", "a document is a manifest", _REFERENCE),
    _firm("M012", "a file that is named belongs to the project"),
    _doubt("M013", "there are manifests where they are looked for"),
    _firm("M014", "a merge key '<<' merges mappings", "https://yaml.org/type/merge.html"),
    _firm("M015", "a document is a manifest, not another tool's form of one"),
    _doubt("M101", "a key is spelled as Azure spells it", _REFERENCE),
    _doubt("M102", "a choice is spelled as Azure spells it", _REFERENCE),
    _doubt("M103", "a number or a boolean is not quoted", f"{_YAML}103-core-schema"),
    _doubt("M104", "what is absent is left out, not null", _REFERENCE),
    _doubt("M105", "the date in apiVersion is quoted", _REFERENCE),
    _doubt("M106", "what only Azure sets is left out", _REFERENCE),
    _doubt("M107", "an empty part of a newer API version is left out", _REFERENCE),
    _doubt("M108", "a value that Azure drops is left out", _REFERENCE),
    _firm("M201", "a key is known", _REFERENCE),
    _firm("M202", "a required key is present", _REFERENCE),
    _firm("M203", "a value has the type that is due", _REFERENCE),
    _firm("M204", "a value is one of those allowed", _REFERENCE),
    _firm("M205", "a value lies in its range and keeps to its grammar", _REFERENCE),
    _firm("M206", "a key is part of API version 2023-05-01", _REFERENCE),
    _firm("M207", "a key is supported by this version of aci-reconcile"),
    _firm("M301", "names are unique in their list", _GROUPS),
    _refused("M302", "a mount names a volume of the group", _GROUPS),
    _firm("M303", "a volume has exactly one kind", _GROUPS),
    _firm("M304", "tags that aci-reconcile keeps for itself are not set"),
    _firm("M305", "a group has a resource group, a resource group a location"),
    _firm("M306", "a group can become healthy in the time it is given"),
    _refused("M307", "a port of the address is exposed by a container", _GROUPS),
    _refused("M308", "a subnet is of the group's subscription", _VNET),
    _refused("M309", "a private address has a subnet", _VNET),
    _refused("M310", "a group in a subnet has no public address", _VNET),
    _refused("M311", "a DNS label belongs to a public address", _VNET),
    _refused("M312", "a limit is not below its request", _GROUPS),
    _refused("M313", "a limit is not above what the group requests together", _GROUPS),
    _refused("M314", "memory is requested in steps of 0.1 GB", _GROUPS),
    _refused("M315", "a group requests at least 1 CPU and 1 GB together", _GROUPS),
    _refused("M316", "the name of a variable is one that a shell knows", _ENVIRONMENT),
    _refused("M317", "a variable has a value or a secure value, not both", _ENVIRONMENT),
    _refused("M318", "a group has at most 60 containers, init containers included", _QUOTA),
    _refused("M319", "the path of a mount has no ':'", _REFERENCE),
    _refused("M320", "a container mounts one volume at a path", _REFERENCE),
    _refused("M321", "the directory of a git repository stays inside the volume", _GIT),
    _refused("M322", "the server of a registry is a host, without a scheme", _REGISTRY),
    _refused("M323", "a registry has a user name or an identity", _REGISTRY),
    _refused(
        "M324",
        "the identity of a registry is one of the group's user-assigned",
        f"{_LEARN}container-instances/using-azure-container-registry-mi",
    ),
    _refused("M325", "metadata of logs goes with ContainerInsights", f"{_ACI}log-analytics"),
    _refused("M326", "a probe runs a command or asks over HTTP", f"{_ACI}liveness-probe"),
    _refused("M327", "a Spot group has no address, subnet, GPU, zone or other sku", _SPOT),
    _refused("M328", "a confidential group runs on Linux", _CONFIDENTIAL),
    _refused("M329", "the policy of a confidential group is base64", _CONFIDENTIAL),
    _refused("M330", "only a confidential group has privileged containers", _CONFIDENTIAL),
    _refused("M331", "GPUs are 1, 2 or 4, on Linux, outside subnets", _GPU),
    _refused("M332", "a Windows group has one container and no volume", f"{_ACI}overview"),
    _refused("M333", "a group is pinned to one zone", f"{_ACI}overview"),
    _doubt("M401", "a secret is a reference, not written down", _ENVIRONMENT),
    _doubt("M402", "a secret's reference can be followed"),
    _doubt("M403", "a write-only value is given"),
    _firm("M404", "a secret's file lies inside the project or a --secrets-dir"),
    _firm("M405", "a value of a secret volume is base64", f"{_ACI}volume-secret"),
    _doubt("M406", "the registry of an image tells what its tag points at"),
    _firm("M407", "a key that is referred to is one that opens what it is given for"),
    _firm("M501", "a variable is set"),
    _firm("M502", "a variable reference is '${var:NAME}' in a manifest"),
    _firm("M503", "a folder has one project file with one document"),
    _firm("M504", "a pattern of files is relative, stays inside and matches files"),
    _firm("M505", "'lint' of the project names rules that it may set"),
    _firm("M601", "one manifest declares a group"),
    _firm("M602", "dependsOn names another group of the project"),
    _firm("M603", "dependencies form no cycle"),
    _firm("M604", "ignore names a property that can be compared"),
    _doubt("M605", "ignore names something that the manifest has"),
    _refused("M606", "a DNS label is asked for once in a region", _FAULTS),
    _firm("M701", "a patch names a group or resource group of the project, and changes it"),
    _firm("M702", "a patch alters or removes only what is there, and adds only what is not"),
    _firm("M703", "'$patch' stands where it means something"),
    _doubt("M801", "the tag of an image stays what it is", f"{_ACI}update"),
    _doubt("M802", "what looks like a secret is not in plain text", _ENVIRONMENT),
    _doubt("M803", "a git repository names its revision", _GIT),
    _doubt("M804", "an image of a private registry has credentials", _REGISTRY),
    _doubt("M805", "a registry has its credentials once", _REGISTRY),
    _doubt("M806", "a volume is mounted", _GROUPS),
    _doubt("M807", "the path of a mount is absolute", _REFERENCE),
    _doubt("M808", "a port is not one that the platform keeps", _FAULTS),
    _doubt("M809", "a probe asks a port of its container", f"{_ACI}readiness-probe"),
    _doubt("M810", "a liveness probe can restart its container", f"{_ACI}restart-policy"),
    _doubt("M811", "the name of a group keeps to the documented grammar", _NAMES),
    _doubt("M812", "the name of a container keeps to the documented grammar", _NAMES),
    _doubt("M813", "the name of a volume keeps to the documented grammar", _NAMES),
    _doubt("M814", "the name of a variable has at most 63 characters", _NAMES),
    _doubt("M815", "a group requests no more than Azure offers", _QUOTA),
    _doubt("M816", "CPU is requested in steps of 0.01", _GROUPS),
    _doubt("M817", "no GPU is asked for", _GPU),
    _doubt("M818", "a Spot group is in a region that has Spot", _SPOT),
    _doubt("M819", "a DNS configuration belongs to a group in a subnet", f"{_ACI}custom-dns"),
    _doubt("M820", "extensions are left to virtual nodes", _REFERENCE),
    _doubt("M821", "a container that serves has a probe", f"{_ACI}liveness-probe", is_off=True),
    _doubt("M822", "the delegation of a subnet has been looked at", _VNET, is_off=True),
    _doubt("M823", "a region has at most 100 groups of a subscription", _QUOTA, is_off=True),
    _doubt("M824", "a container with an Azure file share runs as root", _SHARE),
    _doubt("M825", "the name of a volume has at least 5 characters", _NAMES, is_off=True),
    _doubt("M826", "a port is exposed once in a group", _GROUPS),
    _doubt("M901", "a comment that silences a rule says why"),
    _doubt("M902", "a comment that silences a rule is needed"),
    _doubt("M903", "a comment that silences a rule names rules that it may silence"),
)
