"""The page in a real browser: what a reader types, clicks and presses, and that nothing leaves it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pytest

from reconciler.core.plan import Rail
from reconciler.report.as_html import as_html
from reconciler.report.shape import Report
from tests.report.browser import MISSING, Browser, browser_in, requested
from tests.report.samples import group_id, reports
from tests.report.test_html import HOSTILE

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not on this machine: {MISSING}")

SAMPLES = reports()
WEB = "rg-shop-prod/web"
FLEET = 5_000  # groups, each with three changes
SCREEN = {"height": 900, "deviceScaleFactor": 1, "mobile": False}
Show: TypeAlias = Callable[..., Browser]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests of this file."""
    with browser_in(tmp_path_factory.mktemp("browser")) as opened:
        opened.open("about:blank")
        yield opened


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Show]:
    """Opens the page of a report; at the end nothing may have been complained of or asked for."""
    page = tmp_path / "report.html"

    def opened(report: Report, *, at: str = "") -> Browser:
        page.write_text(as_html(report), encoding="utf-8")
        browser.log("browser")
        requested(browser)
        browser.open(page.as_uri() + at)
        return browser

    yield opened

    assert browser.log("browser") == []
    assert {url.partition("#")[0] for url in requested(browser)} <= {"about:blank", page.as_uri()}


def shown(browser: Browser) -> list[str]:
    """The names of the groups that can be seen."""
    return browser.run(
        "return [...document.querySelectorAll('details[data-kinds]')]"
        ".filter(one => one.checkVisibility())"
        ".map(one => one.querySelector('.name').textContent)"
    )


def count(browser: Browser) -> str:
    return browser.run("return document.getElementById('count').innerText")


def is_open(browser: Browser, name: str) -> bool:
    """Whether the body of a group can be seen."""
    script = "return document.getElementById(arguments[0]).querySelector('.body').checkVisibility("
    return browser.run(script + "{contentVisibilityAuto: false})", name)


def focused(browser: Browser) -> str:
    return browser.run("return document.activeElement.closest('[id]')?.id ?? ''")


def filtered(browser: Browser, text: str) -> list[str]:
    """What can be seen after somebody has typed this into the empty filter."""
    browser.click("#find")
    browser.press("Escape", text)
    return shown(browser)


def test_the_filter_narrows_the_groups_down_and_says_how_many(show: Show) -> None:
    page = show(SAMPLES["plan"])
    everything = shown(page)
    total = len(SAMPLES["plan"].actions)

    assert len(everything) == total
    assert count(page) == f"{total} of {total} shown"
    assert filtered(page, "LOG_level") == [WEB]
    assert count(page) == f"1 of {total} shown"
    assert filtered(page, "prod no such") == ["resource group rg-jobs-prod", "rg-shop-prod/api"]
    assert filtered(page, "nobody") == []
    assert page.run("return document.getElementById('none').checkVisibility()")
    page.press("Escape")
    assert shown(page) == everything
    assert not page.run("return document.getElementById('none').checkVisibility()")


def test_boxes_choose_actions_and_the_filter_goes_with_them(show: Show) -> None:
    page = show(SAMPLES["plan"])

    page.click("input[value=replace]")
    assert shown(page) == ["rg-shop-prod/worker"]
    page.click("input[value=create]")
    assert shown(page) == ["rg-shop-prod/worker", "resource group rg-jobs-prod", "rg-shop-prod/api"]
    assert count(page) == "3 of 12 shown"
    assert filtered(page, "envoy") == ["rg-shop-prod/api"]
    page.click("input[value=create]")
    assert shown(page) == []


def test_a_group_found_to_be_two_things_is_shown_for_either(show: Show) -> None:
    page = show(SAMPLES["drift"])

    page.click("input[value=pending]")
    assert shown(page) == [WEB, "rg-shop-prod/api"]


def test_a_group_opens_and_closes_by_mouse_and_its_address_can_be_handed_on(show: Show) -> None:
    page = show(SAMPLES["plan"])
    summary = f"[id='{WEB}'] > summary"

    assert not is_open(page, WEB)
    page.click(summary)
    assert is_open(page, WEB)
    assert page.run("return location.hash") == f"#{WEB}"
    page.click(summary)
    assert not is_open(page, WEB)
    page.click("button[value=open]")
    assert all(is_open(page, one) for one in (WEB, "rg-shop-prod/db", "rg-jobs-prod/"))
    page.click("button[value=close]")
    assert not is_open(page, "rg-shop-prod/worker")


def test_the_keyboard_is_enough(show: Show) -> None:
    page = show(SAMPLES["plan-unchanged"])
    first = "rg-shop-prod/db"

    page.press("Tab")
    assert focused(page) == "find"
    page.press("d", "b", "Enter")
    assert shown(page) == [first]
    page.press("Tab", "Tab", "Tab", "Space")  # both buttons, then the only box
    assert page.run("return document.activeElement.checked")
    page.press("Tab")
    assert focused(page) == first
    page.press("Enter")
    assert is_open(page, first)
    page.press("Space")
    assert not is_open(page, first)
    page.press("Space")
    page.press("Escape")
    assert not is_open(page, first)
    assert focused(page) == first


@pytest.mark.parametrize("at", [f"#{WEB}", f"#{WEB.upper()}"])
def test_the_address_of_a_group_opens_it(show: Show, at: str) -> None:
    page = show(SAMPLES["plan"], at=at)

    assert is_open(page, WEB)
    assert focused(page) == WEB


def test_a_link_to_a_group_that_is_filtered_away_shows_it(show: Show) -> None:
    page = show(SAMPLES["plan-blocked"])

    assert filtered(page, "log_level") == [WEB]
    page.click(".stops a[href$=billing]")
    page.run("return new Promise(done => requestAnimationFrame(done))")
    assert is_open(page, "rg-shop-prod/billing")
    assert count(page) == "8 of 8 shown"


def test_rows_of_a_table_are_filtered_too(show: Show) -> None:
    page = show(SAMPLES["status"])

    page.click("#find")
    page.press("azurecontainer")
    assert count(page) == "1 of 4 shown"
    page = show(SAMPLES["validate"])
    page.click("input[value=warning]")
    assert count(page) == "1 of 3 shown"


def test_what_others_wrote_stays_text(show: Show) -> None:
    report = SAMPLES["plan"]
    fields = [replace(f, before=HOSTILE, after=HOSTILE, pointer=HOSTILE) for f in _fields(report)]
    actions = [
        replace(a, target=group_id(f"{HOSTILE}{n}"), why=HOSTILE, fields=tuple(fields))
        for n, a in enumerate(report.actions)
    ]
    rails = (Rail(rule=HOSTILE, says=HOSTILE, allow=HOSTILE),)
    odd = replace(report, actions=tuple(actions), rails=rails, notes=(HOSTILE,), owner=HOSTILE)

    page = show(replace(odd, environment=HOSTILE))

    page.click("button[value=open]")
    assert page.run("return document.title").startswith(HOSTILE)
    assert page.run("return document.images.length + document.scripts.length") == 1
    assert HOSTILE in page.run("return document.querySelector('.gist').textContent")


def test_markup_that_got_in_all_the_same_would_not_run(browser: Browser, tmp_path: Path) -> None:
    """The policy is the second wall: the page is broken here by hand."""
    page = tmp_path / "broken.html"
    page.write_text(as_html(SAMPLES["plan"]).replace("<main>", f"<main>{HOSTILE}"), "utf-8")

    browser.open(page.as_uri())

    assert browser.run("return document.images.length") == 1
    assert browser.run("return document.title").startswith("prod plan")
    refused = [entry["message"] for entry in browser.log("browser")]
    assert any("Content Security Policy" in message for message in refused)
    requested(browser)


def test_no_page_is_wider_than_its_window(show: Show) -> None:
    wide = {}
    for name in ("plan", "apply-partial", "drift", "status", "validate"):
        page = show(SAMPLES[name])
        if name not in ("status", "validate"):
            page.click("button[value=open]")
        for width in (320, 1280):
            page.control("Emulation.setDeviceMetricsOverride", width=width, **SCREEN)
            more = page.run("return document.documentElement.scrollWidth - innerWidth")
            wide |= {(name, width): more} if more > 0 else {}
        page.control("Emulation.clearDeviceMetricsOverride")

    assert wide == {}


def test_it_is_read_without_scripts_too(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "plan.html"
    page.write_text(as_html(SAMPLES["plan"]), encoding="utf-8")
    browser.control("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(page.as_uri())
        browser.click(f"[id='{WEB}'] > summary")
    finally:
        browser.control("Emulation.setScriptExecutionDisabled", value=False)

    assert is_open(browser, WEB)
    assert not browser.run("return document.getElementById('filter').checkVisibility()")
    requested(browser)


def _fields(report: Report):
    return next(action for action in report.actions if action.kind.value == "update").fields


def test_thousands_of_groups_are_filtered(show: Show, tell: Callable[[str], None]) -> None:
    """The figures are told, not judged: they depend on the machine."""
    report = _fleet()
    began = time.perf_counter()
    size = len(as_html(report).encode())
    made = time.perf_counter() - began
    page = show(report)
    loaded = page.run(
        "return performance.timing.domContentLoadedEventEnd - performance.timing.navigationStart"
    )

    took = [
        page.run(
            "const find = document.getElementById('find'), began = performance.now();"
            "find.value = arguments[0];"
            "find.dispatchEvent(new Event('input', {bubbles: true}));"
            "document.body.offsetHeight;"
            "return performance.now() - began",
            text,
        )
        for text in ("g49", "g499", "", "image", "nobody")
    ]

    assert count(page) == f"0 of {FLEET} shown"
    assert filtered(page, "g4999") == ["rg-shop-prod/g4999"]
    tell(
        f"html: {FLEET} groups in {size / 1e6:.1f} MB, made in {made:.1f} s, loaded in "
        f"{loaded / 1000:.1f} s, filtered in {', '.join(f'{one:.0f}' for one in took)} ms"
    )


def _fleet() -> Report:
    report = SAMPLES["plan"]
    web = next(one for one in report.actions if str(one.target) == WEB)
    fields = (web.fields[3], web.fields[5], web.fields[6])
    actions = tuple(
        replace(web, target=group_id(f"g{n}"), fields=fields, file=f"groups/g{n}.yaml")
        for n in range(FLEET)
    )
    return replace(report, actions=actions)
