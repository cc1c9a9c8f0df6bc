"""What a person is told of an exception that ended a command, or cost a report."""

from __future__ import annotations

from reconciler.errors import ReconcilerError


def sentence(exc: Exception) -> str:
    """One sentence, whole with its kind of error."""
    if isinstance(exc, ReconcilerError):
        return f"error: {exc}"
    if isinstance(exc, BrokenPipeError):
        # The reader went away (`| head`): what was done is done, and its report is cut off.
        return "stdout was closed before all of the output was written"
    if isinstance(exc, OSError):
        # The machine's trouble, not a bug: a full disk, a working folder that is gone.
        named = f"{exc.filename}: " if exc.filename else ""
        return f"error: {named}{exc.strerror or exc}"
    return f"internal error: {type(exc).__name__}: {exc}; please report it, see it with --debug"
