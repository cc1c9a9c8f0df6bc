"""Carrying out one action: read again, write, wait, read back."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime

from reconciler.core.cloud import Accepted, Kind, Ration
from reconciler.core.groups import DesiredGroup, LiveGroup
from reconciler.core.ids import ResourceGroupId
from reconciler.core.jsonval import as_text, dig
from reconciler.core.mask import scrubbed
from reconciler.core.outcome import Outcome, Status
from reconciler.core.ownership import (
    CREATED_TAG,
    Ownership,
    StateTag,
    format_state,
    ownership_of,
    state_after_tags,
    state_of,
    written_tags,
)
from reconciler.core.pins import image_marks
from reconciler.core.plan import Action, ActionKind
from reconciler.core.properties import Effect
from reconciler.core.remedies import Cause, remedy_of
from reconciler.errors import AzureError, Interrupted, OperationTimedOut, StaleAction
from reconciler.execute import by_hand
from reconciler.execute.anew import put_anew, removed, stranded
from reconciler.execute.fates import home_fate, start_fate, tags_fate
from reconciler.execute.health import what_to_do
from reconciler.execute.judge import judged
from reconciler.execute.put import finish, not_provisioned, put
from reconciler.execute.readback import check_tags, left, not_taken
from reconciler.execute.send import Write, sent
from reconciler.execute.stale import check_same, reread
from reconciler.execute.writer import Progress, Writer

_log = logging.getLogger(__name__)

_AWAITED = (ActionKind.START, ActionKind.STOP, ActionKind.RESTART)


def carry_out(action: Action, writer: Writer, progress: Progress) -> Outcome:
    """The outcome of one action; whatever goes wrong is an outcome too."""
    started = writer.clock.now()
    try:
        writer.watcher.began(action)
        with ExitStack() as stack:
            progress.insist = lambda: stack.enter_context(writer.pacer.insisting())
            progress.relent = stack.close
            outcome = _STEPS[action.kind](action, writer, progress)
    except Interrupted as exc:
        status = Status.FAILED if progress.wrote else Status.NOT_STARTED
        outcome = Outcome(action=action, status=status, says=exc.says, hint=exc.hint)
    except AzureError as exc:
        outcome = _failed(action, exc, progress)
    except Exception as exc:  # noqa: BLE001  # a bug met by one action must not hide the others' fate
        _log.debug("%s: %s", action.target, exc, exc_info=True)
        bug = AzureError(f"internal error: {type(exc).__name__}: {exc}", hint="please report it")
        outcome = _failed(action, bug, progress)
    outcome = stranded(outcome, action, writer, progress)
    secrets = _secrets_of(action)
    return replace(
        outcome,
        says=scrubbed(outcome.says, secrets),
        hint=scrubbed(outcome.hint, secrets),
        wrote=progress.wrote,
        operation=progress.operation,
        started=started,
        took=writer.clock.now() - started,
    )


def _secrets_of(action: Action) -> tuple[str, ...]:
    """What Azure may quote of what was sent: events name images, commands and worse."""
    desired = (action.desired, action.fallback)
    return tuple(text for one in desired if one is not None for text in one.secret_texts)


def _failed(action: Action, exc: AzureError, progress: Progress) -> Outcome:
    status = _status_of(action, exc, progress)
    hint = exc.hint
    if remedy_of(exc).cause is Cause.UPDATE:
        hint = f"Azure refuses the change in place: plan it with --replace {action.target}"
    elif _is_repair(action) and status is Status.FAILED:
        hint = f"{hint}; or deploy it anew with --replace {action.target}".removeprefix("; or ")
    return Outcome(
        action=action,
        status=status,
        says=exc.says,
        hint=hint,
        code=exc.code or "",
        request_id=exc.request_id or "",
        is_restored=progress.is_restored,
    )


def _status_of(action: Action, exc: AzureError, progress: Progress) -> Status:
    if isinstance(exc, StaleAction):
        return Status.STALE
    # What was taken and is still under way may well end well: it is not there in time.
    is_late = isinstance(exc, OperationTimedOut) and progress.wrote and not progress.is_deleted
    is_awaited = action.kind.sends_body or action.kind in _AWAITED
    return Status.UNHEALTHY if is_late and is_awaited else Status.FAILED


def _is_repair(action: Action) -> bool:
    is_update = action.kind is ActionKind.UPDATE and not isinstance(action.target, ResourceGroupId)
    return is_update and action.live is not None and action.live.has_failed


def _resource_group(action: Action, writer: Writer, progress: Progress) -> Outcome:
    declared = action.declared
    assert declared is not None
    home = declared.id

    def check() -> None:
        if writer.waiter.patiently(lambda: writer.cloud.resource_group(home)) is not None:
            raise StaleAction("it exists by now", verb="create", target=str(home))

    def send() -> Accepted:
        tags = {**declared.tags, CREATED_TAG: writer.owner}
        body = writer.cloud.put_resource_group(home, location=declared.location, tags=tags)
        return Accepted(body=body, operation=None)

    check()
    write = Write(
        send=send,
        fate=lambda: home_fate(home, writer.cloud, writer.waiter, exists=True),
        check=check,
        ration=Ration.of(home.subscription, Kind.WRITE),
    )
    sent(write, action, writer, progress)
    return Outcome(action=action, status=Status.SUCCEEDED, says=f"created in {declared.location}")


def _create(action: Action, writer: Writer, progress: Progress) -> Outcome:
    if action.declared is not None:
        return _resource_group(action, writer, progress)
    reread(action, writer.waiter)
    return put(action, desired_of(action), None, writer, progress)


def _update(action: Action, writer: Writer, progress: Progress) -> Outcome:
    live = reread(action, writer.waiter)
    return put(action, desired_of(action), live, writer, progress)


def _replace(action: Action, writer: Writer, progress: Progress) -> Outcome:
    live = reread(action, writer.waiter)
    assert live is not None
    return put_anew(action, desired_of(action), live, writer, progress)


def _delete(action: Action, writer: Writer, progress: Progress) -> Outcome:
    if isinstance(action.target, ResourceGroupId):
        return _delete_resource_group(action, action.target, writer, progress)
    reread(action, writer.waiter)
    removed(action, writer, progress)
    return Outcome(action=action, status=Status.SUCCEEDED, says="deleted")


def _delete_resource_group(
    action: Action, target: ResourceGroupId, writer: Writer, progress: Progress
) -> Outcome:
    def check() -> None:
        held = writer.waiter.patiently(lambda: writer.cloud.resources_in(target))
        if held:
            first = as_text(dig(held[0], "id"))
            raise StaleAction(
                f"it is not empty, it holds {first}", verb="delete", target=str(target)
            )

    check()
    writer.watcher.step(action, "deleting the resource group")
    write = Write(
        send=lambda: writer.cloud.delete_resource_group(target),
        fate=lambda: home_fate(target, writer.cloud, writer.waiter, exists=False),
        check=check,
        ration=Ration.of(target.subscription, Kind.DELETE),
    )
    accepted = sent(write, action, writer, progress)
    until = writer.deadline(action)
    finish(action, accepted, writer, progress, until=until)
    if accepted.operation is None:
        _home_gone(target, writer, until=until)
    return Outcome(action=action, status=Status.SUCCEEDED, says="deleted")


def _home_gone(home: ResourceGroupId, writer: Writer, *, until: datetime) -> None:
    """Return once a resource group is gone whose delete gave no operation to look at."""
    for pause_s in writer.waiter.pauses_until(until):
        if writer.waiter.patiently(lambda: writer.cloud.resource_group(home)) is None:
            return
        writer.clock.sleep(pause_s)
    raise OperationTimedOut(
        "timed out, it is still there", verb="delete", target=str(home), hint="plan again later"
    )


def _tags(action: Action, writer: Writer, progress: Progress) -> Outcome:
    live = reread(action, writer.waiter)
    assert live is not None
    now, state = _patch(action, live, writer, progress)
    desired = desired_of(action)
    if lost := left(desired, now, state):
        raise not_taken(desired.id, [change.path for change in lost])
    done = "adopted" if action.kind is ActionKind.ADOPT else "tags patched"
    return Outcome(action=action, status=Status.SUCCEEDED, says=f"{done}, nothing restarted")


def _patch(
    action: Action, live: LiveGroup, writer: Writer, progress: Progress
) -> tuple[LiveGroup | None, StateTag]:
    """The group once its tags are up to date, and what they remember."""
    desired = desired_of(action)
    _, state = _states(action, live, writer)
    tags = written_tags(desired, live, owner=writer.owner, state=state)

    def send() -> Accepted:
        return Accepted(body=writer.cloud.patch_tags(desired.id, tags), operation=None)

    writer.watcher.step(action, "patching tags")
    write = Write(
        send=send,
        fate=lambda: tags_fate(desired.id, tags, writer.waiter),
        check=lambda: _check(action, action.live, writer),
        ration=Ration.of(desired.id.subscription, Kind.WRITE),
    )
    sent(write, action, writer, progress)
    now = writer.waiter.present(desired.id)
    check_tags(desired, now, tags)
    return now, state


def _check(action: Action, before: LiveGroup | None, writer: Writer) -> None:
    """Return when the group, settled, is as it was."""
    until = writer.deadline(action)
    check_same(writer.waiter.settled(desired_of(action).id, until=until), before, action)


def _states(action: Action, live: LiveGroup, writer: Writer) -> tuple[StateTag | None, StateTag]:
    """What the tags remember, and what they should once only they were written."""
    # A state tag that was copied here speaks of the secrets of another group.
    is_ours = ownership_of(live, writer.owner) is Ownership.OURS
    before = state_of(live) if is_ours else None
    trusted = writer.key if action.rebaseline else None
    after = state_after_tags(desired_of(action), before, commit=writer.commit, trusted=trusted)
    if action.deploys:
        after = replace(after, images=image_marks(desired_of(action)))
    return before, after


def _is_news(before: StateTag, after: StateTag) -> bool:
    """Whether the tags would say more than another commit."""
    return format_state(replace(after, commit=before.commit)) != format_state(before)


def _start(action: Action, writer: Writer, progress: Progress) -> Outcome:
    if action.hand is not None:
        return by_hand.start(action, writer, progress)
    live = reread(action, writer.waiter)
    assert live is not None
    desired = desired_of(action)
    before, after = _states(action, live, writer)
    tags_differ = bool(action.diff.costing(Effect.TAGS))
    if tags_differ or before is None or _is_news(before, after):
        live = _patch(action, live, writer, progress)[0] or live
    writer.watcher.step(action, "starting")
    write = Write(
        send=lambda: writer.cloud.start(desired.id),
        fate=lambda: start_fate(live, writer.waiter),
        check=lambda: _check(action, live, writer),
        ration=Ration.of(desired.id.subscription, Kind.WRITE),
    )
    until = writer.deadline(action)
    stuck = finish(action, sent(write, action, writer, progress), writer, progress, until=until)
    if stuck:
        return judged(action, desired, writer, until=until, stuck=stuck)
    settled = writer.waiter.settled(desired.id, until=until)
    if settled is None:
        raise not_taken(desired.id, [])
    if settled.has_failed:
        raise not_provisioned(action, f"provisioning {settled.provisioning}", code="")
    return judged(action, desired, writer, until=until, seen=settled)


def _left_as_is(action: Action, _writer: Writer, _progress: Progress) -> Outcome:
    """A refusal that concerns its own group alone."""
    return Outcome(action=action, status=Status.FAILED, says=action.why, hint=action.allow)


def _look_after(action: Action, writer: Writer, _progress: Progress) -> Outcome:
    """Whether a group that is left alone is healthy, since something depends on it."""
    desired = desired_of(action)
    until = writer.deadline(action)
    health = writer.waiter.healthy(desired.id, desired.policy.wait, until=until)
    return Outcome(
        action=action,
        status=Status.SUCCEEDED if health.is_healthy else Status.UNHEALTHY,
        says=health.says if health.is_healthy else f"left alone, but {health.says}",
        hint="" if health.is_healthy else what_to_do(health, desired.id),
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
    ActionKind.STOP: by_hand.stop,
    ActionKind.RESTART: by_hand.restart,
    ActionKind.NO_OP: _look_after,
    ActionKind.REFUSE: _left_as_is,
}


def desired_of(action: Action) -> DesiredGroup:
    """The desired group of an action that has one."""
    assert action.desired is not None
    return action.desired
