"""Paths a manifest ignores keep their live value, also when the group is written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.carry import NotCarried, with_ignored
from reconciler.core.decide import decide
from reconciler.core.groups import wire_body
from reconciler.core.order import label_of
from reconciler.core.plan import ActionKind
from tests.core.full import full_body
from tests.core.given import (
    asker,
    body_of,
    container,
    owned,
    public,
    unowned,
    wanted,
    with_variables,
)

VARIABLES = ("properties", "containers", "web", "properties", "environmentVariables")
PLAIN = {"name": "FLAGS", "value": "live"}
SECURE = {"name": "KEY", "secureValue": "hunter2"}


def carried(mine, theirs, *ignore):
    return with_ignored(wanted(mine, ignore=ignore), unowned(wanted(mine), theirs))


def variables(body):
    return body["properties"]["containers"][0]["properties"]["environmentVariables"]


def test_nothing_ignored_is_nothing_carried():
    desired = wanted()

    assert with_ignored(desired, unowned(desired)) is desired


def test_a_live_value_is_carried_over():
    found = carried(
        with_variables({"name": "FLAGS", "value": "git"}),
        with_variables(PLAIN),
        (*VARIABLES, "FLAGS"),
    )
    assert variables(found.body) == [PLAIN]


def test_the_manifest_is_not_touched():
    desired = wanted(
        with_variables({"name": "FLAGS", "value": "git"}), ignore=((*VARIABLES, "FLAGS"),)
    )

    with_ignored(desired, unowned(desired, with_variables(PLAIN)))

    assert variables(desired.body) == [{"name": "FLAGS", "value": "git"}]


def test_a_live_element_that_the_manifest_lacks_is_carried_over():
    assert variables(carried(body_of(), with_variables(PLAIN), (*VARIABLES, "FLAGS")).body) == [
        PLAIN
    ]


def test_what_is_absent_in_azure_stays_absent():
    found = carried(with_variables(PLAIN), with_variables(), (*VARIABLES, "FLAGS"))

    assert variables(found.body) == []


@pytest.mark.parametrize(
    "live", [with_variables(SECURE), with_variables(PLAIN, SECURE), with_variables(SECURE, PLAIN)]
)
def test_a_secret_stays_with_its_variable_when_its_neighbours_move(live):
    """Secrets are held by position, and an element that goes moves those behind it."""
    desired = wanted(
        with_variables({"name": "FLAGS", "value": "git"}, SECURE), ignore=((*VARIABLES, "FLAGS"),)
    )

    sent = wire_body(with_ignored(desired, unowned(desired, live)), {})

    assert [item for item in variables(sent) if item["name"] == "KEY"] == [SECURE]
    assert [item for item in variables(sent) if "secureValue" in item] == [SECURE]


SECRETS = [
    ("a secure variable in Azure", with_variables(), with_variables(SECURE), (*VARIABLES, "KEY")),
    (
        "its value",
        with_variables({"name": "KEY", "value": "x"}),
        with_variables(SECURE),
        (*VARIABLES, "KEY", "value"),
    ),
    (
        "a secure variable here",
        with_variables(SECURE),
        with_variables({"name": "KEY", "value": "x"}),
        (*VARIABLES, "KEY"),
    ),
    (
        "its value here",
        with_variables(SECURE),
        with_variables({"name": "KEY", "value": "x"}),
        (*VARIABLES, "KEY", "value"),
    ),
    (
        "a secure variable that is gone",
        with_variables(SECURE),
        with_variables(),
        (*VARIABLES, "KEY"),
    ),
    ("all variables", with_variables(), with_variables(PLAIN, SECURE), VARIABLES),
    ("a whole container", body_of(), with_variables(SECURE), VARIABLES[:3]),
    ("a secret volume", body_of(), full_body(), ("properties", "volumes", "files")),
    ("a share with its key", body_of(), full_body(), ("properties", "volumes", "share")),
    ("all volumes", body_of(), full_body(), ("properties", "volumes")),
    (
        "a registry's password",
        body_of(),
        full_body(),
        ("properties", "imageRegistryCredentials", "one.azurecr.io"),
    ),
    ("a workspace's key", body_of(), full_body(), ("properties", "diagnostics")),
    ("an extension", body_of(), full_body(), ("properties", "extensions")),
]


@pytest.mark.parametrize(("why", "mine", "theirs", "path"), SECRETS, ids=[s[0] for s in SECRETS])
def test_what_never_comes_back_cannot_be_carried_over(why, mine, theirs, path):
    with pytest.raises(NotCarried) as refused:
        carried(mine, theirs, path)

    assert "hunter2" not in str(refused.value)


CARRIED = [
    ("a plain container", ("properties", "containers", "side")),
    ("a credential by identity", ("properties", "imageRegistryCredentials", "two.azurecr.io")),
    (
        "an identity, found without case",
        (
            "identity",
            "userAssignedIdentities",
            "/subscriptions/s/resourcegroups/rg/providers/microsoft.managedidentity/userassignedidentities/one",
        ),
    ),
    ("an empty volume", ("properties", "volumes", "empty")),
    ("settings of an extension", ("properties", "extensions", "kube", "properties", "settings")),
    ("an address", ("properties", "ipAddress")),
]


@pytest.mark.parametrize(("why", "path"), CARRIED, ids=[c[0] for c in CARRIED])
def test_what_is_carried_over_equals_what_is_live(why, path):
    found = carried(full_body(), full_body(), path)

    assert found.canonical == unowned(wanted(), full_body()).canonical
    assert "instanceView" not in repr(found.body)
    assert "principalId" not in repr(found.body)
    assert "20.1.2.3" not in repr(found.body)


def test_an_element_of_a_parent_the_manifest_lacks_is_left_out():
    path = ("properties", "containers", "gone", "properties", "image")

    assert carried(body_of(), full_body(), path).body["properties"]["containers"] == [
        container("web")
    ]


def test_a_position_in_a_plain_list_is_nothing_that_can_be_carried():
    mine, theirs = (body_of(containers=[container("web", command=[word])]) for word in "ab")

    found = carried(mine, theirs, ("properties", "containers", "web", "properties", "command", "0"))

    assert found.body["properties"] == mine["properties"]


def test_an_update_sends_the_live_value_and_the_next_plan_is_empty():
    desired = wanted(
        with_variables({"name": "FLAGS", "value": "git"}, image="nginx:2"),
        ignore=((*VARIABLES, "FLAGS"),),
    )

    action = decide(desired, owned(desired, with_variables(PLAIN)), asker())

    assert action.kind is ActionKind.UPDATE
    assert variables(action.desired.body) == [PLAIN]
    assert variables(action.desired.body) != variables(desired.body)


def test_a_write_that_would_lose_an_ignored_secret_is_refused():
    desired = wanted(body_of("nginx:2"), ignore=((*VARIABLES, "KEY"),))

    action = decide(desired, owned(desired, with_variables(SECURE)), asker())

    assert action.kind is ActionKind.REFUSE
    assert action.allow == "take the path out of reconcile.ignore"


def test_an_ignored_label_is_the_live_one_for_the_order_too():
    ignore = (("properties", "ipAddress", "dnsNameLabel"),)
    desired = wanted(body_of("nginx:2", ipAddress=public("git")), ignore=ignore)
    live = owned(desired, body_of(ipAddress=public("azure")))

    action = decide(desired, live, asker())

    assert label_of(action.desired.canonical) == ("westeurope", "azure")
    assert replace(action.desired, body={}, canonical={}) == replace(desired, body={}, canonical={})
