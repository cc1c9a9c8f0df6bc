"""The stream of events of an apply: one JSON object a line, on the disk before the next is told."""

from __future__ import annotations

import logging
import os
import stat
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from reconciler.cli.files import why_not
from reconciler.core.jsonval import JsonObject
from reconciler.core.outcome import Outcome
from reconciler.core.plan import Action
from reconciler.errors import LocalStateUnusable
from reconciler.report import as_ndjson
from reconciler.report.rows import Report, outcome_row

_log = logging.getLogger(__name__)


class Stream:
    """Writes events to a file, or to stdout where `path` is None; for several threads.

    A file is emptied when the stream is opened. Once a line could not be written none follows it,
    so that all lines but the last are whole; `finish` says so. Workers that were left behind may
    tell more after `finish`: nothing follows the result.
    """

    def __init__(
        self, path: Path | None, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Open the file.

        Raises:
            LocalStateUnusable: it cannot be written.
        """
        self._path = path
        self._now = now
        self._seq = 0
        self._failure: Exception | None = None
        self._under_way: dict[str, tuple[Action, str]] = {}
        self._landed: set[str] = set()
        self._is_over = False
        self._lock = threading.Lock()
        self._number = -1  # of the file; stdout has none here
        self._is_file = False
        if path is not None:
            self._open(path)

    def start(self, planned: Report) -> None:
        """Tell which plan is going to be carried out."""
        self._tell(lambda: as_ndjson.started(planned))

    def began(self, action: Action) -> None:
        """Work on an action has begun."""
        with self._lock:
            self._under_way[action.address] = (action, "")
        self._tell(lambda: as_ndjson.began(action))

    def step(self, action: Action, text: str, *, operation: str = "") -> None:
        """A step of an action under way."""
        with self._lock:
            _, before = self._under_way.get(action.address, (action, ""))
            self._under_way[action.address] = (action, operation or before)
        self._tell(lambda: as_ndjson.step(action, text, operation))

    def held(self, text: str, until: datetime) -> None:
        """Work waits for a ration."""
        self._tell(lambda: as_ndjson.held(text, until))

    def landed(self, outcome: Outcome) -> None:
        """An action is over."""
        with self._lock:
            self._under_way.pop(outcome.action.address, None)
            self._landed.add(outcome.action.address)
        self._tell(lambda: as_ndjson.landed(outcome_row(outcome)))

    def interrupted(self, running: int) -> None:
        """The first interrupt."""
        del running  # they are listed by name
        with self._lock:
            found = tuple(self._under_way.values())
        self._tell(lambda: as_ndjson.interrupted(found))

    def finish(self, report: Report) -> None:
        """Tell the result and close the file; an outcome that nobody told comes before it.

        Raises:
            LocalStateUnusable: a line could not be written.
            BrokenPipeError: nobody reads stdout any more.
        """
        with self._lock:
            self._is_over = True
            # What never started, or was left behind, has landed without anybody to tell of it.
            untold = [o for o in report.outcomes if o.action.target.address not in self._landed]
            for outcome in untold:
                self._write(partial(as_ndjson.landed, outcome))
            self._write(lambda: as_ndjson.finished(report))
        self.close()
        if self._failure is None:
            return
        if self._path is None and isinstance(self._failure, BrokenPipeError):
            raise self._failure
        raise LocalStateUnusable(
            f"{self._path or 'stdout'}: the events in it are cut off: {why_not(self._failure)}",
            hint="the result is told besides",
        ) from self._failure

    def close(self) -> None:
        """Close the file; may be called more than once."""
        with self._lock, suppress(OSError):
            number, self._number = self._number, -1
            if number >= 0:
                os.close(number)

    def _open(self, path: Path) -> None:
        try:
            # O_TRUNC means nothing to a pipe or a device: it is written into as it is.
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
            self._number = os.open(os.path.realpath(path), flags, 0o666)
            self._is_file = stat.S_ISREG(os.fstat(self._number).st_mode)
        except (OSError, ValueError) as exc:
            raise LocalStateUnusable(
                f"{path}: cannot be written: {why_not(exc)}", hint="give -o another path"
            ) from exc

    def _tell(self, event: Callable[[], JsonObject]) -> None:
        with self._lock:
            if not self._is_over:
                self._write(event)

    def _write(self, event: Callable[[], JsonObject]) -> None:
        """Write a line, under the lock; that it could not be made or written is kept."""
        if self._failure is not None:
            return
        self._seq += 1
        try:
            self._put(as_ndjson.line(event(), seq=self._seq, at=self._now()))
        except Exception as exc:  # noqa: BLE001  # a gap must not go unsaid, whatever made it
            _log.debug("not written: %s", exc, exc_info=True)
            self._failure = exc

    def _put(self, text: str) -> None:
        if self._path is None:
            sys.stdout.write(text)
            sys.stdout.flush()
            return
        rest = memoryview(text.encode())
        while rest:
            rest = rest[os.write(self._number, rest) :]
        if self._is_file:
            os.fsync(self._number)
