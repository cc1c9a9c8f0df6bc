"""A plan as blocks of Markdown: what stands in the way, a table, and what differs in each group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from enum import IntEnum
from itertools import islice

from reconciler.core.diff import SECRETS, ChangeKind, Origin
from reconciler.core.ids import ResourceGroupId
from reconciler.core.jsonval import pointer
from reconciler.core.plan import ActionKind, Rail
from reconciler.core.properties import Effect
from reconciler.report.field_text import abbreviated
from reconciler.report.markdown_escape import code, fence, html, prose, table
from reconciler.report.shape import ActionRow, FieldRow, Report
from reconciler.report.words import SIGNS, plural

DESTRUCTIVE = (ActionKind.DELETE, ActionKind.REPLACE)
_ORDER = (
    ActionKind.DELETE,
    ActionKind.REPLACE,
    ActionKind.REFUSE,
    ActionKind.STOP,
    ActionKind.RESTART,
    ActionKind.UPDATE,
    ActionKind.START,
    ActionKind.CREATE,
    ActionKind.ADOPT,
    ActionKind.PATCH_TAGS,
    ActionKind.NO_OP,
)
_ORIGINS = {
    Origin.CONFIG: "config",
    Origin.DRIFT: "drift",
    Origin.BOTH: "config and drift",
}
_NAMED = 3  # groups or secrets named where more are meant


class Detail(IntEnum):
    """How much is told, from all to the least. Each step drops something whole."""

    FULL = 0
    DESTRUCTION = 1  # fields only of what is deleted, replaced, refused or failed
    TABLE = 2  # no fields: a row a group, with how many differ
    ALARMS = 3  # rows only of what is deleted, replaced, refused or failed
    COUNTS = 4  # no rows: numbers by kind
    LEAST = 5  # what stands in the way, as far as there is room


DROPPED = {
    Detail.DESTRUCTION: "the fields of groups that are neither deleted, replaced, refused nor "
    "failed, and notes",
    Detail.TABLE: "every field, reason and note",
    Detail.ALARMS: "every field, reason and note, and the groups that are neither deleted, "
    "replaced, refused nor failed",
    Detail.COUNTS: "every group but those that stand in the way",
    Detail.LEAST: "every group but those that stand in the way, some of them too",
}


def bounded(text: str, detail: Detail) -> str:
    """A text of others at a length that leaves room for the rest; what is cut off is marked."""
    longest = 200 if detail is Detail.LEAST else 1000
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def rail_entry(rail: Rail, detail: Detail) -> str:
    """A limit, why it is exceeded, and the words that allow it, or the other way there is."""
    words = bounded(rail.allow, detail)
    allow = f" To go on: {prose(words)}." if words else ""
    if rail.allow.startswith("--"):
        allow = f" Allow it with {code(words)}."
    return f"**{prose(rail.rule)}**: {prose(bounded(rail.says, detail))}.{allow}"


def refusal_entry(action: ActionRow, detail: Detail) -> str:
    """A refusal, why, and the way out."""
    scope = "" if action.blocks else " (the others go on)"
    hint = f" To go on: {prose(bounded(action.allow, detail))}." if action.allow else ""
    why = prose(bounded(action.why, detail))
    return f"{target(action)} **refused**{scope}: {why}.{hint}"


def target(action: ActionRow) -> str:
    """The name of a group, or of a resource group."""
    what = "resource group " if isinstance(action.target, ResourceGroupId) else ""
    return what + code(str(action.target))


def is_alarming(action: ActionRow) -> bool:
    """Whether it destroys, or is refused."""
    return action.kind in DESTRUCTIVE or action.kind is ActionKind.REFUSE


def action_blocks(report: Report, detail: Detail) -> Iterator[str]:
    """The table of actions, and below it the fields of each."""
    shown = [action for action in report.actions if not _is_quiet(action)]
    if detail >= Detail.ALARMS:
        shown = [action for action in shown if is_alarming(action)]
    if not shown or detail >= Detail.COUNTS:
        return
    shown.sort(key=lambda action: _ORDER.index(action.kind))
    if detail >= Detail.TABLE:
        yield table(("", "Group", "Action", "Differs"), (_short_row(one) for one in shown))
        return
    head = ("", "Group", "Action", "Why", "Impact")
    yield table(head, (_row(action, detail) for action in shown))
    for action in shown:
        if detail is Detail.FULL or is_alarming(action):
            yield from field_details(action, is_open=action.kind in DESTRUCTIVE)


def count_block(report: Report) -> str:
    """Numbers by kind, instead of rows."""
    counts = Counter(action.kind for action in report.actions)
    rows = ((code(SIGNS[kind][0]), kind.value, str(counts[kind])) for kind in _ORDER)
    return table(("", "Action", "Groups"), (row for row in rows if row[2] != "0"))


def note_blocks(report: Report) -> Iterator[str]:
    """What is left alone, and what holds for all or for several."""
    if report.orphans:
        lines = (f"- {code(str(one.target))}: {prose(one.note)}" for one in report.orphans)
        yield "\n".join([f"{plural(len(report.orphans), 'orphan')}, left alone:", "", *lines])
    notes = [prose(note) for note in report.notes]
    notes += [f"{prose(note)} ({named(names)})" for note, names in _noted(report.actions).items()]
    if notes:
        yield "\n".join(["Notes:", "", *(f"- {note}" for note in notes)])


def named(names: Sequence[str]) -> str:
    """The first few of the names, and how many more there are."""
    more = len(names) - _NAMED
    return ", ".join(map(code, islice(names, _NAMED))) + (f" and {more} more" if more > 0 else "")


def _noted(actions: Sequence[ActionRow]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for action in actions:
        for note in action.notes:
            found.setdefault(note, []).append(str(action.target))
    return found


def _is_quiet(action: ActionRow) -> bool:
    return action.kind is ActionKind.NO_OP and not (action.trouble or action.is_moving)


def _row(action: ActionRow, detail: Detail) -> tuple[str, ...]:
    why = prose(bounded(action.why, detail))
    origin = _ORIGINS.get(action.origin, "")
    moved = f" ({origin})" if origin and action.origin is not Origin.CONFIG else ""
    impact = prose(bounded("; ".join(action.costs), detail))
    return (*_lead(action), f"{why}{moved}", impact)


def _short_row(action: ActionRow) -> tuple[str, ...]:
    return (*_lead(action), plural(len(action.fields), "field") if action.fields else "")


def _lead(action: ActionRow) -> tuple[str, ...]:
    kind = action.kind.value
    return (
        code(SIGNS[action.kind][0]),
        target(action),
        f"**{kind}**" if is_alarming(action) else kind,
    )


def field_details(action: ActionRow, *, is_open: bool) -> Iterator[str]:
    """The fields of one group, folded unless `is_open`; of a new one, what it runs."""
    lines = [line for field in action.fields for line in field_lines(field, action.origin)]
    what = plural(len(action.fields), "field")
    if action.kind is ActionKind.CREATE:
        lines = [f"+ {name}: {image}" for name, image in action.containers]
        what = plural(len(action.containers), "container")
    if not lines:
        return
    yield (
        f"<details{' open' if is_open else ''}><summary><code>{html(str(action.target))}</code>: "
        f"{action.kind.value}, {what}</summary>\n\n{fence(lines, info='diff')}\n\n</details>"
    )


def field_lines(field: FieldRow, moved_by: Origin) -> Iterator[str]:
    """Lines of a `diff`: a field's old and new value, and who moved."""
    label = _label(field, moved_by)
    tail = f"   # {label}" if label else ""
    if field.is_sensitive:
        yield f"! {_place(field)} (hidden, {field.kind.value}){_among(field)}{tail}"
        return
    before, after = abbreviated(
        field.before if field.kind is not ChangeKind.ADDED else "",
        field.after if field.kind is not ChangeKind.REMOVED else "",
    )
    if field.kind is not ChangeKind.ADDED:
        yield f"- {field.pointer}: {before}" + (tail if not after else "")
    if field.kind is not ChangeKind.REMOVED:
        yield f"+ {field.pointer}: {after}{tail}"


def _place(field: FieldRow) -> str:
    if field.among:
        return f"one or more of {len(field.among)} secrets"
    return "a secret that left the manifest" if field.pointer == pointer(SECRETS) else field.pointer


def _among(field: FieldRow) -> str:
    if not field.among:
        return ""
    more = len(field.among) - _NAMED
    return f": {', '.join(field.among[:_NAMED])}" + (f" and {more} more" if more > 0 else "")


def _label(field: FieldRow, moved_by: Origin) -> str:
    labels = [_ORIGINS[field.origin]] if field.origin in _ORIGINS else []
    if not labels and moved_by is Origin.BOTH:
        labels = ["config or drift"]  # both moved; which of them this field nobody can tell
    return ", ".join([*labels, *(["forces replace"] if field.effect is Effect.REPLACE else [])])
