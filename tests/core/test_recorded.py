"""No false drift on what real Azure answered, and nothing missed."""

from __future__ import annotations

import pytest

from reconciler.core.decide import decide
from reconciler.core.diff import Diff, diff, spec_changes
from reconciler.core.groups import SecretState, live_group
from reconciler.core.ids import GroupId
from reconciler.core.normalise import canonical
from reconciler.core.ownership import state_after_write, written_tags
from reconciler.core.plan import ActionKind
from reconciler.core.properties import Access, row_of
from tests.core.conftest import SHARED, read
from tests.core.given import KEY, OWNER, asker, unsaid
from tests.core.test_diff import at as value_at
from tests.core.test_diff import changed, element_of, folded, leaves, other
from tests.strategies import desired_of

RECORDED = read("azure-traffic/groups.json")


def manifest(recorded):
    body = {name: value for name, value in recorded["put"].items() if name != "tags"}
    group = GroupId(
        subscription="00000000-0000-0000-0000-000000000000",
        resource_group=recorded["resourceGroup"],
        name=recorded["name"],
    )
    return desired_of(body, group, tags=recorded["put"].get("tags") or {})


def ours(desired, body):
    """The recorded answer as it would be had we sent the create."""
    state = state_after_write(desired, key=KEY, commit="abc1234")
    tags = written_tags(desired, None, owner=OWNER, state=state)
    return live_group({**body, "tags": {**(body.get("tags") or {}), **tags}, "id": desired.id.arm})


def without_views(body):
    """A LIST item: a GET without any instance view (azure-facts 0.3)."""
    if isinstance(body, dict):
        return {name: without_views(item) for name, item in body.items() if name != "instanceView"}
    return [without_views(item) for item in body] if isinstance(body, list) else body


@pytest.fixture(params=RECORDED or [None], ids=lambda one: one and f"{one['source']}-{one['name']}")
def recorded(request):
    if request.param is None:
        pytest.skip(f"no azure-traffic/groups.json at {SHARED}")
    return request.param


def test_a_settled_answer_is_no_drift(recorded):
    desired = manifest(recorded)
    live = ours(desired, recorded["get"])

    action = decide(desired, live, asker())

    assert spec_changes(desired.canonical, live.canonical) == []
    assert (action.kind, action.diff) == (ActionKind.NO_OP, Diff())
    # Some of the recorded tasks ended with another code than 0: nothing is done about them either.
    assert bool(action.trouble) == (live.state == "Failed")


def test_a_list_item_is_no_drift(recorded):
    desired = manifest(recorded)

    action = decide(desired, ours(desired, without_views(recorded["get"])), asker())

    assert (action.kind, action.why) == (ActionKind.NO_OP, "equal")


def test_the_answer_to_the_create_is_in_transition(recorded):
    desired = manifest(recorded)

    action = decide(desired, ours(desired, recorded["created"]), asker())

    assert action.kind is ActionKind.NO_OP
    assert action.why.startswith("in transition")


def test_every_changed_leaf_of_what_was_sent_is_found(recorded):
    desired = manifest(recorded)
    live = ours(desired, recorded["get"])
    body = {name: value for name, value in recorded["put"].items() if name != "tags"}
    for wire, path in leaves(body):
        row = row_of(path)
        if row is None or row.access is Access.READ_ONLY:
            continue  # Azure drops it (C.2), a manifest warns of it
        if row.only_with and not value_at(body, wire[:-1]).get(row.only_with):
            continue
        mutant = desired_of(changed(body, wire, other(value_at(body, wire), row)), desired.id)

        found = diff(mutant, live, state=None).changes
        if row.access is Access.WRITE_ONLY:
            digests = [{KEY.digest(d.id, s) for s in d.secrets} for d in (mutant, desired)]
            assert digests[0] != digests[1], path
        elif element_of(path) is not None:
            assert len(found) >= 2, path
        else:
            assert [change.path for change in found] == [folded(path)], path
            assert found[0].effect is row.effect


def test_no_recorded_answer_differs_from_itself_in_a_list(recorded_lists):
    """Every listed body reads back as canonical, and equals itself as a manifest."""
    items = [item for answer in recorded_lists for item in answer["list"]["value"]]
    assert items
    for item in items:
        live = live_group(item)
        desired = unsaid(desired_of(item, live.id), SecretState.UNKNOWN)

        assert canonical(live.canonical) == live.canonical
        assert decide(desired, live, asker()).kind in (ActionKind.ADOPT, ActionKind.NO_OP)


def test_a_listed_group_that_was_recorded_being_created_is_no_drift(
    recorded_groups, recorded_lists
):
    sent = {(r["source"], r["resourceGroup"].lower(), r["name"]): r for r in recorded_groups}
    compared = 0
    for answer in recorded_lists:
        for item in answer["list"]["value"]:
            created = sent.get((answer["source"], answer["resourceGroup"].lower(), item["name"]))
            if created is not None:
                desired = manifest(created)
                assert decide(desired, ours(desired, item), asker()).kind is ActionKind.NO_OP
                compared += 1

    assert compared
