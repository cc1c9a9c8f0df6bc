"""What the core asks of the world: Azure, key vaults and a clock, as protocols for the edges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from reconciler.core.containers import Event
from reconciler.core.ids import GroupId, ResourceGroupId
from reconciler.core.jsonval import Json, JsonObject
from reconciler.core.references import HeldKeys, KeyHolder, VaultReference


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A long-running operation: the opaque URL to look at, followed verbatim (azure-facts A.2).

    `is_location` tells the two protocols apart: a `Location` URL answers 202 until it is done, an
    `Azure-AsyncOperation` URL answers 200 with a status.
    """

    url: str
    is_location: bool = False
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at an operation.

    `status` is Azure's word; `Succeeded`, `Failed` and `Canceled`, in either spelling, end it.
    """

    status: str
    error_code: str = ""
    error_message: str = ""
    request_id: str = ""
    retry_after_s: float | None = None
    events: tuple[Event, ...] = ()  # of the containers so far (A.3)

    @property
    def is_final(self) -> bool:
        """Whether another look is pointless."""
        return self.status.lower() in ("succeeded", "failed", "canceled", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Azure took a write: the body it answered (None when empty) and what to poll (None: done)."""

    body: Json
    operation: Operation | None
    request_id: str = ""


class Kind(Enum):
    """What ARM counts requests as (azure-facts F.4); a POST counts as a write."""

    READ = "reads"
    WRITE = "writes"
    DELETE = "deletes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ration:
    """What a request is counted in.

    ARM counts every request of a subscription by its kind. The provider counts PUT and DELETE of
    container groups besides, apart from each other, by subscription and region: `region` is set
    for these alone, in the form `westeurope`.
    """

    subscription: str
    kind: Kind
    region: str = ""

    @classmethod
    def of(cls, subscription: str, kind: Kind, location: str = "") -> Ration:
        """What a request is counted in; `location` in any of the ways a region is written."""
        region = location.replace(" ", "").lower()
        return cls(subscription=subscription.lower(), kind=kind, region=region)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What an answer says of the rations: requests that are left, None where it says nothing.

    `in_subscription` is ARM's count, `in_5_minutes` and `in_1_hour` the provider's. `is_refused`:
    there were too many, and `retry_after_s` says when to come back.
    """

    in_subscription: int | None = None
    in_5_minutes: int | None = None
    in_1_hour: int | None = None
    is_refused: bool = False
    retry_after_s: float | None = None


class Gate(Protocol):
    """Who is asked before each request goes out and told after it: holds back before Azure refuses.

    Safe to use from many threads; every `enter` is followed by one `leave` with what it returned.
    """

    def enter(self, ration: Ration) -> int:
        """Return once the request may go out, with the number it goes by."""

    def leave(self, ration: Ration, number: int, left: Left | None) -> None:
        """The request was answered; None where no answer came."""


class Keys(Protocol):
    """Resources that keep access keys, for the credential of a `Cloud`."""

    def keys(self, holder: KeyHolder) -> HeldKeys:
        """The keys of one resource, read anew each time.

        Raises:
            AzureError: Azure refused, has no such resource, or was not reached.
        """


class Cloud(Keys, Protocol):
    """Azure, for one credential. Bodies are wire-shaped JSON; any method may raise `AzureError`."""

    def groups(self, subscription: str) -> Sequence[Json]:
        """Every container group of the subscription; all pages, no instance view."""

    def groups_in(self, resource_group: ResourceGroupId) -> Sequence[Json] | None:
        """Every container group of one resource group; None where that does not exist."""

    def group(self, group: GroupId) -> Json | None:
        """One container group with its instance view, None where it does not exist."""

    def put_group(self, group: GroupId, body: JsonObject) -> Accepted:
        """Create, or replace the whole definition: restarts every container."""

    def patch_tags(self, group: GroupId, tags: Mapping[str, str]) -> Json:
        """Set the whole tag map; nothing restarts."""

    def delete_group(self, group: GroupId, *, location: str = "") -> Accepted:
        """Delete; one that is not there is no error. `location` is where it is counted."""

    def start(self, group: GroupId) -> Accepted:
        """Start a stopped or ended group."""

    def stop(self, group: GroupId) -> Accepted:
        """Stop a running group."""

    def restart(self, group: GroupId) -> Accepted:
        """Restart every container of a running group."""

    def logs(
        self, group: GroupId, container: str, *, tail: int | None = None, timestamps: bool = False
    ) -> str:
        """What a container printed."""

    def resource_groups(self, subscription: str) -> Sequence[Json]:
        """Every resource group of the subscription."""

    def resource_group(self, resource_group: ResourceGroupId) -> Json | None:
        """One resource group, None where it does not exist."""

    def put_resource_group(
        self, resource_group: ResourceGroupId, *, location: str, tags: Mapping[str, str]
    ) -> Json:
        """Create a resource group; synchronous."""

    def delete_resource_group(self, resource_group: ResourceGroupId) -> Accepted:
        """Delete a resource group with all it holds."""

    def resources_in(self, resource_group: ResourceGroupId) -> Sequence[Json]:
        """Everything in a resource group, of any type."""

    def look(self, operation: Operation) -> Look:
        """Look once at an operation."""

    # The subscription

    def tenant(self, subscription: str) -> str:
        """The id of the tenant that the subscription belongs to."""

    # The provider

    def registration(self, subscription: str) -> str:
        """The registration state of the resource provider: `Registered`, or another word."""

    def usages(self, subscription: str, location: str) -> Sequence[Json]:
        """How much of each quota is used in a region (azure-facts A.8)."""

    def capabilities(self, subscription: str, location: str) -> Sequence[Json]:
        """How large a group may be in a region (azure-facts A.8)."""


class Vaults(Protocol):
    """Key vaults, for the credential of a `Cloud`; safe to use from many threads."""

    def secret(self, reference: VaultReference) -> str:
        """The value a reference leads to, read anew each time.

        Raises:
            AzureError: the vault refused, has no such secret, or was not reached.
            LocalStateUnusable: the library that speaks to vaults is not installed.
        """


class Clock(Protocol):
    """Time, so that tests can move it."""

    def now(self) -> datetime:
        """The time, with its zone."""

    def sleep(self, seconds: float) -> None:
        """Return when `seconds` have passed."""
