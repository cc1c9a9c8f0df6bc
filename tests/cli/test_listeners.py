"""Whoever hears how an apply goes may break: the apply does not."""

from __future__ import annotations

import io
import os
import pty
import threading
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from reconciler.cli.progress import Lines, Several, Ticker, Underway, Work
from reconciler.cli.table import LiveTable
from reconciler.core.outcome import Status
from tests.report import samples

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
EVENTS = ("began", "step", "held", "landed", "interrupted")
UPDATED = samples.outcome(samples.UPDATE, Status.SUCCEEDED, "updated")


def tell_all(several: Several) -> None:
    several.began(samples.UPDATE)
    several.step(samples.UPDATE, "writing")
    several.held("waiting", NOON)
    several.interrupted(1)
    several.landed(UPDATED)


class Heard:
    """Remembers what it was told, and breaks at one of it."""

    def __init__(self, breaks_at: str = "") -> None:
        self.told: list[str] = []
        self._breaks_at = breaks_at

    def __getattr__(self, name: str):
        def hear(*_: object, **__: object) -> None:
            self.told.append(name)
            if name == self._breaks_at:
                raise RuntimeError("a bug of a library")

        return hear


@pytest.mark.parametrize("name", EVENTS)
def test_a_listener_that_breaks_is_told_nothing_more_and_the_others_are(name: str) -> None:
    broken, other = Heard(name), Heard()
    several = Several([broken, other])

    tell_all(several)
    tell_all(several)

    order = ["began", "step", "held", "interrupted", "landed"]
    assert broken.told == order[: order.index(name) + 1]
    assert other.told == order * 2


def test_a_listener_may_break_in_many_threads_at_once() -> None:
    together, other = threading.Barrier(8), Heard()

    class Broken(Heard):
        def __getattr__(self, name: str):
            together.wait(30)
            raise RuntimeError("a bug of a library")

    several = Several([Broken(), other])
    raised: list[BaseException] = []

    def tell() -> None:
        try:
            several.step(samples.UPDATE, "writing")
        except BaseException as exc:  # noqa: BLE001
            raised.append(exc)

    threads = [threading.Thread(target=tell) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)

    assert raised == []
    assert other.told == ["step"] * 8


def test_a_text_that_cannot_be_cleaned_is_not_told_at_all() -> None:
    heard = Heard()

    Several([heard]).step(None, "writing")  # type: ignore[arg-type]

    assert heard.told == []


def test_a_ticker_that_breaks_ends_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    def tick() -> bool:
        raise RuntimeError("a bug of a library")

    ticker = Ticker(tick, every_s=0.001)
    ticker._thread.join(30)

    assert not ticker._thread.is_alive()
    assert capsys.readouterr().err == ""


def test_no_line_follows_the_last() -> None:
    """The result stands below it; a worker that was left behind must not write into that."""
    stream = io.StringIO()
    lines = Lines(Underway(total=1), stream)
    lines.step(samples.UPDATE, "writing")

    lines.close()
    lines.step(samples.UPDATE, "trying again")
    lines.beat()

    assert stream.getvalue().count("\n") == 1


class Torn(Underway):
    """What runs cannot be told any more."""

    is_torn = False

    def running(self) -> tuple[Work, ...]:
        if self.is_torn:
            raise RuntimeError("a bug of a library")
        return super().running()


def all_of(master: int) -> str:
    """What a terminal was told until nobody was left to tell it more."""
    found = b""
    with suppress(OSError):  # Linux says so when nobody has it open any more
        while more := os.read(master, 65536):
            found += more
    os.close(master)
    return found.decode()


def test_a_table_that_cannot_be_drawn_any_more_gives_the_cursor_back() -> None:
    state, stream = Torn(total=1), io.StringIO()
    table = LiveTable(state, stream)
    table.began(samples.UPDATE)

    state.is_torn = True
    table._refresh()
    table._ticker._thread.join(30)
    table.landed(UPDATED)
    table.close()

    assert not table._ticker._thread.is_alive()
    assert stream.getvalue().count("\x1b[?25h") == 1


def test_the_cursor_is_back_also_where_nothing_can_be_written_by_the_library() -> None:
    class Full(io.TextIOWrapper):
        is_full = False

        def write(self, text: str) -> int:
            if self.is_full:
                raise RuntimeError("a bug of a library")
            return super().write(text)

    master, slave = pty.openpty()
    with Full(os.fdopen(slave, "wb"), encoding="utf-8") as terminal:
        table = LiveTable(Underway(total=1), terminal)
        terminal.is_full = True
        table._refresh()
        table.close()

    assert all_of(master).count("\x1b[?25h") == 1


@pytest.mark.parametrize("is_closed", [False, True])
def test_a_table_that_is_abandoned_leaves_the_cursor_and_once_only(is_closed: bool) -> None:
    master, slave = pty.openpty()
    with os.fdopen(slave, "w", encoding="utf-8") as terminal:
        table = LiveTable(Underway(total=1), terminal)
        if is_closed:
            table.close()
        table.abandon()
        table._ticker.stop()

    assert all_of(master).count("\x1b[?25h") == 1


def test_a_table_that_has_no_terminal_is_abandoned_in_silence() -> None:
    table = LiveTable(Underway(total=1), io.StringIO())

    table.abandon()
    table.close()
