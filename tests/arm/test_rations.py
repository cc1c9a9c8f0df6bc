"""Every request passes the gate, and what its answer says of the rations is told there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reconciler.arm.cloud import ArmCloud
from reconciler.arm.connect import connect
from reconciler.core.cloud import Kind, Left, Ration
from reconciler.core.ids import GroupId, ResourceGroupId
from reconciler.core.references import HolderKind, KeyHolder
from reconciler.emulator import Emulator, Limits, ManualClock
from reconciler.errors import Throttled
from reconciler.execute.pacing import Pacer
from tests.conftest import Time, group

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
HOLDER = KeyHolder(
    kind=HolderKind.STORAGE_ACCOUNT,
    subscription=SUBSCRIPTION,
    resource_group="rg-data",
    name="shopfiles",
)
KEYS = {"keys": [{"keyName": "key1", "value": "a"}]}


class Book:
    """A gate that lets all pass and writes down what it hears."""

    def __init__(self) -> None:
        self.entered: list[Ration] = []
        self.left: list[tuple[Ration, Left | None]] = []

    def enter(self, ration: Ration) -> int:
        self.entered.append(ration)
        return len(self.entered)

    def leave(self, ration: Ration, number: int, left: Left | None) -> None:
        self.left.append((ration, left))


@contextmanager
def connected(url: str, gate: Book | Pacer) -> Iterator[ArmCloud]:
    with connect(cloud="AzureCloud", endpoint=url, parallelism=4, environ={}, gate=gate) as cloud:
        yield cloud


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def gated(arm, book) -> Iterator[ArmCloud]:
    with connected(arm.url, book) as cloud:
        yield cloud


_HEADERS = {
    "x-ms-ratelimit-remaining-subscription-writes": "1199",
    "x-ms-ratelimit-remaining-subscription-deletes": "14999",
    "x-ms-ratelimit-remaining-subscription-resource-requests-pt5m": "99",
    "x-ms-ratelimit-remaining-subscription-resource-requests-pt1h": "299",
}


def test_a_put_is_counted_where_its_body_says(gated, arm, book, group, answer) -> None:
    arm.answers = [answer(status=201, body={}, headers=_HEADERS)]

    gated.put_group(group, {"location": "West Europe"})

    ration = Ration(subscription=group.subscription, kind=Kind.WRITE, region="westeurope")
    assert book.left == [(ration, Left(in_subscription=1199, in_5_minutes=99, in_1_hour=299))]
    assert arm.seen[0].query == {"api-version": "2023-05-01"}


def test_a_delete_is_counted_where_it_is_told(gated, arm, book, group, answer) -> None:
    arm.answers = [answer(status=204, headers=_HEADERS)]

    gated.delete_group(group, location="westeurope")

    ration = Ration(subscription=group.subscription, kind=Kind.DELETE, region="westeurope")
    assert book.left == [(ration, Left(in_subscription=14999, in_5_minutes=99, in_1_hour=299))]


@pytest.mark.parametrize(
    ("ask", "kind"),
    [
        (lambda cloud, group: cloud.group(group), Kind.READ),
        (lambda cloud, group: cloud.patch_tags(group, {}), Kind.WRITE),
        (lambda cloud, group: cloud.start(group), Kind.WRITE),
        (lambda cloud, group: cloud.delete_group(group), Kind.DELETE),
    ],
    ids=["get", "patch", "post", "delete somewhere"],
)
def test_all_else_is_counted_by_arm_alone(gated, book, group, ask, kind) -> None:
    ask(gated, group)

    assert book.entered == [Ration(subscription=group.subscription, kind=kind)]


def test_each_attempt_of_a_read_passes_the_gate(gated, arm, book, group, answer, fail) -> None:
    arm.answers = [answer(torn=True), fail(503, "Busy"), answer(body={"name": "web"})]

    gated.group(group)

    assert [left is None for _, left in book.left] == [True, False, False]
    assert len(book.entered) == 3


@pytest.mark.parametrize("count", ["", "many", "-1", "1.5", "9" * 30])
def test_a_count_that_is_none_says_nothing(gated, arm, book, group, answer, count) -> None:
    arm.answers = [answer(status=201, body={}, headers=dict.fromkeys(_HEADERS, count))]

    gated.put_group(group, {})

    assert book.left[0][1] == Left()


def test_a_refused_read_waits_at_the_gate_a_few_times(arm, group, fail, answer) -> None:
    clock = Time()
    arm.answers = [*[fail(429, "Throttled", Retry_After="50")] * 3, answer(body={"name": "web"})]

    with connected(arm.url, Pacer(clock=clock)) as cloud:
        assert cloud.group(group) == {"name": "web"}

    assert 150 <= sum(clock.slept) <= 155


def test_keys_are_counted_as_the_write_that_they_are_for_arm(gated, arm, book, answer) -> None:
    arm.answers = [answer(body=KEYS, headers=_HEADERS)]

    gated.keys(HOLDER)

    ration = Ration(subscription=SUBSCRIPTION, kind=Kind.WRITE)
    assert [(told, left and left.in_subscription) for told, left in book.left] == [(ration, 1199)]


def test_keys_that_are_refused_wait_at_the_gate_like_a_read(arm, fail, answer) -> None:
    clock = Time()
    refused, torn = fail(429, "TooManyRequests", Retry_After="50"), answer(torn=True)
    arm.answers = [refused, torn, refused, torn, answer(body=KEYS)]

    with connected(arm.url, Pacer(clock=clock)) as cloud:
        assert cloud.keys(HOLDER).by_name == {"key1": "a"}

    assert arm.methods == ["POST"] * 5
    assert 100 <= sum(clock.slept) <= 105


def test_a_read_that_is_always_refused_ends(arm, group, fail) -> None:
    arm.answers = [fail(429, "Throttled", Retry_After="20")]

    with connected(arm.url, Pacer(clock=Time())) as cloud, pytest.raises(Throttled):
        cloud.group(group)

    assert len(arm.seen) == 6


def test_a_refused_write_is_not_repeated_and_holds_the_next(arm, group, fail) -> None:
    arm.answers = [fail(429, "ResourceRequestsThrottled", Retry_After="17")]
    pacer = Pacer(clock=Time())

    with connected(arm.url, pacer) as cloud, pytest.raises(Throttled):
        cloud.put_group(group, {"location": "westeurope"})

    ration = Ration(subscription=group.subscription, kind=Kind.WRITE, region="westeurope")
    assert len(arm.seen) == 1
    assert pacer.wait_s(ration) == pytest.approx(18)


@pytest.mark.parametrize("code", ["RetryableError", "AnotherOperationInProgress"])
def test_a_write_refused_for_its_subnet_holds_nobody_at_the_gate(arm, group, fail, code) -> None:
    arm.answers = [fail(429, code, Retry_After="17")]
    pacer = Pacer(clock=Time())

    with connected(arm.url, pacer) as cloud, pytest.raises(Throttled) as refused:
        cloud.put_group(group, {"location": "westeurope"})

    assert refused.value.code == code
    assert pacer.wait_s(Ration.of(group.subscription, Kind.WRITE, "westeurope")) == 0


@pytest.mark.parametrize("body", [b"", b"<html>slow down</html>", b'{"error": {"code": "New"}}'])
def test_a_refusal_that_does_not_say_why_is_for_the_number(arm, group, answer, body) -> None:
    arm.answers = [answer(status=429, body=body, headers={"Retry-After": "17"})]
    pacer = Pacer(clock=Time())

    with connected(arm.url, pacer) as cloud, pytest.raises(Throttled):
        cloud.put_group(group, {"location": "westeurope"})

    assert pacer.wait_s(Ration.of(group.subscription, Kind.WRITE, "westeurope")) > 0


def test_a_place_is_taken_by_the_next_request_of_its_thread_alone() -> None:
    pacer, ration = Pacer(clock=Time()), Ration.of("s", Kind.WRITE, "West Europe")

    with pacer.place(ration) as is_held:
        held = pacer.enter(Ration.of("S", Kind.WRITE, "westeurope"))
        other = pacer.enter(ration)

    assert (is_held, other) == (True, held + 1)


def test_a_place_that_nobody_took_is_given_back() -> None:
    """After HTTP 429 one request goes first, and the others wait for its answer."""
    pacer, ration = Pacer(clock=Time()), Ration.of("s", Kind.WRITE)
    pacer.leave(ration, pacer.enter(ration), Left(is_refused=True, retry_after_s=5))

    waited_s = pacer.turn(ration)
    with pacer.place(ration) as is_held:
        assert pacer.wait_s(ration) > 0
        with pacer.place(ration) as is_second:
            assert not is_second

    assert is_held
    assert waited_s >= 5
    assert pacer.wait_s(ration) == 0


def test_of_those_that_promise_only_one_begins_while_one_request_may_go() -> None:
    clock = Time()
    pacer, ration = Pacer(clock=clock), Ration.of("s", Kind.WRITE, "westeurope")
    pacer.leave(ration, pacer.enter(ration), Left(is_refused=True, retry_after_s=5))

    with pacer.promise(ration) as waited_s:
        assert waited_s >= 5
        assert pacer.wait_s(ration) == 0, "others may go before it"
        assert pacer.wait_s(ration, ahead=1) > 0, "another promise waits"
        pacer.leave(ration, pacer.enter(ration), Left(in_5_minutes=50, in_1_hour=100))
        with pacer.promise(ration) as second_s:
            assert second_s < 1  # ARM is let go slowly after a refusal


def test_against_a_ration_of_five_nothing_is_refused() -> None:
    """Twelve creates and as many deletes, five in five minutes, by the emulator's own clock."""
    home = ResourceGroupId(subscription=SUBSCRIPTION, name="rg-shop")
    names = [
        GroupId(subscription=SUBSCRIPTION, resource_group=home.name, name=f"g{number}")
        for number in range(12)
    ]
    told: list[str] = []
    time = ManualClock()
    clock = Time(on_sleep=time.advance)
    pacer = Pacer(clock=clock, tell=lambda text, _until: told.append(text))
    with (
        Emulator(time=time, limits=Limits(pt5m=5)) as emulator,
        connected(emulator.url, pacer) as cloud,
    ):
        cloud.put_resource_group(home, location="westeurope", tags={})
        for name in names:
            properties = group(name.name)["properties"]
            cloud.put_group(name, {"location": "westeurope", "properties": properties})
        assert 600 <= sum(clock.slept) <= 610
        for name in names:
            cloud.delete_group(name, location="westeurope")
        statuses = [request.status for request in emulator.requests]

    assert 429 not in statuses
    assert 1200 <= sum(clock.slept) <= 1220
    ration = "waiting for Azure's ration of group {} in westeurope (0 of 5 left in 5 minutes)"
    assert told == [ration.format(kind) for kind in ("writes", "writes", "deletes", "deletes")]
