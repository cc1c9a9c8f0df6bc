"""`python -m reconciler` is the same as the command `aci-reconcile`."""

from __future__ import annotations

from reconciler.cli.main import run

if __name__ == "__main__":
    run()
