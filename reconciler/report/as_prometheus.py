"""A report as metrics, for the textfile collector of the Prometheus node exporter.

The labels are few and bounded: the project, its environment, and words of ours. Which group is
meant is told by the other formats. Written from the exposition format, version 0.0.4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from reconciler.core.category import Category
from reconciler.core.outcome import Status
from reconciler.core.plan import ActionKind
from reconciler.report.shape import Report, ReportKind
from reconciler.report.words import finding_counts, is_blocked

_PREFIX = "aci_reconcile"


def as_prometheus(report: Report) -> str:
    """The report as lines of metrics, all gauges."""
    own = {"command": report.command, "owner": report.owner}
    own["environment"] = report.environment or ""
    lines: list[str] = []
    for name, help_, label, values in _metrics(report):
        lines += [f"# HELP {_PREFIX}_{name} {help_}", f"# TYPE {_PREFIX}_{name} gauge"]
        for value, number in values.items():
            labels = {**own, **({label: value} if label else {})}
            lines.append(f"{_PREFIX}_{name}{_labelled(labels)} {number}")
    return "\n".join(lines) + "\n"


_Metric = tuple[str, str, str, Mapping[str, int]]


def _metrics(report: Report) -> Iterator[_Metric]:
    """Each metric: its name, what it tells, the name of its own label, and its values by that."""
    yield "exit_code", "The exit status of the command.", "", {"": int(report.exit_code)}
    counts = finding_counts(report)
    levels = {"error": counts["errors"], "warning": counts["warnings"]}
    yield "findings", "Findings in manifests.", "severity", levels
    if report.kind is ReportKind.PLAN:
        blocked = {"": int(is_blocked(report))}
        yield "blocked", "Whether a limit or a refusal stops an apply.", "", blocked
        kinds = Counter(action.kind for action in report.actions)
        actions = {kind.value: kinds[kind] for kind in ActionKind}
        yield "actions", "Planned actions by kind; no-op is left alone.", "action", actions
        yield "orphans", "Owned groups in no manifest.", "", {"": len(report.orphans)}
    if report.drift is not None:
        found = Counter(row.category for row in report.drift.rows)
        categories = {one.value: found[one] for one in Category}
        yield "drift", "What drift found, by category.", "category", categories
        counted = {"": sum(row.counts for row in report.drift.rows)}
        yield "drift_counted", "Findings that make drift end with 2.", "", counted
        yield "drift_untold", "What could not be looked at.", "", {"": len(report.drift.untold)}
    if report.kind is ReportKind.RESULT:
        ends = Counter(outcome.status for outcome in report.outcomes)
        outcomes = {status.value: ends[status] for status in Status}
        yield "outcomes", "Actions carried out, by how they ended.", "status", outcomes
        lost = sum(outcome.is_stranded for outcome in report.outcomes)
        yield "stranded", "Groups deleted and not created again.", "", {"": lost}
    if report.kind is ReportKind.STATUS:
        words = Counter(line.sync for line in report.lines)
        yield "groups", "Groups by how they stand.", "sync", dict(sorted(words.items()))


def _labelled(labels: Mapping[str, str]) -> str:
    parts = (f'{name}="{_escaped(value)}"' for name, value in sorted(labels.items()))
    return "{" + ",".join(parts) + "}"


def _escaped(value: str) -> str:
    text = value.encode("utf-8", "replace").decode("utf-8")
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
