"""Desired and live container groups, as values.

A desired body never holds a secret: secrets travel beside it and meet it only in `wire_body`.
"""

from __future__ import annotations

import copy
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import Enum

from reconciler.core.containers import ContainerView, Event, events_in, views_of
from reconciler.core.finding import Mark, Position
from reconciler.core.ids import GroupId, ResourceGroupId, parse_group_id
from reconciler.core.images import Images, Lookup
from reconciler.core.jsonval import (
    Json,
    JsonObject,
    Path,
    WirePath,
    as_list,
    as_object,
    as_text,
    dig,
    text_map,
)
from reconciler.core.normalise import canonical
from reconciler.core.references import Reference

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_ACCOUNT_KEY = re.compile(r"(?:\A|;)AccountKey=([^;]+)")


def is_variable(name: str) -> bool:
    """Whether a text can be the name of an environment variable, which a secret hardly ever is."""
    return _VARIABLE.match(name) is not None


class Adopt(Enum):
    """What to do with a live group of the same name that has no owner."""

    NEVER = "never"
    IDENTICAL = "identical"
    ALWAYS = "always"


class Replace(Enum):
    """What to do when a change cannot be made in place."""

    FORBID = "forbid"
    ALLOW = "allow"


class OnReplaceFailure(Enum):
    """What to do about a group that was deleted and could not be created again as it should be."""

    REPORT = "report"
    RESTORE = "restore"  # create it again as it was last applied


class WaitFor(Enum):
    """When an action counts as healthy.

    `started`: every container runs or has ended with exit code 0; the default for tasks.
    """

    PROVISIONED = "provisioned"
    RUNNING = "running"
    STARTED = "started"
    SUCCEEDED = "succeeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """How long to wait for what; `stable_for` asks for no restart in that time."""

    until: WaitFor
    timeout: timedelta
    stable_for: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPolicy:
    """What may be done to one group: the `reconcile:` block over the project's policy."""

    adopt: Adopt = Adopt.IDENTICAL
    replace: Replace = Replace.FORBID
    on_replace_failure: OnReplaceFailure = OnReplaceFailure.REPORT
    protect: bool = False
    images: Images = Images.TAG
    wait: Wait = Wait(until=WaitFor.RUNNING, timeout=timedelta(minutes=10))
    depends_on: tuple[GroupId, ...] = ()
    ignore: tuple[Path, ...] = ()


class SecretState(Enum):
    """Whether a secret's value is at hand."""

    KNOWN = "known"
    UNRESOLVED = "unresolved"  # a reference that could not be followed here and now
    UNKNOWN = "unknown"  # `{unknown: true}` or left empty: nobody has said it


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A write-only value at `path` of the wire body.

    `path` may end in a key of a secret volume, or at the volume itself when even its keys are not
    known. `reason` says why the value is not at hand. With a `reference` the value lies in Azure,
    which loading manifests does not ask: `encodes` says that it is sent in base64,
    `holds_base64` that the place takes nothing else.
    """

    path: WirePath
    name: str  # the canonical pointer, what people see
    state: SecretState
    where: Position
    value: str | None = field(default=None, repr=False)
    reason: str = ""
    reference: Reference | None = None
    encodes: bool = False
    holds_base64: bool = False
    # The reference as written; None where the value itself is, or nothing.
    source: JsonObject | None = field(default=None, repr=False, compare=False)

    @property
    def written(self) -> JsonObject | None:
        """The reference as written; None where it may be the value itself."""
        name = (self.source or {}).get("fromEnv")
        if isinstance(name, str) and not is_variable(name):
            return None  # most likely the secret, put where its name is due
        return self.source

    @property
    def spellings(self) -> tuple[str, ...]:
        """The texts its value may show up as, whole or a line of it.

        A secret volume holds base64 of what a container reads, and a connection string holds a key.
        """
        if self.value is None:
            return ()
        texts = [self.value, *_ACCOUNT_KEY.findall(self.value)]
        with suppress(ValueError):
            texts.append(b64decode(self.value, validate=True).decode("utf-8"))
        texts.append(b64encode(self.value.encode("utf-8", "surrogatepass")).decode("ascii"))
        lines = [line.strip() for text in texts for line in text.splitlines()]
        return tuple(dict.fromkeys(text for text in (*texts, *lines) if text))


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredGroup:
    """What a manifest says. `body` is wire-shaped and free of secrets and of our own tags."""

    id: GroupId
    body: JsonObject
    canonical: JsonObject
    tags: Mapping[str, str]
    secrets: tuple[Secret, ...]
    policy: GroupPolicy
    where: Position
    marks: Mapping[WirePath, Mark] = field(default_factory=dict, repr=False, compare=False)
    # Of what patches brought; all else stands in the file of `where`.
    files: Mapping[WirePath, str] = field(default_factory=dict, repr=False, compare=False)
    # What registries said of its images, by canonical path; empty where none was asked.
    images: Mapping[Path, Lookup] = field(default_factory=dict)

    @property
    def location(self) -> str:
        """The region as written; empty until `with_location` when no manifest states one."""
        return as_text(self.body.get("location"))

    @property
    def is_task(self) -> bool:
        """Whether its containers are meant to end (restart policy Never or OnFailure)."""
        return dig(self.canonical, "properties", "restartPolicy") in ("Never", "OnFailure")

    @property
    def secret_texts(self) -> tuple[str, ...]:
        """Every text that must not be printed."""
        return tuple(text for secret in self.secrets for text in secret.spellings)

    def lacking(self, *states: SecretState) -> tuple[Secret, ...]:
        """The secrets in one of `states`."""
        return tuple(secret for secret in self.secrets if secret.state in states)


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredResourceGroup:
    """A resource group a manifest declares."""

    id: ResourceGroupId
    location: str
    tags: Mapping[str, str]
    where: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveResourceGroup:
    """A resource group as read."""

    id: ResourceGroupId
    location: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveGroup:
    """What Azure answers. `state` and the views are empty when it comes from a LIST."""

    id: GroupId
    body: JsonObject
    canonical: JsonObject
    tags: Mapping[str, str]
    provisioning: str
    state: str
    containers: tuple[ContainerView, ...]
    events: tuple[Event, ...] = ()  # of the group itself, by time; the containers have their own

    @property
    def location(self) -> str:
        """The region as Azure writes it."""
        return as_text(self.body.get("location"))

    @property
    def in_transition(self) -> bool:
        """Whether an operation runs on it: only Succeeded, Failed and Canceled are final (E.1).

        Unhealthy and Repairing are named by the documentation as states of a deployed group.
        """
        settled = ("succeeded", "failed", "canceled", "cancelled", "unhealthy", "repairing", "")
        return self.provisioning.lower() not in settled

    @property
    def has_ended(self) -> bool:
        """Whether a PUT would deploy it anew: stopped, succeeded or failed (D.1).

        One that restarts always shows Succeeded between two restarts (E.2).
        """
        if self.state == "Succeeded":
            return dig(self.canonical, "properties", "restartPolicy") != "Always"
        return self.state in ("Stopped", "Failed")

    @property
    def has_failed(self) -> bool:
        """Whether its last deployment failed."""
        return self.provisioning.lower() in ("failed", "canceled", "cancelled")

    @property
    def has_run(self) -> bool:
        """Whether a container of it, init containers included, runs or ever ran."""
        if any(v.state in ("Running", "Terminated") or v.restarts for v in self.containers):
            return True
        properties = as_object(self.body.get("properties"))
        return any(
            dig(container, "properties", "instanceView", "previousState")
            for member in ("containers", "initContainers")
            for container in as_list(properties.get(member))
        )

    @property
    def containers_ran(self) -> tuple[str, ...]:
        """When each container last started and ended: another run shows, however short it was."""
        return tuple(view.ran for view in self.containers)

    def has_run_since(self, before: LiveGroup) -> bool:
        """Whether its containers ran anew since a look at it `before`."""
        return (self.containers_ran, self.restarts) != (before.containers_ran, before.restarts)

    @property
    def restarts(self) -> int:
        """Restarts of all its containers together."""
        return sum(view.restarts for view in self.containers)

    @property
    def address(self) -> str:
        """The name or IP address people reach it at, empty for none."""
        found = dig(self.body, "properties", "ipAddress", "fqdn")
        return as_text(found) or as_text(dig(self.body, "properties", "ipAddress", "ip"))


def live_group(body: Json) -> LiveGroup:
    """The live group in a GET, LIST, PUT, PATCH or DELETE body.

    Raises:
        ValueError: the body has no id of a container group.
    """
    wire = as_object(body)
    return LiveGroup(
        id=parse_group_id(as_text(wire.get("id"))),
        body=wire,
        canonical=canonical(wire),
        tags=text_map(wire.get("tags")),
        provisioning=as_text(dig(wire, "properties", "provisioningState")),
        state=as_text(dig(wire, "properties", "instanceView", "state")).capitalize(),
        containers=(
            *views_of(wire, "initContainers", is_init=True),
            *views_of(wire, "containers", is_init=False),
        ),
        events=events_in(dig(wire, "properties", "instanceView", "events")),
    )


def live_resource_group(subscription: str, body: Json) -> LiveResourceGroup:
    """The resource group in an ARM answer."""
    wire = as_object(body)
    return LiveResourceGroup(
        id=ResourceGroupId(subscription=subscription, name=as_text(wire.get("name"))),
        location=as_text(wire.get("location")),
        tags=text_map(wire.get("tags")),
    )


def with_location(desired: DesiredGroup, location: str) -> DesiredGroup:
    """`desired` in `location` where the manifest states none; az takes the home's (H.1)."""
    if desired.location or not location:
        return desired
    body = {**desired.body, "location": location}
    return replace(desired, body=body, canonical=canonical(body))


def wire_body(desired: DesiredGroup, tags: Mapping[str, str]) -> JsonObject:
    """What PUT sends: the body with `tags` and every secret in its place.

    Raises:
        ValueError: a secret is not known; a plan refuses such a write beforehand.
    """
    body = copy.deepcopy(desired.body)
    body["tags"] = dict(tags)
    for secret in desired.secrets:
        if secret.value is None:
            raise ValueError(f"{secret.where}: {secret.name} has no value")
        put_at(body, secret.path, secret.value)
    return body


def put_at(body: JsonObject, path: WirePath, value: Json) -> None:
    """Set the member of a wire body that `path` ends in; objects on the way are made."""
    holder: Json = body
    for part in path[:-1]:
        if isinstance(holder, list) and isinstance(part, int):
            holder = holder[part]
        elif isinstance(holder, dict) and isinstance(part, str):
            holder = holder.setdefault(part, {})
    if isinstance(holder, dict):
        holder[str(path[-1])] = value
