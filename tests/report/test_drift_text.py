"""What `drift` says to people."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from reconciler.core.alert import DriftEvent
from reconciler.core.category import COUNTED, Category
from reconciler.core.drift import Drift, DriftFinding, Untold
from reconciler.errors import ExitCode
from reconciler.report.as_json import as_json
from reconciler.report.as_text import as_text
from reconciler.report.drift_event import Occasion, told_body
from reconciler.report.rows import drift_report
from reconciler.report.shape import Report
from tests.report.samples import TAGS, UNCHANGED, UPDATE, group_id, plan

OPEN = Untold(says="not allowed to look at rg-closed", concerns=frozenset({Category.ORPHANED}))


def found(name: str, category: Category, says: str = "why", **more: bool) -> DriftFinding:
    return DriftFinding(
        target=group_id(name), category=category, says=says, key=f"{name} {category.value}", **more
    )


def report(*findings: DriftFinding, code: ExitCode = ExitCode.CHANGES, untold=()) -> Report:
    return drift_report(
        plan(TAGS, UPDATE, *UNCHANGED),
        Drift(findings=findings, untold=untold),
        environment="prod",
        exit_code=code,
        fail_on=COUNTED,
    )


def said(shown: Report) -> str:
    return as_text(shown, color=False, width=100)


def test_what_counts_comes_first_and_each_group_once() -> None:
    web = UPDATE.target.name
    text = said(
        report(
            found("idle", Category.STOPPED),
            found(web, Category.PENDING),
            found(web, Category.CHANGED),
            found("gone", Category.MISSING, is_certain=False),
        )
    )

    heads = [line for line in text.splitlines() if line.startswith(("  ! ", "  . "))]
    assert heads == [
        "  ! rg-shop-prod/gone  missing (or pending)",
        f"  ! rg-shop-prod/{web}  changed, pending",
        "  . rg-shop-prod/idle  stopped",
    ]
    assert '"debug" -> "info"  (drift)' in text
    assert "Drift: drift in 2 groups (1 missing, 1 changed); 1 stopped, 1 pending;" in text


def test_what_could_not_be_told_is_said_first_in_the_last_line() -> None:
    text = said(report(code=ExitCode.FAILED, untold=(OPEN,)))

    assert "  ? not told  orphaned\n    why    not allowed to look at rg-closed" in text
    assert text.splitlines()[-1].startswith("Drift: not all could be told; ")


def test_a_secret_that_azure_quotes_is_hidden() -> None:
    """Container states are texts of others: they may quote what a group was given."""
    secret = "hunter2-the-secret"
    holder = replace(UPDATE, desired=_knowing(secret))
    shown = drift_report(
        plan(holder),
        Drift(findings=(found(UPDATE.target.name, Category.UNHEALTHY, f"bad: {secret}"),)),
        environment=None,
        exit_code=ExitCode.CHANGES,
        fail_on=COUNTED,
    )

    assert secret not in said(shown) + as_json(shown)
    assert shown.drift is not None
    at = datetime(2025, 1, 1, tzinfo=UTC)
    occasion = Occasion(event=DriftEvent.DETECTED, id="evt_1", at=at)
    body = told_body(occasion, shown, shown.drift, frozenset())
    assert b"bad: " in body
    assert secret.encode() not in body


def _knowing(secret: str):
    from reconciler.core.groups import Secret, SecretState
    from tests.core.given import wanted
    from tests.strategies import HERE

    one = Secret(path=("properties",), name="/s", state=SecretState.KNOWN, where=HERE, value=secret)
    return replace(wanted(), secrets=(one,))
