"""Ids, pointers, names, outcomes, live bodies: the small values everything is made of."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.cloud import Look
from reconciler.core.finding import Finding, Mark, Position, Severity, in_order
from reconciler.core.groups import (
    SecretState,
    live_group,
    live_resource_group,
    wire_body,
    with_location,
)
from reconciler.core.ids import GroupId, ResourceGroupId, parse_group_id
from reconciler.core.jsonval import (
    as_list,
    as_object,
    as_text,
    dig,
    parse_pointer,
    pointer,
    text_map,
)
from reconciler.core.names import find_group
from reconciler.core.outcome import Outcome, Status, exit_code
from reconciler.core.plan import Action, ActionKind
from reconciler.errors import ExitCode, UsageError
from tests.core.full import full_body
from tests.core.given import body_of, body_with_secrets, bounded, unsaid, wanted, with_variables
from tests.strategies import HERE, bodies, desired_of, group_id, live_of

WEB = group_id("web")


@bounded
@given(st.lists(st.text(max_size=6), min_size=1, max_size=4).map(tuple))
def test_a_pointer_names_the_path_it_was_made_of(path):
    assert parse_pointer(pointer(path)) == path


@pytest.mark.parametrize("text", ["", "a", "/~", "/a~2", "/~~01", "/x~"])
def test_what_is_no_pointer_is_refused(text):
    with pytest.raises(ValueError, match="got"):
        parse_pointer(text)


def test_reading_what_others_wrote_never_fails():
    assert (as_object([]), as_list({}), as_text(1)) == ({}, [], "")
    assert (dig({"a": {"b": 1}}, "a", "b"), dig({"a": 1}, "a", "b"), dig({}, "a")) == (
        1,
        None,
        None,
    )
    assert text_map({"a": "b", "c": 1}) == {"a": "b"}
    assert text_map(None) == {}


@pytest.mark.parametrize("shouted", [False, True])
def test_an_arm_id_is_read_without_case(shouted):
    arm = WEB.arm.upper() if shouted else WEB.arm

    assert parse_group_id(arm).address == WEB.address


@pytest.mark.parametrize(
    "text",
    ["", "web", WEB.parent.arm, f"{WEB.arm}/more/x", WEB.arm.replace("containerGroups", "vaults")],
)
def test_what_is_no_id_of_a_group_is_refused(text):
    with pytest.raises(ValueError, match="container group"):
        parse_group_id(text)


def test_ids_keep_their_case_and_compare_without():
    loud = GroupId(subscription=WEB.subscription, resource_group="RG-Shop", name="Web")

    assert (str(loud), loud.address == WEB.address) == ("RG-Shop/Web", True)
    assert str(loud.parent) == "RG-Shop"
    assert (
        loud.parent.address
        == ResourceGroupId(subscription=WEB.subscription, name="rg-shop").address
    )


KNOWN = [group_id("web"), group_id("Web", "rg-two"), group_id("api")]


@pytest.mark.parametrize(("name", "fits"), [("API", "rg-shop/api"), ("RG-two/web", "rg-two/Web")])
def test_a_name_fits_without_case(name, fits):
    assert str(find_group(name, [*KNOWN, *KNOWN])) == fits


NAMES = [
    ("web", KNOWN, "fits 2 groups: 'rg-shop/web', 'rg-two/Web'; write resourceGroup/group"),
    ("wep", KNOWN, "did you mean"),
    ("zzzzzz", KNOWN, "there are: rg-shop/api, rg-shop/web, rg-two/Web"),
    ("web", [], "there are no groups"),
    ("zzzzzz", [group_id(f"g{i:02}") for i in range(12)], "rg-shop/g09 …"),
]


@pytest.mark.parametrize(
    ("name", "known", "says"), NAMES, ids=[f"{n[0]} of {len(n[1])}" for n in NAMES]
)
def test_a_name_that_fits_nothing_or_several_says_what_there_is(name, known, says):
    with pytest.raises(UsageError) as refused:
        find_group(name, known)

    assert says in str(refused.value)


def outcome(status, *, wrote=False):
    action = Action(kind=ActionKind.UPDATE, target=WEB, why="")
    return Outcome(action=action, status=status, says="", wrote=wrote, took=timedelta(1))


S = Status
EXITS = [
    ((), ExitCode.DONE),
    ((outcome(S.SUCCEEDED, wrote=True),), ExitCode.DONE),
    ((outcome(S.FAILED),), ExitCode.FAILED),
    ((outcome(S.STALE),), ExitCode.STALE),
    ((outcome(S.STALE), outcome(S.FAILED)), ExitCode.STALE),
    ((outcome(S.STALE), outcome(S.SUCCEEDED, wrote=True)), ExitCode.PARTIAL),
    ((outcome(S.FAILED, wrote=True),), ExitCode.PARTIAL),
    ((outcome(S.NOT_STARTED), outcome(S.UNHEALTHY, wrote=True)), ExitCode.UNHEALTHY),
    ((outcome(S.UNHEALTHY, wrote=True), outcome(S.SUCCEEDED, wrote=True)), ExitCode.UNHEALTHY),
]


@pytest.mark.parametrize(("outcomes", "code"), EXITS, ids=[str(i) for i in range(len(EXITS))])
def test_all_outcomes_have_one_exit_code(outcomes, code):
    assert exit_code(outcomes) is code
    assert exit_code(outcomes, is_interrupted=True) is ExitCode.INTERRUPTED


def finding(rule, line, severity=Severity.ERROR):
    where = Position(file="a.yaml", mark=Mark(line, 1))
    return Finding(
        rule=rule, severity=severity, where=where, path="name", says="expected x, got y", hint="z"
    )


def test_findings_come_as_a_reader_walks_the_files():
    first, second = finding("M2", 1), finding("M1", 2, Severity.WARNING)

    assert in_order([second, first, second]) == (first, second)
    assert (first.is_error, second.is_error) == (True, False)
    assert str(first) == "a.yaml:1:1: M2 name: expected x, got y; try z"
    assert str(replace(first, path="", hint="")) == "a.yaml:1:1: M2 expected x, got y"


def test_a_look_is_final_when_azure_says_so():
    assert [Look(status=s).is_final for s in ("Succeeded", "failed", "Canceled", "Pending")] == [
        True
    ] * 3 + [False]


def test_a_live_group_is_read_whole():
    found = live_group(
        {
            "id": WEB.arm,
            "tags": {"team": "a", "odd": 1},
            "properties": {
                "provisioningState": "Succeeded",
                "instanceView": {"state": "Failed"},
                "ipAddress": {"ip": "20.1.2.3"},
                "initContainers": [{"name": "first", "properties": {}}],
                "containers": [
                    {
                        "name": "web",
                        "properties": {
                            "instanceView": {
                                "restartCount": 2,
                                "currentState": {
                                    "state": "Terminated",
                                    "exitCode": 2,
                                    "detailStatus": "Error",
                                },
                                "events": [
                                    {"lastTimestamp": "2024-02-01T00:00:00Z", "message": "later"},
                                    {"lastTimestamp": "2024-01-01T00:00:00Z", "message": "sooner"},
                                ],
                            }
                        },
                    }
                ],
            },
        }
    )
    first, web = found.containers

    assert (found.id, found.tags, found.provisioning, found.state) == (
        WEB,
        {"team": "a"},
        "Succeeded",
        "Failed",
    )
    assert (found.restarts, found.address, found.has_ended, found.has_run) == (
        2,
        "20.1.2.3",
        True,
        True,
    )
    assert (first.is_init, first.state, first.exit_code, first.last_event) == (True, "", None, "")
    assert (web.exit_code, web.detail, web.last_event) == (2, "Error", "later")


def test_a_name_is_a_better_address_than_a_number():
    live = live_of(body_of(ipAddress={"type": "Public", "dnsNameLabel": "shop", "ports": []}))

    assert live.address == "shop.westeurope.azurecontainer.io"
    assert live_of(body_of()).address == ""


STATES = [
    ("Succeeded", False),
    ("failed", False),
    ("Canceled", False),
    ("Unhealthy", False),
    ("Repairing", False),
]
STATES += [
    ("", False),
    ("Pending", True),
    ("Creating", True),
    ("Updating", True),
    ("Deleting", True),
    ("New", True),
]


@pytest.mark.parametrize(("provisioning", "moves"), STATES)
def test_only_what_is_known_to_be_settled_is_touched(provisioning, moves):
    assert live_of(body_of(), provisioning=provisioning).in_transition is moves


@pytest.mark.parametrize("body", [{}, [], None, {"id": 5}, {"id": "/subscriptions/x"}])
def test_an_answer_without_an_id_of_a_group_is_refused(body):
    with pytest.raises(ValueError, match="container group"):
        live_group(body)


@pytest.mark.parametrize(
    "properties",
    [None, 1, "x", [], {"containers": 1}, {"containers": [1, None, {"properties": []}]}],
)
def test_any_properties_can_be_read(properties):
    found = live_group({"id": WEB.arm, "properties": properties})

    assert (found.restarts, found.address, found.has_run) == (0, "", False)


def test_a_resource_group_is_read():
    found = live_resource_group("s", {"name": "rg", "location": "westeurope", "tags": {"a": "b"}})

    assert (found.id.address, found.location, found.tags) == ("s/rg", "westeurope", {"a": "b"})


def test_a_location_that_is_stated_stays_and_an_unknown_one_is_not_written():
    body = {"properties": {}}
    desired = replace(wanted(), body=body, canonical={})

    assert with_location(wanted(), "eastus").location == "westeurope"
    assert with_location(desired, "East US").canonical["location"] == "eastus"
    assert with_location(desired, "") is desired


@bounded
@given(bodies)
def test_a_wire_body_has_every_secret_in_its_place(body):
    desired = desired_of(body)

    assert wire_body(desired, {"team": "a"}) == {**body, "tags": {"team": "a"}}
    assert body_with_secrets(desired) == body


def test_the_body_that_holds_everything_is_sent_whole():
    assert body_with_secrets(desired_of(full_body())) == full_body()


def test_a_body_without_a_secret_is_never_sent():
    desired = unsaid(
        wanted(with_variables({"name": "A", "secureValue": "x"})), SecretState.UNRESOLVED
    )

    with pytest.raises(ValueError, match="groups/web.yaml:1:1: .*/A/secureValue has no value"):
        wire_body(desired, {})


def test_a_secret_volume_of_which_nothing_is_written_gets_its_keys():
    desired = wanted(body_of(volumes=[{"name": "v", "secret": {"a": "eA=="}}]))
    del desired.body["properties"]["volumes"][0]["secret"]

    assert wire_body(desired, {})["properties"]["volumes"] == [
        {"name": "v", "secret": {"a": "eA=="}}
    ]


def test_a_secret_is_in_no_text_of_a_value():
    desired = wanted(with_variables({"name": "A", "secureValue": "hunter2"}))

    assert "hunter2" not in repr(desired)
    assert "hunter2" not in str(desired.secrets)


def test_a_secret_of_a_volume_is_known_by_what_a_container_reads_too():
    (secret,) = wanted(body_of(volumes=[{"name": "v", "secret": {"a": "aHVudGVyMgo="}}])).secrets

    assert {"aHVudGVyMgo=", "hunter2\n", "hunter2"} <= set(secret.spellings)
    assert replace(secret, value=None).spellings == ()
    assert secret.where is HERE
    desired = wanted(with_variables({"name": "A", "secureValue": "hunter22"}))
    assert desired.secret_texts == ("hunter22", "aHVudGVyMjI=")


def test_a_secret_is_known_as_base64_and_line_by_line_too():
    (secret,) = wanted(with_variables({"name": "A", "secureValue": "one two\nthree!"})).secrets

    assert secret.spellings == (
        "one two\nthree!",
        "b25lIHR3bwp0aHJlZSE=",
        "one two",
        "three!",
    )


def test_a_group_is_a_task_when_it_is_meant_to_end():
    assert [wanted(body_of(restartPolicy=p)).is_task for p in ("Never", "onfailure", "Always")] == [
        True,
        True,
        False,
    ]
