"""A report as one page that stands by itself: no request leaves it, and it works without scripts.

Every text of others is escaped; the policy in its head lets nothing run or load but the one script
and style below, by their hashes.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from reconciler.core.category import Category
from reconciler.core.drift import Untold
from reconciler.core.plan import Rail
from reconciler.report.as_json import instant
from reconciler.report.drift_text import drift_summary
from reconciler.report.html_assets import SCRIPT, STYLE
from reconciler.report.html_cards import Card, drift_cards, plan_cards, rendered
from reconciler.report.html_markup import anchor, code, command, facts, listed, pill, spans, text
from reconciler.report.html_result import result_cards, stranded
from reconciler.report.html_tables import finding_table, in_order, status_table
from reconciler.report.plan_text import plan_summary
from reconciler.report.result_text import result_summary
from reconciler.report.shape import ActionRow, Report, ReportKind
from reconciler.report.status_text import status_summary
from reconciler.report.verdict import outcome_of
from reconciler.report.words import finding_counts, plural

_CALM = ("no-changes", "applied", "destroyed", "valid", "in-sync")
_DIFFERS = ("changes", "drift", "differs")


def as_html(report: Report) -> str:
    """The report as an HTML document."""
    return (
        "<!doctype html>\n"
        f'<html lang="en"><head><meta charset="utf-8">\n{_policy()}\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(_title(report))}</title>\n<style>{STYLE}</style></head>\n"
        f"<body>\n{_body(report)}\n<script>{SCRIPT}</script></body></html>\n"
    )


def _policy() -> str:
    rules = f"default-src 'none'; style-src {_hash(STYLE)}; script-src {_hash(SCRIPT)}"
    rules += "; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    return f'<meta http-equiv="Content-Security-Policy" content="{rules}">'


def _hash(source: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


def _title(report: Report) -> str:
    """What tells its tab from that of another environment."""
    word = outcome_of(report).replace("-", " ")
    names = " ".join(part for part in (report.environment or "", report.command) if part)
    return f"{names}: {word} · aci-reconcile"


def _body(report: Report) -> str:
    tell = {
        ReportKind.PLAN: _groups,
        ReportKind.RESULT: _groups,
        ReportKind.STATUS: _status,
        ReportKind.VALIDATION: _validation,
        ReportKind.FAILURE: _failed,
    }[report.kind]
    return f"{_header(report)}\n<main>{''.join(tell(report))}</main>"


def _header(report: Report) -> str:
    word = outcome_of(report)
    style = "good" if word in _CALM else "change" if word in _DIFFERS else "alarm"
    place = f" {report.environment}" if report.environment else ""
    return (
        f"<header><h1>{text(f'{report.command}{place}')} {pill(word.replace('-', ' '), style)}</h1>"
        f'<p class="lead">{_summary(report)}</p>{_facts(report)}{_stops(report)}</header>'
    )


def _summary(report: Report) -> str:
    match report.kind:
        case ReportKind.PLAN if report.drift is not None:
            return spans(drift_summary(report, report.drift))
        case ReportKind.PLAN:
            return spans(plan_summary(report))
        case ReportKind.RESULT:
            return spans(result_summary(report))
        case ReportKind.STATUS:
            return spans(status_summary(report))
        case ReportKind.VALIDATION:
            return _validated(report)
        case ReportKind.FAILURE:
            return "It ended before there was anything to report."


def _validated(report: Report) -> str:
    counts = finding_counts(report)
    errors = f'<span class="{"loud" if counts["errors"] else "good"}">'
    errors += f"{plural(counts['errors'], 'error')}</span>"
    places = f"{plural(report.files, 'file')} ({plural(report.documents, 'document')})"
    return f"{errors}, {plural(counts['warnings'], 'warning')} in {places}"


def _facts(report: Report) -> str:
    pairs = [
        ("owner", text(report.owner)),
        ("subscription", text(report.subscription)),
        ("exit code", str(int(report.exit_code))),
        ("scope", "" if report.is_complete else "partial: nothing is removed"),
        ("against", text(str(report.as_of)) if report.as_of is not None else ""),
    ]
    if report.binding is not None:
        pairs += [("plan", code(report.binding.plan_id))]
        pairs += [("expires", instant(report.binding.expires))]
    pairs += [("digest", code(report.digest) if report.digest else "")]
    return facts(pairs, style="facts")


def _stops(report: Report) -> str:
    """What stops everything, was lost, or could not be told."""
    if (failure := report.failure) is not None:
        return _alarm("Why", [text(one) for one in (failure.says, failure.hint) if one])
    if entries := [*stranded(report)]:
        return _alarm("Stranded", entries)
    if report.drift is not None:
        return _alarm("Could not be told", [_untold(one) for one in report.drift.untold])
    entries = [*map(_rail, report.rails)]
    entries += [_refusal(action) for action in report.actions if action.blocks]
    return _alarm("In the way", entries)


def _alarm(title: str, entries: Iterable[str]) -> str:
    items = listed(entries)
    return f'<section class="stops"><h2>{title}</h2>{items}</section>' if items else ""


def _rail(rail: Rail) -> str:
    allow = f"; allow it with {command(rail.allow)}" if rail.allow else ""
    return f"<b>{text(rail.rule)}</b>: {text(rail.says)}{allow}"


def _refusal(action: ActionRow) -> str:
    link = f'<a href="#{text(anchor(action.target))}">{text(str(action.target))}</a>'
    return f"<b>refused</b> {link}: {text(action.why)}"


def _untold(one: Untold) -> str:
    words = ", ".join(category.value for category in Category if category in one.concerns)
    return f"<b>{words}</b>: {text(one.says)}"


def _groups(report: Report) -> Iterator[str]:
    if report.kind is ReportKind.RESULT:
        cards, shared = result_cards(report)
        legend = "result"
    elif report.drift is not None:
        cards, shared = drift_cards(report, report.drift)
        legend = "found"
    else:
        cards, shared = plan_cards(report)
        legend = "action"
    yield _section("groups", "Groups", _cards(cards, legend))
    yield from _rest(report, shared)


def _cards(cards: list[Card], legend: str) -> str:
    if not cards:
        return "<p>No groups.</p>"
    kinds = [kind for card in cards for kind in card.kinds]
    return _filter(legend, kinds, opens=True) + rendered(cards)


def _failed(report: Report) -> Iterator[str]:
    if report.failure is not None and report.failure.details:
        details = listed([text(one) for one in report.failure.details])
        yield _section("details", "Details", details)


def _status(report: Report) -> Iterator[str]:
    lines = in_order(report.lines)
    table = "<p>No groups.</p>"
    if lines:
        found = _filter("sync", [one.sync for one in lines], opens=False)
        table = found + status_table(lines)
    yield _section("groups", "Groups", table)
    yield from _rest(report, {})


def _validation(report: Report) -> Iterator[str]:
    ranked = sorted(report.findings, key=lambda finding: not finding.is_error)
    table = "<p>Nothing was found.</p>"
    if ranked:
        kinds = [finding.severity.value for finding in ranked]
        found = _filter("severity", kinds, opens=False)
        table = found + finding_table(report.findings, is_filtered=True)
    yield _section("findings", "Findings", table)


def _filter(legend: str, kinds: Iterable[str], *, opens: bool) -> str:
    """What narrows the rows down; it is of use only where scripts run, so they show it."""
    boxes = "".join(
        f'<label><input type="checkbox" value="{text(kind)}"> {text(kind)} '
        f'<span class="dim">{number}</span></label>'
        for kind, number in Counter(kinds).items()
        if kind
    )
    buttons = (
        '<button type="button" value="open">Open all</button>'
        '<button type="button" value="close">Close all</button>'
    )
    return (
        '<form id="filter" role="search" hidden><label class="find">Filter '
        '<input type="search" id="find" placeholder="name, field, value or reason"'
        ' autocomplete="off" spellcheck="false"></label>'
        f'<output id="count" for="find"></output>{buttons if opens else ""}'
        f"<fieldset><legend>Only {legend}:</legend>{boxes}</fieldset></form>"
        '<p id="none" hidden>Nothing matches the filter.</p>'
    )


def _rest(report: Report, shared: Mapping[str, str]) -> Iterator[str]:
    if report.orphans and report.drift is None:  # `drift` has them among what it found
        items = listed(f"<b>{text(str(o.target))}</b>: {text(o.note)}" for o in report.orphans)
        title = f"{plural(len(report.orphans), 'orphan')}, left alone"
        yield _section("orphans", title, items)
    notes = [text(note) for note in report.notes]
    notes += [f'{text(n)} <span class="dim">({text(who)})</span>' for n, who in shared.items()]
    if notes:
        yield _section("notes", "Notes", listed(notes))
    if report.findings:
        table = finding_table(report.findings, is_filtered=False)
        yield _section("findings", "Findings in the manifests", table)


def _section(name: str, title: str, inner: str) -> str:
    head = f'<h2 id="{name}">{title}</h2>'
    return f'<section aria-labelledby="{name}">{head}{inner}</section>\n'
