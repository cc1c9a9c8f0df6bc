"""A fault: what a PUT holds is taken without a word and not kept."""

from __future__ import annotations

import copy
import re
import subprocess
import sys

import pytest

from reconciler.emulator import Polls
from tests.conftest import environment_of

PROBE = {"httpGet": {"path": "/", "port": 80}}
LIVENESS = "/properties/containers/*/properties/livenessProbe"


@pytest.fixture
def probed(body):
    body["properties"]["containers"][0]["properties"]["livenessProbe"] = PROBE
    return body


def container_of(seen, index=0):
    return seen["properties"]["containers"][index]["properties"]


def test_the_put_succeeds_and_a_get_shows_the_group_without_it(make, probed):
    client = make(drops=[LIVENESS])

    response = client.put(probed)

    assert response.status_code == 201
    assert "livenessProbe" not in container_of(client.get())
    assert container_of(client.get())["image"] == "nginx:1.27"
    assert client.emulator.dropped == {"/properties/containers/web/properties/livenessProbe": 1}


def test_without_the_fault_it_is_kept(make, probed):
    client = make()

    client.put(probed)

    assert "livenessProbe" in container_of(client.get())
    assert client.emulator.dropped == {}


def test_an_update_restarts_and_does_not_take_it_either(make, body, probed):
    client = make(drops=[LIVENESS])
    client.put(body)

    response = client.put(probed)

    assert response.status_code == 200
    assert "livenessProbe" not in container_of(client.get())
    assert client.emulator.restarts(client.subscription, "rg", "web") == 1


def test_it_can_begin_and_end_while_the_emulator_runs(make, probed):
    client = make()
    client.emulator.drops(LIVENESS)
    client.put(probed)
    lost = container_of(client.get())
    client.emulator.drops()

    client.put(probed)

    assert "livenessProbe" not in lost
    assert "livenessProbe" in container_of(client.get())


@pytest.mark.parametrize("element", ["*", "web", "0", "WEB"])
def test_an_element_goes_by_star_name_or_position(make, probed, element):
    other = copy.deepcopy(probed["properties"]["containers"][0]) | {"name": "other"}
    other["properties"]["ports"] = [{"port": 81}]
    probed["properties"]["containers"].append(other)
    client = make(drops=[f"/properties/containers/{element}/PROPERTIES/livenessprobe"])

    client.put(probed)

    seen = client.get()
    assert "livenessProbe" not in container_of(seen)
    assert ("livenessProbe" in container_of(seen, 1)) is (element != "*")


@pytest.mark.parametrize(
    ("pointer", "lost"),
    [
        ("/tags/team", "/tags/team"),
        ("/tags", "/tags"),
        ("/properties/ipAddress", "/properties/ipAddress"),
        ("/properties/containers/web", "/properties/containers/web"),
        ("/tags/a~1b", "/tags/a~1b"),
    ],
)
def test_a_key_an_object_and_a_whole_element_can_be_lost(make, body, pointer, lost):
    body["tags"]["a/b"] = "1"
    client = make(drops=[pointer])

    response = client.put(body)

    assert response.status_code == 201
    assert client.emulator.dropped == {lost: 1}


def test_several_are_lost_and_others_patch_as_ever(make, probed):
    client = make(drops=[LIVENESS, "/tags/team"])
    client.put(probed)

    client.call("PATCH", f"{client.groups}/web", {"tags": {"team": "shop"}})

    assert client.get()["tags"] == {"team": "shop"}
    assert "livenessProbe" not in container_of(client.get())


def test_what_is_lost_is_validated_first(make, body):
    body["properties"]["containers"][0]["properties"]["livenessProbe"] = {"periodSeconds": "soon"}
    client = make(drops=[LIVENESS])

    status, code, message = client.refused(body)

    assert (status, code) == (400, "InvalidRequestContent")
    assert "livenessProbe/periodSeconds" in message


def test_the_answer_while_provisioning_lacks_it_too(make, probed):
    client = make(drops=[LIVENESS], time=Polls(2, 0))

    answered = client.put(probed).json()

    assert answered["properties"]["provisioningState"] == "Pending"
    assert "livenessProbe" not in container_of(answered)


@pytest.mark.parametrize("pointer", ["", "/", "properties/volumes"])
def test_what_is_no_pointer_is_an_error(make, pointer):
    with pytest.raises(ValueError, match="expected a pointer such as /properties/"):
        make(drops=[pointer])


@pytest.mark.parametrize("program", [("reconciler", "emulator"), ("reconciler.emulator",)])
def test_the_command_takes_it_as_an_option(program, session, body, tmp_path):
    command = [sys.executable, "-m", *program, "--port", "0", "--drop", "/tags/team"]
    with subprocess.Popen(
        [*command, "--drop", "/properties/restartPolicy"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment_of(),
        cwd=tmp_path,
    ) as process:
        try:
            url = re.search(r"http://\S+", process.stdout.readline())[0]
            root = f"{url}/subscriptions/{'0' * 8}-0000-0000-0000-{'0' * 12}/resourceGroups/rg"
            version = {"api-version": "2023-05-01"}
            session.put(root, json={"location": "westeurope"}, params=version, timeout=10)
            group = f"{root}/providers/Microsoft.ContainerInstance/containerGroups/web"
            body["tags"]["kept"] = "1"
            body["properties"]["restartPolicy"] = "Never"
            answered = session.put(group, json=body, params=version, timeout=10)
        finally:
            process.terminate()

    assert answered.status_code == 201
    assert answered.json()["tags"] == {"kept": "1"}
    assert "restartPolicy" not in answered.json()["properties"]


@pytest.mark.parametrize("program", [("reconciler", "emulator"), ("reconciler.emulator",)])
def test_the_command_says_what_a_pointer_is(program, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", *program, "--port", "0", "--drop", "tags"],
        capture_output=True,
        text=True,
        env=environment_of(),
        cwd=tmp_path,
        timeout=30,
        check=False,
    )

    assert done.returncode in (1, 64)
    assert "expected a pointer such as /properties/" in done.stderr
    assert "Traceback" not in done.stderr
