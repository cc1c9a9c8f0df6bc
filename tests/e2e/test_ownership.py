"""Every sentence of the design on ownership (section 4), over HTTP."""

from __future__ import annotations

import pytest

from reconciler.core.diff import Origin
from reconciler.core.ownership import (
    OWNER_TAG,
    STATE_TAG,
    SecretKey,
    address_digest,
    format_state,
    parse_state,
)
from reconciler.core.plan import Action, Plan
from reconciler.errors import PlanRefused, UsageError
from tests.conftest import Repository, ended, group, home, kinds


@pytest.fixture
def shop(repository: Repository) -> Repository:
    """Two groups of ours, applied."""
    repository.given_home()
    repository.write(group(tags={"team": "shop"}), group("other"))
    repository.apply()
    return repository


def action_of(planned: Plan, name: str = "web") -> Action:
    return next(one for one in planned.actions if one.target.name == name)


def orphans(planned: Plan) -> list[str]:
    return [str(one.live.id) for one in planned.orphans]


def rails(planned: Plan) -> list[tuple[str, str]]:
    return [(rail.rule, rail.allow) for rail in planned.rails]


# Two tags on each group, written inside the PUT that is made anyway.


def test_both_tags_are_on_each_group_after_its_put(shop: Repository) -> None:
    tags = shop.tags("web")

    assert tags[OWNER_TAG] == "shop"
    assert len(tags[STATE_TAG]) < 256
    assert parse_state(tags[STATE_TAG]).address == address_digest(shop.id("web"))
    assert shop.counting("PATCH", "web") == 0


def test_an_environment_is_part_of_the_owner(repository: Repository) -> None:
    repository.given_home()
    repository.project(environments={"prod": {}, "test": {}})
    repository.write(group())

    run = repository.apply(environment="prod")

    assert ended(run) == {"web": "succeeded"}
    assert repository.tags("web")[OWNER_TAG] == "shop/prod"


def test_owners_are_compared_whole(repository: Repository) -> None:
    """`shop` does not own what `shop/prod` owns."""
    repository.given_home()
    repository.project(environments={"prod": {}})
    repository.write(group())
    repository.apply(environment="prod")
    repository.project()

    planned = repository.plan()

    assert kinds(planned) == {"web": "refuse"}
    assert action_of(planned).why == "owned by 'shop/prod', not by 'shop'"


def test_the_commit_is_remembered(repository: Repository) -> None:
    from reconciler import app

    repository.given_home()
    repository.write(group())
    planned = repository.plan()

    app.apply(
        planned,
        repository.azure,
        commit="0123456789ab",
        watcher=repository.watcher,
    )

    assert parse_state(repository.tags("web")[STATE_TAG]).commit == "0123456789ab"


# A group is ours only if the owner tag names us and the address digest is its own.


def test_tags_copied_to_another_group_give_no_ownership(shop: Repository) -> None:
    shop.given(group("copy"), tags=shop.tags("web"))

    planned = shop.plan(prune=True)

    assert "copy" not in kinds(planned)
    assert orphans(planned) == []


def test_a_copy_of_the_same_name_in_another_resource_group_is_none_of_ours(
    shop: Repository,
) -> None:
    shop.given(group("web"), tags=shop.tags("web"), into="rg-copy")
    shop.forget("other")

    planned = shop.plan(prune=True)

    assert [str(a.target) for a in planned.actions if a.kind.value == "delete"] == ["rg-shop/other"]


def test_a_copy_that_differs_is_refused(shop: Repository) -> None:
    shop.given(group("copy", image="theirs:1"), tags=shop.tags("web"))
    shop.write(group("copy"))

    planned = shop.plan()

    assert kinds(planned)["copy"] == "refuse"
    assert "copy of our tags" in action_of(planned, "copy").why


def test_an_owner_tag_in_other_case_of_its_name_counts(shop: Repository) -> None:
    """Names of ARM tags have no case."""
    tags = {name.title(): value for name, value in shop.tags("web").items()}
    shop.change("web", lambda body: body.update(tags=tags))

    planned = shop.plan()

    assert kinds(planned) == {"other": "no-op", "web": "no-op"}


# Our two tags are outside every diff, and a tool upgrade never causes a write.


def test_an_older_state_tag_makes_a_label_unknown_and_nothing_else(shop: Repository) -> None:
    def age(body: dict) -> None:
        body["tags"][STATE_TAG] = body["tags"][STATE_TAG].replace(";n1:", ";n0:")

    shop.change("web", age)
    unchanged = kinds(shop.plan())
    shop.set_image("web", "nginx:hotfix")

    planned = shop.plan()

    assert unchanged == {"other": "no-op", "web": "no-op"}
    assert action_of(planned).origin is Origin.UNKNOWN


def test_a_state_tag_of_a_later_version_still_gives_ownership(shop: Repository) -> None:
    def promote(body: dict) -> None:
        body["tags"][STATE_TAG] = f"2;{address_digest(shop.id('web'))};x:whatever"

    shop.change("web", promote)

    planned = shop.plan()

    assert kinds(planned)["web"] in ("no-op", "patch-tags")


def test_protection_that_only_the_tag_remembers_outlives_the_manifest(shop: Repository) -> None:
    shop.write(group(tags={"team": "shop"}, reconcile={"protect": True}))
    patched = shop.apply()
    shop.forget("web")

    planned = shop.plan(prune=True)

    assert ended(patched) == {"web": "succeeded"}
    assert kinds(planned)["web"] == "refuse"
    assert "protected" in action_of(planned).why
    with pytest.raises(PlanRefused):
        shop.carry_out(planned)


# No unkeyed hash covers a secret; our owner tag alone gives no ownership.


def test_the_tags_are_the_same_whatever_a_secret_is_without_a_key(repository: Repository) -> None:
    repository.given_home()
    repository.write(group(env=[{"name": "T", "secureValue": {"fromEnv": "T"}}]))
    repository.environ["T"] = "hunter2-one"
    repository.apply()
    first = repository.tags("web")

    repository.environ["T"] = "hunter2-two"
    planned = repository.plan()

    assert kinds(planned) == {"web": "no-op"}
    assert "ACI_RECONCILE_SECRET_KEY" in " ".join(action_of(planned).notes)
    repository.write(group(image="nginx:2", env=[{"name": "T", "secureValue": {"fromEnv": "T"}}]))
    repository.apply()
    repository.write(group(env=[{"name": "T", "secureValue": {"fromEnv": "T"}}]))
    repository.apply()
    assert repository.tags("web") == first


def test_with_a_key_a_rotated_secret_is_an_update_that_shows_no_value(
    repository: Repository,
) -> None:
    repository.given_home()
    repository.key = SecretKey(b"0123456789abcdef")
    repository.write(group(env=[{"name": "T", "secureValue": {"fromEnv": "T"}}]))
    repository.environ["T"] = "hunter2-one"
    repository.apply()
    repository.environ["T"] = "hunter2-two"

    planned = repository.plan()

    (change,) = action_of(planned).diff.changes
    assert kinds(planned) == {"web": "update"}
    assert change.path[-2:] == ("T", "secureValue")
    assert (change.sensitive, change.before, change.after) == (True, None, None)


@pytest.mark.parametrize("state", [None, "garbage", ""])
def test_our_owner_tag_without_a_readable_state_tag_is_adopted_when_identical(
    repository: Repository, state: str | None
) -> None:
    tags = {OWNER_TAG: "shop"} | ({} if state is None else {STATE_TAG: state})
    repository.given(group(), tags=tags)
    repository.write(group())

    planned = repository.plan()
    run = repository.carry_out(planned)

    assert kinds(planned) == {"web": "adopt"}
    assert ended(run) == {"web": "succeeded"}
    assert kinds(repository.plan()) == {"web": "no-op"}


def test_our_owner_tag_without_a_readable_state_tag_is_refused_when_it_differs(
    repository: Repository,
) -> None:
    repository.given(group(image="theirs:1"), tags={OWNER_TAG: "shop"})
    repository.write(group())

    planned = repository.plan()
    consented = repository.plan(adopt=("WEB",))

    assert kinds(planned) == {"web": "refuse"}
    assert kinds(consented) == {"web": "update"}


def test_our_owner_tag_without_a_readable_state_tag_is_never_pruned(shop: Repository) -> None:
    shop.given(group("lost"), tags={OWNER_TAG: "shop"})

    planned = shop.plan(prune=True)

    assert "lost" not in kinds(planned)
    assert orphans(planned) == []


def test_sixty_secrets_and_forty_tags_still_fit(repository: Repository) -> None:
    repository.given_home()
    repository.key = SecretKey(b"0123456789abcdef")
    repository.environ = {f"S{n}": f"hunter2-{n}" for n in range(60)}
    env = [{"name": f"S{n}", "secureValue": {"fromEnv": f"S{n}"}} for n in range(60)]
    repository.write(group(env=env, tags={f"tag{n}": "x" for n in range(40)}))

    run = repository.apply()

    assert ended(run) == {"web": "succeeded"}
    assert len(repository.tags("web")[STATE_TAG]) < 256
    assert kinds(repository.plan()) == {"web": "no-op"}


# A live group of the same name without an owner tag.


def test_an_unowned_group_that_equals_the_manifest_is_adopted(repository: Repository) -> None:
    repository.given(group(), tags={"theirs": "1"})
    repository.write(group())

    planned = repository.plan()

    assert kinds(planned) == {"web": "adopt"}


def test_an_unowned_group_that_differs_is_refused_naming_the_fields(
    repository: Repository,
) -> None:
    repository.given(group(image="theirs:1", cpu=2))
    repository.write(group())

    planned = repository.plan()

    action = action_of(planned)
    assert action.kind.value == "refuse"
    assert "/properties/containers/web/properties/image" in action.why
    assert "/properties/containers/web/properties/resources/requests/cpu" in action.why
    assert "--adopt rg-shop/web" in action.allow


def test_a_policy_may_adopt_what_differs_in_place(repository: Repository) -> None:
    repository.project(policy={"adopt": "always"})
    repository.given(group(image="theirs:1"))
    repository.write(group())

    planned = repository.plan()

    assert kinds(planned) == {"web": "update"}


def test_a_policy_may_forbid_to_adopt_even_what_is_identical(repository: Repository) -> None:
    repository.project(policy={"adopt": "never"})
    repository.given(group())
    repository.write(group())

    planned = repository.plan()

    assert kinds(planned) == {"web": "refuse"}


def test_secrets_of_an_adopted_group_are_not_compared_until_the_next_write(
    repository: Repository,
) -> None:
    repository.key = SecretKey(b"0123456789abcdef")
    repository.environ["T"] = "hunter2-one"
    manifest = group(env=[{"name": "T", "secureValue": {"fromEnv": "T"}}])
    repository.given(group(env=[{"name": "T", "secureValue": "whatever"}]))
    repository.write(manifest)

    planned = repository.plan()
    repository.carry_out(planned)
    again = repository.plan()

    assert kinds(planned) == {"web": "adopt"}
    assert "not compared" in " ".join(action_of(planned).notes)
    assert kinds(again) == {"web": "no-op"}
    assert "not compared" in " ".join(action_of(again).notes)


@pytest.mark.parametrize("policy", ["never", "identical", "always"])
@pytest.mark.parametrize("image", ["nginx:1.27", "theirs:1"])
def test_a_group_of_another_owner_is_refused_under_every_policy(
    repository: Repository, policy: str, image: str
) -> None:
    repository.project(policy={"adopt": policy, "prune": "delete", "replace": "allow"})
    repository.given(group(image=image), tags={OWNER_TAG: "theirs"})
    repository.write(group())

    planned = repository.plan(adopt=("web",), replace=("web",))

    assert kinds(planned) == {"web": "refuse"}
    assert "owned by 'theirs'" in action_of(planned).why


# Orphans.


def test_an_orphan_is_reported_and_is_no_pending_change(shop: Repository) -> None:
    shop.forget("web")

    planned = shop.plan()

    assert orphans(planned) == ["rg-shop/web"]
    assert not planned.has_changes


def test_an_orphan_is_deleted_when_asked_to(shop: Repository) -> None:
    shop.forget("web")

    run = shop.apply(prune=True)

    assert ended(run) == {"web": "succeeded"}
    assert shop.names == ["other"]


def test_a_policy_may_prune(shop: Repository) -> None:
    shop.project(policy={"prune": "delete"})
    shop.forget("web")

    planned = shop.plan()

    assert kinds(planned) == {"other": "no-op", "web": "delete"}


def test_a_changed_default_resource_group_is_a_move_and_not_a_deletion(shop: Repository) -> None:
    shop.given_home("rg-new")
    shop.project(
        defaults={
            "subscription": shop.subscription,
            "resourceGroup": "rg-new",
            "location": "westeurope",
        }
    )

    planned = shop.plan(prune=True)
    consented = shop.plan(prune=True, allow={"move": 2, "delete": 2})

    assert kinds(planned) == {"other": "create", "web": "create"}
    assert orphans(planned) == ["rg-shop/other", "rg-shop/web"]
    assert sorted(a.kind.value for a in consented.actions) == [
        "create",
        "create",
        "delete",
        "delete",
    ]
    assert consented.rails == ()


def test_a_partial_scope_removes_and_reports_nothing(shop: Repository) -> None:
    shop.forget("other")
    shop.write(group("new"))

    planned = shop.plan("web.yaml", prune=True)

    assert kinds(planned) == {"web": "no-op"}
    assert orphans(planned) == []
    assert any("partial scope" in note for note in planned.notes)


def test_an_excluded_group_makes_the_scope_partial(shop: Repository) -> None:
    shop.forget("other")
    shop.write(group(image="nginx:2"))

    planned = shop.plan(prune=True, exclude=("rg-shop/web",))

    assert kinds(planned) == {}
    assert any("partial scope" in note for note in planned.notes)


def test_an_empty_manifest_set_removes_nothing(shop: Repository) -> None:
    from reconciler import app

    full = shop.wanted(prune=True)
    empty = app.Wanted(
        owner=full.owner,
        subscription=full.subscription,
        groups=(),
        resource_groups=(),
        limits=full.limits,
        is_complete=True,
    )

    planned = app.plan(empty, shop.azure, app.Consent())

    assert not planned.has_changes
    assert len(planned.orphans) == 2


def test_a_project_without_manifests_says_so_and_removes_nothing(shop: Repository) -> None:
    shop.forget("web", "other")

    done = shop.here("apply", "--yes", "--prune", "--allow", "delete=2")
    reported = shop.here("plan")

    assert (done.code, reported.code) == (64, 0)  # there is nothing to consent to
    refused = shop.here("apply", "--yes", "--prune")
    assert refused.code == 4
    assert "expected manifests in the project, got none" in refused.out
    assert "emptyDesired" in refused.out
    assert "destroy" in refused.out
    assert shop.names == ["other", "web"]


# Rails.


def test_more_deletes_than_the_limit_are_blocked_and_say_the_exact_consent(
    shop: Repository,
) -> None:
    shop.write(group("a"), group("b"))
    shop.apply()
    shop.forget("a", "b")

    planned = shop.plan(prune=True)
    consented = shop.plan(prune=True, allow={"delete": 2})

    assert rails(planned) == [
        ("maxDeletes", "--allow delete=2"),
        ("maxDeletePercent", "--allow delete=2"),
    ]
    assert rails(consented) == []


def test_the_percentage_does_not_count_for_one_group(shop: Repository) -> None:
    """One of two is 50 %, and still only one."""
    shop.forget("web")

    planned = shop.plan(prune=True)

    assert rails(planned) == []


def test_the_percentage_counts_where_the_number_is_allowed(shop: Repository) -> None:
    shop.project(policy={"maxDeletes": 10, "maxDeletePercent": 50})
    shop.write(group("a"), group("b"))
    shop.apply()
    shop.forget("a", "b")
    half = shop.plan(prune=True)
    shop.forget("other")

    most = shop.plan(prune=True)

    assert rails(half) == []
    assert rails(most) == [("maxDeletePercent", "--allow delete=3")]
    assert "3 of 4 groups (75 %)" in most.rails[0].says
    assert "aci-reconcile.yaml:" in most.rails[0].says


def test_more_replaces_than_the_limit_are_blocked(shop: Repository) -> None:
    shop.project(policy={"replace": "allow"})
    shop.write(group(cpu=2))

    planned = shop.plan()
    by_count = shop.plan(allow={"replace": 1})
    by_name = shop.plan(replace=("web",))

    assert rails(planned) == [("maxReplaces", "--allow replace=1")]
    assert rails(by_count) == rails(by_name) == []


def test_a_replace_is_refused_unless_allowed(shop: Repository) -> None:
    shop.write(group(cpu=2))

    planned = shop.plan()
    named = shop.plan(replace=("web",))

    assert kinds(planned)["web"] == "refuse"
    assert "--replace rg-shop/web" in action_of(planned).allow
    assert kinds(named)["web"] == "replace"


def test_consent_never_replaces_what_is_protected(shop: Repository) -> None:
    shop.write(group(cpu=2, reconcile={"protect": True, "replace": "allow"}))

    planned = shop.plan(replace=("web",), allow={"replace": 0})

    assert kinds(planned)["web"] == "refuse"
    assert "protected" in action_of(planned).why


@pytest.mark.parametrize("kind", ["delete", "replace", "move"])
def test_consent_to_more_than_the_plan_holds_is_an_error(shop: Repository, kind: str) -> None:
    with pytest.raises(UsageError, match=f"--allow {kind}=1 consents to more than the 0"):
        shop.plan(allow={kind: 1})


def test_a_name_that_fits_nothing_is_an_error_that_helps(shop: Repository) -> None:
    with pytest.raises(UsageError, match="did you mean '.*web'"):
        shop.plan(exclude=("wbe",))


# Who moved.


def test_a_change_of_the_manifest_is_config(shop: Repository) -> None:
    shop.write(group(image="nginx:2", tags={"team": "shop"}))

    planned = shop.plan()

    assert action_of(planned).origin is Origin.CONFIG


def test_a_change_in_azure_is_drift(shop: Repository) -> None:
    shop.set_image("web", "nginx:hotfix")

    planned = shop.plan()

    assert action_of(planned).origin is Origin.DRIFT


def test_a_change_of_a_tag_we_set_is_drift(shop: Repository) -> None:
    shop.change("web", lambda body: body["tags"].update(team="theirs"))

    planned = shop.plan()

    assert kinds(planned)["web"] == "patch-tags"
    assert action_of(planned).origin is Origin.DRIFT


def test_both_may_have_moved(shop: Repository) -> None:
    shop.set_image("web", "nginx:hotfix")
    shop.write(group(image="nginx:2", tags={"team": "shop"}))

    planned = shop.plan()

    assert action_of(planned).origin is Origin.BOTH


def test_drift_is_put_right_and_then_there_is_none(shop: Repository) -> None:
    shop.set_image("web", "nginx:hotfix")

    run = shop.apply()

    assert ended(run) == {"web": "succeeded"}
    assert kinds(shop.plan()) == {"other": "no-op", "web": "no-op"}


# Resource groups.


def test_an_existing_resource_group_is_never_put(repository: Repository) -> None:
    repository.given_home(tags={"theirs": "1"})
    repository.write({**home(), "tags": {"team": "shop"}}, group())
    before = len(repository.writes)

    run = repository.apply()

    assert ended(run) == {"web": "succeeded"}
    assert repository.writes[before:] == ["PUT web"]


def test_a_resource_group_in_another_location_is_refused(repository: Repository) -> None:
    repository.given_home()
    repository.write(home(location="northeurope"))

    planned = repository.plan()

    assert kinds(planned) == {"rg-shop": "refuse"}
    assert "westeurope" in action_of(planned, "rg-shop").why


def test_a_location_spelled_otherwise_is_the_same(repository: Repository) -> None:
    repository.given_home()
    repository.write(home(location="West Europe"))

    assert kinds(repository.plan()) == {"rg-shop": "no-op"}


def test_a_group_without_its_resource_group_is_refused(repository: Repository) -> None:
    repository.write(group())

    planned = repository.plan()

    assert kinds(planned) == {"web": "refuse"}
    assert "resource group 'rg-shop' does not exist" in action_of(planned).why


def test_a_resource_group_that_left_the_manifests_is_never_pruned(repository: Repository) -> None:
    repository.write(home(), group())
    repository.apply()
    repository.forget("rg-shop")

    planned = repository.plan(prune=True)

    assert kinds(planned) == {"web": "no-op"}


def test_the_state_tag_survives_being_read_and_written(shop: Repository) -> None:
    text = shop.tags("web")[STATE_TAG]

    assert format_state(parse_state(text)) == text
