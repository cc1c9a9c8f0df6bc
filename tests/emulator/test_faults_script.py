"""Scripts: what is refused and how it is told, the document's examples, the published schema."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.emulator import Emulator, Faults, FaultsInvalid, Polls
from reconciler.emulator.faults.kinds import KINDS
from reconciler.emulator.faults.schema import schema
from reconciler.emulator.faults.stages import STAGES
from tests.emulator.conftest import WEB, Client

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/faults.md").read_text("utf-8")
EXAMPLES = re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)
PUBLISHED = json.loads((ROOT / "schemas/faults.schema.json").read_text("utf-8"))

REFUSED = {
    "text": ('"reset"', "f: expected an object with 'faults', or a list of them, got \"reset\""),
    "member": ('{"fault": []}', "f: unknown member 'fault', expected one of $schema, capabilities, "),
    "near": ('{"fualts": []}', "did you mean 'faults'?"),
    "rule": ("[7]", "f: rule 1: expected an object with 'when' and 'fault', got 7"),
    "no fault": ('[{"when": {}}]', 'f: rule 1, member "fault": expected a value, got nothing'),
    "kind": ('[{"fault": "rest"}]', "got 'rest'; did you mean 'reset'?"),
    "no kind": ('[{"fault": {"afterEffect": true}}]', "expected 'kind' or 'status', got neither"),
    "status": ('[{"fault": {"status": 99}}]', 'member "status": expected a whole number from 200 to 599, got 99'),
    "bool status": ('[{"fault": {"status": true}}]', "from 200 to 599, got true"),
    "option": ('[{"fault": {"kind": "reset", "aftereffect": true}}]', "did you mean 'afterEffect'?"),
    "missing": ('[{"fault": "slow"}]', 'rule 1, member "seconds": expected a number from 0 to 31536000, got nothing'),
    "ends": ('[{"fault": {"kind": "operation", "ends": "Failure"}}]', "expected one of Failed, Canceled, never"),
    "both spans": ('[{"fault": {"kind": "missing-after-create", "reads": 1, "seconds": 1}}]', "got both"),
    "when": ('[{"fault": "reset", "when": "put"}]', 'rule 1, member "when": expected an object, got "put"'),
    "stage": ('[{"fault": "reset", "when": {"stage": "putt"}}]', "did you mean 'put'?"),
    "own stage": ('[{"fault": "crash-loop", "when": {"stage": "get"}}]', "expected put, where this fault can be played, got 'get'"),
    "method": ('[{"fault": "reset", "when": {"method": "FETCH"}}]', 'expected one of GET, HEAD, PUT, PATCH, POST, DELETE, or a list of them, got "FETCH"'),
    "nth": ('[{"fault": "reset"}, {"fault": "reset", "when": {"nth": 0}}]', 'f: rule 2, member "nth": expected the number of a call from 1 on, or a list of such numbers, got 0'),
    "no nth": ('[{"fault": "reset", "when": {"nth": []}}]', "got []"),
    "nth and first": ('[{"fault": "reset", "when": {"nth": 1, "first": 1}}]', "without 'first', got both"),
    "probability": ('[{"fault": "reset", "when": {"probability": 1.5}}]', "expected a number from 0 to 1, got 1.5"),
    "per": ('[{"fault": "reset", "when": {"per": "call"}}]', 'expected one of rule, group, got "call"'),
    "header": ('[{"fault": {"status": 500, "headers": {"a": 1}}}]', "expected an object of texts that may"),
    "header line": ('[{"fault": {"status": 500, "headers": {"a": "b\\nc"}}}]', "that may stand in HTTP headers"),
    "header name": ('[{"fault": {"status": 500, "headers": {"a b": "c"}}}]', "that may stand in HTTP headers"),
    "header end": ('[{"fault": {"status": 500, "headers": {"a": "b\\n"}}}]', "that may stand in HTTP headers"),
    "header of the frame": ('[{"fault": {"status": 500, "headers": {"content-Length": "9"}}}]', "without Content-Length"),
    "for ever": ('[{"fault": {"kind": "slow", "seconds": 1e400}}]', "from 0 to 31536000, got Infinity"),
    "same name": ('[{"fault": "reset", "name": "a"}, {"fault": "reset", "name": "a"}]', "expected each name once, got 'a' twice"),
    "limits": ('{"limits": {"pt5m": -1}}', 'f: member "limits": expected an object with pt5m'),
    "window": ('{"limits": {"window": "rolling"}}', "window (fixed or sliding)"),
    "quota": ('{"quotas": {"StandardCores": "10"}}', 'member "quotas": expected an object with a limit'),
    "sizes": ('{"capabilities": {"cpu": 4}}', "an object with maxCpu"),
    "registration": ('{"registration": "registered"}', "expected one of Registered, NotRegistered"),
    "page size": ('{"pageSize": 0}', "expected a whole number from 1 to 1000000, got 0"),
    "seed": ('{"seed": 1.5}', "expected a whole number, got 1.5"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_meant_is_refused_with_its_place(case):
    text, says = REFUSED[case]

    with pytest.raises(FaultsInvalid) as caught:
        Faults.parse(json.loads(text), file="f")

    assert says in str(caught.value)


# What the schema cannot say: members apart, names once, the stages of a fault; and Python's `$`
# lets a line end pass.
_BEYOND_THE_SCHEMA = {"header end", "both spans", "own stage", "nth and first", "same name"}


_TEXTS = st.sampled_from(
    ["put", "get", "list", "create", "next-page", "delete", "PUT", "Failed", "never", "group", "*",
     "sliding", "Registered", "web", *KINDS]
)  # fmt: skip
_MEMBERS = st.sampled_from(
    ["seed", "faults", "limits", "quotas", "pageSize", "when", "fault", "name", "kind", "x",
     "stage", "method", "path", "nth", "first", "after", "probability", "per", "pt5m", "window",
     "limit", "used", *(option for kind in KINDS.values() for option in kind.options)]
)  # fmt: skip
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 600) | st.sampled_from([0.5, 1.5, 1e400]) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_MEMBERS, inner, max_size=3),
    max_leaves=6,
)
_RULES = st.fixed_dictionaries(
    {"fault": _TEXTS | st.dictionaries(_MEMBERS, _VALUES, max_size=3)
     | st.fixed_dictionaries({"kind": st.sampled_from(sorted(KINDS))}, optional={
         option: _VALUES for kind in KINDS.values() for option in kind.options})},
    optional={"when": st.dictionaries(_MEMBERS, _VALUES, max_size=2), "name": _TEXTS},
)  # fmt: skip


@given(script=_VALUES | st.lists(_RULES, max_size=2))
def test_whatever_is_parsed_is_what_the_schema_takes(script):
    """Any other script is refused, and never in another way than by the one error."""
    try:
        Faults.parse(script)
    except FaultsInvalid:
        return

    assert Draft202012Validator(PUBLISHED).is_valid(script)


@pytest.mark.parametrize("case", sorted(REFUSED.keys() - _BEYOND_THE_SCHEMA))
def test_the_schema_refuses_it_too(case):
    assert not Draft202012Validator(PUBLISHED).is_valid(json.loads(REFUSED[case][0]))


def test_the_published_schema_is_that_of_the_tables():
    Draft202012Validator.check_schema(PUBLISHED)

    assert schema() == PUBLISHED


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"seed": 7,\n "faults": [,]}', ":2:13: expected JSON: expecting value"),
        ('{"seed": 7, "seed": 8}', ': expected member "seed" once, got it twice'),
        ('{"seed": NaN}', "expected JSON: nan, which json does not have"),
        ('{"seed": ' + "9" * 5000 + "}", "expected numbers of few digits"),
        ("[" * 100_000, "expected JSON of few levels, got too many"),
        ("", ":1:1: expected JSON"),
    ],
)
def test_a_file_that_is_no_json_is_told_by_line_and_column(tmp_path, text, says):
    path = tmp_path / "bad.json"
    path.write_text(text)

    with pytest.raises(FaultsInvalid) as caught:
        Faults.read(path)

    assert str(caught.value).startswith(str(path))
    assert says in str(caught.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_told(tmp_path, content):
    path = tmp_path / "bad.json"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(FaultsInvalid, match="cannot be read"):
        Faults.read(path)


def test_rules_are_named_by_what_they_play():
    faults = Faults.parse(
        [
            {"fault": "reset"},
            {"fault": {"status": 503}},
            {"fault": {"status": 503}},
            {"fault": {"status": 503}, "name": "503 3"},
            {"fault": {"status": 503}},
        ]
    )

    assert [r.name for r in faults.rules] == ["reset", "503", "503 2", "503 3", "503 4"]


# The document


def everything(client: Client) -> None:
    """A day with a bit of everything; what fails does not stop it."""

    def call(method, path, body=None):
        try:
            return client.call(method, path, body)
        except requests.RequestException:
            return None

    bodies = {name: copy.deepcopy(WEB) for name in ("web", "api")}
    aci = f"{client.root}/providers/Microsoft.ContainerInstance"
    for _ in range(5):
        for name, body in bodies.items():
            path = f"{client.groups}/{name}"
            put = call("PUT", path, body)
            if put is not None and "Azure-AsyncOperation" in put.headers:
                call("GET", put.headers["Azure-AsyncOperation"])
            call("GET", path)
            call("PATCH", path, {"tags": {}})
            call("POST", f"{path}/stop")
            call("POST", f"{path}/start")
            call("POST", f"{path}/restart")
            call("GET", f"{path}/containers/web/logs")
        page = call("GET", client.groups)
        if page is not None and page.ok and (link := page.json().get("nextLink")):
            call("GET", link)
        call("GET", f"{aci}/locations/westeurope/usages")
        for name in bodies:
            call("DELETE", f"{client.groups}/{name}")


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_the_document_is_played(example, session):
    script = json.loads(example)
    with Emulator(time=Polls(0, 0), faults=script) as emulator:
        everything(Client(emulator, session))

        names = [rule.name for rule in emulator.faults.rules]

    assert set(emulator.played) == set(names)
    assert Draft202012Validator(PUBLISHED).is_valid(script)


def test_the_document_has_an_example_of_every_fault():
    used = {rule.kind for text in EXAMPLES for rule in Faults.parse(json.loads(text)).rules}

    assert used == set(KINDS)


def test_the_document_lists_every_fault_and_stage_as_the_table_has_it():
    answer = KINDS["status"].options.keys()
    rows = [f"| `{name}` | {means} |" for name, means in STAGES.items()]
    for name, kind in KINDS.items():
        own = ", ".join(f"`{stage}`" for stage in kind.stages) + ("*" if kind.bound else "")
        options = [
            f"`{option}`" for option in kind.options if not kind.is_answer or option not in answer
        ]
        options += ["of an answer"] if kind.is_answer else []
        rows.append(
            f"| `{name}` | {kind.means} | {own or 'any'} | {', '.join(options) or 'none'} |"
        )

    assert [row for row in rows if row not in DOCUMENT] == []


# The command line


def run(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        capture_output=True, text=True, cwd=cwd, timeout=60, check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("program", "code"), [(("reconciler", "emulator"), 64), (("reconciler.emulator",), 1)]
)
def test_the_command_refuses_a_bad_script(tmp_path, program, code):
    (tmp_path / "bad.json").write_text('[{"fault": "rest"}]')

    done = run(*program, "--port", "0", "--faults", "bad.json", cwd=tmp_path)

    assert done.returncode == code
    assert 'bad.json: rule 1, member "fault"' in done.stderr
    assert "did you mean 'reset'?" in done.stderr
    assert "Traceback" not in done.stderr


def plan(tmp_path, script):
    """A plan of two sample manifests with the emulator inside the command."""
    for name in ("aci-reconcile.yaml", "resource-group.yaml", "web.yaml"):
        (tmp_path / name).write_text((ROOT / "manifests" / name).read_text("utf-8"))
    (tmp_path / "f.json").write_text(script)
    return run("reconciler", "plan", ".", "--emulator", "--faults", "f.json", cwd=tmp_path)


def test_a_command_with_the_emulator_refuses_a_bad_script(tmp_path):
    done = plan(tmp_path, '[{"fault":\n"rest"]')

    assert done.returncode == 64
    assert "f.json:2:7: expected JSON" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_command_with_the_emulator_plays_a_script(tmp_path):
    done = plan(tmp_path, '[{"fault": "forbidden", "when": {"method": "GET"}}]')
    well = plan(tmp_path, "[]")

    assert (done.returncode, well.returncode) == (1, 0)
    assert "AuthorizationFailed" in done.stderr + done.stdout


def test_faults_go_with_the_emulator(tmp_path):
    done = run("reconciler", "plan", "--faults", "f.json", cwd=tmp_path)

    assert done.returncode == 64
    assert "--faults goes with --emulator" in done.stderr


def test_the_command_plays_a_script(tmp_path):
    (tmp_path / "f.json").write_text(json.dumps([{"fault": {"status": 503}}]))
    command = [sys.executable, "-m", "reconciler", "emulator", "--port", "0", "--faults", "f.json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
    ) as process:  # fmt: skip
        try:
            url = re.search(r"http://\S+", process.stdout.readline())[0]
            path = f"{url}/subscriptions/{uuid.uuid4()}/resourceGroups/rg?api-version=2023-05-01"
            answered = requests.get(path, timeout=10)
        finally:
            process.terminate()

    assert answered.status_code == 503
