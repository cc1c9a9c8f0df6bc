"""Each group of a plan, or of what `drift` found, as a block that opens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.core.category import Category
from reconciler.core.ids import ResourceGroupId, Target
from reconciler.core.plan import ActionKind
from reconciler.report.drift_text import by_target
from reconciler.report.html_fields import differing, field_table
from reconciler.report.html_markup import anchor, code, facts, listed, pill, text
from reconciler.report.plan_text import shared_notes
from reconciler.report.shape import ActionRow, DriftRow, DriftView, Report
from reconciler.report.words import SIGNS

UNCHANGED, MOVING, AS_APPLIED = "unchanged", "in transition", "as applied"

_OPEN_AT_MOST = 20  # more blocks than these open would bury one another
_URGENCY = (
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
_ALARMING = (ActionKind.DELETE, ActionKind.REPLACE, ActionKind.REFUSE)
_MOVED = (Category.CHANGED, Category.PENDING)
_STYLES = {Category.PENDING: "tags"}  # where it does not count


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One group. `kinds` are the boxes that show it, `gist` is what it says while closed.

    `body` is HTML, the other members are texts as they came; what `is_loud` begins open.
    """

    target: Target
    kinds: tuple[str, ...]
    badge: str
    style: str
    gist: str
    body: str
    is_loud: bool = False


def rendered(cards: Sequence[Card]) -> str:
    """The blocks in that order; loud ones are open, unless there are many."""
    opens = sum(card.is_loud for card in cards) <= _OPEN_AT_MOST
    return "".join(_details(card, is_open=card.is_loud and opens) for card in cards)


def _details(card: Card, *, is_open: bool) -> str:
    kinds = text(",".join(card.kinds))
    return (
        f'<details class="card {card.style}" id="{text(anchor(card.target))}"'
        f' data-kinds="{kinds}"{" open" if is_open else ""}>'
        f'<summary><span class="name">{text(name_of(card.target))}</span> '
        f'{pill(card.badge, card.style)} <span class="gist">{text(card.gist)}</span></summary>'
        f'<div class="body">{card.body}</div></details>\n'
    )


def name_of(target: Target) -> str:
    """The name of a group, or of a resource group."""
    return f"resource group {target}" if isinstance(target, ResourceGroupId) else str(target)


def plan_cards(report: Report) -> tuple[list[Card], dict[str, str]]:
    """The actions of a plan, what destroys first, and the notes of several of them, by whose."""
    shared = shared_notes(report.actions, is_shown=lambda _: True)
    return [_planned(action, shared) for action in sorted(report.actions, key=urgency)], shared


def urgency(action: ActionRow) -> tuple[int, bool, str]:
    """What to look at first."""
    is_quiet = not (action.is_moving or action.trouble)
    return _URGENCY.index(action.kind), is_quiet, action.target.address


def left_alone(action: ActionRow) -> str:
    """The word for a group that nothing is done to."""
    return MOVING if action.is_moving else UNCHANGED


def _planned(action: ActionRow, shared: Mapping[str, str]) -> Card:
    is_quiet = action.kind is ActionKind.NO_OP
    word = left_alone(action) if is_quiet else action.kind.value
    is_odd = is_quiet and bool(action.is_moving or action.trouble)
    return Card(
        target=action.target,
        kinds=(word,),
        badge=word,
        style="change" if is_odd else SIGNS[action.kind][1],
        gist=action.why,
        body=action_body(action, shared),
        is_loud=action.kind in _ALARMING or bool(action.trouble),
    )


def action_body(action: ActionRow, shared: Mapping[str, str]) -> str:
    """Why, at what cost, and what differs."""
    notes = [text(note) for note in action.notes if note not in shared]
    pairs = [
        ("why", text(action.why)),
        ("costs", text("; ".join(action.costs))),
        ("allow", text(action.allow)),
        ("runs", listed(_runs(action))),
        ("after", ", ".join(code(one.partition("/")[2]) for one in action.after)),
        ("note", listed(notes) if len(notes) > 1 else "".join(notes)),
        ("manifest", place_of(action)),
    ]
    return facts(pairs) + field_table(action)


def place_of(action: ActionRow) -> str:
    """The line of the manifest that asks for it."""
    return code(f"{action.file}:{action.line}:{action.column}") if action.file else ""


def _runs(action: ActionRow) -> Iterator[str]:
    if action.kind is ActionKind.CREATE:
        yield from (f"{code(name)} {code(image)}" for name, image in action.containers)


def drift_cards(report: Report, drift: DriftView) -> tuple[list[Card], dict[str, str]]:
    """Groups that were found to be something, worst first, then the others; and shared notes."""
    actions = {action.target.address: action for action in report.actions}
    found = {row.target.address for row in drift.rows}
    shared = shared_notes(report.actions, is_shown=lambda a: a.target.address in found)
    blocks = by_target(drift.rows)
    cards = [_drifted(rows, actions.get(rows[0].target.address), shared) for rows in blocks]
    rest = [action for action in report.actions if action.target.address not in found]
    return [*cards, *(_as_applied(one) for one in sorted(rest, key=urgency))], shared


def _drifted(rows: Sequence[DriftRow], action: ActionRow | None, shared: Mapping[str, str]) -> Card:
    counts = any(row.counts for row in rows)
    says = [text(row.says) for row in rows]
    pairs = [("found", listed(says) if len(says) > 1 else says[0])]
    fields = ""
    if action is not None:
        pairs += [("note", listed(text(n) for n in action.notes if n not in shared))]
        pairs += [("manifest", place_of(action))]
        fields = field_table(action) if any(row.category in _MOVED for row in rows) else ""
    more = f"; {differing(action.fields)}" if action is not None and fields else ""
    return Card(
        target=rows[0].target,
        kinds=tuple(row.category.value for row in rows),
        badge=", ".join(map(_word, rows)),
        style="bad" if counts else _STYLES.get(rows[0].category, "change"),
        gist="; ".join(row.says for row in rows) + more,
        body=facts(pairs) + fields,
        is_loud=counts,
    )


def _word(row: DriftRow) -> str:
    return row.category.value if row.is_certain else f"{row.category.value} (or pending)"


def _as_applied(action: ActionRow) -> Card:
    word = MOVING if action.is_moving else AS_APPLIED
    why = action.why if action.is_moving else "nothing was found"
    return Card(
        target=action.target,
        kinds=(word,),
        badge=word,
        style="change" if action.is_moving else "dim",
        gist=why,
        body=facts([("why", text(why)), ("manifest", place_of(action))]),
    )
