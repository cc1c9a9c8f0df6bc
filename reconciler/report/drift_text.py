"""What `drift` found as lines for people: a block a group, worst first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from reconciler.core.category import Category
from reconciler.errors import ExitCode
from reconciler.report.field_text import field_lines
from reconciler.report.lines import Line, Span, line
from reconciler.report.plan_text import BLANK, detail, headline, joined, notes_lines, shared_notes
from reconciler.report.shape import ActionRow, DriftRow, DriftView, Report
from reconciler.report.words import drift_counts, plural

_STYLES = {
    Category.PENDING: "dim",
    Category.UNMANAGED: "change",
    Category.STOPPED: "change",
    Category.ADDRESS_MOVED: "change",
}


def drift_lines(report: Report, drift: DriftView, *, width: int, verbose: bool) -> Iterator[Line]:
    """Everything above the last line: findings by group, then what could not be told, and notes."""
    actions = {action.target.address: action for action in report.actions}
    found = {row.target.address for row in drift.rows}
    shared = shared_notes(report.actions, is_shown=lambda action: action.target.address in found)
    for rows in by_target(drift.rows):
        action = actions.get(rows[0].target.address)
        yield from _block(rows, action, shared, width=width, verbose=verbose)
        yield BLANK
    for one in drift.untold:
        yield headline("?", "loud", "not told", (", ".join(_words(one.concerns)), "loud"))
        yield detail("why", one.says)
        yield BLANK
    yield from notes_lines([*report.notes, *(f"{note} ({who})" for note, who in shared.items())])


def by_target(rows: Sequence[DriftRow]) -> list[tuple[DriftRow, ...]]:
    """The findings of each group together; the group with the worst comes first."""
    order = {category: rank for rank, category in enumerate(Category)}
    by_address = sorted(rows, key=lambda row: (row.target.address, order[row.category]))
    found = [tuple(some) for _, some in groupby(by_address, lambda row: row.target.address)]
    return sorted(
        found,
        key=lambda some: (
            not any(row.counts for row in some),
            order[some[0].category],
            some[0].target.address,
        ),
    )


def _words(categories: frozenset[Category]) -> list[str]:
    return [category.value for category in Category if category in categories]


def _block(
    rows: tuple[DriftRow, ...],
    action: ActionRow | None,
    shared: Mapping[str, str],
    *,
    width: int,
    verbose: bool,
) -> Iterator[Line]:
    sign, style = ("!", "loud") if any(row.counts for row in rows) else (".", "dim")
    words: list[list[Span]] = [
        [(_word(row), "loud" if row.counts else _STYLES.get(row.category, "change"))]
        for row in rows
    ]
    yield headline(sign, style, str(rows[0].target), *joined(words, by=", "))
    yield from (detail("why", row.says) for row in rows)
    if action is None:
        return
    if any(row.category in (Category.CHANGED, Category.PENDING) for row in rows):
        for field in action.fields:
            yield from field_lines(field, moved_by=action.origin, width=width, verbose=verbose)
    yield from (detail("note", note) for note in action.notes if note not in shared)
    if verbose:
        yield detail("apply", action.kind.value)


def _word(row: DriftRow) -> str:
    return row.category.value if row.is_certain else f"{row.category.value} (or pending)"


def drift_summary(report: Report, drift: DriftView) -> Line:
    """The last line: what counts and in how many groups, then the other findings."""
    counts = drift_counts(drift)
    counting = {row.category for row in drift.rows if row.counts}
    groups = {row.target.address for row in drift.rows if row.counts}
    loud = ", ".join(f"{counts[c.value]} {c.value}" for c in Category if c in counting)
    calm = [c for c in Category if counts[c.value] and c not in counting]
    clauses: list[Span] = []
    if report.exit_code is ExitCode.FAILED and drift.untold:
        clauses += [("not all could be told", "loud")]
    if groups:
        clauses += [(f"drift in {plural(len(groups), 'group')} ({loud})", "loud")]
    elif not clauses:
        clauses += [("no drift", "good")]
    clauses += [(", ".join(f"{counts[c.value]} {c.value}" for c in calm), "")] if calm else []
    clauses += [(_share(report, drift), "")]
    clauses += [] if report.is_complete else [("partial scope", "")]
    return line(("Drift: ", "name"), *joined([[clause] for clause in clauses], by="; "))


def _share(report: Report, drift: DriftView) -> str:
    """How many of the groups that manifests name have nothing to be said about them."""
    found = {row.target.address for row in drift.rows}
    moving = {action.target.address for action in report.actions if action.is_moving}
    every = {action.target.address for action in report.actions}
    if not every:
        return "no groups"
    return f"{len(every - found - moving)} of {len(every)} as applied"
