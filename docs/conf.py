"""The site of these pages: `make docs` writes it to build/docs and fails on any broken link."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sphinx.util import logging

from reconciler import __version__

_HERE = Path(__file__).parent
_ROOT = _HERE.parent
_CODE = "https://github.com/aci-reconcile/aci-reconcile/blob/main/"
_OUTSIDE = re.compile(r"(?<=\]\()(?P<ups>(?:\.\./)+)(?P<path>[^)#\s]+)(?P<anchor>#[^)\s]*)?(?=\))")

project = "aci-reconcile"
author = "the aci-reconcile authors"
project_copyright = author
release = version = __version__

extensions = ["myst_parser"]
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_block"]
exclude_patterns: list[str] = []
smartquotes = False  # much of the text is code
nitpicky = True
suppress_warnings = ["misc.highlighting_failure"]  # a wrong example may be no YAML at all

html_theme = "furo"
html_title = f"aci-reconcile {version}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "source_repository": "https://github.com/aci-reconcile/aci-reconcile/",
    "source_branch": "main",
    "source_directory": "docs/",
}


def _led_out(_app: Any, docname: str, source: list[str]) -> None:
    """Links to files beside docs/ lead to the repository; one to no file is a warning."""
    page = _HERE / docname

    def away(match: re.Match[str]) -> str:
        target = (page.parent / match["ups"] / match["path"]).resolve()
        if target.is_relative_to(_HERE):
            return match[0]
        if not target.exists():
            logging.getLogger(__name__).warning("no such file: %s", match[0], location=docname)
        kind = _CODE if target.is_file() else _CODE.replace("/blob/", "/tree/")
        return f"{kind}{target.relative_to(_ROOT).as_posix()}{match['anchor'] or ''}"

    source[0] = _OUTSIDE.sub(away, source[0])


def setup(app: Any) -> None:
    """Hook into the reading of pages."""
    app.connect("source-read", _led_out)
