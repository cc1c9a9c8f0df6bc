"""Which lines of a log are new: none is lost, none is told twice, as far as that can be told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.moments import age, moment_in
from reconciler.core.printed import bare, fresh, is_stamped, look_of, since, stamp_of

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


@given(
    st.lists(st.sampled_from("ab"), max_size=40),
    st.integers(2, 12),
    st.lists(st.integers(0, 12), min_size=1, max_size=8),
)
def test_stretches_of_a_log_with_times_are_put_together_to_just_that_log(words, window, steps):
    log = [f"2025-01-01T12:00:00.{number:07d}Z {word}" for number, word in enumerate(words)]
    shown, known, end = [], [], 0
    for step in steps:
        end = min(end + min(step, window - 1), len(log))
        look = log[max(0, end - window) : end]
        new = fresh(known, look)
        assert new is not None
        shown += new
        known = look

    assert shown == log[:end]


@given(st.lists(st.sampled_from("ab"), max_size=30), st.lists(st.sampled_from("ab"), max_size=30))
def test_of_a_log_that_is_shown_whole_no_line_is_lost_though_all_are_alike(known, more):
    assert fresh(known, [*known, *more]) == tuple(more) or not known


@pytest.mark.parametrize(
    ("known", "now", "new"),
    [
        ("", "abc", "abc"),
        ("abc", "abc", ""),
        ("abc", "abcd", "d"),
        ("abc", "cd", "d"),
        ("bc", "abcde", "de"),
        ("aaa", "aaaa", "a"),
        ("abc", "xyz", None),
        ("abc", "", None),
        ("abc", "bd", None),
    ],
)
def test_what_follows_is_what_stands_behind_the_last_known_line(known, now, new):
    assert fresh(known, now) == (None if new is None else tuple(new))


def test_a_gap_between_two_looks_is_noticed():
    assert fresh(["1 a", "2 a"], ["4 a", "5 a"]) is None


def test_only_a_line_break_ends_a_line():
    look = look_of("one\x0btwo\u2028\nthree\r\n\nrest")

    assert look.lines == ("one\x0btwo\u2028", "three\r", "")
    assert look.rest == "rest"


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("2025-01-01T12:00:00.1234567Z hello world", "hello world"),
        ("2025-01-01T12:00:00.123456789+00:00 hello", "hello"),
        ("2025-01-01T12:00:00Z", ""),
        ("2025-01-01T12:00:00Z  two blanks", " two blanks"),
        ("2025-01-01 hello", "2025-01-01 hello"),
        ("hello", "hello"),
    ],
)
def test_the_time_is_taken_off_and_nothing_else(line, text):
    assert bare(line) == text


def test_times_are_known_by_their_form():
    assert is_stamped(["2025-01-01T12:00:00Z a", "2025-01-01T12:00:00.5Z"])
    assert not is_stamped(["2025-01-01T12:00:00Z a", "a"])
    assert stamp_of("2025-01-01T14:00:00+02:00 a") == NOON
    assert stamp_of("a") is None


def test_lines_since_a_moment_begin_with_the_first_of_them_and_keep_those_without_a_time():
    lines = ["2025-01-01T11:59:59Z a", "b", "2025-01-01T12:00:00Z c", "d"]

    assert since(lines, NOON) == ("2025-01-01T12:00:00Z c", "d")
    assert since(lines, NOON + timedelta(seconds=1)) == ()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-01-01T12:00:00Z", NOON),
        ("2025-01-01T12:00:00.0000010Z", NOON + timedelta(microseconds=1)),
        ("2025-01-01T12:00:00.123456789Z", NOON + timedelta(microseconds=123456)),
        ("2025-01-01T14:00:00+0200", NOON),
        ("2025-13-01T12:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_moments_are_read_as_azure_writes_them(text, moment):
    assert moment_in(text) == moment


@pytest.mark.parametrize(
    ("passed", "text"),
    [
        (timedelta(seconds=-5), "0s"),
        (timedelta(seconds=119), "119s"),
        (timedelta(minutes=2), "2m"),
        (timedelta(minutes=119, seconds=59), "119m"),
        (timedelta(hours=2, minutes=10), "2h10m"),
        (timedelta(hours=3), "3h"),
        (timedelta(days=2, hours=1), "2d1h"),
        (timedelta(days=3), "3d"),
        (timedelta(days=40, hours=5), "40d"),
    ],
)
def test_ages_are_told_in_the_largest_units_that_tell_them(passed, text):
    assert age(NOON, NOON + passed) == text
