"""The command, its secrets the keys of a storage account and a workspace, asked of the emulator."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.conftest import Done, Repository, group, refusal, typed
from tests.keys import STORAGE, Held, logs, of_account, of_workspace, share

KEY = "0123456789abcdef-key"


@pytest.fixture
def held(repository: Repository) -> Held:
    """An account and a workspace in another resource group than the shop's."""
    return Held(repository)


@pytest.fixture
def shop(repository: Repository, held: Held) -> Repository:
    """A group with a share, a connection string and a workspace."""
    repository.given_home()
    repository.environ["ACI_RECONCILE_SECRET_KEY"] = KEY
    repository.write(web())
    return repository


def web(name: str = "web", account: Any = None, **options: Any) -> dict[str, Any]:
    string = {"name": "STORAGE", "secureValue": of_account(**{"as": "connectionString"})}
    return group(
        name,
        env=[string],
        volumes=[share(account or of_account())],
        diagnostics=logs(of_workspace()),
        **options,
    )


def sent(repository: Repository) -> list[tuple[str, str, str]]:
    """The three values in each PUT of the group, in order."""
    found = []
    for request in repository.requests:
        if request.method == "PUT" and request.path.endswith("/containerGroups/web"):
            properties = request.body["properties"]
            (container,) = properties["containers"]
            found.append(
                (
                    container["properties"]["environmentVariables"][0]["secureValue"],
                    properties["volumes"][0]["azureFile"]["storageAccountKey"],
                    properties["diagnostics"]["logAnalytics"]["workspaceKey"],
                )
            )
    return found


def string_of(key: str) -> str:
    return (
        f"DefaultEndpointsProtocol=https;AccountName=shopfiles;AccountKey={key};"
        "EndpointSuffix=core.windows.net"
    )


def shows_no_key(held: Held, *runs: Done, files: str = "") -> None:
    shown = files + "".join(run.out + run.err for run in runs)
    for key in held.seen:
        for text in (key, json.dumps(key), base64.b64encode(key.encode()).decode()):
            assert text not in shown


def test_keys_are_applied_and_a_rotation_is_seen_by_name(shop: Repository, held: Held) -> None:
    first = held.keys()
    before = len(shop.requests)
    planned = shop.here("plan", "--debug")
    assert sorted(held.asked_since(before)) == ["shop-logs", "shopfiles"]  # once a run
    applied = shop.here("apply", "--yes", "--debug")
    again = shop.here("apply", "--yes", "--debug", "-v")
    assert [planned.code, applied.code, again.code] == [0, 0, 0]
    assert "M402" not in planned.out

    held.rotate()
    second = held.keys()
    seen = shop.here("plan", "--detailed-exitcode", "--debug")
    as_json = shop.here(
        "plan", "-o", "json=plan.json", "-o", "markdown=plan.md", "-o", "html=p.html"
    )
    drifted, status = shop.here("drift"), shop.here("status")
    updated = shop.here("apply", "--yes", "--debug", "-v", "-o", "text", "-o", "json=result.json")
    final = shop.here("plan", "--detailed-exitcode")

    assert [seen.code, as_json.code, drifted.code] == [2, 0, 0]  # pending is no drift
    assert [status.code, updated.code, final.code] == [0, 0, 0]
    for name in ("STORAGE/secureValue", "share/azureFile/storageAccountKey"):
        assert name in seen.out
    assert "workspaceKey" not in seen.out
    assert sent(shop) == [
        (string_of(one["key1"]), one["key1"], one["primarySharedKey"]) for one in (first, second)
    ]
    names = ("plan.json", "plan.md", "p.html", "result.json")
    files = "".join((shop.root / name).read_text("utf-8") for name in names)
    kept = json.dumps(shop.emulator.groups(shop.subscription))
    runs = (planned, applied, again, seen, as_json, drifted, status, updated, final)
    shows_no_key(held, *runs, files=files + kept)


def test_a_key_that_is_not_used_may_be_rotated(shop: Repository, held: Held) -> None:
    shop.here("apply", "--yes")
    held.rotate("key2")

    assert shop.here("plan", "--detailed-exitcode").code == 0
    shop.write(web(account=of_account(key="key2")))
    assert shop.here("plan", "--detailed-exitcode").code == 2


def test_a_workspaces_key_that_was_rotated_is_seen(shop: Repository, held: Held) -> None:
    shop.here("apply", "--yes")
    held.rotate_workspace()

    plan = shop.here("plan", "--detailed-exitcode")

    assert plan.code == 2
    assert "/properties/diagnostics/logAnalytics/workspaceKey" in plan.out
    assert "storageAccountKey" not in plan.out


def test_an_identity_without_the_right_is_told_where_and_what_it_lacks(
    shop: Repository, held: Held
) -> None:
    shop.here("apply", "--yes")
    shop.intercept(
        lambda call: refusal(403, "AuthorizationFailed") if "listKeys" in call.path else None
    )

    plan, drift = shop.here("plan"), shop.here("drift")

    assert [plan.code, drift.code] == [0, 0]
    for done in (plan, drift):
        said = " ".join(done.out.split())
        lines = (shop.root / "web.yaml").read_text("utf-8").splitlines()
        line = next(n for n, text in enumerate(lines, 1) if "storageAccountKey" in text)
        assert f"web.yaml:{line}:" in said
        assert "M402 volumes[0].azureFile.storageAccountKey" in said
        assert "'Microsoft.Storage/storageAccounts/listKeys/action'" in said
        assert "'Storage Account Key Operator Service Role'" in said
        assert "not compared" in said
        assert "M402 diagnostics" not in said
    shop.write(web(image="nginx:1.28"))
    before = shop.writes
    apply = shop.here("apply", "--yes")
    assert apply.code == 4
    assert "nothing was touched" in apply.err
    assert "listKeys/action" in apply.err
    assert [one for one in shop.writes[len(before) :] if not one.endswith("Keys")] == []
    shows_no_key(held, plan, drift, apply)


def test_an_account_that_is_not_there_blocks_only_what_needs_it(
    shop: Repository, held: Held
) -> None:
    shop.here("apply", "--yes")
    held.ask("DELETE", STORAGE, "shopfiles")

    shop.write(group("other"))
    unneeded = shop.here("apply", "--yes")
    shop.write(web("third"))
    needed = shop.here("apply", "--yes")

    assert (unneeded.code, needed.code) == (0, 4)
    assert shop.names == ["other", "web"]
    assert "third.yaml:" in needed.err
    said = " ".join(needed.err.split())
    assert "check 'name', 'resourceGroup' and 'subscription' of the reference" in said


def test_a_read_only_lock_is_named(shop: Repository) -> None:
    shop.intercept(lambda call: refusal(409, "ScopeLocked") if "listKeys" in call.path else None)

    plan = shop.here("plan")

    assert plan.code == 0
    assert "a read-only lock forbids listing keys too" in " ".join(plan.out.split())


def test_a_subscription_of_its_own_may_be_named(shop: Repository, held: Held) -> None:
    elsewhere = "99999999-2222-3333-4444-555555555555"
    shop.write(web(account=of_account(subscription=elsewhere)))
    before = len(shop.emulator.requests)

    plan = shop.here("plan")

    asked = [one.path for one in shop.emulator.requests[before:] if one.path.endswith("/listKeys")]
    assert sorted(path.split("/")[2] for path in asked) == sorted([elsewhere, shop.subscription])
    assert f"of subscription {elsewhere}" in " ".join(plan.out.split())


@pytest.mark.parametrize("line", ["validate", "render", "logs web", "destroy --confirm shop"])
def test_what_needs_no_secret_asks_for_no_key(shop: Repository, held: Held, line: str) -> None:
    shop.here("apply", "--yes")
    before = len(shop.requests)

    done = shop.here(*line.split())

    assert done.code == 0, done.err
    assert held.asked_since(before) == []
    shows_no_key(held, done)


def test_against_a_snapshot_azure_is_asked_for_no_key(shop: Repository, held: Held) -> None:
    shop.here("apply", "--yes")
    taken = shop.here("snapshot", "live.json")
    before = len(shop.requests)

    plan = typed("plan", "--live", "live.json", cwd=shop.root, environ=shop.environ)

    assert (taken.code, plan.code) == (0, 0)
    assert held.asked_since(before) == []
    assert "Azure was not asked: key 'key1' of storage account 'shopfiles'" in " ".join(
        plan.out.split()
    )
    shows_no_key(held, taken, plan, files=(shop.root / "live.json").read_text("utf-8"))


def test_faults_of_the_stage_are_played_and_survived(shop: Repository, held: Held) -> None:
    shop.emulator.plays([{"when": {"stage": "keys", "nth": [1, 2]}, "fault": {"status": 503}}])
    try:
        plan = shop.here("plan")
    finally:
        shop.emulator.plays(None)

    assert plan.code == 0
    assert "M402" not in plan.out
    shows_no_key(held, plan)


def test_a_reviewed_plan_is_applied_with_the_keys_of_now(shop: Repository, held: Held) -> None:
    assert shop.here("plan", "-o", "json=plan.json").code == 0
    assert json.loads((shop.root / "plan.json").read_text("utf-8"))

    done = shop.here("apply", "plan.json", "--yes")

    assert done.code == 0, done.err
    assert sent(shop)[0][1] == held.keys()["key1"]
