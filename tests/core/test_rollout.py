"""Steps of a rollout: how many may have begun, ever more, and in the end all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.rollout import parse_rollout


@pytest.mark.parametrize(
    ("text", "total", "limits"),
    [
        ("1,25%,100%", 8, (1, 2, 8)),
        ("1,25%,100%", 100, (1, 25, 100)),
        ("1,25%,100%", 1, (1,)),
        ("1,25%,100%", 3, (1, 3)),
        ("50%", 5, (3, 5)),
        ("2", 5, (2, 5)),
        ("10%,10%,5", 20, (2, 5, 20)),
        ("100%", 4, (4,)),
        ("3", 0, (0,)),
    ],
)
def test_steps_become_limits(text: str, total: int, limits: tuple[int, ...]) -> None:
    assert parse_rollout(text).limits(total) == limits


@pytest.mark.parametrize("text", ["", "0", "1,,2", "101%", "a", "-1", "1.5", "0%", "1 2"])
def test_what_is_no_step_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="expected steps such as 1,25%,100%, got"):
        parse_rollout(text)


@given(
    st.lists(st.tuples(st.integers(1, 100), st.booleans()), min_size=1, max_size=5),
    st.integers(0, 500),
)
def test_limits_grow_and_end_with_all(steps: list[tuple[int, bool]], total: int) -> None:
    text = ",".join(f"{number}{'%' if share else ''}" for number, share in steps)
    limits = parse_rollout(text).limits(total)

    assert list(limits) == sorted(set(limits))
    assert limits[-1] == total
