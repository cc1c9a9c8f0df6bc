"""Entry point: parse, run one command, turn whatever ends it into an exit code."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from reconciler.cli import signals
from reconciler.cli.failures import sentence, tell
from reconciler.cli.options import Options, each_environment, options_of
from reconciler.cli.parser import parser
from reconciler.errors import ExitCode, ReconcilerError

_OFFLINE = frozenset({"validate", "schema", "explain", "emulator", "demo", "show"})
_ROOMS = {
    "drift": "drifting",
    "report": "gathering",
    "render": "rendering",
    "diff": "rendering",
    "snapshot": "snapshots",
    "convert": "converting",
    "export": "exporting",
    "adopt": "adopting",
    "fmt": "formatting",
    "init": "starting",
    "completion": "completing",
    "status": "standing",
    "logs": "printing",
    "events": "printing",
    "doctor": "doctoring",
    "start": "operating",
    "stop": "operating",
    "restart": "operating",
}
# One environment after the other, as long as all goes well.
_IN_TURN = frozenset({"apply", "destroy", "adopt", "start", "stop", "restart"})


def run() -> NoReturn:
    """The console script. Leaves at once: workers may still wait on Azure, and nobody for them."""
    signals.raised()
    try:
        code = main()
        signals.ignored()  # what was done is done
        _flush()
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    except Exception:  # noqa: BLE001  # to get any further, it would have to wait for workers
        with suppress(OSError, ValueError):
            traceback.print_exc()
        code = ExitCode.FAILED
    os._exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; its exit code. No exception but SystemExit of argparse gets out."""
    if "_ARGCOMPLETE" in os.environ:
        from reconciler.cli.completing import complete

        complete(parser())  # a shell asks what could come next: that is all of this run
    _open_streams()
    if os.environ.get("GITHUB_ACTIONS") == "true":
        # No text of others may be a command to the runner, whoever prints it.
        from reconciler.cli.github import shield_streams

        shield_streams()
    namespace = parser().parse_args(arguments)
    _log(is_debug=namespace.debug)
    codes: list[ExitCode] = []
    runs: Sequence[Options] = ()

    def prepared() -> ExitCode:
        nonlocal runs
        runs = each_environment(options_of(namespace))
        return ExitCode.DONE

    if (code := _guarded(prepared, is_debug=namespace.debug)) is not ExitCode.DONE:
        return code
    run = _command(namespace.command)
    for number, options in enumerate(runs, 1):
        one = partial(run, options)
        codes.append(_guarded(one, is_debug=namespace.debug, tell=partial(tell, options)))
        if codes[-1] is ExitCode.INTERRUPTED or (codes[-1] and namespace.command in _IN_TURN):
            _say_left(runs[number:])
            break
    code = _one_of(codes)
    if len(runs) > 1 and os.environ.get("GITHUB_ACTIONS") == "true":
        from reconciler.cli.github import conclude

        conclude(code, os.environ)
    return code


def _one_of(codes: Sequence[ExitCode]) -> ExitCode:
    if len(codes) == 1:
        return codes[0]
    from reconciler.core.outcome import exit_code_of_all

    return exit_code_of_all(codes)


def _say_left(runs: Sequence[Options]) -> None:
    if runs:
        names = ", ".join(options.environment or "" for options in runs)
        _say(f"not begun: {names}")


def _guarded(
    run: Callable[[], ExitCode],
    *,
    is_debug: bool,
    tell: Callable[[BaseException, ExitCode], None] = lambda _exc, _code: None,
) -> ExitCode:
    """The exit code of a run; whatever ends it early is said, and written where `tell` does."""
    try:
        return run()
    except ReconcilerError as exc:
        _say(sentence(exc))
        for detail in exc.details:
            _say(f"  {detail}")
        tell(exc, exc.exit_code)
        return exc.exit_code
    except KeyboardInterrupt as exc:
        signals.heard()
        _say("interrupted")
        tell(exc, ExitCode.INTERRUPTED)
        return ExitCode.INTERRUPTED
    except BrokenPipeError as exc:
        _say(sentence(exc))
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAILED
    except Exception as exc:
        if is_debug and not isinstance(exc, OSError):
            raise
        _say(sentence(exc))
        tell(exc, ExitCode.FAILED)
        return ExitCode.FAILED


def _command(name: str) -> Callable[[Options], ExitCode]:
    # Only what a command needs is imported.
    room = _ROOMS.get(name) or ("offline" if name in _OFFLINE else "commands")
    commands = import_module(f"reconciler.cli.{room}")
    found: Callable[[Options], ExitCode] = getattr(commands, name)
    return found


def _say(text: str) -> None:
    from reconciler.report.lines import safe

    with suppress(OSError, ValueError):
        print(f"aci-reconcile: {safe(text)}", file=sys.stderr, flush=True)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            # Nobody reads it any more; Python would fail on it once more while it ends.
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _log(*, is_debug: bool) -> None:
    # Azure's own HTTP logger prints headers; ours names every request with its id instead.
    logging.basicConfig(stream=sys.stderr, format="%(name)s: %(message)s", level=logging.WARNING)
    logging.getLogger("reconciler").setLevel(logging.DEBUG if is_debug else logging.WARNING)
    for noisy in ("azure", "urllib3", "msal"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


def _open_streams() -> None:
    """Give libraries something to write to: a stream closed before we started is None."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # Open for as long as the process lives.
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
