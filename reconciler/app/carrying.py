"""What writes to Azure, and the plan to delete everything."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.app.asked import Azure, Wanted
from reconciler.app.place import misplaced, unseen
from reconciler.core.cloud import Cloud
from reconciler.core.events import Watcher
from reconciler.core.groups import (
    DesiredResourceGroup,
    LiveGroup,
    LiveResourceGroup,
)
from reconciler.core.ids import GroupId
from reconciler.core.jsonval import Json
from reconciler.core.ownership import Ownership, ownership_of
from reconciler.core.plan import Action, ActionKind, Plan
from reconciler.core.rollout import Rollout
from reconciler.core.teardown import build_teardown
from reconciler.errors import PlanRefused
from reconciler.execute.look import view
from reconciler.execute.observe import (
    Observed,
    observe,
)
from reconciler.execute.pacing import Pacer
from reconciler.execute.preflight import check_plan
from reconciler.execute.release import released
from reconciler.execute.run import Run, run
from reconciler.execute.writer import Writer


def apply(
    planned: Plan,
    azure: Azure,
    *,
    commit: str,
    watcher: Watcher,
    interrupts: Callable[[], int] = lambda: 0,
    rollout: Rollout | None = None,
) -> Run:
    """What became of carrying out a plan.

    Raises:
        PlanRefused, SecretUnresolved: before anything was touched.
    """
    check_plan(planned)
    writer = _writer(azure, owner=planned.owner, commit=commit, watcher=watcher)
    return run(planned, writer, parallelism=azure.workers, interrupts=interrupts, rollout=rollout)


def release(group: GroupId, wanted: Wanted, azure: Azure, *, watcher: Watcher) -> LiveGroup:
    """The group once it is nobody's; it runs on as it is.

    Raises:
        PlanRefused: it is not ours, or Azure is still changing it.
        AzureError: Azure refused.
    """
    live = view(azure.cloud, group)
    ownership = Ownership.NOBODYS if live is None else ownership_of(live, wanted.owner)
    if live is None or ownership is not Ownership.OURS:
        found = "it does not exist" if live is None else f"it is {ownership.value}"
        raise PlanRefused(f"'{group}' is not released: {found}", hint="see 'aci-reconcile status'")
    if live.in_transition:
        raise PlanRefused(
            f"'{group}' is not released: it is in transition ({live.provisioning})",
            hint="run again when it has settled",
        )
    action = Action(kind=ActionKind.PATCH_TAGS, target=group, live=live, why="released")
    return released(action, _writer(azure, owner=wanted.owner, commit="", watcher=watcher))


def _writer(azure: Azure, *, owner: str, commit: str, watcher: Watcher) -> Writer:
    return Writer(
        cloud=azure.cloud,
        clock=azure.clock,
        pace=azure.pace,
        pacer=azure.pacer or Pacer(clock=azure.clock),
        owner=owner,
        key=azure.key,
        commit=commit,
        watcher=watcher,
    )


def teardown(wanted: Wanted, azure: Azure, *, resource_groups: bool) -> Plan:
    """What `destroy` would delete: every owned group, on request also our resource groups."""
    if (rail := misplaced(wanted, azure)) is not None:
        return unseen(wanted, rail)
    observed = observe(azure.cloud, wanted.scope)
    homes = _declared_and_live(wanted, observed, azure.cloud) if resource_groups else ()
    return build_teardown(
        owner=wanted.owner,
        subscription=wanted.subscription,
        live=observed.groups,
        resource_groups=homes,
        protected=frozenset(g.id.address for g in wanted.groups if g.policy.protect),
        notes=observed.notes,
    )


def _declared_and_live(
    wanted: Wanted, observed: Observed, cloud: Cloud
) -> tuple[tuple[DesiredResourceGroup, LiveResourceGroup, tuple[Json, ...]], ...]:
    existing = {home.id.address: home for home in observed.resource_groups}
    return tuple(
        (declared, home, tuple(cloud.resources_in(home.id)))
        for declared in wanted.resource_groups
        if (home := existing.get(declared.id.address)) is not None
    )
