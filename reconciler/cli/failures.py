"""What a person is told of an exception that ended a command, or cost a report."""

from __future__ import annotations

from reconciler.cli.options import Options
from reconciler.errors import ExitCode, ReconcilerError


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


# The commands whose `-o` writes reports; the others print what they are asked for.
_REPORTING = frozenset(
    {
        "validate",
        "plan",
        "apply",
        "destroy",
        "drift",
        "status",
        "adopt",
        "start",
        "stop",
        "restart",
    }
)


def tell(options: Options, exc: BaseException, code: ExitCode) -> None:
    """Write why there is no report to the outputs that got none."""
    if options.command not in _REPORTING:
        return
    from reconciler.cli.console import Console
    from reconciler.report.rows import failure_report
    from reconciler.report.shape import Failure

    if isinstance(exc, ReconcilerError):
        says = str(exc).removesuffix(f"; {exc.hint}")  # with what was tried, and the request's id
        failure = Failure(says=says, hint=exc.hint, details=exc.details)
    elif isinstance(exc, Exception):
        failure = Failure(says=sentence(exc).removeprefix("error: "))
    else:
        failure = Failure(says="interrupted")
    report = failure_report(
        failure,
        command=options.command,
        exit_code=code,
        owner=_owner(options),
        environment=options.environment,
    )
    Console(options).failure(report, keep=options.since)


def _owner(options: Options) -> str:
    """Whose run it was, by which a comment is found again; empty where that cannot be told."""
    from reconciler.cli.loading import opened

    try:
        project, _ = opened(options)
    except Exception:  # noqa: BLE001  # it may be just what went wrong
        return ""
    return project.owner if project is not None else ""
