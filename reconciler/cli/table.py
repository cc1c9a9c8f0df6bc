"""How an apply goes, on a terminal: a live table of what runs, and a line for all that is over."""

from __future__ import annotations

import logging
import os
import select
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TextIO

from reconciler.cli.progress import Ticker, Underway, Work, said_of_interrupt, spell, verdict
from reconciler.core.outcome import Outcome, Status
from reconciler.core.plan import Action
from reconciler.report.lines import safe
from reconciler.report.words import SIGNS

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

_log = logging.getLogger(__name__)

_REFRESH_S = 0.25
_SHOW_CURSOR = b"\x1b[?25h\r\n"
_STYLES = {
    Status.UNHEALTHY: "yellow",
    Status.FAILED: "bold red",
    Status.STALE: "yellow",
    Status.NOT_STARTED: "dim",
}
_KIND_STYLES = {"good": "green", "change": "yellow", "tags": "cyan", "bad": "red", "dim": "dim"}


def is_possible(stream: TextIO | None = None) -> bool:
    """Whether `stream`, by default stderr, is a terminal that can be drawn on, with a reader."""
    found = sys.stderr if stream is None else stream
    is_dumb = os.environ.get("TERM", "dumb") in ("", "dumb") and os.name != "nt"
    with suppress(OSError, ValueError, AttributeError):
        return not is_dumb and not os.environ.get("CI") and found.isatty()
    return False


class LiveTable:
    """A row an action under way below a line of counts; what is over stays above, a line each."""

    def __init__(self, state: Underway, stream: TextIO | None = None) -> None:
        from rich.console import Console
        from rich.live import Live

        self._state = state
        self._lock = threading.Lock()
        self._is_over = False
        self._interrupt = ""
        self._console = Console(
            file=sys.stderr if stream is None else stream,
            force_terminal=True,
            # No style at all, not only no colour: bold and dim are lost on nobody.
            color_system=None if os.environ.get("NO_COLOR") else "standard",
            highlight=False,
            markup=False,
            emoji=False,
        )
        self._live = Live(
            console=self._console,
            auto_refresh=False,  # its thread would end in a traceback where the terminal goes away
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
            get_renderable=self._table,
        )
        self._draw(lambda: self._live.start(refresh=True))
        self._ticker = Ticker(self._refresh, every_s=_REFRESH_S)

    def began(self, action: Action) -> None:
        """Work on an action has begun."""
        self._state.begin(action)

    def step(self, action: Action, text: str, *, operation: str = "") -> None:
        """A step of an action under way."""
        del operation  # for machines: far too long for a row
        self._state.step(action, text)

    def held(self, text: str, until: datetime) -> None:
        """Work waits for a ration."""
        self._state.hold(text, until)

    def landed(self, outcome: Outcome) -> None:
        """An action is over."""
        self._state.land(outcome)
        if outcome.action.is_pending:
            self._above(outcome)

    def interrupted(self, running: int) -> None:
        """The first interrupt: `running` actions are waited for."""
        self._interrupt = said_of_interrupt(running)
        self._refresh()

    def close(self) -> None:
        """Take the table away; the lines above stay."""
        self._ticker.stop()
        self._draw(self._live.stop)
        self._is_over = True

    def abandon(self) -> None:
        """Give the terminal its cursor back; waits for nothing, no lock either."""
        if not self._is_over:
            self._show_cursor()

    def _above(self, outcome: Outcome) -> None:
        from rich.text import Text

        sign, style = SIGNS[outcome.action.kind]
        style = _KIND_STYLES.get(style, style if style.startswith("bold") else "magenta")
        text = Text()
        text.append(f"{self._state.elapsed:6.1f}s  ", "dim")
        text.append(f"{sign:>3} ", _STYLES.get(outcome.status, style))
        text.append(safe(str(outcome.action.target)), "bold")
        text.append(f"  {outcome.action.kind.value} ")
        text.append(safe(verdict(outcome)), _STYLES.get(outcome.status, "green"))
        if outcome.took >= timedelta(seconds=1):
            text.append(f"  ({spell(outcome.took)})", "dim")
        self._draw(lambda: self._console.print(text, soft_wrap=True))
        self._refresh()  # printing draws the table again as it was before

    def _refresh(self) -> bool:
        self._draw(self._live.refresh)
        return not self._is_over

    def _draw(self, how: Callable[[], None]) -> None:
        with self._lock:
            if self._is_over:
                return
            try:
                how()
            except Exception as exc:  # noqa: BLE001  # nobody sees it any more, or a bug of rich
                _log.debug("not drawn: %s", exc, exc_info=True)
                self._is_over = True
                try:
                    self._live.stop()
                except Exception:  # noqa: BLE001  # it is broken already
                    self._show_cursor()

    def _show_cursor(self) -> None:
        """Past all of rich, where the terminal takes anything at all."""
        with suppress(OSError, ValueError):
            number = self._console.file.fileno()
            if number in select.select([], [number], [], 0)[1]:
                os.write(number, _SHOW_CURSOR)

    def _table(self) -> RenderableType:
        from rich.console import Group
        from rich.constrain import Constrain
        from rich.table import Table

        works = self._state.running()
        heads = self._heads(len(works))
        # A last line is kept free, or the terminal scrolls.
        room = max(1, self._console.size.height - len(heads) - 2)
        shown = works if len(works) <= room else works[: max(1, room - 1)]
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True, justify="right", min_width=5)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=2)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=3)
        table.expand = True
        for work in shown:
            table.add_row(*self._row(work))
        left = len(works) - len(shown)
        more = [_plain(f"      … and {left} more", "dim")] if left else []
        drawn = Group(*heads, table, *more) if works else Group(*heads)
        # The `^C` that a terminal writes at the end must not begin another line.
        return Constrain(drawn, max(1, self._console.size.width - 5))

    def _row(self, work: Work) -> tuple[Text, ...]:
        time_ = spell(timedelta(seconds=self._state.now() - work.since))
        return (
            _plain(time_, "dim"),
            _plain(str(work.action.target), "bold"),
            _plain(work.action.kind.value),
            _plain(work.step, "dim"),
        )

    def _heads(self, running: int) -> list[Text]:
        state = self._state
        waiting = max(0, state.total - state.landed - running)
        head = _plain(f"{state.landed - state.unstarted} of {state.total} done", "bold")
        parts = [(f"{running} under way", "")]
        parts += [(f"{waiting} waiting", "dim")] if waiting else []
        parts += [(f"{state.failed} failed", "bold red")] if state.failed else []
        parts += [(f"{state.unstarted} not started", "dim")] if state.unstarted else []
        for text, style in (*parts, (spell(timedelta(seconds=state.elapsed)), "dim")):
            head.append(", ").append(text, style)
        lines = [head]
        lines += [_plain(held, "yellow")] if (held := state.held) else []
        return lines + ([_plain(self._interrupt, "bold yellow")] if self._interrupt else [])


def _plain(text: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(safe(text), style=style, no_wrap=True, overflow="ellipsis")
