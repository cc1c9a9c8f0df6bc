"""Operations: what a write starts, and one look at it in both protocols."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from reconciler.arm.addresses import followed
from reconciler.core.cloud import Accepted, Operation
from reconciler.errors import AzureError, Forbidden, NotFound, Unavailable


@pytest.fixture
def operation(arm) -> Operation:
    return Operation(url=f"{arm.url}/operations/1?api-version=2018-06-01&t=1&s=signed")


@pytest.fixture
def deletion(arm) -> Operation:
    return Operation(url=f"{arm.url}/operationresults/1", is_location=True)


def test_a_put_tells_its_operation_and_when_to_look(cloud, arm, group, answer) -> None:
    headers = {"Azure-AsyncOperation": f"{arm.url}/op?s=1", "Retry-After": "7"}
    headers |= {"x-ms-request-id": "westeurope:1"}
    arm.answers = [answer(status=201, body={"name": "web"}, headers=headers)]

    accepted = cloud.put_group(group, {"location": "westeurope"})

    operation = Operation(url=f"{arm.url}/op?s=1", retry_after_s=7)
    assert accepted == Accepted(
        body={"name": "web"}, operation=operation, request_id="westeurope:1"
    )


@pytest.mark.parametrize(
    "body",
    [
        {"properties": {"containers": "none"}},
        {"properties": {"provisioningState": 7, "containers": [{"properties": []}]}},
        {"tags": []},
        {
            "zones": {"a": [1]},
            "properties": {"instanceView": {"events": [{"firstTimestamp": "x"}]}},
        },
        {"identity": "none"},
    ],
)
def test_an_odd_body_does_not_cost_the_operation_of_a_put_that_was_taken(
    cloud, arm, group, answer, body
) -> None:
    """The SDK's models would raise before anybody saw the headers."""
    headers = {"Azure-AsyncOperation": f"{arm.url}/op"}
    arm.answers = [answer(status=201, body=body, headers=headers)]

    accepted = cloud.put_group(group, {})

    assert accepted.operation == Operation(url=f"{arm.url}/op")
    assert accepted.body == body


def test_a_location_is_an_operation_only_with_202(cloud, arm, group, answer) -> None:
    arm.answers = [
        answer(status=202, headers={"Location": f"{arm.url}/op", "Retry-After": "15"}),
        answer(status=200, body={}, headers={"Location": f"{arm.url}/op"}),
        answer(status=204),
    ]

    found = [cloud.delete_group(group).operation for _ in range(3)]

    assert found == [
        Operation(url=f"{arm.url}/op", is_location=True, retry_after_s=15),
        None,
        None,
    ]


@pytest.mark.parametrize("status", [202, 204])
def test_a_start_tells_its_operation_whatever_its_status(cloud, arm, group, answer, status) -> None:
    arm.answers = [answer(status=status, headers={"Azure-AsyncOperation": f"{arm.url}/op"})]

    assert cloud.start(group).operation == Operation(url=f"{arm.url}/op")


@pytest.mark.parametrize(
    ("status", "final"),
    [("Pending", False), ("Creating", False), ("Succeeded", True), ("Canceled", True)],
)
def test_a_look_tells_the_status(cloud, arm, operation, answer, status, final) -> None:
    arm.answers = [answer(body={"status": status}, headers={"Retry-After": "3"})]

    look = cloud.look(operation)

    assert (look.status, look.is_final, look.retry_after_s) == (status, final, 3)
    assert arm.seen[0].target == "/operations/1?api-version=2018-06-01&t=1&s=signed"


def test_a_failed_operation_tells_code_and_message(cloud, arm, operation, answer) -> None:
    error = {"code": "InaccessibleImage", "message": "The image 'x' is not accessible."}
    arm.answers = [answer(body={"status": "Failed", "error": error})]

    look = cloud.look(operation)

    assert (look.error_code, look.error_message) == (error["code"], error["message"])


def test_a_failure_is_told_without_signed_queries(cloud, arm, operation, answer) -> None:
    error = {"code": "Bad", "message": "see https://x.example/a?sig=abc"}
    arm.answers = [answer(body={"status": "Failed", "error": error})]

    assert cloud.look(operation).error_message == "see https://x.example/a"


def test_the_last_event_tells_what_the_code_failed_does_not(cloud, arm, operation, answer) -> None:
    events = [
        {"name": "Pulling", "type": "Normal", "message": "pulling"},
        {"name": "InsufficientCapacity.", "type": "Warning", "message": "not available"},
    ]
    body = {"status": "Failed", "properties": {"events": events}, "error": {"code": "Failed"}}
    arm.answers = [answer(body=body)]

    look = cloud.look(operation)

    assert (look.error_code, look.error_message) == ("InsufficientCapacity", "not available")


def test_a_location_is_done_when_it_is_no_longer_202(cloud, arm, deletion, answer) -> None:
    arm.answers = [answer(status=202, headers={"Retry-After": "15"}), answer(), answer(status=204)]

    looks = [cloud.look(deletion) for _ in range(3)]

    assert [look.status for look in looks] == ["InProgress", "Succeeded", "Succeeded"]
    assert looks[0].retry_after_s == 15


def test_a_location_that_is_refused_has_failed(cloud, arm, deletion, fail) -> None:
    arm.answers = [fail(409, "ScopeLocked", "the group is locked")]

    look = cloud.look(deletion)

    assert (look.status, look.error_code) == ("Failed", "ScopeLocked")
    assert look.error_message == "the group is locked"


@pytest.mark.parametrize(
    ("status", "error"), [(403, Forbidden), (404, NotFound), (501, Unavailable)]
)
def test_a_look_that_does_not_tell_is_an_error_and_no_failure_of_the_work(
    cloud, arm, deletion, operation, fail, status, error
) -> None:
    arm.answers = [fail(status, "Sorry")]

    for one in (deletion, operation):
        with pytest.raises(error, match="look at operation 1: no") as caught:
            cloud.look(one)
        assert "signed" not in str(caught.value)


@pytest.mark.parametrize("body", [b"{", [], {}, {"status": 1}, b""])
def test_a_look_without_a_status_is_an_error(cloud, arm, operation, answer, body) -> None:
    arm.answers = [answer(body=body)]

    with pytest.raises(Unavailable):
        cloud.look(operation)


def test_an_operation_elsewhere_is_not_looked_at(cloud, arm) -> None:
    with pytest.raises(AzureError, match="no credential is sent there") as caught:
        cloud.look(Operation(url="https://evil.example/op?sig=abc"))

    assert "abc" not in str(caught.value)
    assert arm.seen == []


def test_a_date_to_come_back_at_is_read_as_seconds(cloud, arm, operation, answer) -> None:
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    arm.answers = [answer(body={"status": "Pending"}, headers={"Retry-After": then})]

    wait = cloud.look(operation).retry_after_s

    assert wait is not None
    assert 25 < wait <= 30


def test_a_date_that_has_passed_means_now(cloud, arm, operation, answer) -> None:
    headers = {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}
    arm.answers = [answer(body={"status": "Pending"}, headers=headers)]

    assert cloud.look(operation).retry_after_s == 0


@pytest.mark.parametrize("text", ["soon", "-1", "inf", "nan", "1e9", "", "9" * 400])
def test_a_wait_that_cannot_be_read_is_none(cloud, arm, operation, answer, text) -> None:
    arm.answers = [answer(body={"status": "Pending"}, headers={"Retry-After": text})]

    assert cloud.look(operation).retry_after_s is None


PUBLIC = "https://management.azure.com"


@pytest.mark.parametrize(
    ("url", "endpoint", "followed_to"),
    [
        (f"{PUBLIC}/a?b=c", PUBLIC, f"{PUBLIC}/a?b=c"),
        ("/a?b", PUBLIC, f"{PUBLIC}/a?b"),
        ("https://MANAGEMENT.azure.com:443/a", PUBLIC, "https://MANAGEMENT.azure.com:443/a"),
        (
            "https://westeurope.management.azure.com/a",
            PUBLIC,
            "https://westeurope.management.azure.com/a",
        ),
        ("https://westeurope.management.azure.com:8443/a", PUBLIC, None),
        ("http://management.azure.com/a", PUBLIC, None),
        ("https://evilmanagement.azure.com/a", PUBLIC, None),
        ("https://management.azure.com.evil.example/a", PUBLIC, None),
        ("https://management.azure.com@evil.example/a", PUBLIC, None),
        ("https://x@westeurope.management.azure.com/a", PUBLIC, None),
        ("https://evil.example\\@management.azure.com/a", PUBLIC, None),
        ("https://evil.example\\.management.azure.com/a", PUBLIC, None),
        ("https://evil.example\t@management.azure.com/a", PUBLIC, None),
        ("https://management.usgovcloudapi.net/a", PUBLIC, None),
        ("https://x.private.example/a", "https://private.example", None),
        ("https://management.azure.com:x/a", PUBLIC, None),
    ],
)
def test_a_credential_stays_with_the_cloud_it_is_for(url, endpoint, followed_to) -> None:
    assert followed(url, endpoint=endpoint) == followed_to
