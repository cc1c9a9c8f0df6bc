"""How a write that was taken ended: by its containers, and with their logs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from reconciler.core.cloud import Cloud
from reconciler.core.groups import DesiredGroup, LiveGroup, Wait, WaitFor
from reconciler.core.ids import GroupId
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
    ActionKind.RESTART: "restarted",
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
    subject = _Subject(
        id=desired.id,
        wait=desired.policy.wait,
        is_task=desired.is_task,
        secrets=desired.secret_texts,
    )
    return _judged(action, subject, writer, until=until, stuck=stuck, seen=seen)


def judged_live(
    action: Action,
    live: LiveGroup,
    wait: Wait,
    writer: Writer,
    *,
    until: datetime,
    stuck: str = "",
    seen: LiveGroup | None = None,
) -> Outcome:
    """As `judged`, of a group that was written past its manifest, or has none."""
    desired = action.desired
    subject = _Subject(
        id=live.id,
        wait=wait,
        is_task=wait.until in (WaitFor.STARTED, WaitFor.SUCCEEDED),
        secrets=desired.secret_texts if desired is not None else (),
    )
    return _judged(action, subject, writer, until=until, stuck=stuck, seen=seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """What is known of the group that is judged; `secrets` are texts that must not be printed."""

    id: GroupId
    wait: Wait
    is_task: bool
    secrets: tuple[str, ...]


def _judged(
    action: Action,
    subject: _Subject,
    writer: Writer,
    *,
    until: datetime,
    stuck: str,
    seen: LiveGroup | None,
) -> Outcome:
    if stuck:
        health = Health(is_healthy=False, says=stuck, live=writer.waiter.present(subject.id))
    else:
        writer.watcher.step(action, f"waiting until {subject.wait.until.value}")
        health = writer.waiter.healthy(subject.id, subject.wait, until=until, seen=seen)
    secrets = subject.secrets
    says = scrubbed(health.says, secrets)
    is_bad = not health.is_healthy and health.live is not None
    return Outcome(
        action=action,
        status=Status.SUCCEEDED if health.is_healthy else Status.UNHEALTHY,
        says=_DONE[action.kind] + (", " if health.is_healthy else ", but ") + says,
        hint="" if health.is_healthy else what_to_do(health, subject.id),
        health=says,
        troubles=troubles_of(health.live, secrets) if is_bad and health.live else (),
        logs=_logs(subject, health, writer.cloud) if _shows_log(subject, health) else (),
    )


def _shows_log(subject: _Subject, health: Health) -> bool:
    """Whether a container was not well, or a task has something to say."""
    if health.live is None:
        return False
    has_ended = any(view.state == "Terminated" for view in health.live.containers)
    return not health.is_healthy or (subject.is_task and has_ended)


def _logs(subject: _Subject, health: Health, cloud: Cloud) -> tuple[TaskLog, ...]:
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
            text = cloud.logs(subject.id, one.name, tail=_LOG_LINES)
        except AzureError:
            continue
        logs.append(TaskLog(container=one.name, text=scrubbed(text, subject.secrets)))
    return tuple(logs)
