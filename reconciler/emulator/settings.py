"""The figures an emulator was started with, and those of a script in their place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from reconciler.emulator.faults import Faults
from reconciler.emulator.offer import Offer
from reconciler.emulator.service import Service
from reconciler.emulator.throttle import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """What holds where a script says nothing."""

    limits: Limits
    page_size: int
    offer: Offer

    def put_in(self, service: Service, faults: Faults) -> None:
        """Let `service` go by these figures, and by those of `faults` before them."""
        # Checked by the script's own schema, member by member.
        given: dict[str, Any] = dict(faults.limits)
        service.throttle.limits = replace(self.limits, **given)
        service.page_size = faults.page_size or self.page_size
        service.offer = self.offer.changed(faults.quotas, faults.capabilities, faults.registration)
