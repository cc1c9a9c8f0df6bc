"""What each kind of change comes to, from manifest to Azure: in place, or delete and create."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.core.ownership import SecretKey
from tests.conftest import HOME, Repository, ended, group, kinds, outcome_of, refusal

KEY = SecretKey(b"0123456789abcdef")
PROBE = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 10}
PORT = {"port": 80, "protocol": "TCP"}
IDENTITY = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-shop/providers/"
    "Microsoft.ManagedIdentity/userAssignedIdentities/web"
)
SUBNET = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-shop/providers/"
    "Microsoft.Network/virtualNetworks/net/subnets/"
)
Change = Callable[[dict[str, Any]], Any]


def base() -> dict[str, Any]:
    """A group with something of everything that a PUT may change."""
    return group(
        env=[
            {"name": "LEVEL", "value": "info"},
            {"name": "PASSWORD", "secureValue": {"fromEnv": "PASSWORD"}},
        ],
        volumes=[{"name": "scratch", "emptyDir": {}}],
        imageRegistryCredentials=[
            {"server": "acme.azurecr.io", "username": "u", "password": {"fromEnv": "REGISTRY"}}
        ],
    )


def inside(manifest: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = manifest["properties"]["containers"][0]["properties"]
    return found


IN_PLACE: dict[str, Change] = {
    "image": lambda m: inside(m).update(image="nginx:2"),
    "command": lambda m: inside(m).update(command=["sleep", "60"]),
    "variable": lambda m: inside(m)["environmentVariables"][0].update(value="debug"),
    "variable added": lambda m: inside(m)["environmentVariables"].append(
        {"name": "MORE", "value": "1"}
    ),
    "variable removed": lambda m: inside(m)["environmentVariables"].pop(0),
    "container port": lambda m: inside(m).update(ports=[PORT]),
    "probe": lambda m: inside(m).update(livenessProbe=PROBE, readinessProbe=PROBE),
    "mount": lambda m: inside(m).update(volumeMounts=[{"name": "scratch", "mountPath": "/s"}]),
    "volume": lambda m: m["properties"]["volumes"].append({"name": "more", "emptyDir": {}}),
    "registry": lambda m: m["properties"]["imageRegistryCredentials"][0].update(username="v"),
    "identity": lambda m: m.update(
        identity={"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}
    ),
    "limits": lambda m: inside(m)["resources"].update(limits={"cpu": 1, "memoryInGB": 1.5}),
}
REPLACED: dict[str, Change] = {
    "os type": lambda m: m["properties"].update(osType="Windows"),
    "cpu": lambda m: inside(m)["resources"]["requests"].update(cpu=2),
    "memory": lambda m: inside(m)["resources"]["requests"].update(memoryInGB=2),
    "restart policy": lambda m: m["properties"].update(restartPolicy="OnFailure"),
    "subnet": lambda m: m["properties"].update(subnetIds=[{"id": SUBNET + "a"}]),
    "zones": lambda m: m.update(zones=["1"]),
    "sku": lambda m: m["properties"].update(sku="Dedicated"),
    "priority": lambda m: m["properties"].update(priority="Spot"),
    "dns": lambda m: m["properties"].update(dnsConfig={"nameServers": ["10.0.0.1"]}),
}


@pytest.fixture
def shop(repository: Repository) -> Repository:
    """One group of ours, applied."""
    repository.key = KEY
    repository.environ |= {"PASSWORD": "hunter2", "REGISTRY": "hunter3"}
    repository.given_home()
    repository.write(base())
    repository.apply()
    return repository


def changed(change: Change, **reconcile: Any) -> dict[str, Any]:
    manifest = copy.deepcopy(base())
    change(manifest)
    return manifest | ({"reconcile": reconcile} if reconcile else {})


@pytest.mark.parametrize("change", IN_PLACE.values(), ids=IN_PLACE)
def test_what_can_change_in_place_is_one_put(shop: Repository, change: Change) -> None:
    shop.write(changed(change))
    before = len(shop.writes)

    planned = shop.plan()
    run = shop.carry_out(planned)

    assert kinds(planned) == {"web": "update"}
    assert "can change in place" in planned.actions[0].why
    assert ended(run) == {"web": "succeeded"}, run.outcomes[0].says
    assert shop.writes[before:] == ["PUT web"]
    assert kinds(shop.plan()) == {"web": "no-op"}


@pytest.mark.parametrize("name", ["PASSWORD", "REGISTRY"])
def test_a_rotated_secret_is_one_put(shop: Repository, name: str) -> None:
    shop.environ[name] = "rotated"
    before = len(shop.writes)

    planned = shop.plan()
    shop.carry_out(planned)

    assert kinds(planned) == {"web": "update"}
    assert shop.writes[before:] == ["PUT web"]
    assert kinds(shop.plan()) == {"web": "no-op"}


@pytest.mark.parametrize("change", REPLACED.values(), ids=REPLACED)
def test_what_cannot_change_in_place_is_refused_unless_it_is_allowed(
    shop: Repository, change: Change
) -> None:
    # One change alone makes a group that Azure refuses: what is looked at is how it is planned.
    shop.project(policy={"maxReplaces": 1}, lint={"ignore": ["M308", "M332"]})
    shop.write(changed(change))
    before = len(shop.writes)

    refused = shop.plan()
    shop.write(changed(change, replace="allow"))
    allowed = shop.plan()
    run = shop.carry_out(allowed)

    assert kinds(refused) == {"web": "refuse"}
    assert "cannot change in place" in refused.actions[0].why
    assert "--replace" in refused.actions[0].allow
    assert kinds(allowed) == {"web": "replace"}
    assert ended(run) == {"web": "succeeded"}
    assert shop.writes[before:] == ["DELETE web", "PUT web"]
    assert kinds(shop.plan()) == {"web": "no-op"}


@pytest.mark.parametrize("change", REPLACED.values(), ids=REPLACED)
def test_azure_refuses_the_same_in_place(shop: Repository, change: Change) -> None:
    """The emulator states the evidence in its own words: the two agree."""
    live = shop.live("web")
    assert live is not None
    body = {"location": live["location"], "properties": changed(change)["properties"]}
    for variable in inside(body)["environmentVariables"]:
        if "secureValue" in variable:
            variable["secureValue"] = "hunter2"
    body["properties"]["imageRegistryCredentials"][0]["password"] = "hunter3"
    body |= {"zones": changed(change)["zones"]} if "zones" in changed(change) else {}

    with pytest.raises(Exception, match="400"):
        shop.put("web", body)


# A deployment that failed


@pytest.fixture
def failed(shop: Repository) -> Repository:
    """The same group, whose last deployment failed before anything of it ran."""
    plain = group()
    shop.write(plain)
    shop.apply()
    tags = shop.tags("web")
    shop.given(plain, tags=tags, failure="no capacity")
    return shop


def test_a_deployment_that_failed_is_written_again(failed: Repository) -> None:
    planned = failed.plan()

    assert (kinds(planned), planned.actions[0].why) == ({"web": "update"}, "last deployment failed")


@pytest.mark.parametrize(
    ("status", "code"), [(409, "Conflict"), (400, "InaccessibleImage"), (403, "Forbidden")]
)
def test_a_repair_that_azure_refuses_names_the_replacement(
    failed: Repository, status: int, code: str
) -> None:
    planned = failed.plan()
    failed.intercept(lambda call: refusal(status, code) if call.method == "PUT" else None)

    outcome = outcome_of(failed.carry_out(planned), "web")

    assert outcome.status.value == "failed"
    assert f"--replace {HOME}/web" in outcome.hint
