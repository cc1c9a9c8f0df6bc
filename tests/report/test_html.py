"""The page: whole by itself, harmless whatever is in it, and read by a real browser."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.plan import Rail
from reconciler.report.as_html import as_html
from tests.report.samples import PLANTED, reports

SAMPLES = reports()
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
HOSTILE = (
    "</summary><script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"
)


class Page(HTMLParser):
    """The tags of a page with their attributes, and its texts but for script and style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside not in ("script", "style"):
            self.texts.append(data)

    @property
    def shape(self) -> list[str]:
        return [tag for tag, _ in self.tags]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_page_asks_for_nothing_and_holds_no_secret(name: str) -> None:
    text = as_html(SAMPLES[name])
    page = Page(text)

    assert text == as_html(SAMPLES[name])
    assert PLANTED not in text
    assert "://" not in text.replace(
        SAMPLES[name].subscription or "\0", ""
    ) or "http" not in "".join(
        str(attrs) for tag, attrs in page.tags if tag in ("link", "script", "img", "iframe")
    )
    assert not {"link", "img", "iframe", "object", "embed", "base"} & set(page.shape)
    assert page.shape.count("script") == page.shape.count("style") == 1
    policy = next(a for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in str(policy["content"])
    assert not [a for _, attrs in page.tags for a in attrs if a.startswith("on")]


@given(text=st.text(max_size=30) | st.just(HOSTILE))
def test_no_text_becomes_markup(text: str) -> None:
    report = SAMPLES["plan-blocked"]
    plain, odd = (
        replace(
            report,
            rails=(Rail(rule=one, says=one, allow="x"),),
            notes=(one,),
            actions=tuple(replace(a, why=one, costs=(one,)) for a in report.actions),
        )
        for one in ("plain", text or "x")
    )

    assert Page(as_html(odd)).shape == Page(as_html(plain)).shape


def test_all_of_a_plan_is_on_its_page() -> None:
    report = SAMPLES["plan"]
    words = " ".join(Page(as_html(report)).texts)

    for action in report.actions:
        assert str(action.target) in words
        for field in action.fields:
            assert field.pointer in words


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine")
def test_a_browser_runs_our_script_alone_and_sends_nothing(tmp_path: Path) -> None:
    report = replace(SAMPLES["plan"], notes=(HOSTILE,))
    report = replace(report, actions=tuple(replace(one, why=HOSTILE) for one in report.actions))
    page = tmp_path / "plan.html"
    page.write_text(as_html(report), encoding="utf-8")
    assert BROWSER is not None
    flags = (
        "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
        "--disable-component-update --disable-sync --enable-logging=stderr"
    ).split()

    done = subprocess.run(
        [BROWSER, *flags, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=100,
    )

    number = len(report.actions)
    assert f"{number} of {number} shown" in done.stdout, done.stderr[-500:]
    assert "<title>run</title>" not in done.stdout
    assert not re.search(r"CONSOLE.*(error|refused)", done.stderr, re.IGNORECASE)
