"""Here a transition is seen once before it is over, as in Azure."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.emulator import PLENTY, Emulator, Polls


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    with Emulator(time=Polls(1, 1), limits=PLENTY) as running:
        yield running
