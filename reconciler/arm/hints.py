"""What to do about a refusal of Azure, for people."""

from __future__ import annotations

from reconciler.core.references import HolderKind, KeyHolder
from reconciler.core.remedies import SIGN_IN, Cause, remedy_for
from reconciler.errors import AzureError

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


_KEY_RIGHTS = {
    HolderKind.STORAGE_ACCOUNT: (
        "the identity needs the action 'Microsoft.Storage/storageAccounts/listKeys/action' on the"
        " account, as in the role 'Storage Account Key Operator Service Role' or 'Reader and Data"
        " Access'"
    ),
    HolderKind.WORKSPACE: (
        "the identity needs the action 'Microsoft.OperationalInsights/workspaces/sharedKeys/action'"
        " on the workspace, as in the role 'Log Analytics Contributor'"
    ),
}


def keys_hint(holder: KeyHolder, error: AzureError) -> str:
    """What to do about a refusal to tell the keys of `holder`, or an empty text."""
    code = (error.code or "").lower()
    if code == "scopelocked":
        return "a read-only lock forbids listing keys too: remove it, or keep the key in a vault"
    if error.status == 403:
        return _KEY_RIGHTS[holder.kind]
    if error.status == 404:
        return "check 'name', 'resourceGroup' and 'subscription' of the reference"
    return ""


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
    remedy = remedy_for(status=status, code=code, message=message)
    return again(verb) if remedy.cause is Cause.LOST else remedy.hint
