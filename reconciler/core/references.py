"""Where a secret lies that manifests only refer to: in a vault, or with the resource it opens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultReference:
    """A secret in a key vault: `vault` is a name or a URL, no `version` means the latest."""

    vault: str
    secret: str
    version: str = ""

    def __str__(self) -> str:
        version = f"version '{self.version}' of " if self.version else ""
        return f"{version}secret '{self.secret}' in vault '{self.vault}'"


class HolderKind(Enum):
    """What keeps access keys, by its ARM type."""

    STORAGE_ACCOUNT = "Microsoft.Storage/storageAccounts"
    WORKSPACE = "Microsoft.OperationalInsights/workspaces"

    def __str__(self) -> str:
        return "storage account" if self is HolderKind.STORAGE_ACCOUNT else "workspace"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyHolder:
    """A resource that keeps access keys; without a `subscription` one beside the group."""

    kind: HolderKind
    resource_group: str
    name: str
    subscription: str = ""

    def __str__(self) -> str:
        where = f"in resource group '{self.resource_group}'"
        where += f" of subscription {self.subscription}" if self.subscription else ""
        return f"{self.kind} '{self.name}' {where}"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyReference:
    """One key of a resource: `key1` or `key2`, `primary` or `secondary`."""

    holder: KeyHolder
    key: str
    as_connection_string: bool = False

    def __str__(self) -> str:
        what = "connection string with " if self.as_connection_string else ""
        return f"{what}key '{self.key}' of {self.holder}"

    def beside(self, subscription: str) -> KeyReference:
        """The same, its holder in `subscription` where the manifest names none."""
        if self.holder.subscription:
            return self
        return replace(self, holder=replace(self.holder, subscription=subscription))


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldKeys:
    """The keys of one resource by name, and the domain that its cloud keeps storage under."""

    by_name: Mapping[str, str] = field(repr=False)
    storage_domain: str = ""

    def value_of(self, reference: KeyReference) -> str:
        """What `reference` leads to, empty where there is no such key.

        A connection string is the one that Azure's portal shows.
        """
        key = self.by_name.get(reference.key, "")
        if not key or not reference.as_connection_string:
            return key
        return (
            f"DefaultEndpointsProtocol=https;AccountName={reference.holder.name};"
            f"AccountKey={key};EndpointSuffix={self.storage_domain}"
        )


Reference: TypeAlias = VaultReference | KeyReference
