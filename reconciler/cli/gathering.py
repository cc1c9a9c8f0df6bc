"""`report`: many documents gathered into one comment or issue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.documents import checked, read_document
from reconciler.cli.files import write_text
from reconciler.cli.options import Options, Output
from reconciler.core.jsonval import JsonObject, as_text
from reconciler.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.report.gathered import Gathered

_FORMATS = ("markdown", "json")
_EXPECTED = "what -o json wrote"


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
    documents = [_read(path) for path in options.paths]
    failed = [one for one in documents if one.word == UNTOLD]
    for one in failed:
        console.say(f"aci-reconcile: error: {safe(f'{one.file}: {one.summary}')}")
    code = ExitCode.FAILED if failed else ExitCode.DONE
    for output in outputs:
        _write(output, documents, code)
    return code


def _read(path: Path) -> Gathered:
    from reconciler.report.gathered import gathered, unread

    try:
        return gathered(str(path), _document(path))
    except UsageError as exc:
        return unread(str(path), exc.says.removeprefix(str(path)).lstrip(": "))


def _document(path: Path) -> JsonObject:
    document = read_document(path, expected=_EXPECTED, hint="")
    kind = document.get("kind")
    if kind not in ("Plan", "Result", "Validation", "Status"):
        raise UsageError(f"{path}: expected {_EXPECTED}, got another document")
    checked(path, document, "report", part=as_text(kind).lower(), hint="")
    return document


def _write(output: Output, documents: Sequence[Gathered], code: ExitCode) -> None:
    from reconciler.report.gathered import gathered_json
    from reconciler.report.gathered_markdown import gathered_markdown

    if output.format == "json":
        text = gathered_json(documents, exit_code=code)
    else:
        text = gathered_markdown(documents)
    write_text(text, path=output.path, format_name=output.format)
