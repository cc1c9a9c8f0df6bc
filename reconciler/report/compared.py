"""Two environments beside each other: what `diff` prints, a function of the comparison alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.core.compare import Comparison
from reconciler.core.diff import Origin
from reconciler.core.groups import DesiredGroup, DesiredResourceGroup
from reconciler.core.ids import ResourceGroupId, Target
from reconciler.core.jsonval import JsonObject
from reconciler.core.properties import Effect
from reconciler.errors import ExitCode
from reconciler.report.as_json import API_VERSION, change_of, sound
from reconciler.report.field_text import field_lines
from reconciler.report.lines import Line, Span, line, render
from reconciler.report.plan_text import BLANK
from reconciler.report.rows import compared_rows
from reconciler.report.shape import FieldRow

_EQUAL, _DIFFERENT, _BEFORE, _AFTER = "equal", "different", "only-before", "only-after"
_SIGNS = {
    _EQUAL: ("=", "dim"),
    _DIFFERENT: ("~", "change"),
    _BEFORE: ("-", "bad"),
    _AFTER: ("+", "good"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two environments."""

    environment: str
    subscription: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRow:
    """One group, or resource group, of either environment, or of both."""

    before: Target | None
    after: Target | None
    fields: tuple[FieldRow, ...] = ()

    @property
    def is_home(self) -> bool:
        """Whether it is a resource group."""
        return isinstance(self.before or self.after, ResourceGroupId)

    @property
    def word(self) -> str:
        """How it stands: `equal`, `different`, `only-before` or `only-after`."""
        if self.before is None or self.after is None:
            return _AFTER if self.before is None else _BEFORE
        return _DIFFERENT if self.fields else _EQUAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Everything there is to say of two environments."""

    owner: str
    before: Side
    after: Side
    rows: tuple[ComparedRow, ...]

    @property
    def exit_code(self) -> ExitCode:
        """0 where nothing differs, else 2."""
        is_equal = all(row.word == _EQUAL for row in self.rows)
        return ExitCode.DONE if is_equal else ExitCode.CHANGES

    @property
    def counts(self) -> Mapping[str, int]:
        """How many groups and resource groups stand how."""
        words = Counter(row.word for row in self.rows)
        return {
            "total": len(self.rows),
            "equal": words[_EQUAL],
            "different": words[_DIFFERENT],
            "onlyBefore": words[_BEFORE],
            "onlyAfter": words[_AFTER],
        }


def compared_of(found: Sequence[Comparison], *, owner: str, before: Side, after: Side) -> Compared:
    """The comparison with its values as they may be shown."""
    rows = tuple(
        ComparedRow(before=_id(one.before), after=_id(one.after), fields=compared_rows(one))
        for one in found
    )
    return Compared(owner=owner, before=before, after=after, rows=rows)


def _id(group: DesiredGroup | DesiredResourceGroup | None) -> Target | None:
    return None if group is None else group.id


def compared_json(compared: Compared) -> str:
    """A document of kind `Comparison`, by `schemas/report.schema.json`, in ASCII."""
    document: JsonObject = {
        "apiVersion": API_VERSION,
        "kind": "Comparison",
        "command": "diff",
        "exitCode": int(compared.exit_code),
        "owner": compared.owner,
        "before": _side(compared.before),
        "after": _side(compared.after),
        "counts": dict(compared.counts),
        "groups": [_row(row) for row in compared.rows if not row.is_home],
        "resourceGroups": [_row(row) for row in compared.rows if row.is_home],
    }
    return json.dumps(sound(document), indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def _side(side: Side) -> JsonObject:
    return {"environment": side.environment, "subscription": side.subscription.lower()}


def _row(row: ComparedRow) -> JsonObject:
    return {
        "standing": row.word,
        **({"before": _named(row.before)} if row.before is not None else {}),
        **({"after": _named(row.after)} if row.after is not None else {}),
        "changes": [change_of(field) for field in row.fields],
    }


def _named(target: Target) -> JsonObject:
    return {"address": target.address, "name": str(target)}


def compared_text(compared: Compared, *, color: bool, width: int, verbose: bool = False) -> str:
    """The comparison as text for people; `verbose` lists what is equal, too, and whole values."""
    lines = _lines(compared, width=width, verbose=verbose)
    return render(lines, color=color, width=width)


def _lines(compared: Compared, *, width: int, verbose: bool) -> Iterator[Line]:
    before, after = compared.before, compared.after
    yield line((f"Diff {before.environment} -> {after.environment}", "name"))
    facts = [f"owner {compared.owner}"] if compared.owner else []
    sides = dict.fromkeys(f"{one.subscription}" for one in (before, after) if one.subscription)
    facts += [f"subscription {' -> '.join(sides)}"] if sides else []
    if facts:
        yield line((", ".join(facts), "dim"))
    yield BLANK
    for row in compared.rows:
        if verbose or row.word != _EQUAL:
            yield _head(row, compared)
            for field in row.fields:
                # What a change costs is no matter here: nothing is going to be changed.
                plain = replace(field, effect=Effect.UPDATE)
                moved = Origin.UNKNOWN
                yield from field_lines(plain, moved_by=moved, width=width, verbose=verbose)
            yield BLANK
    yield _summary(compared)


def _head(row: ComparedRow, compared: Compared) -> Line:
    sign, style = _SIGNS[row.word]
    names = dict.fromkeys(str(one) for one in (row.before, row.after) if one is not None)
    words = {
        _BEFORE: f"only in {compared.before.environment}",
        _AFTER: f"only in {compared.after.environment}",
        _EQUAL: "equal",
        _DIFFERENT: f"{len(row.fields)} field{'' if len(row.fields) == 1 else 's'} differ"
        f"{'s' if len(row.fields) == 1 else ''}",
    }
    what = "resource group " if row.is_home else ""
    named = (" -> ".join(names), "name")
    return line((sign, style), f" {what}", named, f"  {words[row.word]}", hang=4)


def _summary(compared: Compared) -> Line:
    counts = compared.counts
    parts: list[Span] = []
    if counts["different"]:
        verb = "differs" if counts["different"] == 1 else "differ"
        parts.append((f"{counts['different']} {verb}", "change"))
    for key, side in (("onlyBefore", compared.before), ("onlyAfter", compared.after)):
        if counts[key]:
            parts.append((f"{counts[key]} only in {side.environment}", "change"))
    if not parts:
        parts.append(("no differences", "good"))
    spans = [
        span for index, part in enumerate(parts) for span in ([(", ", "")] * bool(index) + [part])
    ]
    tail = f"; {counts['equal']} of {counts['total']} equal" if counts["total"] else "; no groups"
    return line(("Diff: ", "name"), *spans, tail)
