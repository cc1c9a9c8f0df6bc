"""How an apply goes, for people: a line an event on stderr, and a word after each silence."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol, TextIO

from reconciler.core.events import Watcher
from reconciler.core.mask import scrubbed
from reconciler.core.outcome import Outcome, Status
from reconciler.core.plan import Action
from reconciler.report.lines import safe
from reconciler.report.rows import secrets_of
from reconciler.report.words import duration

_log = logging.getLogger(__name__)

SILENCE_S = 10.0
_ELLIPSIS = " …"


class Screen(Watcher, Protocol):
    """A watcher that people see, with something to put away in the end."""

    def close(self) -> None:
        """Stop telling; may be called more than once."""

    def abandon(self) -> None:
        """The process ends now: put away what must not stay; called in a signal handler."""


@dataclass(slots=True)
class Work:
    """An action under way: its last step, and since when it runs by the clock of `Underway`."""

    action: Action
    since: float
    step: str = "starting"


@dataclass(kw_only=True)
class Underway:
    """What runs now and how much is over; for several threads.

    `now` are seconds of any clock that only goes forward, `today` is the time of day.
    """

    total: int
    now: Callable[[], float] = time.monotonic
    today: Callable[[], datetime] = lambda: datetime.now(UTC)
    landed: int = 0
    failed: int = 0
    unstarted: int = 0
    works: dict[str, Work] = field(default_factory=dict)
    _held: tuple[str, datetime] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _start: float = field(init=False)

    def __post_init__(self) -> None:
        self._start = self.now()

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return self.now() - self._start

    def begin(self, action: Action) -> None:
        """An action runs from now on."""
        with self._lock:
            self.works[action.address] = Work(action, self.now())

    def step(self, action: Action, text: str) -> None:
        """An action has come to another step."""
        with self._lock:
            work = self.works.setdefault(action.address, Work(action, self.now()))
            work.step = text

    def land(self, outcome: Outcome) -> int:
        """An action is over; how many are by now, of those that were to be carried out."""
        with self._lock:
            self.works.pop(outcome.action.address, None)
            if outcome.action.is_pending:
                self.landed += 1
                self.failed += outcome.status in (Status.FAILED, Status.STALE)
                self.unstarted += outcome.status is Status.NOT_STARTED
            return self.landed

    def hold(self, text: str, until: datetime) -> bool:
        """Work waits for a ration; whether that is news."""
        with self._lock:
            is_news = self._held is None or self._held[0] != text or self.today() >= self._held[1]
            self._held = (text, until)
            return is_news

    @property
    def held(self) -> str:
        """What is waited for and until when; empty when for nothing."""
        with self._lock:
            found = self._held
        if found is None or found[1] <= self.today():
            return ""
        text, until = found
        return f"{text}, until {clock_time(until)} ({spell(until - self.today())})"

    def running(self) -> tuple[Work, ...]:
        """What runs now, the longest first."""
        with self._lock:
            return tuple(sorted(map(replace, self.works.values()), key=lambda work: work.since))


def clock_time(moment: datetime) -> str:
    """A time of day, UTC."""
    return f"{moment.astimezone(UTC):%H:%M:%S} UTC"


def spell(took: timedelta) -> str:
    """`0s`, `17s`, `2m5s`."""
    return duration(took) or "0s"


def verdict(outcome: Outcome) -> str:
    """How an action ended, and why where it did not succeed."""
    if outcome.status is Status.SUCCEEDED or not outcome.says:
        return outcome.status.value
    return f"{outcome.status.value}: {outcome.says}"


class Ticker:
    """Calls `tick` every so many seconds on a thread of its own, until it is stopped.

    `tick` returns whether to go on.
    """

    def __init__(self, tick: Callable[[], bool], *, every_s: float) -> None:
        self._tick = tick
        self._every_s = every_s
        self._over = threading.Event()
        # A daemon: whoever leaves at once does not wait for it.
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Return when it ticks no more."""
        self._over.set()
        if self._thread is not threading.current_thread():
            self._thread.join(5)

    def _run(self) -> None:
        with unharmed():  # a thread that breaks prints a traceback of its own
            while not self._over.wait(self._every_s):
                if not self._tick():
                    return


class Lines:
    """A line an event with the seconds since the start; what begins is named by its first step.

    After `silence_s` without any line, one says what is being waited for.
    """

    def __init__(
        self, state: Underway, stream: TextIO | None = None, *, silence_s: float = SILENCE_S
    ) -> None:
        self._state = state
        self._stream = sys.stderr if stream is None else stream
        self._silence_s = silence_s
        self._last = state.elapsed
        self._is_over = False
        self._lock = threading.Lock()
        self._ticker = Ticker(self.beat, every_s=silence_s / 10)

    def began(self, action: Action) -> None:
        """Work on an action has begun."""
        self._state.begin(action)

    def step(self, action: Action, text: str, *, operation: str = "") -> None:
        """A step of an action under way."""
        del operation  # for machines: far too long for a line
        self._state.step(action, text)
        self._line(f"{action.target}: {text}{_ELLIPSIS}")

    def held(self, text: str, until: datetime) -> None:
        """Work waits for a ration."""
        if self._state.hold(text, until):
            self._line(self._state.held or text)

    def landed(self, outcome: Outcome) -> None:
        """An action is over."""
        number = self._state.land(outcome)
        if outcome.action.is_pending:
            count = f"({number} of {self._state.total})"
            status, colon, says = verdict(outcome).partition(": ")
            self._line(f"{outcome.action.target}: {status} {count}{colon}{says}")

    def interrupted(self, running: int) -> None:
        """The first interrupt: `running` actions are waited for."""
        self._line(said_of_interrupt(running))

    def close(self) -> None:
        """Stop telling: the result follows, and workers left behind are no part of it."""
        self._ticker.stop()
        with self._lock:
            self._is_over = True

    def abandon(self) -> None:
        """Nothing is left behind."""

    def beat(self) -> bool:
        """Say what is being waited for, if nothing has been said for long."""
        with self._lock:
            is_silent = self._state.elapsed - self._last >= self._silence_s
        if is_silent:
            self._line(self._waiting())
        return True

    def _waiting(self) -> str:
        works = self._state.running()
        held = self._state.held
        if not works:
            return f"still waiting: {held or 'nothing is under way'}"
        longest = works[0]
        time_ = spell(timedelta(seconds=self._state.now() - longest.since))
        many = "1 action is under way," if len(works) == 1 else f"{len(works)} actions under way,"
        which = "" if len(works) == 1 else "the longest "
        text = f"still waiting: {many} {which}{longest.action.target}: {longest.step} ({time_})"
        return f"{text}; {held}" if held else text

    def _line(self, text: str) -> None:
        # What runs in Azure goes on whether or not anybody still reads about it.
        with self._lock, suppress(OSError, ValueError):
            if self._is_over:
                return
            self._last = self._state.elapsed
            print(f"{self._last:6.1f}s  {safe(text)}", file=self._stream, flush=True)


def said_of_interrupt(running: int) -> str:
    """What a person is told at the first interrupt."""
    verb = "action is" if running == 1 else "actions are"
    return f"interrupted: {running} {verb} being finished; interrupt again to leave at once"


class Several:
    """Tells every listener; texts of others are made free of secrets first, once for all of them.

    Nothing that happens to a listener reaches whoever tells; one that broke is told nothing more.
    """

    def __init__(self, listeners: Sequence[Watcher]) -> None:
        self._listeners = list(listeners)
        self._lock = threading.Lock()

    def began(self, action: Action) -> None:
        """Work on an action has begun."""
        self._tell(lambda one: one.began(action))

    def step(self, action: Action, text: str, *, operation: str = "") -> None:
        """A step of an action under way."""
        with unharmed():
            secrets = secrets_of(action)
            clean, url = scrubbed(text, secrets), scrubbed(operation, secrets)
            self._tell(lambda one: one.step(action, clean, operation=url))

    def held(self, text: str, until: datetime) -> None:
        """Work waits for a ration."""
        self._tell(lambda one: one.held(text, until))

    def landed(self, outcome: Outcome) -> None:
        """An action is over."""
        with unharmed():
            clean = replace(outcome, says=scrubbed(outcome.says, secrets_of(outcome.action)))
            self._tell(lambda one: one.landed(clean))

    def interrupted(self, running: int) -> None:
        """The first interrupt: `running` actions are waited for."""
        self._tell(lambda one: one.interrupted(running))

    def _tell(self, call: Callable[[Watcher], None]) -> None:
        with self._lock:
            listeners = tuple(self._listeners)
        for one in listeners:
            with unharmed(partial(self._drop, one)):
                call(one)

    def _drop(self, one: Watcher) -> None:
        with self._lock, suppress(ValueError):  # another thread has dropped it as well
            self._listeners.remove(one)


@contextmanager
def unharmed(otherwise: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Nothing that goes wrong in the block gets out: the apply is worth more than being told of.

    Where something does, `otherwise` is called.
    """
    try:
        yield
    except Exception as exc:  # noqa: BLE001  # a full disk, a closed stream, a bug of a library
        _log.debug("not told: %s", exc, exc_info=True)
        otherwise()
