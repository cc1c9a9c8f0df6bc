"""Before each write the group is read again: there is no ETag to ask for (design, 2.7)."""

from __future__ import annotations

import pytest

from reconciler.core.outcome import exit_code
from reconciler.errors import ExitCode
from tests.conftest import Repository, ended, group, home, kinds, outcome_of

ACTIONS = {
    "update": group(image="nginx:2"),
    "replace": group(cpu=2, reconcile={"replace": "allow"}),
    "patch-tags": group(tags={"team": "shop"}),
    "delete": None,
}


@pytest.fixture
def shop(repository: Repository) -> Repository:
    """Two groups of ours, applied."""
    repository.given_home()
    repository.project(policy={"maxReplaces": 1, "prune": "delete"})
    repository.write(group(), group("other"))
    repository.apply()
    return repository


def planned_for(shop: Repository, kind: str):
    """A plan that holds one action of that kind, for the group web."""
    manifest = ACTIONS[kind]
    if manifest is None:
        shop.forget("web")
    else:
        shop.write(manifest)
    planned = shop.plan()
    assert kinds(planned) == {"web": kind, "other": "no-op"}
    return planned


def assert_stale(shop: Repository, planned, *, says: str) -> None:
    before = shop.writes

    run = shop.carry_out(planned)

    assert ended(run) == {"web": "stale"}
    assert says in outcome_of(run, "web").says
    assert "plan again" in outcome_of(run, "web").hint
    assert shop.writes == before
    assert exit_code(run.outcomes) is ExitCode.STALE


def test_a_group_that_was_stopped_meanwhile_is_not_started_by_an_update(shop: Repository) -> None:
    planned = planned_for(shop, "update")
    shop.azure.cloud.stop(shop.id("web"))
    while (
        shop.azure.cloud.group(shop.id("web"))["properties"]["instanceView"]["state"] == "Running"
    ):
        pass  # a stop takes effect after some looks
    before = shop.writes

    run = shop.carry_out(planned)

    assert ended(run) == {"web": "stale"}
    assert "it went from Running to Stopped" in outcome_of(run, "web").says
    assert shop.writes == before


@pytest.mark.parametrize("kind", ACTIONS)
def test_nothing_is_written_for_a_group_whose_definition_moved(shop: Repository, kind: str) -> None:
    planned = planned_for(shop, kind)
    shop.set_image("web", "nginx:hotfix")

    assert_stale(shop, planned, says="its definition changed")


@pytest.mark.parametrize("kind", ACTIONS)
def test_nothing_is_written_for_a_group_whose_tags_moved(shop: Repository, kind: str) -> None:
    planned = planned_for(shop, kind)
    shop.change("web", lambda body: body["tags"].update({"aci-reconcile-owner": "somebody"}))

    assert_stale(shop, planned, says="its tags changed")


@pytest.mark.parametrize("kind", ACTIONS)
def test_nothing_is_written_for_a_group_in_transition(shop: Repository, kind: str) -> None:
    planned = planned_for(shop, kind)
    shop.start("web")
    before = shop.writes

    run = shop.carry_out(planned)

    assert ended(run) == {"web": "stale"}
    assert "in transition" in outcome_of(run, "web").says
    assert shop.writes == before


@pytest.mark.parametrize("kind", ACTIONS)
def test_nothing_is_written_for_a_group_that_vanished(shop: Repository, kind: str) -> None:
    planned = planned_for(shop, kind)
    shop.azure.cloud.delete_group(shop.id("web"))
    while shop.azure.cloud.group(shop.id("web")) is not None:
        pass

    assert_stale(shop, planned, says="it vanished")


def test_nothing_is_written_over_a_group_that_appeared(repository: Repository) -> None:
    repository.given_home()
    repository.write(group())
    planned = repository.plan()
    repository.given(group(image="theirs:1"))

    assert_stale(repository, planned, says="it appeared")


def test_adoption_stops_when_somebody_else_was_faster(repository: Repository) -> None:
    repository.write(group())
    repository.given(group())
    planned = repository.plan()
    assert kinds(planned) == {"web": "adopt"}
    repository.change("web", lambda body: body["tags"].update({"aci-reconcile-owner": "theirs"}))

    assert_stale(repository, planned, says="its tags changed")


def test_a_resource_group_that_appeared_is_not_put(repository: Repository) -> None:
    repository.write(home(), group())
    planned = repository.plan()
    repository.given_home()
    before = repository.writes

    run = repository.carry_out(planned)

    assert ended(run) == {"rg-shop": "stale", "web": "not started"}
    assert repository.writes == before


def test_a_stale_group_holds_up_no_other(shop: Repository) -> None:
    shop.write(group(image="nginx:2"), group("other", image="nginx:2"))
    planned = shop.plan()
    shop.set_image("web", "nginx:hotfix")

    run = shop.carry_out(planned)

    assert ended(run) == {"other": "succeeded", "web": "stale"}
    assert exit_code(run.outcomes) is ExitCode.PARTIAL


def test_a_second_plan_sees_what_made_the_first_one_stale(shop: Repository) -> None:
    planned = planned_for(shop, "update")
    shop.set_image("web", "nginx:hotfix")
    shop.carry_out(planned)

    run = shop.apply()

    assert ended(run) == {"web": "succeeded"}
    assert kinds(shop.plan()) == {"web": "no-op", "other": "no-op"}


def test_a_run_state_that_moved_is_no_reason_to_stop(shop: Repository) -> None:
    """Containers restart by themselves; only what a PUT would overwrite counts."""
    planned = planned_for(shop, "update")
    shop.start("web")
    while shop.live("web")["properties"]["provisioningState"] != "Succeeded":
        shop.azure.cloud.group(shop.id("web"))

    run = shop.carry_out(planned)

    assert ended(run) == {"web": "succeeded"}


def test_a_deployment_that_failed_and_recovered_is_not_restarted(shop: Repository) -> None:
    body = shop.live("web")
    shop.emulator.given(shop.subscription, "rg-shop", "web", body, failure="no room")
    planned = shop.plan()
    shop.emulator.given(shop.subscription, "rg-shop", "web", body)
    before = shop.writes

    run = shop.carry_out(planned)

    assert kinds(planned)["web"] == "update"
    assert ended(run) == {"web": "stale"}
    assert "its deployment went from Failed to Succeeded" in outcome_of(run, "web").says
    assert shop.writes == before
