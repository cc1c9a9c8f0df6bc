"""Environments from end to end: patched, rendered, compared, planned and applied."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.conftest import CHECKOUT, HOME, Repository, environment_of, group

SCHEMAS = CHECKOUT / "schemas"
TYPE = "Microsoft.Resources/resourceGroups"
PATCH = """
name: web
tags: {tier: prod}
properties:
  containers:
    - name: web
      properties:
        image: nginx:2
        environmentVariables:
          - {name: PASSWORD, secureValue: {fromEnv: PROD_PASSWORD}}
          - {name: EXTRA, value: x, $patch: add}
"""
VARIABLES = [
    {"name": "LEVEL", "value": "${var:level}"},
    {"name": "PASSWORD", "secureValue": {"fromEnv": "DEV_PASSWORD"}},
]


@pytest.fixture
def shop(repository: Repository) -> Repository:
    """Two groups; prod patches one, protects both and names a resource group of its own."""
    repository.environ |= {"DEV_PASSWORD": "hunter2-dev", "PROD_PASSWORD": "hunter2-prod"}
    repository.project(
        manifests=["groups/*.yaml"],
        variables={"level": "debug"},
        environments={
            "dev": {},
            "twin": {},
            "prod": {"patches": ["patches/*.yaml"], "protect": True, "resourceGroup": "rg-prod"},
        },
    )
    web = group(image="nginx:1", env=VARIABLES)
    repository.file("groups/web.yaml", web)
    repository.file("groups/db.yaml", group("db"))
    repository.file("patches/web.yaml", PATCH)
    return repository


# Patches


def test_an_environment_is_applied_as_its_patches_want_it(shop: Repository) -> None:
    shop.given_home("rg-prod")

    done = shop.here("apply", "-e", "prod", "--yes")
    again = shop.here("plan", "-e", "prod", "--detailed-exitcode")

    assert (done.code, again.code) == (0, 0), done.err + again.out
    live = shop.live("web")
    assert live is not None
    inside = live["properties"]["containers"][0]["properties"]
    assert inside["image"] == "nginx:2"
    assert [one["name"] for one in inside["environmentVariables"]] == ["LEVEL", "PASSWORD", "EXTRA"]
    assert live["tags"]["tier"] == "prod"
    assert "/resourceGroups/rg-prod/" in live["id"]


def test_an_environment_protects_its_groups(shop: Repository) -> None:
    shop.given_home("rg-prod")
    shop.here("apply", "-e", "prod", "--yes")
    (shop.root / "groups/db.yaml").unlink()

    done = shop.here("apply", "-e", "prod", "--prune", "--yes")

    assert done.code == 4
    assert "protect" in done.out
    assert shop.names == ["db", "web"]


def test_a_field_that_a_patch_asks_for_names_the_line_of_the_patch(shop: Repository) -> None:
    shop.given_home("rg-prod")
    shop.here("apply", "-e", "prod", "--yes")
    shop.set_image("web", "nginx:3", into="rg-prod")

    text = shop.here("plan", "-e", "prod")
    document = json.loads(shop.here("plan", "-e", "prod", "-o", "json").out)

    (change,) = [c for a in document["actions"] for c in a["changes"]]
    assert change["where"] == {"file": "patches/web.yaml", "line": 8, "column": 16}
    assert "patches/web.yaml:8:16" in text.out
    Draft202012Validator(json.loads((SCHEMAS / "report.schema.json").read_text())).validate(
        document
    )


def test_what_the_manifest_asks_for_names_no_patch(shop: Repository) -> None:
    shop.given_home("rg-prod")
    shop.here("apply", "-e", "prod", "--yes")
    shop.set_image("db", "nginx:3", into="rg-prod")

    document = json.loads(shop.here("plan", "-e", "prod", "-o", "json").out)

    (change,) = [c for a in document["actions"] for c in a["changes"]]
    assert "patch" not in change


def test_a_plan_shows_the_patch_when_it_is_read_again(shop: Repository) -> None:
    shop.given_home("rg-prod")
    shop.here("apply", "-e", "prod", "--yes")
    shop.set_image("web", "nginx:3", into="rg-prod")
    shop.here("plan", "-e", "prod", "-o", "json=plan.json")

    assert "patches/web.yaml:8:16" in shop.here("show", "plan.json").out


def test_validating_tells_what_is_wrong_in_the_patches_of_every_environment(
    shop: Repository,
) -> None:
    shop.file(
        "patches/wrong.yaml", "name: wbe\ntags: {a: b}\n---\nname: db\nproperties: {zone: x}\n"
    )

    done = shop.here("validate")

    assert done.code == 3
    lines = done.out.splitlines()
    assert [line.split(" ")[0:2] for line in lines[:2]] == [
        ["patches/wrong.yaml:1:7:", "M701"], ["patches/wrong.yaml:5:14:", "M201"],
    ]  # fmt: skip
    shop.given_home()
    assert shop.here("plan", "-e", "dev").code == 0
    assert shop.here("plan", "-e", "prod").code == 3


# Rendering


def test_what_is_rendered_validates_and_plans_as_no_change(shop: Repository) -> None:
    """The environment's own patches and defaults are in the text: `bare` has none."""
    shop.given_home("rg-prod")
    applied = shop.here("apply", "-e", "prod", "--yes")
    text = shop.here("render", "-e", "prod")
    other = Repository(
        root=shop.root.parent / "rendered", emulator=shop.emulator, subscription=shop.subscription
    )
    other.environ |= shop.environ
    other.project(defaults={"subscription": shop.subscription}, environments={"prod": {}})
    other.file("all.yaml", text.out)

    valid, planned = other.here("validate"), other.here("plan", "-e", "prod", "--detailed-exitcode")

    assert (applied.code, text.code) == (0, 0)
    assert (valid.code, valid.out[:9]) == (0, "0 errors,"), valid.out
    assert planned.code == 0, planned.out
    assert "no changes, 2 of 2 unchanged" in planned.out
    assert other.here("render", "-e", "prod").out == text.out


def test_the_sample_renders_and_plans_as_no_change(repository: Repository) -> None:
    repository.environ["DEMO_PASSWORD"] = "hunter2-demo"
    sample = CHECKOUT / "manifests"
    no_one = "00000000-0000-0000-0000-000000000000"
    for path in sample.rglob("*"):
        if path.is_file() and path.name != "aci-reconcile.yaml":
            text = path.read_text(encoding="utf-8").replace(no_one, repository.subscription)
            repository.file(str(path.relative_to(sample)), text)
    settings = yaml.safe_load((sample / "aci-reconcile.yaml").read_text(encoding="utf-8"))
    settings["defaults"]["subscription"] = repository.subscription
    repository.file("aci-reconcile.yaml", settings)
    applied = repository.here("apply", "--yes")
    text = repository.here("render")
    assert (applied.code, text.code) == (0, 0), applied.err
    for path in repository.root.glob("*.yaml"):
        if path.name != "aci-reconcile.yaml":
            path.unlink()
    repository.file("all.yaml", text.out)

    planned = repository.here("plan", "--detailed-exitcode")

    assert planned.code == 0, planned.out
    assert "no changes, 6 of 6 unchanged" in planned.out


def test_rendering_follows_no_secret_and_prints_none(shop: Repository) -> None:
    shop.file("groups/written.yaml", group("written", env=[
        {"name": "A", "secureValue": "hunter2-written"},
    ]))  # fmt: skip
    shop.environ.clear()

    done = shop.here("render", "-e", "prod")

    assert done.code == 0
    assert "hunter2" not in done.out + done.err
    assert "fromEnv: PROD_PASSWORD" in done.out
    assert "unknown: true" in done.out
    assert "note: groups/written.yaml:" in done.err


def test_plain_values_that_look_like_secrets_are_printed_and_that_is_said(shop: Repository) -> None:
    """Hiding them would make another manifest of it; git shows them anyhow."""
    shop.file("groups/db.yaml", group("db", env=[{"name": "API_TOKEN", "value": "plain"}]))

    done = shop.here("render", "-e", "prod")

    assert {"name": "API_TOKEN", "value": "plain"} in next(yaml.safe_load_all(done.out))[
        "properties"
    ]["containers"][0]["properties"]["environmentVariables"]
    assert "'db': plain values that look like secrets are printed" in done.err
    assert "'web': plain" not in done.err


def test_rendered_json_obeys_the_schema_of_manifests(shop: Repository) -> None:
    done = shop.here("render", "-e", "prod", "-o", "json")

    documents = json.loads(done.out)
    validator = Draft202012Validator(json.loads((SCHEMAS / "manifest.schema.json").read_text()))
    for document in documents:
        validator.validate(document)
    assert [one["name"] for one in documents] == ["db", "web"]
    assert documents == list(yaml.safe_load_all(shop.here("render", "-e", "prod").out))


def test_several_environments_are_rendered_one_after_the_other(shop: Repository) -> None:
    both = shop.here("render", "-e", "dev", "-e", "prod")
    refused = shop.here("render", "-e", "dev", "-e", "prod", "-o", "json")
    files = shop.here("render", "-e", "dev", "-e", "prod", "-o", "json={environment}.json")

    assert len(list(yaml.safe_load_all(both.out))) == 4
    assert (refused.code, files.code) == (64, 0)
    assert json.loads((shop.root / "prod.json").read_text())[1]["tags"] == {"tier": "prod"}


@pytest.mark.parametrize("line", ["render", "render -e none", "diff dev none"])
def test_an_environment_that_is_not_there_is_64(shop: Repository, line: str) -> None:
    assert shop.here(*line.split()).code == 64


@pytest.mark.parametrize(
    "line", ["render -e prod", "diff dev prod", "diff prod prod", "render -e prod -o json"]
)
def test_invalid_manifests_are_3_and_told_at_once(shop: Repository, line: str) -> None:
    shop.file("patches/wrong.yaml", "name: wbe\ntags: {a: b}\n")
    shop.file("groups/bad.yaml", "name: bad\n")

    done = shop.here(*line.split())

    assert done.code == 3
    assert "groups/bad.yaml" in done.out
    assert "patches/wrong.yaml" in done.out
    assert done.out.count("M701") == 1


@pytest.mark.parametrize(
    "line", ["render -e prod -o yaml=x.yaml", "render -e prod -o text", "diff dev prod -o html"]
)
def test_a_format_that_the_command_has_not_is_64(shop: Repository, line: str) -> None:
    assert shop.here(*line.split()).code == 64


# Comparing


def test_two_environments_are_compared_group_by_group(shop: Repository) -> None:
    done = shop.here("diff", "dev", "prod")

    assert done.code == 2
    assert done.out.splitlines()[0] == "Diff dev -> prod"
    assert f"~ {HOME}/web -> rg-prod/web  5 fields differ" in done.out
    assert (
        '/properties/containers/web/properties/image  "nginx:1" -> "nginx:2"'
        in done.out.replace("\n        ", "  ")
    )
    assert "PASSWORD/secureValue" in done.out
    assert "hunter2" not in done.out
    assert "/reconcile/protect  false -> true" in done.out
    assert done.out.splitlines()[-1] == "Diff: 2 differ; 0 of 2 equal"


def test_equal_environments_are_0_and_verbose_lists_their_groups(shop: Repository) -> None:
    done, verbose = shop.here("diff", "dev", "twin"), shop.here("diff", "dev", "twin", "-v")

    assert (done.code, verbose.code) == (0, 0)
    assert done.out.splitlines()[-1] == "Diff: no differences; 2 of 2 equal"
    assert f"= {HOME}/db  equal" in verbose.out
    assert f"= {HOME}/db" not in done.out


def test_a_group_that_a_patch_takes_out_is_in_one_alone(shop: Repository) -> None:
    shop.file("patches/web.yaml", "name: web\n$patch: delete\n")

    there, back = shop.here("diff", "dev", "prod"), shop.here("diff", "prod", "dev")

    assert f"- {HOME}/web  only in dev" in there.out
    assert f"+ {HOME}/web  only in dev" in back.out
    assert there.out.splitlines()[-1] == "Diff: 1 differs, 1 only in dev; 0 of 2 equal"


def test_the_document_of_a_comparison_obeys_its_schema(shop: Repository) -> None:
    done = shop.here("diff", "dev", "prod", "-o", "json", "-o", "text=diff.txt")

    document = json.loads(done.out)
    Draft202012Validator(json.loads((SCHEMAS / "report.schema.json").read_text())).validate(
        document
    )
    assert (document["kind"], document["exitCode"]) == ("Comparison", 2)
    assert document["counts"] == {
        "total": 2, "equal": 0, "different": 2, "onlyBefore": 0, "onlyAfter": 0,
    }  # fmt: skip
    (secret,) = [c for g in document["groups"] for c in g["changes"] if c["sensitive"]]
    assert not {"before", "after"} & set(secret)
    assert (shop.root / "diff.txt").read_text().startswith("Diff dev -> prod\n")
    assert shop.here("diff", "dev", "prod", "-o", "json").out == done.out


@pytest.fixture
def homes(shop: Repository) -> Repository:
    """The same with resource groups: one by variable, one that a patch takes out of prod."""
    shop.file("groups/rg.yaml", {"type": TYPE, "name": "rg-${var:level}", "tags": {"cost": "1"}})
    shop.file("groups/extra.yaml", {"type": TYPE, "name": "rg-extra"})
    return shop


def test_resource_groups_are_compared_as_well(homes: Repository) -> None:
    moved = {"location": "northeurope", "tags": {"cost": "2"}}
    homes.file("patches/rg.yaml", {"type": TYPE, "name": "rg-debug", **moved})
    homes.file("patches/extra.yaml", f"type: {TYPE}\nname: rg-extra\n$patch: delete\n")

    done = homes.here("diff", "dev", "prod")

    assert done.code == 2
    assert "~ resource group rg-debug  2 fields differ" in done.out
    assert '/location  "westeurope" -> "northeurope"' in done.out
    assert '/tags/cost  "1" -> "2"' in done.out
    assert "- resource group rg-extra  only in dev" in done.out
    assert done.out.splitlines()[-1] == "Diff: 3 differ, 1 only in dev; 0 of 4 equal"


def test_resource_groups_that_differ_alone_make_it_2(homes: Repository) -> None:
    assert homes.here("diff", "dev", "twin").code == 0
    homes.project(
        manifests=["groups/*.yaml"],
        variables={"level": "debug"},
        environments={"dev": {}, "twin": {"patches": ["patches/extra.yaml"]}},
    )
    homes.file("patches/extra.yaml", f"type: {TYPE}\nname: rg-extra\ntags: {{a: b}}\n")

    done = homes.here("diff", "dev", "twin", "-o", "json")

    document = json.loads(done.out)
    Draft202012Validator(json.loads((SCHEMAS / "report.schema.json").read_text())).validate(
        document
    )
    assert (done.code, document["exitCode"]) == (2, 2)
    assert {one["standing"] for one in document["groups"]} == {"equal"}
    different, equal = sorted(document["resourceGroups"], key=lambda one: one["standing"])
    assert different["standing"] == "different"
    assert [change["pointer"] for change in different["changes"]] == ["/tags/a"]
    assert different["before"] == {
        "address": f"{homes.subscription}/rg-extra",
        "name": "rg-extra",
    }
    assert equal["standing"] == "equal"
    assert document["counts"]["total"] == 4


def test_a_resource_group_of_one_manifest_is_a_pair_whatever_it_is_called(
    homes: Repository,
) -> None:
    homes.project(
        manifests=["groups/*.yaml"],
        environments={"a": {"variables": {"level": "a"}}, "b": {"variables": {"level": "b"}}},
    )

    done = homes.here("diff", "a", "b", "-v")

    assert "= resource group rg-a -> rg-b  equal" in done.out


LOADED = """
import sys
from reconciler.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
sys.stderr.write("LOADED " + " ".join(sorted({name.partition(".")[0] for name in sys.modules})))
"""


@pytest.mark.parametrize("line", ["render -e prod", "diff dev prod"])
def test_nothing_of_azure_is_loaded(shop: Repository, line: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *line.split()],
        cwd=shop.root,
        env=environment_of(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    loaded = set(done.stderr.rpartition("LOADED ")[2].split())
    assert "yaml" in loaded
    assert loaded & {"azure", "requests", "msal", "starlette", "uvicorn"} == set()
