"""The exit status of a run, as one table."""

from __future__ import annotations

from itertools import permutations

import pytest

from reconciler.core.ids import GroupId
from reconciler.core.outcome import Outcome, Status, exit_code, exit_code_of_all
from reconciler.core.plan import Action, ActionKind
from reconciler.errors import ExitCode

OK, UNWELL, FAILED = Status.SUCCEEDED, Status.UNHEALTHY, Status.FAILED
STALE, LEFT = Status.STALE, Status.NOT_STARTED
WROTE, NOT = True, False


def outcome(status: Status, wrote: bool, kind: ActionKind = ActionKind.UPDATE) -> Outcome:
    target = GroupId(subscription="s", resource_group="rg", name="web")
    action = Action(kind=kind, target=target, why="")
    return Outcome(action=action, status=status, says="", wrote=wrote)


REFUSED = outcome(FAILED, NOT, ActionKind.REFUSE)

TABLE = [
    ([], ExitCode.DONE),
    ([outcome(OK, WROTE)], ExitCode.DONE),
    # nothing written
    ([REFUSED], ExitCode.BLOCKED),
    ([REFUSED, outcome(STALE, NOT)], ExitCode.BLOCKED),
    ([REFUSED, outcome(FAILED, NOT)], ExitCode.BLOCKED),
    ([outcome(STALE, NOT)], ExitCode.STALE),
    ([outcome(STALE, NOT), outcome(FAILED, NOT)], ExitCode.STALE),
    ([outcome(FAILED, NOT)], ExitCode.FAILED),
    ([outcome(FAILED, NOT), outcome(LEFT, NOT)], ExitCode.FAILED),
    ([outcome(UNWELL, NOT), outcome(LEFT, NOT)], ExitCode.UNHEALTHY),
    # something written
    ([outcome(OK, WROTE), outcome(FAILED, NOT)], ExitCode.PARTIAL),
    ([outcome(OK, WROTE), outcome(STALE, NOT)], ExitCode.PARTIAL),
    ([outcome(OK, WROTE), REFUSED], ExitCode.PARTIAL),
    ([outcome(FAILED, WROTE)], ExitCode.PARTIAL),
    ([outcome(UNWELL, WROTE), outcome(LEFT, NOT)], ExitCode.UNHEALTHY),
    ([outcome(UNWELL, WROTE), outcome(FAILED, WROTE)], ExitCode.PARTIAL),
    ([outcome(OK, WROTE), outcome(UNWELL, WROTE)], ExitCode.UNHEALTHY),
    ([outcome(UNWELL, WROTE)], ExitCode.UNHEALTHY),
]


@pytest.mark.parametrize(("outcomes", "code"), TABLE)
def test_the_table(outcomes: list[Outcome], code: ExitCode) -> None:
    for order in permutations(outcomes):
        assert exit_code(order) is code
        assert exit_code(order, is_interrupted=True) is ExitCode.INTERRUPTED


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ([], 0),
        ([0, 0], 0),
        ([0, 2], 2),
        ([2, 3, 0], 3),
        ([3, 7], 7),
        ([7, 4], 4),
        ([4, 5], 5),
        ([5, 6], 6),
        ([6, 1], 1),
        ([1, 130], 130),
        ([130, 64], 64),
        ([0, 2, 3, 7, 4, 5, 6, 1], 1),
    ],
)
def test_several_environments_have_one_status(codes: list[int], code: int) -> None:
    assert exit_code_of_all(ExitCode(one) for one in codes) == code
