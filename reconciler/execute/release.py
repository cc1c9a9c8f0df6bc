"""Giving a group up: our tags go, and it runs on as nobody's."""

from __future__ import annotations

from reconciler.core.cloud import Accepted, Kind, Ration
from reconciler.core.groups import LiveGroup
from reconciler.core.ids import GroupId
from reconciler.core.ownership import OUR_TAGS, foreign_tags
from reconciler.core.plan import Action
from reconciler.execute.fates import tags_fate
from reconciler.execute.readback import not_taken
from reconciler.execute.send import Write, sent
from reconciler.execute.stale import reread
from reconciler.execute.writer import Progress, Writer


def released(action: Action, writer: Writer) -> LiveGroup:
    """The group without our tags; nothing restarts.

    Raises:
        StaleAction: it moved since it was looked at.
        AzureError: Azure refused, or the tags are there still.
    """
    live = reread(action, writer.waiter)
    assert live is not None
    group = live.id
    tags = foreign_tags(live.tags)
    write = Write(
        send=lambda: _patch(group, tags, writer),
        fate=lambda: tags_fate(group, tags, writer.waiter),
        check=lambda: reread(action, writer.waiter),
        ration=Ration.of(group.subscription, Kind.WRITE),
    )
    sent(write, action, writer, Progress())
    now = writer.waiter.present(group)
    left = [key for key in (now.tags if now is not None else ()) if key.lower() in OUR_TAGS]
    if now is None or left:
        raise not_taken(group, [("tags", key) for key in left])
    return now


def _patch(group: GroupId, tags: dict[str, str], writer: Writer) -> Accepted:
    return Accepted(body=writer.cloud.patch_tags(group, tags), operation=None)
