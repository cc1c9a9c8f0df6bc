"""The stream of events when something goes wrong with it, or goes on after its end."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from reconciler.cli.stream import Stream
from reconciler.core.outcome import Status
from reconciler.errors import ExitCode, LocalStateUnusable
from reconciler.manifest import schema_text
from reconciler.report.rows import apply_report
from tests.report import samples

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
VALIDATOR = Draft202012Validator(json.loads(schema_text("events")))
STRANDED = samples.outcome(
    samples.REPLACE,
    Status.FAILED,
    "STRANDED: deleted and not known to be created again",
    is_stranded=True,
)
UPDATED = samples.outcome(samples.UPDATE, Status.SUCCEEDED, "updated")
LEFT = apply_report(
    samples.plan(samples.UPDATE, samples.REPLACE, samples.CREATE),
    (UPDATED, STRANDED),
    environment=None,
    exit_code=ExitCode.INTERRUPTED,
    interrupted=True,
    under_way={samples.CREATE.address: ""},
)


def told(text: str) -> list[dict]:
    events = [json.loads(line) for line in text.splitlines()]
    for event in events:
        VALIDATOR.validate(event)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    return events


class Broken:
    """A text that cannot be read: a bug of ours, as it would come."""

    def __str__(self) -> str:
        raise RuntimeError("a bug")


def test_an_outcome_that_nobody_told_comes_before_the_result(tmp_path: Path) -> None:
    stream = Stream(tmp_path / "events")
    stream.began(samples.UPDATE)
    stream.landed(UPDATED)

    stream.finish(LEFT)

    events = told((tmp_path / "events").read_text())
    assert [event["event"] for event in events] == ["began", "landed", "landed", "finished"]
    assert [event["outcome"]["stranded"] for event in events[1:3]] == [False, True]
    last = events[-1]
    assert (last["counts"]["stranded"], last["counts"]["noOutcome"]) == (1, 1)
    assert [one["name"] for one in last["noOutcome"]] == [str(samples.CREATE.target)]


@pytest.mark.parametrize("is_file", [True, False])
def test_nothing_follows_the_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], is_file: bool
) -> None:
    """Workers that were left behind go on for as long as the process lives."""
    path = tmp_path / "events" if is_file else None
    stream = Stream(path)

    stream.finish(LEFT)
    stream.step(samples.CREATE, "waiting for Azure's operation")
    stream.held("waiting", NOON)
    stream.landed(samples.outcome(samples.CREATE, Status.SUCCEEDED, "created"))

    text = path.read_text() if path else capsys.readouterr().out
    assert [event["event"] for event in told(text)] == ["landed", "landed", "finished"]


def test_a_gap_is_never_passed_over(tmp_path: Path) -> None:
    stream = Stream(tmp_path / "events")
    stream.began(samples.UPDATE)

    stream.step(samples.UPDATE, Broken())  # type: ignore[arg-type]
    stream.landed(UPDATED)
    with pytest.raises(LocalStateUnusable, match="the events in it are cut off"):
        stream.finish(LEFT)

    assert [event["event"] for event in told((tmp_path / "events").read_text())] == ["began"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
def test_stdout_is_named_where_it_takes_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115
    monkeypatch.setattr("sys.stdout", full)
    stream = Stream(None)
    stream.began(samples.UPDATE)

    with pytest.raises(LocalStateUnusable, match="stdout: the events in it are cut off: No space"):
        stream.finish(LEFT)
    with pytest.raises(OSError, match="No space"):
        full.close()  # what it holds still cannot be written
