"""The actions a decision can come to, each made in one place with its reason and its costs."""

from __future__ import annotations

from reconciler.core.asker import Asker
from reconciler.core.carry import NotCarried, with_ignored
from reconciler.core.costs import costs_of
from reconciler.core.diff import Diff
from reconciler.core.groups import DesiredGroup, LiveGroup, Replace, SecretState
from reconciler.core.pins import unpinned
from reconciler.core.places import position_of
from reconciler.core.plan import Action, ActionKind

_BY_TAG = "plan again once its registry tells it, or write reconcile.images: tag"


def no_op(desired: DesiredGroup, live: LiveGroup, *, why: str) -> Action:
    """Nothing is done."""
    return Action(kind=ActionKind.NO_OP, target=desired.id, why=why, desired=desired, live=live)


def refuse(
    desired: DesiredGroup,
    live: LiveGroup | None,
    *,
    why: str,
    allow: str,
    found: Diff | None = None,
    blocks: bool = True,
) -> Action:
    """Nothing is done, though something should be."""
    return Action(
        kind=ActionKind.REFUSE,
        target=desired.id,
        why=why,
        desired=desired,
        live=live,
        allow=allow,
        diff=found or Diff(),
        blocks=blocks,
    )


def undigested(
    desired: DesiredGroup, live: LiveGroup | None, found: Diff, *, why: str = ""
) -> Action:
    """Nothing can be sent as long as nobody tells the digest that is to be sent."""
    images = unpinned(desired)
    path, reason = next(iter(images.items()))
    more = f" and {len(images) - 1} more" if len(images) > 1 else ""
    where = position_of(desired, path)
    why = f"{why}the digest of the image of {path[2]}{more} is not known ({where}): {reason}"
    return refuse(desired, live, why=why, allow=_BY_TAG, found=found)


def patch_tags(desired: DesiredGroup, live: LiveGroup, found: Diff, *, why: str) -> Action:
    """Tags are written, and nothing else."""
    kind, costs = ActionKind.PATCH_TAGS, ("nothing restarts",)
    return _light(kind, desired, live, found, why=why, costs=costs)


def adopt(desired: DesiredGroup, live: LiveGroup, found: Diff, *, why: str) -> Action:
    """The group becomes ours by its tags."""
    return _light(ActionKind.ADOPT, desired, live, found, why=why, costs=())


def start(desired: DesiredGroup, live: LiveGroup, found: Diff, *, why: str) -> Action:
    """A group that has ended runs again; the service keeps its secrets (E.3)."""
    kind = ActionKind.START
    costs = costs_of(kind, desired, live)
    return _light(kind, desired, live, found, why=why, costs=costs)


def _light(
    kind: ActionKind,
    desired: DesiredGroup,
    live: LiveGroup,
    found: Diff,
    *,
    why: str,
    costs: tuple[str, ...],
) -> Action:
    """An action that sends no definition."""
    return Action(
        kind=kind,
        target=desired.id,
        why=why,
        desired=desired,
        live=live,
        diff=found,
        costs=costs,
    )


def update(
    desired: DesiredGroup, live: LiveGroup, found: Diff, asker: Asker, *, why: str
) -> Action:
    """A PUT over the live group, unless it was asked by name to be replaced instead."""
    if desired.id.address in asker.replace:
        why = f"{why}; a replacement was asked for by name"
        return replacement(desired, live, found, asker, why=why)
    return written(desired, live, ActionKind.UPDATE, found, why=why)


def replacement(
    desired: DesiredGroup, live: LiveGroup, found: Diff, asker: Asker, *, why: str
) -> Action:
    """Delete and create, where policy or a name on the command line allows it."""
    if desired.policy.protect:
        why = f"{why}, and the group is protected"
        allow = (
            "write 'reconcile: {protect: false}' in its manifest and plan again: no consent goes"
            " further than protection"
        )
        return refuse(desired, live, why=why, allow=allow, found=found)
    if desired.policy.replace is Replace.FORBID and desired.id.address not in asker.replace:
        why = f"{why}, and policy replace is 'forbid'"
        allow = f"consent with --replace {desired.id}, or write reconcile.replace: allow"
        return refuse(desired, live, why=why, allow=allow, found=found)
    return written(desired, live, ActionKind.REPLACE, found, why=why)


def written(
    desired: DesiredGroup, live: LiveGroup | None, kind: ActionKind, found: Diff, *, why: str
) -> Action:
    """An action that sends the whole body: impossible while a secret is not known to anyone."""
    unknown = desired.lacking(SecretState.UNKNOWN)
    if unknown:
        first = unknown[0]
        more = f", as {len(unknown) - 1} more are" if len(unknown) > 1 else ""
        why = f"{why}, but {first.name} is unknown ({first.where}){more} and a write would lose it"
        allow = "fill it in with a value or a reference"
        return refuse(desired, live, why=why, allow=allow, found=found)
    if unpinned(desired):
        return undigested(desired, live, found, why=f"{why}, but ")
    if live is not None:
        try:
            desired = with_ignored(desired, live)
        except NotCarried as exc:
            allow = "take the path out of reconcile.ignore"
            return refuse(desired, live, why=str(exc), allow=allow, found=found)
    notes = [
        f"{secret.name} is not resolved here: {secret.reason}"
        for secret in desired.lacking(SecretState.UNRESOLVED)
    ]
    return Action(
        kind=kind,
        target=desired.id,
        why=why,
        desired=desired,
        live=live,
        diff=found,
        costs=costs_of(kind, desired, live),
        notes=tuple(notes),
    )
