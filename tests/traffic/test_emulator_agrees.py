"""Drawn groups through the emulator: what it shows is what the evidence says, and plans nothing.

`served` and the emulator are two statements of azure-facts C.2; neither knows the property table.
"""

from __future__ import annotations

import uuid
from functools import cache

import pytest
import requests

from reconciler.core.plan import ActionKind
from tests.strategies import group_id, served
from tests.traffic.generated import WRITABLE, acceptable, drawn, rows_of
from tests.traffic.harness import HOME, live_of, load, planned

VERSION = {"api-version": "2023-05-01"}
# Ids, addresses, states and the directory's answers: neither side can know the other's.
VOLATILE = frozenset({"id", "ip", "instanceView", "principalId", "clientId", "tenantId"})
# Named by the region and, for most scopes, by a hash: no recording says how it is made (C.7).
GUESSED = frozenset({"fqdn"})
# Newer than the version asked for: `served` adds them to see that they do no harm (C.2 #7, #9).
NEWER = frozenset({"isCreatedFromStandbyPool", "isDelegatedIdentity"})


@cache
def bodies():
    return {f"g{number}": acceptable(body) for number, body in enumerate(drawn(100))}


@pytest.fixture(scope="module")
def home():
    """The id of a resource group that nobody else has."""
    return f"/subscriptions/{uuid.uuid4()}/resourceGroups/{HOME}"


@pytest.fixture(scope="module")
def answers(emulator, home):
    return tuple(_answers(f"{emulator.url}{home}"))


def _answers(root):
    """The 201, GET and LIST item of each body, one group at a time: labels are unique."""
    with requests.Session() as session:
        session.params = VERSION
        session.put(root, json={"location": "westeurope"}, timeout=10).raise_for_status()
        groups = f"{root}/providers/Microsoft.ContainerInstance/containerGroups"
        for name, body in bodies().items():
            created = session.put(f"{groups}/{name}", json=body, timeout=10)
            assert created.status_code == 201, (name, created.text)
            seen = session.get(f"{groups}/{name}", timeout=10)
            (listed,) = session.get(groups, timeout=10).json()["value"]
            session.delete(f"{groups}/{name}", timeout=10).raise_for_status()
            yield name, body, created.json(), seen.json(), listed


def stable(value, without):
    if isinstance(value, dict):
        return {key: stable(item, without) for key, item in value.items() if key not in without}
    return [stable(item, without) for item in value] if isinstance(value, list) else value


def filled(body):
    """What the service chooses where a body does not say it (C.2 #21)."""
    policy = body["properties"].get("confidentialComputeProperties", {}).get("ccePolicy")
    return frozenset() if policy else frozenset({"ccePolicy"})


def test_the_emulator_shows_a_drawn_group_as_the_evidence_says(answers, tell):
    wrong, count = [], 0
    rows = set()
    for name, body, _, seen, _ in answers:
        count += 1
        rows |= rows_of(body)
        expected = served(body, group_id(name))
        left_out = VOLATILE | GUESSED | NEWER | filled(body)
        ours, theirs = (stable(one, left_out) for one in (seen, expected))
        if ours != theirs:
            wrong.append((name, ours, theirs))

    tell(f"emulator, drawn groups: {count - len(wrong)} of {count} GET as the evidence says")
    assert wrong == []
    assert sorted("/".join(row) for row in WRITABLE - rows) == []


def test_what_the_emulator_shows_of_a_drawn_group_plans_nothing(tmp_path, answers, home, tell):
    loaded = load(tmp_path, bodies(), subscription=home.split("/")[2])
    wrong, count = [], 0
    for name, _, created, seen, listed in answers:
        desired = loaded[name].desired
        assert desired is not None, [str(one) for one in loaded[name].findings]
        for answer, why in ((created, "in trans"), (seen, "equal"), (listed, "equal")):
            count += 1
            action = planned(desired, live_of(desired, answer))
            if (action.kind, action.why[: len(why)]) != (ActionKind.NO_OP, why):
                wrong.append((name, action.kind.value, action.why, action.diff))

    tell(f"emulator, drawn groups: {count - len(wrong)} of {count} answers plan nothing")
    assert wrong == []
