"""What people see while a plan is carried out: lines, a word after a silence, a live table."""

from __future__ import annotations

import io
import re
import threading
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.cli.progress import Lines, Several, Ticker, Underway
from reconciler.cli.stream import Stream
from reconciler.cli.table import LiveTable, is_possible
from reconciler.core.outcome import Status
from tests.report import samples

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


class Clock:
    """Seconds and the time of day, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def today(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)


class Gone(io.StringIO):
    """A terminal that was closed."""

    def write(self, text):
        raise OSError(5, "Input/output error")

    def isatty(self):
        return True


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def state(clock):
    return Underway(total=3, now=clock.now, today=clock.today)


def outcome(action, status=Status.SUCCEEDED, says="done"):
    return samples.outcome(action, status, says)


@pytest.fixture
def stream():
    return io.StringIO()


@pytest.fixture
def lines(state, stream):
    found = Lines(state, stream, silence_s=3600)  # its thread sleeps; the test beats itself
    yield found
    found.close()


def test_an_event_is_a_line_with_the_time_since_the_start(lines, clock, stream):
    lines.began(samples.UPDATE)
    clock.seconds = 2
    lines.step(samples.UPDATE, "writing")
    clock.seconds = 65
    lines.landed(outcome(samples.UPDATE))
    lines.landed(outcome(samples.CREATE, Status.FAILED, "no\x1broom"))

    assert stream.getvalue().splitlines() == [
        "   2.0s  rg-shop-prod/web: writing …",
        "  65.0s  rg-shop-prod/web: succeeded (1 of 3)",
        "  65.0s  rg-shop-prod/api: failed (2 of 3): no\\x1broom",
    ]


def test_what_was_only_looked_at_is_not_counted(lines, stream):
    lines.began(samples.UNCHANGED[0])
    lines.landed(outcome(samples.UNCHANGED[0]))
    lines.landed(outcome(samples.UPDATE))

    assert stream.getvalue().splitlines() == ["   0.0s  rg-shop-prod/web: succeeded (1 of 3)"]


def test_after_a_silence_it_says_what_it_waits_for(state, clock, stream):
    lines = Lines(state, stream, silence_s=10)
    lines._ticker.stop()
    lines.began(samples.UPDATE)
    lines.step(samples.UPDATE, "writing")
    clock.seconds = 5
    lines.began(samples.CREATE)
    clock.seconds = 9.9
    lines.beat()
    early = stream.getvalue().splitlines()
    clock.seconds = 80
    lines.beat()
    lines.beat()
    clock.seconds = 90
    lines.landed(outcome(samples.CREATE))
    clock.seconds = 101
    lines.beat()

    assert len(early) == 1
    assert stream.getvalue().splitlines()[1:] == [
        "  80.0s  still waiting: 2 actions under way, the longest rg-shop-prod/web: writing (1m20s)",
        "  90.0s  rg-shop-prod/api: succeeded (1 of 3)",
        " 101.0s  still waiting: 1 action is under way, rg-shop-prod/web: writing (1m41s)",
    ]


def test_the_silence_is_ended_by_a_thread_that_ends_when_told():
    said = threading.Event()

    class Heard(io.StringIO):
        def write(self, text):
            if "still waiting" in text:
                said.set()
            return super().write(text)

    lines = Lines(Underway(total=1), Heard(), silence_s=0.01)
    try:
        assert said.wait(30)
    finally:
        lines.close()

    assert not lines._ticker._thread.is_alive()


def test_a_ration_is_told_once_with_the_time_it_lasts(lines, clock, stream):
    for seconds in (0, 10, 30):
        clock.seconds = seconds
        lines.held("waiting for a ration", NOON + timedelta(seconds=20 + seconds // 30 * 60))

    assert stream.getvalue().splitlines() == [
        "   0.0s  waiting for a ration, until 12:00:20 UTC (20s)",
        "  30.0s  waiting for a ration, until 12:01:20 UTC (50s)",
    ]


def test_nothing_that_happens_to_a_listener_fails_the_apply(state, tmp_path):
    closed = Stream(tmp_path / "events")
    closed.close()
    table = LiveTable(state, Gone())
    lines = Lines(state, Gone())
    several = Several([closed, table, lines])

    several.began(samples.UPDATE)
    several.step(samples.UPDATE, "writing")
    several.held("waiting", NOON)
    several.interrupted(1)
    several.landed(outcome(samples.UPDATE))
    table.close()
    lines.close()

    assert state.running() == ()


def test_a_listener_that_is_broken_keeps_nothing_from_the_others(lines, stream):
    class Broken:
        def __getattr__(self, name):
            raise RuntimeError("a bug of a library")

    several = Several([Broken(), lines])

    several.began(samples.UPDATE)
    several.step(samples.UPDATE, "writing")
    several.landed(outcome(samples.UPDATE))

    assert "writing" in stream.getvalue()


def test_texts_of_others_lose_their_secrets_before_anybody_is_told(lines, stream):
    several = Several([lines])

    several.step(samples.UPDATE, f"Azure says {samples.PLANTED}")
    several.landed(outcome(samples.UPDATE, Status.FAILED, f"no {samples.PLANTED}"))

    assert samples.PLANTED not in stream.getvalue()
    assert stream.getvalue().count("(hidden)") == 2


def test_a_ticker_stops_itself_when_its_work_is_over():
    ticks = []

    def tick():
        ticks.append(1)
        return len(ticks) < 3

    ticker = Ticker(tick, every_s=0.001)
    ticker._thread.join(30)

    assert len(ticks) == 3
    ticker.stop()


# the table


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LINES", "10")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return io.StringIO()


def frame(terminal) -> list[str]:
    """What was drawn last: all since the table was wiped, without the escapes."""
    *_, last = terminal.getvalue().split("\x1b[2K")
    return [line.rstrip() for line in ESCAPES.sub("", last).splitlines()]


def test_what_runs_has_a_row_and_what_is_over_a_line_above(state, clock, terminal):
    table = LiveTable(state, terminal)
    table.began(samples.UPDATE)
    table.step(samples.UPDATE, "wait\x1b[2Jing")
    clock.seconds = 75
    table.began(samples.CREATE)
    table.held("waiting for a ration", NOON + timedelta(seconds=80))
    table._refresh()
    drawn = frame(terminal)
    table.landed(outcome(samples.CREATE, Status.FAILED, "no room"))
    later = ESCAPES.sub("", terminal.getvalue())
    table.close()

    assert drawn[0] == "0 of 3 done, 2 under way, 1 waiting, 1m15s"
    assert drawn[1] == "waiting for a ration, until 12:01:20 UTC (5s)"
    assert drawn[2].split() == ["1m15s", "rg-shop-prod/web", "update", "wait\\x1b[2Jing"]
    assert drawn[3].split() == ["0s", "rg-shop-prod/api", "create", "starting"]
    assert "  75.0s    + rg-shop-prod/api  create failed: no room" in later
    assert "1 of 3 done, 1 under way, 1 waiting, 1 failed" in later
    assert terminal.getvalue().count("\x1b[?25l") == terminal.getvalue().count("\x1b[?25h") == 1


def test_what_never_started_has_not_failed_and_is_not_done(state, terminal):
    table = LiveTable(state, terminal)
    table.landed(outcome(samples.UPDATE))
    table.landed(outcome(samples.CREATE, Status.NOT_STARTED, "interrupted before it started"))
    drawn = frame(terminal)
    table.close()

    assert drawn[0] == "1 of 3 done, 0 under way, 1 waiting, 1 not started, 0s"


def test_what_is_typed_at_the_end_of_the_table_begins_no_line(state, terminal):
    """A terminal shows `^C` where the cursor is: two of them have to fit."""
    table = LiveTable(state, terminal)
    table.step(samples.action(samples.CREATE.kind, "g" * 90, "why"), "s" * 90)
    table.held("h" * 200, NOON + timedelta(hours=1))
    table._refresh()
    drawn = frame(terminal)
    table.close()

    assert len(drawn) == 3
    assert max(map(len, drawn)) <= 95


@pytest.mark.parametrize("number", [1, 6, 7, 8, 200])
def test_no_more_rows_than_the_terminal_is_high(terminal, clock, number):
    state = Underway(total=number, now=clock.now, today=clock.today)
    table = LiveTable(state, terminal)
    for index in range(number):
        table.began(samples.action(samples.CREATE.kind, f"g{index}", "why"))
    table._refresh()
    drawn = frame(terminal)
    table.close()

    rows = sum("starting" in line for line in drawn)
    assert len(drawn) < 10
    if rows < number:
        assert drawn[-1] == f"      … and {number - rows} more"
    else:
        assert "more" not in drawn[-1]


def test_without_colour_there_is_no_style(state, terminal, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    table = LiveTable(state, terminal)
    table.began(samples.UPDATE)
    table.landed(outcome(samples.UPDATE, Status.FAILED, "no room"))
    table.close()

    assert re.findall(r"\x1b\[[0-9;]*m", terminal.getvalue()) == []


@pytest.mark.parametrize(
    ("environ", "is_tty", "expected"),
    [
        ({"TERM": "xterm"}, True, True),
        ({"TERM": "xterm"}, False, False),
        ({"TERM": "dumb"}, True, False),
        ({}, True, False),
        ({"TERM": "xterm", "CI": "true"}, True, False),
    ],
)
def test_a_table_is_for_a_terminal_with_a_reader(monkeypatch, environ, is_tty, expected):
    for name in ("TERM", "CI"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    class Stream(io.StringIO):
        def isatty(self):
            return is_tty

    assert is_possible(Stream()) is expected
