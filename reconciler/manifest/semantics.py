"""What a schema cannot say and Azure is certain to refuse. Tolerant of documents with errors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from reconciler.core.finding import Finding
from reconciler.core.jsonval import JsonObject, Path, WirePath, as_list, as_object, dig
from reconciler.manifest.document import Document
from reconciler.manifest.rules import finding
from reconciler.manifest.wording import listed, near, quoted, shown_path

# Words and digits, as in `West Europe`, `westeurope` and `East US 2`: ARM folds case and blanks.
_REGION = re.compile(r"[A-Za-z][A-Za-z0-9]*( +[A-Za-z0-9]+)*\Z")
_VOLUME_KINDS = ("azureFile", "emptyDir", "gitRepo", "secret")

_Named = tuple[WirePath, JsonObject]


def meaning(document: Document) -> Iterator[Finding]:
    """Findings about names and volumes."""
    containers = [*_named(document, "initContainers"), *_named(document, "containers")]
    volumes = _named(document, "volumes")
    yield from _repeated(document, containers, "container")
    yield from _repeated(document, volumes, "volume")
    yield from _kinds(document, volumes)
    known = [str(volume.get("name")) for _, volume in volumes]
    for path, container in containers:
        inside = as_object(container.get("properties"))
        entries = _members(inside, (*path, "properties"), "environmentVariables")
        yield from _repeated(document, entries, "environment variable")
        for place, mount in _members(inside, (*path, "properties"), "volumeMounts"):
            yield from _mount(document, (*place, "name"), mount.get("name"), known)


def region_findings(document: Document, path: Path) -> Iterator[Finding]:
    """A finding where the location at `path` cannot be one."""
    text = dig(document.data, *path)
    if isinstance(text, str) and not _REGION.match(text):
        says = f"expected a region such as 'westeurope' or 'West Europe', got {quoted(text)}"
        yield finding("M205", document.at(path), says, path=shown_path(path))


def _named(document: Document, member: str) -> list[_Named]:
    properties = as_object(document.data.get("properties"))
    return list(_members(properties, ("properties",), member))


def _members(holder: JsonObject, path: WirePath, member: str) -> Iterator[_Named]:
    for index, item in enumerate(as_list(holder.get(member))):
        if isinstance(item, dict):
            yield (*path, member, index), item


def _repeated(document: Document, items: Iterable[_Named], noun: str) -> Iterator[Finding]:
    first: dict[str, WirePath] = {}
    for path, item in items:
        name, place = item.get("name"), (*path, "name")
        if not isinstance(name, str):
            continue
        if name in first:
            line = document.at(first[name]).mark.line
            says = f"expected each {noun} once, got {quoted(name)} again (first on line {line})"
            yield finding("M301", document.at(place), says, path=shown_path(place))
        first.setdefault(name, place)


def _kinds(document: Document, volumes: Iterable[_Named]) -> Iterator[Finding]:
    for path, volume in volumes:
        kinds = [kind for kind in _VOLUME_KINDS if kind in volume]
        if len(kinds) != 1:
            got = listed(kinds).replace(" or ", " and ") if kinds else "none"
            says = f"expected exactly one of {listed(_VOLUME_KINDS)}, got {got}"
            yield finding("M303", document.at(path), says, path=shown_path(path))


def _mount(document: Document, path: WirePath, name: object, known: list[str]) -> Iterator[Finding]:
    if not isinstance(name, str) or name in known:
        return
    guess = near(name, known)
    says = f"expected the name of a volume, got {quoted(name)}"
    says += f": did you mean {quoted(guess)}?" if guess else ""
    hint = "" if guess else "adding it under 'properties.volumes'"
    yield finding("M302", document.at(path), says, path=shown_path(path), hint=hint)
