"""Two tags say whose a group is and what was last applied; each sentence of design 4 has a test.

1. A group is ours only if the owner tag names us and the address digest is its own.
2. Tags copied to another group give no ownership, so prune can never follow a copy (test_build).
3. Our two tags are outside every diff (test_diff).
4. An older or differently versioned state tag only makes a label unknown; a tool upgrade never
   writes (test_decide).
5. Protection and the tag keys we manage are kept up to date by `patch-tags` (test_decide).
6. No unkeyed hash, in a tag or a plan, covers a secret.
7. The first two fields of the state tag keep their meaning for ever.
8. Our owner tag with no readable state tag gives no ownership (here, and test_decide).
9. When 256 characters do not hold all, secrets are merged first, then the tag keys.
10. Tags of others are kept: a PUT sends the union. A key we set once and that left is removed.
11. Adoption, foreign owners (test_decide); orphans, moves, empty sets (test_build); resource groups
    (test_teardown); labels of changes (test_decide); the write that reads first is the executor's.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.ownership import (
    OWNER_TAG,
    STATE_LIMIT,
    STATE_TAG,
    Ownership,
    SecretKey,
    StateTag,
    address_digest,
    desired_hash,
    foreign_tags,
    format_state,
    live_hash,
    merged,
    merged_tag_keys,
    ownership_of,
    parse_state,
    state_after_tags,
    state_after_write,
    state_of,
    tag,
    tag_key_digest,
    written_tags,
)
from reconciler.core.plan import Action, ActionKind, Plan
from reconciler.core.removal import removal
from tests.core.given import (
    KEY,
    OWNER,
    body_of,
    bounded,
    container,
    owned,
    tagged,
    unowned,
    wanted,
    with_state,
    with_variables,
)
from tests.strategies import bodies, desired_groups, desired_of, group_id, tags

WEB = group_id("web")
FIELDS = dict(address=address_digest(WEB), hash_version=1, spec="0123456789abcdef")


def digests(number, size, prefix="d"):
    return frozenset(f"{prefix}{i:0{size - 1}}" for i in range(number))


def test_our_tags_on_the_group_they_were_written_for_are_ownership():
    assert ownership_of(owned(wanted()), OWNER) is Ownership.OURS


def test_a_group_without_our_tag_is_nobodys():
    assert ownership_of(unowned(wanted()), OWNER) is Ownership.NOBODYS


def test_tags_copied_to_another_group_give_no_ownership():
    original = owned(wanted())
    copy = replace(unowned(wanted(name="other")), tags=original.tags)

    assert ownership_of(copy, OWNER) is Ownership.COPIED


def test_the_same_name_in_another_resource_group_is_another_group():
    copy = replace(unowned(wanted(home="rg-other")), tags=owned(wanted()).tags)

    assert ownership_of(copy, OWNER) is Ownership.COPIED


@pytest.mark.parametrize(
    "text", ["", "1", "1;", "1;short;n1:x", ";;;", "x;AAAAAAAAAAAAAA", "{}", "²;AAAAAAAAAAAAAA"]
)
def test_our_owner_tag_with_no_readable_state_tag_gives_no_ownership(text):
    assert ownership_of(tagged(unowned(wanted()), OWNER, text), OWNER) is Ownership.UNREADABLE


def test_our_owner_tag_alone_gives_no_ownership():
    assert ownership_of(tagged(unowned(wanted()), OWNER), OWNER) is Ownership.UNREADABLE


@pytest.mark.parametrize("named", ["shop/prod", "sho", "SHOP", "", " shop"])
def test_owners_are_compared_whole(named):
    live = owned(wanted(), owner=named)

    assert ownership_of(live, OWNER) is Ownership.FOREIGN
    assert ownership_of(live, "shop/dev") is Ownership.FOREIGN


def test_tag_names_are_found_without_case():
    live = owned(wanted())
    shouted = replace(live, tags={key.upper(): value for key, value in live.tags.items()})

    assert ownership_of(shouted, OWNER) is Ownership.OURS
    assert tag({"Team": "a"}, "team") == "a"
    assert tag({}, "team") is None


def test_an_address_is_compared_without_case():
    live = owned(wanted())
    shouted = replace(live, id=replace(live.id, name="WEB", resource_group="RG-Shop"))

    assert ownership_of(shouted, OWNER) is Ownership.OURS


def test_the_first_two_fields_keep_their_meaning_for_ever():
    address = address_digest(WEB)

    for version in ("1", "2", "77"):
        found = parse_state(f"{version};{address};zwhatever;q")
        assert found.address == address
        assert found.is_current == (version == "1")


def test_the_digest_of_an_address_never_changes():
    """It binds tags that are out there: another value would orphan every group."""
    assert address_digest(group_id("web", "rg-shop")) == address_digest(group_id("WEB", "RG-SHOP"))
    assert address_digest(group_id("web", "rg-shop")) == "AqHBQSvv9iu65u"


_base64 = st.text(alphabet="ABCabc012-_", min_size=16, max_size=16)
_states = st.builds(
    StateTag,
    address=st.just(address_digest(WEB)),
    hash_version=st.integers(0, 99),
    spec=_base64,
    key_id=st.sampled_from(["", "abcde"]),
    secrets=st.integers(0, 60).map(lambda n: digests(n, 7)),
    tag_keys=st.integers(0, 60).map(lambda n: digests(n, 4)),
    commit=st.sampled_from(["", "abc1234", "0" * 40, "f" * 64]),
    protect=st.booleans(),
)


@bounded
@given(_states)
def test_a_state_tag_survives_its_text_as_far_as_it_fits(state):
    state = state if state.key_id else replace(state, secrets=frozenset())

    text = format_state(state)
    found = parse_state(text)

    assert len(text) <= STATE_LIMIT
    kept = replace(
        found,
        secrets=state.secrets,
        secrets_merged=False,
        tag_keys=state.tag_keys,
        tags_merged=False,
    )
    assert kept == state
    assert found.secrets == (
        frozenset({merged(state.secrets)}) if found.secrets_merged else state.secrets
    )
    assert found.tag_keys == (
        frozenset({merged_tag_keys(state.tag_keys)}) if found.tags_merged else state.tag_keys
    )


@bounded
@given(_states)
def test_a_tag_that_is_read_and_written_again_stays_the_same(state):
    text = format_state(state)

    assert format_state(parse_state(text)) == text


MERGES = [
    ("little of both", 5, 5, (False, False)),
    ("many secrets", 60, 5, (True, False)),
    ("many tags", 0, 60, (False, True)),
    ("many of both", 60, 60, (True, True)),
    ("a few secrets beside many tags go first", 5, 46, (True, False)),
]


@pytest.mark.parametrize(
    ("why", "secrets", "keys", "is_merged"), MERGES, ids=[m[0] for m in MERGES]
)
def test_secrets_are_merged_first_and_then_the_tag_keys(why, secrets, keys, is_merged):
    state = StateTag(
        **FIELDS, key_id="abcde", secrets=digests(secrets, 7), tag_keys=digests(keys, 4)
    )

    found = parse_state(format_state(state))

    assert (found.secrets_merged, found.tags_merged) == is_merged


def test_a_commit_that_is_no_commit_cannot_break_the_limit():
    state = StateTag(**FIELDS, tag_keys=digests(60, 4), commit="x" * 999, protect=True)

    assert len(format_state(state)) <= STATE_LIMIT


@bounded
@given(st.text(max_size=40))
def test_any_text_can_be_read_as_a_state_tag_or_not(text):
    found = parse_state(f"1;{address_digest(WEB)};{text}")

    assert found.address == address_digest(WEB)
    parse_state(text)


def test_a_hash_version_of_thousands_of_digits_is_no_version():
    assert parse_state(f"1;{address_digest(WEB)};n{'9' * 9000}:x").hash_version == 0


@bounded
@given(bodies)
def test_no_unkeyed_hash_covers_a_secret(body):
    """Not the state tag without a key, not the desired hash, not the digest of a plan.

    Both values are such as no plain field has: a plain value that equals a secret is hidden, and
    every report shows that it is.
    """
    first, second = (with_values(desired_of(body), value) for value in ("#hunter2#", "#another#"))

    assert desired_hash(first) == desired_hash(second)
    assert state_after_write(first, key=None, commit="") == state_after_write(
        second, key=None, commit=""
    )
    assert plan_digest(first) == plan_digest(second)


def with_values(desired, value):
    return replace(desired, secrets=tuple(replace(one, value=value) for one in desired.secrets))


def plan_digest(desired):
    action = Action(kind=ActionKind.CREATE, target=desired.id, why="", desired=desired)
    return Plan(owner=OWNER, subscription="s", actions=(action,)).digest


def test_equal_secrets_in_two_places_have_unequal_digests():
    one, two = wanted(secure("A", "B")).secrets

    assert len({KEY.digest(WEB, one), KEY.digest(WEB, two), KEY.digest(group_id("api"), one)}) == 3
    assert len(KEY.digest(WEB, one)) * 6 >= 40


def secure(*names):
    return with_variables(*({"name": name, "secureValue": "hunter2"} for name in names))


def test_a_key_tells_itself_apart_and_never_itself():
    assert KEY.id != SecretKey(b"another").id
    assert "tests" not in repr(KEY)


@bounded
@given(desired_groups())
def test_what_was_applied_and_not_moved_hashes_alike(desired):
    live = owned(desired)

    assert live_hash(live, desired, state_of(live)) == desired_hash(desired) == state_of(live).spec


def test_a_policy_that_azure_chose_moves_no_hash():
    desired = wanted(body_of(sku="Confidential"))
    live = owned(desired)

    assert "confidentialComputeProperties" in live.canonical["properties"]
    assert live_hash(live, desired, state_of(live)) == state_of(live).spec


def test_an_ignored_member_whose_parent_only_azure_has_moves_no_hash():
    path = ("properties", "containers", "web", "properties", "securityContext", "privileged")
    desired = wanted(ignore=(path,))
    live = owned(
        desired, body_of(containers=[container("web", securityContext={"privileged": True})])
    )

    assert live_hash(live, desired, state_of(live)) == state_of(live).spec


def test_an_ignored_init_container_moves_no_hash():
    one, two, three = ({"name": n, "properties": {"image": "i"}} for n in "abc")
    ignore = (("properties", "initContainers", "b"),)
    desired = wanted(body_of(initContainers=[one, three]), ignore=ignore)
    alone = wanted(body_of(initContainers=[one]), ignore=ignore)

    for mine, body in (
        (desired, body_of(initContainers=[one, two, three])),
        (alone, body_of(initContainers=[one, two])),
    ):
        live = owned(mine, body)
        assert live_hash(live, mine, state_of(live)) == state_of(live).spec


def test_tags_of_others_move_no_hash_and_ours_do():
    desired = wanted(tags={"Team": "shop"})
    live = owned(desired, extra={"policy": "x"})
    moved = replace(live, tags={**live.tags, "Team": "else"})

    assert live_hash(live, desired, state_of(live)) == state_of(live).spec
    assert live_hash(moved, desired, state_of(live)) != state_of(live).spec
    assert live_hash(live, None, state_of(live)) == state_of(live).spec


def test_tags_of_others_are_kept_ours_set_and_what_left_is_removed():
    live = owned(wanted(tags={"team": "a", "Stage": "b"}), extra={"policy": "x"})
    now = wanted(tags={"TEAM": "c"})
    state = state_after_write(now, key=None, commit="")

    found = written_tags(now, live, owner=OWNER, state=state)

    assert found == {"policy": "x", "TEAM": "c", OWNER_TAG: OWNER, STATE_TAG: format_state(state)}


def test_a_copied_state_tag_removes_no_tag_of_the_copy():
    original = owned(wanted(name="other", tags={"stage": "b"}))
    copy = replace(unowned(wanted()), tags={**original.tags, "stage": "theirs"})
    state = state_after_write(wanted(), key=None, commit="")

    found = written_tags(wanted(), copy, owner=OWNER, state=state)

    assert found["stage"] == "theirs"


@bounded
@given(desired_groups(), tags, tags)
def test_a_put_sends_the_union_of_tags(desired, before, others):
    live = owned(replace(desired, tags=before), extra=others)
    state = state_after_write(desired, key=KEY, commit="")

    found = written_tags(desired, live, owner=OWNER, state=state)

    keys = {key.lower() for key in found}
    assert len(keys) == len(found)
    assert {key.lower() for key in desired.tags} <= keys
    managed = {key.lower() for key in (*before, *desired.tags)}
    assert {k: v for k, v in others.items() if k.lower() not in managed}.items() <= found.items()
    gone = {key.lower() for key in before} - {key.lower() for key in desired.tags}
    assert not gone & {key.lower() for key in foreign_tags(found)}


def test_a_write_of_tags_keeps_what_is_known_of_secrets():
    desired = wanted(secure("A"))
    before = state_of(owned(desired))

    after = state_after_tags(replace(desired, tags={"team": "a"}), before, commit="new")

    assert (after.secrets, after.key_id) == (before.secrets, before.key_id)
    assert after.tag_keys == {tag_key_digest("TEAM")}


def test_a_write_of_tags_takes_over_nothing_of_a_copied_tag():
    """The digests of another group's secrets would look like rotated secrets, and restart it."""
    copied = state_of(owned(wanted(secure("A"), name="other")))

    after = state_after_tags(wanted(secure("A")), copied, commit="")

    assert (after.secrets, after.key_id) == (frozenset(), "")
    assert state_after_tags(wanted(secure("A")), None, commit="").key_id == ""


def test_a_group_is_kept_where_it_is_protected_or_nobody_can_tell():
    live = owned(wanted(protect=True))
    newer = with_state(live, f"2;{address_digest(WEB)};whatever")
    asked = {"why": "owned by us", "lift": "lift it"}

    protected, unreadable = removal(live, **asked), removal(newer, **asked)

    assert (protected.kind, protected.why) == (
        ActionKind.REFUSE,
        "owned by us, but it is protected",
    )
    assert protected.allow == "lift it"
    assert unreadable.kind is ActionKind.REFUSE
    assert "another format" in unreadable.why
    assert "version of aci-reconcile that wrote the tag" in unreadable.allow
    assert removal(owned(wanted()), **asked).kind is ActionKind.DELETE


@pytest.mark.parametrize("more", [f"s{'K' * 200}:AA", f"x{'y' * 190}", "s:AA", "t" + "k" * 180])
def test_a_forged_state_tag_stands_in_the_way_of_no_write(more):
    desired = wanted()
    forged = parse_state(f"1;{address_digest(desired.id)};n1:abc;{more}")
    assert forged is not None

    text = format_state(state_after_tags(desired, forged, commit="c" * 64))

    assert len(text) <= STATE_LIMIT
