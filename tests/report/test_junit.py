"""JUnit XML: read back by a parser that knows nothing of us, and by the schema's own rules."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.category import COUNTED, Category
from reconciler.core.diff import Origin
from reconciler.core.drift import Drift, Untold
from reconciler.core.outcome import Status
from reconciler.core.plan import ActionKind
from reconciler.errors import ExitCode
from reconciler.report.as_junit import as_junit
from reconciler.report.rows import drift_report
from reconciler.report.shape import Report
from tests.report.samples import PLANTED, TAGS, UNCHANGED, UPDATE, plan, reports
from tests.report.test_drift_text import found
from tests.report.test_report import ACTIONS, HOSTILE, TARGETS, reports_of

SAMPLES = reports()
OPEN = Untold(says="not allowed to look at rg-closed", concerns=frozenset({Category.ORPHANED}))
VERDICTS = {"failure": "failures", "error": "errors", "skipped": "skipped"}
TOLD = {"message", "type"}
# By the schema that Jenkins checks with: attributes (those of the second set may be absent), and
# the elements that may stand inside.
SCHEMA: dict[str, tuple[set[str], set[str], tuple[str, ...]]] = {
    "testsuites": ({"name", "tests", "failures", "errors", "time"}, set(), ("testsuite",)),
    "testsuite": (
        {"name", "tests", "failures", "errors", "time", "skipped"},
        set(),
        ("properties", "testcase", "system-out"),
    ),
    "properties": (set(), set(), ("property",)),
    "property": ({"name", "value"}, set(), ()),
    "testcase": ({"name", "classname", "time"}, set(), (*VERDICTS, "system-out")),
    "system-out": (set(), set(), ()),
    **dict.fromkeys(VERDICTS, (set(), TOLD, ())),
}
SECONDS = re.compile(r"[0-9]+\.[0-9]{3}")


def drift(*findings, untold=()) -> Report:
    return drift_report(
        plan(TAGS, UPDATE, *UNCHANGED),
        Drift(findings=findings, untold=untold),
        environment="prod",
        exit_code=ExitCode.CHANGES,
        fail_on=COUNTED,
    )


def check(element: ET.Element) -> None:
    due, possible, inside = SCHEMA[element.tag]
    assert due <= set(element.attrib) <= due | possible
    order = [inside.index(child.tag) for child in element]
    assert order == sorted(order), f"{element.tag}: {[child.tag for child in element]}"
    assert "time" not in due or SECONDS.fullmatch(element.attrib["time"])
    for child in element:
        check(child)


def suite_of(text: str) -> ET.Element:
    """The one suite, after every element was held against the schema."""
    root = ET.fromstring(text.encode())
    check(root)
    (suite,) = root
    every = suite.findall("testcase")
    assert every
    for holder in (root, suite):
        assert int(holder.attrib["tests"]) == len(every)
        for verdict, count in VERDICTS.items():
            number = len(suite.findall(f"testcase/{verdict}"))
            assert int(holder.attrib.get(count, number)) == number
    return suite


def cases(text: str) -> dict[tuple[str, str], ET.Element]:
    """The cases by the last part of their class, and name; each there once."""
    suite = suite_of(text)
    by_name = {}
    for case in suite.findall("testcase"):
        holder = case.attrib["classname"].removeprefix(suite.attrib["name"] + ".")
        key = (holder, case.attrib["name"])
        assert key not in by_name
        by_name[key] = case
    return by_name


def verdict(case: ET.Element) -> str:
    (found,) = [child.tag for child in case if child.tag in VERDICTS] or [""]
    return found


def verdicts(report: Report, holder: str = "groups") -> dict[str, str]:
    every = cases(as_junit(report))
    return {name: verdict(case) for (place, name), case in every.items() if place == holder}


@pytest.mark.parametrize("name", ["plan-blocked", "apply-partial", "apply-interrupted", "validate"])
def test_the_document_is_as_reviewed(name: str, golden) -> None:
    golden(f"{name}.junit.xml", as_junit(SAMPLES[name]))


def test_drift_is_as_reviewed(golden) -> None:
    web = UPDATE.target.name
    report = drift(
        found("gone", Category.MISSING, is_certain=False),
        found(web, Category.CHANGED, "2 fields were changed"),
        found(web, Category.PENDING, "the next apply is to update it"),
        found("idle", Category.STOPPED),
        untold=(OPEN,),
    )

    golden("drift.view.junit.xml", as_junit(report))


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_keeps_to_the_schema_and_holds_no_secret(name: str) -> None:
    text = as_junit(SAMPLES[name])

    cases(text)
    assert PLANTED not in text
    assert text == as_junit(reports()[name])


@pytest.mark.parametrize("name", [name for name in SAMPLES if SAMPLES[name].actions])
def test_every_group_is_a_case_whatever_becomes_of_it(name: str) -> None:
    """A CI system tells the history of a case by its names, so these must not depend on it."""
    report = SAMPLES[name]

    assert set(verdicts(report)) >= {str(action.target) for action in report.actions}


def test_a_refusal_is_a_failure_and_a_change_is_none() -> None:
    report = SAMPLES["plan-blocked"]

    assert verdicts(report) == {
        str(one.target): "failure" if one.kind is ActionKind.REFUSE else ""
        for one in report.actions
    }
    assert verdicts(report, "limits") == {rail.rule: "failure" for rail in report.rails}


def test_a_group_in_transition_is_skipped_as_nobody_compared_it() -> None:
    assert verdicts(SAMPLES["plan"])["rg-shop-prod/slow"] == "skipped"


def test_each_outcome_is_a_case_by_how_it_ended() -> None:
    report = SAMPLES["apply-partial"]
    ends = {Status.SUCCEEDED: "", Status.NOT_STARTED: "skipped"}

    shown = verdicts(report)

    for outcome in report.outcomes:
        assert shown[str(outcome.action.target)] == ends.get(outcome.status, "failure")
    case = cases(as_junit(report))["groups", "rg-shop-prod/web"]
    assert case.attrib["time"] == "31.000"
    failure = case.find("failure")
    assert failure is not None
    assert failure.attrib["type"] == "InaccessibleImage"
    assert (failure.text or "").startswith("groups/web.yaml:1:1: rg-shop-prod/web: the registry")


def test_the_diff_is_in_the_output_of_the_case() -> None:
    case = cases(as_junit(SAMPLES["plan"]))["groups", "rg-shop-prod/web"]

    out = case.findtext("system-out") or ""

    assert '/properties/containers/web/properties/image: "acme.azurecr.io/web:1.9" -> ' in out
    assert "restarts 1 container" in out


def test_what_an_interrupt_left_is_an_error_and_what_was_not_begun_is_skipped() -> None:
    report = SAMPLES["apply-interrupted"]
    left = {"rg-shop-prod/legacy-cron", "rg-shop-prod/metrics", "rg-shop-prod/web"}

    shown = verdicts(report)
    later = verdicts(replace(report, is_interrupted=False))

    assert {name for name, end in shown.items() if end == "error"} == left | {"rg-shop-prod/worker"}
    assert {name for name, end in later.items() if end == "skipped"} >= left


def test_drift_fails_for_what_counts_and_errs_for_what_could_not_be_told() -> None:
    report = drift(
        found("gone", Category.MISSING),
        found(UPDATE.target.name, Category.PENDING),
        found(TAGS.target.name, Category.CHANGED),
        found(TAGS.target.name, Category.UNHEALTHY),
        found("nobodys", Category.UNMANAGED),
        untold=(OPEN, replace(OPEN, says="x", concerns=frozenset({Category.UNMANAGED}))),
    )

    shown = verdicts(report)

    assert {name for name, end in shown.items() if end} == {
        "rg-shop-prod/gone",
        str(TAGS.target),
    }
    assert {"rg-shop-prod/db", "rg-shop-prod/nobodys"} <= set(shown)
    assert verdicts(report, "checks") == {OPEN.says: "error", "x": "skipped"}


def test_what_was_merged_and_is_not_applied_is_no_failure_of_drift() -> None:
    """Also in a document of an older run, which tells no categories."""
    actions = tuple(
        replace(one, origin=Origin.CONFIG if one.kind is ActionKind.UPDATE else one.origin)
        for one in SAMPLES["drift-older"].actions
    )

    shown = verdicts(replace(SAMPLES["drift-older"], actions=actions))

    assert {name for name, end in shown.items() if end} == {str(TAGS.target)}


def test_findings_are_a_case_a_file_and_only_errors_fail_it() -> None:
    shown = cases(as_junit(SAMPLES["validate"]))

    assert [(name, verdict(case)) for (_, name), case in shown.items()] == [
        ("groups/db.yaml", ""),
        ("groups/web.yaml", "failure"),
        ("all others", ""),
    ]
    failure = shown["files", "groups/web.yaml"].find("failure")
    assert failure is not None
    assert failure.attrib["message"].endswith("(and 1 error more)")
    assert len((failure.text or "").splitlines()) == 2


@settings(max_examples=60, deadline=None)
@given(st.lists(ACTIONS, max_size=3), HOSTILE, TARGETS)
def test_no_text_breaks_out_of_the_document(actions, text, target) -> None:
    for report in reports_of(actions, text, target):
        document = as_junit(report)

        document.encode("utf-8")
        suite_of(document)


IMPOSSIBLE = "\x00\x08\x0b\x0c\x1b\x1f\ud800\udfff\ufffe\uffff"


@pytest.mark.parametrize("char", IMPOSSIBLE)
def test_what_xml_cannot_write_is_seen_to_be_replaced(char: str) -> None:
    told = replace(SAMPLES["plan-blocked"].actions[0], why=f"a{char}b")
    report = replace(SAMPLES["plan-blocked"], actions=(told,))

    (case,) = [case for (kind, _), case in cases(as_junit(report)).items() if kind == "groups"]

    failure = case.find("failure")
    assert failure is not None
    assert failure.attrib["message"] == "a\ufffdb"
    assert "a\ufffdb" in (failure.text or "")


@given(
    text=st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\t\n<&>\"']"))
)
def test_every_other_text_comes_back_unharmed(text: str) -> None:
    text = f"[{text}]".replace("\ufffe", "").replace("\uffff", "")
    told = replace(SAMPLES["plan-blocked"].actions[0], why=text)
    report = replace(SAMPLES["plan-blocked"], actions=(told,), notes=(text,))

    document = as_junit(report)

    (case,) = [case for (kind, _), case in cases(document).items() if kind == "groups"]
    failure = case.find("failure")
    assert failure is not None
    assert failure.attrib["message"] == text
    assert text in (failure.text or "")
    assert ET.fromstring(document.encode()).findtext("testsuite/system-out") == text
    assert text in (case.findtext("system-out") or "")


def test_a_carriage_return_ends_a_line_or_is_seen() -> None:
    """A parser takes every one of them for a line end, so a lone one would vanish."""
    report = replace(SAMPLES["plan-blocked"], notes=("a\r\nb\rc",))

    out = ET.fromstring(as_junit(report).encode()).findtext("testsuite/system-out")

    assert out == "a\nb␍c"
