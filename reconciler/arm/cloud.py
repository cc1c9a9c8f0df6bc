"""`core.cloud.Cloud` over ARM: which request asks what."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Self
from urllib.parse import quote

from reconciler.arm.answers import object_in
from reconciler.arm.exchange import Exchange
from reconciler.arm.inspection import Inspection
from reconciler.arm.keys import read_keys
from reconciler.arm.keyvault import KeyVaults
from reconciler.arm.policies import REGION
from reconciler.arm.translate import is_absent, secrets_in, translated
from reconciler.arm.wire import CONTAINERS_API, RESOURCES_API, SUBSCRIPTIONS_API, Wire
from reconciler.core.cloud import Accepted, Look, Operation
from reconciler.core.ids import GROUP_TYPE, GroupId, ResourceGroupId
from reconciler.core.jsonval import Json, JsonObject, as_text
from reconciler.core.references import HeldKeys, KeyHolder
from reconciler.errors import NotFound, Unavailable

_PROVIDER = GROUP_TYPE.partition("/")[0]


class ArmCloud:
    """Azure Resource Manager for one credential; safe to use from many threads."""

    def __init__(self, wire: Wire, *, vaults: KeyVaults, storage_domain: str) -> None:
        self._wire = wire
        self._storage_domain = storage_domain
        self._arm = Exchange(wire)
        self.vaults = vaults  # for the same credential
        self.inspector = Inspection(wire)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self.vaults.close()
        self._wire.close()

    @property
    def endpoint(self) -> str:
        """Where requests go, for people to see."""
        return self._wire.endpoint

    # Container groups

    def groups(self, subscription: str) -> Sequence[Json]:
        """Every container group of the subscription; all pages, no instance view."""
        path = f"{_path(subscription)}/providers/{GROUP_TYPE}?api-version={CONTAINERS_API}"
        return self._arm.listed(path, f"container groups of subscription {subscription}")

    def groups_in(self, resource_group: ResourceGroupId) -> Sequence[Json] | None:
        """Every container group of one resource group; None where that does not exist."""
        path = f"{_path_of(resource_group)}/providers/{GROUP_TYPE}?api-version={CONTAINERS_API}"
        try:
            return self._arm.listed(path, f"container groups of resource group {resource_group}")
        except NotFound as error:
            if is_absent(error, "resourcegroupnotfound"):
                return None
            raise

    def group(self, group: GroupId) -> Json | None:
        """One container group with its instance view, None where it does not exist."""
        return self._arm.found(str(group), partial(self._groups(group).get, *_names(group)))

    def put_group(self, group: GroupId, body: JsonObject) -> Accepted:
        """Create, or replace the whole definition: restarts every container."""
        put = self._groups(group).begin_create_or_update
        return self._arm.written(
            "put",
            str(group),
            partial(
                put,
                *_names(group),
                _encoded(body),
                polling=False,
                **{REGION: as_text(body.get("location"))},
            ),
            with_body=True,
            hidden=secrets_in(body),
        )

    def patch_tags(self, group: GroupId, tags: Mapping[str, str]) -> Json:
        """Set the whole tag map; nothing restarts."""
        patch = partial(self._groups(group).update, *_names(group), _encoded({"tags": {**tags}}))
        return self._arm.written("patch tags of", str(group), patch, with_body=True).body

    def delete_group(self, group: GroupId, *, location: str = "") -> Accepted:
        """Delete; one that is not there is no error. `location` is where it is counted."""
        delete = self._groups(group).begin_delete
        return self._arm.deleted(
            str(group), partial(delete, *_names(group), polling=False, **{REGION: location})
        )

    def start(self, group: GroupId) -> Accepted:
        """Start a stopped or ended group."""
        start = partial(self._groups(group).begin_start, *_names(group), polling=False)
        return self._arm.written("start", str(group), start)

    def stop(self, group: GroupId) -> Accepted:
        """Stop a running group."""
        stop = partial(self._groups(group).stop, *_names(group))
        return self._arm.written("stop", str(group), stop)

    def restart(self, group: GroupId) -> Accepted:
        """Restart every container of a running group."""
        restart = partial(self._groups(group).begin_restart, *_names(group), polling=False)
        return self._arm.written("restart", str(group), restart)

    def logs(
        self, group: GroupId, container: str, *, tail: int | None = None, timestamps: bool = False
    ) -> str:
        """What a container printed."""
        verb, target = "read logs of", f"{group}/{container}"
        read = partial(
            self._wire.containers(group.subscription).containers.list_logs,
            *_names(group),
            container,
            tail=tail,
            timestamps=timestamps or None,
        )
        with translated(verb, target):
            return as_text(object_in(self._arm.asked(verb, target, read)).get("content"))

    # Resource groups

    def resource_groups(self, subscription: str) -> Sequence[Json]:
        """Every resource group of the subscription."""
        path = f"{_path(subscription)}/resourceGroups?api-version={RESOURCES_API}"
        return self._arm.listed(path, f"resource groups of subscription {subscription}")

    def resource_group(self, resource_group: ResourceGroupId) -> Json | None:
        """One resource group, None where it does not exist."""
        get = partial(self._resource_groups(resource_group).get, resource_group.name)
        return self._arm.found(_shown(resource_group), get)

    def put_resource_group(
        self, resource_group: ResourceGroupId, *, location: str, tags: Mapping[str, str]
    ) -> Json:
        """Create a resource group; synchronous."""
        put = partial(
            self._resource_groups(resource_group).create_or_update,
            resource_group.name,
            _encoded({"location": location, "tags": {**tags}}),
        )
        return self._arm.written("put", _shown(resource_group), put, with_body=True).body

    def delete_resource_group(self, resource_group: ResourceGroupId) -> Accepted:
        """Delete a resource group with all it holds."""
        delete = self._resource_groups(resource_group).begin_delete
        return self._arm.deleted(
            _shown(resource_group), partial(delete, resource_group.name, polling=False)
        )

    def resources_in(self, resource_group: ResourceGroupId) -> Sequence[Json]:
        """Everything in a resource group, of any type."""
        path = f"{_path_of(resource_group)}/resources?api-version={RESOURCES_API}"
        return self._arm.listed(path, f"resources of resource group {resource_group}")

    def look(self, operation: Operation) -> Look:
        """Look once at an operation."""
        return self._arm.look(operation)

    # Keys of other resources

    def keys(self, holder: KeyHolder) -> HeldKeys:
        """The keys of a storage account or a workspace, read anew each time."""
        by_name = read_keys(self._arm, holder)
        return HeldKeys(by_name=by_name, storage_domain=self._storage_domain)

    # The subscription

    def tenant(self, subscription: str) -> str:
        """The id of the tenant that the subscription belongs to."""
        path = f"{_path(subscription)}?api-version={SUBSCRIPTIONS_API}"
        target = f"subscription {subscription}"
        with translated("get", target):
            found = self._arm.read(path, target)
            if as_text(found.get("subscriptionId")).lower() != subscription.lower():
                raise Unavailable("the answer is of another subscription", status=200)
            if not (tenant := as_text(found.get("tenantId"))):
                raise Unavailable("the answer has no tenant", status=200)
            return tenant

    # The provider

    def registration(self, subscription: str) -> str:
        """The registration state of the resource provider: `Registered`, or another word."""
        target = f"resource provider {_PROVIDER} in subscription {subscription}"
        read = partial(self._wire.resources(subscription).providers.get, _PROVIDER)
        with translated("get", target):
            found = object_in(self._arm.asked("get", target, read)).get("registrationState")
            if not as_text(found):
                raise Unavailable("the answer has no registration state", status=200)
            return as_text(found)

    def usages(self, subscription: str, location: str) -> Sequence[Json]:
        """How much of each quota is used in a region (azure-facts A.8)."""
        path = f"{_path_in(subscription, location)}/usages?api-version={CONTAINERS_API}"
        return self._arm.listed(path, f"quota usages of {location}")

    def capabilities(self, subscription: str, location: str) -> Sequence[Json]:
        """How large a group may be in a region (azure-facts A.8)."""
        path = f"{_path_in(subscription, location)}/capabilities?api-version={CONTAINERS_API}"
        return self._arm.listed(path, f"capabilities of {location}")

    def _groups(self, group: GroupId) -> Any:
        return self._wire.containers(group.subscription).container_groups

    def _resource_groups(self, resource_group: ResourceGroupId) -> Any:
        return self._wire.resources(resource_group.subscription).resource_groups


def _names(group: GroupId) -> tuple[str, str]:
    return group.resource_group, group.name


def _shown(resource_group: ResourceGroupId) -> str:
    return f"resource group {resource_group}"


def _path(subscription: str) -> str:
    return f"/subscriptions/{quote(subscription, safe='')}"


def _path_in(subscription: str, location: str) -> str:
    return f"{_path(subscription)}/providers/{_PROVIDER}/locations/{quote(location, safe='')}"


def _path_of(resource_group: ResourceGroupId) -> str:
    name = quote(resource_group.name, safe="")
    return f"{_path(resource_group.subscription)}/resourceGroups/{name}"


def _encoded(body: JsonObject) -> bytes:
    # Bytes, for a body that the SDK's models would read loses what they do not know.
    return json.dumps(body).encode()
