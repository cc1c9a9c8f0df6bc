"""Two desired states beside each other: which groups are one, and what differs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.compare import compared, compared_homes
from reconciler.core.diff import ChangeKind
from reconciler.core.finding import Mark, Position
from reconciler.core.groups import (
    DesiredGroup,
    DesiredResourceGroup,
    GroupPolicy,
    Secret,
    SecretState,
)
from reconciler.core.ids import GroupId, ResourceGroupId
from reconciler.core.jsonval import pointer
from reconciler.core.normalise import canonical

SECRET = "/properties/containers/web/properties/environmentVariables/P/secureValue"


def body(image: str = "nginx:1", **more: object):
    variables = [{"name": "P"}] if more.pop("has_secret", False) else []
    inside = {"image": image, "environmentVariables": variables, **more}
    return {"properties": {"containers": [{"name": "web", "properties": inside}]}}


def group(name="web", home="rg", line=1, file="a.yaml", subscription="1", **more) -> DesiredGroup:
    tags, policy = more.pop("tags", {}), more.pop("policy", GroupPolicy())
    secrets = more.pop("secrets", ())
    wire = body(**more)
    return DesiredGroup(
        id=GroupId(subscription=subscription, resource_group=home, name=name),
        body=wire,
        canonical=canonical(wire),
        tags=tags,
        secrets=secrets,
        policy=policy,
        where=Position(file=file, mark=Mark(line, 1)),
    )


def secret(source=None, value=None) -> Secret:
    return Secret(
        path=(),
        name=SECRET,
        state=SecretState.UNRESOLVED,
        where=Position(file="a.yaml", mark=Mark(1, 1)),
        value=value,
        source=source,
    )


def pairs(before, after):
    return [
        (one.before and str(one.before.id), one.after and str(one.after.id))
        for one in compared(before, after)
    ]


def changes(before: DesiredGroup, after: DesiredGroup):
    (one,) = compared([before], [after])
    return [(pointer(c.path), c.kind, c.before, c.after) for c in one.diff.changes]


def test_one_manifest_is_one_group_whatever_the_environments_call_it():
    before = [group("web-dev", "rg-dev", 1), group("db", "rg-dev", 2)]
    after = [group("web-prod", "rg-prod", 1), group("db", "rg-prod", 2)]

    assert pairs(before, after) == [
        ("rg-dev/db", "rg-prod/db"),
        ("rg-dev/web-dev", "rg-prod/web-prod"),
    ]


def test_without_a_common_manifest_resource_group_and_name_come_before_the_name_alone():
    before = [group("web", "shared", 1, "dev.yaml"), group("web", "rg-dev", 2, "dev.yaml")]
    after = [group("web", "rg-prod", 1, "prod.yaml"), group("WEB", "Shared", 2, "prod.yaml")]

    assert pairs(before, after) == [("rg-dev/web", "rg-prod/web"), ("shared/web", "Shared/WEB")]


def test_a_name_that_one_side_has_twice_is_no_pair():
    before = [group("web", "a", 1, "dev.yaml"), group("web", "b", 2, "dev.yaml")]
    after = [group("web", "c", 1, "prod.yaml")]

    assert pairs(before, after) == [("a/web", None), ("b/web", None), (None, "c/web")]


def test_where_a_group_lives_is_no_difference():
    (one,) = compared([group(home="a", subscription="1")], [group(home="b", subscription="2")])

    assert one.is_equal


def test_a_group_that_one_side_lacks_is_not_equal():
    (one,) = compared([group()], [])

    assert not one.is_equal
    assert not one.diff


def test_the_order_and_the_sides_do_not_matter_to_the_pairs():
    some = [group("b", line=2), group("a", line=1)]

    assert pairs(some, some[::-1]) == [("rg/a", "rg/a"), ("rg/b", "rg/b")]
    assert all(one.is_equal for one in compared(some, some))


def test_fields_differ_from_the_first_to_the_second():
    path = "/properties/containers/web/properties/image"

    assert changes(group(), group(image="nginx:2")) == [
        (path, ChangeKind.CHANGED, "nginx:1", "nginx:2")
    ]


def test_tags_are_compared_whole_and_their_keys_without_case():
    found = changes(group(tags={"Team": "a", "x": "1"}), group(tags={"team": "a", "y": "2"}))

    assert found == [
        ("/tags/x", ChangeKind.REMOVED, "1", None), ("/tags/y", ChangeKind.ADDED, None, "2"),
    ]  # fmt: skip


def test_what_may_be_done_to_a_group_is_part_of_what_is_wanted():
    one = GroupPolicy(depends_on=(group("db", "rg-dev").id,))
    other = GroupPolicy(
        protect=True, depends_on=(group("db", "rg-prod").id,), ignore=(("properties", "sku"),)
    )

    assert changes(group(policy=one), group(policy=other)) == [
        ("/reconcile/ignore", ChangeKind.ADDED, None, ["/properties/sku"]),
        ("/reconcile/protect", ChangeKind.CHANGED, False, True),
    ]


def test_a_time_to_wait_is_told_member_by_member():
    from datetime import timedelta

    usual = GroupPolicy()
    longer = replace(usual, wait=replace(usual.wait, timeout=timedelta(hours=1, seconds=5)))

    assert changes(group(policy=usual), group(policy=longer)) == [
        ("/reconcile/wait/timeout", ChangeKind.CHANGED, "10m", "1h5s")
    ]


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        (secret({"fromEnv": "A"}), secret({"fromEnv": "A"}), None),
        (secret({"fromEnv": "A"}, "x"), secret({"fromEnv": "A"}, "y"), None),
        (secret({"fromEnv": "A"}), secret({"fromEnv": "B"}), ChangeKind.CHANGED),
        (secret({"fromEnv": "A"}), secret(value="A"), ChangeKind.CHANGED),
        (secret(value="A"), secret(value="A"), None),
        (secret(value="A"), secret(value="B"), ChangeKind.CHANGED),
        (secret(), secret(), None),
        (None, secret(value="A"), ChangeKind.ADDED),
        (secret(value="A"), None, ChangeKind.REMOVED),
    ],
)
def test_secrets_differ_by_what_the_manifest_says_and_carry_no_value(one, other, kind):
    before = group(has_secret=True, secrets=(one,) if one else ())
    after = group(has_secret=True, secrets=(other,) if other else ())

    assert changes(before, after) == ([(SECRET, kind, None, None)] if kind else [])


def test_an_element_that_comes_brings_its_secret_with_it():
    after = group(has_secret=True, secrets=(secret(value="A"),))

    assert [path for path, *_ in changes(group(), after)] == [SECRET.rpartition("/")[0]]


# Resource groups


def home(name="rg", location="westeurope", line=1, file="rg.yaml", subscription="1", **tags):
    return DesiredResourceGroup(
        id=ResourceGroupId(subscription=subscription, name=name),
        location=location,
        tags=tags,
        where=Position(file=file, mark=Mark(line, 1)),
    )


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([home("rg-test")], [home("rg-prod", subscription="2")], [("rg-test", "rg-prod")]),
        ([home("rg", file="a.yaml")], [home("RG", file="b.yaml")], [("rg", "RG")]),
        ([home("one")], [home("two", line=2)], [("one", None), (None, "two")]),
        ([], [home("rg")], [(None, "rg")]),
        (
            [home("rg", line=2), home("b")],
            [home("c"), home("rg", line=9)],
            [("b", "c"), ("rg", "rg")],
        ),
    ],
    ids=["one manifest", "one name", "neither", "one side", "each by its own"],
)
def test_which_resource_groups_are_one(before, after, expected):
    found = [
        (one.before and str(one.before.id), one.after and str(one.after.id))
        for one in compared_homes(before, after)
    ]

    assert found == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (home(), home(), []),
        (home("rg-test", subscription="1"), home("rg-prod", subscription="2"), []),
        (home(location="westeurope"), home(location="West Europe"), []),
        (home(Team="a"), home(team="a"), []),
        (
            home(location="westeurope", team="a", old="x"),
            home(location="northeurope", team="b", new="y"),
            [
                ("/location", ChangeKind.CHANGED, "westeurope", "northeurope"),
                ("/tags/new", ChangeKind.ADDED, None, "y"),
                ("/tags/old", ChangeKind.REMOVED, "x", None),
                ("/tags/team", ChangeKind.CHANGED, "a", "b"),
            ],
        ),
    ],
    ids=["nothing", "where it lives", "another spelling", "a tag in other case", "all of it"],
)
def test_what_differs_between_resource_groups(before, after, expected):
    (one,) = compared_homes([before], [after])

    assert [
        (pointer(change.path), change.kind, change.before, change.after)
        for change in one.diff.changes
    ] == expected
    assert one.is_equal is not bool(expected)
