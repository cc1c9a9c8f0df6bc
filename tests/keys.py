"""References to keys that resources keep, and the resources themselves at the emulator."""

from __future__ import annotations

from typing import Any

import requests

from tests.conftest import Repository

STORAGE = "Microsoft.Storage/storageAccounts"
WORKSPACES = "Microsoft.OperationalInsights/workspaces"
DATA = "rg-data"


def of_account(name: str = "shopfiles", **more: str) -> dict[str, Any]:
    """What a manifest writes for a key of a storage account."""
    return {"fromStorageAccount": {"name": name, "resourceGroup": DATA, **more}}


def of_workspace(name: str = "shop-logs", **more: str) -> dict[str, Any]:
    """The same for a workspace."""
    return {"fromWorkspace": {"name": name, "resourceGroup": DATA, **more}}


def share(reference: Any, account: str = "shopfiles") -> dict[str, Any]:
    """A volume of Azure Files."""
    named = {"shareName": "s", "storageAccountName": account, "storageAccountKey": reference}
    return {"name": "share", "azureFile": named}


def logs(reference: Any) -> dict[str, Any]:
    """Diagnostics that go to a workspace."""
    return {"logAnalytics": {"workspaceId": "w", "workspaceKey": reference}}


def ask(
    url: str, subscription: str, method: str, kind: str, name: str, body: Any = None
) -> dict[str, Any]:
    """A request about a storage account or a workspace, as another client of ARM would send it."""
    place = f"/subscriptions/{subscription}/resourceGroups/{DATA}/providers/{kind}/{name}"
    asked = {"url": f"{url}{place}", "params": {"api-version": "2021-04-01"}}
    answer = requests.request(method, json=body, timeout=10, **asked)
    answer.raise_for_status()
    return answer.json() if answer.content else {}


class Held:
    """The account and the workspace of a test, and their keys as they are now."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        repository.given_home(DATA)
        self.ask("PUT", STORAGE, "shopfiles", {"location": "westeurope"})
        self.ask("PUT", WORKSPACES, "shop-logs", {"location": "westeurope"})
        self.seen: set[str] = set()
        self.keys()

    def keys(self) -> dict[str, str]:
        """All four by name, read without a trace in what the reconciler asked for."""
        account = self.ask("POST", STORAGE, "shopfiles/listKeys")["keys"]
        found = {entry["keyName"]: entry["value"] for entry in account}
        found |= self.ask("POST", WORKSPACES, "shop-logs/sharedKeys")
        self.seen |= set(found.values())
        return found

    def rotate(self, key: str = "key1") -> None:
        """Let a key of the account be another."""
        self.ask("POST", STORAGE, "shopfiles/regenerateKey", {"keyName": key})
        self.keys()

    def rotate_workspace(self) -> None:
        """Let both keys of the workspace be others."""
        self.ask("POST", WORKSPACES, "shop-logs/regenerateSharedKey")
        self.keys()

    def ask(self, method: str, kind: str, name: str, body: Any = None) -> dict[str, Any]:
        """See `ask`."""
        at = self.repository
        return ask(at.emulator.url, at.subscription, method, kind, name, body)

    def asked_since(self, before: int) -> list[str]:
        """What was asked for keys since so many requests."""
        later = self.repository.requests[before:]
        return [
            request.path.rsplit("/", 2)[-2]
            for request in later
            if request.path.endswith(("/listKeys", "/sharedKeys"))
        ]
