"""JSON documents that an earlier run wrote, read back with care: they may come from anywhere."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from reconciler.cli.files import why_not
from reconciler.core.jsonval import Json, JsonObject, as_object, pointer
from reconciler.errors import UsageError

_LARGEST = 200_000_000  # bytes: more than ten thousand groups take


def read_document(path: Path, *, expected: str, hint: str) -> JsonObject:
    """The object in a file.

    Raises:
        UsageError: it cannot be read or holds none; the message says where and what was expected.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)  # a device may have no end
        if len(raw) > _LARGEST:
            says = f"{path}: expected {expected}, got more than {_LARGEST} bytes"
            raise UsageError(says, hint=hint)
        value: Json = json.loads(raw.decode("utf-8"))
    except OSError as exc:
        raise UsageError(f"{path}: cannot be read: {why_not(exc)}", hint=hint) from exc
    except json.JSONDecodeError as exc:
        where = f"{path}:{exc.lineno}:{exc.colno}"
        raise UsageError(f"{where}: expected JSON: {exc.msg}", hint=hint) from exc
    except (ValueError, RecursionError) as exc:
        says = f"{path}: expected {expected}: {type(exc).__name__}"
        raise UsageError(says, hint=hint) from exc
    if not isinstance(value, dict):
        says = f"{path}: expected {expected}, got JSON of the type {type(value).__name__}"
        raise UsageError(says, hint=hint)
    return value


def checked(path: Path, document: JsonObject, schema: str, *, part: str = "", hint: str) -> None:
    """Return when `document` is valid by a schema of ours, or by a `part` of its definitions.

    Raises:
        UsageError: it is not; the message says where.
    """
    from jsonschema.exceptions import best_match

    error = best_match(_validator(schema, part).iter_errors(document))
    if error is not None:
        where = pointer(tuple(str(step) for step in error.absolute_path)) or "/"
        raise UsageError(f"{path}: {where}: {error.message[:300]}", hint=hint)


def is_document(path: Path) -> bool:
    """Whether a file holds JSON rather than a manifest, by its name or how it begins."""
    if path.suffix.lower() == ".json":
        return True
    if path.suffix.lower() in (".yaml", ".yml") or not path.is_file():
        return False
    with suppress(OSError), path.open("rb") as file:
        return file.read(64).lstrip().startswith(b"{")
    return False


@cache
def _validator(schema: str, part: str) -> Any:  # jsonschema is loaded only here
    from jsonschema import Draft202012Validator

    from reconciler.manifest import schema_text

    whole = as_object(json.loads(schema_text(schema)))
    defs = as_object(whole.get("$defs"))
    chosen = {**as_object(defs[part]), "$defs": defs} if part else whole
    return Draft202012Validator(chosen)
