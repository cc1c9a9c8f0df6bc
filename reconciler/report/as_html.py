"""A report as one page that stands by itself: no request leaves it, and it works without scripts.

Every text of others is escaped; the policy in its head lets nothing run or load but the one script
and style below, by their hashes.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Iterator
from html import escape

from reconciler.core.diff import Origin
from reconciler.core.finding import Finding
from reconciler.core.outcome import Status
from reconciler.core.plan import ActionKind, Rail
from reconciler.report.html_assets import SCRIPT, STYLE
from reconciler.report.lines import safe
from reconciler.report.shape import ActionRow, FieldRow, OutcomeRow, Report, StatusLine
from reconciler.report.verdict import outcome_of
from reconciler.report.words import SIGNS, duration, plural, unstarted

_ORDER = (ActionKind.REFUSE, ActionKind.DELETE, ActionKind.REPLACE)  # what to look at first


def as_html(report: Report) -> str:
    """The report as an HTML document."""
    title = " ".join(p for p in ("aci-reconcile", report.command, report.environment or "") if p)
    body = "\n".join(_body(report, title))
    return (
        "<!doctype html>\n"
        f'<html lang="en"><head><meta charset="utf-8">\n{_policy()}\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(title)}</title>\n<style>{STYLE}</style></head>\n"
        f"<body>\n{body}\n<script>{SCRIPT}</script></body></html>\n"
    )


def _policy() -> str:
    rules = f"default-src 'none'; style-src {_hash(STYLE)}; script-src {_hash(SCRIPT)}"
    rules += "; base-uri 'none'; form-action 'none'"
    return f'<meta http-equiv="Content-Security-Policy" content="{rules}">'


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _body(report: Report, title: str) -> Iterator[str]:
    yield f"<header><h1>{_text(title)}</h1>{_facts(report)}</header><main>"
    yield from _alerts(report)
    rows = [*_groups(report)]
    if rows:
        yield _filter(report)
        yield f'<section id="groups" aria-label="groups">{"".join(rows)}</section>'
    else:
        yield "<p>No groups.</p>"
    yield from _tail(report)
    yield "</main>"


def _facts(report: Report) -> str:
    facts = [
        ("outcome", outcome_of(report)),
        ("exit code", str(int(report.exit_code))),
        ("owner", report.owner),
        ("subscription", report.subscription),
        ("digest", report.digest),
        ("scope", "" if report.is_complete else "partial: nothing is removed"),
    ]
    if report.binding is not None:
        facts += [("plan", report.binding.plan_id)]
        facts += [("expires", f"{report.binding.expires:%Y-%m-%d %H:%M} UTC")]
    items = (f"<dt>{name}</dt><dd>{_text(value)}</dd>" for name, value in facts if value)
    return f"<dl>{''.join(items)}</dl>"


def _alerts(report: Report) -> Iterator[str]:
    """What stops everything, or was lost."""
    for outcome in report.outcomes:
        if outcome.is_stranded:
            says = f"{outcome.action.target} was deleted and not created again"
            yield f'<p class="alarm" role="alert">STRANDED: {_text(says)}</p>'
    yield from map(_rail, report.rails)


def _rail(rail: Rail) -> str:
    allow = f"<code>{_text(rail.allow)}</code>" if rail.allow else ""
    return f'<p class="alarm"><b>{_text(rail.rule)}</b> {_text(rail.says)} {allow}</p>'


def _filter(report: Report) -> str:
    kinds = sorted({one.kind.value for one in report.actions})
    boxes = "".join(
        f'<label><input type="checkbox" checked value="{kind}"> {kind}</label>' for kind in kinds
    )
    return (
        '<form id="filter" hidden><label>filter <input type="search" id="text" '
        f'placeholder="name, field or reason"></label> {boxes} '
        '<output id="count" aria-live="polite"></output></form>'
    )


def _groups(report: Report) -> Iterator[str]:
    if report.outcomes or report.kind.value == "Result":
        yield from map(_outcome, sorted(report.outcomes, key=_urgency_of_outcome))
        for action in unstarted(report):
            yield _group(action, badge="no outcome", mark="change", opening="")
        return
    if report.drift is not None:
        for row in report.drift.rows:
            inner = f"<p>{_text(row.says)}</p>"
            mark = "bad" if row.counts else "dim"
            yield _details(str(row.target), row.category.value, mark, row.category.value, inner)
        for untold in report.drift.untold:
            yield f'<p class="alarm">could not be told: {_text(untold.says)}</p>'
    for action in sorted(report.actions, key=_urgency):
        yield _group(action, badge=action.kind.value, mark=SIGNS[action.kind][1], opening="")
    yield from map(_status, report.lines)


def _urgency(action: ActionRow) -> tuple[int, str]:
    is_last = action.kind is ActionKind.NO_OP
    place = _ORDER.index(action.kind) if action.kind in _ORDER else len(_ORDER) + is_last
    return place, action.target.address


def _urgency_of_outcome(outcome: OutcomeRow) -> tuple[bool, bool, str]:
    is_well = outcome.status is Status.SUCCEEDED
    return not outcome.is_stranded, is_well, outcome.action.target.address


def _group(action: ActionRow, *, badge: str, mark: str, opening: str) -> str:
    facts = [action.why, *action.costs, *action.notes, action.trouble]
    inner = opening + "".join(f"<p>{_text(fact)}</p>" for fact in facts if fact)
    inner += f"<p>allow: <code>{_text(action.allow)}</code></p>" if action.allow else ""
    inner += "".join(
        f"<p>runs {_text(name)} <code>{_text(image)}</code></p>"
        for name, image in action.containers
        if action.kind is ActionKind.CREATE
    )
    inner += _fields(action.fields)
    inner += f"<p class=dim>{_text(action.file)}:{action.line}</p>" if action.file else ""
    return _details(str(action.target), badge, mark, action.kind.value, inner)


def _fields(fields: Iterable[FieldRow]) -> str:
    rows = "".join(map(_field, fields))
    if not rows:
        return ""
    head = "<tr><th>field</th><th>before</th><th>after</th><th>effect</th></tr>"
    return f'<div class="wide"><table>{head}{rows}</table></div>'


def _field(field: FieldRow) -> str:
    moved = "" if field.origin is Origin.UNKNOWN else f" ({field.origin.value})"
    return (
        f"<tr><td><code>{_text(field.pointer)}</code></td><td><del>{_text(field.before)}</del></td>"
        f"<td><ins>{_text(field.after)}</ins></td>"
        f"<td>{field.effect.name.lower()}{moved}</td></tr>"
    )


def _outcome(outcome: OutcomeRow) -> str:
    took = duration(outcome.took)
    facts = [outcome.says, outcome.hint, outcome.code, outcome.request_id, outcome.health]
    opening = "".join(f"<p>{_text(fact)}</p>" for fact in facts if fact)
    opening += f"<p class=dim>took {took}</p>" if took else ""
    for trouble in outcome.troubles:
        events = "".join(f"<li>{_text(event)}</li>" for event in trouble.events)
        ended = "" if trouble.exit_code is None else f", exit code {trouble.exit_code}"
        opening += (
            f"<p>{_text(trouble.container)}: {_text(trouble.state)}{ended}</p><ul>{events}</ul>"
        )
    for log in outcome.logs:
        opening += f"<h3>log of {_text(log.container)}</h3><pre>{_block(log.text)}</pre>"
    is_well = outcome.status is Status.SUCCEEDED
    badge = f"{outcome.action.kind.value} {outcome.status.value}"
    return _group(outcome.action, badge=badge, mark="good" if is_well else "bad", opening=opening)


def _status(line: StatusLine) -> str:
    facts = [line.provisioning, line.state, line.address, line.note]
    inner = "".join(f"<p>{_text(fact)}</p>" for fact in facts if fact)
    mark = "good" if line.sync == "in sync" else "change"
    return _details(str(line.target), line.sync, mark, line.sync, inner)


def _details(name: str, badge: str, mark: str, kind: str, inner: str) -> str:
    is_open = " open" if mark in ("bad", "loud", "replace") else ""
    return (
        f'<details data-kind="{escape(kind)}"{is_open}><summary><span class="badge {mark}">'
        f"{_text(badge)}</span> {_text(name)}</summary>{inner}</details>\n"
    )


def _tail(report: Report) -> Iterator[str]:
    if report.orphans:
        items = "".join(f"<li>{_text(f'{o.target}: {o.note}')}</li>" for o in report.orphans)
        yield f"<h2>{plural(len(report.orphans), 'orphan')}, left alone</h2><ul>{items}</ul>"
    if report.notes:
        yield "<h2>Notes</h2><ul>" + "".join(f"<li>{_text(n)}</li>" for n in report.notes) + "</ul>"
    if report.findings:
        items = "".join(map(_finding, report.findings))
        yield f"<h2>{plural(len(report.findings), 'finding')}</h2><ul>{items}</ul>"


def _finding(finding: Finding) -> str:
    hint = f"; {finding.hint}" if finding.hint else ""
    says = f"{finding.where}: {finding.rule} {finding.path}: {finding.says}{hint}"
    return f'<li class="{"bad" if finding.is_error else "change"}">{_text(says)}</li>'


def _text(value: str) -> str:
    """A text of others on one line, harmless."""
    return escape(safe(value).encode("utf-8", "replace").decode("utf-8"))


def _block(value: str) -> str:
    """A text of others with its lines."""
    return "\n".join(map(_text, value.splitlines()))
