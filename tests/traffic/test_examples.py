"""The proofs on the bodies that the official description itself gives as examples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.core.ids import GroupId
from reconciler.core.plan import ActionKind
from tests.strategies import served
from tests.traffic.harness import HOME, SUBSCRIPTION, live_of, load, planned
from tests.traffic.mutations import mutations
from tests.traffic.verdict import Subject, judged

EXAMPLES = Path(__file__).parents[3] / "shared" / "swagger" / "examples"


def bodies():
    """The PUT bodies, by a name each."""
    found = {}
    for file in sorted(EXAMPLES.glob("ContainerGroup*.json")):
        body = json.loads(file.read_text("utf-8"))["parameters"].get("containerGroup")
        if body is not None:
            found[file.stem.lower()] = body
    return found


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason=f"no examples at {EXAMPLES}")
def test_the_examples_of_the_description_are_told_rightly(tmp_path, tell):
    subjects = {}
    for name, base in load(tmp_path / "bases", bodies()).items():
        assert base.desired is not None, [str(one) for one in base.findings]
        group = GroupId(subscription=SUBSCRIPTION, resource_group=HOME, name=name)
        live = live_of(base.desired, served(bodies()[name], group))
        action = planned(base.desired, live)
        assert (action.kind, action.why) == (ActionKind.NO_OP, "equal"), name
        subject = Subject(title=name, body=bodies()[name], base=base, live=live)
        subjects[name] = (subject, mutations(bodies()[name]))

    found = judged(tmp_path / "mutants", subjects)

    tell(f"examples of the description, mutations: {found.line}")
    assert subjects
    assert not found.failures, "\n".join(str(one) for one in found.failures)
