"""Signals while something is being written: counted, never thrown into the middle of it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


@contextmanager
def counted_interrupts() -> Iterator[Callable[[], int]]:
    """How many signals have come since, for as long as the block lasts.

    Outside the main thread nothing can be caught, and the count stays 0.
    """
    seen: list[int] = []
    before = {}
    try:
        for name in _NAMES:
            number = getattr(signal, name, None)  # not every system has all of them
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, lambda n, _frame: seen.append(n))
    except ValueError:
        before.clear()
    try:
        yield lambda: len(seen)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
