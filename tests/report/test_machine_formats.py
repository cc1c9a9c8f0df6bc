"""JUnit, SARIF and Prometheus: read back by parsers that know nothing of us."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.outcome import Status
from reconciler.core.plan import ActionKind, Rail
from reconciler.report.as_junit import as_junit
from reconciler.report.as_prometheus import as_prometheus
from reconciler.report.as_sarif import as_sarif
from reconciler.report.shape import Report, ReportKind
from tests.report.samples import PLANTED, reports

SAMPLES = reports()
SAMPLE = re.compile(r'^([a-z_]+)\{((?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\} (-?\d+)$')
LABEL = re.compile(r'([a-z]+)="((?:[^"\\]|\\.)*)"')


def cases(text: str) -> dict[str, ET.Element]:
    root = ET.fromstring(text.encode())
    (suite,) = root.findall("testsuite")
    found = suite.findall("testcase")
    for holder in (root, suite):
        assert int(holder.attrib["tests"]) == len(found)
        for verdict, count in (
            ("failure", "failures"),
            ("error", "errors"),
            ("skipped", "skipped"),
        ):
            assert int(holder.attrib[count]) == len(suite.findall(f"testcase/{verdict}"))
    return {f"{case.attrib['classname']} {case.attrib['name']}": case for case in found}


def metrics(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], int]:
    """By the exposition format: each sample after its help and type, each once."""
    assert text.endswith("\n")
    found: dict[tuple[str, tuple[tuple[str, str], ...]], int] = {}
    typed: set[str] = set()
    for line in text.split("\n")[:-1]:
        if line.startswith("#"):
            _, word, name, *rest = line.split(" ", 3)
            assert word in ("HELP", "TYPE")
            assert rest
            typed |= {name} if word == "TYPE" else set()
            continue
        sample = SAMPLE.match(line)
        assert sample, line
        assert sample[1] in typed
        key = (sample[1], tuple(LABEL.findall(sample[2])))
        assert key not in found
        found[key] = int(sample[3])
    return found


def results(text: str) -> list[dict]:
    (run,) = json.loads(text)["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for one in run["results"]:
        assert rules[one["ruleIndex"]] == one["ruleId"]
        assert one["level"] in ("error", "warning", "note")
        assert one["message"]["text"]
        (location,) = one["locations"]
        place = location["physicalLocation"]
        assert place["region"]["startLine"] >= 1
        assert place["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]
    return run["results"]


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_is_read_back_and_holds_no_secret(name: str) -> None:
    report = SAMPLES[name]
    for render in (as_junit, as_prometheus, as_sarif):
        text = render(report)
        assert text == render(report)
        assert PLANTED not in text
    cases(as_junit(report))
    assert metrics(as_prometheus(report))
    results(as_sarif(report))


def test_a_refusal_is_a_failure_and_a_change_is_none() -> None:
    report = SAMPLES["plan-blocked"]
    found = cases(as_junit(report))

    for action in report.actions:
        case = found[f"{action.kind.value} {action.target}"]
        assert (case.find("failure") is not None) == (action.kind is ActionKind.REFUSE)
    assert {rail.rule for rail in report.rails} <= {name.split()[-1] for name in found}


def test_each_outcome_is_a_case_by_how_it_ended() -> None:
    report = SAMPLES["apply-partial"]
    found = cases(as_junit(report))

    for outcome in report.outcomes:
        case = found[f"{outcome.action.kind.value} {outcome.action.target}"]
        verdict = {Status.SUCCEEDED: "", Status.NOT_STARTED: "skipped"}.get(
            outcome.status, "failure"
        )
        assert [child.tag for child in case if child.tag != "system-out"] == [verdict][
            : bool(verdict)
        ]


def test_what_an_interrupt_left_is_an_error() -> None:
    found = cases(as_junit(SAMPLES["apply-interrupted"]))

    assert [name for name, case in found.items() if case.find("error") is not None]


def test_metrics_tell_the_exit_code_and_the_counts() -> None:
    report = SAMPLES["plan-blocked"]
    own = {"command": "plan", "owner": report.owner, "environment": report.environment or ""}
    found = metrics(as_prometheus(report))

    def value(name: str, **labels: str) -> int:
        return found[f"aci_reconcile_{name}", tuple(sorted({**own, **labels}.items()))]

    assert value("exit_code") == report.exit_code
    assert value("blocked") == 1
    refused = sum(action.kind is ActionKind.REFUSE for action in report.actions)
    assert value("actions", action="refuse") == refused


def test_findings_lie_on_their_lines() -> None:
    report = SAMPLES["validate"]

    found = results(as_sarif(report))

    places = {
        (
            one["ruleId"],
            one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            one["locations"][0]["physicalLocation"]["region"]["startLine"],
        )
        for one in found
    }
    assert places == {(f.rule, f.where.file, f.where.mark.line) for f in report.findings}


def test_a_result_is_recognised_when_its_line_moves() -> None:
    report = SAMPLES["plan-blocked"]
    moved = replace(
        report, actions=tuple(replace(one, line=one.line + 7) for one in report.actions)
    )

    before, after = (results(as_sarif(one)) for one in (report, moved))

    assert [one["partialFingerprints"] for one in before] == [
        one["partialFingerprints"] for one in after
    ]


def test_more_results_than_are_shown_are_dropped_by_severity_and_said() -> None:
    finding = next(one for one in SAMPLES["validate"].findings if not one.is_error)
    error = next(one for one in SAMPLES["validate"].findings if one.is_error)
    report = replace(SAMPLES["validate"], findings=(finding,) * 5001 + (error,))

    text = as_sarif(report)

    found = results(text)
    assert len(found) == 5000
    assert found[0]["level"] == "error"
    (run,) = json.loads(text)["runs"]
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("2 results")


@given(text=st.text(st.characters(), max_size=40))
def test_no_text_breaks_out_of_any_format(text: str) -> None:
    report = Report(
        kind=ReportKind.PLAN,
        command="plan",
        exit_code=SAMPLES["plan"].exit_code,
        owner=text,
        environment=text or None,
        rails=(Rail(rule="maxDeletes", says=text, allow=text),),
        actions=tuple(
            replace(one, why=text, costs=(text,)) for one in SAMPLES["plan-blocked"].actions
        ),
    )

    assert len(cases(as_junit(report))) == len(report.actions) + 1
    own = {dict(labels)["owner"] for _, labels in metrics(as_prometheus(report))}
    assert len(own) == 1
    assert [one["ruleId"] for one in results(as_sarif(report))][0] == "limit/maxDeletes"
