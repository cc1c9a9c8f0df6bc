"""`--rerun`, `--retry`, `--rebaseline-secrets` and `--replace`, as a person types them."""

from __future__ import annotations

import json

import pytest

from reconciler.emulator import PLENTY, Emulator, Polls
from reconciler.errors import ExitCode
from tests.conftest import Repository, group, task


@pytest.fixture
def mine(make_repository):
    """A repository whose emulator is its own, so that faults meet nobody else."""
    with Emulator(time=Polls(0, 0), limits=PLENTY) as running:
        repository = make_repository(running)
        repository.given_home()
        yield repository


def actions(repository: Repository, *arguments: str) -> dict[str, dict]:
    """The actions of a plan, by name."""
    plan = json.loads(repository.here("plan", "-o", "json", *arguments).out)
    return {action["name"].rpartition("/")[2]: action for action in plan["actions"]}


def test_two_applies_cost_one_put_where_azure_drops_a_field(mine: Repository) -> None:
    mine.emulator.drops("/properties/containers/*/properties/command")
    mine.write(group(command=("sleep", "60")))

    first = mine.here("apply", "--yes")
    second = mine.here("apply", "--yes")

    # Partial: the group was written, and something of it was not taken.
    assert (first.code, second.code) == (ExitCode.PARTIAL, ExitCode.BLOCKED)
    for done in (first, second):
        says = " ".join(done.out.split())  # however it is wrapped
        assert "Azure did not take /properties/containers/web/properties/command" in says
    assert "--retry" in second.out
    assert mine.counting("PUT", "web") == 1
    assert actions(mine)["web"]["blocks"] is False
    assert mine.here("drift").code == ExitCode.CHANGES

    mine.write(group("new"))
    beside = mine.here("apply", "--yes")
    assert beside.code == ExitCode.PARTIAL
    assert "1 created" in beside.out
    assert mine.counting("PUT", "web") == 1

    mine.emulator.drops()
    assert mine.here("apply", "--yes", "--retry", "web").code == ExitCode.DONE
    assert mine.here("plan", "--detailed-exitcode").code == ExitCode.DONE


def test_a_failed_task_is_shown_and_runs_again_by_name(mine: Repository) -> None:
    mine.write(task(script="echo counted; exit 3"))
    assert mine.here("apply", "--yes").code == ExitCode.UNHEALTHY

    plan = mine.here("plan", "--detailed-exitcode")
    status = mine.here("status")
    again = mine.here("apply", "--yes", "--rerun", "job")

    assert plan.code == ExitCode.DONE
    assert "failed: container 'job' ended with exit code 3" in plan.out
    assert "--rerun" in status.out
    assert again.code == ExitCode.UNHEALTHY
    assert "counted" in again.out
    assert [w for w in mine.writes if "job" in w or "start" in w] == ["PUT job", "POST start"]


def test_a_replacement_can_be_asked_for_though_nothing_differs(mine: Repository) -> None:
    mine.write(group())
    mine.here("apply", "--yes")

    done = mine.here("apply", "--yes", "--replace", "web")

    assert done.code == ExitCode.DONE
    assert mine.writes[-2:] == ["DELETE web", "PUT web"]


def test_secrets_are_trusted_by_name(mine: Repository) -> None:
    secret = {"name": "PASSWORD", "secureValue": {"fromEnv": "PASSWORD"}}
    mine.environ["PASSWORD"] = "hunter2"
    mine.write(group(env=[secret]))
    mine.here("apply", "--yes")

    refused = mine.here("plan", "--rebaseline-secrets", "web")
    mine.environ["ACI_RECONCILE_SECRET_KEY"] = "0123456789abcdef"
    before = mine.here("plan")
    done = mine.here("apply", "--yes", "--rebaseline-secrets", "web")
    after = mine.here("plan")

    assert (refused.code, "ACI_RECONCILE_SECRET_KEY" in refused.out) == (ExitCode.BLOCKED, True)
    assert "no baseline" in before.out
    assert (done.code, "taken on trust" in done.out) == (ExitCode.DONE, True)
    assert "not compared" not in after.out
    assert mine.counting("PUT", "web") == 1


@pytest.mark.parametrize("flag", ["--retry", "--rerun", "--rebaseline-secrets"])
def test_a_name_that_fits_nothing_is_an_error(mine: Repository, flag: str) -> None:
    mine.write(group())

    done = mine.here("plan", flag, "nothing")

    assert done.code == ExitCode.USAGE
    assert "nothing" in done.err


@pytest.mark.parametrize("flag", ["--replace", "--retry", "--rerun", "--rebaseline-secrets"])
def test_nothing_can_be_asked_for_a_group_that_is_left_out(mine: Repository, flag: str) -> None:
    mine.write(group())

    done = mine.here("plan", "--exclude", "web", flag, "web")

    assert done.code == ExitCode.USAGE
    assert flag in done.err


def test_a_database_without_the_emulator_is_an_error(mine: Repository) -> None:
    done = mine.here("plan", "--emulator-db", "x.db")

    assert (done.code, "--emulator" in done.err) == (ExitCode.USAGE, True)
