"""The cheapest safe action for one group, refusals included."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.decide import decide, decide_resource_group, needs_view
from reconciler.core.diff import Origin
from reconciler.core.groups import Adopt, Replace, SecretState, live_group
from reconciler.core.ownership import (
    NORMALISER_VERSION,
    OWNER_TAG,
    SecretKey,
    address_digest,
    format_state,
    state_of,
)
from reconciler.core.plan import ActionKind
from tests.core.given import (
    KEY,
    OWNER,
    applied,
    asker,
    body_of,
    bounded,
    container,
    declared,
    only,
    owned,
    public,
    resource_group,
    tagged,
    unowned,
    unsaid,
    wanted,
    with_state,
    with_variables,
)
from tests.core.test_normalise import damaged
from tests.strategies import bodies, desired_groups, group_id, live_groups, served

CREATE, UPDATE, PATCH, REPLACE = (
    ActionKind.CREATE,
    ActionKind.UPDATE,
    ActionKind.PATCH_TAGS,
    ActionKind.REPLACE,
)
ADOPT, NO_OP, REFUSE = ActionKind.ADOPT, ActionKind.NO_OP, ActionKind.REFUSE
NEVER = body_of(restartPolicy="Never")
SECURE = with_variables({"name": "A", "secureValue": "hunter2"})


def test_an_absent_group_is_created():
    assert decide(wanted(), None, asker()).kind is CREATE


def test_a_group_that_equals_its_manifest_is_left_alone():
    assert decide(wanted(), owned(wanted()), asker()).kind is NO_OP


CHANGES = [
    ("an image", body_of("nginx:2"), UPDATE),
    ("an address with a label", body_of(ipAddress=public("shop")), REFUSE),
    ("a restart policy", NEVER, REFUSE),
    ("requests", body_of(containers=[container("web", cpu=2)]), REFUSE),
    ("a region", {**body_of(), "location": "eastus"}, REFUSE),
]


@pytest.mark.parametrize(("why", "body", "kind"), CHANGES, ids=[c[0] for c in CHANGES])
def test_a_change_has_the_cheapest_safe_action(why, body, kind):
    assert decide(wanted(body), owned(wanted()), asker()).kind is kind
    allowed = decide(wanted(body, replace=Replace.ALLOW), owned(wanted()), asker())
    assert allowed.kind is (REPLACE if kind is REFUSE else kind)


def test_only_tags_differ_so_nothing_restarts():
    action = decide(wanted(tags={"team": "a"}), owned(wanted()), asker())

    assert action.kind is PATCH
    assert action.costs == ("nothing restarts",)


def test_an_action_says_why_and_what_it_costs():
    body = body_of(volumes=[{"name": "tmp", "emptyDir": {}}], ipAddress=public())
    updated = decide(wanted(body_of("nginx:2", **_rest(body))), owned(wanted(body)), asker())
    replaced = decide(
        wanted(body_of(restartPolicy="Never", **_rest(body)), replace=Replace.ALLOW),
        owned(wanted(body)),
        asker(),
    )

    assert updated.why == "image can change in place"
    assert updated.costs == (
        "restarts 1 container",
        "IP address may change",
        "data in emptyDir tmp lost",
    )
    assert replaced.why == "restartPolicy cannot change in place"
    assert replaced.costs[:2] == ("deleted and created again, down meanwhile", "IP address changes")


def _rest(body):
    return {k: v for k, v in body["properties"].items() if k in ("volumes", "ipAddress")}


def test_what_is_only_inferred_says_so():
    action = decide(wanted(body_of(priority="Spot")), owned(wanted()), asker())

    assert "inferred" in action.why


def test_many_fields_are_named_and_counted():
    variables = [{"name": f"V{i}", "value": "x"} for i in range(5)]

    action = decide(wanted(with_variables(*variables)), owned(wanted()), asker())

    named = ", ".join(f"environmentVariables/V{number}" for number in range(3))
    assert action.why == f"{named} and 2 more can change in place"


def test_an_update_of_an_ended_group_says_that_it_starts():
    for state in ("Succeeded", "Failed", "Stopped"):
        changed = wanted(body_of("nginx:2", restartPolicy="Never"))

        action = decide(changed, owned(wanted(NEVER), state=state), asker())

        assert action.why.endswith(f"the group is {state} and is deployed anew by it")
        assert action.costs[0] == "starts 1 container"


def test_between_two_restarts_a_group_that_restarts_always_has_not_ended():
    action = decide(wanted(body_of("nginx:2")), owned(wanted(), state="Succeeded"), asker())

    assert "deployed anew" not in action.why
    assert action.costs[0] == "restarts 1 container"


def test_a_finished_task_whose_manifest_is_unchanged_is_left_alone():
    for state in ("Succeeded", "Failed", "Stopped"):
        assert decide(wanted(NEVER), owned(wanted(NEVER), state=state), asker()).kind is NO_OP


def test_nothing_is_done_to_a_group_in_transition():
    for provisioning in ("Pending", "Creating", "Updating", "Deleting", "AnyNewWord"):
        live = owned(wanted(), provisioning=provisioning)
        action = decide(wanted(NEVER, tags={"a": "b"}, replace=Replace.ALLOW), live, asker())

        assert (action.kind, "in transition" in action.why) == (NO_OP, True)
        assert not needs_view(wanted(NEVER), live, asker())


def test_an_unowned_group_in_transition_is_not_judged():
    assert decide(wanted(NEVER), unowned(wanted(), provisioning="Pending"), asker()).kind is NO_OP


def test_consent_by_name_to_a_replacement_is_consent_to_that_group_only():
    live = owned(wanted())

    assert decide(wanted(NEVER), live, asker(replace=[wanted().id])).kind is REPLACE
    assert decide(wanted(NEVER), live, asker(replace=[group_id("api")])).kind is REFUSE


def test_a_replacement_asked_for_by_name_replaces_what_could_change_in_place():
    """Azure may refuse a change that should work in place; its answer says to ask this way."""
    live = owned(wanted())

    assert decide(wanted(body_of("nginx:2")), live, asker(replace=[live.id])).kind is REPLACE


def test_a_replacement_asked_for_by_name_needs_no_difference():
    live = owned(wanted())

    for desired in (wanted(), wanted(tags={"a": "b"})):
        action = decide(desired, live, asker(replace=[live.id]))

        assert (action.kind, action.why) == (REPLACE, "a replacement was asked for by name")
    protected = decide(wanted(protect=True), live, asker(replace=[live.id]))
    assert (protected.kind, "protected" in protected.why) == (REFUSE, True)


def test_nothing_protected_is_replaced_by_any_consent():
    live = owned(wanted())
    for body in (NEVER, body_of("nginx:2")):
        desired = wanted(body, protect=True, replace=Replace.ALLOW)

        action = decide(desired, live, asker(replace=[live.id]))

        assert action.kind is REFUSE
        assert "protected" in action.why
        assert action.diff


def test_a_protected_group_is_still_updated_in_place():
    assert decide(wanted(body_of("nginx:2"), protect=True), owned(wanted()), asker()).kind is UPDATE


ADOPTIONS = [
    ("identical", Adopt.IDENTICAL, body_of(), ADOPT),
    ("different", Adopt.IDENTICAL, body_of("nginx:2"), REFUSE),
    ("never, though identical", Adopt.NEVER, body_of(), REFUSE),
    ("always", Adopt.ALWAYS, body_of("nginx:2"), UPDATE),
    ("always, but not in place", Adopt.ALWAYS, NEVER, REFUSE),
]


@pytest.mark.parametrize(
    ("why", "policy", "body", "kind"), ADOPTIONS, ids=[a[0] for a in ADOPTIONS]
)
def test_an_unowned_group_of_the_same_name(why, policy, body, kind):
    assert decide(wanted(body, adopt=policy), unowned(wanted()), asker()).kind is kind


def test_a_refused_adoption_names_the_differing_fields_and_the_consent():
    desired = wanted(body_of("nginx:2", restartPolicy="Never", sku="Dedicated", priority="Spot"))
    desired = replace(desired, tags={"team": "a"})

    action = decide(
        desired, unowned(desired, {**body_of(), "location": "eastus"}, tags={"team": "b"}), asker()
    )

    assert "/location, /properties/containers/web/properties/image" in action.why
    assert action.why.endswith("and 1 more")
    assert action.allow.endswith("--adopt rg-shop/web")
    assert action.diff


def test_a_tag_the_manifest_adds_does_not_stand_against_adoption():
    live = unowned(wanted(), tags={"policy": "x"})

    action = decide(wanted(tags={"team": "a"}), live, asker())

    assert (action.kind, only(action.diff.changes)) == (ADOPT, ["tags/team"])
    assert applied(action).tags.keys() >= {"team", "policy", OWNER_TAG}


def test_an_adopted_group_has_no_baseline_for_its_secrets():
    action = decide(wanted(SECURE), unowned(wanted(SECURE)), asker())

    assert action.kind is ADOPT
    assert action.notes == ("secrets not compared until the next write",)
    again = decide(wanted(SECURE), applied(action), asker())
    trust = "until the next write, or --rebaseline-secrets NAME"
    assert (again.kind, again.notes) == (NO_OP, (f"secrets not compared: no baseline {trust}",))


def test_consent_by_name_adopts_what_differs():
    desired = wanted(body_of("nginx:2"), adopt=Adopt.NEVER)

    action = decide(desired, unowned(wanted()), asker(adopt=[desired.id]))

    assert action.kind is UPDATE
    assert action.why == "has no owner, adopted by consent: image can change in place"


def test_consent_to_adopt_a_group_whose_tags_differ_patches_only_tags():
    desired = wanted(tags={"team": "a"})

    action = decide(desired, unowned(desired, tags={"team": "b"}), asker(adopt=[desired.id]))

    assert action.kind is ADOPT


def copied(desired, body=None):
    """A group that carries the tags of another one of ours."""
    other = wanted(SECURE, name="other", tags={"stage": "b"})
    return replace(unowned(desired, body), tags={**owned(other).tags, "team": "theirs"})


def test_a_copy_of_our_tags_is_adopted_when_identical_and_else_refused():
    assert decide(wanted(), copied(wanted()), asker()).kind is ADOPT
    refused = decide(wanted(body_of("nginx:2")), copied(wanted()), asker())
    assert (refused.kind, "a copy of our tags" in refused.why) == (REFUSE, True)


def test_a_copy_adopted_by_consent_looks_like_no_rotated_secret():
    desired = wanted(SECURE, tags={"team": "a"}, adopt=Adopt.ALWAYS)

    action = decide(desired, copied(desired), asker())

    assert action.kind is ADOPT
    assert decide(desired, applied(action), asker()).kind is NO_OP


def test_our_owner_tag_with_no_readable_state_is_adopted_when_identical_else_by_name():
    desired = wanted(body_of("nginx:2"), adopt=Adopt.ALWAYS)
    live = tagged(unowned(wanted()), OWNER, "garbage")

    assert decide(wanted(), live, asker()).kind is ADOPT
    assert decide(desired, live, asker()).kind is REFUSE
    assert decide(desired, live, asker(adopt=[desired.id])).kind is UPDATE


@pytest.mark.parametrize("owner", ["shop/prod", "else", ""])
@pytest.mark.parametrize("policy", list(Adopt))
def test_a_group_of_another_owner_is_refused_under_every_policy(owner, policy):
    desired = wanted(adopt=policy, replace=Replace.ALLOW)

    action = decide(
        desired, owned(desired, owner=owner), asker(adopt=[desired.id], replace=[desired.id])
    )

    assert action.kind is REFUSE
    assert action.why == f"owned by '{owner}', not by 'shop'"


@pytest.mark.parametrize("provisioning", ["Failed", "Canceled"])
def test_a_failed_deployment_is_written_again_where_nothing_runs_or_ran(provisioning):
    live = owned(wanted(), provisioning=provisioning, state="Pending")

    action = decide(wanted(), live, asker())

    assert (action.kind, action.why) == (UPDATE, "last deployment failed")
    assert needs_view(wanted(), live, asker())


VIEWS = [
    ("it runs", "Running", None),
    ("it was stopped", "Stopped", None),
    ("nobody looked", None, None),
    ("it ended", "Failed", None),
    ("it crash-loops", "Pending", {"restartCount": 3, "currentState": {"state": "Waiting"}}),
    (
        "it ran before",
        "Pending",
        {"currentState": {"state": "Waiting"}, "previousState": {"state": "Terminated"}},
    ),
]


@pytest.mark.parametrize(("why", "state", "view"), VIEWS, ids=[v[0] for v in VIEWS])
def test_a_failed_deployment_is_never_written_again_where_something_runs_or_ran(why, state, view):
    live = owned(wanted(), provisioning="Failed", state=state)
    if view is not None:
        body = copy.deepcopy(live.body)
        body["properties"]["containers"][0]["properties"]["instanceView"] = view
        live = live_group(body)

    action = decide(wanted(), live, asker())

    assert (action.kind, action.blocks) == (REFUSE, False)
    assert action.why.startswith("unhealthy: provisioning state Failed, group state")
    again = live.state in ("Stopped", "Failed")
    assert (f"--rerun {live.id}" if again else f"--replace {live.id}") in action.allow


def test_a_failed_deployment_whose_tags_differ_is_written_once_not_twice():
    live = owned(wanted(), provisioning="Failed", state="Pending")

    action = decide(wanted(tags={"team": "a"}), live, asker())

    assert (action.kind, only(action.diff.changes)) == (UPDATE, ["tags/team"])


def test_an_unhealthy_group_still_learns_its_protection():
    live = owned(wanted(), provisioning="Failed", state="Stopped")

    action = decide(wanted(protect=True), live, asker())

    assert (action.kind, action.why) == (PATCH, "protection is remembered on the group")
    assert f"--rerun {live.id}" in action.notes[0]


def test_a_repair_that_azure_refuses_can_be_asked_for_as_a_replacement():
    live = owned(wanted(), provisioning="Failed", state="Pending")

    assert decide(wanted(), live, asker(replace=[live.id])).kind is REPLACE


def test_an_unknown_secret_refuses_every_put_and_says_where():
    for live in (
        None,
        owned(wanted(SECURE), with_variables({"name": "A", "secureValue": "x"}, image="old")),
    ):
        action = decide(unsaid(wanted(SECURE), SecretState.UNKNOWN), live, asker())

        assert action.kind is REFUSE
        assert "groups/web.yaml:1:1" in action.why


def test_an_unknown_secret_stands_against_no_patch_of_tags():
    desired = unsaid(wanted(SECURE, tags={"team": "a"}), SecretState.UNKNOWN)

    action = decide(desired, owned(wanted(SECURE)), asker())

    assert action.kind is PATCH
    assert action.notes[0].startswith("secrets not compared: /properties/containers/web/")


def test_a_secret_that_is_not_resolved_is_noted():
    action = decide(unsaid(wanted(SECURE), SecretState.UNRESOLVED, "no variable X"), None, asker())

    assert action.kind is CREATE
    assert action.notes[0].endswith("is not resolved here: no variable X")


NOTES = [
    ("no key", None, KEY, SecretState.KNOWN, "set ACI_RECONCILE_SECRET_KEY"),
    ("another key", SecretKey(b"b"), KEY, SecretState.KNOWN, "not compared: other key"),
    ("no baseline", KEY, None, SecretState.KNOWN, "no baseline"),
    ("unresolved", KEY, KEY, SecretState.UNRESOLVED, "A/secureValue (no value)"),
]


@pytest.mark.parametrize(("why", "now", "then", "state", "says"), NOTES, ids=[n[0] for n in NOTES])
def test_secrets_that_are_not_compared_are_never_called_changed(why, now, then, state, says):
    desired = wanted(SECURE) if state is SecretState.KNOWN else unsaid(wanted(SECURE), state)

    action = decide(desired, owned(wanted(SECURE), key=then), asker(key=now))

    assert action.kind is NO_OP
    assert says in action.notes[0]


def test_a_rotated_secret_is_an_update_labelled_config():
    rotated = wanted(with_variables({"name": "A", "secureValue": "hunter3"}))

    action = decide(rotated, owned(wanted(SECURE)), asker())

    assert (action.kind, action.origin) == (UPDATE, Origin.CONFIG)
    assert [change.origin for change in action.diff.changes] == [Origin.CONFIG]


def test_protection_and_tag_keys_are_remembered_without_a_restart():
    live = owned(wanted(tags={"team": "a"}))

    protected = decide(wanted(tags={"team": "a"}, protect=True), live, asker())
    lifted = decide(wanted(tags={"team": "a"}), applied(protected), asker())
    theirs = replace(live, tags={**live.tags, "stage": "b"})
    claimed = decide(wanted(tags={"team": "a", "stage": "b"}), theirs, asker())

    assert [a.kind for a in (protected, lifted, claimed)] == [PATCH] * 3
    assert lifted.why == "protection is lifted"
    assert claimed.why == "the set of tag keys we manage changed"
    assert decide(wanted(tags={"team": "a"}), applied(lifted), asker()).kind is NO_OP


def test_many_tags_are_compared_by_one_digest():
    tags = {f"key-{i}": "x" for i in range(48)}
    live = owned(wanted(SECURE, tags=tags, protect=True))

    assert state_of(live).tags_merged
    assert decide(wanted(SECURE, tags=tags, protect=True), live, asker()).kind is NO_OP


def test_one_of_many_tags_that_left_is_removed_and_of_several_it_says_so():
    tags = {f"key-{i}": "x" for i in range(48)}
    live = owned(wanted(SECURE, tags=tags, protect=True), extra={"theirs": "x"})
    names = list(tags)

    for gone, removed in ((names[:1], ["tags/key-0"]), (names[:2], [])):
        left = {key: value for key, value in tags.items() if key not in gone}
        action = decide(wanted(SECURE, tags=left, protect=True), live, asker())

        assert (action.kind, only(action.diff.changes)) == (PATCH, removed)
        assert ("cannot be told" in action.why) == (not removed)
        after = applied(action)
        assert ("key-0" in after.tags) == (not removed)
        assert after.tags["theirs"] == "x"


UPGRADES = [
    ("another version of the normaliser", f"1;{{address}};n{NORMALISER_VERSION + 1}:abc;t{{keys}}"),
    ("no hash at all", "1;{address};t{keys}"),
    ("a newer format", "2;{address};everything else is new"),
]


@pytest.mark.parametrize(("why", "text"), UPGRADES, ids=[u[0] for u in UPGRADES])
def test_a_tool_upgrade_never_causes_a_write(why, text):
    desired = wanted(tags={"team": "a"})
    keys = "".join(state_of(owned(desired)).tag_keys)
    live = with_state(owned(desired), text.format(address=address_digest(desired.id), keys=keys))

    assert decide(desired, live, asker()).kind is NO_OP
    changed = decide(wanted(body_of("nginx:2"), tags={"team": "a"}), live, asker())
    assert (changed.kind, changed.origin) == (UPDATE, Origin.UNKNOWN)


ORIGINS = [
    ("the manifest changed", "nginx:2", "nginx:1", Origin.CONFIG, Origin.CONFIG),
    ("Azure changed", "nginx:1", "nginx:2", Origin.DRIFT, Origin.DRIFT),
    ("both changed", "nginx:2", "nginx:3", Origin.BOTH, Origin.UNKNOWN),
]


@pytest.mark.parametrize(
    ("why", "now", "there", "group", "field"), ORIGINS, ids=[o[0] for o in ORIGINS]
)
def test_a_change_says_who_moved(why, now, there, group, field):
    live = owned(wanted(), body_of(there))

    action = decide(wanted(body_of(now)), live, asker())

    assert action.origin is group
    assert {change.origin for change in action.diff.changes} == {field}


def test_what_azure_may_choose_is_in_no_hash_so_nobody_can_tell_who_moved_it():
    def with_policy(policy):
        return body_of(confidentialComputeProperties={"ccePolicy": policy})

    action = decide(wanted(with_policy("b")), owned(wanted(with_policy("a"))), asker())

    assert (action.kind, action.origin) == (REFUSE, Origin.UNKNOWN)


def test_what_the_manifest_came_to_by_other_hands_is_remembered_without_a_restart():
    live = owned(wanted())
    state = replace(state_of(live), spec="0" * 16)

    action = decide(wanted(), with_state(live, format_state(state)), asker())

    assert (action.kind, bool(action.diff)) == (PATCH, False)
    assert "Azure holds already" in action.why
    assert decide(wanted(), applied(action), asker()).kind is NO_OP


def test_a_get_is_asked_for_only_where_run_state_matters():
    assert not needs_view(wanted(), owned(wanted(), state=None), asker())
    assert not needs_view(wanted(tags={"a": "b"}), owned(wanted(), state=None), asker())
    assert needs_view(wanted(NEVER), owned(wanted(), state=None), asker())
    assert not needs_view(wanted(NEVER), owned(wanted(), owner="else", state=None), asker())


def test_a_manifest_without_a_location_costs_no_get():
    body = body_of()
    del body["location"]

    assert not needs_view(wanted(body), owned(wanted(), state=None), asker())


def test_a_resource_group_is_created_when_absent():
    assert decide_resource_group(declared(), None).kind is CREATE


def test_an_existing_resource_group_is_never_written():
    action = decide_resource_group(
        declared(location="West Europe"), resource_group(location="westeurope")
    )

    assert action.kind is NO_OP


def test_a_resource_group_elsewhere_is_refused():
    action = decide_resource_group(
        declared(location="eastus"), resource_group(location="westeurope")
    )

    assert action.kind is REFUSE
    assert "'westeurope'" in action.why and "location: westeurope" in action.allow


@bounded
@given(
    desired_groups(),
    st.one_of(st.none(), live_groups()),
    st.sampled_from(["ours", "copied", "foreign", "nobody's", "garbage"]),
)
def test_decide_has_an_answer_for_every_pair(desired, live, whose):
    if live is not None and whose != "nobody's":
        others = owned(wanted(name="other" if whose == "copied" else "web"))
        tags = {**live.tags, **others.tags, OWNER_TAG: "else" if whose == "foreign" else OWNER}
        live = replace(live, tags=tags)
        live = with_state(live, "garbage") if whose == "garbage" else live

    action = decide(desired, live, asker())

    assert action.why
    assert bool(action.allow) == (action.kind is REFUSE)
    if whose == "foreign" and live is not None:
        assert action.kind is REFUSE


@bounded
@given(desired_groups(), damaged(), st.booleans())
def test_decide_has_an_answer_for_whatever_azure_may_answer(desired, body, is_ours):
    tags = owned(wanted()).tags if is_ours else {}
    live = live_group({**body, "id": desired.id.arm, "tags": dict(tags)})

    assert decide(desired, live, asker()).why
    assert needs_view(desired, live, asker()) in (True, False)


@bounded
@given(desired_groups(), bodies, st.booleans())
def test_after_an_action_there_is_nothing_left_to_do(desired, body, is_ours):
    before = replace(desired, policy=replace(desired.policy, protect=False), tags={})
    there = owned(before, body) if is_ours else unowned(before, body)
    action = decide(desired, there, asker())

    after = decide(desired, applied(action), asker())

    if action.kind is REFUSE:
        assert after == action
    else:
        assert after.kind is NO_OP


@bounded
@given(desired_groups())
def test_two_applies_write_once(desired):
    created = applied(decide(desired, None, asker()))

    action = decide(desired, created, asker())

    assert (action.kind, action.diff.changes) == (NO_OP, ())


@bounded
@given(bodies)
def test_the_answer_to_a_create_is_in_transition_and_never_drift(body):
    desired = wanted(body)
    live = owned(desired, provisioning="Pending", state="Pending")

    assert decide(desired, live, asker()).kind is NO_OP
    assert served(body, desired.id)["properties"]["provisioningState"] == "Succeeded"
