"""`logs -f`: each line once, through rotations and restarts, until nothing runs any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from reconciler import app
from reconciler.app import Excerpt, Printed
from reconciler.emulator import PLENTY, Call, Emulator, ManualClock, Reply
from reconciler.errors import Forbidden, UsageError
from tests.conftest import Repository, group, refusal, task
from tests.soak.clock import hurried

BEAT = "echo begin; while true; do echo tick; sleep 1; done"


@pytest.fixture
def timed(make_repository: Callable[..., Repository]) -> Iterator[Repository]:
    """A repository whose Azure lives by the clock that waiting for it moves."""
    clock = ManualClock()
    with Emulator(time=clock, limits=PLENTY) as emulator:
        repository = make_repository(emulator)
        repository.clock._on_sleep = clock.advance
        repository.given_home()
        yield repository


def beating(name: str = "web", **options: object) -> dict:
    return group(name, command=("/bin/sh", "-c", BEAT), **options)


class Log:
    """What a container is said to have printed, in the place of what the emulator makes up."""

    def __init__(self, repository: Repository) -> None:
        self.lines: list[str] = []
        self.kept = 1 << 30
        self.asked: list[str | None] = []
        self.stamped = True
        self._repository = repository
        repository.intercept(self._answer)

    def say(self, *words: str) -> None:
        at = self._repository.clock.now() + timedelta(milliseconds=len(self.lines))
        self.lines += [f"{_text(at)} {word}" if self.stamped else word for word in words]

    def _answer(self, call: Call) -> Reply | None:
        if not call.path.endswith("/logs"):
            return None
        tail = call.query.get("tail")
        self.asked.append(tail)
        lines = self.lines[-self.kept :]
        lines = lines[-int(tail) :] if tail else lines
        return Reply(status=200, body={"content": "".join(f"{line}\n" for line in lines)})


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}000Z"


def followed(
    repository: Repository, happen: list[Callable[[], object]], **excerpt: object
) -> list[str]:
    """What is printed and said: at each pause the next of `happen`, and a stop after the last."""
    rest = [*happen, lambda: repository.stop("web")]

    def next_one() -> None:
        if rest:
            rest.pop(0)()
            repository.clock.before_sleep(next_one)

    repository.clock.before_sleep(next_one)
    return list(told(app.follow(repository.id("web"), repository.azure, Excerpt(**excerpt))))


def told(printed: Iterator[Printed]) -> Iterator[str]:
    for one in printed:
        yield from one.lines
        if one.says:
            yield f"--- {one.says}"


ENDED = "--- rg-shop/web is Stopped"


@pytest.fixture
def log(repository: Repository) -> Log:
    """That of a running container."""
    repository.given_home()
    repository.write(group())
    repository.apply()
    return Log(repository)


def test_each_line_is_told_once_though_all_say_the_same(repository: Repository, log: Log) -> None:
    log.say("tick", "tick")

    lines = followed(
        repository, [lambda: log.say("tick"), lambda: None, lambda: log.say("tick", "tick")]
    )

    assert lines == ["tick"] * 5 + [ENDED]


def test_only_the_last_lines_are_asked_for_unless_they_do_not_reach_back(
    repository: Repository, log: Log
) -> None:
    log.say(*(f"old {number}" for number in range(900)))
    many = [f"new {number}" for number in range(700)]

    lines = followed(repository, [lambda: log.say("one"), lambda: log.say(*many)], tail=2)

    assert lines == ["old 898", "old 899", "one", *many, ENDED]
    assert log.asked == ["500", "500", "500", None, "500"]


def test_lines_that_azure_no_longer_keeps_are_said_to_be_missing(
    repository: Repository, log: Log
) -> None:
    log.kept = 3
    log.say("a", "b")

    lines = followed(repository, [lambda: log.say(*"cdefg")])

    says = "--- lines may be missing here: more was printed than Azure keeps"
    assert lines == ["a", "b", says, "e", "f", "g", ENDED]


def test_a_restart_starts_the_log_over_and_that_is_said(repository: Repository, log: Log) -> None:
    log.say("begin", "tick")

    def again() -> None:
        repository.start("web")
        log.lines.clear()
        log.say("begin")

    lines = followed(repository, [again, lambda: log.say("tick")])

    assert lines[:2] == ["begin", "tick"]
    assert lines[2].startswith("--- restarted: its log starts over")
    assert lines[3:] == ["begin", "tick", ENDED]


def test_without_times_the_log_of_another_run_is_not_taken_for_this_one(
    repository: Repository, log: Log
) -> None:
    log.stamped = False
    log.say("begin", "tick")

    lines = followed(repository, [lambda: repository.start("web"), lambda: log.say("tock")])

    assert [line for line in lines if not line.startswith("---")] == [
        "begin", "tick", "begin", "tick", "tock"
    ]  # fmt: skip


def test_times_are_told_when_asked_for(repository: Repository, log: Log) -> None:
    log.say("tick")

    lines = followed(repository, [lambda: log.say("tock")], timestamps=True)

    assert lines == [*log.lines, ENDED]


def test_a_line_that_is_not_over_is_told_once_it_is(repository: Repository, log: Log) -> None:
    contents = ["2025-01-01T12:00:00Z hel", "2025-01-01T12:00:00Z hello\n2025-01-01T12:00:01Z $ "]

    def answer(call: Call) -> Reply | None:
        if not call.path.endswith("/logs"):
            return None
        return Reply(status=200, body={"content": contents[0]})

    repository.intercept(answer)
    lines = followed(repository, [lambda: contents.pop(0)])

    assert lines == ["hello", ENDED, "$ "] or lines == ["hello", "$ ", ENDED]


def test_only_what_was_printed_lately(repository: Repository, log: Log) -> None:
    log.say("old")
    repository.clock.sleep(3600)
    log.say("new")

    lines = followed(repository, [lambda: log.say("newer")], since=timedelta(minutes=10))
    (once,) = app.logs(
        repository.id("web"), repository.azure, Excerpt(since=timedelta(minutes=10), tail=1)
    )

    assert lines == ["new", "newer", ENDED]
    assert once == ("web", "newer\n")


def test_a_read_that_fails_is_said_and_repeated(repository: Repository, log: Log) -> None:
    log.say("a")
    answer = repository.emulator.intercept

    def broken() -> None:
        repository.intercept(lambda _call: refusal(503, "ServerBusy", "busy"))

    def mended() -> None:
        log.say("b")
        repository.emulator.intercept = answer

    lines = followed(repository, [broken, mended])

    assert lines[0] == "a"
    assert "busy" in lines[1]
    assert lines[1].endswith("looking again")
    assert lines[2:] == ["b", ENDED]


def test_a_read_that_is_forbidden_ends_it(repository: Repository, log: Log) -> None:
    with pytest.raises(Forbidden):
        followed(
            repository,
            [lambda: repository.intercept(lambda _call: refusal(403, "AuthorizationFailed"))],
        )


def test_reads_are_spaced_as_azure_rations_them(repository: Repository, log: Log) -> None:
    repository.clock.slept.clear()

    followed(repository, [lambda: None] * 6 + [lambda: log.say("a")])

    assert repository.clock.slept[0] == 3
    assert max(repository.clock.slept) == 10
    assert min(repository.clock.slept[-2:]) == 2


def test_a_group_that_is_deleted_ends_it(repository: Repository, log: Log) -> None:
    lines = followed(repository, [lambda: repository.delete("web")])

    assert lines == ["--- rg-shop/web was deleted"]


def test_containers_of_other_names_are_followed_and_one_that_is_gone_ends_it(
    repository: Repository, log: Log
) -> None:
    log.say("a")

    def rename(body: dict) -> None:
        body["properties"]["containers"][0]["name"] = "new"

    renamed = [lambda: repository.change("web", rename)]
    every = followed(repository, [*renamed, lambda: log.say("b")])
    repository.change("web", lambda body: body["properties"]["containers"][0].update(name="web"))
    repository._post("web", "start")
    one = followed(repository, renamed, container="web")

    assert every == ["a", "a", "b", ENDED]
    assert one[-1] == "--- rg-shop/web has no container 'web' any more"


def test_what_runs_is_followed_through_the_restart_that_apply_makes(timed: Repository) -> None:
    timed.write(beating())
    timed.apply()
    nothing: list[Callable[[], object]] = [lambda: None] * 3

    lines = followed(timed, [*nothing, lambda: timed.start("web"), *nothing], timestamps=True)

    said = [line for line in lines if line.startswith("---")]
    stamped = [line for line in lines if line not in said]
    assert [one.partition(":")[0] for one in said] == ["--- restarted", ENDED]
    assert sum(line.endswith(" begin") for line in stamped) == 2
    assert len(stamped) > 12
    assert stamped == sorted({*stamped})


def test_a_task_is_followed_from_before_it_starts_to_its_end(timed: Repository) -> None:
    timed.write(
        task(script="echo one; echo two; exit 3", reconcile={"wait": {"for": "provisioned"}})
    )
    timed.put(
        "job",
        {"location": "westeurope", "properties": task(script="echo one; exit 3")["properties"]},
    )

    lines = list(told(app.follow(timed.id("job"), timed.azure, Excerpt())))

    assert lines[-3:] == ["one", "exited with code 3", "--- rg-shop/job is Failed"]


def test_a_container_or_group_that_is_not_there_is_an_error(
    repository: Repository, log: Log
) -> None:
    with pytest.raises(UsageError, match="no container 'nix'"):
        followed(repository, [], container="nix")
    repository.delete("web")
    with pytest.raises(UsageError, match="does not exist in Azure"):
        followed(repository, [])


def test_the_command_names_each_line_where_there_are_several_containers(
    make_repository: Callable[..., Repository],
) -> None:
    clock = ManualClock()
    with Emulator(time=clock, limits=PLENTY) as emulator:
        repository = make_repository(emulator)
        repository.clock._on_sleep = clock.advance
        repository.given_home()
        both = task("pair", script="echo one")
        both["properties"]["containers"].append(
            {**both["properties"]["containers"][0], "name": "side"}
        )
        repository.write(both)
        repository.apply()
        clock.advance(60)
        with hurried():
            done = repository.here("logs", "-f", "pair")
            one = repository.here("logs", "--follow", "pair", "side")

    assert (done.code, done.out) == (0, "[pair] one\n[side] one\n")
    assert done.err == "--- rg-shop/pair is Succeeded\n"
    assert (one.code, one.out) == (0, "one\n")


def test_interrupted_it_ends_as_a_command_does(shop: Repository, on_terminal: Callable) -> None:
    shop.write(beating("beat"))
    shop.apply()

    terminal = on_terminal(shop, "logs", "-f", "beat")
    terminal.wait_for("tick")
    terminal.interrupt()
    done = terminal.end()

    assert done.code == 130
    assert "Traceback" not in done.out
