"""What is shown while somebody watches: a table drawn anew, or a line or document a change."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

from reconciler.cli.files import why_not
from reconciler.cli.options import Options, Output
from reconciler.cli.progress import clock_time
from reconciler.cli.table import is_possible
from reconciler.core.cloud import Clock
from reconciler.errors import LocalStateUnusable
from reconciler.report.as_json import as_line
from reconciler.report.as_text import as_text
from reconciler.report.lines import safe
from reconciler.report.status_text import standing_in_words

if TYPE_CHECKING:
    from rich.live import Live

    from reconciler.report.shape import Report


class Screen(Protocol):
    """Where looks are shown."""

    def show(self, report: Report, *, every_s: float) -> None:
        """Show a look; the next one comes in so many seconds."""

    def failed(self, says: str) -> None:
        """A look failed; the next one may not."""


class Screens:
    """All of them."""

    def __init__(self, screens: Sequence[Screen]) -> None:
        self._screens = screens

    def show(self, report: Report, *, every_s: float) -> None:
        """Show a look everywhere."""
        for screen in self._screens:
            screen.show(report, every_s=every_s)

    def failed(self, says: str) -> None:
        """A look failed."""
        for screen in self._screens:
            screen.failed(says)


@contextmanager
def screens_for(options: Options, clock: Clock) -> Iterator[Screens]:
    """The screens that options ask for, open for as long as the block lasts.

    Raises:
        LocalStateUnusable: a file of them cannot be written.
    """
    outputs = options.outputs or (Output(format="text", path=None),)
    screens: list[Screen] = []
    files: list[TextIO] = []
    live: Live | None = None
    try:
        for output in outputs:
            stream: TextIO = sys.stdout
            if output.path is not None:
                stream = _opened(output.path)
                files.append(stream)
            if output.format == "ndjson":
                screens.append(Documents(stream, clock))
            elif output.path is None and is_possible(stream):
                live = _live(stream)
                screens.append(Table(live, clock, verbose=options.verbose))
            else:
                screens.append(Changes(stream, clock))
        yield Screens(screens)
    finally:
        if live is not None:
            live.stop()
        for stream in files:
            stream.close()


def _opened(path: Path) -> TextIO:
    try:
        return path.open("w", encoding="utf-8")
    except OSError as exc:
        raise LocalStateUnusable(
            f"{path}: cannot be written: {why_not(exc)}", hint="give -o another path"
        ) from exc


def _live(stream: TextIO) -> Live:
    from rich.console import Console
    from rich.live import Live

    color = None if os.environ.get("NO_COLOR") else "standard"
    console = Console(file=stream, force_terminal=True, color_system=color, highlight=False)  # type: ignore[arg-type]
    live = Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
    live.start()
    return live


class Table:
    """The table of `status` on a terminal, drawn anew at each look."""

    def __init__(self, live: Live, clock: Clock, *, verbose: bool) -> None:
        self._live = live
        self._clock = clock
        self._verbose = verbose
        self._drawn = ""

    def show(self, report: Report, *, every_s: float) -> None:
        """Draw it."""
        width = shutil.get_terminal_size((100, 24)).columns
        color = not os.environ.get("NO_COLOR")
        self._drawn = as_text(report, color=color, width=width, verbose=self._verbose)
        self._draw(f"{clock_time(self._clock.now())}, every {every_s:.0f} s; Ctrl-C ends it")

    def failed(self, says: str) -> None:
        """Keep what was seen last, and say why it is not new."""
        self._draw(f"{clock_time(self._clock.now())}, not seen anew: {safe(says)}")

    def _draw(self, foot: str) -> None:
        from rich.text import Text

        drawn = Text.from_ansi(self._drawn)
        drawn.append(f"\n{foot}" if self._drawn else foot, "dim")
        self._live.update(drawn, refresh=True)


class Changes:
    """A line for each group at first, then for each that has changed."""

    def __init__(self, stream: TextIO, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock
        self._known: dict[str, tuple[str, str]] = {}  # by address: its name, and how it stands

    def show(self, report: Report, *, every_s: float) -> None:
        """Tell what has changed."""
        del every_s
        now = {
            one.target.address: (str(one.target), standing_in_words(one)) for one in report.lines
        }
        for address, (name, says) in now.items():
            if self._known.get(address) != (name, says):
                self._tell(f"{name}: {says}")
        for address, (name, _) in self._known.items():
            if address not in now:
                self._tell(f"{name}: gone")
        self._known = now

    def failed(self, says: str) -> None:
        """Tell it people alone."""
        print(
            f"{clock_time(self._clock.now())}  not seen: {safe(says)}", file=sys.stderr, flush=True
        )

    def _tell(self, text: str) -> None:
        self._stream.write(f"{clock_time(self._clock.now())}  {safe(text)}\n")
        self._stream.flush()


class Documents:
    """The JSON document of each look that differs from the one before, a line each."""

    def __init__(self, stream: TextIO, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock
        self._known = ""

    def show(self, report: Report, *, every_s: float) -> None:
        """Write it where it is news."""
        del every_s
        text = as_line(report)
        if text != self._known:
            self._stream.write(text)
            self._stream.flush()
            self._known = text

    def failed(self, says: str) -> None:
        """Tell it people alone."""
        print(
            f"{clock_time(self._clock.now())}  not seen: {safe(says)}", file=sys.stderr, flush=True
        )
