"""What to do about a refusal of Azure, for people."""

from __future__ import annotations

import re

SIGN_IN = (
    "run 'az login', or set AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET,"
    " or AZURE_AUTH_LOCATION"
)
_REGISTER = "run 'az provider register --namespace Microsoft.ContainerInstance' once and wait"
_REGISTRY = "check the image name and its tag, and imageRegistryCredentials"
_QUOTA = (
    "remove groups that are no longer needed, use another region, or ask for a higher quota"
    " ('az container list' shows what is there)"
)
_CAPACITY = "try again later, or ask for less CPU and memory or for another region"
_LABEL = "choose another dnsNameLabel: it is taken in this region"
_ROLE = (
    "the identity needs a role there, such as 'Azure Container Instances Contributor Role'"
    " on the resource group"
)
_BUSY = "wait until the operation under way has ended, then run again"

_BY_CODE = {
    "missingsubscriptionregistration": _REGISTER,
    "subscriptionnotregistered": _REGISTER,
    "containergroupquotareached": _QUOTA,
    "quotaexceeded": _QUOTA,
    "inaccessibleimage": _REGISTRY,
    "registryerrorresponse": f"the registry refused or is rationing; {_REGISTRY}, try again later",
    "osversionnotsupported": "choose an image of an OS version that Azure runs",
    "serviceunavailable": _CAPACITY,
    "insufficientcapacity": _CAPACITY,
    "containergrouptransitioning": _BUSY,
    "resourcegroupbeingdeleted": "wait until the resource group is gone, then run again",
    "resourcegroupnotfound": "declare the resource group in a manifest, or create it first",
    "requestdisallowedbypolicy": "an Azure Policy of the subscription forbids it",
    "authorizationfailed": _ROLE,
    "linkedauthorizationfailed": _ROLE,
    "dnsnamelabelnotavailable": _LABEL,
    "locationnotavailableforresourcetype": "choose one of the regions that are named",
    "noregisteredproviderfound": "choose one of the regions that are named",
    "invalidresourcelocation": "the group exists in another region: delete it, or keep its region",
    "subscriptionnotfound": "check the subscription id, the cloud and the identity's tenant",
    "invalidsubscriptionid": "check the subscription id",
    "invalidauthenticationtokentenant": "the identity is of another tenant: sign in to this one",
}
# Where the code is not known from evidence, or is shared by several causes (azure-facts B.2, B.3).
_BY_MESSAGE = (
    (re.compile(r"dns name label .* not available", re.IGNORECASE), _LABEL),
    (re.compile(r"\bquota\b", re.IGNORECASE), _QUOTA),
)
_GATEWAY_TIMEOUT = 504
_BY_STATUS = {
    401: SIGN_IN,
    403: _ROLE,
    413: "Azure takes only small bodies: shorten secret volumes and commands",
    429: "Azure rations requests: run again later, or with a lower --parallelism",
    503: "try again later",
}


_VAULT_ROLE = (
    "the identity needs the role 'Key Vault Secrets User' on the vault, or an access policy with"
    " 'get' for secrets"
)
_VAULT_BY_CODE = {
    "secretnotfound": "create it, or check its name and version",
    "secretdisabled": "enable it, or name a version that is",
    "forbiddenbyfirewall": "the vault's firewall does not let this machine in",
    "forbiddenbyconnection": "the vault takes connections over its private endpoint alone",
    "forbiddenbypolicy": _VAULT_ROLE,
    "forbiddenbyrbac": _VAULT_ROLE,
}
_VAULT_BY_STATUS = {
    401: SIGN_IN,
    403: _VAULT_ROLE,
    429: "the vault rations requests: run again later, or with a lower --parallelism",
    503: "try again later",
}


def vault_hint(*, status: int, code: str) -> str:
    """What somebody can do about a refusal of a key vault, or an empty text."""
    return _VAULT_BY_CODE.get(code.lower()) or _VAULT_BY_STATUS.get(status, "")


# What only looks, by the verbs that errors name.
_READS = frozenset({"get", "list", "look at", "read", "read logs of"})


def again(verb: str) -> str:
    """What to do where no answer came: only a write may have been carried out."""
    return "try again" if verb in _READS else "try again; it may have taken effect all the same"


def hint_for(*, status: int, code: str, message: str, verb: str, target: str) -> str:
    """What somebody can do about it, or an empty text."""
    if code.lower() == "invalidcontainergroupupdate":
        name = target.rpartition("/")[2]
        return (
            f"it cannot change in place: '--replace {name}' deletes the group and creates it anew"
        )
    for pattern, hint in _BY_MESSAGE:
        if pattern.search(message):
            return hint
    usual = again(verb) if status == _GATEWAY_TIMEOUT else _BY_STATUS.get(status, "")
    return _BY_CODE.get(code.lower()) or usual
