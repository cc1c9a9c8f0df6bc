"""The way in: a `Cloud` for the endpoint and the identity that a run is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from reconciler.arm.addresses import checked_endpoint, is_plain_http
from reconciler.arm.cloud import ArmCloud
from reconciler.arm.clouds import CloudFacts, cloud_named, scope_for
from reconciler.arm.credentials import SignIn, sign_in
from reconciler.arm.keyvault import KeyVaults
from reconciler.arm.wire import Wire
from reconciler.core.cloud import Gate


def connect(
    *,
    cloud: str,
    endpoint: str | None,
    parallelism: int,
    environ: Mapping[str, str],
    gate: Gate | None = None,
) -> ArmCloud:
    """Azure, or what speaks like it at `endpoint`; to be closed, or used in a `with`.

    Nothing is sent yet. Over plain http, which is for this machine alone, nobody is asked who
    they are; over https the credentials of `environ` and of the usual chain are used. Every request
    to Azure Resource Manager passes the `gate`.

    Raises:
        UsageError: no such cloud, or an endpoint that cannot be used.
        AuthenticationFailed: `AZURE_AUTH_LOCATION` is set and its file cannot be used.
    """
    facts = cloud_named(cloud)
    wire = Wire(_signed_in(facts, endpoint, environ), parallelism=parallelism, gate=gate)
    vaults = KeyVaults(
        domain=facts.vaults,
        credential=_for_vaults(wire.credential, facts, environ),
        parallelism=parallelism,
        owns_credential=wire.credential is None,
    )
    return ArmCloud(wire, vaults=vaults, storage_domain=facts.storage)


def _for_vaults(
    credential: Any, facts: CloudFacts, environ: Mapping[str, str]
) -> Callable[[], Any]:
    """The connection's credential; beside an ARM on this machine, one that a vault asks for."""
    return lambda: credential or sign_in(facts, environ).credential


def _signed_in(facts: CloudFacts, endpoint: str | None, environ: Mapping[str, str]) -> SignIn:
    base = checked_endpoint(endpoint, named_by="--endpoint") if endpoint is not None else None
    if base and is_plain_http(base):
        return SignIn(credential=None, endpoint=base, scope="")
    found = sign_in(facts, environ)
    if base:
        found = replace(found, endpoint=base, scope=scope_for(base, otherwise=found.scope))
    # The file may name a local stand-in too, and a secret is not shown to plain http.
    return replace(found, credential=None) if is_plain_http(found.endpoint) else found
