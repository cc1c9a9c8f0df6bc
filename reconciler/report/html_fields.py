"""The fields of one group as a table: where, from what, to what, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from reconciler.core.diff import SECRETS, ChangeKind, Origin
from reconciler.core.jsonval import pointer
from reconciler.core.properties import Effect
from reconciler.report.html_markup import code, listed, path, text
from reconciler.report.shape import ActionRow, FieldRow
from reconciler.report.words import plural

_HEAD = (
    '<thead><tr><th scope="col">Field</th><th scope="col">Before</th>'
    '<th scope="col">After</th><th scope="col">Effect</th></tr></thead>'
)
_EFFECTS = {
    Effect.TAGS: "tags only",
    Effect.UPDATE: "in place",
    Effect.REPLACE: '<span class="loud">needs replace</span>',
}
_ORIGINS = {
    Origin.CONFIG: "config",
    Origin.DRIFT: "drift",
    Origin.BOTH: "config and drift",
}


def field_table(action: ActionRow) -> str:
    """The fields that differ, nothing where none does."""
    if not action.fields:
        return ""
    rows = "".join(_row(field, action) for field in action.fields)
    caption = f"<caption>{differing(action.fields)}</caption>"
    return f'<table class="diff">{caption}{_HEAD}<tbody>{rows}</tbody></table>'


def differing(fields: Sequence[FieldRow]) -> str:
    """`1 field differs`, `2 fields differ`."""
    return f"{plural(len(fields), 'field')} differ{'s' if len(fields) == 1 else ''}"


def _row(field: FieldRow, action: ActionRow) -> str:
    before, after = _values(field)
    return (
        f'<tr><th scope="row">{_place(field, action)}</th><td>{before}</td><td>{after}</td>'
        f"<td>{_effect(field, action.origin)}</td></tr>"
    )


def _place(field: FieldRow, action: ActionRow) -> str:
    known = f"{action.file}:{action.line}:{action.column}"
    at = str(field.where) if field.where is not None else known
    where = f"<small>{text(at)}</small>" if at != known else ""
    if field.among:
        return f"one or more of {plural(len(field.among), 'secret')}{where}"
    if field.pointer == pointer(SECRETS):
        return f"a secret that left the manifest{where}"
    return path(field.pointer) + where


def _values(field: FieldRow) -> tuple[str, str]:
    if field.among:
        names = listed(map(code, field.among))
        return "", f"(hidden, {field.kind.value})<details><summary>which</summary>{names}</details>"
    if field.is_sensitive:
        return "", f"(hidden, {field.kind.value})"
    if field.kind is ChangeKind.ADDED:
        return "", f"<ins>{text(field.after)}</ins>"
    if field.kind is ChangeKind.REMOVED:
        return f"<del>{text(field.before)}</del>", ""
    before, after = _marked(field.before, field.after)
    return f"<del>{before}</del>", f"<ins>{after}</ins>"


def _marked(before: str, after: str) -> tuple[str, str]:
    """Both values, with what differs between their common start and end marked."""
    start = _shared(before, after)
    end = _shared(before[start:][::-1], after[start:][::-1])
    return _middle(before, start, end), _middle(after, start, end)


def _shared(one: str, other: str) -> int:
    """How many characters both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _middle(value: str, start: int, end: int) -> str:
    stop = len(value) - end
    inner = text(value[start:stop])
    if not inner or stop - start == len(value):
        return text(value)
    return f"{text(value[:start])}<b>{inner}</b>{text(value[stop:])}"


def _effect(field: FieldRow, moved_by: Origin) -> str:
    moved = _ORIGINS.get(field.origin, "")
    if not moved and moved_by is Origin.BOTH:
        moved = "config or drift"  # both moved; which of them this field nobody can tell
    small = f"<small>{moved}</small>" if moved else ""
    if field.patch is not None:
        small += f"<small>patch {text(str(field.patch))}</small>"
    return _EFFECTS[field.effect] + small
