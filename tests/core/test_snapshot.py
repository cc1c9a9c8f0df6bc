"""What a snapshot keeps of a live group, and what can be compared against it."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import pytest
from hypothesis import given as examples
from hypothesis import settings

from reconciler.core.diff import diff
from reconciler.core.groups import live_group
from reconciler.core.ids import GroupId
from reconciler.core.jsonval import pointer
from reconciler.core.ownership import (
    NORMALISER_VERSION,
    OWNER_TAG,
    STATE_TAG,
    SecretKey,
    StateTag,
    address_digest,
    desired_hash,
    format_state,
    parse_state,
    tag_key_digest,
)
from reconciler.core.properties import PROPERTIES, Access
from reconciler.core.snapshot import HIDDEN, restored, saved
from tests.core.conftest import SHARED, read
from tests.core.given import KEY, OWNER
from tests.core.test_recorded import manifest, ours, without_views
from tests.strategies import bodies, desired_of

RECORDED = read("azure-traffic/groups.json")
OTHER_KEY = SecretKey(b"another key for tests")
WEB = GroupId(
    subscription="00000000-0000-0000-0000-000000000000", resource_group="rg-shop", name="web"
)
PRIVATE = ("value", "command", "repository", "path", "settings")


def body_of(**container):
    """A live group of one container."""
    properties = {
        "image": "nginx:1",
        "resources": {"requests": {"cpu": 1.0, "memoryInGB": 1.5}},
        **container,
    }
    return {
        "id": WEB.arm,
        "name": "web",
        "type": "Microsoft.ContainerInstance/containerGroups",
        "location": "westeurope",
        "tags": {},
        "properties": {
            "osType": "Linux",
            "provisioningState": "Succeeded",
            "containers": [{"name": "web", "properties": properties}],
        },
    }


def wanted_of(body):
    """What a manifest that equals a live body asks for."""
    return desired_of({k: v for k, v in body.items() if k not in ("id", "name", "type")}, WEB)


def private_values(value, name=""):
    """Every text that stands where people put secrets, by the table's own words for it."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from private_values(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from private_values(item, name)
    elif isinstance(value, str) and name in PRIVATE:
        yield value


@pytest.fixture(params=RECORDED or [None], ids=lambda one: one and f"{one['source']}-{one['name']}")
def recorded(request):
    if request.param is None:
        pytest.skip(f"no azure-traffic/groups.json at {SHARED}")
    return request.param


@pytest.mark.parametrize("key", [KEY, None], ids=["digests", "left out"])
def test_a_recorded_answer_plans_the_same_from_a_snapshot(recorded, key):
    desired = manifest(recorded)
    live = ours(desired, without_views(recorded["get"]))

    again, unknown = restored(saved(live, owner=OWNER, key=key), desired, key)

    assert again.canonical == live.canonical
    assert (again.id, again.provisioning) == (live.id, live.provisioning)
    assert not diff(desired, again)
    assert bool(unknown) == (key is None and bool([*private_values(recorded["put"])]))


@pytest.mark.parametrize("key", [KEY, None], ids=["digests", "left out"])
def test_no_private_text_of_a_recorded_answer_is_in_a_snapshot(recorded, key):
    live = ours(manifest(recorded), recorded["get"])

    kept = saved(live, owner=OWNER, key=key)

    assert [*private_values(kept)] == []
    assert "instanceView" not in json.dumps(kept)


@settings(max_examples=60, deadline=None)
@examples(bodies)
def test_what_is_kept_and_put_back_is_what_was(body):
    desired = desired_of(body, WEB)
    live = live_group({**body, "id": WEB.arm, "tags": {}})

    again, unknown = restored(saved(live, owner=OWNER, key=KEY), desired, KEY)

    assert (again.canonical, unknown) == (live.canonical, ())


@pytest.mark.parametrize(
    ("was", "becomes", "at", "shown"),
    [
        (
            {"environmentVariables": [{"name": "MODE", "value": "blue"}]},
            {"environmentVariables": [{"name": "MODE", "value": "green"}]},
            "/properties/containers/web/properties/environmentVariables/MODE/value",
            HIDDEN,
        ),
        (
            {"command": ["run", "--token=a"]},
            {"command": ["run", "--token=b"]},
            "/properties/containers/web/properties/command",
            [HIDDEN],
        ),
        (
            {"command": ["run"]},
            {},
            "/properties/containers/web/properties/command",
            HIDDEN,
        ),
    ],
)
def test_a_value_that_differs_is_seen_and_not_told(was, becomes, at, shown):
    desired = wanted_of(body_of(**becomes))
    kept = saved(live_group(body_of(**was)), owner=OWNER, key=KEY)

    live, unknown = restored(kept, desired, KEY)

    (change,) = diff(desired, live).changes
    assert (pointer(change.path), change.before, unknown) == (at, shown, ())


@pytest.mark.parametrize("key", [None, OTHER_KEY], ids=["no key", "another key"])
def test_without_its_key_a_digest_is_not_compared(key):
    was = body_of(environmentVariables=[{"name": "MODE", "value": "blue"}])
    desired = wanted_of(body_of(environmentVariables=[{"name": "MODE", "value": "green"}]))
    kept = saved(live_group(was), owner=OWNER, key=KEY)

    # Whoever calls takes a key of another id for none.
    live, unknown = restored(kept, desired, key if key is None or key.id == KEY.id else None)

    assert not diff(desired, live)
    assert [pointer(path).rsplit("/", 2)[-2] for path in unknown] == ["MODE"]


def test_equal_values_in_two_places_have_unequal_digests():
    env = [{"name": "A", "value": "same"}, {"name": "B", "value": "same"}]

    kept = saved(live_group(body_of(environmentVariables=env)), owner=OWNER, key=KEY)

    held = kept["properties"]["containers"][0]["properties"]["environmentVariables"]
    assert len({one["value"]["hmac"] for one in held}) == 2


def test_a_variable_that_appears_or_goes_needs_no_key():
    was = body_of(environmentVariables=[{"name": "OLD", "value": "x"}])
    desired = wanted_of(body_of(environmentVariables=[{"name": "NEW", "value": "y"}]))

    live, unknown = restored(saved(live_group(was), owner=OWNER, key=None), desired, None)

    changes = {
        pointer(c.path).rsplit("/", 1)[-1]: c.kind.value for c in diff(desired, live).changes
    }
    assert (changes, unknown) == ({"OLD": "removed", "NEW": "added"}, ())


def test_what_nobody_knows_is_not_kept():
    body = body_of(environmentVariables=[{"name": "A", "value": "x", "note": "CANARY"}])
    body["properties"]["madeUp"] = {"deep": "CANARY"}
    body["etag"] = "CANARY"

    kept = saved(live_group(body), owner=OWNER, key=KEY)

    assert "CANARY" not in json.dumps(kept)


def test_write_only_values_are_not_kept_even_where_azure_should_answer_them():
    body = body_of(environmentVariables=[{"name": "A", "secureValue": "CANARY"}])
    body["properties"]["imageRegistryCredentials"] = [
        {"server": "s", "username": "u", "password": "CANARY"}
    ]
    body["properties"]["volumes"] = [{"name": "v", "secret": {"file": "CANARY"}}]

    kept = saved(live_group(body), owner=OWNER, key=KEY)

    assert "CANARY" not in json.dumps(kept)
    assert kept["properties"]["volumes"] == [{"name": "v", "secret": {}}]


def test_no_hash_is_kept_that_would_tell_a_guess_right():
    body = body_of(environmentVariables=[{"name": "PIN", "value": "1234"}])
    desired = wanted_of(body)
    state = StateTag(
        address=address_digest(WEB),
        hash_version=NORMALISER_VERSION,
        spec=desired_hash(desired),
        key_id=KEY.id,
        tag_keys=frozenset({tag_key_digest("team")}),
        not_taken=frozenset({"abcde"}),
        commit="abc1234",
        protect=True,
    )
    tags = {OWNER_TAG: OWNER, STATE_TAG: format_state(state), "team": "shop"}

    kept = saved(live_group({**body, "tags": tags}), owner=OWNER, key=KEY)

    found = parse_state(kept["tags"][STATE_TAG])
    assert found == replace(state, hash_version=0, spec="", not_taken=frozenset())
    assert state.spec not in json.dumps(kept)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("2;abcdefghijklmn;n1:anything", "2;abcdefghijklmn"),
        ("nothing of ours", ""),
    ],
)
def test_a_state_tag_of_another_making_keeps_what_is_understood_of_it(text, kept):
    body = {**body_of(), "tags": {OWNER_TAG: OWNER, STATE_TAG: text}}

    assert saved(live_group(body), owner=OWNER, key=None)["tags"][STATE_TAG] == kept


def test_of_somebody_elses_group_only_its_name_and_owner_are_kept():
    env = [{"name": "A", "value": "x"}]
    body = {**body_of(environmentVariables=env), "tags": {OWNER_TAG: "else", "cost": "42"}}

    kept = saved(live_group(body), owner=OWNER, key=KEY)

    assert kept["tags"] == {OWNER_TAG: "else"}
    assert kept["properties"] == {"provisioningState": "Succeeded"}


def test_what_is_kept_does_not_change_the_live_group():
    body = body_of(environmentVariables=[{"name": "A", "value": "x"}])
    before = copy.deepcopy(body)

    saved(live_group(body), owner=OWNER, key=KEY)

    assert body == before


def test_private_rows_are_ones_that_come_back():
    private = [row for row in PROPERTIES if row.private]

    assert {row.path[-1] for row in private} == {*PRIVATE}
    assert all(row.access is Access.READ_WRITE for row in private)
