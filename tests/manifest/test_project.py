"""The project file: found, checked, and seen through each environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.core.groups import Adopt, Replace
from reconciler.core.policy import Prune
from reconciler.errors import UsageError
from reconciler.manifest import open_project
from tests.manifest.conftest import web

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
FULL = """
owner: shop
manifests: ["groups/**/*.yaml"]
defaults: {cloud: AzureUSGovernment, subscription: 00000000-0000-0000-0000-000000000000, resourceGroup: rg, location: westeurope, tags: {team: shop, tier: a}}
variables: {webTag: "1.10", other: x}
policy: {adopt: never, replace: allow, prune: delete, maxDeletes: 3, maxDeletePercent: 50, maxReplaces: 2}
environments:
  prod:
    subscription: 11111111-1111-1111-1111-111111111111
    resourceGroup: rg-prod
    tags: {tier: b}
    variables: {webTag: "1.9"}
    policy: {maxDeletes: 0, adopt: always}
    protect: true
  dev: {}
"""


def opened(tmp_path: Path, environment: str | None = None, path: str = ""):
    return open_project([tmp_path / path], cwd=tmp_path, environment=environment)


def rules(findings) -> list[str]:
    return [f"{finding.rule} {finding.where.mark.line}" for finding in findings]


def test_without_environment_the_defaults_speak(tmp_path, write):
    write("aci-reconcile.yaml", FULL)

    project, findings = opened(tmp_path)

    assert not findings
    assert (project.owner, project.name, project.environment) == ("shop", "shop", None)
    assert project.environments == ("dev", "prod")
    assert project.cloud == "AzureUSGovernment"
    assert project.subscription == "00000000-0000-0000-0000-000000000000"
    assert (project.resource_group, project.location) == ("rg", "westeurope")
    assert project.tags == {"team": "shop", "tier": "a"}
    assert project.variables == {"webTag": "1.10", "other": "x"}
    assert (project.adopt, project.replace, project.protect) == (Adopt.NEVER, Replace.ALLOW, False)
    limits = project.limits
    assert (limits.prune, limits.max_deletes, limits.max_delete_percent, limits.max_replaces) == (
        Prune.DELETE, 3, 50, 2,
    )  # fmt: skip
    assert str(limits.where["maxDeletes"]) == "aci-reconcile.yaml:5:67"
    assert project.known_resource_groups == ("rg", "rg-prod")


def test_the_tenant_and_the_subscription_are_those_of_the_environment(tmp_path, write):
    """And so are the places where they stand, which a refusal names."""
    write(
        "aci-reconcile.yaml",
        f"""
        owner: shop
        defaults: {{subscription: {SUBSCRIPTION}, tenant: {SUBSCRIPTION.replace("1", "A")}}}
        environments:
          prod:
            tenant: {SUBSCRIPTION.replace("1", "2")}
          dev: {{}}
        """,
    )

    (dev, _), (prod, _) = opened(tmp_path, "dev"), opened(tmp_path, "prod")

    assert (dev.tenant, prod.tenant) == (
        SUBSCRIPTION.replace("1", "a"),
        SUBSCRIPTION.replace("1", "2"),
    )
    assert str(dev.where["tenant"]) == "aci-reconcile.yaml:2:72"
    assert str(prod.where["tenant"]) == "aci-reconcile.yaml:5:13"
    assert str(dev.where["subscription"]) == str(prod.where["subscription"])
    assert str(dev.where["subscription"]) == "aci-reconcile.yaml:2:26"


def test_an_environment_overrides_key_by_key(tmp_path, write):
    write("aci-reconcile.yaml", FULL)

    project, _ = opened(tmp_path, "prod")

    assert (project.owner, project.name, project.environment) == ("shop/prod", "shop", "prod")
    assert project.subscription == SUBSCRIPTION
    assert project.resource_group == "rg-prod"
    assert project.cloud == "AzureUSGovernment"
    assert project.tags == {"team": "shop", "tier": "b"}
    assert project.variables == {"webTag": "1.9", "other": "x"}
    assert (project.adopt, project.replace, project.protect) == (Adopt.ALWAYS, Replace.ALLOW, True)
    assert (project.limits.max_deletes, project.limits.max_replaces) == (0, 2)
    assert project.limits.where["maxDeletes"].mark.line == 12
    assert project.limits.where["maxReplaces"].mark.line == 5


def test_an_unknown_environment_lists_those_that_exist(tmp_path, write):
    write("aci-reconcile.yaml", FULL)

    with pytest.raises(UsageError, match=r"got 'prd'.*'dev' or 'prod'"):
        opened(tmp_path, "prd")


def test_an_environment_without_any_is_a_usage_error(tmp_path, write):
    write("aci-reconcile.yaml", "owner: shop\n")

    with pytest.raises(UsageError, match="leave out -e"):
        opened(tmp_path, "prod")


def test_an_environment_without_a_project_file_is_a_usage_error(tmp_path):
    (tmp_path / ".git").mkdir()

    with pytest.raises(UsageError, match="no project file"):
        opened(tmp_path, "prod")


def test_the_file_is_sought_upwards_to_the_repository_root(tmp_path, write):
    write("aci-reconcile.yml", "owner: outer\n")
    inner = write("repo/groups/a/web.yaml", web())

    assert opened(tmp_path, path="repo/groups/a/web.yaml")[0].name == "outer"

    (tmp_path / "repo" / ".git").mkdir()
    project, _ = open_project([inner], cwd=tmp_path, environment=None)

    assert project.file is None
    assert project.root == inner.parent
    assert project.owner == ""


def test_without_paths_the_search_starts_where_we_are(tmp_path, write):
    write("aci-reconcile.yaml", "owner: here\n")
    (tmp_path / "below").mkdir()

    project, _ = open_project([], cwd=tmp_path / "below", environment=None)

    assert project.name == "here"
    assert project.root == tmp_path


def test_a_path_that_is_not_there_still_finds_its_project(tmp_path, write):
    write("aci-reconcile.yaml", "owner: here\n")

    assert opened(tmp_path, path="no/such/file.yaml")[0].name == "here"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["M008 1"]),
        ("[]", ["M007 1"]),
        ("manifests: ['*.yaml']\n", ["M202 1"]),
        ("owner: a/b\n", ["M205 1"]),
        ("owner: ''\n", ["M205 1"]),
        ("owner: 'shop\\n'\n", ["M205 1"]),
        ('owner: "shop\\n"\n', ["M205 1"]),
        (f"owner: {'x' * 61}\n", ["M205 1"]),
        ("owner: 5\n", ["M203 1"]),
        ("owner: a\nowners: b\n", ["M201 2"]),
        ("owner: a\nhooks: [x]\nenvironments:\n  e:\n    hooks: [y]\n", ["M207 2", "M207 5"]),
        ("owner: a\npatches: [x]\n", ["M201 2"]),
        ("owner: a\nenvironments: {e: {patches: x}}\n", ["M203 2"]),
        ("owner: a\nenvironments: {e: {patches: []}}\n", ["M205 2"]),
        ("owner: a\ndefaults: {subscription: mine}\n", ["M205 2"]),
        ("owner: a\ndefaults: {cloud: azure}\n", ["M204 2"]),
        ("owner: a\ndefaults: {tenant: contoso.com}\n", ["M205 2"]),
        ("owner: a\nenvironments:\n  e: {tennant: x}\n", ["M201 3"]),
        ("owner: a\ntenant: 11111111-1111-1111-1111-111111111111\n", ["M201 2"]),
        ("owner: a\nvariables: {n: 5}\n", ["M203 2"]),
        ("owner: a\npolicy: {prune: yes, maxDeletes: -1, maxDeletePercent: 101}\n", ["M204 2", "M205 2", "M205 2"]),
        ("owner: a\npolicy: {maxDeletes: '1'}\n", ["M203 2"]),
        ("owner: a\nenvironments: {a/b: {}}\n", ["M205 2"]),
        ("owner: a\nenvironments: {e: {resourceGroups: x}}\n", ["M201 2"]),
        ("owner: a\ndefaults: {resourceGroup: '${var:x}'}\n", ["M502 2"]),
        ("owner: a\n---\nowner: b\n", ["M503 3"]),
        ("owner: a\nowner: b\n", ["M004 2"]),
        ("owner: [a\n", ["M003 2"]),
        ("owner: a\ndefaults:\n  tags: {ACI-Reconcile-Owner: team}\n", ["M304 3"]),
        ("owner: a\ndefaults:\n  tags: {team: a, aci-reconcile-created: x}\n", ["M304 3"]),
        ("owner: a\nenvironments:\n  e:\n    tags: {aci-reconcile-state: x}\n  f:\n    tags: {a/b: x}\n", ["M304 4", "M205 6"]),
        ("owner: a\ndefaults:\n  tags: {team: a, Team: b}\n", ["M004 3"]),
        ("owner: a\ndefaults:\n  tags: {'': a}\n", ["M205 3"]),
        ("owner: a\ndefaults: {location: west/europe}\nenvironments: {e: {location: 'a,b'}}\n", ["M205 2", "M205 3"]),
        ("owner: a\ndefaults: {location: ''}\n", ["M205 2"]),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_project_file(tmp_path, write, text, expected):
    write("aci-reconcile.yaml", text)

    project, findings = opened(tmp_path)

    assert rules(findings) == expected
    assert project is None


def test_an_empty_environment_may_be_left_empty(tmp_path, write):
    write("aci-reconcile.yaml", "owner: a\nenvironments:\n  dev:\n")

    project, findings = opened(tmp_path, "dev")

    assert project.owner == "a/dev"
    assert rules(findings) == ["M104 3"]


def test_two_project_files_in_one_folder_are_one_too_many(tmp_path, write):
    write("aci-reconcile.yaml", "owner: a\n")
    write("aci-reconcile.yml", "owner: a\n")

    project, findings = opened(tmp_path)

    assert project is None
    assert rules(findings) == ["M503 1"]


def test_a_project_file_that_cannot_be_read_is_a_finding(tmp_path):
    (tmp_path / "aci-reconcile.yaml").mkdir()

    project, findings = opened(tmp_path)

    assert project is None
    assert rules(findings) == ["M001 1"]


def test_positions_are_absolute_outside_the_working_folder(tmp_path, write):
    write("repo/aci-reconcile.yaml", "owner: 5\n")
    (tmp_path / "elsewhere").mkdir()

    _, findings = open_project([tmp_path / "repo"], cwd=tmp_path / "elsewhere", environment=None)

    assert findings[0].where.file == str(tmp_path / "repo" / "aci-reconcile.yaml")


def test_the_tags_of_an_environment_win_whatever_their_case(tmp_path, write):
    text = (
        "owner: a\ndefaults: {tags: {Team: all, tier: a}}\nenvironments: {e: {tags: {team: e}}}\n"
    )
    write("aci-reconcile.yaml", text)

    project, findings = opened(tmp_path, "e")

    assert not findings
    assert project.tags == {"team": "e", "tier": "a"}


def test_the_tags_of_defaults_and_environment_together_stay_within_azures_number(tmp_path, write):
    def tags(name):
        return "{" + ", ".join(f"{name}{n}: x" for n in range(30)) + "}"

    text = f"owner: a\ndefaults: {{tags: {tags('a')}}}\nenvironments:\n  e: {{tags: {tags('b')}}}\n"
    write("aci-reconcile.yaml", text)

    _, findings = opened(tmp_path, "e")

    assert rules(findings) == ["M205 4"]
    assert "expected at most 48 tags, got 60" in str(findings[0])


@pytest.mark.parametrize(
    ("text", "got"), [("", "an empty file"), ("[]", "an empty list"), ("- owner: a\n", "a list")]
)
def test_a_project_file_without_a_mapping_is_told_what_it_needs(tmp_path, write, text, got):
    write("aci-reconcile.yaml", text)

    _, findings = opened(tmp_path)

    assert f"'owner', got {got}" in findings[0].says
    assert "properties" not in findings[0].says
