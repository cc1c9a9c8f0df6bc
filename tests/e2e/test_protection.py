"""What is protected stays: whoever means to lose it lifts protection where it stands, in git."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from reconciler.core.ownership import OWNER_TAG
from tests.conftest import Repository, group

PROTECTED = {"protect": True}
LIFTED = {"protect": False}
WAY_OUT = "'reconcile: {protect: false}'"


@pytest.fixture
def shop(repository: Repository) -> Repository:
    """Two groups of a project that prunes, one of them protected, both applied."""
    repository.given_home()
    repository.project(policy={"prune": "delete"})
    repository.write(group(reconcile=PROTECTED), group("other"))
    assert repository.here("apply", "--yes").code == 0
    return repository


def test_a_deleted_manifest_lifts_no_protection_and_the_refusal_says_what_does(
    shop: Repository,
) -> None:
    shop.forget("web")

    refused = shop.here("apply", "--yes", "--prune")

    assert refused.code == 4
    assert f"bring its manifest back with {WAY_OUT}, apply, then remove it" in refused.out
    assert shop.names == ["other", "web"]
    shop.write(group(reconcile=LIFTED))
    assert shop.here("apply", "--yes").code == 0
    shop.forget("web")
    assert shop.here("apply", "--yes").code == 0
    assert shop.names == ["other"]


def test_lifting_and_deleting_at_once_is_not_possible(shop: Repository) -> None:
    """The lifted manifest has to have been applied: only the tag tells, once it is gone."""
    shop.write(group(reconcile=LIFTED))
    shop.forget("web")

    assert shop.here("apply", "--yes").code == 4
    assert "web" in shop.names


@pytest.mark.parametrize("consent", [["--replace", "web"], ["--replace", "web", "--retry", "web"]])
def test_no_consent_replaces_what_is_protected(shop: Repository, consent: list[str]) -> None:
    shop.write(group(cpu=2, reconcile={**PROTECTED, "replace": "allow"}))

    refused = shop.here("apply", "--yes", *consent)

    assert refused.code == 4
    assert "the group is protected" in refused.out
    assert f"write {WAY_OUT} in its manifest" in refused.out
    assert "DELETE web" not in shop.writes
    shop.write(group(cpu=2, reconcile=LIFTED))
    assert shop.here("apply", "--yes", "--replace", "web").code == 0
    assert "DELETE web" in shop.writes


Change = Callable[[Repository], None]


def as_applied(_: Repository) -> None:
    """Nothing."""


def without_manifest(shop: Repository) -> None:
    """The manifest is gone."""
    shop.forget("web")


def lifted_but_not_applied(shop: Repository) -> None:
    """The manifest lifts it, and no apply has carried that to Azure."""
    shop.write(group(reconcile=LIFTED))


@pytest.mark.parametrize("change", [as_applied, without_manifest, lifted_but_not_applied])
def test_destroy_takes_nothing_while_one_group_is_protected(
    shop: Repository, change: Change
) -> None:
    change(shop)

    done = shop.here("destroy", "--confirm", "shop")

    assert done.code == 4
    assert f"write {WAY_OUT} in its manifest, apply, then destroy" in done.out
    assert shop.names == ["other", "web"]


@pytest.mark.parametrize(
    "project",
    [{}, {"environments": {"prod": {"protect": True}}}],
    ids=["by its manifest", "by its environment"],
)
def test_destroy_heeds_protection_that_was_merged_and_not_yet_applied(
    repository: Repository, project: Mapping[str, Any]
) -> None:
    repository.given_home()
    environments = {"environments": {"prod": {}}} if project else {}
    repository.project(**environments)
    chosen = ["-e", "prod"] if project else []
    repository.write(group())
    assert repository.here("apply", "--yes", *chosen).code == 0
    repository.project(**project)
    repository.write(group(reconcile={} if project else PROTECTED))

    done = repository.here("destroy", "--confirm", "shop/prod" if project else "shop", *chosen)

    assert done.code == 4, done.out + done.err
    assert "owned by us, but it is protected" in done.out
    assert repository.names == ["web"]


def test_an_environment_protects_all_its_groups_but_those_that_say_otherwise(
    repository: Repository,
) -> None:
    repository.given_home()
    repository.project(environments={"prod": {"protect": True, "policy": {"prune": "delete"}}})
    repository.write(group(), group("free", reconcile=LIFTED), group("stays"))
    assert repository.here("apply", "-e", "prod", "--yes").code == 0
    repository.forget("web")
    refused = repository.here("apply", "-e", "prod", "--yes")
    repository.write(group())
    repository.forget("free")

    done = repository.here("apply", "-e", "prod", "--yes")

    assert refused.code == 4
    assert "but it is protected" in refused.out
    assert done.code == 0, done.out
    assert repository.names == ["stays", "web"]


def test_a_protected_group_that_was_released_is_nobodys_to_delete(shop: Repository) -> None:
    """Release is the way to keep it running without us: no apply and no destroy touches it."""
    assert shop.here("release", "web", "--yes").code == 0
    assert OWNER_TAG not in shop.tags("web")
    shop.forget("web")

    applied = shop.here("apply", "--yes")
    destroyed = shop.here("destroy", "--confirm", "shop")

    assert (applied.code, destroyed.code) == (0, 0), applied.out + destroyed.out
    assert shop.names == ["web"]
