"""The events of an apply as a pipeline reads them: while it runs, after it, and after its end by force."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.emulator import Call, Reply
from reconciler.manifest import schema_text
from tests.conftest import Repository, group, home, refusal
from tests.e2e.conftest import PATIENCE_S

VALIDATOR = Draft202012Validator(json.loads(schema_text("events")))
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
STILL = Reply(status=200, body={"status": "Running"})


def events_of(text: str) -> list[dict[str, Any]]:
    """Every whole line, each by the schema, numbered and in the order of time."""
    events = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
    for event in events:
        VALIDATOR.validate(event)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    times = [datetime.fromisoformat(event["at"]) for event in events]
    assert times == sorted(times)
    return events


def names(events: list[dict[str, Any]], kind: str) -> set[str]:
    return {event["name"] for event in events if event["event"] == kind}


def never_done(call: Call) -> Reply | None:
    return STILL if "/operations/" in call.path else None


def test_the_events_tell_the_whole_apply_and_end_with_its_result(repository: Repository) -> None:
    repository.write(home(), group("a"), group("b"), group("c", reconcile={"dependsOn": ["b"]}))
    repository.intercept(
        lambda call: (
            refusal(400, "QuotaReached", "no cores")
            if call.method == "PUT" and call.path.endswith("/b")
            else None
        )
    )

    done = repository.run("apply", "--yes", "-o", "ndjson=events", "-o", "json=result.json")

    events = events_of((repository.root / "events").read_text())
    result = json.loads((repository.root / "result.json").read_text())
    first, *_, last = events
    assert done.code == last["exitCode"] == 6
    assert (first["event"], last["event"]) == ("started", "finished")
    assert first["digest"] == result["digest"]
    assert {one["name"] for one in first["actions"]} == {
        "rg-shop",
        *(f"rg-shop/{n}" for n in "abc"),
    }
    assert names(events, "began") == {"rg-shop", "rg-shop/a", "rg-shop/b"}
    landed = [event["outcome"] for event in events if event["event"] == "landed"]
    by_name = sorted(landed, key=lambda outcome: outcome["name"])
    assert by_name == sorted(result["outcomes"], key=lambda outcome: outcome["name"])
    assert last["counts"] == result["counts"]
    operations = [event["operation"] for event in events if "operation" in event]
    assert operations and all("?t=" not in url and "&t=" not in url for url in operations)


def test_the_stream_on_stdout_is_all_there_is_on_stdout(repository: Repository) -> None:
    repository.given_home()
    repository.write(group())

    done = repository.run("apply", "--yes", "-o", "ndjson")

    events = events_of(done.out)
    assert [events[0]["event"], events[-1]["event"]] == ["started", "finished"]
    assert "rg-shop/web: succeeded (1 of 1)" in done.err


def test_a_destruction_has_events_too(shop: Repository) -> None:
    done = shop.run("destroy", "--confirm", "shop", "-o", "ndjson")

    events = events_of(done.out)
    assert (events[0]["command"], events[-1]["counts"]["delete"]) == ("destroy", 2)


def test_a_plan_that_is_not_carried_out_is_told_as_well(shop: Repository) -> None:
    nothing = shop.here("apply", "--yes", "-o", "ndjson")
    shop.given(group("theirs"), tags={"aci-reconcile-owner": "theirs"})
    shop.write(group("theirs"))
    blocked = shop.here("apply", "--yes", "-o", "ndjson")
    shop.file("web.yaml", "name: [")
    invalid = shop.here("apply", "--yes", "-o", "ndjson")

    told = [events_of(done.out) for done in (nothing, blocked, invalid)]
    assert [[event["event"] for event in events] for events in told] == [
        ["started", "finished"],
        ["started", "finished"],
        ["finished"],
    ]
    assert [events[-1]["exitCode"] for events in told] == [0, 4, 3]


@pytest.mark.parametrize("line", ["plan", "drift", "status", "validate"])
def test_only_what_carries_out_a_plan_has_events(repository: Repository, line: str) -> None:
    done = repository.here(line, "-o", "ndjson")

    assert done.code == 64
    assert f"got '{line}'" in done.err
    assert "-o json" in done.err


def test_the_events_have_a_file_of_their_own(repository: Repository) -> None:
    done = repository.here("apply", "--yes", "-o", "ndjson=x", "-o", "json=x")

    assert done.code == 64
    assert "two -o write to x" in done.err


def test_events_of_the_run_before_are_gone_before_azure_is_asked(shop: Repository) -> None:
    (shop.root / "events").write_text("old\n")
    shop.intercept(lambda call: refusal(403, "AuthorizationFailed", "no role"))

    done = shop.here("apply", "--yes", "-o", "ndjson=events")

    (event,) = events_of((shop.root / "events").read_text())
    assert (done.code, event["event"], event["exitCode"]) == (1, "failed", 1)


def test_the_file_is_written_through_a_link_and_keeps_its_mode(shop: Repository) -> None:
    target, link = shop.root / "kept", shop.root / "link"
    target.touch(mode=0o640)
    link.symlink_to(target)

    shop.here("apply", "--yes", "-o", "ndjson=link")

    assert link.is_symlink()
    assert events_of(target.read_text())
    assert target.stat().st_mode & 0o777 == 0o640


def test_a_reader_of_a_pipe_hears_each_event_as_it_happens(
    repository: Repository, in_background
) -> None:
    repository.given_home()
    repository.write(group())
    repository.intercept(never_done)
    pipe = repository.root / "pipe"
    os.mkfifo(pipe)
    heard: list[str] = []
    waits = threading.Event()

    def listen() -> None:
        with pipe.open(encoding="utf-8") as lines:
            for line in lines:
                heard.append(line)
                if '"operation":' in line:
                    waits.set()

    reader = threading.Thread(target=listen, daemon=True)
    reader.start()
    where = ("--endpoint", repository.emulator.url)
    apply = in_background("apply", "--yes", "-o", "ndjson=pipe", *where, cwd=repository.root)

    assert waits.wait(PATIENCE_S)  # Azure is not done, and yet it has been told
    repository.pass_all()
    done = apply.end()
    reader.join(PATIENCE_S)

    assert done.code == 0
    assert events_of("".join(heard))[-1]["event"] == "finished"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
def test_a_full_disk_stops_the_events_and_not_the_apply(shop: Repository) -> None:
    shop.write(group(image="nginx:2"))

    done = shop.run("apply", "--yes", "-o", "text", "-o", "ndjson=/dev/full")

    assert done.code == 1
    assert "Applied 1 of 1: 1 updated" in done.out
    assert "/dev/full: the events in it are cut off: No space left on device" in done.err


def test_what_kills_the_apply_leaves_whole_lines(repository: Repository, in_background) -> None:
    repository.given_home()
    repository.write(group("a"), group("b"))
    repository.intercept(never_done)
    where = ("--endpoint", repository.emulator.url)
    apply = in_background("apply", "--yes", "-o", "ndjson=events", *where, cwd=repository.root)
    for _ in range(2):
        apply.line_with("waiting for Azure's operation")

    apply.signal(signal.SIGKILL)
    apply.end()

    text = (repository.root / "events").read_text()
    events = events_of(text)
    assert text.endswith("\n")
    assert "finished" not in {event["event"] for event in events}
    assert names(events, "began") == {"rg-shop/a", "rg-shop/b"}
    under_way = {event["name"] for event in events if event.get("operation")}
    # The listing came before the line was said, so that at least what was said is there.
    assert under_way == {"rg-shop/a", "rg-shop/b"}


def test_interrupts_are_told_with_what_is_under_way(repository: Repository, in_background) -> None:
    repository.given_home()
    repository.write(group("a"), group("b"))
    repository.intercept(never_done)
    where = ("--endpoint", repository.emulator.url, "--parallelism", "1")
    apply = in_background(
        "apply", "--yes", "-o", "ndjson=events", "-o", "text", *where, cwd=repository.root
    )
    apply.line_with("waiting for Azure's operation")

    apply.signal(signal.SIGINT)
    apply.line_with("interrupt again to leave at once")
    apply.signal(signal.SIGINT)
    done = apply.end()

    events = events_of((repository.root / "events").read_text())
    (told,) = [event for event in events if event["event"] == "interrupted"]
    last = events[-1]
    assert done.code == last["exitCode"] == 130
    for left in (told["underWay"], last["noOutcome"]):
        (one,) = left
        assert (one["name"], one["action"]) == ("rg-shop/a", "create")
        assert "/operations/" in one["operation"]
    assert one["operation"] in done.out


# the table


def test_a_terminal_shows_a_live_table_that_leaves_lines_behind(
    shop: Repository, on_terminal: Callable[..., Any]
) -> None:
    shop.write(group(image="nginx:2"))
    release: list[bool] = []
    shop.intercept(lambda call: None if release else never_done(call))

    terminal = on_terminal(shop, "apply", "--yes")
    terminal.wait_for("0 of 1 done, 1 under way")
    terminal.wait_for("waiting for Azure's operation")
    release.append(True)
    done = terminal.end()

    assert done.code == 0
    plain = ESCAPES.sub("", done.out)
    assert "~ rg-shop/web  update succeeded" in plain
    assert "Applied 1 of 1: 1 updated" in plain
    assert done.out.count("\x1b[?25l") == done.out.count("\x1b[?25h") == 1  # the cursor is back


def test_a_terminal_in_ci_shows_lines(shop: Repository, on_terminal: Callable[..., Any]) -> None:
    shop.write(group(image="nginx:2"))
    shop.environ = {"CI": "true"}

    done = on_terminal(shop, "apply", "--yes").end()

    assert done.code == 0
    assert "rg-shop/web: succeeded (1 of 1)" in done.out
    assert "\x1b[?25l" not in done.out
