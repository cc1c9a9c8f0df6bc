"""A report as text for people: calm, aligned, and complete without its colours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from reconciler.core.finding import Finding
from reconciler.report.drift_text import drift_lines, drift_summary
from reconciler.report.lines import Line, Span, line, render
from reconciler.report.plan_text import BLANK, heading, notes_lines, plan_lines, plan_summary
from reconciler.report.result_text import result_lines, result_summary
from reconciler.report.shape import Report, ReportKind
from reconciler.report.status_detail import detail_lines
from reconciler.report.status_text import status_lines, status_summary
from reconciler.report.words import finding_counts, plural

_TITLES = {"plan": "Plan for", "drift": "Drift in", "destroy": "Destroy in"}


def as_text(report: Report, *, color: bool, width: int, verbose: bool = False) -> str:
    """The report as text that ends in one newline.

    `verbose` adds what nothing is done for, whole values, the order and the digest. Without `color`
    there is no escape sequence in it, and with it only those of colours.
    """
    return render(_lines(report, width=width, verbose=verbose), color=color, width=width)


def _lines(report: Report, *, width: int, verbose: bool) -> Iterator[Line]:
    match report.kind:
        case ReportKind.PLAN if report.drift is not None:
            yield from heading(report, "Drift in", verbose=verbose)
            yield from drift_lines(report, report.drift, width=width, verbose=verbose)
            yield from _warnings(report)
            yield drift_summary(report, report.drift)
        case ReportKind.PLAN:
            title = _TITLES.get(report.command, f"{report.command.capitalize()} for")
            yield from heading(report, title, verbose=verbose)
            yield from plan_lines(report, width=width, verbose=verbose)
            yield from _warnings(report)
            yield plan_summary(report)
        case ReportKind.RESULT:
            yield from heading(report, "Result for", verbose=verbose)
            yield from result_lines(report, verbose=verbose)
            yield from _warnings(report)
            yield result_summary(report)
        case ReportKind.VALIDATION:
            yield from (_finding_line(finding) for finding in report.findings)
            yield _validation_summary(report)
        case ReportKind.STATUS:
            if verbose:
                yield from (each for one in report.lines for each in detail_lines(one))
            else:
                yield from status_lines(report, width=width)
            yield from notes_lines(report.notes)
            yield from _warnings(report)
            yield status_summary(report)
        case ReportKind.FAILURE:
            yield from failure_lines(report)
        case _:
            assert_never(report.kind)


def failure_lines(report: Report) -> Iterator[Line]:
    """What ended the command; a line each for its details."""
    if (failure := report.failure) is not None:
        says = f"{failure.says}; {failure.hint}" if failure.hint else failure.says
        yield line(("error: ", "bad"), (says, ""))
        yield from (line((f"  {detail}", "")) for detail in failure.details)


def _warnings(report: Report) -> Iterator[Line]:
    yield from (_finding_line(finding) for finding in report.findings)
    if report.findings:
        yield BLANK


def _finding_line(finding: Finding) -> Line:
    """One line whatever the width: editors and CI look for `file:line:col:` at its start."""
    spans: list[Span] = [(f"{finding.where}: ", "name")]
    spans += [(finding.rule, "loud" if finding.is_error else "change"), (" ", "")]
    spans += [(f"{finding.path}: ", "")] if finding.path else []
    spans += [(finding.says, "")]
    spans += [(f"; try {finding.hint}", "dim")] if finding.hint else []
    return line(*spans, hang=None)


def _validation_summary(report: Report) -> Line:
    counts = finding_counts(report)
    errors, warnings = plural(counts["errors"], "error"), plural(counts["warnings"], "warning")
    where = f" in {plural(report.files, 'file')} ({plural(report.documents, 'document')})"
    return line(
        (errors, "loud" if counts["errors"] else "good"),
        ", ",
        (warnings, "change" if counts["warnings"] else "good"),
        where,
    )
