"""Signals: raised while something is read, counted while something is written."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from reconciler.errors import ExitCode

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # not every system has all of them
# Python swallows what is raised while it collects garbage: it is raised again until it is heard.
_AGAIN_S = 0.2
# Of those that are counted, this one is not waited with: somebody insists.
_INSISTS = 3


def raised() -> None:
    """From now on the first signal raises `KeyboardInterrupt`, the second ends the process."""
    seen: list[int] = []

    def interrupt(number: int, _frame: FrameType | None) -> None:
        if number != _alarm():
            seen.append(number)
        if len(seen) > 1:
            os._exit(ExitCode.INTERRUPTED)
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
    if _alarm() is not None:
        with suppress(ValueError):
            signal.setitimer(signal.ITIMER_REAL, 0)


def ignored() -> None:
    """From now on signals do nothing: the process is about to end by itself."""
    heard()
    with suppress(ValueError):
        for number in _handled():
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def counted_interrupts() -> Iterator[Callable[[], int]]:
    """How many signals have come since, for as long as the block lasts; a third ends the process.

    Outside the main thread nothing can be caught, and the count stays 0.
    """
    seen: list[int] = []

    def count(number: int, _frame: FrameType | None) -> None:
        seen.append(number)
        if len(seen) >= _INSISTS:
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
