"""Moments as Azure writes them, and ages as people read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

# Azure writes up to nine digits of a second (azure-facts A.3, E.4), Python reads six.
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)", re.ASCII
)


def moment_in(text: str) -> datetime | None:
    """The moment that `text` is, in UTC; None where it is none."""
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        return None
    whole, fraction, zone = found.groups()
    try:
        at = datetime.fromisoformat(whole + ("+00:00" if zone == "Z" else zone))
        return at.astimezone(UTC) + timedelta(microseconds=int((fraction or "0").ljust(6, "0")[:6]))
    except (ValueError, OverflowError):
        return None


def age(since: datetime, now: datetime) -> str:
    """How long ago, in the largest units that tell it: `17s`, `5m`, `2h10m`, `3d4h`, `40d`."""
    seconds = max(0, int((now - since).total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 2:
        return f"{seconds}s"
    if hours < 2:
        return f"{minutes}m"
    if days < 2:
        left = minutes % 60
        return f"{hours}h{left}m" if left else f"{hours}h"
    left = hours % 24
    return f"{days}d{left}h" if left and days < 10 else f"{days}d"
