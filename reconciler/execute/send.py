"""Sending a write until Azure has taken it: never twice, and never blindly a second time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from reconciler.core.cloud import Accepted
from reconciler.core.plan import Action
from reconciler.core.remedies import Cause, Course, Remedy, remedy_of
from reconciler.errors import AzureError, StaleAction
from reconciler.execute.writer import Progress, Writer

REPEATED_S = 30.0  # between two attempts to create what was just deleted


class Fate(Enum):
    """What became of a write whose answer was lost."""

    TAKEN = "taken"
    NOT_TAKEN = "not taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One write.

    `send` sends it once. `fate` reads what became of it where its answer does not tell. `check`
    looks again before it is sent once more, and raises `StaleAction` where the group has moved.
    `subnet` names what it shares with others. With a deadline `until`, what may pass is met by
    another attempt as long as that is not over, and so are refusals for one of `persists_for`.
    """

    send: Callable[[], Accepted]
    fate: Callable[[], Fate]
    check: Callable[[], object]
    subnet: str = ""
    persists_for: frozenset[Cause] = frozenset()
    until: datetime | None = None


def sent(write: Write, action: Action, writer: Writer, progress: Progress) -> Accepted:
    """What the write was answered in the end.

    A write that was carried out although its answer was lost comes back without an operation.

    Raises:
        AzureError: it was refused, or its fate is not known.
        StaleAction: the group moved before it could be sent again.
        Interrupted: the run ended before it was taken.
    """
    attempts: Counter[Cause] = Counter()
    lost: AzureError | None = None
    while True:
        _wait_for_subnet(write, action, writer, progress)
        writer.check_leaving(progress)
        before = progress.wrote
        try:
            with progress.writing():
                return write.send()
        except AzureError as exc:
            remedy = remedy_of(exc)
            if remedy.course is Course.REREAD:
                lost = exc
                writer.watcher.step(action, f"{exc.says}: looking whether it took effect")
                if _fate(write, exc) is Fate.TAKEN:
                    return _taken(exc)
                progress.wrote = before
            pause_s = _pause_s(write, remedy, attempts[remedy.cause], exc, writer)
            if pause_s is None:
                raise
            attempts[remedy.cause] += 1
            writer.watcher.step(action, f"{exc.says}: trying again in {pause_s:.0f} s")
            if remedy.cause is Cause.NETWORK and write.subnet:
                writer.pacer.hold(write.subnet, pause_s)
            writer.rest(pause_s, progress)
            if _came_late(write, lost, progress):
                return _taken(exc)


def _taken(exc: AzureError) -> Accepted:
    return Accepted(body=None, operation=None, request_id=exc.request_id or "")


def _came_late(write: Write, lost: AzureError | None, progress: Progress) -> bool:
    """Whether a write that was taken for not carried out has moved the group after all.

    Raises:
        StaleAction: something else has.
    """
    try:
        write.check()
    except StaleAction:
        if lost is None:
            raise
        progress.wrote = True
        if _fate(write, lost) is Fate.TAKEN:
            return True
        raise
    return False


def _fate(write: Write, exc: AzureError) -> Fate:
    """What became of a write that ended in `exc`, which is raised where nobody can tell."""
    try:
        return write.fate()
    except StaleAction:
        raise
    except AzureError as unread:
        exc.says = f"{exc.says}; whether it took effect is not known: {unread.says}"
        raise exc from None


def _pause_s(
    write: Write, remedy: Remedy, attempt: int, exc: AzureError, writer: Writer
) -> float | None:
    """Seconds until the next attempt, None where there is to be none."""
    passes = remedy.course is not Course.GIVE_UP or remedy.cause in write.persists_for
    if passes and write.until is not None:
        pause_s = max(REPEATED_S * writer.pace.scale, exc.retry_after_s or 0.0)
        left_s = (write.until - writer.clock.now()).total_seconds()
        return pause_s if pause_s <= left_s else None
    if remedy.course is Course.GIVE_UP or attempt >= remedy.attempts:
        return None
    return remedy.pause_s(attempt, scale=writer.pace.scale, asked_s=exc.retry_after_s)


def _wait_for_subnet(write: Write, action: Action, writer: Writer, progress: Progress) -> None:
    held_s = writer.pacer.held_s(write.subnet) if write.subnet else 0.0
    if held_s > 0:
        writer.watcher.step(action, "waiting for the subnet, which another operation changes")
        writer.rest(held_s, progress)
