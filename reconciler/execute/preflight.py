"""What stops a run before its first write: everything is found at once, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import TypeVar

from reconciler.core.cloud import Cloud
from reconciler.core.groups import SecretState
from reconciler.core.ids import GROUP_TYPE, Target
from reconciler.core.jsonval import Json
from reconciler.core.plan import Plan
from reconciler.core.quota import (
    Shortfall,
    TooLarge,
    newcomers,
    regions_of,
    shortfalls,
    too_large,
)
from reconciler.core.remedies import Cause, remedy_of
from reconciler.errors import AzureError, Forbidden, NotFound, PlanRefused, SecretUnresolved
from reconciler.execute.pool import at_once

_PROVIDER = GROUP_TYPE.partition("/")[0]
_UNTOUCHED = "nothing was touched"
# What these say of a region is the answer to the question (azure-facts B.1, B.2).
_REGION_REFUSED = ("locationnotavailableforresourcetype", "noregisteredproviderfound")
_MOST_NAMES = 3

_Out = TypeVar("_Out")


def preflight(plan: Plan, cloud: Cloud, *, workers: int) -> tuple[str, ...]:
    """Return when the plan may be carried out; nothing has been written by then.

    What only deletes, starts, updates in place or sets tags is answered without a request. Else
    the provider is asked once, and each region that is written to twice. The result is notes for
    people: what the identity was not allowed to read, and was not checked.

    Raises:
        PlanRefused: a rail or a refusal blocks it, or Azure would; `details` has a line each.
        SecretUnresolved: only secrets are missing; `details` names every one of them.
        AzureError: Azure could not be asked.
    """
    check_rails(plan)
    missing = _missing_secrets(plan)
    asked = _ask(plan, cloud, workers=workers)
    if asked.refused:
        details = (*missing, *asked.refused)
        raise PlanRefused(
            f"preflight found {_counted(len(details), 'obstacle')}, {_UNTOUCHED}", details=details
        )
    _check_secrets(missing)
    return tuple(asked.notes)


def check_plan(plan: Plan) -> None:
    """Return when nothing in the plan itself forbids to carry it out; costs no request.

    Raises:
        PlanRefused: a rail or a refusal blocks it.
        SecretUnresolved: bodies that must be sent lack secrets; every one of them is named.
    """
    check_rails(plan)
    _check_secrets(_missing_secrets(plan))


def check_rails(plan: Plan) -> None:
    """Return when no rail and no refusal blocks the plan.

    Raises:
        PlanRefused: one does.
    """
    if plan.is_blocked:
        number = len(plan.rails) + len(plan.refusals)
        raise PlanRefused(f"{_counted(number, 'refusal')} in the plan, {_UNTOUCHED}")


def _missing_secrets(plan: Plan) -> tuple[str, ...]:
    return tuple(
        f"{secret.where}: {secret.name} of '{action.target}' has no value: {secret.reason}"
        for action in plan.actions
        if action.kind.sends_body
        for desired in (action.desired, action.fallback)
        if desired is not None
        for secret in desired.lacking(SecretState.UNRESOLVED, SecretState.UNKNOWN)
    )


def _check_secrets(missing: Sequence[str]) -> None:
    if missing:
        raise SecretUnresolved(
            f"{_counted(len(missing), 'secret')} that must be sent cannot be had",
            hint=f"set what is named below and apply again; {_UNTOUCHED}",
            details=tuple(missing),
        )


# Azure


@dataclass(slots=True, kw_only=True)
class _Asked:
    """What Azure said: why it would refuse, and what it would not tell."""

    refused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def take(self, what: str, error: AzureError, subscription: str) -> None:
        """Sort in why `what` could not be read."""
        if remedy_of(error).cause is Cause.PROVIDER:
            line = _unregistered(subscription, "NotRegistered")
            self.refused += [line] if line not in self.refused else []
        elif (error.code or "").lower() in _REGION_REFUSED:
            self.refused.append(str(error))
        else:
            self.notes.append(f"{what} was not checked: {error}")


def _ask(plan: Plan, cloud: Cloud, *, workers: int) -> _Asked:
    asked = _Asked()
    if not newcomers(plan):
        return asked
    state = _tried(partial(cloud.registration, plan.subscription))
    if isinstance(state, AzureError):
        asked.take("the registration of the resource provider", state, plan.subscription)
    elif state.lower() != "registered":
        # Its regions would only say so again.
        return _Asked(refused=[_unregistered(plan.subscription, state)])
    _ask_regions(asked, plan, cloud, workers=workers)
    return asked


def _ask_regions(asked: _Asked, plan: Plan, cloud: Cloud, *, workers: int) -> None:
    regions = regions_of(plan)
    reads = [
        partial(read, plan.subscription, region)
        for read in (cloud.usages, cloud.capabilities)
        for region in regions
    ]
    answers = at_once(_tried, reads, workers=workers)
    told = zip(regions, answers[: len(regions)], answers[len(regions) :], strict=True)
    quotas: dict[str, Sequence[Json]] = {}
    sizes: dict[str, Sequence[Json]] = {}
    for region, usages, capabilities in told:
        for what, answer, kept in (("quota", usages, quotas), ("size", capabilities, sizes)):
            if isinstance(answer, AzureError):
                asked.take(f"{what} in {region}", answer, plan.subscription)
            else:
                kept[region] = answer
    asked.refused += [too_little_text(found) for found in shortfalls(plan, quotas)]
    asked.refused += [too_much_text(found) for found in too_large(plan, sizes)]


def _tried(read: Callable[[], _Out]) -> _Out | AzureError:
    """What was read, or why it was not where that is no reason to give up."""
    try:
        return read()
    except (Forbidden, NotFound) as exc:  # a narrow role, a cloud that lacks it
        return exc
    except AzureError as exc:
        if remedy_of(exc).cause is Cause.PROVIDER or (exc.code or "").lower() in _REGION_REFUSED:
            return exc
        raise


# What people read


def _unregistered(subscription: str, state: str) -> str:
    lead = (
        f"resource provider {_PROVIDER} is {state} in subscription {subscription}, not Registered"
    )
    if state.lower() == "registering":
        return f"{lead}; wait until it is, then apply again"
    return f"{lead}; run 'az provider register --namespace {_PROVIDER} --wait', then apply again"


def too_little_text(found: Shortfall) -> str:
    """What is missing of a quota; after the last `; ` what to do."""
    asking, freeing = _names(found.asking), _names(found.freeing)
    says = (
        f"{found.region}: quota {found.quota} has {_shown(found.used)} of {_shown(found.limit)} in"
        f" use, and {asking} would take {_shown(found.asked)} more"
    )
    if not found.freeing:
        return f"{says}; ask Azure for a higher quota, or use another region"
    return (
        f"{says}; removing {freeing} would leave room, but removals run last: take {asking}"
        " out of the manifests, run 'aci-reconcile apply --prune' first, then put it back"
    )


def too_much_text(found: TooLarge) -> str:
    """Which group is too large for its region; after the last `; ` what to do."""
    return (
        f"{found.where}: '{found.target}' asks for {_shown(found.cpu)} CPU and"
        f" {_shown(found.memory)} GB in all, expected at most {_shown(found.max_cpu)} CPU and"
        f" {_shown(found.max_memory)} GB for {found.os_type} in {found.region}; ask for less,"
        " split the group, or use another region"
    )


def _names(targets: Sequence[Target]) -> str:
    names = [f"'{target}'" for target in targets]
    if len(names) > _MOST_NAMES:
        rest = len(names) - _MOST_NAMES + 1
        names = [*names[: _MOST_NAMES - 1], f"{rest} more"]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _shown(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
