"""Whether a group is well: what it lacks, what is hopeless, what its containers tell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.core.containers import ContainerView, Event
from reconciler.core.groups import LiveGroup, WaitFor
from reconciler.core.ids import GroupId
from reconciler.core.mask import scrubbed
from reconciler.core.outcome import Trouble

_MOST_EVENTS = 5  # shown of a container
# Times that something must happen while we look, until it is taken for a state of affairs.
_REPEATS = 3
_LOOKS = 4  # at an unchanged state of affairs
_PULL_STATES = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
_PULL = re.compile(r"pull", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The verdict on a group after a write. `live` is the last view of it."""

    is_healthy: bool
    says: str
    live: LiveGroup | None


@dataclass(frozen=True, slots=True)
class Before:
    """How often containers had restarted and failed their probes when we first looked."""

    restarts: Mapping[str, int]
    failures: Mapping[str, int]

    @classmethod
    def of(cls, live: LiveGroup) -> Before:
        """The counts in a view."""
        return cls(
            {view.name: view.restarts for view in live.containers},
            {view.name: _probe_failures(view.events) for view in live.containers},
        )


def lacking(live: LiveGroup, until: WaitFor) -> str:
    """What `live` still lacks to be healthy; empty when it is."""
    if live.in_transition:
        return f"provisioning state {live.provisioning}"
    if until is WaitFor.PROVISIONED:
        return ""
    apps = [view for view in live.containers if not view.is_init]
    waiting = [view for view in apps if not _is_there(view, until)]
    if not apps:
        return "no container yet"
    return ", ".join(described(view) for view in waiting)


def _is_there(view: ContainerView, until: WaitFor) -> bool:
    ended_well = view.state == "Terminated" and view.exit_code == 0
    match until:
        case WaitFor.RUNNING:
            return view.state == "Running"
        case WaitFor.STARTED:
            return view.state == "Running" or ended_well
        case _:
            return ended_well


def hopeless(live: LiveGroup, until: WaitFor, before: Before | None = None) -> str:
    """Why waiting longer is pointless; empty when it is not.

    A failed provisioning, an image that cannot be pulled, a container that crash-loops or keeps
    failing a probe, or one that ended in a group that is over.
    """
    if live.has_failed:
        return f"provisioning {live.provisioning}"
    if until is WaitFor.PROVISIONED:
        return ""
    found = [_no_image(view) for view in live.containers]
    if not live.in_transition:
        found += [_loops(view, before) or _ended(view, live) for view in live.containers]
        found += [f"the group is {live.state}" if live.state == "Stopped" else ""]
    return next(filter(None, found), "")


def _ended(view: ContainerView, live: LiveGroup) -> str:
    failed = view.state == "Terminated" and view.exit_code not in (0, None)
    return described(view) if failed and live.state == "Failed" else ""


def _no_image(view: ContainerView) -> str:
    if view.state == "Running":
        return ""
    why = cannot_pull(view.events)
    if not why and view.detail.startswith(_PULL_STATES):
        why = view.detail
    return f"the image of container '{view.name}' cannot be pulled: {why}" if why else ""


def what_to_do(health: Health, group: GroupId) -> str:
    """What somebody can do about a group that is not well."""
    views = () if health.live is None else health.live.containers
    if any(_no_image(view) for view in views):
        return "check the image name and its tag, and imageRegistryCredentials"
    return f"see 'aci-reconcile logs {group}'"


def cannot_pull(events: Iterable[Event], *, looks: int = 0) -> str:
    """The message of the event that says why an image has not been pulled time and again.

    `looks` is how often the same has been seen before. The events are those of one container: of
    the group's, as an operation shows them, a message names it.
    """
    pulls = [event for event in events if _PULL.search(event.message)]
    failed = [event for event in pulls if event.is_warning]
    if not failed or not pulls[-1].is_warning:
        return ""
    is_lasting = sum(event.count for event in failed) >= _REPEATS or looks >= _LOOKS
    return failed[-1].message if is_lasting else ""


def _loops(view: ContainerView, before: Before | None) -> str:
    if view.detail.startswith("CrashLoopBackOff"):
        return f"{described(view)}, restarted {view.restarts} times"
    if before is None:
        return ""
    again = view.restarts - before.restarts.get(view.name, 0)
    failures = _probe_failures(view.events) - before.failures.get(view.name, 0)
    if failures >= _REPEATS:
        return f"{_named(view)} failed its probe {failures} times while we looked{_last(view)}"
    if again >= _REPEATS:
        return f"{_named(view)} restarted {again} times while we looked{_last(view)}"
    return ""


def _probe_failures(events: Iterable[Event]) -> int:
    return sum(event.count for event in events if event.name == "Unhealthy")


def described(view: ContainerView) -> str:
    """A container, its state and its last event in words."""
    exit_code = "" if view.exit_code is None else f" with exit code {view.exit_code}"
    detail = f" ({view.detail})" if view.detail and view.detail != view.state else ""
    return f"{_named(view)} {view.state or 'not started'}{exit_code}{detail}{_last(view)}"


def _named(view: ContainerView) -> str:
    return f"container '{view.name}'"


def _last(view: ContainerView) -> str:
    return f", last event: {view.last_event}" if view.last_event else ""


def reached(live: LiveGroup, until: WaitFor) -> str:
    """What a healthy group has reached."""
    number = sum(1 for view in live.containers if not view.is_init)
    if until is WaitFor.PROVISIONED or number == 0:
        return "provisioned"
    ended = sum(1 for v in live.containers if not v.is_init and v.state == "Terminated")
    parts = [f"{ended} of {number} ended with 0"] if ended else []
    parts += [f"{number - ended} of {number} running"] if number - ended else []
    return ", ".join(parts)


def troubles_of(live: LiveGroup, secrets: Sequence[str]) -> tuple[Trouble, ...]:
    """The containers that are not well, with their last events; `secrets` are masked."""
    return tuple(
        Trouble(
            container=view.name,
            state=_state_of(view),
            exit_code=view.exit_code,
            restarts=view.restarts,
            events=tuple(scrubbed(str(e), secrets) for e in view.events[-_MOST_EVENTS:]),
        )
        for view in live.containers
        if not _is_well(view)
    )


def _is_well(view: ContainerView) -> bool:
    if view.state == "Terminated":
        return view.exit_code == 0
    return view.state == "Running" and not any(event.is_warning for event in view.events)


def _state_of(view: ContainerView) -> str:
    detail = f" ({view.detail})" if view.detail and view.detail != view.state else ""
    return (view.state or "not started") + detail
