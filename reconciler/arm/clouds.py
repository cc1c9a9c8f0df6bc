"""The sovereign clouds, by the names `az cloud list` gives them."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudFacts:
    """Where one cloud takes requests, hands out tokens and keeps data, and a token's scope."""

    name: str
    endpoint: str
    authority: str
    scope: str
    vaults: str  # the domain below which each vault has its name
    storage: str  # the same for storage accounts, `EndpointSuffix` of a connection string


CLOUDS = (
    CloudFacts(
        name="AzureCloud",
        endpoint="https://management.azure.com",
        authority="https://login.microsoftonline.com",
        scope="https://management.azure.com/.default",
        vaults="vault.azure.net",
        storage="core.windows.net",
    ),
    CloudFacts(
        name="AzureUSGovernment",
        endpoint="https://management.usgovcloudapi.net",
        authority="https://login.microsoftonline.us",
        # Not the endpoint's own name: azure-mgmt-core 1.6 asks for this audience too.
        scope="https://management.core.usgovcloudapi.net/.default",
        vaults="vault.usgovcloudapi.net",
        storage="core.usgovcloudapi.net",
    ),
    CloudFacts(
        name="AzureChinaCloud",
        endpoint="https://management.chinacloudapi.cn",
        authority="https://login.chinacloudapi.cn",
        scope="https://management.chinacloudapi.cn/.default",
        vaults="vault.azure.cn",
        storage="core.chinacloudapi.cn",
    ),
)


def cloud_named(name: str) -> CloudFacts:
    """The cloud of that name, whatever its case.

    Raises:
        UsageError: there is none.
    """
    for facts in CLOUDS:
        if facts.name.lower() == name.lower():
            return facts
    known = ", ".join(facts.name for facts in CLOUDS)
    raise UsageError(f"cloud: expected one of {known}, got '{name}'")


def scope_for(endpoint: str, *, otherwise: str) -> str:
    """What to ask a token for at `endpoint`: `otherwise`, unless a known cloud lives there."""
    for facts in CLOUDS:
        if facts.endpoint == endpoint.rstrip("/").lower():
            return facts.scope
    return otherwise
