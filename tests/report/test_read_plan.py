"""A plan document gives back the report that it was written from."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.core.binding import Binding
from reconciler.report.as_json import as_json
from reconciler.report.as_text import as_text
from reconciler.report.read_plan import report_of
from reconciler.report.shape import ReportKind
from tests.report.samples import reports

PLANS = {name: one for name, one in reports().items() if one.kind is ReportKind.PLAN}
NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
BINDING = Binding(
    plan_id="pl_0123456789",
    created=NOON,
    expires=NOON.replace(day=2),
    options={"prune": True, "allow": {"delete": 2}},
    secrets={"s/rg/web": ("/properties/x", "/properties/y")},
)


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("verbose", [False, True])
def test_it_reads_as_it_was_written(name: str, verbose: bool) -> None:
    report = replace(PLANS[name], binding=BINDING)

    again = report_of(json.loads(as_json(report)))

    assert as_json(again) == as_json(report)
    shown, before = (
        as_text(one, color=False, width=100, verbose=verbose) for one in (again, report)
    )
    assert shown == before
    assert again.binding == BINDING
