"""How a write that was taken ended: by its containers, and with their logs."""

from __future__ import annotations

from datetime import datetime

from reconciler.core.cloud import Cloud
from reconciler.core.groups import DesiredGroup, LiveGroup
from reconciler.core.mask import scrubbed
from reconciler.core.outcome import Outcome, Status, TaskLog
from reconciler.core.plan import Action, ActionKind
from reconciler.errors import AzureError
from reconciler.execute.health import Health, troubles_of, what_to_do
from reconciler.execute.writer import Writer

_LOG_LINES = 50
_DONE = {
    ActionKind.CREATE: "created",
    ActionKind.UPDATE: "updated",
    ActionKind.REPLACE: "replaced",
    ActionKind.START: "started",
}


def judged(
    action: Action,
    desired: DesiredGroup,
    writer: Writer,
    *,
    until: datetime,
    stuck: str = "",
    seen: LiveGroup | None = None,
) -> Outcome:
    """The outcome of a write that was taken, by how its containers do; `stuck`: not at all.

    `seen` is a look at the group just now.
    """
    wait = desired.policy.wait
    if stuck:
        health = Health(is_healthy=False, says=stuck, live=writer.waiter.present(desired.id))
    else:
        writer.watcher.step(action, f"waiting until {wait.until.value}")
        health = writer.waiter.healthy(desired.id, wait, until=until, seen=seen)
    secrets = desired.secret_texts
    says = scrubbed(health.says, secrets)
    is_bad = not health.is_healthy and health.live is not None
    return Outcome(
        action=action,
        status=Status.SUCCEEDED if health.is_healthy else Status.UNHEALTHY,
        says=_DONE[action.kind] + (", " if health.is_healthy else ", but ") + says,
        hint="" if health.is_healthy else what_to_do(health, desired.id),
        health=says,
        troubles=troubles_of(health.live, secrets) if is_bad and health.live else (),
        logs=_logs(desired, health, writer.cloud) if _shows_log(desired, health) else (),
    )


def _shows_log(desired: DesiredGroup, health: Health) -> bool:
    """Whether a container was not well, or a task has something to say."""
    if health.live is None:
        return False
    has_ended = any(view.state == "Terminated" for view in health.live.containers)
    return not health.is_healthy or (desired.is_task and has_ended)


def _logs(desired: DesiredGroup, health: Health, cloud: Cloud) -> tuple[TaskLog, ...]:
    """The end of what each container printed, secrets masked; a log that fails is left out.

    Of a group that is not well, those that are not.
    """
    live = health.live
    if live is None:
        return ()
    failing = {trouble.container for trouble in troubles_of(live, ())}
    logs = []
    for one in live.containers:
        if one.name not in failing if not health.is_healthy else one.is_init:
            continue
        try:
            text = cloud.logs(desired.id, one.name, tail=_LOG_LINES)
        except AzureError:
            continue
        logs.append(TaskLog(container=one.name, text=scrubbed(text, desired.secret_texts)))
    return tuple(logs)
