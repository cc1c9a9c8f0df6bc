"""Time that does not have to be waited for: in a process of its own, and in this one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from unittest import mock

from reconciler.execute.wait import Pace

_START = datetime(2025, 1, 1, 12, tzinfo=UTC)


class Quick:
    """Real time, but `SPEED` times as fast."""

    SPEED = 40.0
    _began = time.monotonic()

    def now(self) -> datetime:
        """The time by this clock."""
        return _START + timedelta(seconds=(time.monotonic() - self._began) * self.SPEED)

    def sleep(self, seconds: float) -> None:
        """Sleep by this clock."""
        time.sleep(max(0.0, seconds) / self.SPEED)


class Slept:
    """A clock of each thread's own, which its sleeping alone moves: the same on any machine.

    A thread begins at the latest time of any. A pause takes a moment all the same, so that nobody's
    deadline passes while others work.
    """

    SPEED = 400.0

    def __init__(self) -> None:
        self._own = threading.local()
        self._latest = 0.0

    def now(self) -> datetime:
        """The time of this thread."""
        return _START + timedelta(seconds=self._slept())

    def sleep(self, seconds: float) -> None:
        """Let `seconds` of this thread pass."""
        self._own.slept = self._slept() + max(0.0, seconds)
        self._latest = max(self._latest, self._own.slept)
        time.sleep(max(0.0, seconds) / self.SPEED)

    def _slept(self) -> float:
        if not hasattr(self._own, "slept"):
            self._own.slept = self._latest
        return float(self._own.slept)


@contextmanager
def hurried(*, patience_s: float = 30) -> Iterator[None]:
    """The command in this process waits by a clock that hurries, and so do its repeated reads.

    It looks as often as it does at Azure; for an answer it waits `patience_s` real seconds.
    """
    clock = Slept()
    pause = "azure.core.pipeline.transport.RequestsTransport.sleep"
    with (
        mock.patch("reconciler.cli.connection.SystemClock", lambda: clock),
        mock.patch("reconciler.cli.connection._LOCAL", Pace()),
        mock.patch(pause, lambda _self, seconds: clock.sleep(seconds)),
        mock.patch("reconciler.arm.wire._READ_S", patience_s),
    ):
        yield
