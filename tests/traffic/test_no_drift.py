"""A PUT restarts every container, so what Azure shows of what was sent must plan nothing."""

from __future__ import annotations

from reconciler.core.ids import parse_group_id
from reconciler.core.plan import ActionKind
from tests.traffic.harness import live_of, load, planned
from tests.traffic.recordings import GROUPS, listed, needs_recordings, title, without_views

pytestmark = needs_recordings


def actions(folder, answers):
    """For each recorded group, the action its own manifest leads to for each of its answers."""
    for number, recorded in enumerate(GROUPS):
        group = parse_group_id(recorded["get"]["id"])
        name = recorded["name"]
        loaded = load(
            folder / str(number),
            {name: recorded["put"]},
            subscription=group.subscription,
            resource_group=group.resource_group,
        )[name]
        assert not loaded.errors, (title(recorded), [str(one) for one in loaded.findings])
        assert loaded.desired is not None
        found = [planned(loaded.desired, live_of(loaded.desired, one)) for one in answers(recorded)]
        yield title(recorded), found


def is_no_op(action):
    return action.kind is ActionKind.NO_OP and action.why[:5] == "equal" and not action.diff


def counted(folder, answers, is_right, tell, says):
    """How many answers there are, all of them right; the count is printed."""
    found = dict(enumerate(actions(folder, answers)))
    wrong = [
        (name, action.kind.value, action.why)
        for name, some in found.values()
        for action in some
        if not is_right(action)
    ]
    total = sum(len(some) for _, some in found.values())
    tell(f"recorded groups: {total - len(wrong)} of {total} {says}")
    assert wrong == []
    return total


def test_a_settled_answer_is_a_no_op(tmp_path, tell):
    total = counted(tmp_path, lambda r: [r["get"]], is_no_op, tell, "no-op against GET")

    assert total == len(GROUPS)


def test_a_list_item_is_a_no_op(tmp_path, tell):
    """Where no list was recorded, the GET stands for it, which has nothing but the views more."""
    lists = [list(listed(recorded)) for recorded in GROUPS]
    recorded = sum(bool(items) for items in lists)

    def answers(group):
        return list(listed(group)) or [without_views(group["get"])]

    says = f"no-op against LIST ({recorded} recorded, else the GET without views)"
    total = counted(tmp_path, answers, is_no_op, tell, says)

    assert total >= len(GROUPS)


def test_the_answer_to_the_create_is_in_transition(tmp_path, tell):
    """It lacks what Azure adds later: no action, and no drift either."""

    def is_left_alone(action):
        is_nothing = action.kind is ActionKind.NO_OP and not action.diff
        return is_nothing and action.why.startswith("in transition")

    counted(tmp_path, lambda r: [r["created"]], is_left_alone, tell, "in transition against 201")
