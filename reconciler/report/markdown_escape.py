r"""Texts of others inside GitHub's Markdown: always text, never structure, never a ping.

Everything is put on one line by `lines.safe` first. What could be structure is written as a
character reference, which is none by definition (CommonMark 6.2); backslashes would not do, since
tables unescape `\|` before the rest is read, also within code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

from reconciler.report.lines import safe

_REFERENCES = {char: f"&#{ord(char)};" for char in "\\`*_{}[]|~$^"}
_REFERENCES |= {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
_TABLE = str.maketrans(_REFERENCES)
_INSIDE = re.compile(r"(?<=[A-Za-z0-9])&#95;(?=[A-Za-z0-9])")  # within a word `_` says nothing
# A reference or a backslash is no help where GitHub looks for these: it reads the text as it is
# shown (cmark-gfm issue 181). An empty comment parts them, and is not copied with them.
_BREAK = "<!-- -->"
_PINGS = re.compile(r"([@#])(?=\S)|\b(GH)(?=-\d)", re.IGNORECASE)
_LINKS = re.compile(r":(?=//)|(?<=www)\.", re.IGNORECASE)  # addresses become links by themselves
_PLAIN = re.compile(r"[^`|\\\s](?:[^`|\\]*[^`|\\\s])?")
_TICKS = re.compile(r"`+")
_LEADS = re.compile(r"[-+=#]|\d{1,9}(?=[.)])")  # would begin a list or a heading, or underline one


def prose(text: str) -> str:
    """`text` as running text, fit for a paragraph, a list item and a table cell."""
    found = _INSIDE.sub("_", safe(text).strip().translate(_TABLE))
    found = _LINKS.sub(lambda match: f"&#{ord(match[0])};", found)
    # After the rest, so that the `#` of a character reference is not taken for one of the text.
    found = _parted(found)
    return _LEADS.sub(_led, found, count=1) if _LEADS.match(found) else found


def _parted(text: str) -> str:
    pieces = re.split(r"(&(?:#\d+|[a-z]+);)", text)
    pieces[::2] = [_PINGS.sub(lambda match: match[0] + _BREAK, piece) for piece in pieces[::2]]
    # A `#` or `@` that ends a piece stands before a reference: no name begins with those.
    return "".join(pieces)


def _led(match: re.Match[str]) -> str:
    first = match[0]
    return f"&#{ord(first[0])};{first[1:]}"


def code(text: str) -> str:
    """`text` as code, in which GitHub looks for no names; fit for where `prose` is."""
    found = safe(text)
    if _PLAIN.fullmatch(found):
        return f"`{found}`"
    return f"<code>{_in_code(found)}</code>" if found.strip() else "`(empty)`"


def _in_code(text: str) -> str:
    """`text` between `<code>` and `</code>` in a line of Markdown."""
    found = text.translate(_TABLE)
    return _LINKS.sub(lambda match: f"&#{ord(match[0])};", found)


def html(text: str) -> str:
    """`text` inside a line of HTML, such as a `<summary>`, in which no Markdown is read."""
    return safe(text).translate(_TABLE)


def fence(lines: Iterable[str], *, info: str = "") -> str:
    """The lines, each made safe, as a block of code that none of them can end."""
    body = [safe(line) for line in lines]
    longest = max((len(run) for line in body for run in _TICKS.findall(line)), default=0)
    ticks = "`" * max(3, longest + 1)
    return "\n".join([f"{ticks}{info}", *body, ticks])


def marker(*names: str) -> str:
    """A comment that nobody sees, by which a program finds what it wrote before."""
    # A comment ends at `-->`; hyphens are doubled nowhere, so that no parser is in doubt.
    quoted = (quote(name, safe="/", errors="surrogatepass") for name in names)
    return f"<!-- aci-reconcile:{':'.join(quoted).replace('--', '-%2D')} -->"


def row(cells: Iterable[str]) -> str:
    """Cells that are Markdown already, as a line of a table."""
    return f"| {' | '.join(cells)} |"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table with at least its head."""
    names = list(head)
    return "\n".join([row(names), row("--" for _ in names), *(row(cells) for cells in rows)])
