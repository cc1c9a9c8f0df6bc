"""A plan without credentials: `snapshot` by whoever may ask Azure, `plan --live` by anybody."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.manifest import schema_text
from tests.conftest import Done, Repository, group, home, typed

KEY = "a key of twenty-four bytes"
CANARIES = ("CANARY-ENV", "CANARY-SECRET", "CANARY-COMMAND")


@pytest.fixture
def shop(shop: Repository) -> Repository:
    """A repository that was applied, with something private in every place."""
    shop.environ |= {"ACI_RECONCILE_SECRET_KEY": KEY, "PASSWORD": "CANARY-SECRET"}
    written(shop)
    assert shop.here("apply", "--yes").code == 0
    return shop


def written(shop: Repository, mode: str = "CANARY-ENV", **more: Any) -> None:
    env = [
        {"name": "MODE", "value": mode},
        {"name": "PASSWORD", "secureValue": {"fromEnv": "PASSWORD"}},
    ]
    command = ("sh", "-c", "echo CANARY-COMMAND; sleep 1000")
    shop.write(home(), group(env=env, command=command, **more))


def offline(shop: Repository, *arguments: str, **environ: str) -> Done:
    """`plan --live` as somebody who has no way to Azure."""
    closed = {"AZURE_TENANT_ID": "", "AZURE_CLIENT_ID": "", "HTTPS_PROXY": "http://127.0.0.1:9"}
    environ = {**shop.environ, **closed, **environ}
    return typed("plan", "--live", "live.json", *arguments, cwd=shop.root, environ=environ)


def taken(shop: Repository, **environ: str) -> dict[str, Any]:
    before = dict(shop.environ)
    shop.environ |= environ
    done = shop.here("snapshot", "live.json")
    shop.environ = before
    assert done.code == 0, done.err
    document: dict[str, Any] = json.loads((shop.root / "live.json").read_text("utf-8"))
    Draft202012Validator(json.loads(schema_text("snapshot"))).validate(document)
    return document


@pytest.mark.parametrize("key", [KEY, ""], ids=["digests", "left out"])
def test_a_snapshot_costs_one_list_and_holds_nothing_private(shop: Repository, key: str) -> None:
    before = len(shop.requests)

    document = taken(shop, ACI_RECONCILE_SECRET_KEY=key)

    asked = [request.path.rpartition("/")[2].lower() for request in shop.requests[before:]]
    assert sorted(asked) == ["containergroups", "resourcegroups"]
    assert bool(document["keyId"]) == bool(key)
    text = (shop.root / "live.json").read_text("utf-8")
    assert not [canary for canary in CANARIES if canary in text]
    assert KEY not in text


def test_against_its_snapshot_nothing_is_to_do_and_azure_is_not_asked(shop: Repository) -> None:
    taken(shop)
    before = len(shop.requests)

    done = offline(shop, "--detailed-exitcode")

    assert done.code == 0, done.out + done.err
    assert "no changes, 3 of 3 unchanged" in done.out
    assert "Azure was not asked" in done.out
    assert "not compared" not in done.out
    assert len(shop.requests) == before


def test_a_changed_value_is_planned_and_the_live_one_is_not_told(shop: Repository) -> None:
    taken(shop)
    written(shop, mode="green")

    done = offline(shop, "--detailed-exitcode")

    assert done.code == 2
    assert '"(not in the snapshot)" -> "green"' in done.out
    assert "1 to update (restarts 1 container)" in done.out


def test_a_rotated_secret_is_seen_with_the_key(shop: Repository) -> None:
    taken(shop)

    done = offline(shop, "--detailed-exitcode", PASSWORD="another")

    assert done.code == 2
    assert "PASSWORD/secureValue" in done.out
    assert "another" not in done.out


@pytest.mark.parametrize("made_with", [KEY, ""], ids=["digests", "left out"])
def test_without_the_key_values_are_reported_as_not_compared(
    shop: Repository, made_with: str
) -> None:
    taken(shop, ACI_RECONCILE_SECRET_KEY=made_with)
    written(shop, mode="green", image="nginx:2")

    done = offline(shop, ACI_RECONCILE_SECRET_KEY="", PASSWORD="")

    assert done.code == 0, done.err
    assert "containers/web/properties/image" in done.out
    assert "environmentVariables/MODE/value" in done.out.partition("not compared, ")[2]
    assert '"green"' not in done.out


def test_what_is_not_there_is_created_and_what_left_is_an_orphan(shop: Repository) -> None:
    taken(shop)
    shop.forget("web")
    shop.write(group("new"))

    done = offline(shop)

    assert "rg-shop/new  create" in done.out
    assert "rg-shop/web  orphan, left alone" in done.out


def test_a_plan_against_a_snapshot_cannot_be_applied(shop: Repository) -> None:
    taken(shop)
    written(shop, mode="green")
    assert offline(shop, "-o", "json=plan.json").code == 0
    document = json.loads((shop.root / "plan.json").read_text("utf-8"))
    Draft202012Validator(json.loads(schema_text("report"))).validate(document)
    before = len(shop.writes)

    done = shop.here("apply", "plan.json", "--yes")

    assert document["snapshot"]["file"] == "live.json"
    assert done.code == 4
    assert "made against the snapshot of" in done.err
    assert len(shop.writes) == before


def test_it_goes_to_stdout_with_a_dash(shop: Repository) -> None:
    done = shop.here("snapshot", "-")

    assert done.code == 0
    assert json.loads(done.out)["kind"] == "Snapshot"
    assert f"2 groups of subscription {shop.subscription} in stdout" in done.err


def test_an_answer_that_another_client_saved_is_compared_as_it_is(shop: Repository) -> None:
    lives = [shop.live(name) for name in ("web", "other")]
    (shop.root / "live.json").write_text(json.dumps({"value": lives}), "utf-8")

    done = offline(shop, "--detailed-exitcode")

    assert done.code == 0, done.out + done.err
    assert "resource groups are not in it" in done.out
    written(shop, mode="green")
    assert '"CANARY-ENV" -> "green"' in offline(shop).out


def edited(shop: Repository, **changes: Any) -> None:
    document = {**taken(shop), **changes}
    (shop.root / "live.json").write_text(json.dumps(document), "utf-8")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"subscription": "11111111-1111-1111-1111-111111111111"}, "is of subscription 1111"),
        ({"owner": "shop/staging"}, "was taken for owner 'shop/staging'"),
    ],
)
def test_a_snapshot_of_something_else_is_refused(
    shop: Repository, changes: dict[str, Any], says: str
) -> None:
    edited(shop, **changes)

    done = offline(shop)

    assert (done.code, says in done.err) == (4, True), done.err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "live.json:1:1: expected JSON"),
        ("[]", "expected a snapshot in JSON, got JSON of the type list"),
        ('{"kind": "Plan"}', "got a document of the kind 'Plan'"),
        ('{"kind": "Snapshot"}', "live.json: /: 'apiVersion' is a required property"),
        ('{"value": [], "nextLink": "https://x"}', "expected the whole answer, got one page"),
        ('{"value": {}}', "/value: expected a list of container groups"),
        ('{"value": [{"id": "x"}]}', "/value/0: expected a container group as ARM writes it"),
        ('{"value": [{"id": "x", "properties": {}}]}', "/value/0/id: expected the id of"),
    ],
)
def test_a_file_that_holds_none_is_said_to(shop: Repository, text: str, says: str) -> None:
    (shop.root / "live.json").write_text(text, "utf-8")

    done = offline(shop)

    assert (done.code, says in done.err) == (64, True), done.err


def test_a_time_that_is_none_is_said_to_be(shop: Repository) -> None:
    edited(shop, takenAt="2026-99-99T00:00:00.000Z")

    done = offline(shop)

    assert (done.code, "/takenAt: expected a time" in done.err) == (64, True), done.err


def test_a_missing_file_is_said_to_be(shop: Repository) -> None:
    done = offline(shop)

    assert (done.code, "live.json: cannot be read" in done.err) == (64, True), done.err


def test_live_and_azure_exclude_each_other(shop: Repository) -> None:
    done = offline(shop, "--endpoint", shop.emulator.url)

    assert (done.code, "--live asks no Azure" in done.err) == (64, True), done.err


def test_a_snapshot_is_not_written_over_a_manifest(shop: Repository) -> None:
    manifest = next(path for path in shop.root.rglob("*.yaml") if path.name.startswith("web"))
    before = manifest.read_text("utf-8")

    done = shop.here("snapshot", str(manifest))

    assert (done.code, manifest.read_text("utf-8")) == (64, before), done.err


def test_a_folder_that_is_missing_is_said_before_azure_is_asked(shop: Repository) -> None:
    before = len(shop.requests)

    done = shop.here("snapshot", "nowhere/live.json")

    assert done.code != 0
    assert "nowhere/live.json: there is no folder" in done.err
    assert len(shop.requests) == before


def test_a_group_of_another_owner_stays_refused(shop: Repository) -> None:
    body = {"location": "westeurope", "tags": {"aci-reconcile-owner": "else"}}
    shop.put("theirs", {**group("theirs", env=[{"name": "A", "value": "CANARY-ENV"}]), **body})
    taken(shop)
    shop.write(group("theirs"))

    done = offline(shop)

    assert done.code == 4
    assert "owned by 'else', not by 'shop'" in done.out
    assert "CANARY-ENV" not in (shop.root / "live.json").read_text("utf-8")
