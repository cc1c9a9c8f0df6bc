"""Sending a write until Azure has taken it: never twice, never blindly, never unread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from reconciler.core.cloud import Accepted, Ration
from reconciler.core.plan import Action
from reconciler.core.remedies import Cause, Course, Remedy, remedy_of
from reconciler.errors import AzureError, StaleAction
from reconciler.execute.writer import Progress, Writer

REPEATED_S = 30.0  # between two attempts to create what was just deleted
# What was read longer ago is read again before it is written over.
FRESH_S = 2.0
_MOST_DOUBLINGS = 10


class Fate(Enum):
    """What became of a write whose answer was lost."""

    TAKEN = "taken"
    NOT_TAKEN = "not taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One write, to be sent just after the group was read.

    `send` sends it once, counted in `ration`. `fate` reads what became of it where its answer does
    not tell. `check` looks again before it is sent later than that, and raises `StaleAction` where
    the group has moved. `subnet` names what it shares with others. `removes`: it is a delete of
    what is to be created again.

    With a deadline `until`, what passes is met by another attempt at least as long as that is not
    over, and so are refusals for one of `persists_for`.
    """

    send: Callable[[], Accepted]
    fate: Callable[[], Fate]
    check: Callable[[], object]
    ration: Ration
    subnet: str = ""
    is_delete: bool = False
    removes: bool = False
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
    last: AzureError | None = None
    while True:
        is_late = _stand_back(write, action, writer, progress) or last is not None
        if is_late and _came_late(write, last, progress):
            return _taken(write, last, progress)
        before = progress.so_far
        answer = _once(write, last, writer, progress)
        if isinstance(answer, Accepted):
            return answer
        if _took_effect(write, answer, last, action, writer):
            return _taken(write, answer, progress)
        progress.take_back(before)
        last = last if last is not None and _is_lost(last) else answer
        remedy = remedy_of(answer)
        pause_s = _pause_s(write, remedy, attempts[remedy.cause], answer, writer)
        if pause_s is None:
            raise answer
        attempts[remedy.cause] += 1
        writer.watcher.step(action, f"{answer.says}: trying again in {pause_s:.0f} s")
        if remedy.cause is Cause.NETWORK and write.subnet:
            writer.pacer.hold(write.subnet, pause_s)
        writer.rest(pause_s, progress)


def _once(
    write: Write, last: AzureError | None, writer: Writer, progress: Progress
) -> Accepted | AzureError:
    """What one request is answered; it goes out just after a look at the group."""
    while True:
        waited_s = writer.pacer.turn(write.ration)
        if waited_s > FRESH_S and _came_late(write, last, progress):
            return _taken(write, last, progress)
        writer.check_leaving(progress)
        with writer.pacer.place(write.ration) as is_held:
            if not is_held:
                continue  # others were quicker
            try:
                with progress.writing(removes=write.removes):
                    return write.send()
            except AzureError as exc:
                return exc


def _taken(write: Write, exc: AzureError | None, progress: Progress) -> Accepted:
    with progress.writing(removes=write.removes):
        request_id = None if exc is None else exc.request_id
        return Accepted(body=None, operation=None, request_id=request_id or "")


def _took_effect(
    write: Write, answer: AzureError, last: AzureError | None, action: Action, writer: Writer
) -> bool:
    """Whether a write that got no good answer was carried out, now or the `last` time."""
    if _is_lost(answer):
        writer.watcher.step(action, f"{answer.says}: looking whether it took effect")
        return _fate(write, answer) is Fate.TAKEN
    is_in_the_way = write.is_delete and remedy_of(answer).cause is Cause.TRANSITION
    if not is_in_the_way or last is None or not _is_lost(last):
        return False
    try:
        write.check()
    except StaleAction:
        if _fate(write, last) is not Fate.TAKEN:
            raise  # somebody else's write stands in its way
    return True  # the one that was lost does


def _is_lost(answer: AzureError) -> bool:
    return remedy_of(answer).course is Course.REREAD


def _came_late(write: Write, last: AzureError | None, progress: Progress) -> bool:
    """Whether a write that was taken for not carried out has moved the group after all.

    `last` is what it was answered, None where it was not sent yet. Also a refusal may be a lie: a
    write that was carried out, and then found in the way of itself.

    Raises:
        StaleAction: something else has.
    """
    try:
        write.check()
    except StaleAction:
        if last is None:
            raise
        progress.wrote = progress.wrote or _is_lost(last)
        if _fate(write, last) is Fate.TAKEN:
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
    left_s = 0.0
    if write.until is not None:
        left_s = (write.until - writer.clock.now()).total_seconds()
    if remedy.cause in write.persists_for:
        # The last attempt is made at the deadline itself.
        pause_s = max(REPEATED_S * writer.pace.scale, exc.retry_after_s or 0.0)
        return min(pause_s, left_s) if left_s > 0 else None
    if remedy.course is Course.GIVE_UP or (attempt >= remedy.attempts and left_s <= 0):
        return None
    doublings = min(attempt, _MOST_DOUBLINGS)
    pause_s = remedy.pause_s(doublings, scale=writer.pace.scale, asked_s=exc.retry_after_s)
    # What holds all others holds this one.
    held_s = writer.pacer.wait_s(write.ration) if remedy.cause is Cause.RATION else 0.0
    return max(pause_s, held_s)


def _stand_back(write: Write, action: Action, writer: Writer, progress: Progress) -> bool:
    """Wait for what others hold; whether there was anything to wait for."""
    stood = False
    while write.subnet and (held_s := writer.pacer.held_s(write.subnet)) > 0:
        if not stood:
            says = "waiting for the subnet, which another operation changes"
            writer.watcher.step(action, says)
        stood = True
        writer.rest(held_s, progress)
    return stood
