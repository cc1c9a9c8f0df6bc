"""Writing a whole definition, in place or anew, and what is known of it afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from reconciler.core.cloud import Accepted, Cloud
from reconciler.core.groups import DesiredGroup, LiveGroup, wire_body
from reconciler.core.ids import GroupId
from reconciler.core.jsonval import JsonObject, as_list, as_text, dig
from reconciler.core.mask import scrubbed
from reconciler.core.outcome import Outcome, Status, TaskLog
from reconciler.core.ownership import state_after_write, state_of, written_tags
from reconciler.core.plan import Action, ActionKind
from reconciler.core.remedies import Cause, remedy_of
from reconciler.errors import AzureError, NotTaken, ProvisioningFailed, StaleAction
from reconciler.execute.fates import delete_fate, put_fate
from reconciler.execute.health import Health, troubles_of, what_to_do
from reconciler.execute.readback import left, not_taken, remembered, take_tags
from reconciler.execute.send import REPEATED_S, Write, sent
from reconciler.execute.stale import reread
from reconciler.execute.writer import Progress, Writer

_LOG_LINES = 50
# What may pass while the label and the cores of a group just deleted become free.
_PASSES_AFTER_DELETE = frozenset({Cause.CAPACITY, Cause.LABEL})
_DONE = {
    ActionKind.CREATE: "created",
    ActionKind.UPDATE: "updated",
    ActionKind.REPLACE: "replaced",
    ActionKind.START: "started",
}


def put(
    action: Action,
    desired: DesiredGroup,
    live: LiveGroup | None,
    writer: Writer,
    progress: Progress,
    *,
    until: datetime | None = None,
) -> Outcome:
    """The outcome of a PUT of `desired` over `live`, read back and judged.

    With `until` the group was deleted just before: what stands in the way of its creation is met
    by another attempt until then.

    Raises:
        AzureError: it was not taken, or its provisioning failed.
    """
    state = state_after_write(desired, key=writer.key, commit=writer.commit)
    tags = written_tags(desired, live, owner=writer.owner, state=state)
    body = wire_body(desired, tags)
    before = live if until is None else None

    def check() -> None:
        if until is None:
            writer.waiter.settled(desired.id, until=writer.deadline(action))
            reread(action, writer.waiter)
        else:
            writer.waiter.gone(desired.id, until=until)

    writer.watcher.step(action, "writing")
    write = Write(
        send=lambda: writer.cloud.put_group(desired.id, body),
        fate=lambda: put_fate(
            desired.id, before, tags, lambda now: not left(desired, now, state), writer.waiter
        ),
        check=check,
        subnet=_subnet(body),
        persists_for=frozenset() if until is None else _PASSES_AFTER_DELETE,
        until=until,
    )
    accepted = sent(write, action, writer, progress)
    progress.is_deleted = False
    deadline = writer.deadline(action)
    stuck = finish(action, accepted, writer, progress, until=deadline)
    if stuck:
        return judged(action, desired, writer, until=deadline, stuck=stuck)
    settled = _settled(desired.id, writer, until=deadline)
    take_tags(desired, live, settled, tags, writer.waiter)
    if settled.has_failed:
        raise not_provisioned(action, f"provisioning {settled.provisioning}", code="")
    if lost := left(desired, settled, state):
        raise remembered(desired, tags, state, lost, writer.waiter)
    return judged(action, desired, writer, until=deadline, seen=settled)


def _settled(group: GroupId, writer: Writer, *, until: datetime) -> LiveGroup:
    seen = writer.waiter.present(group)
    settled = seen and writer.waiter.settled(group, until=until, seen=seen)
    if settled is None:
        raise not_taken(group, [])
    return settled


def _subnet(body: JsonObject) -> str:
    subnets = as_list(dig(body, "properties", "subnetIds"))
    return as_text(dig(subnets[0], "id")).lower() if subnets else ""


def put_anew(
    action: Action, desired: DesiredGroup, live: LiveGroup, writer: Writer, progress: Progress
) -> Outcome:
    """The outcome of deleting `live` and creating `desired` in its place.

    From the moment the delete is sent the create is sent too, whatever comes between. Where it
    cannot be had and the plan holds what was there before, that is created again.

    Raises:
        AzureError: it was not created; `progress` tells whether the group is there now.
    """
    try:
        removed(action, writer, progress)
    except AzureError as exc:
        if not progress.is_deleted or is_there(action, writer):
            raise
        writer.watcher.step(action, f"{exc.says}: trying to create it all the same")
    until = writer.deadline(action)
    try:
        return _until(action, desired, live, writer, progress, until=until)
    except AzureError as exc:
        if action.fallback is None or not _is_lost(exc, progress):
            raise
        _restore(action, action.fallback, live, writer, progress)
        progress.is_restored = True
        exc.says += "; the group was created again as it was before"
        raise


def _until(
    action: Action,
    desired: DesiredGroup,
    live: LiveGroup,
    writer: Writer,
    progress: Progress,
    *,
    until: datetime,
) -> Outcome:
    """`put`, repeated while Azure accepts it and then lacks the capacity for it."""
    while True:
        try:
            return put(action, desired, live, writer, progress, until=until)
        except ProvisioningFailed as exc:
            is_over = writer.clock.now() >= until
            if is_over or remedy_of(exc).cause is not Cause.CAPACITY:
                raise
            writer.watcher.step(action, f"{exc.says}: deleting what failed, then trying again")
            _away(action, writer, progress)
            writer.rest(REPEATED_S * writer.pace.scale, progress)


def _is_lost(exc: AzureError, progress: Progress) -> bool:
    """Whether there is no group now, or one that Azure could not bring up."""
    if isinstance(exc, StaleAction | NotTaken):
        return False  # there is one: somebody else's, or ours less a field
    return progress.is_deleted or isinstance(exc, ProvisioningFailed)


def is_there(action: Action, writer: Writer) -> bool:
    """Whether a group whose delete was sent is there all the same: Azure may fail to delete it."""
    assert isinstance(action.target, GroupId)
    try:
        live = writer.waiter.view(action.target)
    except AzureError:
        return False
    return live is not None and not live.in_transition


def _restore(
    action: Action,
    fallback: DesiredGroup,
    live: LiveGroup,
    writer: Writer,
    progress: Progress,
) -> None:
    writer.watcher.step(action, "creating it again as it was before")
    if not progress.is_deleted:
        _away(action, writer, progress)
    writer.waiter.gone(fallback.id, until=writer.clock.now() + writer.waiter.patience)
    state = state_of(live)
    # Its tag names the commit it comes from, or the next run would look for it in the wrong one.
    then = replace(writer, commit="" if state is None else state.commit)
    put(action, fallback, live, then, progress, until=writer.deadline(action))


def removed(action: Action, writer: Writer, progress: Progress) -> None:
    """Return once the group is gone.

    Raises:
        AzureError: the delete was refused, failed, or did not end in time.
    """
    writer.watcher.step(action, "deleting")
    _away(action, writer, progress, check=lambda: reread(action, writer.waiter))


def _away(
    action: Action,
    writer: Writer,
    progress: Progress,
    *,
    check: Callable[[], object] = lambda: None,
) -> None:
    target = action.target
    assert isinstance(target, GroupId)
    location = "" if action.live is None else action.live.location
    write = Write(
        send=lambda: writer.cloud.delete_group(target, location=location),
        fate=lambda: delete_fate(target, writer.waiter),
        check=check,
    )
    try:
        accepted = sent(write, action, writer, progress)
    finally:
        # Also where its fate is unknown: from here on the group may be gone.
        progress.is_deleted = progress.wrote and action.kind is ActionKind.REPLACE
    until = writer.deadline(action)
    finish(action, accepted, writer, progress, until=until)
    writer.waiter.gone(target, until=until)


def finish(
    action: Action, accepted: Accepted, writer: Writer, progress: Progress, *, until: datetime
) -> str:
    """Wait for the operation of a write; why that is pointless, or an empty text.

    Raises:
        ProvisioningFailed: it ended in failure.
        OperationTimedOut: it did not end by `until`.
    """
    if accepted.operation is None:
        return ""
    progress.operation = accepted.operation.url.partition("?")[0]
    writer.watcher.step(action, "waiting for Azure's operation", operation=progress.operation)
    target = action.target if isinstance(action.target, GroupId) else None
    look = writer.waiter.finished(accepted.operation, target, until=until)
    if not look.is_final:
        return look.error_message
    if look.status.lower() == "succeeded":
        return ""
    says = look.error_message or f"the operation ended {look.status}"
    request_id = look.request_id or accepted.request_id
    raise not_provisioned(action, says, code=look.error_code, request_id=request_id)


def not_provisioned(
    action: Action, says: str, *, code: str, request_id: str = ""
) -> ProvisioningFailed:
    """The error for a write that was taken and came to nothing."""
    failed = ProvisioningFailed(
        says,
        verb=action.kind.value,
        target=str(action.target),
        code=code or None,
        request_id=request_id or None,
    )
    failed.hint = remedy_of(failed).hint or "see 'aci-reconcile status' for what is left"
    return failed


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
