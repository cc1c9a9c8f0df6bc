"""Talking to people and to files: results on stdout, everything else on stderr."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from reconciler.cli.options import Options, Output
from reconciler.errors import LocalStateUnusable

if TYPE_CHECKING:
    from reconciler.core.outcome import Outcome
    from reconciler.core.plan import Action, Plan
    from reconciler.report.rows import Report


class Console:
    """Where a command's results go, and how it asks."""

    def __init__(self, options: Options) -> None:
        self._outputs = options.outputs or (Output(format="text", path=None),)
        self._verbose = options.verbose

    @property
    def can_ask(self) -> bool:
        """Whether a person can answer."""
        # A stream that was closed before we started is None.
        return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))

    def check_outputs(self) -> None:
        """Return when every report can be written: better known before anything is done.

        Raises:
            LocalStateUnusable: one cannot.
        """
        from reconciler.cli.files import check_writable

        for output in self._outputs:
            if output.path is not None:
                check_writable(output.path)

    def report(self, report: Report) -> None:
        """Write a report in every format asked for; one that fails does not stop the others.

        Raises:
            LocalStateUnusable: one could not be written.
        """
        failed: list[LocalStateUnusable] = []
        for output in self._outputs:
            try:
                self._write(output, report)
            except LocalStateUnusable as exc:
                failed.append(exc)
        if failed:
            raise failed[0]

    def preview(self, report: Report) -> None:
        """Show the plan before it is carried out; a machine gets only the result."""
        on_stdout = any(o.path is None and o.format == "text" for o in self._outputs)
        stream = sys.stdout if on_stdout else sys.stderr
        stream.write(self._text(report, is_terminal=stream.isatty()))
        stream.flush()

    def say(self, text: str) -> None:
        """A line for people that is no result."""
        with suppress(OSError, ValueError):  # nobody reads it any more
            print(text, file=sys.stderr, flush=True)

    def ask(self, question: str, answer: str) -> bool:
        """Whether a person types exactly `answer`."""
        prompt = f"\n{question} Only '{answer}' is taken for a yes: "
        print(prompt, end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip() == answer

    def progress(self, planned: Plan) -> Progress:
        """What hears the steps of an apply."""
        return Progress(pending=sum(action.is_pending for action in planned.actions))

    def _write(self, output: Output, report: Report) -> None:
        if output.path is None:
            sys.stdout.write(self._rendered(output.format, report, is_terminal=sys.stdout.isatty()))
            sys.stdout.flush()
            return
        from reconciler.cli.files import write_file

        write_file(output.path, self._rendered(output.format, report, is_terminal=False))

    def _rendered(self, name: str, report: Report, *, is_terminal: bool) -> str:
        if name == "json":
            from reconciler.report.as_json import as_json

            return as_json(report)
        return self._text(report, is_terminal=is_terminal)

    def _text(self, report: Report, *, is_terminal: bool) -> str:
        from reconciler.report.as_text import as_text

        color = is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        width = shutil.get_terminal_size((100, 24)).columns if is_terminal else 100
        return as_text(report, color=color, width=width, verbose=self._verbose)


class Progress:
    """A line a step on stderr, told from worker threads."""

    def __init__(self, *, pending: int) -> None:
        self._pending = pending
        self._landed = 0
        self._started = time.monotonic()
        self._lock = threading.Lock()

    def began(self, action: Action) -> None:
        """Work on an action has begun; its first step says more."""

    def held(self, text: str, until: datetime) -> None:
        """Everything waits."""
        self._line(f"{text} until {until:%H:%M:%S} UTC")

    def step(self, action: Action, text: str, *, operation: str = "") -> None:
        """A step of an action that is under way."""
        del operation
        self._line(f"{action.target}: {text} …")

    def landed(self, outcome: Outcome) -> None:
        """An action is over."""
        with self._lock:
            self._landed += 1
        self._line(
            f"{outcome.action.target}: {outcome.status.value} ({self._landed} of {self._pending})"
        )

    def interrupted(self, running: int) -> None:
        """The first interrupt: `running` actions are waited for."""
        verb = "action is" if running == 1 else "actions are"
        self._line(
            f"interrupted: {running} {verb} being finished; interrupt again to leave at once"
        )

    def _line(self, text: str) -> None:
        from reconciler.report.lines import safe

        seconds = time.monotonic() - self._started
        # What runs in Azure goes on whether or not anybody still reads about it.
        with self._lock, suppress(OSError, ValueError):
            print(f"{seconds:6.1f}s  {safe(text)}", file=sys.stderr, flush=True)
