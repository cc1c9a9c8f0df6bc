"""The command in processes of its own, which can be killed or interrupted; see `runner`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.conftest import CHECKOUT, Done, Repository, environment_of


@dataclass(kw_only=True)
class Runner:
    """Runs the command in processes that can be killed."""

    process: subprocess.Popen[str]
    child: int = 0

    def start(self, repository: Repository, *arguments: str) -> None:
        """Start the command."""
        assert self.process.stdin is not None
        asked = {
            "cwd": str(repository.root),
            "argv": [*arguments, "--endpoint", repository.emulator.url],
            "out": str(repository.root.parent / "out"),
            "err": str(repository.root.parent / "err"),
        }
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        self.child = int(self._said("started"))

    def end(self, repository: Repository) -> Done:
        """Wait until it has ended, by itself or not."""
        code = int(self._said("ended"))
        self.child = 0
        out, err = ((repository.root.parent / name).read_text() for name in ("out", "err"))
        assert "Traceback" not in err, err
        return Done(code=code, out=out, err=err)

    def run(self, repository: Repository, *arguments: str) -> Done:
        """Start the command and wait until it has ended."""
        self.start(repository, *arguments)
        return self.end(repository)

    def _said(self, word: str) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline().split()
        assert line[:1] == [word], f"expected '{word}' of the runner, got {line}"
        return line[1]


@contextmanager
def started() -> Iterator[Runner]:
    """A runner for as long as the block lasts."""
    process = subprocess.Popen(
        [sys.executable, str(CHECKOUT / "tests/soak/runner.py")],
        env=environment_of(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    one = Runner(process=process)
    yield one
    if one.child:
        os.kill(one.child, signal.SIGKILL)
    process.communicate(timeout=10)
