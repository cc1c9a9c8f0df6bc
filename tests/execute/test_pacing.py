"""The pacer slows down before Azure refuses, whatever the kind of window and the limit."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.cloud import Kind, Left, Ration
from reconciler.errors import Interrupted
from reconciler.execute.pacing import DEFAULT_RETRY_S, FIRST_UNDER_WAY, Pacer
from tests.execute.quota import (
    FIVE_MINUTES,
    HOUR,
    SUBSCRIPTION,
    Fixed,
    Quota,
    Rule,
    Simulation,
    Sliding,
    Virtual,
    region_of,
)

PUT = region_of(0)
READ = Ration(subscription=SUBSCRIPTION, kind=Kind.READ)


@pytest.fixture
def clock() -> Virtual:
    return Virtual()


@pytest.fixture
def pacer(clock: Virtual) -> Pacer:
    return Pacer(clock=clock)


def left(soon: int, late: int = 1000) -> Left:
    return Left(in_5_minutes=soon, in_1_hour=late)


def refused(soon: int | None = None, retry_s: float | None = None, arm: int | None = None) -> Left:
    late = None if soon is None else 1000
    return Left(
        in_subscription=arm,
        in_5_minutes=soon,
        in_1_hour=late,
        is_refused=True,
        retry_after_s=retry_s,
    )


def sent(pacer: Pacer, ration: Ration, answer: Left | None) -> None:
    pacer.leave(ration, pacer.enter(ration), answer)


def optimal(jobs: int, limits: tuple[int, int], *, slides: bool) -> float:
    """When the last request goes out at the earliest, by who knows the rule and has no latency."""
    windows = list(zip((300, 3600), limits, strict=True))
    times: list[int] = []
    began = [0, 0]
    now = 0
    while True:
        room, again = jobs - len(times), []
        for index, (seconds, limit) in enumerate(windows):
            if not slides and now >= began[index] + seconds:
                began[index] = now
            since = now - seconds + 1 if slides else began[index]
            counted = [time for time in times if time >= since]
            room = min(room, limit - len(counted))
            if len(counted) >= limit:
                again.append(counted[0] + seconds if slides else began[index] + seconds)
        if room > 0:
            times += [now] * room
            if len(times) == jobs:
                return now
        else:
            now = max(again)


@pytest.mark.parametrize(
    ("rule", "slides"), [(Fixed, False), (Sliding, True)], ids=["fixed", "sliding"]
)
def test_ten_thousand_creates_end_within_a_fiftieth_of_the_best_without_a_refusal(
    rule: Callable[[float], Rule], slides: bool, tell: Callable[[str], None]
) -> None:
    bound, chance = optimal(1000, (100, 300), slides=slides), random.Random(1)
    quotas = [Quota(limits=(100, 300), rules=(rule(FIVE_MINUTES), rule(HOUR))) for _ in range(10)]

    took = Simulation(
        quotas, 1000, 200, lambda: (chance.uniform(0.2, 2), chance.uniform(0.2, 2))
    ).run()

    tell(
        f"10,000 creates, {rule.__name__.lower()} windows: {took:.0f} s, {took / bound:.4f} of the best"
    )
    assert bound == 3 * HOUR
    assert took <= 1.02 * bound
    assert [len(quota.taken) for quota in quotas] == [1000] * 10
    assert not any(quota.refused for quota in quotas)


@st.composite
def a_quota(draw: st.DrawFn) -> Quota:
    soon = draw(st.integers(1, 40))
    kind = draw(st.sampled_from(["first", "aligned", "sliding"]))

    def rule(seconds: float) -> Rule:
        if kind == "sliding":
            return Sliding(seconds)
        return Fixed(seconds, draw(st.floats(0, seconds)) if kind == "aligned" else None)

    return Quota(
        limits=(soon, draw(st.integers(soon, 3 * soon))),
        rules=(rule(FIVE_MINUTES), rule(HOUR)),
        counts_refused=draw(st.booleans()),
    )


@settings(max_examples=60, deadline=None)
@given(
    quotas=st.lists(a_quota(), min_size=1, max_size=3),
    jobs=st.integers(1, 90),
    workers=st.integers(1, 60),
    slowest=st.floats(0, 10),
    seed=st.integers(0, 2**16),
)
def test_nothing_is_refused_after_the_first_minute_and_all_is_sent(
    quotas: list[Quota], jobs: int, workers: int, slowest: float, seed: int
) -> None:
    chance = random.Random(seed)

    Simulation(
        quotas, jobs, workers, lambda: (chance.uniform(0, slowest), chance.uniform(0, slowest)),
        horizon=1000 * HOUR,
    ).run()  # fmt: skip

    assert [len(quota.taken) for quota in quotas] == [jobs] * len(quotas)
    # A minute from the first request in a region: another may have had the workers until then.
    late = [time for quota in quotas for time in quota.refused if time > quota.taken[0] + 60]
    assert late == []


def test_a_few_go_out_before_the_first_answer(pacer: Pacer) -> None:
    numbers = [pacer.enter(PUT) for _ in range(FIRST_UNDER_WAY)]
    assert pacer.wait_s(PUT) > 0
    assert pacer.wait_s(region_of(1)) > 0, "ARM's own count is not known either"

    pacer.leave(PUT, numbers[0], left(99))

    assert pacer.wait_s(PUT) == 0


def test_the_window_waits_for_the_oldest_answer_to_leave_it(pacer: Pacer, clock: Virtual) -> None:
    sent(pacer, PUT, left(1))
    clock.sleep(100)
    sent(pacer, PUT, left(0))

    assert 200 <= pacer.wait_s(PUT) <= 202
    clock.sleep(202)
    assert pacer.wait_s(PUT) == 0


def test_the_others_that_are_about_to_go_are_counted(pacer: Pacer) -> None:
    sent(pacer, PUT, left(3))

    assert pacer.wait_s(PUT, ahead=2) == 0
    assert pacer.wait_s(PUT, ahead=3) > 0


def test_a_new_window_is_seen_in_the_first_answer_of_it(pacer: Pacer, clock: Virtual) -> None:
    for count in (9, 8, 7, 6, 5, 4, 3, 2, 1):
        sent(pacer, PUT, left(count))
    clock.sleep(10)
    sent(pacer, PUT, left(9))  # by our own count none is left

    assert pacer.wait_s(PUT, ahead=8) == 0
    assert pacer.wait_s(PUT, ahead=9) > 0


def test_what_somebody_else_uses_is_not_promised(pacer: Pacer, clock: Virtual) -> None:
    sent(pacer, PUT, left(99))
    sent(pacer, PUT, left(40))

    assert pacer.wait_s(PUT, ahead=39) == 0
    assert pacer.wait_s(PUT, ahead=40) > 0
    clock.sleep(302)
    assert pacer.wait_s(PUT, ahead=99) == 0


def test_answers_out_of_order_accuse_nobody(pacer: Pacer) -> None:
    first, second = pacer.enter(PUT), pacer.enter(PUT)
    pacer.leave(PUT, second, left(98))
    pacer.leave(PUT, first, left(99))

    assert pacer.wait_s(PUT, ahead=97) == 0
    assert pacer.wait_s(PUT, ahead=98) > 0


def test_writes_and_deletes_and_regions_are_counted_apart(pacer: Pacer) -> None:
    sent(pacer, PUT, left(0))

    assert pacer.wait_s(PUT) > 0
    assert pacer.wait_s(region_of(1)) == 0
    assert pacer.wait_s(Ration(subscription=SUBSCRIPTION, kind=Kind.DELETE, region="region0")) == 0


def test_a_region_and_a_subscription_are_the_same_in_any_spelling(pacer: Pacer) -> None:
    sent(pacer, Ration(subscription="AB", kind=Kind.WRITE, region="West Europe"), left(0))

    assert pacer.wait_s(Ration(subscription="ab", kind=Kind.WRITE, region="westeurope")) > 0


def test_a_refusal_stops_all_until_it_says_and_then_one_goes_first(
    pacer: Pacer, clock: Virtual
) -> None:
    sent(pacer, PUT, refused(soon=0, retry_s=40))

    assert pacer.wait_s(PUT) == pytest.approx(41)
    assert pacer.wait_s(region_of(1)) == 0, "ARM refused nothing"
    clock.sleep(41)
    first = pacer.enter(PUT)
    assert pacer.wait_s(PUT) > 0
    pacer.leave(PUT, first, left(80))
    assert pacer.wait_s(PUT, ahead=79) == 0


def test_a_refusal_outweighs_what_was_told_while_it_was_under_way(
    pacer: Pacer, clock: Virtual
) -> None:
    first, second = pacer.enter(PUT), pacer.enter(PUT)
    pacer.leave(PUT, first, left(99))
    pacer.leave(PUT, second, refused(soon=0, retry_s=40))
    clock.sleep(41)
    sent(pacer, PUT, Left())  # a gateway's answer, which tells nothing

    assert pacer.wait_s(PUT) > 200


def test_a_refusal_may_not_have_been_counted_itself(pacer: Pacer, clock: Virtual) -> None:
    """One is left in the hour, so the limit of the hour may be one, and not two."""
    sent(pacer, PUT, Left(in_5_minutes=0, in_1_hour=1, is_refused=True, retry_after_s=40))
    clock.sleep(41)
    sent(pacer, PUT, left(99, 0))
    clock.sleep(3560)  # the refused one has left the hour, the other has not

    assert pacer.wait_s(PUT) == pytest.approx(41, abs=0.01)


def test_a_first_request_that_gets_no_answer_is_followed_by_another(
    pacer: Pacer, clock: Virtual
) -> None:
    sent(pacer, PUT, refused(soon=0, retry_s=40))
    clock.sleep(41)
    sent(pacer, PUT, None)

    assert pacer.wait_s(PUT) == 0


def test_a_refusal_without_a_time_has_a_default(pacer: Pacer) -> None:
    sent(pacer, READ, refused())

    assert pacer.wait_s(READ) == pytest.approx(DEFAULT_RETRY_S + 1)


@pytest.mark.parametrize(
    ("answer", "region_waits", "others_wait"),
    [
        (refused(soon=0, retry_s=40), True, False),
        (refused(arm=0, retry_s=40), True, True),
        (refused(arm=900, retry_s=40), True, True),
        (refused(soon=50, arm=900, retry_s=40), True, True),
    ],
    ids=["the provider's", "ARM's", "ARM's of one server", "nobody says"],
)
def test_whose_refusal_it_is(
    pacer: Pacer, answer: Left, region_waits: bool, others_wait: bool
) -> None:
    sent(pacer, PUT, answer)

    assert (pacer.wait_s(PUT) > 0, pacer.wait_s(region_of(1)) > 0) == (region_waits, others_wait)
    assert pacer.wait_s(READ) == 0


def test_a_bucket_that_fills_up_is_never_emptied(pacer: Pacer, clock: Virtual) -> None:
    """ARM's token bucket: 250, and 25 more each second."""
    level, lowest, filled = 250.0, 250.0, 0.0

    for _ in range(5000):
        number = pacer.enter(READ)
        level, filled = min(250.0, level + 25 * (clock.at - filled)), clock.at
        level -= 1
        lowest = min(lowest, level)
        pacer.leave(READ, number, Left(in_subscription=int(level)))

    assert lowest >= 10
    assert clock.at <= 1.05 * (5000 - 250) / 25


def test_an_interrupt_ends_the_wait_but_for_who_insists(clock: Virtual) -> None:
    pacer = Pacer(clock=clock, leave=lambda: True)
    sent(pacer, PUT, left(0))  # nothing to wait for: it goes

    with pytest.raises(Interrupted, match="before it was sent"):
        pacer.enter(PUT)
    with pacer.insisting():
        pacer.leave(PUT, pacer.enter(PUT), left(0))
    assert clock.at >= FIVE_MINUTES
    with pytest.raises(Interrupted):
        pacer.enter(PUT)


def test_a_wait_is_told_once(clock: Virtual) -> None:
    told: list[tuple[str, datetime]] = []
    pacer = Pacer(clock=clock, tell=lambda text, until: told.append((text, until)))
    sent(pacer, PUT, left(1))
    sent(pacer, PUT, left(0))
    pacer.mention(PUT)
    sent(pacer, PUT, left(0))

    [(text, until)] = told
    assert text == (
        "waiting for Azure's ration of group writes in region0 (0 of 2 left in 5 minutes)"
    )
    assert abs((until - clock.now()).total_seconds()) < 1


def test_a_pause_by_name_is_shared_and_the_longest_holds(pacer: Pacer, clock: Virtual) -> None:
    pacer.hold("subnet", 30)
    pacer.hold("subnet", 10)

    assert pacer.held_s("subnet") == 30
    assert pacer.held_s("another") == 0
    clock.sleep(31)
    assert pacer.held_s("subnet") == 0


def test_many_threads_take_no_more_than_there_is(clock: Virtual) -> None:
    """40 threads on a clock that each moves: 10 in five minutes, by a sliding window."""
    lock, rule, over = threading.Lock(), Sliding(FIVE_MINUTES), []
    pacer = Pacer(clock=clock)
    sent(pacer, PUT, left(10))

    def work() -> None:
        number = pacer.enter(PUT)
        with lock:
            now = clock.at
            over.append(rule.used(now) >= 11)
            rule.take(now)
            count = max(0, 11 - rule.used(now))
        pacer.leave(PUT, number, left(count))

    rule.take(clock.at)
    threads = [threading.Thread(target=work) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert over == [False] * 40
