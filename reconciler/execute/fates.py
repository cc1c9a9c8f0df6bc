"""What became of a write whose answer was lost: reads decide, over as long as Azure may lag."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reconciler.core.cloud import Cloud
from reconciler.core.groups import LiveGroup
from reconciler.core.ids import GroupId, ResourceGroupId
from reconciler.core.jsonval import as_text, dig
from reconciler.core.ownership import OWNER_TAG, STATE_TAG, tag
from reconciler.errors import StaleAction
from reconciler.execute.send import Fate
from reconciler.execute.stale import is_going
from reconciler.execute.wait import Waiter
from reconciler.execute.writer import is_same


def put_fate(
    group: GroupId,
    before: LiveGroup | None,
    tags: Mapping[str, str],
    is_wanted: Callable[[LiveGroup], bool],
    waiter: Waiter,
    *,
    has_secrets: bool = False,
    deleted: LiveGroup | None = None,
) -> Fate:
    """Whether a PUT over `before` took effect.

    `tags` are those it carried, with a mark of ours. Where the group does not have that (reports
    differ on whether a PUT sets tags, I3), or had it before, what has changed tells: `is_wanted`
    says whether the definition is now as the PUT asked. Azure never returns secrets, so that of
    a PUT with new ones only the mark tells. What was `deleted` just before may show for a while.

    Raises:
        StaleAction: the group is neither as it was nor as it was written: somebody else was there.
    """
    mark = tag(tags, STATE_TAG)
    was = None if before is None else tag(before.tags, STATE_TAG)
    is_old = [one for one in (before, deleted) if one is not None]

    def is_taken(now: LiveGroup | None) -> bool:
        if now is None or any(is_same(now, one) for one in is_old):
            return False
        if deleted is not None and is_going(now):
            return False
        if was != mark == tag(now.tags, STATE_TAG):
            return True
        shows_all = was == mark or not has_secrets
        told = _by_change(now, before, is_wanted, is_marked=was == mark, shows_all=shows_all)
        if told is not None:
            return told
        raise StaleAction(
            "somebody else wrote it at the same time",
            verb="put",
            target=str(group),
            hint="plan again",
        )

    return _watched(lambda: waiter.view(group), is_taken, waiter)


def _by_change(
    now: LiveGroup,
    before: LiveGroup | None,
    is_wanted: Callable[[LiveGroup], bool],
    *,
    is_marked: bool,
    shows_all: bool,
) -> bool | None:
    """What a group without the mark of a PUT tells of it; None: nothing, it is somebody else's."""
    if tag(now.tags, OWNER_TAG) != (None if before is None else tag(before.tags, OWNER_TAG)):
        return None
    has_changed = before is None or now.canonical != before.canonical
    if shows_all and has_changed and is_wanted(now):
        return True
    if is_marked and before is not None and before.has_failed:
        return True  # it is being repaired, or was, or recovers by itself
    return False if now.in_transition else None  # by whom will be seen when it has settled


def delete_fate(group: GroupId, waiter: Waiter) -> Fate:
    """Whether a DELETE took effect."""

    def is_taken(now: LiveGroup | None) -> bool:
        return now is None or is_going(now)

    return _watched(lambda: waiter.view(group), is_taken, waiter)


def tags_fate(group: GroupId, tags: Mapping[str, str], waiter: Waiter) -> Fate:
    """Whether a PATCH of the tag map took effect; to send it again does no harm."""
    now = waiter.view(group)
    taken = now is not None and dict(now.tags) == dict(tags)
    return Fate.TAKEN if taken else Fate.NOT_TAKEN


def start_fate(before: LiveGroup, waiter: Waiter) -> Fate:
    """Whether a group that had ended was started; a short task may have ended again by now."""

    def is_taken(now: LiveGroup | None) -> bool:
        if now is None:
            return False
        has_moved = now.in_transition or now.state != before.state
        return has_moved or now.containers_ran != before.containers_ran

    return _watched(lambda: waiter.view(before.id), is_taken, waiter)


def stop_fate(before: LiveGroup, waiter: Waiter) -> Fate:
    """Whether a group that ran was stopped; one that ended by itself meanwhile runs no more."""

    def is_taken(now: LiveGroup | None) -> bool:
        return now is not None and now.has_ended

    return _watched(lambda: waiter.view(before.id), is_taken, waiter)


def restart_fate(before: LiveGroup, waiter: Waiter) -> Fate:
    """Whether a group was restarted; a container that restarted by itself shows no other way."""

    def is_taken(now: LiveGroup | None) -> bool:
        return now is not None and (now.in_transition or now.has_run_since(before))

    return _watched(lambda: waiter.view(before.id), is_taken, waiter)


def home_fate(home: ResourceGroupId, cloud: Cloud, waiter: Waiter, *, exists: bool) -> Fate:
    """Whether a resource group was created, or its deletion begun."""
    body = waiter.patiently(lambda: cloud.resource_group(home))
    is_going = as_text(dig(body, "properties", "provisioningState")).lower() == "deleting"
    is_there = body is not None and not is_going
    return Fate.TAKEN if is_there == exists else Fate.NOT_TAKEN


def _watched(
    read: Callable[[], LiveGroup | None],
    is_taken: Callable[[LiveGroup | None], bool],
    waiter: Waiter,
) -> Fate:
    """One look says that it took effect; that it did not, only looks over a while."""
    for pause_s in waiter.pauses_until(waiter.clock.now() + waiter.patience):
        if is_taken(read()):
            return Fate.TAKEN
        waiter.clock.sleep(pause_s)
    return Fate.NOT_TAKEN
