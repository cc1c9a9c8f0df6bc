"""Reading back what was written: Azure may take less than it was sent, and says nothing then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reconciler.core.diff import FieldChange, diff, digests_of
from reconciler.core.groups import DesiredGroup, LiveGroup
from reconciler.core.ids import GroupId
from reconciler.core.jsonval import Path, pointer
from reconciler.core.ownership import (
    STATE_TAG,
    StateTag,
    foreign_tags,
    format_state,
)
from reconciler.errors import AzureError, NotTaken
from reconciler.execute.wait import Waiter


def take_tags(
    desired: DesiredGroup,
    before: LiveGroup | None,
    now: LiveGroup,
    tags: Mapping[str, str],
    waiter: Waiter,
) -> None:
    """Patch the tags if the PUT did not set them: reports contradict each other (I3).

    What others have added since, as Azure Policy does, stays.
    """
    known = {key.lower() for key in (*tags, *(before.tags if before else ()))}
    added = {key: value for key, value in now.tags.items() if key.lower() not in known}
    wanted = {**added, **tags}
    if _folded(now.tags) != _folded(wanted):
        waiter.patiently(lambda: waiter.cloud.patch_tags(desired.id, wanted))
        check_tags(desired, waiter.view(desired.id), tags)


def check_tags(desired: DesiredGroup, live: LiveGroup | None, tags: Mapping[str, str]) -> None:
    """Return when the group has all of `tags`.

    Raises:
        NotTaken: it lacks one; the error names it.
    """
    have = _folded(live.tags) if live is not None else {}
    lost = [key for key, value in tags.items() if have.get(key.lower()) != value]
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
    tags: Mapping[str, str],
    state: StateTag,
    lost: Sequence[FieldChange],
    waiter: Waiter,
) -> AzureError:
    """The error that names what Azure did not take, once the state tag remembers it.

    The next plan would restart the group for the same fields again, and in vain.
    """
    failed = not_taken(desired.id, [change.path for change in lost])
    after = format_state(replace(state, not_taken=digests_of(lost)))
    try:
        now = waiter.view(desired.id)
        others = {} if now is None else foreign_tags(now.tags)
        known = {key.lower() for key in tags}
        kept = {key: value for key, value in others.items() if key.lower() not in known}
        memory = {**kept, **tags, STATE_TAG: after}
        waiter.patiently(lambda: waiter.cloud.patch_tags(desired.id, memory))
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
