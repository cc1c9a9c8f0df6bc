"""Faults that the emulator plays by a script: what went wrong on other days, on demand.

`script` reads one, `kinds` is the table of what can be played, `stages` names the calls by what
they are for, `player` decides call by call, `refusals` knows Azure's words, `effects` says what a
fault leaves behind.
"""

from __future__ import annotations

from reconciler.emulator.faults.script import Faults, FaultsInvalid

__all__ = ["Faults", "FaultsInvalid"]
