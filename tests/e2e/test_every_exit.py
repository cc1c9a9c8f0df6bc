"""Every exit code with every format, on a terminal and in a pipe: the two are independent.

Each situation is brought about once and then met by each format: what the command ends with is
always the same, and what it prints is a whole document of the format, whether it is a plan, a
result, findings or why there is none of these.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import re
import signal
import sys
import threading
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from itertools import count
from typing import Any
from unittest import mock

import pytest
from jsonschema import Draft202012Validator

from reconciler.cli.main import main
from reconciler.emulator import Call, Emulator
from reconciler.manifest import schema_text
from tests.conftest import Repository, environment_of, group, refusal, task

FORMATS = (
    "text", "json", "ndjson", "markdown", "html", "junit", "sarif", "prometheus", "github"
)  # fmt: skip
CANARY = "CANARY-9f3b-secret"
SECRET = [{"name": "PASSWORD", "secureValue": {"fromEnv": "PASSWORD"}}]
REPORT = Draft202012Validator(json.loads(schema_text("report")))
EVENTS = Draft202012Validator(json.loads(schema_text("events")))
METRIC = re.compile(r"# (HELP|TYPE) \w+ .+|\w+\{(\w+=\"([^\"\\\n]|\\.)*\",?)*\} -?\d+")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")

Step = Callable[[Repository, int], None]
CHANGES = count(1)


def nothing(_shop: Repository, _number: int) -> None:
    """Every run meets the world as it is."""


def another_image(shop: Repository, number: int) -> None:
    """Something to write in each run."""
    shop.write(group(image=f"nginx:{number}", env=SECRET))


def another_failing_task(shop: Repository, number: int) -> None:
    shop.write(task("job", script=f"echo {number}; exit 3"))


def closed_to_all(shop: Repository) -> None:
    shop.intercept(lambda _call: refusal(403, "AuthorizationFailed"))


def changed(shop: Repository) -> None:
    another_image(shop, 2)


def bad_manifest(shop: Repository) -> None:
    shop.file("bad.yaml", {"name": "bad", "propertees": {}})


def immutable(shop: Repository) -> None:
    shop.write(group(cpu=2, env=SECRET))


def reviewed_otherwise(shop: Repository) -> None:
    another_image(shop, 2)
    assert shop.here("plan", "-o", "json=plan.json").code == 0
    another_image(shop, 3)


def one_refused(shop: Repository) -> None:
    shop.write(group("b"))

    def answer(call: Call) -> Any:
        is_b = call.method == "PUT" and call.path.endswith("/b")
        return refusal(400, "QuotaReached", "no cores") if is_b else None

    shop.intercept(answer)


def interrupted(shop: Repository) -> None:
    shop.intercept(lambda _call: os.kill(os.getpid(), signal.SIGINT))


def as_it_is(_shop: Repository) -> None:
    """What was applied is what is wanted."""


# By exit code: the command, what is so from then on, and what is done before each run.
SITUATIONS: dict[int, tuple[tuple[str, ...], Callable[[Repository], None], Step]] = {
    0: (("plan",), as_it_is, nothing),
    1: (("plan",), closed_to_all, nothing),
    2: (("plan", "--detailed-exitcode"), changed, nothing),
    3: (("plan",), bad_manifest, nothing),
    4: (("apply", "--yes"), immutable, nothing),
    5: (("apply", "plan.json", "--yes"), reviewed_otherwise, nothing),
    6: (("apply", "--yes"), one_refused, another_image),
    7: (("apply", "--yes"), as_it_is, another_failing_task),
    64: (("apply",), changed, nothing),  # asks, and nobody is there to answer
    130: (("apply", "--yes"), interrupted, nothing),
}
# A stream of events is what happens while a plan is carried out; others say so and end with 64.
CARRIES_OUT = ("apply",)


@pytest.fixture(scope="module", params=SITUATIONS, ids=str)
def world(
    request: pytest.FixtureRequest, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[int, Repository]]:
    """One group with a secret that was applied, and then what leads to the exit code."""
    root = tmp_path_factory.mktemp("every") / "repository"
    shop = Repository(root=root, emulator=emulator, subscription=str(uuid.uuid4()))
    shop.environ |= {"PASSWORD": CANARY, "ACI_RECONCILE_SECRET_KEY": CANARY * 2}
    shop.project()
    shop.given_home()
    shop.write(group(env=SECRET))
    assert shop.here("apply", "--yes").code == 0
    SITUATIONS[request.param][1](shop)
    yield request.param, shop
    shop.close()


@pytest.mark.parametrize("is_terminal", [False, True], ids=["pipe", "terminal"])
@pytest.mark.parametrize("name", FORMATS)
def test_the_exit_code_is_that_of_the_situation_and_the_document_is_whole(
    world: tuple[int, Repository], name: str, is_terminal: bool
) -> None:
    expected, shop = world
    arguments, _, before = SITUATIONS[expected]
    before(shop, next(CHANGES))
    has_events = name != "ndjson" or arguments[0] in CARRIES_OUT

    code, out, err = typed(shop, *arguments, "-o", name, is_terminal=is_terminal)

    assert code == (expected if has_events else 64), err
    assert "Traceback" not in err
    assert CANARY not in out + err
    if name != "text" or not is_terminal:
        assert "\x1b" not in out
    assert "\x1b" not in COLOUR.sub("", out)
    if not has_events:
        assert out == ""
    elif expected in (1, 5, 64, 130) and name == "text":
        assert out == ""  # for people the reason is on stderr, once
    else:
        CHECKS[name](out, expected)


def typed(shop: Repository, *arguments: str, is_terminal: bool) -> tuple[int, str, str]:
    """The command run in this process, with a real terminal or pipe for its stdout."""
    reading, writing = pty.openpty() if is_terminal else os.pipe()
    parts: list[bytes] = []
    reader = threading.Thread(target=drain, args=(reading, parts))
    reader.start()
    err = io.StringIO()
    environ = environment_of(**shop.environ, TERM="xterm")
    where = ("--endpoint", shop.emulator.url)
    with (
        os.fdopen(writing, "w", encoding="utf-8") as out,
        contextlib.chdir(shop.root),
        mock.patch.dict(os.environ, environ, clear=True),
        mock.patch.multiple(sys, stdin=io.StringIO(), stdout=out, stderr=err),
    ):
        code = main([*arguments, *where])
    reader.join(10)
    os.close(reading)
    return code, b"".join(parts).decode("utf-8").replace("\r\n", "\n"), err.getvalue()


def drain(number: int, parts: list[bytes]) -> None:
    """Read until nobody writes any more; a terminal says that by an error."""
    with contextlib.suppress(OSError):
        while part := os.read(number, 65_536):
            parts.append(part)


def has_text(out: str, code: int) -> None:
    assert out.endswith("\n")
    assert len(out.splitlines()) >= 1 + (code != 3)


def is_report(out: str, code: int) -> None:
    document = json.loads(out)
    REPORT.validate(document)
    assert document["exitCode"] == code


def is_events(out: str, code: int) -> None:
    events = [json.loads(line) for line in out.splitlines()]
    for event in events:
        EVENTS.validate(event)
    assert events[-1]["exitCode"] == code
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


def is_comment(out: str, code: int) -> None:
    assert out.startswith("<!-- aci-reconcile:shop: -->\n### ")
    assert len(out) < 60_000
    assert out.count("<details") == out.count("</details>")
    assert ("✅" in out.splitlines()[1]) == (code == 0)


class Page(HTMLParser):
    """Counts what is opened and closed."""

    VOID = ("meta", "input", "br", "hr", "link", "col", "wbr")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def is_page(out: str, code: int) -> None:
    page = Page()
    page.feed(out)
    page.close()
    assert page.open == []
    assert out.lower().startswith("<!doctype html>")
    assert str(code) in [word.strip() for word in page.words]


def is_junit(out: str, code: int) -> None:
    root = ET.fromstring(out)
    bad = int(root.attrib["failures"]) + int(root.attrib["errors"])
    assert bool(root.findall(".//testcase"))
    assert (bad > 0) == (code not in (0, 2))
    assert root.find(f".//property[@name='exitCode'][@value='{code}']") is not None


def is_sarif(out: str, code: int) -> None:
    log = json.loads(out)
    (run,) = log["runs"]
    (invocation,) = run["invocations"]
    assert (log["version"], invocation["exitCode"]) == ("2.1.0", code)
    told = invocation["toolExecutionNotifications"] + run["results"]
    assert any(one["level"] == "error" for one in told) == (code not in (0, 2))


def has_metrics(out: str, code: int) -> None:
    lines = out.splitlines()
    assert [line for line in lines if not METRIC.fullmatch(line)] == []
    (exit_code,) = [line for line in lines if line.startswith("aci_reconcile_exit_code{")]
    assert exit_code.endswith(f" {code}")


def has_annotations(out: str, code: int) -> None:
    commands = [line for line in out.splitlines() if line.startswith("::")]
    assert any(line.startswith("::error ") for line in commands) == (
        code in (3, 4, 6, 7)
    ) or code in (1, 5, 64, 130)


CHECKS: dict[str, Callable[[str, int], None]] = {
    "text": has_text,
    "json": is_report,
    "ndjson": is_events,
    "markdown": is_comment,
    "html": is_page,
    "junit": is_junit,
    "sarif": is_sarif,
    "prometheus": has_metrics,
    "github": has_annotations,
}
