"""A file's text without the secrets that are written down in it, for a diff that people see."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.jsonval import Json
from reconciler.core.mask import HIDDEN, disclosed, looks_secret
from reconciler.manifest.formatting.key_order import kind_of
from reconciler.manifest.formatting.layout import Kind, Node, pages
from reconciler.manifest.schemas import Kind as Document
from reconciler.manifest.source import parse


def masked(file: str, raw: bytes) -> str:
    """The text of a file that the loader takes, each secret in it as `(hidden)`, a line a line."""
    text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    documents = iter(parse(file, raw)[0])
    hidden: list[Node] = []
    for page in pages(text):
        if page.root is not None:
            data: Json = next(documents).data
            is_project = kind_of(page.root) is Document.PROJECT
            shown = _without_settings(data) if is_project else disclosed((), data)
            found = list(_hidden(page.root, data, shown))
            aliased = {f"&{node.source[1:]}" for node in found if node.kind is Kind.ALIAS}
            hidden += found + [node for node in page.root.nodes() if node.anchor in aliased]
    for first, end in sorted({node.span for node in hidden}, reverse=True):
        lines = text[first:end].rstrip("\n").count("\n") + 1
        rest = "\n" if text[first:end].endswith("\n") else ""
        text = text[:first] + "\n".join([HIDDEN] * lines) + rest + text[end:]
    return text


def _without_settings(data: Json, name: str = "") -> Json:
    """A project file, in which only names tell what is secret."""
    if isinstance(data, dict):
        return {key: _without_settings(value, key) for key, value in data.items()}
    is_secret = isinstance(data, str) and (name == "secretKey" or looks_secret(name))
    return HIDDEN if is_secret else data


def _hidden(node: Node, data: Json, shown: Json) -> Iterator[Node]:
    """The nodes below `node` whose value, `data`, is shown as something else."""
    if data == shown:
        return
    if not isinstance(shown, dict | list) or not node.entries:
        yield node
        return
    for index, entry in enumerate(node.entries):
        match data, shown:
            case dict(), dict() if entry.key is not None and entry.key.value in data:
                name = entry.key.value
                yield from _hidden(entry.value, data[name], shown[name])
            case list(), list():
                yield from _hidden(entry.value, data[index], shown[index])
            case _:  # what `<<` brings: it may hold any of it
                yield entry.value
