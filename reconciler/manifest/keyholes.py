"""Where a key goes that a resource keeps: only that resource's own key opens it."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.finding import Finding
from reconciler.core.jsonval import Path, WirePath, as_list, as_object, as_text, dig
from reconciler.core.references import HolderKind, KeyReference
from reconciler.manifest.document import Document
from reconciler.manifest.references import key_reference
from reconciler.manifest.rules import finding
from reconciler.manifest.wording import quoted, shown_path

_ANALYTICS: Path = ("properties", "diagnostics", "logAnalytics", "workspaceKey")


def key_findings(document: Document) -> Iterator[Finding]:
    """A finding for each reference to a key that cannot open what it is given for."""
    for index, volume in enumerate(as_list(dig(document.data, "properties", "volumes"))):
        share = as_object(as_object(volume).get("azureFile"))
        if reference := key_reference(share.get("storageAccountKey")):
            path = ("properties", "volumes", index, "azureFile", "storageAccountKey")
            account = as_text(share.get("storageAccountName"))
            yield from _finding(document, path, _wrong_for_share(reference, account))
    if reference := key_reference(dig(document.data, *_ANALYTICS)):
        yield from _finding(document, _ANALYTICS, _wrong_for_workspace(reference))


def _wrong_for_share(reference: KeyReference, account: str) -> str:
    if reference.holder.kind is not HolderKind.STORAGE_ACCOUNT:
        return "expected a key of a storage account, got one of a workspace"
    if reference.as_connection_string:
        return "expected a key alone, got a connection string"
    # Names of accounts are unique in all of Azure. What was got is not shown: it may be the key.
    if account and reference.holder.name not in ("", account.lower()):
        return f"expected a key of {quoted(account)}, got one of another account"
    return ""


def _wrong_for_workspace(reference: KeyReference) -> str:
    is_other = reference.holder.kind is not HolderKind.WORKSPACE
    return "expected a key of a workspace, got one of a storage account" if is_other else ""


def _finding(document: Document, path: WirePath, says: str) -> Iterator[Finding]:
    if says:
        yield finding("M407", document.at(path), says, path=shown_path(path))
