"""Where a reference to a secret leads: the environment and files at once, Azure later.

Loading manifests asks nobody: what lies in a vault, or with a resource, is only named here.
"""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath

from reconciler.core.groups import is_variable
from reconciler.core.jsonval import Json, JsonObject, WirePath, as_object, as_text
from reconciler.core.references import (
    HolderKind,
    KeyHolder,
    KeyReference,
    Reference,
    VaultReference,
)
from reconciler.manifest.wording import quoted

WRITTEN = "{fromEnv: NAME}, {fromFile: PATH} or {fromKeyVault: {vault: NAME, secret: NAME}}"

# What stands first where the key of a resource is due: Azure itself knows it.
_HELD = {
    "storageAccountKey": "{fromStorageAccount: {name: NAME, resourceGroup: NAME}}",
    "workspaceKey": "{fromWorkspace: {name: NAME, resourceGroup: NAME}}",
}

_LARGEST = 1_000_000  # bytes


def references_for(path: WirePath) -> str:
    """What may be written at `path` in place of a secret."""
    held = _HELD.get(str(path[-1]))
    return f"{held}, {WRITTEN}" if held else WRITTEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where references lead: the process's environment, the project's folder, other folders."""

    root: FilePath
    environ: Mapping[str, str]
    secrets_dirs: tuple[FilePath, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A value, or why there is none; `rule` is set where that is more than a warning."""

    value: str | None = None
    reason: str = ""
    rule: str = "M402"


# What refers to a key of a resource: the kind of that, and the key meant where none is named.
_HOLDERS = {
    "fromStorageAccount": (HolderKind.STORAGE_ACCOUNT, "key1"),
    "fromWorkspace": (HolderKind.WORKSPACE, "primary"),
}


def azure_reference(node: Json) -> Reference | None:
    """What a reference names in Azure; None where it leads elsewhere."""
    return vault_reference(node) or key_reference(node)


def key_reference(node: Json) -> KeyReference | None:
    """The key of a resource that a reference names; None where it names something else."""
    for name, (kind, usual) in _HOLDERS.items():
        given = node.get(name) if isinstance(node, dict) else None
        if given is None:
            continue
        named = as_object(given)
        holder = KeyHolder(
            kind=kind,
            subscription=as_text(named.get("subscription")),
            resource_group=as_text(named.get("resourceGroup")),
            name=as_text(named.get("name")),
        )
        return KeyReference(
            holder=holder,
            key=as_text(named.get("key")) or usual,
            as_connection_string=named.get("as") == "connectionString",
        )
    return None


def vault_reference(node: Json) -> VaultReference | None:
    """The secret in a vault that a reference names; None where it names something else."""
    given = node.get("fromKeyVault") if isinstance(node, dict) else None
    if given is None:
        return None
    named = as_object(given)
    return VaultReference(
        vault=as_text(named.get("vault")),
        secret=as_text(named.get("secret")),
        version=as_text(named.get("version")),
    )


def followed(node: JsonObject, around: Surroundings | None) -> Resolved:
    """What an environment variable or a file holds, in base64 where the reference asks for it."""
    if around is None:
        return Resolved(reason="not followed")
    name, file = as_text(node.get("fromEnv")), as_text(node.get("fromFile"))
    if name:
        found = from_environment(name, around.environ)
        if found.value is None:
            return found
        raw = found.value.encode("utf-8", "surrogateescape")
    else:
        content = _read(file, around)
        if isinstance(content, Resolved):
            return content
        raw = content
    if node.get("encode") == "base64":
        return Resolved(value=base64.b64encode(raw).decode("ascii"))
    try:
        return Resolved(value=raw.decode("utf-8"))
    except UnicodeDecodeError:
        return Resolved(reason="expected UTF-8, got other bytes; try 'encode: base64'")


def from_environment(name: str, environ: Mapping[str, str]) -> Resolved:
    """What a variable holds; bytes that are no text stay as Python's surrogates."""
    value = environ.get(name)
    if value:
        return Resolved(value=value)
    if not is_variable(name):
        # Not shown: someone may have put the secret itself here.
        return Resolved(reason="expected the name of an environment variable, got other text")
    got = "one that is empty" if value == "" else "none"
    return Resolved(reason=f"expected the environment variable {quoted(name)}, got {got}")


def _read(file: str, around: Surroundings) -> bytes | Resolved:
    """The bytes of a file inside the project or a folder of secrets, links followed first."""
    try:
        bases = [os.path.realpath(base) for base in (around.root, *around.secrets_dirs)]
        real = _first(file, bases)
        if not any(os.path.commonpath([base, real]) == base for base in bases):
            says = f"expected a file inside the project or a --secrets-dir, got {quoted(file)}"
            return Resolved(reason=says, rule="M404")
        facts = FilePath(real).stat()
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > _LARGEST:
            says = f"expected a regular file of at most 1 MB, got {quoted(file)}"
            return Resolved(reason=says)
        # An empty one stands most often for a secret that did not arrive.
        if not facts.st_size:
            says = f"expected a file with a value in it, got one that is empty: {quoted(file)}"
            return Resolved(reason=says)
        return FilePath(real).read_bytes()
    except OSError as exc:
        got = (exc.strerror or "an error").lower()
        return Resolved(reason=f"expected to read the file {quoted(file)}, got: {got}")
    except ValueError:
        return Resolved(reason=f"expected the path of a file, got {quoted(file)}")


def _first(file: str, bases: list[str]) -> str:
    """Where `file` really lies: in the first folder that has it, else where the project would."""
    # An absolute path stays what it is, whatever it is joined to.
    places = [os.path.join(base, file) for base in bases]  # noqa: PTH118  # realpath wants text
    there = (place for place in places if os.path.lexists(place))
    return os.path.realpath(next(there, places[0]))
