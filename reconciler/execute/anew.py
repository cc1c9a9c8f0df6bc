"""Deleting a group, and creating it anew: from the delete on, a replace goes on to its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from reconciler.core.cloud import Accepted, Kind, Ration
from reconciler.core.groups import DesiredGroup, LiveGroup
from reconciler.core.ids import GroupId
from reconciler.core.outcome import Outcome, Status
from reconciler.core.ownership import STATE_TAG, format_state, state_after_write, state_of, tag
from reconciler.core.plan import Action, ActionKind
from reconciler.core.remedies import Cause, remedy_of
from reconciler.errors import AzureError, NotTaken, ProvisioningFailed, StaleAction
from reconciler.execute.fates import delete_fate
from reconciler.execute.put import finish, put, put_ration
from reconciler.execute.send import FRESH_S, REPEATED_S, Write, sent
from reconciler.execute.stale import free, is_going, reread
from reconciler.execute.wait import is_passing
from reconciler.execute.writer import Progress, Writer, is_same


def removed(action: Action, writer: Writer, progress: Progress) -> None:
    """Return once the group is gone.

    Raises:
        AzureError: the delete was refused, failed, or did not end in time.
    """
    _gone(action, _deleted(action, writer, progress), writer, progress)


def put_anew(
    action: Action, desired: DesiredGroup, live: LiveGroup, writer: Writer, progress: Progress
) -> Outcome:
    """The outcome of deleting `live` and creating `desired` in its place.

    From the moment the delete is sent the create is sent too, whatever comes between. Where it
    cannot be had and the plan holds what was there before, that is created again.

    Raises:
        AzureError: it was not created; see `stranded`.
    """
    # Deleted only when the create would not have to wait.
    with writer.pacer.promise(put_ration(desired)) as waited_s:
        if waited_s > FRESH_S:
            reread(action, writer.waiter)
        _cleared(action, writer, progress)
        return _put_anew(action, desired, live, writer, progress)


def _put_anew(
    action: Action, desired: DesiredGroup, live: LiveGroup, writer: Writer, progress: Progress
) -> Outcome:
    until = writer.deadline(action)
    try:
        return _created(action, desired, live, writer, progress, until=until)
    except AzureError as exc:
        if action.fallback is None or not _is_lost(exc, progress):
            raise
        try:
            _restore(action, desired, action.fallback, live, writer, progress)
        except AzureError as undone:
            exc.says += f"; to create it again as it was before failed too: {undone.says}"
            raise exc from undone
        progress.is_restored = True
        exc.says += "; the group was created again as it was before"
        raise


def stranded(outcome: Outcome, action: Action, writer: Writer, progress: Progress) -> Outcome:
    """The outcome, said as loudly as it must be where a replace left no group behind."""
    if outcome.status is Status.SUCCEEDED or not progress.is_bound:
        return outcome
    try:
        is_gone = _is_gone(action, writer, progress)
    except AzureError:
        is_gone = progress.is_deleted  # as far as is known
    return left_stranded(outcome) if is_gone else outcome


def _is_gone(action: Action, writer: Writer, progress: Progress) -> bool:
    """Whether nothing is there, told with patience: GETs may lag behind a delete or a create."""
    if not progress.is_deleted:
        created = writer.waiter.present(_group(action))
        return created is None or is_going(created)
    for pause_s in writer.waiter.pauses_until(writer.clock.now() + writer.waiter.patience):
        live = writer.waiter.view(_group(action))
        if live is None or is_going(live):
            return True
        if action.live is None or not is_same(live, action.live):
            return False
        writer.clock.sleep(pause_s)
    return False


def left_stranded(outcome: Outcome) -> Outcome:
    """The outcome of a replace that deleted its group and has not created it again."""
    hints = (
        outcome.hint,
        "the group may not exist now: create it again with 'aci-reconcile apply'",
    )
    return replace(
        outcome,
        status=Status.FAILED,
        says=f"STRANDED: deleted and not known to be created again: {outcome.says}",
        hint="; ".join(hint for hint in hints if hint),
        is_stranded=True,
    )


def _cleared(
    action: Action,
    writer: Writer,
    progress: Progress,
    *,
    check: Callable[[], object] | None = None,
) -> None:
    """Return once the create may be sent: the group is gone, or is going and cannot be watched.

    Raises:
        AzureError: it is there and stays, or nothing tells that the delete was taken.
    """
    is_accepted = False
    try:
        accepted = _deleted(action, writer, progress, check=check)
        is_accepted = True
        _gone(action, accepted, writer, progress)
    except StaleAction:
        raise
    except AzureError as exc:
        if not progress.is_deleted:
            raise
        is_free = _is_free(action, writer)
        if is_free is False:
            progress.is_deleted = False
            raise _not_deleted(action, exc) from exc
        if is_free is None and not is_accepted:
            raise
        writer.watcher.step(action, f"{exc.says}: trying to create it all the same")


def _not_deleted(action: Action, exc: AzureError) -> AzureError:
    return AzureError(
        f"not deleted: {exc.says}",
        verb="delete",
        target=str(action.target),
        code=exc.code,
        request_id=exc.request_id,
        hint="the group is there: plan again",
    )


def _is_free(action: Action, writer: Writer) -> bool | None:
    """Whether the name of a group whose delete was sent is free; None where nobody can tell."""
    settled: datetime | None = None
    for pause_s in writer.waiter.pauses_until(writer.deadline(action)):
        try:
            now = writer.waiter.view(_group(action))
        except AzureError as exc:
            if not is_passing(exc):
                return None
        else:
            if now is None:
                return True
            settled = None if now.in_transition else settled or writer.clock.now()
            # One look may still show what was before the delete.
            if settled is not None and writer.clock.now() - settled >= writer.waiter.patience:
                return False
        writer.clock.sleep(pause_s)
    return None


def _created(
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
            try:
                _clear_failed(action, desired, writer, progress)
            except AzureError as stuck:
                exc.says += f"; it could not be deleted for another attempt: {stuck.says}"
                raise exc from stuck
        writer.rest(REPEATED_S * writer.pace.scale, progress)
        free(action, writer.waiter, until=until)


def _is_lost(exc: AzureError, progress: Progress) -> bool:
    """Whether there is no group now, or one that Azure could not bring up."""
    if isinstance(exc, StaleAction | NotTaken):
        return False  # there is one: somebody else's, or ours less a field
    return progress.is_deleted or isinstance(exc, ProvisioningFailed)


def _restore(
    action: Action,
    desired: DesiredGroup,
    fallback: DesiredGroup,
    live: LiveGroup,
    writer: Writer,
    progress: Progress,
) -> None:
    writer.watcher.step(action, "creating it again as it was before")
    if not progress.is_deleted:
        _clear_failed(action, desired, writer, progress)
    until = writer.deadline(action)
    writer.waiter.gone(fallback.id, until=until)
    state = state_of(live)
    # Its tag names the commit it comes from, or the next run would look for it in the wrong one.
    then = replace(writer, commit="" if state is None else state.commit)
    put(action, fallback, live, then, progress, until=until)


def _clear_failed(
    action: Action, desired: DesiredGroup, writer: Writer, progress: Progress
) -> None:
    """Delete what was created of `desired` and failed.

    Raises:
        StaleAction: something else is there by now.
        AzureError: it could not be deleted.
    """
    state = state_after_write(desired, key=writer.key, commit=writer.commit)

    def check() -> None:
        now = writer.waiter.view(desired.id)
        if now is not None and tag(now.tags, STATE_TAG) != format_state(state):
            raise StaleAction(
                "somebody else wrote it meanwhile",
                verb="delete",
                target=str(desired.id),
                hint="plan again",
            )

    check()
    _cleared(action, writer, progress, check=check)


def _deleted(
    action: Action,
    writer: Writer,
    progress: Progress,
    *,
    check: Callable[[], object] | None = None,
) -> Accepted:
    """What the DELETE of the action's group was answered."""
    target = _group(action)
    location = "" if action.live is None else action.live.location
    desired = action.desired if action.kind is ActionKind.REPLACE else None
    writer.watcher.step(action, "deleting")
    write = Write(
        send=lambda: writer.cloud.delete_group(target, location=location),
        fate=lambda: delete_fate(target, writer.waiter),
        check=check or (lambda: reread(action, writer.waiter)),
        ration=Ration.of(target.subscription, Kind.DELETE, location),
        is_delete=True,
        removes=desired is not None,
    )
    return sent(write, action, writer, progress)


def _gone(action: Action, accepted: Accepted, writer: Writer, progress: Progress) -> None:
    until = writer.deadline(action)
    finish(action, accepted, writer, progress, until=until)
    writer.waiter.gone(_group(action), until=until)


def _group(action: Action) -> GroupId:
    assert isinstance(action.target, GroupId)
    return action.target
