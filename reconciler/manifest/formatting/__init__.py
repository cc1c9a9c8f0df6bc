"""The one style of manifests, patches and project files.

A file is taken apart as its author laid it out (`walking`, `layout`), its keys are put in order
(`key_order`), and it is written anew (`printing`). Only what lies between values changes, and
quotes that no reader of YAML needs. Whether all of it is still there is checked each time.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from reconciler.core.finding import Finding
from reconciler.core.jsonval import Json
from reconciler.errors import ReconcilerError
from reconciler.manifest.formatting.key_order import is_manifest, order
from reconciler.manifest.formatting.layout import Node, Page, Remark
from reconciler.manifest.formatting.printing import printed
from reconciler.manifest.formatting.walking import pages
from reconciler.manifest.source import parse

__all__ = ["FormatRefused", "format_text", "formatted", "is_ours"]

_ODD_BREAKS = re.compile("[\r\x85\u2028\u2029]")  # YAML breaks lines there, and few know
_MODELINE = re.compile(r"#\s*yaml-language-server:")
_DIRECTIVE = re.compile(r"#\s*aci-reconcile:")  # about the line below it, wherever that goes


class FormatRefused(ReconcilerError):
    """A text cannot be formatted; it is as it was."""


def format_text(text: str) -> str:
    """`text`, one or more YAML documents, in the one style.

    Raises:
        FormatRefused: it is no YAML that the loader takes, or it could not be formatted without
            a change of what it says.
    """
    made = formatted("<text>", text.encode())
    if isinstance(made, bytes):
        return made.decode()
    where = made[0].where
    says = f"{where.file}:{where.mark.line}:{where.mark.column}: {made[0].rule} {made[0].says}"
    raise FormatRefused(says)


def formatted(file: str, raw: bytes) -> bytes | tuple[Finding, ...]:
    """The bytes of `file` in the one style, or why they cannot be read.

    Lines end as the first one does. JSON stays as it is, and so does a text with breaks of lines
    that editors do not show.

    Raises:
        FormatRefused: the result would say something else.
    """
    documents, findings = parse(file, raw, noun="a manifest, a patch or a project file")
    if findings:
        return findings
    text = raw.decode("utf-8-sig")
    is_crlf = text.partition("\n")[0].endswith("\r")
    text = text.replace("\r\n", "\n")
    if _ODD_BREAKS.search(text) or _is_json(text):
        return raw
    before = pages(text)
    said = Counter(_comments(before))
    for page in before:
        _arrange(page)
    result = printed(before)
    again, problems = parse(file, result.encode())
    unchanged = _values(d.data for d in documents) == _values(d.data for d in again)
    dates = [d.dates for d in documents] == [d.dates for d in again]
    if problems or not unchanged or not dates or said != Counter(_comments(pages(result))):
        raise FormatRefused(
            f"{file}: formatting it would change what it says; it was left as it is",
            hint="please report it with the file",
        )
    return (result.replace("\n", "\r\n") if is_crlf else result).encode()


def is_ours(raw: bytes) -> bool:
    """Whether each document of a readable file is a manifest, as far as it tells itself."""
    text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    if _ODD_BREAKS.search(text):
        return False
    roots = [page.root for page in pages(text) if page.root is not None]
    return bool(roots) and all(is_manifest(root) for root in roots)


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith("{"):
        return False
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _arrange(page: Page) -> None:
    """Keys in order; a comment that heads the file stays there."""
    if page.root is None:
        return
    if page.root.entries:
        about: list[Remark] = []
        while page.above and _DIRECTIVE.match(page.above[-1].text):
            about.insert(0, page.above.pop())
        page.root.entries[0].above = about + page.root.entries[0].above
    order(page.root)
    page.above.sort(key=lambda remark: not _MODELINE.match(remark.text))


def _values(data: Iterator[Json]) -> list[str]:
    """Each document as one text, in which 1, 1.0 and true differ."""
    return [json.dumps(one, sort_keys=True) for one in data]


def _comments(layout: Sequence[Page]) -> Iterator[str]:
    for page in layout:
        yield from filter(None, (page.beside, page.closing))
        yield from (remark.text for remark in (*page.opening, *page.above, *page.below))
        if page.root is not None:
            yield from _comments_in(page.root)


def _comments_in(root: Node) -> Iterator[str]:
    for node in root.nodes():
        yield from filter(None, (node.beside, *(entry.beside for entry in node.entries)))
        yield from (remark.text for remark in node.below)
        yield from (remark.text for entry in node.entries for remark in entry.above)
