"""What a document is that is no manifest: the forms in which people have container groups."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from reconciler.core.finding import Finding, Mark, Position
from reconciler.core.ids import GROUP_TYPE
from reconciler.core.jsonval import Json, JsonObject, as_list, as_object, as_text
from reconciler.manifest.document import Document
from reconciler.manifest.relaxed import NotJson, decoded, parsed
from reconciler.manifest.rules import finding


class Form(Enum):
    """What a document is, in words that follow 'this is'."""

    TEMPLATE = "an ARM template"
    PARAMETERS = "a file of template parameters"
    SHOWN = "a container group as 'az container show' prints it"
    LISTED = "a list of container groups"
    GROUP = "a container group as ARM or 'az container create --file' knows it"
    OTHER_RESOURCE = "a resource of another type"
    KUBERNETES = "a Kubernetes manifest"
    COMPOSE = "a Compose file"


_CONVERTIBLE = frozenset({Form.TEMPLATE, Form.SHOWN, Form.LISTED})
_SCHEMAS = {
    "deploymentparameters": Form.PARAMETERS,
    "deploymenttemplate": Form.TEMPLATE,
}


def form_of(data: Json) -> Form | None:
    """What `data` is, None where nobody can tell. Total; looks at the first level and a bit."""
    if isinstance(data, list):
        return Form.LISTED if data and all(_is_group(item) for item in data) else None
    return _of_mapping(data) if isinstance(data, dict) else None


def _of_mapping(data: JsonObject) -> Form | None:
    schema = as_text(data.get("$schema")).lower()
    for word, form in _SCHEMAS.items():
        if word in schema:
            return form
    if "resources" in data and "contentVersion" in data:
        return Form.TEMPLATE
    if isinstance(data.get("value"), list) and "properties" not in data:
        items = as_list(data["value"])
        return Form.LISTED if all(_is_group(item) for item in items) else None
    return _of_one(data)


def _of_one(data: JsonObject) -> Form | None:
    stated = data.get("type")
    if isinstance(stated, str) and "/" in stated and stated.lower() != GROUP_TYPE.lower():
        return Form.OTHER_RESOURCE
    if "properties" in data:
        return Form.GROUP
    if _is_shown(data):
        return Form.SHOWN
    if "apiVersion" in data and "kind" in data:
        return Form.KUBERNETES
    return Form.COMPOSE if isinstance(data.get("services"), dict) else None


def _is_shown(data: JsonObject) -> bool:
    """Whether it is flattened, as the SDK's models are: `containers` beside `name`."""
    containers = as_list(data.get("containers"))
    if not containers or "properties" in data:
        return False
    return all(isinstance(one, dict) and "image" in one for one in containers)


def _is_group(item: Json) -> bool:
    return form_of(as_object(item)) in (Form.GROUP, Form.SHOWN)


def mistaken_in(file: str, raw: bytes, documents: Sequence[Document]) -> Finding | None:
    """The one thing to say of a file that `convert` turns into manifests; None for all others.

    `documents` are what could be read of it as YAML, which takes no comments of JSON.
    """
    for document in documents:
        if form_of(document.data) in _CONVERTIBLE:
            return _mistaken(file, document.data, document.at(()))
    if documents or not _is_worth_a_look(raw):
        return None
    try:
        value, _, _ = parsed(decoded(raw))
    except (NotJson, UnicodeDecodeError):
        return None
    start = Position(file=file, mark=Mark(1, 1))
    return _mistaken(file, value, start) if form_of(value) in _CONVERTIBLE else None


def _is_worth_a_look(raw: bytes) -> bool:
    """Whether it may be JSON at all: the first bytes tell, in whatever encoding."""
    start = raw[:64].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return start.startswith((b"{", b"[", b"//", b"/*"))


def _mistaken(file: str, data: Json, where: Position) -> Finding:
    form = form_of(data)
    says = f"expected a manifest, got {form.value if form else 'something else'}"
    hint = f"'aci-reconcile convert {file}', which turns it into manifests"
    return finding("M015", where, says, hint=hint)
