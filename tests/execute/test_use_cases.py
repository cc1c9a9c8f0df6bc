"""The use cases beside plan and apply: tearing down, finding a group, reading its logs."""

from __future__ import annotations

import pytest

from reconciler import app
from reconciler.emulator import PLENTY, Call, Emulator, Polls, Reply
from reconciler.errors import NotFound, UsageError
from tests.conftest import Repository, ended, group, home, kinds, outcome_of, refusal, task


@pytest.fixture
def shop(repository: Repository) -> Repository:
    """A resource group that we created, with two groups of ours."""
    repository.write(home(), group(), task())
    repository.apply()
    return repository


def teardown(shop: Repository, *, resource_groups: bool = True):
    return app.teardown(shop.wanted(), shop.azure, resource_groups=resource_groups)


def test_a_resource_group_is_deleted_by_an_operation_that_is_waited_for(shop: Repository) -> None:
    run = shop.carry_out(teardown(shop))

    assert ended(run) == {"job": "succeeded", "rg-shop": "succeeded", "web": "succeeded"}
    assert shop.writes[-1] == "DELETE rg-shop"
    assert shop.azure.cloud.resource_group(shop.id("web").parent) is None


def test_a_resource_group_that_fills_up_meanwhile_is_stale_and_stays(shop: Repository) -> None:
    planned = teardown(shop)
    shop.emulator.place_resource(
        shop.subscription, "rg-shop", "Microsoft.Storage/storageAccounts", "precious"
    )

    run = shop.carry_out(planned)

    assert ended(run) == {"job": "succeeded", "rg-shop": "stale", "web": "succeeded"}
    assert "precious" in outcome_of(run, "rg-shop").says
    assert "DELETE rg-shop" not in shop.writes


def test_a_teardown_says_where_it_could_not_look(shop: Repository) -> None:
    path = f"{shop.subscription}/providers/Microsoft.ContainerInstance/containerGroups"
    shop.intercept(
        lambda call: refusal(403, "AuthorizationFailed") if call.path.endswith(path) else None
    )

    planned = teardown(shop, resource_groups=False)

    assert kinds(planned) == {"job": "delete", "web": "delete"}
    assert "looked only at resource groups rg-shop" in planned.notes[0]


def test_a_teardown_whose_list_fails_deletes_nothing(shop: Repository) -> None:
    shop.intercept(
        lambda call: (
            refusal(404, "SubscriptionNotFound") if call.path.endswith("/resources") else None
        )
    )

    with pytest.raises(NotFound):
        teardown(shop)


def test_a_group_in_transition_is_told_by_status(make_repository) -> None:
    with Emulator(time=Polls(3, 0), limits=PLENTY) as slow:
        shop = make_repository(slow)
        shop.write(home(), group())
        shop.apply()
        shop.start("web")

        assert shop.status() == {"web": "in transition"}


def test_an_orphan_is_found_by_name(shop: Repository) -> None:
    shop.forget("web")

    found = app.named_group("WEB", shop.wanted(), shop.azure)

    assert str(found) == "rg-shop/web"


def test_a_group_of_nobody_is_not_found_by_name(shop: Repository) -> None:
    shop.given(group("nobodys"))

    with pytest.raises(UsageError, match="no group 'nobodys'"):
        app.named_group("nobodys", shop.wanted(), shop.azure)

    found = app.named_group("nobodys", shop.wanted(), shop.azure, others=True)
    assert str(found) == "rg-shop/nobodys"  # for who only looks


def test_a_name_that_fits_a_manifest_and_an_orphan_is_an_error(shop: Repository) -> None:
    shop.given_home("rg-two")
    shop.write(group("web", reconcile={"resourceGroup": "rg-two"}))

    with pytest.raises(UsageError, match="fits 2 groups: 'rg-shop/web', 'rg-two/web'"):
        app.named_group("web", shop.wanted(), shop.azure)

    assert str(app.named_group("rg-two/web", shop.wanted(), shop.azure)) == "rg-two/web"


def test_a_log_that_cannot_be_read_does_not_hide_the_outcome(repository: Repository) -> None:
    repository.given_home()
    repository.write(task(script="exit 3"))

    def answer(call: Call) -> Reply | None:
        return refusal(500, "Broken") if call.path.endswith("/logs") else None

    repository.intercept(answer)

    run = repository.apply()

    assert ended(run) == {"job": "unhealthy"}
    assert outcome_of(run, "job").logs == ()


def test_logs_of_a_group_that_is_gone_say_so(shop: Repository) -> None:
    with pytest.raises(UsageError, match="does not exist in Azure"):
        app.logs(shop.id("nothing"), shop.azure, app.Excerpt())


def test_a_foreign_or_excluded_group_in_transition_holds_up_nobody(
    repository: Repository,
) -> None:
    """An apply waits for what it is about; what it leaves alone may move for ever."""
    repository.given_home()
    repository.write(group("web"), group("stuck"))
    repository.apply()
    moving = repository.live("stuck")
    moving["properties"]["provisioningState"] = "Updating"
    listed = [repository.live("web"), moving]

    def answer(call: Call) -> Reply | None:
        if call.method == "GET" and call.path.lower().endswith("/containergroups"):
            return Reply(status=200, body={"value": listed})
        return None

    repository.intercept(answer)
    slept = len(repository.clock.slept)

    planned = app.plan(
        repository.wanted(), repository.azure, app.Consent(exclude=("stuck",)), settles=True
    )

    assert kinds(planned) == {"web": "no-op"}
    assert len(repository.clock.slept) == slept
