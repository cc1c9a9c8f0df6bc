"""The command in GitHub Actions: summary, outputs and annotations, none of them changing its end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.cli.github import Harmless
from tests.conftest import Repository, group, home, refusal
from tests.report.test_github import commands, read_outputs

BAD = "name: web\nproperties:\n  osType: Linux\n  nonsense: '##[error]x'\n"


@pytest.fixture
def step(repository: Repository, tmp_path: Path) -> Repository:
    """A repository in a step of a workflow."""
    folder = tmp_path / "runner"
    folder.mkdir()
    repository.environ |= {
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(repository.root),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        "GITHUB_OUTPUT": str(folder / "output"),
    }
    return repository


def summary(step: Repository) -> str:
    return Path(step.environ["GITHUB_STEP_SUMMARY"]).read_text("utf-8")


def outputs(step: Repository) -> dict[str, str]:
    return read_outputs(Path(step.environ["GITHUB_OUTPUT"]).read_text("utf-8"))


def test_a_plan_is_told_in_the_summary_and_the_outputs(step: Repository) -> None:
    step.given_home()
    step.write(group())

    done = step.here("plan", "--detailed-exitcode")

    assert done.code == 2
    assert done.err == ""
    assert done.out.splitlines()[-1].startswith("Plan: 1 to create")
    assert summary(step).startswith("<!-- aci-reconcile:shop: -->\n### ")
    assert "`rg-shop/web`" in summary(step)
    found = outputs(step)
    assert (found["exit-code"], found["outcome"], found["changed"]) == ("2", "changes", "true")
    assert (found["create"], found["delete"]) == ("1", "0")
    assert found["digest"].startswith("sha256:")


def test_the_summary_of_a_step_grows(step: Repository) -> None:
    step.given_home()
    step.write(group())

    step.here("plan")
    step.here("apply", "--yes")

    assert summary(step).count("<!-- aci-reconcile:") == 2
    assert outputs(step)["outcome"] == "applied"


def test_a_limit_is_an_annotation(step: Repository) -> None:
    step.project(policy={"prune": "delete", "maxDeletes": 0})
    step.given_home()
    step.write(group(), group("other"))
    assert step.here("apply", "--yes").code == 0
    step.forget("other")

    done = step.here("plan")

    assert done.code == 4
    told = commands(done.out)
    assert [(one.name, one.properties["title"]) for one in told] == [("error", "maxDeletes")]
    assert "> - **maxDeletes**" in summary(step)


def test_findings_stand_on_their_line_from_the_root(step: Repository) -> None:
    step.environ["GITHUB_WORKSPACE"] = str(step.root.parent)
    step.file("web.yaml", BAD)

    done = step.here("validate")

    assert done.code == 3
    told = commands(done.out)
    assert told
    assert {one.properties["file"] for one in told} == {f"{step.root.name}/web.yaml"}
    assert all(int(one.properties["line"]) >= 1 for one in told)
    assert outputs(step)["outcome"] == "invalid"


def test_a_document_on_stdout_stays_one(step: Repository) -> None:
    step.file("web.yaml", BAD)

    done = step.here("validate", "-o", "json")

    assert done.code == 3
    assert json.loads(done.out)["kind"] == "Validation"
    assert commands(done.out) == []
    assert {one.name for one in commands(done.err)} == {"error"}


def test_asked_for_by_name_they_are_there_once(step: Repository) -> None:
    step.file("web.yaml", BAD)

    done = step.here("validate", "-o", "github")

    assert len(commands(done.out)) == len(done.out.splitlines()) > 0
    assert done.err == ""


def test_elsewhere_they_are_there_when_asked_for(repository: Repository, tmp_path: Path) -> None:
    repository.file("web.yaml", BAD)
    repository.environ["GITHUB_STEP_SUMMARY"] = str(tmp_path / "summary")

    asked = repository.here("validate", "-o", "github")
    other = repository.here("validate")

    assert {one.name for one in commands(asked.out)} == {"error"}
    assert not any(line.startswith("::") for line in other.out.splitlines())
    assert not (tmp_path / "summary").exists()


@pytest.mark.parametrize("name", ["GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"])
def test_what_cannot_be_written_is_a_warning(step: Repository, name: str, tmp_path: Path) -> None:
    step.given_home()
    step.write(group())
    step.environ[name] = str(tmp_path / "missing" / "file")

    done = step.here("plan")

    assert done.code == 0
    assert done.err == (
        f"aci-reconcile: warning: {step.environ[name]}, which {name} names, cannot be written:"
        " No such file or directory\n"
    )


def test_what_is_not_there_is_a_warning(step: Repository) -> None:
    step.given_home()
    step.write(group())
    del step.environ["GITHUB_OUTPUT"]

    done = step.here("plan")

    assert done.code == 0
    assert done.err.startswith("aci-reconcile: warning: GITHUB_OUTPUT is not set")


def test_a_summary_that_is_full_is_left_as_it_is(step: Repository) -> None:
    step.given_home()
    step.write(group())
    path = Path(step.environ["GITHUB_STEP_SUMMARY"])
    path.write_bytes(b"x" * (1024 * 1024 - 1000))

    done = step.here("plan")

    assert done.code == 0
    assert "1 MiB" in done.err
    assert path.stat().st_size == 1024 * 1024 - 1000


def test_what_others_wrote_gives_no_command(step: Repository) -> None:
    step.given_home()
    step.write(group(tags={"note": "##[error]planted", "more": "::error::planted"}))

    plans = [step.here("plan", "--verbose"), step.here("plan", "-o", "markdown")]
    applied = step.here("apply", "--yes")
    step.change("web", lambda body: body["tags"].update(note="##[warning]planted\n::error::x"))
    drifted = step.here("drift", "-o", "json")

    for done in (*plans, applied, drifted):
        assert "planted" not in str(commands(done.out) + commands(done.err))
    texts = json.dumps(json.loads(drifted.out))
    assert "##[warning]planted" in texts


class Kept:
    """A stream that keeps what it is given."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        """Nothing is held here."""


def test_a_harmless_stream_sees_through_pieces() -> None:
    kept = Kept()
    stream = Harmless(kept)  # type: ignore[arg-type]

    for piece in ("a ##", "[error]b\n:", ":error", "::c\nplain", "\nrest"):
        stream.write(piece)
    assert kept.text == "a # #[error]b\n: :error::c\nplain\n"
    stream.flush()
    assert kept.text.endswith("plain\nrest")


def test_several_environments_are_summed_up_for_later_steps(step: Repository) -> None:
    step.project(
        environments={name: {"resourceGroup": f"rg-{name}"} for name in ("one", "two")},
    )
    step.write(home("rg-one"), home("rg-two"), group())
    assert step.here("apply", "-e", "two", "--yes").code == 0

    done = step.here("plan", "-e", "one", "-e", "two", "--detailed-exitcode")

    found = outputs(step)
    assert done.code == 2
    assert (found["exit-code"], found["one-exit-code"], found["two-exit-code"]) == ("2", "2", "0")
    assert (found["changed"], found["one-changed"], found["two-changed"]) == (
        "true", "true", "false"
    )  # fmt: skip


def test_a_run_that_comes_to_nothing_is_told_as_well(step: Repository) -> None:
    step.write(group())
    step.intercept(lambda _call: refusal(403, "AuthorizationFailed", "no role"))

    done = step.here("plan", "-o", "markdown=comment.md")

    assert done.code == 1
    assert (outputs(step)["exit-code"], outputs(step)["outcome"]) == ("1", "failed")
    assert "::error title=aci-reconcile::" in done.out
    assert "failed" in summary(step).splitlines()[1]
    comment = (step.root / "comment.md").read_text("utf-8")
    assert comment.startswith("<!-- aci-reconcile:shop: -->")
    assert "AuthorizationFailed" in comment
