"""`status` and `events`: how groups stand, once or for as long as somebody looks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from reconciler.core.ownership import OWNER_TAG
from reconciler.emulator import PLENTY, Call, Emulator, Polls, Reply
from reconciler.execute.throttle import pause_for
from reconciler.execute.wait import Pace
from tests.conftest import Repository, conforms, group, refusal, task
from tests.soak.clock import hurried

SECRET = "hunter2-of-the-database"


def document(text: str) -> dict:
    """A document that keeps to the schema."""
    found = json.loads(text)
    conforms(found)
    return found


def test_a_named_group_is_told_at_length(shop: Repository) -> None:
    done = shop.here("status", "web")

    assert done.code == 0
    assert "rg-shop/web  in sync" in done.out
    assert "    owner  shop (ours)" in done.out
    assert "container web  nginx:1.27" in done.out
    assert "Successfully pulled image" in done.out
    assert "rg-shop/other" not in done.out


def test_the_document_tells_containers_and_events(shop: Repository) -> None:
    found = document(shop.here("status", "-o", "json").out)

    web = next(one for one in found["groups"] if one["name"] == "rg-shop/web")
    assert (web["ownership"], web["owner"]) == ("ours", "shop")
    (container,) = web["containers"]
    assert (container["name"], container["image"], container["state"]) == (
        "web", "nginx:1.27", "Running"
    )  # fmt: skip
    assert {event["name"] for event in web["events"]} == {"Pulling", "Pulled", "Started"}
    assert [event["lastAt"] for event in web["events"]] == sorted(
        event["lastAt"] for event in web["events"]
    )


def test_reads_are_only_made_for_what_is_looked_at(shop: Repository) -> None:
    before = len(shop.requests)

    shop.here("status", "web")

    asked = [r.path.rpartition("/")[2] for r in shop.requests[before:]]
    assert sorted(asked) == ["containerGroups", "resourceGroups", "web"]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["o*"], ["rg-shop/other"]),
        (["--select", "tag:team=shop"], ["rg-shop/web"]),
        (["--exclude", "web"], ["rg-shop/other"]),
        (["RG-SHOP/WEB", "other"], ["rg-shop/other", "rg-shop/web"]),
        (["web.yaml", "web"], ["rg-shop/web"]),
        (["--all"], ["rg-shop/alien", "rg-shop/other", "rg-shop/web"]),
        (["alien"], ["rg-shop/alien"]),
    ],
)
def test_groups_are_chosen_by_name_pattern_tag_or_file(
    shop: Repository, arguments: list[str], names: list[str]
) -> None:
    shop.given(group("alien"), tags={OWNER_TAG: "bakery"})

    found = document(shop.here("status", *arguments, "-o", "json").out)

    assert [one["name"] for one in found["groups"]] == names


def test_a_group_of_others_is_unmanaged(shop: Repository) -> None:
    shop.given(group("alien"), tags={OWNER_TAG: "bakery"})

    (alien,) = document(shop.here("status", "alien", "-o", "json").out)["groups"]

    assert (alien["sync"], alien["ownership"], alien["owner"]) == ("unmanaged", "foreign", "bakery")


def test_a_word_that_is_neither_a_group_nor_a_path_is_an_error(shop: Repository) -> None:
    name = shop.here("status", "nix")
    path = shop.here("status", "nix.yaml")

    assert (name.code, path.code) == (64, 3)
    assert "no group 'nix'; there are: rg-shop/other, rg-shop/web" in name.err
    assert "expected a file or folder" in path.out


def test_what_somebody_waits_for_is_waited_for(
    make_repository: Callable[..., Repository],
) -> None:
    with Emulator(time=Polls(6), limits=PLENTY) as emulator:
        repository = make_repository(emulator)
        repository.given_home()
        repository.write(group())
        repository.apply()
        repository.start("web")
        with hurried():
            done = repository.here("status", "web", "--until", "healthy")

    assert done.code == 0, done.err
    lines = [line.partition("  ")[2] for line in done.out.splitlines()]
    assert lines[0].startswith("rg-shop/web: in transition, Running, provisioning Updating")
    assert lines[-1].startswith("rg-shop/web: in sync, Running, 1/1 ready")
    assert len(lines) == len(set(lines))  # a line a change


@pytest.mark.parametrize(
    ("until", "says"),
    [
        ("stopped", "'rg-shop/web' is not stopped: Running"),
        ("in-sync", "'rg-shop/web' is not in-sync: pending"),
    ],
)
def test_what_does_not_come_in_time_ends_with_7(shop: Repository, until: str, says: str) -> None:
    shop.write(group(image="nginx:2"))

    with hurried():
        done = shop.here("status", "web", "--until", until, "--timeout", "20s")

    assert done.code == 7
    assert says in done.err


def test_what_is_hopeless_is_not_waited_for(repository: Repository) -> None:
    repository.given_home()
    repository.write(group(command=("/bin/sh", "-c", "exit 3")))
    repository.here("apply", "--yes")

    with hurried():
        done = repository.here("status", "--until", "healthy", "--timeout", "24h")

    assert done.code == 7
    assert "'rg-shop/web' will not be healthy: container 'web' Waiting" in done.err
    assert len(repository.requests) < 60


def test_a_task_that_is_done_is_healthy_and_a_stopped_group_is_stopped(
    repository: Repository,
) -> None:
    repository.given_home()
    repository.write(task(), group())
    repository.apply()
    repository.stop("web")

    healthy = repository.here("status", "job", "--until", "healthy")
    stopped = repository.here("status", "--until", "stopped")

    assert (healthy.code, stopped.code) == (0, 0), healthy.err + stopped.err


def test_documents_follow_one_another_a_line_a_change(shop: Repository) -> None:
    steps = [lambda: None, lambda: shop.stop("web"), lambda: None]

    def happen(call: Call) -> Reply | None:
        if call.path.endswith("/containerGroups") and steps:
            step = steps.pop(0)
            shop.pass_all()
            step()
            shop.intercept(happen)
        return None

    shop.intercept(happen)
    with hurried():
        done = shop.here("status", "web", "--until", "stopped", "-o", "ndjson")

    documents = [document(line) for line in done.out.splitlines()]
    assert [one["groups"][0]["state"] for one in documents] == ["Running", "Stopped"]
    assert done.code == 0


def test_a_group_that_is_gone_and_one_that_is_new_are_told(shop: Repository) -> None:
    shop.forget("other")
    steps = [lambda: None, lambda: shop.delete("other")]

    def happen(call: Call) -> Reply | None:
        if call.path.endswith("/containerGroups") and steps:
            step = steps.pop(0)
            shop.pass_all()
            step()
            shop.intercept(happen)
        return None

    shop.intercept(happen)
    with hurried():
        done = shop.here("status", "--watch", "--timeout", "30s")

    lines = [line.partition("  ")[2] for line in done.out.splitlines()]
    assert done.code == 0
    assert lines[0].startswith("rg-shop/other: orphan, Running")
    assert lines[-1] == "rg-shop/other: gone"


def test_a_look_that_fails_is_said_and_repeated(shop: Repository) -> None:
    failures = [refusal(503, "ServerBusy", "busy")] * 8

    def fail(call: Call) -> Reply | None:
        return failures.pop() if failures and call.method == "GET" else None

    shop.intercept(fail)
    with hurried():
        done = shop.here("status", "web", "--until", "healthy")

    assert done.code == 0, done.err
    assert "not seen: " in done.err
    assert "busy" in done.err
    assert "rg-shop/web: in sync" in done.out


def test_a_look_that_is_refused_for_good_ends_it(shop: Repository) -> None:
    shop.intercept(lambda _call: refusal(403, "AuthorizationFailed", "not allowed"))

    done = shop.here("status", "web", "--until", "healthy")

    assert done.code == 1
    assert "not allowed" in done.err


def test_azure_says_when_to_look_again(shop: Repository) -> None:
    throttled = [
        Reply(
            status=429,
            body={"error": {"code": "SubscriptionRequestsThrottled", "message": "too many"}},
            headers={"Retry-After": "90"},
        )
    ]
    asked: list[float] = []

    def throttle(call: Call) -> Reply | None:
        if not call.path.endswith("/containerGroups"):
            return None
        asked.append(0.0)
        return throttled.pop() if throttled else None

    shop.intercept(throttle)
    with hurried():
        done = shop.here("status", "web", "--until", "healthy")

    assert done.code == 0, done.err
    assert len(asked) == 2


def test_many_groups_are_looked_at_less_often() -> None:
    """The older of ARM's ceilings is 12,000 reads an hour; watching takes half of it at most."""
    azure, local = Pace(), Pace(scale=0.02, patience=timedelta(seconds=6))

    assert pause_for(5, 5, azure) == 5
    assert 3600 / pause_for(103, 5, azure) * 103 == pytest.approx(6000)
    assert pause_for(103, 1, local) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--timeout", "5m"], "--timeout goes with --watch or --until"),
        (["--watch", "-o", "json"], "-o json: expected text or ndjson while watching"),
        (["-o", "ndjson"], "-o ndjson: expected a command that carries out a plan"),
        (["--watch", "-e", "a", "-e", "b"], "watching is for one environment"),
        (["--until", "happy"], "invalid choice: 'happy'"),
        (["--watch", "-o", "ndjson=nowhere/x"], "nowhere"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    shop: Repository, arguments: list[str], says: str
) -> None:
    done = shop.here("status", *arguments)

    assert done.code in (1, 64)
    assert says in done.err


def test_on_a_terminal_the_table_is_drawn_anew_until_ctrl_c(
    shop: Repository, on_terminal: Callable
) -> None:
    terminal = on_terminal(shop, "status", "--watch", "--interval", "1s")
    terminal.wait_for("Ctrl-C ends it")
    shop.stop("web")
    terminal.wait_for("Stopped")
    terminal.interrupt()

    done = terminal.end()

    assert done.code == 130
    assert "interrupted" in done.out
    assert done.out.rstrip().endswith("interrupted")
    assert done.out.count("\x1b[?25l") == done.out.count("\x1b[?25h") == 1  # the cursor is back
    assert "Traceback" not in done.out


def test_events_are_told_by_time_with_their_container(shop: Repository) -> None:
    shop.here("restart", "web", "--yes")

    told = shop.here("events", "web")
    one = document(shop.here("events", "web", "web", "-o", "json").out)

    head, *rows = told.out.splitlines()
    assert head.split() == ["LAST", "SEEN", "COUNT", "TYPE", "EVENT", "CONTAINER", "MESSAGE"]
    assert re.search(r"ago +2  Normal  Started  web +Started container", rows[-1])
    assert [event["count"] for event in one["events"]] == [2, 2, 2]
    assert one["name"] == "rg-shop/web"


def test_events_of_what_is_not_there(shop: Repository) -> None:
    shop.write(group("later"))

    missing = shop.here("events", "later")
    nobody = shop.here("events", "web", "nix")

    assert (missing.code, nobody.code) == (64, 64)
    assert "group 'rg-shop/later' does not exist in Azure" in missing.err
    assert "no container 'nix' in 'rg-shop/web'; there are: web" in nobody.err


def test_no_event_shows_a_secret_of_the_manifest(repository: Repository) -> None:
    repository.given_home()
    repository.environ = {"DB_PASSWORD": SECRET}
    reference = {"name": "DB_PASSWORD", "secureValue": {"fromEnv": "DB_PASSWORD"}}
    repository.write(group(env=[reference]))
    assert repository.here("apply", "--yes").code == 0

    def quote(call: Call) -> Reply | None:
        if call.method != "GET" or not call.path.endswith("/web"):
            return None
        repository.pass_all()
        body = repository.live("web")
        repository.intercept(quote)
        assert body is not None
        view = body["properties"]["containers"][0]["properties"]["instanceView"]
        view["events"][0]["message"] = f"cannot run with {SECRET}"
        view["currentState"] = {"state": "Waiting", "detailStatus": f"bad {SECRET}"}
        return Reply(status=200, body=body)

    repository.intercept(quote)
    for arguments in (
        ["events", "web"],
        ["events", "web", "-o", "json"],
        ["status", "web"],
        ["status", "-o", "json"],
    ):
        done = repository.here(*arguments)
        assert done.code == 0, done.err
        assert "cannot run with" in done.out or arguments == ["status"]
        assert SECRET not in done.out + done.err
    with hurried():
        waited = repository.here("status", "--until", "healthy", "--timeout", "5s")
    assert waited.code == 7
    assert SECRET not in waited.out + waited.err
