"""How text is shaped for where it goes."""

from __future__ import annotations

import os
import shutil


def shape(*, is_terminal: bool) -> tuple[bool, int]:
    """Whether to color, and how many columns there are: 100 without a terminal.

    NO_COLOR (no-color.org) and a dumb terminal are heeded.
    """
    if not is_terminal:
        return False, 100
    is_plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return not is_plain, shutil.get_terminal_size((100, 24)).columns
