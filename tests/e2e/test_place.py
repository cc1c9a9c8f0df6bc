"""The wrong subscription or tenant: refused before anything is looked at, and by no consent."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from reconciler.emulator import Call, Reply
from tests.conftest import HOME, Done, Repository, group, refusal, typed

OURS = "72f988bf-0000-4000-8000-2d7cd011db47"  # the emulator's
OTHER = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def shop(repository: Repository) -> Repository:
    """One group that is applied, and a manifest that moved on."""
    repository.given_home()
    repository.write(group())
    assert repository.here("apply", "--yes").code == 0
    repository.write(group(image="nginx:2"))
    return repository


def states(shop: Repository, tenant: str, **more: object) -> None:
    """Let the project say that its subscription is of a tenant."""
    defaults = {
        "subscription": shop.subscription,
        "tenant": tenant,
        "resourceGroup": HOME,
        "location": "westeurope",
    }
    shop.project(defaults=defaults, **more)


def asked(shop: Repository, run: Callable[[], Done]) -> tuple[Done, list[str]]:
    """What a run ended with, and what it asked of Azure."""
    before = len(shop.requests)
    done = run()
    return done, [f"{r.method} {r.path.rpartition('/')[2]}" for r in shop.requests[before:]]


def test_the_tenant_is_not_asked_for_where_none_is_stated(shop: Repository) -> None:
    _, without = asked(shop, lambda: shop.here("plan"))
    states(shop, OURS.upper())

    done, stated = asked(shop, lambda: shop.here("plan"))

    assert done.code == 0, done.out + done.err
    assert stated == [f"GET {shop.subscription}", *without]


def test_a_subscription_of_another_tenant_is_refused_before_it_is_looked_at(
    shop: Repository,
) -> None:
    states(shop, OTHER)

    done, requests = asked(shop, lambda: shop.here("plan", "-o", "json=plan.json", "-o", "text"))

    assert done.code == 4
    assert requests == [f"GET {shop.subscription}"]
    plan = json.loads((shop.root / "plan.json").read_text())
    assert plan["blocked"]
    assert plan["actions"] == []
    [rail] = plan["rails"]
    assert rail["rule"] == "wrongTenant"
    assert rail["says"] == (
        f"subscription {shop.subscription} belongs to tenant {OURS}, the project says {OTHER}"
        " (aci-reconcile.yaml:5:13): this cannot be allowed"
    )
    assert rail["where"]["line"] == 5
    assert "correct 'subscription' or 'tenant'" in rail["allow"]
    assert "wrongTenant  blocks the whole plan" in done.out
    assert "Azure was not looked at" in done.out


@pytest.mark.parametrize(
    "consent",
    [
        [],
        ["--allow", "restart=1"],
        ["--prune", "--allow", "delete=1"],
        ["--replace", "web"],
        ["--adopt", "web"],
    ],
)
def test_no_consent_applies_in_another_tenant(shop: Repository, consent: list[str]) -> None:
    states(shop, OTHER)

    done, requests = asked(shop, lambda: shop.here("apply", "--yes", *consent))

    assert done.code == 4, done.out + done.err
    assert requests == [f"GET {shop.subscription}"]


@pytest.mark.parametrize(
    "command_line",
    [
        ["destroy", "--confirm", "shop"],
        ["release", "web", "--yes"],
        ["status"],
        ["drift"],
        ["logs", "web"],
        ["snapshot", "live.json"],
    ],
    ids=lambda words: words[0],
)
def test_no_command_goes_on_in_another_tenant(shop: Repository, command_line: list[str]) -> None:
    states(shop, OTHER)

    done, requests = asked(shop, lambda: shop.here(*command_line))

    assert done.code == 4, done.out + done.err
    assert "wrongTenant" in done.out + done.err
    assert OTHER in done.out + done.err
    assert "aci-reconcile.yaml:5:13" in done.out + done.err
    assert requests == [f"GET {shop.subscription}"]


def test_an_environment_states_its_own_tenant(shop: Repository) -> None:
    states(shop, OTHER, environments={"dev": {"tenant": OURS}, "prod": {}})
    shop.given_home()

    dev, prod = shop.here("plan", "-e", "dev"), shop.here("plan", "-e", "prod")

    assert "wrongTenant" not in dev.out
    assert prod.code == 4
    assert "(aci-reconcile.yaml:5:13)" in prod.out
    shop.project(environments={"dev": {"subscription": shop.subscription, "tenant": OTHER}})
    assert "(aci-reconcile.yaml:11:14)" in shop.here("plan", "-e", "dev").out


NOT_TOLD = [
    (403, "AuthorizationFailed", "unknownTenant", 4),
    (404, "SubscriptionNotFound", "unknownTenant", 4),
    (401, "InvalidAuthenticationTokenTenant", "unknownTenant", 4),
    (401, "ExpiredAuthenticationToken", "ExpiredAuthenticationToken", 1),
    (400, "InvalidSubscriptionId", "InvalidSubscriptionId", 1),
]


@pytest.mark.parametrize(("status", "code", "says", "ends"), NOT_TOLD, ids=[n[1] for n in NOT_TOLD])
def test_a_tenant_that_cannot_be_told_is_not_taken_for_the_right_one(
    shop: Repository, status: int, code: str, says: str, ends: int
) -> None:
    states(shop, OURS)
    shop.intercept(lambda call: refusal(status, code) if is_about_itself(call) else None)

    planned, requests = asked(shop, lambda: shop.here("plan"))
    applied = shop.here("apply", "--yes")

    assert (planned.code, applied.code) == (ends, ends), planned.out + planned.err
    assert says in planned.out + planned.err
    assert {*requests} == {f"GET {shop.subscription}"}
    if ends == 4:
        assert "cannot be told: get subscription" in planned.out
        assert "aci-reconcile.yaml:5:13" in planned.out
        assert "Microsoft.Resources/subscriptions/read" in planned.out


@pytest.mark.parametrize(
    "body",
    [{"subscriptionId": OTHER, "tenantId": OURS}, {"tenantId": OURS}, {}, {"tenantId": 7}],
    ids=["of another subscription", "of none", "empty", "not a text"],
)
def test_an_answer_that_tells_no_tenant_is_no_answer(
    shop: Repository, body: dict[str, object]
) -> None:
    states(shop, OURS)
    shop.intercept(lambda call: Reply(status=200, body=body) if is_about_itself(call) else None)

    done = shop.here("apply", "--yes")

    assert done.code == 1
    assert "get subscription" in done.err


def is_about_itself(call: Call) -> bool:
    return call.path.rpartition("/")[0] == "/subscriptions"


# The subscription


def test_a_plan_of_another_subscription_is_refused_without_asking_azure(shop: Repository) -> None:
    shop.project(environments={"prod": {"subscription": shop.subscription}})
    assert shop.here("plan", "-e", "prod", "-o", "json=plan.json").code == 4  # of another owner
    shop.project(environments={"prod": {"subscription": shop.subscription}}, owner="shop2")
    shop.given_home()
    shop.forget("web")
    shop.write(group("fresh"))
    assert shop.here("plan", "-e", "prod", "-o", "json=plan.json").code == 0
    shop.project(environments={"prod": {"subscription": OTHER}}, owner="shop2")
    before = len(shop.emulator.requests)

    done = shop.here("apply", "plan.json", "--yes")

    assert done.code == 4, done.out + done.err
    assert len(shop.emulator.requests) == before
    assert (
        f"wrongSubscription: plan.json is for subscription {shop.subscription},"
        f" environment 'prod' says {OTHER} (aci-reconcile.yaml:10:20): this cannot be allowed"
    ) in done.err
    assert "plan again" in done.err


def test_a_plan_in_the_wrong_tenant_is_refused_and_not_called_different(shop: Repository) -> None:
    """That nothing of what was reviewed would be done is no difference: nothing was looked at."""
    assert shop.here("plan", "-o", "json=plan.json").code == 0
    states(shop, OTHER)

    done = shop.here("apply", "plan.json", "--yes")

    assert done.code == 4, done.out + done.err
    assert "wrongTenant" in done.out


def credentials_for(shop: Repository, subscription: str) -> dict[str, str]:
    credentials = {
        "clientId": "a",
        "clientSecret": "hunter2-long",
        "tenantId": "b",
        "subscriptionId": subscription,
    }
    path = shop.file("credentials.json", credentials)
    return {"AZURE_AUTH_LOCATION": str(path)}


def test_credentials_for_another_subscription_block_the_plan(repository: Repository) -> None:
    repository.write(group())
    environ = credentials_for(repository, OTHER)

    done = typed("plan", "-o", "json", cwd=repository.root, environ=environ)

    assert done.code == 4
    assert "hunter2" not in done.err + done.out
    [rail] = json.loads(done.out)["rails"]
    assert rail["rule"] == "wrongSubscription"
    assert rail["says"] == (
        f"the file named by AZURE_AUTH_LOCATION is for subscription {OTHER}, the project says"
        f" {repository.subscription} (aci-reconcile.yaml:4:19): this cannot be allowed"
    )
    assert "use the credential that belongs to this environment" in rail["allow"]


@pytest.mark.parametrize(
    "command_line",
    [["apply", "--yes"], ["destroy", "--confirm", "shop"], ["drift"], ["status"]],
    ids=lambda words: words[0],
)
def test_credentials_for_another_subscription_stop_every_command(
    repository: Repository, command_line: list[str]
) -> None:
    repository.write(group())
    environ = credentials_for(repository, OTHER)

    done = typed(*command_line, cwd=repository.root, environ=environ)

    assert done.code == 4, done.out + done.err
    assert "wrongSubscription" in done.out + done.err


def test_the_embedded_emulator_stands_in_for_any_tenant(shop: Repository) -> None:
    states(shop, OTHER)

    done = typed("plan", "--emulator", cwd=shop.root)

    assert "wrongTenant" not in done.out
    assert "Plan:" in done.out
