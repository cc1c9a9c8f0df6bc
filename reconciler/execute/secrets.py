"""Secrets that lie in Azure: each vault's secret, each resource's keys are read once a plan."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from reconciler.core.cloud import Keys, Vaults
from reconciler.core.encoding import NOT_BASE64, is_base64
from reconciler.core.groups import DesiredGroup, Secret, SecretState
from reconciler.core.references import HeldKeys, KeyHolder, KeyReference, Reference, VaultReference
from reconciler.errors import AzureError, LocalStateUnusable
from reconciler.execute.pool import at_once

Found: TypeAlias = str | AzureError | LocalStateUnusable
# What is asked of Azure: all keys of a resource come with one answer.
_Question: TypeAlias = VaultReference | KeyHolder
_Answer: TypeAlias = Found | HeldKeys
_Answers: TypeAlias = "Mapping[_Question, _Answer | None]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Who is asked; without `vaults` references into them stay as they are."""

    keys: Keys
    vaults: Vaults | None = None

    def ask(self, question: _Question) -> _Answer | None:
        """The answer, why there is none, or None where there is nobody to ask."""
        try:
            if isinstance(question, KeyHolder):
                return self.keys.keys(question)
            return self.vaults.secret(question) if self.vaults is not None else None
        except (AzureError, LocalStateUnusable) as exc:
            return exc


def resolved(
    groups: Iterable[DesiredGroup], sources: Sources, *, workers: int
) -> tuple[DesiredGroup, ...]:
    """The groups with every reference into Azure followed; where that failed the reason says why.

    Each distinct secret of a vault and each resource that keeps keys is asked for once, `workers`
    of them at a time.
    """
    groups = tuple(groups)
    questions = (
        _question(_of(group, secret.reference))
        for group in groups
        for secret in group.secrets
        if secret.reference is not None
    )
    distinct = tuple(dict.fromkeys(questions))
    answers = at_once(sources.ask, distinct, workers=workers)
    found = dict(zip(distinct, answers, strict=True))
    return tuple(_with_values(group, found) for group in groups) if found else groups


def read(reference: VaultReference, vaults: Vaults) -> Found:
    """What a reference leads to, or why it cannot be followed."""
    try:
        return vaults.secret(reference)
    except (AzureError, LocalStateUnusable) as exc:
        return exc


def _of(group: DesiredGroup, reference: Reference) -> Reference:
    """The reference as the group means it: beside itself where no subscription is named."""
    if isinstance(reference, KeyReference):
        return reference.beside(group.id.subscription)
    return reference


def _question(reference: Reference) -> _Question:
    """One form for all spellings: whatever Azure names is named without case."""
    if isinstance(reference, KeyReference):
        holder = reference.holder
        return replace(
            holder,
            subscription=holder.subscription.lower(),
            resource_group=holder.resource_group.lower(),
            name=holder.name.lower(),
        )
    return replace(
        reference, vault=reference.vault.lower().rstrip("/"), secret=reference.secret.lower()
    )


def _with_values(group: DesiredGroup, found: _Answers) -> DesiredGroup:
    return replace(group, secrets=tuple(_followed(group, one, found) for one in group.secrets))


def _followed(group: DesiredGroup, secret: Secret, found: _Answers) -> Secret:
    if secret.reference is None:
        return secret
    reference = _of(group, secret.reference)
    answer = found[_question(reference)]
    if answer is None:
        return secret
    if isinstance(reference, KeyReference) and isinstance(answer, HeldKeys):
        return _with_value(secret, answer.value_of(reference))
    return _with_value(secret, answer)


def _with_value(secret: Secret, found: _Answer) -> Secret:
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
