"""What GitHub is told: read back here as its runner reads it (actions/runner, ActionCommand.cs)."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.category import Category
from reconciler.core.drift import Untold
from reconciler.core.finding import Finding, Severity
from reconciler.core.plan import Rail
from reconciler.errors import ExitCode
from reconciler.report.as_github import (
    annotations_of,
    as_github,
    inert,
    outputs,
    outputs_text,
)
from reconciler.report.as_json import as_json
from reconciler.report.lines import safe
from reconciler.report.rows import findings_report, plan_report
from reconciler.report.shape import DriftRow, DriftView
from tests.report.samples import BLOCKED, PLANTED, REFUSE, at, group_id, plan, reports

SAMPLES = reports()
KNOWN = {"error", "warning", "notice", "debug", "group", "endgroup", "echo", "add-mask"} | {
    "set-output", "save-state", "stop-commands", "add-matcher", "remove-matcher", "add-path",
}  # fmt: skip
# Characters that the runner, which compares by the rules of a language, may take for none.
UNSEEN = "\u200b\u00ad\ufeff\u2060\x00"
PIECES = ("::", ":", "#", "##[", "[", "]", "error", "set-output name=a", "\n", "\r", " ", "\t", "x",
          "%0A", "%25", ",", "=", "é", "\u2028", *UNSEEN)  # fmt: skip
TEXTS = st.one_of(st.lists(st.sampled_from(PIECES), max_size=10).map("".join), st.text(max_size=40))


@dataclass(frozen=True)
class Command:
    """What the runner takes a line for."""

    name: str
    properties: dict[str, str]
    data: str


def commands(text):
    """Every command in what was printed."""
    lines = re.split(r"\r\n|\n|\r", text)
    return [found for line in lines if (found := _second_form(line) or _first_form(line))]


def _second_form(line):
    line = "".join(char for char in line if char not in UNSEEN).lstrip()
    if not line.startswith("::") or (end := line.find("::", 2)) < 0:
        return None
    name, _, words = line[2:end].partition(" ")
    if name.lower() not in KNOWN:
        return None
    pairs = [word.split("=", 1) for word in words.split(",") if "=" in word]
    return Command(
        name, {key: _unescaped(value) for key, value in pairs}, _unescaped(line[end + 2 :])
    )


def _first_form(line):
    line = "".join(char for char in line if char not in UNSEEN)
    start = line.find("##[")
    end = line.find("]", start)
    if start < 0 or end < 0 or line[start + 3 : end].split(" ")[0].lower() not in KNOWN:
        return None
    return Command(line[start + 3 : end].split(" ")[0], {}, line[end + 1 :])


def _unescaped(text):
    for escape, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(escape, char)
    return text


# Annotations


@pytest.mark.parametrize("name", SAMPLES)
def test_the_annotations_are_as_reviewed(name, golden):
    golden(f"{name}.github", as_github(SAMPLES[name], base="infra"))


@pytest.mark.parametrize("name", SAMPLES)
def test_every_line_is_a_command_and_holds_no_secret(name):
    text = as_github(SAMPLES[name])

    assert len(commands(text)) == len(text.splitlines())
    assert PLANTED not in text
    assert "add-mask" not in text


def finding(says="x", path="", hint="", file="a.yaml", severity=Severity.ERROR, line=3):
    where = at(file, line, 7)
    return Finding(rule="M1", severity=severity, where=where, path=path, says=says, hint=hint)


def checked(*found):
    return findings_report(found, files=1, documents=1, exit_code=ExitCode.INVALID)


def test_a_finding_stands_on_its_line():
    text = as_github(checked(finding("50%, a: b", file="a,b:c.yaml")), base="infra/prod")

    assert text == ("::error file=infra/prod/a%2Cb%3Ac.yaml,line=3,col=7,title=M1::50%25, a: b\n")


def test_a_file_beside_the_folder_is_named_from_the_root():
    assert "file=shared/a.yaml," in as_github(
        checked(finding(file="../shared/a.yaml")), base="infra"
    )


@given(TEXTS, TEXTS)
@settings(deadline=None)
def test_no_text_becomes_another_command_or_property(says, file):
    found = commands(as_github(checked(finding(f"x{says}", file=f"y{file}"))))

    assert len(found) == 1
    assert found[0].name == "error"
    assert set(found[0].properties) == {"file", "line", "col", "title"}
    assert (found[0].properties["line"], found[0].properties["title"]) == ("3", "M1")
    assert found[0].data == safe(f"x{says}")


def test_only_as_many_as_github_shows_and_the_rest_in_one_notice():
    found = [finding(f"e{n}") for n in range(25)]
    found += [finding(f"w{n}", severity=Severity.WARNING) for n in range(12)]
    told = commands(as_github(checked(*found)))

    levels = [one.name for one in told]
    assert levels == ["error"] * 10 + ["warning"] * 10 + ["notice"]
    assert told[-1].data.startswith("17 annotations more than GitHub shows of a step")
    assert {one.data for one in told[:10]} == {f"e{n}" for n in range(10)}


def test_limits_come_before_what_else_is_wrong():
    refusals = [replace(REFUSE, target=group_id(f"g{n}")) for n in range(30)]
    rails = [Rail(rule=f"max{n}", says="too many", allow="") for n in range(3)]
    report = plan_report(
        plan(*refusals, rails=tuple(rails)), environment=None, exit_code=ExitCode.BLOCKED
    )

    assert [one.properties["title"] for one in commands(as_github(report))[:4]] == [
        "max0", "max1", "max2", "refused",
    ]  # fmt: skip


def test_a_message_is_bounded():
    told = commands(as_github(checked(finding("%" * 9000))))

    assert len(told[0].data) == 1000
    assert told[0].data.endswith("…")


def test_merged_and_not_applied_is_no_drift():
    told = annotations_of(SAMPLES["drift-older"])

    assert [one.message for one in told] == ["rg-shop-prod/cache: only tags differ"]


def test_of_drift_only_what_counts_is_told():
    rows = [
        DriftRow(target=group_id(name), category=category, says="moved", key=name, counts=counts)
        for name, category, counts in (
            ("web", Category.CHANGED, True),
            ("cache", Category.PENDING, False),
        )
    ]
    untold = [
        Untold(says=f"{category.value} is not seen", concerns=frozenset({category}))
        for category in (Category.CHANGED, Category.UNMANAGED)
    ]
    view = DriftView(rows=tuple(rows), untold=tuple(untold), fail_on=(Category.CHANGED,))
    report = replace(SAMPLES["drift-older"], drift=view)

    told = commands(as_github(report))
    assert [(one.name, one.properties["title"], one.data) for one in told] == [
        ("error", "not told", "changed is not seen"),
        ("warning", "not told", "unmanaged is not seen"),
        ("warning", "changed", "rg-shop-prod/web: moved"),
    ]
    assert outputs(report)["drift-changed"] == "1"
    assert outputs(report)["drift-counted"] == "1"


# Outputs


def read_outputs(text):
    """As the runner reads the file (FileCommandManager.cs)."""
    found, lines = {}, iter(text.split("\n"))
    for line in lines:
        if not line:
            continue
        name, separator, delimiter = line.partition("<<")
        assert separator, line
        value = []
        while (one := next(lines)) != delimiter:
            value.append(one)
        found[name] = "\n".join(value)
    return found


@pytest.mark.parametrize("name", SAMPLES)
def test_outputs_are_read_back(name):
    values = outputs(SAMPLES[name])

    assert read_outputs(outputs_text(values, delimiter="end_1")) == values
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", one) for one in values)
    assert values["exit-code"] == str(int(SAMPLES[name].exit_code))
    assert values["changed"] in ("true", "false")


@given(TEXTS, st.sampled_from(["a\nend=1", "exit-code=0", "a\nexit-code<<E\n0\nE\n", ""]))
@settings(deadline=None)
def test_no_value_sets_another_output(text, more):
    report = replace(SAMPLES["plan"], environment=f"{text}{more}", digest=f"{more}\n{text}")
    values = outputs(report)

    found = read_outputs(outputs_text(values, delimiter="end_f00"))
    assert found == values
    assert found["exit-code"] == "2"


def test_a_value_that_holds_the_delimiter_is_refused():
    with pytest.raises(ValueError, match="delimiter"):
        outputs_text({"a": "x\nend_1\ny"}, delimiter="end_1")


@pytest.mark.parametrize(
    ("name", "outcome", "changed"),
    [
        ("plan", "changes", "true"),
        ("plan-blocked", "blocked", "true"),
        ("plan-unchanged", "no-changes", "false"),
        ("plan-empty", "no-changes", "false"),
        ("drift", "drift", "true"),
        ("apply", "applied", "true"),
        ("apply-partial", "partial", "true"),
        ("apply-interrupted", "interrupted", "true"),
        ("apply-nothing", "no-changes", "false"),
        ("destroy", "destroyed", "true"),
        ("validate", "invalid", "false"),
        ("validate-clean", "valid", "false"),
        ("status", "differs", "true"),
        ("status-empty", "in-sync", "false"),
    ],
)
def test_the_outcome_is_one_word(name, outcome, changed):
    values = outputs(SAMPLES[name])

    assert (values["outcome"], values["changed"]) == (outcome, changed)


def test_several_environments_keep_their_outputs_apart():
    text = "".join(
        outputs_text(outputs(replace(SAMPLES[name], environment=place)), delimiter="end")
        for name, place in (("plan", "prod/eu"), ("plan-unchanged", "test"))
    )
    found = read_outputs(text)

    assert (found["prod-eu-changed"], found["test-changed"]) == ("true", "false")


# What else is printed there


@given(TEXTS)
@settings(deadline=None, max_examples=400)
def test_no_text_gives_the_runner_a_command(text):
    assert commands(inert(text)) == []


@given(st.text(alphabet=f"#[]: {UNSEEN}error", max_size=12))
@settings(deadline=None, max_examples=400)
def test_nor_does_any_short_one(text):
    assert commands(inert(text)) == []
    assert commands(inert(f"x ##[error]{text}\n::error::{text}")) == []


@pytest.mark.parametrize("char", UNSEEN)
def test_an_unseen_character_hides_no_command(char):
    text = f"{char}::error::x\n:{char}:error::x\na #{char}#[error]x\n##{char}[error]x"

    assert len(commands(text)) == 4
    assert commands(inert(text)) == []


def test_what_is_no_command_is_left_as_it_is():
    text = "a::b\n  : x\n:: no second\n# [x] #[y]\ngroups/web.yaml:3:4: M1 x::y::z\n"

    assert inert(text) == text


def test_a_command_stays_readable():
    assert inert("  ::error::x\r::warning::y\nsee ##[group]z\n") == (
        "  : :error::x\r: :warning::y\nsee # #[group]z\n"
    )


@given(TEXTS)
@settings(deadline=None)
def test_a_document_means_the_same(text):
    rails = (Rail(rule="##[error]x", says=f"##[group]{text}", allow=text),)
    report = replace(
        plan_report(BLOCKED, environment=text, exit_code=ExitCode.BLOCKED), rails=rails
    )

    document = as_json(report)
    assert commands(inert(document, "json")) == []
    assert json.loads(inert(document, "json")) == json.loads(document)


def test_xml_means_the_same():
    document = "<a b='##[error]x'>\n::error::y\n  ::warning file=x::z</a>"

    found = inert(document, "junit")
    assert commands(document) != []
    assert commands(found) == []
    assert ET.tostring(ET.fromstring(found)) == ET.tostring(ET.fromstring(document))
