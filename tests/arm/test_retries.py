"""A read may be repeated; a write goes out once, whatever comes back."""

from __future__ import annotations

import time

import pytest

from reconciler.errors import Conflict, Throttled, Unavailable

WRITES = {
    "put": lambda cloud, group: cloud.put_group(group, {"location": "westeurope"}),
    "patch": lambda cloud, group: cloud.patch_tags(group, {"a": "b"}),
    "delete": lambda cloud, group: cloud.delete_group(group),
    "start": lambda cloud, group: cloud.start(group),
    "stop": lambda cloud, group: cloud.stop(group),
    "restart": lambda cloud, group: cloud.restart(group),
    "put of a resource group": lambda cloud, group: cloud.put_resource_group(
        group.parent, location="westeurope", tags={}
    ),
    "delete of a resource group": lambda cloud, group: cloud.delete_resource_group(group.parent),
}


@pytest.fixture(autouse=True)
def repeated_reads_cost_no_time() -> None:
    """Here they do: how long is waited is what is tested."""


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("status", [500, 503, 504])
def test_a_write_whose_effect_is_unknown_is_not_repeated(
    cloud, arm, group, fail, write, status
) -> None:
    arm.answers = [fail(status, "GatewayTimeout", Retry_After="0")]

    with pytest.raises(Unavailable) as caught:
        write(cloud, group)

    assert len(arm.seen) == 1
    assert (caught.value.status, caught.value.code) == (status, "GatewayTimeout")


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_write_is_not_repeated_when_the_connection_is_reset(
    cloud, arm, group, answer, write
) -> None:
    arm.answers = [answer(torn=True)]

    with pytest.raises(Unavailable, match="the connection broke"):
        write(cloud, group)

    assert len(arm.seen) == 1


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_throttled_write_is_told_at_once_and_when_to_come_back(
    cloud, arm, group, fail, write
) -> None:
    """azure-core would sleep and send it again, as for any refusal with a Retry-After."""
    arm.answers = [fail(429, "ResourceRequestsThrottled", Retry_After="17")]
    began = time.monotonic()

    with pytest.raises(Throttled) as caught:
        write(cloud, group)

    assert caught.value.retry_after_s == 17
    assert len(arm.seen) == 1
    assert time.monotonic() - began < 5


def test_a_provider_that_is_not_registered_is_not_registered_unasked(
    cloud, arm, group, fail
) -> None:
    """The SDK would: a write to the subscription, and the PUT again after ten seconds."""
    arm.answers = [
        fail(
            409,
            "MissingSubscriptionRegistration",
            "The subscription is not registered to use namespace 'Microsoft.ContainerInstance'.",
        )
    ]

    with pytest.raises(Conflict, match="az provider register --namespace Microsoft.Container"):
        cloud.put_group(group, {})

    assert arm.methods == ["PUT"]


def test_a_read_is_repeated_until_it_is_answered(cloud, arm, group, answer, fail) -> None:
    arm.answers = [answer(torn=True), fail(503, "Busy"), answer(body={"name": "web"})]

    assert cloud.group(group) == {"name": "web"}
    assert arm.methods == ["GET"] * 3


def test_a_read_waits_as_long_as_azure_says(cloud, arm, subscription, answer, fail) -> None:
    arm.answers = [fail(429, "Throttled", Retry_After="1"), answer(body={"value": []})]
    began = time.monotonic()

    assert cloud.groups(subscription) == []

    assert time.monotonic() - began >= 1


def test_a_read_does_not_stand_still_for_minutes(cloud, arm, subscription, fail) -> None:
    arm.answers = [fail(429, "Throttled", Retry_After="372")]

    with pytest.raises(Throttled) as caught:
        cloud.groups(subscription)

    assert caught.value.retry_after_s == 372
    assert len(arm.seen) == 1


def test_a_read_that_never_succeeds_ends(cloud, arm, subscription, fail) -> None:
    arm.answers = [fail(503, "Busy", "try later", x_ms_request_id="r-1")]

    with pytest.raises(Unavailable, match=r"try later \(HTTP 503, Busy, request id r-1\)"):
        cloud.groups(subscription)

    assert 2 <= len(arm.seen) <= 5


def test_nothing_follows_a_redirect(cloud, arm, group, answer) -> None:
    arm.answers = [answer(status=307, headers={"Location": f"{arm.url}/elsewhere"})]

    with pytest.raises(Exception, match="HTTP 307"):
        cloud.put_group(group, {})

    assert len(arm.seen) == 1
