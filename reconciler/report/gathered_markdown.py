"""Gathered documents as GitHub's Markdown: a comment or an issue that a program can update.

What does not fit into the budget is dropped in steps, and the text says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.report.gathered import UNTOLD, Gathered, by_place
from reconciler.report.markdown_escape import code, marker, prose, table
from reconciler.report.words import plural

BUDGET = 60_000  # characters; GitHub takes 65,536
_STEPS = (100, 20, 5, 1, 0)  # entries of a document
_ROWS = (500, 200, 50)  # of the table, once no entry is left
_LONGEST = 400  # characters of one text
_ICONS = {UNTOLD: "❓", "drift": "⚠️", "unhealthy": "⚠️", "differs": "⚠️", "changes": "📝"}


def gathered_markdown(documents: Sequence[Gathered], *, budget: int = BUDGET) -> str:
    """The text in at most `budget` characters (from 20,000 on), ending in one newline.

    Its first line is a comment that nobody sees; each project and environment stands between two
    more, so that a program can put a new text in the place of the old one.
    """
    places = by_place(documents)
    for most in _STEPS:
        text = "\n\n".join(_blocks(places, documents, most=most, rows=None)) + "\n"
        if len(text) <= budget:
            return text
    for rows in _ROWS:
        text = "\n\n".join(_blocks(places, documents, most=0, rows=rows)) + "\n"
        if len(text) <= budget:
            break
    return text


def _blocks(
    places: Sequence[Sequence[Gathered]],
    documents: Sequence[Gathered],
    *,
    most: int,
    rows: int | None,
) -> Iterator[str]:
    bad = sum(one.is_bad for one in documents)
    icon = _icon(min(documents, key=lambda one: one.rank)) if documents else "✅"
    share = f"{bad} of {plural(len(documents), 'run')} to look at"
    yield f"{marker('report')}\n### {icon} aci-reconcile: {share}"
    in_order = [one for some in places for one in some]
    yield table(
        ("", "Project", "Environment", "Run", "Result", "Summary"),
        (_row(one) for one in in_order[:rows]),
    )
    if rows is not None and len(in_order) > rows:
        yield f"and {len(in_order) - rows} more, none worse than these."
    if most == 0:
        yield "_Details are left out: they would not fit. See the documents._"
        return
    for some in places:
        if any(one.entries for one in some):
            yield from _section(some, most)


def _row(one: Gathered) -> tuple[str, ...]:
    word = f"**{prose(one.word)}**" if one.is_bad else prose(one.word)
    return (
        _icon(one),
        _name(one.owner),
        _name(one.environment),
        code(_short(one.command or one.file)),
        word,
        prose(_short(one.summary)),
    )


def _name(text: str) -> str:
    return code(_short(text)) if text else "–"


def _section(documents: Sequence[Gathered], most: int) -> Iterator[str]:
    first = documents[0]
    names = ("report", first.owner, first.environment)
    place = " ".join(_name(name) for name in (first.owner, first.environment) if name)
    yield f"{marker(*names)}\n#### {_icon(first)} {place or 'No project named'}"
    for one in documents:
        if one.entries:
            yield f"{code(_short(one.command))} ({prose(one.word)}), {code(_short(one.file))}:"
            yield "\n".join(_entries(one, most))
    yield marker(*names, "end")


def _entries(one: Gathered, most: int) -> Iterator[str]:
    for entry in one.entries[:most]:
        subject = f"{code(_short(entry.subject))} " if entry.subject else ""
        says = f": {prose(_short(entry.says))}" if entry.says else ""
        yield f"- {subject}**{prose(entry.word)}**{says}"
    if len(one.entries) > most:
        yield f"- and {len(one.entries) - most} more"


def _icon(one: Gathered) -> str:
    return _ICONS.get(one.word, "❌" if one.is_bad else "✅")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
