"""One signal, or two, at any request of an apply: nothing is lost, and what is left is named."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator import Call
from tests.soak.matrix import SEED
from tests.soak.processes import Runner
from tests.soak.shop import Shop, check_converged, effects, foreign, lay_out, opened

POINTS = 60
SEEDS = range(POINTS) if os.environ.get("SOAK") == "all" else range(1, POINTS, 11)
SHOP = Shop(creates=2, updates=2, replaces=3, tags=1, deletes=2)
APPLY = ("apply", "--yes", "--parallelism", "4", "-o", "text", "-o", "json=result.json")


@dataclass(kw_only=True)
class Interrupter:
    """Signals the command at its n-th request, which is answered as ever. 0: only counts."""

    at: int = 0
    signals: tuple[signal.Signals, ...] = ()
    runner: Runner | None = None
    requests: int = 0
    started: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, _call: Call) -> None:
        """Let it pass."""
        with self._lock:
            self.requests += 1
            is_due = self.requests == self.at
        if is_due and self.runner is not None and self.started.wait(10):
            for number in self.signals:
                os.kill(self.runner.child, number)


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop as it was applied once, and as git wants it now."""
    folder = tmp_path_factory.mktemp("shop")
    lay_out(SHOP, folder)
    return folder


@pytest.fixture(scope="module")
def length(
    laid_out: Path, runner: Runner, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    """How many requests an apply makes when nobody disturbs it."""
    with opened(laid_out, tmp_path_factory.mktemp("undisturbed") / "shop") as repository:
        counter = Interrupter()
        repository.emulator.intercept = counter
        assert runner.run(repository, *APPLY).code == 0
    yield counter.requests


@pytest.mark.parametrize("seed", SEEDS)
def test_an_interrupted_apply_says_what_is_left_and_the_next_one_finishes_it(
    seed: int,
    laid_out: Path,
    runner: Runner,
    length: int,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    chance = random.Random(f"{SEED}{seed}")
    at = max(1, int(length * 0.95 * (seed + chance.random()) / POINTS))
    signals = (signal.SIGINT, signal.SIGTERM)[: 1 + seed % 2]
    record_property("soak interrupted", f"{len(signals)} signals")
    with opened(laid_out, tmp_path / "shop") as repository:
        interrupter = Interrupter(at=at, signals=signals, runner=runner)
        repository.emulator.intercept = interrupter
        theirs = foreign(repository)

        runner.start(repository, *APPLY)
        interrupter.started.set()
        done = runner.end(repository)

        where = f"seed {seed}, {len(signals)} signals at request {at} of {length}"
        assert done.code == 130, (where, done)
        assert "internal error" not in done.err, (where, done.err)
        missing = {n for n in names("replace") if repository.live(n) is None}
        check_result(repository, missing, is_patient=len(signals) == 1)

        again = runner.run(repository, *APPLY)
        assert again.code == 0, (where, again.out, again.err)
        check_converged(SHOP, repository, theirs)
        assert effects(repository) == SHOP.due, where


def names(kind: str) -> set[str]:
    return {name for _, name in SHOP.due if name.startswith(kind)}


def check_result(repository: Any, missing: set[str], *, is_patient: bool) -> None:
    """Every group is accounted for, and those that are not there are said to be lost."""
    path = repository.root / "result.json"
    if not path.exists():
        assert not effects(repository), "it wrote, and says nothing of it"
        return
    result = json.loads(path.read_text())
    assert result["exitCode"] == 130
    if result["kind"] == "Failure":
        assert not effects(repository), "it wrote, and says it came to no result"
        return
    outcomes = {one["name"].rpartition("/")[2]: one for one in result["outcomes"]}
    left = {one["name"].rpartition("/")[2] for one in result["noOutcome"]}
    assert set(outcomes) | left == {name for _, name in SHOP.due}
    assert not set(outcomes) & left
    stranded = {name for name, one in outcomes.items() if one["stranded"]}
    if is_patient:
        assert not missing, "deleted, and not created again"
        assert not stranded
    # The delete of one that is left may be on its way still, and its create may go out as we end.
    assert missing <= stranded
