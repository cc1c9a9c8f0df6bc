"""Secrets that lie in key vaults: each is read once before a plan is made."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias

from reconciler.core.cloud import Vaults
from reconciler.core.encoding import NOT_BASE64, is_base64
from reconciler.core.groups import DesiredGroup, Secret, SecretState, VaultReference
from reconciler.errors import AzureError, LocalStateUnusable
from reconciler.execute.pool import at_once

Found: TypeAlias = str | AzureError | LocalStateUnusable


def resolved(
    groups: Iterable[DesiredGroup], vaults: Vaults, *, workers: int
) -> tuple[DesiredGroup, ...]:
    """The groups with every vault reference followed; where that failed the reason says why.

    Each distinct secret is read once, `workers` of them at a time.
    """
    groups = tuple(groups)
    references = (s.reference for group in groups for s in group.secrets if s.reference)
    distinct = tuple(dict.fromkeys(map(_folded, references)))
    found = _read(distinct, vaults, workers=workers) if distinct else {}
    return tuple(_with_values(group, found) for group in groups)


def read(reference: VaultReference, vaults: Vaults) -> Found:
    """What a reference leads to, or why it cannot be followed."""
    try:
        return vaults.secret(reference)
    except (AzureError, LocalStateUnusable) as exc:
        return exc


def _folded(reference: VaultReference) -> VaultReference:
    """One form for all spellings: vaults and secrets are named without case."""
    return replace(
        reference, vault=reference.vault.lower().rstrip("/"), secret=reference.secret.lower()
    )


def _read(
    references: tuple[VaultReference, ...], vaults: Vaults, *, workers: int
) -> Mapping[VaultReference, Found]:
    found = at_once(lambda reference: read(reference, vaults), references, workers=workers)
    return dict(zip(references, found, strict=True))


def _with_values(group: DesiredGroup, found: Mapping[VaultReference, Found]) -> DesiredGroup:
    if not any(secret.reference for secret in group.secrets):
        return group
    secrets = (
        _with_value(secret, found[_folded(secret.reference)]) if secret.reference else secret
        for secret in group.secrets
    )
    return replace(group, secrets=tuple(secrets))


def _with_value(secret: Secret, found: Found) -> Secret:
    if not isinstance(found, str):
        return _without_value(secret, f"expected a secret that can be read, got: {found}")
    if not found:
        return _without_value(secret, f"expected a value, got an empty one: {secret.reference}")
    value = found
    if secret.encodes:
        value = base64.b64encode(found.encode("utf-8", "surrogatepass")).decode("ascii")
    elif secret.holds_base64 and not is_base64(found):
        return _without_value(secret, NOT_BASE64)
    return replace(secret, state=SecretState.KNOWN, value=value, reason="")


def _without_value(secret: Secret, reason: str) -> Secret:
    return replace(secret, state=SecretState.UNRESOLVED, value=None, reason=reason)
