"""Whether groups have come to where somebody waits for them to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from reconciler.app.looking import GroupStatus
from reconciler.core.groups import WaitFor
from reconciler.core.jsonval import dig
from reconciler.core.mask import scrubbed
from reconciler.execute.health import Before, hopeless, lacking


class Until(Enum):
    """What is waited for."""

    HEALTHY = "healthy"
    IN_SYNC = "in-sync"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Short:
    """What a group lacks; with `is_hopeless` it will not come to it by waiting."""

    group: GroupStatus
    says: str
    is_hopeless: bool = False


def short_of(
    until: Until, groups: Sequence[GroupStatus], before: Sequence[GroupStatus]
) -> tuple[Short, ...]:
    """The groups that are not there yet; `before` is what was seen of them at first."""
    seen = {group.target.address: group for group in before}
    found = (_short(until, group, seen.get(group.target.address)) for group in groups)
    return tuple(short for short in found if short is not None)


def _short(until: Until, group: GroupStatus, before: GroupStatus | None) -> Short | None:
    match until:
        case Until.IN_SYNC:
            return None if group.sync == "in sync" else Short(group=group, says=group.sync)
        case Until.STOPPED:
            live = group.live
            if live is None or (live.has_ended and not live.in_transition):
                return None
            return Short(group=group, says=live.state or live.provisioning)
        case Until.HEALTHY:
            return _unhealthy(group, before)


def _unhealthy(group: GroupStatus, before: GroupStatus | None) -> Short | None:
    live, desired = group.live, group.desired
    if live is None:
        return Short(group=group, says="it does not exist")
    if desired is not None:
        until = desired.policy.wait.until
    else:
        policy = dig(live.canonical, "properties", "restartPolicy")
        until = WaitFor.STARTED if policy in ("Never", "OnFailure") else WaitFor.RUNNING
    secrets = desired.secret_texts if desired is not None else ()
    first = None if before is None or before.live is None else Before.of(before.live)
    if trouble := hopeless(live, until, first):
        return Short(group=group, says=scrubbed(trouble, secrets), is_hopeless=True)
    if missing := lacking(live, until):
        return Short(group=group, says=scrubbed(missing, secrets))
    return None
