"""How long is waited for what, by a clock that the test turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import accumulate, islice, takewhile

import pytest

from reconciler.core.cloud import Operation
from reconciler.core.groups import Wait, WaitFor
from reconciler.emulator import PLENTY, Call, Durations, Emulator, ManualClock, Reply
from reconciler.errors import OperationTimedOut
from reconciler.execute.clock import SystemClock
from reconciler.execute.wait import Health, Pace, Waiter
from tests.conftest import Repository, Time, ended, group, outcome_of, task

SLOW = Durations(create=60, update=60, delete=40, task=120)


@pytest.fixture
def timed(make_repository: Callable[..., Repository]) -> Iterator[Repository]:
    """A repository whose Azure moves as the reconciler sleeps: nobody really waits."""
    time = ManualClock(durations=SLOW)
    with Emulator(time=time, limits=PLENTY) as running:
        repository = make_repository(running, clock=Time(on_sleep=time.advance))
        repository.given_home()
        yield repository


@pytest.fixture
def waiter(timed: Repository) -> Waiter:
    return Waiter(cloud=timed.azure.cloud, clock=timed.clock, pace=Pace())


def waited(timed: Repository, waiter: Waiter, name: str, until: WaitFor, **options) -> Health:
    wait = Wait(until=until, timeout=options.pop("timeout", timedelta(minutes=10)), **options)
    return waiter.healthy(timed.id(name), wait, until=timed.clock.now() + wait.timeout)


def in_time(timed: Repository, minutes: float = 35) -> datetime:
    return timed.clock.now() + timedelta(minutes=minutes)


def put(timed: Repository, manifest: dict) -> None:
    body = {"location": "westeurope", "properties": manifest["properties"]}
    timed.azure.cloud.put_group(timed.id(manifest["name"]), body)


# the schedule


def test_looks_are_close_at_first_and_then_ever_further_apart() -> None:
    """The median create takes 17 s, nine in ten take under 29 s (azure-facts A.2)."""
    looks = list(accumulate(islice(Pace().pauses(), 40)))

    assert looks[:9] == [5, 8, 11, 14, 17, 20, 23, 26, 29]
    assert [b - a for a, b in zip(looks, looks[1:]) if 32 <= a < 50] == [5] * 4
    assert [b - a for a, b in zip(looks, looks[1:]) if 52 <= a < 120] == [10] * 7
    assert {b - a for a, b in zip(looks, looks[1:]) if a > 125} == {15}


def test_a_local_server_is_looked_at_more_often() -> None:
    assert list(islice(Pace(scale=0.1).pauses(), 3)) == pytest.approx([0.5, 0.3, 0.3])


def test_an_operation_is_polled_by_our_schedule_where_azure_names_none(timed: Repository) -> None:
    timed.write(group())

    run = timed.apply()

    assert ended(run) == {"web": "succeeded"}
    polled = sum("/operations/" in r.path for r in timed.requests)
    looks = takewhile(lambda at: at < 70, accumulate(Pace().pauses()))
    assert polled == sum(at <= 60 for at in looks) + 1


def answering(looks: list[Reply]):
    """Answers the looks at an operation in turn, the last one for ever."""
    left = iter(looks)

    def answer(call: Call) -> Reply | None:
        if "/operations/" not in call.path:
            return None
        return next(left, looks[-1])

    return answer


def operation(timed: Repository, **options) -> Operation:
    base = f"{timed.emulator.url}/subscriptions/{timed.subscription}"
    path = "/providers/Microsoft.ContainerInstance/locations/westeurope/operations/1"
    return Operation(url=f"{base}{path}?api-version=2018-06-01", **options)


def test_retry_after_is_obeyed_where_azure_says_it(timed: Repository, waiter: Waiter) -> None:
    running = {"status": "Running"}
    timed.intercept(
        answering(
            [
                Reply(status=200, body=running, headers={"Retry-After": "42"}),
                Reply(status=200, body=running),
                Reply(status=200, body={"status": "Succeeded"}),
            ]
        )
    )

    look = waiter.finished(operation(timed, retry_after_s=7), None, until=in_time(timed))

    assert look.status == "Succeeded"
    assert timed.clock.slept[:2] == [7, 42]
    assert timed.clock.slept[2] in (3, 5)


def test_an_operation_that_never_ends_times_out_and_says_that_it_goes_on(
    timed: Repository, waiter: Waiter
) -> None:
    timed.intercept(answering([Reply(status=200, body={"status": "Running"})]))

    with pytest.raises(OperationTimedOut, match="goes on in Azure") as caught:
        waiter.finished(operation(timed), timed.id("web"), until=in_time(timed))

    assert caught.value.target == "rg-shop/web"
    assert sum(timed.clock.slept) == pytest.approx(35 * 60)


def test_a_group_that_never_goes_times_out(timed: Repository, waiter: Waiter) -> None:
    timed.given(group())

    with pytest.raises(OperationTimedOut, match="still there"):
        waiter.gone(timed.id("web"), until=in_time(timed))


def test_a_transition_that_never_ends_times_out(timed: Repository, waiter: Waiter) -> None:
    put(timed, group())
    pending = timed.live("web")
    timed.intercept(lambda call: Reply(status=200, body=pending))

    with pytest.raises(OperationTimedOut, match="in transition"):
        waiter.settled(timed.id("web"), until=in_time(timed))


def test_a_time_out_of_one_group_is_its_outcome(timed: Repository) -> None:
    timed.write(group())
    timed.intercept(answering([Reply(status=200, body={"status": "Running"})]))

    run = timed.apply()

    assert ended(run) == {"web": "unhealthy"}
    assert "still Running" in outcome_of(run, "web").says
    assert "goes on in Azure" in outcome_of(run, "web").hint


# what is healthy


def test_provisioned_looks_at_no_container(timed: Repository, waiter: Waiter) -> None:
    put(timed, group(command=("/bin/sh", "-c", "exit 1")))

    health = waited(timed, waiter, "web", WaitFor.PROVISIONED)

    assert (health.is_healthy, health.says) == (True, "provisioned")


def test_running_waits_until_every_container_runs(timed: Repository, waiter: Waiter) -> None:
    put(timed, group())

    health = waited(timed, waiter, "web", WaitFor.RUNNING)

    assert (health.is_healthy, health.says) == (True, "1 of 1 running")
    assert sum(timed.clock.slept) >= SLOW.create


def test_a_task_has_started_while_it_runs(timed: Repository, waiter: Waiter) -> None:
    put(timed, task())

    health = waited(timed, waiter, "job", WaitFor.STARTED)

    assert (health.is_healthy, health.says) == (True, "1 of 1 running")


def test_a_task_that_is_over_has_started_too(timed: Repository, waiter: Waiter) -> None:
    put(timed, task())
    timed.clock.sleep(1000)

    health = waited(timed, waiter, "job", WaitFor.STARTED)

    assert (health.is_healthy, health.says) == (True, "1 of 1 ended with 0")


def test_succeeded_waits_for_the_end_of_a_task(timed: Repository, waiter: Waiter) -> None:
    put(timed, task())

    health = waited(timed, waiter, "job", WaitFor.SUCCEEDED)

    assert (health.is_healthy, health.says) == (True, "1 of 1 ended with 0")
    assert sum(timed.clock.slept) >= SLOW.create + SLOW.task


def test_a_task_that_failed_is_not_waited_for_any_longer(timed: Repository, waiter: Waiter) -> None:
    put(timed, task(script="exit 9"))

    health = waited(timed, waiter, "job", WaitFor.SUCCEEDED, timeout=timedelta(hours=5))

    assert not health.is_healthy
    assert "exit code 9" in health.says
    assert sum(timed.clock.slept) < SLOW.create + SLOW.task + 30


def test_a_container_that_was_stopped_is_not_waited_for(timed: Repository, waiter: Waiter) -> None:
    put(timed, group())
    waited(timed, waiter, "web", WaitFor.RUNNING)
    waiter.cloud.stop(timed.id("web"))
    timed.clock.sleep(60)

    health = waited(timed, waiter, "web", WaitFor.RUNNING)

    assert (health.is_healthy, health.says) == (False, "the group is Stopped")


def test_a_group_that_is_gone_is_not_waited_for(timed: Repository, waiter: Waiter) -> None:
    health = waited(timed, waiter, "web", WaitFor.RUNNING)

    assert (health.is_healthy, health.says) == (False, "the group is gone")


def test_stable_for_asks_for_that_long_without_a_restart(timed: Repository, waiter: Waiter) -> None:
    put(timed, group())
    timed.clock.sleep(SLOW.create)
    before = sum(timed.clock.slept)

    health = waited(timed, waiter, "web", WaitFor.RUNNING, stable_for=timedelta(seconds=30))

    assert health.is_healthy
    assert sum(timed.clock.slept) - before >= 30


def test_a_restart_starts_the_stable_time_anew(timed: Repository, waiter: Waiter) -> None:
    put(timed, group())
    timed.clock.sleep(SLOW.create)
    begin = len(timed.clock.slept)
    reads = 0

    def restart(call: Call) -> Reply | None:
        nonlocal reads
        reads += 1
        # By then 11 s have passed.
        return Reply(status=200, body=_restarted(timed.live("web"))) if reads >= 4 else None

    timed.intercept(restart)
    wait = Wait(
        until=WaitFor.RUNNING, timeout=timedelta(minutes=5), stable_for=timedelta(seconds=30)
    )
    health = waiter.healthy(timed.id("web"), wait, until=in_time(timed, 5))

    assert health.is_healthy
    assert sum(timed.clock.slept[begin:]) >= 11 + 30


def _restarted(body):
    for container in body["properties"]["containers"]:
        container["properties"]["instanceView"]["restartCount"] += 1
    return body


def test_a_time_out_of_health_says_what_was_missing(timed: Repository, waiter: Waiter) -> None:
    put(timed, group())

    health = waited(timed, waiter, "web", WaitFor.RUNNING, timeout=timedelta(seconds=20))

    assert not health.is_healthy
    assert health.says == "not running in 20 s: provisioning state Pending"
    assert sum(timed.clock.slept) == pytest.approx(20)


def test_the_last_look_is_at_the_deadline_itself(timed: Repository, waiter: Waiter) -> None:
    put(timed, group())

    health = waited(timed, waiter, "web", WaitFor.RUNNING, timeout=timedelta(seconds=60))

    assert health.is_healthy


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        (group("one"), "created, 1 of 1 running"),
        (task("one"), "created, 1 of 1 running"),
        (task("one", reconcile={"wait": {"for": "succeeded"}}), "created, 1 of 1 ended with 0"),
        (group("one", reconcile={"wait": {"for": "provisioned"}}), "created, provisioned"),
    ],
)
def test_what_an_apply_waits_for_by_manifest(timed: Repository, manifest: dict, says: str) -> None:
    timed.write(manifest)

    run = timed.apply()

    assert outcome_of(run, "one").says == says


def test_an_unhealthy_group_in_time_is_unhealthy(timed: Repository) -> None:
    timed.write(task("one", reconcile={"wait": {"for": "succeeded", "timeout": "90s"}}))

    run = timed.apply()

    assert ended(run) == {"one": "unhealthy"}
    assert "created, but not succeeded in 90 s" in outcome_of(run, "one").says


def test_setting_the_time_of_day_moves_no_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SystemClock()
    before = clock.now()

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2040, 1, 1, tzinfo=tz)

    monkeypatch.setattr("reconciler.execute.clock.datetime", Later)

    assert clock.now() - before < timedelta(hours=1)
