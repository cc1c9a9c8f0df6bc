"""`report`: many documents gathered into one comment or issue."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.cli.console import Console
from reconciler.cli.files import why_not, write_file
from reconciler.cli.options import Options, Output
from reconciler.errors import ExitCode, LocalStateUnusable, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.report.gathered import Gathered

_FORMATS = ("markdown", "json")
_LARGEST = 200_000_000  # bytes of one file


class _Unreadable(Exception):
    """Why a file holds no document."""


def report(options: Options) -> ExitCode:
    """Gather; 1 when a file could not be read, which is reported in its place."""
    from reconciler.report.gathered import UNTOLD
    from reconciler.report.lines import safe

    outputs = options.outputs or (Output(format="markdown", path=None),)
    for output in outputs:
        if output.format not in _FORMATS:
            raise UsageError(
                f"-o {output.format}: expected markdown or json, which report can write",
                hint="'aci-reconcile show' has the others, of one plan",
            )
    console = Console(options)
    console.check_outputs()
    validator = _validator()
    documents = [_read(path, validator) for path in options.paths]
    failed = [one for one in documents if one.word == UNTOLD]
    for one in failed:
        console.say(f"aci-reconcile: error: {safe(f'{one.file}: {one.summary}')}")
    code = ExitCode.FAILED if failed else ExitCode.DONE
    for output in outputs:
        _write(output, documents, code)
    return code


def _read(path: Path, validator: Any) -> Gathered:
    from reconciler.report.gathered import gathered, unread

    try:
        return gathered(str(path), _document(path, validator))
    except _Unreadable as exc:
        return unread(str(path), str(exc))


def _validator() -> Any:  # jsonschema is loaded only here
    from jsonschema import Draft202012Validator

    from reconciler.manifest import schema_text

    return Draft202012Validator(json.loads(schema_text("report")))


def _document(path: Path, validator: Any) -> dict[str, Any]:
    from jsonschema.exceptions import best_match

    try:
        if path.stat().st_size > _LARGEST:
            raise _Unreadable(f"expected a report, got {path.stat().st_size} bytes")
        value = json.loads(path.read_text("utf-8"))
    except OSError as exc:
        raise _Unreadable(f"cannot be read: {why_not(exc)}") from exc
    except json.JSONDecodeError as exc:
        at = f"line {exc.lineno}, column {exc.colno}"
        raise _Unreadable(f"expected JSON at {at}: {exc.msg}") from exc
    except (ValueError, RecursionError) as exc:
        raise _Unreadable(f"expected JSON in UTF-8: {type(exc).__name__}") from exc
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(value, dict) or kind not in ("Plan", "Result", "Validation", "Status"):
        raise _Unreadable("expected what -o json wrote, got another document")
    schema = {"$ref": f"#/$defs/{kind.lower()}", "$defs": validator.schema["$defs"]}
    error = best_match(validator.evolve(schema=schema).iter_errors(value))
    if error is not None:
        where = "/" + "/".join(str(part) for part in error.absolute_path)
        raise _Unreadable(f"{where}: {error.message[:300]}")
    return value


def _write(output: Output, documents: Sequence[Gathered], code: ExitCode) -> None:
    from reconciler.report.gathered import gathered_json
    from reconciler.report.gathered_markdown import gathered_markdown

    if output.format == "json":
        text = gathered_json(documents, exit_code=code)
    else:
        text = gathered_markdown(documents)
    if output.path is not None:
        write_file(output.path, text)
        return
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from reconciler.report.as_github import inert

        text = inert(text, output.format)
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as exc:
        raise LocalStateUnusable(f"stdout: cannot be written: {why_not(exc)}") from exc
