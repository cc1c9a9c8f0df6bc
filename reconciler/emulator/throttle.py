"""How many requests are left, and the refusal when none is. Source: F.4.

Two layers: ARM counts reads, writes and deletes of a subscription in an hour; the provider counts
PUTs and DELETEs of container groups, apart from each other, per region in five minutes and in an
hour. Windows are fixed (their kind is not established, I19) and kept per process.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from reconciler.emulator.errors import Refusal

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


# For tests that are not about throttling.
PLENTY = Limits(
    pt5m=1_000_000, pt1h=1_000_000, reads=10_000_000, writes=10_000_000, deletes=10_000_000
)


@dataclass(slots=True)
class Throttle:
    """The counters of one emulator."""

    limits: Limits
    _used: dict[tuple[str, ...], tuple[float, int]] = field(default_factory=dict)

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
        left, wait = self._take(("arm", kind, subscription.lower()), limit, _HOUR_S, now)
        headers = {f"x-ms-ratelimit-remaining-subscription-{kind}": str(max(left, 0))}
        if left < 0:
            raise Refusal(
                429,
                "SubscriptionRequestsThrottled",
                f"Number of requests for subscription '{subscription}' and operation '{method}' "
                f"exceeded the backend storage limit. Please try again after '{wait}' seconds.",
                headers | {"Retry-After": str(wait)},
            )
        return headers

    def provider(
        self, method: str, subscription: str, region: str, now: datetime
    ) -> dict[str, str]:
        """Count a PUT or DELETE of a container group; the headers that say what is left.

        Raises:
            Refusal: 429 `ResourceRequestsThrottled`.
        """
        key = ("provider", method, subscription.lower(), region)
        short, soon = self._take((*key, "pt5m"), self.limits.pt5m, _FIVE_MINUTES_S, now)
        long, late = self._take((*key, "pt1h"), self.limits.pt1h, _HOUR_S, now)
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

    def _take(
        self, key: tuple[str, ...], limit: int, window_s: int, now: datetime
    ) -> tuple[int, int]:
        """What is left after this one (negative when refused), and seconds to the next window."""
        at = now.timestamp()
        began, used = self._used.get(key, (at, 0))
        if at >= began + window_s:
            began, used = at, 0
        # A refused request is not counted: it would never end otherwise.
        self._used[key] = (began, min(used + 1, limit))
        return limit - used - 1, max(1, round(began + window_s - at))
