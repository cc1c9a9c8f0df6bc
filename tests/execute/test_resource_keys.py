"""Following references to keys of resources: each resource is asked once, several at once."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable

import pytest

from reconciler.core.groups import DesiredGroup, SecretState
from reconciler.core.references import HeldKeys, KeyHolder
from reconciler.errors import NotFound
from reconciler.execute.secrets import Sources, resolved
from reconciler.manifest import load_desired, open_project
from tests.conftest import Repository, group
from tests.keys import of_account, of_workspace

ELSEWHERE = "99999999-2222-3333-4444-555555555555"


class Kept:
    """Resources with keys as a function, which remembers what it was asked."""

    def __init__(self, answer: Callable[[KeyHolder], HeldKeys] | None = None) -> None:
        self.asked: list[KeyHolder] = []
        self._answer = answer or named
        self._lock = threading.Lock()

    def keys(self, holder: KeyHolder) -> HeldKeys:
        with self._lock:
            self.asked.append(holder)
        return self._answer(holder)


def named(holder: KeyHolder) -> HeldKeys:
    """Keys that say whose they are."""
    names = ("key1", "key2", "primary", "secondary")
    return HeldKeys(
        by_name={name: f"{name} of {holder.name}" for name in names},
        storage_domain="core.windows.net",
    )


def variables(*references: dict) -> list[dict]:
    return [{"name": f"V{n}", "secureValue": one} for n, one in enumerate(references)]


def texts(one: DesiredGroup) -> list[str | None]:
    return [secret.value for secret in one.secrets]


@pytest.fixture
def loaded(repository: Repository) -> Callable[..., tuple[DesiredGroup, ...]]:
    def load(*manifests: dict) -> tuple[DesiredGroup, ...]:
        repository.write(*manifests)
        project, _ = open_project([], cwd=repository.root, environment=None)
        desired = load_desired(project, [], environ={})
        assert desired.errors == ()
        return desired.groups

    return load


def test_each_resource_is_asked_once_whichever_key_is_meant(loaded, subscription) -> None:
    kept = Kept()
    upper = {"fromStorageAccount": {"name": "shopfiles", "resourceGroup": "RG-Data"}}
    here = of_account(subscription=subscription.upper())
    groups = loaded(
        group("a", env=variables(of_account(), of_account(key="key2"), upper, here)),
        group("b", env=variables(of_account(), of_workspace(), of_workspace(key="secondary"))),
    )

    first, second = resolved(groups, Sources(keys=kept), workers=4)

    assert sorted((one.name, one.subscription) for one in kept.asked) == [
        ("shop-logs", subscription),
        ("shopfiles", subscription),
    ]
    assert texts(first) == [f"{key} of shopfiles" for key in ("key1", "key2", "key1", "key1")]
    assert texts(second) == [
        "key1 of shopfiles",
        "primary of shop-logs",
        "secondary of shop-logs",
    ]
    assert {one.state for one in (*first.secrets, *second.secrets)} == {SecretState.KNOWN}


def test_a_subscription_that_is_named_wins_over_the_groups(loaded, subscription) -> None:
    kept = Kept()
    groups = loaded(group("a", env=variables(of_account(), of_account(subscription=ELSEWHERE))))

    resolved(groups, Sources(keys=kept), workers=2)

    assert {one.subscription for one in kept.asked} == {subscription, ELSEWHERE}


def test_several_are_asked_at_once(loaded) -> None:
    together = threading.Barrier(4, timeout=10)

    def answer(holder: KeyHolder) -> HeldKeys:
        together.wait()
        return named(holder)

    groups = loaded(group("a", env=variables(*(of_account(f"files{n}") for n in range(4)))))

    (one,) = resolved(groups, Sources(keys=Kept(answer)), workers=4)

    assert texts(one) == [f"key1 of files{n}" for n in range(4)]


def test_a_connection_string_is_made_of_name_key_and_domain(loaded) -> None:
    reference = of_account(key="key2", **{"as": "connectionString"})
    (one,) = resolved(loaded(group("a", env=variables(reference))), Sources(keys=Kept()), workers=1)

    (secret,) = one.secrets
    assert secret.value == (
        "DefaultEndpointsProtocol=https;AccountName=shopfiles;AccountKey=key2 of shopfiles;"
        "EndpointSuffix=core.windows.net"
    )
    assert "key2 of shopfiles" in one.secret_texts  # what a container logs of it is hidden too


def test_a_file_of_a_volume_may_hold_one(loaded) -> None:
    volume = {"name": "v", "secret": {"k": {**of_account(), "encode": "base64"}}}
    (one,) = resolved(loaded(group("a", volumes=[volume])), Sources(keys=Kept()), workers=1)

    assert texts(one) == [base64.b64encode(b"key1 of shopfiles").decode()]


def test_a_resource_that_cannot_be_asked_is_the_reason_of_each_of_its_keys(loaded) -> None:
    def answer(holder: KeyHolder) -> HeldKeys:
        if holder.name == "gone":
            raise NotFound("no such account", status=404, code="ResourceNotFound")
        return named(holder)

    groups = loaded(
        group("a", env=variables(of_account("gone"), of_account("gone", key="key2"), of_account()))
    )

    (one,) = resolved(groups, Sources(keys=Kept(answer)), workers=2)

    *gone, there = one.secrets
    assert [(secret.state, secret.value) for secret in gone] == [(SecretState.UNRESOLVED, None)] * 2
    assert all("no such account (HTTP 404, ResourceNotFound)" in secret.reason for secret in gone)
    assert there.value == "key1 of shopfiles"


@pytest.mark.parametrize("form", ["key", "connectionString"])
def test_a_key_that_the_resource_has_not_is_none(loaded, form) -> None:
    groups = loaded(group("a", env=variables(of_account(key="key2", **{"as": form}))))
    kept = Kept(lambda _: HeldKeys(by_name={"key1": "a"}, storage_domain="core.windows.net"))

    (secret,) = resolved(groups, Sources(keys=kept), workers=1)[0].secrets

    assert (secret.state, secret.value) == (SecretState.UNRESOLVED, None)
    assert "key 'key2' of storage account 'shopfiles' in resource group 'rg-data'" in secret.reason


def test_offline_a_reference_says_who_was_not_asked(loaded) -> None:
    (one,) = loaded(group("a", env=variables(of_account(), of_workspace(key="secondary"))))

    assert [secret.reason for secret in one.secrets] == [
        "Azure was not asked: key 'key1' of storage account 'shopfiles' in resource group 'rg-data'",
        "Azure was not asked: key 'secondary' of workspace 'shop-logs' in resource group 'rg-data'",
    ]
