"""What is sent to Azure for each kind of action, and what is read back afterwards."""

from __future__ import annotations

import pytest

from reconciler.core.outcome import exit_code
from reconciler.core.ownership import OWNER_TAG, STATE_TAG, SecretKey, parse_state
from reconciler.emulator import PLENTY, Answers, Call, Emulator, Polls, Reply
from reconciler.errors import ExitCode
from tests.conftest import Repository, ended, group, kinds, outcome_of, refusal, task

FOREIGN = {"cost-centre": "42"}


@pytest.fixture
def shop(repository: Repository) -> Repository:
    """One group of ours, applied."""
    repository.given_home()
    repository.write(group(tags={"team": "shop"}))
    repository.apply()
    return repository


def container(live: dict) -> dict:
    return live["properties"]["containers"][0]["properties"]


def after_put(repository: Repository, meddle) -> None:
    """Let `meddle` happen once, just before the first GET that follows a PUT."""
    seen: list[str] = []

    def answer(call: Call) -> None:
        if call.method == "PUT":
            seen.append("PUT")
        elif call.method == "GET" and seen == ["PUT"] and call.path.endswith("/web"):
            seen.append("GET")
            meddle()

    repository.intercept(answer)


# create


def test_a_create_is_one_put_that_carries_both_tags(repository: Repository) -> None:
    repository.given_home()
    repository.write(group(tags={"team": "shop"}))

    run = repository.apply()

    assert ended(run) == {"web": "succeeded"}
    assert repository.writes[1:] == ["PUT web"]
    (put,) = [r for r in repository.requests if r.method == "PUT" and r.path.endswith("/web")]
    assert put.body["location"] == "westeurope"
    assert set(put.body["tags"]) == {"team", OWNER_TAG, STATE_TAG}
    assert put.body["tags"][OWNER_TAG] == "shop"
    assert "reconcile" not in put.body


def test_a_created_group_is_a_no_op_afterwards(shop: Repository) -> None:
    before = shop.writes

    run = shop.apply()

    assert run.outcomes == ()
    assert shop.writes == before


def test_a_group_in_a_resource_group_without_location_takes_that_of_the_resource_group(
    repository: Repository,
) -> None:
    repository.project(
        defaults={"subscription": repository.subscription, "resourceGroup": "rg-shop"}
    )
    repository.given_home()
    repository.write(group())

    run = repository.apply()

    assert ended(run) == {"web": "succeeded"}
    assert repository.live("web")["location"] == "westeurope"


# update


def test_an_update_is_one_put_of_the_manifest(shop: Repository) -> None:
    shop.write(group(image="nginx:2", tags={"team": "shop"}))
    before = len(shop.writes)

    run = shop.apply()

    assert ended(run) == {"web": "succeeded"}
    assert shop.writes[before:] == ["PUT web"]
    assert container(shop.live("web"))["image"] == "nginx:2"


def test_a_body_is_built_from_the_manifest_and_never_from_what_is_live(shop: Repository) -> None:
    shop.change("web", lambda body: body["properties"].update(diagnostics={"x": 1}))
    shop.change("web", lambda body: container(body).update(command=["sleep", "infinity"]))
    shop.write(group(image="nginx:2"))

    run = shop.apply()

    assert ended(run) == {"web": "succeeded"}
    put = [r for r in shop.requests if r.method == "PUT"][-1]
    assert set(put.body["properties"]) == {"osType", "restartPolicy", "containers"}
    assert "command" not in container(put.body)


def test_tags_of_others_are_kept_by_a_put(shop: Repository) -> None:
    shop.change("web", lambda body: body["tags"].update(FOREIGN))
    shop.write(group(image="nginx:2", tags={"team": "shop"}))

    run = shop.apply()

    assert ended(run) == {"web": "succeeded"}
    assert shop.tags("web").items() >= {**FOREIGN, "team": "shop"}.items()


def test_a_tag_that_left_the_manifest_is_removed_with_the_put(shop: Repository) -> None:
    shop.write(group(image="nginx:2"))

    run = shop.apply()

    assert ended(run) == {"web": "succeeded"}
    assert set(shop.tags("web")) == {OWNER_TAG, STATE_TAG}


def test_a_tag_that_a_policy_adds_on_the_way_stays(shop: Repository) -> None:
    """Azure Policy adds tags to what passes; taking them away again would never end."""
    after_put(shop, lambda: shop.change("web", lambda body: body["tags"].update(FOREIGN)))
    shop.write(group(image="nginx:2", tags={"team": "shop"}))

    run = shop.apply()

    assert ended(run) == {"web": "succeeded"}
    assert shop.tags("web").items() >= FOREIGN.items()
    assert shop.counting("PATCH", "web") == 0


def test_tags_that_a_put_did_not_set_are_patched(shop: Repository) -> None:
    old = shop.tags("web")
    after_put(shop, lambda: shop.change("web", lambda body: body.update(tags=dict(old))))
    shop.write(group(image="nginx:2", tags={"tier": "front"}))

    run = shop.apply()

    assert ended(run) == {"web": "succeeded"}
    assert shop.counting("PATCH", "web") == 1
    tags = shop.tags("web")
    assert (tags["tier"], "team" in tags) == ("front", False)
    assert tags[STATE_TAG] != old[STATE_TAG]
    assert kinds(shop.plan()) == {"web": "no-op"}


def test_a_tag_that_left_the_manifest_goes_also_where_a_put_merges_tags(shop: Repository) -> None:
    after_put(shop, lambda: shop.change("web", lambda body: body["tags"].update(team="shop")))
    shop.write(group(image="nginx:2"))

    run = shop.apply()

    assert ended(run) == {"web": "succeeded"}
    assert "team" not in shop.tags("web")


def test_tags_that_azure_will_not_take_are_a_failure_that_names_them(shop: Repository) -> None:
    shop.write(group(tags={"team": "shop", "tier": "front"}))
    planned = shop.plan()
    live = shop.azure.cloud.group(shop.id("web"))
    shop.intercept(lambda call: Reply(status=200, body=live) if call.method == "PATCH" else None)

    run = shop.carry_out(planned)

    assert ended(run) == {"web": "failed"}
    assert "/tags/tier" in outcome_of(run, "web").says


def test_a_field_that_azure_did_not_take_is_a_failure_that_names_it(shop: Repository) -> None:
    after_put(shop, lambda: shop.set_image("web", "nginx:1.27"))
    shop.write(group(image="nginx:2"))

    run = shop.apply()

    assert ended(run) == {"web": "failed"}
    says = outcome_of(run, "web").says
    assert "did not take /properties/containers/web/properties/image" in says
    assert exit_code(run.outcomes) is ExitCode.PARTIAL


def test_a_group_that_is_gone_right_after_its_write_is_a_failure(shop: Repository) -> None:
    shop.write(group(image="nginx:2"))
    planned = shop.plan()
    puts: list[str] = []

    def answer(call: Call) -> Reply | None:
        if call.method == "PUT":
            puts.append(call.path)
        is_read = call.method == "GET" and call.path.endswith("/web")
        return refusal(404, "ResourceNotFound") if is_read and puts else None

    shop.intercept(answer)

    run = shop.carry_out(planned)

    assert ended(run) == {"web": "failed"}
    assert "gone since" in outcome_of(run, "web").says


def test_ignored_paths_keep_their_live_value_when_the_group_is_written(shop: Repository) -> None:
    path = "/properties/containers/web/properties/environmentVariables/FLAGS"
    ignoring = {"ignore": [path]}
    shop.write(group(reconcile=ignoring))
    shop.change(
        "web",
        lambda body: container(body).update(
            environmentVariables=[{"name": "FLAGS", "value": "on"}]
        ),
    )
    unchanged = kinds(shop.plan())
    shop.write(group(image="nginx:2", reconcile=ignoring))

    run = shop.apply()

    assert unchanged == {"web": "patch-tags"}  # the tag team left the manifest, nothing else moved
    assert ended(run) == {"web": "succeeded"}
    assert container(shop.live("web"))["environmentVariables"] == [{"name": "FLAGS", "value": "on"}]


def test_a_refusal_to_change_in_place_names_replace_and_never_replaces(shop: Repository) -> None:
    message = "you must delete it first and then create a new one: image"
    shop.write(group(image="nginx:2"))
    planned = shop.plan()
    shop.intercept(
        lambda call: (
            refusal(400, "InvalidContainerGroupUpdate", message) if call.method == "PUT" else None
        )
    )

    run = shop.carry_out(planned)

    outcome = outcome_of(run, "web")
    assert outcome.status.value == "failed"
    assert outcome.code == "InvalidContainerGroupUpdate"
    assert "--replace rg-shop/web" in outcome.hint
    assert "image" in outcome.says
    assert shop.counting("DELETE", "web") == 0


def test_a_write_that_meets_a_transition_is_a_failure_of_that_group(shop: Repository) -> None:
    shop.write(group(image="nginx:2"))
    shop.intercept(
        lambda call: refusal(409, "ContainerGroupTransitioning") if call.method == "PUT" else None
    )

    run = shop.apply()

    assert outcome_of(run, "web").code == "ContainerGroupTransitioning"
    assert exit_code(run.outcomes) is ExitCode.FAILED


def operation_ends(status: str, code: str = "", message: str = ""):
    """Lets every operation end so."""

    def answer(call: Call) -> Reply | None:
        if "/operations/" not in call.path:
            return None
        error = {"error": {"code": code, "message": message}} if code else {}
        return Reply(status=200, body={"status": status, **error})

    return answer


@pytest.mark.parametrize("status", ["Failed", "Canceled"])
def test_an_operation_that_ends_badly_is_a_failure_with_azures_words(
    repository: Repository, status: str
) -> None:
    repository.given_home()
    repository.write(group())
    repository.intercept(
        operation_ends(status, "InsufficientCapacity", "no capacity in the region")
    )

    run = repository.apply()

    outcome = outcome_of(run, "web")
    assert (outcome.status.value, outcome.code) == ("failed", "InsufficientCapacity")
    assert "no capacity in the region" in outcome.says
    assert exit_code(run.outcomes) is ExitCode.PARTIAL


def test_a_provisioning_that_fails_without_an_operation_is_a_failure_too(shop: Repository) -> None:
    """Not every PUT is answered with an operation to poll."""
    shop.write(group(image="nginx:2"))
    planned = shop.plan()

    def answer(call: Call) -> Reply | None:
        if call.method == "PUT":
            body = {**call.body, "id": call.path, "name": "web"}
            shop.given({**group(image="nginx:2")}, tags=call.body["tags"], failure="no capacity")
            return Reply(status=200, body=body)
        return None

    shop.intercept(answer)

    run = shop.carry_out(planned)

    assert ended(run) == {"web": "failed"}
    assert "Failed" in outcome_of(run, "web").says


# tags alone


def test_tags_alone_are_one_patch_and_nothing_restarts(shop: Repository) -> None:
    shop.change("web", lambda body: body["tags"].update(FOREIGN))
    shop.write(group(tags={"tier": "front"}))
    before = len(shop.writes)

    run = shop.apply()

    assert ended(run) == {"web": "succeeded"}
    assert shop.writes[before:] == ["PATCH web"]
    tags = shop.tags("web")
    assert tags.items() >= {**FOREIGN, "tier": "front"}.items()
    assert "team" not in tags
    assert shop.emulator.restarts(shop.subscription, "rg-shop", "web") == 0
    assert kinds(shop.plan()) == {"web": "no-op"}


def test_protection_is_remembered_by_a_patch(shop: Repository) -> None:
    shop.write(group(tags={"team": "shop"}, reconcile={"protect": True}))
    before = len(shop.writes)

    run = shop.apply()

    assert ended(run) == {"web": "succeeded"}
    assert shop.writes[before:] == ["PATCH web"]
    assert parse_state(shop.tags("web")[STATE_TAG]).protect


# adopt


def test_adoption_is_one_patch(repository: Repository) -> None:
    repository.given(group(), tags=FOREIGN)
    repository.write(group(tags={"team": "shop"}))

    run = repository.apply()

    assert ended(run) == {"web": "succeeded"}
    assert repository.writes == ["PATCH web"]
    assert repository.tags("web").items() >= {**FOREIGN, "team": "shop", OWNER_TAG: "shop"}.items()
    assert kinds(repository.plan()) == {"web": "no-op"}


def test_adopting_a_copy_believes_nothing_its_copied_state_tag_says(shop: Repository) -> None:
    """The copied tag lists `team` as a key of ours and digests of secrets; neither is true here."""
    secret = [{"name": "T", "secureValue": {"fromEnv": "T"}}]
    shop.environ["T"] = "hunter2-long"
    shop.key = SecretKey(b"0123456789abcdef")
    shop.write(group(tags={"team": "shop"}, env=secret))
    shop.apply()
    live = group("copy", env=[{"name": "T", "secureValue": "another"}])
    shop.given(live, tags=shop.tags("web"))
    shop.write(group("copy", env=secret))

    run = shop.apply()

    assert ended(run) == {"copy": "succeeded"}
    assert shop.tags("copy")["team"] == "shop"
    assert parse_state(shop.tags("web")[STATE_TAG]).secrets
    assert not parse_state(shop.tags("copy")[STATE_TAG]).secrets
    assert kinds(shop.plan())["copy"] == "no-op"


def test_an_adoption_by_consent_writes_what_differs(repository: Repository) -> None:
    repository.given(group(image="theirs:1"), tags=FOREIGN)
    repository.write(group())

    run = repository.apply(adopt=("web",))

    assert ended(run) == {"web": "succeeded"}
    assert repository.writes == ["PUT web"]
    assert repository.tags("web").items() >= {**FOREIGN, OWNER_TAG: "shop"}.items()


# delete and replace


def test_a_delete_waits_until_the_name_is_free(shop: Repository) -> None:
    shop.write(group("kept"))
    shop.apply()
    shop.forget("web")

    run = shop.apply(prune=True)

    assert ended(run) == {"web": "succeeded"}
    assert shop.names == ["kept"]
    assert shop.azure.cloud.group(shop.id("web")) is None


def test_a_replace_deletes_waits_until_gone_and_creates(shop: Repository) -> None:
    shop.change("web", lambda body: body["tags"].update(FOREIGN))
    shop.write(group(cpu=2, tags={"tier": "front"}))
    planned = shop.plan(replace=("web",))
    before = len(shop.requests)

    run = shop.carry_out(planned)

    assert kinds(planned) == {"web": "replace"}
    assert ended(run) == {"web": "succeeded"}
    seen = [(r.method, r.status) for r in shop.requests[before:] if r.path.endswith("/web")]
    deleted, put = seen.index(("DELETE", 200)), seen.index(("PUT", 201))
    assert ("GET", 404) in seen[deleted:put]
    tags = shop.tags("web")
    assert tags.items() >= {**FOREIGN, "tier": "front", OWNER_TAG: "shop"}.items()
    assert "team" not in tags
    assert kinds(shop.plan()) == {"web": "no-op"}


@pytest.fixture
def slow_deletes(make_repository):
    """Azure may also delete by a long-running operation (I5)."""
    with Emulator(time=Polls(3, 0), limits=PLENTY, answers=Answers(delete_status=202)) as running:
        yield make_repository(running)


def test_a_delete_answered_with_202_is_polled_to_its_end(slow_deletes: Repository) -> None:
    shop = slow_deletes
    shop.given_home()
    shop.write(group(), group("kept"))
    shop.apply()
    shop.write(group(cpu=2))

    run = shop.apply(replace=("web",))

    assert ended(run) == {"web": "succeeded"}
    assert [w for w in shop.writes if w.endswith("web")] == ["PUT web", "DELETE web", "PUT web"]
    deleted = next(r for r in shop.requests if r.method == "DELETE")
    assert deleted.status == 202


def test_a_replace_whose_create_fails_is_stranded_and_says_so_first(shop: Repository) -> None:
    shop.write(group(cpu=2))
    planned = shop.plan(replace=("web",))
    shop.intercept(
        lambda call: (
            refusal(409, "InsufficientCapacity", "none left") if call.method == "PUT" else None
        )
    )

    run = shop.carry_out(planned)

    outcome = outcome_of(run, "web")
    assert outcome.says.startswith("STRANDED: deleted and not known to be created again")
    assert "none left" in outcome.says
    assert "aci-reconcile apply" in outcome.hint
    assert outcome.wrote
    assert exit_code(run.outcomes) is ExitCode.PARTIAL
    assert shop.live("web") is None


def test_a_stranded_group_is_created_by_the_next_apply(shop: Repository) -> None:
    shop.write(group(cpu=2))
    planned = shop.plan(replace=("web",))
    shop.intercept(
        lambda call: refusal(409, "InsufficientCapacity") if call.method == "PUT" else None
    )
    shop.carry_out(planned)
    shop.pass_all()

    run = shop.apply()

    assert ended(run) == {"web": "succeeded"}
    assert kinds(shop.plan()) == {"web": "no-op"}


def test_a_replace_whose_delete_is_refused_leaves_the_group_alone(shop: Repository) -> None:
    shop.write(group(cpu=2))
    planned = shop.plan(replace=("web",))
    shop.intercept(
        lambda call: refusal(409, "ScopeLocked", "a lock") if call.method == "DELETE" else None
    )

    run = shop.carry_out(planned)

    outcome = outcome_of(run, "web")
    assert (outcome.status.value, outcome.code) == ("failed", "ScopeLocked")
    assert "STRANDED" not in outcome.says
    assert shop.live("web") is not None


# health


def test_a_task_that_ends_well_shows_its_log(repository: Repository) -> None:
    repository.given_home()
    repository.write(task(script="echo 42 words", reconcile={"wait": {"for": "succeeded"}}))

    run = repository.apply()

    outcome = outcome_of(run, "job")
    assert (outcome.status.value, outcome.says) == ("succeeded", "created, 1 of 1 ended with 0")
    assert [(log.container, log.text) for log in outcome.logs] == [("job", "42 words\n")]


def test_a_task_that_ends_badly_is_unhealthy_and_shows_its_log(repository: Repository) -> None:
    repository.given_home()
    repository.write(task(script="echo half way; exit 3"))

    run = repository.apply()

    outcome = outcome_of(run, "job")
    assert outcome.status.value == "unhealthy"
    assert "exit code 3" in outcome.says
    assert "half way" in outcome.logs[0].text
    assert "aci-reconcile logs rg-shop/job" in outcome.hint
    assert exit_code(run.outcomes) is ExitCode.UNHEALTHY


def test_a_crash_loop_is_unhealthy_long_before_the_timeout(repository: Repository) -> None:
    repository.given_home()
    repository.write(group(command=("/bin/sh", "-c", "exit 3")))

    run = repository.apply()

    outcome = outcome_of(run, "web")
    assert outcome.status.value == "unhealthy"
    assert "CrashLoopBackOff" in outcome.says
    assert sum(repository.clock.slept) < 60


def test_secrets_are_masked_in_the_logs_an_apply_shows(repository: Repository) -> None:
    repository.given_home()
    repository.environ["DB_PASSWORD"] = "hunter2-long"
    repository.file("secret.txt", "first-line-of-it\nsecond-line-of-it\n")
    repository.write(
        task(
            script="echo using hunter2-long and second-line-of-it; exit 1",
            env=[{"name": "DB", "secureValue": {"fromEnv": "DB_PASSWORD"}}],
            volumes=[
                {"name": "s", "secret": {"f": {"fromFile": "secret.txt", "encode": "base64"}}}
            ],
        )
    )

    run = repository.apply()

    (log,) = outcome_of(run, "job").logs
    assert "hunter2-long" not in log.text
    assert "using (hidden)" in log.text


def test_one_line_of_a_secret_file_is_masked_too(repository: Repository) -> None:
    repository.given_home()
    repository.file("secret.txt", "user=shop\nsecond-line-of-it\n")
    repository.write(
        task(
            script="echo second-line-of-it; exit 1",
            volumes=[
                {"name": "s", "secret": {"f": {"fromFile": "secret.txt", "encode": "base64"}}}
            ],
        )
    )

    run = repository.apply()

    assert "second-line-of-it" not in outcome_of(run, "job").logs[0].text


def test_a_secret_reaches_azure_and_no_tag(repository: Repository) -> None:
    repository.given_home()
    repository.environ["DB_PASSWORD"] = "hunter2-long"
    repository.write(group(env=[{"name": "DB", "secureValue": {"fromEnv": "DB_PASSWORD"}}]))

    run = repository.apply()

    assert ended(run) == {"web": "succeeded"}
    put = [r for r in repository.requests if r.method == "PUT"][-1]
    assert container(put.body)["environmentVariables"] == [
        {"name": "DB", "secureValue": "hunter2-long"}
    ]
    assert "hunter2" not in str(repository.tags("web"))
    assert "hunter2" not in repr(run)
    assert kinds(repository.plan()) == {"web": "no-op"}


def test_a_container_changes_its_name_in_place_as_long_as_the_requests_keep_their_sum(
    shop: Repository,
) -> None:
    renamed = group(tags={"team": "shop"})
    renamed["properties"]["containers"][0]["name"] = "front"
    shop.write(renamed)

    planned = shop.plan()
    run = shop.carry_out(planned)

    assert kinds(planned) == {"web": "update"}
    assert "(inferred, see 'explain')" in planned.actions[0].why
    assert ended(run) == {"web": "succeeded"}
