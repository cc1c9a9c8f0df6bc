"""Lists: every page or an error, for a list read in part looks like groups that are gone."""

from __future__ import annotations

import pytest

from reconciler.errors import AzureError, Forbidden, NotFound, Unavailable


def test_all_pages_are_read_and_the_link_is_followed_as_it_is(
    cloud, arm, subscription, answer
) -> None:
    link = f"{arm.url}/next?api-version=2023-05-01&$skiptoken=a%2Fb%3D%3D&t=1"
    arm.answers = [
        answer(body={"value": [{"name": "a", "novel": 1}], "nextLink": link}),
        answer(body={"value": [{"name": "b"}], "nextLink": None}),
    ]

    assert cloud.groups(subscription) == [{"name": "a", "novel": 1}, {"name": "b"}]

    assert arm.seen[0].target == (
        f"/subscriptions/{subscription}/providers/Microsoft.ContainerInstance/containerGroups"
        "?api-version=2023-05-01"
    )
    assert arm.seen[1].target == "/next?api-version=2023-05-01&$skiptoken=a%2Fb%3D%3D&t=1"


@pytest.mark.parametrize(
    "link",
    [
        "http://evil.example/next",
        "//evil.example/next",
        "https://127.0.0.1/next",
        "http://127.0.0.1:1/next",
        "http://user@127.0.0.1:1/next",
        "http://evil.example\\@127.0.0.1/next",
        "file:///etc/passwd",
        "http://[::1",
        {"href": 1},
    ],
)
def test_a_link_to_another_place_is_refused(cloud, arm, subscription, answer, link) -> None:
    arm.answers = [answer(body={"value": [], "nextLink": link})]

    with pytest.raises(AzureError):
        cloud.groups(subscription)

    assert len(arm.seen) == 1


def test_the_refusal_of_a_foreign_link_names_it_without_its_signature(
    cloud, arm, subscription, answer
) -> None:
    link = "https://joe:pw@evil.example/next?sig=abc"
    arm.answers = [answer(body={"value": [], "nextLink": link})]

    with pytest.raises(AzureError, match=r"'https://evil\.example/next'") as caught:
        cloud.groups(subscription)

    assert "abc" not in str(caught.value)
    assert "pw" not in str(caught.value)


def test_pages_in_a_circle_end_in_an_error(cloud, arm, subscription, answer) -> None:
    page = {"value": [{"name": "a"}], "nextLink": f"{arm.url}/next"}
    arm.answers = [answer(body=page)]

    with pytest.raises(Unavailable, match="already read"):
        cloud.groups(subscription)


def test_a_list_whose_pages_never_end_is_given_up(
    cloud, arm, subscription, answer, monkeypatch
) -> None:
    monkeypatch.setattr("reconciler.arm.exchange._MOST_PAGES", 20)
    arm.answers = [
        lambda seen: answer(body={"value": [], "nextLink": f"{arm.url}/{len(arm.seen)}"})
    ]

    with pytest.raises(Unavailable, match="does not end: 20 pages"):
        cloud.groups(subscription)


def test_a_failed_second_page_fails_the_list(cloud, arm, subscription, answer, fail) -> None:
    arm.answers = [
        answer(body={"value": [{"name": "a"}], "nextLink": f"{arm.url}/next"}),
        fail(403, "AuthorizationFailed", "no permission"),
    ]

    with pytest.raises(Forbidden, match="list container groups of subscription"):
        cloud.groups(subscription)


@pytest.mark.parametrize(
    "body",
    [b"<html>Sign in to the proxy</html>", b"{", b"", b"null", [], {}, {"value": None}]
    + [{"value": ["a"]}, {"value": {}}, b"\xff\xfe\x00", b"[" * 100_000],
    ids=lambda body: repr(body)[:30],
)
def test_an_answer_that_is_no_list_is_an_error_and_not_an_empty_list(
    cloud, arm, subscription, answer, body
) -> None:
    arm.answers = [answer(body=body)]

    with pytest.raises(Unavailable, match="the answer is not"):
        cloud.groups(subscription)


def test_a_resource_group_that_does_not_exist_holds_no_list(
    cloud, arm, resource_group, fail
) -> None:
    arm.answers = [fail(404, "ResourceGroupNotFound", "Resource group 'x' could not be found.")]

    assert cloud.groups_in(resource_group) is None


@pytest.mark.parametrize("code", ["SubscriptionNotFound", "ResourceNotFound", ""])
def test_any_other_404_of_a_list_is_an_error(cloud, arm, resource_group, fail, code) -> None:
    arm.answers = [fail(404, code)]

    with pytest.raises(NotFound):
        cloud.groups_in(resource_group)


def test_names_are_escaped_in_the_path(cloud, arm, answer, resource_group) -> None:
    arm.answers = [answer(body={"value": []})]
    odd = type(resource_group)(subscription=resource_group.subscription, name="rg/../x?y")

    cloud.resources_in(odd)

    assert arm.seen[0].path.endswith("/resourceGroups/rg%2F..%2Fx%3Fy/resources")
