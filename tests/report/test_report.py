"""What a report says and never says, whatever it is made of."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.core.diff import ChangeKind, Diff
from reconciler.core.finding import Finding, Severity
from reconciler.core.ids import GroupId, ResourceGroupId
from reconciler.core.jsonval import parse_pointer
from reconciler.core.mask import show
from reconciler.core.outcome import Status, TaskLog, Trouble
from reconciler.core.plan import Action, ActionKind, Orphan, Rail
from reconciler.errors import ExitCode
from reconciler.report.as_json import as_json
from reconciler.report.as_text import as_text
from reconciler.report.rows import (
    StatusLine,
    apply_report,
    findings_report,
    plan_report,
    status_report,
)
from tests.report import samples
from tests.report.samples import CONTAINER, SUBSCRIPTION, VARIABLES, change, desired, group_id, plan

SGR = re.compile(r"\x1b\[[0-9;]*m")
SCHEMA = Path(__file__).parents[2] / "schemas/report.schema.json"
VALIDATOR = Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
HOSTILE = st.text(
    st.one_of(
        st.sampled_from("\x1b\x07\x00\x7f\x9b\n\r\t\u202e\u200b\u2028\ud800[]{}\\ /~"),
        st.characters(),
    ),
    max_size=30,
)
NAMES = HOSTILE.map(lambda text: text.replace("/", "")).filter(bool)
VALUES = st.recursive(
    st.one_of(HOSTILE, st.booleans(), st.integers(), st.floats()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(HOSTILE, inner, max_size=3)
    ),
    max_leaves=6,
)
TARGETS = st.builds(GroupId, subscription=st.just(SUBSCRIPTION), resource_group=NAMES, name=NAMES)
CHANGES = st.builds(
    lambda path, before, after: change(tuple(path), before, after),
    st.lists(HOSTILE, min_size=1, max_size=4),
    st.none() | VALUES,
    VALUES,
)
ACTIONS = st.builds(
    Action,
    kind=st.sampled_from(ActionKind),
    target=TARGETS,
    why=HOSTILE,
    costs=st.tuples(HOSTILE),
    notes=st.tuples(HOSTILE),
    allow=HOSTILE,
    diff=st.lists(CHANGES, max_size=3).map(lambda found: Diff(changes=tuple(found))),
)


def reports_of(actions, text, target):
    """A report of each kind with hostile text in every place."""
    position = samples.at(text, 1, 1)
    finding = Finding(
        rule="M1", severity=Severity.ERROR, where=position, path=text, says=text, hint=text
    )
    orphan = Orphan(live=replace(samples.live("x"), id=target), note=text)
    rail = Rail(rule=text or "r", says=text, allow=text)
    found = plan(*actions, orphans=(orphan,), rails=(rail,), notes=(text,))
    outcomes = tuple(
        samples.outcome(
            action,
            Status.FAILED,
            text,
            hint=text,
            code=text,
            request_id=text,
            operation=text,
            health=text,
            troubles=(Trouble(container=text, state=text, exit_code=3, events=(text,)),),
            is_stranded=True,
            logs=(TaskLog(container=text, text=text),),
        )
        for action in found.actions
        if action.kind not in (ActionKind.NO_OP, ActionKind.REFUSE)
    )
    line = StatusLine(
        target=target, sync=text, provisioning=text, state=text, restarts=3, address=text, note=text
    )
    return (
        plan_report(found, environment=text, findings=(finding,), exit_code=ExitCode.DONE),
        apply_report(
            found,
            outcomes[1:],
            environment=text,
            exit_code=ExitCode.PARTIAL,
            interrupted=True,
            under_way={action.address: text for action in found.actions},
        ),
        findings_report((finding,), files=1, documents=1, exit_code=ExitCode.INVALID),
        status_report((line, line), exit_code=ExitCode.DONE),
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(ACTIONS, max_size=3),
    HOSTILE,
    TARGETS,
    st.sampled_from([1, 20, 80, 200]),
    st.booleans(),
)
def test_nothing_in_a_value_can_steer_a_terminal(actions, text, target, width, verbose):
    for report in reports_of(actions, text, target):
        plain = as_text(report, color=False, width=width, verbose=verbose)
        colored = as_text(report, color=True, width=width, verbose=verbose)

        assert plain.replace("\n", "").isprintable()
        assert SGR.sub("", colored) == plain
        assert plain.endswith("\n")
        plain.encode("utf-8")


@settings(max_examples=60, deadline=None)
@given(st.lists(ACTIONS, max_size=3), HOSTILE, TARGETS)
def test_any_document_is_ascii_and_obeys_the_schema(actions, text, target):
    for report in reports_of(actions, text, target):
        document = as_json(report)

        assert document.isascii()
        assert "\x7f" not in document
        VALIDATOR.validate(json.loads(document))


SECRETS = st.text("abcdefgh0123456789!?%", min_size=8, max_size=20).map(lambda text: f"zq{text}")
SECRET_PLACES = st.sampled_from(
    [
        lambda s: change((*VARIABLES, "DB_PASSWORD", "value"), s, "x"),
        lambda s: change((*VARIABLES, "API_TOKEN", "value"), None, s),
        lambda s: change((*VARIABLES, "URL", "value"), f"amqp://me:{s}@host", "amqp://host"),
        lambda s: change((*VARIABLES, "SQL", "value"), f"Server=x;Password={s};Pooling=true", "y"),
        lambda s: change((*VARIABLES, "API_KEY"), {"value": s}, None),
        lambda s: change(
            ("properties", "containers", "c"),
            None,
            {"properties": {"environmentVariables": {"MY_SECRET": {"value": s}}}},
        ),
        lambda s: change((*CONTAINER, "command"), ["run", "--token", s], ["run", f"--token={s}"]),
        lambda s: change((*VARIABLES, "X", "secureValue"), s, None),
        lambda s: change(
            (*CONTAINER, "livenessProbe", "httpGet", "httpHeaders", "Authorization", "value"),
            s,
            "x",
        ),
        lambda s: change(("properties", "imageRegistryCredentials", "acme", "password"), None, s),
        lambda s: change(("properties", "volumes", "v", "secret", "key"), None, s),
        lambda s: change(("properties", "volumes", "v", "azureFile", "storageAccountKey"), None, s),
        lambda s: change(
            ("properties", "volumes", "v", "gitRepo", "repository"), None, f"https://u:{s}@git/x"
        ),
    ]
)


@settings(max_examples=100, deadline=None)
@given(SECRETS, st.lists(SECRET_PLACES, min_size=1, max_size=4))
def test_a_secret_is_in_no_rendering(secret, places):
    changes = tuple(place(secret) for place in places)
    action = samples.action(
        ActionKind.UPDATE,
        "web",
        "because",
        diff=Diff(changes=changes),
        desired=desired("web", secrets=(replace(samples.secret("/x"), value=secret),)),
    )
    quoted = samples.outcome(
        action,
        Status.FAILED,
        f"Azure says '{secret}'",
        hint=f"not {secret}",
        logs=(TaskLog(container="web", text=f"login {secret}\n"),),
    )
    for report in (
        plan_report(plan(action), environment=None, exit_code=ExitCode.DONE),
        apply_report(plan(action), (quoted,), environment=None, exit_code=ExitCode.FAILED),
    ):
        assert secret not in as_json(report)
        assert secret not in as_text(report, color=False, width=10_000, verbose=True)
        assert secret not in as_text(report, color=False, width=80)


def test_a_hidden_field_has_neither_side_in_the_document():
    action = samples.action(
        ActionKind.UPDATE,
        "web",
        "because",
        diff=Diff(
            changes=(change((*VARIABLES, "URL", "value"), "http://me:secret@host", "http://host"),)
        ),
    )
    found = json.loads(
        as_json(plan_report(plan(action), environment=None, exit_code=ExitCode.DONE))
    )

    assert found["actions"][0]["changes"] == [
        {
            "pointer": "/properties/containers/web/properties/environmentVariables/URL/value",
            "change": "changed",
            "effect": "update",
            "origin": "config",
            "sensitive": True,
        }
    ]


def test_pointers_can_be_pasted_into_reconcile_ignore():
    path = (*VARIABLES, "a/b~c", "value")
    action = samples.action(
        ActionKind.UPDATE, "web", "because", diff=Diff(changes=(change(path, "1", "2"),))
    )
    text = as_text(
        plan_report(plan(action), environment=None, exit_code=ExitCode.DONE), color=False, width=80
    )

    shown = next(word for word in text.split() if word.startswith("/properties"))
    assert parse_pointer(shown) == path


def test_long_values_are_shown_where_they_differ():
    before = "x" * 500 + "old" + "y" * 500
    after = "x" * 500 + "new" + "y" * 500
    action = samples.action(
        ActionKind.UPDATE,
        "web",
        "because",
        diff=Diff(changes=(change((*CONTAINER, "image"), before, after),)),
    )
    report = plan_report(plan(action), environment=None, exit_code=ExitCode.DONE)

    short = as_text(report, color=False, width=80)
    whole = as_text(report, color=False, width=80, verbose=True)
    assert "old" in short and "new" in short and len(short) < 900
    assert before in whole and after in whole


def test_resource_groups_are_told_apart_from_groups():
    declared = ResourceGroupId(subscription=SUBSCRIPTION, name="rg-new")
    found = plan(Action(kind=ActionKind.CREATE, target=declared, why="no such resource group"))
    report = plan_report(found, environment=None, exit_code=ExitCode.DONE)

    assert "+ rg-new  create resource group" in as_text(report, color=False, width=80)
    assert json.loads(as_json(report))["actions"][0]["type"] == "resource group"


def test_addresses_are_lower_case_in_documents_and_as_written_for_people():
    action = Action(kind=ActionKind.DELETE, target=group_id("WEB", "RG-Shop"), why="ours")
    report = plan_report(plan(action), environment=None, exit_code=ExitCode.DONE)

    assert json.loads(as_json(report))["actions"][0]["address"] == f"{SUBSCRIPTION}/rg-shop/web"
    assert "RG-Shop/WEB  delete" in as_text(report, color=False, width=80)


def test_a_stranded_group_is_said_last_and_first():
    lines = as_text(samples.reports()["apply-partial"], color=False, width=200).splitlines()

    assert lines[-1].startswith("Applied 3 of 7: 1 STRANDED, ")
    assert any(
        line.startswith("!!!  STRANDED: 1 group was deleted and NOT created") for line in lines[-5:]
    )


@pytest.mark.parametrize(
    ("environment", "file", "command"),
    [
        (None, "", "aci-reconcile apply"),
        (None, "a b/worker.yaml", "aci-reconcile apply 'a b/worker.yaml'"),
        ("prod", "groups/w.yaml", "aci-reconcile apply groups/w.yaml -e prod"),
    ],
)
def test_a_stranded_group_comes_with_the_command_that_creates_it(environment, file, command):
    wanted = replace(desired("worker"), where=samples.at(file, 1, 1)) if file else None
    action = replace(samples.REPLACE, desired=wanted)
    stranded = samples.outcome(action, Status.FAILED, "no room", is_stranded=True)

    report = apply_report(
        plan(action), (stranded,), environment=environment, exit_code=ExitCode.FAILED
    )

    assert f"!!!   {command}" in as_text(report, color=False, width=40).splitlines()


def test_what_was_seen_of_a_healthy_group_is_for_the_verbose():
    done = samples.outcome(
        samples.UPDATE, Status.SUCCEEDED, "updated", health="2 of 2 running", operation="https://x"
    )
    report = apply_report(plan(samples.UPDATE), (done,), environment=None, exit_code=ExitCode.DONE)

    usual = as_text(report, color=False, width=80)
    verbose = as_text(report, color=False, width=80, verbose=True)

    assert "2 of 2" not in usual and "https" not in usual
    assert "    health 2 of 2 running" in verbose and "    azure  https://x" in verbose


def test_what_has_no_outcome_is_counted_and_named():
    found = plan(samples.CREATE, samples.UPDATE)
    stopped = apply_report(
        found, (), environment=None, exit_code=ExitCode.INTERRUPTED, interrupted=True
    )
    never = apply_report(found, (), environment=None, exit_code=ExitCode.BLOCKED)

    assert "rg-shop-prod/web  update: no outcome, it may be under way" in as_text(
        stopped, color=False, width=80
    )
    assert "rg-shop-prod/web  not started: update" in as_text(never, color=False, width=80)
    assert "Applied 0 of 2: 2 not started" in as_text(never, color=False, width=80)
    assert json.loads(as_json(stopped))["counts"]["noOutcome"] == 2


@pytest.mark.parametrize("width", [40, 80, 200])
def test_status_columns_stay_aligned(width):
    names = ["web", "a" * 63, "größe", "東京の群", "e\u0301te\u0301"]
    rows = [
        StatusLine(target=group_id(n), sync="SYNCWORD", state="Running", restarts=1) for n in names
    ]
    text = as_text(status_report(rows, exit_code=ExitCode.DONE), color=False, width=width)

    from rich.cells import cell_len

    head, *lines = text.splitlines()
    found = {
        cell_len(line[: line.index("SYNCWORD")])
        for line in lines
        if "SYNCWORD" in line and "Status" not in line
    }
    assert found == {head.index("SYNC")}
    assert all(str(group_id(name)) in text for name in names)


def test_names_in_any_script_survive():
    action = samples.action(
        ActionKind.UPDATE,
        "größe-東京",
        "weil",
        diff=Diff(changes=(change(("tags", "tëam"), "a", "日本"),)),
    )
    report = plan_report(plan(action), environment="prod", exit_code=ExitCode.DONE)

    assert '/tags/tëam  "a" -> "日本"' in as_text(report, color=False, width=80)
    assert json.loads(as_json(report))["actions"][0]["changes"][0]["after"] == "日本"


def test_a_thousand_groups_are_quick():
    kinds = (ActionKind.UPDATE, ActionKind.NO_OP)
    changes = samples.UPDATE.diff
    actions = [
        samples.action(
            kinds[n % 2],
            f"web-{n:04}",
            "because",
            diff=changes if n % 2 == 0 else Diff(),
            desired=desired(f"web-{n}"),
            live=samples.live(f"web-{n}"),
            notes=(samples.NOT_COMPARED,),
        )
        for n in range(1000)
    ]
    started = time.process_time()
    report = plan_report(plan(*actions), environment=None, exit_code=ExitCode.CHANGES)
    text = as_text(report, color=True, width=80)
    document = as_json(report)
    took = time.process_time() - started

    assert len(text.splitlines()) > 5000 and len(json.loads(document)["actions"]) == 1000
    assert took < 2, f"{took:.2f} s"


def test_no_line_is_wider_than_asked_unless_a_word_is():
    for name, report in samples.reports().items():
        if name.startswith("validate"):
            continue  # a finding is one line whatever the width
        for line in as_text(report, color=False, width=80).splitlines():
            assert len(line) <= 80 or max(map(len, line.split())) > 60, line


def test_kinds_have_signs_of_their_own():
    from reconciler.report.words import SIGNS

    assert set(SIGNS) == set(ActionKind)
    assert len({sign for sign, _ in SIGNS.values()}) == len(ActionKind)
    assert {change.kind for change in samples.UPDATE.diff.changes} == set(ChangeKind)


@pytest.mark.parametrize(
    "value",
    [
        "acme.azurecr.io/web@sha256:" + "a" * 64,
        "https://example.org:8080/path?q=1",
        "https://cdn.example.org/npm/pkg@1.2.3",
        "postgres://db/shop",
        "key=value",
        "max_tokens=5",
        "someone@example.org",
    ],
)
def test_what_is_no_secret_is_shown(value):
    assert show((*VARIABLES, "SETTING", "value"), value) == json.dumps(value)
    assert show((*CONTAINER, "image"), value) == json.dumps(value)


def test_no_text_is_slow_to_judge():
    started = time.process_time()
    for text in ("://" * 50_000, "://" + "a:" * 50_000, "token" * 50_000, "bearer " * 30_000):
        show((*CONTAINER, "image"), text)

    assert time.process_time() - started < 1
