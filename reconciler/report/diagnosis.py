"""What `doctor` found: a line a check for people, and a document."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence

from reconciler.core.diagnosis import Check, State
from reconciler.core.jsonval import JsonObject
from reconciler.report.as_json import API_VERSION, sound
from reconciler.report.lines import Line, line, render

_STYLES = {
    State.OK: "good",
    State.WARNING: "change",
    State.FAILED: "bad",
    State.SKIPPED: "dim",
}
_STATE_WIDE, _NAME_WIDE = 13, 17
_HANG = _STATE_WIDE + _NAME_WIDE


def diagnosis_json(checks: Sequence[Check], *, purpose: str, exit_code: int) -> str:
    """The document `Diagnosis` of `schemas/report.schema.json`."""
    document: JsonObject = {
        "apiVersion": API_VERSION,
        "kind": "Diagnosis",
        "command": "doctor",
        "exitCode": exit_code,
        "purpose": purpose,
        "checks": [_check(one) for one in checks],
    }
    return json.dumps(sound(document), indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def _check(one: Check) -> JsonObject:
    found: JsonObject = {"name": one.name, "state": one.state.value, "says": one.says}
    return {**found, "fix": one.fix} if one.fix else found


def diagnosis_text(checks: Sequence[Check], *, color: bool, width: int) -> str:
    """The table, what to do below what needs it, and the count."""
    return render(_lines(checks), color=color, width=width)


def _lines(checks: Sequence[Check]) -> Iterator[Line]:
    for one in checks:
        state = (one.state.value.ljust(_STATE_WIDE), _STYLES[one.state])
        yield line(state, (one.name.ljust(_NAME_WIDE), "name"), one.says, hang=_HANG)
        if one.fix:
            # A command is copied whole: it is never broken.
            yield line(" " * _HANG, ("fix: ", "dim"), one.fix, hang=None)
    counts = Counter(one.state for one in checks)
    told = [f"{counts[state]} {state.value}" for state in State if counts[state]]
    yield line(f"{len(checks)} checks: {', '.join(told)}")
