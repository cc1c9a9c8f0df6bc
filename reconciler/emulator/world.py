"""What a handler is given: the call, the records of this transaction, the time, the settings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from reconciler.emulator.errors import (
    Refusal,
    group_gone,
    group_not_found,
    missing_api_version,
    resource_group_going,
    resource_group_not_found,
    unknown_api_version,
)
from reconciler.emulator.facts import Group, Moment, ResourceGroup
from reconciler.emulator.faults.effects import NOTHING, Effects, Mirages
from reconciler.emulator.jsonval import Json, JsonObject
from reconciler.emulator.lifecycle import is_going, is_settled
from reconciler.emulator.losses import Losses
from reconciler.emulator.offer import Offer
from reconciler.emulator.pace import Pace
from reconciler.emulator.records import Records, key_of, phase_is_over
from reconciler.emulator.store import GroupKey

# The versions the swaggers and the recordings know. Source: C, C.5.
API_VERSIONS = (
    "2025-09-01",
    "2024-11-01-preview",
    "2024-10-01-preview",
    "2024-09-01-preview",
    "2024-05-01-preview",
    "2023-05-01",
    "2023-02-01-preview",
    "2022-10-01-preview",
    "2022-09-01",
    "2021-10-01",
    "2021-09-01",
    "2021-07-01",
    "2021-03-01",
    "2020-11-01",
    "2019-12-01",
    "2018-10-01",
    "2018-09-01",
    "2018-06-01",
    "2018-04-01",
    "2018-02-01-preview",
    "2017-12-01-preview",
    "2017-10-01-preview",
)
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What to answer where Azure's behaviour is not established (section I)."""

    update_status: Literal[200, 201] = 200  # I1: PUT on an existing group
    delete_status: Literal[200, 202] = 200  # I5: 202 makes deletion a long-running operation
    keeps_fixed_when_stopped: bool = True  # I15: also a stopped group refuses a new osType
    # Azure's labels are unique in a region. Narrower here, as tests share a server and keep out of
    # each other's way by subscription.
    labels_unique_in: Literal["subscription", "region"] = "subscription"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request, taken apart."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Json = None
    base: str = ""
    args: Mapping[str, str] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The `api-version`; the server has made sure that there is one."""
        return self.query.get("api-version", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer; `body` is JSON, `text` is JSON already written out."""

    status: int
    body: Json = None
    text: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    region: str = ""  # set when the resource provider answers, not ARM itself


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All that a handler may use."""

    records: Records
    pace: Pace
    answers: Answers
    page_size: int
    dropped: Counter[str]
    losses: Losses
    tombs: set[GroupKey]  # deleted, and ARM has not noticed yet
    offer: Offer
    mirages: Mirages
    effects: Effects = NOTHING  # of the faults that are played on this call

    def moment(self, reads: int = 0) -> Moment:
        """Now."""
        return Moment(self.pace.now(), reads)

    def now(self) -> datetime:
        """The time of day."""
        return self.pace.now()

    def group(self, key: GroupKey) -> tuple[Group, Moment] | None:
        """The group as it is now; None also when its deletion has just come to its end."""
        found = self.records.find(key)
        if found is None:
            return None
        group, reads = found
        moment = self.moment(reads)
        if is_going(group) and is_settled(group, moment):
            self.records.remove(key)
            return None
        return group, moment

    def look(self, call: Call) -> tuple[Group, Moment]:
        """The group a call names, counted as one read.

        Raises:
            Refusal: one of the two 404 forms (B.1), or the resource group is missing.
        """
        resource_group = self.resource_group(call.args["subscription"], call.args["rg"])
        key = key_in(call)
        found = self.group(key)
        if found is None:
            if key in self.tombs:
                self.tombs.discard(key)
                raise group_gone(call.args["name"])
            raise group_not_found(call.args["name"], resource_group.name)
        self.records.count_read(key)
        return found

    def resource_group(self, subscription: str, name: str) -> ResourceGroup:
        """The resource group of that name, counted as one read when it is going.

        Raises:
            Refusal: 404 `ResourceGroupNotFound`.
        """
        found = self.records.resource_group(subscription, name)
        if found is None:
            raise resource_group_not_found(name)
        group, reads = found
        if group.going is None:
            return group
        if phase_is_over(group.going, self.moment(reads)):
            self.records.remove_resource_group(group)
            raise resource_group_not_found(name)
        self.records.save_resource_group(group, reads=reads + 1)
        return group

    def writable_resource_group(self, subscription: str, name: str) -> ResourceGroup:
        """The same, for writing into it.

        Raises:
            Refusal: 404 `ResourceGroupNotFound`, or 409 `ResourceGroupBeingDeleted`.
        """
        group = self.resource_group(subscription, name)
        if group.going is not None:
            raise resource_group_going(group.name)
        return group

    def sweep(self, subscription: str, resource_group: str | None) -> None:
        """Forget the groups whose deletion has come to its end."""
        for group in self.records.vanishing((subscription, resource_group)):
            self.group(key_of(group))


def key_in(call: Call) -> GroupKey:
    """The key of the group a call names."""
    return GroupKey.of(call.args["subscription"], call.args["rg"], call.args["name"])


def check_version(call: Call) -> None:
    """Refuse a call without `api-version`, or with one the provider does not know.

    Raises:
        Refusal: 400 `MissingApiVersionParameter` or `NoRegisteredProviderFound`.
    """
    if not call.version:
        raise missing_api_version()
    of_the_provider = "/providers/microsoft.containerinstance" in call.path.lower()
    is_group = "/containergroups" in call.path.lower()
    if of_the_provider and is_group and call.version not in API_VERSIONS:
        location = call.body.get("location") if isinstance(call.body, dict) else None
        raise unknown_api_version(
            call.version, "containerGroups", str(location or "global"), list(API_VERSIONS)
        )
    if not _VERSION.fullmatch(call.version):
        known = "2025-04-01, 2024-03-01, 2021-04-01"
        raise Refusal(
            400,
            "InvalidApiVersionParameter",
            f"The api-version '{call.version}' is invalid. The supported versions are '{known}'.",
        )


def accepted(location: str, retry_after: int) -> dict[str, str]:
    """The headers of a 202 that is polled by its Location. Source: A.9."""
    return {"Location": location, "Retry-After": str(retry_after)}


def body_of(call: Call) -> JsonObject:
    """The body, which must be an object.

    Raises:
        Refusal: 400 `InvalidRequestContent`.
    """
    if not isinstance(call.body, dict):
        raise Refusal(
            400,
            "InvalidRequestContent",
            "The request content was invalid and could not be deserialized: "
            "an object was expected.",
        )
    return call.body
