"""The proofs on recorded traffic again, on drawn groups that cover the whole property table."""

from __future__ import annotations

from reconciler.core.ids import GroupId
from reconciler.core.plan import ActionKind
from tests.strategies import served
from tests.traffic.generated import WRITABLE, covering, drawn, rows_of
from tests.traffic.harness import HOME, SUBSCRIPTION, live_of, load, planned
from tests.traffic.mutations import mutations
from tests.traffic.verdict import Subject, judged


def named():
    return {f"g{number}": body for number, body in enumerate(drawn(100))}


def group_id(name):
    return GroupId(subscription=SUBSCRIPTION, resource_group=HOME, name=name)


def test_every_row_of_the_table_is_drawn(tell):
    """Apart from those of what only Azure sets, which no manifest holds."""
    chosen = covering(drawn(100))
    reached = frozenset().union(*(rows_of(body) for body in chosen))

    tell(f"drawn groups: {len(reached)} of {len(WRITABLE)} rows of the table")
    assert sorted("/".join(row) for row in WRITABLE - reached) == []


def test_what_azure_makes_of_a_drawn_group_is_a_no_op(tmp_path, tell):
    """As a GET, as a LIST shows it, and while it is being created."""
    loaded = load(tmp_path, named())
    wrong = []
    for name, body in named().items():
        desired = loaded[name].desired
        assert desired is not None, [str(one) for one in loaded[name].findings]
        for answer, why in (
            (served(body, group_id(name)), "equal"),
            (served(body, group_id(name), state=None), "equal"),
            (served(body, group_id(name), provisioning="Pending", state="Pending"), "in trans"),
        ):
            action = planned(desired, live_of(desired, answer))
            if action.kind is not ActionKind.NO_OP or not action.why.startswith(why):
                wrong.append((name, action.kind.value, action.why))

    tell(f"drawn groups: {len(loaded)} no-op against GET and LIST, in transition against 201")
    assert wrong == []


def test_every_mutation_of_a_drawn_group_is_told_rightly(tmp_path, tell):
    chosen = {f"g{number}": body for number, body in enumerate(covering(drawn(100)))}
    bases = load(tmp_path / "bases", chosen)
    subjects = {}
    for name, base in bases.items():
        assert base.desired is not None, [str(one) for one in base.findings]
        live = live_of(base.desired, served(chosen[name], group_id(name)))
        subject = Subject(title=name, body=chosen[name], base=base, live=live)
        subjects[name] = (subject, mutations(chosen[name]))

    found = judged(tmp_path / "mutants", subjects)

    print(found)
    tell(f"drawn groups, mutations: {found.line}")
    assert not found.failures, "\n".join(str(one) for one in found.failures)
