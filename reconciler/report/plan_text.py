"""A plan as lines for people: what would be done, why, what it costs, and what blocks it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from reconciler.core.diff import Origin
from reconciler.core.ids import ResourceGroupId
from reconciler.core.plan import ActionKind, Rail
from reconciler.report.field_text import field_lines
from reconciler.report.lines import Line, Span, line
from reconciler.report.shape import ActionRow, OrphanRow, Report
from reconciler.report.words import HANDS, SIGNS, VERBS, is_blocked, plan_counts, plural

BLANK = line()
_MOVED = {
    Origin.DRIFT: "drift",
    Origin.BOTH: "config and drift",
    Origin.CONFIG: "config",
    Origin.UNKNOWN: "unknown",
}
_NAMED = 3  # groups named beside a shared note


def plan_lines(report: Report, *, width: int, verbose: bool) -> Iterator[Line]:
    """Everything above the last line: actions, then what is refused, then orphans and notes."""
    shared = shared_notes(report.actions, is_shown=lambda action: not _is_quiet(action))
    is_asked = verbose or report.command in HANDS  # each was asked for by its name
    shown = [action for action in report.actions if is_asked or not _is_quiet(action)]
    for action in sorted(shown, key=lambda action: action.kind is ActionKind.REFUSE):
        yield from _action_lines(action, shared, width=width, verbose=verbose)
        yield BLANK
    for rail in report.rails:
        yield from _rail_lines(rail)
        yield BLANK
    for orphan in report.orphans:
        yield from _orphan_lines(orphan)
        yield BLANK
    notes = [*report.notes, *(f"{note} ({names})" for note, names in shared.items())]
    yield from notes_lines(notes)


def notes_lines(notes: Sequence[str]) -> Iterator[Line]:
    """What holds for all of it."""
    yield from (detail("note", note, indent=0) for note in notes)
    if notes:
        yield BLANK


def heading(report: Report, title: str, *, verbose: bool) -> Iterator[Line]:
    """Which environment of whom, before anything else."""
    place = f" {report.environment}" if report.environment else ""
    facts = [f"owner {report.owner}"] if report.owner else []
    facts += [f"subscription {report.subscription}"] if report.subscription else []
    yield line((f"{title}{place}" if place else title.split(maxsplit=1)[0], "name"))
    if facts:
        yield line((", ".join(facts), "dim"))
    if verbose and report.digest:
        yield line((f"digest {report.digest}", "dim"))
    yield BLANK


def detail(label: str, text: str, *, indent: int = 4, style: str = "") -> Line:
    """A labelled line below an action; what is wrapped stays right of the label."""
    return line(" " * indent, (f"{label:<7}", "dim"), (text, style), hang=indent + 7)


def headline(sign: str, style: str, name: str, *rest: str | Span) -> Line:
    """The first line of a block: sign, name, and what it is about."""
    return line((f"{sign:>3} ", style), (name, "name"), "  ", *rest, hang=4)


def _is_quiet(action: ActionRow) -> bool:
    return action.kind is ActionKind.NO_OP and not (action.trouble or action.is_moving)


def _action_lines(
    action: ActionRow, shared: dict[str, str], *, width: int, verbose: bool
) -> Iterator[Line]:
    sign, style = SIGNS[action.kind]
    what = " resource group" if isinstance(action.target, ResourceGroupId) else ""
    moved = "  (config and drift)" if action.origin is Origin.BOTH else ""
    yield headline(
        sign, style, str(action.target), (f"{action.kind.value}{what}", style), (moved, "dim")
    )
    yield detail("why", action.why)
    if action.kind is ActionKind.CREATE:
        yield from (detail("runs", f"{name} {image}") for name, image in action.containers)
    if action.costs:
        yield detail("costs", "; ".join(action.costs))
    for field in action.fields:
        yield from field_lines(field, moved_by=action.origin, width=width, verbose=verbose)
    yield from (detail("note", note) for note in action.notes if note not in shared)
    if action.allow:
        yield detail("allow", action.allow, style="name")
    if verbose and action.after:
        yield detail("after", ", ".join(address.partition("/")[2] for address in action.after))


def _rail_lines(rail: Rail) -> Iterator[Line]:
    yield headline("!", "loud", rail.rule, ("blocks the whole plan", "loud"))
    yield detail("why", rail.says)
    if rail.allow:
        yield detail("allow", rail.allow, style="name")


def _orphan_lines(orphan: OrphanRow) -> Iterator[Line]:
    yield headline("?", "change", str(orphan.target), ("orphan, left alone", "change"))
    yield detail("why", orphan.note)


def shared_notes(
    actions: Sequence[ActionRow], *, is_shown: Callable[[ActionRow], bool]
) -> dict[str, str]:
    """Notes that several actions, or any that is not shown, have: said once, with their names."""
    names: dict[str, list[str]] = {}
    quiet = set()
    for action in actions:
        for note in action.notes:
            names.setdefault(note, []).append(str(action.target))
            quiet |= set() if is_shown(action) else {note}
    return {note: _named(found) for note, found in names.items() if len(found) > 1 or note in quiet}


def _named(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(islice(names, _NAMED)) + (f" and {more} more" if more > 0 else "")


def plan_summary(report: Report) -> Line:
    """The last line: counts, each with its denominator."""
    counts = plan_counts(report)
    clauses = [[[(f"blocked by {blocks}", "loud")]]] if (blocks := _blocks(report)) else []
    changes = _changes(report)
    if report.command == "drift" and counts["total"] > counts["no-op"]:
        clauses += [[[(_differences(report.actions), "name")]]]
    moving = counts["inTransition"]
    if moving:
        changes += [[(f"{moving} in transition, not compared", "change")]]
    if not changes and not blocks:
        changes = [[("no changes", "good")]]
    unchanged = f"{counts['no-op'] - moving} of {counts['total']} unchanged"
    clauses += [[*changes, [(unchanged if counts["total"] else "no groups", "")]]]
    tails = [f"{plural(len(report.orphans), 'orphan')} reported"] if report.orphans else []
    tails += [] if report.is_complete else ["partial scope"]
    clauses += [[[(text, "")]] for text in tails]
    return line((f"{report.command.capitalize()}: ", "name"), *_sentence(clauses))


def _differences(actions: Sequence[ActionRow]) -> str:
    """How many groups differ, by who moved them."""
    moved = Counter(one.origin for one in actions if one.kind is not ActionKind.NO_OP)
    words = (f"{moved[origin]} {says}" for origin, says in _MOVED.items() if moved[origin])
    return f"{plural(moved.total(), 'difference')} ({', '.join(words)})"


def _sentence(clauses: Sequence[Sequence[Sequence[Span]]]) -> list[Span]:
    return joined([joined(parts, by=", ") for parts in clauses], by="; ")


def joined(parts: Sequence[Sequence[Span]], *, by: str) -> list[Span]:
    """The parts as one, `by` between them."""
    return [
        span for index, part in enumerate(parts) for span in ([(by, "")] if index else []) + [*part]
    ]


def _changes(report: Report) -> list[list[Span]]:
    counts = plan_counts(report)
    found: list[list[Span]] = []
    for kind, verb in VERBS.items():
        if number := counts.get(kind.value, 0):
            found.append([(f"{number} to {verb}", SIGNS[kind][1])])
            if kind is ActionKind.UPDATE and counts["restarts"]:
                found[-1].append((f" (restarts {plural(counts['restarts'], 'container')})", ""))
    if counts["refuse"] and not is_blocked(report):
        found.append([(f"{counts['refuse']} left as {_is_are(counts['refuse'])}", "loud")])
    return found


def _is_are(number: int) -> str:
    return "it is" if number == 1 else "they are"


def _blocks(report: Report) -> str:
    if not is_blocked(report):
        return ""
    refusals = plan_counts(report)["refuse"]
    parts = [plural(len(report.rails), "limit")] if report.rails else []
    parts += [plural(refusals, "refusal")] if refusals else []
    return " and ".join(parts)
