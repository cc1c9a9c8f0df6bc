"""Pieces of HTML: every text of others passes `text` or `block` here, and becomes harmless."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from urllib.parse import quote

from reconciler.core.ids import ResourceGroupId, Target
from reconciler.report.lines import Line, safe


def text(value: str) -> str:
    """A text of others on one line, as text or as a quoted attribute."""
    return escape(safe(value))


def block(value: str) -> str:
    """A text of others with its lines."""
    lines = value.replace("\r\n", "\n").rstrip("\n").split("\n")
    return "\n".join(text(line.expandtabs(8)) for line in lines)


def code(value: str) -> str:
    """A text of others to be read letter by letter."""
    return f"<code>{text(value)}</code>"


def path(value: str) -> str:
    """A path of others, which breaks where a member ends."""
    return f"<code>{text(value).replace('/', '/<wbr>')}</code>"


def command(value: str) -> str:
    """What is there to be pasted: one click selects it."""
    return f'<code class="command">{text(value)}</code>'


def spans(line: Line) -> str:
    """A line of the text for people, with its styles as classes; its parts are harmless already."""
    return "".join(
        f'<span class="{style}">{escape(part)}</span>' if style else escape(part)
        for part, style in line.spans
    )


def pill(word: str, style: str) -> str:
    """A word that says at a glance what something is."""
    return f'<span class="pill {style}">{text(word)}</span>'


def listed(items: Iterable[str]) -> str:
    """Pieces of HTML as a list, nothing where there are none."""
    found = "".join(f"<li>{item}</li>" for item in items)
    return f"<ul>{found}</ul>" if found else ""


def facts(pairs: Iterable[tuple[str, str]], *, style: str = "") -> str:
    """Names with pieces of HTML; a pair whose piece is empty is left out."""
    found = "".join(f"<div><dt>{n}</dt> <dd>{v}</dd></div>" for n, v in pairs if v)
    return f'<dl class="{style}">{found}</dl>' if found else ""


def anchor(target: Target) -> str:
    """What stands after the `#` in the address of a group's block, in lower case as ARM compares.

    It always holds a slash, which no other id of the page does.
    """
    tail = "/" if isinstance(target, ResourceGroupId) else ""
    return quote(f"{target}{tail}".lower(), safe="/")
