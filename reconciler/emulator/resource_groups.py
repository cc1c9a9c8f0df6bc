"""Subscriptions, resource groups and the resources in them. Source: A.9."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace

from reconciler.emulator.errors import Refusal, bad_request, invalid_content, not_modelled
from reconciler.emulator.facts import ResourceGroup, begin, region_of
from reconciler.emulator.jsonval import Json, JsonObject, as_text
from reconciler.emulator.pace import Kind
from reconciler.emulator.readback import TENANT, shown
from reconciler.emulator.world import Call, Reply, World, accepted, body_of

DEFAULT_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
_NAME = re.compile(r"[-\w\._\(\)]{1,90}")
_BY_TAG = re.compile(r"tagName eq '([^']*)'(?: and tagValue eq '([^']*)')?", re.IGNORECASE)
_BY_TYPE = re.compile(r"resourceType eq '([^']*)'", re.IGNORECASE)


def list_subscriptions(world: World, _: Call) -> Reply:
    """The default one, and each that holds something: any GUID will do as a subscription."""
    found = {DEFAULT_SUBSCRIPTION, *world.records.subscriptions()}
    return Reply(status=200, body={"value": [_subscription(item) for item in sorted(found)]})


def get_subscription(_: World, call: Call) -> Reply:
    """Every subscription exists."""
    return Reply(status=200, body=_subscription(call.args["subscription"]))


def list_resource_groups(world: World, call: Call) -> Reply:
    """The resource groups of a subscription, by name; `$filter` knows tags alone."""
    found = [
        group
        for group, _ in world.records.resource_groups(call.args["subscription"])
        if _has_tag(group.tags or {}, call.query.get("$filter", ""))
    ]
    top = call.query.get("$top", "")
    values = [_shown(group) for group in (found[: int(top)] if top.isdecimal() else found)]
    return Reply(status=200, body={"value": list(values)})


def put_resource_group(world: World, call: Call) -> Reply:
    """201 for a new one, 200 for one that is there; its location is fixed."""
    sent = {key.lower(): value for key, value in body_of(call).items()}
    subscription, name = call.args["subscription"], call.args["rg"]
    if not _NAME.fullmatch(name) or name.endswith("."):
        raise bad_request(
            "InvalidResourceGroup",
            f"The provided resource group name '{name}' has these invalid characters or ends "
            "with a period, or is longer than 90 characters.",
        )
    location = as_text(sent.get("location"))
    if not location:
        raise bad_request(
            "LocationRequired", "The location property is required for this definition."
        )
    tags = sent.get("tags")
    try:
        before = world.writable_resource_group(subscription, name)
    except Refusal as refusal:
        if refusal.status != 404:
            raise
        before = None
    if before is not None and region_of(before.location) != region_of(location):
        raise Refusal(
            409,
            "InvalidResourceGroupLocation",
            f"Invalid resource group location '{location}'. The Resource group already exists in "
            f"location '{before.location}'.",
        )
    group = ResourceGroup(
        subscription=subscription,
        name=before.name if before else name,
        location=before.location if before else region_of(location),
        tags=tags if isinstance(tags, dict) else None,
        managed_by=as_text(sent.get("managedby")),
    )
    world.records.save_resource_group(group)
    return Reply(status=200 if before else 201, body=_shown(group))


def get_resource_group(world: World, call: Call) -> Reply:
    """200, or 404 `ResourceGroupNotFound`."""
    group = world.resource_group(call.args["subscription"], call.args["rg"])
    return Reply(status=200, body=_shown(group))


def has_resource_group(world: World, call: Call) -> Reply:
    """HEAD: 204 when it exists, 404 when not; neither has a body."""
    try:
        world.resource_group(call.args["subscription"], call.args["rg"])
    except Refusal as refusal:
        return Reply(status=refusal.status)
    return Reply(status=204)


def patch_resource_group(world: World, call: Call) -> Reply:
    """Replaces the tags."""
    sent = {key.lower(): value for key, value in body_of(call).items()}
    group = world.writable_resource_group(call.args["subscription"], call.args["rg"])
    tags = sent.get("tags")
    if tags is not None and not isinstance(tags, dict):
        raise invalid_content("the value at '/tags' must be an object.")
    if isinstance(tags, dict):
        group = replace(group, tags=tags)
        world.records.save_resource_group(group)
    return Reply(status=200, body=_shown(group))


def delete_resource_group(world: World, call: Call) -> Reply:
    """202, then poll the Location; all it holds goes with it, at the end."""
    group = world.resource_group(call.args["subscription"], call.args["rg"])
    if group.going is None:
        group = replace(group, going=begin(Kind.DELETE_RESOURCE_GROUP, world.pace))
        world.records.save_resource_group(group)
    return Reply(status=202, headers=_deletion(world, call, group.name, group.location))


def poll_deletion(world: World, call: Call) -> Reply:
    """202 while it lasts, then 200, however often it is asked again."""
    name, region = _read_job(call.args["operation"])
    try:
        group = world.resource_group(call.args["subscription"], name)
    except Refusal:
        return Reply(status=200)
    if group.going is None:
        return Reply(status=200)
    return Reply(status=202, headers=_deletion(world, call, name, region))


def list_resources(world: World, call: Call) -> Reply:
    """Whatever lies in a resource group or subscription; `$filter` knows `resourceType eq`."""
    scope = (call.args["subscription"], call.args.get("rg"))
    if scope[1] is not None:
        world.resource_group(*scope_of(call))
    world.sweep(*scope)
    items: list[Json] = []
    for group, reads in world.records.groups(scope[0]):
        if scope[1] is None or group.resource_group.lower() == scope[1].lower():
            body = shown(group, group.version, world.moment(reads), views=False)
            kept = ("id", "name", "type", "location", "identity", "zones", "tags")
            items.append({name: body[name] for name in kept if name in body})
    items += world.records.placed(scope)
    wanted = call.query.get("$filter", "")
    if wanted:
        found = _BY_TYPE.fullmatch(wanted.strip())
        if found is None:
            raise not_modelled(f'the filter "{wanted}" on resources')
        kind = found.group(1).lower()
        items = [item for item in items if isinstance(item, dict) and _type_of(item) == kind]
    return Reply(status=200, body={"value": items})


def scope_of(call: Call) -> tuple[str, str]:
    """The subscription and resource group a call names."""
    return call.args["subscription"], call.args["rg"]


def _type_of(item: JsonObject) -> str:
    return as_text(item.get("type")).lower()


def _deletion(world: World, call: Call, name: str, region: str) -> dict[str, str]:
    job = {
        "jobId": f"RESOURCEGROUPDELETIONJOB-{name}-{region.upper()}",
        "jobLocation": region,
        "resourceGroup": name,
    }
    token = base64.urlsafe_b64encode(json.dumps(job).encode()).decode().rstrip("=")
    path = f"/subscriptions/{call.args['subscription']}/operationresults/{token}"
    return accepted(f"{call.base}{path}?api-version={call.version}", world.pace.retry_after)


def _read_job(token: str) -> tuple[str, str]:
    try:
        job = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return str(job["resourceGroup"]), str(job["jobLocation"])
    except (ValueError, KeyError, TypeError) as exc:
        raise Refusal(404, "OperationNotFound", "The operation could not be found.") from exc


def _shown(group: ResourceGroup) -> JsonObject:
    body: JsonObject = {
        "id": group.id,
        "name": group.name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": group.location,
    }
    if group.managed_by:
        body["managedBy"] = group.managed_by
    if group.tags is not None:
        body["tags"] = group.tags
    body["properties"] = {"provisioningState": "Deleting" if group.going else "Succeeded"}
    return body


def _subscription(guid: str) -> JsonObject:
    return {
        "id": f"/subscriptions/{guid}",
        "subscriptionId": guid,
        "tenantId": TENANT,
        "displayName": "Emulator",
        "state": "Enabled",
        "authorizationSource": "RoleBased",
    }


def _has_tag(tags: JsonObject, wanted: str) -> bool:
    if not wanted:
        return True
    found = _BY_TAG.fullmatch(wanted.strip())
    if found is None:
        raise not_modelled(f'the filter "{wanted}" on resource groups')
    name, value = found.groups()
    held = {key.lower(): item for key, item in tags.items()}
    return name.lower() in held and (value is None or held[name.lower()] == value)
