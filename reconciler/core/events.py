"""What happens while a plan is carried out, told as it happens."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from reconciler.core.outcome import Outcome
from reconciler.core.plan import Action


class Watcher(Protocol):
    """Who hears how an apply goes, from worker threads; nothing it does may fail the apply."""

    def began(self, action: Action) -> None:
        """Work on an action has begun."""

    def step(self, action: Action, text: str, *, operation: str = "") -> None:
        """A step of an action under way.

        `operation` is the URL of the operation it began in Azure, without its signed query.
        """

    def held(self, text: str, until: datetime) -> None:
        """Work waits for a ration of requests: what for, and until when as far as is known."""

    def landed(self, outcome: Outcome) -> None:
        """An action is over."""

    def interrupted(self, running: int) -> None:
        """The first interrupt: `running` actions are waited for."""
