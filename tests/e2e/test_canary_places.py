"""Secrets in places where they do not belong, or not any more: nothing shows them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.emulator import PLENTY, Emulator, Polls
from tests.conftest import group
from tests.e2e.canary import LEVELS, Nest, Planted, leaks


@pytest.fixture
def nest(make_repository, tmp_path) -> Iterator[Nest]:
    with Emulator(time=Polls(0, 0), limits=PLENTY) as running:
        repository = make_repository(running)
        repository.given_home()
        yield Nest(repository, tmp_path / "azure.db")


def web(*env: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A manifest whose one container has these variables and members."""
    made = group(env=env)
    made["properties"]["containers"][0]["properties"] |= more
    return made


def probe(header: str, value: str) -> dict[str, Any]:
    headers = [{"name": header, "value": value}]
    return {"livenessProbe": {"httpGet": {"port": 80, "httpHeaders": headers}}}


S, T = "s3cret-canary-of-migration", "t0ken-canary-of-rotation"
HIDDEN = {"name": "A", "secureValue": {"fromEnv": "CANARY"}}
MIGRATIONS = {
    "in place": (web({"name": "A", "value": S}), web(HIDDEN)),
    "and back": (web(HIDDEN), web({"name": "A", "value": S})),
    "to another name": (web({"name": "B", "value": S}), web(HIDDEN)),
    "from the command": (web(command=["run", "-x", S]), web(HIDDEN, command=["run"])),
    "from a URL": (web({"name": "U", "value": f"redis://{S}@db/"}), web(HIDDEN)),
    "out of a sentence": (web({"name": "U", "value": f"it is {S}!"}), web(HIDDEN)),
    "a name that looks secret": (
        web({"name": "DB_PASSWORD", "value": S}),
        web({"name": "DB_PASSWORD", "value": T}),
    ),
    "a header": (web(**probe("Authorization", S)), web(**probe("Authorization", T))),
    "a header that goes": (web(**probe("X-Api-Key", S)), web()),
    "a flag": (web(command=["run", "--token", S]), web(command=["run", "--token", T])),
}


def moved(number: int, side: int) -> dict[str, Any]:
    """One side of a migration, as a group of its own with secrets of its own."""
    text = json.dumps(list(MIGRATIONS.values())[number][side])
    for name in (S, T, "CANARY"):
        text = text.replace(name, f"{name}_{number}")
    return {**json.loads(text), "name": f"group-{number}"}


def test_a_secret_that_moves_gives_nothing_away(nest: Nest) -> None:
    """From a plain place to a secret one and back: no side of the change is shown."""
    for number, way in enumerate(MIGRATIONS):
        nest.repository.environ[f"CANARY_{number}"] = f"{S}_{number}"
        nest.secrets += [Planted(place=way, value=f"{name}_{number}") for name in (S, T)]
        nest.repository.write(moved(number, 0))
    assert nest.run("apply", "--yes") == 0
    nest.seen.clear()  # while it stood in a plain place it was no secret

    for number in range(len(MIGRATIONS)):
        nest.repository.write(moved(number, 1))
    codes = [
        nest.run("plan", *LEVELS, "-o", "text", "-o", "json=plan.out"),
        nest.run("apply", "--yes", *LEVELS, "-o", "json", "-o", "text=apply.out"),
    ]

    assert codes == [0, 0]
    assert len(nest.repository.writes) == 2 * len(MIGRATIONS) + 1
    for file in nest.repository.root.glob("*.out"):
        nest.seen[file.name] = file.read_text("utf-8")
    tags = [nest.repository.tags(f"group-{number}") for number in range(len(MIGRATIONS))]
    nest.seen["tags"] = json.dumps(tags)
    assert leaks(nest.seen, nest.secrets) == []


# Where a hand may slip: each holds the secret at a place that is checked.
SLIPS: dict[str, Any] = {
    "a list": web({"name": "A", "secureValue": [S]}),
    "an object": web({"name": "A", "secureValue": {"value": S}}),
    "a typo": web({"name": "A", "secureValu": S}),
    "both": web({"name": "A", "value": "x", "secureValue": S}),
    "no name": web({"secureValue": S}),
    "as a map": group(environmentVariables={"A": S}),
    "one level up": web(secureValue=S),
    "no such node": web({"name": "A", "secureValue": {"fromEnvironment": S}}),
    "as a variable's name": web({"name": "A", "secureValue": {"fromEnv": S}}),
    "two nodes": web({"name": "A", "secureValue": {"fromEnv": "CANARY", "fromFile": S}}),
    "in the vault's place": web({"name": "A", "secureValue": {"fromKeyVault": S}}),
    "in the account's place": web({"name": "A", "secureValue": {"fromStorageAccount": S}}),
    "as an account's name": group(
        volumes=[
            {
                "name": "v",
                "azureFile": {
                    "shareName": "s",
                    "storageAccountName": "shopfiles",
                    "storageAccountKey": {"fromStorageAccount": {"name": S, "resourceGroup": "rg"}},
                },
            }
        ]
    ),
    "as a workspace's key": web(
        {
            "name": "A",
            "secureValue": {"fromWorkspace": {"name": "logs", "resourceGroup": "rg", "key": S}},
        }
    ),
    "unknown": web({"name": "A", "secureValue": {"unknown": S}}),
    "a plain node": web({"name": "A", "value": {"secureValue": S}}),
    "a list of plain ones": web({"name": "DB_PASSWORD", "value": [S]}),
    "password as a list": group(
        imageRegistryCredentials=[{"server": "a.io", "username": "u", "password": [S]}]
    ),
    "no list": group(imageRegistryCredentials={"server": "a.io", "password": S}),
    "a typo in password": group(
        imageRegistryCredentials=[{"server": "a.io", "username": "u", "passwort": S}]
    ),
    "no file": group(volumes=[{"name": "v", "secret": S}]),
    "files as a list": group(volumes=[{"name": "v", "secret": [S]}]),
    "no base64": group(volumes=[{"name": "v", "secret": {"f": S}}]),
    "two kinds": group(volumes=[{"name": "v", "emptyDir": {}, "secret": {"f": S}}]),
    "settings as text": group(
        extensions=[{"name": "e", "properties": {"protectedSettings": S, "extensionType": "x"}}]
    ),
    "settings too deep": group(
        extensions=[{"name": "e", "properties": {"protectedSettings": {"a": {"b": S}}}}]
    ),
    "a key": group(diagnostics={"logAnalytics": {"workspaceId": "w", "workspaceKey": {"a": S}}}),
    "diagnostics": group(diagnostics={"workspaceKey": S}),
    "an account key": group(
        volumes=[{"name": "v", "azureFile": {"shareName": "s", "storageAccountKey": {"k": S}}}]
    ),
    "beside all else": {**group(), "password": S},
    "ours": group(reconcile={"password": S}),
    "a header": web(**probe("Authorization", [S])),
    "unset": web({"name": "A", "secureValue": "${var:unset}" + S}),
    "not closed": f'name: web\nproperties:\n  password: "{S}\n',
    "badly indented": f"name: web\n password: {S}\n  x: 1\n",
    "a tab": f"name: web\nproperties:\n\tpassword: {S}\n",
    "twice": f"name: web\nproperties: {{}}\npassword: a\npassword: {S}\n",
    "no such escape": f'name: web\npassword: "\\q{S}"\n',
    "an unknown tag": f"name: web\npassword: !secret {S}\n",
    "an alias": f"name: web\npassword: *{S}\n",
    "a tag": f"name: web\npassword: !{S}\n",
    "an anchor": f"name: web\npassword: &{S}\n",
    "a directive": f"name: web\npassword: %{S}\n",
    "reserved": f"name: web\npassword: @{S}\n",
    "after a quote": f'name: web\npassword: "x" {S}\n',
    "a block": f"name: web\npassword: |{S}\n",
    "binary": f"name: web\npassword: !!binary {S}\n",
    "an integer": f"name: web\npassword: !!int {S}\n",
}
NUMBER = 4711081547110815
NUMBERS = {
    "secure": web({"name": "A", "secureValue": NUMBER}),
    "plain, looks secret": web({"name": "DB_PASSWORD", "value": NUMBER}),
    "password": group(
        imageRegistryCredentials=[{"server": "a.io", "username": "u", "password": NUMBER}]
    ),
    "a file": group(volumes=[{"name": "v", "secret": {"f": NUMBER}}]),
    "workspace": group(diagnostics={"logAnalytics": {"workspaceId": "w", "workspaceKey": NUMBER}}),
}


@pytest.mark.parametrize(("slips", "secret"), [(SLIPS, S), (NUMBERS, str(NUMBER))])
def test_a_secret_in_a_wrong_place_is_not_printed(
    nest: Nest, slips: dict[str, Any], secret: str
) -> None:
    nest.repository.environ["CANARY"] = "x" * 20
    names = {f"slip-{number}": way for number, way in enumerate(slips)}
    for name, way in names.items():
        slip = slips[way]
        is_text = isinstance(slip, str)
        nest.repository.file(f"{name}.yaml", slip if is_text else {**slip, "name": name})

    code = nest.run("validate", "--debug", "-o", "text", "-o", "json=validate.out")
    nest.run("plan", *LEVELS)

    nest.seen["validate.out"] = (nest.repository.root / "validate.out").read_text("utf-8")
    found = [line for text in nest.seen.values() for line in text.splitlines() if secret in line]
    said = {name for name in names if f"{name}.yaml:" in "".join(nest.seen.values())}
    assert code == 3
    assert found == []
    assert slips is NUMBERS or sorted(names[name] for name in names.keys() - said) == []


def test_a_project_file_with_a_secret_in_a_wrong_place_is_not_printed(nest: Nest) -> None:
    nest.secrets = [Planted(place="project", value=S)]
    for slip in (
        {"variables": {"dbPassword": [S]}},
        {"variables": {"dbPassword": {"fromEnv": S}}},
        {"secretKey": S},
        {"policy": {"password": S}},
        {"secretKey": {"fromKeyVault": S}},
        {"environments": {"prod": {"variables": {"dbPassword": {"x": S}}}}},
    ):
        nest.repository.project(**slip)
        assert nest.run("validate", "--debug") == 3, slip

    assert leaks(nest.seen, nest.secrets) == []
