"""Real time."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """The machine's clock as it was at first, going on evenly; implements `core.cloud.Clock`.

    Deadlines end neither early nor late when the time of day is set. A suspended machine's sleep
    does not count where the system's own monotonic clock leaves it out, as on Linux.
    """

    def __init__(self) -> None:
        self._began = datetime.now(UTC)
        self._ticks = time.monotonic()

    def now(self) -> datetime:
        """The time in UTC."""
        return self._began + timedelta(seconds=time.monotonic() - self._ticks)

    def sleep(self, seconds: float) -> None:
        """Sleep for `seconds`; negative or zero returns at once."""
        time.sleep(max(0.0, seconds))
