"""Planted secrets: in no output, at no level, in no file, tag, error, log of the emulator."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from reconciler.emulator import PLENTY, Call, Emulator, Polls, Reply
from tests.conftest import Repository, command, environment_of
from tests.e2e.canary import KINDS, LEVELS, QUOTES, SOURCES, Nest, leaks


@pytest.fixture
def nest(make_repository, tmp_path) -> Iterator[Nest]:
    database = tmp_path / "azure.db"
    with Emulator(database=database, time=Polls(0, 0), limits=PLENTY) as running:
        repository = make_repository(running)
        repository.given_home()
        yield Nest(repository, database)


@pytest.fixture
def full(nest: Nest) -> Nest:
    """A group for each kind of secret from each source, with all of its places."""
    for kind in KINDS:
        for source in SOURCES:
            nest.hatch(f"{kind}-{source.lower()}", kind, source)
    return nest


def test_the_canary_is_found_where_it_sings(full: Nest) -> None:
    """The manifests with literal secrets are full of them: each must be found there."""
    literal = [one for one in full.secrets if "(literal" in one.place]
    manifests = {"all": "".join(f.read_text() for f in full.repository.root.glob("*-literal.yaml"))}

    assert {place for _, place, _ in leaks(manifests, literal)} == {one.place for one in literal}


def test_a_whole_life_gives_nothing_away(full: Nest) -> None:
    """Validate, plan, create, compare, rotate, update, destroy, in every format and level."""
    codes = [
        full.run("validate", "-o", "text", "-o", "json=validate.out", "--debug"),
        full.run("plan", *LEVELS, "-o", "text", "-o", "json=plan.out"),
        full.run(
            "apply",
            "--yes",
            *LEVELS,
            "-o",
            "text",
            "-o",
            "json=apply.out",
            "-o",
            "ndjson=events.out",
        ),
        full.run("drift", *LEVELS, "-o", "text", "-o", "json=drift.out"),
    ]
    for kind in KINDS:  # rotated: other values in all of their places
        for source in SOURCES:
            full.hatch(f"{kind}-{source.lower()}", kind, source)
    codes += [
        full.run("plan", *LEVELS, "-o", "json", "-o", "text=rotated.out"),
        full.run("apply", "--yes", *LEVELS, "-o", "json"),
        full.run("status", "--debug", "-o", "text", "-o", "json=status.out"),
        full.run(
            "destroy",
            "--confirm",
            "shop",
            *LEVELS,
            "-o",
            "text",
            "-o",
            "json=end.out",
            "-o",
            "ndjson=gone.out",
        ),
    ]

    assert codes == [0, 0, 0, 0, 0, 0, 0, 0], "\n".join(full.seen.values())
    assert len([r for r in full.repository.writes if r.startswith("PUT")]) >= 2 * 18
    assert full.leaks() == []


def _secret_texts(value: Any, *, inside: bool = False) -> Iterator[str]:
    """The write-only values of a PUT body, as Azure gets them and as a container reads them."""
    names = {"secureValue", "password", "storageAccountKey", "workspaceKey", "secret"}
    if isinstance(value, str):
        if inside:
            yield value
            try:
                yield base64.b64decode(value, validate=True).decode()
            except ValueError:
                pass
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    for name, item in items:
        yield from _secret_texts(item, inside=inside or name in {*names, "protectedSettings"})


@pytest.fixture
def quoting(nest: Nest) -> Nest:
    """A group for each kind of secret and each way in which Azure may quote one."""
    for number, (kind, way) in enumerate(WAYS):
        nest.hatch(f"{kind}-{way.replace(' ', '')}", kind, SOURCES[number % len(SOURCES)])
    return nest


WAYS = [(kind, way) for kind in KINDS for way in QUOTES]


def quoted(call: Call) -> str:
    """All secrets of a PUT, in the way that the group's name asks for."""
    name = call.path.rpartition("/")[2]
    spell = next(QUOTES[way] for kind, way in WAYS if name == f"{kind}-{way.replace(' ', '')}")
    texts = [spell(text) for text in _secret_texts(call.body)]
    # The longest last: a message is cut somewhere.
    return ", ".join(sorted(dict.fromkeys(texts), key=len))


def is_put(call: Call) -> bool:
    return call.method == "PUT" and "/containergroups/" in call.path.lower()


def error(message: str, *, code: str = "InvalidRequestContent", **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, **more}}


@pytest.mark.parametrize("level", ["message", "details", "page"])
def test_a_refusal_that_quotes_the_body_gives_nothing_away(quoting: Nest, level: str) -> None:
    """Azure's message, one of its details, and a page of text from something in between."""
    asked: set[str] = set()

    def answer(call: Call) -> Reply | None:
        if not is_put(call):
            return None
        text = quoted(call)
        if level == "page" and call.path not in asked:
            asked.add(call.path)  # once: such a write is sent again, after a while
            return Reply(status=502, text=f"<html>cannot read: {text}</html>")
        inner = error("no", details=[{"code": "X", "message": f"got {text}"}])
        return Reply(status=400, body=error(f"got {text}") if level == "message" else inner)

    quoting.repository.intercept(answer)
    # All at once: what may have been carried out is looked at for a while before it is sent again.
    wide = ("--parallelism", "100")
    code = quoting.run(
        "apply",
        "--yes",
        "--debug",
        *wide,
        "-o",
        "text",
        "-o",
        "json=apply.out",
        "-o",
        "ndjson=events.out",
    )

    assert code in (1, 6)
    assert len(quoting.repository.writes) >= len(WAYS)
    assert quoting.leaks() == []


def test_an_operation_that_fails_quoting_the_body_gives_nothing_away(quoting: Nest) -> None:
    said: dict[str, str] = {}

    def answer(call: Call) -> Reply | None:
        if is_put(call):
            number = str(uuid.uuid4())
            said[number] = quoted(call)
            where = f"{call.base}/subscriptions/{quoting.repository.subscription}/providers"
            url = f"{where}/Microsoft.ContainerInstance/locations/westeurope/operations/{number}"
            headers = {"Azure-AsyncOperation": f"{url}?api-version=2023-05-01"}
            return Reply(status=201, body={**call.body, "name": "x"}, headers=headers)
        if "/operations/" in call.path:
            text = said[call.path.rpartition("/")[2]]
            return Reply(status=200, body={"status": "Failed", **error(f"cannot use {text}")})
        return None

    quoting.repository.intercept(answer)
    code = quoting.run(
        "apply", "--yes", "--debug", "-o", "text", "-o", "json=apply.out", "-o", "ndjson=events.out"
    )

    assert code in (1, 6)
    assert len(said) == len(WAYS)
    assert quoting.leaks() == []


def test_events_and_states_that_quote_a_secret_give_nothing_away(quoting: Nest) -> None:
    """What Azure tells of a container: why it waits, why it ended, what happened."""
    emulator, said = quoting.repository.emulator, dict[str, str]()
    written: dict[str, dict[str, Any]] = {}

    def answer(call: Call) -> Reply | None:
        name = call.path.rpartition("/")[2]
        if is_put(call):
            said[name] = quoted(call)
        if call.method != "GET" or name not in said:
            return None
        if name not in written:
            written.update((one["name"], one) for one in emulator.groups())
        group = written.get(name)
        return Reply(status=200, body=troubled(group, said[name])) if group else None

    quoting.repository.intercept(answer)
    codes = [
        quoting.run(
            "apply",
            "--yes",
            "--debug",
            "-o",
            "text",
            "-o",
            "json=apply.out",
            "-o",
            "ndjson=events.out",
        ),
        quoting.run("plan", *LEVELS, "-o", "text", "-o", "json=plan.out"),
        quoting.run("drift", *LEVELS, "-o", "text", "-o", "json=drift.out"),
        quoting.run("status", "--debug", "-o", "text", "-o", "json=status.out"),
    ]

    assert codes == [7, 0, 2, 0]
    assert "CrashLoopBackOff" in "".join(quoting.seen.values())
    assert quoting.leaks() == []


def troubled(group: dict[str, Any], text: str) -> dict[str, Any]:
    """A group whose container died, all of whose messages quote `text`."""
    event = {"count": 1, "name": "Failed", "type": "Warning", "message": f"Error: {text}"}
    event |= dict.fromkeys(("firstTimestamp", "lastTimestamp"), "2025-01-01T00:00:00Z")
    state = {"state": "Waiting", "detailStatus": f"CrashLoopBackOff: {text}"}
    ended = {"state": "Terminated", "exitCode": 1, "detailStatus": f"Error: {text}"}
    view = {"restartCount": 4, "currentState": state, "previousState": ended, "events": [event]}
    properties = json.loads(json.dumps(group["properties"]))
    for container in (*properties["containers"], *properties["initContainers"]):
        container["properties"]["instanceView"] = view
    properties["instanceView"] = {"state": "Running", "events": [event]}
    return {**group, "properties": properties}


def test_what_containers_print_is_masked_where_apply_shows_it(quoting: Nest) -> None:
    """`logs` prints what a container printed; `apply` shows it beside everything else."""
    said: dict[str, str] = {}

    def answer(call: Call) -> Reply | None:
        if is_put(call):
            said[call.path.rpartition("/")[2]] = quoted(call)
        if call.path.endswith("/logs"):
            name = call.path.split("/containers/")[0].rpartition("/")[2]
            content = f"connecting\n{said[name]}\nended\n"
            return Reply(status=200, body={"content": content})
        return None

    ends(quoting.repository)
    quoting.repository.intercept(answer)
    code = quoting.run(
        "apply", "--yes", "--debug", "-o", "text", "-o", "json=apply.out", "-o", "ndjson=events.out"
    )

    assert code == 7
    assert "".join(quoting.seen.values()).count("connecting") >= len(WAYS)
    assert quoting.leaks() == []


def ends(repository: Repository) -> None:
    """Turn every group into a task that ends with 3."""
    for file in repository.root.glob("*-*.yaml"):
        if file.stem == "aci-reconcile":
            continue
        manifest = json.loads(file.read_text("utf-8"))
        manifest["properties"]["restartPolicy"] = "Never"
        container = manifest["properties"]["containers"][0]["properties"]
        container["command"] = ["/bin/sh", "-c", "exit 3"]
        repository.file(file.name, json.dumps(manifest, ensure_ascii=False))


# A bug of ours, at the worst place: everything that is loaded is in the text of the exception.
BUG = """
import sys
from reconciler import app
from reconciler.cli import main

def plan(*given, **more):
    objects = [*given, *more.values()]
    raise RuntimeError(f"{objects!r} {objects!s} {[str(g) for g in given[0].groups]}")

app.plan = plan
sys.exit(main.main(sys.argv[1:]))
"""


@pytest.mark.parametrize("level", [(), ("--debug",)])
def test_a_bug_of_ours_gives_nothing_away(full: Nest, level: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BUG, "plan", *level, "--endpoint", full.repository.emulator.url],
        cwd=full.repository.root,
        env=environment_of(**full.repository.environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    full.seen = {"stdout": done.stdout, "stderr": done.stderr}

    assert done.returncode == 1
    assert "RuntimeError" in done.stderr
    assert "DesiredGroup" in done.stderr
    assert full.leaks() == []


def test_the_emulator_as_a_process_gives_nothing_away(full: Nest, in_background) -> None:
    """Neither what it prints nor the file it keeps its state in holds a secret."""
    root = full.repository.root
    served = in_background(
        *("emulator", "--port", "0", "--database", "state.db"), cwd=root, **full.repository.environ
    )
    url = served.line_with("emulator: ", stream="stdout").split()[1]
    home = f"{url}/subscriptions/{full.repository.subscription}/resourceGroups/rg-shop"
    requests.put(
        f"{home}?api-version=2021-04-01", json={"location": "westeurope"}, timeout=10
    ).raise_for_status()
    provisioned(full.repository)
    done = command(
        *("apply", "--yes", "--endpoint", url), cwd=root, environ=full.repository.environ
    )
    refused = requests.put(  # what it cannot read, it does not quote
        f"{home}/providers/Microsoft.ContainerInstance/containerGroups/x?api-version=2023-05-01",
        data=f'{{"properties": {{"password": "{full.secrets[0].value}"}}}} trailing',
        timeout=10,
    )
    served.signal(signal.SIGINT)
    ended = served.end()

    full.seen = {"apply": done.out + done.err, "printed": ended.out + ended.err}
    for file in root.glob("state.db*"):
        full.seen[file.name] = file.read_bytes().decode("utf-8", "replace")
    full.seen["refusal"] = refused.text
    assert (done.code, refused.status_code) == (0, 400)
    assert "canary" not in full.seen["state.db"]
    assert leaks(full.seen, full.secrets) == []


def provisioned(repository: Repository) -> None:
    """Let no group wait for its containers, which take their time in real time."""
    for file in repository.root.glob("*-*.yaml"):
        if file.stem != "aci-reconcile":
            manifest = json.loads(file.read_text("utf-8"))
            manifest["reconcile"] = {"wait": {"for": "provisioned"}}
            repository.file(file.name, json.dumps(manifest, ensure_ascii=False))
