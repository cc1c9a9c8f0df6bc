"""Reading many things at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_In = TypeVar("_In")
_Out = TypeVar("_Out")


def at_once(work: Callable[[_In], _Out], items: Sequence[_In], *, workers: int) -> list[_Out]:
    """`work` for each item on as many threads as `workers` allows, in order."""
    # Not a `with` block: that would wait for every thread also after an interrupt.
    pool = ThreadPoolExecutor(max(1, min(workers, len(items))), thread_name_prefix="read")
    try:
        return list(pool.map(work, items))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
