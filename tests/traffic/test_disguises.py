"""The same group written down otherwise, by the service or by hand, plans nothing."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.diff import diff
from reconciler.core.groups import live_group
from reconciler.core.ids import GroupId, parse_group_id
from reconciler.core.plan import ActionKind
from tests.core.given import bounded
from tests.strategies import served
from tests.traffic.disguises import ALWAYS, LIVE, in_order, worn
from tests.traffic.generated import covering, drawn
from tests.traffic.harness import HOME, SUBSCRIPTION, live_of, load, planned
from tests.traffic.mutations import at
from tests.traffic.recordings import GROUPS, without_views


@cache
def subjects():
    """Manifests by name, each with the answers that show it: what was recorded, and drawn ones."""
    found = {}
    for number, body in enumerate(covering(drawn(100))):
        answer = served(body, GroupId(subscription=SUBSCRIPTION, resource_group=HOME, name="web"))
        found[f"drawn-{number}"] = (body, (answer, without_views(answer)))
    for number, recorded in enumerate(GROUPS):
        answer = recorded["get"]
        found[f"recorded-{number}"] = (recorded["put"], (answer, without_views(answer)))
    return found


@cache
def manifests():
    with TemporaryDirectory() as folder:
        return load(Path(folder), {name: body for name, (body, _) in subjects().items()})


def verdict(desired, answer):
    """The action for an answer, under the manifest's own id."""
    live = live_of(desired, {**answer, "id": desired.id.arm})
    action = planned(desired, live)
    told = [(change.path, change.before, change.after) for change in action.diff.changes]
    return action.kind, told


@pytest.mark.parametrize("disguise", LIVE, ids=lambda one: one.__name__)
def test_an_answer_in_disguise_is_no_drift(disguise):
    wrong = []
    for name, loaded in manifests().items():
        for number, answer in enumerate(subjects()[name][1]):
            found = verdict(loaded.desired, worn(answer, (disguise,), Random(number)))
            if found != (ActionKind.NO_OP, []):
                wrong.append((name, *found))

    assert wrong == []


@settings(bounded, max_examples=100)
@given(
    st.integers(0, 1000), st.lists(st.sampled_from(LIVE), min_size=2, max_size=5), st.integers(0, 9)
)
def test_nor_in_several_at_once(number, disguises, seed):
    name = sorted(subjects())[number % len(subjects())]
    answer = subjects()[name][1][seed % 2]

    found = verdict(manifests()[name].desired, worn(answer, tuple(disguises), Random(seed)))

    assert found == (ActionKind.NO_OP, [])


@pytest.mark.parametrize("disguise", ALWAYS, ids=lambda one: one.__name__)
def test_a_manifest_in_disguise_is_no_change(tmp_path, disguise):
    """Some of it earns a warning, none of it a write."""
    bodies = {n: worn(body, (disguise,), Random(1)) for n, (body, _) in subjects().items()}
    loaded = load(tmp_path, bodies)
    wrong = []
    for name, one in loaded.items():
        if one.errors:
            wrong.append((name, [str(f) for f in one.findings if f.is_error]))
            continue
        live = live_of(manifests()[name].desired, subjects()[name][1][0])
        group = parse_group_id(one.desired.id.arm)
        found = verdict(one.desired, {**live.body, "id": group.arm})
        if found != (ActionKind.NO_OP, []):
            wrong.append((name, *found))

    assert wrong == []


@pytest.mark.parametrize("turned", [str.upper, str.lower, str.swapcase])
def test_an_id_in_another_case_is_the_same_group(turned):
    """ARM compares ids without case, and the owner's tag is bound to one (C.6)."""
    for name, one in manifests().items():
        answer = {**subjects()[name][1][0], "id": one.desired.id.arm}
        live = live_of(one.desired, answer)
        live = live_group({**live.body, "id": turned(one.desired.id.arm)})

        action = planned(one.desired, live)

        assert (action.kind, action.diff.changes) == (ActionKind.NO_OP, ()), name


def test_the_order_of_what_runs_in_order_is_no_disguise(tmp_path):
    """Init containers, the words of a command and name servers (C.6)."""

    def turned(place, body):
        holder = at(body, place[:-1])
        return {**holder, place[-1]: holder[place[-1]][::-1]}

    bodies, expected = {}, {}
    for name, (body, _) in subjects().items():
        for place in in_order(body):
            changed = worn(body, (), Random(0))
            at(changed, place[:-1]).update(turned(place, body))
            bodies[f"{name}-{len(bodies)}"] = changed
            expected[f"{name}-{len(bodies) - 1}"] = (name, place)
    loaded = load(tmp_path, bodies)

    missed = []
    for name, one in loaded.items():
        base, place = expected[name]
        live = live_of(manifests()[base].desired, subjects()[base][1][0])
        live = live_group({**live.body, "id": one.desired.id.arm})
        if not diff(one.desired, live, state=None).changes:
            missed.append((base, place))
    assert len(loaded) > 10
    assert missed == []
