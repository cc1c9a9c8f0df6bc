"""What is told to GitHub besides, where it runs us: annotations, the step's summary and outputs.

None of it changes how the command ends: what cannot be written is a warning on stderr.
"""

from __future__ import annotations

import io
import os
import re
import secrets
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from reconciler.cli.files import why_not
from reconciler.cli.options import Output

if TYPE_CHECKING:
    from reconciler.report.shape import Report

# A step whose summary is larger loses all of it (actions/runner, FileCommandManager.cs).
_SUMMARY_LIMIT = 1024 * 1024
_SUMMARY_LEAST = 20_000  # characters, below which there is no use in one more
_BYTES_A_CHARACTER = 4


def is_github(environ: Mapping[str, str]) -> bool:
    """Whether GitHub Actions runs us."""
    return environ.get("GITHUB_ACTIONS") == "true"


def annotated(report: Report, environ: Mapping[str, str]) -> str:
    """The annotations of a report, with the files as GitHub knows them."""
    from reconciler.report.as_github import as_github

    return as_github(report, base=_base(environ.get("GITHUB_WORKSPACE", "")))


def publish(
    report: Report,
    environ: Mapping[str, str],
    *,
    outputs: Sequence[Output],
    warn: Callable[[str], None],
) -> None:
    """Tell GitHub of a report that goes to `outputs`; `warn` hears what could not be told."""
    _annotate(report, environ, outputs)
    for name, write in (("GITHUB_STEP_SUMMARY", _summarise), ("GITHUB_OUTPUT", _set_outputs)):
        path = environ.get(name)
        if not path:
            warn(f"{name} is not set: GitHub is not told of this run there")
            continue
        try:
            write(report, Path(path))
        except (OSError, ValueError) as exc:
            warn(f"{path}, which {name} names, cannot be written: {why_not(exc)}")


class Harmless(io.TextIOBase):
    """A stream on which nobody's text can give the runner a command; for several threads.

    A line is held until it ends, or until it is flushed.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._held = ""
        self._lock = threading.Lock()

    def write(self, text: str) -> int:
        """Write whole lines, made harmless."""
        with self._lock:
            whole, end, self._held = (self._held + text).rpartition("\n")
            self._pass_on(whole + end)
        return len(text)

    def flush(self) -> None:
        """Write what is held, too."""
        with self._lock:
            held, self._held = self._held, ""
            self._pass_on(held)
            self._stream.flush()

    @property
    def whole(self) -> TextIO:
        """The stream below, for commands that are meant, once what is held is written."""
        self.flush()
        return self._stream

    def isatty(self) -> bool:
        """Whether a person looks at it."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """The file below."""
        return self._stream.fileno()

    def _pass_on(self, text: str) -> None:
        from reconciler.report.as_github import inert

        if text:
            self._stream.write(inert(text))


def shield_streams() -> None:
    """Make stdout and stderr harmless: the runner reads every line that is printed there."""
    for name in ("stdout", "stderr"):
        setattr(sys, name, Harmless(getattr(sys, name)))


def unshielded(stream: TextIO) -> TextIO:
    """The stream as it was before it was shielded, for what is harmless or meant."""
    return stream.whole if isinstance(stream, Harmless) else stream


def _annotate(report: Report, environ: Mapping[str, str], outputs: Sequence[Output]) -> None:
    on_stdout = {output.format for output in outputs if output.path is None}
    if "github" in on_stdout:
        return  # they stand there already
    # GitHub reads both streams; a document on stdout is for somebody else.
    stream = unshielded(sys.stderr if on_stdout - {"text"} else sys.stdout)
    with suppress(OSError, ValueError):  # nobody reads it any more
        stream.write(annotated(report, environ))
        stream.flush()


def conclude(code: int, environ: Mapping[str, str]) -> None:
    """Say how all environments of one run ended: outputs of equal names tell of the last alone."""
    path = Path(environ.get("GITHUB_OUTPUT") or os.devnull)
    with suppress(OSError, ValueError):
        said = path.read_text("utf-8", errors="replace")
        changed = bool(re.search(r"^.+-changed<<.+\ntrue$", said, re.MULTILINE))
        values = {"exit-code": str(int(code)), "changed": "true" if changed else "false"}
        _append_outputs(values, path)


def _summarise(report: Report, path: Path) -> None:
    from reconciler.report.as_markdown import as_markdown

    held = path.stat().st_size if path.exists() else 0
    budget = (_SUMMARY_LIMIT - held) // _BYTES_A_CHARACTER
    if budget < _SUMMARY_LEAST:
        raise ValueError("it is full: GitHub takes 1 MiB of a step")
    _append(path, as_markdown(report, budget=budget) + "\n")


def _set_outputs(report: Report, path: Path) -> None:
    from reconciler.report.as_github import outputs

    _append_outputs(outputs(report), path)


def _append_outputs(values: Mapping[str, str], path: Path) -> None:
    from reconciler.report.as_github import outputs_text

    # Nobody can know the delimiter, so that no value ends early and sets another.
    delimiter = f"end_{secrets.token_hex(16)}"
    _append(path, outputs_text(values, delimiter=delimiter))


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        file.write(text)


def _base(workspace: str) -> str:
    """Where we are from the root of the repository, empty for there or where that is not known."""
    if not workspace:
        return ""
    here, root = Path(os.path.realpath(Path.cwd())), Path(os.path.realpath(workspace))
    base = here.relative_to(root).as_posix() if here.is_relative_to(root) else ""
    return "" if base == "." else base
