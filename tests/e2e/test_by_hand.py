"""`start`, `stop` and `restart`: what is touched, what is refused, and what is waited for."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from reconciler.core.ownership import OWNER_TAG
from reconciler.emulator import PLENTY, Call, Emulator, ManualClock, Polls, Reply
from tests.conftest import Repository, conforms, group, refusal, task
from tests.soak.clock import hurried


def state(repository: Repository, name: str) -> str:
    """The group's state by Azure."""
    live = repository.live(name)
    assert live is not None
    return str(live["properties"]["instanceView"]["state"])


def posts(repository: Repository) -> list[str]:
    """The actions that were asked for, such as `stop web`."""
    paths = [r.path.split("/") for r in repository.requests if r.method == "POST"]
    return [f"{parts[-1]} {parts[-2]}" for parts in paths]


def test_a_group_is_stopped_and_started_and_keeps_what_it_is(shop: Repository) -> None:
    before = shop.live("web")

    stopped = shop.here("stop", "web", "--yes")
    between = state(shop, "web")
    started = shop.here("start", "WEB", "--yes")

    assert (stopped.code, started.code) == (0, 0), stopped.err + started.err
    assert "Stopped 1 of 1" in stopped.out
    assert "costs  stops 1 container; down until it is started" in stopped.out
    assert "Started 1 of 1" in started.out
    assert (between, state(shop, "web")) == ("Stopped", "Running")
    after = shop.live("web")
    assert before is not None
    assert after is not None
    assert after["tags"] == before["tags"]
    assert posts(shop) == ["stop web", "start web"]


def test_a_stopped_group_is_told_as_stopped_and_is_no_drift(shop: Repository) -> None:
    shop.here("stop", "web", "--yes")

    drift = shop.here("drift")
    stands = shop.here("status")

    assert drift.code == 0
    assert "rg-shop/web  stopped" in drift.out
    assert "Drift: no drift; 1 stopped" in drift.out
    assert "stopped; run it again with --rerun rg-shop/web" in stands.out
    assert shop.plan().has_changes is False


def test_a_restart_is_in_place_and_shows(shop: Repository) -> None:
    done = shop.here("restart", "web", "--yes")

    live = shop.live("web")
    assert live is not None
    view = live["properties"]["containers"][0]["properties"]["instanceView"]
    assert done.code == 0, done.err
    assert "restarted, 1 of 1 running" in done.out
    assert view["restartCount"] == 1
    assert posts(shop) == ["restart web"]


@pytest.mark.parametrize(
    ("verb", "given", "code", "says"),
    [
        ("start", "Running", 0, "it is Running: there is nothing to start"),
        ("stop", "Stopped", 0, "it is Stopped: nothing of it runs"),
        ("restart", "Stopped", 4, "it is Stopped, and Azure restarts only what runs"),
    ],
)
def test_what_is_so_already_or_cannot_be_is_told_and_nothing_is_sent(
    shop: Repository, verb: str, given: str, code: int, says: str
) -> None:
    if given == "Stopped":
        shop.stop("web")
    before = posts(shop)

    done = shop.here(verb, "web", "--yes")

    assert done.code == code
    assert says in done.out
    assert posts(shop) == before


def test_a_task_that_has_ended_is_started_not_restarted(repository: Repository) -> None:
    repository.given_home()
    repository.write(task())
    repository.apply()

    stopped = repository.here("stop", "job", "--yes")
    restarted = repository.here("restart", "job", "--yes")
    started = repository.here("start", "job", "--yes")

    assert (stopped.code, restarted.code, started.code) == (0, 4, 0)
    assert "it is Succeeded: nothing of it runs" in stopped.out
    assert "start it with 'aci-reconcile start rg-shop/job'" in restarted.out
    assert posts(repository) == ["start job"]


@pytest.mark.parametrize(
    ("tags", "whose"),
    [
        ({}, "it has no owner"),
        ({OWNER_TAG: "bakery"}, "its owner is 'bakery'"),
        ({OWNER_TAG: "shop"}, "it has our owner tag without a readable state tag"),
    ],
    ids=["nobody's", "another's", "unreadable"],
)
def test_groups_of_others_are_touched_only_by_name(
    shop: Repository, tags: dict[str, str], whose: str
) -> None:
    shop.given(group("alien"), tags=tags)

    refused = shop.here("stop", "alien", "web", "--yes")
    between = posts(shop)
    agreed = shop.here("stop", "alien", "--foreign", "alien", "--yes")

    assert refused.code == 4
    assert f"it is not ours: {whose}" in refused.out
    assert "consent with --foreign rg-shop/alien" in refused.out
    assert between == []  # one refusal blocks all
    assert (agreed.code, posts(shop)) == (0, ["stop alien"])
    assert shop.tags("alien") == tags


def test_a_pattern_never_fits_a_group_of_others(shop: Repository) -> None:
    shop.given(group("website"), tags={})

    by_name = shop.here("stop", "web*", "--yes")
    by_tag = shop.here("restart", "--select", "tag:team=shop", "--exclude", "web", "--yes")
    nothing = shop.here("stop", "nix-*", "--yes")

    assert (by_name.code, posts(shop)) == (0, ["stop web"])
    assert (by_tag.code, by_tag.err) == (
        64,
        "aci-reconcile: error: --exclude leaves no group; drop it, or name others\n",
    )
    assert (nothing.code, "'nix-*' fits no group" in nothing.err) == (64, True)


def test_a_protected_group_is_not_stopped_but_restarted(repository: Repository) -> None:
    repository.given_home()
    repository.write(group(reconcile={"protect": True}))
    repository.apply()

    stopped = repository.here("stop", "web", "--yes", "--foreign", "web")
    restarted = repository.here("restart", "web", "--yes")
    repository.forget("web")
    orphaned = repository.here("stop", "web", "--yes")

    assert (stopped.code, restarted.code, orphaned.code) == (4, 0, 4)
    assert "it is protected" in stopped.out
    assert "write 'reconcile: {protect: false}' in its manifest and apply" in stopped.out
    assert "it is protected" in orphaned.out  # its tag remembers
    assert posts(repository) == ["restart web"]


def test_what_depends_on_another_stops_before_it_and_starts_after_it(
    repository: Repository,
) -> None:
    repository.given_home()
    repository.write(group("db"), group("app", reconcile={"dependsOn": ["db"]}))
    repository.apply()

    repository.here("stop", "db", "app", "--yes", "--parallelism", "1")
    repository.here("start", "db", "app", "--yes", "--parallelism", "1")

    assert posts(repository) == ["stop app", "stop db", "start db", "start app"]


def test_a_group_in_transition_is_refused_with_what_azure_would_say(
    make_repository: Callable[..., Repository],
) -> None:
    clock = ManualClock()
    with Emulator(time=clock, limits=PLENTY) as emulator:
        repository = make_repository(emulator)
        repository.clock._on_sleep = clock.advance
        repository.given_home()
        repository.write(group())
        repository.apply()
        repository.start("web")

        done = repository.here("stop", "web", "--yes")

    assert done.code == 4
    assert "it is in transition (Updating), and until then Azure does not stop it" in done.out


def test_what_is_not_there_is_told(shop: Repository) -> None:
    shop.write(group("later"))

    missing = shop.here("start", "later", "--yes")
    unknown = shop.here("start", "wbe", "--yes")
    nobody = shop.here("start", "--yes")

    assert (missing.code, unknown.code, nobody.code) == (4, 64, 64)
    assert "it does not exist in Azure" in missing.out
    assert "no group 'wbe'; did you mean 'rg-shop/web'?" in unknown.err
    assert "no group is named; give names, or --select PATTERN" in nobody.err


def test_without_a_terminal_nothing_is_done_unasked(shop: Repository) -> None:
    done = shop.here("stop", "web")

    assert done.code == 64
    assert "stop asks before it writes, and there is no terminal; add --yes" in done.err
    assert posts(shop) == []


@pytest.mark.parametrize(("answer", "code", "sent"), [("yes", 0, 1), ("y", 4, 0)])
def test_on_a_terminal_it_asks(
    shop: Repository, on_terminal: Callable, answer: str, code: int, sent: int
) -> None:
    terminal = on_terminal(shop, "stop", "web")
    terminal.wait_for("Only 'yes' is taken for a yes: ")
    terminal.answer(answer)

    done = terminal.end()

    assert done.code == code, done.out
    assert len(posts(shop)) == sent


def test_without_waiting_it_ends_once_azure_has_taken_it(
    make_repository: Callable[..., Repository],
) -> None:
    clock = ManualClock()
    with Emulator(time=clock, limits=PLENTY) as emulator:
        repository = make_repository(emulator)
        repository.clock._on_sleep = clock.advance
        repository.given_home()
        repository.write(group())
        repository.apply()

        done = repository.here("restart", "web", "--yes", "--no-wait")

        live = repository.live("web")
    assert done.code == 0, done.err
    assert "Azure has taken the restart; it was not waited for" in done.out
    assert live is not None
    assert live["properties"]["provisioningState"] == "Updating"


def test_a_stop_that_does_not_come_true_in_time_is_told(
    make_repository: Callable[..., Repository],
) -> None:
    clock = ManualClock()  # stands still: the stop never takes effect
    with Emulator(time=clock, limits=PLENTY) as emulator:
        repository = make_repository(emulator)
        repository.clock._on_sleep = clock.advance
        repository.given_home()
        repository.write(group())
        repository.apply()
        with hurried():
            done = repository.here("stop", "web", "--yes", "--wait-timeout", "30s")

    assert done.code == 7, done.out
    assert "timed out, it is still Running" in done.out
    assert "Azure has taken the stop" in done.out


def test_a_group_that_crashes_once_started_is_unhealthy(repository: Repository) -> None:
    repository.given_home()
    repository.write(group(command=("/bin/sh", "-c", "exit 3")))
    repository.here("apply", "--yes")
    repository.stop("web")

    with hurried():
        done = repository.here("start", "web", "--yes")

    assert done.code == 7, done.out
    assert "started, but container 'web'" in done.out
    assert "log    web" in done.out


@pytest.mark.parametrize("verb", ["stop", "start", "restart"])
def test_a_request_whose_answer_is_lost_is_sent_once(shop: Repository, verb: str) -> None:
    if verb == "start":
        shop.stop("web")
    lost = []

    def lose(call: Call) -> Reply | None:
        if call.method == "POST" and not lost:
            lost.append(call.path)
            shop.pass_all()
            shop._post("web", verb)
            return refusal(504, "GatewayTimeout")
        return None

    shop.intercept(lose)
    with hurried():
        done = shop.here(verb, "web", "--yes")

    assert done.code == 0, done.out + done.err
    assert len(lost) == 1
    assert posts(shop).count(f"{verb} web") <= 2  # the one that was lost, and its double here


def test_a_conflict_with_somebody_else_is_met_by_another_attempt(shop: Repository) -> None:
    refused = []

    def refuse(call: Call) -> Reply | None:
        if call.method == "POST" and not refused:
            refused.append(call.path)
            return refusal(409, "ContainerGroupTransitioning", "still transitioning")
        return None

    shop.intercept(refuse)
    with hurried():
        done = shop.here("stop", "web", "--yes")

    assert (done.code, state(shop, "web")) == (0, "Stopped")
    assert "still transitioning: trying again" in done.err


def test_its_documents_keep_to_their_schemas(shop: Repository) -> None:
    result = shop.here("stop", "web", "--yes", "-o", "json")
    nothing = shop.here("stop", "web", "--yes", "-o", "json")
    events = shop.here("start", "web", "--yes", "-o", "ndjson")

    conforms(json.loads(result.out))
    conforms(json.loads(nothing.out))
    document = json.loads(result.out)
    assert (document["command"], document["counts"]["stop"]) == ("stop", 1)
    assert document["outcomes"][0]["action"] == "stop"
    for line in events.out.splitlines():
        conforms(json.loads(line), "events")
    told = [json.loads(line)["event"] for line in events.out.splitlines()]
    assert (told[0], told[-1]) == ("started", "finished")


@pytest.mark.parametrize("form", ["markdown", "html", "junit", "sarif", "prometheus"])
def test_every_format_tells_a_result_of_it(shop: Repository, form: str) -> None:
    done = shop.here("restart", "web", "--yes", "-o", form)

    assert done.code == 0, done.err
    assert done.out


def test_an_emulator_that_settles_by_reads_is_waited_for(
    make_repository: Callable[..., Repository],
) -> None:
    with Emulator(time=Polls(2), limits=PLENTY) as emulator:
        repository = make_repository(emulator)
        repository.given_home()
        repository.write(group())
        with hurried():
            codes = [repository.here("apply", "--yes").code]
            for verb in ("restart", "stop", "start"):
                codes.append(repository.here(verb, "web", "--yes").code)

        assert codes == [0, 0, 0, 0]
        assert state(repository, "web") == "Running"
