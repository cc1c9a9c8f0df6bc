"""Deciding, call by call, which faults are played. One lock: calls come from many threads."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Literal

from reconciler.emulator.errors import no_capacity
from reconciler.emulator.facts import Ailment, Ending
from reconciler.emulator.faults.effects import NOTHING, Effects, Lasting
from reconciler.emulator.faults.kinds import WORKLOADS
from reconciler.emulator.faults.refusals import answer
from reconciler.emulator.faults.script import Faults, Rule, When
from reconciler.emulator.faults.stages import Place
from reconciler.emulator.jsonval import JsonObject, as_number, as_object, as_text
from reconciler.emulator.world import Call, Reply

# What Azure gives a deployment before it gives it up. Source: E.1.
_GIVEN_UP = 1800.0
_TIMED_OUT = "Provisioning of the container group timed out."


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What is played on one call; nothing by default.

    With `after_effect` the service carries the call out before `reply` or `cut` hides its answer.
    """

    names: tuple[str, ...] = ()
    reply: Reply | None = None
    cut: Literal["", "reset", "no-answer"] = ""
    cut_after: float | None = None  # seconds without an answer, or until the client gives up
    after_effect: bool = False
    late: float = 0.0  # seconds
    effects: Effects = NOTHING

    @property
    def is_carried_out(self) -> bool:
        """Whether the service is to see the call."""
        return self.after_effect or (self.reply is None and not self.cut)


NO_FAULT = Turn()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A call as rules see it. `exists` is asked only where a rule needs to know."""

    call: Call
    place: Place
    exists: Callable[[], bool]
    now: datetime

    @property
    def subject(self) -> str:
        """The group it is about, or its path."""
        return f"{self.place.rg}/{self.place.group}" if self.place.group else self.call.path.lower()

    def is_at(self, stage: str) -> bool:
        """Whether this is a call of `stage`."""
        own = self.place.stage
        match stage:
            case "create":
                return own == "put" and not self.exists()
            case "update":
                return own == "put" and self.exists()
            case "next-page":
                return own == "list" and "$skiptoken" in self.call.query
            case _:
                return own == stage


@dataclass(slots=True)
class Player:
    """A script being played: how often each rule was about a call, and how often it hit one."""

    faults: Faults = field(default_factory=Faults)
    played: Counter[str] = field(default_factory=Counter)
    _calls: Counter[tuple[str, ...]] = field(default_factory=Counter)
    _draws: Counter[tuple[str, ...]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def turn(self, seen: Seen) -> Turn:
        """What to play on this call.

        Of several faults that answer or cut, the first in the script is played; what is done to
        the group and how late the answer comes is added to it. What keeps the call from being
        carried out keeps it from having effects.
        """
        with self._lock:
            due = [rule for rule in self.faults.rules if self._is_due(rule, seen)]
            if not due:
                return NO_FAULT
            answers = [rule for rule in due if _hides_the_answer(rule)][:1]
            late = [rule for rule in due if rule.kind == "slow"]
            effective = [r for r in due if r not in late and not _hides_the_answer(r)]
            if answers and not answers[0].options.get("afterEffect"):
                effective = []
            played = [*answers, *late, *effective]
            self.played.update(rule.name for rule in played)
        turn = _hiding(answers[0], seen) if answers else NO_FAULT
        return replace(
            turn,
            names=tuple(rule.name for rule in played),
            late=sum(as_number(rule.options["seconds"]) for rule in late),
            effects=_effects(effective, as_object(seen.call.body)),
        )

    def _is_due(self, rule: Rule, seen: Seen) -> bool:
        when = rule.when
        if not _is_about(when, seen):
            return False
        subject = (seen.subject,) if when.per_group else ()
        self._calls[rule.name, *subject] += 1
        return when.hits(self._calls[rule.name, *subject]) and self._is_drawn(rule, seen)

    def _is_drawn(self, rule: Rule, seen: Seen) -> bool:
        """The chance of the nth such call about one group depends on nothing else.

        So it is the same however the calls of different groups fall between each other.
        """
        if rule.when.probability >= 1:
            return True
        key = (rule.name, seen.call.method, seen.place.stage, seen.subject)
        self._draws[key] += 1
        text = "\n".join((str(self.faults.seed), *key, str(self._draws[key])))
        # A chance to be played back, not a secret.
        return random.Random(text).random() < rule.when.probability  # noqa: S311


def _is_about(when: When, seen: Seen) -> bool:
    place, call = seen.place, seen.call
    if when.methods and call.method not in when.methods:
        return False
    if when.path and not fnmatchcase(call.path.lower(), when.path):
        return False
    if when.group:
        name = f"{place.rg}/{place.group}" if "/" in when.group else place.group
        if not place.group or not fnmatchcase(name, when.group):
            return False
    return not when.stages or any(seen.is_at(stage) for stage in when.stages)


def _hides_the_answer(rule: Rule) -> bool:
    return rule.spec.is_answer or rule.kind in ("reset", "no-answer", "empty-list")


def _hiding(rule: Rule, seen: Seen) -> Turn:
    after_effect = rule.options.get("afterEffect") is True
    if rule.kind == "reset":
        return Turn(cut="reset", after_effect=after_effect)
    if rule.kind == "no-answer":
        seconds = rule.options.get("seconds")
        cut_after = None if seconds is None else as_number(seconds)
        return Turn(cut="no-answer", cut_after=cut_after, after_effect=after_effect)
    reply = answer(rule.kind, rule.options, seen.call, seen.place, seen.now)
    return Turn(reply=reply, after_effect=after_effect)


def _effects(rules: list[Rule], body: JsonObject) -> Effects:
    ending: Ending | None = None
    hidden: Lasting | None = None
    lingers: Lasting | None = None
    ailments: list[Ailment] = []
    for rule in rules:
        if rule.kind == "operation" and ending is None:
            ending = _ending(rule.options, body)
        elif rule.kind in WORKLOADS:
            ailments.append(_ailment(rule))
        elif rule.kind == "missing-after-create":
            hidden = _lasting(rule.options, "reads")
        elif rule.kind == "listed-after-delete":
            lingers = _lasting(rule.options, "lists")
    return Effects(ending=ending, ailments=tuple(ailments), hidden=hidden, lingers=lingers)


def _ending(options: JsonObject, body: JsonObject) -> Ending:
    ends = as_text(options["ends"])
    given = as_text(options.get("message"))
    timeout = as_number(options.get("timeout", _GIVEN_UP)) if ends == "never" else None
    usual = {"never": _TIMED_OUT, "Canceled": "The operation was canceled."}
    is_capacity = ends == "Failed" and not given
    return Ending(
        status="Failed" if ends == "never" else ends,
        code=as_text(options.get("code")) or ("Canceled" if ends == "Canceled" else "Failed"),
        message=given or usual.get(ends) or no_capacity(body),
        event=as_text(options.get("event")) or ("InsufficientCapacity." if is_capacity else ""),
        timeout=timeout,
    )


def _ailment(rule: Rule) -> Ailment:
    return Ailment(
        kind=rule.kind,
        container=as_text(rule.options.get("container")),
        exit_code=int(as_number(rule.options.get("code", 1))),
        probe=as_text(rule.options.get("probe")) or "liveness",
        message=as_text(rule.options.get("message")),
    )


def _lasting(options: JsonObject, looks: str) -> Lasting:
    """Two looks when the script does not say."""
    if "seconds" in options:
        return Lasting(seconds=as_number(options["seconds"]))
    return Lasting(looks=int(as_number(options.get(looks, 2))))
