"""Carrying out one action: read again, write, wait, read back."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from reconciler.core.cloud import Accepted, Clock, Cloud
from reconciler.core.diff import diff
from reconciler.core.groups import DesiredGroup, LiveGroup, WaitFor, wire_body
from reconciler.core.ids import GroupId, ResourceGroupId
from reconciler.core.jsonval import Path, as_text, dig, pointer
from reconciler.core.mask import scrubbed
from reconciler.core.outcome import Outcome, Status, TaskLog
from reconciler.core.ownership import (
    CREATED_TAG,
    Ownership,
    SecretKey,
    StateTag,
    ownership_of,
    state_after_tags,
    state_after_write,
    state_of,
    written_tags,
)
from reconciler.core.plan import Action, ActionKind
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
    return Outcome(
        action=action,
        status=status,
        says=says,
        hint=hint,
        code=exc.code or "",
        request_id=exc.request_id or "",
        is_stranded=progress.is_deleted,
    )


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
    desired = _desired(action)
    # A state tag that was copied here speaks of the secrets of another group.
    is_ours = ownership_of(live, writer.owner) is Ownership.OURS
    before = state_of(live) if is_ours else None
    state = state_after_tags(desired, before, commit=writer.commit)
    tags = written_tags(desired, live, owner=writer.owner, state=state)
    writer.tell(action, "patching tags")
    with progress.writing():
        writer.cloud.patch_tags(desired.id, tags)
    now = view(writer.cloud, desired.id)
    _check_taken(desired, now, state)
    _check_tags(desired, now, tags)
    done = "adopted" if action.kind is ActionKind.ADOPT else "tags patched"
    return Outcome(action=action, status=Status.SUCCEEDED, says=f"{done}, nothing restarted")


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
    ActionKind.NO_OP: _look_after,
}


def _desired(action: Action) -> DesiredGroup:
    assert action.desired is not None
    return action.desired


def reread(action: Action, cloud: Cloud) -> LiveGroup | None:
    """The group as it is now, provided it is as the plan saw it: there is no ETag (design 2.7).

    Raises:
        StaleAction: it moved, appeared, vanished or is in transition; nothing was written.
    """
    assert isinstance(action.target, GroupId)
    now = view(cloud, action.target)
    planned = action.live
    if now is None and planned is None:
        return None
    if now is None or planned is None:
        moved = "it appeared" if planned is None else "it vanished"
    elif now.in_transition:
        moved = f"it is in transition ({now.provisioning})"
    elif now.canonical != planned.canonical:
        moved = "its definition changed"
    elif dict(now.tags) != dict(planned.tags):
        moved = "its tags changed"
    elif planned.has_failed and (not now.has_failed or now.has_run != planned.has_run):
        # What failed may recover by itself (E.1); a repair would restart it.
        moved = f"its deployment went from {planned.provisioning} to {now.provisioning}"
    elif planned.state and now.has_ended != planned.has_ended:
        # A PUT would start what somebody has just stopped: not what the plan said.
        moved = f"it went from {planned.state} to {now.state}"
    else:
        return now
    raise StaleAction(
        f"{moved} since the plan",
        verb=action.kind.value,
        target=str(action.target),
        hint="plan again",
    )


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
        raise _not_taken(desired.id, [])
    _take_tags(desired, live, settled, tags, writer)
    if settled.has_failed:
        raise _not_provisioned(action, f"provisioning {settled.provisioning}", code="")
    _check_taken(desired, settled, state)
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


def _take_tags(
    desired: DesiredGroup,
    before: LiveGroup | None,
    now: LiveGroup,
    tags: Mapping[str, str],
    writer: Writer,
) -> None:
    """Patch the tags if the PUT did not set them: reports contradict each other (I3).

    What others have added since, as Azure Policy does, stays.
    """
    known = {key.lower() for key in (*tags, *(before.tags if before else ()))}
    added = {key: value for key, value in now.tags.items() if key.lower() not in known}
    wanted = {**added, **tags}
    if _folded(now.tags) != _folded(wanted):
        writer.cloud.patch_tags(desired.id, wanted)
        _check_tags(desired, view(writer.cloud, desired.id), tags)


def _check_tags(desired: DesiredGroup, live: LiveGroup | None, tags: Mapping[str, str]) -> None:
    have = _folded(live.tags) if live is not None else {}
    left = [key for key, value in tags.items() if have.get(key.lower()) != value]
    if left:
        raise _not_taken(desired.id, [("tags", key) for key in left])


def _folded(tags: Mapping[str, str]) -> dict[str, str]:
    return {key.lower(): value for key, value in tags.items()}


def _check_taken(desired: DesiredGroup, live: LiveGroup | None, state: StateTag) -> None:
    """Whether the definition is as it was written; its tags are looked at elsewhere."""
    if live is None:
        raise _not_taken(desired.id, [])
    left = diff(desired, replace(live, tags=desired.tags), state=state)
    if left:
        raise _not_taken(desired.id, [change.path for change in left.changes])


def _not_taken(group: GroupId, left: Sequence[Path]) -> AzureError:
    fields = ", ".join(pointer(path) for path in left[:5])
    says = f"written, but Azure did not take {fields}" if fields else "written, but gone since"
    return ProvisioningFailed(says, verb="read back", target=str(group), hint="compare with 'plan'")


def _judged(action: Action, desired: DesiredGroup, writer: Writer) -> Outcome:
    wait = desired.policy.wait
    writer.tell(action, f"waiting until {wait.until.value}")
    health = writer.waiter.healthy(lambda: view(writer.cloud, desired.id), wait)
    logs = _task_logs(desired, health, writer) if _shows_log(desired, health) else ()
    done = {
        ActionKind.CREATE: "created",
        ActionKind.UPDATE: "updated",
        ActionKind.REPLACE: "replaced",
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
