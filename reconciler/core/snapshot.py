"""A LIST answer to keep: what people put secrets into is left out, or replaced by a keyed digest.

Only what the property table knows is kept, of that nothing write-only, and no hash that tells a
value to whoever guesses it. Against such bodies a plan compares what it can.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from reconciler.core.groups import DesiredGroup, LiveGroup, LiveResourceGroup, live_group
from reconciler.core.jsonval import Json, JsonObject, Path, as_object, as_text, dig
from reconciler.core.normalise import element_names
from reconciler.core.ownership import (
    OWNER_TAG,
    STATE_TAG,
    Ownership,
    SecretKey,
    format_state,
    ownership_of,
    parse_state,
    tag,
)
from reconciler.core.properties import Access, Node, Property, tree

# Stands where a value differs, in plans for people.
HIDDEN = "(not in the snapshot)"
_DIGEST, _LEFT_OUT = "hmac", "leftOut"

_KEPT = ("id", "name", "type", "location")  # read-only ones that a plan needs

# What becomes of the value at a canonical path; None leaves the member out.
_Visit: TypeAlias = Callable[[Path, Json], Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What Azure held at a time. `groups` are wire-shaped.

    `key_id` tells which key the digests are of, empty where values were left out. `is_whole`: a
    LIST answer as Azure gave it, by nobody's key, with every value and no resource groups.
    """

    subscription: str
    groups: tuple[JsonObject, ...]
    owner: str = ""
    taken: datetime | None = None
    key_id: str = ""
    resource_groups: tuple[LiveResourceGroup, ...] = ()
    notes: tuple[str, ...] = ()
    is_whole: bool = False


def saved(live: LiveGroup, *, owner: str, key: SecretKey | None) -> JsonObject:
    """The body to keep of a live group; of somebody else's, that it is there and whose it is."""
    if ownership_of(live, owner) is Ownership.FOREIGN:
        kept = {name: live.body[name] for name in _KEPT if name in live.body}
        return {
            **kept,
            "properties": _state(live.body),
            "tags": {OWNER_TAG: tag(live.tags, OWNER_TAG)},
        }
    form = live.canonical

    def hidden(path: Path, _: Json) -> Json:
        value = dig(form, *path)
        if value is None:
            return None
        if key is None:
            return {_LEFT_OUT: True}
        return {_DIGEST: key.value_digest(live.id, path, value)}

    body = as_object(_walked(live.body, tree(), (), hidden))
    properties = {**as_object(body.get("properties")), **_state(live.body)}
    return {**body, **_named(live.body), "tags": _tags(live.tags), "properties": properties}


def _named(body: JsonObject) -> JsonObject:
    return {name: body[name] for name in _KEPT if name in body}


def restored(
    body: JsonObject, desired: DesiredGroup | None, key: SecretKey | None
) -> tuple[LiveGroup, tuple[Path, ...]]:
    """The live group in a kept body, and where it could not be compared with what is `desired`.

    There the live value is taken for the desired one.

    Raises:
        ValueError: the body has no id of a container group.
    """
    live = live_group({**body, "properties": {}})
    form = desired.canonical if desired is not None else {}
    unknown: list[Path] = []

    def plain(path: Path, mark: Json) -> Json:
        wanted = dig(form, *path)
        digest = as_object(mark).get(_DIGEST)
        if wanted is None:
            return HIDDEN
        if digest is None or key is None:
            unknown.append(path)
            return wanted
        return wanted if key.value_digest(live.id, path, wanted) == digest else _other(wanted)

    properties = _walked(
        body.get("properties"), tree().children["properties"], ("properties",), plain
    )
    whole = {**body, "properties": {**as_object(properties), **_state(body)}}
    return live_group(whole), tuple(unknown)


def _state(body: JsonObject) -> JsonObject:
    """How the last deployment went: read-only, and a plan depends on it."""
    state = dig(body, "properties", "provisioningState")
    return {"provisioningState": as_text(state)} if state is not None else {}


def _other(wanted: Json) -> Json:
    """A value that differs from the wanted one and is of its shape."""
    if isinstance(wanted, list):
        return [HIDDEN]
    return {HIDDEN: True} if isinstance(wanted, dict) else HIDDEN


def _walked(value: Json, node: Node, path: Path, visit: _Visit) -> Json:
    """`value` as far as the table knows it, every private leaf as `visit` says."""
    if node.row is not None and node.row.private:
        return visit(path, value)
    if isinstance(value, dict):
        found = {name: _member(item, name, node, path, visit) for name, item in value.items()}
        return {name: item for name, item in found.items() if item is not None}
    if isinstance(value, list) and node.row is not None and node.row.key and node.any is not None:
        names = element_names(value, node.row)
        return [
            _walked(item, node.any, (*path, name), visit)
            for name, item in zip(names, value, strict=True)
        ]
    return value if node.is_leaf else None


def _member(value: Json, name: str, node: Node, path: Path, visit: _Visit) -> Json:
    child = node.children.get(name) or node.any
    if child is None or _is_dropped(child.row):
        return None
    return _walked(value, child, (*path, name), visit)


def _is_dropped(row: Property | None) -> bool:
    return row is not None and row.access in (Access.READ_ONLY, Access.WRITE_ONLY)


def _tags(tags: Mapping[str, str]) -> dict[str, Json]:
    """The tags, ours without the hashes that would tell a guessed value right."""
    return {
        name: _unhashed(value) if name.lower() == STATE_TAG else value
        for name, value in tags.items()
    }


def _unhashed(text: str) -> str:
    state = parse_state(text)
    if state is None:
        return ""
    if not state.is_current:
        return ";".join(text.split(";")[:2])  # all that is understood of it
    return format_state(replace(state, hash_version=0, spec="", not_taken=frozenset(), images={}))
