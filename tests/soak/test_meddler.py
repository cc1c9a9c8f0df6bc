"""Somebody else writes a group between any two of our requests: theirs is never written over."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator import Call
from tests.conftest import Repository, group
from tests.soak.clock import hurried
from tests.soak.matrix import SEED
from tests.soak.shop import Shop, foreign, lay_out, opened
from tests.soak.test_matrix import apply

KINDS = ("create", "update", "replace", "tag", "delete")
READS = 7  # of a group, at most, in an apply
CASES = [
    (kind, read, way) for kind in KINDS for read in range(1, READS + 1) for way in ("edit", "put")
]
SHOP = Shop(creates=2, updates=2, replaces=2, tags=2, deletes=2, timeout="1m")
THEIRS = "theirs:1"


def chosen() -> list[tuple[str, int, str]]:
    """All, or a seeded fifth."""
    if os.environ.get("SOAK") == "all":
        return CASES
    return sorted(random.Random(f"{SEED}5").sample(CASES, len(CASES) // 5))


@dataclass(kw_only=True)
class Meddler:
    """Writes the group before its n-th read is answered; `edit` keeps its tags, `put` does not."""

    repository: Repository
    name: str
    at: int
    way: str
    reads: int = 0
    has_meddled: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, call: Call) -> None:
        """Let it pass."""
        if call.method != "GET" or not call.path.endswith(f"/{self.name}"):
            return
        with self._lock:
            self.reads += 1
            is_due = self.reads == self.at
        if is_due:
            self._meddle()

    def _meddle(self) -> None:
        live = self.repository.live(self.name)
        if self.way == "edit" and live is not None:
            self.repository.set_image(self.name, THEIRS)
        else:
            self.repository.given(group(self.name, image=THEIRS))
        self.has_meddled = True


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop as it was applied once, and as git wants it now."""
    folder = tmp_path_factory.mktemp("shop")
    lay_out(SHOP, folder)
    return folder


@pytest.mark.parametrize(("kind", "read", "way"), chosen())
def test_what_somebody_else_wrote_is_not_written_over(
    kind: str,
    read: int,
    way: str,
    laid_out: Path,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    with opened(laid_out, tmp_path / "shop") as repository, hurried():
        meddler = Meddler(repository=repository, name=f"{kind}-0", at=read, way=way)
        repository.emulator.intercept = meddler
        theirs = foreign(repository)

        done = apply(repository)

        record_property("soak meddled", f"{kind}: {'written' if meddler.has_meddled else 'over'}")
        assert foreign(repository) == theirs
        assert "internal error" not in done.err
        is_planned = f'"{THEIRS}"' in done.out  # it was there when the plan looked
        if not meddler.has_meddled or (is_planned and done.code != 4):
            assert done.code == 0, (done.out, done.err)
            return
        assert image_of(repository, f"{kind}-0") == THEIRS, (done.out, done.err)
        others = [n for _, n in SHOP.due if n != f"{kind}-0" and not n.startswith(("delete", kind))]
        assert all(image_of(repository, name) != THEIRS for name in others)


def image_of(repository: Repository, name: str) -> Any:
    live = repository.live(name)
    return live and live["properties"]["containers"][0]["properties"]["image"]
