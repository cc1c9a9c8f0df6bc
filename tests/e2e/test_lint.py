"""Rules as people meet them: weighed on the command line, silenced in manifests, explained."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Repository, command, conforms, group

PORT = {"type": "Public", "ports": [{"port": 80}]}


def lines(text: str) -> list[str]:
    return text.splitlines()


def test_advice_is_shown_by_validate_and_counted_by_plan_and_apply(repository: Repository) -> None:
    repository.given_home()
    repository.write(group(image="nginx"))

    validated = repository.here("validate")
    planned = repository.here("plan", "-o", "json")
    applied = repository.here("apply", "--yes")

    assert validated.code == 0
    assert " M801 containers[0].image: " in validated.out
    assert lines(validated.out)[-1].startswith("0 errors, 1 warning")
    note = "note: 1 lint warning; 'aci-reconcile validate' shows them"
    assert planned.code == applied.code == 0
    assert note in lines(planned.err)
    assert note in lines(applied.err)
    assert json.loads(planned.out)["findings"] == []
    assert "M801" not in applied.out


def test_what_azure_refuses_never_gets_there(repository: Repository) -> None:
    repository.given_home()
    repository.write(group(ipAddress=PORT))

    planned = repository.here("plan")
    applied = repository.here("apply", "--yes")

    assert (planned.code, applied.code) == (3, 3)
    assert " M307 ipAddress.ports[0].port: " in applied.out


def test_a_command_promotes_and_demotes(repository: Repository) -> None:
    repository.write(group(image="nginx", ipAddress=PORT))

    usual = repository.here("validate")
    both = repository.here("validate", "-W", "m307", "--error", "M801,M802")
    lenient = repository.here("validate", "--warn", "M307")

    assert (usual.code, both.code, lenient.code) == (3, 3, 0)
    assert lines(usual.out)[-1].startswith("1 error, 1 warning")
    assert lines(both.out)[-1].startswith("1 error, 1 warning")
    assert lines(lenient.out)[-1].startswith("0 errors, 2 warnings")


def test_what_is_off_can_be_switched_on(repository: Repository) -> None:
    manifest = group()
    manifest["properties"]["containers"][0]["properties"]["ports"] = [{"port": 80}]
    repository.write(manifest)

    assert repository.here("validate").out.startswith("0 errors, 0 warnings")
    assert " M821 " in repository.here("validate", "-W", "M821").out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-E", "M899"], "-E M899: expected the id of a rule, got 'M899': did you mean 'M819'?; docs/rules.md lists all"),
        (["-W", "M201"], "-W M201: expected a rule that can be demoted, got 'M201', which is always an error: a key is known; docs/rules.md lists all"),
        (["-W", "M801", "-E", "M307,M801"], "-W and -E both name M801; drop one of them"),
        (["-W", ","], "argument -W/--warn: expected the ids of rules, such as M801,M802, got ','; see 'aci-reconcile validate --help'"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_for_is_refused(repository: Repository, arguments, says) -> None:
    repository.write(group())

    done = repository.here("validate", *arguments)

    assert (done.code, done.out) == (64, "")
    assert lines(done.err)[-1].endswith(f"error: {says}")


def test_the_project_settles_it_for_every_command(repository: Repository) -> None:
    repository.given_home()
    repository.project(lint={"error": ["M801"]})
    repository.write(group(image="nginx"))

    assert repository.here("plan").code == 3
    assert repository.here("validate", "-W", "M801").code == 0


def test_a_comment_needed_in_one_environment_is_needed(repository: Repository) -> None:
    repository.project(environments={"moving": {"variables": {"tag": "latest"}}, "pinned": {"variables": {"tag": "1"}}})  # fmt: skip
    text = json.dumps(group(image="nginx:${var:tag}"))
    repository.file("web.yaml", f"# aci-reconcile: ignore[M801] while we try\n{text}\n")

    every = repository.here("validate")
    pinned = repository.here("validate", "-e", "pinned")

    assert every.out.startswith("0 errors, 0 warnings")
    assert " M902 " in pinned.out


def test_reports_say_where_a_rule_is_written_down(repository: Repository) -> None:
    repository.write(group(image="nginx"))

    done = repository.here(
        "validate", "-o", "json=found.json", "-o", "sarif=found.sarif", "-o", "markdown=found.md"
    )

    found = json.loads((repository.root / "found.json").read_text())
    conforms(found)
    link = found["findings"][0]["link"]
    assert done.code == 0
    assert link.startswith("https://learn.microsoft.com/azure/container-instances/")
    (run,) = json.loads((repository.root / "found.sarif").read_text())["runs"]
    assert run["tool"]["driver"]["rules"][0]["helpUri"] == link
    assert f"[M801]({link})" in (repository.root / "found.md").read_text()


def test_explain_tells_what_a_rule_asks_for(repository: Repository) -> None:
    done = command("explain", "m307", cwd=repository.root)

    assert (done.code, done.err) == (0, "")
    told = lines(done.out)
    assert told[0] == "M307: a port of the address is exposed by a container"
    labels = [line.split()[0] for line in told[1:] if line[2] != " "]
    assert labels == ["severity", "why", "wrong", "right", "link"]


def test_explain_helps_with_a_rule_that_is_none(repository: Repository) -> None:
    done = command("explain", "M899", cwd=repository.root)

    assert (done.code, done.out) == (64, "")
    assert "did you mean 'M819'?" in done.err
