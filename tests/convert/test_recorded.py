"""Every recorded group, in each form people have it in, becomes a manifest that plans nothing."""

from __future__ import annotations

import copy
import json
import re

import pytest
import yaml
from azure.mgmt.containerinstance.models import ContainerGroup

from reconciler.core.ids import parse_group_id
from reconciler.core.plan import ActionKind
from reconciler.manifest import load_desired, open_project
from tests.conftest import typed
from tests.traffic.harness import live_of, planned
from tests.traffic.recordings import GROUPS, needs_recordings, title

pytestmark = needs_recordings


def as_az_yaml(recorded):
    """The body of `az container create`, as the file that would have made it."""
    body = {**recorded["put"], "name": recorded["name"], "apiVersion": recorded["apiVersion"]}
    return yaml.safe_dump(body)


def as_export(recorded):
    """What `az container export` makes of an answer (azure-facts H.4)."""
    body = copy.deepcopy(recorded["get"])
    for name in ("instanceView", "provisioningState"):
        body["properties"].pop(name, None)
    for container in body["properties"]["containers"]:
        container["properties"].pop("instanceView", None)
    for name in ("id", "sku", "plan", "kind", "managedBy"):
        body.pop(name, None)
    identity = body.pop("identity", None) or {"type": "None"}
    if identity["type"] != "None":
        kept = {"type": identity["type"]}
        if ids := identity.get("userAssignedIdentities"):
            kept["user_assigned_identities"] = {key: {} for key in ids}
        body["identity"] = kept
    return yaml.safe_dump({**body, "additional_properties": {}, "apiVersion": "2023-05-01"})


def as_shown(recorded):
    """What `az container show` prints: the SDK's model, its attributes in camel case."""
    return json.dumps(_printed(_model(recorded)), indent=2)


def as_shown_in_powershell(recorded):
    return as_shown(recorded).replace("\n", "\r\n").encode("utf-16")


def as_list(recorded):
    return json.dumps([_printed(_model(recorded))])


def as_answer(recorded):
    return json.dumps(recorded["get"])


def as_page(recorded):
    return json.dumps({"value": [recorded["get"]]})


def as_template(recorded):
    """The body as a resource; what starts with a bracket is escaped, as templates ask."""

    def escaped(value):
        if isinstance(value, dict):
            return {key: escaped(item) for key, item in value.items()}
        if isinstance(value, list):
            return [escaped(item) for item in value]
        return f"[{value}" if isinstance(value, str) and re.match(r"\[.*]\Z", value) else value

    resource = {
        **escaped(recorded["put"]),
        "type": "Microsoft.ContainerInstance/containerGroups",
        "apiVersion": recorded["apiVersion"],
        "name": recorded["name"],
    }
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    return json.dumps({"$schema": schema, "contentVersion": "1.0.0.0", "resources": [resource]})


def _model(recorded):
    return ContainerGroup.deserialize(recorded["get"], content_type="application/json")


def _printed(value):
    """What az does with a model: the names of its attributes in camel case, nulls and all."""
    if isinstance(value, list):
        return [_printed(item) for item in value]
    if isinstance(value, dict):
        return {key: _printed(item) for key, item in value.items()}
    if hasattr(value, "_attribute_map"):
        members = {name: getattr(value, name) for name in value._attribute_map}
        return {_camel(name): _printed(item) for name, item in members.items()}
    if value is None or isinstance(value, bool | int | float):
        return value
    return getattr(value, "value", None) or str(value)


def _camel(name):
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


FORMS = [
    as_az_yaml, as_export, as_shown, as_shown_in_powershell, as_list, as_answer, as_page, as_template
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_a_recorded_group_is_converted_into_what_plans_nothing(tmp_path, form):
    wrong = []
    for number, recorded in enumerate(GROUPS):
        folder = tmp_path / str(number)
        folder.mkdir()
        text = form(recorded)
        source = folder / "input"
        source.write_bytes(text if isinstance(text, bytes) else text.encode())
        group = parse_group_id(recorded["get"]["id"])
        defaults = {"subscription": group.subscription, "resourceGroup": group.resource_group}
        project = {"owner": "shop", "defaults": defaults}
        (folder / "aci-reconcile.yaml").write_text(json.dumps(project))

        done = typed("convert", "input", "-d", "groups", cwd=folder)

        assert done.code in (0, 2), (title(recorded), done.err)
        opened, _ = open_project([], cwd=folder, environment=None)
        loaded = load_desired(opened, [], environ={})
        errors = [str(one) for one in loaded.errors]
        assert not errors, (title(recorded), errors)
        (desired,) = loaded.groups
        action = planned(desired, live_of(desired, recorded["get"]))
        if action.kind is not ActionKind.NO_OP or action.diff:
            wrong.append((title(recorded), action.kind.value, action.why))
    assert wrong == []


def test_what_could_not_be_carried_is_a_secret_or_newer_than_our_api(tmp_path):
    told = set()
    for number, recorded in enumerate(GROUPS):
        source = tmp_path / f"{number}.json"
        source.write_text(as_answer(recorded))
        done = typed("convert", source.name, cwd=tmp_path)
        lines = [line for line in done.err.splitlines() if "not carried" in line]
        assert (done.code == 2) == bool(lines)
        told |= {re.sub(r".*\d+:\d+: |\[\d+\]|: .*", "", line) for line in lines}
    told = {line.rpartition(".")[2] for line in told}
    assert told <= {
        "password", "secureValue", "storageAccountKey", "secret", "workspaceKey",
        "configMap", "containerGroupProfile", "standbyPoolProfile", "M202",
    }, told  # fmt: skip
