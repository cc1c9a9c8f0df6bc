"""Signals: raised while something is read, counted while something is written."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from reconciler.errors import ExitCode

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # not every system has all of them
# Python swallows what is raised while it collects garbage: it is raised again until it is heard.
_AGAIN_S = 0.2
# The second of those that are counted leaves at once, by itself. Whoever sends one more so long
# after it sees that it does not; before that, somebody only keeps the keys pressed.
_LEAVES = 2
_STUCK_S = 3.0
_unheard: list[int] = []  # what was raised and has not arrived


def raised() -> None:
    """From now on the first signal raises `KeyboardInterrupt`, the second ends the process."""
    seen: list[int] = []

    def interrupt(number: int, _frame: FrameType | None) -> None:
        if number != _alarm():
            seen.append(number)
        if len(seen) > 1:
            os._exit(ExitCode.INTERRUPTED)
        _unheard[:] = [number]
        if _alarm() is not None:
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_S)
        raise KeyboardInterrupt

    # Outside the main thread somebody embeds us and handles signals.
    with suppress(ValueError):
        for number in _handled():
            signal.signal(number, interrupt)
        if (alarm := _alarm()) is not None:
            signal.signal(alarm, interrupt)


def heard() -> None:
    """The `KeyboardInterrupt` has arrived: it need not be raised again."""
    if _unheard and _alarm() is not None:
        with suppress(ValueError):
            signal.setitimer(signal.ITIMER_REAL, 0)
    _unheard.clear()


def ignored() -> None:
    """From now on signals do nothing: the process is about to end by itself."""
    heard()
    with suppress(ValueError):
        for number in _handled():
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def counted_interrupts(at_last: Callable[[], None]) -> Iterator[Callable[[], int]]:
    """How many signals have come since, for as long as the block lasts.

    One that comes seconds after the second ends the process, whatever it is stuck in; `at_last` is
    called then, in the signal handler: it may wait for nothing. Outside the main thread nothing can
    be caught, and the count stays 0.
    """
    # One that was swallowed counts, and is not raised any more.
    seen: list[float] = [time.monotonic()] * len(_unheard)
    heard()

    def count(_number: int, _frame: FrameType | None) -> None:
        seen.append(time.monotonic())
        if len(seen) > _LEAVES and seen[-1] - seen[_LEAVES - 1] >= _STUCK_S:
            try:
                at_last()
            finally:
                os._exit(ExitCode.INTERRUPTED)

    before = {}
    try:
        for number in _handled():
            before[number] = signal.signal(number, count)
    except ValueError:
        before.clear()
    try:
        yield lambda: len(seen)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _handled() -> Iterator[signal.Signals]:
    """The signals that end a command; whoever ignores one, as nohup does, means it."""
    for name in _NAMES:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            yield number


def _alarm() -> signal.Signals | None:
    return getattr(signal, "SIGALRM", None)
