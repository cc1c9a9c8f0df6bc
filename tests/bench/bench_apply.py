"""`make bench`: 200 creates in flight at once against the emulator, and what they cost.

Not a test: it measures this machine as much as the code. The emulator and the command have a
process each. Operations take 2 s; against plain HTTP the command polls on its schedule scaled down
tenfold. Ideal is the first look at or after those 2 s, with everything else free.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.emulator import PLENTY, Durations, Emulator, LoggedRequest, RealTime
from reconciler.execute.wait import Pace

CHECKOUT = Path(__file__).resolve().parent.parent.parent
SUBSCRIPTION = "77777777-0000-4000-8000-000000000200"
# Azure's quota is 100 groups in a region.
REGIONS = ("westeurope", "northeurope", "francecentral", "swedencentral")
OPERATION_S = 2.0
_KINDS = (
    (re.compile(r"/containerGroups$", re.IGNORECASE), "list"),
    (re.compile(r"/containerGroups/[^/]+$", re.IGNORECASE), "group"),
    (re.compile(r"/operations/", re.IGNORECASE), "operation"),
    (re.compile(r"/(usages|capabilities)$|/providers/[^/]+$", re.IGNORECASE), "preflight"),
    (re.compile(r"/resourceGroups(/[^/]+)?$", re.IGNORECASE), "resource group"),
)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One apply: seconds, bytes and counts."""

    wall_s: float
    writing_s: float
    cpu_s: float
    peak_bytes: int
    threads: int
    in_flight: int
    requests: Counter[str]


def main() -> int:
    """Measure, print the table; 1 when an apply did not do what it should."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--groups", type=int, default=200)
    parser.add_argument("--parallelism", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    runs = [measured(options.groups, options.parallelism) for _ in range(options.runs)]
    waves = -(-options.groups // options.parallelism)
    print(table(runs, groups=options.groups, parallelism=options.parallelism, waves=waves))
    return 0


def ideal_s() -> float:
    """Seconds until the first look that can see the end of an operation."""
    elapsed = 0.0
    for pause_s in Pace(scale=0.1).pauses():
        elapsed = round(elapsed + pause_s, 6)
        if elapsed >= OPERATION_S:
            return elapsed
    raise AssertionError("the pauses never end")


def table(runs: list[Measured], *, groups: int, parallelism: int, waves: int) -> str:
    """The result for people: a line a figure, a column a run."""
    ideal = ideal_s() * waves
    kinds = sorted({kind for run in runs for kind in run.requests})
    rows = [
        ("wall, whole command", [f"{run.wall_s:.2f} s" for run in runs]),
        ("wall, first to last request of a group", [f"{run.writing_s:.2f} s" for run in runs]),
        (f"ratio of that to the ideal {ideal:.2f} s", [f"{r.writing_s / ideal:.2f}" for r in runs]),
        ("processor time of the command", [f"{run.cpu_s:.2f} s" for run in runs]),
        ("operations in flight at once, at most", [str(run.in_flight) for run in runs]),
        ("peak memory", [f"{run.peak_bytes / 2**20:.0f} MiB" for run in runs]),
        ("peak threads", [str(run.threads) if run.threads else "unknown" for run in runs]),
        ("requests", [str(sum(run.requests.values())) for run in runs]),
        *((f"  {kind}", [str(run.requests[kind]) for run in runs]) for kind in kinds),
    ]
    head = f"{groups} creates of {OPERATION_S:.0f} s, --parallelism {parallelism}, "
    head += f"{os.cpu_count()} cores, Python {sys.version.split()[0]}"
    lines = [f"{name:<42}{''.join(f'{cell:>10}' for cell in cells)}" for name, cells in rows]
    return "\n".join([head, *lines])


def measured(groups: int, parallelism: int) -> Measured:
    """One apply of `groups` new groups.

    Raises:
        SystemExit: the command or the emulator failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        _repository(Path(folder), groups)
        server = subprocess.Popen(
            [sys.executable, __file__, "serve"],
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        try:
            wall_s, usage, threads = _apply(Path(folder), url, parallelism)
        finally:
            told, _ = server.communicate()  # the end of its input ends it
        log = json.loads(told)
    return Measured(
        wall_s=wall_s,
        writing_s=_span(log),
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_bytes=usage.ru_maxrss * 1024,
        threads=threads,
        in_flight=_in_flight(log),
        requests=Counter(f"{method} {_kind(path)}" for _, method, path in log),
    )


def _repository(root: Path, groups: int) -> None:
    project = {"owner": "bench", "defaults": {"subscription": SUBSCRIPTION}}
    (root / "aci-reconcile.yaml").write_text(json.dumps(project))
    for number in range(groups):
        region = REGIONS[number % len(REGIONS)]
        requests = {"cpu": 1, "memoryInGB": 1}
        container = {"image": "nginx:1.27", "resources": {"requests": requests}}
        manifest: dict[str, Any] = {
            "name": f"web-{number:03}",
            "location": region,
            "reconcile": {"resourceGroup": "rg-bench"},
            "properties": {
                "osType": "Linux",
                "containers": [{"name": "web", "properties": container}],
            },
        }
        (root / f"web-{number:03}.yaml").write_text(json.dumps(manifest))
    home = {"type": "Microsoft.Resources/resourceGroups", "name": "rg-bench"}
    (root / "home.yaml").write_text(json.dumps({**home, "location": "westeurope"}))


def _apply(root: Path, url: str, parallelism: int) -> tuple[float, Any, int]:
    """The wall time, the resource usage and the most threads of the command."""
    arguments = ["apply", "--yes", "--parallelism", str(parallelism), "--endpoint", url]
    began = time.perf_counter()
    with (root / "out").open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "reconciler", *arguments],
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        most = _Threads(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall_s = time.perf_counter() - began
    if process.returncode:
        tail = "\n".join((root / "out").read_text().splitlines()[-40:])
        raise SystemExit(f"apply ended with {process.returncode}:\n{tail}")
    return wall_s, usage, most.seen()


class _Threads:
    """The most threads a process has had, where the system tells."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._most = 0
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def seen(self) -> int:
        """The most so far; 0 where the system does not tell."""
        self._thread.join(1)
        return self._most

    def _look(self) -> None:
        while True:
            try:
                text = self._status.read_text()
            except OSError:
                return
            found = re.search(r"^Threads:\s+(\d+)", text, re.MULTILINE)
            if found is None:
                return  # it has ended
            self._most = max(self._most, int(found[1]))
            time.sleep(0.02)


def _kind(path: str) -> str:
    return next((kind for pattern, kind in _KINDS if pattern.search(path)), "other")


def _span(log: list[list[Any]]) -> float:
    """Seconds from the first write of a group to the last request."""
    first: float = min(at for at, method, path in log if (method, _kind(path)) == ("PUT", "group"))
    last: float = max(at for at, _, _ in log)
    return last - first


def _in_flight(log: list[list[Any]]) -> int:
    """The most operations at any one time."""
    began = sorted(at for at, method, path in log if (method, _kind(path)) == ("PUT", "group"))
    return max(sum(at - OPERATION_S < other <= at for other in began) for at in began)


class _Stamped(list[LoggedRequest]):
    """A log that knows when."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def append(self, request: LoggedRequest) -> None:
        """Log a request that was just answered."""
        self.times.append(time.perf_counter())
        super().append(request)


def serve() -> int:
    """Be the emulator until the input ends; then tell every request."""
    emulator = Emulator(time=RealTime(Durations(create=OPERATION_S)), limits=PLENTY)
    log = _Stamped()
    emulator._requests = log
    with emulator:
        print(emulator.url, flush=True)
        sys.stdin.read()
    print(json.dumps([[at, r.method, r.path] for at, r in zip(log.times, log, strict=True)]))
    return 0


if __name__ == "__main__":
    sys.exit(serve() if sys.argv[1:] == ["serve"] else main())
