"""What stops a run before its first write, and what an interrupt does to one that runs."""

from __future__ import annotations

import signal
import threading

import pytest

from reconciler.core.outcome import exit_code
from reconciler.emulator import Call
from reconciler.errors import ExitCode, PlanRefused, SecretUnresolved
from tests.conftest import Repository, ended, group, outcome_of


def secret(name: str, reference: dict) -> dict:
    return group(name, env=[{"name": "TOKEN", "secureValue": reference}])


def test_an_unresolved_secret_stops_everything_before_the_first_write(
    repository: Repository,
) -> None:
    repository.given_home()
    repository.write(group("a"), secret("z", {"fromEnv": "NOT_SET"}))
    planned = repository.plan()
    before = repository.writes

    with pytest.raises(SecretUnresolved, match="nothing was touched") as caught:
        repository.carry_out(planned)

    (missing,) = caught.value.details
    assert "z.yaml:" in missing
    assert "NOT_SET" in missing
    assert caught.value.exit_code is ExitCode.BLOCKED
    assert repository.writes == before


def test_every_missing_secret_is_named_at_its_line(repository: Repository) -> None:
    repository.given_home()
    both = [
        {"name": name, "secureValue": {"fromEnv": name}} for name in ("FIRST_UNSET", "SECOND_UNSET")
    ]
    repository.write(group("a", env=both), secret("b", {"fromFile": "not/there.txt"}), group("c"))

    with pytest.raises(SecretUnresolved, match="^3 secrets that must be sent") as caught:
        repository.apply()

    lines = caught.value.details
    assert [line.partition(":")[0] for line in lines] == ["a.yaml", "a.yaml", "b.yaml"]
    assert ["FIRST_UNSET" in lines[0], "SECOND_UNSET" in lines[1]] == [True, True]
    assert "not/there.txt" in lines[2]
    assert repository.names == []


def test_an_unresolved_secret_of_a_group_that_is_not_written_is_no_hindrance(
    repository: Repository,
) -> None:
    repository.given_home()
    repository.environ["TOKEN"] = "hunter2-long"
    repository.write(secret("a", {"fromEnv": "TOKEN"}))
    repository.apply()
    del repository.environ["TOKEN"]
    repository.write(group("b"))

    run = repository.apply()

    assert ended(run) == {"b": "succeeded"}


def test_an_unknown_secret_refuses_the_write_at_its_line(repository: Repository) -> None:
    repository.given_home()
    repository.write(secret("a", {"unknown": True}), group("b"))

    with pytest.raises(PlanRefused):
        repository.apply()

    (refused,) = repository.plan().refusals
    assert "is unknown (" in refused.why
    assert "a.yaml:" in refused.why
    assert repository.names == []


def test_one_refusal_stops_every_action(repository: Repository) -> None:
    repository.given_home()
    repository.given(group("theirs"), tags={"aci-reconcile-owner": "theirs"})
    repository.write(group("theirs", image="nginx:2"), group("mine"))
    before = repository.writes

    with pytest.raises(PlanRefused, match="1 refusal in the plan") as caught:
        repository.apply()

    assert caught.value.exit_code is ExitCode.BLOCKED
    assert repository.writes == before


def test_one_limit_stops_every_action(repository: Repository) -> None:
    repository.given_home()
    repository.write(group("kept"), group("a"), group("b"))
    repository.apply()
    repository.forget("a", "b")
    repository.write(group("kept", image="nginx:2"))
    before = repository.writes

    with pytest.raises(PlanRefused):
        repository.apply(prune=True)

    assert repository.writes == before


# interrupts


def interrupt() -> None:
    """What Ctrl-C does."""
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


def test_the_first_interrupt_starts_nothing_more_and_waits_for_what_runs(
    repository: Repository,
) -> None:
    repository.given_home()
    repository.write(*(group(f"g{n}") for n in range(4)))
    repository.workers = 1
    planned = repository.plan()

    def answer(call: Call) -> None:
        if call.method == "PUT" and call.path.endswith("/g0"):
            interrupt()

    repository.intercept(answer)

    run = repository.carry_out(planned)

    assert run.is_interrupted
    assert ended(run) == {
        "g0": "succeeded",
        "g1": "not started",
        "g2": "not started",
        "g3": "not started",
    }
    assert outcome_of(run, "g3").says == "interrupted before it started"
    assert repository.names == ["g0"]
    assert exit_code(run.outcomes, is_interrupted=True) is ExitCode.INTERRUPTED


def test_what_waits_for_an_interrupted_one_is_not_started_either(repository: Repository) -> None:
    repository.given_home()
    repository.write(group("a"), group("b", reconcile={"dependsOn": ["a"]}))
    planned = repository.plan()
    repository.intercept(lambda call: interrupt() if call.method == "PUT" else None)

    run = repository.carry_out(planned)

    assert ended(run) == {"a": "succeeded", "b": "not started"}


def test_the_second_interrupt_leaves_at_once(repository: Repository) -> None:
    repository.given_home()
    repository.write(group("slow"))
    planned = repository.plan()
    release = threading.Event()

    def answer(call: Call) -> None:
        if call.method == "PUT":
            interrupt()
            threading.Timer(0.2, interrupt).start()
            release.wait(10)

    repository.intercept(answer)

    run = repository.carry_out(planned)

    assert run.is_interrupted
    assert ended(run) == {}  # no outcome: it may be under way in Azure
    assert not release.is_set()  # it did not wait for the write that is still under way
    release.set()
