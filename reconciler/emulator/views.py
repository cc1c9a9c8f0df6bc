"""The instance views: what containers report, in Azure's shapes (E.4)."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from reconciler.emulator.facts import Ailment, Group, Moment
from reconciler.emulator.jsonval import Json, JsonObject, as_text, dig
from reconciler.emulator.lifecycle import (
    Run,
    RunState,
    ailment_of,
    back_off,
    containers,
    is_pulling,
    is_running,
    is_settled,
    run_of,
)


def moment_text(at: datetime) -> str:
    """Milliseconds, as in `currentState` since 2021-07. Source: E.4."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def second_text(at: datetime) -> str:
    """Seconds, as in events. Source: E.4."""
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"


def tick_text(at: datetime) -> str:
    """Seven fractional digits, as in operations. Source: A.3."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}0Z"


def container_view(group: Group, container: JsonObject, moment: Moment) -> JsonObject | None:
    """The view of an app container; None while there is nothing to see."""
    if group.failure and not is_pulling(group, moment):
        return None
    if not is_running(group, moment) and not _is_held_up(group, container, moment):
        return None
    run = run_of(group, container, moment)
    image = as_text(dig(container, "properties", "image"))
    view: JsonObject = {"restartCount": run.restarts, "currentState": _current(run, image)}
    if run.restarts:
        view["previousState"] = _terminated(run)
    view["events"] = _events(group, container, run)
    return view


def init_container_view(group: Group, container: JsonObject, moment: Moment) -> JsonObject | None:
    """The view of an init container, which has always succeeded when the others run."""
    if not is_running(group, moment) or group.failure:
        return None
    run = Run(state=RunState.TERMINATED, started=group.started, finished=group.started)
    events = _events(group, container, run)
    return {"restartCount": 0, "currentState": _terminated(run), "events": events}


def all_events(group: Group, moment: Moment) -> list[Json]:
    """The events of every container so far, as an operation shows them. Source: A.3."""
    found: list[Json] = []
    if group.failure and is_settled(group, moment):
        name = group.ending.event
        return [_event(name, group.failure, "Warning", group.started, 1)] if name else found
    for container in containers(group):
        if is_running(group, moment) or _is_held_up(group, container, moment):
            found += _events(group, container, run_of(group, container, moment))
    return found


def _is_held_up(group: Group, container: JsonObject, moment: Moment) -> bool:
    """Whether the image of `container` keeps its group from being provisioned."""
    ailment = ailment_of(group, container)
    return is_pulling(group, moment) and ailment is not None and ailment.kind == "image-pull"


def _current(run: Run, image: str) -> JsonObject:
    if run.ailment is not None and run.ailment.kind == "image-pull":
        # The words are Kubernetes' own. [INF]
        first = f"ErrImagePull: {_pull_error(run.ailment, image)}"
        detail = (
            first if run.trouble == 1 else f'ImagePullBackOff: Back-off pulling image "{image}"'
        )
        return {"state": "Waiting", "detailStatus": detail}
    match run.state:
        case RunState.RUNNING:
            return {"state": "Running", "startTime": moment_text(run.started), "detailStatus": ""}
        case RunState.WAITING:
            pause = back_off(run.restarts)
            detail = f"CrashLoopBackOff: Back-off {pause}s restarting failed"
            return {"state": "Waiting", "detailStatus": detail}
        case RunState.TERMINATED:
            return _terminated(run)


def _terminated(run: Run) -> JsonObject:
    return {
        "state": "Terminated",
        "startTime": moment_text(run.started),
        "exitCode": run.exit_code,
        "finishTime": moment_text(run.finished or run.started),
        "detailStatus": "Error" if run.exit_code else "Completed",
    }


def _events(group: Group, container: JsonObject, run: Run) -> list[Json]:
    """Repeats raise the count and move the last time, as events accumulate. Source: A.7, E.4."""
    if run.ailment is not None and run.ailment.kind == "image-pull":
        return _pull_events(group, container, run, run.ailment)
    image = _digest(as_text(dig(container, "properties", "image")))
    pull = group.started - (group.started - group.phase.since) / 2
    times = 1 + run.restarts
    events = [
        _event("Pulling", f'pulling image "{image}"', "Normal", group.phase.since, times),
        _event("Pulled", f'Successfully pulled image "{image}"', "Normal", pull, times),
        _event("Started", "Started container", "Normal", run.started, times),
    ]
    if run.state is not RunState.RUNNING and run.exit_code:
        text = f"Container {container.get('name')} terminated with ExitCode {run.exit_code}."
        events.append(_event("Killing", text, "Normal", run.finished or run.started, times))
    if run.state is RunState.WAITING:
        at = (run.finished or run.started) + timedelta(seconds=1)
        text = "Back-off restarting failed container"
        events.append(_event("BackOff", text, "Warning", at, run.restarts))
    if run.ailment is not None:
        at = run.started + timedelta(seconds=run.trouble)
        told = run.ailment.message or "HTTP probe failed with statuscode: 503"
        text = f"{run.ailment.probe.capitalize()} probe failed: {told}"
        events.append(_event("Unhealthy", text, "Warning", at, run.trouble))
    if group.restarts:
        for event in events:
            event["firstTimestamp"] = second_text(group.deployed)
    return list(events)


def _pull_error(ailment: Ailment, image: str) -> str:
    told = ailment.message or "manifest unknown: manifest unknown"
    return f'Failed to pull image "{image}": {told}'


def _pull_events(group: Group, container: JsonObject, run: Run, ailment: Ailment) -> list[Json]:
    """The image is named as in the specification: nobody knows its digest."""
    image = as_text(dig(container, "properties", "image"))
    since, times = group.phase.since, run.trouble
    at = since + timedelta(seconds=times)
    return [
        _event("Pulling", f'pulling image "{image}"', "Normal", since, times),
        _event("Failed", _pull_error(ailment, image), "Warning", at, times),
    ]


def _event(name: str, message: str, kind: str, at: datetime, count: int) -> JsonObject:
    return {
        "count": count,
        "firstTimestamp": second_text(at),
        "lastTimestamp": second_text(at),
        "name": name,
        "message": message,
        "type": kind,
    }


def _digest(image: str) -> str:
    """The image as events name it, by digest; the specification keeps its tag. Source: C.1."""
    if "@" in image:
        return image
    repository, _, tag = image.rpartition(":")
    if not repository or "/" in tag:
        repository = image
    return f"{repository}@sha256:{hashlib.sha256(image.encode()).hexdigest()}"
