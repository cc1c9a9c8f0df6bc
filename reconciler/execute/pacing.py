"""The gate that every request passes: slows down before Azure refuses, and stops when it does."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from reconciler.core.cloud import Clock, Kind, Left, Ration
from reconciler.errors import Interrupted
from reconciler.execute.clock import SystemClock
from reconciler.execute.rations import MARGIN_S, STEP_S, Bucket, Ledger, Stop, Window

# As long as no answer has told how many are left.
FIRST_UNDER_WAY = 20
# HTTP 429 without a `Retry-After`, which is always there as documented (B.4).
DEFAULT_RETRY_S = 60.0
# No ration is of more than an hour: a longer wait is a mistake.
LONGEST_RETRY_S = 3600.0
# What ARM's buckets gain in a second as documented (F.4): the pace when they are nearly empty.
REFILL = {Kind.READ: 25.0, Kind.WRITE: 10.0, Kind.DELETE: 10.0}

_EASE_S = 60.0
_LOW = 20
_SHORTEST_S = 0.01
# Shorter waits are not told of, nor again when the end moved by less.
_TOLD_FROM_S = 1.0
_MOVED_S = 10.0


@dataclass(slots=True, kw_only=True)
class _Lane:
    """One ration: what is under way in it, what is known to be left, and whether it is stopped."""

    what: str
    bucket: Bucket | None = None
    windows: tuple[Window, ...] = ()
    ledger: Ledger = field(default_factory=Ledger)
    stop: Stop = field(default_factory=Stop)
    is_told: bool = False
    insisting: int = 0  # how many wait that may not be left out
    told_until: float = float("-inf")

    def wait_s(self, now: float, ahead: int = 0) -> float:
        if self.stop.is_on:
            return self.stop.wait_s(now) or (STEP_S if ahead else 0.0)
        if not self.is_told and len(self.ledger.under_way) + ahead >= FIRST_UNDER_WAY:
            return STEP_S
        waits = [window.wait_s(self.ledger, now, ahead=ahead) for window in self.windows]
        return max([*waits, self.bucket.wait_s(now) if self.bucket else 0.0])

    def send(self, number: int, now: float) -> None:
        self.ledger.send(number, now)
        self.stop.send(number)
        for window in self.windows:
            window.send()
        if self.bucket:
            self.bucket.send(now)

    def answer(self, number: int, left: Left | None, now: float) -> None:
        sent, after = self.ledger.answer(number, now)
        counts = (left.in_5_minutes, left.in_1_hour) if left else ()
        for window, count in zip(self.windows, counts, strict=False):
            if count is not None:
                self.is_told = True
                learn = window.refused if left and left.is_refused else window.told
                learn(count, sent, after, self.ledger, now)
        if self.bucket and left:
            self.is_told = True  # not every answer says it: a gateway's own does not
            if left.in_subscription is not None:
                self.bucket.told(left.in_subscription, sent, after)

    def refuse(self, number: int, left: Left, now: float) -> None:
        wait = DEFAULT_RETRY_S if left.retry_after_s is None else left.retry_after_s
        until = now + min(max(wait, 0.0), LONGEST_RETRY_S) + MARGIN_S
        self.stop.refused(number, until)
        if self.bucket:
            self.bucket.ease(until + _EASE_S)

    def why(self, now: float) -> str:
        if self.stop.is_on:
            return "refused with HTTP 429"
        longest = max(self.windows, key=lambda it: it.wait_s(self.ledger, now), default=None)
        if longest and (left := longest.left(self.ledger, now)) is not None:
            return f"{max(0, left)} of {longest.limit} left in {longest.name}"
        return f"{max(0, self.bucket.left or 0)} left" if self.bucket else ""


class Pacer:
    """Implements `core.cloud.Gate`: one for a run, shared by all that send.

    Args:
        clock: What it tells and passes the time by.
        leave: Whether the run is to end: then nothing waits any more.
        tell: Hears once of each wait of more than a second: for what, and until when as far as is
            known. It is called on the thread that waits.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        leave: Callable[[], bool] = lambda: False,
        tell: Callable[[str, datetime], None] = lambda _text, _until: None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._leaves = leave
        self._tell = tell
        self._lock = threading.Lock()
        self._lanes: dict[Ration, _Lane] = {}
        self._numbers = 0
        self._latest = float("-inf")
        self._held: dict[str, float] = {}
        self._promised: Counter[Ration] = Counter()
        self._thread = threading.local()

    def attend(
        self,
        *,
        leave: Callable[[], bool] | None = None,
        tell: Callable[[str, datetime], None] | None = None,
    ) -> None:
        """Ask and tell these from now on; what is None stays."""
        self._leaves = leave or self._leaves
        self._tell = tell or self._tell

    # The gate

    def enter(self, ration: Ration) -> int:
        """Return once the request may go out, with the number it goes by.

        Raises:
            Interrupted: the run is to end, and the request would have had to wait.
        """
        if (number := self._placed(ration)) is not None:
            return number
        while True:
            self.turn(ration)
            if (number := self._take(ration)) is not None:
                return number

    def turn(self, ration: Ration, *, ahead: Callable[[], int] = lambda: 0) -> float:
        """Return once a request may go out, after `ahead` others; nothing is taken yet.

        Returns:
            The seconds that were waited for it.

        Raises:
            Interrupted: as `enter`.
        """
        before = self._clock.now()
        with self._queued(ration) as insists:
            while True:
                with self._lock:
                    now = self._now()
                    wait, lane = self._wait(ration, now, insists=insists, ahead=ahead())
                    if wait <= 0:
                        return (self._clock.now() - before).total_seconds()
                    news = _news(lane, wait, now)
                if self._leaves() and not insists:
                    raise Interrupted("the run was interrupted before it was sent")
                if news:
                    self._tell(*news)
                self._clock.sleep(min(wait, STEP_S))

    def leave(self, ration: Ration, number: int, left: Left | None) -> None:
        """The request was answered; None where no answer came."""
        with self._lock:
            now = self._now()
            lanes = self._lanes_of(ration)
            refusing = _refusing(lanes, left) if left and left.is_refused else ()
            for lane in lanes:
                lane.answer(number, left, now)
                if left and lane in refusing:
                    lane.refuse(number, left, now)
                else:
                    lane.stop.answered(number, is_taken=left is not None)

    def wait_s(self, ration: Ration, *, ahead: int = 0) -> float:
        """Seconds until a request may go out as far as is known, 0 when it may now.

        `ahead` others will go out before it that have not come to the gate yet.
        """
        with self._lock:
            return self._wait(ration, self._now(), insists=self._insists(), ahead=ahead)[0]

    def mention(self, ration: Ration) -> None:
        """Tell of the wait for `ration`, if there is one: for who does not wait in `enter`."""
        with self._lock:
            now = self._now()
            wait, lane = self._wait(ration, now, insists=self._insists())
            news = _news(lane, wait, now)
        if news:
            self._tell(*news)

    @contextmanager
    def place(self, ration: Ration) -> Iterator[bool]:
        """A place for one request, held for this thread where one is free now; whether it is.

        The thread's next `enter` of that ration takes it at once: who has just read what is going
        to be written has nothing to wait for any more.
        """
        number = self._take(ration)
        if number is not None:
            self._places()[_plain(ration)] = number
        try:
            yield number is not None
        finally:
            if number is not None and self._placed(ration) is not None:
                self.leave(ration, number, None)

    @contextmanager
    def promise(self, ration: Ration) -> Iterator[float]:
        """Begin when a request could go out after all those that are promised; it will follow.

        Yields the seconds that were waited. Others may go before it all the same.

        Raises:
            Interrupted: as `enter`.
        """
        key = _plain(ration)
        waited_s = self.turn(ration, ahead=lambda: self._promised[key])
        with self._lock:
            self._promised[key] += 1
        try:
            yield waited_s
        finally:
            with self._lock:
                self._promised[key] -= 1

    @contextmanager
    def insisting(self) -> Iterator[None]:
        """In the block this thread is not interrupted, and is served before others.

        For what must follow on what was sent: a group that was deleted to be created again.
        """
        before = self._insists()
        self._thread.insists = True
        try:
            yield
        finally:
            self._thread.insists = before

    # Pauses by name

    def hold(self, key: str, seconds: float) -> None:
        """Let all who ask for `key` wait; the longest pause holds."""
        with self._lock:
            self._held[key] = max(self._held.get(key, 0.0), self._now() + seconds)

    def held_s(self, key: str) -> float:
        """Seconds that are left of a pause, 0 when it is over."""
        with self._lock:
            return max(0.0, self._held.get(key, 0.0) - self._now())

    # With the lock held

    def _now(self) -> float:
        # A clock that is set back would let what expired count again.
        self._latest = max(self._latest, self._clock.now().timestamp())
        return self._latest

    def _wait(
        self, ration: Ration, now: float, *, insists: bool, ahead: int = 0
    ) -> tuple[float, _Lane]:
        waits = []
        for lane in self._lanes_of(ration):
            wait = lane.wait_s(now, ahead)
            if lane.insisting and not insists:
                wait = max(wait, STEP_S)
            waits.append((wait, lane))
        wait, lane = max(waits, key=lambda item: item[0])
        return (max(wait, _SHORTEST_S) if wait > 0 else 0.0), lane

    def _take(self, ration: Ration) -> int | None:
        """The number of a request that may go out now, None where none may."""
        with self._lock:
            now = self._now()
            if self._wait(ration, now, insists=self._insists())[0] > 0:
                return None
            return self._send(ration, now)

    def _send(self, ration: Ration, now: float) -> int:
        self._numbers += 1
        for lane in self._lanes_of(ration):
            lane.send(self._numbers, now)
        return self._numbers

    def _lanes_of(self, ration: Ration) -> tuple[_Lane, ...]:
        """ARM's lane, and before it the provider's where it counts the request too."""
        key = _plain(ration)
        keys = (key, replace(key, region="")) if key.region else (key,)
        return tuple(self._lane(key) for key in keys)

    def _lane(self, key: Ration) -> _Lane:
        if key not in self._lanes:
            self._lanes[key] = _lane_for(key)
        return self._lanes[key]

    # Each thread for itself

    def _placed(self, ration: Ration) -> int | None:
        """The number of the place that is held for this thread, which is given up; None: none."""
        return self._places().pop(_plain(ration), None)

    def _places(self) -> dict[Ration, int]:
        if not hasattr(self._thread, "places"):
            self._thread.places = {}
        places: dict[Ration, int] = self._thread.places
        return places

    def _insists(self) -> bool:
        return bool(getattr(self._thread, "insists", False))

    @contextmanager
    def _queued(self, ration: Ration) -> Iterator[bool]:
        """Whether this thread insists, and others of its ration stand back until it is through."""
        insists = self._insists()
        self._stand(ration, int(insists))
        try:
            yield insists
        finally:
            self._stand(ration, -int(insists))

    def _stand(self, ration: Ration, change: int) -> None:
        if change:
            with self._lock:
                # The first lane alone: what waits for a region holds up no other.
                self._lanes_of(ration)[0].insisting += change


def _plain(ration: Ration) -> Ration:
    return Ration.of(ration.subscription, ration.kind, ration.region)


def _lane_for(key: Ration) -> _Lane:
    if key.region:
        return _Lane(
            what=f"group {key.kind.value} in {key.region}",
            windows=(
                Window(seconds=300.0, name="5 minutes"),
                Window(seconds=3600.0, name="1 hour"),
            ),
        )
    what = f"{key.kind.value} in subscription {key.subscription}"
    return _Lane(what=what, bucket=Bucket(refill=REFILL[key.kind]))


def _refusing(lanes: tuple[_Lane, ...], left: Left) -> tuple[_Lane, ...]:
    """Whose refusal HTTP 429 is: the provider's, which names a count of 0, ARM's, or perhaps both.

    ARM counts on several servers and may refuse with a high count (F.4).
    """
    provider, arm = lanes[:-1], lanes[-1:]
    if provider and 0 in (left.in_5_minutes, left.in_1_hour):
        return provider
    is_arm = left.in_subscription is not None and left.in_subscription < _LOW
    return arm if is_arm else lanes


def _news(lane: _Lane, wait: float, now: float) -> tuple[str, datetime] | None:
    until = now + wait
    if wait <= _TOLD_FROM_S or abs(until - lane.told_until) < _MOVED_S:
        return None
    lane.told_until = until
    text = f"waiting for Azure's ration of {lane.what} ({lane.why(now)})"
    return text, datetime.fromtimestamp(until, UTC)
