"""From any live state and any manifests: what must hold, whatever anybody does.

`make fuzz` runs the same with many more examples; see CONTRIBUTING.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.stateful.machine import Reconciling
from tests.stateful.world import close_arenas

_EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))

# Neither earlier failures are kept nor is it explained which lines a failure always reaches.
_PHASES = (
    (Phase.generate, Phase.shrink)
    if os.environ.get("FUZZ_SHRINK", "1") == "1"
    else (Phase.generate,)
)


@pytest.fixture(scope="module", autouse=True)
def arenas() -> Iterator[None]:
    """Emulators are shared by the examples and stopped at the end."""
    yield
    close_arenas()


Reconciling.TestCase.settings = settings(
    max_examples=_EXAMPLES or 16,
    stateful_step_count=int(os.environ.get("FUZZ_STEPS", "10")),
    deadline=None,
    database=None,
    derandomize=not _EXAMPLES,
    print_blob=True,
    phases=_PHASES,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.timeout(0 if _EXAMPLES else 300)
class TestReconciling(Reconciling.TestCase):
    """The machine, as pytest runs it."""
