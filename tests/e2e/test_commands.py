"""Each command as it is typed: what it prints where, what it asks, what it leaves behind."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
import requests

from reconciler.emulator import PLENTY, Call, Emulator, Polls
from tests.conftest import (
    CHECKOUT,
    Repository,
    command,
    conforms,
    environment_of,
    group,
    home,
    refusal,
    task,
)

ESCAPE = "\x1b["


def result_of(text: str) -> dict:
    """The JSON of a report, checked against its published schema."""
    document = json.loads(text)
    conforms(document)
    return document


# help and version


def test_the_version_is_told(repository: Repository) -> None:
    from reconciler import __version__

    done = command("--version", cwd=repository.root)

    assert (done.code, done.out, done.err) == (0, f"aci-reconcile {__version__}\n", "")


def test_the_help_teaches(repository: Repository) -> None:
    done = command("--help", cwd=repository.root)

    assert done.code == 0
    assert "exit codes:" in done.out
    for name in (
        "validate",
        "plan",
        "apply",
        "drift",
        "status",
        "logs",
        "destroy",
        "schema",
        "explain",
        "emulator",
        "demo",
    ):
        assert re.search(rf"^    {name} +\S", done.out, re.MULTILINE), name


@pytest.mark.parametrize("name", ["apply", "logs", "emulator"])
def test_each_command_has_a_help_of_its_own(repository: Repository, name: str) -> None:
    done = command(name, "--help", cwd=repository.root)

    assert done.code == 0
    assert done.out.startswith(f"usage: aci-reconcile {name} ")
    assert done.err == ""


# streams


def test_results_go_to_stdout_and_progress_to_stderr(repository: Repository) -> None:
    repository.given_home()
    repository.write(group())

    done = repository.here("apply", "--yes")

    assert "rg-shop/web: writing" not in done.out
    assert "rg-shop/web: writing" in done.err
    assert "rg-shop/web: succeeded (1 of 1)" in done.err
    assert "Applied 1 of 1" not in done.err


def test_a_plan_shows_old_and_new_why_and_what_it_costs(shop: Repository) -> None:
    shop.write(group(image="nginx:2", tags={"team": "shop"}))

    done = shop.here("plan")

    assert done.err == ""
    assert ESCAPE not in done.out  # without a terminal there is no colour
    assert "rg-shop/web  update" in done.out
    assert "nginx:1.27" in done.out
    assert "nginx:2" in done.out
    assert "why    image can change in place" in done.out
    assert "costs  restarts 1 container" in done.out
    assert done.out.splitlines()[-1] == (
        "Plan: 1 to update (restarts 1 container), 1 of 2 unchanged"
    )


@pytest.mark.parametrize(
    ("environ", "is_coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
    ids=["usual", "NO_COLOR", "dumb"],
)
def test_a_terminal_gets_colour_unless_it_does_not_want_it(
    shop: Repository, on_terminal, environ: dict, is_coloured: bool
) -> None:
    shop.write(group(image="nginx:2"))
    shop.environ = dict(environ)

    done = on_terminal(shop, "plan").end()

    assert done.code == 0
    assert "nginx:2" in done.out
    assert (ESCAPE in done.out) is is_coloured


def test_json_on_stdout_is_all_there_is_on_stdout(shop: Repository) -> None:
    shop.write(group(image="nginx:2", tags={"team": "shop"}))

    planned = shop.here("plan", "-o", "json")
    applied = shop.here("apply", "--yes", "-o", "json")
    stands = shop.here("status", "-o", "json")

    (action,) = [a for a in result_of(planned.out)["actions"] if a["action"] != "no-op"]
    assert (action["name"], action["action"], action["restarts"]) == ("rg-shop/web", "update", 1)
    (outcome,) = result_of(applied.out)["outcomes"]
    assert (outcome["name"], outcome["status"]) == ("rg-shop/web", "succeeded")
    assert {g["name"]: g["sync"] for g in result_of(stands.out)["groups"]} == {
        "rg-shop/other": "in sync",
        "rg-shop/web": "in sync",
    }


def test_json_to_a_file_and_text_to_stdout(shop: Repository) -> None:
    done = shop.here("plan", "-o", "text", "-o", "json=plan.json")
    alone = shop.here("plan", "-o", "json=alone.json")

    assert (done.code, alone.code, alone.out) == (0, 0, "")
    assert done.out.splitlines()[-1] == "Plan: no changes, 2 of 2 unchanged"
    written = (shop.root / "plan.json").read_text()
    assert result_of(written)["exitCode"] == 0
    documents = [result_of((shop.root / name).read_text()) for name in ("alone.json", "plan.json")]
    for document in documents:
        for varies in ("planId", "createdAt", "expiresAt"):
            del document[varies]
    assert documents[0] == documents[1]
    assert not list(shop.root.glob(".*partial"))


def test_a_file_that_cannot_be_written_is_an_error_without_a_traceback(shop: Repository) -> None:
    shop.write(group(image="nginx:2"))
    before = shop.writes

    done = shop.here("apply", "--yes", "-o", "json=nowhere/result.json", "-o", "text")

    assert done.code == 1
    assert "nowhere/result.json: there is no folder" in done.err
    assert shop.writes == before  # better known before than after


@pytest.mark.parametrize("path", [".", "/", "web.yaml/x", "x" * 300])
def test_a_path_that_cannot_be_a_file_is_an_error_without_a_traceback(
    shop: Repository, path: str
) -> None:
    done = shop.here("plan", "-o", f"json={path}")

    assert done.code == 1
    assert "internal error" not in done.err
    assert done.err.startswith("aci-reconcile: error: ")


def test_a_report_keeps_the_mode_and_the_link_of_the_file_it_replaces(shop: Repository) -> None:
    target, link = shop.root / "kept.json", shop.root / "link.json"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)

    done = shop.here("plan", "-o", "json=link.json")

    assert done.code == 0
    assert link.is_symlink()
    assert json.loads(target.read_text())["kind"] == "Plan"
    assert target.stat().st_mode & 0o777 == 0o640


def test_a_report_goes_into_a_pipe_and_does_not_replace_it(shop: Repository) -> None:
    pipe = shop.root / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()

    done = shop.here("plan", "-o", "json=pipe")
    reader.join(10)

    assert done.code == 0
    assert pipe.is_fifo()
    assert json.loads(read[0])["kind"] == "Plan"


def test_an_empty_endpoint_is_no_way_to_the_real_azure(shop: Repository) -> None:
    done = command("plan", "--endpoint", "", cwd=shop.root)

    assert done.code == 64
    assert "--endpoint: expected a value" in done.err


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "2>/dev/full"])
def test_a_closed_stream_is_no_internal_error(shop: Repository, closed: str) -> None:
    shop.write(group(image="nginx:2"))
    line = f"{sys.executable} -m reconciler apply --yes --endpoint {shop.emulator.url} {closed}"

    done = subprocess.run(
        ["/bin/sh", "-c", line], cwd=shop.root, env=environment_of(), capture_output=True, text=True
    )

    assert done.returncode == 0
    assert "internal error" not in done.stderr
    assert shop.live("web")["properties"]["containers"][0]["properties"]["image"] == "nginx:2"


def test_drift_waits_until_a_group_in_transition_can_be_compared(
    make_repository: Callable[..., Repository],
) -> None:
    with Emulator(time=Polls(6, 0), limits=PLENTY) as slow:
        shop = make_repository(slow)
        shop.given_home()
        shop.write(group())
        shop.apply()
        body = shop.live("web")
        body["properties"]["containers"][0]["properties"]["image"] = "nginx:hacked"
        shop.put("web", body)

        done = shop.here("drift")

    assert done.code == 2
    assert "nginx:hacked" in done.out


def test_a_reader_that_goes_away_is_no_traceback(shop: Repository) -> None:
    line = f"{os.sys.executable} -m reconciler plan -v --endpoint {shop.emulator.url} | head -c 1"
    import subprocess

    from tests.conftest import environment_of

    done = subprocess.run(
        ["/bin/sh", "-c", line], cwd=shop.root, env=environment_of(), capture_output=True, text=True
    )

    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


# validate


def test_validating_says_what_it_looked_at(repository: Repository) -> None:
    repository.write(home(), group())

    done = repository.here("validate")

    assert (done.code, done.err) == (0, "")
    assert done.out == "0 errors, 0 warnings in 2 files (2 documents)\n"


def test_all_findings_of_all_files_are_told_at_once_in_every_format(
    repository: Repository,
) -> None:
    repository.file("a.yaml", "name: a\nproperties:\n  osTyp: Linux\n")
    repository.file("b.yaml", "name: b\nname: b\n")

    done = repository.here("validate", "-o", "text", "-o", "json=found.json")

    found = result_of((repository.root / "found.json").read_text())
    assert done.code == found["exitCode"] == 3
    assert {one["file"] for one in found["findings"]} == {"a.yaml", "b.yaml"}
    assert "a.yaml:3:3: M201" in done.out
    assert "did you mean" in done.out or "; try 'osType'" in done.out


def test_without_a_name_every_environment_is_validated(repository: Repository) -> None:
    repository.project(
        environments={"good": {"variables": {"tag": "1"}}, "bad": {}},
    )
    repository.write(group(image="nginx:${var:tag}"))

    every = repository.here("validate")
    good = repository.here("validate", "-e", "good")

    assert (every.code, good.code) == (3, 0)
    assert "web.yaml:" in every.out


# consent


def test_consent_by_name_is_what_the_plan_asked_for(repository: Repository) -> None:
    repository.given_home()
    repository.write(group("grown"))
    repository.apply()
    repository.given(group("theirs", image="theirs:1"))
    repository.write(group("grown", cpu=2), group("theirs"))

    blocked = repository.here("plan")
    done = repository.here("apply", "--yes", "--replace", "grown", "--adopt", "RG-SHOP/theirs")

    assert (blocked.code, done.code) == (4, 0)
    assert "--replace rg-shop/grown" in blocked.out
    assert "--adopt rg-shop/theirs" in blocked.out
    assert done.out.splitlines()[-1] == "Applied 2 of 2: 1 updated, 1 replaced"


# asking


def test_an_apply_asks_and_does_it_after_a_yes(shop: Repository, on_terminal) -> None:
    shop.write(group(image="nginx:2"))
    terminal = on_terminal(shop, "apply")
    terminal.wait_for("Only 'yes' is taken for a yes:")
    untouched = shop.live("web")["properties"]["containers"][0]["properties"]["image"]

    terminal.answer("yes")
    done = terminal.end()

    assert untouched == "nginx:1.27"
    assert done.code == 0
    assert "1 updated" in done.out
    assert shop.live("web")["properties"]["containers"][0]["properties"]["image"] == "nginx:2"


@pytest.mark.parametrize("answer", ["no", "y", "", "YES"])
def test_anything_but_yes_touches_nothing(shop: Repository, on_terminal, answer: str) -> None:
    shop.write(group(image="nginx:2"))
    before = shop.writes
    terminal = on_terminal(shop, "apply")
    terminal.wait_for("is taken for a yes:")

    terminal.answer(answer)
    done = terminal.end()

    assert done.code == 4
    assert "nothing was touched" in done.out
    assert shop.writes == before


def test_ctrl_c_at_the_question_touches_nothing(shop: Repository, on_terminal) -> None:
    shop.write(group(image="nginx:2"))
    before = shop.writes
    terminal = on_terminal(shop, "apply")
    terminal.wait_for("is taken for a yes:")

    terminal.interrupt()
    done = terminal.end()

    assert done.code == 130
    assert shop.writes == before


def test_what_moves_while_somebody_thinks_is_stale(shop: Repository, on_terminal) -> None:
    shop.write(group(image="nginx:2"))
    before = shop.writes
    terminal = on_terminal(shop, "apply")
    terminal.wait_for("is taken for a yes:")
    shop.set_image("web", "nginx:hotfix")

    terminal.answer("yes")
    done = terminal.end()

    assert done.code == 5
    assert "its definition changed since the plan" in done.out
    assert shop.writes == before


def test_nothing_is_asked_where_nothing_is_to_be_done(shop: Repository, on_terminal) -> None:
    done = on_terminal(shop, "apply").end()

    assert done.code == 0
    assert "no changes" in done.out


# scope


def test_a_path_argument_that_leaves_out_manifests_prunes_nothing(shop: Repository) -> None:
    shop.forget("other")
    shop.write(group("new"), group(tags={"team": "shop"}))

    refused = shop.here("apply", "--yes", "--prune", "new.yaml")
    done = shop.here("apply", "--yes", "new.yaml")

    assert (refused.code, done.code) == (4, 0)
    assert "partialScope" in refused.out
    assert "partial scope" in done.out
    assert shop.names == ["new", "other", "web"]


def test_a_path_argument_that_names_all_of_the_project_is_the_whole(shop: Repository) -> None:
    shop.forget("other")

    done = shop.here("apply", "--yes", "--prune", ".")

    assert done.code == 0
    assert "partial scope" not in done.out
    assert shop.names == ["web"]


def test_a_dependency_outside_the_scope_is_known(shop: Repository) -> None:
    shop.write(group("new", reconcile={"dependsOn": ["web"]}))

    done = shop.here("apply", "--yes", "new.yaml")

    assert done.code == 0
    assert "new" in shop.names


def test_a_project_is_found_from_a_folder_below_it(shop: Repository) -> None:
    (shop.root / "below").mkdir()

    done = command("plan", "--endpoint", shop.emulator.url, cwd=shop.root / "below")

    assert done.code == 0
    assert done.out.splitlines()[-1] == "Plan: no changes, 2 of 2 unchanged"


def test_each_environment_has_a_subscription_and_an_owner_of_its_own(
    repository: Repository,
) -> None:
    import uuid

    prod = str(uuid.uuid4())
    repository.given_home()
    repository.project(
        variables={"tag": "1.10"},
        environments={
            "test": {},
            "prod": {"subscription": prod, "variables": {"tag": "1.9"}},
        },
    )
    repository.write(home(), group(image="nginx:${var:tag}"))

    tested = repository.here("apply", "--yes", "-e", "test")
    done = repository.here("apply", "--yes", "--env", "prod")

    assert (tested.code, done.code) == (0, 0)
    (group_in_prod,) = repository.emulator.groups(prod)
    assert group_in_prod["tags"]["aci-reconcile-owner"] == "shop/prod"
    images = [
        g["properties"]["containers"][0]["properties"]["image"]
        for g in (group_in_prod, repository.live("web"))
    ]
    assert images == ["nginx:1.9", "nginx:1.10"]


# status


def test_status_is_one_row_a_group(shop: Repository) -> None:
    shop.write(group("new"))
    shop.set_image("other", "nginx:hotfix")
    shop.given(group("theirs"), tags={"aci-reconcile-owner": "theirs"})

    done = shop.here("status")

    rows = {
        line.split()[0]: re.split(r" {2,}", line)[1:4]
        for line in done.out.splitlines()
        if "rg-shop/" in line
    }
    assert done.code == 0
    assert rows["rg-shop/web"] == ["in sync", "Succeeded", "Running"]
    assert rows["rg-shop/other"] == ["drifted", "Succeeded", "Running"]
    assert rows["rg-shop/new"][0] == "missing"
    assert "theirs" not in done.out


def test_status_shows_restarts_and_addresses(repository: Repository) -> None:
    address = {"type": "Public", "ports": [{"port": 80, "protocol": "TCP"}]}
    crashing = group("crashing", command=("/bin/sh", "-c", "exit 1"))
    public = group(ipAddress=address)
    public["properties"]["containers"][0]["properties"]["ports"] = [{"port": 80}]
    repository.given_home()
    repository.write(public, crashing)
    repository.apply()

    done = repository.here("status", "-o", "json")

    groups = {g["name"]: g for g in result_of(done.out)["groups"]}
    assert groups["rg-shop/crashing"]["restarts"] > 0
    assert re.fullmatch(r"\d+(\.\d+){3}", groups["rg-shop/web"]["endpoint"])


# logs


@pytest.fixture
def tasks(repository: Repository) -> Repository:
    """A finished task, twice: in two resource groups."""
    repository.given_home()
    repository.given_home("rg-two")
    repository.write(task("job", script="echo one"), task("single", script="echo alone"))
    repository.file(
        "second.yaml", task("job", script="echo two", reconcile={"resourceGroup": "rg-two"})
    )
    repository.apply()
    return repository


@pytest.mark.parametrize("name", ["SINGLE", "RG-Shop/Single"])
def test_logs_of_a_group_named_in_any_way(tasks: Repository, name: str) -> None:
    done = tasks.run("logs", name)

    assert (done.code, done.out, done.err) == (0, "alone\n", "")


def test_an_ambiguous_name_lists_both(tasks: Repository) -> None:
    ambiguous = tasks.run("logs", "job")
    exact = tasks.run("logs", "rg-two/job")

    assert ambiguous.code == 64
    assert "'rg-shop/job', 'rg-two/job'" in ambiguous.err
    assert (exact.code, exact.out) == (0, "two\n")


def test_logs_of_one_container_or_of_all(repository: Repository) -> None:
    both = task("pair", script="echo first")
    second = json.loads(json.dumps(both["properties"]["containers"][0]).replace("first", "second"))
    both["properties"]["containers"].append({**second, "name": "sidecar"})
    repository.given_home()
    repository.write(both)
    repository.apply()

    every = repository.here("logs", "pair")
    one = repository.here("logs", "pair", "sidecar")
    none = repository.here("logs", "pair", "nothing")

    assert every.out == "==> pair <==\nfirst\n==> sidecar <==\nsecond\n"
    assert one.out == "second\n"
    assert none.code == 64
    assert "there are: pair, sidecar" in none.err


def test_logs_can_be_cut_and_stamped(repository: Repository) -> None:
    repository.given_home()
    repository.write(task(script="echo one; echo two; echo three"))
    repository.apply()

    cut = repository.here("logs", "job", "--tail", "1")
    stamped = repository.here("logs", "job", "--timestamps")

    assert cut.out == "three\n"
    assert re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z one\n", stamped.out)


def test_logs_of_a_group_that_is_not_there_yet(repository: Repository) -> None:
    repository.write(task())

    done = repository.here("logs", "job")

    assert done.code == 64
    assert "does not exist in Azure" in done.err


def test_logs_of_an_orphan_of_ours(tasks: Repository) -> None:
    tasks.forget("single")

    assert tasks.run("logs", "single").out == "alone\n"


# destroy


def test_destroy_removes_what_the_owner_owns_and_nothing_else(shop: Repository) -> None:
    shop.given(group("theirs"), tags={"aci-reconcile-owner": "theirs"})
    shop.given(group("nobodys"))
    shop.given(group("copy"), tags=shop.tags("web"))
    shop.forget("other")

    done = shop.here("destroy", "--confirm", "shop")

    assert done.code == 0
    assert done.out.splitlines()[-1].endswith("2 of 2: 2 deleted")
    assert shop.names == ["copy", "nobodys", "theirs"]
    assert shop.counting("DELETE", "rg-shop") == 0


def test_the_result_of_a_destroy_says_destroyed(shop: Repository) -> None:
    done = shop.here("destroy", "--confirm", "shop", "-o", "text", "-o", "json=result.json")

    assert json.loads((shop.root / "result.json").read_text())["command"] == "destroy"
    assert done.out.splitlines()[-1] == "Destroyed 2 of 2: 2 deleted"


def test_destroy_asks_for_the_owners_name(shop: Repository, on_terminal) -> None:
    wrong = on_terminal(shop, "destroy")
    wrong.wait_for("Only 'shop' is taken for a yes:")
    wrong.answer("yes")
    refused = wrong.end()
    kept = shop.names
    right = on_terminal(shop, "destroy")
    right.wait_for("Only 'shop' is taken for a yes:")

    right.answer("shop")
    done = right.end()

    assert (refused.code, kept) == (4, ["other", "web"])
    assert "nothing was touched" in refused.out
    assert (done.code, shop.names) == (0, [])


def test_destroy_twice_has_nothing_to_do(shop: Repository) -> None:
    shop.here("destroy", "--confirm", "shop")

    done = shop.here("destroy", "--confirm", "shop")

    assert done.code == 0
    assert "no changes" in done.out


def test_destroy_does_not_touch_what_is_protected(shop: Repository) -> None:
    shop.write(group(tags={"team": "shop"}, reconcile={"protect": True}))
    shop.apply()

    done = shop.here("destroy", "--confirm", "shop")

    assert done.code == 4
    assert "it is protected" in done.out
    assert shop.names == ["other", "web"]


def resource_groups(repository: Repository) -> list[str]:
    url = f"{repository.emulator.url}/subscriptions/{repository.subscription}/resourcegroups"
    found = requests.get(url, params={"api-version": "2021-04-01"}, timeout=10).json()
    return sorted(one["name"] for one in found["value"])


def test_resource_groups_go_only_when_asked_for(repository: Repository) -> None:
    repository.write(home(), group())
    repository.apply()

    kept = repository.here("destroy", "--confirm", "shop")
    still = resource_groups(repository)
    gone = repository.here("destroy", "--confirm", "shop", "--resource-groups")

    assert (kept.code, still) == (0, ["rg-shop"])
    assert (gone.code, resource_groups(repository)) == (0, [])


def test_a_resource_group_goes_after_its_groups(repository: Repository) -> None:
    repository.write(home(), group("a"), group("b"))
    repository.apply()

    done = repository.here("destroy", "--confirm", "shop", "--resource-groups")

    assert done.code == 0
    assert done.out.splitlines()[-1].endswith("3 of 3: 3 deleted")
    assert sorted(repository.writes[-3:-1]) == ["DELETE a", "DELETE b"]
    assert repository.writes[-1] == "DELETE rg-shop"


def test_a_resource_group_that_holds_something_else_is_refused_with_the_list(
    repository: Repository,
) -> None:
    repository.write(home(), group())
    repository.apply()
    held = repository.emulator.place_resource(
        repository.subscription, "rg-shop", "Microsoft.Storage/storageAccounts", "precious"
    )

    done = repository.here("destroy", "--confirm", "shop", "--resource-groups")

    assert done.code == 4
    assert held.rpartition("/")[2] in done.out
    assert repository.names == ["web"]


def test_a_resource_group_with_a_group_of_others_is_refused(repository: Repository) -> None:
    repository.write(home(), group())
    repository.apply()
    repository.given(group("theirs"), tags={"aci-reconcile-owner": "theirs"})

    done = repository.here("destroy", "--confirm", "shop", "--resource-groups")

    assert done.code == 4
    assert "containerGroups/theirs" in done.out
    assert repository.names == ["theirs", "web"]


@pytest.mark.parametrize("tags", [{}, {"aci-reconcile-created": "theirs"}])
def test_a_resource_group_that_we_did_not_create_is_refused(
    repository: Repository, tags: dict
) -> None:
    repository.given_home(tags=tags)
    repository.write(home(), group())
    repository.apply()

    done = repository.here("destroy", "--confirm", "shop", "--resource-groups")

    assert done.code == 4
    assert resource_groups(repository) == ["rg-shop"]
    assert repository.names == ["web"]


def test_a_resource_group_that_no_manifest_declares_stays(repository: Repository) -> None:
    repository.write(home(), group())
    repository.apply()
    repository.forget("rg-shop")

    done = repository.here("destroy", "--confirm", "shop", "--resource-groups")

    assert done.code == 0
    assert resource_groups(repository) == ["rg-shop"]


def test_a_resource_group_that_fills_up_meanwhile_is_not_deleted(repository: Repository) -> None:
    repository.write(home(), group())
    repository.apply()

    def answer(call: Call) -> None:
        if call.method == "DELETE" and call.path.endswith("/web"):
            repository.emulator.place_resource(
                repository.subscription, "rg-shop", "Microsoft.Storage/storageAccounts", "precious"
            )

    repository.intercept(answer)

    done = repository.here("destroy", "--confirm", "shop", "--resource-groups")

    assert done.code == 6
    assert "precious" in done.out
    assert resource_groups(repository) == ["rg-shop"]


def test_a_resource_group_stays_when_one_of_its_groups_could_not_be_deleted(
    repository: Repository,
) -> None:
    repository.write(home(), group())
    repository.apply()
    repository.intercept(
        lambda call: (
            refusal(409, "ScopeLocked", "a lock")
            if call.method == "DELETE" and call.path.endswith("/web")
            else None
        )
    )

    done = repository.here("destroy", "--confirm", "shop", "--resource-groups")

    assert done.code == 1
    assert "ScopeLocked" in done.out
    assert "not started" in done.out
    assert resource_groups(repository) == ["rg-shop"]


# schema


@pytest.mark.parametrize("kind", ["manifest", "patch", "project", "report"])
def test_a_schema_is_printed_as_it_is_committed(repository: Repository, kind: str) -> None:
    done = command("schema", kind, cwd=repository.root)

    assert done.code == 0
    assert json.loads(done.out) == json.loads(
        (CHECKOUT / "schemas" / f"{kind}.schema.json").read_text()
    )


# secrets


def test_a_secret_is_in_no_output_at_no_level(repository: Repository) -> None:
    repository.given_home()
    repository.environ = {"DB": "hunter2-canary", "ACI_RECONCILE_SECRET_KEY": "0123456789abcdefg"}
    manifest = task(
        script="echo hunter2-canary; exit 1",
        env=[{"name": "DB", "secureValue": {"fromEnv": "DB"}}],
    )
    manifest["properties"]["containers"][0]["properties"]["command"][2] = "echo $DB; exit 1"
    repository.write(manifest)

    runs = [
        repository.run("plan", "-v", "--debug"),
        repository.run("apply", "--yes", "-v", "--debug", "-o", "text", "-o", "json=r.json"),
        repository.here("plan", "-v", "-o", "json"),
        repository.run("status", "--debug"),
    ]

    assert [run.code for run in runs] == [0, 7, 0, 0]
    shown = "".join(run.out + run.err for run in runs) + (repository.root / "r.json").read_text()
    assert "hunter2" not in shown
    assert "0123456789abcdefg" not in shown
    assert "hunter2" not in json.dumps(repository.emulator.groups(repository.subscription))


# explain


def test_explain_tells_what_a_property_is_and_what_a_change_costs(repository: Repository) -> None:
    done = command("explain", "properties/containers/*/properties/image", cwd=repository.root)

    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "properties/containers/*/properties/image"
    assert [line.split()[0] for line in lines[1:]] == [
        "what",
        "access",
        "default",
        "change",
        "compared",
        "source",
    ]


def test_explain_helps_with_a_near_miss(repository: Repository) -> None:
    done = command("explain", "restartPolicy", cwd=repository.root)

    assert (done.code, done.out) == (64, "")
    assert "did you mean properties/restartPolicy?" in done.err
