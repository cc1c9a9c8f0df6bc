"""What containers print, made up from their definition: no image is ever run.

* the word-count sample of Microsoft's documentation (`…/aci-wordcount`) really counts the words of
  a text that comes with the emulator, and heeds `NumWords`, `MinLength` and the text's URL;
* an `echo` in the command prints its words, an exposed port is listened on;
* `while true; do echo WORDS; sleep N; done` prints them every N seconds, or once a read where time
  passes by reads;
* an exit code other than 0 is told.

As much is kept as the service keeps: 4 MB of a container that runs, the last 1000 lines and 16 KB
of one that has ended (A.8).
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from pprint import pformat

from reconciler.emulator.facts import Group, Moment
from reconciler.emulator.jsonval import JsonObject, as_list, as_text, dig, objects
from reconciler.emulator.lifecycle import Run, RunState, run_of
from reconciler.emulator.pace import Unit
from reconciler.emulator.views import tick_text

_ECHO = re.compile(r"\becho\s+(?:-\w+\s+)*([^;&|]+)")
_BEAT = re.compile(
    r"while\s+(?:true|:)\s*;\s*do\s+echo\s+([^;&|]+);\s*sleep\s+(\d+(?:\.\d+)?)\s*;?\s*done"
)
_KEPT, _KEPT_ENDED, _KEPT_LINES = 4 << 20, 16 << 10, 1000
_WORD = re.compile(r"[A-Za-z']+")


def log_of(
    group: Group, container: JsonObject, moment: Moment, *, stamped: bool, tail: int | None = None
) -> list[str]:
    """The last lines `container` has printed by now, each with its time in front if `stamped`."""
    run = run_of(group, container, moment)
    ended = run.state is not RunState.RUNNING
    if "aci-wordcount" in as_text(dig(container, "properties", "image")):
        lines = _word_count(container) if ended else []
    else:
        lines = _echoed(container) + _listening(container)
        if ended and run.exit_code:
            lines.append(f"exited with code {run.exit_code}")
    printed = [(run.started + timedelta(milliseconds=n), line) for n, line in enumerate(lines)]
    printed += _beats(group, container, run, moment, most=tail)
    if tail is not None:
        printed = printed[max(0, len(printed) - tail) :]
    texts = [f"{tick_text(at)} {line}" if stamped else line for at, line in printed]
    return _kept(texts, has_ended=ended)


def _beats(
    group: Group, container: JsonObject, run: Run, moment: Moment, *, most: int | None
) -> list[tuple[datetime, str]]:
    """What a loop in the command has printed so far, as much as is kept of it."""
    found = _BEAT.search(" ".join(_command(container)))
    if found is None:
        return []
    text, pause_s = found.group(1).strip().strip("\"'"), max(float(found.group(2)), 0.001)
    if group.phase.unit is Unit.READS:
        times = 1 + moment.reads
    else:
        times = 1 + max(0, int((moment.now - run.started).total_seconds() / pause_s))
    kept = _KEPT // (len(text) + 1) + 1
    first = max(0, times - (kept if most is None else min(kept, most)))
    return [(run.started + timedelta(seconds=n * pause_s), text) for n in range(first, times)]


def _kept(lines: list[str], *, has_ended: bool) -> list[str]:
    """The last of the lines, as many as the service keeps."""
    room = _KEPT_ENDED if has_ended else _KEPT
    kept = lines[-_KEPT_LINES:] if has_ended else lines
    for number, line in enumerate(reversed(kept)):
        room -= len(line.encode()) + 1
        if room < 0:
            return kept[len(kept) - number :]
    return kept


def _echoed(container: JsonObject) -> list[str]:
    command = _command(container)
    if command[:1] in (["echo"], ["/bin/echo"]):
        return [" ".join(command[1:])]
    found = _ECHO.findall(_BEAT.sub("", " ".join(command)))
    return [text.strip().strip("\"'") for text in found]


def _listening(container: JsonObject) -> list[str]:
    ports = objects(dig(container, "properties", "ports"))
    return [f"listening on port {port.get('port')}" for port in ports]


def _command(container: JsonObject) -> list[str]:
    return [as_text(part) for part in as_list(dig(container, "properties", "command"))]


def _word_count(container: JsonObject) -> list[str]:
    variables = {
        as_text(item.get("name")): as_text(item.get("value"))
        for item in objects(dig(container, "properties", "environmentVariables"))
    }
    most = _whole(variables.get("NumWords", ""), 10)
    least = _whole(variables.get("MinLength", ""), 0)
    title = "romeo" if "romeo" in " ".join(_command(container)).lower() else "hamlet"
    counted = Counter(word for word in _words(title) if len(word) >= least)
    return pformat(counted.most_common(most)).splitlines()


def _whole(text: str, default: int) -> int:
    return int(text) if text.isdecimal() else default


@cache
def _words(title: str) -> tuple[str, ...]:
    text = files("reconciler.emulator").joinpath("texts", f"{title}.txt").read_text("utf-8")
    return tuple(_WORD.findall(text))
