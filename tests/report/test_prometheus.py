"""Metrics: read back by a strict parser of the exposition format that knows nothing of us."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.category import COUNTED, Category
from reconciler.core.drift import Drift, Untold
from reconciler.core.outcome import Status
from reconciler.core.plan import BY_HAND, ActionKind
from reconciler.errors import ExitCode
from reconciler.report.as_prometheus import MOST_GROUPS, as_prometheus
from reconciler.report.rows import drift_report
from reconciler.report.shape import Report
from tests.report.samples import PLANTED, TAGS, UNCHANGED, UPDATE, plan, reports
from tests.report.test_drift_text import found
from tests.report.test_report import ACTIONS, HOSTILE, TARGETS, reports_of

SAMPLES = reports()
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"')
SAMPLE = re.compile(rf"({NAME})\{{((?:{LABEL.pattern},?)*)\}} (-?[0-9]+)")
ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}

Metrics = dict[tuple[str, frozenset[tuple[str, str]]], int]


def unescaped(value: str) -> str:
    return re.sub(r"\\.", lambda match: ESCAPES[match[0]], value)


def metrics(text: str) -> Metrics:
    """Each sample under the help and type of its own name, each once, the names in order."""
    assert text.endswith("\n")
    read: Metrics = {}
    told: list[str] = []
    last = ""
    for line in text.split("\n")[:-1]:
        if line.startswith("#"):
            _, word, name, rest = line.split(" ", 3)
            assert re.fullmatch(NAME, name)
            assert rest
            if word == "HELP":
                told.append(name)
            else:
                assert (word, name, rest) == ("TYPE", told[-1], "gauge")
            last = ""
            continue
        sample = SAMPLE.fullmatch(line)
        assert sample, line
        assert sample[1] == told[-1]
        assert last < line
        last = line
        labels = [(name, unescaped(value)) for name, value in LABEL.findall(sample[2])]
        assert len(dict(labels)) == len(labels)
        key = (sample[1], frozenset(labels))
        assert key not in read
        read[key] = int(sample[5])
    assert told == sorted({*told})
    return read


def value(report: Report, name: str, **labels: str) -> int:
    own = {
        "command": report.command,
        "owner": report.owner,
        "environment": report.environment or "",
    }
    key = (f"aci_reconcile_{name}", frozenset({**own, **labels}.items()))
    return metrics(as_prometheus(report))[key]


def drift(*findings, untold=()) -> Report:
    return drift_report(
        plan(TAGS, UPDATE, *UNCHANGED),
        Drift(findings=findings, untold=untold),
        environment="prod",
        exit_code=ExitCode.CHANGES,
        fail_on=COUNTED,
    )


@pytest.mark.parametrize("name", ["plan-blocked", "apply-partial", "validate", "status"])
def test_the_metrics_are_as_reviewed(name: str, golden) -> None:
    golden(f"{name}.prom", as_prometheus(SAMPLES[name]))


def test_drift_is_as_reviewed(golden) -> None:
    open_ = Untold(says="x", concerns=frozenset({Category.ORPHANED}))
    report = drift(
        found("gone", Category.MISSING),
        found("web", Category.CHANGED),
        found("web", Category.PENDING),
        untold=(open_,),
    )

    golden("drift.view.prom", as_prometheus(report))


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_is_read_back_and_holds_no_secret(name: str) -> None:
    text = as_prometheus(SAMPLES[name])

    assert metrics(text)
    assert PLANTED not in text
    assert text == as_prometheus(reports()[name])
    assert value(SAMPLES[name], "exit_code") == SAMPLES[name].exit_code


def test_every_action_is_counted_also_where_there_is_none() -> None:
    """A series that comes and goes is hard to alert on."""
    report = SAMPLES["plan-blocked"]

    for kind in set(ActionKind) - set(BY_HAND):
        number = sum(action.kind is kind for action in report.actions)
        assert value(report, "groups", action=kind.value) == number
    assert value(report, "blocked") == 1
    assert value(SAMPLES["plan"], "blocked") == 0
    assert value(SAMPLES["plan"], "orphans") == 1


def test_outcomes_are_counted_by_how_they_ended() -> None:
    report = SAMPLES["apply-partial"]

    for status in Status:
        number = sum(outcome.status is status for outcome in report.outcomes)
        assert value(report, "outcomes", status=status.value) == number
    assert value(report, "stranded") == 1
    assert value(SAMPLES["apply-interrupted"], "outcomes", status="no outcome") == 4


def test_drift_names_the_groups_of_what_counts() -> None:
    report = drift(
        found("gone", Category.MISSING),
        found("web", Category.CHANGED),
        found("web", Category.PENDING),
    )
    read = metrics(as_prometheus(report))
    named = [dict(labels) for name, labels in read if name == "aci_reconcile_drift_group"]

    assert value(report, "drift", category="missing") == 1
    assert value(report, "drift", category="stopped") == 0
    assert value(report, "drift_counted") == 2
    assert sorted((one["group"], one["category"]) for one in named) == [
        ("rg-shop-prod/gone", "missing"),
        ("rg-shop-prod/web", "changed"),
    ]


def test_no_more_groups_are_named_than_a_database_can_bear() -> None:
    report = drift(*(found(f"g{n}", Category.MISSING) for n in range(MOST_GROUPS + 3)))

    read = metrics(as_prometheus(report))

    named = [name for name, _ in read if name == "aci_reconcile_drift_group"]
    assert len(named) == MOST_GROUPS
    assert value(report, "drift_group_left_out") == 3
    assert value(report, "drift", category="missing") == MOST_GROUPS + 3


@settings(max_examples=60, deadline=None)
@given(st.lists(ACTIONS, max_size=3), HOSTILE, TARGETS)
def test_no_text_breaks_out_of_a_line(actions, text, target) -> None:
    for report in reports_of(actions, text, target):
        shown = as_prometheus(report)

        shown.encode("utf-8")
        assert metrics(shown)


@given(st.text(st.characters() | st.sampled_from('\\"\n{},=# '), max_size=40))
def test_a_text_comes_back_unharmed_but_for_halves_of_a_character(text: str) -> None:
    report = replace(SAMPLES["plan"], owner=text, environment=f"e{text}")

    read = metrics(as_prometheus(report))

    expected = text.encode("utf-8", "replace").decode("utf-8")
    assert {dict(labels)["owner"] for _, labels in read} == {expected}
    assert {dict(labels)["environment"] for _, labels in read} == {f"e{expected}"}


def test_a_label_is_escaped_as_the_format_says() -> None:
    text = as_prometheus(replace(SAMPLES["plan"], owner='a\\n"b\nc', environment="\\"))

    assert (
        'aci_reconcile_blocked{command="plan",environment="\\\\",owner="a\\\\n\\"b\\nc"} 0\n'
        in text
    )
