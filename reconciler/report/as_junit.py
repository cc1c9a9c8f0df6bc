"""A report as JUnit XML: a test case a group, or a finding, for the test tabs of CI systems.

By the schema that Jenkins and its kin read: `testsuites`, `testsuite`, `testcase` with `failure`,
`error` or `skipped`, and `system-out`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from reconciler.core.finding import Finding
from reconciler.core.outcome import Status
from reconciler.core.plan import ActionKind
from reconciler.report.shape import ActionRow, FieldRow, OutcomeRow, Report, ReportKind

# What XML 1.0 has no way to write, half surrogates among them.
_IMPOSSIBLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One test case; `verdict` is the name of its element, empty where it passed."""

    name: str
    suite: str
    verdict: str = ""
    kind: str = ""
    says: str = ""
    detail: str = ""
    seconds: float = 0.0


def as_junit(report: Report) -> str:
    """The report as an XML document that ends in one newline."""
    cases = list(_cases(report))
    name = ".".join(part for part in ("aci-reconcile", report.command, report.environment) if part)
    suites = ET.Element("testsuites", _counted(cases))
    suite = ET.SubElement(suites, "testsuite", {"name": _clean(name), **_counted(cases)})
    for case in cases:
        _add(suite, case)
    ET.indent(suites)
    text = ET.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _counted(cases: list[_Case]) -> dict[str, str]:
    def number(verdict: str) -> str:
        return str(sum(case.verdict == verdict for case in cases))

    return {
        "tests": str(len(cases)),
        "failures": number("failure"),
        "errors": number("error"),
        "skipped": number("skipped"),
        "time": f"{sum(case.seconds for case in cases):.3f}",
    }


def _add(suite: ET.Element, case: _Case) -> None:
    element = ET.SubElement(
        suite,
        "testcase",
        {
            "classname": _clean(case.suite),
            "name": _clean(case.name),
            "time": f"{case.seconds:.3f}",
        },
    )
    if case.verdict:
        told = {"message": _clean(case.says)}
        told |= {} if case.verdict == "skipped" else {"type": _clean(case.kind)}
        ET.SubElement(element, case.verdict, told).text = _clean(case.detail) or None
    elif case.detail:
        ET.SubElement(element, "system-out").text = _clean(case.detail)


def _clean(text: str) -> str:
    return _IMPOSSIBLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _cases(report: Report) -> Iterator[_Case]:
    for rail in report.rails:
        yield _Case(
            name=rail.rule,
            suite="limits",
            verdict="failure",
            kind=rail.rule,
            says=rail.says,
            detail=rail.allow,
        )
    if report.kind is ReportKind.RESULT:
        yield from map(_of_outcome, report.outcomes)
        yield from _unstarted(report)
    elif report.drift is not None:
        yield from _of_drift(report)
    else:
        yield from (_of_action(action, report) for action in report.actions)
    for line in report.lines:
        is_well = line.sync == "in sync"
        yield _Case(
            name=str(line.target),
            suite="status",
            verdict="" if is_well else "failure",
            kind=line.sync,
            says=line.note or line.sync,
        )
    yield from _of_findings(report.findings)


def _of_action(action: ActionRow, report: Report) -> _Case:
    """A planned change is no failure; a refusal is, and so is any difference for `drift`."""
    is_refused = action.kind is ActionKind.REFUSE
    is_drift = report.command == "drift" and action.kind is not ActionKind.NO_OP
    return _Case(
        name=str(action.target),
        suite=action.kind.value,
        verdict="failure" if is_refused or is_drift else "",
        kind=action.kind.value,
        says=action.why,
        detail=_lines([*action.costs, action.allow, *map(_field, action.fields)]),
    )


def _of_outcome(outcome: OutcomeRow) -> _Case:
    verdicts = {Status.SUCCEEDED: "", Status.NOT_STARTED: "skipped"}
    logs = [f"{log.container}: {line}" for log in outcome.logs for line in log.text.splitlines()]
    return _Case(
        name=str(outcome.action.target),
        suite=outcome.action.kind.value,
        verdict=verdicts.get(outcome.status, "failure"),
        kind=outcome.code or outcome.status.value,
        says=outcome.says,
        detail=_lines([outcome.hint, *map(_field, outcome.action.fields), *logs]),
        seconds=outcome.took.total_seconds(),
    )


def _unstarted(report: Report) -> Iterator[_Case]:
    from reconciler.report.words import unstarted

    for action in unstarted(report):
        says = "no outcome, it may be under way in Azure"
        yield _Case(
            name=str(action.target),
            suite=action.kind.value,
            verdict="error",
            kind="no outcome",
            says=says,
        )


def _of_drift(report: Report) -> Iterator[_Case]:
    assert report.drift is not None
    for row in report.drift.rows:
        yield _Case(
            name=str(row.target),
            suite=row.category.value,
            verdict="failure" if row.counts else "",
            kind=row.category.value,
            says=row.says,
            detail="" if row.counts else row.says,
        )
    for untold in report.drift.untold:
        yield _Case(
            name=", ".join(sorted(one.value for one in untold.concerns)),
            suite="untold",
            verdict="error",
            kind="untold",
            says=untold.says,
        )


def _of_findings(findings: Iterable[Finding]) -> Iterator[_Case]:
    for finding in findings:
        yield _Case(
            name=f"{finding.rule} {finding.path}".strip(),
            suite=str(finding.where),
            verdict="failure" if finding.is_error else "",
            kind=finding.rule,
            says=finding.says,
            detail=_lines([f"{finding.where}: {finding.says}", finding.hint]),
        )


def _field(field: FieldRow) -> str:
    return f"{field.pointer}: {field.before} -> {field.after}"


def _lines(texts: Iterable[str]) -> str:
    return "\n".join(text for text in texts if text)
