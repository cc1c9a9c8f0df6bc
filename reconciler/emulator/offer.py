"""What the provider says a subscription may have: quotas, sizes, its registration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from reconciler.emulator.jsonval import Json, JsonObject, as_number, as_object, as_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """A limit, and how much of it others use besides what the emulator holds."""

    limit: float
    used: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Figures in place of the usual; quotas are enforced only where they are set here."""

    quotas: Mapping[str, Quota] = field(default_factory=dict)
    capabilities: Mapping[str, float] = field(default_factory=dict)
    registration: str = "Registered"

    def changed(self, quotas: JsonObject, capabilities: JsonObject, registration: str) -> Offer:
        """The offer with the figures of a script: a quota is a limit, or `{limit, used}`."""
        return replace(
            self,
            quotas={**self.quotas, **{name: quota_in(item) for name, item in quotas.items()}},
            capabilities={
                **self.capabilities,
                **{name: as_number(item) for name, item in capabilities.items()},
            },
            registration=as_text(registration) or self.registration,
        )


def quota_in(value: Json) -> Quota:
    """The quota that a number, or an object with `limit` and `used`, stands for."""
    if isinstance(value, dict):
        given = as_object(value)
        limit = given.get("limit", 100)
        return Quota(limit=as_number(limit), used=as_number(given.get("used")))
    return Quota(limit=as_number(value))
