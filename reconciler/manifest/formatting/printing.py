"""A file's layout as text in the one style: two blanks a level, one blank line at most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.manifest.formatting.layout import Entry, Kind, Node, Page, Remark
from reconciler.manifest.formatting.quotes import needs_quotes

_WIDTH = 100  # characters of a line beyond which a collection in brackets is written in lines
_STEP = 2
_LONGEST_KEY = 1000  # characters; YAML wants a `?` before a key of more than 1024


def printed(pages: Sequence[Page]) -> str:
    """The whole file."""
    lines: list[str] = []
    for number, page in enumerate(pages):
        lines += _page(page, is_first=number == 0, after_closed=number > 0 and _ends(pages, number))
    return "".join(f"{line}\n" for line in _without_blanks_after_kept(lines))


class _Kept(str):
    """A line of a block scalar that keeps its last line breaks: a blank line below would be one."""

    __slots__ = ()


def _without_blanks_after_kept(lines: Sequence[str]) -> Iterator[str]:
    is_kept = False
    for line in lines:
        if line or isinstance(line, _Kept) or not is_kept:
            is_kept = isinstance(line, _Kept)
            yield line


def _ends(pages: Sequence[Page], number: int) -> bool:
    return pages[number - 1].is_closed


def _page(page: Page, *, is_first: bool, after_closed: bool) -> list[str]:
    lines = _remarks(page.opening, 0)
    lines += page.directives
    if page.is_marked or page.directives or not (is_first or after_closed):
        lines.append(_with(("---",), page.beside))
    lines += _remarks(page.above, 0, is_first=page.is_marked or is_first)
    if page.root is not None:
        if page.above and page.is_parted:
            lines.append("")
        lines += _root(page.root)
    lines += _remarks(page.below, 0, is_first=page.root is None and not page.above)
    if page.is_closed:
        lines.append(_with(("...",), page.closing))
    return lines


def _root(node: Node) -> list[str]:
    if not node.entries:
        return [_with((*_properties(node), _inline(node) or ""), node.beside)]
    head = " ".join(_properties(node))
    inline = _inline(node) if node.is_flow and not node.is_commented else None
    if inline is not None and len(inline) + len(head) < _WIDTH:
        return [_with((head, inline), node.beside)]
    beside = [node.beside] if node.beside else []
    return [*beside, *([head] if head else []), *_entries(node, 0)]


def _entries(node: Node, indent: int) -> list[str]:
    lines: list[str] = []
    for entry in node.entries:
        if not entry.value.entries:  # there is no line inside for a comment to stand on
            entry.above, entry.value.below = entry.above + entry.value.below, []
        if node.kind is Kind.MAPPING:
            lines += _led(entry, entry.above, indent, is_first=not lines)
            lines += _pair(entry, indent)
        else:
            lines += _item(entry, indent, is_first=not lines)
    return lines + _remarks(node.below, indent, is_first=not lines)


def _led(entry: Entry, above: list[Remark], indent: int, *, is_first: bool) -> list[str]:
    lines = _remarks(above, indent, is_first=is_first)
    if entry.is_parted and (lines or not is_first):
        lines.append("")
    return lines


def _remarks(remarks: Sequence[Remark], indent: int, *, is_first: bool = False) -> list[str]:
    lines: list[str] = []
    for remark in remarks:
        if remark.is_parted and (lines or not is_first):
            lines.append("")
        lines.append(" " * indent + remark.text)
    return lines


def _pair(entry: Entry, indent: int) -> list[str]:
    key = entry.key
    assert key is not None  # it is an entry of a mapping
    name = " ".join((*_properties(key), _key(key, in_flow=False)))
    if "\n" in name or len(name) > _LONGEST_KEY:
        lines = _lines_of(f"{' ' * indent}? ", name, indent)
        return lines + _valued(f"{' ' * indent}:", entry, indent)
    sign = " :" if key.kind is Kind.ALIAS else ":"
    return _valued(" " * indent + name + sign, entry, indent)


def _item(entry: Entry, indent: int, *, is_first: bool) -> list[str]:
    node, dash = entry.value, " " * indent + "-"
    if not node.is_collection or _fits(dash, node):
        return [*_led(entry, entry.above, indent, is_first=is_first), *_valued(dash, entry, indent)]
    # Comments before the first entry move above the dash, so that this entry can stand beside it.
    above = [*entry.above]
    above += [Remark(beside) for beside in (entry.beside, node.beside) if beside]
    properties = " ".join(_properties(node))
    first = node
    while not properties and first.entries:
        start = first.entries[0]
        above += start.above
        start.above = []
        start.is_parted = False
        if first.kind is Kind.MAPPING:
            break
        if (
            not start.value.is_collection
            or _fits(dash, start.value)
            or any(_properties(start.value))
        ):
            break
        above += [Remark(text) for text in (start.beside, start.value.beside) if text]
        start.beside = start.value.beside = ""
        first = start.value
    lines = _led(entry, above, indent, is_first=is_first)
    body = _entries(node, indent + _STEP)
    if properties:
        return [*lines, f"{dash} {properties}", *body]
    return [*lines, f"{dash} {body[0].lstrip(' ')}", *body[1:]]


def _valued(head: str, entry: Entry, indent: int) -> list[str]:
    """The lines of a value after `head`, which stands at `indent`."""
    node = entry.value
    if node.kind is Kind.SCALAR:
        return _scalar_lines(head, node, indent)
    if not node.is_collection or _fits(head, node):
        return [_with((head, *_properties(node), _inline(node) or ""), node.beside or entry.beside)]
    beside = entry.beside or node.beside
    return [_with((head, *_properties(node)), beside), *_entries(node, indent + _STEP)]


def _scalar_lines(head: str, node: Node, indent: int) -> list[str]:
    head = " ".join((head, *_properties(node)))
    if node.style and node.style in "|>":
        _, *body = node.source.split("\n")
        inner = " " * (indent + _STEP)
        header = _header(node)
        shown = [f"{inner}{line}" if line else "" for line in body]
        is_kept = header.endswith("+")
        return [_with((head, header), node.beside), *(map(_Kept, shown) if is_kept else shown)]
    text = _scalar(node, in_flow=False)
    lines = _lines_of(f"{head} " if text else head, text, indent)
    lines[-1] = _with((lines[-1],), node.beside)
    return lines


def _lines_of(head: str, text: str, indent: int) -> list[str]:
    first, *others = text.split("\n")
    inner = " " * (indent + _STEP)
    return [head + first, *(inner + line.lstrip() if line.strip() else "" for line in others)]


def _header(node: Node) -> str:
    """The header of a block scalar: its indentation is ours, how it ends follows from its value."""
    first = next((line for line in node.value.split("\n") if line.strip(" ")), "")
    leads = node.value.split("\n", 1)[0]
    depth = str(_STEP) if first.startswith(" ") or (leads and not leads.strip(" ")) else ""
    if not node.value.strip("\n"):
        ends = "+" if "+" in node.source.partition("\n")[0] else ""
    elif not node.value.endswith("\n"):
        ends = "-"
    else:
        ends = "+" if node.value.endswith("\n\n") else ""
    return f"{node.style}{depth}{ends}"


# In brackets


def _fits(head: str, node: Node) -> bool:
    """Whether a collection is written in brackets, behind `head`."""
    if not node.entries:
        return not node.below
    if not node.is_flow or node.is_commented:
        return False
    inline = _inline(node)
    if inline is None:
        return False
    width = len(" ".join((head, *_properties(node), inline)))
    # A comment beside it is about all that stands on this line, and would be about less.
    return width <= _WIDTH or (bool(node.beside) and node.is_one_line)


def _inline(node: Node) -> str | None:
    """The value on one line, None where it takes several."""
    if node.kind is Kind.ALIAS:
        return node.source
    if node.kind is Kind.SCALAR:
        text = _scalar(node, in_flow=True)
        return None if "\n" in text else text
    parts: list[str] = []
    for entry in node.entries:
        value = _inline(entry.value)
        key = _inline_key(entry.key)
        if value is None or key is None:
            return None
        parts.append(" ".join(filter(None, (key, *_properties(entry.value), value))))
    inside = ", ".join(parts)
    return f"{{{inside}}}" if node.kind is Kind.MAPPING else f"[{inside}]"


def _inline_key(key: Node | None) -> str | None:
    if key is None:
        return ""
    name = _key(key, in_flow=True)
    if "\n" in name or len(name) > _LONGEST_KEY:
        return None
    sign = " :" if key.kind is Kind.ALIAS else ":"
    return " ".join((*_properties(key), name)) + sign


# Scalars


def _key(node: Node, *, in_flow: bool) -> str:
    return node.source if node.kind is Kind.ALIAS else _scalar(node, in_flow=in_flow, is_key=True)


def _scalar(node: Node, *, in_flow: bool, is_key: bool = False) -> str:
    """A scalar without the quotes that it does not need, and otherwise as it was written."""
    text = node.source
    is_quoted = bool(node.style) and node.style in "'\""
    if not is_quoted:
        return text or ("null" if in_flow and not node.tag else "")
    if node.tag or "\\" in text or "\n" in text:
        return text
    if not needs_quotes(node.value, in_flow=in_flow, is_key=is_key):
        return node.value
    return f'"{node.value}"' if node.value.isprintable() and '"' not in node.value else text


def _properties(node: Node) -> tuple[str, ...]:
    return tuple(filter(None, (node.anchor, node.tag)))


def _with(parts: Sequence[str], comment: str) -> str:
    # Two blanks before a comment, as yamllint wants it.
    return "  ".join(filter(None, (" ".join(filter(None, parts)), comment)))
