"""A report as metrics, for the textfile collector of the Prometheus node exporter.

Written from the exposition format, version 0.0.4. The labels are few and bounded: the project, its
environment, words of ours, and of what drifted the names of so many groups. No time is told: the
collector exports when the file was written (`node_textfile_mtime_seconds`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.core.outcome import Status
from reconciler.core.plan import ActionKind
from reconciler.report.shape import DriftView, Report, ReportKind
from reconciler.report.words import (
    drift_counts,
    finding_counts,
    is_blocked,
    plan_counts,
    result_counts,
    status_counts,
)

_PREFIX = "aci_reconcile_"
MOST_GROUPS = 200  # that are named; a series each, for as long as the database keeps them


@dataclass(frozen=True, slots=True)
class _Metric:
    """One gauge: its name, what it tells, and a value by the labels of its own."""

    name: str
    tells: str
    values: dict[tuple[tuple[str, str], ...], int]


def as_prometheus(report: Report) -> str:
    """The report as lines of gauges, sorted, that end in one newline."""
    own = (
        ("command", report.command),
        ("environment", report.environment or ""),
        ("owner", report.owner),
    )
    lines: list[str] = []
    for metric in sorted(_metrics(report), key=lambda one: one.name):
        name = _PREFIX + metric.name
        lines += [f"# HELP {name} {metric.tells}", f"# TYPE {name} gauge"]
        for labels, value in sorted(metric.values.items()):
            lines.append(f"{name}{_labelled((*own, *labels))} {value}")
    return "\n".join(lines) + "\n"


def _metrics(report: Report) -> Iterator[_Metric]:
    yield _one("exit_code", "The exit status of the command.", int(report.exit_code))
    counts = finding_counts(report)
    levels = {"error": counts["errors"], "warning": counts["warnings"]}
    yield _by("findings", "Findings in manifests.", "severity", levels)
    match report.kind:
        case ReportKind.PLAN:
            yield from _of_plan(report)
        case ReportKind.RESULT:
            yield from _of_result(report)
        case ReportKind.VALIDATION:
            yield _one("files", "Files that were read.", report.files)
        case ReportKind.FAILURE:
            pass  # the exit status tells
        case ReportKind.STATUS:
            yield _by("status", "Groups by how they stand.", "sync", {**status_counts(report)})
    if report.drift is not None:
        yield from _of_drift(report.drift)


def _of_plan(report: Report) -> Iterator[_Metric]:
    counts = plan_counts(report)
    yield _one("blocked", "Whether a limit or a refusal stops an apply.", int(is_blocked(report)))
    kinds = {kind.value: counts[kind.value] for kind in ActionKind if kind.value in counts}
    yield _by("groups", "Groups by what is planned; no-op is left alone.", "action", kinds)
    yield _one("orphans", "Groups of ours that no manifest names.", counts["orphans"])
    yield _one("restarts", "Containers that would restart.", counts["restarts"])


def _of_result(report: Report) -> Iterator[_Metric]:
    ends = Counter(outcome.status for outcome in report.outcomes)
    outcomes = {status.value: ends[status] for status in Status}
    counts = result_counts(report)
    outcomes["no outcome"] = counts["noOutcome"]
    yield _by("outcomes", "Actions by how they ended.", "status", outcomes)
    yield _one("stranded", "Groups deleted and not created again.", counts["stranded"])


def _of_drift(drift: DriftView) -> Iterator[_Metric]:
    counts = {**drift_counts(drift)}
    counted = counts.pop("counted")
    yield _by("drift", "Findings of drift.", "category", counts)
    yield _one("drift_counted", "Findings that make drift end with 2.", counted)
    yield _one("drift_untold", "What could not be looked at.", len(drift.untold))
    named = sorted({(str(row.target), row.category.value) for row in drift.rows if row.counts})
    yield _Metric(
        "drift_group",
        f"Groups with a finding that counts, at most {MOST_GROUPS} of them.",
        {(("category", what), ("group", name)): 1 for name, what in named[:MOST_GROUPS]},
    )
    left_out = max(0, len(named) - MOST_GROUPS)
    yield _one("drift_group_left_out", "Those that are not named.", left_out)


def _one(name: str, tells: str, value: int) -> _Metric:
    return _Metric(name, tells, {(): value})


def _by(name: str, tells: str, label: str, values: dict[str, int]) -> _Metric:
    return _Metric(name, tells, {((label, value),): number for value, number in values.items()})


def _labelled(labels: tuple[tuple[str, str], ...]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    """`value` as the format wants it: UTF-8, so without halves of a character, on one line."""
    text = value.encode("utf-8", "replace").decode("utf-8")
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
