"""Which tenant a subscription belongs to."""

from __future__ import annotations

import pytest

from reconciler.errors import AuthenticationFailed, Forbidden, NotFound, Rejected, Unavailable

TENANT = "72f988bf-0000-4000-8000-2d7cd011db47"


def test_the_tenant_is_one_get_of_the_subscription(cloud, arm, subscription, answer) -> None:
    body = {"subscriptionId": subscription.upper(), "tenantId": TENANT, "novel": [1]}
    arm.answers = [answer(body=body)]

    assert cloud.tenant(subscription) == TENANT

    (seen,) = arm.seen
    assert seen.method == "GET"
    assert seen.target == f"/subscriptions/{subscription}?api-version=2020-01-01"


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"tenantId": TENANT},
        {"subscriptionId": "another", "tenantId": TENANT},
        {"subscriptionId": "SAME", "tenantId": None},
        {"subscriptionId": "SAME", "tenantId": 7},
    ],
)
def test_an_answer_that_tells_none_is_no_answer(cloud, arm, subscription, answer, body) -> None:
    if isinstance(body, dict) and body.get("subscriptionId") == "SAME":
        body = {**body, "subscriptionId": subscription}
    arm.answers = [answer(body=body)]

    with pytest.raises(Unavailable, match=r"get subscription .*the answer"):
        cloud.tenant(subscription)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Rejected),
        (401, AuthenticationFailed),
        (403, Forbidden),
        (404, NotFound),
        (500, Unavailable),
    ],
)
def test_refusals_are_told_apart(cloud, arm, subscription, fail, status, kind) -> None:
    arm.answers = [fail(status, "Code")] * 4

    with pytest.raises(kind, match=r"get subscription .*Code"):
        cloud.tenant(subscription)
