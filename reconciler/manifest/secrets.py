"""Secrets leave the body here: each becomes a `Secret` beside it, its value in no text.

A reference is followed at once; one that leads nowhere is a warning, since a plan needs no value
and a write says so again. A reference into Azure is only kept: manifests are loaded offline.
"""

from __future__ import annotations

from reconciler.core.encoding import NOT_BASE64, is_base64
from reconciler.core.finding import Finding
from reconciler.core.groups import Secret, SecretState
from reconciler.core.jsonval import Json, JsonObject, WirePath, as_list, as_object, dig
from reconciler.core.jsonval import pointer as to_pointer
from reconciler.core.references import Reference, VaultReference
from reconciler.manifest.document import Document
from reconciler.manifest.pointers import canonical_path
from reconciler.manifest.references import (
    Resolved,
    Surroundings,
    azure_reference,
    followed,
    references_for,
)
from reconciler.manifest.rules import finding
from reconciler.manifest.schemas import Kind
from reconciler.manifest.shape import Shape, shape_of
from reconciler.manifest.wording import shown_path


def extracted(
    document: Document, around: Surroundings | None
) -> tuple[JsonObject, list[Secret], list[Finding]]:
    """The document without its secrets, the secrets, and what is doubtful about them."""
    pass_ = _Pass(document, around)
    data = as_object(pass_.without(document.data, shape_of(Kind.GROUP), ()))
    pass_.empty_places()
    return data, pass_.secrets, pass_.findings


class _Pass:
    def __init__(self, document: Document, around: Surroundings | None) -> None:
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
            self._say("M401", path, says, references_for(path))
            self._keep(path, _checked(Resolved(value=node), is_encoded=is_encoded))
        elif isinstance(node, dict) and (reference := azure_reference(node)):
            self._refer(path, reference, node, is_encoded=is_encoded)
        elif isinstance(node, dict) and "unknown" not in node:
            resolved = followed(node, self.around)
            self._keep(path, _checked(resolved, is_encoded=is_encoded), node)
        else:
            self._unknown(path)

    def _refer(
        self, path: WirePath, reference: Reference, node: JsonObject, *, is_encoded: bool
    ) -> None:
        """Keep a secret that Azure is asked for later: offline, nothing is wrong with it."""
        nobody = "the vault" if isinstance(reference, VaultReference) else "Azure"
        self.secrets.append(
            Secret(
                path=path,
                name=to_pointer(canonical_path(self.document.data, path)),
                state=SecretState.UNRESOLVED,
                where=self.document.at(path),
                reason=f"{nobody} was not asked: {reference}",
                reference=reference,
                encodes=node.get("encode") == "base64",
                holds_base64=is_encoded,
                source=node,
            )
        )

    def _keep(self, path: WirePath, resolved: Resolved, source: JsonObject | None = None) -> None:
        if resolved.reason:
            self._say(resolved.rule, path, resolved.reason)
        state = SecretState.UNRESOLVED if resolved.value is None else SecretState.KNOWN
        self._add(path, state, resolved.value, resolved.reason, source)

    def _unknown(self, path: WirePath) -> None:
        says = "expected a value or a reference, got none: it is not compared and blocks writes"
        self._say("M403", path, says, references_for(path))
        self._add(path, SecretState.UNKNOWN, None, "no value is given")

    def _add(
        self,
        path: WirePath,
        state: SecretState,
        value: str | None,
        reason: str,
        source: JsonObject | None = None,
    ) -> None:
        name = to_pointer(canonical_path(self.document.data, path))
        where = self.document.at(path)
        self.secrets.append(
            Secret(
                path=path,
                name=name,
                state=state,
                where=where,
                value=value,
                reason=reason,
                source=source,
            )
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


def _checked(resolved: Resolved, *, is_encoded: bool) -> Resolved:
    """`resolved`, or why a secret volume cannot hold it."""
    if not is_encoded or resolved.value is None or is_base64(resolved.value):
        return resolved
    return Resolved(value=resolved.value, reason=NOT_BASE64, rule="M405")
