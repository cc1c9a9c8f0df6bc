"""The emulator as a user meets it: inside a command, over HTTP, and with its state in a file."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys

import pytest

from tests.conftest import Repository, command, environment_of, group, home

FAST = {"wait": {"for": "provisioned"}}


@pytest.fixture
def laptop(repository: Repository) -> Repository:
    """A repository whose commands run with `--emulator`: there is no server."""
    repository.write(home(), group(reconcile=FAST))
    return repository


def run(repository: Repository, *arguments: str):
    return command(*arguments, "--emulator", cwd=repository.root, environ=repository.environ)


def test_a_second_command_sees_what_the_first_did(laptop: Repository) -> None:
    applied = run(laptop, "apply", ".", "--yes")
    planned = run(laptop, "plan", "--detailed-exitcode")
    stands = run(laptop, "status")
    destroyed = run(laptop, "destroy", "--confirm", "shop", "--resource-groups")

    database = laptop.root / ".aci-reconcile" / "emulator.db"
    assert [one.code for one in (applied, planned, stands, destroyed)] == [0, 0, 0, 0]
    assert "Applied 2 of 2: 2 created" in applied.out
    assert "in sync" in stands.out
    assert "2 of 2: 2 deleted" in destroyed.out
    assert stat.S_IMODE(database.stat().st_mode) == 0o600


def test_without_a_subscription_the_emulator_has_one(laptop: Repository) -> None:
    laptop.project(defaults={"resourceGroup": "rg-shop", "location": "westeurope"})

    emulated = run(laptop, "plan")
    real = command("plan", cwd=laptop.root)

    assert emulated.code == 0
    assert "subscription 00000000-0000-0000-0000-000000000000" in emulated.out
    assert real.code == 64
    assert "no subscription" in real.err


def test_the_state_can_be_kept_elsewhere(laptop: Repository) -> None:
    laptop.forget("web")
    run(laptop, "apply", "--yes", "--emulator-db", "elsewhere.db")

    there = run(laptop, "plan", "--detailed-exitcode", "--emulator-db", "elsewhere.db")
    here = run(laptop, "plan", "--detailed-exitcode")

    assert (there.code, here.code) == (0, 2)


@pytest.mark.parametrize("damage", ["text", "foreign", "folder"])
def test_a_state_that_cannot_be_used_is_told_and_kept(laptop: Repository, damage: str) -> None:
    path = laptop.root / "emulator.db"
    if damage == "text":
        path.write_text("this is no database, and longer than a header of one is" * 40)
    elif damage == "foreign":
        with sqlite3.connect(path) as foreign:
            foreign.execute("CREATE TABLE theirs (id INTEGER)")
        foreign.close()
    else:
        path.mkdir()

    done = run(laptop, "plan", "--emulator-db", "emulator.db")

    assert done.code == 1
    assert done.err.startswith("aci-reconcile: error: emulator state 'emulator.db'")
    # Nobody is told to delete what may be another program's.
    assert ("delete the file to start empty" in done.err) is (damage == "text")
    assert "name another" in done.err
    assert path.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told(laptop: Repository) -> None:
    laptop.root.chmod(0o500)

    done = run(laptop, "plan")

    laptop.root.chmod(0o700)
    assert done.code == 1
    assert "emulator state" in done.err


def test_a_folder_that_cannot_be_made_is_told(laptop: Repository) -> None:
    """As a read-only folder, also for root: a file stands where the folder should be."""
    (laptop.root / ".aci-reconcile").write_text("a file")

    done = run(laptop, "plan")

    assert done.code == 1
    assert "emulator state '.aci-reconcile/emulator.db'" in done.err


def test_two_commands_at_once_share_the_state(laptop: Repository) -> None:
    laptop.write(group("a", reconcile=FAST), group("b", reconcile=FAST))
    run(laptop, "apply", "--yes", "rg-shop.yaml")
    line = [sys.executable, "-m", "reconciler", "apply", "--yes", "--emulator"]

    both = [
        subprocess.Popen(
            [*line, f"{name}.yaml"],
            cwd=laptop.root,
            env=environment_of(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name in ("a", "b")
    ]
    shown = [one.communicate(timeout=30)[0] for one in both]

    assert [one.returncode for one in both] == [0, 0], shown
    after = run(laptop, "plan", "a.yaml", "b.yaml", "--detailed-exitcode")
    assert after.code == 0


def test_secrets_are_not_in_the_emulators_file(laptop: Repository) -> None:
    laptop.environ["T"] = "hunter2-canary"
    laptop.write(group(reconcile=FAST, env=[{"name": "T", "secureValue": {"fromEnv": "T"}}]))

    run(laptop, "apply", "--yes")

    kept = b"".join(p.read_bytes() for p in (laptop.root / ".aci-reconcile").iterdir())
    assert b"hunter2" not in kept


def test_the_served_emulator_answers_the_real_sdk(repository: Repository, in_background) -> None:
    from azure.core.pipeline.policies import SansIOHTTPPolicy
    from azure.mgmt.containerinstance import ContainerInstanceManagementClient
    from azure.mgmt.resource.resources import ResourceManagementClient

    class Nobody:
        def get_token(self, *_: str, **__: object) -> None:
            raise AssertionError("no token is wanted on plain http")

    serving = in_background("emulator", "--port", "0", cwd=repository.root)
    url = re.search(r"http://\S+", serving.line_with("emulator: ", stream="stdout")).group()
    options = {"base_url": url, "authentication_policy": SansIOHTTPPolicy(), "polling_interval": 0}
    body = group()
    with (
        ResourceManagementClient(Nobody(), repository.subscription, **options) as resources,
        ContainerInstanceManagementClient(Nobody(), repository.subscription, **options) as client,
    ):
        resources.resource_groups.create_or_update("rg", {"location": "westeurope"})
        poller = client.container_groups.begin_create_or_update(
            "rg", "web", {"location": "westeurope", "properties": body["properties"]}
        )
        created = poller.result(20)
        listed = [one.name for one in client.container_groups.list()]

    planned = command("plan", "--endpoint", url, cwd=repository.root)
    serving.signal(signal.SIGINT)
    done = serving.end()

    assert (created.name, created.provisioning_state) == ("web", "Succeeded")
    assert listed == ["web"]
    assert planned.code == 0
    assert done.code == 0


def test_a_served_emulator_keeps_its_state_where_it_is_told_to(
    repository: Repository, in_background
) -> None:
    repository.write(home())
    serving = in_background("emulator", "--port", "0", "--database", "kept.db", cwd=repository.root)
    url = re.search(r"http://\S+", serving.line_with("emulator: ", stream="stdout")).group()
    applied = command("apply", "--yes", "--endpoint", url, cwd=repository.root)
    serving.signal(signal.SIGTERM)
    ended = serving.end()

    planned = run(repository, "plan", "--detailed-exitcode", "--emulator-db", "kept.db")

    assert (applied.code, ended.code, planned.code) == (0, 0, 0)


def test_a_port_that_is_taken_is_told(repository: Repository) -> None:
    port = repository.emulator.url.rpartition(":")[2]

    done = command("emulator", "--port", port, cwd=repository.root)

    assert done.code == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.err
    assert "--port" in done.err


@pytest.mark.timeout(110)
def test_the_demo_runs_the_whole_job(repository: Repository) -> None:
    done = command("demo", cwd=repository.root, timeout=100)

    assert done.code == 0, done.out + done.err
    typed = [
        line.split()[2] for line in done.out.splitlines() if line.startswith("$ aci-reconcile")
    ]
    assert typed == [
        "validate",
        "plan",
        "apply",
        "plan",
        "drift",
        "apply",
        "plan",
        "apply",
        "status",
        "logs",
    ]
    assert "(exit code 2)" in done.out
    assert list(repository.root.iterdir()) == [repository.root / "aci-reconcile.yaml"]
