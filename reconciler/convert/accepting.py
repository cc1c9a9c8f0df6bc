"""Rules that a group breaks though it runs: silenced at the lines that break them.

Rules of combinations come from documentation; a group that runs is the better witness.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from reconciler.core.finding import Finding
from reconciler.manifest.rules import RULES

_SILENCED = re.compile(r"# aci-reconcile: ignore\[[^]]*[^] ]")
_REASON = "Azure runs it like this"


def accepted(lines: list[str], findings: Iterable[Finding]) -> list[str]:
    """The lines of a file, with a comment at each one that an error is about.

    What no comment can silence is left to the reader, as are warnings.
    """
    broken: dict[int, set[str]] = {}
    for one in findings:
        if one.is_error and not RULES[one.rule].is_firm:
            broken.setdefault(one.where.mark.line - 1, set()).add(one.rule)
    written = list(lines)
    for line, rules in broken.items():
        names = ", ".join(sorted(rules))
        more, found = _SILENCED.subn(rf"\g<0>, {names}", written[line], count=1)
        comment = f"  # aci-reconcile: ignore[{names}] {_REASON}"
        written[line] = more if found else written[line] + comment
    return written
