"""Registries on this machine, and the client that asks them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from reconciler.core.images import Login, parse_image
from reconciler.registry.client import OciRegistries
from tests.conftest import Time
from tests.registry.stand_in import RegistryStandIn

PASSWORD = "hunter2-canary"
ALICE = Login("alice", PASSWORD)


@pytest.fixture
def start() -> Iterator[Callable[..., RegistryStandIn]]:
    """Starts registries."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(RegistryStandIn(**options))


@pytest.fixture
def registry(start: Callable[..., RegistryStandIn]) -> RegistryStandIn:
    """An open one."""
    return start()


@pytest.fixture
def time() -> Time:
    """A clock that only sleeping moves."""
    return Time()


@pytest.fixture
def ask(time: Time) -> Iterator[Callable[..., str]]:
    """Asks what an image points at."""
    client = OciRegistries(time, connections=4)
    yield lambda image, *logins: client.digest(parse_image(image), logins)
    client.close()


@pytest.fixture
def client(time: Time) -> Iterator[Any]:
    """The client itself."""
    client = OciRegistries(time, connections=4)
    yield client
    client.close()
