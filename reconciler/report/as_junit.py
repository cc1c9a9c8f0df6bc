"""A report as JUnit XML: a test case a group, a file or a limit, for the test tabs of CI systems.

Valid by the schema that Jenkins checks with (junit-10.xsd of its xUnit plugin, which covers what
Surefire writes): that one knows no `skipped` at the root, and no `file` of a case. A case keeps its
names whatever becomes of it, so that a CI system can tell its history.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from reconciler.report.junit_cases import Case, Verdict, cases_of
from reconciler.report.shape import Report

# What XML 1.0 has no way to write, half surrogates among them.
_IMPOSSIBLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REPLACED = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Count:
    """How many cases there are, and of each verdict; `time` in seconds."""

    cases: tuple[Case, ...]

    def attributes(self) -> dict[str, str]:
        """What a suite and the root have in common."""
        return {
            "tests": str(len(self.cases)),
            "failures": self.number(Verdict.FAILURE),
            "errors": self.number(Verdict.ERROR),
            "time": _seconds(case.seconds for case in self.cases),
        }

    def number(self, verdict: Verdict) -> str:
        return str(sum(case.verdict is verdict for case in self.cases))


def as_junit(report: Report) -> str:
    """The report as an XML document that ends in one newline; it says what encoding it is in."""
    count = _Count(cases=tuple(cases_of(report)))
    name = _clean(".".join(p for p in ("aci-reconcile", report.command, report.environment) if p))
    root = ET.Element("testsuites", {"name": name, **count.attributes()})
    skipped = {"skipped": count.number(Verdict.SKIPPED)}
    suite = ET.SubElement(root, "testsuite", {"name": name, **count.attributes(), **skipped})
    _add_properties(suite, report)
    for case in count.cases:
        _add_case(suite, case, name)
    _add_text(suite, "system-out", "\n".join(report.notes))
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _add_properties(suite: ET.Element, report: Report) -> None:
    known = {
        "exitCode": str(int(report.exit_code)),
        "owner": report.owner,
        "environment": report.environment or "",
        "subscription": report.subscription,
        "digest": report.digest,
    }
    holder = ET.SubElement(suite, "properties")
    for name, value in known.items():
        if value:
            ET.SubElement(holder, "property", {"name": name, "value": _clean(value)})


def _add_case(suite: ET.Element, case: Case, name: str) -> None:
    place = {"classname": f"{name}.{case.holder}", "name": _clean(case.name)}
    element = ET.SubElement(suite, "testcase", {**place, "time": _seconds([case.seconds])})
    if case.verdict is not Verdict.PASSED:
        told = {"message": _clean(case.says), "type": _clean(case.kind)}
        ET.SubElement(element, case.verdict.value, told).text = _lines(case.detail)
    _add_text(element, "system-out", case.out)


def _add_text(parent: ET.Element, name: str, text: str) -> None:
    if text:
        ET.SubElement(parent, name).text = _lines(text)


def _clean(text: str) -> str:
    return _IMPOSSIBLE.sub(_REPLACED, text)


def _lines(text: str) -> str:
    """`text` as content: there a parser takes every carriage return for a line end."""
    text = text.replace("\r\n", "\n").replace("\r", "\N{SYMBOL FOR CARRIAGE RETURN}")
    return _clean(text)


def _seconds(times: Iterable[float]) -> str:
    return f"{sum(times):.3f}"
