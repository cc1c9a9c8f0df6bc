"""SARIF 2.1.0: results on the lines of manifests, within what code scanning takes.

`LOG` says of the standard's schema what a log of ours may hold, and lets nothing else pass.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.core.category import COUNTED, Category
from reconciler.core.diff import Diff, Origin
from reconciler.core.drift import Drift, Untold
from reconciler.core.finding import Mark, Position
from reconciler.core.outcome import Status
from reconciler.core.plan import ActionKind
from reconciler.errors import ExitCode
from reconciler.report.as_sarif import MOST, MOST_RELATED, as_sarif
from reconciler.report.rows import drift_report
from reconciler.report.shape import Report
from tests.report.samples import (
    CONTAINER,
    PLANTED,
    TAGS,
    UNCHANGED,
    UPDATE,
    VARIABLES,
    at,
    change,
    plan,
    reports,
)
from tests.report.test_drift_text import found
from tests.report.test_report import ACTIONS, HOSTILE, TARGETS, reports_of

SAMPLES = reports()


def closed(due: str, **members: object) -> dict[str, object]:
    """A schema of an object with these members and no others, those in `due` required."""
    return {
        "type": "object",
        "required": due.split(),
        "additionalProperties": False,
        "properties": members,
    }


TEXT = closed("text", text={"type": "string", "minLength": 1})
MESSAGE = closed("text", text={"type": "string"})
LEVEL = {"enum": ["error", "warning", "note"]}
ONE_UP = {"type": "integer", "minimum": 1}
URI = {"type": "string", "pattern": "^[A-Za-z0-9%._~/:-]+$"}
PHYSICAL = closed(
    "artifactLocation region",
    artifactLocation=closed("uri", uri=URI, uriBaseId={"const": "%SRCROOT%"}),
    region=closed("startLine startColumn", startLine=ONE_UP, startColumn=ONE_UP),
)
LOGICAL = closed("name kind", name={"type": "string"}, kind={"const": "resource"})
RESULT = closed(
    "ruleId ruleIndex level message locations partialFingerprints",
    ruleId={"type": "string", "minLength": 1},
    ruleIndex={"type": "integer", "minimum": 0},
    level=LEVEL,
    message=TEXT,
    locations={
        "type": "array",
        "minItems": 1,
        "maxItems": 1,
        "items": closed(
            "physicalLocation",
            physicalLocation=PHYSICAL,
            logicalLocations={"type": "array", "items": LOGICAL, "maxItems": 1},
        ),
    },
    relatedLocations={
        "type": "array",
        "maxItems": MOST_RELATED,
        "items": closed("id physicalLocation", id=ONE_UP, physicalLocation=PHYSICAL, message=TEXT),
    },
    partialFingerprints={"type": "object", "additionalProperties": {"type": "string"}},
)
RULE = closed(
    "id shortDescription help",
    id={"type": "string", "minLength": 1},
    shortDescription=TEXT,
    fullDescription=TEXT,
    help=TEXT,
    properties=closed("tags", tags={"type": "array", "uniqueItems": True, "maxItems": 10}),
)
INVOCATION = closed(
    "executionSuccessful",
    executionSuccessful={"type": "boolean"},
    exitCode={"type": "integer"},
    exitCodeDescription={"type": "string"},
    toolExecutionNotifications={
        "type": "array",
        "items": closed("message", level=LEVEL, message=MESSAGE),
    },
)
RUN = closed(
    "tool results",
    tool=closed(
        "driver",
        driver=closed(
            "name",
            name={"const": "aci-reconcile"},
            version={"type": "string"},
            rules={"type": "array", "items": RULE, "uniqueItems": True},
        ),
    ),
    columnKind={"const": "unicodeCodePoints"},
    originalUriBaseIds={"type": "object", "propertyNames": {"const": "%SRCROOT%"}},
    automationDetails=closed("id", id={"type": "string", "pattern": "^aci-reconcile/([^/]+/)+$"}),
    invocations={"type": "array", "minItems": 1, "maxItems": 1, "items": INVOCATION},
    results={"type": "array", "maxItems": MOST, "items": RESULT},
)
LOG = Draft202012Validator(
    {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **closed(
            "version runs",
            **{"$schema": {"type": "string"}},
            version={"const": "2.1.0"},
            runs={"type": "array", "minItems": 1, "maxItems": 1, "items": RUN},
        ),
    }
)


def run_of(text: str) -> dict[str, Any]:
    """The one run of a log that keeps to the schema; its rules are those of its results."""
    log = json.loads(text)
    LOG.validate(log)
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [rules[one["ruleIndex"]] for one in run["results"]] == [
        one["ruleId"] for one in run["results"]
    ]
    assert set(rules) == {one["ruleId"] for one in run["results"]}
    prints = [json.dumps(one["partialFingerprints"]) for one in run["results"]]
    assert len({*prints}) == len(prints)
    return run


def results(report: Report) -> list[dict[str, Any]]:
    return run_of(as_sarif(report))["results"]


def place(location: dict[str, Any]) -> str:
    physical = location["physicalLocation"]
    region = physical["region"]
    uri = physical["artifactLocation"]["uri"]
    return f"{uri}:{region['startLine']}:{region['startColumn']}"


def places(report: Report) -> list[tuple[str, str, str]]:
    return [(one["ruleId"], one["level"], place(one["locations"][0])) for one in results(report)]


def drift(*findings, actions=(TAGS, UPDATE, *UNCHANGED), untold=()) -> Report:
    return drift_report(
        plan(*actions),
        Drift(findings=findings, untold=untold),
        environment="prod",
        exit_code=ExitCode.CHANGES,
        fail_on=COUNTED,
    )


def marked(action, **marks: tuple[int, int]):
    """The action with a manifest whose container `web` stands on line 5, its members as given."""
    assert action.desired is not None
    holder = ("properties", "containers", 0)
    body = {"properties": {"containers": [{"name": "web", "properties": {}}]}}
    known = {(*holder, "properties", name): Mark(*mark) for name, mark in marks.items()}
    desired = replace(action.desired, body=body, marks={holder: Mark(5, 7), **known})
    return replace(action, desired=desired)


@pytest.mark.parametrize("name", ["plan-blocked", "apply-partial", "validate", "apply-interrupted"])
def test_the_log_is_as_reviewed(name: str, golden) -> None:
    golden(f"{name}.sarif", as_sarif(SAMPLES[name]))


def test_drift_is_as_reviewed(golden) -> None:
    web = UPDATE.target.name
    open_ = Untold(says="not allowed to look at rg-closed", concerns=frozenset({Category.ORPHANED}))
    report = drift(
        found("gone", Category.MISSING, is_certain=False),
        found(web, Category.CHANGED, "2 fields were changed"),
        found(web, Category.PENDING, "the next apply is to update it"),
        actions=(marked(UPDATE, image=(9, 16)), *UNCHANGED),
        untold=(open_,),
    )

    golden("drift.view.sarif", as_sarif(report))


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_keeps_to_the_schema_and_holds_no_secret(name: str) -> None:
    text = as_sarif(SAMPLES[name])

    run_of(text)
    assert PLANTED not in text
    assert text == as_sarif(reports()[name])


def test_findings_lie_on_their_lines_and_keep_their_rules() -> None:
    report = SAMPLES["validate"]

    assert sorted(places(report)) == sorted(
        (f.rule, f.severity.value, str(f.where)) for f in report.findings
    )


def test_a_rule_says_what_it_asks_for() -> None:
    """It is the title of an alert, and the same for all that break it."""
    (finding, *_) = SAMPLES["validate"].findings
    report = replace(
        SAMPLES["validate"], findings=(replace(finding, about="a value has the type that is due"),)
    )

    (rule,) = run_of(as_sarif(report))["tool"]["driver"]["rules"]

    assert rule["id"] == finding.rule
    assert rule["shortDescription"]["text"] == "Expected: a value has the type that is due"


def test_refusals_lie_on_their_groups_and_limits_where_they_are_written() -> None:
    assert places(SAMPLES["plan-blocked"]) == [
        ("rail/maxReplaces", "error", "aci-reconcile.yaml:12:3"),
        ("rail/wrongSubscription", "error", "aci-reconcile.yaml:1:1"),
        ("refused", "error", "groups/billing.yaml:1:1"),
        ("refused", "error", "groups/import.yaml:1:1"),
    ]


def test_a_refusal_that_stops_nothing_else_is_a_warning() -> None:
    assert [level for rule, level, _ in places(SAMPLES["plan-live-state"])] == ["warning"]


def test_the_project_file_is_the_one_whose_limit_is_named() -> None:
    first, second = SAMPLES["plan-blocked"].rails
    report = replace(
        SAMPLES["plan-blocked"],
        rails=(replace(first, where=at("shop/aci-reconcile.yaml", 4, 2)), second),
    )

    assert ("rail/wrongSubscription", "error", "shop/aci-reconcile.yaml:1:1") in places(report)


def test_what_failed_is_told_once_and_what_went_well_is_not() -> None:
    report = SAMPLES["apply-partial"]
    bad = {Status.FAILED, Status.STALE, Status.UNHEALTHY}

    rules = {one["message"]["text"].partition(":")[0]: one["ruleId"] for one in results(report)}

    assert set(rules) == {str(o.action.target) for o in report.outcomes if o.status in bad}
    assert rules["rg-shop-prod/worker"] == "failed/stranded"
    assert rules["rg-shop-prod/metrics"] == "failed/stale"
    assert sorted(rule for rule, _, _ in places(SAMPLES["apply-live-state"])) == [
        "failed/unhealthy",
        "refused",
    ]


def test_a_changed_field_lies_on_the_line_that_asks_for_it() -> None:
    changes = (
        change((*CONTAINER, "image"), "a:2", "a:1", origin=Origin.DRIFT),
        change((*VARIABLES, "LEVEL", "value"), "x", None, origin=Origin.UNKNOWN),
        change((*CONTAINER, "command"), None, ["x"], origin=Origin.CONFIG),
    )
    action = marked(replace(UPDATE, diff=Diff(changes=changes)), image=(9, 16))

    report = drift(found("web", Category.CHANGED), actions=(action,))

    assert places(report) == [
        ("drift/changed", "warning", "groups/web.yaml:9:16"),
        ("drift/changed", "warning", "groups/web.yaml:5:7"),
    ]
    assert results(report)[0]["message"]["text"] == (
        "rg-shop-prod/web: /properties/containers/web/properties/image"
        ' is "a:2" in Azure, the manifest asks for "a:1"'
    )


def test_what_no_manifest_stands_for_lies_in_the_project_file() -> None:
    report = drift(
        found("gone", Category.ORPHANED), found("db", Category.PENDING, "not applied yet")
    )

    assert places(report) == [
        ("drift/orphaned", "warning", "aci-reconcile.yaml:1:1"),
        ("drift/pending", "note", "groups/db.yaml:1:1"),
    ]


def test_every_category_and_status_has_a_text() -> None:
    report = drift(*(found(f"g{one.value}", one) for one in Category))
    rules = run_of(as_sarif(report))["tool"]["driver"]["rules"]

    assert {rule["id"] for rule in rules} == {f"drift/{one.value}" for one in Category}
    assert len({rule["shortDescription"]["text"] for rule in rules}) == len(Category)


def test_what_was_merged_and_is_not_applied_is_no_drift() -> None:
    """Also in a document of an older run, which tells no categories."""
    actions = tuple(
        replace(one, origin=Origin.CONFIG if one.kind is ActionKind.UPDATE else one.origin)
        for one in SAMPLES["drift-older"].actions
    )

    assert places(replace(SAMPLES["drift-older"], actions=actions)) == [
        ("drift/changed", "warning", "groups/cache.yaml:1:1")
    ]


def test_a_result_is_recognised_when_its_line_moves() -> None:
    blocked = SAMPLES["plan-blocked"]
    valid = SAMPLES["validate"]

    def down(position: Position) -> Position:
        return replace(position, mark=Mark(position.mark.line + 7, position.mark.column + 1))

    moved = (
        replace(blocked, actions=tuple(replace(one, line=one.line + 7) for one in blocked.actions)),
        replace(
            valid, findings=tuple(replace(one, where=down(one.where)) for one in valid.findings)
        ),
    )

    for before, after in zip((blocked, valid), moved, strict=True):
        assert places(before) != places(after)
        assert [one["partialFingerprints"] for one in results(before)] == [
            one["partialFingerprints"] for one in results(after)
        ]


def test_environments_are_told_apart_by_their_category() -> None:
    """GitHub takes what stands before the last slash: the second would displace the first."""
    ids = [
        run_of(as_sarif(replace(SAMPLES["plan"], environment=name)))["automationDetails"]["id"]
        for name in ("prod", "test", None)
    ]

    assert ids == ["aci-reconcile/plan/prod/", "aci-reconcile/plan/test/", "aci-reconcile/plan/"]


@pytest.mark.parametrize(
    ("file", "uri", "base"),
    [
        ("groups/web.yaml", "groups/web.yaml", True),
        (".\\groups\\web.yaml", "groups/web.yaml", True),
        ("groups/a b#c?%.yaml", "groups/a%20b%23c%3F%25.yaml", True),
        ("a:b.yaml", "a%3Ab.yaml", True),
        ("../other/web.yaml", "../other/web.yaml", True),
        ("gr\udcfc.yaml", "gr%FC.yaml", True),
        ("gr\ud800.yaml", "gr%3F.yaml", True),
        ("/tmp/x y.yaml", "file:///tmp/x%20y.yaml", False),
        ("C:\\x\\y.yaml", "file:///C%3A/x/y.yaml", False),
    ],
)
def test_a_file_is_a_uri(file: str, uri: str, base: bool) -> None:
    finding = replace(SAMPLES["validate"].findings[0], where=at(file, 3, 4))

    (one,) = results(replace(SAMPLES["validate"], findings=(finding,)))

    assert one["locations"][0]["physicalLocation"]["artifactLocation"] == {
        "uri": uri,
        **({"uriBaseId": "%SRCROOT%"} if base else {}),
    }


def test_more_results_than_are_stored_are_dropped_by_severity_and_said() -> None:
    warning = next(one for one in SAMPLES["validate"].findings if not one.is_error)
    error = next(one for one in SAMPLES["validate"].findings if one.is_error)
    report = replace(SAMPLES["validate"], findings=(*[warning] * (MOST + 1), error))

    run = run_of(as_sarif(report))

    assert len(run["results"]) == MOST
    assert run["results"][0]["level"] == "error"
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["level"] == "warning"
    assert note["message"]["text"].startswith("2 results were left out")


def test_further_places_are_bounded() -> None:
    changes = tuple(change((*CONTAINER, f"x{n:02}"), "a", "b") for n in range(15))
    refused = replace(UPDATE, kind=ActionKind.REFUSE, diff=Diff(changes=changes))
    action = marked(refused, **{f"x{n:02}": (10 + n, 3) for n in range(15)})

    (one,) = results(drift_free(action))

    assert [place(where) for where in one["relatedLocations"]] == [
        f"groups/web.yaml:{10 + n}:3" for n in range(MOST_RELATED)
    ]


def drift_free(action) -> Report:
    return replace(drift(actions=(action,)), command="plan", drift=None)


def test_what_has_no_place_is_a_notification() -> None:
    left = run_of(as_sarif(SAMPLES["apply-interrupted"]))["invocations"][0]
    open_ = Untold(says="no answer", concerns=frozenset({Category.MISSING}))
    seen = run_of(as_sarif(drift(untold=(open_,))))["invocations"][0]

    assert not left["executionSuccessful"]
    assert [one["level"] for one in left["toolExecutionNotifications"]] == ["note"] + ["error"] * 4
    assert [one["message"]["text"] for one in seen["toolExecutionNotifications"]] == ["no answer"]


def test_a_name_makes_no_link() -> None:
    (action, *_) = [one for one in SAMPLES["plan-blocked"].actions if one.allow]
    report = replace(
        SAMPLES["plan-blocked"], rails=(), actions=(replace(action, why="[here](https://x)"),)
    )

    (one,) = results(report)

    assert "[here] (https://x)" in one["message"]["text"]


@settings(max_examples=60, deadline=None)
@given(st.lists(ACTIONS, max_size=3), HOSTILE, TARGETS)
def test_any_log_is_ascii_and_keeps_to_the_schema(actions, text, target) -> None:
    for report in reports_of(actions, text, target):
        report = replace(report, environment=None)
        log = as_sarif(report)

        assert log.isascii()
        run_of(log)


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=200))
def test_a_printable_text_comes_back_unharmed(text: str) -> None:
    (finding, *_) = SAMPLES["validate"].findings
    report = replace(SAMPLES["validate"], findings=(replace(finding, says=text, hint=""),))

    (one,) = results(report)

    assert text.replace("](", "] (") in one["message"]["text"]


def test_what_could_steer_a_terminal_or_hide_is_written_as_an_escape() -> None:
    (finding, *_) = SAMPLES["validate"].findings
    report = replace(SAMPLES["validate"], findings=(replace(finding, says="a\x1b\u202e\ud800b"),))

    (one,) = results(report)

    assert "a\\x1b\\u202e\\ud800b" in one["message"]["text"]
