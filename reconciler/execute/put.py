"""Writing a whole definition, and what is known of it afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from reconciler.core.cloud import Accepted, Kind, Ration
from reconciler.core.groups import DesiredGroup, LiveGroup, wire_body
from reconciler.core.ids import GroupId
from reconciler.core.jsonval import JsonObject, as_list, as_text, dig
from reconciler.core.outcome import Outcome
from reconciler.core.ownership import STATE_TAG, state_after_write, tag, written_tags
from reconciler.core.plan import Action
from reconciler.core.remedies import Cause, remedy_of
from reconciler.errors import ProvisioningFailed
from reconciler.execute.fates import put_fate
from reconciler.execute.judge import judged
from reconciler.execute.readback import left, not_taken, remembered, take_tags
from reconciler.execute.send import Fate, Write, sent
from reconciler.execute.stale import free, reread
from reconciler.execute.writer import Progress, Writer, is_same

# What may pass while the label and the cores of a group just deleted become free.
_PASSES_AFTER_DELETE = frozenset({Cause.CAPACITY, Cause.LABEL})


def put(
    action: Action,
    desired: DesiredGroup,
    live: LiveGroup | None,
    writer: Writer,
    progress: Progress,
    *,
    until: datetime | None = None,
) -> Outcome:
    """The outcome of a PUT of `desired` over `live`, read back and judged.

    With `until` the group was deleted just before: what stands in the way of its creation is met
    by another attempt until then.

    Raises:
        AzureError: it was not taken, or its provisioning failed.
    """
    state = state_after_write(desired, key=writer.key, commit=writer.commit)
    tags = written_tags(desired, live, owner=writer.owner, state=state)
    before = live if until is None else None
    writer.watcher.step(action, "writing")
    write = _write_of(action, desired, live, tags, writer, until=until)
    accepted = sent(write, action, writer, progress)
    progress.is_deleted = False
    deadline = writer.deadline(action)
    stuck = finish(action, accepted, writer, progress, until=deadline)
    if stuck:
        return judged(action, desired, writer, until=deadline, stuck=stuck)

    def is_wanted(now: LiveGroup) -> bool:
        return tag(now.tags, STATE_TAG) == tag(tags, STATE_TAG) and not left(desired, now, state)

    settled = _settled(desired.id, live, is_wanted, writer, until=deadline)
    if settled.has_failed:
        raise not_provisioned(action, f"provisioning {settled.provisioning}", code="")
    lost = left(desired, settled, state)
    take_tags(desired, before, settled, tags, writer, is_wanted=not lost)
    if lost:
        raise remembered(desired, before, tags, state, lost, writer)
    return judged(action, desired, writer, until=deadline, seen=settled)


def _write_of(
    action: Action,
    desired: DesiredGroup,
    live: LiveGroup | None,
    tags: Mapping[str, str],
    writer: Writer,
    *,
    until: datetime | None,
) -> Write:
    """The PUT of `desired` over `live`, or with `until` in its place."""
    body = wire_body(desired, tags)
    state = state_after_write(desired, key=writer.key, commit=writer.commit)

    def check() -> None:
        if until is not None:
            free(action, writer.waiter, until=until)
        else:
            writer.waiter.settled(desired.id, until=writer.deadline(action))
            reread(action, writer.waiter)

    def fate() -> Fate:
        return put_fate(
            desired.id,
            live if until is None else None,
            tags,
            lambda now: not left(desired, now, state),
            writer.waiter,
            has_secrets=bool(desired.secrets),
            deleted=live if until is not None else None,
        )

    return Write(
        send=lambda: writer.cloud.put_group(desired.id, body),
        fate=fate,
        check=check,
        ration=put_ration(desired),
        subnet=_subnet(body),
        persists_for=frozenset() if until is None else _PASSES_AFTER_DELETE,
        until=until,
    )


def put_ration(desired: DesiredGroup) -> Ration:
    """What a PUT of it is counted in."""
    return Ration.of(desired.id.subscription, Kind.WRITE, desired.location)


def _settled(
    group: GroupId,
    before: LiveGroup | None,
    is_wanted: Callable[[LiveGroup], bool],
    writer: Writer,
    *,
    until: datetime,
) -> LiveGroup:
    """The group once it is settled, and for a while not still as it was `before`: GETs may lag."""
    seen = writer.waiter.present(group)
    settled = seen and writer.waiter.settled(group, until=until, seen=seen)
    for pause_s in writer.waiter.pauses_until(writer.clock.now() + writer.waiter.patience):
        if settled is None or before is None or not is_same(settled, before):
            break
        if is_wanted(settled):
            break  # what was there before is created again
        writer.clock.sleep(pause_s)
        settled = writer.waiter.settled(group, until=until)
    if settled is None:
        raise not_taken(group, [])
    return settled


def _subnet(body: JsonObject) -> str:
    subnets = as_list(dig(body, "properties", "subnetIds"))
    return as_text(dig(subnets[0], "id")).lower() if subnets else ""


def finish(
    action: Action, accepted: Accepted, writer: Writer, progress: Progress, *, until: datetime
) -> str:
    """Wait for the operation of a write; why that is pointless, or an empty text.

    Raises:
        ProvisioningFailed: it ended in failure.
        OperationTimedOut: it did not end by `until`.
    """
    if accepted.operation is None:
        return ""
    progress.operation = accepted.operation.url.partition("?")[0]
    writer.watcher.step(action, "waiting for Azure's operation", operation=progress.operation)
    target = action.target if isinstance(action.target, GroupId) else None
    look = writer.waiter.finished(accepted.operation, target, until=until)
    if not look.is_final:
        return look.error_message
    if look.status.lower() == "succeeded":
        return ""
    says = look.error_message or f"the operation ended {look.status}"
    request_id = look.request_id or accepted.request_id
    raise not_provisioned(action, says, code=look.error_code, request_id=request_id)


def not_provisioned(
    action: Action, says: str, *, code: str, request_id: str = ""
) -> ProvisioningFailed:
    """The error for a write that was taken and came to nothing."""
    failed = ProvisioningFailed(
        says,
        verb=action.kind.value,
        target=str(action.target),
        code=code or None,
        request_id=request_id or None,
    )
    failed.hint = remedy_of(failed).hint or "see 'aci-reconcile status' for what is left"
    return failed
