"""Storage accounts and workspaces of the emulator: they come and go, and keep keys."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from reconciler.emulator import Emulator, Polls

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
STORAGE = "providers/Microsoft.Storage/storageAccounts"
WORKSPACES = "providers/Microsoft.OperationalInsights/workspaces"
HERE = {"location": "West Europe"}


class Client:
    """Asks about what lies in one resource group."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.put("", HERE)

    def __call__(self, method: str, path: str, body: Any = None) -> requests.Response:
        base = f"{self.emulator.url}/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-data"
        url = f"{base}/{path}".rstrip("/")
        return requests.request(
            method, url, params={"api-version": "2021-04-01"}, json=body, timeout=10
        )

    def put(self, path: str, body: Any) -> requests.Response:
        return self("PUT", path, body)

    def keys(self, path: str) -> dict[str, str]:
        answer = self("POST", path)
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        if "keys" in found:
            return {entry["keyName"]: entry["value"] for entry in found["keys"]}
        return found


@pytest.fixture
def ask() -> Iterator[Client]:
    with Emulator(time=Polls(0, 0)) as running:
        yield Client(running)


def test_an_account_is_made_once_and_shows_no_key(ask: Client) -> None:
    first, second = (ask.put(f"{STORAGE}/shopfiles", {**HERE, "tags": {"a": "b"}}) for _ in "ab")
    keys = ask.keys(f"{STORAGE}/shopfiles/listKeys")
    got = ask("GET", f"{STORAGE}/SHOPFILES")
    listed = ask("GET", "resources").json()["value"]

    assert [first.status_code, second.status_code, got.status_code] == [201, 200, 200]
    assert got.json() == first.json() == second.json()
    assert got.json()["location"] == "westeurope"
    assert [item["name"] for item in listed] == ["shopfiles"]
    assert not [key for key in keys.values() if key in f"{got.text}{listed}"]


def test_an_account_has_two_keys_of_64_bytes_and_each_is_renewed_alone(ask: Client) -> None:
    ask.put(f"{STORAGE}/shopfiles", HERE)
    before = ask.keys(f"{STORAGE}/shopfiles/listKeys")
    renewed = ask("POST", f"{STORAGE}/shopfiles/regenerateKey", {"keyName": "key2"})
    after = ask.keys(f"{STORAGE}/shopfiles/listKeys")

    assert before.keys() == {"key1", "key2"}
    assert {len(b64decode(key)) for key in before.values()} == {64}
    assert len({*before.values(), *after.values()}) == 3
    assert after["key1"] == before["key1"]
    assert {entry["value"] for entry in renewed.json()["keys"]} == set(after.values())
    wrong = ask("POST", f"{STORAGE}/shopfiles/regenerateKey", {"keyName": "key3"})
    assert wrong.status_code == 400


def test_a_workspace_has_an_id_and_two_keys_that_are_renewed_together(ask: Client) -> None:
    made = ask.put(f"{WORKSPACES}/shop-logs", HERE).json()
    before = ask.keys(f"{WORKSPACES}/shop-logs/sharedKeys")
    ask("POST", f"{WORKSPACES}/shop-logs/regenerateSharedKey")
    after = ask.keys(f"{WORKSPACES}/shop-logs/sharedKeys")

    assert re.fullmatch(
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made["properties"]["customerId"]
    )
    assert before.keys() == after.keys() == {"primarySharedKey", "secondarySharedKey"}
    assert len({*before.values(), *after.values()}) == 4


def test_what_is_not_there_is_a_404_that_says_what_is_missing(ask: Client) -> None:
    ask.put(f"{STORAGE}/shopfiles", HERE)
    gone = [ask("DELETE", f"{STORAGE}/shopfiles").status_code for _ in "ab"]
    missing = ask("POST", f"{STORAGE}/shopfiles/listKeys")
    ask("DELETE", "")
    homeless = ask("POST", f"{STORAGE}/shopfiles/listKeys")

    assert gone == [200, 204]
    assert (missing.status_code, homeless.status_code) == (404, 404)
    assert missing.json()["error"]["code"] == "ResourceNotFound"
    assert "Microsoft.Storage/storageAccounts/shopfiles" in missing.json()["error"]["message"]
    assert homeless.json()["error"]["code"] == "ResourceGroupNotFound"


@pytest.mark.parametrize(
    ("path", "code"),
    [(f"{STORAGE}/Shop-Files", "AccountNameInvalid"), (f"{WORKSPACES}/-a-", "InvalidParameter")],
)
def test_names_keep_to_their_grammar(ask: Client, path: str, code: str) -> None:
    answer = ask.put(path, HERE)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code


def test_a_location_is_required(ask: Client) -> None:
    answer = ask.put(f"{STORAGE}/shopfiles", {})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "LocationRequired")


def test_keys_outlive_the_process_and_no_key_is_in_the_file(tmp_path: Path) -> None:
    keys = []
    for _ in range(2):
        with Emulator(database=tmp_path / "e.db") as running:
            client = Client(running)
            client.put(f"{STORAGE}/shopfiles", HERE)
            keys.append(client.keys(f"{STORAGE}/shopfiles/listKeys"))
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert keys[0] == keys[1]
    assert not [key for key in keys[0].values() if key.encode() in written]


def test_a_placed_resource_of_the_kind_keeps_keys_too(ask: Client) -> None:
    ask.emulator.place_resource(
        SUBSCRIPTION, "rg-data", "Microsoft.Storage/storageAccounts", "shopfiles"
    )

    assert ask.keys(f"{STORAGE}/shopfiles/listKeys").keys() == {"key1", "key2"}


@pytest.mark.parametrize(
    ("path", "action"),
    [
        (f"{STORAGE}/shopfiles/listKeys", "Microsoft.Storage/storageAccounts/listKeys/action"),
        (
            f"{WORKSPACES}/shop-logs/sharedKeys",
            "Microsoft.OperationalInsights/workspaces/sharedKeys/action",
        ),
    ],
)
def test_faults_of_the_stage_speak_of_the_resource(ask: Client, path: str, action: str) -> None:
    ask.emulator.plays(
        [
            {"when": {"stage": "keys", "nth": 1}, "fault": "forbidden"},
            {"when": {"stage": "keys", "nth": 2}, "fault": {"status": 404}},
        ]
    )

    forbidden, missing = ask("POST", path), ask("POST", path)

    assert forbidden.status_code == 403
    assert f"'{action}'" in forbidden.json()["error"]["message"]
    assert missing.status_code == 404
    assert path.split("/", 1)[1].rpartition("/")[0] in missing.json()["error"]["message"]
