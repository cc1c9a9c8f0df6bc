"""A file's text without the secrets that are written down in it, for a diff that people see."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.jsonval import Json, JsonObject, WirePath
from reconciler.core.mask import HIDDEN, is_hidden, looks_secret
from reconciler.core.properties import write_only_names
from reconciler.manifest.formatting.key_order import kind_of
from reconciler.manifest.formatting.layout import Kind, Node
from reconciler.manifest.formatting.walking import pages
from reconciler.manifest.pointers import canonical_path
from reconciler.manifest.schemas import Kind as Document
from reconciler.manifest.source import parse


def masked(file: str, raw: bytes) -> str:
    """The text of a file that the loader takes, each secret in it as `(hidden)`, a line a line."""
    text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    documents = iter(parse(file, raw)[0])
    hidden: list[Node] = []
    for page in pages(text):
        if page.root is not None:
            is_project = kind_of(page.root) is Document.PROJECT
            found = list(_hidden(page.root, next(documents).data, (), is_project=is_project))
            aliased = {f"&{node.source[1:]}" for node in found if node.kind is Kind.ALIAS}
            hidden += found + [node for node in page.root.nodes() if node.anchor in aliased]
    for first, end in sorted({node.span for node in hidden}, reverse=True):
        lines = text[first:end].rstrip("\n").count("\n") + 1
        rest = "\n" if text[first:end].endswith("\n") else ""
        text = text[:first] + "\n".join([HIDDEN] * lines) + rest + text[end:]
    return text


def _hidden(node: Node, body: JsonObject, path: WirePath, *, is_project: bool) -> Iterator[Node]:
    """The nodes at and below `path` of a document that may hold a secret."""
    before = ""
    for index, entry in enumerate(node.entries):
        name = index if entry.key is None else entry.key.value
        here = (*path, name)
        if is_project:
            is_secret = isinstance(name, str) and (name == "secretKey" or looks_secret(name))
        else:
            is_secret = name in write_only_names() or is_hidden(
                canonical_path(body, here), _scalar(entry.value)
            )
        if is_secret or (entry.key is None and before.startswith("-") and looks_secret(before)):
            yield entry.value
        else:
            yield from _hidden(entry.value, body, here, is_project=is_project)
        before = entry.value.value  # `--password hunter2`: the flag stands in the item before


def _scalar(node: Node) -> Json:
    return node.value if node.kind is Kind.SCALAR else None
