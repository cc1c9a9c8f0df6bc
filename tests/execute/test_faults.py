"""What each fault of Azure costs a write: nothing is lost, nothing is written twice."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from reconciler.core.outcome import Status, exit_code
from reconciler.emulator import Call, Reply
from reconciler.errors import ExitCode
from tests.conftest import Repository, ended, group, kinds, outcome_of, refusal, task

SUBNET = "/subscriptions/s/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/v/subnets"


def slept(shop: Repository) -> float:
    return sum(shop.clock.slept)


def effective(shop: Repository, method: str, name: str) -> int:
    """How many writes of the group took effect, whatever their client saw."""
    return sum(
        r.method == method and r.path.endswith(f"/{name}") and 200 <= r.status < 300
        for r in shop.requests
    )


# lost answers


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 504, "afterEffect": True},
        {"status": 500, "afterEffect": True},
        {"status": 503, "afterEffect": True},
        {"kind": "reset", "afterEffect": True},
        {"status": 504},
        {"status": 502, "body": "<html>bad gateway</html>"},
        "reset",
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["create", "update", "replace", "delete", "patch-tags", "start"])
def test_a_write_whose_answer_is_lost_takes_effect_once(
    shop: Repository, kind: str, fault: object
) -> None:
    name, stage, options = prepared(shop, kind)
    planned = shop.plan(**options)
    assert kinds(planned)[name] == kind
    method = {"patch": "PATCH", "delete": "DELETE", "start": "POST"}.get(stage, "PUT")
    before = effective(shop, method, name if stage != "start" else "start")
    shop.emulator.plays([{"when": {"stage": stage, "nth": 1}, "fault": fault}])

    run = shop.carry_out(planned)

    assert sum(shop.emulator.played.values()) == 1
    assert ended(run)[name] == "succeeded", outcome_of(run, name).says
    assert effective(shop, method, name if stage != "start" else "start") == before + 1
    shop.emulator.heals()
    assert set(kinds(shop.plan()).values()) <= {"no-op"}


def prepared(shop: Repository, kind: str) -> tuple[str, str, dict]:
    """A change that takes an action of that `kind`: its group, the stage of its write, consent."""
    match kind:
        case "create":
            shop.write(group("new"))
            return "new", "put", {}
        case "update":
            shop.write(group("web", image="nginx:2"))
            return "web", "put", {}
        case "replace":
            shop.write(group("web", cpu=2, reconcile={"replace": "allow"}))
            return "web", "put", {"allow": {"replace": 1}}
        case "delete":
            shop.forget("web")
            shop.write(group("kept"))
            shop.apply()
            return "web", "delete", {"prune": True}
        case "patch-tags":
            shop.write(group("web", tags={"team": "shop"}))
            return "web", "patch", {}
        case _:
            shop.stop("web")
            shop.clock.sleep(5)
            return "web", "start", {"rerun": ("web",)}


def test_a_lost_answer_to_a_second_identical_write_is_still_told_apart(shop: Repository) -> None:
    """The repair of a failed deployment sends what was sent before: only its state tells."""
    shop.emulator.plays(
        [{"when": {"stage": "put", "nth": 1}, "fault": {"kind": "operation", "ends": "Failed"}}]
    )
    shop.write(group("web", image="nginx:2"))
    shop.apply()
    shop.emulator.plays(
        [{"when": {"stage": "put", "nth": 1}, "fault": {"status": 504, "afterEffect": True}}]
    )
    before = effective(shop, "PUT", "web")

    run = shop.apply()

    assert ended(run) == {"web": "succeeded"}
    assert effective(shop, "PUT", "web") == before + 1


def test_somebody_elses_group_in_the_place_of_ours_is_stale_not_ours(shop: Repository) -> None:
    shop.write(group("new"))
    planned = shop.plan()

    def meddle(call):
        if call.method != "PUT" or not call.path.endswith("/new"):
            return None
        shop.pass_all()
        shop.given(group("new", image="theirs:1"))
        return refusal(504, "GatewayTimeout")

    shop.intercept(meddle)

    run = shop.carry_out(planned)

    assert ended(run) == {"new": "stale"}
    assert shop.live("new")["properties"]["containers"][0]["properties"]["image"] == "theirs:1"


# refusals that pass


@pytest.mark.parametrize(
    ("fault", "at_least_s"),
    [
        ({"status": 429, "retryAfter": 90}, 90),
        ("transitioning", 10),
        ("expired-token", 2),
        ("registry", 20),
        ("network-conflict", 15),
    ],
    ids=str,
)
def test_a_refusal_that_passes_is_met_by_another_attempt(
    shop: Repository, fault: object, at_least_s: float
) -> None:
    shop.write(group("web", image="nginx:2"))
    planned = shop.plan()
    before = slept(shop)
    shop.emulator.plays([{"when": {"stage": "put", "nth": 1}, "fault": fault}])

    run = shop.carry_out(planned)

    assert ended(run) == {"web": "succeeded"}
    assert slept(shop) - before >= at_least_s
    assert shop.counting("PUT", "web") == 3  # with the first apply


@pytest.mark.parametrize(
    "fault", ["forbidden", "quota", "capacity", "inaccessible-image", "dns-label-taken"]
)
def test_a_refusal_that_does_not_pass_is_given_up_at_once(shop: Repository, fault: str) -> None:
    shop.write(group("web", image="nginx:2"))
    planned = shop.plan()
    shop.emulator.plays([{"when": {"stage": "put"}, "fault": fault}])

    run = shop.carry_out(planned)

    outcome = outcome_of(run, "web")
    assert (outcome.status, outcome.wrote) == (Status.FAILED, False)
    assert outcome.hint
    assert shop.counting("PUT", "web") == 2
    assert exit_code(run.outcomes) is ExitCode.FAILED


def test_what_moved_while_a_write_was_held_up_is_stale(shop: Repository) -> None:
    shop.write(group("web", image="nginx:2"))
    planned = shop.plan()
    answers = [refusal(409, "ContainerGroupTransitioning")]

    def answer(call):
        if call.method != "PUT" or not answers:
            return None
        shop.set_image("web", "theirs:1")
        return answers.pop()

    shop.intercept(answer)

    run = shop.carry_out(planned)

    assert ended(run) == {"web": "stale"}
    assert shop.counting("PUT", "web") == 2


def test_groups_of_one_subnet_back_off_together(shop: Repository) -> None:
    subnet = {"subnetIds": [{"id": f"{SUBNET}/one"}]}
    other = {"subnetIds": [{"id": f"{SUBNET}/two"}]}
    shop.write(group("a", **subnet), group("b", **subnet), group("c", **other))
    shop.workers = 1
    planned = shop.plan()
    conflict = {"kind": "network-conflict", "retryAfter": 120}
    shop.emulator.plays([{"when": {"stage": "put", "group": "a", "nth": 1}, "fault": conflict}])
    shop.workers = 3

    run = shop.carry_out(planned)

    assert set(ended(run).values()) == {"succeeded"}
    waiting = [name for name, text in shop.told if "waiting for the subnet" in text]
    assert "rg-shop/c" not in waiting
    assert shop.held == [], "the conflict of one subnet is nobody else's"


def test_a_sign_in_that_is_over_while_an_operation_runs_is_said_and_not_waited_for(
    shop: Repository,
) -> None:
    shop.write(group("web", image="nginx:2"))
    planned = shop.plan()
    shop.emulator.plays([{"when": {"stage": "poll"}, "fault": "expired-token"}])

    run = shop.carry_out(planned)

    outcome = outcome_of(run, "web")
    assert (outcome.status, outcome.wrote) == (Status.FAILED, True)
    assert "az login" in outcome.hint
    assert outcome.took < timedelta(minutes=2)
    assert exit_code(run.outcomes) is ExitCode.PARTIAL


def test_a_token_that_is_renewed_between_two_looks_costs_nothing(shop: Repository) -> None:
    shop.write(group("web", image="nginx:2"))
    planned = shop.plan()
    shop.emulator.plays([{"when": {"stage": "poll", "first": 2}, "fault": "expired-token"}])

    assert ended(shop.carry_out(planned)) == {"web": "succeeded"}


def test_an_operation_that_cannot_be_looked_at_is_said_with_the_reason(shop: Repository) -> None:
    shop.write(group("web", image="nginx:2", reconcile={"wait": {"timeout": "3m"}}))
    planned = shop.plan()
    shop.emulator.plays(
        [{"when": {"stage": "poll"}, "fault": {"status": 503, "message": "gone fishing"}}]
    )

    run = shop.carry_out(planned)

    assert "gone fishing" in outcome_of(run, "web").says


def test_a_quota_of_requests_is_waited_for(shop: Repository) -> None:
    """Azure calls both a quota: what a subscription may hold, and how often it may ask."""
    shop.write(group("web", image="nginx:2"))
    planned = shop.plan()
    fault = {
        "status": 429,
        "retryAfter": 5,
        "code": "TooManyRequests",
        "message": "The request quota of the subscription has been exceeded",
    }
    shop.emulator.plays([{"when": {"stage": "put", "nth": 1}, "fault": fault}])

    assert ended(shop.carry_out(planned)) == {"web": "succeeded"}


# Azure contradicts itself


def test_a_new_group_may_be_missing_for_a_while(shop: Repository) -> None:
    shop.write(group("new"))
    shop.emulator.plays([{"fault": {"kind": "missing-after-create", "reads": 4}}])

    run = shop.apply()

    assert ended(run) == {"new": "succeeded"}
    assert effective(shop, "PUT", "new") == 1


def test_a_write_that_shows_only_after_it_was_given_up_is_still_ours(shop: Repository) -> None:
    """Its answer is lost, and Azure lags until just before it would be sent again."""
    shop.write(group("new"))
    planned = shop.plan()
    shop.emulator.plays(
        [
            {"when": {"stage": "put"}, "fault": {"status": 504, "afterEffect": True}},
            {"fault": {"kind": "missing-after-create", "seconds": 62}},
        ]
    )

    run = shop.carry_out(planned)

    assert ended(run) == {"new": "succeeded"}, outcome_of(run, "new").says
    assert effective(shop, "PUT", "new") == 1


def test_an_empty_list_by_mistake_touches_nothing(shop: Repository) -> None:
    before = len(shop.writes)
    shop.emulator.plays([{"fault": "empty-list"}])

    run = shop.apply(prune=True)

    assert ended(run) == {"web": "stale"}
    assert shop.writes[before:] == []
    assert exit_code(run.outcomes) is ExitCode.STALE


def test_a_forgotten_operation_leaves_the_group_to_tell(shop: Repository) -> None:
    shop.write(group("web", image="nginx:2"))
    shop.emulator.plays([{"when": {"stage": "poll"}, "fault": {"status": 404}}])

    run = shop.apply()

    assert ended(run) == {"web": "succeeded"}


@pytest.mark.parametrize("stage", ["poll", "get"])
def test_reads_that_fail_for_a_while_lose_no_write(shop: Repository, stage: str) -> None:
    shop.write(group("web", image="nginx:2"))
    planned = shop.plan()
    shop.emulator.plays(
        [{"when": {"stage": stage, "after": 2, "first": 3}, "fault": {"status": 503}}]
    )

    run = shop.carry_out(planned)

    assert ended(run) == {"web": "succeeded"}
    assert effective(shop, "PUT", "web") == 2


# operations


def test_an_operation_that_never_ends_names_what_it_waits_for(shop: Repository) -> None:
    wait = {"wait": {"timeout": "5m"}}
    shop.write(group("web", image="nginx:2", reconcile=wait))
    planned = shop.plan()
    before = shop.clock.now()
    shop.emulator.plays(
        [{"when": {"stage": "put"}, "fault": {"kind": "operation", "ends": "never"}}]
    )

    run = shop.carry_out(planned)

    outcome = outcome_of(run, "web")
    assert (outcome.status, exit_code(run.outcomes)) == (Status.UNHEALTHY, ExitCode.UNHEALTHY)
    assert "goes on in Azure" in outcome.hint
    assert "Pending" in outcome.says
    assert "/operations/" in outcome.operation
    assert "?" not in outcome.operation
    assert timedelta(minutes=5) <= shop.clock.now() - before < timedelta(minutes=6)


# replace


def replacing(shop: Repository, **reconcile) -> object:
    shop.write(group("web", cpu=2, reconcile={"replace": "allow", **reconcile}))
    return shop.plan(allow={"replace": 1})


def test_a_create_that_lacks_capacity_is_repeated_until_its_deadline(shop: Repository) -> None:
    planned = replacing(shop, wait={"timeout": "10m"})
    shop.emulator.plays([{"when": {"stage": "put", "first": 5}, "fault": "capacity"}])

    run = shop.carry_out(planned)

    assert ended(run) == {"web": "succeeded"}
    assert effective(shop, "PUT", "web") == 2


def test_a_deployment_that_lacks_capacity_is_made_again(shop: Repository) -> None:
    planned = replacing(shop)
    shop.emulator.plays(
        [{"when": {"stage": "put", "first": 2}, "fault": {"kind": "operation", "ends": "Failed"}}]
    )

    run = shop.carry_out(planned)

    assert ended(run) == {"web": "succeeded"}, outcome_of(run, "web").says
    assert shop.live("web")["properties"]["provisioningState"] == "Succeeded"


def test_a_stranded_group_says_so_and_the_next_run_creates_it(shop: Repository) -> None:
    planned = replacing(shop, wait={"timeout": "3m"})
    shop.emulator.plays([{"when": {"stage": "put"}, "fault": "capacity"}])

    run = shop.carry_out(planned)

    outcome = outcome_of(run, "web")
    assert outcome.is_stranded
    assert "STRANDED" in outcome.says
    assert exit_code(run.outcomes) is ExitCode.PARTIAL
    shop.emulator.heals()
    assert ended(shop.apply()) == {"web": "succeeded"}


def test_an_operation_of_the_delete_that_cannot_be_read_does_not_strand_the_group(
    shop: Repository,
) -> None:
    planned = replacing(shop)
    shop.emulator.plays(
        [
            {"when": {"stage": "delete"}, "fault": {"kind": "operation", "ends": "Failed"}},
            {"when": {"stage": "poll"}, "fault": "forbidden"},
        ]
    )

    run = shop.carry_out(planned)

    assert shop.counting("PUT", "web") >= 1
    assert shop.live("web") is not None
    assert not outcome_of(run, "web").is_stranded


def test_a_group_that_somebody_else_created_in_between_is_not_overwritten_by_the_fallback(
    shop: Repository,
) -> None:
    planned = replacing(shop, wait={"timeout": "2m"})

    def meddle(call):
        if call.method != "PUT" or not call.path.endswith("/web"):
            return None
        shop.pass_all()
        shop.given(group("web", image="theirs:1"))
        return refusal(504, "GatewayTimeout")

    shop.intercept(meddle)

    run = shop.carry_out(planned)

    outcome = outcome_of(run, "web")
    assert outcome.status is Status.STALE
    assert not outcome.is_stranded
    assert shop.live("web")["properties"]["containers"][0]["properties"]["image"] == "theirs:1"


# health


def test_an_image_that_cannot_be_pulled_fails_fast(shop: Repository) -> None:
    shop.write(group("web", image="nginx:2", reconcile={"wait": {"timeout": "30m"}}))
    planned = shop.plan()
    before = shop.clock.now()
    shop.emulator.plays(
        [{"when": {"stage": "put"}, "fault": {"kind": "image-pull", "message": "no"}}]
    )

    run = shop.carry_out(planned)

    outcome = outcome_of(run, "web")
    assert (outcome.status, exit_code(run.outcomes)) == (Status.UNHEALTHY, ExitCode.UNHEALTHY)
    assert "pull" in outcome.says
    assert [trouble.container for trouble in outcome.troubles] == ["web"]
    assert any("no" in event for event in outcome.troubles[0].events)
    assert shop.clock.now() - before < timedelta(minutes=5)


def test_a_deployment_held_up_by_its_image_is_not_waited_for(shop: Repository) -> None:
    shop.write(group("web", image="nginx:2", reconcile={"wait": {"timeout": "30m"}}))
    planned = shop.plan()
    before = shop.clock.now()
    when = {"stage": "put"}
    shop.emulator.plays(
        [
            {"when": when, "fault": {"kind": "image-pull", "message": "manifest unknown"}},
            {"when": when, "fault": {"kind": "operation", "ends": "never"}},
        ]
    )

    run = shop.carry_out(planned)

    outcome = outcome_of(run, "web")
    assert outcome.status is Status.UNHEALTHY
    assert "pull" in outcome.says
    assert shop.clock.now() - before < timedelta(minutes=10)


def test_a_crash_loop_shows_events_exit_code_and_log(shop: Repository) -> None:
    shop.write(group("web", image="nginx:2", reconcile={"wait": {"timeout": "30m"}}))
    shop.emulator.plays([{"fault": {"kind": "crash-loop", "code": 3}}])

    run = shop.apply()

    outcome = outcome_of(run, "web")
    assert outcome.status is Status.UNHEALTHY
    (trouble,) = outcome.troubles
    assert "CrashLoopBackOff" in trouble.state
    assert trouble.restarts
    assert any("Back-off" in event for event in trouble.events)
    assert [log.container for log in outcome.logs] == ["web"]


def test_a_failing_probe_fails_fast(shop: Repository) -> None:
    stable = {"wait": {"timeout": "30m", "stableFor": "10m"}}
    shop.write(group("web", image="nginx:2", reconcile=stable))
    planned = shop.plan()
    before = shop.clock.now()
    shop.emulator.plays([{"fault": {"kind": "probe", "message": "connection refused"}}])

    run = shop.carry_out(planned)

    outcome = outcome_of(run, "web")
    assert outcome.status is Status.UNHEALTHY
    assert "probe" in outcome.says
    assert any("connection refused" in event for event in outcome.troubles[0].events)
    assert shop.clock.now() - before < timedelta(minutes=10)


def test_a_task_that_ends_with_an_error_is_unhealthy_and_shows_its_log(shop: Repository) -> None:
    shop.write(
        task("job", script="echo it broke; exit 3", reconcile={"wait": {"for": "succeeded"}})
    )

    run = shop.apply()

    outcome = outcome_of(run, "job")
    assert exit_code(run.outcomes) is ExitCode.UNHEALTHY
    assert outcome.troubles[0].exit_code == 3
    assert "it broke" in outcome.logs[0].text


def test_a_group_that_is_shown_as_it_was_for_a_while_after_its_update_is_read_again(
    shop: Repository,
) -> None:
    """Azure's answers to GET may lag behind an operation that has ended."""
    old = shop.live("web")
    shop.write(group("web", image="nginx:2"))
    planned = shop.plan()
    seen: list[str] = []

    def answer(call: Call) -> Reply | None:
        seen.append("poll" if "/operations/" in call.path else call.method)
        is_view = call.method == "GET" and call.path.endswith("/web")
        if is_view and "poll" in seen and seen.count("GET") < 6:
            return Reply(status=200, body=old)
        return None

    shop.intercept(answer)

    run = shop.carry_out(planned)

    assert ended(run) == {"web": "succeeded"}
    assert shop.counting("PATCH", "web") == 0
    assert shop.counting("PUT", "web") == 2


def test_the_states_of_containers_are_known_in_any_case(shop: Repository) -> None:
    shop.write(group("web", image="nginx:2", reconcile={"wait": {"timeout": "1m"}}))
    planned = shop.plan()

    def answer(call: Call) -> Reply | None:
        if call.method != "GET" or not call.path.endswith("/web"):
            return None
        body = json.loads(json.dumps(shop.live("web")).replace('"Running"', '"RUNNING"'))
        return Reply(status=200, body=body)

    shop.intercept(answer)

    assert ended(shop.carry_out(planned)) == {"web": "succeeded"}
