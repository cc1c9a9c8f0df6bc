"""Secrets leave the body here: each becomes a `Secret` beside it, its value in no text.

A reference is followed at once; one that leads nowhere is a warning, since a plan needs no value
and a write says so again.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath

from reconciler.core.finding import Finding
from reconciler.core.groups import Secret, SecretState
from reconciler.core.jsonval import Json, JsonObject, WirePath, as_list, as_object, as_text, dig
from reconciler.core.jsonval import pointer as to_pointer
from reconciler.manifest.document import Document
from reconciler.manifest.pointers import canonical_path
from reconciler.manifest.rules import finding
from reconciler.manifest.schemas import Kind
from reconciler.manifest.shape import Shape, shape_of
from reconciler.manifest.wording import quoted, shown_path

_LARGEST = 1_000_000  # bytes
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where references lead: the process's environment and the project's folder."""

    root: FilePath
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Resolved:
    """A value, or why there is none; `rule` is set where that is more than a warning."""

    value: str | None = None
    reason: str = ""
    rule: str = "M402"


def extracted(
    document: Document, around: Surroundings
) -> tuple[JsonObject, list[Secret], list[Finding]]:
    """The document without its secrets, the secrets, and what is doubtful about them."""
    pass_ = _Pass(document, around)
    data = as_object(pass_.without(document.data, shape_of(Kind.GROUP), ()))
    pass_.empty_places()
    return data, pass_.secrets, pass_.findings


class _Pass:
    def __init__(self, document: Document, around: Surroundings) -> None:
        self.document = document
        self.around = around
        self.secrets: list[Secret] = []
        self.findings: list[Finding] = []

    def without(self, value: Json, shape: Shape | None, path: WirePath) -> Json:
        if shape is None:
            return value
        if isinstance(value, list):
            return [self.without(item, shape.any, (*path, i)) for i, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        result: JsonObject = {}
        for key, item in value.items():
            child, place = shape.children.get(key, shape.any), (*path, key)
            if child is not None and child.is_secret:
                self._take(item, place, is_encoded=path[-1:] == ("secret",))
            else:
                result[key] = self.without(item, child, place)
        return result

    def _take(self, node: Json, path: WirePath, *, is_encoded: bool) -> None:
        """Keep one secret; `is_encoded` where Azure wants base64."""
        if path[-1] == "protectedSettings" and isinstance(node, dict) and "unknown" not in node:
            for key, item in node.items():
                self._take(item, (*path, key), is_encoded=False)
        elif is_encoded and path[-1] == "unknown" and node is True:
            pass  # `secret: {unknown: true}` speaks of the whole volume: see `empty_places`
        elif isinstance(node, str) and node:
            says = "expected a reference to a secret, got the secret itself"
            self._say("M401", path, says, "{fromEnv: NAME} or {fromFile: path}")
            self._keep(path, _checked(_Resolved(value=node), is_encoded=is_encoded))
        elif isinstance(node, dict) and "unknown" not in node:
            resolved = _resolve(node, self.around)
            self._keep(path, _checked(resolved, is_encoded=is_encoded))
        else:
            self._unknown(path)

    def _keep(self, path: WirePath, resolved: _Resolved) -> None:
        if resolved.reason:
            self._say(resolved.rule, path, resolved.reason)
        state = SecretState.UNRESOLVED if resolved.value is None else SecretState.KNOWN
        self._add(path, state, resolved.value, resolved.reason)

    def _unknown(self, path: WirePath) -> None:
        says = "expected a value or a reference, got none: it is not compared and blocks writes"
        self._say("M403", path, says, "{fromEnv: NAME} or {fromFile: path}")
        self._add(path, SecretState.UNKNOWN, None, "no value is given")

    def _add(self, path: WirePath, state: SecretState, value: str | None, reason: str) -> None:
        name = to_pointer(canonical_path(self.document.data, path))
        where = self.document.at(path)
        self.secrets.append(
            Secret(path=path, name=name, state=state, where=where, value=value, reason=reason)
        )

    def _say(self, rule: str, path: WirePath, says: str, hint: str = "") -> None:
        where = self.document.at(path)
        self.findings.append(finding(rule, where, says, path=shown_path(path), hint=hint))

    def empty_places(self) -> None:
        """Mark write-only places that a manifest, often an export, leaves empty."""
        properties = as_object(self.document.data.get("properties"))
        for member in ("initContainers", "containers"):
            for i, container in enumerate(as_list(properties.get(member))):
                self._empty_variables(container, ("properties", member, i))
        for i, entry in enumerate(as_list(properties.get("imageRegistryCredentials"))):
            given = as_object(entry).keys()
            if "username" in given and not {"password", "identity"} & given:
                self._unknown(("properties", "imageRegistryCredentials", i, "password"))
        for i, entry in enumerate(as_list(properties.get("volumes"))):
            self._empty_volume(as_object(entry), ("properties", "volumes", i))
        analytics = dig(properties, "diagnostics", "logAnalytics")
        if isinstance(analytics, dict) and "workspaceKey" not in analytics:
            self._unknown(("properties", "diagnostics", "logAnalytics", "workspaceKey"))

    def _empty_variables(self, container: Json, path: WirePath) -> None:
        entries = as_list(dig(container, "properties", "environmentVariables"))
        for index, entry in enumerate(entries):
            if isinstance(entry, dict) and not {"value", "secureValue"} & entry.keys():
                place = (*path, "properties", "environmentVariables", index, "secureValue")
                self._unknown(place)

    def _empty_volume(self, volume: JsonObject, path: WirePath) -> None:
        share = volume.get("azureFile")
        if isinstance(share, dict) and "storageAccountKey" not in share:
            self._unknown((*path, "azureFile", "storageAccountKey"))
        files = volume.get("secret")
        if isinstance(files, dict) and (not files or files.get("unknown") is True):
            self._unknown((*path, "secret"))


def _checked(resolved: _Resolved, *, is_encoded: bool) -> _Resolved:
    """`resolved`, or why a secret volume cannot hold it."""
    if not is_encoded or resolved.value is None or _is_base64(resolved.value):
        return resolved
    reason = (
        "expected base64, which is what secret volumes hold, got another text; "
        "try 'encode: base64' beside a reference"
    )
    return _Resolved(value=resolved.value, reason=reason, rule="M405")


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _resolve(node: JsonObject, around: Surroundings) -> _Resolved:
    name, file = as_text(node.get("fromEnv")), as_text(node.get("fromFile"))
    if name:
        value = around.environ.get(name)
        if not value and not _VARIABLE.match(name):
            # Not shown: someone may have put the secret itself here.
            return _Resolved(reason="expected the name of an environment variable, got other text")
        if not value:
            got = "one that is empty" if value == "" else "none"
            return _Resolved(reason=f"expected the environment variable {quoted(name)}, got {got}")
        raw = value.encode("utf-8", "surrogateescape")
    else:
        found = _read(file, around.root)
        if isinstance(found, _Resolved):
            return found
        raw = found
    if node.get("encode") == "base64":
        return _Resolved(value=base64.b64encode(raw).decode("ascii"))
    try:
        return _Resolved(value=raw.decode("utf-8"))
    except UnicodeDecodeError:
        return _Resolved(reason="expected UTF-8, got other bytes; try 'encode: base64'")


def _read(file: str, root: FilePath) -> bytes | _Resolved:
    """The bytes of a file inside `root`, links followed first."""
    try:
        inside = os.path.realpath(root)
        real = os.path.realpath(FilePath(inside) / file)
        if os.path.commonpath([inside, real]) != inside:
            says = f"expected a file inside the project, got {quoted(file)}"
            return _Resolved(reason=says, rule="M404")
        facts = FilePath(real).stat()
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > _LARGEST:
            return _Resolved(reason=f"expected a file of at most 1 MB, got {quoted(file)}")
        return FilePath(real).read_bytes()
    except OSError as exc:
        got = (exc.strerror or "an error").lower()
        return _Resolved(reason=f"expected to read the file {quoted(file)}, got: {got}")
    except ValueError:
        return _Resolved(reason=f"expected the path of a file, got {quoted(file)}")
