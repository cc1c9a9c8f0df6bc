"""How many requests are left, as far as the answers tell: arithmetic alone, no clock and no lock.

Times are seconds of any one clock, handed in. Whether a window is fixed or slides is not known
(azure-facts I19), nor is the limit, so nothing here depends on either. Two counts never promise
too much while nobody else uses the ration, and the larger of them holds:

* `limit - own`. The limit is at least the highest count seen and one. What is counted in a window
  of either kind was answered within its length or is under way.
* `sure`: what an answer said was left, less all that may have been counted after it.

An answer that says less than they promise tells of somebody else, and both are put right.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice

# Azure counts by its own clock and in whole seconds.
MARGIN_S = 1.0
# Nothing says when an answer will come: ask again.
STEP_S = 0.5
_LONGEST_ANSWER_S = 900.0
_LONGEST_WINDOW_S = 3600.0
_LONGEST_SPACE_S = 60.0
_LOW = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request under way: when it went out, and how many answers had come by then."""

    at: float
    answers_before: int


@dataclass(slots=True)
class Ledger:
    """What we sent in one ration ourselves."""

    under_way: dict[int, Sent] = field(default_factory=dict)
    answers: int = 0
    answered: list[float] = field(default_factory=list)  # when, ascending

    def send(self, number: int, now: float) -> None:
        """A request goes out."""
        self.under_way[number] = Sent(at=now, answers_before=self.answers)

    def answer(self, number: int, now: float) -> tuple[Sent, int]:
        """A request was answered, or given up.

        Returns it, and how many others may have been counted after it: all that had not been
        answered when it went out.
        """
        sent = self.under_way.pop(number)
        after = self.answers - sent.answers_before + len(self.under_way)
        self.answers += 1
        self.answered.append(now)
        old = bisect_right(self.answered, now - _LONGEST_WINDOW_S - _LONGEST_ANSWER_S)
        del self.answered[:old]
        return sent, after

    def used_since(self, then: float) -> int:
        """How many may have been counted after `then`."""
        return len(self.under_way) + _newer(self.answered, then)


@dataclass(slots=True, kw_only=True)
class Window:
    """One of the provider's counts: so many requests in so many seconds."""

    seconds: float
    name: str
    limit: int | None = None  # at least; None before the first answer
    _sure: int | None = None
    _sure_since: int = 0  # how many answers had come when it was said
    _others: list[float] = field(default_factory=list)  # noticed when, one a request, ascending

    def left(self, ledger: Ledger, now: float) -> int | None:
        """How many may go out now, negative when too many did; None before the first answer."""
        if self.limit is None:
            return None
        by_window = self._by_window(ledger, now)
        return by_window if self._sure is None else max(by_window, self._sure)

    def wait_s(self, ledger: Ledger, now: float, *, ahead: int = 0) -> float:
        """Seconds until one more may go out after `ahead` others, as far as is known."""
        left = self.left(ledger, now)
        if left is None or left > ahead:
            return 0.0
        then = self._then(now)
        missing = 1 + ahead - self._by_window(ledger, now)
        counted = merge(_after(ledger.answered, then), _after(self._others, then))
        freed = list(islice(counted, missing))
        return freed[-1] - then if len(freed) == missing else STEP_S

    def send(self) -> None:
        """A request goes out."""
        if self._sure is not None:
            self._sure -= 1

    def told(self, left: int, sent: Sent, after: int, ledger: Ledger, now: float) -> None:
        """The answer to `sent`, which is in the ledger by now, says how many are left."""
        self.limit = max(self.limit or 0, left + 1)
        self._learn(left, sent, after, ledger, now)

    def refused(self, left: int, sent: Sent, after: int, ledger: Ledger, now: float) -> None:
        """HTTP 429 says how many are left; whether it was counted itself is not known."""
        self.limit = max(self.limit or 1, left)
        self._learn(left, sent, after, ledger, now)
        if left == 0:  # used up, whatever was believed
            self._others += [now] * max(0, self._by_window(ledger, now))
            self._sure = min(0, self._sure or 0)

    def _learn(self, left: int, sent: Sent, after: int, ledger: Ledger, now: float) -> None:
        then = self._then(sent.at)
        least = (self.limit or 0) - ledger.used_since(then) - _newer(self._others, then)
        if left < least:
            self._others += [now] * (least - left)
        if self._sure is None or left - after > self._sure or self._is_denied(left, sent):
            self._sure, self._sure_since = left - after, ledger.answers

    def _is_denied(self, left: int, sent: Sent) -> bool:
        # An older answer may be of the window before.
        is_newer = sent.answers_before >= self._sure_since
        return is_newer and self._sure is not None and left < self._sure

    def _by_window(self, ledger: Ledger, now: float) -> int:
        then = self._then(now)
        del self._others[: bisect_right(self._others, then - _LONGEST_ANSWER_S)]
        return (self.limit or 0) - ledger.used_since(then) - _newer(self._others, then)

    def _then(self, now: float) -> float:
        return now - self.seconds - MARGIN_S


@dataclass(slots=True, kw_only=True)
class Bucket:
    """ARM's count of a subscription, which fills up again at `refill` a second (F.4).

    It may also be the count of an hour, of older subscriptions. Requests go out as they come
    until a tenth of the highest count seen is left; that tenth is handed out ever slower: at the
    rate of refill at first, at a quarter of it when half of the tenth is gone.
    """

    refill: float
    highest: int = 0
    left: int | None = None
    _told_by: float = 0.0  # when the request went out whose answer said so
    _last: float = float("-inf")
    _eased_until: float = float("-inf")

    def wait_s(self, now: float) -> float:
        """Seconds until one more may go out, 0 when it may."""
        return max(0.0, self._last + self._space_s(now) - now)

    def send(self, now: float) -> None:
        """A request goes out."""
        self._last = now
        if self.left is not None:
            self.left -= 1

    def told(self, left: int, sent: Sent, after: int) -> None:
        """The answer to `sent` says how many are left."""
        self.highest = max(self.highest, left)
        if sent.at >= self._told_by:
            self.left, self._told_by = left - after, sent.at

    def ease(self, until: float) -> None:
        """Go no faster than the refill until then: the count is of one of several servers."""
        self._eased_until = max(self._eased_until, until)

    def _space_s(self, now: float) -> float:
        low = max(_LOW, self.highest / 10)
        if self.left is not None and self.left <= low:
            return min(_LONGEST_SPACE_S, (low / max(1, self.left)) ** 2 / self.refill)
        return 1 / self.refill if now < self._eased_until else 0.0


@dataclass(slots=True)
class Stop:
    """After HTTP 429 nothing goes out until it says; then one request, and on its answer all."""

    until: float = float("-inf")
    _is_on: bool = False
    _first: int | None = None

    @property
    def is_on(self) -> bool:
        """Whether no request has been let through since the last refusal."""
        return self._is_on

    def wait_s(self, now: float) -> float:
        """Seconds until the next may go out, 0 when it may."""
        if now < self.until:
            return self.until - now
        return STEP_S if self._first is not None else 0.0

    def send(self, number: int) -> None:
        """A request goes out."""
        if self._is_on:
            self._first = number

    def refused(self, number: int, until: float) -> None:
        """HTTP 429, to any request; the longest `until` holds."""
        self.until, self._is_on = max(self.until, until), True
        if self._first == number:
            self._first = None

    def answered(self, number: int, *, is_taken: bool) -> None:
        """A request was let through, or came back with no answer."""
        if self._first == number:
            self._first = None
            self._is_on = self._is_on and not is_taken


def _newer(times: Sequence[float], then: float) -> int:
    return len(times) - bisect_right(times, then)


def _after(times: Sequence[float], then: float) -> Sequence[float]:
    return times[bisect_right(times, then) :]
