"""What a person asks of a group past its manifest: to start, to stop, to restart.

What Azure does with such a request is in azure-facts A.7 and E.3: it starts what is stopped or has
ended, stops what runs, restarts only what runs, and refuses all three while it changes the group.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeAlias

from reconciler.core.groups import DesiredGroup, LiveGroup, Wait, WaitFor
from reconciler.core.ids import GroupId
from reconciler.core.jsonval import as_object, dig
from reconciler.core.ownership import OWNER_TAG, Ownership, ownership_of, state_of, tag
from reconciler.core.plan import Action, ActionKind, Hand

_TIMEOUT = timedelta(minutes=10)  # for a group that no manifest speaks of
_LIFT = (
    "write 'reconcile: {protect: false}' in its manifest and apply: no consent goes further than"
    " protection"
)
_Verdict: TypeAlias = tuple[ActionKind, str, str]  # kind, why, what a person can do


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for. `foreign` are the addresses of groups of others that may be touched.

    `waits` says whether to wait until it is so, `timeout` for how long; None: as manifests say.
    """

    kind: ActionKind
    owner: str
    foreign: frozenset[str] = frozenset()
    waits: bool = True
    timeout: timedelta | None = None


def by_hand(
    group: GroupId, live: LiveGroup | None, desired: DesiredGroup | None, request: Request
) -> Action:
    """The action for one group, or why there is none.

    `live` is a view with states, None where the group does not exist; `desired` is None where no
    manifest asks for it.
    """
    kind, why, allow = _decided(group, live, desired, request)
    is_done = kind is request.kind
    return Action(
        kind=kind,
        target=group if live is None else live.id,
        why=why,
        desired=desired,
        live=live,
        allow=allow,
        costs=_costs(kind, live) if is_done and live is not None else (),
        hand=Hand(wait=_wait(live, desired, request)) if is_done else None,
    )


def in_turn(actions: Iterable[Action]) -> tuple[Action, ...]:
    """The actions in the order of their addresses, with who waits for whom.

    What depends on another starts after it, and stops before it.
    """
    found = sorted(actions, key=lambda action: action.address)
    acting = {action.address for action in found if action.hand is not None}
    needs = {
        action.address: tuple(
            one.address
            for one in (action.desired.policy.depends_on if action.desired else ())
            if one.address in acting
        )
        for action in found
        if action.address in acting
    }
    return tuple(_placed(action, needs) for action in found)


def _placed(action: Action, needs: Mapping[str, tuple[str, ...]]) -> Action:
    if action.kind is ActionKind.STOP:
        users = sorted(user for user, needed in needs.items() if action.address in needed)
        return replace(action, behind=tuple(users))
    return replace(action, after=needs.get(action.address, ()))


def _decided(
    group: GroupId, live: LiveGroup | None, desired: DesiredGroup | None, request: Request
) -> _Verdict:
    verb = request.kind.value
    if live is None:
        return (
            ActionKind.REFUSE,
            "it does not exist in Azure",
            "create it with 'aci-reconcile apply'",
        )
    if group.address not in request.foreign and (whose := _others(live, request.owner)):
        return ActionKind.REFUSE, whose, f"consent with --foreign {live.id}"
    if live.in_transition:
        why = f"it is in transition ({live.provisioning}), and until then Azure does not {verb} it"
        return ActionKind.REFUSE, why, "run again when 'aci-reconcile status' shows it settled"
    match request.kind:
        case ActionKind.STOP:
            return _stop(live, desired)
        case ActionKind.RESTART:
            return _restart(live)
        case _:
            return _start(live)


def _others(live: LiveGroup, owner: str) -> str:
    """Whose the group is; empty where it is ours."""
    match ownership_of(live, owner):
        case Ownership.OURS:
            return ""
        case Ownership.FOREIGN:
            return f"it is not ours: its owner is '{tag(live.tags, OWNER_TAG)}'"
        case Ownership.NOBODYS:
            return "it is not ours: it has no owner"
        case other:
            return f"it is not ours: it has {other.value}"


def _start(live: LiveGroup) -> _Verdict:
    if live.has_ended or live.has_failed:
        return ActionKind.START, f"asked to start; it is {_state(live)}", ""
    return ActionKind.NO_OP, f"it is {_state(live)}: there is nothing to start", ""


def _stop(live: LiveGroup, desired: DesiredGroup | None) -> _Verdict:
    if live.has_ended:
        return ActionKind.NO_OP, f"it is {_state(live)}: nothing of it runs", ""
    state = state_of(live)
    remembered = state is not None and state.protect
    if desired.policy.protect if desired is not None else remembered:
        return ActionKind.REFUSE, "it is protected", _LIFT
    return ActionKind.STOP, f"asked to stop; it is {_state(live)}", ""


def _restart(live: LiveGroup) -> _Verdict:
    if live.has_ended:
        why = f"it is {_state(live)}, and Azure restarts only what runs"
        return ActionKind.REFUSE, why, f"start it with 'aci-reconcile start {live.id}'"
    return ActionKind.RESTART, f"asked to restart; it is {_state(live)}", ""


def _state(live: LiveGroup) -> str:
    return live.state or live.provisioning or "in no state"


def _wait(live: LiveGroup | None, desired: DesiredGroup | None, request: Request) -> Wait | None:
    if not request.waits:
        return None
    if desired is not None:
        wait = desired.policy.wait
    else:
        policy = dig(live.canonical, "properties", "restartPolicy") if live is not None else ""
        until = WaitFor.STARTED if policy in ("Never", "OnFailure") else WaitFor.RUNNING
        wait = Wait(until=until, timeout=_TIMEOUT)
    return wait if request.timeout is None else replace(wait, timeout=request.timeout)


def _costs(kind: ActionKind, live: LiveGroup) -> tuple[str, ...]:
    """What a reader should know before it is done; a group loses its emptyDir when it stops."""
    number = len(as_object(dig(live.canonical, "properties", "containers")))
    costs = [f"{kind.value}s {number} container{'' if number == 1 else 's'}"]
    has_address = bool(dig(live.canonical, "properties", "ipAddress"))
    if kind is ActionKind.STOP:
        costs.append("down until it is started")
    if kind is ActionKind.START and has_address:
        costs.append("IP address may change")
    volumes = as_object(dig(live.canonical, "properties", "volumes"))
    lost = [name for name, volume in volumes.items() if "emptyDir" in as_object(volume)]
    if lost and kind is not ActionKind.START:
        fate = "lost" if kind is ActionKind.STOP else "may be lost"
        costs.append(f"data in emptyDir {', '.join(lost)} {fate}")
    return tuple(costs)
