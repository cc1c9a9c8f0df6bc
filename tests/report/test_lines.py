"""Wrapping and making harmless, by themselves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.report.lines import cells, line, render, safe

SPANS = st.lists(
    st.tuples(st.text("ab 東", max_size=12), st.sampled_from(["", "bad", "dim"])), max_size=6
)


@given(SPANS, st.integers(1, 40), st.integers(0, 8))
def test_wrapping_neither_cuts_nor_loses_a_word(spans, width, hang):
    text = "".join(text for text, _ in spans)

    assert render([line(*spans, hang=hang)], color=False, width=width).split() == text.split()


@given(SPANS, st.integers(10, 40), st.integers(0, 4))
def test_a_line_is_too_wide_only_for_a_word_that_is(spans, width, hang):
    for one in render([line(*spans, hang=hang)], color=False, width=width).splitlines():
        words = one.split()
        # Alone on its line, or at the hang: another line would give a word no more room.
        gains_nothing = len(words) == 1 or cells(one) - cells(words[-1]) <= hang if words else True
        assert cells(one) <= width or gains_nothing


def test_what_is_wrapped_goes_on_at_the_hang():
    assert render([line("key    one two three", hang=7)], color=False, width=12) == (
        "key    one\n       two\n       three\n"
    )


def test_escapes_are_spelled_out():
    assert safe("\x1b[31m\a\r\n\t\x7f\x9b\u202e\u2028\ud800\U000e0001") == (
        "\\x1b[31m\\x07\\r\\n\\t\\x7f\\x9b\\u202e\\u2028\\ud800\\U000e0001"
    )
    assert safe("größe 東京 [bold]:smile:[/bold]") == "größe 東京 [bold]:smile:[/bold]"


def test_markup_is_text():
    assert render([line("[red]x[/red] :boom:")], color=True, width=80) == "[red]x[/red] :boom:\n"


def test_colours_are_the_eight_of_every_terminal():
    assert render([line(("x", "loud"), " y")], color=True, width=80) == "\x1b[1;31mx\x1b[0m y\n"
