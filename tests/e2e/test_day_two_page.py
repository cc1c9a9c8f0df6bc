"""docs/day-two.md: every command on it is run, and prints what the page says.

`UPDATE_GOLDEN=1` writes what they print into the page.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable
from unittest import mock

from reconciler.emulator import PLENTY, Emulator, ManualClock
from reconciler.execute.wait import Pace
from tests.conftest import CHECKOUT, Repository, group, task

PAGE = CHECKOUT / "docs" / "day-two.md"
BLOCK = re.compile(r"(?<=```console\n).*?(?=```\n)", re.DOTALL)


def prompt(block: str) -> list[str]:
    """The commands of a block."""
    return [line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ ")]


def shown(repository: Repository, typed: str) -> str:
    """What a line of a shell prints, with its exit code where that is not 0."""
    line, _, then = typed.partition(" && echo ")
    done = repository.here(*shlex.split(line)[1:])
    text = done.out
    text += "".join(one for one in done.err.splitlines(keepends=True) if one.startswith("---"))
    text += f"exit {done.code}\n" if done.code else f"{then}\n" * bool(then)
    return f"$ {typed}\n{text.rstrip()}\n"


def test_every_command_of_the_page_prints_what_it_says(
    make_repository: Callable[..., Repository],
) -> None:
    clock = ManualClock()
    with Emulator(time=clock, limits=PLENTY) as emulator:
        repository = make_repository(
            emulator, subscription="00000000-0000-0000-0000-000000000000", workers=1
        )
        repository.clock._on_sleep = clock.advance
        repository.given_home()
        address = {"type": "Public", "ports": [{"port": 80}], "dnsNameLabel": "shop-web"}
        web = group(ipAddress=address)
        web["properties"]["containers"][0]["properties"]["ports"] = [{"port": 80}]
        repository.write(web, task(script="echo counting; echo 42 words"))
        repository.apply()
        repository.given(group("legacy"), tags={"aci-reconcile-owner": "bakery"})
        repository.clock.sleep(600)
        page = PAGE.read_text("utf-8")

        with (
            mock.patch("reconciler.cli.connection.SystemClock", lambda: repository.clock),
            mock.patch("reconciler.cli.connection._LOCAL", Pace()),
        ):
            now = BLOCK.sub(
                lambda block: "".join(shown(repository, one) for one in prompt(block.group())),
                page,
            )

    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(now, "utf-8")
    assert now == page
