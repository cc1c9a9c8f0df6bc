"""The only way a value becomes text for people.

What is hidden goes by position (write-only properties), by the names people choose (variables,
headers, command flags) and by values that carry credentials in themselves (a URL with a password).
When in doubt a value is hidden: that it changed is said, what it was is not.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NewType
from urllib.parse import quote, quote_plus

from reconciler.core.jsonval import Json, Path
from reconciler.core.properties import Access, row_of

Shown = NewType("Shown", str)

HIDDEN = Shown("(hidden)")
ABSENT = Shown("(absent)")

_LONGEST = 200
_SHORTEST_SCRUBBED = 4  # shorter texts occur by chance, and hiding them garbles everything
_SHORTEST_INSIDE = 6  # characters of base64, 36 bits
_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)?$|passw|pwd|secret|token|api[-_]?key|access[-_]?key|account[-_]?key"
    r"|(private|signing|encryption|storage|master|shared|host)[-_]?key|credential|(^|[-_])key$"
    r"|conn(ection)?[-_]?str|sas[-_]?(key|url)|(^|[-_])(auth|jwt|pw)$",
    re.IGNORECASE,
)
_SECRET_HEADER = re.compile(r"authorization|cookie", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    # A user, or user and password, in a URL; bounded, so that no text is slow to judge.
    r"://([^\s@/?#]{1,200}|[^\s@/:]{0,200}:[^\s@]{1,200})@"
    # An assignment in a command, a connection string or JSON, or a flag with its argument.
    r"|(password|passwd|pwd|secret|token|api[-_]?key|(account|access|shared\w{0,40})[-_]?key)"
    r"(=|[\"']\s{0,9}:\s{0,9})[^\s;&]"
    r"|(^|\s)--?[\w-]{0,40}(password|passwd|secret|token|api[-_]?key)\s{1,9}[^\s-]"
    r"|[?&]sig=[^\s&]"  # a shared access signature
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|\b(bearer|basic)\s+[\w+/=.~-]{8}",
    re.IGNORECASE,
)


def looks_secret(name: str) -> bool:
    """Whether a name suggests that its value should not be printed."""
    return _SECRET_NAME.search(name) is not None


def show(
    path: Path, value: Json, *, sensitive: bool = False, longest: int | None = _LONGEST
) -> Shown:
    """`value` of the field at `path` as text, or `(hidden)` where it may be a secret.

    Inside an element that appears or disappears as a whole, each member is judged by its own name.
    Text above `longest` characters is cut and ends in `…`.
    """
    if value is None:
        return ABSENT
    if is_hidden(path, value, sensitive=sensitive):
        return HIDDEN
    text = json.dumps(disclosed(path, value), ensure_ascii=False, sort_keys=True)
    if longest is None or len(text) <= longest:
        return Shown(text)
    return Shown(text[: longest - 1] + "…")


def is_hidden(path: Path, value: Json, *, sensitive: bool = False) -> bool:
    """Whether `show` would say `(hidden)` and nothing else."""
    if sensitive or _is_secret_place(path):
        return True
    return isinstance(value, str) and _SECRET_VALUE.search(value) is not None


def disclosed(path: Path, value: Json) -> Json:
    """`value` with `(hidden)` in the place of every member that `show` would hide."""
    if is_hidden(path, value):
        return str(HIDDEN)
    if isinstance(value, dict):
        return {name: disclosed((*path, name), item) for name, item in value.items()}
    if isinstance(value, list):
        return [_item(path, value, index) for index in range(len(value))]
    return value


def _item(path: Path, items: list[Json], index: int) -> Json:
    item = items[index]
    if isinstance(item, dict) and isinstance(item.get("name"), str):
        return disclosed((*path, str(item["name"])), item)
    before = items[index - 1] if index else None
    if isinstance(before, str) and before.startswith("-") and looks_secret(before):
        return str(HIDDEN)  # `--password hunter2`: the flag stands in the item before
    return disclosed(path, item)


@lru_cache(maxsize=1 << 14)  # the groups of a fleet have the same places
def _is_secret_place(path: Path) -> bool:
    row = row_of(path)
    if row is not None and row.access is Access.WRITE_ONLY:
        return True
    # Only names that people choose are judged: `secret` and `password` are also ARM's own words.
    return any(
        (holder == "environmentVariables" and looks_secret(name))
        or (holder == "httpHeaders" and (looks_secret(name) or bool(_SECRET_HEADER.search(name))))
        for holder, name in pairwise(path)
    )


def scrubbed(text: str, secrets: Iterable[str | None]) -> str:
    """`text` of others without the secrets of a group, should it quote one in whatever encoding."""
    return scrubber(secrets)(text) if text else text


def scrubber(secrets: Iterable[str | None]) -> Callable[[str], str]:
    """What makes a text `scrubbed`, for many texts."""
    return _scrubber(frozenset(secret for secret in secrets if secret))


@lru_cache(maxsize=512)  # a group's secrets are asked for by each of its rows, steps and effects
def _scrubber(secrets: frozenset[str]) -> Callable[[str], str]:
    known = {spelled for secret in secrets for spelled in _spellings(secret)}
    # The longest first, so that a secret that contains another one leaves nothing behind.
    ordered = sorted(known, key=lambda spelled: (-len(spelled), spelled))

    def scrub(text: str) -> str:
        for spelled in ordered:
            text = text.replace(spelled, HIDDEN)
        return text

    return scrub


def _spellings(secret: str) -> Iterator[str]:
    """A secret and its lines, each as the usual encodings write it."""
    for text in dict.fromkeys((secret, *_lines(secret))):
        if len(text) >= _SHORTEST_SCRUBBED:
            raw = text.encode("utf-8", "surrogatepass")
            yield from (text, raw.hex())
            # Without the padding, which encoders leave out in URLs.
            yield from (
                encode(raw).decode().rstrip("=") for encode in (b64encode, urlsafe_b64encode)
            )
            yield from _inside_base64(raw)
            yield from (spell(text) for spell in _ESCAPES)


def _inside_base64(raw: bytes) -> Iterator[str]:
    """What base64 of a longer text holds of it, `user:password` above all, at each alignment.

    The characters at both ends are left out, for they depend on what stands beside.
    """
    for before, mixed in ((0, 0), (1, 2), (2, 3)):
        whole = b64encode(b"\0" * before + raw).decode().rstrip("=")
        end = -1 if (before + len(raw)) % 3 else None
        inner = whole[mixed:end]
        if len(inner) >= _SHORTEST_INSIDE:
            yield inner
            yield inner.replace("+", "-").replace("/", "_")


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield line
        yield line.strip()


def _in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _in_json_of_unicode(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _in_url(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")


_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
# Azure's messages quote JSON in JSON, gateways HTML, and URLs are everywhere.
_ESCAPES: tuple[Callable[[str], str], ...] = (
    _in_json,
    _in_json_of_unicode,
    lambda text: _in_json(text).replace("/", "\\/"),
    lambda text: _in_json(_in_json(text)),
    lambda text: _in_json_of_unicode(_in_json_of_unicode(text)),
    _in_url,
    lambda text: re.sub("%..", lambda found: found[0].lower(), _in_url(text)),
    lambda text: quote(text, errors="surrogatepass"),
    lambda text: quote_plus(text, errors="surrogatepass"),
    lambda text: text.translate(_HTML),
    lambda text: text.translate({**_HTML, ord('"'): '"', ord("'"): "'"}),
    lambda text: repr(text)[1:-1],
)
