"""`show plan.json` is the same report as the plan was: every format is equal, byte for byte."""

from __future__ import annotations

import re

import pytest

from tests.conftest import Repository, group, home

FORMATS = ("text", "json", "markdown", "html", "junit", "sarif", "prometheus", "github")


@pytest.fixture
def estate(repository: Repository) -> Repository:
    """A plan with an action of nearly every kind, a patch, a warning, a rail and a secret."""
    repository.environ |= {"TOKEN": "one-one-one-one", "ACI_RECONCILE_SECRET_KEY": "k" * 20}
    repository.project(environments={"prod": {}})
    repository.given_home()
    secret = [{"name": "TOKEN", "secureValue": {"fromEnv": "TOKEN"}}]
    groups = [group(name) for name in ("old", "tagged", "changed")]
    repository.write(group(env=secret), *groups)
    assert repository.here("apply", "-e", "prod", "--yes").code == 0
    repository.forget("old")
    repository.file("patches/web.yaml", {"name": "web", "tags": {"team": "shop"}})
    policy = {"prune": "delete", "maxDeletes": 0}
    repository.project(environments={"prod": {"patches": ["patches/*.yaml"]}}, policy=policy)
    repository.environ["TOKEN"] = "two-two-two-two"
    repository.write(
        home("rg-new"),
        group("new", reconcile={"resourceGroup": "rg-new"}),
        group(image="nginx:latest", env=secret),
        group("tagged", tags={"team": "shop"}),
        group("changed", cpu=2),
    )
    return repository


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_shown_is_what_was_planned(estate: Repository, name: str) -> None:
    planned = estate.here("plan", "-e", "prod", "-o", name, "-o", "json=plan.json", "-v")
    shown = estate.here("show", "plan.json", "-o", name, "-v")

    assert planned.code == 4, planned.err
    assert shown.out == planned.out
    assert re.search("changed|exit_code", shown.out)
