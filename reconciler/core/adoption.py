"""Adoption and nothing else: what may be done by tags alone, and the proof that it may."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from reconciler.core.diff import diff
from reconciler.core.groups import Adopt, DesiredGroup, LiveGroup
from reconciler.core.jsonval import Json, Path, pointer
from reconciler.core.normalise import ORDER
from reconciler.core.ownership import Ownership, foreign_tags, ownership_of
from reconciler.core.plan import Action, ActionKind
from reconciler.core.properties import Access, row_of
from reconciler.core.verdicts import no_op, refuse

_LOST = "Azure never returns secrets"
_IGNORED = "reconcile.ignore says so"
_CHOSEN = "Azure chooses it where the manifest is silent"
_UNSURE = "it is not known whether Azure returns it"
_ABSENT = "a failed deployment shows no address"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was compared: `equal` fields of both sides, and by reason the pointers that were not.

    `differing` are the fields that differ, tags the manifest adds apart: none of what is adopted.
    """

    equal: int
    uncompared: dict[str, tuple[str, ...]]
    differing: int

    def __str__(self) -> str:
        return f"compared {self.equal} fields, tags included: {self.differing or 'none'} differ"


def proof(desired: DesiredGroup, live: LiveGroup) -> Proof:
    """How a manifest and a live group compare, field by field."""
    wanted, found = dict(_leaves((), desired.canonical)), dict(_leaves((), live.canonical))
    changes = {change.path for change in diff(desired, live).changes}
    reasons: dict[str, list[str]] = {}
    equal = 0
    for path in sorted({*wanted, *found}):
        reason = _why_not(path, desired)
        if reason is None and path in wanted and path in found:
            equal += wanted[path] == found[path]
        elif not any(path[: len(change)] == change for change in changes):
            reasons.setdefault(reason or _one_sided(path), []).append(pointer(path))
    for secret in desired.secrets:
        reasons.setdefault(_LOST, []).append(secret.name)
    there = {key.lower(): value for key, value in live.tags.items()}
    equal += sum(there.get(key.lower()) == value for key, value in desired.tags.items())
    return Proof(
        equal=equal,
        uncompared={reason: tuple(names) for reason, names in reasons.items()},
        differing=sum(path[0] != "tags" or path[-1].lower() in there for path in changes),
    )


def only_adoption(action: Action, *, owner: str, is_named: bool) -> Action | None:
    """What becomes of a planned action where nothing but tags may be written; None: nothing to say.

    `is_named`: somebody asked for just this group. What is the `owner`'s already is left alone.
    """
    desired, live = action.desired, action.live
    if desired is None:
        return None
    if live is None:
        if not is_named:
            return None
        why = "there is no such group to adopt"
        return refuse(desired, None, why=why, allow="create it with 'aci-reconcile apply'")
    if action.kind is ActionKind.NO_OP:
        return action
    if ownership_of(live, owner) is Ownership.OURS:
        return no_op(desired, live, why="ours already; 'aci-reconcile plan' tells what is due")
    if action.kind is ActionKind.ADOPT:
        return replace(action, notes=tuple(_told(proof(desired, live), desired, live)))
    allow = _how_to_equal(action) if action.diff else action.allow
    if desired.policy.adopt is Adopt.NEVER:
        allow = f"name it: 'aci-reconcile adopt {action.target}'"
    return replace(action, kind=ActionKind.REFUSE, allow=allow, costs=(), blocks=True)


def _how_to_equal(action: Action) -> str:
    return (
        f"bring the manifest to it with 'aci-reconcile export {action.target} -d DIR --update', or"
        f" the group to the manifest with 'aci-reconcile apply --adopt {action.target}'"
    )


def _told(found: Proof, desired: DesiredGroup, live: LiveGroup) -> Iterator[str]:
    yield str(found)
    for reason, names in sorted(found.uncompared.items()):
        yield f"not compared, {reason}: {', '.join(names)}"
    named = {key.lower() for key in desired.tags}
    kept = [key for key in foreign_tags(live.tags) if key.lower() not in named]
    if kept:
        yield f"kept, tags of others: {', '.join(sorted(kept))}"
    if live.has_failed:
        yield "its last deployment failed: apply once it is adopted"


def _leaves(path: Path, value: Json) -> Iterator[tuple[Path, Json]]:
    if isinstance(value, dict) and value:
        for name, item in value.items():
            if name != ORDER:
                yield from _leaves((*path, name), item)
    else:
        yield path, value


def _why_not(path: Path, desired: DesiredGroup) -> str | None:
    ignored = any(path[: len(one)] == one for one in desired.policy.ignore)
    return _IGNORED if ignored else None


def _one_sided(path: Path) -> str:
    row = row_of(path)
    if row is not None and row.access is Access.ASSIGNED:
        return _CHOSEN
    if row is not None and row.access is Access.UNCONFIRMED:
        return _UNSURE
    return _ABSENT
