"""A group that was left deleted: as loud when an apply was interrupted as when it failed."""

from __future__ import annotations

import json

import pytest

from reconciler.core.outcome import Outcome, Status, exit_code
from reconciler.errors import ExitCode
from reconciler.report import as_ndjson
from reconciler.report.as_json import as_json
from reconciler.report.as_text import as_text
from reconciler.report.rows import Report, apply_report
from tests.report import samples

STRANDED = Outcome(
    action=samples.REPLACE,
    status=Status.FAILED,
    says="STRANDED: deleted and not known to be created again: left while it was being replaced",
    hint="the group may not exist now: create it again with 'aci-reconcile apply'",
    wrote=True,
    is_stranded=True,
    operation=samples.OPERATION,
)
UNSTARTED = Outcome(
    action=samples.UPDATE, status=Status.NOT_STARTED, says="interrupted before it started"
)


def left(*outcomes: Outcome, is_interrupted: bool = True) -> Report:
    """The result of an apply that was left, one action of it being still under way."""
    return apply_report(
        samples.plan(samples.CREATE, samples.UPDATE, samples.REPLACE),
        outcomes,
        environment="prod",
        exit_code=exit_code(outcomes, is_interrupted=is_interrupted),
        interrupted=is_interrupted,
        under_way={samples.CREATE.address: samples.OPERATION},
        reach=("--emulator",),
    )


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("color", [False, True])
def test_the_alarm_is_the_same_as_without_an_interrupt(width: int, color: bool) -> None:
    def alarm(report: Report) -> list[str]:
        lines = as_text(report, color=color, width=width).splitlines()
        return [line for line in lines if "!!!" in line]

    found = alarm(left(UNSTARTED, STRANDED))

    assert "1 group was deleted" in found[0]
    assert any("aci-reconcile apply" in line and "--emulator" in line for line in found)
    assert found == alarm(left(UNSTARTED, STRANDED, is_interrupted=False))


def test_the_last_line_counts_it_first_and_once() -> None:
    *_, last = as_text(left(UNSTARTED, STRANDED), color=False, width=200).splitlines()

    assert last == ("Interrupted: applied 0 of 3: 1 STRANDED, 1 not started, 1 without an outcome")


def test_it_is_not_among_what_may_be_under_way() -> None:
    text = as_text(left(UNSTARTED, STRANDED), color=False, width=200)
    name = str(samples.REPLACE.target)

    assert f"x {name}  replace failed: STRANDED: " in text
    assert f"? {name}" not in text
    assert f"? {samples.CREATE.target}  create: no outcome" in text


def test_documents_hold_it_as_a_failure_and_as_stranded() -> None:
    report = left(UNSTARTED, STRANDED)
    document = json.loads(as_json(report))
    landed = as_ndjson.landed(report.outcomes[-1])["outcome"]
    last = as_ndjson.finished(report)

    assert document["outcomes"][-1] == landed
    assert (landed["status"], landed["stranded"]) == ("failed", True)
    assert landed["operation"] == samples.OPERATION
    for counted in (document, last):
        assert (counted["counts"]["stranded"], counted["counts"]["failed"]) == (1, 1)
        assert counted["exitCode"] == ExitCode.INTERRUPTED
        (open_,) = counted["noOutcome"]
        assert open_["name"] == str(samples.CREATE.target)
