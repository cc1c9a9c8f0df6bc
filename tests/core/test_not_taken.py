"""What Azure did not take is remembered: it is not written again in vain."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.decide import decide
from reconciler.core.diff import Diff, Origin, diff, digests_of
from reconciler.core.groups import DesiredGroup, LiveGroup
from reconciler.core.origin import commits_to_ask, with_history
from reconciler.core.ownership import (
    STATE_LIMIT,
    fields_digests,
    format_state,
    parse_state,
    state_after_write,
    state_of,
    tag_key_digest,
)
from reconciler.core.plan import ActionKind
from tests.core.given import (
    KEY,
    applied,
    asker,
    body_of,
    of,
    only,
    owned,
    plan_for,
    wanted,
    with_state,
    with_variables,
)

ASKED = with_variables({"name": "A", "value": "1"}, {"name": "B", "value": "2"})
TAKEN = with_variables({"name": "A", "value": "1"})
NAMED = "/properties/containers/web/properties/environmentVariables/B"


def remembering(
    desired: DesiredGroup, body: dict, *, live: dict[str, Any] | None = None
) -> LiveGroup:
    """What is live, and marked, once a write of `desired` was not taken whole."""
    found = owned(desired, body, **(live or {}))
    state = state_of(found)
    assert state is not None
    lost = digests_of(diff(desired, found).changes)
    return with_state(found, format_state(replace(state, not_taken=lost)))


def test_what_azure_did_not_take_is_not_written_again():
    desired = wanted(ASKED)

    action = decide(desired, remembering(desired, TAKEN), asker())

    assert (action.kind, action.blocks) == (ActionKind.REFUSE, False)
    assert action.why.startswith(f"Azure did not take {NAMED}")
    assert f"--retry {desired.id}" in action.allow
    assert only(action.diff.changes) == [NAMED[1:]]
    # The hashes call it drift, though nobody changed Azure.
    assert {action.origin, action.diff.changes[0].origin} == {Origin.UNKNOWN}


def test_without_the_memory_it_is_written():
    desired = wanted(ASKED)

    assert decide(desired, owned(desired, TAKEN), asker()).kind is ActionKind.UPDATE


def test_it_is_written_again_by_name():
    desired = wanted(ASKED)
    live = remembering(desired, TAKEN)

    assert decide(desired, live, asker(retry=[desired.id])).kind is ActionKind.UPDATE
    assert decide(desired, live, asker(replace=[desired.id])).kind is ActionKind.REPLACE


def test_a_changed_manifest_is_written():
    live = remembering(wanted(ASKED), TAKEN)
    changed = wanted(with_variables({"name": "A", "value": "1"}, {"name": "B", "value": "3"}))

    assert decide(changed, live, asker()).kind is ActionKind.UPDATE


def test_another_field_that_drifted_is_repaired():
    desired = wanted(ASKED)
    live = remembering(desired, TAKEN)
    state = live.tags["aci-reconcile-state"]
    elsewhere = with_variables({"name": "A", "value": "1"}, image="nginx:hotfix")

    drifted = with_state(owned(desired, elsewhere), state)

    assert decide(desired, drifted, asker()).kind is ActionKind.UPDATE


def test_a_rotated_secret_is_written():
    before = {"name": "S", "secureValue": "hunter2"}
    lost = {"name": "B", "value": "2"}
    desired = wanted(with_variables(before, lost))
    live = remembering(desired, with_variables(before))

    rotated = wanted(with_variables({"name": "S", "secureValue": "hunter3"}, lost))

    assert decide(desired, live, asker()).kind is ActionKind.REFUSE
    assert decide(rotated, live, asker()).kind is ActionKind.UPDATE


def test_a_tag_more_in_the_manifest_restarts_nothing():
    live = remembering(wanted(ASKED), TAKEN)
    tagged = wanted(ASKED, tags={"team": "a"})

    action = decide(tagged, live, asker())

    assert (action.kind, action.why) == (ActionKind.PATCH_TAGS, "only tags differ")
    after = applied(action)
    assert after is not None
    assert decide(tagged, after, asker()).kind is ActionKind.REFUSE


def test_a_field_that_was_taken_later_and_drifts_then_is_repaired():
    state = remembering(wanted(ASKED), TAKEN).tags["aci-reconcile-state"]
    drifted = with_variables({"name": "A", "value": "1"}, {"name": "B", "value": "evil"})

    action = decide(wanted(ASKED), with_state(owned(wanted(ASKED), drifted), state), asker())

    assert action.kind is ActionKind.UPDATE


def test_a_task_runs_again_by_name_whatever_azure_did_not_take():
    asked, taken = ({**body, "properties": {**body["properties"]}} for body in (ASKED, TAKEN))
    for body in (asked, taken):
        body["properties"]["restartPolicy"] = "Never"
    desired = wanted(asked)
    live = remembering(desired, taken, live={"state": "Failed"})

    assert decide(desired, live, asker()).kind is ActionKind.REFUSE
    assert decide(desired, live, asker(rerun=[desired.id])).kind is ActionKind.START


def test_what_azure_takes_later_is_equal():
    desired = wanted(ASKED)
    state = remembering(desired, TAKEN).tags["aci-reconcile-state"]

    action = decide(desired, with_state(owned(desired), state), asker())

    assert (action.kind, action.diff) == (ActionKind.NO_OP, Diff())


def test_the_others_go_on():
    desired = wanted(ASKED)

    plan = plan_for([desired, wanted(name="new")], [remembering(desired, TAKEN)])

    assert not plan.is_blocked
    assert [a.kind.value for a in plan.refusals] == [of(plan, "web").kind.value]


@pytest.mark.parametrize("number", [1, 6, 7, 40])
def test_many_fields_are_remembered_as_one(number):
    fields = [(("properties", f"field{n}"), None, n) for n in range(number)]

    digests = fields_digests(fields)

    assert len(digests) == (number if number <= 6 else 1)
    assert digests == fields_digests(reversed(fields))
    assert digests != fields_digests(fields[1:])


def test_the_tag_holds_it_beside_all_else():
    desired = wanted(body_of(), tags={f"key{n}": "v" for n in range(48)}, protect=True)
    lost = fields_digests([(("a", str(n)), None, n) for n in range(6)])
    state = replace(state_after_write(desired, key=KEY, commit="c" * 64), not_taken=lost)

    text = format_state(state)

    read = parse_state(text)
    assert len(text) <= STATE_LIMIT
    assert read is not None
    assert read.not_taken == lost
    assert (read.protect, read.commit) == (True, "c" * 64)
    assert read.tags_merged or tag_key_digest("key1") in read.tag_keys


def test_what_the_tags_alone_remember_is_still_written():
    desired = wanted(ASKED, protect=True)
    live = remembering(wanted(ASKED), TAKEN)

    action = decide(desired, live, asker())

    assert (action.kind, action.why) == (
        ActionKind.PATCH_TAGS,
        "protection is remembered on the group",
    )
    assert NAMED in action.notes[0]
    after = applied(action)
    assert after is not None
    state = state_of(after)
    assert state is not None
    assert state.protect
    assert decide(desired, after, asker()).kind is ActionKind.REFUSE


def test_nobody_moved_what_azure_did_not_take():
    lost = with_variables({"name": "A", "value": "1"}, image="nginx:hotfix")
    desired = wanted(ASKED)
    state = remembering(desired, TAKEN).tags["aci-reconcile-state"]

    action = decide(desired, with_state(owned(desired, lost), state), asker())

    labels = {"/".join(change.path[-2:]): change.origin for change in action.diff.changes}
    assert labels == {
        "environmentVariables/B": Origin.UNKNOWN,
        "properties/image": Origin.DRIFT,
    }
    assert action.origin is Origin.DRIFT


def test_the_manifest_of_then_labels_the_others():
    then, state = wanted(ASKED), remembering(wanted(ASKED), TAKEN).tags["aci-reconcile-state"]
    now = wanted(with_variables({"name": "A", "value": "2"}, {"name": "B", "value": "2"}))
    plan = plan_for([now], [with_state(owned(then, TAKEN), state)])
    (commit,) = commits_to_ask(plan)

    (action,) = with_history(plan, {commit: {then.id.address: then}}).actions

    labels = {"/".join(change.path[-3:]): change.origin for change in action.diff.changes}
    assert labels == {
        "environmentVariables/A/value": Origin.CONFIG,
        "properties/environmentVariables/B": Origin.UNKNOWN,
    }
    assert action.origin is Origin.CONFIG
