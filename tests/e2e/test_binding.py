"""What was reviewed is what runs: plan documents, digests, and what they refuse."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.manifest import schema_text
from tests.conftest import Repository, group, home, task

VARIES = ("planId", "createdAt", "expiresAt")


def planned(shop: Repository, *more: str, name: str = "plan.json") -> dict[str, Any]:
    done = shop.here("plan", "-o", f"json={name}", *more)
    assert done.code in (0, 4), done.err
    document = json.loads((shop.root / name).read_text())
    schema = json.loads(schema_text("report"))
    Draft202012Validator(schema).validate(document)
    return document


def edit(shop: Repository, **changes: Any) -> None:
    path = shop.root / "plan.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def image(shop: Repository, name: str = "web") -> str:
    return shop.live(name)["properties"]["containers"][0]["properties"]["image"]


def test_a_plan_that_was_reviewed_is_carried_out(shop: Repository) -> None:
    shop.write(group(image="nginx:2", tags={"team": "shop"}))
    document = planned(shop)

    done = shop.here("apply", "plan.json", "--yes")

    assert done.code == 0, done.err
    assert image(shop) == "nginx:2"
    assert f"as reviewed: plan {document['planId']} of plan.json" in done.err


def test_a_resource_group_is_created_where_it_was_reviewed_to_be(shop: Repository) -> None:
    shop.write(home("rg-new", location="westeurope"))
    planned(shop)
    shop.write(home("rg-new", location="northeurope"))

    done = shop.here("apply", "plan.json", "--yes")

    assert done.code == 5, done.out + done.err
    assert "create" in done.err
    assert not [path for path in shop.writes if "rg-new" in path]


def test_equal_input_gives_equal_documents_but_for_their_identity(shop: Repository) -> None:
    shop.write(group(image="nginx:2"))

    first, second = planned(shop), planned(shop)

    assert first["planId"] != second["planId"]
    assert {k: v for k, v in first.items() if k not in VARIES} == {
        k: v for k, v in second.items() if k not in VARIES
    }
    created, expires = (datetime.fromisoformat(first[k]) for k in ("createdAt", "expiresAt"))
    assert expires - created == timedelta(hours=24)


@pytest.mark.parametrize("meddle", ["manifest", "azure", "another group"])
def test_a_plan_that_would_do_something_else_by_now_is_stale(shop: Repository, meddle: str) -> None:
    shop.write(group(image="nginx:2"))
    planned(shop)
    before = len(shop.writes)
    if meddle == "manifest":
        shop.write(group(image="nginx:3"))
    elif meddle == "azure":
        shop.set_image("web", "theirs:1")
    else:
        shop.write(group("new"))

    done = shop.here("apply", "plan.json", "--yes")

    assert done.code == 5
    assert "reviewed: " in done.err
    assert "| now: " in done.err
    assert len(shop.writes) == before + (meddle == "azure") * 0


def test_what_is_done_by_now_may_be_left_out_where_that_is_accepted(shop: Repository) -> None:
    shop.write(group(image="nginx:2"), group("other", image="nginx:2"))
    planned(shop)
    assert shop.here("apply", "--yes", "--select", "web").code == 0

    refused = shop.here("apply", "plan.json", "--yes")
    done = shop.here("apply", "plan.json", "--yes", "--accept-subset")

    assert (refused.code, done.code) == (5, 0)
    assert image(shop, "other") == "nginx:2"


def test_an_accepted_subset_is_of_the_same_changes(shop: Repository) -> None:
    shop.write(group(image="nginx:2"), group("other", image="nginx:2"))
    planned(shop)
    shop.write(group(image="nginx:3"))

    assert shop.here("apply", "plan.json", "--yes", "--accept-subset").code == 5
    assert image(shop) != "nginx:3"


def test_a_digest_binds_without_a_document(shop: Repository) -> None:
    shop.write(group(image="nginx:2"))
    digest = planned(shop)["digest"]
    shop.write(group(image="nginx:3"))

    refused = shop.here("apply", "--yes", "--expect-digest", digest)
    shop.write(group(image="nginx:2"))
    done = shop.here("apply", "--yes", "--expect-digest", digest)

    assert refused.code == 5
    assert "now: update" in refused.err
    assert done.code == 0
    assert image(shop) == "nginx:2"


def test_what_is_left_alone_may_move_meanwhile(shop: Repository) -> None:
    """A tag of others on a group that equals its manifest is no effect of the plan."""
    shop.write(group(image="nginx:2", tags={"team": "shop"}))
    planned(shop)
    shop.change("other", lambda body: body.setdefault("tags", {}).update(cost="42"))

    assert shop.here("apply", "plan.json", "--yes").code == 0


def test_consent_is_part_of_the_plan(shop: Repository) -> None:
    shop.project(policy={"maxReplaces": 0})
    shop.write(group(cpu=2, reconcile={"replace": "allow"}))
    document = planned(shop, "--allow", "replace=1")
    assert document["options"] == {"allow": {"replace": 1}}

    done = shop.here("apply", "plan.json", "--yes")

    assert done.code == 0, done.err


@pytest.mark.parametrize(
    "more", [("--prune",), ("--allow", "delete=1"), ("--select", "web"), ("--replace", "web")]
)
def test_nothing_is_added_to_a_plan_that_was_reviewed(
    shop: Repository, more: tuple[str, ...]
) -> None:
    shop.write(group(image="nginx:2"))
    planned(shop)

    done = shop.here("apply", "plan.json", "--yes", *more)

    assert done.code == 64
    assert more[0] in done.err


def test_a_plan_that_expired_is_not_carried_out(shop: Repository) -> None:
    shop.project(policy={"planValidFor": "30m"})
    shop.write(group(image="nginx:2"))
    document = planned(shop)
    created, expires = (datetime.fromisoformat(document[k]) for k in ("createdAt", "expiresAt"))
    assert expires - created == timedelta(minutes=30)
    late = datetime.now(UTC) - timedelta(seconds=1)
    edit(shop, expiresAt=late.isoformat(timespec="milliseconds").replace("+00:00", "Z"))

    done = shop.here("apply", "plan.json", "--yes")

    assert done.code == 4
    assert "expired at" in done.err
    assert image(shop) != "nginx:2"


def test_a_blocked_plan_is_not_carried_out(shop: Repository) -> None:
    shop.write(group(cpu=2))
    assert planned(shop)["blocked"]

    assert shop.here("apply", "plan.json", "--yes").code == 4


def test_a_plan_of_another_owner_is_not_carried_out(shop: Repository) -> None:
    shop.write(group(image="nginx:2"))
    planned(shop)
    shop.project(owner="else")

    done = shop.here("apply", "plan.json", "--yes")

    assert done.code == 4
    assert "for owner 'shop'" in done.err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "plan.json:1:1: expected JSON"),
        ("[" * 100_000, "plan.json: expected a plan in JSON"),
        ("[]", "expected a plan in JSON, got JSON of the type list"),
        ('{"kind": "Result"}', "expected a document of the kind Plan, got 'Result'"),
        ('{"kind": "Plan"}', "plan.json: /: "),
        ("\ufeff{}", "plan.json"),
    ],
)
def test_what_is_no_plan_is_told(shop: Repository, text: str, says: str) -> None:
    (shop.root / "plan.json").write_text(text, encoding="utf-8")

    for line in (("apply", "plan.json", "--yes"), ("show", "plan.json")):
        done = shop.here(*line)
        assert done.code == 64
        assert says in done.err


def test_a_drift_document_is_no_plan(shop: Repository) -> None:
    shop.here("drift", "-o", "json=plan.json")

    done = shop.here("apply", "plan.json", "--yes")

    assert done.code == 64


def test_a_plan_is_shown_as_it_was_made(shop: Repository, tmp_path: Path) -> None:
    shop.write(group(image="nginx:2", tags={"team": "shop"}), group("new"))
    before = shop.here("plan", "-o", "text", "-o", "json=plan.json")

    shown = shop.here("show", "plan.json")
    again = shop.here("show", "plan.json", "-o", "json")

    assert shown.out == before.out
    assert again.out == (shop.root / "plan.json").read_text()


# secrets


def test_applying_compares_no_other_secrets_than_the_plan_did(repository: Repository) -> None:
    """Who plans has no key; who applies has, and a secret was rotated: that was not reviewed."""
    key = "k" * 32
    repository.given_home()
    repository.environ |= {"PW": "first-secret", "ACI_RECONCILE_SECRET_KEY": key}
    env = [{"name": "P", "secureValue": {"fromEnv": "PW"}}]
    repository.write(group(env=env), group("other"))
    assert repository.here("apply", "--yes").code == 0
    repository.environ["PW"] = "second-secret"
    repository.write(group(env=env), group("other", image="nginx:2"))
    del repository.environ["ACI_RECONCILE_SECRET_KEY"]
    assert planned(repository)["secretsCompared"] == {}
    repository.environ["ACI_RECONCILE_SECRET_KEY"] = key
    puts = repository.counting("PUT", "web")

    done = repository.here("apply", "plan.json", "--yes")

    assert done.code == 0, done.err
    assert repository.counting("PUT", "web") == puts
    assert image(repository, "other") == "nginx:2"
    assert "1 to update" in repository.here("plan").out


def test_a_plan_names_the_secrets_that_it_compared(repository: Repository) -> None:
    repository.given_home()
    repository.environ |= {"PW": "first-secret", "ACI_RECONCILE_SECRET_KEY": "k" * 32}
    repository.write(group(env=[{"name": "P", "secureValue": {"fromEnv": "PW"}}]))
    assert repository.here("apply", "--yes").code == 0
    repository.environ["PW"] = "second-secret"

    document = planned(repository)

    ((address, names),) = document["secretsCompared"].items()
    assert address.endswith("/rg-shop/web")
    assert names == ["/properties/containers/web/properties/environmentVariables/P/secureValue"]
    assert "second-secret" not in json.dumps(document)
    assert repository.here("apply", "plan.json", "--yes").code == 0
    assert "no changes" in repository.here("plan").out


# scope


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("web", {"web"}),
        ("w*", {"web"}),
        ("rg-shop/*", {"web", "other"}),
        ("tag:team=shop", {"web"}),
        ("tag:TEAM", {"web"}),
        ("path:other*", {"other"}),
    ],
)
def test_groups_are_selected_by_name_tag_or_path(
    shop: Repository, pattern: str, fits: set[str]
) -> None:
    shop.write(group(image="nginx:2", tags={"team": "shop"}), group("other", image="nginx:2"))

    document = planned(shop, "--select", pattern)
    rest = planned(shop, "--exclude", pattern)

    named = {one["name"].partition("/")[2] for one in document["actions"]}
    assert named == fits
    assert {one["name"].partition("/")[2] for one in rest["actions"]} == {"web", "other"} - fits
    assert not document["complete"]
    assert not rest["complete"]


@pytest.mark.parametrize("pattern", ["nope", "x*", "tag:nope", "path:nope/*"])
def test_a_pattern_that_fits_nothing_is_an_error(shop: Repository, pattern: str) -> None:
    done = shop.here("plan", "--select", pattern)

    assert done.code == 64
    assert pattern in done.err


def test_a_partial_scope_removes_nothing_and_pruning_it_is_refused(shop: Repository) -> None:
    shop.forget("other")

    document = planned(shop, "--select", "web", "--prune")

    assert [rail["rule"] for rail in document["rails"]] == ["partialScope"]
    assert shop.here("apply", "--yes", "--select", "web", "--prune").code == 4
    assert shop.live("other") is not None


def test_no_manifests_at_all_is_refused_where_pruning_would_delete_everything(
    shop: Repository,
) -> None:
    shop.forget("web", "other")

    done = shop.here("apply", "--yes", "--prune", "--allow", "delete=2")

    assert done.code == 64, done  # there is nothing to consent to
    assert shop.names == ["other", "web"]


def env(reference: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": "PASSWORD", "secureValue": reference}]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"env": env({"fromEnv": "A"})}, {"env": env({"fromEnv": "B"})}),
        ({"reconcile": {"protect": True}}, {"reconcile": {"protect": False}}),
        ({"reconcile": {"replace": "allow"}}, {"reconcile": {"replace": "forbid"}}),
        ({}, {"reconcile": {"onReplaceFailure": "restore"}}),
    ],
    ids=["where a secret comes from", "protection", "leave to replace", "what a failure does"],
)
def test_what_may_be_done_and_with_which_secret_is_bound_too(
    shop: Repository, before: dict[str, Any], after: dict[str, Any]
) -> None:
    shop.environ |= {"A": "alpha-alpha-1", "B": "bravo-bravo-2"}
    shop.write(group(image="nginx:2", **before))
    planned(shop)
    shop.write(group(image="nginx:2", **after))

    done = shop.here("apply", "plan.json", "--yes")

    assert done.code == 5, done.out + done.err
    assert image(shop) == "nginx:1.27"


def test_how_long_is_waited_is_not_bound(shop: Repository) -> None:
    shop.write(group(image="nginx:2"))
    planned(shop)
    shop.write(group(image="nginx:2", reconcile={"wait": {"timeout": "5m"}}))

    assert shop.here("apply", "plan.json", "--yes").code == 0


@pytest.mark.parametrize(
    "consent", [("--replace", "web", "--allow", "replace=1"), ("--rerun", "job")], ids="-".join
)
def test_what_only_consent_asks_for_is_done_once(
    shop: Repository, consent: tuple[str, ...]
) -> None:
    shop.write(task("job"))
    assert shop.here("apply", "--yes", "--wait", "succeeded").code == 0
    planned(shop, *consent)
    assert shop.here("apply", "plan.json", "--yes").code == 0
    before = len(shop.writes)

    again = shop.here("apply", "plan.json", "--yes")

    assert again.code == 5, again.out + again.err
    assert len(shop.writes) == before


def test_a_group_that_was_stopped_since_is_not_started_by_an_update(shop: Repository) -> None:
    shop.write(group(image="nginx:2"))
    planned(shop)
    shop.stop("web")

    assert shop.here("apply", "plan.json", "--yes").code == 5


def test_a_subset_of_what_was_agreed_to_needs_no_new_consent(shop: Repository) -> None:
    shop.forget("web", "other")
    shop.write(group("new"))
    planned(shop, "--prune", "--allow", "delete=2")
    shop.delete("other")

    stale = shop.here("apply", "plan.json", "--yes")
    done = shop.here("apply", "plan.json", "--yes", "--accept-subset")

    assert (stale.code, "reviewed: delete" in stale.err) == (5, True), stale.err
    assert done.code == 0, done.out + done.err
    assert shop.names == ["new"]


def test_a_name_that_fits_no_more_is_a_stale_plan(shop: Repository) -> None:
    planned(shop, "--replace", "web")
    shop.forget("web")

    done = shop.here("apply", "plan.json", "--yes")

    assert (done.code, "plan.json cannot be planned again" in done.err) == (5, True), done.err


def test_consent_is_shown_to_whoever_reviews(shop: Repository) -> None:
    shop.forget("web", "other")
    shop.write(group("new"))
    options = ("plan", "--prune", "--allow", "delete=2")

    shown = [shop.here(*options, "-o", name).out for name in ("text", "markdown", "html")]

    assert all("--prune --allow delete=2" in text for text in shown)


def test_a_digest_of_something_else_is_told(shop: Repository) -> None:
    shop.write(group(image="nginx:2"))
    planned(shop)
    edit(shop, digest="sha256:" + "0" * 64)

    for command in (("apply", "plan.json", "--yes"), ("show", "plan.json")):
        done = shop.here(*command)
        assert (done.code, "/digest: expected sha256:" in done.err) == (64, True), done.err


def test_no_hash_in_a_document_tells_a_hidden_value_right(shop: Repository) -> None:
    """Whoever guesses a value that is shown as hidden learns nothing from the document."""
    documents = []
    for guess in ("hunter3hunter3", "password1"):
        shop.write(group(image="nginx:2", env=[{"name": "DB_PASSWORD", "value": guess}]))
        documents.append(planned(shop))

    first, second = ({k: v for k, v in one.items() if k not in VARIES} for one in documents)
    assert "hunter3" not in json.dumps(first)
    assert first == second


def test_a_selection_creates_no_resource_group_that_it_does_not_need(shop: Repository) -> None:
    new = group("db", reconcile={"resourceGroup": "rg-new"})
    shop.write(home("rg-new"), new, group(image="nginx:2"))

    web = kinds_in(planned(shop, "--select", "web"))
    both = kinds_in(planned(shop, "--select", "db"))
    rest = kinds_in(planned(shop, "--exclude", "rg-new/db"))

    assert web == {"rg-shop/web": "update"}
    assert both == {"rg-new": "create", "rg-new/db": "create"}
    assert rest == {"rg-shop/web": "update"}


def kinds_in(document: dict[str, Any]) -> dict[str, str]:
    pending = [one for one in document["actions"] if one["action"] != "no-op"]
    return {"/".join(one["address"].split("/")[1:]): one["action"] for one in pending}


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"exitCode": 1}, 4, "the plan ended with 1"),
        ({"exitCode": 3}, 4, "the plan ended with 3"),
        ({"createdAt": "2999-01-01T00:00:00.000Z"}, 4, "which is still to come"),
        ({"expiresAt": "2026-13-99T99:99:99.000Z"}, 64, "expected a plan: "),
    ],
)
def test_what_is_no_whole_plan_of_now_is_not_carried_out(
    shop: Repository, changes: dict[str, Any], code: int, says: str
) -> None:
    shop.write(group(image="nginx:2"))
    planned(shop)
    edit(shop, **changes)

    done = shop.here("apply", "plan.json", "--yes")

    assert (done.code, says in done.err) == (code, True), done.err
    assert image(shop) == "nginx:1.27"


@pytest.mark.parametrize("member", ["createdAt", "expiresAt", "options", "secretsCompared"])
def test_a_plan_without_a_part_of_its_identity_is_none(shop: Repository, member: str) -> None:
    shop.write(group(image="nginx:2"))
    document = planned(shop)
    del document[member]
    (shop.root / "plan.json").write_text(json.dumps(document), "utf-8")

    for command in (("apply", "plan.json", "--yes"), ("show", "plan.json")):
        done = shop.here(*command)
        assert (done.code, member in done.err) == (64, True), done.err


@pytest.mark.parametrize("text", ["foo", "", "sha256:"])
def test_a_digest_that_is_none_is_a_usage_error(shop: Repository, text: str) -> None:
    done = shop.here("apply", "--yes", f"--expect-digest={text}")

    assert (done.code, "64 hexadecimal digits" in done.err) == (64, True), done.err


def test_a_plan_is_known_by_what_it_holds(shop: Repository) -> None:
    shop.write(group(image="nginx:2"))
    planned(shop, name="reviewed")

    done = shop.here("apply", "reviewed", "--yes")

    assert (done.code, image(shop)) == (0, "nginx:2"), done.err
