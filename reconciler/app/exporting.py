"""From live groups to the manifests that equal them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.app.asked import Azure, Wanted
from reconciler.app.place import misplaced
from reconciler.core.diff import diff
from reconciler.core.groups import DesiredGroup, LiveGroup, with_location
from reconciler.core.ids import ResourceGroupId
from reconciler.core.jsonval import Json, pointer
from reconciler.core.names import find_group
from reconciler.core.ownership import OWNER_TAG, Ownership, ownership_of, state_of, tag
from reconciler.errors import Forbidden, NotFound, PlanRefused
from reconciler.execute.look import live_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A live group to export; `desired` is what a manifest says of it already.

    `differs` are pointers to where that manifest says something else.
    """

    live: LiveGroup
    desired: DesiredGroup | None = None
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """What there is to export, by address; `notes` tell what is not, and what still moves."""

    found: tuple[Found, ...]
    notes: tuple[str, ...]


def survey(
    wanted: Wanted, azure: Azure, *, names: Sequence[str], resource_groups: Sequence[str]
) -> Estate:
    """The groups of a subscription, or of some resource groups: one LIST each, no GET.

    Groups of another owner are left out unless they are named.

    Raises:
        UsageError: a name fits nothing, or several groups.
        PlanRefused: the run is in the wrong place.
        AzureError: something could not be read, or a resource group does not exist.
    """
    if (rail := misplaced(wanted, azure)) is not None:
        raise PlanRefused(f"{rail.rule}: {rail.says}", hint=rail.allow)
    lives = sorted(
        (live_of(body) for body in _bodies(wanted, azure, resource_groups)),
        key=lambda live: live.id.address,
    )
    named = {find_group(name, [live.id for live in lives]).address for name in names}
    chosen = [live for live in lives if live.id.address in named] if named else lives
    notes: list[str] = []
    found: list[Found] = []
    for live in chosen:
        if not named and ownership_of(live, wanted.owner) is Ownership.FOREIGN:
            whose = tag(live.tags, OWNER_TAG)
            notes.append(f"{live.id} is left out: owned by '{whose}'; name it to export it")
        elif live.provisioning.lower() == "deleting":
            notes.append(f"{live.id} is left out: it is being deleted")
        else:
            if live.in_transition:
                state = f"in transition (provisioning state {live.provisioning})"
                notes.append(f"{live.id} is {state}: export it again when it has settled")
            found.append(_compared(live, wanted))
    return Estate(found=tuple(found), notes=tuple(notes))


def _bodies(wanted: Wanted, azure: Azure, resource_groups: Sequence[str]) -> list[Json]:
    if not resource_groups:
        try:
            return list(azure.cloud.groups(wanted.subscription))
        except Forbidden as exc:
            raise Forbidden(
                exc.says,
                hint="name the resource groups you may read with -g",
                verb=exc.verb,
                target=exc.target,
                status=exc.status,
                code=exc.code,
                request_id=exc.request_id,
            ) from exc
    bodies: dict[str, list[Json]] = {}
    for name in resource_groups:
        home = ResourceGroupId(subscription=wanted.subscription, name=name)
        listed = azure.cloud.groups_in(home)
        if listed is None:
            raise NotFound(
                f"there is no resource group '{name}'", hint=f"in subscription {home.subscription}"
            )
        bodies[home.address] = list(listed)
    return [body for some in bodies.values() for body in some]


def _compared(live: LiveGroup, wanted: Wanted) -> Found:
    desired = next((d for d in wanted.groups if d.id.address == live.id.address), None)
    if desired is None:
        return Found(live=live)
    state = state_of(live) if ownership_of(live, wanted.owner) is Ownership.OURS else None
    changes = diff(with_location(desired, live.location), live, state=state).changes
    return Found(live=live, desired=desired, differs=tuple(pointer(one.path) for one in changes))
