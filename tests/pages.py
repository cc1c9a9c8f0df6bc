"""Pages that are run: their files are written, their commands typed, their output compared.

A page is played from top to bottom in one folder. Its blocks of code are of these kinds, and no others:

* `yaml` that begins with `# NAME.yaml`: a file, written as it stands. `# in NAME` is a file that is
  there by then, in the folder or in this repository, shown whole.
* `console`: lines after `$ ` are typed, what follows is what they print; `exit N` where that is not 0.
  Lines that begin with `--- ` are of stderr.
* `json`: the body of the last PUT.
* `sh` that begins with `# in Azure` or `# elsewhere`: not run, as the page so says. A test may do the
  like in a stand-in, by `meanwhile`.

`UPDATE_GOLDEN=1` writes what commands print into the page.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from unittest import mock

from reconciler.errors import ExitCode
from reconciler.execute.wait import Pace
from tests.conftest import CHECKOUT, Done, Repository, environment_of, typed

DOCS = CHECKOUT / "docs"
HOW_TO = DOCS / "how-to"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
NOT_RUN = ("# in Azure", "# elsewhere")
_OPERATION = re.compile(r"(/operations)/[0-9a-f-]{36}")
# What of a shell the pages use beside our command; git commits as nobody in particular.
TOOLS = ("git", "sed", "mkdir", "rm", "mv", "cat", "ls")


def blocks(page: Path) -> Iterator[tuple[str, str]]:
    """Each block of code of a page: its language and its text."""
    for found in FENCED.finditer(page.read_text("utf-8")):
        yield found[2], found[3]


def is_not_run(language: str, text: str) -> bool:
    """Whether a block says of itself that it belongs to another service."""
    return language == "sh" and text.startswith(NOT_RUN)


def play(
    name: str,
    repository: Repository,
    *,
    stands_for: Mapping[str, str] | None = None,
    meanwhile: Mapping[str, Callable[[], object]] | None = None,
) -> None:
    """Play the page `name`; fail where it does not say what happens.

    `stands_for` maps words of the page to what they are in this test, such as a vault's name to its
    URL; `meanwhile` maps words of a block that is not run to what happens then.
    """
    page = DOCS / name
    player = _Player(repository, dict(stands_for or {}), dict(meanwhile or {}))
    before = page.read_text("utf-8")
    with ExitStack() as stack:
        clock = mock.patch("reconciler.cli.connection.SystemClock", lambda: repository.clock)
        stack.enter_context(clock)
        stack.enter_context(mock.patch("reconciler.cli.connection._LOCAL", Pace()))
        after = FENCED.sub(player.played, before)

    assert not player.meanwhile, f"never came: {list(player.meanwhile)}"
    if os.environ.get("UPDATE_GOLDEN"):
        page.write_text(after, "utf-8")
    assert after == before


class _Player:
    def __init__(
        self,
        repository: Repository,
        stands_for: dict[str, str],
        meanwhile: dict[str, Callable[[], object]],
    ) -> None:
        self._repository = repository
        self._stands_for = stands_for
        self.meanwhile = meanwhile

    def played(self, found: re.Match[str]) -> str:
        indent, language, text = found[1], found[2], found[3]
        if language == "console":
            typed = [line[2:] for line in text.splitlines() if line.startswith("$ ")]
            assert typed, text
            text = "".join(self._shown(line) for line in typed)
        elif language == "json":
            puts = [one for one in self._repository.requests if one.method == "PUT"]
            text = json.dumps(puts[-1].body, indent=2) + "\n"
        elif is_not_run(language, text):
            self._happen(text)
        else:
            assert language == "yaml", f"neither run nor marked: {text}"
            text = self._file(text)
        return f"{indent}```{language}\n{text}{indent}```"

    def _file(self, text: str) -> str:
        head, _, body = text.partition("\n")
        if shown := re.fullmatch(r"# in (\S+)", head):
            at = self._repository.root / shown[1]
            file = at if at.exists() else CHECKOUT / shown[1]
            return f"{head}\n{file.read_text('utf-8')}"
        name = re.fullmatch(r"# (\S+\.yaml)", head)
        assert name, f"names no file: {head}"
        self._repository.file(name[1], self._to_real(text))
        return text

    def _happen(self, text: str) -> None:
        for words in [words for words in self.meanwhile if words in text]:
            self.meanwhile.pop(words)()

    def _shown(self, line: str) -> str:
        code, out = self._run(self._to_real(line))
        out = self._from_real(out).rstrip()
        told = f"$ {line}\n" + (f"{out}\n" if out else "")
        return told + (f"exit {code}\n" if code else "")

    def _run(self, line: str) -> tuple[int, str]:
        words = shlex.split(line, comments=True)
        if words[0] == "aci-reconcile":
            done = self._ours(*words[1:])
            assert done.code != ExitCode.USAGE, f"{line}: {done.err}"
            aside = [one for one in done.err.splitlines(keepends=True) if one.startswith("--- ")]
            return done.code, done.out + "".join(aside) + self._errors(done.code, done.err)
        if words[0] == "export":
            name, _, value = words[1].partition("=")
            self._repository.environ[name] = value
            return 0, ""
        assert words[0] in TOOLS, f"pages type no such command: {line}"
        who = {
            f"GIT_{one}_{key}": "shop@example.org"
            for one in ("AUTHOR", "COMMITTER")
            for key in ("NAME", "EMAIL")
        }
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=self._repository.root,
            env=environment_of(GIT_CONFIG_NOSYSTEM="1", **who),
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == 0, done.stderr
        return 0, done.stdout

    def _ours(self, *words: str) -> Done:
        if words[0] in ("init", "explain", "completion", "validate"):  # they ask no Azure
            return typed(*words, cwd=self._repository.root, environ=self._repository.environ)
        # The emulator over there stands for the one inside the command.
        words = tuple(word for word in words if word != "--emulator")
        if words[0] in ("apply", "adopt"):  # one after the other takes the same time each time
            words = (*words, "--parallelism", "1")
        return self._repository.here(*words)

    @staticmethod
    def _errors(code: int, err: str) -> str:
        """The error a command ends with, where it printed one."""
        if not code:
            return ""
        found = re.search(r"^aci-reconcile: error: .*", err, re.MULTILINE | re.DOTALL)
        return found[0] if found else ""

    def _to_real(self, text: str) -> str:
        for shown, real in self._stands_for.items():
            text = text.replace(shown, real)
        return text

    def _from_real(self, text: str) -> str:
        for shown, real in self._stands_for.items():
            text = text.replace(real, shown)
        text = text.replace(self._repository.emulator.url, "https://management.azure.com")
        return _OPERATION.sub(r"\1/00000000-0000-0000-0000-000000000000", text)
