"""The bytes of a file as documents of a known form, or one error that says what came instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.convert.az import read_group
from reconciler.convert.found import Reading
from reconciler.convert.parameters import given_in
from reconciler.convert.scope import Place
from reconciler.convert.syntax import is_expression
from reconciler.convert.template import read_template
from reconciler.convert.values import Value
from reconciler.core.finding import Finding
from reconciler.core.jsonval import Json, JsonObject, WirePath, as_object, as_text
from reconciler.errors import NotConvertible
from reconciler.manifest.document import Document
from reconciler.manifest.recognise import Form, form_of
from reconciler.manifest.relaxed import NotJson, decoded, looks_like_json, parsed
from reconciler.manifest.source import parse
from reconciler.manifest.wording import described

KNOWN = (
    "known are the YAML of 'az container create --file' and 'az container export', what"
    " 'az container show' and 'az container list' print, answers of ARM, and ARM templates"
)
_LIST = "value"
_BICEP = ("param ", "resource ", "targetScope", "@description(", "metadata ", "module ")
_INSTEAD = {
    Form.PARAMETERS: "give it with --parameters beside its template",
    Form.KUBERNETES: KNOWN,
    Form.COMPOSE: KNOWN,
    Form.OTHER_RESOURCE: "only container groups become manifests",
}


def documents_in(file: str, raw: bytes) -> tuple[Document, ...]:
    """The documents of a file, shown as `file`, in YAML or JSON.

    Raises:
        NotConvertible: it cannot be read.
    """
    try:
        text = decoded(raw)
    except UnicodeDecodeError:
        raise NotConvertible(
            f"{file}: expected UTF-8 or UTF-16, got other bytes", hint="save the file as UTF-8"
        ) from None
    if not text.strip():
        raise NotConvertible(f"{file}: expected a container group, got an empty file", hint=KNOWN)
    if looks_like_json(text):
        return (_json(file, text),)
    if text.lstrip().startswith(_BICEP):
        raise NotConvertible(
            f"{file}: expected YAML or JSON, got Bicep", hint=f"'az bicep build -f {file}' makes it"
        )
    if text.lstrip().startswith(("using ", "using\t")):
        raise NotConvertible(
            f"{file}: expected YAML or JSON, got Bicep parameters",
            hint=f"'az bicep build-params -f {file}' makes it",
        )
    documents, findings = parse(
        file, text.encode("utf-8", "replace"), noun="a container group", items=_LIST
    )
    _check(findings)
    return documents


def _json(file: str, text: str) -> Document:
    try:
        value, values, keys = parsed(text)
    except NotJson as exc:
        at = exc.mark
        raise NotConvertible(f"{file}:{at.line}:{at.column}: {exc.says}") from None
    if isinstance(value, list):
        value = {_LIST: value}
        values = {(_LIST, *path): pair for path, pair in values.items()}
        keys = {(_LIST, *path): pair for path, pair in keys.items()}
    if not isinstance(value, dict):
        raise NotConvertible(f"{file}:1:1: expected an object or a list", hint=KNOWN)
    return Document(file=file, data=value, values=values, keys=keys)


def _check(findings: tuple[Finding, ...]) -> None:
    wrong = [one for one in findings if one.is_error]
    if wrong:
        first = wrong[0]
        raise NotConvertible(
            f"{first.where}: {first.says}", hint=f"try {first.hint}" if first.hint else ""
        )


def reading_of(document: Document, given: Mapping[str, Value], place: Place) -> Reading:
    """The container groups of one document.

    Raises:
        NotConvertible: it is of another form.
    """
    form = form_of(document.data)
    if form is Form.TEMPLATE:
        return read_template(document, given, place)
    if form is Form.GROUP and is_expression(as_text(document.data.get("name"))):
        return read_template(_around(document), given, place)
    if form in (Form.GROUP, Form.SHOWN, Form.LISTED):
        return read_group(document)
    where = document.at(())
    if form is not None:
        raise NotConvertible(
            f"{where}: expected a container group, got {form.value}{_type(document.data, form)}",
            hint=_INSTEAD[form],
        )
    keys = ", ".join(repr(key[:40]) for key in list(document.data)[:5])
    got = f"a mapping with {keys}" if keys else described(document.data)
    raise NotConvertible(f"{where}: expected a container group, got {got}", hint=KNOWN)


def _around(document: Document) -> Document:
    """A template around a resource that somebody cut out of one."""
    root: WirePath = ("resources", 0)
    return replace(
        document,
        data={"resources": [document.data]},
        values={(*root, *path): pair for path, pair in document.values.items()},
        keys={(*root, *path): pair for path, pair in document.keys.items()},
    )


def _type(data: JsonObject, form: Form) -> str:
    return f" ({as_text(data.get('type'))[:80]})" if form is Form.OTHER_RESOURCE else ""


def parameters_in(file: str, raw: bytes) -> dict[str, Value]:
    """The values in a file of parameters, with or without what surrounds them.

    Raises:
        NotConvertible: it is none.
    """
    (document, *_) = documents_in(file, raw)
    data: Json = document.data
    inside = as_object(data).get("parameters", data)
    if not isinstance(inside, dict) or not all(_is_entry(one) for one in inside.values()):
        where = str(document.at(("parameters",)))
        raise NotConvertible(
            f"{where}: expected parameters, each with a 'value' or a 'reference'",
            hint="'az bicep build-params' makes such a file of a .bicepparam",
        )
    return given_in(inside)


def _is_entry(entry: Json) -> bool:
    return isinstance(entry, dict) and bool({"value", "reference"} & entry.keys())


def typed(template: JsonObject, name: str, text: str) -> Value:
    """A value from the command line, as the type of its parameter asks.

    Raises:
        NotConvertible: it is not of that type.
    """
    entries = {key.lower(): one for key, one in as_object(template.get("parameters")).items()}
    kind = as_text(as_object(entries.get(name.lower())).get("type")).lower()
    if kind not in ("int", "bool", "array", "object"):
        return text
    try:
        value, _, _ = parsed(text)
    except NotJson:
        value = None
    fits = {
        "int": isinstance(value, int) and not isinstance(value, bool),
        "bool": isinstance(value, bool),
        "array": isinstance(value, list),
        "object": isinstance(value, dict),
    }
    if not fits[kind]:
        raise NotConvertible(f"-p {name}: expected a value of type {kind}, got another")
    return value
