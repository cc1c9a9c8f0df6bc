"""Nothing missed, nothing invented: what differs between a desired and a live group."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.diff import (
    ChangeKind,
    Diff,
    FieldChange,
    compared_secrets,
    diff,
    is_rotation,
    spec_changes,
)
from reconciler.core.groups import SecretState
from reconciler.core.normalise import canonical, list_key
from reconciler.core.ownership import SecretKey, state_of
from reconciler.core.properties import Access, Effect, Fold, row_of
from tests.core.full import full_body
from tests.core.given import (
    KEY,
    body_of,
    bounded,
    container,
    only,
    owned,
    public,
    seldom,
    unowned,
    unsaid,
    wanted,
    with_variables,
)
from tests.strategies import bodies, desired_of, live_of

_EMPTY = ({}, [], None)


def leaves(value, wire=(), path=()):
    """Every leaf of a body: where it lies, and how its path reads in canonical form."""
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from leaves(item, (*wire, name), (*path, name))
        return
    row = row_of(path)
    has_key = row is not None and len(row.path) == len(path) and row.key
    if isinstance(value, list) and has_key:
        for index, item in enumerate(value):
            yield from leaves(item, (*wire, index), (*path, list_key(item, row)))
        return
    if value not in _EMPTY or isinstance(value, bool):
        yield wire, path


def other(value, row):
    """Another value of the same kind."""
    if row is not None and row.values:
        return next(name for name in row.values if name.lower() != str(value).lower())
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    if isinstance(value, list):
        return [*value, *([value[0]] if value else ["one more"])]
    return f"{value}x"


def changed(body, wire, value):
    """A copy of `body` with another value at one place."""
    found = copy.deepcopy(body)
    holder = found
    for part in wire[:-1]:
        holder = holder[part]
    holder[wire[-1]] = value
    return found


def without(body, wire):
    """A copy of `body` that lacks one member."""
    found = copy.deepcopy(body)
    holder = found
    for part in wire[:-1]:
        holder = holder[part]
    del holder[wire[-1]]
    return found


def at(body, wire):
    for part in wire:
        body = body[part]
    return body


def element_of(path):
    """The path of the element whose key this leaf is part of, None where it is no key."""
    holder = row_of(path[:-2])
    is_key = holder is not None and len(holder.path) == len(path) - 2 and path[-1] in holder.key
    return path[:-1] if is_key else None


def folded(path):
    """Ids and regions read in lower case in a path."""
    return tuple(
        part.lower()
        if row_of(path[: i + 1]) and row_of(path[:i]) and row_of(path[:i]).fold is Fold.RESOURCE_ID
        else part
        for i, part in enumerate(path)
    )


FULL = list(leaves(full_body()))


@pytest.mark.parametrize(("wire", "path"), FULL, ids=["/".join(path) for _, path in FULL])
def test_a_changed_leaf_is_the_one_thing_that_differs(wire, path):
    row = row_of(path)
    body = full_body()
    mutant = changed(body, wire, other(at(body, wire), row))
    live = owned(desired_of(body))

    found = diff(desired_of(mutant), live, state=state_of(live), key=KEY).changes

    assert_in_its_class(path, row, found)


def assert_in_its_class(path, row, found):
    if row.access is Access.WRITE_ONLY:
        assert [change.sensitive for change in found] == [True]
        assert [change.path[: len(row.path)] for change in found] == [path[: len(row.path)]]
        return
    element = element_of(path)
    if element is not None:
        by_kind = {
            change.kind: change for change in found if change.path[:-1] == folded(element)[:-1]
        }
        assert set(by_kind) == {ChangeKind.ADDED, ChangeKind.REMOVED}
        assert by_kind[ChangeKind.REMOVED].path == folded(element)
        return
    assert only(found) == ["/".join(folded(path))]
    assert found[0].effect is row.effect
    assert found[0].kind is ChangeKind.CHANGED


@bounded
@given(st.data(), bodies)
def test_any_changed_leaf_of_any_body_is_found(data, body):
    wire, path = data.draw(st.sampled_from(list(leaves(body))))
    row = row_of(path)
    if row.only_with and not at(body, wire[:-1]).get(row.only_with):
        return  # Azure drops it, so does the canonical form
    mutant = changed(body, wire, other(at(body, wire), row))
    live = owned(desired_of(body))

    found = diff(desired_of(mutant), live, state=state_of(live), key=KEY).changes

    assert found
    is_half_of_a_policy = path[-1] == "sku"  # a confidential group is served with a policy
    if element_of(path) is None and not is_half_of_a_policy and row.access is not Access.WRITE_ONLY:
        assert {change.path for change in found} == {folded(path)}


OPTIONAL = [(wire, path) for wire, path in FULL if element_of(path) is None]


@pytest.mark.parametrize(("wire", "path"), OPTIONAL, ids=["/".join(path) for _, path in OPTIONAL])
def test_a_removed_leaf_differs_unless_it_said_the_default(wire, path):
    row = row_of(path)
    body = full_body()
    live = owned(desired_of(body))

    found = diff(desired_of(without(body, wire)), live, state=state_of(live), key=KEY).changes

    if row.access in (Access.ASSIGNED, Access.UNCONFIRMED):
        assert found == ()
    elif row.access is Access.WRITE_ONLY:
        assert found and all(change.sensitive for change in found)
    elif path[-1] == "dnsNameLabel":
        assert only(found) == ["properties/ipAddress/dnsNameLabel"]  # its scope goes with it
    elif path[:2] == ("identity", "userAssignedIdentities") or path == ("identity", "type"):
        assert {change.path[0] for change in found} == {"identity"}
    else:
        assert [change.path for change in found] == [folded(path)]
        assert found[0].effect is row.effect


@seldom
@given(bodies, bodies)
def test_two_groups_differ_exactly_where_their_canonical_forms_do(one, another):
    first, second = canonical(one), canonical(another)

    found = spec_changes(first, second)

    assert bool(found) == (_compared(first) != _compared(second))
    assert len({change.path for change in found}) == len(found)


def _compared(form):
    """A canonical form without what Azure may choose."""
    form = copy.deepcopy(form)
    form["properties"].pop("confidentialComputeProperties", None)
    for subnet in form["properties"].get("subnetIds", {}).values():
        subnet.pop("name", None)
    inits = form["properties"].get("initContainers", {})
    order = inits.pop("(order)", None)
    return form, order


@seldom
@given(bodies, bodies)
def test_a_diff_turned_round_names_the_same_paths(one, another):
    first, second = canonical(one), canonical(another)

    there = {change.path for change in spec_changes(first, second) if _is_symmetric(change)}
    back = {change.path for change in spec_changes(second, first) if _is_symmetric(change)}

    assert there == back


def _is_symmetric(change):
    """What Azure chooses, or drops, is a change only where the manifest says it."""
    return change.path[-1] not in ("autoGeneratedDomainNameLabelScope", "ccePolicy")


def test_a_name_with_two_underscores_is_compared_like_any_other():
    """Deepdiff leaves such names out unless told otherwise."""
    desired = wanted(with_variables({"name": "__a", "value": "2"}))
    live = unowned(desired, with_variables({"name": "__a", "value": "1"}))

    found = diff(desired, live)

    assert only(found.changes) == [
        "properties/containers/web/properties/environmentVariables/__a/value"
    ]


def test_objects_with_little_in_common_are_compared_member_by_member():
    """Deepdiff reports such a pair as one change, and a renamed container would look in place."""
    desired = wanted(body_of(containers=[container("api", cpu=2)]))
    live = unowned(desired, body_of(containers=[container("web", cpu=1)]))

    found = diff(desired, live)

    assert only(found.changes) == ["properties/containers/api", "properties/containers/web"]
    assert found.effect is Effect.REPLACE


def test_a_tiny_difference_of_a_number_is_one():
    desired = wanted(body_of(containers=[container("web", cpu=0.1)]))
    live = unowned(desired, body_of(containers=[container("web", cpu=0.1 + 1e-15)]))

    assert diff(desired, live).effect is Effect.REPLACE


def test_a_container_more_is_in_place_only_while_the_sum_of_requests_stays():
    one = body_of(containers=[container("web", cpu=2)])
    two = body_of(containers=[container("web", cpu=1), container("side", cpu=1)])
    more = body_of(containers=[container("web", cpu=2), container("side", cpu=1)])
    renamed = body_of(containers=[container("api", cpu=2)])

    assert diff(wanted(more), unowned(wanted(one))).effect is Effect.REPLACE
    assert diff(wanted(renamed), unowned(wanted(one))).effect is Effect.UPDATE
    # Here the first container's own request moved.
    assert diff(wanted(two), unowned(wanted(one))).effect is Effect.REPLACE


def test_gpus_count_into_the_sum_of_requests():
    def with_gpu(name):
        found = container(name)
        found["properties"]["resources"]["requests"]["gpu"] = {"count": 1, "sku": "V100"}
        return found

    found = diff(
        wanted(body_of(containers=[container("a"), with_gpu("b")])),
        unowned(wanted(body_of(containers=[container("a"), container("c")]))),
    )
    assert found.effect is Effect.REPLACE


def test_a_label_that_is_added_takes_no_replace():
    """Its scope is Unsecure on both sides of the default: only the label changes (D.2)."""
    desired = wanted(body_of(ipAddress=public("shop-one")))
    live = unowned(desired, body_of(ipAddress=public()))

    found = diff(desired, live)

    assert only(found.changes) == ["properties/ipAddress/dnsNameLabel"]
    assert found.effect is Effect.UPDATE


def test_a_label_that_is_added_with_another_scope_says_both():
    desired = wanted(body_of(ipAddress=public("one", autoGeneratedDomainNameLabelScope="Noreuse")))
    live = unowned(desired, body_of(ipAddress=public()))

    assert diff(desired, live).effect is Effect.REPLACE


def test_init_containers_in_another_order_are_one_change():
    one, two = container("a"), container("b")
    desired = wanted(body_of(initContainers=[two, one]))

    found = diff(desired, unowned(desired, body_of(initContainers=[one, two])))

    assert only(found.changes) == ["properties/initContainers/(order)"]


def test_init_containers_that_appear_have_no_order_to_change():
    desired = wanted(body_of(initContainers=[container("a"), container("b")]))

    found = diff(desired, unowned(desired, body_of()))

    assert only(found.changes) == ["properties/initContainers/a", "properties/initContainers/b"]


def test_an_object_that_appears_is_reported_field_by_field():
    desired = wanted(body_of(ipAddress=public("shop-one")))

    found = diff(desired, unowned(desired, body_of()))

    assert only(found.changes) == [
        "properties/ipAddress/dnsNameLabel",
        "properties/ipAddress/ports/80/TCP",
        "properties/ipAddress/type",
    ]
    assert {change.kind for change in found.changes} == {ChangeKind.ADDED}


def test_a_list_without_keys_is_one_value():
    def with_command(*words):
        return body_of(containers=[container("web", command=list(words))])

    found = diff(wanted(with_command("a", "b")), unowned(wanted(with_command("a", "c", "b"))))

    assert only(found.changes) == ["properties/containers/web/properties/command"]
    assert (found.changes[0].before, found.changes[0].after) == (["a", "c", "b"], ["a", "b"])


@pytest.mark.parametrize("way", ["to secure", "to plain"])
def test_a_value_that_becomes_secure_shows_nothing(way):
    plain = with_variables({"name": "A", "value": "hunter2"})
    secure = with_variables({"name": "A", "secureValue": "hunter2"})
    desired, live = (secure, plain) if way == "to secure" else (plain, secure)

    found = diff(wanted(desired), unowned(wanted(live)))

    assert [change.sensitive for change in found.changes] == [True]
    assert "hunter2" not in repr(found)


def test_a_policy_that_azure_filled_in_is_no_difference_and_one_that_was_stated_is():
    def with_policy(policy):
        return body_of(confidentialComputeProperties={"ccePolicy": policy})

    assert not diff(wanted(body_of()), unowned(wanted(body_of()), with_policy("a")))
    stated = diff(wanted(with_policy("a")), unowned(wanted(body_of())))
    assert only(stated.changes) == ["properties/confidentialComputeProperties/ccePolicy"]
    assert stated.effect is Effect.REPLACE
    assert (
        diff(wanted(with_policy("b")), unowned(wanted(with_policy("a")))).effect is Effect.REPLACE
    )


def test_what_is_ignored_does_not_differ():
    root = ("properties", "containers", "web", "properties", "environmentVariables")
    desired = wanted(
        with_variables({"name": "B", "value": "2"}), ignore=((*root, "A"), (*root, "B"))
    )

    assert not diff(desired, unowned(desired, with_variables({"name": "A", "value": "1"})))


TAGS = [
    ("a key more", {"team": "a"}, {}, ["tags/team"]),
    ("another value", {"team": "a"}, {"team": "b"}, ["tags/team"]),
    ("another case of the key", {"team": "a"}, {"Team": "a"}, []),
    ("a tag of others", {}, {"policy": "x"}, []),
]


@pytest.mark.parametrize(("why", "desired", "live", "paths"), TAGS, ids=[row[0] for row in TAGS])
def test_tags_differ(why, desired, live, paths):
    found = diff(wanted(tags=desired), unowned(wanted(), tags=live))

    assert only(found.changes) == paths
    assert found.effect is (Effect.TAGS if paths else None)


def test_a_key_we_set_once_and_want_no_more_is_removed_and_one_of_others_is_not():
    live = owned(wanted(tags={"team": "a", "stage": "b"}), extra={"policy": "x"})

    found = diff(wanted(tags={"team": "a"}), live, state=state_of(live))

    assert only(found.changes) == ["tags/stage"]
    assert found.changes[0].kind is ChangeKind.REMOVED


def test_our_two_tags_are_outside_every_diff():
    live = owned(wanted(tags={"team": "a"}))

    assert not diff(wanted(tags={"team": "a"}), live, state=state_of(live), key=KEY)
    assert not diff(wanted(tags={"team": "a"}), live)


def secure(**values):
    return with_variables(*({"name": n, "secureValue": v} for n, v in values.items()))


def test_a_rotated_secret_is_named_and_not_shown():
    live = owned(wanted(secure(A="hunter2", B="same")))

    found = diff(wanted(secure(A="hunter3", B="same")), live, state=state_of(live), key=KEY)

    assert only(found.changes) == [
        "properties/containers/web/properties/environmentVariables/A/secureValue"
    ]
    assert found.effect is Effect.UPDATE
    assert "hunter" not in repr(found)


@pytest.mark.parametrize("number", [1, 41, 60])
def test_any_number_of_secrets_is_compared(number):
    values = {f"V{i}": f"value {i}" for i in range(number)}
    live = owned(wanted(secure(**values)))
    rotated = {**values, "V0": "another"}

    same = diff(wanted(secure(**values)), live, state=state_of(live), key=KEY)
    moved = diff(wanted(secure(**rotated)), live, state=state_of(live), key=KEY)

    assert not same
    is_merged = state_of(live).secrets_merged
    assert is_merged == (number > 24)
    assert only(moved.changes) == (
        ["(secrets)"]
        if is_merged
        else ["properties/containers/web/properties/environmentVariables/V0/secureValue"]
    )


def test_a_secret_that_left_is_a_change_of_its_own():
    credential = {"server": "s", "username": "u", "password": "hunter2"}
    identity = {"server": "s", "username": "u"}
    live = owned(wanted(body_of(imageRegistryCredentials=[credential])))
    desired = wanted(body_of(imageRegistryCredentials=[identity]))

    found = diff(desired, live, state=state_of(live), key=KEY)

    assert only(found.changes) == ["(secrets)"]


def test_secrets_are_compared_only_with_the_same_key_and_a_value():
    desired = wanted(secure(A="hunter2"))
    live = owned(desired)
    state = state_of(live)

    assert compared_secrets(desired, state, KEY) == desired.secrets
    assert not compared_secrets(desired, state, None)
    assert not compared_secrets(desired, None, KEY)
    assert not compared_secrets(desired, state, SecretKey(b"another key"))
    assert not compared_secrets(desired, state_of(owned(desired, key=None)), KEY)
    for lacking in (SecretState.UNKNOWN, SecretState.UNRESOLVED):
        assert not compared_secrets(unsaid(desired, lacking), state, KEY)


@pytest.mark.parametrize("number", [2, 60])
def test_a_secret_that_cannot_be_resolved_hides_no_other_unless_they_are_merged(number):
    values = {f"V{i}": f"value {i}" for i in range(number)}
    live = owned(wanted(secure(**values)))
    moved = wanted(secure(**{**values, "V0": "another"}))
    rest = unsaid(moved, SecretState.UNRESOLVED).secrets[1:]

    found = diff(
        replace(moved, secrets=(moved.secrets[0], *rest)), live, state=state_of(live), key=KEY
    )

    seen = ["properties/containers/web/properties/environmentVariables/V0/secureValue"]
    assert only(found.changes) == ([] if number == 60 else seen)


def test_of_merged_secrets_one_or_more_changed():
    values = {f"V{i}": f"value {i}" for i in range(60)}
    live = owned(wanted(secure(**values)))

    (change,) = diff(
        wanted(secure(**{**values, "V7": "another"})), live, state=state_of(live), key=KEY
    ).changes

    assert len(change.among) == 60
    assert change.sensitive


def test_a_diff_is_sorted_and_false_when_empty():
    desired = wanted(body_of(image="b", restartPolicy="Never"), tags={"a": "b"})
    found = diff(desired, unowned(desired, body_of(image="a")))

    assert list(found.changes) == sorted(found.changes, key=lambda change: change.path)
    assert not Diff()
    assert Diff().effect is None


def test_a_body_that_is_not_shaped_like_one_still_differs():
    desired = wanted()
    for properties in ("text", [], {"containers": "text"}, {"containers": {"web": 1}}):
        live = replace(live_of(body_of()), canonical=canonical({"properties": properties}))

        assert diff(desired, live).changes


SAFE = {"name": "DSN", "secureValue": "hunter2"}
PLAIN = {"name": "DSN", "value": "hunter2"}


def test_what_was_plain_and_becomes_a_secret_is_not_shown():
    found = diff(wanted(with_variables(SAFE)), unowned(wanted(), with_variables(PLAIN)))

    assert any(change.sensitive for change in found.changes)
    assert "hunter2" not in repr(found)


def test_what_was_a_secret_and_becomes_plain_is_not_shown():
    found = diff(wanted(with_variables(PLAIN)), unowned(wanted(), with_variables(SAFE)))

    assert [change.sensitive for change in found.changes] == [True]
    assert "hunter2" not in repr(found)


def test_a_variable_of_another_name_is_shown():
    now = with_variables(SAFE, {"name": "LEVEL", "value": "debug"})
    then = with_variables(SAFE, {"name": "LEVEL", "value": "info"})

    (change,) = diff(wanted(now), unowned(wanted(), then)).changes

    assert (change.before, change.after) == ("info", "debug")


def test_a_plain_value_beside_a_secret_of_its_name_is_no_rotated_secret():
    """Two containers have a variable of one name, a secret in one and plain in the other."""

    def both(value):
        found = with_variables(SAFE)
        other = with_variables({"name": "DSN", "value": value})
        second = copy.deepcopy(other["properties"]["containers"][0])
        found["properties"]["containers"].append({**second, "name": "second"})
        return found

    live = owned(wanted(both("old")))

    (change,) = diff(wanted(both("new")), live, state=state_of(live), key=KEY).changes

    assert change.path[2] == "second"
    assert not is_rotation(change)


def test_what_is_ignored_moves_no_sum_of_requests():
    side = container("side", cpu=0.5)
    ignored = (("properties", "containers", "side"),)
    mine, live = body_of(), body_of()
    live["properties"]["containers"].append(side)
    renamed_now, more = copy.deepcopy(mine), copy.deepcopy(mine)
    renamed_now["properties"]["containers"][0]["name"] = "api"
    more["properties"]["containers"].append(container("b", cpu=0.5))

    effects = [
        diff(wanted(body, ignore=ignored), unowned(wanted(mine), live)).effect
        for body in (mine, renamed_now, more)
    ]

    assert effects == [None, Effect.UPDATE, Effect.REPLACE]


def test_a_sensitive_change_cannot_hold_a_value():
    with pytest.raises(ValueError, match="has no values"):
        FieldChange(
            path=("a",), kind=ChangeKind.CHANGED, effect=Effect.UPDATE, after="x", sensitive=True
        )
