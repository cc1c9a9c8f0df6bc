"""Safety rails: how much one run may destroy, and the exact words that allow more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.core.plan import Action, ActionKind, Plan, Rail
from reconciler.core.policy import Limits

# What `--allow KIND=N` may name.
CONSENTS = ("delete", "replace", "restart", "move")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """An absolute limit and a share, of which the first that is exceeded blocks the plan."""

    kind: str  # of consent
    count: int
    limit: int | None
    limit_name: str
    percent: int | None
    percent_name: str
    done: str  # what happens to them


def rails(
    actions: Sequence[Action],
    limits: Limits,
    *,
    owned: int,
    allow: Mapping[str, int],
    replaced: frozenset[str] = frozenset(),
) -> tuple[Rail, ...]:
    """The limits that these actions exceed.

    `owned` are the live groups that are ours, of which a percentage is meant. `replaced` are the
    addresses whose replace was consented to by name.
    """
    return tuple(
        rail
        for rule in _rules(actions, limits, replaced)
        if allow.get(rule.kind, 0) < rule.count
        for rail in _exceeded(rule, limits, owned)
    )


def restarts(action: Action) -> bool:
    """Whether a group that runs is restarted by it."""
    live = action.live
    return action.kind is ActionKind.UPDATE and live is not None and not live.has_ended


def _rules(actions: Sequence[Action], limits: Limits, replaced: frozenset[str]) -> Iterator[_Rule]:
    yield _Rule(
        kind="delete",
        count=sum(action.kind is ActionKind.DELETE for action in actions),
        limit=limits.max_deletes,
        limit_name="maxDeletes",
        percent=limits.max_delete_percent,
        percent_name="maxDeletePercent",
        done="deleted",
    )
    yield _Rule(
        kind="replace",
        count=sum(
            action.kind is ActionKind.REPLACE and action.address not in replaced
            for action in actions
        ),
        limit=limits.max_replaces,
        limit_name="maxReplaces",
        percent=limits.max_replace_percent,
        percent_name="maxReplacePercent",
        done="deleted and created again",
    )
    yield _Rule(
        kind="restart",
        count=sum(map(restarts, actions)),
        limit=limits.max_restarts,
        limit_name="maxRestarts",
        percent=limits.max_restart_percent,
        percent_name="maxRestartPercent",
        done="restarted",
    )


def _exceeded(rule: _Rule, limits: Limits, owned: int) -> Iterator[Rail]:
    allow = f"--allow {rule.kind}={rule.count}"
    if rule.limit is not None and rule.count > rule.limit:
        groups = f"{rule.count} group{'' if rule.count == 1 else 's'}"
        says = f"{groups} to {rule.kind}, the limit is {rule.limit}"
        yield _rail(limits, rule.limit_name, says, allow)
    # One group can be any share of a small project, so the percentage looks at two and more.
    if rule.percent is None or rule.count < 2 or rule.count * 100 <= rule.percent * owned:
        return
    share = rule.count * 100 / owned if owned else 100.0
    says = (
        f"{rule.count} of {owned} groups ({share:.0f} %) would be {rule.done},"
        f" the limit is {rule.percent} %"
    )
    yield _rail(limits, rule.percent_name, says, allow)


def _rail(limits: Limits, rule: str, says: str, allow: str) -> Rail:
    where = limits.where.get(rule)
    written = f" ({where})" if where is not None else " (default)"
    return Rail(rule=rule, says=says + written, allow=allow, where=where)


def nothing_wanted(orphans: int) -> Rail:
    """No manifest asks for anything: a mistake far more often than the wish to delete all."""
    groups = "1 group of ours" if orphans == 1 else f"{orphans} groups of ours"
    return Rail(
        rule="emptyDesired",
        says=f"no manifests at all, and {groups} would be deleted: this cannot be allowed",
        allow="if you mean it, run 'aci-reconcile destroy'; else look at the path and the project",
    )


def partly_seen() -> Rail:
    """Who names some manifests asks for removals that only the sight of all could justify."""
    return Rail(
        rule="partialScope",
        says="--prune, and not all manifests of the project are in scope: this cannot be allowed",
        allow="leave out --prune, or plan the whole project",
    )


def too_much_consent(plan: Plan, allow: Mapping[str, int], *, moves: int) -> tuple[str, ...]:
    """Consent for more than the plan holds: given for another plan, so it is an error."""
    held = {
        "delete": plan.counts[ActionKind.DELETE],
        "replace": plan.counts[ActionKind.REPLACE],
        "restart": sum(map(restarts, plan.actions)),
        "move": moves,
    }
    return tuple(
        f"--allow {kind}={count} consents to more than the {held[kind]} this plan holds"
        for kind, count in sorted(allow.items())
        if count > held[kind]
    )
