"""docs/how-to: every file on the pages is written, every command typed, every output compared.

`UPDATE_GOLDEN=1` writes what the commands print into the pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from reconciler.emulator import PLENTY, Emulator, ManualClock
from tests.conftest import Repository
from tests.pages import HOW_TO, blocks, is_not_run, play

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def shop(make_repository: Callable[..., Repository]) -> Iterator[Repository]:
    """An empty folder, and an Azure whose clock goes with ours."""
    clock = ManualClock()
    with Emulator(time=clock, limits=PLENTY) as emulator:
        repository = make_repository(emulator, subscription=SUBSCRIPTION, workers=1)
        repository.clock._on_sleep = clock.advance
        (repository.root / "aci-reconcile.yaml").unlink()
        repository.given_home()
        yield repository


def test_a_label_moves_from_blue_to_green(shop: Repository) -> None:
    play("how-to/blue-green-by-dns-label.md", shop)

    assert shop.names == ["web-blue", "web-green"]
