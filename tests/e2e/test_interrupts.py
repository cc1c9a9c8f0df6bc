"""An apply that is left before it is over: at once, with its code, and never without its result.

A group of these tests would be waited for ten minutes: whatever ends, was not waiting for it.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator import Call, Reply
from tests.conftest import Repository, group, refusal
from tests.e2e.conftest import PATIENCE_S, Background
from tests.e2e.test_stream import ESCAPES, events_of, never_done

FULL = "/dev/full"
NO_SPACE = f"aci-reconcile: error: {FULL}: cannot be written: No space left on device"
CUT_OFF = f"aci-reconcile: error: {FULL}: the events in it are cut off: No space left on device"
needs_full = pytest.mark.skipif(not Path(FULL).exists(), reason="there is no full device here")


@pytest.fixture
def waiting(repository: Repository, in_background) -> Callable[..., Background]:
    """Starts an apply of one group, and returns when it waits for Azure, which is never done."""
    repository.given_home()
    repository.write(group("a"))
    repository.intercept(never_done)

    def start(*arguments: str) -> Background:
        where = ("--endpoint", repository.emulator.url)
        found = in_background("apply", "--yes", *arguments, *where, cwd=repository.root)
        found.line_with("waiting for Azure's operation")
        return found

    return start


def leave(apply: Background) -> None:
    """Interrupt once, and once more when that has been heard."""
    apply.signal(signal.SIGINT)
    apply.line_with("interrupt again to leave at once")
    apply.signal(signal.SIGTERM)


def words(text: str) -> str:
    """The text, however it is wrapped."""
    return " ".join(text.split())


@needs_full
@pytest.mark.parametrize(
    ("outputs", "told"),
    [
        ((f"json={FULL}",), (NO_SPACE,)),
        ((f"text={FULL}",), (NO_SPACE,)),
        ((f"ndjson={FULL}",), (CUT_OFF,)),
        ((f"json={FULL}", "ndjson=link"), (NO_SPACE, CUT_OFF.replace(FULL, "link"))),
    ],
    ids=["json", "text", "ndjson", "both"],
)
def test_a_second_interrupt_leaves_at_once_with_its_code_where_nothing_can_be_written(
    waiting: Callable[..., Background],
    repository: Repository,
    outputs: tuple[str, ...],
    told: tuple[str, ...],
) -> None:
    (repository.root / "link").symlink_to(FULL)
    apply = waiting(*(part for output in outputs for part in ("-o", output)))

    leave(apply)
    done = apply.end()

    assert done.code == 130
    assert [line for line in told if line not in done.err] == []
    assert "rg-shop/a create: no outcome" in words(done.err), "the result is lost"
    assert "Interrupted: applied 0 of 1: 1 without an outcome" in done.err


@needs_full
def test_an_interrupted_apply_tells_its_result_once(
    waiting: Callable[..., Background], repository: Repository
) -> None:
    apply = waiting("-o", f"json={FULL}", "-o", "ndjson=events")

    leave(apply)
    done = apply.end()

    events = events_of((repository.root / "events").read_text())
    assert (done.code, events[-1]["exitCode"]) == (130, 130)
    assert NO_SPACE in done.err
    assert "no outcome" not in done.err  # the events tell it


def test_an_interrupt_keeps_its_code_when_nobody_reads_the_result(
    waiting: Callable[..., Background],
) -> None:
    apply = waiting()
    apply.process.stdout.close()

    leave(apply)
    apply.line_with("no outcome")
    apply.line_with("stdout was closed before all of the output was written")

    assert apply.process.wait(PATIENCE_S) == 130


def test_keys_that_are_kept_pressed_do_not_cost_the_result(
    waiting: Callable[..., Background],
) -> None:
    apply = waiting()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        apply.signal(number)
        time.sleep(0.02)
    done = apply.end()

    assert done.code == 130
    assert "rg-shop/a create: no outcome" in words(done.out)


def test_whoever_insists_is_heard_where_the_result_cannot_be_had(
    waiting: Callable[..., Background], repository: Repository
) -> None:
    """Nobody ever opens the pipe to read: it is waited for, as of any program that writes to it."""
    os.mkfifo(repository.root / "pipe")
    apply = waiting("-o", "json=pipe")

    leave(apply)
    deadline = time.monotonic() + PATIENCE_S
    while apply.process.poll() is None and time.monotonic() < deadline:
        apply.signal(signal.SIGINT)
        time.sleep(0.2)

    assert apply.process.wait(PATIENCE_S) == 130


def test_a_terminal_is_left_with_its_cursor_and_the_result(
    repository: Repository, on_terminal: Callable[..., Any]
) -> None:
    repository.given_home()
    repository.write(group("a"))
    repository.intercept(never_done)
    terminal = on_terminal(repository, "apply", "--yes")
    terminal.wait_for("waiting for Azure's operation")

    for _ in range(4):
        terminal.interrupt()
        time.sleep(0.02)
    done = terminal.end()

    assert done.code == 130
    assert "Interrupted: applied 0 of 1: 1 without an outcome" in ESCAPES.sub("", done.out)
    assert done.out.count("\x1b[?25l") == done.out.count("\x1b[?25h") == 1


def test_a_group_that_is_left_deleted_is_stranded_in_every_format(
    shop: Repository, in_background
) -> None:
    allow = {"replace": "allow"}
    shop.write(group(cpu=2, reconcile=allow), group("late", reconcile={"dependsOn": ["web"]}))

    def no_room(call: Call) -> Reply | None:
        return refusal(409, "ServiceUnavailable", "no room") if call.method == "PUT" else None

    shop.intercept(no_room)
    outputs = ("-o", "text", "-o", "json=result.json", "-o", "ndjson=events")
    where = ("--allow", "replace=1", "--endpoint", shop.emulator.url)
    apply = in_background("apply", "--yes", *outputs, *where, cwd=shop.root)
    apply.line_with("trying again")

    leave(apply)
    done = apply.end()

    assert done.code == 130
    assert shop.live("web") is None
    assert "STRANDED: 1 group was deleted and NOT created again" in done.out
    assert "!!!   aci-reconcile apply web.yaml" in done.out
    assert "Interrupted: applied 0 of 2: 1 STRANDED, 1 not started" in done.out
    result = json.loads((shop.root / "result.json").read_text())
    events = events_of((shop.root / "events").read_text())
    landed = {event["name"]: event["outcome"] for event in events if event["event"] == "landed"}
    assert landed == {outcome["name"]: outcome for outcome in result["outcomes"]}
    assert landed["rg-shop/web"]["stranded"] is True
    assert landed["rg-shop/late"]["status"] == "not started"
    for last in (events[-1], result):
        assert (last["counts"]["stranded"], last["noOutcome"], last["exitCode"]) == (1, [], 130)


@pytest.mark.parametrize(
    ("more", "says"),
    [((), "internal error: RuntimeError: a bug"), (("--debug",), "RuntimeError: a bug")],
    ids=["usual", "debug"],
)
def test_a_bug_while_workers_run_ends_the_command_without_waiting_for_them(
    repository: Repository, in_background, more: tuple[str, ...], says: str
) -> None:
    program = """
import threading
from concurrent.futures import ThreadPoolExecutor
from reconciler.cli import commands, main

def broken(_options):
    ThreadPoolExecutor(1).submit(threading.Event().wait)
    raise RuntimeError("a bug")

commands.apply = broken
main.run()
"""
    apply = in_background("apply", *more, cwd=repository.root, program=("-c", program))

    _, err = apply.process.communicate(timeout=PATIENCE_S)

    assert apply.process.returncode == 1
    assert says in err


# without an interrupt


@needs_full
def test_a_result_that_can_be_written_nowhere_else_is_told_on_stderr(shop: Repository) -> None:
    shop.write(group(image="nginx:2"))
    (shop.root / "link").symlink_to(FULL)

    done = shop.run("apply", "--yes", "-o", f"json={FULL}", "-o", "ndjson=link")

    assert done.code == 1
    assert "Applied 1 of 1: 1 updated" in done.err
    assert NO_SPACE in done.err
    assert CUT_OFF.replace(FULL, "link") in done.err


@needs_full
def test_a_result_that_is_told_elsewhere_is_not_told_on_stderr(shop: Repository) -> None:
    shop.write(group(image="nginx:2"))

    done = shop.run("apply", "--yes", "-o", f"json={FULL}", "-o", "text=result")

    assert done.code == 1
    assert "Applied 1 of 1: 1 updated" in (shop.root / "result").read_text()
    assert "Applied" not in done.err
    assert NO_SPACE in done.err


@needs_full
def test_that_there_is_nothing_to_do_is_told_as_well(shop: Repository) -> None:
    done = shop.run("apply", "--yes", "-o", f"ndjson={FULL}")

    assert done.code == 1
    assert "no changes, 2 of 2 unchanged" in done.err
    assert "the events in it are cut off" in done.err


def test_two_signals_at_once_while_reading_leave_no_traceback(
    repository: Repository, in_background
) -> None:
    """As `timeout -s INT` sends them: to the process, and to its group."""
    repository.given_home()
    repository.write(group("a"))
    asked, over = threading.Event(), threading.Event()

    def hang(_call: Call) -> None:
        asked.set()
        over.wait(PATIENCE_S)

    repository.intercept(hang)
    plan = in_background("plan", "--endpoint", repository.emulator.url, cwd=repository.root)
    assert asked.wait(PATIENCE_S)

    plan.signal(signal.SIGINT)
    plan.signal(signal.SIGTERM)
    done = plan.end()
    over.set()

    assert done.code == 130
