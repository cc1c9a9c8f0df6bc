"""Long-running operations: the URL to poll, and what polling it answers. Source: A.3."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime

from reconciler.emulator.errors import Refusal
from reconciler.emulator.facts import Group, region_of
from reconciler.emulator.jsonval import JsonObject
from reconciler.emulator.lifecycle import is_pulling, is_settled
from reconciler.emulator.pace import Kind
from reconciler.emulator.records import Operation, key_of
from reconciler.emulator.views import all_events, tick_text
from reconciler.emulator.world import Call, Reply, World


def follow(world: World, call: Call, group: Group) -> dict[str, str]:
    """Begin an operation for the group's phase; the header that says where to follow it.

    Its guid is the request's id too, its api-version is always 2018-06-01, and like today's URLs
    it carries a signature: clients take it as it is. Source: A.2.
    """
    operation = Operation(
        id=str(uuid.uuid4()),
        group=key_of(group),
        kind=group.phase.kind,
        since=group.phase.since.isoformat(),
        target=group.id,
    )
    world.records.add_operation(operation)
    region = region_of(group.location)
    path = (
        f"/subscriptions/{call.args['subscription']}/providers/Microsoft.ContainerInstance"
        f"/locations/{region}/operations/{operation.id}"
    )
    signature = hashlib.sha256(path.encode()).hexdigest()
    ticks = int(group.phase.since.timestamp() * 1e7)
    url = (
        f"{call.base}{path}?api-version=2018-06-01&t={ticks}&c=MIIEMULATOR{signature[:40]}"
        f"&s={signature[40:]}&h={signature[:16]}"
    )
    return {"Azure-AsyncOperation": url, "x-ms-request-id": f"{region}:{operation.id}"}


def get_operation(world: World, call: Call) -> Reply:
    """The progress of an operation; counts as a read of its group.

    An operation whose group has moved on to the next transition is over.
    """
    operation = world.records.operation(call.args["operation"].lower())
    if operation is None:
        raise Refusal(
            404,
            "OperationNotFound",
            f"The operation '{call.args['operation']}' could not be found.",
        )
    found = world.group(operation.group)
    body: JsonObject = {
        "id": operation.target,
        "status": "Succeeded",
        "startTime": tick_text(datetime.fromisoformat(operation.since)),
        "properties": {"events": []},
    }
    if found is None:
        if operation.kind is not Kind.DELETE:
            body["status"] = "Canceled"
        return Reply(status=200, body=body, region=call.args["location"])
    group, moment = found
    if group.phase.since.isoformat() == operation.since:
        settled = is_settled(group, moment)
        body["status"] = _status(group, is_over=settled)
        # What cannot be pulled says so while it is tried; all else is told in the end.
        told = settled or is_pulling(group, moment)
        body["properties"] = {"events": all_events(group, moment) if told else []}
        if settled and group.failure:
            body["error"] = {"code": group.ending.code, "message": group.failure}
    world.records.count_read(operation.group)
    return Reply(status=200, body=body, region=call.args["location"])


def _status(group: Group, *, is_over: bool) -> str:
    if not is_over:
        return "Pending"
    return group.ending.status if group.failure else "Succeeded"
