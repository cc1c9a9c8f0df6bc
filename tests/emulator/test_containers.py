"""How containers end, what they report and what they print."""

from __future__ import annotations

import copy

import pytest

from reconciler.emulator import Polls


def run(client, body, *, policy=None, command=None, variables=()):
    if policy:
        body["properties"]["restartPolicy"] = policy
    container = body["properties"]["containers"][0]["properties"]
    if command:
        container["command"] = command
    container["environmentVariables"] = [{"name": k, "value": v} for k, v in variables]
    properties = client.read_back(body)["properties"]
    view = properties["containers"][0]["properties"]["instanceView"]
    return properties["instanceView"]["state"], view


@pytest.mark.parametrize(
    ("command", "code"),
    [(["/bin/false"], 1), (["/bin/sh", "-c", "echo no; exit 3"], 3), (["/bin/true"], 0)],
)
def test_a_task_ends_as_its_command_says(client, task, command, code):
    group, view = run(client, task, command=command)

    assert group == ("Failed" if code else "Succeeded")
    assert view["currentState"]["exitCode"] == code
    assert view["currentState"]["detailStatus"] == ("Error" if code else "Completed")


def test_a_variable_decides_over_the_command(client, task):
    group, view = run(client, task, command=["/bin/false"], variables=[("EMULATOR_EXIT_CODE", "7")])

    assert view["currentState"]["exitCode"] == 7
    assert view["events"][-1]["message"] == "Container job terminated with ExitCode 7."
    assert group == "Failed"


@pytest.mark.parametrize(
    "how",
    [
        {"command": ["/bin/sh", "-c", "while true; do echo hello; sleep 20; done"]},
        {"command": ["tail", "-f", "/dev/null"]},
        {"variables": [("EMULATOR_EXIT_CODE", "none")]},
    ],
)
def test_some_tasks_never_end(client, task, how):
    group, view = run(client, task, **how)

    assert group == "Running"
    assert list(view["currentState"]) == ["state", "startTime", "detailStatus"]


@pytest.mark.parametrize("policy", ["Always", "OnFailure"])
def test_what_fails_and_is_restarted_ends_in_a_crash_loop(client, task, policy):
    group, view = run(client, task, policy=policy, command=["/bin/false"])

    assert group == "Running"
    assert view["restartCount"] == 1
    assert view["currentState"] == {
        "state": "Waiting",
        "detailStatus": "CrashLoopBackOff: Back-off 10s restarting failed",
    }
    assert view["previousState"]["exitCode"] == 1
    assert view["events"][-1]["name"] == "BackOff"
    assert (
        client.get()["properties"]["containers"][0]["properties"]["instanceView"]["restartCount"]
        == 2
    )


def test_a_crash_loop_backs_off_by_the_clock(make, task, clock):
    client = make(time=clock)
    task["properties"]["restartPolicy"] = "Always"
    task["properties"]["containers"][0]["properties"]["command"] = ["/bin/false"]
    client.put(task)
    counts = []
    for seconds in (3, 10, 20, 3600):
        clock.advance(seconds)
        view = client.get()["properties"]["containers"][0]["properties"]["instanceView"]
        counts.append(view["restartCount"])

    assert counts[:3] == [1, 2, 3]
    assert 10 < counts[3] < 25


def test_an_operation_succeeds_even_if_the_container_crashes(client, task):
    task["properties"] |= {"restartPolicy": "Always"}
    task["properties"]["containers"][0]["properties"]["command"] = ["/bin/false"]

    url = client.put(task).headers["Azure-AsyncOperation"]

    assert client.call("GET", url).json()["status"] == "Succeeded"


def test_under_always_a_clean_end_shows_as_succeeded_between_restarts(client, task):
    group, view = run(client, task, policy="Always", command=["/bin/true", ";", "exit 0"])

    assert group == "Succeeded"
    assert view["currentState"]["state"] == "Terminated"


def test_init_containers_have_ended_when_the_others_run(client, body):
    body["properties"]["initContainers"] = [
        {"name": "first", "properties": {"image": "alpine", "command": ["true"]}}
    ]

    init = client.read_back(body)["properties"]["initContainers"][0]["properties"]

    assert list(init) == ["image", "command", "environmentVariables", "instanceView"]
    assert init["instanceView"]["currentState"]["detailStatus"] == "Completed"


def test_events_name_the_image_by_digest_and_the_body_by_tag(client, body):
    properties = client.read_back(body)["properties"]["containers"][0]["properties"]

    assert properties["image"] == "nginx:1.27"
    events = properties["instanceView"]["events"]
    assert [event["name"] for event in events] == ["Pulling", "Pulled", "Started"]
    assert events[0]["message"].startswith('pulling image "nginx@sha256:')
    assert list(events[0]) == [
        "count",
        "firstTimestamp",
        "lastTimestamp",
        "name",
        "message",
        "type",
    ]


def logs(client, container="job", group="web", **query):
    path = f"{client.groups}/{group}/containers/{container}/logs"
    return client.call("GET", path, **query).json()["content"]


def test_an_echo_prints_its_words(client, task):
    client.put(task)

    assert logs(client) == "hello\n"


def test_an_exposed_port_is_listened_on(client, body):
    client.put(body)

    assert logs(client, "web") == "listening on port 80\n"


def test_a_failure_is_told_in_the_log(client, task):
    task["properties"]["containers"][0]["properties"]["command"] = ["sh", "-c", "echo one; exit 2"]
    client.put(task)

    assert logs(client) == "one\nexited with code 2\n"
    assert logs(client, tail=1) == "exited with code 2\n"
    assert logs(client, tail=0) == ""


def test_log_lines_can_carry_their_times(client, task):
    client.put(task)

    stamp, text = logs(client, timestamps="true").split(" ", 1)

    assert stamp.endswith("Z")
    assert text == "hello\n"


def word_count(client, task, variables, command=None):
    container = task["properties"]["containers"][0]["properties"]
    container["image"] = "mcr.microsoft.com/azuredocs/aci-wordcount:latest"
    container["environmentVariables"] = [{"name": k, "value": v} for k, v in variables]
    container.pop("command")
    if command:
        container["command"] = command
    client.put(task)
    return logs(client)


def test_the_word_count_sample_counts_ten_words_by_itself(client, task):
    content = word_count(client, task, [])

    assert content.startswith("[('of', 16),\n ('the', 15)")
    assert content.endswith(")]\n")
    assert len(content.splitlines()) == 10


def test_the_word_count_sample_heeds_its_variables(client, task):
    content = word_count(client, task, [("NumWords", "3"), ("MinLength", "8")])

    counted = eval(content)
    assert len(counted) == 3
    assert all(len(word) >= 8 and count >= 1 for word, count in counted)
    assert [count for _, count in counted] == sorted((count for _, count in counted), reverse=True)


def test_the_word_count_sample_reads_the_text_it_is_told_to(client, task):
    url = "http://shakespeare.mit.edu/romeo_juliet/full.html"

    content = word_count(client, task, [("MinLength", "5")], ["python", "wordcount.py", url])

    assert "'Romeo'" in content


def test_the_word_count_sample_prints_when_it_is_done(make, task):
    client = make(time=Polls(0, 2))

    assert word_count(client, task, []) == ""
    client.get()
    assert logs(client) != ""


def test_logs_of_what_does_not_run_are_refused(make, body):
    client = make(time=Polls(1))
    client.put(body)
    path = f"{client.groups}/web/containers/web/logs"

    early = client.call("GET", path)
    client.post("stop")
    client.get()
    late = client.call("GET", path)
    unknown = client.call("GET", path.replace("/web/logs", "/other/logs"))

    assert (early.status_code, early.json()["error"]["code"]) == (
        409,
        "ContainerGroupTransitioning",
    )
    assert late.json()["error"]["code"] == "ContainerLogNotAvailable"
    assert unknown.json()["error"]["code"] == "ContainerNotFound"


def test_exec_and_attach_answer_where_a_terminal_would_be(client, body):
    client.put(body)
    path = f"{client.groups}/web/containers/web"

    executed = client.call(
        "POST", f"{path}/exec", {"command": "/bin/sh", "terminalSize": {"rows": 24, "cols": 80}}
    ).json()
    attached = client.call("POST", f"{path}/attach").json()

    assert executed["webSocketUri"].startswith("wss://")
    assert executed["webSocketUri"].endswith("&rows=24&cols=80")
    assert executed["password"].endswith("[[EOM]]")
    assert sorted(attached) == ["password", "webSocketUri"]


BEAT = ["sh", "-c", "echo begin; while true; do echo 'tick'; sleep 2; done"]


def beating(body):
    body["properties"]["containers"][0]["properties"] |= {"command": BEAT, "ports": []}
    body["properties"].pop("ipAddress", None)
    return body


def test_a_loop_prints_as_time_passes_and_anew_after_a_restart(make, body, clock):
    client = make(time=clock)
    client.put(beating(body))
    clock.advance(1.5)

    at_first = logs(client, container="web")
    clock.advance(5)
    later = logs(client, container="web")
    last = logs(client, container="web", tail=1, timestamps="true")
    client.post("restart")
    clock.advance(1)

    assert at_first == "begin\ntick\n"
    assert later == "begin\ntick\ntick\ntick\n"
    assert last == "2025-01-01T12:00:05.5000000Z tick\n"
    assert logs(client, container="web") == "begin\ntick\n"


def test_a_loop_prints_a_line_a_read_where_time_passes_by_reads(client, body):
    client.put(beating(body))

    lines = [logs(client, container="web").count("tick") for _ in range(3)]

    assert lines == [1, 2, 3]


def test_of_what_runs_4_mb_are_kept_and_16_kb_of_what_has_ended(make, task, clock):
    """azure-facts A.8."""
    words = "x" * 997
    looping = copy.deepcopy(task)
    looping["properties"]["restartPolicy"] = "Always"
    looping["properties"]["containers"][0]["properties"]["command"] = [
        f"while true; do echo {words}; sleep 1; done"
    ]
    ended = task["properties"]["containers"][0]["properties"]
    ended["command"] = ["; ".join([f"echo {words}"] * 20)]
    many = {**ended, "command": ["; ".join(["echo a"] * 1200)]}
    task["properties"]["containers"] += [{"name": "many", "properties": many}]
    client = make(time=clock)
    client.put(looping)
    client.put(task, name="job")
    clock.advance(10_000)

    running = logs(client)
    job = logs(client, group="job")

    assert len(running) == (4 << 20) // 998 * 998
    assert len(job) == (16 << 10) // 998 * 998
    assert logs(client, group="job", container="many") == "a\n" * 1000
