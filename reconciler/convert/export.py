"""Live groups as manifests: where each is written, and what it says."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.convert.writing import Written, manifest_text
from reconciler.core.groups import DesiredGroup, LiveGroup
from reconciler.core.ids import GroupId
from reconciler.core.jsonval import Json, Path, as_object, dig, pointer, without
from reconciler.core.mask import disclosed
from reconciler.core.normalise import fold_text
from reconciler.core.ownership import (
    Ownership,
    foreign_tags,
    ownership_of,
    state_of,
    tag_key_digest,
)
from reconciler.core.properties import PROPERTIES, Access, row_of
from reconciler.manifest.files import PROJECT_FILES
from reconciler.manifest.formatting import format_text

_OWNER_LETTERS = re.compile(r"[^A-Za-z0-9._-]+")
_FILE_LETTERS = re.compile(r"[^a-z0-9._()-]+")
_LONGEST_OWNER = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """What the project says for every group, so that no manifest has to say it again."""

    owner: str
    resource_group: str = ""
    location: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


def exported(live: LiveGroup, home: Home) -> Written:
    """The manifest that equals a live group, within its project.

    Of a group of ours, tags that others set stay theirs, and what the tags remember is said.
    """
    state = state_of(live) if ownership_of(live, home.owner) is Ownership.OURS else None
    tags = foreign_tags(live.tags)
    notes = [f"Exported from {live.id}."]
    if state is not None and not state.tags_merged:
        others = [key for key in tags if tag_key_digest(key) not in state.tag_keys]
        tags = {key: value for key, value in tags.items() if key not in others}
        if others:
            notes.append(f"Tags of others, which every write keeps: {', '.join(sorted(others))}.")
    known = {key.lower(): value for key, value in home.tags.items()}
    tags = {key: value for key, value in tags.items() if known.get(key.lower()) != value}
    is_home = live.id.resource_group.lower() == home.resource_group.lower()
    return manifest_text(
        live.body,
        name=live.id.name,
        resource_group="" if is_home else live.id.resource_group,
        location="" if _same_region(live.location, home.location) else None,
        tags=tags,
        protect=state is not None and state.protect,
        is_read=True,
        notes=notes,
    )


def restated(live: LiveGroup, desired: DesiredGroup) -> Written:
    """What the manifest of a live group should say where it says something else.

    Where it is silent on a tag, on the region or on what Azure then chooses, it stays so.
    """
    body: Json = live.body
    for row in PROPERTIES:
        if row.access is Access.ASSIGNED and dig(desired.body, *row.path) is None:
            body = without(body, row.path)

    named = {key.lower() for key in desired.tags}
    tags = {key: value for key, value in live.tags.items() if key.lower() in named}
    is_there = not desired.location or _same_region(live.location, desired.location)
    return manifest_text(
        as_object(body),
        name=live.id.name,
        location="" if is_there else None,
        tags=tags,
        is_read=True,
    )


def shown_openly(live: LiveGroup) -> tuple[str, ...]:
    """Pointers to plain values that look like secrets: Azure shows them to every reader."""
    return tuple(pointer(path) for path in _open_secrets((), live.canonical))


def file_names(groups: Collection[GroupId]) -> dict[str, str]:
    """By address, the file of each group below the folder of manifests: `rg-shop/web.yaml`.

    Lower case, as ARM compares names without it; two groups never share a file.
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for group in sorted(groups, key=lambda one: one.address):
        name = f"{_plain(group.name)}.yaml"
        name = f"group-{name}" if name in PROJECT_FILES else name
        path = f"{_plain(group.resource_group)}/{name}"
        number = 2
        while path in taken:
            path = f"{_plain(group.resource_group)}/{name.removesuffix('.yaml')}-{number}.yaml"
            number += 1
        taken.add(path)
        found[group.address] = path
    return found


def owner_named_after(folder: str) -> str:
    """The owner of a project in a folder of that name."""
    return _OWNER_LETTERS.sub("-", folder).strip("-.")[:_LONGEST_OWNER] or "exported"


def common_home(lives: Collection[LiveGroup], owner: str) -> Home:
    """What all the groups have in common, for a project that is made for them."""
    homes = {live.id.resource_group.lower(): live.id.resource_group for live in lives}
    regions = {_region(live.location) for live in lives}
    return Home(
        owner=owner,
        resource_group=next(iter(homes.values())) if len(homes) == 1 else "",
        location=regions.pop() if len(regions) == 1 else "",
    )


def project_text(home: Home, *, subscription: str, cloud: str) -> str:
    """The project file of exported groups."""
    lines = ["# The project of the groups below this folder.", f'owner: "{home.owner}"']
    lines += ["defaults:"]
    lines += [f"  cloud: {cloud}"] if cloud != "AzureCloud" else []
    lines += [f'  subscription: "{subscription}"']
    lines += [f'  resourceGroup: "{home.resource_group}"'] if home.resource_group else []
    lines += [f"  location: {home.location}"] if home.location else []
    return format_text("\n".join(lines) + "\n")


def _plain(name: str) -> str:
    """A name as that of a file that is not hidden."""
    text = _FILE_LETTERS.sub("_", name.lower())
    return f"_{text}" if text.startswith(".") else text


def _region(name: str) -> str:
    row = row_of(("location",))
    assert row is not None
    return fold_text(name, row)


def _same_region(one: str, other: str) -> bool:
    return bool(other) and _region(one) == _region(other)


def _open_secrets(path: Path, value: Json) -> Iterator[Path]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _open_secrets((*path, name), item)
    elif path[-1] != "name" and disclosed(path, value) != value:
        yield path
