"""How findings name paths and values."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from reconciler.core.jsonval import Json, WirePath

_LONGEST = 60


def shown_path(path: WirePath) -> str:
    """`containers[0].resources.limits.cpu`: ARM's wrapping `properties` are left out inside."""
    text = ""
    for index, part in enumerate(path):
        if isinstance(part, int):
            text += f"[{part}]"
        elif part != "properties" or index == len(path) - 1:
            word = part if part.replace("_", "").replace("-", "").isalnum() else quoted(part)
            text += f".{word}" if text else word
    return text


def quoted(text: str) -> str:
    """`text` in quotes on one line, clipped, with nothing a terminal would obey."""
    return repr(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")


def described(value: Json, *, secret: bool = False) -> str:
    """What `value` is, for "got …"; of a secret only its type."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "a boolean" if secret else str(value).lower()
        case int() | float():
            return "a number" if secret else f"the number {number(value)}"
        case str():
            return "a string" if secret else quoted(value)
        case list():
            return "a list" if value else "an empty list"
        case _:
            return "a mapping" if value else "an empty mapping"


def number(value: float) -> str:
    """A number as people write it."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def near(word: str, known: Iterable[str]) -> str:
    """The known word that `word` was most likely meant to be, empty for none."""
    folded = {name.lower(): name for name in known}
    found = get_close_matches(word.lower(), folded, n=1, cutoff=0.7)
    return folded[found[0]] if found else ""


def listed(words: Iterable[str]) -> str:
    """`'a', 'b' or 'c'`."""
    names = [quoted(word) for word in words]
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
