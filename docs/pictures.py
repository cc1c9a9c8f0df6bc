"""Make the pictures of the tutorial: terminals as SVG, the HTML report as PNG.

make pictures

What is shown was printed by the commands of docs/tutorial.md on a pseudo-terminal. The PNG needs
Chromium; where there is none, it is left as it is.
"""

from __future__ import annotations

import io
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

HERE = Path(__file__).parent
PICTURES = HERE / "pictures"
OURS = Path(sys.executable).parent
COLUMNS = 100
# Shown after the command; each is a word of the page, so that picture and page stay together.
SHOWN = {"plan": 1, "change": 3}  # which `plan` of the page, from 1
THEME = TerminalTheme(
    (30, 30, 34),
    (222, 222, 222),
    [(60, 60, 66), (240, 113, 120), (149, 213, 130), (233, 196, 106), (130, 170, 255),
     (199, 146, 234), (110, 205, 220), (222, 222, 222)],
    [(110, 110, 118), (255, 140, 148), (180, 235, 160), (255, 220, 140), (160, 195, 255),
     (220, 175, 250), (150, 228, 240), (255, 255, 255)],
)  # fmt: skip


def typed(line: str, folder: Path) -> str:
    """What a line prints on a terminal, escapes and all."""
    leader, follower = pty.openpty()
    environ = {
        "PATH": f"{OURS}:{os.environ['PATH']}",
        "HOME": str(folder),
        "TERM": "xterm-256color",
        "COLUMNS": str(COLUMNS),
        "LINES": "40",
    }
    process = subprocess.Popen(
        ["bash", "-c", line], cwd=folder, env=environ, stdout=follower, stderr=subprocess.DEVNULL
    )
    os.close(follower)
    chunks = []
    while True:
        try:
            chunk = os.read(leader, 65536)
        except OSError:  # Linux says so at the end
            break
        if not chunk:
            break
        chunks.append(chunk)
    process.wait(timeout=120)
    os.close(leader)
    return b"".join(chunks).decode().replace("\r\n", "\n")


def terminal(line: str, printed: str, name: str) -> None:
    """Write one terminal as pictures/NAME.svg."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ {line}", style="bold"))
    console.print(Text.from_ansi(printed.rstrip()))
    svg = console.export_svg(title="aci-reconcile", theme=THEME, unique_id=name)
    # No font from elsewhere: a page of ours fetches nothing.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code", "ui-monospace, Menlo, Consolas, DejaVu Sans Mono")
    (PICTURES / f"{name}.svg").write_text(svg, encoding="utf-8")


def screenshot(page: Path) -> None:
    """Write a page as pictures/report.png."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print("no Chromium: pictures/report.png is left as it is")
        return
    options = ["--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1100,620"]
    shot = f"--screenshot={PICTURES / 'report.png'}"
    subprocess.run([browser, *options, shot, page.as_uri()], check=True, capture_output=True)


def main() -> None:
    """Play the tutorial and keep what is shown of it."""
    page = (HERE / "tutorial.md").read_text("utf-8")
    blocks = re.findall(r"^```(console|yaml)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    plans = 0
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "shop"
        folder.mkdir()
        for language, text in blocks:
            head = text.partition("\n")[0]
            if language == "yaml" and not head.startswith("# in "):
                (folder / head.removeprefix("# ")).write_text(text, encoding="utf-8")
            for line in [one[2:] for one in text.splitlines() if one.startswith("$ ")]:
                printed = typed(line, folder)
                if shlex.split(line)[:2] == ["aci-reconcile", "plan"]:
                    plans += 1
                    for name, number in SHOWN.items():
                        if number == plans:
                            terminal(line, printed, name)
        # Written before the last apply, and still there.
        screenshot(folder / "plan.html")


if __name__ == "__main__":
    main()
