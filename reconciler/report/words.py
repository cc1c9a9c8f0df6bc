"""The words and signs that the text for people shares, and what is counted for every format."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

from reconciler.core.binding import PlannedEffect
from reconciler.core.category import Category
from reconciler.core.diff import Origin
from reconciler.core.ids import ResourceGroupId, Target
from reconciler.core.outcome import Status
from reconciler.core.plan import BY_HAND, ActionKind
from reconciler.report.shape import ActionRow, DriftView, Report

# Sign and style of each kind. The sign alone is enough: nothing is told by colour only.
SIGNS: Mapping[ActionKind, tuple[str, str]] = {
    ActionKind.CREATE: ("+", "good"),
    ActionKind.UPDATE: ("~", "change"),
    ActionKind.PATCH_TAGS: ("~t", "tags"),
    ActionKind.REPLACE: ("-/+", "replace"),
    ActionKind.DELETE: ("-", "bad"),
    ActionKind.ADOPT: (">", "tags"),
    ActionKind.START: ("^", "change"),
    ActionKind.STOP: ("v", "bad"),
    ActionKind.RESTART: ("@", "change"),
    ActionKind.NO_OP: ("=", "dim"),
    ActionKind.REFUSE: ("!", "loud"),
}
VERBS: Mapping[ActionKind, str] = {
    ActionKind.CREATE: "create",
    ActionKind.UPDATE: "update",
    ActionKind.PATCH_TAGS: "patch tags",
    ActionKind.REPLACE: "replace",
    ActionKind.DELETE: "delete",
    ActionKind.ADOPT: "adopt",
    ActionKind.START: "start",
    ActionKind.STOP: "stop",
    ActionKind.RESTART: "restart",
}
PAST: Mapping[ActionKind, str] = {
    ActionKind.CREATE: "created",
    ActionKind.UPDATE: "updated",
    ActionKind.PATCH_TAGS: "tags patched",
    ActionKind.REPLACE: "replaced",
    ActionKind.DELETE: "deleted",
    ActionKind.ADOPT: "adopted",
    ActionKind.START: "started",
    ActionKind.STOP: "stopped",
    ActionKind.RESTART: "restarted",
}
DONE = (Status.SUCCEEDED, Status.UNHEALTHY)
# The commands that do one thing to the groups they name.
HANDS: Mapping[str, str] = {"start": "Started", "stop": "Stopped", "restart": "Restarted"}


# A document that is shown may come from anywhere.
_LINK = re.compile(r"https://[A-Za-z0-9./#-]{1,200}\Z")


def web_link(link: str) -> str:
    """A link as it may be followed from a report; empty for a place in our pages, or none."""
    return link if _LINK.match(link) else ""


def plural(number: int, noun: str) -> str:
    """`1 group`, `2 groups`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def duration(took: timedelta) -> str:
    """`17s`, `2m5s`; nothing for less than a second."""
    minutes, seconds = divmod(round(took.total_seconds()), 60)
    if minutes:
        return f"{minutes}m{seconds}s"
    return f"{seconds}s" if seconds else ""


def type_of(target: Target) -> str:
    """Whether it is a container group or a resource group."""
    return "resource group" if isinstance(target, ResourceGroupId) else "group"


def unstarted(report: Report) -> tuple[ActionRow, ...]:
    """Actions that were to be carried out and have no outcome."""
    landed = {outcome.action.target.address for outcome in report.outcomes}
    return tuple(
        action
        for action in report.actions
        if action.kind in VERBS and action.target.address not in landed
    )


def is_blocked(report: Report) -> bool:
    """Whether nothing of the plan may be carried out; as `Plan.is_blocked`."""
    if report.rails or any(action.blocks for action in report.actions):
        return True
    pending = {action.kind for action in report.actions} - {ActionKind.NO_OP}
    return pending == {ActionKind.REFUSE}


def plan_counts(report: Report) -> Mapping[str, int]:
    """How many of each kind; `total` is the denominator, orphans are outside it."""
    kinds = Counter(action.kind for action in report.actions)
    drifted = (Origin.DRIFT, Origin.BOTH)
    return {
        **{kind.value: kinds[kind] for kind in ActionKind if kind not in BY_HAND or kinds[kind]},
        "inTransition": sum(action.is_moving for action in report.actions),
        "total": len(report.actions),
        "restarts": sum(action.restarts for action in report.actions),
        "drifted": sum(action.origin in drifted for action in report.actions),
        "orphans": len(report.orphans),
    }


def drift_counts(drift: DriftView) -> Mapping[str, int]:
    """How many findings of each category, worst first, and how many of all count."""
    found = Counter(row.category for row in drift.rows)
    counted = sum(row.counts for row in drift.rows)
    return {**{category.value: found[category] for category in Category}, "counted": counted}


def repair(action: ActionRow, report: Report) -> str:
    """The command that creates a group again, and touches no others than those of its file."""
    words = ["aci-reconcile", "apply", *([action.file] if action.file else [])]
    words += ["-e", report.environment] if report.environment else []
    return shlex.join([*words, *report.reach])


def pending_effects(report: Report) -> tuple[PlannedEffect, ...]:
    """What a plan does, a line a target; what is left alone is none."""
    return tuple(
        PlannedEffect(
            address=action.target.address,
            action=action.kind.value,
            desired=action.desired,
            live=action.live,
        )
        for action in report.actions
        if action.kind is not ActionKind.NO_OP
    )


def result_counts(report: Report) -> Mapping[str, int]:
    """What was done by kind, unhealthy ones included, and what was not; `total` was to be done."""
    statuses = Counter(outcome.status for outcome in report.outcomes)
    acted = [o for o in report.outcomes if o.action.kind is not ActionKind.NO_OP]
    done = Counter(o.action.kind for o in acted if o.status in DONE)
    missing = len(unstarted(report))
    return {
        **{kind.value: done[kind] for kind in VERBS if kind not in BY_HAND or done[kind]},
        "applied": sum(done.values()),
        "total": len(acted) + missing,
        "unhealthy": statuses[Status.UNHEALTHY],
        "failed": statuses[Status.FAILED],
        "stale": statuses[Status.STALE],
        "notStarted": statuses[Status.NOT_STARTED],
        "noOutcome": missing,
        "stranded": sum(outcome.is_stranded for outcome in report.outcomes),
        "restored": sum(outcome.is_restored for outcome in report.outcomes),
        "unchanged": sum(action.kind is ActionKind.NO_OP for action in report.actions),
    }


def finding_counts(report: Report) -> Mapping[str, int]:
    """Errors and warnings, with what they were found in."""
    errors = sum(finding.is_error for finding in report.findings)
    return {
        "errors": errors,
        "warnings": len(report.findings) - errors,
        "files": report.files,
        "documents": report.documents,
    }


def status_counts(report: Report) -> Mapping[str, int]:
    """How many groups of each sync word, in alphabetical order."""
    return dict(sorted(Counter(one.sync for one in report.lines).items()))
