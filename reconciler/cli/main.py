"""Entry point: parse, run one command, turn whatever ends it into an exit code."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from reconciler.cli import signals
from reconciler.cli.failures import sentence
from reconciler.cli.options import Options, options_of
from reconciler.cli.parser import parser
from reconciler.errors import ExitCode, ReconcilerError

_OFFLINE = frozenset({"validate", "schema", "explain", "emulator", "demo"})


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
    _open_streams()
    namespace = parser().parse_args(arguments)
    _log(is_debug=namespace.debug)
    try:
        return _command(namespace.command)(options_of(namespace))
    except ReconcilerError as exc:
        _say(sentence(exc))
        for detail in exc.details:
            _say(f"  {detail}")
        return exc.exit_code
    except KeyboardInterrupt:
        signals.heard()
        _say("interrupted")
        return ExitCode.INTERRUPTED
    except BrokenPipeError as exc:
        _say(sentence(exc))
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAILED
    except Exception as exc:
        if namespace.debug and not isinstance(exc, OSError):
            raise
        _say(sentence(exc))
        return ExitCode.FAILED


def _command(name: str) -> Callable[[Options], ExitCode]:
    # Only what a command needs is imported.
    commands = import_module(f"reconciler.cli.{'offline' if name in _OFFLINE else 'commands'}")
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
