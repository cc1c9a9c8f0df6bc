"""Somebody else writes while we do: what moved is left alone, whatever held our write up."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reconciler.core.cloud import Kind, Left, Ration
from reconciler.core.outcome import Status
from reconciler.core.ownership import OWNER_TAG, STATE_TAG, SecretKey
from reconciler.emulator import Call, Reply
from tests.conftest import Repository, ended, group, kinds, outcome_of, refusal, task

LOST = [{"when": {"stage": "delete"}, "fault": {"status": 504}}]


def container(live: dict) -> dict:
    return live["properties"]["containers"][0]["properties"]


def on_read(shop: Repository, number: int, meddle: Callable[[], object], *, lost: str) -> None:
    """Lose the answer to every `lost`, and meddle before the read of the group so many later."""
    seen: list[str] = []

    def answer(call: Call) -> Reply | None:
        if call.method == lost:
            seen.append(call.method)
            return refusal(504, "GatewayTimeout")
        if call.method == "GET" and call.path.endswith("/web") and seen:
            seen.append("GET")
            if seen.count("GET") == number:
                shop.pass_all()
                meddle()
                shop.intercept(answer)
        return None

    shop.intercept(answer)


def operation_seen(shop: Repository, meddle: Callable[[], object]) -> None:
    """Meddle once, when the operation of our write is looked at."""

    def answer(call: Call) -> None:
        if "/operations/" in call.path:
            shop.pass_all()
            meddle()

    shop.intercept(answer)


# between a delete that was not taken and its repetition


def replacing(shop: Repository):
    shop.write(group("web", cpu=2, reconcile={"replace": "allow", "wait": {"timeout": "3m"}}))
    return shop.plan(allow={"replace": 1})


def test_what_was_changed_after_a_lost_delete_is_neither_deleted_nor_overwritten(
    shop: Repository,
) -> None:
    planned = replacing(shop)
    on_read(shop, 2, lambda: shop.set_image("web", "theirs:1"), lost="DELETE")

    run = shop.carry_out(planned)

    outcome = outcome_of(run, "web")
    assert (outcome.status, outcome.is_stranded) == (Status.STALE, False)
    assert "definition changed" in outcome.says
    assert container(shop.live("web"))["image"] == "theirs:1"
    assert (shop.counting("PUT", "web"), shop.counting("DELETE", "web")) == (1, 1)


def test_what_is_in_transition_after_a_lost_delete_is_stale_and_not_taken_for_deleted(
    shop: Repository,
) -> None:
    planned = replacing(shop)
    shop.emulator.plays(LOST)
    waited: list[str] = []
    shop._tell = lambda _action, text: waited.append(text) if "trying again" in text else None

    def answer(call: Call) -> None:
        if waited and call.method == "GET" and call.path.endswith("/web"):
            shop.pass_all()
            shop.start("web")

    shop.intercept(answer)

    run = shop.carry_out(planned)

    assert ended(run) == {"web": "stale"}
    assert (shop.counting("PUT", "web"), shop.counting("DELETE", "web")) == (1, 1)


def test_a_read_that_fails_after_a_lost_delete_does_not_make_the_group_absent(
    shop: Repository,
) -> None:
    planned = replacing(shop)
    shop.emulator.plays(
        [
            *LOST,
            {"when": {"stage": "get", "group": "web", "after": 1}, "fault": "forbidden"},
        ]
    )

    run = shop.carry_out(planned)

    assert outcome_of(run, "web").status is Status.FAILED
    assert shop.counting("PUT", "web") == 1
    assert shop.live("web") is not None


def test_a_failed_create_that_somebody_else_replaced_is_not_deleted(shop: Repository) -> None:
    planned = replacing(shop)
    shop.emulator.plays(
        [{"when": {"stage": "put"}, "fault": {"kind": "operation", "ends": "Failed"}}]
    )
    theirs = group("web", image="theirs:1")

    def tell(_action, text: str) -> None:
        if "deleting what failed" in text:
            shop.emulator.heals()
            shop.given(theirs)

    shop._tell = tell

    run = shop.carry_out(planned)

    outcome = outcome_of(run, "web")
    assert outcome.status is Status.FAILED
    assert "somebody else" in outcome.says
    assert container(shop.live("web"))["image"] == "theirs:1"
    assert shop.counting("DELETE", "web") == 1


# while a write waits


def refused_after_the_read(shop: Repository, name: str, kind: Kind, meddle) -> None:
    """Once the group was read Azure refuses others, so that its write waits; meddle meanwhile."""
    ration = Ration.of(shop.subscription, kind, "westeurope" if kind is not Kind.READ else "")
    pacer = shop.azure.pacer

    def answer(call: Call) -> None:
        if call.method == "GET" and call.path.endswith(f"/{name}"):
            shop.pass_all()
            number = pacer.enter(ration)
            spent = Left(in_5_minutes=0, in_1_hour=0, is_refused=True, retry_after_s=300)
            pacer.leave(ration, number, spent)
            shop.clock.before_sleep(meddle)

    shop.intercept(answer)


@pytest.mark.parametrize("kind", ["create", "update", "delete"])
def test_what_changed_while_its_write_waited_for_a_ration_is_left_alone(
    shop: Repository, kind: str
) -> None:
    if kind == "delete":
        shop.write(group("kept"))
        shop.apply()
        shop.forget("web")
    else:
        shop.write(group("web" if kind == "update" else "new", image="nginx:2"))
    name = "new" if kind == "create" else "web"
    planned = shop.plan(prune=True)
    assert kinds(planned)[name] == kind
    rationed = Kind.DELETE if kind == "delete" else Kind.WRITE
    theirs = group(name, image="theirs:1")
    refused_after_the_read(shop, name, rationed, lambda: shop.given(theirs))

    run = shop.carry_out(planned)

    assert ended(run)[name] == "stale"
    assert shop.held, "the write did not wait"
    assert container(shop.live(name))["image"] == "theirs:1"


def test_a_write_that_waited_for_a_ration_goes_out_where_nothing_moved(shop: Repository) -> None:
    shop.write(group("web", image="nginx:2"))
    planned = shop.plan()
    refused_after_the_read(shop, "web", Kind.WRITE, lambda: None)

    run = shop.carry_out(planned)

    assert ended(run) == {"web": "succeeded"}
    assert shop.held
    assert shop.counting("PUT", "web") == 2


def test_a_task_that_was_changed_while_its_start_was_held_up_is_not_started(
    shop: Repository,
) -> None:
    shop.write(task("job"))
    shop.apply()
    shop.clock.sleep(60)
    planned = shop.plan(rerun=("job",))

    def answer(call: Call) -> Reply | None:
        if call.method != "POST":
            return None
        shop.pass_all()
        shop.set_image("job", "theirs:1")
        return refusal(429, "TooManyRequests")

    shop.intercept(answer)

    run = shop.carry_out(planned)

    assert ended(run)["job"] == "stale"


def test_a_group_of_a_subnet_is_read_again_after_waiting_for_the_subnet(shop: Repository) -> None:
    ids = (
        "/subscriptions/s/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/v/subnets"
    )
    subnet = {"subnetIds": [{"id": f"{ids}/one"}]}
    shop.write(group("api", **subnet))
    shop.apply()
    shop.write(group("api", image="nginx:2", **subnet))
    planned = shop.plan()
    shop.azure.pacer.hold(f"{ids}/one".lower(), 60)
    shop.clock.before_sleep(lambda: shop.set_image("api", "theirs:1"))

    run = shop.carry_out(planned)

    assert ended(run)["api"] == "stale"
    assert container(shop.live("api"))["image"] == "theirs:1"


# what was written, and what stands there when it is read back


def test_a_group_that_somebody_else_put_over_ours_gets_no_tags_of_ours(shop: Repository) -> None:
    shop.write(group("web", image="nginx:2"))
    planned = shop.plan()
    theirs = group("web", image="theirs:1")
    operation_seen(shop, lambda: shop.given(theirs, tags={OWNER_TAG: "somebody", "x": "y"}))

    run = shop.carry_out(planned)

    outcome = outcome_of(run, "web")
    assert (outcome.status, outcome.wrote) == (Status.STALE, True)
    assert "somebody else" in outcome.says
    assert shop.tags("web") == {OWNER_TAG: "somebody", "x": "y"}
    assert shop.counting("PATCH", "web") == 0


def test_a_group_of_nobody_put_over_ours_gets_no_tags_of_ours(shop: Repository) -> None:
    shop.write(group("web", image="nginx:2"))
    planned = shop.plan()
    operation_seen(shop, lambda: shop.given(group("web", image="theirs:1"), tags={"x": "y"}))

    run = shop.carry_out(planned)

    assert ended(run) == {"web": "stale"}
    assert shop.tags("web") == {"x": "y"}


def test_what_azure_did_not_take_is_not_remembered_on_a_group_of_somebody_else(
    shop: Repository,
) -> None:
    """The group loses a field, and is somebody else's before that could be remembered."""
    shop.emulator.drops("/properties/containers/*/properties/command")
    manifest = group("web")
    manifest["properties"]["containers"][0]["properties"]["command"] = ["sleep", "1"]
    shop.write(manifest)
    planned = shop.plan()
    seen: list[str] = []

    def answer(call: Call) -> None:
        if call.method == "PUT":
            seen.append("PUT")
        elif call.method == "GET" and call.path.endswith("/web") and seen:
            seen.append("GET")
            if seen.count("GET") == 2:
                shop.pass_all()
                shop.given(group("web"), tags={OWNER_TAG: "somebody"})

    shop.intercept(answer)

    run = shop.carry_out(planned)

    assert outcome_of(run, "web").status is Status.FAILED
    assert shop.tags("web") == {OWNER_TAG: "somebody"}


def test_a_tag_of_others_that_changed_after_our_write_stays_as_it_is(shop: Repository) -> None:
    shop.change("web", lambda body: body["tags"].update(cost="a"))
    shop.write(group("web", image="nginx:2"))
    planned = shop.plan()
    operation_seen(shop, lambda: shop.change("web", lambda body: body["tags"].update(cost="b")))

    run = shop.carry_out(planned)

    assert ended(run) == {"web": "succeeded"}
    assert shop.tags("web")["cost"] == "b"


# secrets, which no look can tell


@pytest.fixture
def rotating(shop: Repository) -> Repository:
    """A group with a secret that was applied, and has changed since."""
    shop.key = SecretKey(b"k" * 32)
    shop.environ["PW"] = "first-secret"
    shop.write(group("web", env=[{"name": "P", "secureValue": {"fromEnv": "PW"}}]))
    shop.apply()
    shop.environ["PW"] = "second-secret"
    return shop


@pytest.mark.parametrize("movement", ["another tag", "a restart"])
def test_a_new_secret_that_was_not_taken_is_not_taken_for_written(
    rotating: Repository, movement: str
) -> None:
    planned = rotating.plan()
    assert kinds(planned) == {"web": "update"}

    def answer(call: Call) -> Reply | None:
        if call.method != "PUT":
            return None
        rotating.pass_all()
        if movement == "a restart":
            rotating.start("web")
        else:
            rotating.change("web", lambda body: body["tags"].update(policy="x"))
        return refusal(503, "ServerBusy")

    rotating.intercept(answer)

    run = rotating.carry_out(planned)

    puts = [r for r in rotating.requests if r.method == "PUT" and 200 <= r.status < 300]
    is_written = movement == "a restart"  # which is over by the second attempt
    assert ended(run) == {"web": "succeeded" if is_written else "stale"}
    assert ("second-secret" in str(puts[-1].body)) is is_written
    assert kinds(rotating.plan()) == {"web": "no-op" if is_written else "update"}


def test_a_new_secret_whose_answer_was_lost_is_known_by_our_mark(rotating: Repository) -> None:
    planned = rotating.plan()
    before = rotating.tags("web")[STATE_TAG]
    rotating.emulator.plays(
        [{"when": {"stage": "put", "nth": 1}, "fault": {"status": 504, "afterEffect": True}}]
    )
    puts = rotating.counting("PUT", "web")

    run = rotating.carry_out(planned)

    assert ended(run) == {"web": "succeeded"}
    assert rotating.counting("PUT", "web") == puts + 1
    assert rotating.tags("web")[STATE_TAG] != before
