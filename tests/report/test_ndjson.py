"""The events of an apply: each obeys the schema, whatever is in it, and says what the report says."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.core.outcome import Status, TaskLog, Trouble
from reconciler.errors import ExitCode
from reconciler.report import as_ndjson
from reconciler.report.as_json import as_json
from reconciler.report.rows import (
    apply_report,
    failure_report,
    findings_report,
    outcome_row,
    plan_report,
)
from reconciler.report.shape import Failure
from tests.report import samples
from tests.report.test_report import ACTIONS, HOSTILE

SCHEMAS = Path(__file__).parents[2] / "schemas"
SCHEMA = json.loads((SCHEMAS / "events.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
AT = datetime(2025, 1, 31, 23, 59, 59, 999999, tzinfo=UTC)
INSTANTS = st.datetimes(timezones=st.just(UTC), min_value=datetime(1000, 1, 1))
REPORTS = samples.reports()


def told(event):
    """The event as a reader gets it."""
    text = as_ndjson.line(event, seq=1, at=AT)
    assert text.endswith("\n") and text.count("\n") == 1 and text.isascii()
    found = json.loads(text)
    VALIDATOR.validate(found)
    return found


@settings(max_examples=60)
@given(ACTIONS, HOSTILE, INSTANTS, st.integers(0, 10**7))
def test_any_event_is_one_line_that_obeys_the_schema(action, text, instant, seconds):
    outcome = samples.outcome(
        action,
        Status.FAILED,
        text,
        hint=text,
        code=text,
        operation=text,
        health=text,
        started=instant,
        took=timedelta(seconds=seconds),
        troubles=(Trouble(container=text, state=text, exit_code=-1, events=(text,)),),
        logs=(TaskLog(container=text, text=text),),
    )
    planned = samples.plan(action, notes=(text,))
    events = [
        as_ndjson.started(plan_report(planned, environment=text, exit_code=ExitCode.DONE)),
        as_ndjson.began(action),
        as_ndjson.step(action, text, text),
        as_ndjson.held(text, instant),
        as_ndjson.landed(outcome_row(outcome)),
        as_ndjson.interrupted([(action, text), (action, "")]),
        as_ndjson.finished(
            failure_report(
                Failure(says=text, hint=text, details=(text,)),
                command="apply",
                exit_code=ExitCode.STALE,
            )
        ),
        as_ndjson.finished(
            apply_report(
                planned,
                (),
                environment=text,
                exit_code=ExitCode.INTERRUPTED,
                interrupted=True,
                under_way={action.address: text},
            )
        ),
    ]

    names = [told(event)["event"] for event in events]

    assert names == [part["properties"]["event"]["const"] for part in parts()]


def parts():
    """The schema of each event."""
    return [SCHEMA["$defs"][one["$ref"].rpartition("/")[2]] for one in SCHEMA["oneOf"]]


@pytest.mark.parametrize(
    "name", [name for name in REPORTS if name.startswith(("apply", "destroy"))]
)
def test_what_landed_is_what_the_report_says(name):
    report = REPORTS[name]
    document = json.loads(as_json(report))

    landed = [told(as_ndjson.landed(outcome)) for outcome in report.outcomes]
    last = told(as_ndjson.finished(report))

    assert [event["outcome"] for event in landed] == document["outcomes"]
    assert all(event["address"] == event["outcome"]["address"] for event in landed)
    for member in ("counts", "exitCode", "interrupted", "noOutcome", "findings"):
        assert last[member] == document[member]


def test_the_first_event_lists_what_is_to_be_done_and_nothing_else():
    document = json.loads(as_json(REPORTS["plan"]))

    first = told(as_ndjson.started(REPORTS["plan"]))

    assert [one["name"] for one in first["actions"]] == [
        one["name"] for one in document["actions"] if one["action"] not in ("no-op", "refuse")
    ]
    assert (first["digest"], first["counts"]) == (document["digest"], document["counts"])


def test_manifests_with_errors_are_told_by_the_last_event_alone():
    report = findings_report(samples.FINDINGS, files=1, documents=1, exit_code=ExitCode.INVALID)

    last = told(as_ndjson.finished(report))

    assert (last["exitCode"], len(last["findings"]), last["counts"]["total"]) == (3, 3, 0)


def test_times_are_utc():
    east = datetime(2025, 2, 1, 5, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))

    event = told(as_ndjson.held("waiting", east))

    assert (event["at"], event["until"]) == ("2025-01-31T23:59:59.999Z", "2025-02-01T00:00:00.000Z")


def test_an_outcome_hides_the_secrets_of_its_group_in_every_text_of_others():
    said = f"Azure says {samples.PLANTED}"
    outcome = samples.outcome(
        replace(samples.UPDATE, desired=None, fallback=samples.UPDATE.desired),
        Status.FAILED,
        said,
        operation=said,
        health=said,
        troubles=(Trouble(container="web", state=said, events=(said,)),),
    )

    text = as_ndjson.line(as_ndjson.landed(outcome_row(outcome)), seq=1, at=AT)

    assert samples.PLANTED not in text
    assert text.count("(hidden)") >= 5


def test_an_event_without_one_of_its_members_is_refused():
    for event in (as_ndjson.began(samples.UPDATE), as_ndjson.held("x", AT)):
        whole = told(event)
        for member in whole:
            assert not VALIDATOR.is_valid({k: v for k, v in whole.items() if k != member}), member
        assert not VALIDATOR.is_valid({**whole, "more": 1})
