"""Talking to people and to files: results on stdout, everything else on stderr."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.options import Options, Output
from reconciler.cli.terminal import shape
from reconciler.errors import LocalStateUnusable

if TYPE_CHECKING:
    from reconciler.cli.progress import Screen, Underway
    from reconciler.cli.stream import Stream
    from reconciler.core.events import Watcher
    from reconciler.core.plan import Plan
    from reconciler.report.rows import Report


class Console:
    """Where a command's results go, and how it asks."""

    def __init__(self, options: Options) -> None:
        self._outputs = options.outputs or (Output(format="text", path=None),)
        self._told = options.told
        self._verbose = options.verbose
        self._in_github = os.environ.get("GITHUB_ACTIONS") == "true"
        self._streams: dict[Output, Stream] = {}
        self._shown: Screen | None = None

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
        from reconciler.cli.files import check_writable, empty

        paths = [(output.format, output.path) for output in self._outputs]
        for _, path in paths:
            if path is not None:
                check_writable(path)
        for name, path in paths:
            if path is not None and name == "ndjson":
                empty(path)  # or the events of the run before would be taken for those of this one

    def report(self, report: Report) -> None:
        """Write a report in every format asked for; one that fails does not stop the others.

        Raises:
            LocalStateUnusable: one could not be written.
            BrokenPipeError: nobody reads stdout any more.
        """
        self._raise(self._failures(report))

    def result(self, report: Report) -> None:
        """As `report`, but what was done does not go untold: stderr is the last resort.

        An interrupt outranks what cannot be written: then that is only said.

        Raises:
            LocalStateUnusable: one could not be written.
            BrokenPipeError: nobody reads stdout any more.
        """
        from reconciler.cli.progress import unharmed

        failed = self._failures(report)
        if len(failed) == len(self._outputs):
            with unharmed():
                self.say(self._text(report, is_terminal=sys.stderr.isatty()))
        if report.is_interrupted:
            self._complain(failed)
        else:
            self._raise(failed)

    def failure(self, report: Report, *, keep: Path | None) -> None:
        """Write why there is no report to wherever none went, so that no older one is believed.

        The file to `keep` is left as it is. What cannot be written is only said: the reason is on
        stderr already, and on stdout text for people would say it twice.
        """
        outputs = [
            output
            for output in self._outputs
            if output not in self._told
            and not (output.path is None and output.format == "text")
            and not (
                output.path and keep and os.path.realpath(output.path) == os.path.realpath(keep)
            )
        ]
        self._complain(self._failures(report, outputs))

    def _raise(self, failed: Sequence[Exception]) -> None:
        """Raise the first, if there is one; the others are said."""
        self._complain(failed[1:])
        if failed:
            raise failed[0]

    def _complain(self, failed: Sequence[Exception]) -> None:
        from reconciler.cli.failures import sentence
        from reconciler.report.lines import safe

        for exc in failed:
            self.say(f"aci-reconcile: {safe(sentence(exc))}")

    def _failures(self, report: Report, outputs: Sequence[Output] | None = None) -> list[Exception]:
        failed: list[Exception] = []
        for output in self._outputs if outputs is None else outputs:
            self._told.add(output)
            try:
                self._write(output, report)
            except Exception as exc:  # noqa: BLE001  # also a bug in one costs no other
                failed.append(exc)
        if self._in_github:
            from reconciler.cli.github import publish

            publish(report, os.environ, outputs=self._outputs, warn=self._warn)
        return failed

    def _warn(self, text: str) -> None:
        from reconciler.report.lines import safe

        self.say(f"aci-reconcile: warning: {safe(text)}")

    def preview(self, report: Report) -> None:
        """Show the plan before it is carried out; a machine gets only the result."""
        if any(o.path is None and o.format == "text" for o in self._outputs):
            text = self._text(report, is_terminal=sys.stdout.isatty())
            self._print(self._harmless("text", text))
        else:
            self.say(self._text(report, is_terminal=sys.stderr.isatty()).removesuffix("\n"))

    def say(self, text: str) -> None:
        """A line for people that is no result."""
        with suppress(OSError, ValueError):  # nobody reads it any more
            print(self._harmless("text", text), file=sys.stderr, flush=True)

    def ask(self, question: str, answer: str) -> bool:
        """Whether a person types exactly `answer`."""
        prompt = f"\n{question} Only '{answer}' is taken for a yes: "
        print(prompt, end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip() == answer

    @contextmanager
    def progress(self, planned: Plan, shown: Report) -> Iterator[Watcher]:
        """What hears the steps of an apply, in the block; `shown` is the plan as it was shown.

        Raises:
            LocalStateUnusable: the file of a stream of events cannot be written.
        """
        from reconciler.cli.progress import Several, Underway, unharmed

        for output in self._outputs:
            if output.format == "ndjson":
                self._told.add(output)
                self._streams[output] = self._opened(output, shown)
        state = Underway(total=sum(action.is_pending for action in planned.actions))
        self._shown = screen = self._screen(state)
        try:
            yield Several([*self._streams.values(), screen])
        finally:
            with unharmed():
                screen.close()

    def abandon(self) -> None:
        """The process ends now, in a signal handler: leave the terminal as it was."""
        if self._shown is not None:
            self._shown.abandon()

    def _screen(self, state: Underway) -> Screen:
        from reconciler.cli.progress import Lines
        from reconciler.cli.table import LiveTable, is_possible

        # Events on the same terminal, and the log of every request, would tear the table apart.
        is_torn = any(o.format == "ndjson" and o.path is None for o in self._outputs)
        is_torn |= logging.getLogger("reconciler").isEnabledFor(logging.DEBUG)
        return LiveTable(state) if is_possible() and not is_torn else Lines(state)

    def _opened(self, output: Output, shown: Report | None) -> Stream:
        from reconciler.cli.stream import Stream

        stream = Stream(output.path)
        if shown is not None:
            stream.start(shown)
        return stream

    def _write(self, output: Output, report: Report) -> None:
        if output.format == "ndjson":
            self._end_stream(output, report)
        elif output.path is None:
            text = self._rendered(output.format, report, is_terminal=sys.stdout.isatty())
            self._print(self._harmless(output.format, text))
        else:
            from reconciler.cli.files import write_file

            write_file(output.path, self._rendered(output.format, report, is_terminal=False))

    def _print(self, text: str) -> None:
        from reconciler.cli.files import why_not

        stream = sys.stdout
        if self._in_github:
            from reconciler.cli.github import unshielded

            stream = unshielded(stream)
        try:
            stream.write(text)
            stream.flush()
        except BrokenPipeError:
            raise
        except (OSError, ValueError) as exc:
            raise LocalStateUnusable(f"stdout: cannot be written: {why_not(exc)}") from exc

    def _end_stream(self, output: Output, report: Report) -> None:
        """Write the last event; a plan that is not carried out is told by the same two as any."""
        from reconciler.report.shape import ReportKind

        stream = self._streams.pop(output, None)
        if stream is None:
            shown = report if report.kind is ReportKind.PLAN else None
            stream = self._opened(output, shown)
        stream.finish(report)

    def _rendered(self, name: str, report: Report, *, is_terminal: bool) -> str:
        if name == "text":
            return self._text(report, is_terminal=is_terminal)
        if name == "github":
            from reconciler.cli.github import annotated

            return annotated(report, os.environ)
        # Each format is a function of the report, in a module of its name.
        render = getattr(import_module(f"reconciler.report.as_{name}"), f"as_{name}")
        return str(render(report))

    def _harmless(self, name: str, text: str) -> str:
        """`text` of the format `name`, with no command to GitHub in it that we do not mean."""
        if not self._in_github or name == "github":
            return text
        from reconciler.report.as_github import inert

        return inert(text, name)

    def _text(self, report: Report, *, is_terminal: bool) -> str:
        from reconciler.report.as_text import as_text

        color, width = shape(is_terminal=is_terminal)
        return as_text(report, color=color, width=width, verbose=self._verbose)
