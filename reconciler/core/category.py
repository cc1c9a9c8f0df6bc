"""What a finding of drift can be about."""

from __future__ import annotations

from enum import Enum


class Category(Enum):
    """What a finding is about, worst first."""

    MISSING = "missing"  # it was applied, and is not there
    CHANGED = "changed"  # what is live is not what was last applied
    CRASH_LOOPING = "crash-looping"
    UNHEALTHY = "unhealthy"
    ORPHANED = "orphaned"  # ours, and no manifest names it
    STOPPED = "stopped"
    ADDRESS_MOVED = "address-moved"  # another IP address than the run before saw
    IMAGE_MOVED = "image-moved"  # a tag points at another image than the one that runs
    UNMANAGED = "unmanaged"  # nobody's, in a resource group of ours
    PENDING = "pending"  # the manifest was changed and not yet applied


# What counts where nobody says otherwise.
COUNTED = frozenset(
    {
        Category.MISSING,
        Category.CHANGED,
        Category.CRASH_LOOPING,
        Category.UNHEALTHY,
        Category.ORPHANED,
    }
)
