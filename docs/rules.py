"""Write rules.md, the page of all rules, from the rules.

python docs/rules.py            writes it
python docs/rules.py --check    exits 1 when the committed page differs
"""

from __future__ import annotations

import sys
from pathlib import Path

from reconciler.manifest.lint.guide import page

PAGE = Path(__file__).parent / "rules.md"


def main(arguments: list[str]) -> int:
    """Write the page, or compare it with `--check`."""
    if "--check" not in arguments:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    is_stale = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page()
    if is_stale:
        print(
            "docs/rules.md: expected what the generator makes, got another text; run 'make rules'"
        )
    return 1 if is_stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
