"""What is read of Azure, with how many requests, and what a failed read means."""

from __future__ import annotations

import pytest

from reconciler.core.groups import WaitFor
from reconciler.emulator import Call, Reply
from reconciler.errors import AzureError, Forbidden
from tests.conftest import Repository, ended, group, kinds, refusal, task

LISTS = ("containerGroups", "resourcegroups", "resourceGroups")


@pytest.fixture
def shop(repository: Repository) -> Repository:
    """Four groups of ours, applied."""
    repository.given_home()
    repository.write(*(group(f"g{n}") for n in range(3)), task("job"))
    repository.apply()
    return repository


def reads_of(repository: Repository, act) -> list[str]:
    """The last part of the path of each read that `act` makes."""
    before = len(repository.requests)
    act()
    return sorted(r.path.rpartition("/")[2].lower() for r in repository.requests[before:])


def forbidding(*paths: str):
    """Forbids reading what ends so."""

    def answer(call: Call) -> Reply | None:
        hit = call.method == "GET" and call.path.lower().endswith(tuple(p.lower() for p in paths))
        return refusal(403, "AuthorizationFailed") if hit else None

    return answer


def test_a_plan_without_changes_costs_one_list_of_groups(shop: Repository) -> None:
    """Besides a look at each task, which tells whether it failed."""
    reads = reads_of(shop, shop.plan)

    assert reads == ["containergroups", "job", "resourcegroups"]


def test_a_change_that_a_put_brings_costs_a_get_of_that_group_alone(shop: Repository) -> None:
    """Whether a PUT restarts or starts anew depends on what the containers do."""
    shop.write(group("g1", image="nginx:2"))

    reads = reads_of(shop, shop.plan)

    assert reads == ["containergroups", "g1", "job", "resourcegroups"]


def test_a_change_of_tags_costs_no_get(shop: Repository) -> None:
    shop.write(group("g1", tags={"team": "shop"}))

    reads = reads_of(shop, shop.plan)

    assert reads == ["containergroups", "job", "resourcegroups"]


def test_a_failed_provisioning_costs_a_get(shop: Repository) -> None:
    tags = shop.tags("g1")
    shop.given(group("g1"), tags=tags, failure="no capacity")

    reads = reads_of(shop, shop.plan)

    assert reads == ["containergroups", "g1", "job", "resourcegroups"]
    assert kinds(shop.plan())["g1"] == "update"


def test_many_tasks_are_not_looked_at_one_by_one(shop: Repository) -> None:
    shop.write(*(task(f"job{n}") for n in range(20)))
    shop.apply()

    reads = reads_of(shop, shop.plan)

    assert reads == ["containergroups", "resourcegroups"]
    assert shop.plan().notes == (
        "how 21 tasks ended was not looked at: see 'aci-reconcile status'",
    )


def test_groups_of_others_cost_nothing(shop: Repository) -> None:
    shop.given(group("theirs"), tags={"aci-reconcile-owner": "theirs"})

    reads = reads_of(shop, shop.plan)

    assert reads == ["containergroups", "job", "resourcegroups"]


def test_status_costs_one_get_for_each_group_of_ours(shop: Repository) -> None:
    shop.given(group("theirs"), tags={"aci-reconcile-owner": "theirs"})

    reads = reads_of(shop, shop.status)

    assert reads == ["containergroups", "g0", "g1", "g2", "job", "resourcegroups"]


def test_status_tells_how_each_group_stands(shop: Repository) -> None:
    shop.write(group("new"), group("g1", image="nginx:2"))
    shop.set_image("g2", "nginx:hotfix")
    shop.forget("job")

    found = shop.status()

    assert found == {
        "g0": "in sync",
        "g1": "pending",
        "g2": "drifted",
        "job": "orphan",
        "new": "missing",
    }


def test_a_list_of_many_pages_is_read_to_its_end(make_repository) -> None:
    from reconciler.emulator import PLENTY, Emulator, Polls

    with Emulator(time=Polls(0, 0), limits=PLENTY, page_size=2) as running:
        repository = make_repository(running)
        repository.given_home()
        repository.write(*(group(f"g{n}") for n in range(5)))
        repository.apply()

        planned = repository.plan()

        assert set(kinds(planned).values()) == {"no-op"}


# where the subscription may not be listed


def test_without_the_right_to_list_the_subscription_resource_groups_are_read_and_named(
    shop: Repository,
) -> None:
    shop.given(group("elsewhere"), into="rg-other")
    shop.intercept(
        forbidding(f"{shop.subscription}/providers/Microsoft.ContainerInstance/containerGroups")
    )

    planned = shop.plan()

    assert set(kinds(planned).values()) == {"no-op"}
    assert planned.notes == (
        "the subscription may not be listed: looked only at resource groups rg-shop",
    )


def test_without_the_right_to_list_resource_groups_each_is_asked_for(shop: Repository) -> None:
    shop.intercept(
        forbidding(
            f"{shop.subscription}/resourcegroups",
            f"{shop.subscription}/providers/Microsoft.ContainerInstance/containerGroups",
        )
    )
    shop.write(group("new"))

    planned = shop.plan()

    assert kinds(planned)["new"] == "create"
    assert kinds(planned)["g0"] == "no-op"


def test_a_resource_group_that_does_not_exist_yet_is_no_hindrance(repository: Repository) -> None:
    from tests.conftest import home

    repository.write(home(), group())
    repository.intercept(
        forbidding(
            f"{repository.subscription}/resourcegroups",
            f"{repository.subscription}/providers/Microsoft.ContainerInstance/containerGroups",
        )
    )

    planned = repository.plan()

    assert kinds(planned) == {"rg-shop": "create", "web": "create"}


def test_nothing_is_known_where_not_even_the_resource_group_may_be_read(shop: Repository) -> None:
    shop.intercept(forbidding("containerGroups"))

    with pytest.raises(Forbidden):
        shop.plan(prune=True)


def test_orphans_are_found_also_in_other_resource_groups_of_the_subscription(
    shop: Repository,
) -> None:
    shop.given_home("rg-new")
    shop.project(
        defaults={
            "subscription": shop.subscription,
            "resourceGroup": "rg-new",
            "location": "westeurope",
        }
    )

    planned = shop.plan()

    assert {str(one.live.id) for one in planned.orphans} == {
        "rg-shop/g0",
        "rg-shop/g1",
        "rg-shop/g2",
        "rg-shop/job",
    }
    assert all("a move" in one.note for one in planned.orphans)


# a read that fails removes nothing


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503])
@pytest.mark.parametrize("part", ["containerGroups", "resourcegroups"])
def test_a_list_that_fails_ends_the_plan(shop: Repository, part: str, status: int) -> None:
    shop.forget("g0", "g1")
    shop.intercept(
        lambda call: refusal(status, "Broken") if call.path.lower().endswith(part.lower()) else None
    )
    before = shop.writes

    with pytest.raises(AzureError):
        shop.apply(prune=True)

    assert shop.writes == before


def test_a_page_that_fails_ends_the_plan(make_repository) -> None:
    from reconciler.emulator import PLENTY, Emulator, Polls

    with Emulator(time=Polls(0, 0), limits=PLENTY, page_size=2) as running:
        repository = make_repository(running)
        repository.given_home()
        repository.write(*(group(f"g{n}") for n in range(5)))
        repository.apply()
        repository.forget("g0")
        repository.intercept(
            lambda call: (
                refusal(500, "Broken") if any("skip" in key for key in call.query) else None
            )
        )

        with pytest.raises(AzureError):
            repository.plan(prune=True)

        assert len(repository.names) == 5


def test_an_answer_that_is_no_list_ends_the_plan(shop: Repository) -> None:
    shop.intercept(
        lambda call: Reply(status=200, body={}) if call.path.endswith("containerGroups") else None
    )

    with pytest.raises(AzureError):
        shop.plan(prune=True)


def test_a_group_without_a_usable_id_ends_the_plan(shop: Repository) -> None:
    body = {"value": [{"name": "web", "properties": {}}]}
    shop.intercept(
        lambda call: Reply(status=200, body=body) if call.path.endswith("containerGroups") else None
    )

    with pytest.raises(AzureError, match="usable id"):
        shop.plan()


def test_a_group_that_vanishes_between_list_and_get_is_one_to_create(shop: Repository) -> None:
    shop.write(group("g1", image="nginx:2"))
    shop.intercept(
        lambda call: refusal(404, "ResourceNotFound") if call.path.endswith("/g1") else None
    )

    planned = shop.plan()

    assert kinds(planned)["g1"] == "create"


# transitions


def test_a_plan_does_nothing_with_a_group_in_transition(shop: Repository) -> None:
    shop.write(group("g1", image="nginx:2"))
    shop.start("g1")

    planned = shop.plan()

    action = next(a for a in planned.actions if a.target.name == "g1")
    assert action.kind.value == "no-op"
    assert "in transition" in action.why


def test_an_apply_waits_for_a_transition_to_end_and_goes_on(shop: Repository) -> None:
    from reconciler import app

    shop.write(group("g1", image="nginx:2"))
    shop.start("g1")

    planned = app.plan(shop.wanted(), shop.azure, app.Consent(), settles=True)
    run = shop.carry_out(planned)

    assert ended(run) == {"g1": "succeeded"}


def test_the_wait_of_a_manifest_is_what_the_group_is_judged_by(shop: Repository) -> None:
    wanted = {one.id.name: one.policy.wait.until for one in shop.wanted().groups}

    assert wanted == {
        "g0": WaitFor.RUNNING,
        "g1": WaitFor.RUNNING,
        "g2": WaitFor.RUNNING,
        "job": WaitFor.STARTED,
    }
