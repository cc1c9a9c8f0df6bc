"""What became of each group of a plan as a block that opens, what went wrong first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.core.outcome import Status, TaskLog, Trouble
from reconciler.core.plan import ActionKind
from reconciler.report.html_cards import Card, action_body, left_alone, urgency
from reconciler.report.html_markup import block, code, command, facts, listed, text
from reconciler.report.plan_text import shared_notes
from reconciler.report.shape import ActionRow, OutcomeRow, Report
from reconciler.report.words import PAST, SIGNS, duration, plural, repair, unstarted

_STRANDED, _NO_OUTCOME = "stranded", "no outcome"
_STYLES = {
    Status.UNHEALTHY: "change",
    Status.FAILED: "bad",
    Status.STALE: "change",
    Status.NOT_STARTED: "dim",
}
_ORDER = (Status.FAILED, Status.UNHEALTHY, Status.STALE, Status.NOT_STARTED, Status.SUCCEEDED)


def result_cards(report: Report) -> tuple[list[Card], dict[str, str]]:
    """Outcomes, then what has none, then what was left alone; and the notes of several."""
    shared = shared_notes(report.actions, is_shown=lambda _: True)
    missing = sorted(unstarted(report), key=urgency)
    landed = {one.action.target.address for one in report.outcomes}
    told = landed | {action.target.address for action in missing}
    rest = [action for action in report.actions if action.target.address not in told]
    ranked = sorted(report.outcomes, key=_rank)
    last = sum(_is_well(outcome) for outcome in ranked)
    cards = [_card(outcome, shared) for outcome in ranked]
    cut = len(cards) - last
    middle = [_missing(action, report, shared) for action in missing]
    quiet = [_untouched(action, shared) for action in sorted(rest, key=urgency)]
    return [*cards[:cut], *middle, *cards[cut:], *quiet], shared


def stranded(report: Report) -> Iterator[str]:
    """Groups that are gone, each with the command that creates it again."""
    for outcome in report.outcomes:
        if outcome.is_stranded:
            name = text(str(outcome.action.target))
            yield (
                f"<b>{name}</b> was deleted and NOT created again; run "
                f"{command(repair(outcome.action, report))}"
            )


def _is_well(outcome: OutcomeRow) -> bool:
    return outcome.status is Status.SUCCEEDED


def _rank(outcome: OutcomeRow) -> tuple[bool, int, int, str]:
    kind, _, address = urgency(outcome.action)
    return not outcome.is_stranded, _ORDER.index(outcome.status), kind, address


def _card(outcome: OutcomeRow, shared: Mapping[str, str]) -> Card:
    kind, status = outcome.action.kind, outcome.status
    word = _STRANDED if outcome.is_stranded else status.value
    is_refusal = kind is ActionKind.REFUSE
    badge = PAST[kind] if _is_well(outcome) and kind in PAST else f"{kind.value} {word}"
    style = SIGNS[kind][1] if _is_well(outcome) else _STYLES[status]
    return Card(
        target=outcome.action.target,
        kinds=(word,),
        badge="refused" if is_refusal else badge,
        style="alarm" if outcome.is_stranded else _calm(style),
        gist=outcome.says,
        body=_body(outcome) + _planned(outcome.action, shared),
        is_loud=status in (Status.FAILED, Status.UNHEALTHY),
    )


def _calm(style: str) -> str:
    """A deletion that went well is no alarm."""
    return "change" if style in ("loud", "replace") else style


def _body(outcome: OutcomeRow) -> str:
    azure = [code(one) for one in (outcome.code, outcome.request_id) if one]
    health = outcome.health if outcome.health not in outcome.says else ""
    pairs = [
        ("result", text(outcome.says)),
        ("now", "created again as it was before" if outcome.is_restored else ""),
        ("try", text(outcome.hint)),
        ("azure", ", ".join(azure)),
        ("operation", _operation(outcome.operation)),
        ("health", text(health)),
        ("containers", listed(map(_trouble, outcome.troubles))),
        ("took", duration(outcome.took)),
    ]
    return facts(pairs) + "".join(map(_log, outcome.logs))


def _operation(url: str) -> str:
    # No link: it answers only to a request that carries credentials.
    return command(url) if url else ""


def _trouble(trouble: Trouble) -> str:
    parts = [text(trouble.state)] if trouble.state else []
    parts += [] if trouble.exit_code is None else [f"exit code {trouble.exit_code}"]
    parts += [plural(trouble.restarts, "restart")] if trouble.restarts else []
    says = ", ".join(parts) or "no state"
    return f"{code(trouble.container)}: {says}{listed(map(text, trouble.events))}"


def _log(log: TaskLog) -> str:
    name = code(log.container)
    if not log.text.strip():
        return f"<h3>Log of {name}: empty</h3>"
    label = text(f"log of {log.container}")
    # It scrolls, so the keyboard has to reach it.
    return (
        f"<h3>Log of {name}</h3>"
        f'<pre tabindex="0" role="region" aria-label="{label}">{block(log.text)}</pre>'
    )


def _planned(action: ActionRow, shared: Mapping[str, str]) -> str:
    return f"<h3>As planned: {action.kind.value}</h3>{action_body(action, shared)}"


def _missing(action: ActionRow, report: Report, shared: Mapping[str, str]) -> Card:
    word = _NO_OUTCOME if report.is_interrupted else Status.NOT_STARTED.value
    says = "no outcome: it may be under way in Azure" if report.is_interrupted else "not started"
    operation = report.under_way.get(action.target.address, "")
    pairs = [("result", says), ("operation", _operation(operation))]
    return Card(
        target=action.target,
        kinds=(word,),
        badge=f"{action.kind.value}, {word}",
        style="change" if report.is_interrupted else "dim",
        gist=says,
        body=facts(pairs) + _planned(action, shared),
        is_loud=report.is_interrupted,
    )


def _untouched(action: ActionRow, shared: Mapping[str, str]) -> Card:
    is_refusal = action.kind is ActionKind.REFUSE
    word = "refused" if is_refusal else left_alone(action)
    is_odd = is_refusal or action.is_moving or bool(action.trouble)
    return Card(
        target=action.target,
        kinds=(word,),
        badge=word,
        style="change" if is_odd else "dim",
        gist=action.why,
        body=action_body(action, shared),
    )
