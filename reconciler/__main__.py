"""`python -m reconciler` is the same as the command `aci-reconcile`."""

from __future__ import annotations

import sys

from reconciler.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
