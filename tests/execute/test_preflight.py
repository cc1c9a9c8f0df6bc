"""What stops a run before its first write, and what an interrupt does to one that runs."""

from __future__ import annotations

import signal
import threading

import pytest

from reconciler.core.outcome import exit_code
from reconciler.core.plan import Plan
from reconciler.emulator import Call, Reply
from reconciler.errors import AzureError, ExitCode, PlanRefused, SecretUnresolved
from reconciler.execute.preflight import preflight
from tests.conftest import Repository, ended, group, outcome_of, refusal


def secret(name: str, reference: dict) -> dict:
    return group(name, env=[{"name": "TOKEN", "secureValue": reference}])


def test_an_unresolved_secret_stops_everything_before_the_first_write(
    repository: Repository,
) -> None:
    repository.given_home()
    repository.write(group("a"), secret("z", {"fromEnv": "NOT_SET"}))
    planned = repository.plan()
    before = repository.writes

    with pytest.raises(SecretUnresolved, match="nothing was touched") as caught:
        repository.carry_out(planned)

    (missing,) = caught.value.details
    assert "z.yaml:" in missing
    assert "NOT_SET" in missing
    assert caught.value.exit_code is ExitCode.BLOCKED
    assert repository.writes == before


def test_every_missing_secret_is_named_at_its_line(repository: Repository) -> None:
    repository.given_home()
    both = [
        {"name": name, "secureValue": {"fromEnv": name}} for name in ("FIRST_UNSET", "SECOND_UNSET")
    ]
    repository.write(group("a", env=both), secret("b", {"fromFile": "not/there.txt"}), group("c"))

    with pytest.raises(SecretUnresolved, match="^3 secrets that must be sent") as caught:
        repository.apply()

    lines = caught.value.details
    assert [line.partition(":")[0] for line in lines] == ["a.yaml", "a.yaml", "b.yaml"]
    assert ["FIRST_UNSET" in lines[0], "SECOND_UNSET" in lines[1]] == [True, True]
    assert "not/there.txt" in lines[2]
    assert repository.names == []


def test_an_unresolved_secret_of_a_group_that_is_not_written_is_no_hindrance(
    repository: Repository,
) -> None:
    repository.given_home()
    repository.environ["TOKEN"] = "hunter2-long"
    repository.write(secret("a", {"fromEnv": "TOKEN"}))
    repository.apply()
    del repository.environ["TOKEN"]
    repository.write(group("b"))

    run = repository.apply()

    assert ended(run) == {"b": "succeeded"}


def test_an_unknown_secret_refuses_the_write_at_its_line(repository: Repository) -> None:
    repository.given_home()
    repository.write(secret("a", {"unknown": True}), group("b"))

    with pytest.raises(PlanRefused):
        repository.apply()

    (refused,) = repository.plan().refusals
    assert "is unknown (" in refused.why
    assert "a.yaml:" in refused.why
    assert repository.names == []


def test_one_refusal_stops_every_action(repository: Repository) -> None:
    repository.given_home()
    repository.given(group("theirs"), tags={"aci-reconcile-owner": "theirs"})
    repository.write(group("theirs", image="nginx:2"), group("mine"))
    before = repository.writes

    with pytest.raises(PlanRefused, match="1 refusal in the plan") as caught:
        repository.apply()

    assert caught.value.exit_code is ExitCode.BLOCKED
    assert repository.writes == before


def test_one_limit_stops_every_action(repository: Repository) -> None:
    repository.given_home()
    repository.write(group("kept"), group("a"), group("b"))
    repository.apply()
    repository.forget("a", "b")
    repository.write(group("kept", image="nginx:2"))
    before = repository.writes

    with pytest.raises(PlanRefused):
        repository.apply(prune=True)

    assert repository.writes == before


# What Azure is asked beforehand

PROVIDER = "/providers/Microsoft.ContainerInstance"


def checked(repository: Repository, planned: Plan) -> tuple[str, ...]:
    """The notes of the preflight."""
    return preflight(planned, repository.azure.cloud, workers=repository.workers)


def asked(repository: Repository, planned: Plan) -> list[str]:
    """What the preflight of a plan asks of the provider; the order is not fixed."""
    start = len(repository.requests)
    checked(repository, planned)
    paths = [f"{request.method} {request.path}" for request in repository.requests[start:]]
    return sorted(path.replace(f"/subscriptions/{repository.subscription}", "") for path in paths)


def usages(**quotas: tuple[int, int]) -> Reply:
    """An answer in which each quota has so much in use, of so much."""
    value = [
        {"unit": "Count", "currentValue": used, "limit": limit, "name": {"value": name}}
        for name, (used, limit) in quotas.items()
    ]
    return Reply(status=200, body={"value": value})


def sizes(cpu: float, memory: float) -> Reply:
    """An answer by which no Linux group may be larger."""
    entry = {
        "resourceType": "containerGroups",
        "osType": "Linux",
        "ipAddressType": "Public",
        "gpu": "None",
        "capabilities": {"maxCpu": cpu, "maxMemoryInGB": memory},
    }
    return Reply(status=200, body={"value": [entry]})


def given_answers(repository: Repository, **replies: Reply) -> None:
    """Let Azure answer so: by `usages`, `capabilities` or `registration`."""

    def answer(call: Call) -> Reply | None:
        last = call.path.rpartition("/")[2]
        is_provider = call.path.lower().endswith(PROVIDER.lower())
        return replies.get("registration" if is_provider else last)

    repository.intercept(answer)


def registered(state: str) -> Reply:
    return Reply(status=200, body={"registrationState": state})


def refused(repository: Repository, planned: Plan) -> tuple[str, ...]:
    """The obstacles that the preflight tells; nothing is written by then."""
    before = repository.writes
    with pytest.raises(PlanRefused, match="^preflight found .*nothing was touched") as caught:
        checked(repository, planned)
    assert caught.value.exit_code is ExitCode.BLOCKED
    assert repository.writes == before
    return caught.value.details


def test_a_creation_costs_one_question_and_two_a_region(repository: Repository) -> None:
    repository.given_home()
    repository.write(*(group(f"g{n}") for n in range(5)))
    repository.write(group("north") | {"location": "North Europe"})

    assert asked(repository, repository.plan()) == [
        f"GET {PROVIDER}",
        f"GET {PROVIDER}/locations/northeurope/capabilities",
        f"GET {PROVIDER}/locations/northeurope/usages",
        f"GET {PROVIDER}/locations/westeurope/capabilities",
        f"GET {PROVIDER}/locations/westeurope/usages",
    ]


def test_a_replace_is_asked_for_as_well(repository: Repository) -> None:
    repository.given_home()
    repository.write(group(cpu=1))
    repository.apply()
    repository.write(group(cpu=2, reconcile={"replace": "allow"}))
    planned = repository.plan(allow={"replace": 1})
    assert [action.kind.value for action in planned.actions] == ["replace"]

    assert len(asked(repository, planned)) == 3


def test_what_makes_nothing_new_costs_no_question(repository: Repository) -> None:
    repository.given_home()
    repository.write(group("image"), group("tags"), group("gone"), group("kept"))
    repository.apply()
    repository.given(group("adopted"))
    repository.forget("gone")
    repository.write(group("image", image="nginx:2"), group("tags", tags={"a": "b"}))
    repository.write(group("adopted"))
    planned = repository.plan(prune=True, allow={"delete": 1})
    kinds = {action.target.name: action.kind.value for action in planned.actions}
    assert kinds == {
        "adopted": "adopt",
        "gone": "delete",
        "image": "update",
        "kept": "no-op",
        "tags": "patch-tags",
    }

    assert asked(repository, planned) == []


def test_a_refused_plan_costs_no_question(repository: Repository) -> None:
    repository.given_home()
    repository.given(group("theirs"), tags={"aci-reconcile-owner": "theirs"})
    repository.write(group("theirs"), group("new"))
    planned = repository.plan()
    start = len(repository.requests)

    with pytest.raises(PlanRefused, match="1 refusal in the plan"):
        checked(repository, planned)

    assert len(repository.requests) == start


def test_a_quota_that_would_be_exceeded_is_an_obstacle(repository: Repository) -> None:
    repository.given_home()
    repository.write(group("a", cpu=1.5), group("b", cpu=1))
    given_answers(repository, usages=usages(ContainerGroups=(98, 100), StandardCores=(8, 10)))

    (line,) = refused(repository, repository.plan())

    assert line == (
        "westeurope: quota StandardCores has 8 of 10 in use, and 'rg-shop/a' and 'rg-shop/b' would"
        " take 2.5 more; ask Azure for a higher quota, or use another region"
    )


@pytest.mark.parametrize("prune", [False, True])
def test_a_rename_at_full_quota_is_told_the_way(repository: Repository, prune: bool) -> None:
    repository.given_home()
    repository.write(group("old"), group("kept"))
    repository.apply()
    repository.forget("old")
    repository.write(group("renamed"))
    given_answers(repository, usages=usages(ContainerGroups=(100, 100)))

    (line,) = refused(
        repository, repository.plan(prune=prune, allow={"delete": 1} if prune else {})
    )

    assert line == (
        "westeurope: quota ContainerGroups has 100 of 100 in use, and 'rg-shop/renamed' would take"
        " 1 more; removing 'rg-shop/old' would leave room, but removals run last: take"
        " 'rg-shop/renamed' out of the manifests, run 'aci-reconcile apply --prune' first, then"
        " put it back"
    )


def test_many_groups_are_counted_rather_than_named(repository: Repository) -> None:
    repository.given_home()
    repository.write(*(group(f"g{n}") for n in range(5)))
    given_answers(repository, usages=usages(ContainerGroups=(100, 100)))

    (line,) = refused(repository, repository.plan())

    assert "'rg-shop/g0', 'rg-shop/g1' and 3 more would take 5 more" in line


def test_a_group_that_is_too_large_is_an_obstacle_at_its_line(repository: Repository) -> None:
    repository.given_home()
    repository.write(group("big", cpu=8), group("small"))
    given_answers(repository, capabilities=sizes(4, 16))

    (line,) = refused(repository, repository.plan())

    assert line == (
        "big.yaml:2:10: 'rg-shop/big' asks for 8 CPU and 1.5 GB in all, expected at most 4 CPU and"
        " 16 GB for Linux in westeurope; ask for less, split the group, or use another region"
    )


def test_every_obstacle_is_told_at_once(repository: Repository) -> None:
    repository.given_home()
    repository.write(group("big", cpu=8), secret("z", {"fromEnv": "NOT_SET"}))
    full = usages(ContainerGroups=(100, 100), StandardCores=(100, 100))
    given_answers(repository, usages=full, capabilities=sizes(4, 16))

    lines = refused(repository, repository.plan())

    assert [
        part in line
        for part, line in zip(
            ("NOT_SET", "ContainerGroups", "StandardCores", "big.yaml"), lines, strict=True
        )
    ] == [True] * 4


@pytest.mark.parametrize(
    ("state", "way"),
    [
        ("NotRegistered", "az provider register --namespace Microsoft.ContainerInstance"),
        ("Unregistering", "az provider register --namespace Microsoft.ContainerInstance"),
        ("Registering", "wait until it is"),
    ],
)
def test_a_provider_that_is_not_registered_is_an_obstacle(
    repository: Repository, state: str, way: str
) -> None:
    repository.given_home()
    repository.write(group())
    planned = repository.plan()
    given_answers(repository, registration=registered(state))
    start = len(repository.requests)

    (line,) = refused(repository, planned)

    assert f"is {state} in subscription {repository.subscription}" in line
    assert way in line
    assert len(repository.requests) == start + 1  # its regions have nothing to add


def test_registration_is_compared_without_case(repository: Repository) -> None:
    repository.given_home()
    repository.write(group())
    given_answers(repository, registration=registered("registered"))

    assert checked(repository, repository.plan()) == ()


def test_a_region_that_says_so_itself_is_an_obstacle_once(repository: Repository) -> None:
    repository.given_home()
    repository.write(group(), group("north") | {"location": "northeurope"})
    missing = refusal(409, "MissingSubscriptionRegistration")
    given_answers(
        repository,
        registration=refusal(403, "AuthorizationFailed"),
        usages=missing,
        capabilities=missing,
    )

    (line,) = refused(repository, repository.plan())

    assert "az provider register" in line


def test_a_region_without_container_instances_is_an_obstacle(repository: Repository) -> None:
    repository.given_home()
    repository.write(group())
    here = refusal(400, "LocationNotAvailableForResourceType", "choose 'northeurope'")
    given_answers(repository, usages=here)

    (line,) = refused(repository, repository.plan())

    assert "LocationNotAvailableForResourceType" in line
    assert "choose 'northeurope'" in line


@pytest.mark.parametrize(
    ("status", "code"), [(403, "AuthorizationFailed"), (404, "NotFound"), (404, "")]
)
def test_what_may_not_be_read_is_not_checked_and_noted(
    repository: Repository, status: int, code: str
) -> None:
    repository.given_home()
    repository.write(group())
    no = refusal(status, code)
    given_answers(repository, registration=no, usages=no, capabilities=no)

    notes = checked(repository, repository.plan())

    assert [note.partition(" was not checked: ")[0] for note in notes] == [
        "the registration of the resource provider",
        "quota in westeurope",
        "size in westeurope",
    ]
    assert all(str(status) in note for note in notes)


def test_one_thing_that_may_not_be_read_does_not_hide_another(repository: Repository) -> None:
    repository.given_home()
    repository.write(group("big", cpu=8))
    given_answers(repository, usages=refusal(403, "AuthorizationFailed"), capabilities=sizes(4, 16))

    (line,) = refused(repository, repository.plan())

    assert "8 CPU" in line


@pytest.mark.parametrize("endpoint", ["registration", "usages", "capabilities"])
@pytest.mark.parametrize("status", [400, 401, 409, 500])
def test_what_cannot_be_read_ends_the_run_before_it_writes(
    repository: Repository, endpoint: str, status: int
) -> None:
    repository.given_home()
    repository.write(group())
    planned = repository.plan()
    given_answers(repository, **{endpoint: refusal(status, "Odd")})
    before = repository.writes

    with pytest.raises(AzureError) as caught:
        checked(repository, planned)

    assert caught.value.status == status
    assert caught.value.exit_code is ExitCode.FAILED
    assert repository.writes == before


# interrupts


def interrupt() -> None:
    """What Ctrl-C does."""
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


def test_the_first_interrupt_starts_nothing_more_and_waits_for_what_runs(
    repository: Repository,
) -> None:
    repository.given_home()
    repository.write(*(group(f"g{n}") for n in range(4)))
    repository.workers = 1
    planned = repository.plan()

    def answer(call: Call) -> None:
        if call.method == "PUT" and call.path.endswith("/g0"):
            interrupt()

    repository.intercept(answer)

    run = repository.carry_out(planned)

    assert run.is_interrupted
    assert ended(run) == {
        "g0": "succeeded",
        "g1": "not started",
        "g2": "not started",
        "g3": "not started",
    }
    assert outcome_of(run, "g3").says == "interrupted before it started"
    assert repository.names == ["g0"]
    assert exit_code(run.outcomes, is_interrupted=True) is ExitCode.INTERRUPTED


def test_what_waits_for_an_interrupted_one_is_not_started_either(repository: Repository) -> None:
    repository.given_home()
    repository.write(group("a"), group("b", reconcile={"dependsOn": ["a"]}))
    planned = repository.plan()
    repository.intercept(lambda call: interrupt() if call.method == "PUT" else None)

    run = repository.carry_out(planned)

    assert ended(run) == {"a": "succeeded", "b": "not started"}


def test_the_second_interrupt_leaves_at_once(repository: Repository) -> None:
    repository.given_home()
    repository.write(group("slow"))
    planned = repository.plan()
    release = threading.Event()

    def answer(call: Call) -> None:
        if call.method == "PUT":
            interrupt()
            threading.Timer(0.2, interrupt).start()
            release.wait(10)

    repository.intercept(answer)

    run = repository.carry_out(planned)

    assert run.is_interrupted
    assert ended(run) == {}  # no outcome: it may be under way in Azure
    assert not release.is_set()  # it did not wait for the write that is still under way
    release.set()
