"""What is exported and read again asks Azure for what Azure holds: an adoption, and nothing else."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from hypothesis import given, settings

from reconciler.convert.export import Home, exported, file_names
from reconciler.convert.writing import manifest_text
from reconciler.core.adoption import proof
from reconciler.core.asker import Asker
from reconciler.core.decide import decide
from reconciler.core.diff import Diff
from reconciler.core.groups import SecretState, live_group, put_at
from reconciler.core.least import least
from reconciler.core.normalise import canonical
from reconciler.core.ownership import state_after_write, written_tags
from reconciler.core.plan import ActionKind
from reconciler.manifest.build import Context, build, prepared
from reconciler.manifest.lint.severities import Severities
from reconciler.manifest.project import Project
from reconciler.manifest.source import parse
from tests import strategies
from tests.strategies import group_id, live_of
from tests.traffic import generated
from tests.traffic.recordings import GROUPS, LISTS, needs_recordings, without_views

OWNER = "shop"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
LISTED = [item for answer in LISTS for item in answer["list"]["value"]]
BODIES = [one["get"] for one in GROUPS] + [without_views(one["get"]) for one in GROUPS] + LISTED


def read(text, home=None):
    """What our reader makes of one manifest; any error in it fails."""
    documents, wrong = parse("web.yaml", text.encode())
    project = Project(
        root=Path(),
        file=None,
        owner=OWNER,
        resource_group=home.resource_group if home else "",
        location=home.location if home else "",
        tags=home.tags if home else {},
    )
    heard = Severities()
    heard.listen("web.yaml", text.encode())
    context = Context(project=project, subscription=SUBSCRIPTION, around=None, severities=heard)
    (document,) = documents
    built = build(prepared(document), context)
    errors = [str(one) for one in (*wrong, *built.findings) if one.is_error]
    assert not errors, (errors, text)
    return built.desired, built.findings


def as_live(body, subscription=SUBSCRIPTION):
    parts = body["id"].strip("/").split("/")
    parts[1] = subscription
    return live_group({**body, "id": "/" + "/".join(parts)})


def settled(body):
    properties = {**body["properties"], "provisioningState": "Succeeded"}
    return {**body, "properties": properties}


@needs_recordings
@pytest.mark.parametrize("body", BODIES, ids=lambda body: body["id"].rsplit("/", 1)[-1])
def test_every_recorded_answer_is_exported_to_an_adoption_without_any_change(body):
    live = as_live(settled(body))

    written = exported(live, Home(owner=OWNER))
    desired, _ = read(written.text)
    action = decide(desired, live, Asker(owner=OWNER))

    assert desired.id.address == live.id.address
    assert (action.kind, action.diff) == (ActionKind.ADOPT, Diff())
    assert desired.canonical == live.canonical
    assert proof(desired, live).differing == 0
    assert not written.left_out


@needs_recordings
def test_a_recorded_group_of_ours_is_exported_to_nothing_to_do():
    seen = 0
    for body in BODIES:
        live = as_live(settled(body))
        desired, _ = read(exported(live, Home(owner=OWNER)).text)
        state = state_after_write(desired, key=None, commit="abc1234")
        tags = written_tags(desired, live, owner=OWNER, state=state)
        ours = live_group({**live.body, "tags": {**tags, "cost-center": "of others"}})

        written = exported(ours, Home(owner=OWNER))
        again, _ = read(written.text)
        action = decide(again, ours, Asker(owner=OWNER))

        assert action.kind in (ActionKind.NO_OP, ActionKind.REFUSE), action.why
        assert action.diff == Diff()
        assert "cost-center" not in again.tags
        assert "Tags of others, which every write keeps: cost-center." in written.text
        seen += 1
    assert seen


def test_a_body_of_any_content_is_exported_to_an_adoption_without_any_change():
    for body in generated.drawn(150):
        tags = {f"key{i}": value for i, value in enumerate(body.get("tags", {}).values())}
        live = as_live(live_of(body, tags=tags).body)

        written = exported(live, Home(owner=OWNER))
        desired, _ = read(written.text)
        action = decide(desired, live, Asker(owner=OWNER))

        assert (action.kind, action.diff) == (ActionKind.ADOPT, Diff()), written.text
        assert desired.tags == live.tags
        assert {place.name for place in written.fill_in} == {one.name for one in desired.secrets}


@settings(max_examples=150, deadline=None, derandomize=True)
@given(strategies.bodies)
def test_the_least_body_means_the_same_and_nothing_can_be_left_out_of_it_again(body):
    body = generated.valid(body)

    assert canonical(least(body)) == canonical(body)
    assert least(least(body)) == least(body)


def test_no_value_of_a_secret_is_ever_written():
    seen = 0
    for drawn in generated.drawn(100):
        body = copy.deepcopy(drawn)
        for one in strategies.split(drawn)[1]:
            put_at(body, one.path, "hunter2-in-the-text")
            seen += 1

        assert "hunter2" not in manifest_text(body, name="web").text
    assert seen > 50


def full_group():
    body = {
        "location": "West Europe",
        "properties": {
            "osType": "linux",
            "restartPolicy": "Always",
            "sku": "Standard",
            "containers": [
                {
                    "name": "web",
                    "properties": {
                        "image": "nginx:1.27",
                        "command": ["echo", "${var:HOME} yes", "no", "1.10", "two\nlines"],
                        "environmentVariables": [{"name": "DB_PASSWORD"}],
                        "resources": {"requests": {"cpu": 1.0, "memoryInGB": 1.5}},
                    },
                }
            ],
            "volumes": [
                {"name": "files", "secret": {}},
                {"name": "share", "azureFile": {"shareName": "s", "storageAccountName": "a"}},
            ],
            "imageRegistryCredentials": [
                {"server": "a.azurecr.io", "username": "u"},
                {"server": "b.azurecr.io", "identity": "/subscriptions/x"},
            ],
            "futureThing": {"on": True},
            "provisioningState": "Succeeded",
        },
    }
    return live_of(body)


def test_what_azure_never_returns_is_unknown_at_its_line_with_a_comment():
    live = full_group()

    written = exported(live, Home(owner=OWNER))

    lines = written.text.splitlines()
    assert [place.name for place in written.fill_in] == [
        "/properties/imageRegistryCredentials/a.azurecr.io/password",
        "/properties/containers/web/properties/environmentVariables/DB_PASSWORD/secureValue",
        "/properties/volumes/files/secret",
        "/properties/volumes/share/azureFile/storageAccountKey",
    ]
    for place in written.fill_in:
        assert ": {unknown: true}  # Azure" in lines[place.line - 1]
    desired, findings = read(written.text)
    assert sorted(one.where.mark.line for one in findings if one.rule == "M403") == [
        place.line for place in written.fill_in
    ]
    assert {one.state for one in desired.secrets} == {SecretState.UNKNOWN}


def test_what_the_table_does_not_know_is_told_and_tools_leftovers_are_not():
    written = exported(full_group(), Home(owner=OWNER))

    assert written.left_out == ("/properties/futureThing",)


def test_defaults_server_values_and_what_the_project_says_are_left_out():
    home = Home(owner=OWNER, resource_group="RG-SHOP", location="westeurope", tags={"team": "shop"})
    live = live_group({**full_group().body, "tags": {"Team": "shop", "mine": "yes"}})

    written = exported(live, home)

    for absent in ("sku", "restartPolicy", "location", "resourceGroup", "team", "provisioning"):
        assert absent not in written.text
    assert "osType: Linux" in written.text
    assert "\n  mine: yes\n" not in written.text  # a text, whoever reads it
    desired, _ = read(written.text, home)
    assert decide(desired, live, Asker(owner=OWNER)).diff == Diff()


def test_a_policy_that_somebody_may_have_set_is_not_traded_for_azures_own():
    body = {**full_group().body}
    body["properties"] = {
        **body["properties"],
        "sku": "Confidential",
        "confidentialComputeProperties": {"ccePolicy": "cGFja2FnZQ=="},
    }

    written = exported(live_group(body), Home(owner=OWNER))

    assert "ccePolicy: cGFja2FnZQ==  # chosen by Azure" in written.text


def test_two_groups_never_share_a_file_and_none_is_hidden_or_taken_for_a_project():
    ids = [
        group_id("web", "rg-a"),
        group_id("web", "RG-B"),
        group_id("aci-reconcile", "rg-a"),
        group_id("web", ".hidden"),
        group_id("web", "rg ü"),
        group_id("web", "rg ö"),
    ]

    names = file_names(ids)

    assert sorted(names.values()) == [
        "_.hidden/web.yaml",
        "rg-a/group-aci-reconcile.yaml",
        "rg-a/web.yaml",
        "rg-b/web.yaml",
        "rg_/web-2.yaml",
        "rg_/web.yaml",
    ]
    assert names == file_names(ids[::-1])
