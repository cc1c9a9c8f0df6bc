"""Here a transition is seen once before it is over, as in Azure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from reconciler.emulator import PLENTY, Emulator, ManualClock, Polls
from tests.conftest import Repository, Time, group


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    with Emulator(time=Polls(1, 1), limits=PLENTY) as running:
        yield running


@pytest.fixture
def shop(make_repository: Callable[..., Repository]) -> Iterator[Repository]:
    """A repository whose Azure moves as the reconciler sleeps, with one group applied."""
    time = ManualClock()
    with Emulator(time=time, limits=PLENTY) as running:
        repository = make_repository(running, clock=Time(on_sleep=time.advance))
        repository.given_home()
        repository.write(group("web"))
        repository.apply()
        yield repository
