"""Names as people type them: `group` or `resourceGroup/group`, without case."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from reconciler.core.ids import GroupId
from reconciler.errors import UsageError


def find_group(name: str, candidates: Iterable[GroupId]) -> GroupId:
    """The one candidate that `name` means.

    Raises:
        UsageError: none fits, or several do; the message lists what there is.
    """
    unique = {candidate.address: candidate for candidate in candidates}
    known = [unique[address] for address in sorted(unique)]
    wanted = name.lower()
    fits = [i for i in known if wanted in (i.name.lower(), f"{i.resource_group}/{i.name}".lower())]
    if len(fits) == 1:
        return fits[0]
    if fits:
        listed = ", ".join(f"'{fit}'" for fit in fits)
        raise UsageError(
            f"'{name}' fits {len(fits)} groups: {listed}", hint="write resourceGroup/group"
        )
    raise UsageError(f"no group '{name}'", hint=_hint(wanted, known))


def _hint(wanted: str, known: list[GroupId]) -> str:
    if not known:
        return "there are no groups in the manifests or owned in Azure"
    names = {i.name.lower(): i for i in known} | {str(i).lower(): i for i in known}
    close = get_close_matches(wanted, names, n=1)
    if close:
        return f"did you mean '{names[close[0]]}'?"
    return f"there are: {', '.join(str(i) for i in known[:10])}{' …' if len(known) > 10 else ''}"
