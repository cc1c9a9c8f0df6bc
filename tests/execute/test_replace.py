"""A group that is deleted to be created again: what comes between must not lose it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler import app
from reconciler.core.cloud import Kind, Left, Ration
from reconciler.core.groups import DesiredGroup
from reconciler.core.outcome import Status
from reconciler.core.plan import Plan
from reconciler.emulator import PLENTY, Call, Emulator, Polls, Reply
from reconciler.execute import run as running_module
from reconciler.execute.clock import SystemClock
from reconciler.execute.run import Run
from reconciler.execute.wait import Pace
from tests.conftest import Repository, ended, group, outcome_of, refusal

NEVER_WELL = {"when": {"stage": "put"}, "fault": {"kind": "operation", "ends": "Failed"}}


def replacing(shop: Repository, *, timeout: str = "10m", falls_back: bool = False) -> Plan:
    """A plan to replace `web`; with `falls_back` what is there now is created where that fails."""
    (before,) = shop.wanted().groups
    reconcile = {"replace": "allow", "wait": {"timeout": timeout}}
    shop.write(group("web", cpu=2, reconcile=reconcile))
    planned = shop.plan(allow={"replace": 1})
    return _with_fallback(planned, before) if falls_back else planned


def _with_fallback(planned: Plan, before: DesiredGroup) -> Plan:
    """As a repository in git with `onReplaceFailure: restore` would have it."""
    actions = tuple(
        replace(action, fallback=before) if action.target.name == "web" else action
        for action in planned.actions
    )
    return replace(planned, actions=actions)


def cpu(shop: Repository) -> float:
    container = shop.live("web")["properties"]["containers"][0]["properties"]
    return container["resources"]["requests"]["cpu"]


def interrupted(shop: Repository, planned: Plan, number: Callable[[], int]) -> Run:
    return app.apply(planned, shop.azure, commit="", watcher=shop.watcher, interrupts=number)


# rations


def test_a_replace_deletes_only_when_its_create_need_not_wait_for_a_ration(
    shop: Repository,
) -> None:
    planned = replacing(shop)
    pacer, ration = shop.azure.pacer, Ration.of(shop.subscription, Kind.WRITE, "westeurope")
    spent = Left(in_5_minutes=0, in_1_hour=0, is_refused=True, retry_after_s=1800)
    pacer.leave(ration, pacer.enter(ration), spent)
    sent = {}

    def answer(call: Call) -> None:
        if call.method in ("DELETE", "PUT"):
            sent[call.method] = shop.clock.now()

    shop.intercept(answer)

    run = shop.carry_out(planned)

    assert ended(run) == {"web": "succeeded"}
    assert sent["PUT"] - sent["DELETE"] < timedelta(minutes=5)


def test_a_ration_that_is_spent_just_before_the_delete_holds_the_delete(shop: Repository) -> None:
    planned = replacing(shop)
    pacer, ration = shop.azure.pacer, Ration.of(shop.subscription, Kind.WRITE, "westeurope")
    sent = {}

    def answer(call: Call) -> None:
        if call.method in ("DELETE", "PUT"):
            sent[call.method] = shop.clock.now()
        elif call.method == "GET" and call.path.endswith("/web") and not sent:
            sent["GET"] = shop.clock.now()
            spent = Left(in_5_minutes=0, in_1_hour=0, is_refused=True, retry_after_s=1800)
            pacer.leave(ration, pacer.enter(ration), spent)

    shop.intercept(answer)

    run = shop.carry_out(planned)

    assert ended(run) == {"web": "succeeded"}
    assert sent["DELETE"] - sent["GET"] > timedelta(minutes=29)
    assert sent["PUT"] - sent["DELETE"] < timedelta(minutes=5)


@pytest.mark.parametrize("fault", [{"status": 429, "retryAfter": 700}, {"status": 503}], ids=str)
def test_what_passes_does_not_end_a_create_at_its_deadline(
    shop: Repository, fault: dict[str, object]
) -> None:
    planned = replacing(shop, timeout="1m")
    shop.emulator.plays([{"when": {"stage": "put", "first": 2}, "fault": fault}])

    run = shop.carry_out(planned)

    outcome = outcome_of(run, "web")
    assert (outcome.status, outcome.is_stranded) == (Status.SUCCEEDED, False)


# deletes and creates whose answers come late


def test_a_create_that_shows_late_is_known_for_ours(shop: Repository) -> None:
    planned = replacing(shop)
    shop.emulator.plays(
        [
            {"when": {"stage": "put"}, "fault": {"status": 504, "afterEffect": True}},
            {"fault": {"kind": "missing-after-create", "seconds": 62}},
        ]
    )

    run = shop.carry_out(planned)

    assert ended(run) == {"web": "succeeded"}
    assert shop.counting("PUT", "web") == 2


def test_a_lost_delete_that_is_carried_out_late_is_not_taken_for_refused(
    shop: Repository,
) -> None:
    """It shows only when it stands in the way of the second one."""
    planned = replacing(shop)
    deletes: list[str] = []

    def answer(call: Call) -> Reply | None:
        if call.method != "DELETE":
            return None
        deletes.append(call.path)
        if len(deletes) == 1:
            return refusal(504, "GatewayTimeout")
        shop.pass_all()
        shop.clock.before_sleep(lambda: shop.delete("web"))
        return refusal(409, "ContainerGroupTransitioning")

    shop.intercept(answer)

    run = shop.carry_out(planned)

    assert ended(run) == {"web": "succeeded"}
    assert cpu(shop) == 2
    assert len(deletes) == 2


def test_a_delete_that_azure_gives_up_leaves_the_group_as_it_was(shop: Repository) -> None:
    planned = replacing(shop, timeout="3m")
    never = {"kind": "operation", "ends": "never", "timeout": 250}
    shop.emulator.plays([{"when": {"stage": "delete"}, "fault": never}])

    run = shop.carry_out(planned)

    outcome = outcome_of(run, "web")
    assert (outcome.status, outcome.is_stranded) == (Status.FAILED, False)
    assert shop.counting("PUT", "web") == 1, "a create over what is still there"
    assert cpu(shop) == 1


def test_a_delete_that_never_ends_does_not_keep_the_create_from_being_sent(
    shop: Repository,
) -> None:
    planned = replacing(shop, timeout="3m")
    never = {"kind": "operation", "ends": "never", "timeout": 100_000}
    shop.emulator.plays([{"when": {"stage": "delete"}, "fault": never}])

    run = shop.carry_out(planned)

    outcome = outcome_of(run, "web")
    assert shop.counting("PUT", "web") >= 2
    assert (outcome.status, outcome.is_stranded) == (Status.FAILED, True)


def test_a_delete_whose_fate_could_not_be_read_for_long_is_followed_by_its_create(
    shop: Repository,
) -> None:
    planned = replacing(shop)
    shop.emulator.plays(
        [
            {"when": {"stage": "delete"}, "fault": {"status": 504, "afterEffect": True}},
            {
                "when": {"stage": "get", "group": "web", "after": 1, "first": 60},
                "fault": {"status": 503},
            },
        ]
    )

    run = shop.carry_out(planned)

    assert ended(run) == {"web": "succeeded"}
    assert cpu(shop) == 2


@pytest.mark.parametrize("method", ["DELETE", "PUT"])
def test_a_write_that_is_refused_although_it_was_carried_out_is_known_for_ours(
    shop: Repository, method: str
) -> None:
    """As when a gateway has sent it twice: the second finds the first in its way."""
    planned = replacing(shop)
    seen: list[str] = []

    def answer(call: Call) -> Reply | None:
        if call.method != method or seen:
            return None
        seen.append(call.method)
        shop.emulator._service.answer(call)
        return refusal(409, "ContainerGroupTransitioning")

    shop.intercept(answer)

    run = shop.carry_out(planned)

    assert ended(run) == {"web": "succeeded"}
    assert cpu(shop) == 2
    assert (shop.counting("PUT", "web"), shop.counting("DELETE", "web")) == (2, 1)


def test_a_group_that_vanishes_after_it_was_created_again_is_stranded(shop: Repository) -> None:
    planned = replacing(shop)
    seen: list[str] = []

    def answer(call: Call) -> None:
        seen.append(call.method)
        if "/operations/" in call.path and "PUT" in seen:
            shop.pass_all()
            shop.delete("web")

    shop.intercept(answer)

    run = shop.carry_out(planned)

    outcome = outcome_of(run, "web")
    assert (outcome.status, outcome.is_stranded) == (Status.FAILED, True)
    assert outcome.says.startswith("STRANDED")


# what was there before


def test_a_restore_that_fails_says_why_and_why_it_was_needed(shop: Repository) -> None:
    planned = replacing(shop, falls_back=True)
    puts: list[str] = []

    def answer(call: Call) -> Reply | None:
        if call.method != "PUT":
            return None
        puts.append(call.path)
        if len(puts) == 1:
            return refusal(400, "InaccessibleImage", "image A is not accessible")
        return refusal(403, "AuthorizationFailed", "no role")

    shop.intercept(answer)

    run = shop.carry_out(planned)

    outcome = outcome_of(run, "web")
    assert outcome.is_stranded
    assert "image A is not accessible" in outcome.says
    assert "no role" in outcome.says


def test_a_failed_create_that_may_not_be_deleted_is_named_with_both_reasons(
    shop: Repository,
) -> None:
    planned = replacing(shop, falls_back=True)
    refused = {"when": {"stage": "delete", "nth": 2}, "fault": "forbidden"}
    shop.emulator.plays([NEVER_WELL, refused])

    run = shop.carry_out(planned)

    outcome = outcome_of(run, "web")
    assert (outcome.status, outcome.is_stranded) == (Status.FAILED, False)
    assert "not available in the location" in outcome.says
    assert "does not have authorization" in outcome.says
    assert "timed out" not in outcome.says


# interrupts


@pytest.fixture
def slow(make_repository: Callable[..., Repository]) -> Iterator[Repository]:
    """As `shop`, in real time."""
    with Emulator(time=Polls(1, 1), limits=PLENTY) as running:
        repository = make_repository(
            running, clock=SystemClock(), pace=Pace(scale=0.02, patience=timedelta(seconds=1.2))
        )
        repository.given_home()
        repository.write(group("web"))
        repository.apply()
        yield repository


def test_a_delete_that_is_on_its_way_when_the_grace_ends_is_followed_by_its_create(
    slow: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running_module, "GRACE", timedelta(seconds=0.2))
    planned = replacing(slow)
    is_sent = threading.Event()

    def answer(call: Call) -> None:
        if call.method == "DELETE":
            is_sent.set()

    slow.intercept(answer)
    slow.emulator.plays([{"when": {"stage": "delete"}, "fault": {"kind": "slow", "seconds": 3}}])

    run = interrupted(slow, planned, lambda: int(is_sent.is_set()))

    assert run.is_interrupted
    assert slow.counting("PUT", "web") == 2, "the process would end without a create"
    assert cpu(slow) == 2


def test_a_restore_is_finished_after_an_interrupt(shop: Repository) -> None:
    planned = replacing(shop, falls_back=True)
    bad_image = {"kind": "operation", "ends": "Failed", "code": "InaccessibleImage"}
    shop.emulator.plays([{"when": {"stage": "put", "nth": 1}, "fault": bad_image}])
    heard: list[str] = []
    shop._tell = lambda _action, text: heard.append(text)

    run = interrupted(shop, planned, lambda: int("creating it again as it was before" in heard))

    outcome = outcome_of(run, "web")
    assert (outcome.status, outcome.is_restored) == (Status.FAILED, True)
    assert cpu(shop) == 1


def test_a_second_interrupt_says_which_group_is_left_deleted(shop: Repository) -> None:
    planned = replacing(shop)
    shop.emulator.plays([{"when": {"stage": "put"}, "fault": "capacity"}])
    tried, over = threading.Event(), threading.Event()

    def tell(_action: object, text: str) -> None:
        if "trying again" in text:
            tried.set()
            over.wait(30)  # it would go on until its deadline

    shop._tell = tell

    run = interrupted(shop, planned, lambda: 2 if tried.is_set() else 0)
    over.set()

    outcome = outcome_of(run, "web")
    assert run.under_way == {}
    assert (outcome.status, outcome.is_stranded, outcome.wrote) == (Status.FAILED, True, True)
    assert "aci-reconcile apply" in outcome.hint
