"""The preflight through the command: exit code, words, and that nothing is written."""

from __future__ import annotations

import pytest

from reconciler.emulator import Call, Reply
from tests.conftest import Repository, group, refusal

FULL = {
    "value": [
        {"currentValue": 100, "limit": 100, "name": {"value": "ContainerGroups"}},
        {"currentValue": 42, "limit": 100, "name": {"value": "StandardCores"}},
    ]
}


def given_answer(repository: Repository, end: str, reply: Reply) -> None:
    """Let Azure answer every path with this end so."""
    repository.intercept(lambda call: reply if call.path.endswith(end) else None)


def provider_reads(repository: Repository, *, since: int) -> list[str]:
    """What the provider was asked about itself."""
    paths = [request.path for request in repository.requests[since:]]
    return sorted(
        path.rpartition("/")[2]
        for path in paths
        if path.endswith(("/usages", "/capabilities", "/Microsoft.ContainerInstance"))
    )


@pytest.mark.parametrize("arguments", [(), ("-o", "json")])
def test_a_full_quota_is_4_and_nothing_is_written(
    shop: Repository, arguments: tuple[str, ...]
) -> None:
    shop.write(group("new"))
    given_answer(shop, "/usages", Reply(status=200, body=FULL))
    before = shop.writes

    done = shop.here("apply", "--yes", *arguments)

    assert done.code == 4
    assert shop.writes == before
    assert "aci-reconcile: error: preflight found 1 obstacle, nothing was touched" in done.err
    (line,) = [one for one in done.err.splitlines() if "quota" in one]
    assert "westeurope: quota ContainerGroups has 100 of 100 in use" in line
    assert "'rg-shop/new' would take 1 more" in line
    assert ("rg-shop/new  create" in done.out) is not arguments


def test_a_rename_at_full_quota_goes_through_in_the_two_steps_that_are_told(
    shop: Repository,
) -> None:
    shop.forget("other")
    shop.write(group("renamed"))
    count = {"currentValue": 0, "limit": 2, "name": {"value": "ContainerGroups"}}

    def answer(call: Call) -> Reply | None:
        if not call.path.endswith("/usages"):
            return None
        return Reply(status=200, body={"value": [count | {"currentValue": len(shop.names)}]})

    shop.intercept(answer)
    consent = ("--prune", "--yes", "--allow", "delete=1")

    refused = shop.here("apply", *consent)
    assert refused.code == 4
    assert "removing 'rg-shop/other' would leave room" in refused.err
    assert shop.names == ["other", "web"]

    (shop.root / "renamed.yaml").rename(shop.root / "renamed.txt")
    assert shop.here("apply", *consent).code == 0
    (shop.root / "renamed.txt").rename(shop.root / "renamed.yaml")
    assert shop.here("apply", "--yes").code == 0
    assert shop.names == ["renamed", "web"]


def test_a_provider_that_is_not_registered_is_4_with_the_command(shop: Repository) -> None:
    shop.write(group("new"))
    body = {"registrationState": "NotRegistered"}
    given_answer(shop, "/Microsoft.ContainerInstance", Reply(status=200, body=body))
    before = shop.writes

    done = shop.here("apply", "--yes")

    assert done.code == 4
    assert "az provider register --namespace Microsoft.ContainerInstance" in done.err
    assert shop.writes == before


def test_a_quota_that_cannot_be_read_is_1_and_nothing_is_written(shop: Repository) -> None:
    shop.write(group("new"))
    given_answer(shop, "/usages", refusal(400, "Odd", "not today"))
    before = shop.writes

    done = shop.here("apply", "--yes")

    assert done.code == 1
    assert "not today" in done.err
    assert shop.writes == before


def test_a_narrow_role_is_told_what_was_not_checked_and_goes_on(shop: Repository) -> None:
    shop.write(group("new"))
    given_answer(shop, "/usages", refusal(403, "AuthorizationFailed", "no \x1b[31mrole"))

    done = shop.here("apply", "--yes", "-o", "json")

    assert done.code == 0
    (line,) = [one for one in done.err.splitlines() if one.startswith("note: ")]
    assert line.startswith("note: quota in westeurope was not checked: ")
    assert "AuthorizationFailed" in line
    assert "\x1b" not in line
    assert "new" in shop.names


def test_only_an_apply_that_makes_something_asks_the_provider(shop: Repository) -> None:
    shop.write(group("new"))

    def asked_by(*arguments: str) -> list[str]:
        since = len(shop.requests)
        assert shop.here(*arguments).code == 0
        return provider_reads(shop, since=since)

    assert asked_by("plan") == []
    assert asked_by("apply", "--yes") == ["Microsoft.ContainerInstance", "capabilities", "usages"]
    assert asked_by("apply", "--yes") == []
    assert asked_by("destroy", "--confirm", "shop") == []


def test_nobody_is_asked_to_confirm_what_cannot_be_done(shop: Repository, on_terminal) -> None:
    shop.write(group("new"))
    given_answer(shop, "/usages", Reply(status=200, body=FULL))

    done = on_terminal(shop, "apply").end()

    assert done.code == 4
    assert "Only 'yes'" not in done.out
    assert "quota ContainerGroups" in done.out
