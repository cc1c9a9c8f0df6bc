"""docs/how-to, and the group in docs/architecture.md: every file on the pages is written, every command typed, every output compared.

`UPDATE_GOLDEN=1` writes what the commands print into the pages.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from reconciler.arm.keyvault import KeyVaults
from reconciler.emulator import PLENTY, Call, Emulator, ManualClock, Reply
from tests.conftest import Repository, group, refusal, task
from tests.pages import HOW_TO, NOT_RUN, SUBSCRIPTION, blocks, is_not_run, play
from tests.vault import VaultStandIn


@pytest.fixture
def empty(make_repository: Callable[..., Repository], tmp_path: Path) -> Iterator[Repository]:
    """An empty folder called `shop`, and an Azure without anything whose clock goes with ours."""
    clock = ManualClock()
    with Emulator(time=clock, limits=PLENTY) as emulator:
        repository = make_repository(
            emulator, subscription=SUBSCRIPTION, workers=1, root=tmp_path / "shop"
        )
        repository.clock._on_sleep = clock.advance
        (repository.root / "aci-reconcile.yaml").unlink()
        yield repository


@pytest.fixture
def shop(empty: Repository) -> Repository:
    """The resource group `rg-shop` is there."""
    empty.given_home()
    return empty


def test_the_tutorial_ends_with_nothing_left(empty: Repository) -> None:
    play("tutorial.md", empty)

    assert empty.names == []


def test_a_label_moves_from_blue_to_green(shop: Repository) -> None:
    play("how-to/blue-green-by-dns-label.md", shop)

    assert shop.names == ["web-blue", "web-green"]


def colour(name: str, *, label: str = "", script: str = "sleep 1d") -> dict[str, Any]:
    """A group with a public address, and a DNS label if one is given."""
    address = {"type": "Public", "ports": [{"port": 80}]}
    named = address | ({"dnsNameLabel": label} if label else {})
    manifest = group(name, command=["/bin/sh", "-c", script], ipAddress=named)
    manifest["properties"]["containers"][0]["properties"]["ports"] = [{"port": 80}]
    return manifest


@pytest.fixture
def blue(repository: Repository) -> Repository:
    """Blue has the label, and the manifests give it to green."""
    repository.given_home()
    repository.write(colour("blue", label="shop-web"), colour("green"))
    assert repository.here("apply", "--yes").code == 0
    repository.write(colour("green", label="shop-web"))
    return repository


@pytest.mark.parametrize("waits_for", ["running", "provisioned"])
def test_green_waits_for_blue_as_the_page_says(blue: Repository, waits_for: str) -> None:
    """Blue crashes once it is without the label, and so never is healthy again."""
    crashing = colour("blue", script="exit 3")
    blue.write(crashing | {"reconcile": {"wait": {"for": waits_for}}})
    done = blue.here("apply", "--yes")

    moved = waits_for == "provisioned"
    assert done.code == (0 if moved else 7), done.out
    assert blue.writes.count("PUT green") == (2 if moved else 1)


def test_green_stays_as_it_is_where_blue_keeps_the_label(blue: Repository) -> None:
    def refuse_blue(call: Call) -> Reply | None:
        if call.method == "PUT" and call.path.endswith("/blue"):
            return refusal(403, "RequestDisallowedByPolicy")
        return None

    before = blue.live("green")
    blue.intercept(refuse_blue)
    blue.write(colour("blue"))
    done = blue.here("apply", "--yes")

    assert done.code in (1, 6), done.out
    assert blue.writes.count("PUT green") == 1
    assert blue.live("green") == before


def test_a_task_runs_again_and_fails_as_the_page_says(shop: Repository) -> None:
    play(
        "how-to/tasks-and-schedules.md",
        shop,
        meanwhile={"az container start": lambda: shop._post("import", "start")},
    )


def test_secrets_come_from_a_vault_and_rotate_as_the_page_says(shop: Repository) -> None:
    """The vault's name leads to a stand-in here; all else is the SDK over HTTP."""
    with VaultStandIn() as vault, mock.patch.object(KeyVaults, "_url", lambda *_: vault.url):
        words = ("the first one", "the second one", "the third one")

        def set_first() -> None:
            vault.set("db-password", words[0], version="1" * 32)
            vault.set("reconcile-key", "0123456789abcdef-key")

        def back_with_another_key() -> None:
            vault.set("db-password", words[2])
            vault.set("reconcile-key", "fedcba9876543210-key", version="2" * 32)

        play(
            "how-to/key-vault.md",
            shop,
            meanwhile={
                "--file db-password.txt": set_first,
                "--file new-password.txt": lambda: vault.set("db-password", words[1]),
                "--file third-password.txt": lambda: vault.set("db-password", words[2]),
                "az keyvault secret delete": lambda: vault.forget("db-password"),
                "az keyvault secret recover": back_with_another_key,
            },
        )

    page = (HOW_TO / "key-vault.md").read_text("utf-8")
    assert not any(word in page for word in words)


def test_an_estate_of_two_teams_is_adopted_without_a_restart(shop: Repository) -> None:
    shop.given_home("rg-data")
    secret = {"name": "DB_PASSWORD", "secureValue": "whatever it is"}
    volume = {"name": "keys", "secret": {"id_rsa": "a2V5"}}
    shop.given(group("web", env=[secret]))
    shop.given(group("worker"))
    shop.given(group("gateway"), tags={"made-by": "terraform"})
    etl = task("etl", volumes=[volume])
    etl["properties"]["containers"][0]["properties"]["volumeMounts"] = [
        {"name": "keys", "mountPath": "/keys"}
    ]
    shop.given(etl, into="rg-data")

    play("how-to/adopting-an-estate.md", shop)

    puts = [write for write in shop.writes if write.startswith(("PUT", "DELETE", "POST"))]
    assert puts == ["PUT rg-shop", "PUT rg-data", "PUT web"], "only the first change restarts"


@pytest.mark.parametrize("system", ["github", "azure-pipelines", "gitlab"])
def test_a_pipeline_is_the_tested_one_and_its_commands_work(empty: Repository, system: str) -> None:
    play(f"how-to/ci-{system}.md", empty)

    assert empty.names == ["hello"]


@pytest.mark.parametrize("page", sorted(HOW_TO.glob("*.md")), ids=lambda page: page.stem)
def test_what_is_not_run_says_so_and_is_of_others(page: Path) -> None:
    """Our own commands stand in blocks that are run, or in a line of somebody's crontab."""
    skipped = [text for language, text in blocks(page) if is_not_run(language, text)]

    assert {language for language, _ in blocks(page)} <= {"console", "yaml", "sh"}
    for text in skipped:
        assert "$ aci-reconcile" not in text
        done = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True)
        if "crontab" not in text:
            assert done.returncode == 0, (text, done.stderr)
    shown = page.read_text("utf-8")
    for mark in {mark for mark in NOT_RUN for text in skipped if text.startswith(mark)}:
        assert f"`{mark}`" in shown.partition("\n## ")[0], f"the page does not explain '{mark}'"


def test_the_life_of_one_group_is_as_the_architecture_tells_it(shop: Repository) -> None:
    play(
        "architecture.md",
        shop,
        meanwhile={"az container create": lambda: shop.set_image("web", "nginx:1.26")},
    )

    assert shop.writes[1:] == ["PUT web", "PUT web"]
