"""Signals that Python loses."""

from __future__ import annotations

import subprocess
import sys

LOSES_ONE = """
import os, signal, time
from reconciler.cli import signals

signals.raised()

class Loses:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)

one = Loses()
del one
raised = 0
try:
    with signals.counted_interrupts(lambda: None) as count:
        time.sleep(0.7)
        counted = count()
except KeyboardInterrupt:
    raised, counted = 1, 0
signals.heard()
print(raised + counted)
"""


def test_an_interrupt_that_was_swallowed_counts_once() -> None:
    """What is raised while garbage is collected is lost; it is raised again, or counted."""
    done = subprocess.run(
        [sys.executable, "-c", LOSES_ONE], capture_output=True, text=True, timeout=60
    )

    assert done.stdout == "1\n", done.stderr
