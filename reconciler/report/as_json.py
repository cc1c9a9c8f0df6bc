"""A report as a document for machines, by `schemas/report.schema.json`.

Pure ASCII, byte for byte the same for equal input. A field that is sensitive has no value at all.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import assert_never

from reconciler import __version__
from reconciler.core.binding import AsOf, Binding
from reconciler.core.category import Category
from reconciler.core.finding import Finding
from reconciler.core.ids import Target
from reconciler.core.jsonval import Json, JsonObject
from reconciler.core.normalise import NORMALISER_VERSION
from reconciler.core.outcome import TaskLog, Trouble
from reconciler.core.plan import Action, ActionKind, Rail
from reconciler.report.shape import (
    ActionRow,
    DriftRow,
    DriftView,
    Failure,
    FieldRow,
    OrphanRow,
    OutcomeRow,
    Report,
    ReportKind,
)
from reconciler.report.status_json import given, instant, status_of
from reconciler.report.words import (
    drift_counts,
    finding_counts,
    is_blocked,
    plan_counts,
    result_counts,
    status_counts,
    type_of,
    unstarted,
)

__all__ = [
    "API_VERSION",
    "as_json",
    "as_line",
    "change_of",
    "drift_row",
    "error_of",
    "findings_of",
    "given",
    "instant",
    "left_over",
    "named",
    "outcome_of",
    "place_of",
    "sound",
    "subject_of",
]

API_VERSION = "aci-reconcile/v1"


def as_json(report: Report) -> str:
    """The report as indented JSON that ends in one newline."""
    return json.dumps(_document(report), indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def as_line(report: Report) -> str:
    """The same document as one line, for streams of them."""
    text = json.dumps(_document(report), separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text + "\n"


def _document(report: Report) -> Json:
    head: JsonObject = {
        "apiVersion": API_VERSION,
        "kind": report.kind.value,
        "command": report.command,
        "exitCode": int(report.exit_code),
    }
    return sound({**head, **_body(report)})


def _body(report: Report) -> JsonObject:
    match report.kind:
        case ReportKind.PLAN:
            return _plan(report)
        case ReportKind.RESULT:
            return _result(report)
        case ReportKind.VALIDATION:
            counts = _numbers(finding_counts(report))
            return {"counts": counts, "findings": findings_of(report.findings)}
        case ReportKind.STATUS:
            sync = _numbers(status_counts(report))
            return {
                "counts": {"total": len(report.lines), "sync": sync},
                "groups": [status_of(one, named(one.target)) for one in report.lines],
                "notes": list(report.notes),
                "findings": findings_of(report.findings),
            }
        case ReportKind.FAILURE:
            return _failure(report)
        case _:
            assert_never(report.kind)


def _failure(report: Report) -> JsonObject:
    failure = report.failure or Failure(says="")
    return {
        "environment": report.environment,
        "owner": report.owner,
        "error": error_of(failure),
    }


def error_of(failure: Failure) -> JsonObject:
    """What ended a command."""
    return {
        "says": failure.says,
        **given(hint=failure.hint),
        "details": list(failure.details),
    }


def place_of(report: Report) -> JsonObject:
    """Which project, environment and subscription a report is about, and of which plan."""
    return {
        "environment": report.environment,
        "owner": report.owner,
        "subscription": report.subscription.lower(),
        "digest": report.digest,
        "complete": report.is_complete,
    }


def _plan(report: Report) -> JsonObject:
    return {
        **place_of(report),
        **_binding(report.binding),
        **_as_of(report.as_of),
        "blocked": is_blocked(report),
        "counts": _numbers(plan_counts(report)),
        "actions": [_action(action) for action in report.actions],
        **_surroundings(report),
        **({"drift": _drift(report.drift)} if report.drift is not None else {}),
    }


def _drift(drift: DriftView) -> JsonObject:
    return {
        "failOn": [category.value for category in drift.fail_on],
        "counts": _numbers(drift_counts(drift)),
        "found": [drift_row(row) for row in drift.rows],
        "untold": [
            {"says": one.says, "concerns": [c.value for c in Category if c in one.concerns]}
            for one in drift.untold
        ],
        "seen": [
            {
                "address": one.address,
                "standing": one.standing.value,
                "restarts": one.restarts,
                **given(ip=one.ip),
            }
            for one in drift.seen
        ],
        "told": list(drift.told),
        "event": drift.event,
    }


def drift_row(row: DriftRow) -> JsonObject:
    """One finding of `drift`."""
    return {
        **named(row.target),
        "category": row.category.value,
        "counts": row.counts,
        "certain": row.is_certain,
        "says": row.says,
        "key": row.key,
    }


def _binding(binding: Binding | None) -> JsonObject:
    if binding is None:
        return {}
    return {
        "planId": binding.plan_id,
        "createdAt": instant(binding.created),
        "expiresAt": instant(binding.expires),
        "tool": {"version": __version__, "normaliser": NORMALISER_VERSION},
        "options": dict(binding.options),
        "secretsCompared": {
            address: list(names) for address, names in sorted(binding.secrets.items())
        },
    }


def _as_of(as_of: AsOf | None) -> JsonObject:
    if as_of is None:
        return {}
    taken = instant(as_of.taken) if as_of.taken is not None else None
    return {"snapshot": {"file": as_of.file, "takenAt": taken}}


def _result(report: Report) -> JsonObject:
    return {
        **place_of(report),
        "interrupted": report.is_interrupted,
        "counts": _numbers(result_counts(report)),
        "outcomes": [outcome_of(outcome) for outcome in report.outcomes],
        "noOutcome": left_over(report),
        **_surroundings(report),
    }


def _surroundings(report: Report) -> JsonObject:
    return {
        "orphans": [_orphan(orphan) for orphan in report.orphans],
        "rails": [_rail(rail) for rail in report.rails],
        "notes": list(report.notes),
        "findings": findings_of(report.findings),
    }


def named(target: Target) -> JsonObject:
    """What names a group or a resource group."""
    return {"address": target.address, "type": type_of(target), "name": str(target)}


def subject_of(action: ActionRow | Action) -> JsonObject:
    """What names an action: its target and its kind."""
    return {**named(action.target), "action": action.kind.value}


def left_over(report: Report) -> list[Json]:
    """Each action that was to be carried out and has no outcome, with what goes on in Azure."""
    return [
        {
            **subject_of(action),
            **given(operation=report.under_way.get(action.target.address, "")),
        }
        for action in unstarted(report)
    ]


def _action(action: ActionRow) -> JsonObject:
    return {
        **subject_of(action),
        "why": action.why,
        "origin": action.origin.value,
        "costs": list(action.costs),
        "restarts": action.restarts,
        "notes": list(action.notes),
        **given(allow=action.allow, trouble=action.trouble),
        **({"blocks": action.blocks} if action.kind is ActionKind.REFUSE else {}),
        "after": list(action.after),
        "changes": [change_of(field) for field in action.fields],
        **given(desiredFingerprint=action.desired, liveFingerprint=action.live, file=action.file),
        **({"line": action.line, "column": action.column} if action.file else {}),
        **({"inTransition": True} if action.is_moving else {}),
        **(
            {"containers": [{"name": name, "image": image} for name, image in action.containers]}
            if action.kind is ActionKind.CREATE and action.containers
            else {}
        ),
    }


def change_of(field: FieldRow) -> JsonObject:
    """A field that differs: a member of `changes`."""
    change: JsonObject = {
        "pointer": field.pointer,
        "change": field.kind.value,
        "effect": field.effect.name.lower(),
        "origin": field.origin.value,
        "sensitive": field.is_sensitive,
    }
    change |= {"partlyHidden": True} if field.is_partly_hidden else {}
    change |= {"oneOrMoreOf": list(field.among)} if field.among else {}
    change |= {} if field.old is None else {"before": field.old}
    change |= {} if field.new is None else {"after": field.new}
    if field.where is not None:
        mark = field.where.mark
        change["where"] = {"file": field.where.file, "line": mark.line, "column": mark.column}
    return change


def outcome_of(outcome: OutcomeRow) -> JsonObject:
    """What became of an action: a member of `outcomes`."""
    started = instant(outcome.started) if outcome.started is not None else ""
    return {
        **subject_of(outcome.action),
        "status": outcome.status.value,
        "says": outcome.says,
        **given(hint=outcome.hint, code=outcome.code, requestId=outcome.request_id),
        "wrote": outcome.wrote,
        "stranded": outcome.is_stranded,
        "restored": outcome.is_restored,
        **given(operation=outcome.operation, health=outcome.health, started=started),
        "tookSeconds": round(outcome.took.total_seconds(), 3),
        "changes": [change_of(field) for field in outcome.action.fields],
        "troubles": [_trouble(trouble) for trouble in outcome.troubles],
        "logs": [_log(log) for log in outcome.logs],
    }


def _trouble(trouble: Trouble) -> JsonObject:
    return {
        "container": trouble.container,
        "state": trouble.state,
        **({} if trouble.exit_code is None else {"exitCode": trouble.exit_code}),
        "restarts": trouble.restarts,
        "events": list(trouble.events),
    }


def _log(log: TaskLog) -> JsonObject:
    return {"container": log.container, "text": log.text}


def _orphan(orphan: OrphanRow) -> JsonObject:
    return {**named(orphan.target), "note": orphan.note}


def _rail(rail: Rail) -> JsonObject:
    row: JsonObject = {"rule": rail.rule, "says": rail.says, **given(allow=rail.allow)}
    if rail.where is not None:
        mark = rail.where.mark
        row["where"] = {"file": rail.where.file, "line": mark.line, "column": mark.column}
    return row


def findings_of(findings: Sequence[Finding]) -> list[Json]:
    """Findings in the order given."""
    return [
        {
            "rule": finding.rule,
            "severity": finding.severity.value,
            "file": finding.where.file,
            "line": finding.where.mark.line,
            "column": finding.where.mark.column,
            "path": finding.path,
            "says": finding.says,
            **given(hint=finding.hint, link=finding.link),
        }
        for finding in findings
    ]


def _numbers(counts: Mapping[str, int]) -> JsonObject:
    return dict(counts)


def sound(value: Json) -> Json:
    """`value` as JSON can hold it: no half of a surrogate pair, no number that is none."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list):
        return [sound(item) for item in value]
    if isinstance(value, dict):
        return {str(sound(name)): sound(item) for name, item in value.items()}
    return value
