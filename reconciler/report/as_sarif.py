"""A report as SARIF 2.1.0: findings, refusals, limits and drift on the lines of manifests.

For code scanning. What no manifest stands for lies on the first line of the project file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler import __version__
from reconciler.core.jsonval import Json, JsonObject
from reconciler.core.outcome import Status
from reconciler.core.plan import ActionKind
from reconciler.report.as_json import sound
from reconciler.report.shape import ActionRow, Report

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_PROJECT_FILE = "aci-reconcile.yaml"
_MOST = 5_000  # of a run, which GitHub shows; more are dropped there, the least severe first
_LEVELS = ("error", "warning", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    """One result. `same` is what it is recognised by when its line moves."""

    rule: str
    level: str
    says: str
    same: str
    file: str = _PROJECT_FILE
    line: int = 1
    column: int = 1


def as_sarif(report: Report) -> str:
    """The report as a SARIF log of one run, indented JSON that ends in one newline."""
    every = sorted(_results(report), key=lambda one: _LEVELS.index(one.level))
    shown, dropped = every[:_MOST], every[_MOST:]
    rules = sorted({one.rule for one in shown})
    run: JsonObject = {
        "tool": {
            "driver": {
                "name": "aci-reconcile",
                "version": __version__,
                "informationUri": "https://aci-reconcile.dev",
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"PROJECT": {"description": {"text": "The folder of the run."}}},
        "automationDetails": {"id": f"aci-reconcile/{report.command}/{report.environment or ''}"},
        "invocations": [_invocation(report, len(dropped))],
        "results": [_result(one, rules) for one in shown],
    }
    log: Json = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(sound(log), indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def _rule(rule: str) -> JsonObject:
    text = _HELP.get(rule.partition("/")[0], "A finding in a manifest; see the message.")
    return {"id": rule, "shortDescription": {"text": text}, "help": {"text": text}}


_HELP = {
    "refused": "The plan refuses to do this; the message says what allows it.",
    "limit": "The plan exceeds a limit of the project; the message says what allows it.",
    "drift": "Azure does not equal what was applied.",
    "failed": "What was to be done was not done, or is not well.",
}


def _invocation(report: Report, dropped: int) -> JsonObject:
    invocation: JsonObject = {
        "executionSuccessful": report.exit_code not in (1, 3, 64, 130),
        "exitCode": int(report.exit_code),
    }
    if dropped:
        says = f"{dropped} results of lesser severity were left out"
        invocation["toolExecutionNotifications"] = [{"level": "warning", "message": {"text": says}}]
    return invocation


def _result(one: _Result, rules: Sequence[str]) -> JsonObject:
    digest = hashlib.sha256(f"{one.rule}\n{one.file}\n{one.same}".encode("utf-8", "replace"))
    return {
        "ruleId": one.rule,
        "ruleIndex": rules.index(one.rule),
        "level": one.level,
        "message": {"text": one.says or one.rule},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(one.file), "uriBaseId": "PROJECT"},
                    "region": {"startLine": max(1, one.line), "startColumn": max(1, one.column)},
                }
            }
        ],
        "partialFingerprints": {"aciReconcile/v1": digest.hexdigest()},
    }


def _uri(file: str) -> str:
    from urllib.parse import quote

    return quote(file.replace("\\", "/"), safe="/", errors="replace")


def _results(report: Report) -> Iterator[_Result]:
    for finding in report.findings:
        yield _Result(
            rule=finding.rule,
            level="error" if finding.is_error else "warning",
            says=_sentence(finding.says, finding.hint),
            same=f"{finding.path}\n{finding.says}",
            file=finding.where.file,
            line=finding.where.mark.line,
            column=finding.where.mark.column,
        )
    for rail in report.rails:
        yield _Result(
            rule=f"limit/{rail.rule}",
            level="error",
            says=_sentence(rail.says, rail.allow),
            same=rail.rule,
        )
    if report.drift is not None:
        yield from _drift(report)
        return
    for action in report.actions:
        yield from _of_action(action, report)
    for outcome in report.outcomes:
        if outcome.status in (Status.FAILED, Status.STALE, Status.UNHEALTHY):
            name = str(outcome.action.target)
            yield _Result(
                rule=f"failed/{outcome.status.value}",
                level="error",
                says=_sentence(f"{name}: {outcome.says}", outcome.hint),
                same=name,
                file=outcome.action.file or _PROJECT_FILE,
                line=outcome.action.line,
                column=outcome.action.column,
            )


def _of_action(action: ActionRow, report: Report) -> Iterator[_Result]:
    name = str(action.target)
    if action.kind is ActionKind.REFUSE:
        rule, level, says = "refused", "error", _sentence(f"{name}: {action.why}", action.allow)
    elif report.command == "drift" and action.kind is not ActionKind.NO_OP:
        rule, level, says = f"drift/{action.kind.value}", "warning", f"{name}: {action.why}"
    else:
        return
    yield _Result(
        rule=rule,
        level=level,
        says=says,
        same=name,
        file=action.file or _PROJECT_FILE,
        line=action.line,
        column=action.column,
    )


def _drift(report: Report) -> Iterator[_Result]:
    assert report.drift is not None
    places = {action.target.address: action for action in report.actions}
    for row in report.drift.rows:
        action = places.get(row.target.address)
        has_place = action is not None and action.file
        yield _Result(
            rule=f"drift/{row.category.value}",
            level="warning" if row.counts else "note",
            says=f"{row.target}: {row.says}",
            same=row.key,
            file=action.file if action is not None and has_place else _PROJECT_FILE,
            line=action.line if action is not None and has_place else 1,
            column=action.column if action is not None and has_place else 1,
        )


def _sentence(says: str, hint: str) -> str:
    return f"{says}; {hint}" if hint else says
