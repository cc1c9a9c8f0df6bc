"""How a run ended, in one word that pipelines can test for."""

from __future__ import annotations

from reconciler.core.category import Category
from reconciler.core.plan import ActionKind
from reconciler.errors import ExitCode
from reconciler.report.shape import DriftView, Report, ReportKind
from reconciler.report.words import finding_counts, is_blocked

_RESULTS = {
    ExitCode.BLOCKED: "blocked",
    ExitCode.STALE: "stale",
    ExitCode.PARTIAL: "partial",
    ExitCode.UNHEALTHY: "unhealthy",
    ExitCode.INTERRUPTED: "interrupted",
}


def outcome_of(report: Report) -> str:
    """The word; it depends on the report alone, not on the options that choose an exit code.

    Of a plan `blocked`, `drift`, `changes` or `no-changes`, of what `drift` found the last three
    (`changes` are pending) or `failed` where it could not tell; of a result `applied`, `destroyed`,
    `no-changes`, `partial`, `failed`, `stale`, `unhealthy`, `blocked` or `interrupted`; of a
    validation `valid` or `invalid`; of a status `in-sync` or `differs`; of a run that came to no
    report `failed`, `blocked`, `stale` or `interrupted`.
    """
    match report.kind:
        case ReportKind.PLAN:
            return _of_plan(report)
        case ReportKind.RESULT:
            return _of_result(report)
        case ReportKind.VALIDATION:
            return "invalid" if finding_counts(report)["errors"] else "valid"
        case ReportKind.FAILURE:
            return _RESULTS.get(report.exit_code, "failed")
        case ReportKind.STATUS:
            return "in-sync" if all(one.sync == "in sync" for one in report.lines) else "differs"


def has_changed(report: Report) -> bool:
    """Whether there is something to do, or something was done."""
    match report.kind:
        case ReportKind.PLAN:
            return any(action.kind is not ActionKind.NO_OP for action in report.actions)
        case ReportKind.RESULT:
            return any(outcome.wrote for outcome in report.outcomes) or report.is_interrupted
        case ReportKind.VALIDATION | ReportKind.FAILURE:
            return False
        case ReportKind.STATUS:
            return outcome_of(report) == "differs"


def _of_plan(report: Report) -> str:
    if report.drift is not None:
        return _of_drift(report, report.drift)
    if is_blocked(report) and report.command != "drift":
        return "blocked"
    if not has_changed(report):
        return "no-changes"
    return "drift" if report.command == "drift" else "changes"


def _of_drift(report: Report, drift: DriftView) -> str:
    if report.exit_code not in (ExitCode.DONE, ExitCode.CHANGES):
        return "failed"
    if any(row.counts for row in drift.rows):
        return "drift"
    is_pending = any(row.category is Category.PENDING for row in drift.rows)
    return "changes" if is_pending else "no-changes"


def _of_result(report: Report) -> str:
    if word := _RESULTS.get(report.exit_code):
        return word
    if report.exit_code is not ExitCode.DONE:
        return "failed"
    if not report.outcomes:
        return "no-changes"
    return "destroyed" if report.command == "destroy" else "applied"
