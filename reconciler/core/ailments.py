"""How a group is doing by its instance view, whatever its definition says."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from reconciler.core.containers import ContainerView
from reconciler.core.groups import DesiredGroup, LiveGroup

_REPEATS = 3  # restarts until a container that failed is taken for one that loops
_PULL_STATES = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")


class Ailment(Enum):
    """What can be wrong with a group."""

    CRASH_LOOPING = "crash-looping"
    UNHEALTHY = "unhealthy"
    STOPPED = "stopped"


def ailments_of(
    desired: DesiredGroup, live: LiveGroup, *, restarts_before: int | None = None
) -> Iterator[tuple[Ailment, str]]:
    """What is wrong with a group whose containers were looked at, each kind once.

    `restarts_before` is how often its containers had restarted when somebody looked last.
    """
    if live.state == "Stopped":
        yield Ailment.STOPPED, "it is stopped"
        return
    if loops := [text for view in live.containers if (text := _loop(view, live))]:
        yield Ailment.CRASH_LOOPING, ", ".join(loops)
    elif restarts_before is not None and live.restarts - restarts_before >= _REPEATS:
        again = live.restarts - restarts_before
        yield Ailment.CRASH_LOOPING, f"restarted {again} times since the run before"
    if ills := [*_ills(desired, live)]:
        yield Ailment.UNHEALTHY, ", ".join(ills)


def _loop(view: ContainerView, live: LiveGroup) -> str:
    if view.detail.startswith("CrashLoopBackOff"):
        return f"container '{view.name}' restarted {view.restarts} times ({view.detail})"
    failed = view.state == "Terminated" and view.exit_code not in (0, None)
    if failed and view.restarts >= _REPEATS and not live.has_ended:
        times = f"restarted {view.restarts} times"
        return f"container '{view.name}' ended with exit code {view.exit_code}, {times}"
    return ""


def _ills(desired: DesiredGroup, live: LiveGroup) -> Iterator[str]:
    if live.has_failed or live.provisioning.lower() in ("unhealthy", "repairing"):
        yield f"provisioning state {live.provisioning}"
    if live.state == "Failed":
        yield "group state Failed"
    for view in live.containers:
        if view.detail.startswith(_PULL_STATES) and view.state != "Running":
            yield f"the image of container '{view.name}' cannot be pulled: {view.detail}"
        elif desired.is_task and live.has_ended and view.exit_code not in (0, None):
            yield f"container '{view.name}' ended with exit code {view.exit_code}"
