"""Keys of storage accounts and workspaces: one POST each, read again where it failed, never shown."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from reconciler.arm.cloud import ArmCloud
from reconciler.arm.connect import connect
from reconciler.core.references import HolderKind, KeyHolder
from reconciler.errors import (
    AuthenticationFailed,
    AzureError,
    Conflict,
    Forbidden,
    NotFound,
    Throttled,
    Unavailable,
)

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
CANARY = "canary+key/of=="
ACCOUNT = KeyHolder(
    kind=HolderKind.STORAGE_ACCOUNT,
    subscription=SUBSCRIPTION,
    resource_group="rg-data",
    name="shopfiles",
)
WORKSPACE = KeyHolder(
    kind=HolderKind.WORKSPACE,
    subscription=SUBSCRIPTION,
    resource_group="rg (a)",
    name="shop-logs",
)
ACCOUNT_KEYS: dict[str, Any] = {
    "keys": [
        {"creationTime": "2025-01-01T00:00:00Z", "keyName": "Key1", "value": CANARY},
        {"keyName": "key2", "value": "other", "permissions": "FULL"},
    ]
}
WORKSPACE_KEYS = {"primarySharedKey": CANARY, "secondarySharedKey": "other"}


def test_the_keys_of_an_account_are_one_post_of_nothing(cloud, arm, answer) -> None:
    arm.answers = [answer(body=ACCOUNT_KEYS)]

    held = cloud.keys(ACCOUNT)

    assert held.by_name == {"key1": CANARY, "key2": "other"}
    assert held.storage_domain == "core.windows.net"
    assert CANARY not in repr(held)
    (seen,) = arm.seen
    home = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-data"
    assert seen.path == f"{home}/providers/Microsoft.Storage/storageAccounts/shopfiles/listKeys"
    assert (seen.method, seen.query, seen.body) == ("POST", {"api-version": "2021-04-01"}, b"")


def test_the_keys_of_a_workspace_are_one_post_of_nothing(cloud, arm, answer) -> None:
    arm.answers = [answer(body=WORKSPACE_KEYS)]

    assert cloud.keys(WORKSPACE).by_name == {"primary": CANARY, "secondary": "other"}
    (seen,) = arm.seen
    home = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg%20%28a%29"
    path = f"{home}/providers/Microsoft.OperationalInsights/workspaces/shop-logs/sharedKeys"
    assert seen.path == path
    assert (seen.method, seen.query, seen.body) == ("POST", {"api-version": "2020-08-01"}, b"")


@pytest.mark.parametrize(
    ("name", "domain"),
    [("AzureUSGovernment", "core.usgovcloudapi.net"), ("AzureChinaCloud", "core.chinacloudapi.cn")],
)
def test_each_cloud_keeps_storage_under_its_own_domain(arm, answer, name, domain) -> None:
    arm.answers = [answer(body=ACCOUNT_KEYS)]

    with connect(cloud=name, endpoint=arm.url, parallelism=1, environ={}) as connected:
        assert connected.keys(ACCOUNT).storage_domain == domain


@pytest.mark.parametrize(
    ("holder", "says"),
    [
        (ACCOUNT, "Microsoft.Storage/storageAccounts/listKeys/action"),
        (ACCOUNT, "Storage Account Key Operator Service Role"),
        (WORKSPACE, "Microsoft.OperationalInsights/workspaces/sharedKeys/action"),
        (WORKSPACE, "Log Analytics Contributor"),
    ],
)
def test_an_identity_without_the_right_is_told_the_action_and_a_role(
    cloud, arm, fail, holder, says
) -> None:
    arm.answers = [fail(403, "AuthorizationFailed", "no", x_ms_request_id="r-1")]

    with pytest.raises(Forbidden, match=r"HTTP 403, AuthorizationFailed, request id r-1") as caught:
        cloud.keys(holder)

    assert says in caught.value.hint
    assert str(caught.value).startswith(f"read keys of {holder}: no ")
    assert len(arm.seen) == 1


def test_who_may_not_is_named_without_all_that_is_said_already(cloud, arm, fail) -> None:
    scope = "/subscriptions/a/resourceGroups/rg-data"
    arm.answers = [
        fail(
            403,
            "AuthorizationFailed",
            "The client 'ci' with object id 'o-1' does not have authorization to perform action"
            f" 'Microsoft.Storage/storageAccounts/listKeys/action' over scope '{scope}' or the scope"
            " is invalid. If access was recently granted, please refresh your credentials.",
        )
    ]

    with pytest.raises(Forbidden) as caught:
        cloud.keys(ACCOUNT)

    assert f"{ACCOUNT}: The client 'ci' with object id 'o-1' may not (HTTP" in str(caught.value)
    assert str(caught.value).count("listKeys/action") == 1


@pytest.mark.parametrize(
    ("status", "code", "kind", "says"),
    [
        (404, "ResourceNotFound", NotFound, "'name', 'resourceGroup' and 'subscription'"),
        (404, "SubscriptionNotFound", NotFound, "'name', 'resourceGroup' and 'subscription'"),
        (409, "ScopeLocked", Conflict, "a read-only lock forbids listing keys too"),
        (401, "ExpiredAuthenticationToken", AuthenticationFailed, "az login"),
    ],
)
def test_a_refusal_says_what_to_do(cloud, arm, fail, status, code, kind, says) -> None:
    arm.answers = [fail(status, code)]

    with pytest.raises(kind) as caught:
        cloud.keys(ACCOUNT)

    assert says in caught.value.hint


@pytest.mark.parametrize("status", [429, 500, 503, 504])
def test_a_question_that_failed_is_asked_again(cloud, arm, answer, fail, status) -> None:
    busy = fail(status, "Busy", Retry_After="0")
    arm.answers = [busy, answer(torn=True), busy, answer(body=ACCOUNT_KEYS)]

    assert cloud.keys(ACCOUNT).by_name["key1"] == CANARY
    assert arm.methods == ["POST"] * 4


@pytest.mark.parametrize(("status", "kind"), [(429, Throttled), (503, Unavailable)])
def test_a_question_that_never_succeeds_ends(cloud, arm, fail, status, kind) -> None:
    arm.answers = [fail(status, "Busy", Retry_After="0")]

    with pytest.raises(kind):
        cloud.keys(ACCOUNT)

    assert 2 <= len(arm.seen) <= 5


ODD: dict[str, Any] = {
    "no object": [CANARY],
    "a text": CANARY,
    "other members": {"key": CANARY},
    "no list": {"keys": {"key1": CANARY}},
    "no names": {"keys": [{"value": CANARY}]},
    "no values": {"keys": [{"keyName": "key1", "secret": CANARY, "value": {"x": CANARY}}]},
    "of the other kind": WORKSPACE_KEYS,
    "no JSON": f"<html>{CANARY}</html>".encode(),
}


@pytest.mark.parametrize("body", ODD.values(), ids=ODD)
def test_an_odd_answer_is_an_error_that_shows_nothing_of_it(cloud, arm, answer, body) -> None:
    arm.answers = [answer(body=body)]

    with pytest.raises(Unavailable) as caught:
        cloud.keys(ACCOUNT)

    assert "keys of storage account 'shopfiles'" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_the_log_has_the_path_and_no_key(cloud: ArmCloud, arm, answer, caplog) -> None:
    arm.answers = [answer(body=ACCOUNT_KEYS)]

    with caplog.at_level(logging.DEBUG, logger="reconciler"):
        cloud.keys(ACCOUNT)

    assert "/storageAccounts/shopfiles/listKeys: 200" in caplog.text
    assert CANARY not in caplog.text


def test_the_error_of_azure_is_kept_where_there_is_no_better_word(cloud, arm, fail) -> None:
    arm.answers = [fail(400, "BadRequest", "the account is of another kind")]

    with pytest.raises(AzureError, match="the account is of another kind"):
        cloud.keys(ACCOUNT)
