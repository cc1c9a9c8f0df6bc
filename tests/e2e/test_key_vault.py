"""The command as a process, its secrets in a key vault: a stand-in over HTTP, the emulator as ARM."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import HOME, Done, Repository, group
from tests.meta.test_start_up import LOADED
from tests.vault import NO_RIGHT, VaultStandIn

CANARY = "hunter2-canary"
ROTATED = "hunter3-canary"
KEY = "0123456789abcdef-key"
SECURE = "environmentVariables/DB_PASSWORD/secureValue"


@pytest.fixture
def vault() -> Iterator[VaultStandIn]:
    with VaultStandIn() as running:
        running.set("db", CANARY)
        running.set("key", KEY)
        yield running


@pytest.fixture
def shop(repository: Repository, vault: VaultStandIn) -> Repository:
    """A group with a secret in the vault, and a key in the environment."""
    repository.given_home()
    repository.environ["ACI_RECONCILE_SECRET_KEY"] = KEY
    repository.write(web(vault))
    return repository


def web(vault: VaultStandIn, **options: Any) -> dict[str, Any]:
    secret = {"name": "DB_PASSWORD", "secureValue": vault.reference("db", **options)}
    return group(env=[secret])


def sent(repository: Repository, name: str = "web") -> list[str]:
    """The value of the first secret in each PUT of a group, in order."""
    return [
        request.body["properties"]["containers"][0]["properties"]["environmentVariables"][0][
            "secureValue"
        ]
        for request in repository.requests
        if request.method == "PUT" and request.path.endswith(f"/{name}")
    ]


def no_canary(*runs: Done) -> None:
    shown = "".join(run.out + run.err for run in runs)
    for text in (CANARY, ROTATED, KEY, base64.b64encode(CANARY.encode()).decode()):
        assert text not in shown


def test_a_secret_of_a_vault_is_applied_and_its_rotation_is_seen_by_name(
    shop: Repository, vault: VaultStandIn
) -> None:
    planned = shop.here("plan", "--debug")
    applied = shop.here("apply", "--yes", "--debug")
    again = shop.here("apply", "--yes", "--debug", "-v")
    assert [planned.code, applied.code, again.code] == [0, 0, 0]
    assert "M402" not in planned.out
    assert sent(shop) == [CANARY]
    assert vault.counts["/secrets/db/"] == 3  # once a run

    vault.set("db", ROTATED)
    seen = shop.here("plan", "--detailed-exitcode", "--debug")
    as_json = shop.here("plan", "-o", "json")
    drifted = shop.here("drift")
    status = shop.here("status")
    updated = shop.here("apply", "--yes", "--debug", "-o", "text", "-o", "json=result.json")
    final = shop.here("plan", "--detailed-exitcode")

    assert [seen.code, as_json.code, drifted.code] == [2, 0, 0]  # pending is no drift
    assert [status.code, updated.code, final.code] == [0, 0, 0]
    assert "DB_PASSWORD" in seen.out
    assert "secureValue" in seen.out
    assert "in sync" not in status.out
    assert sent(shop) == [CANARY, ROTATED]
    no_canary(planned, applied, again, seen, as_json, drifted, status, updated, final)
    result = (shop.root / "result.json").read_text()
    assert CANARY not in result
    assert ROTATED not in result
    held = json.dumps(shop.emulator.groups(shop.subscription))
    assert "hunter" not in held


def test_a_plan_warns_of_what_it_cannot_read_and_compares_the_rest(
    shop: Repository, vault: VaultStandIn
) -> None:
    shop.here("apply", "--yes")
    vault.answer = lambda _path: NO_RIGHT

    plan, drift, status = shop.here("plan"), shop.here("drift"), shop.here("status")

    assert [plan.code, drift.code, status.code] == [0, 0, 0]
    for done in (plan, drift):
        assert "web.yaml:" in done.out
        assert "M402 containers[0].environmentVariables[0].secureValue" in done.out
        assert "ForbiddenByRbac" in done.out
        assert "not compared" in done.out
    assert "ForbiddenByRbac" in status.out
    shop.set_image("web", "nginx:hotfix")
    assert shop.here("drift").code == 2


def test_apply_names_every_secret_it_lacks_and_touches_nothing(
    shop: Repository, vault: VaultStandIn
) -> None:
    vault.forget("db")
    shop.write(group("other"), web(vault, version="a1"))
    before = shop.writes

    done = shop.here("apply", "--yes")

    assert done.code == 4
    assert "nothing was touched" in done.err
    assert "web.yaml:" in done.err
    assert "version 'a1' of secret 'db'" in done.err
    assert "SecretNotFound" in done.err
    assert shop.writes == before


def test_what_is_unchanged_is_no_hindrance_to_apply(shop: Repository, vault: VaultStandIn) -> None:
    shop.here("apply", "--yes")
    vault.forget("db")
    shop.write(group("other"))

    done = shop.here("apply", "--yes")

    assert done.code == 0
    assert shop.names == ["other", "web"]


def test_a_version_pins_what_is_sent(shop: Repository, vault: VaultStandIn) -> None:
    vault.set("db", "first", version="a1")
    vault.set("db", "second", version="a2")
    shop.write(web(vault, version="a1"))

    assert shop.here("apply", "--yes").code == 0

    assert sent(shop) == ["first"]
    assert shop.here("plan", "--detailed-exitcode").code == 0


def test_a_volume_gets_its_file_in_base64(shop: Repository, vault: VaultStandIn) -> None:
    reference = {**vault.reference("db"), "encode": "base64"}
    shop.write(group(volumes=[{"name": "v", "secret": {"db.txt": reference}}]))

    done = shop.here("apply", "--yes", "--debug")

    assert done.code == 0
    (put,) = [r for r in shop.requests if r.method == "PUT" and r.path.endswith("/web")]
    (volume,) = put.body["properties"]["volumes"]
    assert base64.b64decode(volume["secret"]["db.txt"]).decode() == CANARY
    no_canary(done)


@pytest.mark.parametrize("line", ["validate", "logs web", "destroy --confirm shop"])
def test_what_needs_no_secret_asks_no_vault(
    shop: Repository, vault: VaultStandIn, line: str
) -> None:
    shop.here("apply", "--yes")
    vault.asked.clear()

    done = shop.here(*line.split())

    assert done.code == 0, done.err
    assert vault.asked == []


@pytest.mark.parametrize(("is_used", "expected"), [(False, False), (True, True)])
def test_the_library_is_loaded_only_where_a_vault_is_named(
    shop: Repository, vault: VaultStandIn, is_used: bool, expected: bool
) -> None:
    import subprocess
    import sys

    from tests.conftest import environment_of

    if not is_used:
        shop.write(group())
    program = LOADED.replace('name.partition(".")[0]', "name")

    done = subprocess.run(
        [sys.executable, "-c", program, "plan", "--endpoint", shop.emulator.url],
        cwd=shop.root, env=environment_of(**shop.environ), capture_output=True, text=True,
        timeout=60, check=True,
    )  # fmt: skip

    loaded = done.stderr.rpartition("LOADED ")[2].split()
    assert "azure.core" in loaded
    assert ("azure.keyvault.secrets" in loaded) is expected


def test_without_the_library_a_plan_says_what_to_install(shop: Repository, tmp_path: Path) -> None:
    (tmp_path / "blocked").mkdir()
    blocker = "import sys\nsys.modules['azure.keyvault.secrets'] = None\n"
    (tmp_path / "blocked" / "sitecustomize.py").write_text(blocker)
    from tests.conftest import CHECKOUT

    shop.environ["PYTHONPATH"] = f"{tmp_path / 'blocked'}:{CHECKOUT}"

    plan, apply = shop.run("plan"), shop.run("apply", "--yes")

    assert (plan.code, apply.code) == (0, 4)
    assert "pip install 'aci-reconcile[keyvault]'" in " ".join(plan.out.split())
    assert "pip install 'aci-reconcile[keyvault]'" in apply.err
    assert shop.names == []


# The key that secrets are compared with


@pytest.fixture
def keyed(shop: Repository, vault: VaultStandIn) -> Repository:
    """The same, with the key in the vault as well."""
    del shop.environ["ACI_RECONCILE_SECRET_KEY"]
    shop.project(secretKey=vault.reference("key"))
    return shop


def test_the_projects_key_shows_a_rotation(keyed: Repository, vault: VaultStandIn) -> None:
    assert keyed.here("apply", "--yes").code == 0
    unchanged = keyed.here("plan", "--detailed-exitcode", "--debug")
    vault.set("db", ROTATED)
    changed = keyed.here("plan", "--detailed-exitcode", "--debug")

    assert (unchanged.code, changed.code) == (0, 2)
    assert "DB_PASSWORD" in changed.out
    no_canary(unchanged, changed)


def test_the_projects_key_may_come_from_a_variable(keyed: Repository, vault: VaultStandIn) -> None:
    keyed.project(secretKey={"fromEnv": "SHOP_KEY"})
    keyed.environ["SHOP_KEY"] = KEY
    keyed.here("apply", "--yes")
    vault.set("db", ROTATED)

    assert keyed.here("plan", "--detailed-exitcode").code == 2


def test_the_environments_key_wins(keyed: Repository, vault: VaultStandIn) -> None:
    keyed.environ["ACI_RECONCILE_SECRET_KEY"] = "another-key-of-some-length"

    assert keyed.here("apply", "--yes").code == 0

    assert vault.counts["/secrets/key/"] == 0
    del keyed.environ["ACI_RECONCILE_SECRET_KEY"]
    assert "other key" in keyed.here("plan").out


def test_each_environment_may_have_its_own_key(keyed: Repository, vault: VaultStandIn) -> None:
    own = {"prod": {"secretKey": vault.reference("prod-key")}, "test": {}}
    keyed.project(secretKey=vault.reference("key"), environments=own)
    vault.set("prod-key", "key of production, long")

    keyed.here("plan", "-e", "prod")
    keyed.here("plan", "-e", "test")

    assert (vault.counts["/secrets/prod-key/"], vault.counts["/secrets/key/"]) == (1, 1)


@pytest.mark.parametrize("source", ["vault", "variable"])
def test_a_key_that_cannot_be_had_is_a_warning_and_blocks_apply(
    keyed: Repository, vault: VaultStandIn, source: str
) -> None:
    """A write without it would forget the baseline of every secret."""
    keyed.here("apply", "--yes")
    tags = keyed.tags("web")
    if source == "vault":
        vault.forget("key")
    else:
        keyed.project(secretKey={"fromEnv": "NOT_SET"})
    keyed.write(web(vault), group("other"))

    plan, apply = keyed.here("plan"), keyed.here("apply", "--yes")

    assert (plan.code, apply.code) == (0, 4)
    assert "aci-reconcile.yaml:" in plan.out
    assert "M402 secretKey" in plan.out
    assert "not compared" in plan.out
    assert "aci-reconcile.yaml:" in apply.err
    assert "nothing was touched" in apply.err
    assert keyed.names == ["web"]
    assert keyed.tags("web") == tags


def test_a_key_that_is_too_short_is_64_and_is_not_shown(
    keyed: Repository, vault: VaultStandIn
) -> None:
    vault.set("key", "hunter2")

    done = keyed.here("plan")

    assert done.code == 64
    assert "aci-reconcile.yaml:" in done.err
    assert "at least 16 characters, got 7" in done.err
    assert "hunter2" not in done.err


# Folders of secrets


@pytest.mark.parametrize(
    "line", ["validate", "plan", "drift", "status", "apply --yes", "destroy --confirm shop"]
)
def test_a_folder_of_secrets_may_lie_elsewhere(
    repository: Repository, tmp_path: Path, line: str
) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    (folder / "db.txt").write_text(CANARY)
    repository.given_home()
    repository.write(
        group(env=[{"name": "A", "secureValue": {"fromFile": str(folder / "db.txt")}}])
    )

    done = repository.here(*line.split(), "--secrets-dir", str(folder))

    if line == "validate":
        without = repository.here(line)
        assert without.code == 3
        assert "--secrets-dir" in without.out
    assert done.code == (2 if line == "drift" else 0), done.out + done.err
    if line.startswith("apply"):
        assert sent(repository) == [CANARY]
    no_canary(done)


def test_a_folder_of_secrets_that_is_missing_is_64(repository: Repository) -> None:
    repository.write(group())
    (repository.root / "a-file").write_text("")

    for name in ("nowhere", "a-file", ""):
        done = repository.here("plan", "--secrets-dir", name)

        assert done.code == 64
        assert f"expected a folder that exists, got '{name}'" in done.err
    assert HOME not in repository.names
