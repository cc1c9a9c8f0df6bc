"""A real browser, driven over the W3C WebDriver protocol: headless Chromium and its driver."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
MISSING = ", ".join(
    name for name, found in (("Chromium", CHROMIUM), ("ChromeDriver", DRIVER)) if found is None
)
# Nothing of its own may reach for the network, or a page's requests could not be told from it.
_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-extensions "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the name the protocol gives a reference
KEYS = {"Tab": "\ue004", "Enter": "\ue007", "Space": "\ue00d", "Escape": "\ue00c"}
PATIENCE_S = 60


class Browser:
    """One tab. Whatever goes wrong in it is an AssertionError that says what the driver said."""

    def __init__(self, url: str) -> None:
        self._url = url

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What the driver answers to one command."""
        data = json.dumps(body or {}).encode() if method == "POST" else None
        request = Request(f"{self._url}{path}", data=data, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with urlopen(request, timeout=PATIENCE_S) as answer:
                return json.load(answer)["value"]
        except HTTPError as exc:
            raise AssertionError(exc.read().decode()) from exc

    def open(self, url: str) -> None:
        """Load a page, even if only what stands after `#` differs."""
        self.ask("POST", "/url", {"url": "about:blank"})
        self.ask("POST", "/url", {"url": url})

    def run(self, script: str, *arguments: Any) -> Any:
        """The value a script returns; the driver's own scripts are under no policy of the page."""
        return self.ask("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def click(self, selector: str) -> None:
        """Click with the mouse, where the element is seen."""
        found = self.ask("POST", "/element", {"using": "css selector", "value": selector})
        self.ask("POST", f"/element/{found[_ELEMENT]}/click")

    def press(self, *keys: str) -> None:
        """Type on the keyboard: names of keys, or text."""
        strokes = [stroke for key in keys for stroke in KEYS.get(key, key)]
        moves = [
            {"type": kind, "value": stroke} for stroke in strokes for kind in ("keyDown", "keyUp")
        ]
        actions = [{"type": "key", "id": "keyboard", "actions": moves}]
        self.ask("POST", "/actions", {"actions": actions})

    def control(self, command: str, **parameters: Any) -> Any:
        """A command of Chromium's own protocol."""
        body = {"cmd": command, "params": parameters}
        return self.ask("POST", "/goog/cdp/execute", body)

    def log(self, name: str) -> list[dict[str, Any]]:
        """What was logged since somebody asked last: `browser` or `performance`."""
        return self.ask("POST", "/se/log", {"type": name})


def requested(browser: Browser) -> list[str]:
    """The URLs that pages asked for since somebody asked last, but for the browser's own pages."""
    messages = (json.loads(entry["message"])["message"] for entry in browser.log("performance"))
    sent = [one["params"] for one in messages if one["method"] == "Network.requestWillBeSent"]
    # The page that a browser starts with may still be loading.
    own = [one for one in sent if not one["documentURL"].startswith("chrome:")]
    return [one["request"]["url"] for one in own]


@contextmanager
def browser_in(folder: Path) -> Iterator[Browser]:
    """A browser with an empty profile in `folder`, which ends with the block."""
    assert CHROMIUM is not None
    assert DRIVER is not None
    with subprocess.Popen(
        [DRIVER, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as driver:
        try:
            root = f"http://127.0.0.1:{_port(driver)}"
            browser = Browser(root)
            started = browser.ask("POST", "/session", {"capabilities": _wanted(folder)})
            browser = Browser(f"{root}/session/{started['sessionId']}")
            try:
                yield browser
            finally:
                browser.ask("DELETE", "")
        finally:
            driver.terminate()


def _port(driver: subprocess.Popen[str]) -> str:
    assert driver.stdout is not None
    for line in driver.stdout:
        if "started successfully on port" in line:
            return line.strip().rstrip(".").rpartition(" ")[2]
    raise AssertionError("the driver ended before it listened")


def _wanted(folder: Path) -> dict[str, Any]:
    flags = [*_FLAGS, f"--user-data-dir={folder / 'profile'}", "--window-size=1280,900"]
    return {
        "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": CHROMIUM, "args": flags},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
    }
