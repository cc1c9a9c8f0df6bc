"""A model of what Azure counts, and of a run that sends through the pacer: events, one thread."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Protocol

from reconciler.core.cloud import Kind, Left, Ration
from reconciler.execute.pacing import Pacer

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
FIVE_MINUTES, HOUR = 300.0, 3600.0


class Virtual:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.start = datetime(2025, 1, 1, 12, tzinfo=UTC)
        self.at = 0.0

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.at)

    def sleep(self, seconds: float) -> None:
        self.at += seconds


class Rule(Protocol):
    """How a window counts; `used` and `free_at` are asked at the time of a request."""

    def used(self, now: float) -> int: ...
    def take(self, now: float) -> None: ...
    def free_at(self, limit: int) -> float: ...


@dataclass
class Sliding:
    """The last `seconds` before each request."""

    seconds: float
    times: deque[float] = field(default_factory=deque)

    def used(self, now: float) -> int:
        while self.times and self.times[0] <= now - self.seconds:
            self.times.popleft()
        return len(self.times)

    def take(self, now: float) -> None:
        self.times.append(now)

    def free_at(self, limit: int) -> float:
        return self.times[len(self.times) - limit] + self.seconds


@dataclass
class Fixed:
    """Windows that begin with the first request after the one before, or at a phase of the clock."""

    seconds: float
    phase: float | None = None
    began: float | None = None
    number: int = 0

    def used(self, now: float) -> int:
        if self.phase is not None:
            began = (now - self.phase) // self.seconds * self.seconds + self.phase
        elif self.began is None or now >= self.began + self.seconds:
            began = now
        else:
            began = self.began
        if began != self.began:
            self.began, self.number = began, 0
        return self.number

    def take(self, now: float) -> None:
        self.number += 1

    def free_at(self, limit: int) -> float:
        return (self.began or 0.0) + self.seconds


@dataclass
class Quota:
    """The provider's two windows of one region."""

    limits: tuple[int, int]
    rules: tuple[Rule, Rule]
    counts_refused: bool = False
    refused: list[float] = field(default_factory=list)
    taken: list[float] = field(default_factory=list)

    def ask(self, now: float) -> Left:
        used = [rule.used(now) for rule in self.rules]
        full = [u >= limit for u, limit in zip(used, self.limits, strict=True)]
        (self.refused if any(full) else self.taken).append(now)
        if not any(full) or self.counts_refused:
            for rule in self.rules:
                rule.take(now)
        left = [
            max(0, limit - rule.used(now))
            for rule, limit in zip(self.rules, self.limits, strict=True)
        ]
        return Left(
            in_subscription=None,
            in_5_minutes=left[0],
            in_1_hour=left[1],
            is_refused=any(full),
            retry_after_s=self._back(now) if any(full) else None,
        )

    def _back(self, now: float) -> float:
        return max(
            rule.free_at(limit) - now
            for rule, limit in zip(self.rules, self.limits, strict=True)
            if rule.used(now) >= limit
        )


def region_of(number: int) -> Ration:
    return Ration(subscription=SUBSCRIPTION, kind=Kind.WRITE, region=f"region{number}")


@dataclass
class Simulation:
    """Sends `jobs` requests in each region, with so many workers, until all were taken."""

    quotas: Sequence[Quota]
    jobs: int
    workers: int
    latency: Callable[[], tuple[float, float]]  # until it is counted, and from then to the answer
    horizon: float = 100 * HOUR

    def run(self) -> float:
        """When the last answer came."""
        clock = Virtual()
        pacer, order = Pacer(clock=clock), count()
        events: list[tuple[float, int, str, int, int, Left | None]] = []
        todo, busy = [self.jobs] * len(self.quotas), 0
        waking: dict[int, float] = {}  # when each region looks again

        def put(
            at: float, what: str, region: int, number: int = 0, left: Left | None = None
        ) -> None:
            heapq.heappush(events, (at, next(order), what, region, number, left))

        for region in range(len(self.quotas)):
            put(0.0, "wake", region)
        while events:
            clock.at, _, what, region, number, left = heapq.heappop(events)
            assert clock.at < self.horizon, "it stands still"
            touched = [region]
            if what == "count":
                there, back = self.quotas[region].ask(clock.at), self.latency()[1]
                put(clock.at + back, "answer", region, number, there)
                continue
            if what == "answer":
                assert left is not None
                pacer.leave(region_of(region), number, left)
                todo[region] += left.is_refused
                if busy == self.workers:
                    touched = list(range(len(self.quotas)))
                busy -= 1
            else:
                waking.pop(region, None)
            for each in touched:
                while todo[each] and busy < self.workers and not pacer.wait_s(region_of(each)):
                    todo[each], busy = todo[each] - 1, busy + 1
                    put(clock.at + self.latency()[0], "count", each, pacer.enter(region_of(each)))
                wait = pacer.wait_s(region_of(each))
                if todo[each] and wait and clock.at + wait < waking.get(each, self.horizon):
                    waking[each] = clock.at + wait
                    put(clock.at + wait, "wake", each)
        assert not any(todo), "not everything was sent"
        return clock.at
