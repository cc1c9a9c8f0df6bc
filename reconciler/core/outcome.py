"""What became of an action."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from reconciler.core.plan import Action, ActionKind
from reconciler.errors import ExitCode


class Status(Enum):
    """How an action ended."""

    SUCCEEDED = "succeeded"
    UNHEALTHY = "unhealthy"  # written, and not healthy in time
    FAILED = "failed"
    STALE = "stale"  # the group moved since the plan; nothing was written for it
    NOT_STARTED = "not started"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLog:
    """What a container of a task printed."""

    container: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What is wrong with a container: its state, how it ended, and its last events, oldest first.

    `events` are texts such as `Failed: … pull access denied (3 times)`, secrets masked.
    """

    container: str
    state: str
    exit_code: int | None = None
    restarts: int = 0
    events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One action carried out, or not.

    `wrote` says whether Azure may have changed for it: a write was taken, or its fate is unknown.
    `is_stranded`: a replace deleted the group and did not create it again. `is_restored`: it
    failed, and the group was created again as it was before. `operation` is the URL of the last
    long-running operation without its signed query, `health` what was seen of the containers.
    """

    action: Action
    status: Status
    says: str
    hint: str = ""
    code: str = ""
    request_id: str = ""
    wrote: bool = False
    is_stranded: bool = False
    is_restored: bool = False
    operation: str = ""
    health: str = ""
    started: datetime | None = None
    took: timedelta = timedelta(0)
    troubles: tuple[Trouble, ...] = ()
    logs: tuple[TaskLog, ...] = ()


def exit_code(outcomes: Sequence[Outcome], *, is_interrupted: bool = False) -> ExitCode:
    """The one exit status for all outcomes.

    With nothing written: 4 where something is refused, 5 where something was stale, else 1 where
    something was not done. With something written: 6 where an action failed or went stale. Else 7
    where a group is unhealthy, also when others were not started for that.
    """
    if is_interrupted:
        return ExitCode.INTERRUPTED
    undone = [outcome for outcome in outcomes if outcome.status in _UNDONE]
    has_failed = any(outcome.status is not Status.NOT_STARTED for outcome in undone)
    if not has_failed and any(outcome.status is Status.UNHEALTHY for outcome in outcomes):
        return ExitCode.UNHEALTHY
    if not undone:
        return ExitCode.DONE
    if any(outcome.wrote for outcome in outcomes):
        return ExitCode.PARTIAL
    if any(outcome.action.kind is ActionKind.REFUSE for outcome in undone):
        return ExitCode.BLOCKED
    is_stale = any(outcome.status is Status.STALE for outcome in undone)
    return ExitCode.STALE if is_stale else ExitCode.FAILED


def exit_code_of_all(codes: Iterable[ExitCode]) -> ExitCode:
    """The one exit status of several environments: the first of the order that occurs."""
    found = set(codes)
    return next((code for code in _ORDER if code in found), ExitCode.DONE)


_UNDONE = (Status.FAILED, Status.STALE, Status.NOT_STARTED)
_ORDER = (
    ExitCode.USAGE,
    ExitCode.INTERRUPTED,
    ExitCode.FAILED,
    ExitCode.PARTIAL,
    ExitCode.STALE,
    ExitCode.BLOCKED,
    ExitCode.UNHEALTHY,
    ExitCode.INVALID,
    ExitCode.CHANGES,
)
