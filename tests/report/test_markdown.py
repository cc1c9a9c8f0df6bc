"""Markdown as a parser reads it: what others wrote stays text, and what matters is never dropped."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reconciler.core.category import Category
from reconciler.core.drift import Untold
from reconciler.core.finding import Finding, Severity
from reconciler.core.outcome import Status, TaskLog
from reconciler.core.plan import ActionKind, Rail
from reconciler.errors import ExitCode
from reconciler.report.as_markdown import BUDGET, as_markdown
from reconciler.report.lines import safe
from reconciler.report.markdown_escape import code, fence, marker, prose, table
from reconciler.report.markdown_escape import html as in_html
from reconciler.report.rows import apply_report, findings_report, plan_report, status_report
from reconciler.report.shape import DriftRow, DriftView, StatusLine
from tests.report.samples import (
    BLOCKED,
    FULL,
    PLANTED,
    RAILS,
    REFUSE,
    UPDATE,
    action,
    at,
    group_id,
    outcome,
    plan,
    reports,
)

SAMPLES = reports()
READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
PARTING = "<!-- -->"
NASTY = (
    "|",
    "\\|",
    "\\\\|",
    "`",
    "``` ",
    "\n```\n",
    "\n\n",
    "\r",
    "<img src=x onerror=alert(1)>",
    "</code></details>",
    "<!--",
    "-->",
    "@octocat",
    "#1",
    "GH-1",
    "octo/repo#2",
    "https://evil.example",
    "www.evil.example",
    "a@b.example",
    "[x](http://x)",
    "![x](http://x)",
    "&amp;",
    "&#124;",
    "**",
    "__",
    "_",
    "~~",
    "$x$",
    "> ",
    "# ",
    "- ",
    "1. ",
    "=",
    "\\",
    "\x00",
    "\x1b[31m",
    "\u2028",
    "\u202e",
    "\ud800",
    "é",
    "😀",
    " ",
    "a",
)
TEXTS = st.one_of(
    st.lists(st.sampled_from(NASTY), max_size=8).map("".join),
    st.text(max_size=40),
    st.text(alphabet="`|\\<>&-# \n@_*a1", max_size=20),
)
QUIET = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def tokens(text):
    return READER.parse(text)


def inline(text):
    """The inline tokens of a text that is one paragraph."""
    found = tokens(text)
    assert [one.type for one in found] == ["paragraph_open", "inline", "paragraph_close"], found
    return found[1].children or []


def shown(children):
    """What a reader sees of inline tokens; an HTML tag is seen as nothing."""
    return "".join("" if one.type == "html_inline" else one.content for one in children)


def tags(children):
    return [one.content for one in children if one.type == "html_inline"]


# Each kind of place


@given(TEXTS)
@QUIET
def test_prose_is_shown_as_it_is_and_is_nothing_else(text):
    children = inline(f"x: {prose(text)}.")

    assert shown(children) == f"x: {safe(text).strip()}."
    assert {one.type for one in children} <= {"text", "text_special", "html_inline"}
    assert set(tags(children)) <= {PARTING}


@given(TEXTS)
@QUIET
def test_prose_that_begins_an_item_begins_nothing_else(text):
    found = tokens(f"- {prose('a' + text if not safe(text).strip() else text)}")

    assert [one.type for one in found] == [
        "bullet_list_open",
        "list_item_open",
        "paragraph_open",
        "inline",
        "paragraph_close",
        "list_item_close",
        "bullet_list_close",
    ]


@given(TEXTS)
@QUIET
def test_code_is_shown_as_it_is(text):
    children = inline(f"x {code(text)} y")
    expected = safe(text) if safe(text).strip() else "(empty)"

    assert shown(children) == f"x {expected} y"
    assert tags(children) in ([], ["<code>", "</code>"])
    assert {one.type for one in children} <= {"text", "text_special", "code_inline", "html_inline"}


@given(TEXTS)
@QUIET
def test_nobody_is_pinged_and_nothing_is_referred_to(text):
    # GitHub looks for these in what is shown, outside of code (cmark-gfm issue 181).
    for place in (prose(text), f"x {code(text)} y"):
        runs, is_code = [""], False
        for one in inline(f"x {place} y"):
            if one.type == "html_inline" and one.content in ("<code>", "</code>"):
                is_code = one.content == "<code>"
            if one.type == "html_inline" or one.type == "code_inline" or is_code:
                runs.append("")
            else:
                runs[-1] += one.content
        for run in runs:
            assert not re.search(r"[@#][a-z0-9]|\bGH-\d", run, re.IGNORECASE), run


@given(TEXTS)
@QUIET
def test_no_address_becomes_a_link(text):
    raw = prose(text)

    assert "://" not in raw
    assert "www." not in raw.lower()


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=4))
@QUIET
def test_a_table_keeps_its_cells(rows):
    found = tokens(table(("A", "B"), [(code(one), prose(other)) for one, other in rows]))
    cells = [found[at + 1] for at, one in enumerate(found) if one.type == "td_open"]

    assert found[0].type == "table_open"
    assert found[-1].type == "table_close"
    expected = [(safe(a) if safe(a).strip() else "(empty)", safe(b).strip()) for a, b in rows]
    assert [shown(cell.children or []) for cell in cells] == [x for pair in expected for x in pair]


@given(st.lists(TEXTS, max_size=5))
@example(["```", "x"])
@example(["  `````", "~~~"])
@QUIET
def test_a_fence_holds_all_its_lines(lines):
    found = tokens(f"before\n\n{fence(lines, info='diff')}\n\nafter")

    assert [one.type for one in found].count("fence") == 1
    block = next(one for one in found if one.type == "fence")
    assert (block.info, block.content.split("\n")[:-1]) == ("diff", [safe(one) for one in lines])
    assert found[-2].content == "after"


@given(TEXTS)
@QUIET
def test_html_is_shown_as_it_is(text):
    block = f"<details><summary><code>{in_html(text)}</code></summary>"
    found = tokens(f"{block}\n\nafter")

    assert [one.type for one in found[:1]] == ["html_block"]
    assert found[0].content.strip() == block
    assert html.unescape(in_html(text)) == safe(text)
    assert not re.search(r"[<>\"]", in_html(text))


@given(TEXTS, TEXTS)
@QUIET
def test_the_marker_is_one_comment_of_these_two(project, environment):
    text = marker(project, environment)

    found = tokens(f"{text}\n### head")
    assert [one.type for one in found] == [
        "html_block",
        "heading_open",
        "inline",
        "heading_close",
    ]
    assert re.fullmatch(r"<!-- aci-reconcile:[\w.~/%-]*:[\w.~/%-]* -->", text)
    assert "--" not in text[4:-3]


@given(st.tuples(TEXTS, TEXTS), st.tuples(TEXTS, TEXTS))
@QUIET
def test_two_projects_never_share_a_marker(one, other):
    assert (marker(*one) == marker(*other)) == (one == other)


# Whole reports


@pytest.mark.parametrize("name", SAMPLES)
def test_the_markdown_is_as_reviewed(name, golden):
    golden(f"{name}.md", as_markdown(SAMPLES[name]))


@pytest.mark.parametrize("name", SAMPLES)
def test_no_secret_is_in_it(name):
    assert PLANTED not in as_markdown(SAMPLES[name])


def test_the_first_line_names_project_and_environment():
    assert as_markdown(SAMPLES["plan"]).startswith("<!-- aci-reconcile:shop:prod -->\n### ")


def structure(text):
    """Everything but what others wrote: kinds of blocks, and tags."""
    found = []
    for one in tokens(text):
        found.append((one.type, one.info))
        if one.type == "html_block":
            content = re.sub(r"<!-- aci-reconcile:\S+ -->", "<!-- -->", one.content)
            found.append(re.sub(r"<code>.*?</code>", "<code></code>", content))
        for child in one.children or []:
            if child.type not in ("text", "text_special", "code_inline", "html_inline"):
                found.append((child.type, one.level))
    return found


def retold(report, text):
    """`report` with `text` in every place where others have a say."""
    actions = tuple(
        replace(
            one,
            why=text,
            allow=text,
            costs=(text,) * bool(one.costs),
            notes=(text,) * bool(one.notes),
            file=text,
            target=replace(one.target, name=text),
            fields=tuple(
                replace(field, pointer=text, before=text, after=text) for field in one.fields
            ),
            containers=tuple((text, text) for _ in one.containers),
        )
        for one in report.actions
    )
    outcomes = tuple(
        replace(
            one,
            says=text,
            hint=text,
            code=text,
            operation=text,
            health=f"x{text}y",
            action=replace(one.action, target=replace(one.action.target, name=text), file=text),
            logs=tuple(TaskLog(container=text, text="x" + text) for _ in one.logs),
            troubles=tuple(
                replace(t, container=text, state=text, events=(text,)) for t in one.troubles
            ),
        )
        for one in report.outcomes
    )
    findings = tuple(replace(one, says=text, hint=text, path=text) for one in report.findings)
    return replace(
        report,
        owner=text,
        environment=text,
        actions=actions,
        outcomes=outcomes,
        findings=findings,
        rails=tuple(Rail(rule=text, says=text, allow=text) for _ in report.rails),
        notes=tuple(text for _ in report.notes),
        orphans=tuple(replace(one, note=text) for one in report.orphans),
        lines=tuple(
            replace(one, sync=text, provisioning=text, state=text, address=text, note=text)
            for one in report.lines
        ),
    )


@pytest.mark.parametrize("name", ["plan", "plan-blocked", "apply-partial", "validate", "status"])
@given(text=TEXTS.filter(lambda text: safe(text).strip()))
@settings(QUIET, max_examples=15)
def test_what_others_wrote_never_changes_the_structure(name, text):
    plain = structure(as_markdown(retold(SAMPLES[name], "x")))

    assert structure(as_markdown(retold(SAMPLES[name], text))) == plain


# Size


@cache
def updates(number):
    return tuple(
        replace(UPDATE, target=group_id(f"group-{index:05}", "rg-a-resource-group"))
        for index in range(number)
    )


def huge(number, *extra, rails=()):
    """A plan of so many updates; the rows of all are those of one, but for the name."""
    (first,), others = updates(1), extra
    report = plan_report(
        plan(first, *others, rails=rails, owned=number),
        environment="prod",
        exit_code=ExitCode.BLOCKED,
    )
    (row,) = (one for one in report.actions if one.target == first.target)
    more = tuple(replace(row, target=one.target) for one in updates(number)[1:])
    return replace(report, actions=(*report.actions, *more))


@pytest.mark.parametrize("number", [1, 40, 130, 500, 900, 10_000])
def test_whatever_the_number_of_groups_it_fits(number):
    text = as_markdown(huge(number))

    assert len(text) <= BUDGET
    assert f"{number} to update" in text


def test_detail_is_dropped_in_steps_and_it_says_so():
    seen = [as_markdown(huge(number)) for number in (1, 90, 500, 3_000)]
    has = [
        tuple(mark in text for mark in ("```diff", "| Why |", "| Differs |", "leaves out"))
        for text in seen
    ]

    assert has == [
        (True, True, False, False),
        (False, True, False, True),
        (False, False, True, True),
        (False, False, False, True),
    ]
    assert all("in the file that `-o text=FILE` writes" in text for text in seen[1:])


@pytest.mark.parametrize("number", [1, 40, 500, 5_000])
def test_limits_refusals_and_destruction_are_dropped_last(number):
    deletes = [action(ActionKind.DELETE, f"old-{index}", "ours") for index in range(5)]
    text = as_markdown(huge(number, REFUSE, *deletes, rails=RAILS))

    assert "`--allow replace=1`" in text
    assert "wrongSubscription" in text
    assert "`rg-shop-prod/billing` **refused**: owned by" in text
    assert all(f"`rg-shop-prod/old-{index}` | **delete**" in text for index in range(5))


def test_more_refusals_than_fit_are_counted_and_the_limits_are_still_whole():
    refusals = [
        replace(REFUSE, target=group_id(f"refused-{index:05}"), why="x|`<" * 90)
        for index in range(1_000)
    ]
    rails = tuple(
        Rail(rule=f"maxRule{index}", says="so many groups " * 10, allow=f"--allow kind={index}")
        for index in range(12)
    )
    text = as_markdown(
        plan_report(plan(*refusals, rails=rails), environment="prod", exit_code=ExitCode.BLOCKED)
    )

    assert len(text) <= BUDGET
    assert all(f"`--allow kind={index}`" in text for index in range(12))
    named = text.count("**refused**")
    assert named > 5
    assert f"**and {1_000 - named} more** that stand in the way" in text
    assert "| refuse | 1000 |" in text


@given(
    st.integers(0, 1000),
    st.integers(0, 400),
    st.sampled_from(["a", "é|", "😀`", "\x1b", "<@#"]),
    st.integers(1, 300),
)
@settings(QUIET, max_examples=8)
def test_it_fits_whatever_is_written_there(groups, findings, unit, length):
    text = unit * length
    report = retold(SAMPLES["plan-blocked"], text)
    found = Finding(
        rule="M1", severity=Severity.ERROR, where=at("x.yaml", 1, 1), path=text, says=text
    )
    report = replace(
        report,
        owner=text[:60],
        environment=text[:60],
        actions=report.actions * (groups // 8 + 1),
        findings=(found,) * findings,
    )

    assert len(as_markdown(report)) <= BUDGET


def test_every_kind_of_report_fits():
    failed = tuple(
        outcome(
            replace(UPDATE, target=group_id(f"group-{index}")),
            Status.FAILED,
            "no room " * 100,
            logs=(TaskLog(container="web", text="line\n" * 1_000),),
        )
        for index in range(500)
    )
    lines = tuple(
        StatusLine(target=group_id(f"g-{index}"), sync="drifted") for index in range(3_000)
    )
    findings = tuple(
        Finding(rule="M1", severity=severity, where=at("x.yaml", 1, 1), path="/x", says="y" * 200)
        for severity in (Severity.WARNING, Severity.ERROR)
        for _ in range(1_000)
    )
    result = apply_report(plan(), failed, environment="prod", exit_code=ExitCode.PARTIAL)
    checked = findings_report(findings, files=1, documents=1, exit_code=ExitCode.INVALID)
    seen = status_report(lines, exit_code=ExitCode.DONE)

    for report in (result, checked, seen):
        assert len(as_markdown(report)) <= BUDGET
    assert "**500 failed**" in as_markdown(result)
    assert "1000 errors" in as_markdown(checked)
    assert as_markdown(checked).count("**M1**") > 50
    assert "3000 drifted" in as_markdown(seen)


def test_a_larger_budget_shows_more():
    report = huge(300)

    assert len(as_markdown(report)) < BUDGET < len(as_markdown(report, budget=500_000))
    assert "```diff" in as_markdown(report, budget=500_000)


def drifted(number, says="image was moved"):
    """A drift of so many groups that counts, and as many that are pending."""
    groups = updates(2 * number)
    rows = tuple(
        DriftRow(
            target=one.target,
            category=Category.CHANGED if index % 2 else Category.PENDING,
            says=says,
            key=str(index),
            counts=bool(index % 2),
        )
        for index, one in enumerate(groups)
    )
    untold = (Untold(says="rg-closed may not be read", concerns=frozenset({Category.UNMANAGED})),)
    report = plan_report(
        plan(*groups), command="drift", environment="prod", exit_code=ExitCode.CHANGES
    )
    return replace(report, drift=DriftView(rows=rows, untold=untold, fail_on=(Category.CHANGED,)))


def test_drift_is_as_reviewed(golden):
    golden("drift.view.md", as_markdown(drifted(1)))


@pytest.mark.parametrize("number", [1, 90, 400, 3_000])
def test_drift_of_any_size_fits_and_says_what_was_not_told(number):
    text = as_markdown(drifted(number))

    assert len(text) <= BUDGET
    assert "> - **not told** (unmanaged): rg-closed may not be read" in text
    assert f"({number} changed)**" in text
    assert "`rg-a-resource-group/group-00001`" in text


@given(TEXTS.filter(lambda text: safe(text).strip()))
@settings(QUIET, max_examples=15)
def test_what_others_wrote_never_changes_the_structure_of_a_drift(text):
    assert structure(as_markdown(drifted(1, text))) == structure(as_markdown(drifted(1, "x")))


def test_a_log_is_shown_from_its_end():
    text = "".join(f"line {index}\n" for index in range(100))
    done = outcome(UPDATE, Status.FAILED, "ended", logs=(TaskLog(container="web", text=text),))
    report = apply_report(plan(UPDATE), (done,), environment=None, exit_code=ExitCode.PARTIAL)

    shown = as_markdown(report)
    assert "Log of `web`, without its first 60 lines:\n\n```\nline 60\n" in shown
    assert "line 99\n```" in shown


def test_blocked_and_full_samples_hold_what_the_text_holds():
    for planned in (FULL, BLOCKED):
        text = as_markdown(plan_report(planned, environment="prod", exit_code=ExitCode.DONE))
        for one in planned.actions:
            if one.is_pending:
                assert code(str(one.target)) in text
