"""What a group and its containers are doing at a moment: a function of stored facts (section E).

Images are never run. How a container ends is read off its definition, and this is the whole rule:

* environment variable `EMULATOR_EXIT_CODE`: a number is its exit code, `none` means it never ends;
* else a command that loops (`while true`, `sleep infinity`, `tail -f`) never ends;
* else a command that is `/bin/false`, or holds `exit N`, ends with that code;
* else it runs on under restart policy Always, and ends with 0 under Never and OnFailure.

A fault goes before all of that: see `Ailment`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from reconciler.emulator.facts import Ailment, Group, Moment
from reconciler.emulator.jsonval import JsonObject, as_list, as_text, dig, objects
from reconciler.emulator.pace import Kind, Unit

_LOOPS = re.compile(r"while\s+(true|:)|sleep\s+infinity|tail\s+-f", re.IGNORECASE)
_EXIT = re.compile(r"\bexit\s+(\d{1,3})\b")
# Kubernetes' own back-off, which the recorded texts quote ("Back-off 10s restarting failed").
_BACK_OFF = (10, 20, 40, 80, 160, 300)


class RunState(Enum):
    """What one container does. Source: E.1."""

    RUNNING = "Running"
    WAITING = "Waiting"
    TERMINATED = "Terminated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One container at a moment."""

    state: RunState
    started: datetime
    exit_code: int = 0
    finished: datetime | None = None
    restarts: int = 0
    ailment: Ailment | None = None  # what a fault made of it
    trouble: int = 0  # how often that has shown


def elapsed(group: Group, moment: Moment) -> float:
    """How much of its phase a group has behind it, in the phase's unit."""
    if group.phase.unit is Unit.READS:
        return float(moment.reads)
    return (moment.now - group.phase.since).total_seconds()


def is_settled(group: Group, moment: Moment) -> bool:
    """Whether the last write has taken effect."""
    return elapsed(group, moment) >= group.phase.span


def is_going(group: Group) -> bool:
    """Whether a deletion is under way that will come to its end: a failed one leaves the group."""
    return group.phase.kind is Kind.DELETE and not group.failure


def restart_policy(group: Group) -> str:
    """The effective policy: Always when none was sent. Source: C.3."""
    return as_text(group.properties.get("restartPolicy")) or "Always"


def is_stopped(group: Group, moment: Moment) -> bool:
    """Whether the group was stopped and that has taken effect."""
    return group.phase.kind is Kind.STOP and is_settled(group, moment)


def provisioning_state(group: Group, moment: Moment) -> str:
    """The last write's progress; it says nothing of health. Source: E.1."""
    if group.phase.kind is Kind.DELETE and not (group.failure and is_settled(group, moment)):
        return "Deleting"
    if is_settled(group, moment):
        return group.ending.status if group.failure else "Succeeded"
    match group.phase.kind:
        case Kind.RESTART:
            return "Updating"
        case Kind.STOP:
            return "Succeeded"
        case _:
            return "Pending"


def group_state(group: Group, moment: Moment) -> str:
    """`instanceView.state` of the group. Source: E.1."""
    if is_stopped(group, moment):
        return "Stopped"
    if not is_running(group, moment):
        return "Pending"
    if group.failure:
        return "Failed"
    runs = [run_of(group, container, moment) for container in containers(group)]
    if runs and all(run.ailment is not None and run.ailment.kind == "image-pull" for run in runs):
        return "Pending"
    if any(run.state is not RunState.TERMINATED for run in runs):
        return "Running"
    return "Failed" if any(run.exit_code for run in runs) else "Succeeded"


def is_running(group: Group, moment: Moment) -> bool:
    """Whether the containers were handed over, so that there is something to say of them."""
    if group.phase.kind in (Kind.STOP, Kind.DELETE, Kind.RESTART):
        return not is_stopped(group, moment)
    return is_settled(group, moment)


def is_pulling(group: Group, moment: Moment) -> bool:
    """Whether a new deployment is held up by images that cannot be pulled."""
    return (
        group.phase.kind in (Kind.CREATE, Kind.UPDATE, Kind.START)
        and not is_settled(group, moment)
        and any(ailment.kind == "image-pull" for ailment in group.ailments)
    )


def is_live(group: Group, moment: Moment) -> bool:
    """Whether a PUT updates this group in place; otherwise it is deployed anew. Source: D.1."""
    if group.failure or is_stopped(group, moment):
        return False
    return restart_policy(group) == "Always" or group_state(group, moment) == "Running"


def containers(group: Group) -> list[JsonObject]:
    """The containers of the specification, in order."""
    return objects(group.properties.get("containers"))


def exit_code(container: JsonObject, policy: str) -> int | None:
    """What the container ends with; None when it never ends. The rule is the module's."""
    properties = container.get("properties")
    for variable in objects(dig(properties, "environmentVariables")):
        if variable.get("name") == "EMULATOR_EXIT_CODE":
            value = as_text(variable.get("value"))
            return int(value) if value.isdecimal() else None
    command = " ".join(as_text(part) for part in as_list(dig(properties, "command")))
    if _LOOPS.search(command):
        return None
    if command.strip() in ("false", "/bin/false"):
        return 1
    if found := _EXIT.search(command):
        return int(found.group(1))
    return None if policy == "Always" else 0


def run_of(group: Group, container: JsonObject, moment: Moment) -> Run:
    """What `container` does, once the group is running."""
    policy = restart_policy(group)
    ailment = ailment_of(group, container)
    ran = max(elapsed(group, moment) - group.phase.span, 0.0)
    if ailment is not None and ailment.kind in ("image-pull", "probe"):
        return _ailing(group, ailment, 1 + int(ran))
    code = exit_code(container, policy) if ailment is None else ailment.exit_code
    if not is_settled(group, moment) and policy == "Always":
        # While a stop or restart is under way the containers are as they were: long started.
        ran = group.phase.task
    if code is None or ran < group.phase.task:
        return Run(state=RunState.RUNNING, started=group.started, restarts=group.restarts)
    seconds = group.phase.task if group.phase.unit is Unit.SECONDS else 0.0
    finished = group.started + timedelta(seconds=seconds)
    again = policy == "Always" or (policy == "OnFailure" and code != 0)
    return Run(
        state=RunState.WAITING if again and code != 0 else RunState.TERMINATED,
        started=group.started,
        exit_code=code,
        finished=finished,
        restarts=group.restarts + (_times_restarted(group, ran - group.phase.task) if again else 0),
    )


def ailment_of(group: Group, container: JsonObject) -> Ailment | None:
    """What ails `container`; of several, what came last."""
    found = [
        ailment
        for ailment in group.ailments
        if ailment.container in ("", as_text(container.get("name")))
    ]
    return found[-1] if found else None


def _ailing(group: Group, ailment: Ailment, times: int) -> Run:
    """A container that never starts, or one whose probe has failed so many times.

    A liveness probe has it restarted at every third failure, which is Kubernetes' default.
    """
    if ailment.kind == "image-pull":
        return Run(state=RunState.WAITING, started=group.started, ailment=ailment, trouble=times)
    again = times // 3 if ailment.probe == "liveness" else 0
    return Run(
        state=RunState.RUNNING,
        started=group.started,
        exit_code=137 if again else 0,
        restarts=group.restarts + again,
        ailment=ailment,
        trouble=times,
    )


def _times_restarted(group: Group, passed: float) -> int:
    """How often a crashing container was tried again: by its back-off, or once a read."""
    if group.phase.unit is Unit.READS:
        return 1 + int(passed)
    times = 1
    for times, pause in enumerate(_BACK_OFF, start=1):
        if passed < pause:
            return times
        passed -= pause
    return times + int(passed // _BACK_OFF[-1]) + 1


def back_off(restarts: int) -> int:
    """The pause, in seconds, before restart number `restarts`."""
    return _BACK_OFF[min(max(restarts, 1), len(_BACK_OFF)) - 1]
