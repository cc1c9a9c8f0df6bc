"""What a run needs beyond the manifests before it compares: values in vaults, the key, digests."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.app import Azure, Wanted, with_digests, with_secrets
from reconciler.cli.connection import checked_key
from reconciler.core.finding import Finding
from reconciler.core.groups import DesiredGroup, SecretState
from reconciler.core.places import position_of, wire_path
from reconciler.errors import PlanRefused
from reconciler.execute.secrets import read
from reconciler.manifest.references import from_environment
from reconciler.manifest.rules import finding
from reconciler.manifest.wording import shown_path

if TYPE_CHECKING:
    from reconciler.manifest.project import KeySource, Project

_LOST = "a write without it would forget what the secrets were; nothing was touched"


def resolved(
    wanted: Wanted, azure: Azure, project: Project, *, writes: bool
) -> tuple[Wanted, Azure, tuple[Finding, ...]]:
    """What is wanted and the way to Azure with all secrets and digests that can be had, and what
    cannot.

    Raises:
        PlanRefused: the run `writes`, and the key that the project names cannot be had.
        UsageError: that key is too short to keep a secret.
    """
    if wanted.place is not None and wanted.place.is_contradicted:
        return wanted, azure, ()  # the credential is shown to no vault either
    azure, doubts = _keyed(azure, project.secret_key, os.environ, writes=writes)
    wanted = with_secrets(wanted, azure)
    wanted = with_digests(wanted, azure)
    return wanted, azure, (*doubts, *_unread(wanted.groups), *_undigested(wanted.groups))


def _keyed(
    azure: Azure, source: KeySource | None, environ: Mapping[str, str], *, writes: bool
) -> tuple[Azure, tuple[Finding, ...]]:
    """`azure` with the project's key where the environment gave none."""
    if azure.key is not None or source is None:
        return azure, ()
    text, reason = _key_of(source, azure, environ)
    if text:
        named_by = f"{source.where}: secretKey"
        return replace(azure, key=checked_key(text, named_by=named_by)), ()
    if writes:
        raise PlanRefused(f"{source.where}: secretKey: {reason}", hint=_LOST)
    says = f"secrets are not compared: {reason}"
    return azure, (finding("M402", source.where, says, path="secretKey"),)


def _key_of(source: KeySource, azure: Azure, environ: Mapping[str, str]) -> tuple[str, str]:
    """The key's text, or why there is none."""
    if source.reference is None or azure.vaults is None:
        found = from_environment(source.variable, environ)
        return found.value or "", found.reason
    answer = read(source.reference, azure.vaults)
    if isinstance(answer, str):
        return answer, f"expected a key, got an empty one: {source.reference}"
    return "", f"expected a key that can be read, got: {answer}"


def _unread(groups: tuple[DesiredGroup, ...]) -> tuple[Finding, ...]:
    """A warning for each reference into a vault that could not be followed."""
    return tuple(
        finding("M402", secret.where, secret.reason, path=shown_path(secret.path))
        for group in groups
        for secret in group.lacking(SecretState.UNRESOLVED)
        if secret.reference is not None
    )


def _undigested(groups: tuple[DesiredGroup, ...]) -> tuple[Finding, ...]:
    """A warning for each image whose registry did not tell what it is."""
    return tuple(
        finding(
            "M406",
            position_of(group, path),
            lookup.reason,
            path=shown_path(wire_path(group.body, path)),
        )
        for group in groups
        for path, lookup in group.images.items()
        if lookup.reason
    )
