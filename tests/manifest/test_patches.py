"""Patches of an environment: what they merge, what they may not miss, and whose lines are named."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from reconciler.core.jsonval import dig
from reconciler.core.places import position_of
from reconciler.manifest import DesiredSet, schema_text
from tests.manifest.conftest import Load, web

PROJECT = """
owner: shop
defaults: {subscription: 00000000-0000-0000-0000-000000000000, resourceGroup: rg, location: westeurope}
variables: {size: "2", main: web}
environments:
  prod:
    patches: ["patches/*.yaml"]
  dev: {}
"""

FULL = """
name: web
location: westeurope
tags: {tier: dev, team: shop}
reconcile: {dependsOn: [db], wait: {for: running, timeout: 5m}}
properties:
  osType: Linux
  initContainers:
    - {name: first, properties: {image: "busybox:1"}}
    - {name: second, properties: {image: "busybox:1"}}
  containers:
    - name: ${var:main}
      properties:
        image: nginx:1
        command: [nginx, -g]
        ports: [{port: 80}, {port: 53, protocol: UDP}]
        environmentVariables:
          - {name: LEVEL, value: debug}
          - {name: PASSWORD, secureValue: {fromEnv: DB_PASSWORD}}
        volumeMounts: [{name: data, mountPath: /data}]
        resources: {requests: {cpu: 1, memoryInGB: 1}}
        livenessProbe: {httpGet: {port: 80}, periodSeconds: 5}
    - name: side
      properties:
        image: busybox:1
        resources: {requests: {cpu: 1, memoryInGB: 1}}
  imageRegistryCredentials:
    - {server: a.azurecr.io, username: u, password: {fromEnv: DB_PASSWORD}}
  volumes:
    - {name: data, emptyDir: {}}
"""

Patch = Callable[..., DesiredSet]
SCHEMA = Draft202012Validator(json.loads(schema_text("patch")))


def by_schema(text: str) -> list[str]:
    """What an editor would say of a patch file."""
    return [
        error.message
        for document in yaml.safe_load_all(text)
        for error in SCHEMA.iter_errors(document)
    ]


@pytest.fixture
def patch(write: Callable[[str, str], Path], load: Load) -> Patch:
    """Load two groups, `web` in full and `db`, as one patch file leaves them."""

    def _patch(text: str, *names: str, **options: Any) -> DesiredSet:
        write("aci-reconcile.yaml", PROJECT)
        write("groups/web.yaml", FULL)
        write("groups/db.yaml", web("db"))
        path = write("patches/p.yaml", text)
        loaded = load(*names, environment="prod", **options)
        if not names and not loaded.findings:
            assert by_schema(path.read_text("utf-8")) == []
        return loaded

    return _patch


def says(loaded: DesiredSet) -> list[str]:
    return [str(found) for found in loaded.findings]


def group(loaded: DesiredSet, name: str = "web"):
    assert not loaded.errors, says(loaded)
    return next(one for one in loaded.groups if one.id.name == name)


def inside(text: str) -> str:
    """A patch of the main container's properties."""
    indented = textwrap.indent(textwrap.dedent(text).strip("\n"), " " * 8)
    return (
        f"name: web\nproperties:\n  containers:\n    - name: web\n      properties:\n{indented}\n"
    )


def container(loaded: DesiredSet, name: str = "web") -> Any:
    return dig(group(loaded).canonical, "properties", "containers", name, "properties")


def test_a_patch_changes_what_it_says_and_nothing_else(patch: Patch, load: Load):
    patched = group(patch(inside("image: nginx:2")))
    plain = group(load(environment="dev"))

    changed = dict(plain.canonical)
    assert changed != patched.canonical
    changed["properties"]["containers"]["web"]["properties"]["image"] = "nginx:2"  # type: ignore[index, call-overload]
    assert changed == patched.canonical
    assert patched.policy == plain.policy
    assert [s.name for s in patched.secrets] == [s.name for s in plain.secrets]


def test_mappings_are_merged_member_by_member(patch: Patch):
    loaded = patch("name: web\ntags: {tier: prod, new: x}\nreconcile: {wait: {timeout: 1h}}\n")

    assert group(loaded).tags == {"tier": "prod", "team": "shop", "new": "x"}
    wait = group(loaded).policy.wait
    assert (wait.until.value, wait.timeout.total_seconds()) == ("running", 3600)
    assert [one.name for one in group(loaded).policy.depends_on] == ["db"]


def test_lists_are_merged_by_the_key_of_the_property_table(patch: Patch):
    loaded = patch(
        """
        name: web
        properties:
          initContainers: [{name: second, properties: {image: "busybox:2"}}]
          containers:
            - name: web
              properties:
                environmentVariables: [{name: LEVEL, value: warn}]
                volumeMounts: [{mountPath: /data, readOnly: true}]
                ports: [{port: 53, protocol: udp}]
                resources: {requests: {cpu: 4}}
            - {name: side, properties: {image: "busybox:3"}}
          imageRegistryCredentials: [{server: A.azurecr.io, $patch: add, username: v, password: {fromEnv: DB_PASSWORD}}]
          volumes: [{name: data, emptyDir: null, gitRepo: {repository: "https://e.org/r"}}]
        """
    )
    body = group(loaded).body["properties"]

    assert [c["name"] for c in body["initContainers"]] == ["first", "second"]  # type: ignore[index, call-overload, union-attr]
    assert container(loaded)["environmentVariables"]["LEVEL"]["value"] == "warn"
    assert container(loaded)["volumeMounts"]["/data"] == {
        "name": "data",
        "mountPath": "/data",
        "readOnly": True,
    }
    assert set(container(loaded)["ports"]) == {"80/TCP", "53/UDP"}
    assert container(loaded)["resources"]["requests"] == {"cpu": 4, "memoryInGB": 1}
    assert container(loaded, "side")["image"] == "busybox:3"
    volumes = dig(group(loaded).canonical, "properties", "volumes")
    assert volumes == {"data": {"name": "data", "gitRepo": {"repository": "https://e.org/r"}}}


def test_a_list_without_names_is_replaced(patch: Patch):
    assert container(patch(inside("command: [sh]")))["command"] == ["sh"]


def test_elements_are_added_removed_and_replaced_in_so_many_words(patch: Patch):
    loaded = patch(
        """
        name: web
        properties:
          containers:
            - {name: side, $patch: delete}
            - name: log
              $patch: add
              properties:
                image: fluent:1
                environmentVariables: [{name: A, value: b}]
                resources: {requests: {cpu: 1, memoryInGB: 1}}
            - name: web
              properties:
                environmentVariables:
                  - {name: LEVEL, $patch: delete}
                  - {name: MORE, value: x, $patch: add}
                livenessProbe: {$patch: replace, exec: {command: [true-ish]}}
                ports: [{$patch: replace}, {port: 8080}]
        """
    )
    containers = group(loaded).body["properties"]["containers"]  # type: ignore[index, call-overload]

    assert [c["name"] for c in containers] == ["web", "log"]  # type: ignore[index, union-attr, call-overload]
    assert list(container(loaded)["environmentVariables"]) == ["PASSWORD", "MORE"]
    assert container(loaded)["livenessProbe"] == {"exec": {"command": ["true-ish"]}}
    assert list(container(loaded)["ports"]) == ["8080/TCP"]
    assert container(loaded, "log")["environmentVariables"]["A"]["value"] == "b"


def test_null_and_delete_remove_a_member(patch: Patch):
    text = "livenessProbe: null\nvolumeMounts: {$patch: delete}\nresources: {limits: {cpu: 2}}"

    found = container(patch(inside(text)))

    assert not {"livenessProbe", "volumeMounts"} & set(found)
    assert found["resources"]["limits"] == {"cpu": 2}


def test_a_value_takes_the_place_of_a_secret_and_a_secret_that_of_a_value(patch: Patch):
    text = """
    environmentVariables:
      - {name: PASSWORD, value: none}
      - {name: LEVEL, secureValue: {fromKeyVault: {vault: kv-shop, secret: level}}}
    """
    loaded = patch(inside(text))

    assert container(loaded)["environmentVariables"]["PASSWORD"]["value"] == "none"
    names = [secret.name.rpartition("environmentVariables")[2] for secret in group(loaded).secrets]
    assert names[0] == "/LEVEL/secureValue"
    assert "value" not in container(loaded)["environmentVariables"]["LEVEL"]


def test_a_reference_to_a_secret_replaces_the_one_that_was_there(patch: Patch):
    text = "environmentVariables: [{name: PASSWORD, secureValue: {fromEnv: B64, encode: base64}}]"
    secret = group(patch(inside(text))).secrets[0]

    assert secret.value == "YUhWdWRHVnlNZz09"
    assert str(secret.where) == "patches/p.yaml:6:62"


def test_a_variable_is_put_in_where_a_patch_uses_one(patch: Patch):
    assert container(patch(inside("image: nginx:${var:size}")))["image"] == "nginx:2"


def test_later_patches_win_and_each_environment_has_its_own(patch: Patch, write, load: Load):
    text = "name: web\ntags: {tier: one}\n---\nname: web\ntags: {tier: two}\n"

    assert group(patch(text)).tags["tier"] == "two"
    write("patches/q.yaml", "name: web\ntags: {tier: three}\n")
    assert group(load(environment="prod")).tags["tier"] == "three"
    assert group(load(environment="dev")).tags["tier"] == "dev"


def test_a_patch_takes_a_group_out_of_the_environment(patch: Patch, load: Load):
    loaded = patch("name: db\n$patch: delete\n---\nname: web\nreconcile: {dependsOn: null}\n")

    assert not loaded.errors, says(loaded)
    assert [one.id.name for one in loaded.groups] == ["web"]
    assert loaded.is_complete
    assert len(load(environment="dev").groups) == 2


def test_what_depends_on_a_group_that_is_taken_out_says_so(patch: Patch):
    assert "groups/web.yaml:4:25: M602" in says(patch("name: db\n$patch: delete\n"))[0]


def test_a_patch_file_is_no_manifest_in_any_environment(patch: Patch, load: Load):
    patch("name: web\ntags: {tier: prod}\n")

    assert [one.id.name for one in load(environment="dev").groups] == ["db", "web"]


def test_a_path_to_a_patch_means_the_whole_project(patch: Patch):
    loaded = patch("name: web\ntags: {tier: prod}\n", "patches/p.yaml")

    assert not loaded.errors, says(loaded)
    assert loaded.is_complete
    assert len(loaded.groups) == 2


def test_positions_are_those_of_the_file_that_brought_a_value(patch: Patch):
    loaded = patch(
        inside("image: nginx:2\nenvironmentVariables: [{name: N, value: x, $patch: add}]")
    )
    one = group(loaded)
    holder = ("properties", "containers", "web", "properties")

    assert str(position_of(one, ())) == "groups/web.yaml:1:1"
    assert str(position_of(one, (*holder, "image"))) == "patches/p.yaml:6:16"
    assert str(position_of(one, (*holder, "command"))) == "groups/web.yaml:14:18"
    added = (*holder, "environmentVariables", "N", "value")
    assert str(position_of(one, added)) == "patches/p.yaml:7:49"
    side = ("properties", "containers", "side", "properties", "image")
    assert str(position_of(one, side)) == "groups/web.yaml:24:16"


def test_positions_after_a_removed_element_do_not_slip(patch: Patch):
    loaded = patch(inside("environmentVariables: [{name: LEVEL, $patch: delete}]"))

    assert str(group(loaded).secrets[0].where) == "groups/web.yaml:18:43"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (inside("imagee: x"), "patches/p.yaml:6:9: M201 containers[0].imagee: expected a known key, got 'imagee': did you mean 'image'?"),
        (inside("image: 5"), "patches/p.yaml:6:16: M203"),
        (inside("image: nginx:${var:nope}"), "patches/p.yaml:6:16: M501"),
        (inside("Image: x"), "patches/p.yaml:6:9: M101"),
        (inside("ports: [{port: '80'}]"), "patches/p.yaml:6:24: M103"),
        (inside("resources: {requests: {cpu: 0}}"), "patches/p.yaml:6:37: M205"),
        (inside("volumeMounts: [{name: nope, mountPath: /x, $patch: add}]"), "patches/p.yaml:6:31: M302"),
        (inside("environmentVariables: [{name: LEVLE, value: x}]"), "patches/p.yaml:6:39: M702 containers[0].environmentVariables[0].name: expected one of 'environmentVariables' to alter, got 'LEVLE': did you mean 'LEVEL'?; try '$patch: add' beside its name, if it is new"),
        (inside("environmentVariables: [{name: X, $patch: delete}]"), "patches/p.yaml:6:39: M702 containers[0].environmentVariables[0].name: expected one of 'environmentVariables' to delete, got 'X'; try one of 'LEVEL' or 'PASSWORD'"),
        (inside("environmentVariables: [{name: LEVEL, $patch: add}]"), "M702 containers[0].environmentVariables[0]: expected an element to add that is not there yet, got one that is; try leaving out '$patch: add', to alter it"),
        (inside("environmentVariables: [{name: LEVEL, $patch: delete, value: x}]"), "patches/p.yaml:6:62: M703 containers[0].environmentVariables[0].value: expected nothing beside '$patch: delete', got 'value'"),
        (inside("environmentVariables: [{name: LEVEL, $patch: remove}]"), "patches/p.yaml:6:54: M703 containers[0].environmentVariables[0].'$patch': expected 'add', 'delete' or 'replace' here, got 'remove'"),
        (inside("environmentVariables: [{value: x}]"), "patches/p.yaml:6:32: M702 containers[0].environmentVariables[0]: expected an element with 'name', got a mapping"),
        (inside("environmentVariables: [{name: LEVEL, value: a}, {name: LEVEL, value: b}]"), "patches/p.yaml:6:64: M702"),
        (inside("readinessProbe: null"), "patches/p.yaml:6:9: M702 containers[0].readinessProbe: expected something to remove, got nothing of that name"),
        (inside("readinessProbe: {$patch: delete}"), "patches/p.yaml:6:9: M702"),
        (inside("readinessProbe: {$patch: replace, exec: {command: [a]}}"), "patches/p.yaml:6:26: M703"),
        (inside("livenessProbe: {$patch: add, exec: {command: [a]}}"), "patches/p.yaml:6:33: M703"),
        ("name: wbe\ntags: {a: b}\n", "patches/p.yaml:1:7: M701 name: expected the name of a group of the project, got 'wbe'; try one of 'db' or 'web'"),
        ("name: web\nreconcile: {resourceGroup: other}\ntags: {a: b}\n", "patches/p.yaml:2:28: M701 reconcile.resourceGroup: expected the resource group of 'web', got 'other'; try 'rg'"),
        ("name: web\n", "patches/p.yaml:1:1: M701 expected something to change"),
        ("name: web\nreconcile: {resourceGroup: RG}\n", "patches/p.yaml:1:1: M701 expected something to change"),
        ("name: web\n$patch: replace\n", "patches/p.yaml:2:9: M703"),
        ("name: rg\ntype: Microsoft.Resources/resourceGroups\nlocation: x\n", "patches/p.yaml:1:7: M701 name: expected the name of a resource group of the project, got 'rg'"),
        ("tags: {a: b}\n", "patches/p.yaml:1:1: M202 expected the key 'name'"),
        ("name: 5\n", "patches/p.yaml:1:7: M203"),
        ("name: web\ntype: Other\n", "patches/p.yaml:2:7: M011"),
        ("- name: web\n", "patches/p.yaml:1:1: M007 expected a mapping with 'name' and what differs"),
        ("", "patches/p.yaml:1:1: M008 expected a patch, got an empty file"),
        ("name: [\n", "patches/p.yaml:2:1: M003"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_patch(patch: Patch, text: str, expected: str):
    found = says(patch(text))

    assert [one for one in found if expected in one], found


def test_everything_that_is_wrong_is_told_at_once(patch: Patch):
    loaded = patch(
        "name: wbe\ntags: {a: b}\n---\n"
        + inside("imagee: x\nreadinessProbe: null\nenvironmentVariables: [{name: X}]")
        + "---\nname: dbb\n$patch: delete\n"
    )

    assert [f"{f.rule} {f.where.mark.line}" for f in loaded.findings] == [
        "M701 1", "M201 9", "M702 10", "M702 11", "M701 13",
    ]  # fmt: skip
    assert not loaded.is_complete


def test_no_secret_of_a_patch_shows_in_a_finding(patch: Patch):
    loaded = patch(
        inside(
            "environmentVariables: [hunter2, {name: PASSWORD, secureValue: hunter2}]\n"
            "livenessProbe: {$patch: delete, hunter3: x}"
        )
    )

    assert loaded.errors
    assert not [one for one in says(loaded) if "hunter2" in one]
    assert "hunter2" not in repr(loaded)


def test_a_pattern_without_a_file_is_told_where_it_stands(write, load: Load):
    write("aci-reconcile.yaml", PROJECT)
    write("web.yaml", web())

    (one,) = says(load(environment="prod"))
    assert one.startswith("aci-reconcile.yaml:6:15: M504 environments.prod.patches[0]: expected a ")
    assert one.endswith("pattern that matches files, got one without a match")
    assert load(environment="dev").findings == ()


def test_a_group_of_a_name_that_several_have_is_named_with_its_resource_group(write, load: Load):
    write("aci-reconcile.yaml", PROJECT)
    write("a.yaml", web("web"))
    write("b.yaml", web("web", "reconcile: {resourceGroup: other}\n"))
    write("patches/p.yaml", "name: web\ntags: {a: b}\n")

    assert (
        "got 'web', which could be 'other/web' or 'rg/web'; try"
        in says(load(environment="prod"))[0]
    )
    write("patches/p.yaml", "name: WEB\nreconcile: {resourceGroup: Other}\ntags: {a: b}\n")
    loaded = load(environment="prod")
    assert {one.id.resource_group: dict(one.tags) for one in loaded.groups} == {
        "rg": {}, "other": {"a": "b"},
    }  # fmt: skip


def test_a_resource_group_is_patched_like_a_group(write, load: Load):
    write("aci-reconcile.yaml", PROJECT)
    kind = "type: Microsoft.Resources/resourceGroups\nname: rg\n"
    write("rg.yaml", f"{kind}tags: {{a: b}}\n")
    write("patches/p.yaml", f"{kind}location: northeurope\ntags: {{a: null, c: d}}\n")

    loaded = load(environment="prod")

    assert not loaded.errors, says(loaded)
    (home,) = loaded.resource_groups
    assert (home.location, home.tags) == ("northeurope", {"c": "d"})


def test_the_findings_of_a_patch_stay_out_where_its_group_is_out_of_scope(patch: Patch):
    loaded = patch(inside("imagee: x"), "groups/db.yaml")

    assert says(loaded) == []
    assert [one.id.name for one in loaded.groups] == ["db"]
