"""A database file: kept across processes, safe among several, private, and refused when unusable."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
import requests

from reconciler.emulator import (
    Durations,
    Emulator,
    EmulatorStateUnusable,
    ManualClock,
    Polls,
    RealTime,
)
from tests.emulator.conftest import WEB

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"


def at(emulator, client, name="web"):
    """The URL of the client's group, in another emulator."""
    return f"{emulator.url}{client.groups}/{name}?api-version=2023-05-01"


def test_a_group_survives_the_emulator(make, body, tmp_path):
    file = tmp_path / "deep" / "down" / "state.db"
    client = make(database=file)
    seen = client.read_back(body)
    client.emulator.stop()

    with Emulator(database=file) as later:
        assert requests.get(at(later, client), timeout=5).json() == seen


def test_a_task_started_by_one_process_is_finished_when_a_later_one_looks(make, task, tmp_path):
    file = tmp_path / "state.db"
    client = make(database=file, time=ManualClock(Durations(create=2, task=3)))
    client.put(task)
    client.emulator.stop()
    later = ManualClock()
    later.advance(10)

    with Emulator(database=file, time=later) as emulator:
        state = requests.get(at(emulator, client), timeout=5).json()["properties"]["instanceView"][
            "state"
        ]

    assert state == "Succeeded"


def test_polls_are_counted_across_processes(make, body, tmp_path):
    file = tmp_path / "state.db"
    client = make(database=file, time=Polls(2))
    client.put(body)
    client.get()
    client.emulator.stop()

    with Emulator(database=file, time=Polls(2)) as emulator:
        states = [
            requests.get(at(emulator, client), timeout=5).json()["properties"]["provisioningState"]
            for _ in range(2)
        ]

    assert states == ["Pending", "Succeeded"]


def test_an_operation_can_be_followed_in_another_process(make, body, tmp_path):
    file = tmp_path / "state.db"
    client = make(database=file)
    path = client.put(body).headers["Azure-AsyncOperation"].removeprefix(client.emulator.url)
    client.emulator.stop()

    with Emulator(database=file) as later:
        assert requests.get(later.url + path, timeout=5).json()["status"] == "Succeeded"


def test_two_emulators_on_one_file_see_each_others_writes(make, body, tmp_path):
    file = tmp_path / "state.db"
    client = make(database=file)
    with Emulator(database=file, time=Polls(0, 0)) as other:

        def write(number):
            emulator = (client.emulator, other)[number % 2]
            return requests.put(
                at(emulator, client, f"g{number}"), json=body, timeout=10
            ).status_code

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(write, range(40))) == [201] * 40

        assert len(other.groups(client.subscription)) == 40
        assert client.emulator.groups(client.subscription) == other.groups(client.subscription)


def test_two_processes_on_one_file_see_each_others_writes(make, body, tmp_path):
    file = tmp_path / "state.db"
    client = make(database=file)
    command = [sys.executable, "-m", "reconciler.emulator", "--port", "0", "--pace", "polls"]
    process = subprocess.Popen(
        [*command, "--database", str(file)], stdout=subprocess.PIPE, text=True
    )
    try:
        url = process.stdout.readline().split(" on ")[1].split()[0]
        there = f"{url}{client.groups}/theirs?api-version=2023-05-01"
        assert requests.put(there, json=body, timeout=10).status_code == 201
        client.put(body, name="ours")

        listed = requests.get(f"{url}{client.groups}?api-version=2023-05-01", timeout=10).json()

        assert [group["name"] for group in listed["value"]] == ["ours", "theirs"]
        assert client.get("theirs")["name"] == "theirs"
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()


def test_many_may_open_a_new_file_at_once(tmp_path):
    file = tmp_path / "state.db"
    barrier = threading.Barrier(8)

    def open_and_close(_):
        barrier.wait()
        emulator = Emulator(database=file)
        emulator.stop()
        return "opened"

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(open_and_close, range(8))) == ["opened"] * 8


def test_the_file_is_its_owners_alone_and_holds_no_secret(make, body, tmp_path):
    file = tmp_path / "state.db"
    body["properties"]["containers"][0]["properties"]["environmentVariables"] = [
        {"name": "PASSWORD", "secureValue": "hunter2"}
    ]
    body["properties"]["volumes"] = [
        {"name": "secrets", "secret": {"hunter2-file": "aHVudGVyMg=="}}
    ]
    client = make(database=file)
    client.put(body)

    files = list(tmp_path.iterdir())

    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert len(files) > 1  # the write-ahead log too
    for path in files:
        assert b"hunter2" not in path.read_bytes()
        assert b"aHVudGVyMg" not in path.read_bytes()


def garbage(file):
    file.write_bytes(b"not a database, " * 100)


def foreign(file):
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE theirs (x)")
    connection.commit()
    connection.close()


def newer(file):
    Emulator(database=file).stop()
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def spoilt_behind_the_first_page(file):
    """A database whose first 5,000 bytes are good, as a torn copy leaves it."""
    with Emulator(database=file) as emulator:
        for number in range(40):
            emulator.given(SUBSCRIPTION, "rg", f"g{number}", WEB)
    good = file.read_bytes()
    file.write_bytes(good[:5000] + Random(1).randbytes(len(good) - 5000))


FRESH = "delete the file to start empty, or name another one"
OTHER = "name another file"


@pytest.mark.parametrize(
    ("spoil", "why", "advice"),
    [
        (garbage, "not a database", FRESH),
        (newer, "its layout is version 99, expected 1", FRESH),
        (spoilt_behind_the_first_page, "it is damaged", FRESH),
        (foreign, "database of another program", OTHER),
        (os.mkdir, "directory", OTHER),
    ],
)
def test_an_unusable_file_is_named_with_the_reason_and_a_way_out(tmp_path, spoil, why, advice):
    """What is not the emulator's, or no file at all, is not to be deleted."""
    file = tmp_path / "state.db"
    spoil(file)

    with pytest.raises(EmulatorStateUnusable) as caught:
        Emulator(database=file)

    assert str(caught.value).startswith(f"emulator state '{file}': ")
    assert why in str(caught.value)
    assert str(caught.value).endswith(f"; {advice}")


@pytest.mark.parametrize("facts", ["not json", "{}", '{"subscription": []}', "[]", "1"])
def test_a_row_that_cannot_be_read_is_answered_and_not_printed(make, body, tmp_path, capfd, facts):
    """The check at the start sees pages, not what rows say."""
    file = tmp_path / "state.db"
    client = make(database=file, time=Polls(5))
    client.put(body)
    spoil = sqlite3.connect(file)
    spoil.execute("UPDATE groups SET facts = ?", (facts,))
    spoil.commit()
    spoil.close()

    answers = [client.call("GET", path) for path in (f"{client.groups}/web", client.groups)]
    answers.append(client.put(body))

    for answer in answers:
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (500, "EmulatorStateUnusable")
        assert error["message"].startswith(f"emulator state '{file}': it is damaged: ")
        assert answer.headers["x-ms-request-id"]
    assert capfd.readouterr().err == ""


def test_a_file_spoilt_under_way_is_answered_and_not_printed(make, body, tmp_path, capfd):
    file = tmp_path / "state.db"
    client = make(database=file)
    for number in range(20):
        client.put(body, name=f"g{number}")
    size = file.stat().st_size
    with file.open("r+b") as opened:
        opened.write(b"\xff" * size)
    for extra in tmp_path.glob("state.db-*"):
        with extra.open("r+b") as opened:
            opened.write(b"\xff" * extra.stat().st_size)

    answer = client.call("GET", client.groups)

    assert answer.status_code == 500
    assert str(file) in answer.json()["error"]["message"]
    assert capfd.readouterr().err == ""


def test_it_starts_where_nobody_reads_what_is_printed(tmp_path):
    """A closed stdout is None in Python, which uvicorn's own logging cannot bear."""
    code = (
        "from reconciler.emulator import Emulator\n"
        "with Emulator() as emulator: assert emulator.url\n"
    )
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -c "$1" >&- ', sys.executable, code],
        stderr=subprocess.PIPE, text=True, timeout=20, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")


def test_the_command_tells_an_unusable_file_in_one_line(tmp_path):
    file = tmp_path / "state.db"
    garbage(file)

    done = subprocess.run(
        [sys.executable, "-m", "reconciler.emulator", "--port", "0", "--database", str(file)],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert done.stderr.startswith(f"emulator: emulator state '{file}': ")
    assert len(done.stderr.splitlines()) == 1


def test_a_refused_request_leaves_nothing_half_done(make, body, tmp_path):
    client = make(database=tmp_path / "state.db", time=RealTime())
    body["properties"]["osType"] = "Plan9"

    assert client.put(body).status_code == 400
    assert client.emulator.groups(client.subscription) == []
