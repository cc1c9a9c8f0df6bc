"""`doctor`: each check fails once, says why, and what to do."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from jsonschema import Draft202012Validator

from reconciler.emulator.world import Call, Reply
from reconciler.errors import ExitCode
from tests.conftest import CHECKOUT, HOME, Repository, group, typed

SCHEMA = json.loads((CHECKOUT / "schemas" / "report.schema.json").read_text("utf-8"))
SUBNET = (
    "/subscriptions/{}/resourceGroups/rg-net/providers/Microsoft.Network/virtualNetworks/net"
    "/subnets/aci"
)


@pytest.fixture
def shop(repository: Repository) -> Repository:
    repository.project()
    repository.given_home()
    repository.write(group())
    return repository


def found(
    repository: Repository, *options: str
) -> tuple[ExitCode, dict[str, list[dict[str, str]]]]:
    """The exit code, and the checks by name, of a document that its schema allows."""
    done = repository.here("doctor", "-o", "json", *options)
    document = json.loads(done.out)
    Draft202012Validator(SCHEMA).validate(document)
    assert document["exitCode"] == done.code
    checks: dict[str, list[dict[str, str]]] = {}
    for one in document["checks"]:
        checks.setdefault(one["name"], []).append(one)
    return done.code, checks


def answering(repository: Repository, part: str, status: int, body: Any) -> None:
    """Let every GET of a path that has `part` in it be answered so."""

    def answer(call: Call) -> Reply | None:
        is_meant = call.method == "GET" and call.path.lower().endswith(part.lower())
        return Reply(status=status, body=body) if is_meant else None

    repository.intercept(answer)


def subscribed(repository: Repository, **changes: Any) -> dict[str, Any]:
    usual = {"subscriptionId": repository.subscription, "tenantId": "t-1", "displayName": "Ours"}
    return {**usual, "state": "Enabled", **changes}


def provided(**changes: Any) -> dict[str, Any]:
    kind = {
        "resourceType": "containerGroups",
        "locations": ["West Europe"],
        "apiVersions": ["2023-05-01", "2021-10-01"],
    }
    return {
        "namespace": "Microsoft.ContainerInstance",
        "registrationState": changes.pop("state", "Registered"),
        "resourceTypes": [{**kind, **changes}],
    }


def test_where_all_is_well_nothing_is_to_do(shop: Repository) -> None:
    before = len(shop.writes)

    done = shop.here("doctor")
    code, checks = found(shop)

    assert (done.code, code) == (ExitCode.DONE, ExitCode.DONE)
    assert {one["state"] for same in checks.values() for one in same} == {"ok"}
    assert [one["says"] for one in checks["permissions"]] == [
        "subscription: 2 actions of 2",
        f"{HOME}: 8 actions of 8",
    ]
    assert checks["quota"][0]["says"].startswith("westeurope: ContainerGroups 0 of 100")
    assert "fix:" not in done.out
    assert done.out.endswith("checks: 11 ok\n")
    assert len(shop.writes) == before


@pytest.mark.parametrize(
    ("state", "expected"), [("Disabled", "failed"), ("Warned", "warning"), ("", "failed")]
)
def test_a_subscription_that_takes_no_writes(shop: Repository, state: str, expected: str) -> None:
    answering(shop, shop.subscription, 200, subscribed(shop, state=state))

    (check,) = found(shop)[1]["subscription"]

    assert check["state"] == expected
    assert check["fix"].endswith(f"az account show --subscription {shop.subscription}")


def test_a_subscription_that_is_not_ours_to_see(shop: Repository) -> None:
    refused = {"error": {"code": "AuthorizationFailed", "message": "no right to read it"}}
    answering(shop, shop.subscription, 403, refused)

    code, checks = found(shop)

    assert code is ExitCode.FAILED
    assert "no right to read it (HTTP 403, AuthorizationFailed" in checks["subscription"][0]["says"]
    assert checks["clock"][0]["state"] == "ok"  # the refusal has a date
    assert checks["provider"][0]["state"] == "ok"  # every check is made


def test_a_subscription_of_another_tenant(shop: Repository) -> None:
    defaults = {"subscription": shop.subscription, "resourceGroup": HOME, "location": "westeurope"}
    shop.project(defaults={**defaults, "tenant": "44444444-4444-4444-4444-444444444444"})

    done = shop.here("doctor")

    assert done.code is ExitCode.FAILED
    assert "the project says 44444444-4444-4444-4444-444444444444" in " ".join(done.out.split())
    assert "correct 'defaults: {tenant: …}'" in done.out


@pytest.mark.parametrize(
    ("ahead", "state"),
    [(timedelta(seconds=60), "warning"), (timedelta(seconds=-600), "failed")],
)
def test_a_clock_that_is_wrong(shop: Repository, ahead: timedelta, state: str) -> None:
    class Clock:
        def now(self) -> datetime:
            return datetime.now(UTC) + ahead

        def sleep(self, _seconds: float) -> None:
            raise AssertionError

    with mock.patch("reconciler.cli.connection.SystemClock", Clock):
        (check,) = found(shop)[1]["clock"]

    assert check["state"] == state
    assert check["fix"] == "timedatectl set-ntp true"


def test_a_provider_that_is_not_registered(shop: Repository) -> None:
    answering(shop, "/Microsoft.ContainerInstance", 200, provided(state="NotRegistered"))

    (check,) = found(shop)[1]["provider"]

    assert check["says"] == "Microsoft.ContainerInstance is NotRegistered"
    assert check["fix"] == (
        "az provider register --namespace Microsoft.ContainerInstance"
        f" --subscription {shop.subscription}"
    )


def test_a_cloud_that_has_neither_the_version_nor_the_region(shop: Repository) -> None:
    body = provided(apiVersions=["2019-12-01"], locations=["East US"])
    answering(shop, "/Microsoft.ContainerInstance", 200, body)

    _, checks = found(shop)

    assert checks["provider"][1]["says"] == (
        "API version 2023-05-01 is not offered; the newest is 2019-12-01"
    )
    assert checks["region"][0]["says"] == "westeurope takes no container groups"


def test_a_resource_group_that_nobody_makes(repository: Repository) -> None:
    repository.project()
    repository.write(group())

    _, checks = found(repository)

    assert checks["resource groups"][0]["state"] == "failed"
    assert checks["resource groups"][0]["fix"].startswith(f"az group create -n {HOME}")


def test_rights_that_are_missing_by_scope(shop: Repository) -> None:
    subnet = SUBNET.format(shop.subscription)
    shop.write(group(subnetIds=[{"id": subnet}]))
    reader = {"value": [{"actions": ["*/read"], "notActions": []}]}
    answering(shop, "/providers/Microsoft.Authorization/permissions", 200, reader)

    code, checks = found(shop)
    planning, only_reads = found(shop, "--for", "plan")

    said = {one["says"].partition(":")[0]: one for one in checks["permissions"]}
    assert said["subscription"]["state"] == "ok"
    assert "containerGroups/write" in said[HOME]["says"]
    assert "Azure Container Instances Contributor Role" in said[HOME]["fix"]
    assert said["aci"]["says"] == (
        "aci: lacks Microsoft.Network/virtualNetworks/subnets/join/action"
    )
    assert f'--role "Network Contributor" --scope {subnet}' in said["aci"]["fix"]
    assert code is ExitCode.FAILED
    assert planning is ExitCode.DONE
    assert {one["state"] for one in only_reads["permissions"]} == {"ok"}


def test_the_right_to_list_keys_that_manifests_refer_to(shop: Repository) -> None:
    key = {"fromStorageAccount": {"name": "shopfiles", "resourceGroup": "rg-data"}}
    shop.write(group(env=[{"name": "KEY", "secureValue": key}]))
    reader = {"value": [{"actions": ["*/read"], "notActions": []}]}
    answering(shop, "/providers/Microsoft.Authorization/permissions", 200, reader)

    needed = {one["says"]: one for one in found(shop)[1]["permissions"]}
    planning = {one["says"]: one for one in found(shop, "--for", "plan")[1]["permissions"]}

    says = "shopfiles: lacks Microsoft.Storage/storageAccounts/listKeys/action"
    assert needed[says]["state"] == "failed"
    assert planning[says]["state"] == "warning"
    assert '--role "Storage Account Key Operator Service Role"' in needed[says]["fix"]


def test_a_quota_without_room_and_a_group_too_large(shop: Repository) -> None:
    requests = {"cpu": 40, "memoryInGB": 1}
    large = group()
    large["properties"]["containers"][0]["properties"]["resources"] = {"requests": requests}
    shop.write(large)
    full = {"value": [{"currentValue": 100, "limit": 100, "name": {"value": "ContainerGroups"}}]}
    answering(shop, "/usages", 200, full)

    _, checks = found(shop)

    assert "has 100 of 100 in use" in checks["quota"][0]["says"]
    assert checks["quota"][0]["fix"] == "ask Azure for a higher quota, or use another region"
    assert "asks for 40 CPU" in checks["size"][0]["says"]


@pytest.mark.parametrize("part", ["/permissions", "/usages", "/capabilities", HOME])
@pytest.mark.parametrize("body", [None, "<html>proxy</html>", [], {"value": 7}, {"value": [3]}])
def test_no_answer_of_any_kind_breaks_it(shop: Repository, part: str, body: Any) -> None:
    answering(shop, part, 200, body)

    code, checks = found(shop)

    assert code in (ExitCode.DONE, ExitCode.FAILED)
    assert checks["subscription"][0]["state"] == "ok"


def test_without_azure_the_rest_is_not_checked(shop: Repository) -> None:
    away = ("--endpoint", "http://127.0.0.1:9")
    done = typed("doctor", *away, cwd=shop.root, environ=shop.environ)

    assert done.code is ExitCode.FAILED
    assert "cannot be reached" in " ".join(done.out.split())
    assert done.out.count("not checked  ") == 6
