"""`python -m reconciler.emulator`: serve until Ctrl-C."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from reconciler.emulator import Emulator, EmulatorStateUnusable, Faults, Pace, Polls, RealTime


def main(arguments: list[str] | None = None) -> int:
    """Serve as the command line asks; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m reconciler.emulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8080, help="port; 0 picks a free one")
    parser.add_argument("--database", type=Path, help="file that keeps the state; default: memory")
    parser.add_argument(
        "--pace",
        choices=("real", "polls"),
        default="real",
        help="transitions take seconds, or end by being polled",
    )
    parser.add_argument(
        "--drop",
        dest="drops",
        metavar="POINTER",
        action="append",
        default=[],
        help="a fault: lose this of each PUT without a word, such as "
        "/properties/containers/*/properties/livenessProbe; repeatable",
    )
    parser.add_argument(
        "--faults", metavar="FILE", type=Path, help="a JSON script of what goes wrong"
    )
    options = parser.parse_args(arguments)
    pace: Pace = RealTime() if options.pace == "real" else Polls()
    try:
        emulator = Emulator(
            database=options.database,
            time=pace,
            host=options.host,
            port=options.port,
            record=False,
            drops=options.drops,
            faults=Faults.read(options.faults) if options.faults else None,
        )
        emulator.start()
    except (EmulatorStateUnusable, OSError, ValueError) as exc:
        sys.stderr.write(f"emulator: {exc}\n")
        return 1
    sys.stdout.write(f"Azure Container Instances emulator on {emulator.url} (Ctrl-C stops it)\n")
    sys.stdout.flush()
    emulator.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
