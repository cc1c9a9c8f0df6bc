"""start, stop, restart, logs, exec and attach. Source: A.7, A.8."""

from __future__ import annotations

import uuid

from reconciler.emulator.errors import Refusal, invalid_content, not_modelled, transitioning
from reconciler.emulator.facts import Group, Moment, region_of
from reconciler.emulator.jsonval import JsonObject, as_number, as_object, as_text, objects
from reconciler.emulator.lifecycle import ailment_of, containers, is_running, is_stopped
from reconciler.emulator.logs import log_of
from reconciler.emulator.operations import follow
from reconciler.emulator.world import Call, Reply, World, body_of
from reconciler.emulator.writes import restarted, started, stopped


def stop_group(world: World, call: Call) -> Reply:
    """204 without an operation; no effect on a group that does not run."""
    group, moment = world.look(call)
    after = stopped(group, moment, world.pace)
    if after is not None:
        world.records.save(after)
    return Reply(status=204, region=region_of(group.location))


def start_group(world: World, call: Call) -> Reply:
    """204 for a running group. Else an operation, under 202 since 2021-10-01 and 204 before.

    Which of the two today's service answers is open (I6); the swagger says 202.
    """
    group, moment = world.look(call)
    after = started(group, moment, world.pace)
    region = region_of(group.location)
    if after is None:
        return Reply(status=204, region=region)
    after = world.effects.on(after)
    world.records.save(after)
    status = 202 if call.version >= "2021-10-01" else 204
    return Reply(status=status, headers=follow(world, call, after), region=region)


def restart_group(world: World, call: Call) -> Reply:
    """204 and an operation. What a group that does not run answers was never recorded."""
    group, moment = world.look(call)
    after = restarted(group, moment, world.pace)
    if after is None:
        raise not_modelled("restarting a container group that is not running")
    after = world.effects.on(after)
    world.records.save(after)
    headers = follow(world, call, after)
    return Reply(status=204, headers=headers, region=region_of(group.location))


def get_logs(world: World, call: Call) -> Reply:
    """What a container has printed; `tail` lines of it, with `timestamps` if asked for."""
    group, moment = world.look(call)
    container = _container(group, call)
    ailment = ailment_of(group, container)
    never_started = ailment is not None and ailment.kind == "image-pull"
    if is_stopped(group, moment) or (never_started and is_running(group, moment)):
        # The code is one that clients know; its status and text are our guess.
        raise Refusal(
            404,
            "ContainerLogNotAvailable",
            f"The log of container '{call.args['container']}' is not available.",
        )
    if not is_running(group, moment):
        raise transitioning(group.name)
    stamped = call.query.get("timestamps", "").lower() == "true"
    tail = call.query.get("tail")
    if tail and not tail.isdecimal():
        raise invalid_content("the value of 'tail' must be an integer.")
    last = int(tail) if tail else None
    lines = log_of(group, container, moment, stamped=stamped, tail=last)
    content = "".join(f"{line}\n" for line in lines)
    return Reply(status=200, body={"content": content}, region=region_of(group.location))


def exec_command(world: World, call: Call) -> Reply:
    """Where a terminal would be found; nothing listens there."""
    group, moment = world.look(call)
    _container(group, call)
    size = as_object(body_of(call).get("terminalSize"))
    rows, columns = int(as_number(size.get("rows"))), int(as_number(size.get("cols")))
    return _terminal(group, moment, f"&rows={rows}&cols={columns}")


def attach(world: World, call: Call) -> Reply:
    """The same two keys as exec."""
    group, moment = world.look(call)
    _container(group, call)
    return _terminal(group, moment, "")


def _terminal(group: Group, moment: Moment, size: str) -> Reply:
    if not is_running(group, moment):
        raise transitioning(group.name)
    region = region_of(group.location)
    uri = (
        f"wss://emulator.{region}.atlas.cloudapp.azure.com:19390/execstream/sessionId/"
        f"{uuid.uuid4()}?api-version=1.0{size}"
    )
    body: JsonObject = {"webSocketUri": uri, "password": f"{uuid.uuid4().hex}[[EOM]]"}
    return Reply(status=200, body=body, region=region)


def _container(group: Group, call: Call) -> JsonObject:
    wanted = call.args["container"]
    for container in containers(group) + objects(group.properties.get("initContainers")):
        if as_text(container.get("name")) == wanted:
            return container
    # The code and text of this one are our guess.
    raise Refusal(
        404,
        "ContainerNotFound",
        f"The container '{wanted}' does not exist in container group '{group.name}'.",
    )
