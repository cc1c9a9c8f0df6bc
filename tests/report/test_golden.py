"""Every sample as people and machines get it, compared whole."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from reconciler.report.as_json import as_json
from reconciler.report.as_text import as_text
from tests.report.conftest import GOLDEN
from tests.report.samples import PLANTED, reports

SAMPLES = reports()
SCHEMA = json.loads((Path(__file__).parents[2] / "schemas/report.schema.json").read_text("utf-8"))
ANSI = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("name", SAMPLES)
def test_the_text_is_as_reviewed(name, golden):
    golden(f"{name}.txt", as_text(SAMPLES[name], color=False, width=80))


@pytest.mark.parametrize("name", ["plan", "drift", "apply-partial", "status"])
def test_a_wide_terminal_is_used(name, golden):
    golden(f"{name}.wide.txt", as_text(SAMPLES[name], color=False, width=200))


def test_verbose_shows_what_is_left_alone_too(golden):
    golden("plan.verbose.txt", as_text(SAMPLES["plan"], color=False, width=80, verbose=True))


@pytest.mark.parametrize("name", SAMPLES)
def test_the_document_is_as_reviewed(name, golden):
    golden(f"{name}.json", as_json(SAMPLES[name]))


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_document_obeys_the_schema(name):
    Draft202012Validator(SCHEMA).validate(json.loads(as_json(SAMPLES[name])))


def test_the_schema_refuses_a_value_beside_sensitive():
    document = json.loads(as_json(SAMPLES["plan"]))
    changes = [change for action in document["actions"] for change in action["changes"]]
    next(change for change in changes if change["sensitive"])["after"] = PLANTED

    assert not Draft202012Validator(SCHEMA).is_valid(document)


def test_the_schema_refuses_what_it_does_not_know():
    document = json.loads(as_json(SAMPLES["plan"]))

    for holder in (document, document["counts"], document["actions"][0], document["orphans"][0]):
        holder["extra"] = 1
        assert not Draft202012Validator(SCHEMA).is_valid(document)
        del holder["extra"]
    assert Draft202012Validator(SCHEMA).is_valid(document)


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("name", SAMPLES)
def test_colour_adds_nothing_but_colour(name, width):
    colored = as_text(SAMPLES[name], color=True, width=width)

    assert ANSI.sub("", colored) == as_text(SAMPLES[name], color=False, width=width)


@pytest.mark.parametrize("name", SAMPLES)
def test_planted_secrets_are_in_no_output(name):
    report = SAMPLES[name]
    outputs = [as_json(report)]
    for verbose in (False, True):
        for width in (10, 80, 200, 10_000):
            outputs.append(as_text(report, color=False, width=width, verbose=verbose))

    assert not any(PLANTED in output.replace("\n", "") for output in outputs)


@pytest.mark.parametrize("name", SAMPLES)
def test_equal_input_gives_equal_bytes(name):
    again = reports()[name]

    assert as_json(again) == as_json(SAMPLES[name])
    assert as_text(again, color=True, width=80) == as_text(SAMPLES[name], color=True, width=80)


def test_no_golden_file_is_left_over():
    suffixes = (
        "txt",
        "json",
        "wide.txt",
        "verbose.txt",
        "md",
        "github",
        "junit.xml",
        "sarif",
        "prom",
    )
    known = {
        f"{name}.{view}{suffix}"
        for name in SAMPLES
        for suffix in suffixes
        for view in ("", "view.")
    }

    assert {path.name for path in GOLDEN.iterdir()} <= known
