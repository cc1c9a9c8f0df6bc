"""What a fault leaves behind in the service: on the group it hits, or in what readers are shown."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from reconciler.emulator.facts import Ailment, Ending, Group
from reconciler.emulator.store import GroupKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Lasting:
    """How long something is seen wrongly: so many looks, or until a time passes."""

    looks: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What the faults of one call do to the group it writes."""

    ending: Ending | None = None
    ailments: tuple[Ailment, ...] = ()
    hidden: Lasting | None = None
    lingers: Lasting | None = None

    def on(self, group: Group) -> Group:
        """`group`, just written, with the end its operation will come to and what ails it."""
        group = replace(group, ailments=(*group.ailments, *self.ailments))
        if self.ending is None:
            return group
        phase = group.phase
        if self.ending.timeout is not None:
            phase = replace(phase, span=self.ending.timeout)
        return replace(
            group, phase=phase, started=phase.since, failure=self.ending.message, ending=self.ending
        )


NOTHING = Effects()


@dataclass(slots=True)
class _Wrong:
    """A thing seen wrongly: `left` more looks, or until `until`."""

    left: int
    until: datetime | None
    text: str = ""

    def is_over(self, now: datetime) -> bool:
        return self.left <= 0 if self.until is None else now >= self.until


@dataclass(slots=True)
class Mirages:
    """Eventual consistency: what readers do not see yet, and what they see still.

    It is kept by the process alone, as the throttle's counters are.
    """

    _hidden: dict[GroupKey, _Wrong] = field(default_factory=dict)
    _lingering: dict[GroupKey, _Wrong] = field(default_factory=dict)

    def hide(self, key: GroupKey, lasting: Lasting, now: datetime) -> None:
        """Let a GET of the group find nothing for a while."""
        self._hidden[key] = _wrong(lasting, now)

    def linger(self, key: GroupKey, text: str, lasting: Lasting, now: datetime) -> None:
        """Let lists show `text` for a group that is gone."""
        self._hidden.pop(key, None)
        wrong = _wrong(lasting, now)
        wrong.text = text
        self._lingering[key] = wrong

    def hides(self, key: GroupKey, now: datetime) -> bool:
        """Whether the group is not to be found by this look, which counts."""
        wrong = self._hidden.get(key)
        if wrong is None:
            return False
        if wrong.is_over(now):
            del self._hidden[key]
            return False
        wrong.left -= 1
        return True

    def remaining(self, scope: tuple[str, str | None], now: datetime) -> dict[GroupKey, str]:
        """The list items of groups that are gone; this look counts."""
        subscription, resource_group = scope[0].lower(), scope[1] and scope[1].lower()
        found: dict[GroupKey, str] = {}
        for key, wrong in list(self._lingering.items()):
            if key.subscription != subscription or resource_group not in (None, key.resource_group):
                continue
            if wrong.is_over(now):
                del self._lingering[key]
                continue
            wrong.left -= 1
            found[key] = wrong.text
        return found

    def clear(self) -> None:
        """Show everything as it is."""
        self._hidden.clear()
        self._lingering.clear()


def _wrong(lasting: Lasting, now: datetime) -> _Wrong:
    if lasting.looks:
        return _Wrong(lasting.looks, None)
    return _Wrong(0, now + timedelta(seconds=lasting.seconds))
