"""The JSON Schemas: read once, compiled once, their errors told as findings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.core.finding import Finding
from reconciler.core.jsonval import Json, JsonObject, WirePath, as_list, as_object, as_text
from reconciler.core.mask import is_hidden
from reconciler.core.properties import holds_write_only
from reconciler.manifest.document import Document
from reconciler.manifest.pointers import canonical_path
from reconciler.manifest.rules import finding
from reconciler.manifest.wording import described, listed, near, quoted, shown_path

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator


class Kind(Enum):
    """What a document is checked as."""

    GROUP = "containerGroup"
    RESOURCE_GROUP = "resourceGroup"
    PROJECT = "project"


def schema_text(name: str) -> str:
    """The text of the schema `manifest`, say; the file's whole name is taken as well.

    A wheel carries the files as `reconciler/_schemas`; in a checkout they lie in `schemas/`.
    """
    file = f"{name.removesuffix('.schema.json')}.schema.json"
    shipped = resources.files("reconciler") / "_schemas" / file
    if shipped.is_file():
        return shipped.read_text(encoding="utf-8")
    return (Path(__file__).parents[2] / "schemas" / file).read_text(encoding="utf-8")


@cache
def schema(kind: Kind) -> JsonObject:
    """The schema of one kind of document with every `$ref` put in place (there are no cycles)."""
    if kind is Kind.PROJECT:
        return as_object(_inlined(json.loads(schema_text("project")), {}))
    return _definition("manifest", kind)


def _definition(name: str, kind: Kind) -> JsonObject:
    defs = as_object(as_object(json.loads(schema_text(name))).get("$defs"))
    return as_object(_inlined(defs[kind.value], defs))


# For editors alone; jsonschema would look each up again for every value.
_NOTES = frozenset({"$ref", "description", "title", "default"})


def _inlined(node: Json, defs: JsonObject) -> Json:
    if isinstance(node, list):
        return [_inlined(item, defs) for item in node]
    if not isinstance(node, dict):
        return node
    reference = as_text(node.get("$ref")).removeprefix("#/$defs/")
    merged = {**node, **as_object(defs[reference])} if reference else node
    result = {key: _inlined(item, defs) for key, item in merged.items() if key not in _NOTES}
    pattern = result.get("pattern")
    if isinstance(pattern, str) and pattern.endswith("$"):
        # In JSON Schema `$` is the very end; Python's also matches before a last line break.
        result["pattern"] = pattern[:-1] + r"\Z"
    return result


@cache
def _validator(kind: Kind) -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema(kind))


@cache
def _patch_validator(kind: Kind) -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(_definition("patch", kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Broken:
    """One error of jsonschema's, as plain values."""

    keyword: str
    path: WirePath
    rules: JsonObject  # the schema that holds the keyword
    limit: Json  # what stands beside the keyword
    instance: Json
    message: str
    inner: tuple[_Broken, ...]
    is_key: bool  # the instance is a key, not a value


def _broken(error: Any) -> _Broken:
    # jsonschema types these members as anything, unset included.
    return _Broken(
        keyword=str(error.validator),
        path=tuple(error.absolute_path),
        rules=as_object(error.schema),
        limit=error.validator_value,
        instance=error.instance,
        message=str(error.message),
        inner=tuple(_broken(inner) for inner in _general(error)),
        is_key="propertyNames" in error.absolute_schema_path,
    )


def _general(error: Any) -> list[Any]:
    """Of several branches none of which fits, the errors of the last: the general one."""
    inner = list(error.context or ())
    last = max((one.schema_path[0] for one in inner), default=0)
    return [one for one in inner if one.schema_path[0] == last]


def check(document: Document, kind: Kind) -> list[Finding]:
    """Where the document breaks its schema, each at the deepest value concerned."""
    return _broken_places(document, _validator(kind))


def check_patch(document: Document, kind: Kind) -> list[Finding]:
    """The same for a part of a manifest of that kind, with what a patch says of it."""
    return _broken_places(document, _patch_validator(kind))


def _broken_places(document: Document, validator: Draft202012Validator) -> list[Finding]:
    found: list[Finding] = []
    for error in validator.iter_errors(document.data):
        found += _findings(document, _broken(error))
    return found


def _findings(document: Document, error: _Broken) -> Iterator[Finding]:
    match error.keyword:
        case "additionalProperties":
            yield from _unknown(document, error)
        case "required":
            yield from _missing(document, error)
        case "anyOf":
            for inner in error.inner:
                yield from _findings(document, inner)
        case _:
            yield _value(document, error)


def _unknown(document: Document, error: _Broken) -> Iterator[Finding]:
    known = as_object(error.rules.get("properties"))
    for name in as_object(error.instance):
        if name in known:
            continue
        guess = near(name, known)
        says = f"expected a known key, got {quoted(name)}"
        says += f": did you mean {quoted(guess)}?" if guess else ""
        hint = "" if guess or not known else f"one of {listed(sorted(known))}"
        place = (*error.path, name)
        yield finding("M201", document.at_key(place), says, path=shown_path(place), hint=hint)


def _missing(document: Document, error: _Broken) -> Iterator[Finding]:
    # jsonschema reports each missing name on its own and tells it only inside the message.
    told = error.message.split(" is a required", 1)[0]
    for name in as_list(error.limit):
        if isinstance(name, str) and f"'{name}'" == told:
            says = f"expected the key {quoted(name)}, got none"
            where = document.at(error.path)
            yield finding("M202", where, says, path=shown_path(error.path))


def _value(document: Document, error: _Broken) -> Finding:
    rule, expected, hint = _expectation(error)
    path, where = error.path, document.at(error.path)
    if error.is_key:
        path = (*path, as_text(error.instance))
        where = document.at_key(path)
    is_secret = _is_secret(document, path, error.instance)
    got = described(error.instance, secret=is_secret)
    if error.keyword == "maxItems":
        got = str(len(as_list(error.instance)))
    hint = "" if is_secret else hint
    if path[-1:] == ("secretKey",) and is_secret:
        hint = "{fromEnv: NAME} or {fromKeyVault: {vault: NAME, secret: NAME}}"
    return finding(rule, where, f"expected {expected}, got {got}", path=shown_path(path), hint=hint)


def _expectation(error: _Broken) -> tuple[str, str, str]:
    """The rule broken, what was expected, and what to try."""
    limit, instance = error.limit, error.instance
    match error.keyword:
        case "type":
            return "M203", _types(limit), _quote_it(error)
        case "enum":
            choices = [str(choice) for choice in as_list(limit) if choice is not None]
            guess = near(instance, choices) if isinstance(instance, str) else ""
            return "M204", listed(choices), quoted(guess) if guess else ""
        case "const":
            return "M204", described(limit), ""
        case "oneOf":
            return "M203", as_text(error.rules.get("$comment")), ""
        case "pattern":
            says = as_text(error.rules.get("patternErrorMessage"))
            return "M205", says.removeprefix("expected "), ""
        case _:
            return "M205", _range(error), ""


def _range(error: _Broken) -> str:
    low, high = error.rules.get("minimum"), error.rules.get("maximum")
    match error.keyword:
        case "minimum" | "maximum":
            return f"a number from {low} up" if high is None else f"a number from {low} to {high}"
        case "exclusiveMinimum":
            return f"a number above {error.limit}"
        case "minLength":
            return "a text that is not empty"
        case "maxLength":
            return f"at most {error.limit} characters"
        case "minItems":
            return f"at least {error.limit} {_entries(error.limit)}"
        case "maxItems":
            return f"at most {error.limit} {_entries(error.limit)}"
        case other:
            return f"a value that satisfies '{other}'"


def _entries(count: Json) -> str:
    return "entry" if count == 1 else "entries"


_NOUNS = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}


def _types(limit: Json) -> str:
    name = _type_of(limit)
    return _NOUNS.get(name, name) if name else "a string or a secret reference"


def _type_of(limit: Json) -> str:
    """The type that a value has, null apart; empty where several are possible."""
    names = [name for name in as_list(limit) if name != "null"]
    return as_text(names[0] if len(names) == 1 else limit)


def _quote_it(error: _Broken) -> str:
    """What to try where a bare number or boolean stands for a string: az would send it unquoted."""
    instance = error.instance
    is_bare = isinstance(instance, bool | int | float)
    if _type_of(error.limit) != "string" or not is_bare:
        return ""
    return f'quoting it: "{described(instance).removeprefix("the number ")}"'


def _is_secret(document: Document, path: WirePath, value: Json) -> bool:
    """Whether `value` at `path` may be a secret that somebody put here, which is never shown."""
    if path[:1] == ("secretKey",) or (path[:1] == ("environments",) and "secretKey" in path[2:3]):
        return True
    named = canonical_path(document.data, path)
    if is_hidden(named, value) or any(is_hidden(named[:end], None) for end in range(len(named))):
        return True
    return not isinstance(value, dict) and holds_write_only(named)
