"""A wire body as the text of a manifest: canonical, commented, without any secret.

What is written is read back by our own reader before it is handed out.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import yaml

from reconciler.convert.accepting import accepted
from reconciler.core.groups import put_at
from reconciler.core.ids import GROUP_TYPE, parse_group_id
from reconciler.core.jsonval import (
    Json,
    JsonObject,
    WirePath,
    as_object,
    as_text,
    dig,
    pointer,
)
from reconciler.core.least import least, secret_places, unknown_members
from reconciler.core.properties import Access, row_of
from reconciler.manifest.formatting import format_text
from reconciler.manifest.lenient import LEFTOVERS, is_empty
from reconciler.manifest.lint import linted
from reconciler.manifest.pointers import canonical_path
from reconciler.manifest.rendered import Dumper, in_order
from reconciler.manifest.schemas import Kind
from reconciler.manifest.semantics import meaning
from reconciler.manifest.shape import shape_of
from reconciler.manifest.source import parse

_UNKNOWN: JsonObject = {"unknown": True}
_HEAD = ("type", "name", "location", "tags", "reconcile")
_WIDEST = 10**6  # no line is folded: a comment has to stand beside its value
_LOST = "Azure does not return it; fill in before the next write, such as {fromEnv: NAME}"
_NOT_COPIED = "not copied; fill in before the next write, such as {fromEnv: NAME}"
_FILES = "Azure returns no file and no name; fill in before the next write, FILE: {fromFile: PATH}"
_MAYBE = "Azure does not return them; remove the line if there are none"
_CHOSEN = "chosen by Azure where a manifest is silent; remove the line if nobody set it"


@dataclass(frozen=True, slots=True, kw_only=True)
class FillIn:
    """A secret that has to be said before the group can be written; `line` counts from 1."""

    line: int
    name: str  # the canonical pointer
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The text of one manifest, and what somebody has to know who takes it over.

    `left_out` are pointers to what the body says and API version 2023-05-01 does not know.
    """

    text: str
    document: JsonObject = field(repr=False)
    fill_in: tuple[FillIn, ...] = ()
    left_out: tuple[str, ...] = ()


def manifest_text(
    body: Mapping[str, Json],
    *,
    name: str = "",
    resource_group: str = "",
    location: str | None = None,
    tags: Mapping[str, str] | None = None,
    protect: bool = False,
    reconcile: Mapping[str, Json] | None = None,
    secrets: Mapping[WirePath, Json] | None = None,
    is_read: bool = False,
    keeps_variables: bool = False,
    notes: Sequence[str] = (),
) -> Written:
    """The manifest of a wire body (ARM's JSON, `properties` and all).

    `name` and `tags` default to the body's. No `resource_group` leaves it to the project; so does
    an empty `location`, while None takes the body's. `secrets` are references by wire path, such
    as `{fromEnv: NAME}`: every other secret of the body becomes `{unknown: true}`, whatever its
    value. With `is_read` the body is Azure's answer, which leaves secrets out: wherever one may
    have been, it is unknown. `notes` are comments above the manifest, a line each.
    """
    wire: JsonObject = copy.deepcopy(dict(body))
    document, comments = _document(wire, secrets=secrets or {}, is_read=is_read)
    head: JsonObject = {"type": GROUP_TYPE, "name": name or as_text(wire.get("name"))}
    if location is not None:
        document.pop("location", None)
        head |= {"location": location} if location else {}
    kept = as_object(wire.get("tags")) if tags is None else dict(tags)
    if kept:
        head["tags"] = dict(sorted(kept.items()))
    block: JsonObject = {"resourceGroup": resource_group} if resource_group else {}
    if protect:
        block["protect"] = True
    block |= reconcile or {}
    if block:
        head["reconcile"] = block
    ordered = in_order({**head, **document}, shape_of(Kind.GROUP), keeps_variables=keeps_variables)
    ordered = {key: ordered[key] for key in sorted(ordered, key=_place)}
    runs_in = _subscription(wire) if is_read else None
    return _written(ordered, comments, notes, runs_in=runs_in, left_out=tuple(_left_out(wire)))


def _subscription(wire: JsonObject) -> str:
    try:
        return parse_group_id(as_text(wire.get("id"))).subscription
    except ValueError:
        return ""


def _place(member: str) -> int:
    """Who and where comes first, what last."""
    return _HEAD.index(member) if member in _HEAD else len(_HEAD) + (member == "properties")


def _document(
    wire: JsonObject, *, secrets: Mapping[WirePath, Json], is_read: bool
) -> tuple[JsonObject, dict[WirePath, str]]:
    """What has to be said of a body, and a comment for each place that wants one."""
    document = least(wire)
    comments: dict[WirePath, str] = {}
    for path, is_there in secret_places(wire):
        if path in secrets:
            put_at(document, path, copy.deepcopy(secrets[path]))
        elif is_there or is_read:
            put_at(document, path, dict(_UNKNOWN))
            comments[path] = comment_of(_UNKNOWN, path) if is_read else _NOT_COPIED
    policy = ("properties", "confidentialComputeProperties", "ccePolicy")
    row = row_of(policy)
    if is_read and row is not None and row.access is Access.ASSIGNED and dig(document, *policy):
        comments[policy] = _CHOSEN
    return document, comments


def comment_of(value: Json, path: WirePath) -> str:
    """What stands beside a secret that nobody has said; empty for anything else."""
    if value != _UNKNOWN:
        return ""
    if path[-1] == "protectedSettings":
        return _MAYBE
    return _FILES if path[-1] == "secret" else _LOST


def _left_out(wire: JsonObject) -> list[str]:
    """What is lost on the way, tools' leftovers and empty members apart."""
    found = []
    for path in unknown_members(wire):
        value: Json = wire
        for part in path:
            value = value[part] if isinstance(value, dict | list) else None  # type: ignore[index]  # a path into this very body
        if path[-1] not in LEFTOVERS and not is_empty(value):
            found.append(pointer(path))
    return found


class _Dumper(Dumper):
    """As `render` writes, what stands for a secret on one line."""


def _mapping(dumper: _Dumper, value: JsonObject) -> yaml.Node:
    is_reference = value == _UNKNOWN or any(key.startswith("from") for key in value)
    return dumper.represent_mapping("tag:yaml.org,2002:map", value.items(), flow_style=is_reference)


_Dumper.add_representer(dict, _mapping)


def _written(
    document: JsonObject,
    comments: Mapping[WirePath, str],
    notes: Sequence[str],
    *,
    runs_in: str | None,
    left_out: tuple[str, ...],
) -> Written:
    """`runs_in` is the subscription of a group that runs; None for what nobody has tried."""
    plain = format_text(
        yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDEST)
    )
    lines = plain.split("\n")
    (read,), findings = parse("", plain.encode())
    assert read.data == document, findings
    head = [f"# {note}" for note in notes]
    fill_in = []
    for path, comment in comments.items():
        line = read.values[path][0]
        lines[line - 1] += f"  # {comment}"
        if comment != _CHOSEN:
            at = line + len(head)
            found = pointer(canonical_path(document, path))
            fill_in.append(FillIn(line=at, name=found, hint=comment))
    if runs_in is not None:
        linting = linted(read, subscription=runs_in, location=as_text(document.get("location")))
        lines = accepted(lines, [*meaning(read), *linting])
    text = "\n".join([*head, *lines])
    fill_in.sort(key=lambda one: one.line)
    return Written(text=text, document=document, fill_in=tuple(fill_in), left_out=left_out)
