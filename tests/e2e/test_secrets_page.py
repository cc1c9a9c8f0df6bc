"""docs/secrets.md: its manifest is applied, its commands are run and print what the page says.

`UPDATE_GOLDEN=1` writes what they print into the page.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Callable
from unittest import mock

import requests
import yaml

from reconciler.emulator import PLENTY, Emulator, Faults, ManualClock
from reconciler.execute.wait import Pace
from tests.conftest import CHECKOUT, Repository
from tests.e2e.test_day_two_page import BLOCK, prompt, shown
from tests.keys import STORAGE, Held, ask
from tests.vault import VaultStandIn

PAGE = CHECKOUT / "docs" / "secrets.md"
MANIFEST = re.compile(r"(?<=```yaml\n).*?(?=```\n)", re.DOTALL)
SHELL = re.compile(r"(?<=```sh\n).*?(?=```\n)", re.DOTALL)
SCRIPT = re.compile(r"(?<=```json\n).*?(?=```\n)", re.DOTALL)
KEY = "0123456789abcdef-key"


def run(repository: Repository, typed: str) -> str:
    """What a line of the page prints; `az` renews a key at the emulator."""
    words = shlex.split(typed)
    if words[0] != "az":
        return shown(repository, typed)
    given = dict(zip(words[5::2], words[6::2], strict=True))
    renew = f"{given['--account-name']}/regenerateKey"
    url, subscription = repository.emulator.url, repository.subscription
    ask(url, subscription, "POST", STORAGE, renew, {"keyName": given["--key"]})
    assert words[1:5] == ["storage", "account", "keys", "renew"]
    return f"$ {typed}\n"


def test_the_manifest_and_the_commands_of_the_page_do_what_it_says(
    make_repository: Callable[..., Repository],
) -> None:
    page = PAGE.read_text("utf-8")
    (text,) = MANIFEST.findall(page)
    clock = ManualClock()
    with Emulator(time=clock, limits=PLENTY) as emulator, VaultStandIn() as vault:
        repository = make_repository(
            emulator, subscription="00000000-0000-0000-0000-000000000000", workers=1
        )
        repository.clock._on_sleep = clock.advance
        repository.given_home()
        Held(repository)
        vault.set("db-password", "hunter2-hunter2")
        repository.file("secrets/tls.key", "a private key")
        repository.environ |= {"REGISTRY_PASSWORD": "hunter3", "ACI_RECONCILE_SECRET_KEY": KEY}
        # No vault has that name on this machine.
        repository.file("web.yaml", text.replace("vault: kv-shop", f'vault: "{vault.url}"'))

        with (
            mock.patch("reconciler.cli.connection.SystemClock", lambda: repository.clock),
            mock.patch("reconciler.cli.connection._LOCAL", Pace()),
        ):
            now = BLOCK.sub(
                lambda block: "".join(run(repository, one) for one in prompt(block.group())),
                page,
            )

    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(now, "utf-8")
    assert now == page
    assert yaml.safe_load(text)["name"] == "web"


def test_the_page_makes_and_renews_what_keeps_keys(repository: Repository) -> None:
    repository.given_home("rg-data")
    home = f"{repository.emulator.url}/subscriptions/{repository.subscription}/resourceGroups"
    (block,) = SHELL.findall(PAGE.read_text("utf-8"))
    answers = []
    for line in block.splitlines()[1:]:
        curl, _, method, url, _, body = shlex.split(line)
        assert curl == "curl"
        place = url.replace("$RG", f"{home}/rg-data")
        answers.append(requests.request(method, place, json=json.loads(body), timeout=10))

    assert [answer.status_code for answer in answers] == [201, 200, 201, 200]


def test_the_script_of_the_page_is_one() -> None:
    (text,) = SCRIPT.findall(PAGE.read_text("utf-8"))

    assert [rule.kind for rule in Faults.parse(json.loads(text)).rules] == ["forbidden", "status"]
