"""Writing reports to files: checked before anything is done, whole or not at all."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from reconciler.errors import LocalStateUnusable

_HINT = "give -o another path"


def check_writable(path: Path, *, hint: str = _HINT) -> None:
    """Return when `path` can very likely be written; writes nothing.

    Raises:
        LocalStateUnusable: it is a folder, or its folder is missing or closed to us.
    """
    try:
        folder = Path(os.path.realpath(path)).parent
        if path.is_dir():
            raise LocalStateUnusable(f"{path}: expected a file, got a folder", hint=hint)
        if not folder.is_dir():
            raise LocalStateUnusable(f"{path}: there is no folder '{folder}'", hint=hint)
        closed = path if path.exists() else folder
        if not os.access(closed, os.W_OK):
            raise LocalStateUnusable(f"{path}: may not be written", hint=hint)
    except (OSError, ValueError) as exc:
        raise LocalStateUnusable(f"{path}: cannot be written: {why_not(exc)}", hint=hint) from exc


def empty(path: Path) -> None:
    """Empty a regular file that is there: what it holds is of an earlier run.

    Raises:
        LocalStateUnusable: it cannot be written.
    """
    try:
        if path.is_file():
            os.truncate(path, 0)
    except (OSError, ValueError) as exc:
        raise LocalStateUnusable(f"{path}: cannot be written: {why_not(exc)}", hint=_HINT) from exc


def write_file(path: Path, text: str, *, hint: str = _HINT) -> None:
    """Write `text`: a regular file is replaced whole, a pipe or device is written into.

    Raises:
        LocalStateUnusable: it cannot be written; an older file is still there then.
    """
    try:
        found = path.stat() if path.exists() else None
        if found is not None and not stat.S_ISREG(found.st_mode):
            path.write_text(text, encoding="utf-8")
        else:
            _replace(Path(os.path.realpath(path)), text, found.st_mode if found else None)
    except (OSError, ValueError) as exc:
        raise LocalStateUnusable(f"{path}: cannot be written: {why_not(exc)}", hint=hint) from exc


def write_text(text: str, *, path: Path | None, format_name: str) -> None:
    """Write a document to `path`, or to stdout; a GitHub log takes no commands out of it.

    Raises:
        LocalStateUnusable: it cannot be written.
        BrokenPipeError: nobody reads any more.
    """
    if path is not None:
        write_file(path, text)
        return
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from reconciler.report.as_github import inert

        text = inert(text, format_name)
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as exc:
        raise LocalStateUnusable(f"stdout: cannot be written: {why_not(exc)}") from exc


def _replace(path: Path, text: str, mode: int | None) -> None:
    partial = path.with_name(f".{path.name[:100]}.{os.getpid()}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        if mode is not None:
            partial.chmod(stat.S_IMODE(mode))
        partial.replace(path)
    except OSError:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def why_not(exc: Exception) -> str:
    """What the system says, without the path that everybody names already."""
    return (exc.strerror or str(exc)) if isinstance(exc, OSError) else str(exc)
