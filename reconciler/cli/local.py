"""The emulator, started by us: inside a command, or served until Ctrl-C."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from reconciler.errors import LocalStateUnusable, UsageError

_MISSING = "the emulator's libraries are not installed"
_INSTALL = "install them with: pip install 'aci-reconcile[emulator]'"


@contextmanager
def emulator(
    database: Path | None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    drops: Sequence[str] = (),
    faults: Path | None = None,
) -> Iterator[str]:
    """The URL of an emulator that runs as long as the block lasts, in real time.

    `drops` are pointers to what it takes of each PUT and does not keep, `faults` is a script.

    Raises:
        UsageError: the script cannot be read, or cannot be meant.
        LocalStateUnusable: its libraries are missing, its database is unusable, or the port taken.
    """
    try:
        from reconciler.emulator import (
            PLENTY,
            Emulator,
            EmulatorStateUnusable,
            Faults,
            FaultsInvalid,
            RealTime,
        )
    except ImportError as exc:
        raise LocalStateUnusable(_MISSING, hint=_INSTALL) from exc
    try:
        started = Emulator(
            database=database,
            time=RealTime(),
            host=host,
            port=port,
            limits=PLENTY,
            record=False,
            drops=drops,
            faults=Faults.read(faults) if faults else None,
        ).start()
    except FaultsInvalid as exc:
        raise UsageError(str(exc), hint="see docs/faults.md") from exc
    except EmulatorStateUnusable as exc:
        raise LocalStateUnusable(str(exc)) from exc
    except OSError as exc:
        raise LocalStateUnusable(
            f"cannot listen on {host}:{port}: {exc.strerror}", hint="choose another --port"
        ) from exc
    try:
        yield started.url
    finally:
        started.stop()
