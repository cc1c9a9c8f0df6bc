"""Every leaf of every recorded PUT body, changed, removed and given siblings, is told rightly."""

from __future__ import annotations

from tests.traffic.harness import live_of, load
from tests.traffic.mutations import mutations
from tests.traffic.recordings import GROUPS, needs_recordings, title
from tests.traffic.verdict import Subject, judged

pytestmark = needs_recordings


def test_every_mutation_of_what_was_sent_is_told_rightly(tmp_path, tell):
    bodies = {f"g{number}": recorded["put"] for number, recorded in enumerate(GROUPS)}
    bases = load(tmp_path / "bases", bodies)
    subjects = {}
    for (name, base), recorded in zip(bases.items(), GROUPS, strict=True):
        assert base.desired is not None, [str(one) for one in base.findings]
        live = live_of(base.desired, recorded["get"])
        subject = Subject(title=title(recorded), body=recorded["put"], base=base, live=live)
        subjects[name] = (subject, mutations(recorded["put"]))

    found = judged(tmp_path / "mutants", subjects)

    print(found)
    tell(f"recorded groups, mutations: {found.line}")
    assert not found.failures, "\n".join(str(one) for one in found.failures)
