"""Several environments in one call: each by itself, one exit code for all."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Repository, group, refusal


@pytest.fixture
def estate(repository: Repository) -> Repository:
    """Two environments of one subscription, each with a resource group of its own."""
    repository.project(
        defaults={"subscription": repository.subscription, "location": "westeurope"},
        environments={
            "test": {"resourceGroup": "rg-test"},
            "prod": {"resourceGroup": "rg-prod"},
        },
    )
    repository.given_home("rg-test")
    repository.given_home("rg-prod")
    repository.write(group())
    return repository


def homes(repository: Repository) -> set[str]:
    groups = repository.emulator.groups(repository.subscription)
    return {one["id"].split("/")[4] for one in groups}


def test_each_environment_is_planned_and_applied_in_turn(estate: Repository) -> None:
    planned = estate.here("plan", "-e", "test", "-e", "prod", "--detailed-exitcode")
    done = estate.here("apply", "-e", "test", "-e", "prod", "--yes")
    after = estate.here("plan", "-e", "test", "-e", "prod", "--detailed-exitcode")

    assert (planned.code, done.code, after.code) == (2, 0, 0)
    assert planned.out.index("Plan for test") < planned.out.index("Plan for prod")
    assert homes(estate) == {"rg-test", "rg-prod"}


def test_each_has_a_document_of_its_own(estate: Repository) -> None:
    done = estate.here("plan", "-e", "test", "-e", "prod", "-o", "json=plan-{environment}.json")

    assert done.code == 0
    for name in ("test", "prod"):
        document = json.loads((estate.root / f"plan-{name}.json").read_text())
        assert document["environment"] == name
        assert estate.here("apply", f"plan-{name}.json", "--yes").code == 0
    assert homes(estate) == {"rg-test", "rg-prod"}


@pytest.mark.parametrize("output", ["json", "json=plan.json", "html=a.html"])
def test_two_documents_have_no_place_in_one(estate: Repository, output: str) -> None:
    done = estate.here("plan", "-e", "test", "-e", "prod", "-o", output)

    assert done.code == 64
    assert "{environment}" in done.err


def test_one_that_cannot_be_planned_does_not_hide_the_others(estate: Repository) -> None:
    estate.write(group(reconcile={"resourceGroup": "rg-nowhere"}))
    estate.here("apply", "-e", "prod", "--yes")
    estate.write(group())

    done = estate.here("plan", "-e", "nope", "-e", "test")

    assert done.code == 64
    assert "Plan for test" in done.out


def test_an_apply_stops_at_the_first_environment_that_does_not_succeed(
    estate: Repository,
) -> None:
    estate.intercept(
        lambda call: (
            refusal(403, "AuthorizationFailed")
            if call.method == "PUT" and "/rg-test/" in call.path
            else None
        )
    )

    done = estate.here("apply", "-e", "test", "-e", "prod", "--yes")

    assert done.code == 1
    assert "not begun: prod" in done.err
    assert homes(estate) == set()


def test_an_environment_is_named_once(estate: Repository) -> None:
    assert estate.here("plan", "-e", "test", "-e", "test").code == 64


@pytest.mark.parametrize("name", ["a/b", "", "../x"])
def test_a_name_that_no_environment_can_have_is_told(estate: Repository, name: str) -> None:
    done = estate.here("plan", "-e", name, "-o", "json=plan-{environment}.json")

    assert (done.code, "expected the name of an environment" in done.err) == (64, True), done.err
