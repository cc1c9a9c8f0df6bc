"""`SIGKILL` at any moment of an apply: the next run finishes it, and nothing is written twice."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator import Call, Emulator, Reply
from tests.conftest import Repository, refusal
from tests.soak.matrix import SEED
from tests.soak.processes import Runner
from tests.soak.shop import (
    SECOND_HOME,
    Shop,
    check_converged,
    effects,
    foreign,
    is_as_wanted,
    lay_out,
    opened,
)

POINTS = 100
SEEDS = range(POINTS) if os.environ.get("SOAK") == "all" else range(0, POINTS, 11)
SHOP = Shop(creates=6, updates=5, replaces=4, tags=2, deletes=3, unchanged=2, homes=True)
WRITES = 1 + sum(SHOP.due.values())  # and the resource group
APPLY = ("apply", "--yes", "--parallelism", "4", "-o", "text", "-o", "ndjson=events.ndjson")


@dataclass(kw_only=True)
class Killer:
    """Kills the command at its n-th request, or n-th write: before its effect or before the answer.

    Without `runner` it only counts.
    """

    emulator: Emulator
    at: int = 0
    counts: str = "requests"
    after_effect: bool = False
    runner: Runner | None = None
    requests: int = 0
    writes: int = 0
    what: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _started: threading.Event = field(default_factory=threading.Event)

    def started(self) -> None:
        """The command has a process that can be killed."""
        self._started.set()

    def __call__(self, call: Call) -> Reply | None:
        """The answer to a request; None where the service may answer by itself."""
        with self._lock:
            self.requests += 1
            self.writes += call.method != "GET"
            number = self.requests if self.counts == "requests" else self.writes
            is_due = number == self.at and not self.what
            if is_due and (self.counts == "requests" or call.method != "GET"):
                self.what = f"{call.method} {'after' if self.after_effect else 'before'} its effect"
            else:
                return None
        gone = refusal(503, "NobodyIsThere")
        reply = self.emulator._service.answer(call) if self.after_effect else gone
        self._kill()
        return reply

    def _kill(self) -> None:
        if self.runner is not None and self._started.wait(10):
            os.kill(self.runner.child, signal.SIGKILL)


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop as it was applied once, and as git wants it now."""
    folder = tmp_path_factory.mktemp("shop")
    lay_out(SHOP, folder)
    return folder


@pytest.fixture(scope="module")
def length(laid_out: Path, runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many requests an apply makes when nobody disturbs it."""
    with opened(laid_out, tmp_path_factory.mktemp("undisturbed") / "shop") as repository:
        killer = Killer(emulator=repository.emulator)
        repository.emulator.intercept = killer
        theirs = foreign(repository)

        done = runner.run(repository, *APPLY)

        assert done.code == 0, (done.out, done.err)
        assert effects(repository) == SHOP.due
        assert killer.writes == WRITES
        check_converged(SHOP, repository, theirs)
    return killer.requests


def point(seed: int, length: int) -> dict[str, Any]:
    """When to kill: at each write, before and after its effect, and else anywhere in the run."""
    if seed < 2 * WRITES:
        return {"counts": "writes", "at": seed // 2 + 1, "after_effect": seed % 2 == 1}
    chance = random.Random(f"{SEED}{seed}")
    part = (seed - 2 * WRITES + chance.random()) / (POINTS - 2 * WRITES)
    # Threads take turns: another time the run may be a little shorter.
    return {"at": max(1, int(length * 0.97 * part)), "after_effect": chance.random() < 0.5}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_killed_apply_is_finished_by_the_next_one(
    seed: int,
    laid_out: Path,
    runner: Runner,
    length: int,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    with opened(laid_out, tmp_path / "shop") as repository:
        killer = Killer(emulator=repository.emulator, runner=runner, **point(seed, length))
        repository.emulator.intercept = killer
        theirs = foreign(repository)

        runner.start(repository, *APPLY)
        killer.started()
        killed = runner.end(repository)
        where = f"seed {seed}, at number {killer.at} of {killer.counts}: {killer.what}"
        assert killed.code == -signal.SIGKILL, f"not killed: {where}, {killed}"
        record_property("soak killed", killer.what)
        check_events(repository, effects(repository))

        again = runner.run(repository, *APPLY)
        assert again.code == 0, (where, again.out, again.err)
        left = runner.run(repository, "plan", "--detailed-exitcode")
        assert left.code == 0, (where, left.out)
        check_converged(SHOP, repository, theirs)
        assert effects(repository) == SHOP.due, where


def check_events(repository: Repository, done: Counter[tuple[str, str]]) -> None:
    """What was written down by then: whole lines but for the last, and every write before it."""
    path = repository.root / "events.ndjson"
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    events = [json.loads(line) for line in lines]
    assert [one["seq"] for one in events] == list(range(1, len(events) + 1))
    told = {one["name"].rpartition("/")[2] for one in events if one["event"] == "step"}
    assert {name for _, name in done} <= told
    for one in events:
        if one["event"] == "landed":
            assert one["outcome"]["status"] == "succeeded", one
            name = one["name"].rpartition("/")[2]
            assert (
                one["action"] == "create" and name == SECOND_HOME or is_as_wanted(repository, name)
            )
