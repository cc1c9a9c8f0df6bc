"""A report for GitHub Actions: annotations as workflow commands, and values for later steps.

GitHub shows of each step 10 errors, 10 warnings and 10 notices, and 50 of a job; the rest is
dropped without a word (actions/toolkit, docs/problem-matchers.md), and a message ends after 4,096
characters (since runner 2.305). How the runner reads a line: actions/runner, ActionCommand.cs.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from reconciler.core.diff import Origin
from reconciler.core.finding import Finding, Position
from reconciler.core.plan import ActionKind, Rail
from reconciler.report.lines import safe
from reconciler.report.markdown_result import is_bad
from reconciler.report.shape import ActionRow, DriftView, OutcomeRow, Report, ReportKind
from reconciler.report.verdict import has_changed, outcome_of
from reconciler.report.words import (
    drift_counts,
    finding_counts,
    plan_counts,
    plural,
    result_counts,
    status_counts,
    unstarted,
)

PER_KIND = 10  # annotations of one kind that GitHub shows of a step
_LONGEST = 1000  # characters of a message, before it is escaped
_TITLE = 100
_LINE_ENDS = re.compile(r"(\r\n|\n|\r)")
_JSON = ("json", "ndjson", "sarif")
_XML = ("html", "junit")
# The runner compares by the rules of a language, which see no invisible characters.
_HASHES = re.compile(r"#([^ -~]*)#([^ -~]*)\[")
_COLONS = re.compile(r"^([^!-~]*):([^!-~]*):(?=.*:[^!-~]*:)")
# What the second `#` and the first `:` are written as; no line of JSON begins with a `:`.
_MARKS = {"text": (" #", ": "), "xml": ("&#35;", "&#58;"), "json": ("\\u0023", ":")}
_NO_NAME = re.compile(r"[^A-Za-z0-9_-]")  # what the name of an output cannot hold
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One message; `level` is `error`, `warning` or `notice`. `line` and `column` count from 1."""

    level: str
    title: str
    message: str
    file: str = ""
    line: int = 0
    column: int = 0

    def command(self, base: str) -> str:
        """The line that makes GitHub show it; `base` is the folder that `file` is relative to."""
        path = posixpath.normpath(posixpath.join(base, self.file)) if self.file else ""
        given = {"file": path, "line": self.line, "col": self.column, "title": self.title[:_TITLE]}
        words = ",".join(f"{name}={_property(str(v))}" for name, v in given.items() if v)
        return f"::{self.level} {words}::{_data(_bounded(self.message))}"


def as_github(report: Report, *, base: str = "") -> str:
    """Annotations, a line each, within GitHub's limits; the rest is summed up in one of them.

    `base` is the folder, from the root of the repository, that the files of findings are relative
    to; empty where that is the root.
    """
    found = annotations_of(report)
    shown = [one for level in ("error", "warning") for one in _first(found, level)]
    if more := len(found) - len(shown):
        shown.append(
            Annotation(
                level="notice",
                title="aci-reconcile",
                message=f"{plural(more, 'annotation')} more than GitHub shows of a step: "
                "see the step's summary or its log",
            )
        )
    return "".join(f"{one.command(base)}\n" for one in shown)


def annotations_of(report: Report) -> tuple[Annotation, ...]:
    """Everything a person has to look at, of each level the worst first, however much it is."""
    return (
        *_failed(report),
        *map(_rail, report.rails),
        *(_outcome(one) for one in sorted(report.outcomes, key=_by_weight) if is_bad(one)),
        *_unfinished(report),
        *_planned(report),
        *map(_finding, report.findings),
    )


def _failed(report: Report) -> Iterator[Annotation]:
    if (failure := report.failure) is not None:
        says = f"{failure.says}; {failure.hint}" if failure.hint else failure.says
        yield _error("aci-reconcile", "\n".join((says, *failure.details)))


def outputs(report: Report) -> Mapping[str, str]:
    """Values for later steps: how it ended, whether anything changed, and counts by kind.

    Of an environment each is there twice, also as `ENVIRONMENT-NAME`: a step that runs several
    environments keeps of equal names only the last.
    """
    counts = {
        ReportKind.PLAN: plan_counts,
        ReportKind.RESULT: result_counts,
        ReportKind.VALIDATION: finding_counts,
        ReportKind.STATUS: status_counts,
        ReportKind.FAILURE: _no_counts,
    }[report.kind](report)
    drifted = drift_counts(report.drift) if report.drift is not None else {}
    values = {
        **{f"drift-{name}": str(number) for name, number in drifted.items()},
        **{_kebab(name): str(number) for name, number in counts.items() if name},
        "exit-code": str(int(report.exit_code)),
        "outcome": outcome_of(report),
        "changed": "true" if has_changed(report) else "false",
        "digest": report.digest,
        "environment": report.environment or "",
        "plan-id": report.binding.plan_id if report.binding is not None else "",
    }
    if not report.environment:
        return values
    place = _NO_NAME.sub("-", report.environment)
    return {**values, **{f"{place}-{name}": value for name, value in values.items()}}


def _no_counts(_report: Report) -> Mapping[str, int]:
    return {}


def outputs_text(values: Mapping[str, str], *, delimiter: str) -> str:
    """The values as the file that GITHUB_OUTPUT names holds them.

    Raises:
        ValueError: a value holds the delimiter, which nobody can know: it is made up anew.
    """
    if any(delimiter in text for pair in values.items() for text in pair):
        raise ValueError("a value holds the delimiter")
    return "".join(f"{name}<<{delimiter}\n{value}\n{delimiter}\n" for name, value in values.items())


def inert(text: str, name: str = "text") -> str:
    """`text` of the format `name` without workflow commands; of JSON and XML it means the same.

    The runner takes `::name::` at the start of a line, blanks before it or not, and `##[name]`
    anywhere in one. Not `::stop-commands::`: that would hold for the other stream too, which the
    runner reads beside this one.
    """
    marks = _MARKS["json" if name in _JSON else "xml" if name in _XML else "text"]
    pieces = _LINE_ENDS.split(text)
    pieces[::2] = [_inert_line(line, *marks) for line in pieces[::2]]
    return "".join(pieces)


def _inert_line(line: str, hashes: str, colons: str) -> str:
    line = _HASHES.sub(lambda match: f"#{match[1]}{hashes}{match[2]}[", line)
    return _COLONS.sub(lambda match: f"{match[1]}{colons}{match[2]}:", line)


def _first(found: tuple[Annotation, ...], level: str) -> list[Annotation]:
    return [one for one in found if one.level == level][:PER_KIND]


def _planned(report: Report) -> Iterator[Annotation]:
    if report.drift is not None:
        yield from _drifted(report, report.drift)
    if report.kind is not ReportKind.PLAN or report.drift is not None:
        return
    for action in report.actions:
        if report.command == "drift":
            # What was merged and is not yet applied is pending, not drift.
            if action.kind is not ActionKind.NO_OP and action.origin is not Origin.CONFIG:
                yield _action("warning", "drift", action, action.why)
        elif action.kind is ActionKind.REFUSE:
            yield _action("error", "refused", action, _to_go_on(action.why, action.allow))


def _drifted(report: Report, drift: DriftView) -> Iterator[Annotation]:
    for one in drift.untold:
        level = "error" if one.concerns & {*drift.fail_on} else "warning"
        yield Annotation(level=level, title="not told", message=one.says)
    actions = {action.target.address: action for action in report.actions}
    for row in drift.rows:
        if row.counts:
            said = f"{row.target}: {row.says}"
            told = Annotation(level="warning", title=row.category.value, message=said)
            yield _asked_for(told, actions.get(row.target.address))


def _action(level: str, title: str, action: ActionRow, says: str) -> Annotation:
    message = f"{action.target}: {says}"
    told = Annotation(level=level, title=title, message=message)
    return _asked_for(told, action)


def _asked_for(told: Annotation, action: ActionRow | None) -> Annotation:
    """The same on the line of the manifest, where there is one."""
    if action is None or not action.file:
        return told
    return replace(told, file=action.file, line=action.line, column=action.column)


def _by_weight(outcome: OutcomeRow) -> bool:
    return not outcome.is_stranded


def _outcome(outcome: OutcomeRow) -> Annotation:
    title = "STRANDED" if outcome.is_stranded else outcome.status.value
    title = "refused" if outcome.action.kind is ActionKind.REFUSE else title
    azure = ", ".join(part for part in (outcome.code, outcome.request_id) if part)
    says = f"{outcome.says} ({azure})" if azure else outcome.says
    return _action("error", title, outcome.action, _to_go_on(says, outcome.hint))


def _unfinished(report: Report) -> Iterator[Annotation]:
    missing = unstarted(report) if report.is_interrupted else ()
    if missing:
        yield _error(
            "interrupted",
            f"{plural(len(missing), 'group')} without an outcome, which may be under way in Azure",
        )


def _rail(rail: Rail) -> Annotation:
    told = _error(rail.rule, _to_go_on(rail.says, rail.allow))
    return told if rail.where is None else _placed(told, rail.where)


def _placed(told: Annotation, where: Position) -> Annotation:
    return replace(told, file=where.file, line=where.mark.line, column=where.mark.column)


def _finding(finding: Finding) -> Annotation:
    subject = f"{finding.path}: " if finding.path else ""
    hint = f"; try {finding.hint}" if finding.hint else ""
    return Annotation(
        level="error" if finding.is_error else "warning",
        title=finding.rule,
        message=f"{subject}{finding.says}{hint}",
        file=finding.where.file,
        line=finding.where.mark.line,
        column=finding.where.mark.column,
    )


def _error(title: str, message: str) -> Annotation:
    return Annotation(level="error", title=title, message=message)


def _to_go_on(says: str, hint: str) -> str:
    return f"{says}; to go on: {hint}" if hint else says


def _bounded(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _data(text: str) -> str:
    """After `safe` there is no line end; the percent sign would begin an escape."""
    return safe(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _kebab(name: str) -> str:
    return _NO_NAME.sub("-", _CAPITAL.sub("-", name)).lower()
