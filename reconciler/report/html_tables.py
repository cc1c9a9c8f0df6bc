"""Groups as `status` sees them, and findings, as tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.core.finding import Finding
from reconciler.report.html_markup import anchor, code, path, pill, text
from reconciler.report.shape import StatusLine

_LINE = ("Group", "Sync", "Provisioning", "State", "Restarts", "Address", "Note")
_FINDING = ("Where", "Severity", "Rule", "Finding")


def status_table(lines: Sequence[StatusLine]) -> str:
    """A row a group, in that order."""
    return _table(_LINE, map(_line, lines))


def in_order(lines: Sequence[StatusLine]) -> list[StatusLine]:
    """Those that are missing first, those that are in sync last, each by name."""
    ranks = {"missing": 0, "in sync": 2}
    return sorted(lines, key=lambda one: (ranks.get(one.sync, 1), one.target.address))


def finding_table(findings: Sequence[Finding], *, is_filtered: bool) -> str:
    """A row a finding, errors first; the filter concerns them where nothing else is told."""
    ranked = sorted(findings, key=lambda finding: not finding.is_error)
    return _table(_FINDING, (_finding(one, is_filtered=is_filtered) for one in ranked))


def _table(head: Sequence[str], rows: Iterable[str]) -> str:
    cells = "".join(f'<th scope="col">{name}</th>' for name in head)
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _line(one: StatusLine) -> str:
    style = "good" if one.sync == "in sync" else "bad" if one.sync == "missing" else "change"
    restarts = "" if one.restarts is None else str(one.restarts)
    cells = (
        pill(one.sync, style) if one.sync else "",
        text(one.provisioning),
        text(one.state),
        restarts,
        code(one.address) if one.address else "",
        text(one.note),
    )
    labelled = zip(_LINE[1:], cells, strict=True)
    return (
        f'<tr id="{text(anchor(one.target))}" data-kinds="{text(one.sync)}" tabindex="-1">'
        f'<th scope="row" class="name">{text(str(one.target))}</th>'
        + "".join(f'<td data-label="{name}">{cell}</td>' for name, cell in labelled)
        + "</tr>"
    )


def _finding(finding: Finding, *, is_filtered: bool) -> str:
    word = finding.severity.value
    place = f"{path(finding.path)}: " if finding.path else ""
    hint = f"; try {code(finding.hint)}" if finding.hint else ""
    about = f"<small>{text(finding.about)}</small>" if finding.about else ""
    kinds = f' data-kinds="{word}"' if is_filtered else ""
    return (
        f'<tr{kinds}><th scope="row">{code(str(finding.where))}</th>'
        f"<td>{pill(word, 'bad' if finding.is_error else 'change')}</td>"
        f"<td>{code(finding.rule)}</td><td>{place}{text(finding.says)}{hint}{about}</td></tr>"
    )
