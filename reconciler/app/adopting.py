"""Taking over what runs already: a plan in which nothing but tags is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.app.asked import Azure, Consent, Wanted
from reconciler.app.planning import plan
from reconciler.core.adoption import only_adoption
from reconciler.core.groups import Adopt, DesiredGroup
from reconciler.core.names import find_group
from reconciler.core.place import is_misplaced
from reconciler.core.plan import Action, Plan
from reconciler.errors import UsageError


def plan_adoption(
    wanted: Wanted,
    azure: Azure,
    consent: Consent,
    *,
    names: Sequence[str] = (),
    from_owner: str | None = None,
) -> Plan:
    """The adoptions that are due, each with the proof that nothing differs; the rest is refused.

    With `names`, of these groups alone; these are also taken from `from_owner`. Groups in
    transition are waited for.

    Raises:
        UsageError: a name fits nothing or several groups, or `from_owner` comes without names.
        AzureError: something could not be read.
    """
    if from_owner is not None and not names:
        raise UsageError(
            "--from-owner takes groups by their names, and there is none", hint="name each group"
        )
    named = {find_group(name, [group.id for group in wanted.groups]) for name in names}
    chosen = {group.address for group in named}
    groups = tuple(_by_equality(group, chosen) for group in wanted.groups)
    consent = replace(
        consent,
        select=(*consent.select, *(str(group) for group in named)),
        take_from={address: from_owner for address in chosen if from_owner},
    )
    planned = plan(replace(wanted, groups=groups), azure, consent, settles=True)
    if is_misplaced(planned):
        return planned
    kept: list[Action] = []
    absent = 0
    for action in planned.actions:
        found = only_adoption(action, owner=planned.owner, is_named=action.address in chosen)
        if found is not None:
            kept.append(replace(found, after=(), behind=()))
        absent += found is None and action.desired is not None
    notes = [note for note in planned.notes if "nothing is removed" not in note]
    if absent:
        notes.append(f"not in Azure, so that 'apply' would create them: {absent} of the manifests")
    return replace(
        planned,
        actions=tuple(kept),
        orphans=(),
        rails=(),  # they bound what tags never do
        notes=tuple(notes),
    )


def _by_equality(group: DesiredGroup, named: set[str]) -> DesiredGroup:
    """The group under the policy that adoption follows: who names it consents to that alone."""
    may = group.id.address in named or group.policy.adopt is not Adopt.NEVER
    return replace(
        group,
        policy=replace(group.policy, adopt=Adopt.IDENTICAL if may else Adopt.NEVER),
    )
