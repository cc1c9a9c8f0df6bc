"""From files to desired groups: selection, bodies, policies, secrets."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.core.finding import Mark
from reconciler.core.groups import Adopt, Replace, SecretState, Wait, WaitFor, wire_body
from reconciler.manifest import load_desired, open_project
from tests.manifest.conftest import web

PROJECT = """
owner: shop
defaults: {resourceGroup: rg, location: westeurope, tags: {team: shop, Tier: a}, subscription: 00000000-0000-0000-0000-000000000000}
"""


@pytest.fixture
def project(write):
    return write("aci-reconcile.yaml", PROJECT)


def found(loaded) -> list[str]:
    return [f"{f.rule} {f.where.file}" for f in loaded.findings]


# --- selection


@pytest.mark.usefixtures("project")
def test_every_yaml_file_below_the_project_file_is_a_manifest(tmp_path, write, load):
    write("web.yaml", web())
    write("a/b/api.yml", web("api"))
    write("a/notes.txt", "no manifest")
    write(".hidden/x.yaml", "no manifest")
    write("a/.draft.yaml", "no manifest")
    write("other/aci-reconcile.yaml", "owner: other\n")
    write("other/theirs.yaml", "no manifest")

    loaded = load()

    assert [g.id.name for g in loaded.groups] == ["api", "web"]
    assert not loaded.findings
    assert loaded.is_complete
    assert (loaded.files, loaded.documents) == (2, 2)


def test_patterns_choose_the_manifests(write, load):
    write("aci-reconcile.yaml", PROJECT + 'manifests: ["groups/**/*.yaml", "one.yaml"]\n')
    write("groups/a/web.yaml", web())
    write("one.yaml", web("one"))
    write("two.yaml", web("two"))

    assert [g.id.name for g in load().groups] == ["one", "web"]


@pytest.mark.parametrize("pattern", ["none/*.yaml", "/etc/*.yaml", "../*.yaml", "a**b/x", "a\\0b"])
def test_a_pattern_that_gives_nothing_is_an_error_at_its_line(write, load, pattern):
    write("aci-reconcile.yaml", PROJECT + f'manifests: ["*.yaml", "{pattern}"]\n')
    write("web.yaml", web())

    loaded = load()

    assert found(loaded) == ["M504 aci-reconcile.yaml"]
    assert loaded.findings[0].where.mark.line == 3
    assert not loaded.is_complete


@pytest.mark.usefixtures("project")
def test_a_path_that_leaves_out_a_manifest_makes_the_scope_partial(write, load):
    write("web.yaml", web())
    write("api/api.yaml", web("api"))

    assert load("web.yaml").is_complete is False
    assert [g.id.name for g in load("api").groups] == ["api"]
    assert load("api", "web.yaml").is_complete is True
    assert load(".").is_complete is True
    assert load("aci-reconcile.yaml").is_complete is True


@pytest.mark.usefixtures("project")
def test_a_group_outside_the_paths_may_still_be_depended_on(write, load):
    write("db.yaml", web("db"))
    write("web.yaml", web(extra="reconcile: {dependsOn: [db]}\n"))
    write("broken.yaml", "name: 5\n")

    loaded = load("web.yaml")

    assert not loaded.findings
    assert [str(t) for t in loaded.groups[0].policy.depends_on] == ["rg/db"]


@pytest.mark.usefixtures("project")
def test_named_paths_that_are_no_manifests_are_findings(tmp_path, write, load):
    write("web.yaml", web())
    write("notes.txt", "x")
    (tmp_path / "empty").mkdir()

    assert found(load("notes.txt")) == ["M012 notes.txt"]
    assert found(load("gone.yaml")) == ["M001 gone.yaml"]
    assert found(load("empty")) == ["M013 empty"]
    assert found(load("a\0b")) == ["M001 a\\x00b"]


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("names", [[], ["."], ["aci-reconcile.yaml"], [".."]])
def test_a_project_whose_last_manifest_is_gone_is_complete(load, names):
    """What it owned is then seen; that nothing is removed for it is the plan's business."""
    loaded = load(*names)

    assert [f.rule for f in loaded.findings] in (["M013"], [])
    assert not loaded.errors
    assert loaded.is_complete is True


@pytest.mark.usefixtures("project")
def test_a_path_into_an_empty_project_narrows_it(tmp_path, load):
    (tmp_path / "empty").mkdir()

    loaded = load("empty")

    assert found(loaded) == ["M013 empty"]
    assert loaded.is_complete is False


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("other", [True, False])
def test_a_folder_that_cannot_be_read_makes_the_scope_incomplete(
    tmp_path, write, load, monkeypatch, other
):
    """Its manifests would look as if they were gone."""
    (tmp_path / "closed").mkdir()
    if other:
        write("web.yaml", web())
    scan = os.scandir

    def refusing(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refusing)
    loaded = load()

    assert "closed:1:1: M001 expected a folder that can be read, got: permission denied" in [
        str(f) for f in loaded.errors
    ]
    assert loaded.is_complete is False


def test_an_empty_project_whose_pattern_matches_nothing_is_incomplete(write, load):
    write("aci-reconcile.yaml", PROJECT + 'manifests: ["*.yaml", "none/*.yaml"]\n')

    loaded = load()

    assert "M504 aci-reconcile.yaml" in found(loaded)
    assert loaded.is_complete is False


@pytest.mark.usefixtures("project")
def test_an_error_makes_the_scope_incomplete(write, load):
    write("web.yaml", web())
    write("broken.yaml", "name: [")

    loaded = load()

    assert loaded.is_complete is False
    assert [g.id.name for g in loaded.groups] == ["web"]


def test_without_a_project_file_manifests_still_validate(tmp_path, write):
    (tmp_path / ".git").mkdir()
    path = write("web.yaml", web())

    project, _ = open_project([path], cwd=tmp_path, environment=None)
    loaded = load_desired(project, [path], environ={})

    assert not loaded.findings
    assert loaded.groups[0].id.address == "//web"
    assert loaded.is_complete is False


@pytest.mark.usefixtures("project")
def test_links_and_odd_files_do_no_harm(tmp_path, write, load):
    write("web.yaml", web())
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "self.yaml").symlink_to(tmp_path / "self.yaml")
    (tmp_path / "dangling.yaml").symlink_to(tmp_path / "nothing")
    (tmp_path / "folder.yaml").mkdir()
    os.mkfifo(tmp_path / "pipe.yaml")

    assert found(load()) == ["M001 dangling.yaml", "M001 pipe.yaml", "M001 self.yaml"]


@pytest.mark.usefixtures("project")
@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_a_finding(write, load):
    write("web.yaml", web()).chmod(0)

    assert found(load()) == ["M001 web.yaml"]


@pytest.mark.usefixtures("project")
def test_a_file_name_that_is_not_text_can_be_shown(tmp_path, load):
    (tmp_path / os.fsdecode(b"\xff.yaml")).write_text("x")

    for finding in load().findings:
        str(finding).encode("utf-8")


@pytest.mark.usefixtures("project")
def test_a_group_declared_in_two_files_names_both(write, load):
    write("a.yaml", web())
    write("b.yaml", web("WEB"))

    loaded = load()

    (twice,) = loaded.errors
    assert str(twice) == (
        "b.yaml:1:7: M601 name: expected one manifest for each container group, "
        "got 'WEB' again (first in a.yaml:1:7)"
    )


@pytest.mark.usefixtures("project")
def test_a_long_chain_of_dependencies_is_no_problem(write, load):
    units = [web("g0")] + [
        web(f"g{i}", f"reconcile: {{dependsOn: [g{i - 1}]}}\n") for i in range(1, 1500)
    ]
    write("all.yaml", "---\n".join(units))

    assert not load().findings


# --- the body


RICH = """
apiVersion: 2019-12-01
type: microsoft.containerinstance/containergroups
name: Web
Location: West Europe
tags: {tier: b, extra: c}
zones: ["1"]
identity: {type: systemassigned, principalId: x}
reconcile: {wait: {for: started}}
properties:
  osType: linux
  restartPolicy: null
  provisioningState: Succeeded
  containers:
    - name: web
      properties:
        image: nginx:1.27
        configMap: {keyValuePairs: {}}
        ports: [{port: '80', protocol: udp}]
        environmentVariables:
          - {name: PLAIN, value: x}
          - {name: SECRET, secureValue: {fromEnv: DB_PASSWORD}}
        resources: {requests: {cpu: '1', memoryInGb: 1.5}}
  volumes:
    - name: files
      secret: {a: {fromEnv: B64}}
"""


@pytest.mark.usefixtures("project")
def test_the_body_is_wire_shaped_canonically_spelled_and_free_of_secrets(write, load):
    write("web.yaml", RICH)

    (group,) = load().groups

    assert group.body == {
        "location": "West Europe",
        "zones": ["1"],
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "osType": "Linux",
            "containers": [
                {
                    "name": "web",
                    "properties": {
                        "image": "nginx:1.27",
                        "ports": [{"port": 80, "protocol": "UDP"}],
                        "environmentVariables": [
                            {"name": "PLAIN", "value": "x"},
                            {"name": "SECRET"},
                        ],
                        "resources": {"requests": {"cpu": 1, "memoryInGB": 1.5}},
                    },
                }
            ],
            "volumes": [{"name": "files", "secret": {}}],
        },
    }
    assert group.tags == {"team": "shop", "tier": "b", "extra": "c"}
    assert str(group.where) == "web.yaml:3:7"
    assert group.id.address == "00000000-0000-0000-0000-000000000000/rg/web"


@pytest.mark.usefixtures("project")
def test_marks_follow_renamed_keys(write, load):
    write("web.yaml", RICH)

    (group,) = load().groups

    requests = ("properties", "containers", 0, "properties", "resources", "requests")
    assert group.marks[(*requests, "memoryInGB")] == Mark(22, 54)
    assert group.marks[("location",)] == Mark(4, 11)
    assert (*requests, "memoryInGb") not in group.marks


@pytest.mark.usefixtures("project")
def test_secrets_meet_the_body_only_on_the_wire(write, load):
    write("web.yaml", RICH)

    (group,) = load().groups

    assert [(s.name, s.state, s.value) for s in group.secrets] == [
        (
            "/properties/containers/web/properties/environmentVariables/SECRET/secureValue",
            SecretState.KNOWN,
            "hunter2-env",
        ),
        ("/properties/volumes/files/secret/a", SecretState.KNOWN, "aHVudGVyMg=="),
    ]
    wire = wire_body(group, {})
    assert wire["properties"]["volumes"] == [{"name": "files", "secret": {"a": "aHVudGVyMg=="}}]
    variables = wire["properties"]["containers"][0]["properties"]["environmentVariables"]
    assert variables[1] == {"name": "SECRET", "secureValue": "hunter2-env"}
    assert "hunter2" not in repr(group)


@pytest.mark.usefixtures("project")
def test_protected_settings_are_secrets_too(write, load):
    write(
        "web.yaml",
        web()
        + "  extensions: [{name: e, properties: {version: '1', protectedSettings: {kube: {fromEnv: DB_PASSWORD}}}}]\n",
    )

    (group,) = load().groups

    assert group.body["properties"]["extensions"] == [{"name": "e", "properties": {"version": "1"}}]
    wire = wire_body(group, {})
    assert wire["properties"]["extensions"][0]["properties"]["protectedSettings"] == {
        "kube": "hunter2-env"
    }


@pytest.mark.usefixtures("project")
def test_a_subscription_of_the_caller_wins(write, load):
    write("web.yaml", web())

    assert load(subscription="other").groups[0].id.subscription == "other"


# --- the policy


@pytest.mark.usefixtures("project")
def test_what_a_manifest_leaves_open_follows_the_project_and_the_kind_of_work(write, load):
    write("web.yaml", web())
    write("task.yaml", web("task") + "  restartPolicy: Never\n")

    task, service = load().groups

    assert service.policy.wait == Wait(until=WaitFor.RUNNING, timeout=timedelta(minutes=10))
    assert task.policy.wait == Wait(until=WaitFor.STARTED, timeout=timedelta(minutes=10))
    assert (service.policy.adopt, service.policy.replace) == (Adopt.IDENTICAL, Replace.FORBID)
    assert service.policy.protect is False


def test_a_manifest_speaks_before_its_environment(write, load):
    write(
        "aci-reconcile.yaml",
        PROJECT + "environments: {prod: {protect: true, policy: {replace: allow}}}\n",
    )
    write("a.yaml", web("a"))
    block = (
        "reconcile: {protect: false, replace: forbid, adopt: always, resourceGroup: rg2, "
        "wait: {for: provisioned, timeout: 1h30m5s, stableFor: 90s}, "
        "ignore: [/properties/containers/web/properties/image, /tags/x~1y]}\n"
    )
    write("b.yaml", web("b", block))

    a, b = load(environment="prod").groups

    assert (a.policy.protect, a.policy.replace) == (True, Replace.ALLOW)
    assert (b.policy.protect, b.policy.replace, b.policy.adopt) == (
        False,
        Replace.FORBID,
        Adopt.ALWAYS,
    )
    assert b.id.resource_group == "rg2"
    assert b.policy.wait == Wait(
        until=WaitFor.PROVISIONED, timeout=timedelta(seconds=5405), stable_for=timedelta(seconds=90)
    )
    assert b.policy.ignore == (
        ("properties", "containers", "web", "properties", "image"), ("tags", "x/y"),
    )  # fmt: skip


@pytest.mark.usefixtures("project")
def test_variables_come_from_the_project_and_its_environment(write, load):
    write(
        "aci-reconcile.yaml",
        PROJECT + "variables: {t: '1'}\nenvironments: {prod: {variables: {t: '2'}}}\n",
    )
    write("web.yaml", web().replace("nginx:1.27", '"nginx:${var:t}-${var:t}"'))

    def image(environment):
        body = load(environment=environment).groups[0].body
        return body["properties"]["containers"][0]["properties"]["image"]

    assert image(None) == "nginx:1-1"
    assert image("prod") == "nginx:2-2"


@pytest.mark.usefixtures("project")
def test_a_resource_group_takes_location_and_tags_from_the_project(write, load):
    write("rg.yaml", "type: Microsoft.Resources/resourceGroups\nname: rg\ntags: {a: b}\n")

    (declared,) = load().resource_groups

    assert declared.location == "westeurope"
    assert declared.tags == {"team": "shop", "Tier": "a", "a": "b"}
    assert str(declared.where) == "rg.yaml:2:7"


@pytest.mark.usefixtures("project")
def test_a_group_with_no_resource_group_anywhere_is_an_error(write, load):
    write("aci-reconcile.yaml", "owner: shop\n")
    write("web.yaml", web())

    assert found(load()) == ["M305 web.yaml"]


# --- secrets in files


def _with_file(value: str) -> str:
    return web() + (f"        environmentVariables: [{{name: A, secureValue: {value}}}]\n")


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ("{fromFile: s/plain.txt}", "hunter2\n"),
        ("{fromFile: s/plain.txt, encode: base64}", "aHVudGVyMgo="),
        ("{fromFile: s/bytes, encode: base64}", "/wA="),
        ("{fromFile: inside.txt}", "hunter2\n"),
    ],
)
def test_a_file_is_sent_as_it_is_or_encoded(tmp_path, write, load, reference, value):
    write("s/plain.txt", "hunter2\n")
    (tmp_path / "s" / "bytes").write_bytes(b"\xff\x00")
    (tmp_path / "inside.txt").symlink_to("s/plain.txt")
    write("web.yaml", _with_file(reference))

    loaded = load()

    assert not loaded.findings
    assert loaded.groups[0].secrets[0].value == value


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("reference", "rule"),
    [
        ("{fromFile: out.txt}", "M404"),
        ("{fromFile: ../x}", "M404"),
        ("{fromFile: loop}", "M402"),
        ("{fromFile: s}", "M402"),
        ("{fromFile: pipe}", "M402"),
        ("{fromFile: bytes}", "M402"),
        ('{fromFile: "a\\0b"}', "M402"),
        ("{fromFile: big}", "M402"),
        ("{fromEnv: NOBODY}", "M402"),
    ],
)
def test_a_reference_that_leads_nowhere_is_told(
    tmp_path_factory, tmp_path, write, load, reference, rule
):
    outside = tmp_path_factory.mktemp("outside") / "secret"
    outside.write_text("hunter2")
    (tmp_path / "out.txt").symlink_to(outside)
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "s").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "bytes").write_bytes(b"\xff")
    (tmp_path / "big").write_bytes(b"x" * 1_000_001)
    write("web.yaml", _with_file(reference))

    loaded = load()

    assert found(loaded) == [f"{rule} web.yaml"]
    if rule == "M402":
        (secret,) = loaded.groups[0].secrets
        assert (secret.state, secret.value) == (SecretState.UNRESOLVED, None)
        assert secret.reason in str(loaded.findings[0])


@pytest.mark.usefixtures("project")
def test_an_empty_place_and_an_unknown_one_are_the_same(write, load):
    write("a.yaml", web("a") + "        environmentVariables: [{name: A}]\n")
    write(
        "b.yaml",
        web("b") + "        environmentVariables: [{name: A, secureValue: {unknown: true}}]\n",
    )

    a, b = load().groups

    assert a.secrets[0].state is b.secrets[0].state is SecretState.UNKNOWN
    assert a.secrets[0].name == b.secrets[0].name
    assert a.canonical == b.canonical


# --- start-up


def test_importing_the_room_loads_no_heavy_library():
    code = (
        "import sys, reconciler.manifest, reconciler.manifest.project;"
        "print([m for m in ('yaml', 'jsonschema', 'azure', 'deepdiff') if m in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )

    assert done.stdout.strip() == "[]"
