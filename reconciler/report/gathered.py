"""Many documents as one: what each run came to, by project and environment, the worst first."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from reconciler.core.category import Category
from reconciler.core.jsonval import Json, JsonObject, as_list, as_object, as_text
from reconciler.core.plan import ActionKind
from reconciler.errors import ExitCode
from reconciler.report.as_json import API_VERSION, given, sound
from reconciler.report.drift_text import drift_summary
from reconciler.report.lines import Line
from reconciler.report.plan_text import plan_summary
from reconciler.report.read_plan import report_of
from reconciler.report.shape import ActionRow, DriftView, Report
from reconciler.report.verdict import outcome_of

UNTOLD = "could not be told"
# What a run came to, worst first; a word that is none of these is good.
_WORST = (
    UNTOLD, "failed", "interrupted", "partial", "unhealthy", "invalid", "stale", "blocked", "drift",
    "differs", "changes",
)  # fmt: skip
_BY_EXIT_CODE = {
    ExitCode.DONE: "done",
    ExitCode.FAILED: "failed",
    ExitCode.CHANGES: "changes",
    ExitCode.INVALID: "invalid",
    ExitCode.BLOCKED: "blocked",
    ExitCode.STALE: "stale",
    ExitCode.PARTIAL: "partial",
    ExitCode.UNHEALTHY: "unhealthy",
    ExitCode.INTERRUPTED: "interrupted",
}
_WELL = ("succeeded",)  # statuses of outcomes that are not told one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing to know of a run: what about (a group, a rule, a place), in a word, and why."""

    subject: str
    word: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """One document. `word` is what it came to; of a file that could not be read, only `UNTOLD`."""

    file: str
    word: str
    summary: str
    owner: str = ""
    environment: str = ""
    command: str = ""
    exit_code: int | None = None
    entries: tuple[Entry, ...] = ()

    @property
    def rank(self) -> int:
        """From 0, the worst."""
        return _WORST.index(self.word) if self.word in _WORST else len(_WORST)

    @property
    def is_bad(self) -> bool:
        """Whether somebody should look; what is merely to be applied is no such thing."""
        return self.rank < _WORST.index("changes")

    @property
    def key(self) -> tuple[str, str]:
        """Project and environment."""
        return self.owner, self.environment


def unread(file: str, why: str) -> Gathered:
    """A file that is missing, or holds no document."""
    return Gathered(file=file, word=UNTOLD, summary=why)


def gathered(file: str, document: JsonObject) -> Gathered:
    """One document, which has to be valid by the schema of reports."""
    match as_text(document.get("kind")):
        case "Plan":
            return _plan(file, document)
        case "Result":
            entries = [*_outcomes(document)]
        case "Status":
            entries = [*_groups(document)]
        case _:
            entries = [*_findings(document)]
    code = _code(document)
    word = _BY_EXIT_CODE.get(code, "failed")
    if as_text(document.get("kind")) == "Status" and entries and word == "done":
        word = "differs"
    return Gathered(
        file=file,
        word=word,
        summary=_counts(document),
        exit_code=int(code),
        command=as_text(document.get("command")),
        **_place(document),
        entries=tuple(entries),
    )


def by_place(documents: Sequence[Gathered]) -> list[tuple[Gathered, ...]]:
    """The documents of each project and environment together, the worst first."""
    in_place = sorted(documents, key=lambda one: (one.key, one.rank, one.command, one.file))
    places = [tuple(some) for _, some in groupby(in_place, lambda one: one.key)]
    return sorted(places, key=lambda some: (min(one.rank for one in some), some[0].key))


def gathered_json(documents: Sequence[Gathered], *, exit_code: ExitCode) -> str:
    """All of it as a document, by `schemas/report.schema.json`; ends in one newline."""
    document: JsonObject = {
        "apiVersion": API_VERSION,
        "kind": "Gathered",
        "command": "report",
        "exitCode": int(exit_code),
        "counts": {
            "total": len(documents),
            "bad": sum(one.is_bad for one in documents),
            "untold": sum(one.word == UNTOLD for one in documents),
        },
        "places": [_place_json(some) for some in by_place(documents)],
    }
    return json.dumps(sound(document), indent=2, ensure_ascii=True) + "\n"


def _place_json(documents: Sequence[Gathered]) -> JsonObject:
    first = documents[0]
    return {
        "owner": first.owner,
        "environment": first.environment or None,
        "worst": first.word,
        "documents": [_document_json(one) for one in documents],
    }


def _document_json(one: Gathered) -> JsonObject:
    return {
        "file": one.file,
        "word": one.word,
        "summary": one.summary,
        **given(command=one.command),
        **({} if one.exit_code is None else {"exitCode": one.exit_code}),
        "entries": [
            {"subject": entry.subject, "word": entry.word, "says": entry.says}
            for entry in one.entries
        ],
    }


# One kind of document each


def _plan(file: str, document: JsonObject) -> Gathered:
    report = report_of(document)
    drift = report.drift
    summary = plan_summary(report) if drift is None else drift_summary(report, drift)
    entries = _changes(report) if drift is None else _drift(drift)
    return Gathered(
        file=file,
        word=outcome_of(report),
        summary=_text(summary),
        command=report.command,
        exit_code=int(report.exit_code),
        **_place(document),
        entries=tuple(entries),
    )


def _text(line: Line) -> str:
    return "".join(text for text, _ in line.spans)


def _drift(drift: DriftView) -> Iterator[Entry]:
    for one in drift.untold:
        yield Entry(subject="", word="not told", says=one.says)
    for row in sorted(drift.rows, key=lambda row: not row.counts):
        if row.counts or row.category is not Category.PENDING:
            yield Entry(subject=str(row.target), word=row.category.value, says=row.says)
    pending = [row for row in drift.rows if row.category is Category.PENDING and not row.counts]
    yield from (Entry(subject=str(r.target), word="pending", says=r.says) for r in pending)


def _changes(report: Report) -> Iterator[Entry]:
    for rail in report.rails:
        yield Entry(subject=rail.rule, word="limit", says=_and(rail.says, rail.allow))
    for action in sorted(report.actions, key=_is_no_refusal):
        if action.kind is not ActionKind.NO_OP or action.trouble:
            yield Entry(
                subject=str(action.target),
                word=action.kind.value,
                says=_and(action.why, action.allow),
            )
    for orphan in report.orphans:
        yield Entry(subject=str(orphan.target), word="orphan", says=orphan.note)


def _is_no_refusal(action: ActionRow) -> bool:
    return action.kind is not ActionKind.REFUSE


def _outcomes(document: JsonObject) -> Iterator[Entry]:
    outcomes = [as_object(one) for one in as_list(document.get("outcomes"))]
    for one in outcomes:
        if as_text(one.get("status")) not in _WELL:
            yield Entry(
                subject=as_text(one.get("name")),
                word=as_text(one.get("status")),
                says=_and(as_text(one.get("says")), as_text(one.get("hint"))),
            )
    for left in map(as_object, as_list(document.get("noOutcome"))):
        yield Entry(subject=as_text(left.get("name")), word="no outcome", says="cut off")


def _groups(document: JsonObject) -> Iterator[Entry]:
    for one in map(as_object, as_list(document.get("groups"))):
        if as_text(one.get("sync")) != "in sync":
            yield Entry(
                subject=as_text(one.get("name")),
                word=as_text(one.get("sync")),
                says=as_text(one.get("note")),
            )


def _findings(document: JsonObject) -> Iterator[Entry]:
    found = [as_object(one) for one in as_list(document.get("findings"))]
    for one in sorted(found, key=lambda one: as_text(one.get("severity")) != "error"):
        where = f"{as_text(one.get('file'))}:{one.get('line')}:{one.get('column')}"
        yield Entry(
            subject=where,
            word=as_text(one.get("rule")),
            says=_and(as_text(one.get("says")), as_text(one.get("hint"))),
        )


def _counts(document: JsonObject) -> str:
    counts = as_object(document.get("counts"))
    found = {**as_object(counts.get("sync")), **counts}
    numbers = [(name, n) for name, n in found.items() if isinstance(n, int) and n]
    return ", ".join(f"{number} {name}" for name, number in numbers) or "nothing"


def _place(document: JsonObject) -> dict[str, str]:
    environment = as_text(document.get("environment"))
    owner = as_text(document.get("owner"))
    if environment:
        owner = owner.removesuffix(f"/{environment}")
    return {"owner": owner, "environment": environment}


def _code(document: JsonObject) -> ExitCode:
    code: Json = document.get("exitCode")
    return ExitCode(code) if isinstance(code, int) else ExitCode.FAILED


def _and(says: str, then: str) -> str:
    return f"{says}; {then}" if then else says
