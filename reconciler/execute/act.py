"""Carrying out one action: read again, write, wait, read back."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from reconciler.core.cloud import Accepted, Clock, Cloud
from reconciler.core.groups import DesiredGroup, LiveGroup, WaitFor, wire_body
from reconciler.core.ids import GroupId, ResourceGroupId
from reconciler.core.jsonval import as_text, dig
from reconciler.core.mask import scrubbed
from reconciler.core.outcome import Outcome, Status, TaskLog
from reconciler.core.ownership import (
    CREATED_TAG,
    Ownership,
    SecretKey,
    StateTag,
    format_state,
    ownership_of,
    state_after_tags,
    state_after_write,
    state_of,
    written_tags,
)
from reconciler.core.plan import Action, ActionKind
from reconciler.core.properties import Effect
from reconciler.errors import (
    AuthenticationFailed,
    AzureError,
    Conflict,
    Forbidden,
    NotFound,
    ProvisioningFailed,
    Rejected,
    StaleAction,
    Throttled,
)
from reconciler.execute.observe import view
from reconciler.execute.readback import check_tags, left, not_taken, remembered, take_tags
from reconciler.execute.stale import reread
from reconciler.execute.wait import Health, Pace, Waiter


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who writes, and how. `tell` hears each step as `(action, text)`, from worker threads."""

    cloud: Cloud
    clock: Clock
    pace: Pace
    owner: str
    key: SecretKey | None
    commit: str
    tell: Callable[[Action, str], None]

    @property
    def waiter(self) -> Waiter:
        """Waits by the same clock and pace."""
        return Waiter(cloud=self.cloud, clock=self.clock, pace=self.pace)


_log = logging.getLogger(__name__)

# Answers that leave no doubt: the write was not taken.
_REFUSALS = (AuthenticationFailed, Forbidden, NotFound, Conflict, Throttled, Rejected)


@dataclass(slots=True)
class Progress:
    """What an action has done so far: whether Azure may have changed, and how far a replace got."""

    wrote: bool = False
    is_deleted: bool = False

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One write, which counts unless Azure refuses it; one that is lost on the way counts."""
        before, self.wrote = self.wrote, True
        try:
            yield
        except _REFUSALS:
            self.wrote = before
            raise


def carry_out(action: Action, writer: Writer) -> Outcome:
    """The outcome of one action; whatever goes wrong is an outcome too."""
    started = writer.clock.now()
    progress = Progress()
    try:
        outcome = _STEPS[action.kind](action, writer, progress)
    except AzureError as exc:
        outcome = _failed(action, exc, progress)
    except Exception as exc:  # noqa: BLE001  # a bug met by one action must not hide the others' fate
        _log.debug("%s: %s", action.target, exc, exc_info=True)
        bug = AzureError(f"internal error: {type(exc).__name__}: {exc}", hint="please report it")
        outcome = _failed(action, bug, progress)
    return replace(outcome, wrote=progress.wrote, took=writer.clock.now() - started)


def _failed(action: Action, exc: AzureError, progress: Progress) -> Outcome:
    status = Status.STALE if isinstance(exc, StaleAction) else Status.FAILED
    says, hint = exc.says, exc.hint
    if progress.is_deleted:
        says = f"STRANDED: deleted and not known to be created again: {says}"
        hint = "the group may not exist now; repair it with 'aci-reconcile apply'"
    elif exc.code == "InvalidContainerGroupUpdate":
        hint = f"Azure refuses the change in place: plan it with --replace {action.target}"
    elif _is_repair(action) and status is Status.FAILED:
        hint = f"{hint}; or deploy it anew with --replace {action.target}".removeprefix("; or ")
    return Outcome(
        action=action,
        status=status,
        says=says,
        hint=hint,
        code=exc.code or "",
        request_id=exc.request_id or "",
        is_stranded=progress.is_deleted,
    )


def _is_repair(action: Action) -> bool:
    is_update = action.kind is ActionKind.UPDATE and not isinstance(action.target, ResourceGroupId)
    return is_update and action.live is not None and action.live.has_failed


def _resource_group(action: Action, writer: Writer, progress: Progress) -> Outcome:
    declared = action.declared
    assert declared is not None
    if writer.cloud.resource_group(declared.id) is not None:
        raise StaleAction("it exists by now", verb="create", target=str(declared.id))
    tags = {**declared.tags, CREATED_TAG: writer.owner}
    with progress.writing():
        writer.cloud.put_resource_group(declared.id, location=declared.location, tags=tags)
    return Outcome(action=action, status=Status.SUCCEEDED, says=f"created in {declared.location}")


def _create(action: Action, writer: Writer, progress: Progress) -> Outcome:
    if action.declared is not None:
        return _resource_group(action, writer, progress)
    reread(action, writer.cloud)
    return _put(action, _desired(action), None, writer, progress)


def _update(action: Action, writer: Writer, progress: Progress) -> Outcome:
    live = reread(action, writer.cloud)
    return _put(action, _desired(action), live, writer, progress)


def _replace(action: Action, writer: Writer, progress: Progress) -> Outcome:
    live = reread(action, writer.cloud)
    _remove(action, writer, progress)
    return _put(action, _desired(action), live, writer, progress)


def _delete(action: Action, writer: Writer, progress: Progress) -> Outcome:
    if isinstance(action.target, ResourceGroupId):
        return _delete_resource_group(action, action.target, writer, progress)
    reread(action, writer.cloud)
    _remove(action, writer, progress)
    return Outcome(action=action, status=Status.SUCCEEDED, says="deleted")


def _delete_resource_group(
    action: Action, target: ResourceGroupId, writer: Writer, progress: Progress
) -> Outcome:
    held = writer.cloud.resources_in(target)
    if held:
        first = as_text(dig(held[0], "id"))
        raise StaleAction(f"it is not empty, it holds {first}", verb="delete", target=str(target))
    writer.tell(action, "deleting the resource group")
    with progress.writing():
        accepted = writer.cloud.delete_resource_group(target)
    _finish(action, accepted, writer)
    return Outcome(action=action, status=Status.SUCCEEDED, says="deleted")


def _tags(action: Action, writer: Writer, progress: Progress) -> Outcome:
    live = reread(action, writer.cloud)
    assert live is not None
    now, state = _patch(action, live, writer, progress)
    desired = _desired(action)
    if lost := left(desired, now, state):
        raise not_taken(desired.id, [change.path for change in lost])
    done = "adopted" if action.kind is ActionKind.ADOPT else "tags patched"
    return Outcome(action=action, status=Status.SUCCEEDED, says=f"{done}, nothing restarted")


def _patch(
    action: Action, live: LiveGroup, writer: Writer, progress: Progress
) -> tuple[LiveGroup | None, StateTag]:
    """The group once its tags are up to date, and what they remember."""
    desired = _desired(action)
    _, state = _states(action, live, writer)
    tags = written_tags(desired, live, owner=writer.owner, state=state)
    writer.tell(action, "patching tags")
    with progress.writing():
        writer.cloud.patch_tags(desired.id, tags)
    now = view(writer.cloud, desired.id)
    check_tags(desired, now, tags)
    return now, state


def _states(action: Action, live: LiveGroup, writer: Writer) -> tuple[StateTag | None, StateTag]:
    """What the tags remember, and what they should once only they were written."""
    # A state tag that was copied here speaks of the secrets of another group.
    is_ours = ownership_of(live, writer.owner) is Ownership.OURS
    before = state_of(live) if is_ours else None
    trusted = writer.key if action.rebaseline else None
    after = state_after_tags(_desired(action), before, commit=writer.commit, trusted=trusted)
    return before, after


def _is_news(before: StateTag, after: StateTag) -> bool:
    """Whether the tags would say more than another commit."""
    return format_state(replace(after, commit=before.commit)) != format_state(before)


def _start(action: Action, writer: Writer, progress: Progress) -> Outcome:
    live = reread(action, writer.cloud)
    assert live is not None
    desired = _desired(action)
    before, after = _states(action, live, writer)
    tags_differ = bool(action.diff.costing(Effect.TAGS))
    if tags_differ or before is None or _is_news(before, after):
        _patch(action, live, writer, progress)
    writer.tell(action, "starting")
    with progress.writing():
        accepted = writer.cloud.start(desired.id)
    _finish(action, accepted, writer)
    settled = writer.waiter.settled(lambda: view(writer.cloud, desired.id), group=str(desired.id))
    if settled is None:
        raise not_taken(desired.id, [])
    if settled.has_failed:
        raise _not_provisioned(action, f"provisioning {settled.provisioning}", code="")
    return _judged(action, desired, writer)


def _left_as_is(action: Action, _writer: Writer, _progress: Progress) -> Outcome:
    """A refusal that concerns its own group alone."""
    return Outcome(action=action, status=Status.FAILED, says=action.why, hint=action.allow)


def _look_after(action: Action, writer: Writer, _progress: Progress) -> Outcome:
    """Whether a group that is left alone is healthy, since something depends on it."""
    desired = _desired(action)
    read = partial(view, writer.cloud, desired.id)
    health = writer.waiter.healthy(read, desired.policy.wait)
    return Outcome(
        action=action,
        status=Status.SUCCEEDED if health.is_healthy else Status.UNHEALTHY,
        says=health.says if health.is_healthy else f"left alone, but {health.says}",
        hint="" if health.is_healthy else f"see 'aci-reconcile logs {desired.id}'",
    )


_Step = Callable[[Action, Writer, Progress], Outcome]
_STEPS: Mapping[ActionKind, _Step] = {
    ActionKind.CREATE: _create,
    ActionKind.UPDATE: _update,
    ActionKind.REPLACE: _replace,
    ActionKind.DELETE: _delete,
    ActionKind.ADOPT: _tags,
    ActionKind.PATCH_TAGS: _tags,
    ActionKind.START: _start,
    ActionKind.NO_OP: _look_after,
    ActionKind.REFUSE: _left_as_is,
}


def _desired(action: Action) -> DesiredGroup:
    assert action.desired is not None
    return action.desired


def _remove(action: Action, writer: Writer, progress: Progress) -> None:
    assert isinstance(action.target, GroupId)
    writer.tell(action, "deleting")
    try:
        with progress.writing():
            accepted = writer.cloud.delete_group(action.target)
    finally:
        # Also where its fate is unknown: from here on the group may be gone.
        progress.is_deleted = progress.wrote and action.kind is ActionKind.REPLACE
    _finish(action, accepted, writer)
    writer.waiter.gone(action.target)


def _put(
    action: Action,
    desired: DesiredGroup,
    live: LiveGroup | None,
    writer: Writer,
    progress: Progress,
) -> Outcome:
    state = state_after_write(desired, key=writer.key, commit=writer.commit)
    tags = written_tags(desired, live, owner=writer.owner, state=state)
    body = wire_body(desired, tags)
    writer.tell(action, "writing")
    with progress.writing():
        accepted = writer.cloud.put_group(desired.id, body)
    progress.is_deleted = False
    _finish(action, accepted, writer)
    settled = writer.waiter.settled(lambda: view(writer.cloud, desired.id), group=str(desired.id))
    if settled is None:
        raise not_taken(desired.id, [])
    take_tags(desired, live, settled, tags, writer.cloud)
    if settled.has_failed:
        raise _not_provisioned(action, f"provisioning {settled.provisioning}", code="")
    if lost := left(desired, settled, state):
        raise remembered(desired, tags, state, lost, writer.cloud)
    return _judged(action, desired, writer)


def _finish(action: Action, accepted: Accepted, writer: Writer) -> None:
    if accepted.operation is None:
        return
    writer.tell(action, "waiting for Azure's operation")
    look = writer.waiter.finished(accepted.operation, group=str(action.target))
    if look.status.lower() != "succeeded":
        says = look.error_message or f"the operation ended {look.status}"
        request_id = look.request_id or accepted.request_id
        raise _not_provisioned(action, says, code=look.error_code, request_id=request_id)


def _not_provisioned(
    action: Action, says: str, *, code: str, request_id: str = ""
) -> ProvisioningFailed:
    return ProvisioningFailed(
        says,
        verb=action.kind.value,
        target=str(action.target),
        code=code or None,
        request_id=request_id or None,
        hint="see 'aci-reconcile status' for what is left",
    )


def _judged(action: Action, desired: DesiredGroup, writer: Writer) -> Outcome:
    wait = desired.policy.wait
    writer.tell(action, f"waiting until {wait.until.value}")
    health = writer.waiter.healthy(lambda: view(writer.cloud, desired.id), wait)
    logs = _task_logs(desired, health, writer) if _shows_log(desired, health) else ()
    done = {
        ActionKind.CREATE: "created",
        ActionKind.UPDATE: "updated",
        ActionKind.REPLACE: "replaced",
        ActionKind.START: "started",
    }[action.kind]
    return Outcome(
        action=action,
        status=Status.SUCCEEDED if health.is_healthy else Status.UNHEALTHY,
        says=f"{done}, {health.says}" if health.is_healthy else f"{done}, but {health.says}",
        hint="" if health.is_healthy else f"see 'aci-reconcile logs {desired.id}'",
        logs=logs,
    )


def _shows_log(desired: DesiredGroup, health: Health) -> bool:
    waited_to_its_end = desired.policy.wait.until is WaitFor.SUCCEEDED
    return waited_to_its_end or (not health.is_healthy and health.live is not None)


def _task_logs(desired: DesiredGroup, health: Health, writer: Writer) -> tuple[TaskLog, ...]:
    """The end of what each container printed, secrets masked; a log that fails is left out."""
    views = health.live.containers if health.live is not None else ()
    logs = []
    for one in views:
        if one.is_init or (health.is_healthy is False and one.state == "Running"):
            continue
        try:
            text = writer.cloud.logs(desired.id, one.name, tail=50)
        except AzureError:
            continue
        logs.append(TaskLog(container=one.name, text=scrubbed(text, desired.secret_texts)))
    return tuple(logs)
