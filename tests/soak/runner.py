"""Starts the command again and again from one process that has imported it: a fork each.

Reads lines of JSON, `{cwd, argv, environ, out, err}`; says `started PID`, then `ended CODE`, which
is negative where a signal ended it. The command runs by a quick clock.
"""

from __future__ import annotations

import json
import os
import sys

import reconciler.arm.connect
import reconciler.cli.commands
import reconciler.cli.connection
import reconciler.cli.main
import reconciler.execute.run
import reconciler.report.rows  # noqa: F401  # imported here, once, and not in each child
from tests.soak.clock import Quick


def serve() -> None:
    """Run what is asked for, one after the other, until nobody asks any more."""
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            run(asked)
        say(f"started {child}")
        _, status = os.waitpid(child, 0)
        say(f"ended {os.waitstatus_to_exitcode(status)}")


def run(asked: dict[str, object]) -> None:
    """Become the command; never returns."""
    for number, name in ((0, os.devnull), (1, str(asked["out"])), (2, str(asked["err"]))):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        os.dup2(os.open(name, flags, 0o600), number)
    os.chdir(str(asked["cwd"]))
    sys.argv[1:] = [str(one) for one in asked["argv"]]  # type: ignore[attr-defined]
    reconciler.cli.connection.SystemClock = Quick  # type: ignore[assignment,misc]
    try:
        reconciler.cli.main.run()
    except SystemExit as exc:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(exc.code or 0))
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        os._exit(99)


def say(text: str) -> None:
    """Tell whoever asked."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve()
