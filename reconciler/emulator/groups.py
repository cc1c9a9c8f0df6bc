"""Container groups over HTTP: PUT, GET, LIST, PATCH, DELETE. Source: A.2-A.6."""

from __future__ import annotations

import json
from dataclasses import replace

from reconciler.emulator.errors import (
    bad_request,
    group_not_found,
    invalid_content,
    transitioning,
)
from reconciler.emulator.facts import Group, Moment, begin, region_of, with_tags
from reconciler.emulator.jsonval import JsonObject, as_object, as_text
from reconciler.emulator.lifecycle import is_settled
from reconciler.emulator.operations import follow
from reconciler.emulator.pace import Kind
from reconciler.emulator.paging import next_link, read_token
from reconciler.emulator.properties import spec_of
from reconciler.emulator.provider import check_offer
from reconciler.emulator.readback import shown
from reconciler.emulator.records import Listed, group_in, key_of, label_of
from reconciler.emulator.validation import first_objection
from reconciler.emulator.world import Call, Reply, World, body_of, key_in
from reconciler.emulator.writes import check_modelled, created, location_of, put


def put_group(world: World, call: Call) -> Reply:
    """Create or fully replace a group: 201 for a new one, `Answers.update_status` else."""
    subscription, name = call.args["subscription"], call.args["name"]
    world.writable_resource_group(subscription, call.args["rg"])
    sent = body_of(call)
    # The transition is told before the content is looked at; a refused write counts as a look.
    found = world.group(key_in(call))
    world.records.count_read(key_in(call))
    if found is not None and not is_settled(*found):
        raise transitioning(found[0].name)
    spec = spec_of(sent, call.version, world.dropped)
    location_of(spec)
    refusal = check_modelled(spec) or first_objection(name, sent, spec)
    if refusal is not None:
        raise refusal
    asked = Group(
        subscription=subscription,
        # Cased as in the URL of the PUT, not as the resource group is. Source: C.3.
        resource_group=call.args["rg"],
        name=name,
        version=call.version,
        spec=world.losses.leave(spec, world.dropped),
        phase=begin(Kind.CREATE, world.pace),
        started=world.now(),
        deployed=world.now(),
    )
    _check_label(world, asked)
    check_offer(world, asked, found[0] if found else None)
    after = (
        created(asked, world.pace)
        if found is None
        else put(found[0], asked, found[1], world.pace, world.answers)
    )
    after = world.effects.on(after)
    world.records.save(after)
    world.tombs.discard(key_of(after))
    if found is None and world.effects.hidden is not None:
        world.mirages.hide(key_of(after), world.effects.hidden, world.now())
    return Reply(
        status=201 if found is None else world.answers.update_status,
        body=_as_accepted(after, call.version, world.moment()),
        headers=follow(world, call, after),
        region=region_of(after.location),
    )


def get_group(world: World, call: Call) -> Reply:
    """A group with its instance views; counts as a read."""
    if world.mirages.hides(key_in(call), world.now()):
        raise group_not_found(call.args["name"], call.args["rg"])
    group, moment = world.look(call)
    return _reply(group, call, moment)


def patch_group(world: World, call: Call) -> Reply:
    """Replace the tag map, and nothing else; nothing restarts. Source: A.5."""
    sent = body_of(call)
    group, moment = world.look(call)
    tags = {key.lower(): value for key, value in sent.items()}.get("tags")
    if tags is not None and not isinstance(tags, dict):
        raise invalid_content("the value at '/tags' must be an object.")
    # What else PATCH accepts is not established (I4): the rest is dropped, and counted.
    for name in sent:
        if name.lower() != "tags":
            world.dropped[f"PATCH /{name}"] += 1
    if tags is not None:
        group = with_tags(group, spec_of({"tags": tags}, call.version, world.dropped)["tags"])
        world.records.save(group, reads=moment.reads + 1)
    return _reply(group, call, moment)


def delete_group(world: World, call: Call) -> Reply:
    """Delete at once and answer the last body; 204 when there is none. Source: A.6."""
    world.writable_resource_group(call.args["subscription"], call.args["rg"])
    key = key_in(call)
    found = world.group(key)
    if found is None:
        return Reply(status=204)
    group, moment = found
    world.records.count_read(key)
    # A creation that hangs must be deletable; any other transition is waited for (I18).
    if group.phase.kind is not Kind.CREATE and not is_settled(group, moment):
        raise transitioning(group.name)
    if world.effects.lingers is not None:
        text = json.dumps(shown(group, call.version, moment, views=False))
        world.mirages.linger(key, text, world.effects.lingers, world.now())
    # An operation that is to end badly has to be one.
    if world.answers.delete_status == 202 or world.effects.ending is not None:
        going = world.effects.on(_going(world, group))
        world.records.save(going)
        headers = follow(world, call, going)
        return Reply(status=202, headers=headers, region=region_of(group.location))
    world.records.remove(key)
    world.tombs.add(key)
    return _reply(group, call, moment)


def list_groups(world: World, call: Call) -> Reply:
    """The groups of a resource group or a subscription, without instance views. Source: A.4."""
    subscription = call.args["subscription"]
    scope = (subscription, call.args.get("rg"))
    if scope[1] is not None:
        world.resource_group(subscription, scope[1])
    world.sweep(*scope)
    after = read_token(call)
    rows = world.records.page(scope, after, world.page_size + 1, world.moment())
    shown_rows = rows[: world.page_size]
    texts = [_item(row, call, world) for row in shown_rows]
    if after == ("", ""):
        texts += _remains(world, scope)
    items = ",".join(texts)
    world.records.count_reads(scope)
    link = ""
    if len(rows) > world.page_size:
        last = shown_rows[-1].key
        # The key is absent, not null, on the last page. Source: A.4.
        link = f', "nextLink": {json.dumps(next_link(call, last.resource_group, last.name))}'
    return Reply(status=200, text=f'{{"value": [{items}]{link}}}')


def _remains(world: World, scope: tuple[str, str | None]) -> list[str]:
    """What a list still shows of groups that are gone, by a fault."""
    remaining = world.mirages.remaining(scope, world.now())
    return [text for key, text in remaining.items() if world.records.find(key) is None]


def _item(row: Listed, call: Call, world: World) -> str:
    """A list item: text made when the group was written, wherever that still holds."""
    if row.is_final and row.version == call.version:
        return row.text
    group = group_in(row.facts)
    return json.dumps(shown(group, call.version, world.moment(row.reads), views=False))


def _reply(group: Group, call: Call, moment: Moment) -> Reply:
    body = shown(group, call.version, moment)
    return Reply(status=200, body=body, region=region_of(group.location))


def _as_accepted(group: Group, version: str, moment: Moment) -> JsonObject:
    """The body of the answer to a PUT: normalised, and Pending even if all is done at once.

    Source: A.2. For an update in place that is inferred from the swagger's own example.
    """
    body = shown(group, version, moment)
    properties = as_object(body["properties"])
    properties["provisioningState"] = "Pending"
    properties["instanceView"] = {"events": [], "state": "Pending"}
    for list_name in ("containers", "initContainers"):
        for container in _members(properties, list_name):
            container.pop("instanceView", None)
    address = as_object(properties.get("ipAddress"))
    if group.phase.kind is Kind.CREATE:
        address.pop("ip", None)
        if address.get("type") == "Private":
            properties.pop("ipAddress")
    return body


def _members(properties: JsonObject, name: str) -> list[JsonObject]:
    items = properties.get(name)
    members = items if isinstance(items, list) else []
    return [as_object(as_object(item).get("properties")) for item in members]


def _check_label(world: World, asked: Group) -> None:
    """Refuse a DNS label that another group of the region holds. Source: B.3, C.7."""
    held = label_of(asked)
    if held is None:
        return
    within = world.answers.labels_unique_in == "subscription"
    holder = world.records.holder_of(held, asked.subscription.lower() if within else None)
    if holder is not None and holder != key_of(asked):
        label = as_text(as_object(asked.properties.get("ipAddress")).get("dnsNameLabel"))
        raise bad_request(
            "DnsNameLabelNotAvailable",  # guess: only the text is known (I7)
            f"The DNS name label '{label}' in container group '{asked.name}' not available. "
            "Try using a different label.",
        )


def _going(world: World, group: Group) -> Group:
    return replace(group, phase=begin(Kind.DELETE, world.pace, group.phase.since), failure="")
