"""`init`: a project that works at once, and never at the cost of a file that is there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from reconciler.cli.main import main
from reconciler.cli.options import each_environment, options_of
from reconciler.cli.parser import parser

WORKFLOWS = {f".github/workflows/aci-{name}.yml" for name in ("plan", "apply", "drift")}
PROJECT = {
    ".gitignore", "aci-reconcile.yaml", "groups/hello.yaml", "groups/resource-group.yaml",
    ".schemas/manifest.schema.json", ".schemas/patch.schema.json", ".schemas/project.schema.json",
}  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def files(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }


def test_what_it_writes_is_right_formatted_and_can_be_applied(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init"]) == 0
    said = capsys.readouterr().out
    assert files(shop) == PROJECT | WORKFLOWS

    commands = [line.split("   ")[0].strip() for line in said.split("next:\n")[1].splitlines()]
    assert len(commands) == 3
    for line in [*commands, "aci-reconcile fmt --check"]:
        words = shlex.split(line)[1:] + (["--yes"] if "apply" in line else [])
        assert main(words) == 0, line
    out = capsys.readouterr().out
    assert "0 errors, 0 warnings in 2 files" in out
    assert "Applied 2 of 2: 2 created" in out
    assert main(["plan", "-e", "prod", "--emulator", "--detailed-exitcode"]) == 0


@pytest.mark.parametrize("name", ["1.10", "no", "a b ü", "...", "-x-", "X" * 80, "{owner}"])
def test_the_owner_is_a_name_whatever_the_folder_is_called(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / name if name != "..." else tmp_path / "…"
    monkeypatch.chdir(tmp_path)

    assert main(["init", str(folder)]) == 0
    assert main(["validate", str(folder)]) == 0
    assert main(["fmt", "--check", str(folder)]) == 0


@pytest.mark.parametrize(
    ("sign", "wanted"),
    [
        (".gitlab-ci.yml/", ".gitlab-ci.yml"),
        ("azure-pipelines.yml/", "azure-pipelines.yml"),
        (".github/x", ".github/workflows/aci-plan.yml"),
        ("git@gitlab.com:shop/infra.git", ".gitlab-ci.yml"),
        ("https://shop@dev.azure.com/shop/infra/_git/infra", "azure-pipelines.yml"),
        ("https://github.com/shop/infra.git", ".github/workflows/aci-plan.yml"),
        ("", ".github/workflows/aci-plan.yml"),
    ],
)
def test_the_ci_is_the_one_that_the_repository_tells(shop: Path, sign: str, wanted: str) -> None:
    subprocess.run(["git", "init", "--quiet"], check=True)
    if "//" in sign or "@" in sign:
        subprocess.run(["git", "remote", "add", "origin", sign], check=True)
    elif sign.endswith("/"):
        (shop / sign.rstrip("/")).write_text("x: y\n")
        assert main(["init"]) == 64  # that file is what would be written
        (shop / sign.rstrip("/")).unlink()
        (shop / sign.rstrip("/")).symlink_to("nowhere")  # not there, and not to be written either
        assert main(["init", "--ci", "none"]) == 0
        return
    elif sign:
        (shop / sign).parent.mkdir()
        (shop / sign).write_text("")

    assert main(["init"]) == 0

    assert wanted in files(shop) or (shop / wanted).is_file()


def test_a_file_that_is_there_stops_it_before_anything_is_written(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop / "groups").mkdir()
    (shop / "groups" / "hello.yaml").write_text("mine\n")
    (shop / "aci-reconcile.yml").write_text("mine\n")

    assert main(["init"]) == 64

    said = capsys.readouterr()
    assert "aci-reconcile.yml, groups/hello.yaml; nothing was written" in said.err
    assert files(shop) == {"groups/hello.yaml", "aci-reconcile.yml"}
    assert said.out == ""


def test_a_failure_half_way_leaves_nothing(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shop / ".github").write_text("a file where a folder is due\n")

    assert main(["init"]) == 1

    assert ".github" in capsys.readouterr().err
    assert files(shop) == {".github"}
    assert not [path for path in shop.iterdir() if path.is_dir()]


def test_gitignore_gets_its_line_once(shop: Path) -> None:
    (shop / ".gitignore").write_text("*.log")

    assert main(["init", "--ci", "none"]) == 0
    assert (shop / ".gitignore").read_text() == "*.log\n.aci-reconcile/\n"


@pytest.mark.parametrize("ci", ["github", "azure", "gitlab"])
def test_the_ci_of_a_project_in_a_folder_looks_into_that_folder(shop: Path, ci: str) -> None:
    subprocess.run(["git", "init", "--quiet"], check=True)

    assert main(["init", "infra/a b", "--ci", ci]) == 0

    written = [shop / name for name in files(shop) if "infra" not in name]
    if ci == "github":
        written = sorted((shop / ".github").rglob("*.yml"))
    elif ci == "gitlab":
        written = [shop / ".gitlab-ci.yml"]
    commands = 0
    for path in written:
        text = path.read_text("utf-8")
        yaml.safe_load(text)
        assert "Copy to" not in text
        commands += len(re.findall(r"^ +path: \"infra/a b\"$", text, re.MULTILINE))
        for line in re.findall(r"aci-reconcile (?:plan|drift)\b[^\n|&;]*", text):
            (options,) = each_environment(options_of(parser().parse_args(shlex.split(line)[1:])))
            assert options.paths == (Path("infra/a b"),)
            commands += 1
    assert commands == {"github": 4, "azure": 1, "gitlab": 2}[ci]
    assert (shop / "infra" / "a b" / "aci-reconcile.yaml").is_file()


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_an_error(shop: Path) -> None:
    shop.chmod(0o555)
    try:
        assert main(["init"]) == 1
    finally:
        shop.chmod(0o755)
