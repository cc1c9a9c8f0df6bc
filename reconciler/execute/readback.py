"""Reading back what was written: Azure may take less than it was sent, and says nothing then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reconciler.core.diff import FieldChange, diff, digests_of
from reconciler.core.groups import DesiredGroup, LiveGroup
from reconciler.core.ids import GroupId
from reconciler.core.jsonval import Path, pointer
from reconciler.core.ownership import (
    OUR_TAGS,
    OWNER_TAG,
    STATE_TAG,
    StateTag,
    format_state,
    tag,
)
from reconciler.errors import AzureError, NotTaken, StaleAction
from reconciler.execute.writer import Writer


def take_tags(
    desired: DesiredGroup,
    before: LiveGroup | None,
    now: LiveGroup,
    tags: Mapping[str, str],
    writer: Writer,
    *,
    is_wanted: bool,
) -> None:
    """Patch our tags and the manifest's if the PUT did not set them: reports differ on that (I3).

    Those of others stay as they are now. `is_wanted`: the group is as it was written.

    Raises:
        StaleAction: somebody else's group is there by now; it was left alone.
        NotTaken: the tags were not taken either.
    """
    _check_ours(desired, before, now, tags, writer, is_wanted=is_wanted)
    wanted = _wanted_tags(desired, before, now, tags)
    if _folded(now.tags) != _folded(wanted):
        writer.waiter.patiently(lambda: writer.cloud.patch_tags(desired.id, wanted))
        check_tags(desired, writer.waiter.view(desired.id), tags)


def _check_ours(
    desired: DesiredGroup,
    before: LiveGroup | None,
    now: LiveGroup,
    tags: Mapping[str, str],
    writer: Writer,
    *,
    is_wanted: bool,
) -> None:
    """Return when `now` is what was written, not what somebody put there since."""
    owner = tag(now.tags, OWNER_TAG)
    was = None if before is None else tag(before.tags, OWNER_TAG)
    has_mark = tag(now.tags, STATE_TAG) == tag(tags, STATE_TAG)
    if owner not in (writer.owner, was) or not (has_mark or is_wanted):
        raise StaleAction(
            "written, but somebody else wrote it since",
            verb="read back",
            target=str(desired.id),
            hint="plan again",
        )


def _wanted_tags(
    desired: DesiredGroup, before: LiveGroup | None, now: LiveGroup, tags: Mapping[str, str]
) -> dict[str, str]:
    """The tags as they are due: ours and the manifest's of `tags`, others' as they are now."""
    managed = {key: value for key, value in tags.items() if _is_managed(key, desired)}
    dropped = {key.lower() for key in (before.tags if before else ())}
    dropped -= {key.lower() for key in tags}
    names = {key.lower() for key in managed} | dropped
    others = {key: value for key, value in now.tags.items() if key.lower() not in names}
    return {**others, **managed}


def _is_managed(key: str, desired: DesiredGroup) -> bool:
    return key.lower() in OUR_TAGS or key.lower() in {name.lower() for name in desired.tags}


def check_tags(desired: DesiredGroup, live: LiveGroup | None, tags: Mapping[str, str]) -> None:
    """Return when the group has those of `tags` that are ours or the manifest's.

    Raises:
        NotTaken: it lacks one; the error names it.
    """
    have = _folded(live.tags) if live is not None else {}
    lost = [
        key
        for key, value in tags.items()
        if _is_managed(key, desired) and have.get(key.lower()) != value
    ]
    if lost:
        raise not_taken(desired.id, [("tags", key) for key in lost])


def _folded(tags: Mapping[str, str]) -> dict[str, str]:
    return {key.lower(): value for key, value in tags.items()}


def left(desired: DesiredGroup, live: LiveGroup | None, state: StateTag) -> tuple[FieldChange, ...]:
    """What of the definition is not as it was written; its tags are looked at elsewhere.

    What the manifest ignores is others' to change at any time, also while we write.

    Raises:
        NotTaken: the group is gone.
    """
    if live is None:
        raise not_taken(desired.id, [])
    return diff(desired, replace(live, tags=desired.tags), state=state).changes


def remembered(
    desired: DesiredGroup,
    before: LiveGroup | None,
    tags: Mapping[str, str],
    state: StateTag,
    lost: Sequence[FieldChange],
    writer: Writer,
) -> AzureError:
    """The error that names what Azure did not take, once the state tag remembers it.

    The next plan would restart the group for the same fields again, and in vain.
    """
    failed = not_taken(desired.id, [change.path for change in lost])
    memory = {**tags, STATE_TAG: format_state(replace(state, not_taken=digests_of(lost)))}
    try:
        now = writer.waiter.view(desired.id)
        if now is None or tag(now.tags, STATE_TAG) != tag(tags, STATE_TAG):
            raise StaleAction("somebody else wrote it since")
        wanted = _wanted_tags(desired, before, now, memory)
        writer.waiter.patiently(lambda: writer.cloud.patch_tags(desired.id, wanted))
    except AzureError as exc:
        failed.hint = f"it could not be remembered either: {exc.says}"
    return failed


def not_taken(group: GroupId, lost: Sequence[Path]) -> AzureError:
    """The error for a write that Azure answered well and did not take whole."""
    fields = ", ".join(pointer(path) for path in lost[:5])
    fields += f" and {len(lost) - 5} more" if len(lost) > 5 else ""
    says = f"written, but Azure did not take {fields}" if fields else "written, but gone since"
    costs = any(path[0] != "tags" for path in lost)
    hint = f"change the manifest, or write it again with --retry {group}" if costs else "plan again"
    return NotTaken(says, verb="read back", target=str(group), hint=hint)
