"""What the resource provider says of itself: its registration, and what a region has left."""

from __future__ import annotations

import pytest

from reconciler.errors import Conflict, Forbidden, NotFound, Unavailable

PROVIDER = "/providers/Microsoft.ContainerInstance"


@pytest.mark.parametrize("state", ["Registered", "NotRegistered", "Registering"])
def test_the_registration_is_one_get_and_azures_word(
    cloud, arm, subscription, answer, state
) -> None:
    arm.answers = [answer(body={"namespace": "x", "registrationState": state, "novel": [1]})]

    assert cloud.registration(subscription) == state

    (seen,) = arm.seen
    assert seen.method == "GET"
    assert seen.target == f"/subscriptions/{subscription}{PROVIDER}?api-version=2021-04-01"


@pytest.mark.parametrize("body", [{}, {"registrationState": None}, {"registrationState": 1}, []])
def test_an_answer_without_a_registration_state_is_no_answer(
    cloud, arm, subscription, answer, body
) -> None:
    arm.answers = [answer(body=body)]

    with pytest.raises(Unavailable, match=r"get resource provider .*the answer"):
        cloud.registration(subscription)


@pytest.mark.parametrize(
    ("status", "kind"), [(403, Forbidden), (404, NotFound), (409, Conflict), (500, Unavailable)]
)
@pytest.mark.parametrize("method", ["registration", "usages", "capabilities"])
def test_refusals_of_the_provider_are_told_apart(
    cloud, arm, subscription, fail, status, kind, method
) -> None:
    arm.answers = [fail(status, "Code")]
    where = () if method == "registration" else ("westeurope",)

    with pytest.raises(kind, match="Code"):
        getattr(cloud, method)(subscription, *where)


@pytest.mark.parametrize("what", ["usages", "capabilities"])
def test_all_pages_of_a_region_are_read(cloud, arm, subscription, answer, what) -> None:
    link = f"{arm.url}/next?$skiptoken=a"
    arm.answers = [
        answer(body={"value": [{"n": 1, "novel": 2}], "nextLink": link}),
        answer(body={"value": [{"n": 2}]}),
    ]

    found = getattr(cloud, what)(subscription, "westeurope")

    assert found == [{"n": 1, "novel": 2}, {"n": 2}]
    assert arm.seen[0].target == (
        f"/subscriptions/{subscription}{PROVIDER}/locations/westeurope/{what}"
        "?api-version=2023-05-01"
    )


def test_a_region_is_escaped_in_the_path(cloud, arm, subscription, answer) -> None:
    arm.answers = [answer(body={"value": []})]

    cloud.usages(subscription, "west/../x?y")

    assert arm.seen[0].path.endswith("/locations/west%2F..%2Fx%3Fy/usages")
