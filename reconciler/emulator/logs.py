"""What containers print, made up from their definition: no image is ever run.

* the word-count sample of Microsoft's documentation (`…/aci-wordcount`) really counts the words of
  a text that comes with the emulator, and heeds `NumWords`, `MinLength` and the text's URL;
* an `echo` in the command prints its words, an exposed port is listened on;
* an exit code other than 0 is told.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from functools import cache
from importlib.resources import files
from pprint import pformat

from reconciler.emulator.facts import Group, Moment
from reconciler.emulator.jsonval import JsonObject, as_list, as_text, dig, objects
from reconciler.emulator.lifecycle import RunState, run_of
from reconciler.emulator.views import tick_text

_ECHO = re.compile(r"\becho\s+(?:-\w+\s+)*([^;&|]+)")
_WORD = re.compile(r"[A-Za-z']+")


def log_of(group: Group, container: JsonObject, moment: Moment, *, stamped: bool) -> list[str]:
    """The lines `container` has printed by now, each with its time in front if `stamped`."""
    run = run_of(group, container, moment)
    ended = run.state is not RunState.RUNNING
    if "aci-wordcount" in as_text(dig(container, "properties", "image")):
        lines = _word_count(container) if ended else []
    else:
        lines = _echoed(container) + _listening(container)
        if ended and run.exit_code:
            lines.append(f"exited with code {run.exit_code}")
    if not stamped:
        return lines
    times = (tick_text(run.started + timedelta(milliseconds=n)) for n in range(len(lines)))
    return [f"{time} {line}" for time, line in zip(times, lines, strict=True)]


def _echoed(container: JsonObject) -> list[str]:
    command = _command(container)
    if command[:1] in (["echo"], ["/bin/echo"]):
        return [" ".join(command[1:])]
    found = _ECHO.findall(" ".join(command))
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
