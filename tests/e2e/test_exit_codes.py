"""Every exit code, as a pipeline sees it (design, section 6), and what is touched by then."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time

import pytest

from reconciler.emulator import Call, Reply
from tests.conftest import Repository, command, group, refusal, task

AZURE = ("plan", "apply --yes", "drift", "status", "destroy --confirm shop", "logs web")


# 0


def test_an_apply_that_did_what_it_should_is_0(repository: Repository) -> None:
    repository.given_home()
    repository.write(group())

    done = repository.here("apply", "--yes")
    again = repository.here("apply", "--yes")

    assert (done.code, again.code) == (0, 0)
    assert done.out.splitlines()[-1] == "Applied 1 of 1: 1 created"
    assert again.out.splitlines()[-1] == "Apply: no changes, 1 of 1 unchanged"
    assert repository.writes[1:] == ["PUT web"]


# 1


def test_a_port_where_nobody_listens_is_1(repository: Repository) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        repository.write(group())

        done = command("plan", "--endpoint", f"http://127.0.0.1:{port}", cwd=repository.root)

    assert done.code == 1
    assert done.out == ""
    assert done.err.startswith("aci-reconcile: error: list ")
    assert f"127.0.0.1:{port}" in done.err or "connection" in done.err.lower()


def test_a_refusal_of_azures_is_1_with_its_code_and_request_id(shop: Repository) -> None:
    shop.intercept(
        lambda call: Reply(
            status=403,
            body={"error": {"code": "AuthorizationFailed", "message": "no role"}},
            headers={"x-ms-request-id": "11112222-3333"},
        )
    )

    done = shop.here("plan")

    assert done.code == 1
    assert "AuthorizationFailed" in done.err
    assert "no role" in done.err
    assert "11112222-3333" in done.err
    assert done.out == ""


def test_an_apply_in_which_every_write_was_refused_is_1(repository: Repository) -> None:
    repository.given_home()
    repository.write(group())
    repository.intercept(
        lambda call: refusal(400, "QuotaReached", "no cores") if call.method == "PUT" else None
    )

    done = repository.here("apply", "--yes")

    assert done.code == 1
    assert "QuotaReached" in done.out
    assert done.out.splitlines()[-1].startswith("Applied 0 of 1: 1 failed")


# 2


def test_changes_are_2_only_where_that_is_asked_for(shop: Repository) -> None:
    shop.write(group(image="nginx:2"))

    asked = shop.here("plan", "--detailed-exitcode")
    usual = shop.here("plan")
    unchanged = shop.here("plan", "other.yaml", "--detailed-exitcode")

    assert (asked.code, usual.code, unchanged.code) == (2, 0, 0)


def test_drift_is_always_2(shop: Repository) -> None:
    none = shop.here("drift")
    shop.set_image("web", "nginx:hotfix")

    found = shop.here("drift")

    assert (none.code, found.code) == (0, 2)
    assert "nginx:hotfix" in found.out
    assert "drift" in found.out.splitlines()[-1]


def test_an_orphan_that_is_only_reported_is_no_change(shop: Repository) -> None:
    shop.forget("other")

    planned = shop.here("plan", "--detailed-exitcode")

    assert planned.code == 0
    assert "rg-shop/other  orphan, left alone" in planned.out


# 3


@pytest.mark.parametrize("line", ["validate", *AZURE])
def test_manifests_with_errors_are_3_and_nothing_is_asked_of_azure(
    repository: Repository, line: str
) -> None:
    repository.file("bad.yaml", "name: web\nproperties:\n  osTyp: Linux\n")
    repository.file("worse.yaml", "name: [\n")

    done = repository.here(*line.split())

    assert done.code == 3
    assert done.err == ""
    assert "bad.yaml:3:3: M201" in done.out
    assert "worse.yaml:" in done.out
    assert repository.requests == []


def test_a_project_file_with_errors_is_3(repository: Repository) -> None:
    repository.file("aci-reconcile.yaml", "owner: shop\npatchs: []\n")
    repository.write(group())

    done = repository.here("plan")

    assert done.code == 3
    assert "aci-reconcile.yaml:2:1:" in done.out


# 4


@pytest.mark.parametrize("line", ["plan", "plan --detailed-exitcode", "apply --yes"])
def test_a_refusal_is_4_and_the_whole_plan_is_shown(shop: Repository, line: str) -> None:
    shop.given(group("theirs"), tags={"aci-reconcile-owner": "theirs"})
    shop.write(group("theirs"), group("new"))
    before = shop.writes

    done = shop.here(*line.split())

    assert done.code == 4
    assert "rg-shop/new  create" in done.out
    assert "owned by 'theirs', not by 'shop'" in done.out
    assert "blocked by 1 refusal" in done.out.splitlines()[-1]
    assert shop.writes == before


def test_excluding_the_refused_group_lets_the_others_go_on(shop: Repository) -> None:
    shop.given(group("theirs"), tags={"aci-reconcile-owner": "theirs"})
    shop.write(group("theirs"), group("new"))

    done = shop.here("apply", "--yes", "--exclude", "theirs")

    assert done.code == 0
    assert "new" in shop.names


def test_a_limit_is_4_and_tells_the_exact_consent(shop: Repository) -> None:
    shop.write(*(group(f"g{n}") for n in range(2)))
    shop.apply()
    shop.forget("g0", "g1")

    blocked = shop.here("apply", "--prune", "--yes")
    consented = shop.here("apply", "--prune", "--yes", "--allow", "delete=2")

    assert (blocked.code, consented.code) == (4, 0)
    assert "maxDeletes  blocks the whole plan" in blocked.out
    assert "--allow delete=2" in blocked.out
    assert shop.names == ["other", "web"]


def test_credentials_for_another_subscription_are_4(repository: Repository) -> None:
    repository.write(group())
    credentials = {
        "clientId": "a",
        "clientSecret": "hunter2-long",
        "tenantId": "b",
        "subscriptionId": "99999999-9999-9999-9999-999999999999",
    }
    path = repository.file("credentials.json", credentials)

    done = command("plan", cwd=repository.root, environ={"AZURE_AUTH_LOCATION": str(path)})

    assert done.code == 4
    assert "99999999" in done.out
    assert "hunter2" not in done.out + done.err


def test_secrets_that_cannot_be_had_are_4_before_anything_is_written(
    repository: Repository,
) -> None:
    repository.given_home()
    unset = [
        {"name": name, "secureValue": {"fromEnv": f"UNSET_{name}"}} for name in ("FIRST", "LAST")
    ]
    repository.write(group(env=unset), group("a"))

    planned = repository.here("plan")
    done = repository.here("apply", "--yes")

    assert (planned.code, done.code) == (0, 4)
    assert "M402" in planned.out
    error, first, last = done.err.splitlines()
    assert "2 secrets" in error
    assert "nothing was touched" in error
    assert "web.yaml:" in first
    assert "UNSET_FIRST" in first
    assert "UNSET_LAST" in last
    assert repository.names == []


# 5


def appearing(repository: Repository):
    """Lets the group web appear between the plan and its write."""
    seen: list[str] = []

    def answer(call: Call) -> None:
        if call.method == "GET" and call.path.endswith("/web") and not seen:
            seen.append(call.path)
            repository.given(group(image="theirs:1"))

    return answer


def test_what_moved_since_the_plan_is_5(repository: Repository) -> None:
    repository.given_home()
    repository.write(group())
    repository.intercept(appearing(repository))
    before = repository.writes

    done = repository.here("apply", "--yes")

    assert done.code == 5
    assert "it appeared since the plan" in done.out
    assert repository.writes == before


# 6


def test_some_failed_is_6_and_says_which(repository: Repository) -> None:
    repository.given_home()
    repository.write(group("a"), group("b"), group("c", reconcile={"dependsOn": ["b"]}))
    repository.intercept(
        lambda call: (
            refusal(400, "QuotaReached", "no cores")
            if call.method == "PUT" and call.path.endswith("/b")
            else None
        )
    )

    done = repository.here("apply", "--yes", "-o", "text", "-o", "json=result.json")

    assert done.code == 6
    assert done.out.splitlines()[-1].startswith(
        "Applied 1 of 3: 1 created, 1 failed, 1 not started"
    )
    result = json.loads((repository.root / "result.json").read_text())
    assert result["exitCode"] == 6
    assert {o["name"]: o["status"] for o in result["outcomes"]} == {
        "rg-shop/a": "succeeded",
        "rg-shop/b": "failed",
        "rg-shop/c": "not started",
    }


def test_running_again_after_a_failure_does_the_rest(repository: Repository) -> None:
    repository.given_home()
    repository.write(group("a"), group("b"))
    repository.intercept(
        lambda call: (
            refusal(400, "QuotaReached")
            if call.path.endswith("/b") and call.method == "PUT"
            else None
        )
    )
    repository.here("apply", "--yes")
    repository.pass_all()

    done = repository.here("apply", "--yes")

    assert done.code == 0
    assert done.out.splitlines()[-1] == "Applied 1 of 1: 1 created; 1 unchanged"


# 7


def test_a_task_that_ends_badly_is_7_with_its_log(repository: Repository) -> None:
    repository.given_home()
    repository.write(task(script="echo half way; exit 3"))

    done = repository.here("apply", "--yes")

    assert done.code == 7
    assert "exit code 3" in done.out
    assert "| half way" in done.out
    assert "1 unhealthy" in done.out.splitlines()[-1]


# 64


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "COMMAND"),
        ("plna", "plna"),
        ("plan --nonsense", "--nonsense"),
        ("plan --emulator --endpoint http://127.0.0.1:1", "not allowed with"),
        ("plan -o text -o json", "more than one -o writes to stdout"),
        ("plan -o yaml", "text, json"),
        ("plan -o json=", "expected a path"),
        ("plan --parallelism 0", "from 1 to 1000"),
        ("apply --yes --allow delete", "delete=N"),
        ("apply --yes --allow delete=0", "N from 1"),
        ("apply --yes --allow delete=1 --allow delete=2", "given twice"),
        ("plan --endpoint http://management.azure.com", "plain http is for this machine alone"),
        ("plan --endpoint ftp://127.0.0.1", "https"),
        ("plan -e prod", "environment"),
        ("apply --emulator", "--yes"),
        ("destroy --emulator", "--confirm shop"),
        ("destroy --emulator --confirm somebody", "expected 'shop', got 'somebody'"),
        ("destroy --emulator --confirm shop web.yaml", "whole project"),
        ("plan --emulator --exclude nothing", "no group 'nothing'"),
        ("apply --emulator --yes --allow delete=1", "consents to more than the 0"),
        ("logs", "NAME"),
        ("logs nothing --emulator", "no group 'nothing'"),
        ("schema nothing", "nothing"),
        ("emulator --port 70000", "65535"),
    ],
)
def test_a_command_line_that_cannot_be_meant_is_64(
    repository: Repository, line: str, says: str
) -> None:
    repository.write(group(), group("other"))

    done = command(*line.split(), cwd=repository.root)

    assert done.code == 64, done
    assert says in done.err
    assert done.out == ""


def test_an_apply_without_a_terminal_and_without_yes_is_64_and_asks_azure_nothing(
    repository: Repository,
) -> None:
    repository.write(group())

    done = repository.here("apply")

    assert done.code == 64
    assert "add --yes" in done.err
    assert repository.requests == []


def test_without_a_project_file_nothing_is_asked_of_azure(repository: Repository) -> None:
    repository.write(group())
    (repository.root / "aci-reconcile.yaml").unlink()

    done = repository.here("plan")
    valid = repository.here("validate")

    assert done.code == 64
    assert "no project file aci-reconcile.yaml" in done.err
    assert "owner: NAME" in done.err
    assert valid.code == 0


@pytest.mark.parametrize("line", ["plan", "status", "logs web"])
def test_where_environments_exist_one_must_be_named(repository: Repository, line: str) -> None:
    repository.project(environments={"prod": {}, "test": {}})
    repository.write(group())

    done = repository.here(*line.split())

    assert done.code == 64
    assert "-e with one of: prod, test" in done.err
    assert repository.requests == []


def test_a_short_secret_key_is_64_and_is_not_shown(repository: Repository) -> None:
    repository.write(group())
    repository.environ["ACI_RECONCILE_SECRET_KEY"] = "hunter2"

    done = repository.here("plan")

    assert done.code == 64
    assert "at least 16 characters" in done.err
    assert "hunter2" not in done.err


# 130


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_apply_is_130_once_what_runs_is_over(
    repository: Repository, in_background, number: signal.Signals
) -> None:
    repository.given_home()
    repository.write(group("a"), group("b"))
    release = []

    def answer(call: Call) -> Reply | None:
        if "/operations/" in call.path and not release:
            return Reply(status=200, body={"status": "Running"})
        return None

    repository.intercept(answer)
    apply = in_background(
        "apply",
        "--yes",
        "--parallelism",
        "1",
        "-o",
        "json",
        "--endpoint",
        repository.emulator.url,
        cwd=repository.root,
    )
    apply.line_with("rg-shop/a: waiting for Azure's operation")

    apply.signal(number)
    release.append(True)
    done = apply.end()

    result = json.loads(done.out)
    assert (done.code, result["exitCode"], result["interrupted"]) == (130, 130, True)
    assert {o["name"]: o["status"] for o in result["outcomes"]} == {
        "rg-shop/a": "succeeded",
        "rg-shop/b": "not started",
    }
    assert repository.names == ["a"]


@pytest.mark.parametrize(
    "start",
    [
        pytest.param("from reconciler.cli.main import run; run()", id="console script"),
        pytest.param(
            "import runpy; runpy.run_module('reconciler', run_name='__main__')", id="python -m"
        ),
    ],
)
def test_a_second_interrupt_leaves_at_once(
    repository: Repository, in_background, start: str
) -> None:
    repository.given_home()
    repository.write(group("a"))
    repository.intercept(
        lambda call: (
            Reply(status=200, body={"status": "Running"}) if "/operations/" in call.path else None
        )
    )
    where = ("--endpoint", repository.emulator.url)
    apply = in_background("apply", "--yes", *where, cwd=repository.root, program=("-c", start))
    apply.line_with("rg-shop/a: waiting for Azure's operation")

    apply.signal(signal.SIGINT)
    time.sleep(0.7)  # the first one has been seen by then
    apply.signal(signal.SIGINT)
    done = apply.end(within=10)

    assert done.code == 130
    assert "1 action is being finished; interrupt again to leave at once" in done.err
    assert "rg-shop/a  create: no outcome, it may be under way in Azure" in done.out


def test_an_interrupt_while_azure_is_read_is_130(repository: Repository, in_background) -> None:
    repository.write(group())
    reached, release = threading.Event(), threading.Event()

    def answer(call: Call) -> None:
        reached.set()
        release.wait(5)

    repository.intercept(answer)
    plan = in_background("plan", "--endpoint", repository.emulator.url, cwd=repository.root)
    assert reached.wait(10)

    plan.signal(signal.SIGINT)
    done = plan.end()
    release.set()

    assert done.code == 130
    assert done.out == ""
