"""Desired groups as manifests again: complete, in one order, with references instead of secrets.

What is written validates, and asks Azure for the same as the manifests and patches it came from.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Sequence

import yaml

from reconciler.core.groups import DesiredGroup, DesiredResourceGroup, Secret, put_at
from reconciler.core.ids import GROUP_TYPE, RESOURCE_GROUP_TYPE
from reconciler.core.jsonval import Json, JsonObject, Path
from reconciler.core.mask import disclosed
from reconciler.core.stated import stated
from reconciler.manifest import scalars
from reconciler.manifest.schemas import Kind
from reconciler.manifest.shape import Shape, shape_of
from reconciler.manifest.variables import escaped

_UNKNOWN: JsonObject = {"unknown": True}
_WIDEST = 10**6  # no line is folded: a folded text is hard to compare


def manifests_of(
    groups: Iterable[DesiredGroup], resource_groups: Iterable[DesiredResourceGroup]
) -> tuple[JsonObject, ...]:
    """A document each, resource groups first, both by address; members in the schema's order."""
    homes = sorted(resource_groups, key=lambda one: one.id.address)
    return (
        *(_resource_group(one) for one in homes),
        *(_group(one) for one in sorted(groups, key=lambda one: one.id.address)),
    )


def as_yaml(documents: Sequence[JsonObject], *, says: str = "") -> str:
    """The documents as a YAML stream that ends in one newline; `says` is a comment above them."""
    comment = f"# {says}\n" if says else ""
    return comment + "".join(f"---\n{_yaml(document)}" for document in documents)


def as_json(documents: Sequence[JsonObject]) -> str:
    """The documents as a JSON array that ends in one newline, in ASCII."""
    return json.dumps(list(documents), indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def written_down(groups: Iterable[DesiredGroup]) -> tuple[str, ...]:
    """Where a secret stands in a manifest itself, so that it is left out here."""
    return tuple(
        f"{secret.where}: {secret.name}"
        for group in groups
        for secret in group.secrets
        if (secret.source or secret.value) and _reference(secret) == _UNKNOWN
    )


def holds_suspicious(group: DesiredGroup) -> bool:
    """Whether a plain value looks like a secret, so that a plan would hide it."""

    def suspicious(path: Path, value: Json) -> bool:
        if isinstance(value, dict):
            return any(suspicious((*path, name), item) for name, item in value.items())
        # Of a variable with a secret the name is left, which is none.
        return path[-1] != "name" and disclosed(path, value) != value

    return suspicious((), group.canonical)


def _group(group: DesiredGroup) -> JsonObject:
    body = copy.deepcopy(group.body)
    for secret in group.secrets:
        put_at(body, secret.path, _reference(secret))
    home: JsonObject = {"resourceGroup": group.id.resource_group} if group.id.resource_group else {}
    head: JsonObject = {
        "type": GROUP_TYPE,
        "name": group.id.name,
        "reconcile": {**home, **stated(group)},
    }
    if group.tags:
        head["tags"] = _tags(group.tags.items())
    return in_order({**head, **body}, shape_of(Kind.GROUP))


def _reference(secret: Secret) -> JsonObject:
    """The reference as written; what may be the value itself is unknown here."""
    return dict(secret.written or _UNKNOWN)


def _resource_group(home: DesiredResourceGroup) -> JsonObject:
    document: JsonObject = {
        "type": RESOURCE_GROUP_TYPE,
        "name": home.id.name,
        "location": home.location,
    }
    if home.tags:
        document["tags"] = _tags(home.tags.items())
    return in_order(document, shape_of(Kind.RESOURCE_GROUP))


def _tags(pairs: Iterable[tuple[str, str]]) -> JsonObject:
    return dict(sorted(pairs))


def in_order(value: JsonObject, shape: Shape, *, keeps_variables: bool = False) -> JsonObject:
    """Members in the schema's order, those of maps as they are; texts as manifests write them.

    With `keeps_variables` they are written so already: `${var:NAME}` is a variable.
    """
    known = [name for name in shape.children if name in value]
    names = [*known, *(name for name in value if name not in shape.children)]
    return {
        name: _inside(value[name], shape.children.get(name, shape.any), keeps_variables)
        for name in names
    }


def _inside(value: Json, shape: Shape | None, keeps: bool) -> Json:  # noqa: FBT001  # private
    if isinstance(value, str):
        return value if keeps else escaped(value)
    if isinstance(value, dict):
        return in_order(value, shape or Shape(), keeps_variables=keeps)
    if isinstance(value, list):
        element = shape.any if shape is not None else None
        return [_inside(item, element, keeps) for item in value]
    return value


class Dumper(yaml.CSafeDumper):
    """Writes what YAML 1.1 and 1.2 both read as it was meant; no anchors."""

    def ignore_aliases(self, _data: object) -> bool:
        """Write every value where it stands."""
        return True


def _text(dumper: Dumper, text: str) -> yaml.Node:
    style = '"' if not _is_plain(text) else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def is_quoted(text: str) -> bool:
    """Whether a text is written in quotes, or as a block, to be read as it is meant."""
    return str(yaml.dump(text, Dumper=Dumper, width=_WIDEST, allow_unicode=True))[0] in "'\"|"


def _is_plain(text: str) -> bool:
    """Whether our own parser, which speaks YAML 1.2, reads it as text when nobody quotes it."""
    try:
        return isinstance(scalars.plain(text), str) and not scalars.is_date(text)
    except ValueError:
        return False


Dumper.add_representer(str, _text)


def _yaml(document: JsonObject) -> str:
    return str(
        yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=_WIDEST)
    )
