"""A local Azure Resource Manager with container groups, for tests, demonstrations and laptops.

It states Azure's behaviour in its own words, from the evidence ("Source: C.2 #14" names a place in
the collected facts), and shares no code with the reconciler: the two meet over HTTP alone.
What it does not model it answers with 501.
"""

from __future__ import annotations

from reconciler.emulator.emulator import Emulator
from reconciler.emulator.errors import EmulatorStateUnusable
from reconciler.emulator.faults import Faults, FaultsInvalid
from reconciler.emulator.pace import Durations, ManualClock, Pace, Polls, RealTime
from reconciler.emulator.server import LoggedRequest
from reconciler.emulator.throttle import PLENTY, Limits
from reconciler.emulator.world import Answers, Call, Reply

__all__ = [
    "PLENTY",
    "Answers",
    "Call",
    "Durations",
    "Emulator",
    "EmulatorStateUnusable",
    "Faults",
    "FaultsInvalid",
    "Limits",
    "LoggedRequest",
    "ManualClock",
    "Pace",
    "Polls",
    "RealTime",
    "Reply",
]
