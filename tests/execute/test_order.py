"""What runs before what, what is held back, and what goes on regardless."""

from __future__ import annotations

import threading

import pytest

from reconciler.core.outcome import exit_code
from reconciler.emulator import Call, Reply
from reconciler.errors import ExitCode
from tests.conftest import Repository, ended, group, home, kinds, outcome_of, refusal, task


def refusing(*names: str, method: str = "PUT"):
    """Refuses writes to these groups as Azure refuses a quota that is used up."""

    def answer(call: Call) -> Reply | None:
        hit = call.method == method and call.path.rpartition("/")[2] in names
        return refusal(400, "ContainerGroupQuotaReached", "no cores left") if hit else None

    return answer


def test_a_resource_group_is_created_before_its_groups(repository: Repository) -> None:
    repository.write(home(), group("a"), group("b"))

    run = repository.apply()

    assert set(ended(run).values()) == {"succeeded"}
    assert repository.writes[0] == "PUT rg-shop"
    assert sorted(repository.writes[1:]) == ["PUT a", "PUT b"]


def test_a_created_resource_group_carries_who_created_it(repository: Repository) -> None:
    repository.write({**home(), "tags": {"team": "shop"}})

    run = repository.apply()

    assert ended(run) == {"rg-shop": "succeeded"}
    (put,) = [r for r in repository.requests if r.method == "PUT"]
    assert put.body["tags"] == {"team": "shop", "aci-reconcile-created": "shop"}


def test_a_group_waits_until_what_it_depends_on_is_healthy(repository: Repository) -> None:
    repository.given_home()
    repository.write(
        group("a", reconcile={"dependsOn": ["b"]}),
        group("b", reconcile={"dependsOn": [f"{home()['name']}/c"]}),
        group("c"),
    )

    run = repository.apply()

    assert set(ended(run).values()) == {"succeeded"}
    started = [name for name, text in repository.told if text == "writing"]
    assert [name.rpartition("/")[2] for name in started] == ["c", "b", "a"]
    assert [one.action.target.name for one in repository.landed] == ["c", "b", "a"]


def test_what_does_not_depend_on_each_other_runs_at_once(repository: Repository) -> None:
    repository.given_home()
    repository.write(group("a"), group("b"), group("c"))
    together = threading.Barrier(3, timeout=10)

    def answer(call: Call) -> None:
        if call.method == "PUT":
            together.wait()  # breaks, and with it the write, unless all three are in flight

    repository.intercept(answer)

    run = repository.apply()

    assert ended(run) == {"a": "succeeded", "b": "succeeded", "c": "succeeded"}


def test_no_more_than_the_workers_allow_is_in_flight(repository: Repository) -> None:
    repository.given_home()
    repository.write(*(group(f"g{n}") for n in range(6)))
    repository.workers = 2
    inside, most, lock = 0, 0, threading.Lock()

    def tell_in(_action, text: str) -> None:
        nonlocal inside, most
        if text == "writing":
            with lock:
                inside += 1
                most = max(most, inside)

    def tell_out(_outcome) -> None:
        nonlocal inside
        with lock:
            inside -= 1

    repository._tell = tell_in
    repository.landed = _Hook(tell_out)

    run = repository.apply()

    assert set(ended(run).values()) == {"succeeded"}
    assert most <= 2


class _Hook(list):
    def __init__(self, hear) -> None:
        super().__init__()
        self.append = hear


def test_a_dependency_that_is_left_alone_must_be_healthy_all_the_same(
    repository: Repository,
) -> None:
    repository.given_home()
    repository.write(group("db", command=("/bin/sh", "-c", "exit 3")))
    repository.write(group("app", reconcile={"dependsOn": ["db"]}))
    first = repository.apply()
    before = repository.writes

    second = repository.apply()

    assert ended(first) == {"db": "unhealthy", "app": "not started"}
    assert ended(second) == {"db": "unhealthy", "app": "not started"}
    assert "left alone, but container 'db'" in outcome_of(second, "db").says
    assert repository.writes == before


def test_a_dependency_is_looked_at_only_when_something_waits_for_it(repository: Repository) -> None:
    repository.given_home()
    repository.write(group("db"), group("app", reconcile={"dependsOn": ["db"]}))
    repository.apply()
    before = repository.emulator.count("GET", containing=f"{repository.subscription}")

    again = repository.apply()

    assert again.outcomes == ()
    lists = repository.emulator.count("GET", containing=f"{repository.subscription}") - before
    assert lists == 2  # the resource groups and the groups


def test_a_bug_met_by_one_action_does_not_hide_the_others(repository: Repository) -> None:
    repository.given_home()
    repository.write(group("a"), group("b"))

    def tell(action, _text: str) -> None:
        if action.target.name == "a":
            raise RuntimeError("a bug")

    repository._tell = tell

    run = repository.apply()

    assert ended(run) == {"a": "failed", "b": "succeeded"}
    assert "internal error: RuntimeError: a bug" in outcome_of(run, "a").says


def test_removals_come_last(repository: Repository) -> None:
    repository.given_home()
    repository.write(group("kept"), group("old"))
    repository.apply()
    repository.forget("old")
    repository.write(group("kept", image="nginx:2"), group("new"))
    before = len(repository.writes)

    run = repository.apply(prune=True)

    assert set(ended(run).values()) == {"succeeded"}
    assert sorted(repository.writes[before:-1]) == ["PUT kept", "PUT new"]
    assert repository.writes[-1] == "DELETE old"


def test_a_removal_waits_for_the_others_to_be_over_and_not_for_their_success(
    repository: Repository,
) -> None:
    repository.given_home()
    repository.write(group("old"), group("kept"))
    repository.apply()
    repository.forget("old")
    repository.write(group("new"))
    repository.intercept(refusing("new"))

    run = repository.apply(prune=True)

    assert ended(run) == {"new": "failed", "old": "succeeded"}


def test_a_group_that_moves_keeps_its_old_place_when_the_new_one_cannot_be_had(
    repository: Repository,
) -> None:
    """The delete of a move is half of one change: carried out alone, the workload is gone."""
    repository.given_home()
    repository.given_home("rg-other")
    repository.write(group("web"), group("other"))
    repository.apply()
    repository.write(group("web", reconcile={"resourceGroup": "rg-other"}))
    repository.intercept(refusing("web"))

    run = repository.apply(prune=True, allow={"move": 1})

    assert [one.status.value for one in run.outcomes] == ["failed", "not started"]
    assert repository.live("web") is not None


def test_what_depends_on_a_failed_group_is_not_started_and_says_so(repository: Repository) -> None:
    repository.given_home()
    repository.write(
        group("db"),
        group("api", reconcile={"dependsOn": ["db"]}),
        group("web", reconcile={"dependsOn": ["api"]}),
    )
    repository.intercept(refusing("db"))

    run = repository.apply()

    assert ended(run) == {"api": "not started", "db": "failed", "web": "not started"}
    assert outcome_of(run, "api").says == "waits for rg-shop/db, which did not succeed"
    assert outcome_of(run, "web").says == "waits for rg-shop/api, which did not succeed"
    assert repository.names == []


def test_what_depends_on_an_unhealthy_group_is_not_started(repository: Repository) -> None:
    repository.given_home()
    repository.write(
        task("migrate", script="exit 3"), group("web", reconcile={"dependsOn": ["migrate"]})
    )

    run = repository.apply()

    assert ended(run) == {"migrate": "unhealthy", "web": "not started"}
    assert exit_code(run.outcomes) is ExitCode.UNHEALTHY


def test_groups_of_a_resource_group_that_cannot_be_created_are_not_started(
    repository: Repository,
) -> None:
    repository.write(home(), group("web"))
    repository.intercept(
        lambda call: refusal(403, "AuthorizationFailed") if call.method == "PUT" else None
    )

    run = repository.apply()

    assert ended(run) == {"rg-shop": "failed", "web": "not started"}
    assert "rg-shop" in outcome_of(run, "web").says


def test_a_failure_does_not_stop_the_others(repository: Repository) -> None:
    repository.given_home()
    repository.write(group("a"), group("b"), group("c"))
    repository.intercept(refusing("b"))

    run = repository.apply()

    assert ended(run) == {"a": "succeeded", "b": "failed", "c": "succeeded"}
    failed = outcome_of(run, "b")
    assert failed.code == "ContainerGroupQuotaReached"
    assert "no cores left" in failed.says
    assert exit_code(run.outcomes) is ExitCode.PARTIAL


def test_a_run_in_which_nothing_was_written_is_failed_and_not_partial(
    repository: Repository,
) -> None:
    """Azure refused the one write before it took anything."""
    repository.given_home()
    repository.write(group("web"))
    repository.intercept(refusing("web"))

    run = repository.apply()

    assert [one.wrote for one in run.outcomes] == [False]
    assert exit_code(run.outcomes) is ExitCode.FAILED


def test_a_write_whose_effect_is_not_known_counts_as_written(repository: Repository) -> None:
    repository.given_home()
    repository.write(group("web"))
    planned = repository.plan()
    puts = 0

    def lost(call: Call) -> Reply | None:
        nonlocal puts
        puts += call.method == "PUT"
        return refusal(504, "GatewayTimeout") if puts else None

    repository.intercept(lost)

    run = repository.carry_out(planned)

    assert ended(run) == {"web": "failed"}
    assert "whether it took effect is not known" in outcome_of(run, "web").says
    assert exit_code(run.outcomes) is ExitCode.PARTIAL
    assert puts == 1


def test_a_write_that_reads_show_was_not_taken_is_sent_again(repository: Repository) -> None:
    repository.given_home()
    repository.write(group("web"))
    answers = [refusal(504, "GatewayTimeout")]
    repository.intercept(lambda call: answers.pop() if call.method == "PUT" and answers else None)

    run = repository.apply()

    assert ended(run) == {"web": "succeeded"}
    assert repository.counting("PUT", "web") == 2
    assert exit_code(run.outcomes) is ExitCode.DONE


def test_outcomes_are_in_plan_order_and_each_is_told_as_it_lands(repository: Repository) -> None:
    repository.given_home()
    repository.write(group("c"), group("a", reconcile={"dependsOn": ["c"]}), group("b"))

    run = repository.apply()

    assert [one.action.target.name for one in run.outcomes] == ["a", "b", "c"]
    assert sorted(one.action.target.name for one in repository.landed) == ["a", "b", "c"]


def test_an_action_of_nothing_to_do_has_no_outcome_and_holds_nobody_back(
    repository: Repository,
) -> None:
    repository.given_home()
    repository.write(group("db"))
    repository.apply()
    repository.write(group("web", reconcile={"dependsOn": ["db"]}))

    planned = repository.plan()
    run = repository.carry_out(planned)

    assert kinds(planned) == {"db": "no-op", "web": "create"}
    assert ended(run) == {"web": "succeeded"}


def test_a_dns_label_passes_from_the_giver_to_the_taker(repository: Repository) -> None:
    def labelled(name: str, label: str) -> dict:
        ports = [{"port": 80, "protocol": "TCP"}]
        address = {
            "type": "Public",
            "ports": ports,
            "dnsNameLabel": label,
            "autoGeneratedDomainNameLabelScope": "Unsecure",
        }
        made = group(name, ipAddress=address)
        made["properties"]["containers"][0]["properties"]["ports"] = ports
        return made

    repository.given_home()
    repository.write(labelled("old", "shop-front"), group("kept"))
    repository.apply()
    repository.forget("old")
    repository.write(labelled("a-new", "shop-front"))

    run = repository.apply(prune=True)

    assert ended(run) == {"a-new": "succeeded", "old": "succeeded"}
    assert [one.action.target.name for one in repository.landed][-2:] == ["old", "a-new"]


@pytest.mark.parametrize("workers", [1, 8])
def test_the_number_of_workers_changes_nothing_but_the_time(
    repository: Repository, workers: int
) -> None:
    repository.given_home()
    repository.write(
        *(group(f"g{n}", reconcile={"dependsOn": [f"g{n - 1}"]} if n else {}) for n in range(4))
    )
    repository.workers = workers

    run = repository.apply()

    assert [one.action.target.name for one in repository.landed] == ["g0", "g1", "g2", "g3"]
    assert set(ended(run).values()) == {"succeeded"}


# a rollout


def rolled_out(repository: Repository, steps: str):
    from reconciler import app
    from reconciler.core.rollout import parse_rollout

    return app.apply(
        repository.plan(),
        repository.azure,
        commit="",
        watcher=repository.watcher,
        rollout=parse_rollout(steps),
    )


def test_a_rollout_begins_a_step_only_when_the_last_one_is_healthy(repository: Repository) -> None:
    repository.given_home()
    repository.write(*(group(f"g{n}") for n in range(8)))

    over: list[int] = []  # how many groups were done with when each PUT came

    def watch(call: Call) -> None:
        if call.method == "PUT":
            over.append(len(repository.landed))

    repository.intercept(watch)

    run = rolled_out(repository, "1,50%")

    assert set(ended(run).values()) == {"succeeded"}
    assert [min(over[:1]), min(over[1:4]), min(over[4:])] == [0, 1, 4]
    assert len(over) == 8


def test_a_rollout_stops_at_the_first_that_is_not_healthy(repository: Repository) -> None:
    repository.given_home()
    crash = ("/bin/sh", "-c", "exit 1")
    repository.write(group("a", command=crash), *(group(f"g{n}") for n in range(7)))

    run = rolled_out(repository, "1,25%,100%")

    found = ended(run)
    assert found.pop("a") == "unhealthy"
    assert set(found.values()) == {"not started"}
    assert outcome_of(run, "g0").says == "the rollout stopped at rg-shop/a"
    assert repository.names == ["a"]


def test_a_rollout_does_not_wait_for_what_only_sets_tags(repository: Repository) -> None:
    repository.given_home()
    repository.write(group("a"), group("b"))
    repository.apply()
    repository.write(group("a", image="nginx:2"), group("b", tags={"team": "x"}), group("c"))

    run = rolled_out(repository, "1")

    assert set(ended(run).values()) == {"succeeded"}


# names, rations, interrupts


def test_one_name_is_under_way_at_most_once(repository: Repository) -> None:
    """Azure takes one name in several places at once for fraud."""
    repository.given_home()
    repository.given_home("rg-other")
    inside: list[str] = []
    clashes: list[str] = []

    def tell_in(action, text: str) -> None:
        if text == "writing":
            clashes.extend(name for name in inside if name == action.target.name)
            inside.append(action.target.name)

    repository._tell = tell_in
    repository.landed = _Hook(lambda outcome: inside.remove(outcome.action.target.name))
    repository.write(group("web"), group("api"))
    repository.file("other-web.yaml", group("web", reconcile={"resourceGroup": "rg-other"}))
    repository.file("other-api.yaml", group("api", reconcile={"resourceGroup": "rg-other"}))

    run = repository.apply()

    assert len(run.outcomes) == 4
    assert {one.status.value for one in run.outcomes} == {"succeeded"}
    assert clashes == []


def test_a_replace_whose_delete_was_sent_creates_the_group_also_when_interrupted(
    repository: Repository,
) -> None:
    from reconciler import app

    repository.given_home()
    repository.write(group("a", reconcile={"replace": "allow"}), group("b"))
    repository.apply()
    repository.write(
        group("a", cpu=2, reconcile={"replace": "allow"}), group("b", image="nginx:2"), group("c")
    )
    repository.workers = 1
    deleted: list[str] = []

    def watch(call: Call) -> None:
        if call.method == "DELETE":
            deleted.append(call.path)

    planned = repository.plan(allow={"replace": 1})
    repository.intercept(watch)

    run = app.apply(
        planned,
        repository.azure,
        commit="",
        watcher=repository.watcher,
        interrupts=lambda: int(bool(deleted)),
    )

    assert run.is_interrupted
    assert ended(run) == {"a": "succeeded", "b": "not started", "c": "not started"}
    live = repository.live("a")["properties"]["containers"][0]["properties"]
    assert live["resources"]["requests"]["cpu"] == 2


def test_after_the_second_interrupt_what_is_under_way_is_listed_with_its_operation(
    repository: Repository,
) -> None:
    from reconciler import app

    repository.given_home()
    repository.write(group("a"), group("b"))
    repository.workers = 1
    polls: list[str] = []
    over = threading.Event()

    def watch(call: Call) -> Reply | None:
        if "/operations/" in call.path:
            polls.append(call.path)
            over.wait(10)  # as long as the run lasts
        return None

    repository.intercept(watch)

    run = app.apply(
        repository.plan(),
        repository.azure,
        commit="",
        watcher=repository.watcher,
        interrupts=lambda: 2 * bool(polls),
    )
    over.set()

    assert run.is_interrupted
    (address,) = run.under_way
    assert address.endswith("/a")
    assert "/operations/" in run.under_way[address]
    assert ended(run) == {"b": "not started"}
    repository.pass_all()


def test_a_machine_that_starts_few_threads_does_the_work_with_those(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.given_home()
    repository.write(*[group(f"g{i}") for i in range(4)])
    real = threading.Thread.start

    def start(self: threading.Thread) -> None:
        if self.name.startswith("apply_") and self.name != "apply_0":
            raise RuntimeError("can't start new thread")
        real(self)

    monkeypatch.setattr(threading.Thread, "start", start)

    run = repository.apply()

    assert set(ended(run).values()) == {"succeeded"}
    assert len(run.outcomes) == 4
