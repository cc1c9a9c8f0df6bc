"""Export as a command: files, refusals, and what `plan` then says."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from tests.conftest import Reply, Repository, conforms, group
from tests.traffic import generated
from tests.traffic.recordings import GROUPS, needs_recordings

SECRETS = {
    "env": [{"name": "A", "value": "1"}, {"name": "DB_PASSWORD", "secureValue": "hunter2hunter2"}],
    "volumes": [{"name": "files", "secret": {"key.pem": "aHVudGVyMw=="}}],
    "imageRegistryCredentials": [
        {"server": "acme.azurecr.io", "username": "u", "password": "hunter4hunter4"}
    ],
}


@pytest.fixture
def bare(repository: Repository) -> Repository:
    """A folder without a project, beside an Azure that holds groups of nobody."""
    (repository.root / "aci-reconcile.yaml").unlink()
    repository.given_home()
    return repository


def export(repository, *arguments):
    return repository.here("export", "-d", "estate", *arguments)


def planned(repository, *arguments, folder="estate"):
    done = repository.here("plan", folder, "-o", "json", *arguments)
    document = json.loads(done.out)
    if document["kind"] == "Plan":
        conforms(document)
    return done, {one["name"]: one for one in document.get("actions", [])}


def first(repository, *arguments):
    return export(repository, "--subscription", repository.subscription, *arguments)


def test_an_estate_becomes_manifests_a_project_and_a_plan_of_adoptions(bare):
    bare.given(group("web", **SECRETS), tags={"team": "shop"})
    bare.given(group("api"), into="rg-other")

    done = first(bare)

    assert done.code == 0, done.err
    root = bare.root / "estate"
    assert sorted(str(p.relative_to(root)) for p in root.rglob("*.yaml")) == [
        "aci-reconcile.yaml", "rg-other/api.yaml", "rg-shop/web.yaml"
    ]  # fmt: skip
    assert yaml.safe_load((root / "aci-reconcile.yaml").read_text()) == {
        "owner": "estate",
        "defaults": {"subscription": bare.subscription, "location": "westeurope"},
    }
    told, actions = planned(bare)
    assert told.code == 0
    assert {name: one["action"] for name, one in actions.items()} == {
        "rg-shop/web": "adopt", "rg-other/api": "adopt"
    }  # fmt: skip
    assert all(one["changes"] == [] for one in actions.values())
    assert bare.here("fmt", "--check", "estate").code == 0


def test_one_list_is_all_that_is_asked(bare):
    for name in ("a", "b", "c"):
        bare.given(group(name))
    before = len(bare.requests)

    first(bare)

    asked = [f"{r.method} {r.path.rpartition('/')[2]}" for r in bare.requests[before:]]
    assert asked == ["GET containerGroups"]


def test_what_to_fill_in_is_listed_by_line_and_no_value_is_anywhere(bare):
    bare.given(group("web", **SECRETS))

    done = first(bare)

    text = (bare.root / "estate/rg-shop/web.yaml").read_text()
    places = re.findall(r"^  (\S+):(\d+): (\S+)$", done.out, re.MULTILINE)
    assert [name.rpartition("/")[2] for _, _, name in places] == [
        "password", "secureValue", "secret"
    ]  # fmt: skip
    for file, line, _ in places:
        assert file == "estate/rg-shop/web.yaml"
        assert "{unknown: true}" in text.splitlines()[int(line) - 1]
    assert "hunter" not in text + done.out + done.err
    assert "aHVudGVyMw" not in text


def test_a_write_is_refused_at_the_line_of_a_secret_until_it_is_filled_in(bare):
    bare.given(group("web", **SECRETS))
    first(bare)
    assert bare.here("adopt", "--manifests", "estate", "--yes").code == 0
    file = bare.root / "estate/rg-shop/web.yaml"
    file.write_text(file.read_text().replace("nginx:1.27", "nginx:1.28"))

    refused, actions = planned(bare)

    assert refused.code == 4
    why = actions["rg-shop/web"]["why"]
    line = next(i for i, text in enumerate(file.read_text().splitlines(), 1) if "password" in text)
    assert f"password is unknown (estate/rg-shop/web.yaml:{line}:" in why
    assert "as 2 more are" in why
    replaced, actions = planned(bare, "--replace", "web")
    assert (replaced.code, actions["rg-shop/web"]["action"]) == (4, "refuse")
    assert bare.here("apply", "estate", "--yes").code == 4
    assert bare.writes[1:] == ["PATCH web"]

    filled = file.read_text()
    for name, reference in (
        ("secureValue", "{fromEnv: DB_PASSWORD}"),
        ("password", "{fromEnv: REGISTRY}"),
        ("secret", "{key.pem: {fromEnv: PEM}}"),
    ):
        filled = re.sub(rf"{name}: {{unknown: true}}.*", f"{name}: {reference}", filled)
    file.write_text(filled)
    bare.environ |= {"DB_PASSWORD": "hunter2hunter2", "REGISTRY": "r", "PEM": "aHVudGVyMw=="}
    applied = bare.here("apply", "estate", "--yes")

    assert applied.code == 0, applied.err
    assert bare.writes[1:] == ["PATCH web", "PUT web"]


def test_exporting_again_writes_nothing_and_says_so(bare):
    bare.given(group("web", **SECRETS))
    first(bare)
    file = bare.root / "estate/rg-shop/web.yaml"
    file.write_text(file.read_text() + "# mine\n")
    before = file.read_bytes()

    done = export(bare)

    assert done.code == 0
    assert "kept estate/rg-shop/web.yaml: rg-shop/web equals it" in done.out
    assert file.read_bytes() == before


def test_a_manifest_that_differs_is_an_error_before_anything_is_written(bare):
    bare.given(group("web"))
    first(bare)
    bare.set_image("web", "nginx:2")
    bare.given(group("later"))

    done = export(bare)

    assert done.code == 4
    assert "nothing was written" in done.err
    assert re.search(
        r"estate/rg-shop/web.yaml:3:7: differs in /properties/containers/web/properties/image",
        done.err,
    )
    assert not (bare.root / "estate/rg-shop/later.yaml").exists()


def test_a_file_of_something_else_is_never_overwritten(bare):
    bare.given(group("web"))
    file = bare.file("estate/rg-shop/web.yaml", {"type": "Microsoft.Resources/resourceGroups", "name": "x", "location": "westeurope"})  # fmt: skip
    before = file.read_bytes()

    done = first(bare, "--update")

    assert done.code == 4
    assert "estate/rg-shop/web.yaml: holds something else than rg-shop/web" in done.err
    assert file.read_bytes() == before


UPDATED = """\
# Who: the shop team
name: web   # the front
properties:
  restartPolicy: Always
  osType: linux
  containers:
    # the only one
    - name: web
      properties:
        image: nginx:${var:tag}   # pinned
        environmentVariables:
          - {name: OLD, value: gone}
          - {name: DB_PASSWORD, secureValue: {fromEnv: DB}}  # from the vault
        resources: {requests: {memoryInGB: 1.5, cpu: 1}}
"""


def test_an_update_keeps_comments_order_references_and_equal_values(repository):
    repository.given_home()
    repository.project(variables={"tag": "1.27"})
    repository.environ["DB"] = "x"
    file = repository.file("web.yaml", UPDATED)
    env = [{"name": "DB_PASSWORD", "secureValue": "x"}, {"name": "NEW", "value": "yes"}]
    repository.given(
        group("web", env=env, volumes=[{"name": "v", "secret": {"a": "aGVsbG8="}}]),
        tags={"team": "x"},
    )

    refused = repository.here("export", "-d", ".")
    done = repository.here("export", "-d", ".", "--update")

    assert (refused.code, done.code) == (4, 0), done.err
    text = file.read_text()
    assert text == UPDATED.replace(
        "          - {name: OLD, value: gone}\n", ""
    ).replace(
        "  # from the vault\n", '  # from the vault\n          - name: NEW\n            value: "yes"\n'
    ).rstrip("\n") + (
        "\n  volumes:\n    - name: v\n      secret: {unknown: true}  # Azure returns no file and no name; "
        "fill in before the next write, FILE: {fromFile: PATH}\n"
    )  # fmt: skip
    _, actions = planned(repository, folder=".")
    assert (actions["rg-shop/web"]["action"], actions["rg-shop/web"]["changes"]) == ("adopt", [])


def test_an_update_that_would_not_hold_is_refused_before_anything_is_written(repository):
    repository.given_home()
    file = repository.file("web.yaml", UPDATED)
    repository.project(
        variables={"tag": "1.27"},
        environments={"prod": {"patches": ["patches/*.yaml"]}},
    )
    repository.file("patches/web.yaml", {"name": "web", "tags": {"from": "patch"}})
    repository.environ["DB"] = "x"
    repository.given(group("web", env=[{"name": "DB_PASSWORD", "secureValue": "x"}]))

    done = repository.here("export", "-d", ".", "--update", "-e", "prod")

    assert done.code == 4
    assert "web.yaml:2:7: cannot be updated: patches change it: patches/web.yaml" in done.err
    assert file.read_text() == UPDATED


def test_a_group_of_another_owner_is_left_out_unless_it_is_named(bare):
    bare.given(group("web"), tags={"aci-reconcile-owner": "others/prod"})
    bare.given(group("api"))

    done = first(bare)
    named = export(bare, "WEB")

    assert "rg-shop/web is left out: owned by 'others/prod'; name it" in done.err
    assert "wrote estate/rg-shop/web.yaml: rg-shop/web" in named.out


def test_resource_groups_and_names_narrow_what_is_exported(bare):
    bare.given(group("web"))
    bare.given(group("web"), into="rg-other")
    bare.given(group("api"))

    ambiguous = first(bare, "web")
    done = first(bare, "-g", "RG-SHOP", "web")

    assert ambiguous.code == 64
    assert "'web' fits 2 groups" in ambiguous.err
    assert [str(p.name) for p in bare.root.rglob("*.yaml")].count("web.yaml") == 1
    assert done.code == 0
    project = yaml.safe_load((bare.root / "estate/aci-reconcile.yaml").read_text())
    assert project["defaults"]["resourceGroup"] == "rg-shop"
    missing = export(bare, "-g", "nowhere")
    assert (missing.code, "there is no resource group 'nowhere'" in missing.err) == (1, True)


def test_stdout_gets_the_manifests_and_nothing_else(bare):
    bare.given(group("web", **SECRETS))
    bare.given(group("api"))

    done = bare.here("export", "-d", "-", "--subscription", bare.subscription)

    documents = list(yaml.safe_load_all(done.out))
    assert [one["name"] for one in documents] == ["api", "web"]
    assert "fill in: rg-shop/web: /properties/volumes/files/secret" in done.err
    assert not list(bare.root.iterdir())


def test_a_group_in_transition_is_told_and_not_fatal(bare):
    bare.given(group("web"))
    bare.given(group("going"))
    listed = bare.emulator.groups(bare.subscription)
    for one in listed:
        state = {"web": "Updating", "going": "Deleting"}[one["name"]]
        one["properties"]["provisioningState"] = state
    bare.intercept(lambda call: Reply(status=200, body={"value": listed}))

    done = first(bare)

    assert done.code == 0
    assert "rg-shop/web is in transition (provisioning state Updating)" in done.err
    assert "rg-shop/going is left out: it is being deleted" in done.err


def test_a_plain_value_that_looks_like_a_secret_is_told_by_name(bare):
    bare.given(group("web", env=[{"name": "API_TOKEN", "value": "tok-123456"}]))

    done = first(bare)

    assert "environmentVariables/API_TOKEN/value looks like a secret" in done.err
    assert "tok-123456" not in done.out + done.err


def test_an_empty_subscription_makes_no_files(bare):
    done = first(bare)

    assert (done.code, "nothing to export" in done.err) == (0, True)
    assert not (bare.root / "estate").exists()


def test_what_the_command_line_and_the_project_say_must_agree(repository):
    other = repository.here("export", "-d", ".", "--owner", "others")
    subscription = repository.here("export", "-d", ".", "--subscription", repository.subscription[:-1] + "x")  # fmt: skip

    assert (other.code, "--owner: expected 'shop'" in other.err) == (64, True)
    assert (subscription.code, "expected the id of a subscription" in subscription.err) == (
        64,
        True,
    )


def test_patterns_that_miss_an_exported_file_are_told(repository):
    repository.given_home()
    repository.write(group("api"))
    repository.project(manifests=["api.yaml"])
    repository.given(group("web"))

    done = repository.here("export", "web", "-d", "groups")

    assert "rg-shop/web is matched by no pattern of 'manifests'" in done.err


@needs_recordings
def test_every_recorded_create_reads_back_from_the_emulator_as_an_adoption(bare):
    for number, one in enumerate(GROUPS):
        body = {**one["put"], "location": f"region{number}"}  # one DNS label each, as in Azure
        bare.emulator.given(bare.subscription, f"rg-{number}", one["name"], body)

    done = first(bare)
    _, actions = planned(bare)

    assert done.code == 0, done.out[-2000:] + done.err
    document = json.loads(bare.here("plan", "estate", "-o", "json").out)
    assert [one["action"] for one in document["actions"]] == ["adopt"] * len(GROUPS)
    assert not any(one["changes"] for one in document["actions"])


def test_bodies_that_cover_the_property_table_read_back_as_adoptions(bare):
    bodies = generated.covering(generated.drawn(150))
    for number, drawn in enumerate(bodies):
        body = {**generated.acceptable(drawn), "location": f"region{number}", "tags": {}}
        bare.emulator.given(bare.subscription, "rg-shop", f"group{number}", body)

    done = first(bare)
    document = json.loads(bare.here("plan", "estate", "-o", "json").out)

    assert done.code == 0, done.out[-2000:] + done.err
    assert {one["action"] for one in document["actions"]} == {"adopt"}
    assert not any(one["changes"] for one in document["actions"])
    assert len(document["actions"]) == len(bodies)
