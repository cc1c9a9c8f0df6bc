"""docs/doctor.md: its command is run, and prints what the page says."""

from __future__ import annotations

import re
from collections.abc import Callable

from reconciler.emulator import PLENTY, Emulator
from tests.conftest import CHECKOUT, Repository, group

PAGE = CHECKOUT / "docs" / "doctor.md"


def test_the_page_shows_what_the_command_prints(make_repository: Callable[..., Repository]) -> None:
    page = PAGE.read_text("utf-8")
    with Emulator(limits=PLENTY) as emulator:
        repository = make_repository(emulator, subscription="00000000-0000-0000-0000-000000000000")
        repository.project()
        repository.given_home()
        repository.write(group())
        done = repository.here("doctor")

    (shown,) = re.findall(r"```console\n\$ aci-reconcile doctor\n(.*?)```", page, re.DOTALL)
    assert done.out == shown


def test_every_check_of_the_tool_is_explained() -> None:
    named = set(re.findall(r"^\| `([a-z ]+)` \|", PAGE.read_text("utf-8"), re.MULTILINE))
    code = "".join(
        (CHECKOUT / "reconciler" / path).read_text("utf-8")
        for path in ("core/checks.py", "core/rights.py", "app/diagnosing.py")
    )
    made = set(re.findall(r'(?:name=|_judged\(|from_error\(|name, place = )"([a-z ]+)"', code))

    assert named == made
