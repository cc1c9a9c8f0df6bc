"""How many requests are left, and the refusal when none is. Source: F.4.

Two layers: ARM counts reads, writes and deletes of a subscription in an hour; the provider counts
PUTs and DELETEs of container groups, apart from each other, per region in five minutes and in an
hour. Windows are fixed or slide, as `Limits` says, and are kept per process.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Literal, TypeAlias

from reconciler.emulator.errors import Refusal

Key: TypeAlias = tuple[str, ...]

_HOUR_S = 3600
_FIVE_MINUTES_S = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Requests in a window; the defaults are Azure's own."""

    pt5m: int = 100
    pt1h: int = 300
    reads: int = 12_000
    writes: int = 1_200
    deletes: int = 15_000
    # Of both layers; which of the two Azure's is, is not established (I19).
    window: Literal["fixed", "sliding"] = "fixed"


# For tests that are not about throttling.
PLENTY = Limits(
    pt5m=1_000_000, pt1h=1_000_000, reads=10_000_000, writes=10_000_000, deletes=10_000_000
)


@dataclass(slots=True)
class Throttle:
    """The counters of one emulator."""

    limits: Limits
    _used: dict[Key, tuple[float, int]] = field(default_factory=dict)
    _taken: dict[Key, deque[float]] = field(default_factory=dict)

    def arm(self, method: str, subscription: str, now: datetime) -> dict[str, str]:
        """Count a request; the header that says what is left.

        Raises:
            Refusal: 429 `SubscriptionRequestsThrottled`.
        """
        kind = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}.get(method, "writes")
        limit = {
            "reads": self.limits.reads,
            "writes": self.limits.writes,
            "deletes": self.limits.deletes,
        }[kind]
        key, at = ("arm", kind, subscription.lower()), now.timestamp()
        left, wait = self._look(key, limit, _HOUR_S, at)
        headers = {f"x-ms-ratelimit-remaining-subscription-{kind}": str(max(left, 0))}
        if left < 0:
            raise Refusal(
                429,
                "SubscriptionRequestsThrottled",
                f"Number of requests for subscription '{subscription}' and operation '{method}' "
                f"exceeded the backend storage limit. Please try again after '{wait}' seconds.",
                headers | {"Retry-After": str(wait)},
            )
        self._count(key, at)
        return headers

    def provider(
        self, method: str, subscription: str, region: str, now: datetime
    ) -> dict[str, str]:
        """Count a PUT or DELETE of a container group; the headers that say what is left.

        Raises:
            Refusal: 429 `ResourceRequestsThrottled`.
        """
        at = now.timestamp()
        key = ("provider", method, subscription.lower(), region)
        short, soon = self._look((*key, "pt5m"), self.limits.pt5m, _FIVE_MINUTES_S, at)
        long, late = self._look((*key, "pt1h"), self.limits.pt1h, _HOUR_S, at)
        # A refused request is not counted, by neither window: it would never end otherwise.
        if short >= 0 and long >= 0:
            self._count((*key, "pt5m"), at)
            self._count((*key, "pt1h"), at)
        prefix = "x-ms-ratelimit-remaining-subscription-resource-requests"
        headers = {f"{prefix}-pt5m": str(max(short, 0)), f"{prefix}-pt1h": str(max(long, 0))}
        for left, wait, limit, span in (
            (short, soon, self.limits.pt5m, "00:05:00"),
            (long, late, self.limits.pt1h, "01:00:00"),
        ):
            if left < 0:
                action = "write" if method == "PUT" else "delete"
                raise Refusal(
                    429,
                    "ResourceRequestsThrottled",
                    f"Number of requests for action 'Microsoft.ContainerInstance/containerGroups/"
                    f"{action}' exceeded the limit of '{limit}' for time interval '{span}'. "
                    f"Please try again after '{wait}' seconds.",
                    headers | {"Retry-After": str(wait)},
                )
        return headers

    def _look(self, key: Key, limit: int, window_s: int, at: float) -> tuple[int, int]:
        """What is left after one more (negative when refused), and seconds until there is more."""
        if self.limits.window == "sliding":
            taken = self._taken.setdefault(key, deque())
            while taken and at >= taken[0] + window_s:
                taken.popleft()
            began, used = taken[0] if taken else at, len(taken)
        else:
            began, used = self._used.get(key, (at, 0))
            if at >= began + window_s:
                began, used = at, 0
            self._used[key] = (began, used)
        return limit - used - 1, max(1, ceil(began + window_s - at))

    def _count(self, key: Key, at: float) -> None:
        if self.limits.window == "sliding":
            self._taken[key].append(at)
        else:
            began, used = self._used[key]
            self._used[key] = (began, used + 1)
