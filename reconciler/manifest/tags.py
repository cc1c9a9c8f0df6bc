"""Tags: what Azure takes of them, and which of them are not a manifest's to set."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from reconciler.core.finding import Finding
from reconciler.core.jsonval import Path, as_object, dig, text_map
from reconciler.manifest.document import Document
from reconciler.manifest.rules import finding
from reconciler.manifest.wording import quoted, shown_path

_OURS = "aci-reconcile-"
# ARM's limits (azure-facts F.3); of its 50 tags two are ours.
_MOST = 48
_LONGEST_KEY = 512
_LONGEST_VALUE = 256
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NOT_IN_KEYS = re.compile(r"[<>%&\\?/]")


def merged_tags(general: Mapping[str, str], special: Mapping[str, str]) -> Mapping[str, str]:
    """Both maps, `special` winning; tag keys are compared without case, as ARM does."""
    taken = {key.lower() for key in special}
    return {**{k: v for k, v in general.items() if k.lower() not in taken}, **special}


def tag_findings(
    document: Document, path: Path, beneath: Mapping[str, str] | None = None
) -> Iterator[Finding]:
    """What is wrong with the tags at `path`, which come over those `beneath`."""
    tags = as_object(dig(document.data, *path))
    seen: set[str] = set()
    for key, value in tags.items():
        place = (*path, key)
        rule, says, hint = _key(key, seen)
        if says:
            where = document.at_key(place)
            yield finding(rule, where, says, path=shown_path(place), hint=hint)
        elif says := _value(value):
            yield finding("M205", document.at(place), says, path=shown_path(place))
        seen.add(key.lower())
    count = len(merged_tags(beneath or {}, text_map(tags)))
    if tags and count > _MOST:
        says = f"expected at most {_MOST} tags, got {count}"
        says += " with the project's" if count > len(tags) else ""
        yield finding("M205", document.at(path), says, path=shown_path(path))


def _key(key: str, seen: set[str]) -> tuple[str, str, str]:
    """The rule that a key breaks, the words for it and what to try; empty words for none."""
    if key.lower().startswith(_OURS):
        says = f"expected a tag of yours, got {quoted(key)}, which aci-reconcile sets"
        return "M304", says, "removing it"
    if key.lower() in seen:
        says = f"expected each tag once, got {quoted(key)} again: Azure compares without case"
        return "M004", says, "removing one"
    says = ""
    if not key:
        says = "expected a tag with a name, got an empty one"
    elif _CONTROL.search(key):
        says = f"expected a tag name without control characters, got {quoted(key)}"
    elif found := _NOT_IN_KEYS.search(key):
        says = f"expected a tag name without {quoted(found[0])}, got {quoted(key)}"
    elif len(key) > _LONGEST_KEY:
        says = f"expected a tag name of at most {_LONGEST_KEY} characters, got {len(key)}"
    return "M205", says, ""


def _value(value: object) -> str:
    """What is wrong with a value, empty for nothing."""
    if not isinstance(value, str):
        return ""  # the schema says so
    if len(value) > _LONGEST_VALUE:
        return f"expected at most {_LONGEST_VALUE} characters, got {len(value)}"
    if _CONTROL.search(value):
        return f"expected no control characters, got {quoted(value)}"
    return ""
