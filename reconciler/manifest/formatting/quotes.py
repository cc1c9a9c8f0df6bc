"""Which quotes a text needs.

A text stays quoted that any YAML reader in use could take for something else: by the core schema of
YAML 1.2, which this project reads by, or by YAML 1.1, which az, Ansible and others do.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import yaml
from yaml._yaml import CParser
from yaml.resolver import Resolver

from reconciler.manifest.scalars import plain

_resolver: Any = Resolver()
_TEXT = "tag:yaml.org,2002:str"
_LETTERS = frozenset("yYnN")  # booleans in YAML 1.1 that PyYAML does not take for such
# Versions, addresses, schedules: no reader takes all of them for numbers, and people do. Signs that
# mean something elsewhere in YAML, or in a shell, are easier read in quotes.
_BETTER_QUOTED = re.compile(r"[-+]?[0-9.][0-9._:+/eE* -]*|.*[][{}&*!|>%@`$#\"'].*")


@lru_cache(maxsize=1 << 14)
def needs_quotes(text: str, *, in_flow: bool, is_key: bool = False) -> bool:
    """Whether `text` is left in quotes: without them, somebody might take it for no text."""
    if not text.isprintable() or text in _LETTERS or _BETTER_QUOTED.fullmatch(text):
        return True
    try:
        if plain(text) != text:
            return True
    except ValueError:
        return True
    if _resolver.resolve(yaml.ScalarNode, text, (True, False)) != _TEXT:
        return True
    return not _stands(text, in_flow=in_flow, is_key=is_key)


def _stands(text: str, *, in_flow: bool, is_key: bool) -> bool:
    """Whether `text` can stand without quotes at such a place."""
    pair = f"{text}: x" if is_key else f"x: {text}"
    parser: Any = CParser(f"{{{pair}, y: z}}" if in_flow else f"- {pair}\n")
    scalars = []
    try:
        while (event := parser.get_event()) is not None:
            if isinstance(event, yaml.ScalarEvent):
                scalars.append((event.value, event.implicit[0]))
    except yaml.YAMLError:
        return False
    shown = [(text, True), ("x", True)] if is_key else [("x", True), (text, True)]
    return scalars == [*shown, ("y", True), ("z", True)][: 4 if in_flow else 2]
