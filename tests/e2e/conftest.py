"""The command as a process: with a terminal, and interrupted half-way."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Done, Repository, environment_of, group

PATIENCE_S = 30


@pytest.fixture
def shop(repository: Repository) -> Repository:
    """Two groups of ours, applied."""
    repository.given_home()
    repository.write(group(tags={"team": "shop"}), group("other"))
    repository.apply()
    return repository


@dataclass(kw_only=True)
class Terminal:
    """A process on a terminal of its own."""

    process: subprocess.Popen[bytes]
    master: int
    seen: str = ""

    def wait_for(self, text: str) -> None:
        """Return when `text` has been shown."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.seen:
            assert time.monotonic() < deadline, f"no {text!r} in {self.seen!r}"
            if not self._read():
                raise AssertionError(f"it ended without {text!r}: {self.seen!r}")

    def answer(self, text: str) -> None:
        """Type a line."""
        os.write(self.master, f"{text}\n".encode())

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.write(self.master, b"\x03")

    def end(self) -> Done:
        """Wait until it has ended."""
        while self._read():
            pass
        code = self.process.wait(PATIENCE_S)
        return Done(code=code, out=self.seen.replace("\r\n", "\n"), err="")

    def _read(self) -> bool:
        ready, _, _ = select.select([self.master], [], [], PATIENCE_S)
        assert ready, f"nothing more was shown after {self.seen!r}"
        try:
            found = os.read(self.master, 65536)
        except OSError:  # Linux says so when the last process has left the terminal
            return False
        self.seen += found.decode(errors="replace")
        return bool(found)


@pytest.fixture
def on_terminal() -> Iterator[Callable[..., Terminal]]:
    """Starts a command of a repository on a terminal."""
    started: list[Terminal] = []

    def start(repository: Repository, *arguments: str) -> Terminal:
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "reconciler", *arguments, "--endpoint", repository.emulator.url],
            cwd=repository.root,
            env=environment_of(**{"TERM": "xterm", **repository.environ}),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=_own_terminal,
        )
        os.close(slave)
        started.append(Terminal(process=process, master=master))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()
        os.close(one.master)


def _own_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@dataclass(kw_only=True)
class Background:
    """A process whose output is read line by line."""

    process: subprocess.Popen[str]

    def line_with(self, text: str, *, stream: str = "stderr") -> str:
        """The next line that holds `text`."""
        found = getattr(self.process, stream)
        seen = []
        for line in found:
            seen.append(line)
            if text in line:
                return str(line)
        raise AssertionError(f"no {text!r} in {''.join(seen)!r}")

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self, *, within: float = PATIENCE_S) -> Done:
        out, err = self.process.communicate(timeout=within)
        assert "Traceback" not in err, err
        return Done(code=self.process.returncode, out=out, err=err)


@pytest.fixture
def in_background() -> Iterator[Callable[..., Background]]:
    """Starts a command and goes on."""
    started: list[Background] = []

    def start(
        *arguments: str,
        cwd: Path,
        program: Sequence[str] = ("-m", "reconciler"),
        **environ: str,
    ) -> Background:
        process = subprocess.Popen(
            [sys.executable, *program, *arguments],
            cwd=cwd,
            env=environment_of(PYTHONUNBUFFERED="1", **environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(Background(process=process))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.process.communicate()
