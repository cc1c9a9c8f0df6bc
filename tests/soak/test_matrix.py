"""Every fault at every stage: nothing is lost, nothing is done twice, and the next run mends it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Done, Repository
from tests.soak.clock import hurried
from tests.soak.matrix import BLOCKED, FAILED, NOTHING, SHOP, SUCCEEDED, UNHEALTHY, Cell, chosen
from tests.soak.shop import check_converged, cpu_of, effects, foreign, is_as_wanted, lay_out, opened

GROUPS = {name for _, name in SHOP.due}
NOT_STARTED = "not started"
UNDONE = (FAILED, "stale", NOT_STARTED)


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop as it was applied once, and as git wants it now."""
    folder = tmp_path_factory.mktemp("shop")
    lay_out(SHOP, folder)
    return folder


@pytest.fixture(scope="module")
def undisturbed(
    laid_out: Path, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, list[str]]:
    """The methods of the requests that each group sees when all is well, in order."""
    with opened(laid_out, tmp_path_factory.mktemp("undisturbed") / "shop") as repository:
        theirs = foreign(repository)
        with hurried():
            done = apply(repository)
        assert done.code == 0, (done.out, done.err)
        assert effects(repository) == SHOP.due
        check_converged(SHOP, repository, theirs)
        return {
            name: [r.method for r in repository.requests if r.path.endswith(f"/{name}")]
            for name in GROUPS
        }


def apply(repository: Repository) -> Done:
    """The command; what it says besides the result is kept for whoever reads a failure."""
    return repository.here(
        "apply", "--yes", "--parallelism", "4", "-o", "text", "-o", "json=result.json"
    )


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One apply as it is seen from outside: its exit code, its result, and what Azure was done."""

    done: Done
    outcomes: Mapping[str, Mapping[str, Any]]
    effects: Counter[tuple[str, str]]

    @property
    def statuses(self) -> dict[str, str]:
        """How each group ended, of those that the result names."""
        return {name: str(one["status"]) for name, one in self.outcomes.items()}

    def written(self, name: str) -> int:
        """How many writes of this group took effect."""
        return sum(count for (_, group), count in self.effects.items() if group == name)


def seen(repository: Repository) -> Seen:
    """What becomes of an apply."""
    result = repository.root / "result.json"
    result.unlink(missing_ok=True)
    before = effects(repository)
    done = apply(repository)
    document = json.loads(result.read_text()) if result.exists() else {}
    outcomes = {one["name"].rpartition("/")[2]: one for one in document.get("outcomes", [])}
    assert "internal error" not in done.out + done.err, (done.out, done.err)
    assert len(outcomes) == len(document.get("outcomes", []))
    assert not document.get("noOutcome"), document["noOutcome"]
    assert document.get("exitCode", done.code) == done.code
    return Seen(done=done, outcomes=outcomes, effects=effects(repository) - before)


@pytest.fixture
def disturbed(
    cell: Cell, laid_out: Path, undisturbed: Mapping[str, list[str]], tmp_path: Path
) -> Iterator[Repository]:
    """The shop, with an Azure that plays the cell's fault."""
    with opened(laid_out, tmp_path / "shop") as repository:
        if cell.shop != SHOP:
            repository.write(*cell.shop.after())
        repository.emulator.plays(cell.script(undisturbed.get(cell.victim, [])))
        with hurried(patience_s=0.5 if cell.fault == "no-answer" else 30):
            yield repository


@pytest.mark.parametrize("cell", chosen(), ids=lambda cell: cell.name)
def test_whatever_goes_wrong_nothing_is_lost_and_the_next_run_mends_it(
    cell: Cell, disturbed: Repository, record_property: Callable[[str, object], None]
) -> None:
    record_property("soak stage", cell.stage.name)
    record_property("soak fault", cell.fault)
    theirs = foreign(disturbed)

    first = seen(disturbed)

    record_property("soak exit", int(first.done.code))
    played = disturbed.emulator.played
    assert played.total() >= cell.least, f"the fault was played {played.total()} times"
    print(first.done.out, first.done.err, first.effects - Counter(SHOP.due), sep="\n")
    assert foreign(disturbed) == theirs, "a group of others was touched"
    assert first.done.code == code_by_the_rule(cell, first)
    check_accounts(cell, first, disturbed)
    check_verdict(cell, first)
    check_written_once(cell, first)

    if cell.fault == "listed-after-delete":
        still = seen(disturbed)
        assert still.done.code in (0, 5), still.done  # stale, where the list has named what is gone
        assert not still.effects
    disturbed.emulator.heals()
    second = seen(disturbed)
    print(second.done.out, second.done.err, sep="\n")
    assert second.done.code == 0
    check_converged(SHOP, disturbed, theirs)
    left = disturbed.here("plan", "--detailed-exitcode")
    assert left.code == 0, left.out
    if not cell.fault.startswith("operation "):
        assert effects(disturbed) == Counter(SHOP.due) + restored(first)


def code_by_the_rule(cell: Cell, run: Seen) -> int:
    """The exit code that the effects and the outcomes call for."""
    statuses = set(run.statuses.values())
    undone = statuses & set(UNDONE)
    if UNHEALTHY in statuses and undone <= {NOT_STARTED}:
        return 7
    if undone and run.effects:
        return 6
    if undone:
        return 5 if "stale" in undone else 1
    if run.effects:
        return 0
    # Else something would have been written, so something stood in the way of reading or writing.
    return 4 if cell.verdict == BLOCKED else 1


def restored(run: Seen) -> Counter[tuple[str, str]]:
    """The writes that follow when a group was created again as it was: another replace."""
    names = [name for name, outcome in run.outcomes.items() if outcome["restored"]]
    return Counter((method, name) for name in names for method in ("DELETE", "PUT"))


def check_accounts(cell: Cell, run: Seen, repository: Repository) -> None:
    """Each group is in the result, and what is said of it is so."""
    if not run.outcomes:
        assert not run.effects
        assert "\naci-reconcile: error: " in f"\n{run.done.err}"
        return
    unseen = {"delete-0", "delete-1"} if cell.fault == "empty-list" else set()
    assert set(run.outcomes) >= GROUPS - unseen
    for name, outcome in run.outcomes.items():
        if outcome["status"] == SUCCEEDED:
            assert is_as_wanted(repository, name), outcome
        else:
            assert outcome["says"], outcome
        if not outcome["wrote"]:
            assert not run.written(name), outcome
        is_missing = repository.live(name) is None
        is_lost = name.startswith("replace") and is_missing
        assert outcome["stranded"] == is_lost, outcome
        if outcome["restored"]:
            assert (outcome["status"], cpu_of(repository, name)) == (FAILED, 1), outcome
    if any(outcome["stranded"] for outcome in run.outcomes.values()):
        assert "STRANDED" in run.done.out


def check_verdict(cell: Cell, run: Seen) -> None:
    """The victim ends as it must, what waits for it too, and nobody else is concerned."""
    verdict = cell.verdict
    if not verdict:
        return
    if cell.fault == "empty-list":
        assert run.done.code == 6
        assert not any(method == "DELETE" for method, _ in run.effects)
        return
    if verdict in (NOTHING, BLOCKED):
        assert not run.outcomes
        assert not run.effects
        return
    expected = dict.fromkeys(GROUPS, SUCCEEDED)
    if cell.victim:
        expected[cell.victim] = verdict
    if verdict != SUCCEEDED and cell.victim == "create-0":
        expected["create-1"] = NOT_STARTED
    assert run.statuses == expected
    if cell.victim:
        assert run.outcomes[cell.victim]["restored"] == cell.is_restored


def check_written_once(cell: Cell, run: Seen) -> None:
    """No write had more effect than its action needs."""
    more = run.effects - Counter(SHOP.due)
    if cell.fault.startswith("operation "):
        # What was created again and failed is deleted before the next attempt.
        for name in {name for _, name in more if name.startswith("replace")}:
            assert more.pop(("PUT", name)) == more.pop(("DELETE", name))
    assert not more
