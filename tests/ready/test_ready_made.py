"""What is there to paste: as far as it can be tried without the services it is for."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.cli.options import each_environment, options_of
from reconciler.cli.parser import parser
from tests.conftest import CHECKOUT, Repository, command, environment_of, group, refusal

CI = CHECKOUT / "ci"
FILES = sorted([*CI.rglob("*.y*ml"), CHECKOUT / "action.yml", CHECKOUT / ".pre-commit-hooks.yaml"])
WORKFLOWS = sorted((CI / "github").glob("*.yml"))
SCRIPT = CI / "github" / "run.sh"
COMMAND = re.compile(r"aci-reconcile (?:plan|apply|drift|validate|snapshot|fmt)\b[^\n|&;]*")


def texts(value: Any) -> Iterator[str]:
    """Every text in a document."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_is_yaml_and_every_command_in_it_is_one_of_ours(path: Path) -> None:
    document = yaml.safe_load(path.read_text("utf-8"))

    commands = [line for text in texts(document) for line in COMMAND.findall(text)]
    for line in commands:
        words = shlex.split(line)[1:]
        assert each_environment(options_of(parser().parse_args(words)))
    if path.name in ("azure-pipelines.yml", "gitlab-ci.yml", ".pre-commit-hooks.yaml"):
        assert commands


def test_a_hook_gets_the_files_of_a_commit_where_it_may_change_them(tmp_path: Path) -> None:
    """As pre-commit runs it: the entry, and behind it the names that its pattern lets through."""
    hooks = {h["id"]: h for h in yaml.safe_load((CHECKOUT / ".pre-commit-hooks.yaml").read_text())}
    committed = {
        "web.yml": "name:   web\nproperties: {}\n",
        "ci.yaml": "on:   push\n",
        "x.json": "{",
    }
    for name, text in committed.items():
        (tmp_path / name).write_text(text)
    hook = hooks["aci-reconcile-fmt"]
    assert "pass_filenames" not in hook
    assert hooks["aci-reconcile-validate"]["pass_filenames"] is False

    words = [*shlex.split(hook["entry"])[1:], *filter(re.compile(hook["files"]).search, committed)]
    done = command(*words, cwd=tmp_path)

    assert (done.code, done.out) == (0, "web.yml\n")
    assert (tmp_path / "web.yml").read_text() == "name: web\nproperties: {}\n"
    assert (tmp_path / "ci.yaml").read_text() == committed["ci.yaml"]


def test_the_job_of_the_cluster_gives_a_command_and_no_rights() -> None:
    job = yaml.safe_load((CI / "cronjob.yaml").read_text("utf-8"))
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert parser().parse_args(container["args"]).command == "drift"
    assert pod["securityContext"]["runAsNonRoot"]
    for one in (*pod["containers"], *pod["initContainers"]):
        assert one["securityContext"]["allowPrivilegeEscalation"] is False
        assert one["securityContext"]["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_asks_for_the_least(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text("utf-8"))
    granted = [
        workflow.get("permissions"),
        *(j.get("permissions") for j in workflow["jobs"].values()),
    ]

    assert workflow["permissions"]["contents"] == "read"
    writes = {name for one in granted if one for name, level in one.items() if level == "write"}
    assert writes <= {"id-token", "pull-requests"}
    assert "secrets." not in path.read_text("utf-8"), "the sign-in needs no stored secret"
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    for step in steps:
        assert re.fullmatch(r"[\w./-]+@v\d+", step.get("uses", "a@v1")), step
        # What others may write, such as a branch's name, is never part of a script.
        assert "${{" not in step.get("run", "")
    checkouts = [step for step in steps if step.get("uses", "").startswith("actions/checkout")]
    assert all(step["with"]["fetch-depth"] == 0 for step in checkouts)


def test_the_inputs_of_the_action_are_those_that_the_workflows_use() -> None:
    action = yaml.safe_load((CHECKOUT / "action.yml").read_text("utf-8"))
    used = set()
    for path in WORKFLOWS:
        for job in yaml.safe_load(path.read_text("utf-8"))["jobs"].values():
            for step in job["steps"]:
                if step.get("uses", "").startswith("aci-reconcile/"):
                    used |= set(step["with"])

    assert used <= set(action["inputs"])
    (step,) = action["runs"]["steps"]
    assert "${{" not in step["run"]
    inputs = {name for name in action["inputs"] if f"inputs.{name} }}" in str(step["env"])}
    assert inputs == set(action["inputs"])


def run(shop: Repository, mode: str, **inputs: str) -> subprocess.CompletedProcess[str]:
    """The action's script, as a runner starts it."""
    bin_ = Path(sys.executable).parent
    where = f"--endpoint\n{shop.emulator.url}\n" if inputs.pop("AZURE", "asked") else ""
    environ = environment_of(
        MODE=mode,
        ARGUMENTS=where + inputs.pop("ARGUMENTS", ""),
        GITHUB_ACTIONS="true",
        GITHUB_OUTPUT=str(shop.root.parent / "output"),
        GITHUB_STEP_SUMMARY=str(shop.root.parent / "summary"),
        **inputs,
    )
    environ["PATH"] = f"{bin_}{os.pathsep}{environ['PATH']}"
    return subprocess.run(
        [str(SCRIPT)], cwd=shop.root, env=environ, capture_output=True, text=True, timeout=120
    )


@pytest.fixture
def shop(repository: Repository) -> Repository:
    """One group that is to be created."""
    repository.given_home()
    repository.write(group())
    return repository


def test_the_script_plans_applies_and_looks_for_drift(shop: Repository) -> None:
    planned = run(shop, "plan", PLAN="plan.json", COMMENT="comment.md")
    assert planned.returncode == 0, planned.stderr
    assert shop.names == []
    assert (shop.root / "comment.md").read_text().startswith("<!-- aci-reconcile:")

    applied = run(shop, "apply", PLAN="plan.json")
    assert applied.returncode == 0, applied.stderr
    assert shop.names == ["web"]

    assert run(shop, "drift").returncode == 0
    shop.set_image("web", "theirs:1")
    assert run(shop, "drift").returncode == 2
    outputs = (shop.root.parent / "output").read_text()
    assert "exit-code" in outputs
    assert "digest" in outputs


def test_the_script_plans_against_a_snapshot_without_an_azure(shop: Repository) -> None:
    assert shop.here("snapshot", "live.json").code == 0
    asked = len(shop.requests)

    done = run(shop, "plan", ARGUMENTS="--live\nlive.json", AZURE="")

    assert done.returncode == 0, done.stderr
    assert "against the snapshot of" in done.stdout
    assert "web  create" in done.stdout
    assert len(shop.requests) == asked


def test_the_files_of_a_project_in_a_folder_are_where_the_workflow_looks(shop: Repository) -> None:
    done = subprocess.run(["mv", str(shop.root), str(shop.root.parent / "infra")], check=False)
    assert done.returncode == 0
    (shop.root / "src").mkdir(parents=True)
    (shop.root.parent / "infra").rename(shop.root / "infra")

    planned = run(shop, "plan", FOLDER="infra", PLAN="plan.json", COMMENT="comment.md")
    applied = run(shop, "apply", FOLDER="infra", PLAN="plan.json")

    assert (planned.returncode, applied.returncode) == (0, 0), planned.stderr + applied.stderr
    assert (shop.root / "comment.md").read_text("utf-8").startswith("<!-- aci-reconcile:shop")
    assert shop.names == ["web"]


def test_the_exit_code_of_the_command_is_that_of_the_script(shop: Repository) -> None:
    shop.intercept(
        lambda call: refusal(403, "AuthorizationFailed") if call.method == "PUT" else None
    )

    assert run(shop, "apply").returncode == 1


@pytest.mark.parametrize("text", ["$(touch hacked)", "; touch hacked", "`touch hacked`", "a b"])
def test_no_input_is_ever_evaluated(shop: Repository, text: str) -> None:
    for name in ("ENVIRONMENTS", "PLAN", "COMMENT", "ARGUMENTS"):
        run(shop, "plan", **{name: text})

    assert not list(shop.root.rglob("hacked"))


def test_a_mode_that_is_none_is_told(shop: Repository) -> None:
    done = run(shop, "destroy")

    assert done.returncode == 64
    assert "expected plan, apply or drift" in done.stderr


def test_the_image_runs_as_nobody_in_particular() -> None:
    lines = (CHECKOUT / "Dockerfile").read_text("utf-8").splitlines()

    assert "USER 10001" in lines
    assert lines.index("USER 10001") < lines.index('ENTRYPOINT ["aci-reconcile"]')
    assert not [line for line in lines if line.startswith("ADD ")]
