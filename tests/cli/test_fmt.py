"""`fmt` as people and CI run it: which files, what is printed, which exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli.main import main
from tests.conftest import environment_of

UGLY = "properties: {osType:   Linux}\nname:   'web'\n"
NEAT = "name: web\nproperties: {osType: Linux}\n"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a manifest, a patch, and files that are none of its own."""
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "aci-reconcile.yaml": "owner:  shop\nmanifests: [groups/*.yaml]\n"
        "environments: {prod: {patches: [patches/*.yaml]}}\n",
        "groups/web.yaml": UGLY,
        "groups/neat.yaml": NEAT,
        "patches/web.yaml": "tags:   {a: b}\nname: web\n",
        "docker-compose.yaml": "name:   theirs\nservices:   {}\n",
        "chart.yaml": "{{ helm }}: [\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def texts(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*.yaml")}


def test_the_files_of_the_project_are_formatted_and_no_others(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = texts(shop)

    assert main(["fmt"]) == 0

    said = capsys.readouterr()
    assert said.out.split() == ["aci-reconcile.yaml", "groups/web.yaml", "patches/web.yaml"]
    assert "3 files formatted, 1 left as they are" in said.err
    after = texts(shop)
    assert after["groups/web.yaml"] == NEAT
    assert after["patches/web.yaml"] == "name: web\ntags: {a: b}\n"
    for name in ("docker-compose.yaml", "chart.yaml", "groups/neat.yaml"):
        assert after[name] == before[name]
    assert main(["fmt", "--check"]) == 0


def test_check_lists_what_would_change_and_writes_nothing(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = texts(shop)

    assert main(["fmt", "--check", "groups"]) == 2

    assert capsys.readouterr().out == "groups/web.yaml\n"
    assert texts(shop) == before


def test_diff_shows_the_change_without_secrets_and_writes_nothing(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "properties: {x:   y, imageRegistryCredentials: [{server: s, password:   hunter2}]}\nname: a\n"
    (shop / "groups" / "web.yaml").write_text(text)

    assert main(["fmt", "--diff", "groups"]) == 0

    said = capsys.readouterr()
    assert "--- groups/web.yaml" in said.out
    assert "password: (hidden)" in said.out
    assert "hunter2" not in said.out + said.err
    assert (shop / "groups" / "web.yaml").read_text() == text
    assert main(["fmt", "--diff", "--check", "groups"]) == 2


def test_a_file_that_is_no_yaml_keeps_its_bytes_and_costs_no_other(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = shop / "groups" / "bad.yaml"
    bad.write_text("name: [\n")

    assert main(["fmt"]) == 3

    assert "groups/bad.yaml:2:1: M003" in capsys.readouterr().err
    assert bad.read_text() == "name: [\n"
    assert (shop / "groups" / "web.yaml").read_text() == NEAT


def test_files_that_a_hook_names_are_formatted_when_they_are_of_the_project(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A hook gets every YAML file of a commit, templates of others among them."""
    before = texts(shop)

    code = main(["fmt", "docker-compose.yaml", "chart.yaml", "groups/web.yaml", "groups/web.yaml"])

    assert code == 0
    assert capsys.readouterr().out == "groups/web.yaml\n"
    assert texts(shop) == before | {"groups/web.yaml": NEAT}


def test_without_a_project_files_are_known_by_what_they_hold(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop / "aci-reconcile.yaml").unlink()
    (shop / "chart.yaml").unlink()
    (shop / "openapi.yaml").write_text("type:   object\nproperties:   {}\n")
    (shop / "below").mkdir()
    (shop / "below" / "aci-reconcile.yml").write_text("owner:   below\n")

    assert main(["fmt", "."]) == 0

    listed = capsys.readouterr().out.split()
    assert listed == ["groups/web.yaml", "below/aci-reconcile.yml"]


def test_a_path_that_is_not_there_is_a_finding(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fmt", "nowhere.yaml"]) == 3

    assert "nowhere.yaml:1:1: M001" in capsys.readouterr().err


def test_an_unset_variable_is_not_the_whole_folder(shop: Path) -> None:
    before = texts(shop)

    with pytest.raises(SystemExit, match="64"):
        main(["fmt", ""])

    assert texts(shop) == before


def test_modes_and_links_are_kept(shop: Path) -> None:
    real = shop / "groups" / "web.yaml"
    real.chmod(0o640)
    link = shop / "groups" / "link.yaml"
    link.symlink_to("web.yaml")

    assert main(["fmt", "groups/link.yaml", "groups/web.yaml"]) == 0

    assert link.is_symlink()
    assert real.read_text() == NEAT
    assert real.stat().st_mode & 0o777 == 0o640
    assert not [path for path in real.parent.iterdir() if "partial" in path.name]


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_costs_no_other(shop: Path) -> None:
    (shop / "groups").chmod(0o555)
    try:
        assert main(["fmt"]) == 1
    finally:
        (shop / "groups").chmod(0o755)

    assert (shop / "patches" / "web.yaml").read_text().startswith("name")


def through(*arguments: str, raw: bytes, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    """The command as a filter."""
    line = [sys.executable, "-m", "reconciler", "fmt", *arguments]
    return subprocess.run(line, input=raw, capture_output=True, cwd=cwd, env=environment_of())


def test_stdin_goes_to_stdout(tmp_path: Path) -> None:
    done = through("-", raw=UGLY.replace("\n", "\r\n").encode(), cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == NEAT.replace("\n", "\r\n").encode()
    checked = through("-", "--check", raw=UGLY.encode(), cwd=tmp_path)
    assert (checked.returncode, checked.stdout) == (2, b"<stdin>\n")
    broken = through("-", raw=b"a: [\n", cwd=tmp_path)
    assert (broken.returncode, broken.stdout) == (3, b"")
    assert b"<stdin>:2:1: M003" in broken.stderr


def test_stdin_goes_with_no_other_path(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "-", "groups"]) == 64

    assert "expected '-' alone" in capsys.readouterr().err
