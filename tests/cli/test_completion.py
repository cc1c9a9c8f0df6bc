"""Completion, asked for in the shells themselves: a TAB on a terminal, not a function of ours."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import environment_of

MANIFESTS = {
    "aci-reconcile.yaml": "owner: shop\nenvironments: {prod: {}, staging: {}}\n",
    "groups/hello.yaml": "name: hello\nproperties: {}\n---\nname: 'worker' # two\nproperties: {}\n",
    "groups/home.yaml": "type: Microsoft.Resources/resourceGroups\nname: hidden-home\n",
    "notes.txt": "",
}
READY = b"that is read" + b"y\r\n"
_PATIENCE = 30  # seconds


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project, and the command on the PATH."""
    for name, text in MANIFESTS.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    script = tmp_path / "bin" / "aci-reconcile"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m reconciler "$@"\n')
    script.chmod(0o755)
    return tmp_path


def environ(shop: Path, **more: str) -> dict[str, str]:
    given = environment_of(TERM="dumb", HOME=str(shop), PS1="> ", **more)
    return {**given, "PATH": f"{shop / 'bin'}{os.pathsep}{given['PATH']}"}


class Terminal:
    """A shell on a terminal of its own."""

    def __init__(self, shop: Path, *line: str) -> None:
        self._end, theirs = pty.openpty()
        streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
        self._shell = subprocess.Popen(
            line, cwd=shop, env=environ(shop), start_new_session=True, **streams
        )
        os.close(theirs)

    def types(self, text: bytes, until: bytes) -> bytes:
        """What the shell has written up to and with `until`, after `text` was typed."""
        os.write(self._end, text)
        said, deadline = b"", time.monotonic() + _PATIENCE
        while until not in said:
            left = max(0, deadline - time.monotonic())
            ready, _, _ = select.select([self._end], [], [], left)
            assert ready, f"{until!r} did not come: {said!r}"
            said += os.read(self._end, 4096)
        return said

    def close(self) -> None:
        """Hang up."""
        self._shell.kill()
        self._shell.wait()
        os.close(self._end)


SHELLS = {
    "bash": (("bash", "--norc", "--noprofile", "-i"), b""),
    "zsh": (("zsh", "-f", "-i"), b"autoload -U compinit; compinit -u -D; "),
}


@pytest.mark.parametrize("name", SHELLS)
def test_a_tab_completes_in_a_terminal(shop: Path, name: str) -> None:
    if not shutil.which(name):
        pytest.skip(f"no {name} on this machine")
    line, first = SHELLS[name]
    shell = Terminal(shop, *line)
    try:
        script = b"source <(aci-reconcile completion %b); echo that is read''y\n" % name.encode()
        shell.types(first + script, READY)

        shell.types(b"aci-reconcile sna\t", b"pshot")
        shell.types(b"\x15aci-reconcile apply --rebase\t", b"line-secrets")
        shell.types(b"\x15aci-reconcile logs he\t", b"llo")
        shell.types(b"\x15aci-reconcile plan -e sta\t", b"ging")
        shell.types(b"\x15aci-reconcile fmt gro\t", b"ups/")
        shell.types(b"\x15aci-reconcile schema fau\t", b"lts")
        shell.types(b"\x15aci-reconcile plan --select wor\t", b"ker")
    finally:
        shell.close()


def test_fish_completes_and_describes(shop: Path) -> None:
    if not shutil.which("fish"):
        pytest.skip("no fish on this machine")
    asked = ["sna", "logs he", "plan -e sta", "fmt gro", "schema fau", "plan --select wor"]
    program = "aci-reconcile completion fish | source\n" + "\n".join(
        f"complete -C 'aci-reconcile {line}'" for line in asked
    )

    done = subprocess.run(
        ["fish", "--no-config", "-c", program],
        cwd=shop, env=environ(shop), capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    said = [line.split("\t") for line in done.stdout.splitlines()]
    found = [line[0] for line in said]
    assert found == ["snapshot", "hello", "staging", "groups/", "faults", "worker"], done.stderr
    assert said[0][1].startswith("keep what Azure holds")


def asked(shop: Path, line: str) -> tuple[set[str], str]:
    """What the command offers for a line, asked as the scripts ask; and what it has loaded."""
    answer = shop / "answer"
    answer.unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "reconciler"],
        cwd=shop,
        env=environ(
            shop,
            _ARGCOMPLETE="1",
            _ARGCOMPLETE_IFS="\n",
            _ARGCOMPLETE_STDOUT_FILENAME=str(answer),
            COMP_LINE=line,
            COMP_POINT=str(len(line)),
            COMP_TYPE="9",
        ),
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    assert "Traceback" not in done.stderr
    return {word.strip() for word in answer.read_text().split("\n")}, done.stderr


def test_each_argument_is_offered_what_can_stand_there(shop: Path) -> None:
    for line, wanted in {
        "aci-reconcile plan -o j": {"json", "json=", "junit", "junit="},
        "aci-reconcile apply --allow d": {"delete="},
        "aci-reconcile drift --fail-on missing,un": {"missing,unhealthy", "missing,unmanaged"},
        "aci-reconcile apply --wait r": {"running"},
        "aci-reconcile explain properties/dns": {"properties/dnsConfig"},
        "aci-reconcile plan --secrets-dir gr": {"groups/"},
        "aci-reconcile diff p": {"prod"},
        "aci-reconcile init gr": {"groups/"},
        "aci-reconcile plan --endpoint ": set(),
    }.items():
        found = asked(shop, line)[0]

        assert {word for word in found if not word.startswith("properties/dnsConfig/")} - {
            ""
        } == wanted


def test_the_names_of_resource_groups_are_not_offered_for_groups(shop: Path) -> None:
    assert asked(shop, "aci-reconcile logs ")[0] >= {"hello", "worker"}
    assert "hidden-home" not in asked(shop, "aci-reconcile logs ")[0]


def test_completing_loads_nothing_of_azure_and_survives_a_broken_project(shop: Path) -> None:
    (shop / "aci-reconcile.yaml").write_text("owner: [\n")
    (shop / "groups" / "broken.yaml").write_bytes(b"name: \xff[\n")

    found, loaded = asked(shop, "aci-reconcile logs h")

    assert "hello" in found
    assert "argcomplete" in loaded
    for heavy in ("azure", "jsonschema", "deepdiff", "rich", "starlette", "requests"):
        assert f" {heavy}\n" not in loaded


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_a_shell_can_read_its_script(shop: Path, name: str) -> None:
    if not shutil.which(name):
        pytest.skip(f"no {name} on this machine")
    script = subprocess.run(
        ["aci-reconcile", "completion", name], env=environ(shop), capture_output=True, check=True
    ).stdout

    done = subprocess.run([name, "-n"], input=script, capture_output=True)

    assert (done.returncode, done.stderr) == (0, b"")
