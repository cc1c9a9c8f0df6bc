"""Starting, stopping and restarting a group by hand: one POST each, and waiting until it is so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from reconciler.core.cloud import Accepted, Kind, Ration
from reconciler.core.groups import LiveGroup, Wait
from reconciler.core.outcome import Outcome, Status
from reconciler.core.plan import Action
from reconciler.errors import AzureError, OperationTimedOut
from reconciler.execute.fates import restart_fate, start_fate, stop_fate
from reconciler.execute.judge import judged_live
from reconciler.execute.put import finish, not_provisioned
from reconciler.execute.send import Fate, Write, sent
from reconciler.execute.stale import reread
from reconciler.execute.writer import Progress, Writer


def start(action: Action, writer: Writer, progress: Progress) -> Outcome:
    """The outcome of starting a group that was stopped or has ended."""
    live = _reread(action, writer)
    accepted = _posted(
        action,
        writer,
        progress,
        says="starting",
        send=lambda: writer.cloud.start(live.id),
        fate=lambda: start_fate(live, writer.waiter),
    )
    if (wait := _wait(action)) is None:
        return _not_waited_for(action)
    return _running(action, live, accepted, wait, writer, progress)


def restart(action: Action, writer: Writer, progress: Progress) -> Outcome:
    """The outcome of restarting a group in place."""
    live = _reread(action, writer)
    accepted = _posted(
        action,
        writer,
        progress,
        says="restarting",
        send=lambda: writer.cloud.restart(live.id),
        fate=lambda: restart_fate(live, writer.waiter),
    )
    if (wait := _wait(action)) is None:
        return _not_waited_for(action)
    return _running(action, live, accepted, wait, writer, progress)


def stop(action: Action, writer: Writer, progress: Progress) -> Outcome:
    """The outcome of stopping a group; Azure answers at once and does it later (A.7)."""
    live = _reread(action, writer)
    _posted(
        action,
        writer,
        progress,
        says="stopping",
        send=lambda: writer.cloud.stop(live.id),
        fate=lambda: stop_fate(live, writer.waiter),
    )
    if (wait := _wait(action)) is None:
        return _not_waited_for(action)
    writer.watcher.step(action, "waiting until it is stopped")
    now = _stopped(live, writer, until=writer.clock.now() + wait.timeout)
    says = "stopped" if now.state == "Stopped" else f"it has ended by itself ({now.state})"
    return Outcome(action=action, status=Status.SUCCEEDED, says=says, health=now.state)


def _reread(action: Action, writer: Writer) -> LiveGroup:
    live = reread(action, writer.waiter)
    assert live is not None
    return live


def _wait(action: Action) -> Wait | None:
    assert action.hand is not None
    return action.hand.wait


def _posted(
    action: Action,
    writer: Writer,
    progress: Progress,
    *,
    says: str,
    send: Callable[[], Accepted],
    fate: Callable[[], Fate],
) -> Accepted:
    """What the request was answered; a POST is counted as a write (F.4)."""
    writer.watcher.step(action, says)
    assert action.live is not None
    write = Write(
        send=send,
        fate=fate,
        check=lambda: reread(action, writer.waiter),
        ration=Ration.of(action.live.id.subscription, Kind.WRITE),
    )
    return sent(write, action, writer, progress)


def _not_waited_for(action: Action) -> Outcome:
    says = f"Azure has taken the {action.kind.value}; it was not waited for"
    return Outcome(action=action, status=Status.SUCCEEDED, says=says)


def _running(
    action: Action,
    live: LiveGroup,
    accepted: Accepted,
    wait: Wait,
    writer: Writer,
    progress: Progress,
) -> Outcome:
    """How the containers do once Azure has done its part."""
    until = writer.clock.now() + wait.timeout
    stuck = finish(action, accepted, writer, progress, until=until)
    if stuck:
        return judged_live(action, live, wait, writer, until=until, stuck=stuck)
    settled = _run_anew(live, writer, until=until)
    if settled.has_failed:
        raise not_provisioned(action, f"provisioning {settled.provisioning}", code="")
    return judged_live(action, live, wait, writer, until=until, seen=settled)


def _run_anew(before: LiveGroup, writer: Writer, *, until: datetime) -> LiveGroup:
    """The settled group, once it shows another run than `before` or has shown none for a while.

    GETs may lag behind the request, and what they then show are the containers of before.
    """
    settled: LiveGroup | None = before
    lags_until = writer.clock.now() + writer.waiter.patience
    for pause_s in writer.waiter.pauses_until(min(until, lags_until)):
        settled = writer.waiter.settled(before.id, until=until)
        if settled is None:
            raise _gone(before)
        if settled.state != before.state or settled.has_run_since(before):
            break
        writer.clock.sleep(pause_s)
    assert settled is not None
    return settled


def _stopped(before: LiveGroup, writer: Writer, *, until: datetime) -> LiveGroup:
    """The group once nothing of it runs.

    Raises:
        OperationTimedOut: it still runs at the deadline.
    """
    now: LiveGroup | None = before
    for pause_s in writer.waiter.pauses_until(until):
        now = writer.waiter.view(before.id)
        if now is None:
            raise _gone(before)
        if now.has_ended and not now.in_transition:
            return now
        writer.clock.sleep(pause_s)
    assert now is not None
    raise OperationTimedOut(
        f"timed out, it is still {now.state or now.provisioning}",
        verb="stop",
        target=str(before.id),
        hint="Azure has taken the stop: see 'aci-reconcile status' later",
    )


def _gone(group: LiveGroup) -> AzureError:
    return AzureError("the group is gone", target=str(group.id), hint="somebody deleted it")
