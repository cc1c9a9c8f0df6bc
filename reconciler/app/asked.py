"""What is asked of the use cases: what git says, what was agreed to, and the way to Azure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from reconciler.core.cloud import Clock, Cloud, Vaults
from reconciler.core.diagnosis import Inspector
from reconciler.core.groups import (
    DesiredGroup,
    DesiredResourceGroup,
)
from reconciler.core.images import Registries
from reconciler.core.ownership import SecretKey
from reconciler.core.place import Place
from reconciler.core.policy import Limits
from reconciler.execute import images
from reconciler.execute.observe import (
    Observed,
    Scope,
    scope_of,
)
from reconciler.execute.pacing import Pacer
from reconciler.execute.secrets import Sources, resolved
from reconciler.execute.wait import Pace

# The groups that manifests asked for at a commit, by address; None where git has not got them.
History: TypeAlias = Callable[[str], Mapping[str, DesiredGroup] | None]
MOST_COMMITS = 8  # looked up in git for the labels of one plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What git says, and who says it."""

    owner: str
    subscription: str
    groups: tuple[DesiredGroup, ...]
    resource_groups: tuple[DesiredResourceGroup, ...]
    limits: Limits
    is_complete: bool
    known_resource_groups: tuple[str, ...] = ()
    resolves_digests: bool = False  # registries are asked for every image, not only where one pins
    place: Place | None = None  # what the project says of where it lives; None: nothing is checked

    @property
    def scope(self) -> Scope:
        """Where to look for it."""
        known = self.known_resource_groups
        return scope_of(self.subscription, known, self.groups, self.resource_groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What the command line agrees to, by name and by number."""

    adopt: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    retry: tuple[str, ...] = ()
    rerun: tuple[str, ...] = ()
    rebaseline: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    prune: bool = False
    compared: Mapping[str, frozenset[str]] | None = None  # of a plan that was reviewed
    allow: Mapping[str, int] = field(default_factory=dict)
    take_from: Mapping[str, str] = field(default_factory=dict)  # owners, by address


@dataclass(frozen=True, slots=True, kw_only=True)
class Azure:
    """The way to Azure: the cloud, how many reads or writes at once, and the pace of polling."""

    cloud: Cloud
    clock: Clock
    workers: int
    pace: Pace
    key: SecretKey | None = None
    vaults: Vaults | None = None
    registries: Registries | None = None
    inspector: Inspector | None = None
    pacer: Pacer | None = None  # the gate of `cloud`; one of its own where that has none

    @property
    def sources(self) -> Sources:
        """Who is asked for secrets that lie in Azure."""
        return Sources(keys=self.cloud, vaults=self.vaults)


def with_secrets(wanted: Wanted, azure: Azure) -> Wanted:
    """What git says, with the secrets that it refers to in Azure, as far as they can be had.

    Not part of planning: what only looks at Azure or deletes from it needs no secret.
    """
    groups = resolved(wanted.groups, azure.sources, workers=azure.workers)
    return replace(wanted, groups=groups)


def with_digests(wanted: Wanted, azure: Azure) -> Wanted:
    """What git says, with the digests that its images have now, as far as somebody wants them."""
    if azure.registries is None:
        return wanted
    groups = images.resolved(
        wanted.groups, azure.registries, everything=wanted.resolves_digests, workers=azure.workers
    )
    return replace(wanted, groups=groups)


def with_members(wanted: Wanted, observed: Observed, azure: Azure) -> Wanted:
    """The same with the parts of those images that seem to have moved."""
    if azure.registries is None:
        return wanted
    groups = images.with_members(
        wanted.groups, observed.groups, wanted.owner, azure.registries, workers=azure.workers
    )
    return replace(wanted, groups=groups)
