"""What people have, converted: it validates, and taking over what runs already changes nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.core.plan import ActionKind
from tests.conftest import HOME, environment_of, typed

CASES = Path(__file__).parent / "cases"
DOCUMENTED = Path(__file__).parents[1] / "manifest" / "cases"
SECRETS = ("hunter2", "aHVudGVyMi", "aHVudGVyMg")
PLACE = (
    "-g", HOME, "--location", "westeurope", "--subscription", "11111111-1111-1111-1111-111111111111",
)  # fmt: skip
# file, options, exit code, the places that are listed
CORPUS = [
    ("tutorial.yaml", (), 0, []),
    ("network.yaml", (), 0, []),
    ("files.yaml", (), 2, ["volumes[0].azureFile.storageAccountKey"]),
    (
        "variables.yaml",
        (),
        2,
        [
            "containers[0].environmentVariables[1].secureValue",
            "imageRegistryCredentials[0].password",
            "diagnostics.logAnalytics.workspaceKey",
            "volumes[0].secret.first",
            "volumes[0].secret.second",
        ],
    ),
    (
        "export.yaml",
        (),
        2,
        ["containers[0].environmentVariables[1].secureValue", "volumes[0].secret"],
    ),
    (
        "shown.json",
        (),
        2,
        [
            "containers[0].environmentVariables[1].secureValue",
            "imageRegistryCredentials[0].password",
            "volumes[0].azureFile.storageAccountKey",
        ],
    ),
    ("quickstart.json", PLACE, 0, []),
    ("quickstart.json", (), 2, ["location"]),
    ("bicep.json", PLACE, 0, []),
    ("copies.json", (), 0, []),
]
IDS = [f"{file} {len(options)}" for file, options, _, _ in CORPUS]


def listed(done):
    """The places on the list of what was not carried."""
    lines = [line.partition("not carried: ")[2] for line in done.err.splitlines()]
    return [line.split(": ")[1] for line in lines if line]


@pytest.mark.parametrize(("file", "options", "code", "places"), CORPUS, ids=IDS)
def test_what_is_converted_validates_and_is_adopted_as_it_runs(
    repository, file, options, code, places
):
    expected = json.loads((CASES / file).with_suffix(".expected.json").read_text("utf-8"))
    repository.project(lint={"ignore": ["M308"]})  # files name subnets of their own subscription
    for one in expected:
        repository.emulator.given(repository.subscription, HOME, one["name"], one)

    done = repository.here("convert", str(CASES / file), "-d", "groups", *options)

    assert (done.code, listed(done)) == (code, places), done.err
    assert sorted(one["name"] for one in expected) == sorted(
        path.stem for path in (repository.root / "groups").iterdir()
    )
    assert repository.here("validate").code == 0
    actions = repository.plan().actions
    assert [(action.kind, bool(action.diff)) for action in actions] == [
        (ActionKind.ADOPT, False) for _ in expected
    ]
    texts = [path.read_text("utf-8") for path in (repository.root / "groups").iterdir()]
    assert not any(secret in text for secret in SECRETS for text in (*texts, done.out, done.err))


def test_the_groups_of_a_template_keep_their_order(repository):
    repository.project()

    done = repository.here("convert", str(CASES / "copies.json"))

    assert re.search(r"dependsOn:\n +- worker-1\n +- worker-2\n", done.out)
    assert done.out.count("---\n") == 3
    assert "copies.json:38:20: left out: its condition is false" in done.err


def test_a_text_that_looks_like_a_variable_stays_the_text_that_az_would_send(repository):
    repository.project(variables={"not_ours": "value"})

    done = repository.here("convert", str(CASES / "debris.yaml"), "-d", ".")

    assert done.code == 0
    assert "debris.yaml:9:29: containers[0].command[2]: '${var:' is plain text there" in done.err
    (group,) = repository.wanted().groups
    command = group.body["properties"]["containers"][0]["properties"]["command"]
    assert command == ["python", "-c", "print('${var:not_ours}')"]


def test_a_manifest_of_ours_keeps_its_variables(repository):
    text = (CASES / "debris.yaml").read_text("utf-8")
    file = repository.file("in.txt", f"{text}reconcile: {{protect: true}}\n")

    done = repository.here("convert", str(file))

    assert "  protect: true\n" in done.out
    assert "print('${var:not_ours}')" in done.out


def test_a_resource_cut_out_of_a_template_is_read_as_one(repository):
    whole = json.loads((CASES / "copies.json").read_text("utf-8"))
    cut = {**whole["resources"][1], "name": "[concat('bo', 'ss')]"}
    file = repository.file("in.json", cut)

    done = repository.here("convert", str(file))

    assert done.code == 0
    assert "name: boss\n" in done.out


def test_what_newer_api_versions_know_is_listed_where_it_stands(repository):
    done = repository.here("convert", str(CASES / "newer.yaml"))

    assert done.code == 2
    assert listed(done) == [
        "containers[0].configMap",
        "networkProfile",
        "containers[0].shell",
    ]
    assert "newer.yaml:12:3: networkProfile: " in done.err
    assert "'subnetIds', which replaced it" in done.err


def test_what_only_a_deployment_knows_is_open_and_never_guessed(repository):
    repository.project()

    done = repository.here("convert", str(CASES / "blanks.json"), "-d", ".")

    text = (repository.root / "blanks.yaml").read_text("utf-8")
    assert done.code == 2
    assert "image: registry.example/app:${var:tag}\n" in text
    assert "secureValue: {fromEnv: DB_PASSWORD}\n" in text
    assert "key: {fromEnv: STORAGE_KEY, encode: base64}\n" in text
    assert "storageAccountKey: {unknown: true}" in text
    assert "value: ${var:UNIQUE}\n" in text
    assert "Microsoft.Storage/storageAccounts (1)" in done.err
    assert "variable 'loop' leads back to itself" in done.err
    assert not any(secret in both for secret in SECRETS for both in (text, done.err))
    told = repository.here("validate").out
    for place in ("image", "cpu", "workspaceId"):
        assert place in told  # each blank is an error until somebody fills it in
    assert repository.here("validate").code == 3


def test_parameters_close_gaps_and_secrets_in_a_vault_stay_there(repository):
    done = repository.here(
        "convert",
        str(CASES / "blanks.json"),
        "--parameters",
        str(CASES / "vault.parameters.json"),
        "-p",
        "tag=5",
    )

    assert "secureValue: {fromKeyVault: {vault: kv-shop, secret: db-password}}\n" in done.out
    assert "image: registry.example/app:5\n" in done.out
    assert "cpu: 2\n" in done.out
    assert not any(secret in both for secret in SECRETS for both in (done.out, done.err))


def test_no_file_is_written_over(repository):
    repository.file("groups/inside.yaml", "name: mine\n")

    done = repository.here("convert", str(CASES / "network.yaml"), "-d", "groups")

    assert done.code == 1
    assert "groups/inside.yaml: is there already, and is not written over" in done.err
    assert (repository.root / "groups/inside.yaml").read_text("utf-8") == "name: mine\n"


def test_of_several_groups_none_is_written_where_one_is_there(repository):
    repository.file("groups/boss.yaml", "name: mine\n")

    done = repository.here("convert", str(CASES / "copies.json"), "-d", "groups")

    assert done.code == 1
    assert [path.name for path in (repository.root / "groups").iterdir()] == ["boss.yaml"]


def test_stdin_is_read_where_a_dash_stands(tmp_path):
    with (CASES / "shown.json").open("rb") as stream:
        done = subprocess.run(
            [sys.executable, "-m", "reconciler", "convert", "-"],
            stdin=stream, cwd=tmp_path, env=environment_of(), capture_output=True, text=True,
        )  # fmt: skip

    assert done.returncode == 2
    assert done.stdout.startswith("type: Microsoft.ContainerInstance/containerGroups\nname: seen\n")
    assert (
        "not carried: stdin:8:42: containers[0].environmentVariables[1].secureValue: "
        in done.stderr
    )


def test_a_plain_value_that_looks_like_a_secret_is_carried_with_a_note(repository):
    text = (CASES / "tutorial.yaml").read_text("utf-8")
    env = "image: registry.example/shop/pages:3\n      environmentVariables: [{name: API_KEY, value: k}]"
    file = repository.file("in.yaml", text.replace("image: registry.example/shop/pages:3", env))

    done = repository.here("convert", str(file))

    assert done.code == 0
    assert "in.yaml:4:7: plain values that look like secrets are carried as they are" in done.err


@pytest.mark.parametrize("file", sorted(DOCUMENTED.glob("docs-*.yaml")), ids=lambda file: file.stem)
def test_what_the_documentation_shows_is_converted_into_what_validates(tmp_path, file):
    done = typed("convert", str(file), "-d", ".", cwd=tmp_path)

    assert done.code in (0, 2), done.err
    (written,) = tmp_path.iterdir()
    assert typed("validate", written.name, cwd=tmp_path).code == 0
