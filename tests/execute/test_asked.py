"""What is asked for by name: to run again, to write again, to trust secrets."""

from __future__ import annotations

import pytest

from reconciler.core.ownership import STATE_TAG, SecretKey, parse_state
from reconciler.emulator import PLENTY, Emulator, Polls
from reconciler.errors import PlanRefused
from tests.conftest import Repository, ended, group, kinds, outcome_of, refusal, task

KEY = SecretKey(b"0123456789abcdef")


@pytest.fixture
def jobs(make_repository) -> Repository:
    """A task that ended with 3, applied, in an emulator of its own."""
    with Emulator(time=Polls(0, 0), limits=PLENTY) as running:
        repository = make_repository(running)
        repository.given_home()
        repository.write(task(script="echo counting; exit 3"))
        repository.apply()
        yield repository


# --rerun


def test_a_task_that_failed_runs_again_by_name_and_shows_its_log(jobs: Repository) -> None:
    before = len(jobs.writes)

    planned = jobs.plan(rerun=("job",))
    run = jobs.carry_out(planned)

    assert kinds(planned) == {"job": "start"}
    assert jobs.writes[before:] == ["POST start"]
    outcome = outcome_of(run, "job")
    assert (outcome.status.value, outcome.wrote) == ("unhealthy", True)
    assert "exit code 3" in outcome.says
    assert [log.text.splitlines()[0] for log in outcome.logs] == ["counting"]


def test_without_the_name_it_is_left_alone(jobs: Repository) -> None:
    before = len(jobs.writes)

    planned = jobs.plan()
    jobs.carry_out(planned)

    assert kinds(planned) == {"job": "no-op"}
    assert "exit code 3" in planned.actions[0].why
    assert jobs.writes[before:] == []


def test_tags_that_differ_are_patched_before_the_start(jobs: Repository) -> None:
    jobs.write(task(script="echo counting; exit 3", tags={"team": "shop"}))
    before = len(jobs.writes)

    jobs.apply(rerun=("job",))

    assert jobs.writes[before:] == ["PATCH job", "POST start"]
    assert jobs.tags("job")["team"] == "shop"


def test_a_stopped_group_starts_by_name(repository: Repository) -> None:
    repository.given_home()
    repository.write(group())
    repository.apply()
    repository.stop("web")

    run = repository.apply(rerun=("web",))

    assert ended(run) == {"web": "succeeded"}
    assert outcome_of(run, "web").says.startswith("started, 1 of 1 running")


def test_a_start_that_azure_refuses_is_a_failed_outcome(jobs: Repository) -> None:
    planned = jobs.plan(rerun=("job",))
    jobs.intercept(
        lambda call: refusal(409, "ContainerGroupTransitioning") if call.method == "POST" else None
    )

    outcome = outcome_of(jobs.carry_out(planned), "job")

    assert (outcome.status.value, outcome.wrote) == ("failed", False)
    assert outcome.code == "ContainerGroupTransitioning"


def test_a_task_that_was_started_meanwhile_is_stale(jobs: Repository) -> None:
    planned = jobs.plan(rerun=("job",))
    jobs.set_image("job", "busybox:2")

    assert ended(jobs.carry_out(planned)) == {"job": "stale"}


# --rebaseline-secrets


@pytest.fixture
def safe(repository: Repository) -> Repository:
    """A group with a secret, applied without a key."""
    repository.given_home()
    repository.environ["PASSWORD"] = "hunter2"
    secret = {"name": "PASSWORD", "secureValue": {"fromEnv": "PASSWORD"}}
    repository.write(group(env=[secret]))
    repository.apply()
    return repository


def test_secrets_become_the_baseline_without_a_restart(safe: Repository) -> None:
    safe.key = KEY
    before = len(safe.writes)

    run = safe.apply(rebaseline=("web",))

    assert ended(run) == {"web": "succeeded"}
    assert safe.writes[before:] == ["PATCH web"]
    state = parse_state(safe.tags("web")[STATE_TAG])
    assert state is not None
    assert (state.key_id, len(state.secrets)) == (KEY.id, 1)
    assert safe.plan().actions[0].notes == ()
    safe.environ["PASSWORD"] = "hunter3"
    assert kinds(safe.plan()) == {"web": "update"}


def test_a_patch_of_tags_for_another_reason_makes_no_baseline(safe: Repository) -> None:
    safe.key = KEY
    secret = {"name": "PASSWORD", "secureValue": {"fromEnv": "PASSWORD"}}
    safe.write(group(env=[secret], tags={"team": "shop"}))

    safe.apply()

    state = parse_state(safe.tags("web")[STATE_TAG])
    assert state is not None
    assert (state.key_id, state.secrets) == ("", frozenset())


# --retry


def test_a_field_that_azure_drops_costs_one_put_not_two(make_repository) -> None:
    probe = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 10}
    with Emulator(time=Polls(0, 0), limits=PLENTY) as running:
        repository = make_repository(running)
        repository.given_home()
        running.drops("/properties/containers/*/properties/livenessProbe")
        manifest = group(tags={"team": "shop"})
        manifest["properties"]["containers"][0]["properties"]["livenessProbe"] = probe
        repository.write(manifest, group("other"))

        first = repository.apply()
        with pytest.raises(PlanRefused):
            repository.apply()
        planned = repository.plan()

        assert ended(first) == {"web": "failed", "other": "succeeded"}
        assert (
            "/properties/containers/web/properties/livenessProbe" in outcome_of(first, "web").says
        )
        assert repository.counting("PUT", "web") == 1
        (refused,) = planned.refusals
        assert planned.is_blocked
        assert "livenessProbe" in refused.why
        assert repository.tags("web")["team"] == "shop"

        repository.write(group("new"))
        third = repository.apply()
        assert ended(third) == {"web": "failed", "new": "succeeded"}
        assert repository.counting("PUT", "web") == 1

        again = repository.apply(retry=("web",))
        assert ended(again) == {"web": "failed"}
        assert repository.counting("PUT", "web") == 2

        running.drops()
        final = repository.apply(retry=("web",))
        assert ended(final) == {"web": "succeeded"}
        assert kinds(repository.plan()) == {"web": "no-op", "other": "no-op", "new": "no-op"}


def test_a_memory_that_cannot_be_kept_is_said(make_repository) -> None:
    """Where even the tags cannot be patched, the outcome tells both."""
    with Emulator(time=Polls(0, 0), limits=PLENTY) as running:
        repository = make_repository(running)
        repository.given_home()
        running.drops("/properties/containers/*/properties/command")
        repository.write(group(command=("sleep", "1000")))
        repository.intercept(
            lambda call: refusal(403, "AuthorizationFailed") if call.method == "PATCH" else None
        )

        outcome = outcome_of(repository.apply(), "web")

        assert "command" in outcome.says
        assert "could not be remembered" in outcome.hint


def test_a_task_runs_again_by_name_though_azure_did_not_take_a_field(make_repository) -> None:
    with Emulator(time=Polls(0, 0), limits=PLENTY) as running:
        repository = make_repository(running)
        repository.given_home()
        running.drops("/properties/containers/*/properties/livenessProbe")
        manifest = task(script="exit 3")
        probe = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 10}
        manifest["properties"]["containers"][0]["properties"]["livenessProbe"] = probe
        repository.write(manifest)
        repository.apply()
        repository.write(manifest | {"tags": {"team": "shop"}})
        before = len(repository.writes)

        planned = repository.plan(rerun=("job",))
        run = repository.carry_out(planned)

        assert kinds(planned) == {"job": "start"}
        assert repository.writes[before:] == ["PATCH job", "POST start"]
        assert "exit code 3" in outcome_of(run, "job").says
        assert repository.tags("job")["team"] == "shop"
        (refused,) = repository.plan().refusals
        assert "livenessProbe" in refused.why
