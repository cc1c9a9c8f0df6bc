"""How often to look, for a command that looks until it is told to end."""

from __future__ import annotations

from reconciler.execute.wait import Pace

# The older of ARM's two ceilings is 12,000 reads an hour for a whole subscription (azure-facts
# F.4), shared with everybody: whoever only watches takes no more than half of it.
_READ_S = 0.6


def pause_for(reads: int, wished_s: float, pace: Pace) -> float:
    """Seconds until the next look, which costs so many reads; no shorter than ARM can bear.

    A server on this machine is nobody's ration.
    """
    return wished_s if pace.is_local else max(wished_s, reads * _READ_S)
