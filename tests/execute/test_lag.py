"""Answers contradict each other for a while: what was deleted shows still, and the like."""

from __future__ import annotations

import pytest

from reconciler.core.cloud import Kind, Left, Ration
from reconciler.core.outcome import Status
from reconciler.core.ownership import OWNER_TAG
from reconciler.emulator import Call, Reply
from tests.conftest import Repository, group, kinds, outcome_of, refusal
from tests.execute.test_replace import NEVER_WELL, interrupted, replacing


def image(shop: Repository) -> str:
    return shop.live("web")["properties"]["containers"][0]["properties"]["image"]


def is_web(call: Call, method: str) -> bool:
    return call.method == method and call.path.endswith("/web")


def test_created_in_the_pause_before_another_attempt_is_not_overwritten(shop: Repository) -> None:
    """Each attempt is preceded by a look, the ones after the first too."""
    planned = replacing(shop)
    shop.emulator.plays([{**NEVER_WELL, "when": {"stage": "put", "nth": 1}}])
    seen: list[str] = []
    theirs = group("web", image="theirs:1", cpu=2)

    def answer(call: Call) -> Reply | None:
        if is_web(call, "DELETE"):
            seen.append("DELETE")
        elif is_web(call, "GET") and seen.count("DELETE") == 2 and "theirs" not in seen:
            if shop.live("web") is None:
                seen.append("theirs")
                # 404 is answered to this look; 30 s pause follows, in which they create theirs
                shop.clock.before_sleep(lambda: shop.given(theirs, tags={OWNER_TAG: "somebody"}))
        return None

    shop.intercept(answer)
    run = shop.carry_out(planned)
    outcome = outcome_of(run, "web")
    assert "theirs" in seen
    assert image(shop) == "theirs:1"
    assert outcome.status is not Status.SUCCEEDED


def test_replace_where_a_put_sets_no_tags(shop: Repository) -> None:
    """Reports differ on whether a PUT sets tags (I3): they are patched then, as after an update."""
    planned = replacing(shop)
    done: list[str] = []

    def answer(call: Call) -> Reply | None:
        if is_web(call, "PUT"):
            done.append("PUT")
        elif is_web(call, "GET") and done == ["PUT"] and shop.live("web") is not None:
            done.append("untagged")
            shop.change("web", lambda body: body.update(tags={}))
        return None

    shop.intercept(answer)
    run = shop.carry_out(planned)
    outcome = outcome_of(run, "web")
    assert outcome.status is Status.SUCCEEDED
    assert shop.tags("web").get(OWNER_TAG) == "shop"


@pytest.mark.parametrize("case", ["forbidden", "canceled"])
def test_accepted_delete_that_cannot_be_watched_and_a_look_that_lags(
    shop: Repository, case: str
) -> None:
    """One look that shows what was there before does not tell that the delete failed."""
    planned = replacing(shop)
    old = shop.azure.cloud.group(shop.id("web"))
    seen: list[str] = []
    url = f"{shop.emulator.url}/subscriptions/{shop.subscription}/ours/1?api-version=2023-05-01"

    def answer(call: Call) -> Reply | None:
        if is_web(call, "DELETE"):
            seen.append("DELETE")
            shop.emulator._service.answer(call)
            return Reply(status=202, headers={"Azure-AsyncOperation": url})
        if call.path.endswith("/ours/1"):
            seen.append("look")
            if case == "canceled":
                return Reply(status=200, body={"status": "Canceled"})
            return refusal(403, "AuthorizationFailed")
        if is_web(call, "PUT"):
            seen.append("PUT")
        elif is_web(call, "GET") and "look" in seen and "PUT" not in seen and seen.count("lag") < 2:
            seen.append("lag")
            return Reply(status=200, body=old)
        return None

    shop.intercept(answer)
    run = shop.carry_out(planned)
    outcome = outcome_of(run, "web")
    assert shop.live("web") is not None or outcome.is_stranded
    assert "PUT" in seen


def test_lost_delete_whose_fate_could_not_be_read_and_a_look_that_lags(shop: Repository) -> None:
    """Nor does it where the fate of the delete could not be read at first."""
    planned = replacing(shop)
    old = shop.azure.cloud.group(shop.id("web"))
    seen: list[str] = []
    at: list = []

    def answer(call: Call) -> Reply | None:
        if is_web(call, "DELETE"):
            seen.append("DELETE")
            at.append(shop.clock.now())
            shop.emulator._service.answer(call)
            return refusal(504, "GatewayTimeout")
        if is_web(call, "PUT"):
            seen.append("PUT")
        elif is_web(call, "GET") and at and "PUT" not in seen:
            if (shop.clock.now() - at[0]).total_seconds() < 75:
                return refusal(503, "ServerBusy")
            if seen.count("lag") < 2:
                seen.append("lag")
                return Reply(status=200, body=old)
        return None

    shop.intercept(answer)
    run = shop.carry_out(planned)
    outcome = outcome_of(run, "web")
    assert shop.live("web") is not None or outcome.is_stranded
    assert "PUT" in seen


def test_lost_create_of_a_replace_and_a_look_that_lags(shop: Repository) -> None:
    """What was just deleted may show once more: that is nobody else's group."""
    planned = replacing(shop)
    old = shop.azure.cloud.group(shop.id("web"))
    seen: list[str] = []

    def answer(call: Call) -> Reply | None:
        if is_web(call, "PUT") and not seen:
            seen.append("PUT")
            return refusal(504, "GatewayTimeout")
        if is_web(call, "GET") and seen == ["PUT"]:
            seen.append("lag")
            return Reply(status=200, body=old)
        return None

    shop.intercept(answer)
    run = shop.carry_out(planned)
    outcome = outcome_of(run, "web")
    assert outcome.status is Status.SUCCEEDED


def test_no_false_stranded_where_the_create_was_accepted(shop: Repository) -> None:
    """What was created may not show yet."""
    planned = replacing(shop)
    shop.emulator.plays([{"fault": {"kind": "missing-after-create", "seconds": 30}}])
    seen: list[str] = []

    def answer(call: Call) -> Reply | None:
        if is_web(call, "PUT"):
            seen.append("PUT")
        elif "/operations/" in call.path and seen:
            return refusal(403, "AuthorizationFailed")
        return None

    shop.intercept(answer)
    run = shop.carry_out(planned)
    outcome = outcome_of(run, "web")
    assert shop.names == ["web"]
    assert not outcome.is_stranded


def test_a_write_is_not_sent_after_an_interrupt_heard_while_it_was_read_again(
    shop: Repository,
) -> None:
    """The signal comes after the wait for a ration, just before the PUT."""
    shop.write(group("web", image="nginx:2"))
    planned = shop.plan()
    pacer, ration = shop.azure.pacer, Ration.of(shop.subscription, Kind.WRITE, "westeurope")
    gets: list[str] = []

    def answer(call: Call) -> None:
        if is_web(call, "GET"):
            gets.append("GET")
            if len(gets) == 1:
                spent = Left(in_5_minutes=0, in_1_hour=0, is_refused=True, retry_after_s=20)
                pacer.leave(ration, pacer.enter(ration), spent)

    shop.intercept(answer)
    # The signal comes while the group is read for the second time.
    run = interrupted(shop, planned, lambda: int(len(gets) >= 2))
    outcome = outcome_of(run, "web")
    assert shop.counting("PUT", "web") == 1
    assert outcome.status is Status.NOT_STARTED


def test_a_repair_that_fails_again_is_written_once(shop: Repository) -> None:
    """Its answer is lost, and what it leaves looks as what was there before."""
    shop.emulator.plays([NEVER_WELL])
    shop.write(group("api"))
    shop.apply()
    planned = shop.plan()
    assert kinds(planned)["api"] == "update"
    before = shop.counting("PUT", "api")
    shop.emulator.plays(
        [
            {**NEVER_WELL, "when": {"stage": "put"}},
            {"when": {"stage": "put", "nth": 1}, "fault": {"status": 504, "afterEffect": True}},
        ]
    )
    shop.carry_out(planned)
    assert shop.counting("PUT", "api") == before + 1


def test_restore_wastes_no_minute(shop: Repository) -> None:
    """It looks as what was deleted, as it must."""
    planned = replacing(shop, falls_back=True)
    fault = {"kind": "operation", "ends": "Failed", "code": "InaccessibleImage"}
    shop.emulator.plays([{"when": {"stage": "put", "nth": 1}, "fault": fault}])
    puts: list = []

    def answer(call: Call) -> None:
        if is_web(call, "PUT"):
            puts.append(shop.clock.now())

    shop.intercept(answer)
    run = shop.carry_out(planned)
    outcome = outcome_of(run, "web")
    took = (shop.clock.now() - puts[-1]).total_seconds()
    assert outcome.is_restored
    assert took < 50


def test_an_interrupt_is_heard_at_the_gate_after_a_write_that_was_not_taken(
    shop: Repository,
) -> None:
    """After a lost PUT that was not taken nothing is under way: an interrupt ends it."""
    shop.write(group("web", image="nginx:2"))
    planned = shop.plan()
    pacer, ration = shop.azure.pacer, Ration.of(shop.subscription, Kind.WRITE, "westeurope")
    lost: list[str] = []

    def answer(call: Call) -> Reply | None:
        if is_web(call, "PUT") and not lost:
            lost.append("PUT")
            return refusal(504, "GatewayTimeout")
        return None

    def tell(_action: object, text: str) -> None:
        if "trying again" in text:
            spent = Left(in_5_minutes=0, in_1_hour=0, is_refused=True, retry_after_s=600)
            pacer.leave(ration, pacer.enter(ration), spent)
            lost.append("stopped")

    shop._tell = tell
    shop.intercept(answer)
    run = interrupted(shop, planned, lambda: int(bool(shop.held)))
    assert outcome_of(run, "web").status is Status.NOT_STARTED
    assert shop.counting("PUT", "web") == 2


def test_a_replace_interrupted_while_it_is_read_again_deletes_nothing(shop: Repository) -> None:
    planned = replacing(shop)
    pacer, ration = shop.azure.pacer, Ration.of(shop.subscription, Kind.DELETE, "westeurope")
    gets: list[str] = []

    def answer(call: Call) -> None:
        if is_web(call, "GET"):
            gets.append("GET")
            if len(gets) == 1:
                spent = Left(in_5_minutes=0, in_1_hour=0, is_refused=True, retry_after_s=20)
                pacer.leave(ration, pacer.enter(ration), spent)

    shop.intercept(answer)
    interrupted(shop, planned, lambda: int(len(gets) >= 2))
    assert shop.counting("DELETE", "web") == 0


def test_a_lost_create_where_a_put_sets_no_tags(shop: Repository) -> None:
    """A group of nobody that is as it was asked: ours, and tagged then."""
    shop.write(group("new"))
    planned = shop.plan()
    seen: list[str] = []

    def answer(call: Call) -> Reply | None:
        if call.method == "PUT" and call.path.endswith("/new") and not seen:
            seen.append("PUT")
            shop.emulator._service.answer(call)
            shop.change("new", lambda body: body.update(tags={}))
            return refusal(504, "GatewayTimeout")
        return None

    shop.intercept(answer)
    run = shop.carry_out(planned)
    outcome = outcome_of(run, "new")
    assert outcome.status is Status.SUCCEEDED


def test_what_is_in_the_way_of_a_delete_is_somebody_elses_write(shop: Repository) -> None:
    planned = replacing(shop, timeout="3m")
    seen: list[str] = []

    def answer(call: Call) -> Reply | None:
        if is_web(call, "DELETE"):
            seen.append("DELETE")
            if len(seen) == 1:
                return refusal(504, "GatewayTimeout")
            shop.set_image("web", "theirs:1")
            return refusal(409, "ContainerGroupTransitioning")
        return None

    shop.intercept(answer)
    run = shop.carry_out(planned)
    outcome = outcome_of(run, "web")
    assert outcome.status is Status.STALE
