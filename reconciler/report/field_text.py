"""A field that differs, as lines: where, from what, to what, and who moved."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.diff import SECRETS, ChangeKind, Origin
from reconciler.core.jsonval import pointer
from reconciler.core.properties import Effect
from reconciler.report.lines import Line, Span, cells, line, safe
from reconciler.report.shape import FieldRow

_SIGNS = {
    ChangeKind.ADDED: ("+", "new"),
    ChangeKind.REMOVED: ("-", "old"),
    ChangeKind.CHANGED: ("~", "change"),
}
_LABELS = {
    Origin.CONFIG: "config",
    Origin.DRIFT: "drift",
    Origin.BOTH: "config and drift",
}
_LONGEST = 160  # characters of a value, unless everything is asked for
_NAMED = 3  # secrets named, unless everything is asked for
_CONTEXT = 24  # characters shown before the first difference of two long values


def field_lines(field: FieldRow, *, moved_by: Origin, width: int, verbose: bool) -> Iterator[Line]:
    """One line where it fits, else the values below the pointer."""
    sign, style = _SIGNS[field.kind]
    lead: list[Span] = [("    ", ""), (sign, style), (f" {_place(field)}", "")]
    tail: list[Span] = [(f"  ({label})", "dim")] if (label := _label(field, moved_by)) else []
    before, after = _values(field, verbose=verbose)
    values: list[Span] = [(after, "dim")] if field.is_sensitive else _between(before, after)
    if _size([*lead, ("  ", ""), *values, *tail]) <= width:
        yield line(*lead, "  ", *values, *tail)
        return
    yield line(*lead, hang=6)
    if not (before and after) or 8 + _size([*values, *tail]) <= width:
        yield line("        ", *values, *tail, hang=8)
        return
    yield line("        ", (before, "old"), hang=8)
    yield line("     -> ", (after, "new"), *tail, hang=8)


def _place(field: FieldRow) -> str:
    """Where it is; secrets that the state tag cannot tell apart are counted."""
    if field.among:
        return f"one or more of {len(field.among)} secrets"
    return "a secret that left the manifest" if field.pointer == pointer(SECRETS) else field.pointer


def _label(field: FieldRow, moved_by: Origin) -> str:
    labels = [_LABELS[field.origin]] if field.origin in _LABELS else []
    if not labels and moved_by is Origin.BOTH:
        labels = ["config or drift"]  # both moved; which of them moved this field nobody can tell
    labels += ["needs replace"] if field.effect is Effect.REPLACE else []
    labels += [str(field.patch)] if field.patch is not None else []
    return ", ".join(labels)


def _values(field: FieldRow, *, verbose: bool) -> tuple[str, str]:
    """The old and the new value as text; empty where the field is absent."""
    if field.among:
        names = field.among if verbose else field.among[:_NAMED]
        more = len(field.among) - len(names)
        tail = f" and {more} more" if more else ""
        return "", f"(hidden, changed): {', '.join(names)}{tail}"
    if field.is_sensitive:
        return "", f"(hidden, {field.kind.value})"
    before = field.before if field.kind is not ChangeKind.ADDED else ""
    after = field.after if field.kind is not ChangeKind.REMOVED else ""
    return (before, after) if verbose else abbreviated(before, after)


def _between(before: str, after: str) -> list[Span]:
    spans = [(before, "old"), (" -> ", "dim"), (after, "new")]
    return spans if before and after else [span for span in spans[::2] if span[0]]


def _size(spans: list[Span]) -> int:
    return sum(cells(safe(text)) for text, _ in spans)


def abbreviated(before: str, after: str) -> tuple[str, str]:
    """Both texts cut to where they differ: two long values never look alike when they are not."""
    if max(len(before), len(after)) <= _LONGEST:
        return before, after
    shared = _shared(before, after)
    start = shared - _CONTEXT if shared > _LONGEST // 2 else 0
    return _cut(before, start), _cut(after, start)


def _shared(one: str, other: str) -> int:
    pairs = zip(one, other, strict=False)
    same = min(len(one), len(other))
    return next((index for index, (a, b) in enumerate(pairs) if a != b), same)


def _cut(text: str, start: int) -> str:
    end = start + _LONGEST
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")
