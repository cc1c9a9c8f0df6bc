"""One table says what every error of Azure means, and nothing unknown is ever written again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.remedies import Cause, Course, remedy_for, remedy_of, rows
from reconciler.errors import (
    AzureError,
    Conflict,
    ProvisioningFailed,
    Rejected,
    Unavailable,
    Unreachable,
)

CHECKOUT = Path(__file__).resolve().parents[2]
QUOTA = (
    "Resource type 'Microsoft.ContainerInstance/containerGroups' container group quota"
    " 'StandardCores' exceeded in region 'eastus'. Limit: '10', Usage: '10' Requested: '1'."
)
CAPACITY = (
    "The requested resource is not available in the location 'westus' at this moment. Please retry"
    " with a different resource request or in another location."
)
LABEL = "The DNS name label 'L' in container group 'N' not available. Try using a different label."


@pytest.mark.parametrize(
    ("status", "code", "message", "cause", "course"),
    [
        # B.1
        (404, "ResourceNotFound", "", Cause.OTHER, Course.GIVE_UP),
        (400, "NetworkProfileNotFound", "", Cause.OTHER, Course.GIVE_UP),
        (504, "GatewayTimeout", "", Cause.LOST, Course.REREAD),
        (400, "NoRegisteredProviderFound", "", Cause.REQUEST, Course.GIVE_UP),
        # B.2
        (409, "ContainerGroupTransitioning", "", Cause.TRANSITION, Course.SETTLE),
        (400, "InvalidContainerGroupUpdate", "", Cause.UPDATE, Course.GIVE_UP),
        (409, "InvalidResourceLocation", "", Cause.REQUEST, Course.GIVE_UP),
        (409, "ServiceUnavailable", CAPACITY, Cause.CAPACITY, Course.GIVE_UP),
        (409, "ServiceUnavailable", QUOTA, Cause.QUOTA, Course.GIVE_UP),
        (409, "ContainerGroupQuotaReached", QUOTA, Cause.QUOTA, Course.GIVE_UP),
        (400, "InaccessibleImage", "", Cause.REGISTRY, Course.GIVE_UP),
        (409, "RegistryErrorResponse", "", Cause.REGISTRY, Course.RETRY),
        (400, "OsVersionNotSupported", "", Cause.REQUEST, Course.GIVE_UP),
        (500, "InternalServerError", "", Cause.SERVICE, Course.REREAD),
        (503, "", "", Cause.SERVICE, Course.REREAD),
        (503, "ServiceUnavailable", "", Cause.SERVICE, Course.REREAD),
        (413, "", "", Cause.REQUEST, Course.GIVE_UP),
        (400, "LocationNotAvailableForResourceType", "", Cause.REQUEST, Course.GIVE_UP),
        (None, "InsufficientCapacity.", CAPACITY, Cause.CAPACITY, Course.GIVE_UP),
        # B.3
        (400, "MissingIpAddressPorts", "", Cause.OTHER, Course.GIVE_UP),
        (400, "Unknown", LABEL, Cause.LABEL, Course.GIVE_UP),
        (400, "", "The DNS name label 'L' is invalid.", Cause.OTHER, Course.GIVE_UP),
        # B.4
        (429, "ResourceRequestsThrottled", "", Cause.RATION, Course.RETRY),
        (429, "SubscriptionRequestsThrottled", "", Cause.RATION, Course.RETRY),
        (429, "", "", Cause.RATION, Course.RETRY),
        (403, "AuthorizationFailed", "", Cause.PERMISSION, Course.GIVE_UP),
        (403, "RequestDisallowedByPolicy", "", Cause.PERMISSION, Course.GIVE_UP),
        (409, "MissingSubscriptionRegistration", "", Cause.PROVIDER, Course.GIVE_UP),
        (409, "ResourceGroupBeingDeleted", "", Cause.HOME, Course.GIVE_UP),
        (404, "ResourceGroupNotFound", "", Cause.HOME, Course.RETRY),
        (400, "InvalidRequestContent", "", Cause.OTHER, Course.GIVE_UP),
        (409, "PropertyChangeNotAllowed", "", Cause.OTHER, Course.GIVE_UP),
        (401, "ExpiredAuthenticationToken", "", Cause.SIGN_IN, Course.RETRY),
        (409, "AnotherOperationInProgress", "", Cause.NETWORK, Course.RETRY),
        (502, "", "<html>", Cause.LOST, Course.REREAD),
        (408, "", "", Cause.LOST, Course.REREAD),
    ],
)
def test_every_error_of_the_catalogue_has_its_course(
    status: int | None, code: str, message: str, cause: Cause, course: Course
) -> None:
    found = remedy_for(status=status, code=code, message=message)

    assert (found.cause, found.course) == (cause, course)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("ContainerGroupQuotaReached", "quota"),
        ("InaccessibleImage", "imageRegistryCredentials"),
        ("InsufficientCapacity", "another region"),
        ("AuthorizationFailed", "role"),
        ("MissingSubscriptionRegistration", "az provider register"),
        ("DnsNameLabelNotAvailable", "dnsNameLabel"),
    ],
)
def test_what_a_person_can_do_is_said(code: str, says: str) -> None:
    assert says in remedy_for(status=409, code=code, message="").hint


def test_every_row_that_repeats_says_how_often_and_how_long_to_wait() -> None:
    for name, remedy in rows():
        if remedy.course is not Course.GIVE_UP:
            assert remedy.attempts > 0, name
            assert remedy.delay_s > 0, name


@given(
    st.integers(400, 499).filter(lambda status: status not in (401, 403, 408, 413, 429)),
    st.from_regex(r"[A-Z][a-z]{3,10}X[a-z]{3,10}", fullmatch=True),
)
def test_a_refusal_nobody_knows_is_given_up(status: int, code: str) -> None:
    assert remedy_for(status=status, code=code, message="").course is Course.GIVE_UP


@given(st.integers(500, 599))
def test_no_5xx_is_ever_taken_for_a_refusal(status: int) -> None:
    assert remedy_for(status=status, code="", message="").course is Course.REREAD


def test_what_no_answer_came_to_is_read_again_unless_it_was_never_sent() -> None:
    assert remedy_of(Unavailable("the connection broke")).course is Course.REREAD
    assert remedy_of(Unavailable("not JSON", status=200)).course is Course.REREAD
    assert remedy_of(Unreachable("cannot be reached")).course is Course.RETRY


def test_what_was_taken_is_never_sent_again() -> None:
    failed = ProvisioningFailed("no room", code="InternalServerError")

    assert remedy_of(failed).course is Course.GIVE_UP
    assert remedy_of(ProvisioningFailed("no", code="InsufficientCapacity")).cause is Cause.CAPACITY


def test_pauses_grow_to_a_minute_and_give_way_to_what_azure_asks_for() -> None:
    remedy = remedy_of(Conflict("busy", status=409, code="AnotherOperationInProgress"))
    pauses = [remedy.pause_s(n, scale=1, asked_s=None) for n in range(5)]

    assert pauses == [15, 30, 60, 60, 60]
    assert remedy.pause_s(0, scale=0.1, asked_s=None) == pytest.approx(1.5)
    assert remedy.pause_s(0, scale=0.1, asked_s=200) == 200
    assert remedy.pause_s(0, scale=1, asked_s=1e9) == 3600


def test_errors_of_ours_are_given_up() -> None:
    for error in (AzureError("internal"), Rejected("no", status=400)):
        assert remedy_of(error).course is Course.GIVE_UP


def test_the_page_holds_the_table() -> None:
    page = (CHECKOUT / "docs" / "apply.md").read_text()
    for code, remedy in rows():
        times = f"{remedy.delay_s:g} s | {remedy.attempts} times" if remedy.attempts else "| "
        assert f"| `{code}` | {remedy.course.value} | {times} | {remedy.hint} |" in page, code
    assert page.count("\n| `") == len(list(rows())) + 4  # and what is waited for
