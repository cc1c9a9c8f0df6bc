"""Everything that stands between a user and a run, looked at without changing anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import TypeVar

from reconciler.app.asked import Azure, Consent, Wanted
from reconciler.app.planning import plan
from reconciler.core.checks import (
    clock_check,
    credential_check,
    failed_or,
    headroom_check,
    provider_checks,
    ration_check,
    subscription_check,
    tenant_check,
)
from reconciler.core.diagnosis import (
    Check,
    Identity,
    Inspector,
    Purpose,
    State,
    from_error,
    skipped,
)
from reconciler.core.ids import ResourceGroupId
from reconciler.core.quota import shortfalls, too_large
from reconciler.core.rights import Need, needs_of, rights_check
from reconciler.errors import AzureError, PlanRefused, ReconcilerError, Unavailable
from reconciler.execute.pool import at_once
from reconciler.execute.preflight import too_little_text, too_much_text

_Out = TypeVar("_Out")
_AZURE = ("subscription", "tenant", "clock", "provider", "resource groups", "permissions", "quota")
_VERSION = "2023-05-01"


def diagnose(
    wanted: Wanted, azure: Azure, inspector: Inspector, purpose: Purpose
) -> tuple[Check, ...]:
    """Every check, in the order in which to mend what fails. Raises nothing of Azure's."""
    identity = _tried(inspector.identity)
    if isinstance(identity, AzureError):
        return (from_error("credential", identity), *_unasked("no token"))
    first = credential_check(identity, azure.clock.now())
    answered = _tried(partial(inspector.subscription, wanted.subscription))
    if isinstance(answered, Unavailable):
        return (first, from_error("subscription", answered), *_unasked("Azure was not reached")[1:])
    if isinstance(answered, AzureError):
        return (first, from_error("subscription", answered), *_unasked("no token is taken")[1:])
    stated = wanted.place.tenant if wanted.place is not None else ""
    now = azure.clock.now()
    told = (
        subscription_check(wanted.subscription, answered),
        tenant_check(stated, identity, answered),
        clock_check(answered.date, now),
        ration_check(answered.reads_left),
    )
    doctor = _Doctor(
        wanted=wanted, azure=azure, inspector=inspector, identity=identity, purpose=purpose
    )
    return (first, *(one for one in told if one is not None), *doctor.looks())


def _unasked(why: str) -> list[Check]:
    return [skipped(name, why) for name in _AZURE]


def _tried(read: Callable[[], _Out]) -> _Out | AzureError:
    try:
        return read()
    except AzureError as exc:
        return exc


@dataclass(frozen=True, slots=True, kw_only=True)
class _Doctor:
    """The checks that ask more than once."""

    wanted: Wanted
    azure: Azure
    inspector: Inspector
    identity: Identity
    purpose: Purpose

    def looks(self) -> Iterator[Check]:
        """What is offered, what exists, what is allowed, and what there is room for."""
        yield from self._provider()
        names = self._names()
        found = at_once(
            lambda name: _tried(partial(self.azure.cloud.resource_group, self._home(name))),
            names,
            workers=self.azure.workers,
        )
        told = dict(zip(names, found, strict=True))
        yield from self._homes(told)
        yield from self._rights(told)
        yield from self._room()

    def _home(self, name: str) -> ResourceGroupId:
        return ResourceGroupId(subscription=self.wanted.subscription, name=name)

    def _regions(self) -> tuple[str, ...]:
        groups = self.wanted.groups
        regions = {str(group.canonical.get("location") or "") for group in groups} - {""}
        return tuple(sorted(regions))

    def _names(self) -> list[str]:
        """The resource groups, each in its first spelling."""
        names = [group.id.resource_group for group in self.wanted.groups]
        names += self.wanted.known_resource_groups
        names += [group.id.name for group in self.wanted.resource_groups]
        return list({name.lower(): name for name in reversed(names) if name}.values())[::-1]

    def _provider(self) -> list[Check]:
        answer = _tried(partial(self.inspector.provider, self.wanted.subscription))
        if isinstance(answer, AzureError):
            return [from_error("provider", answer)]
        subscription = self.wanted.subscription
        checks = provider_checks(
            answer, version=_VERSION, regions=self._regions(), subscription=subscription
        )
        return failed_or(None, "provider", checks)

    def _homes(self, told: Mapping[str, object]) -> Iterator[Check]:
        made = {group.id.name.lower() for group in self.wanted.resource_groups}
        there = [name for name, answer in told.items() if isinstance(answer, dict)]
        if there:
            says = f"{', '.join(there)}: there"
            yield Check(name="resource groups", state=State.OK, says=says)
        for name, answer in told.items():
            if isinstance(answer, AzureError):
                yield from_error("resource groups", answer)
            elif answer is None and name.lower() in made:
                says = f"{name}: apply makes it"
                yield Check(name="resource groups", state=State.OK, says=says)
            elif answer is None:
                yield Check(
                    name="resource groups",
                    state=State.FAILED,
                    says=f"{name}: does not exist, and no manifest makes it",
                    fix=f"az group create -n {name} -l REGION"
                    f" --subscription {self.wanted.subscription}, or a manifest of type"
                    " Microsoft.Resources/resourceGroups",
                )

    def _rights(self, told: Mapping[str, object]) -> Iterator[Check]:
        needs = needs_of(
            self.wanted.groups,
            subscription=self.wanted.subscription,
            present=[name for name, answer in told.items() if answer is not None],
            absent=[name for name, answer in told.items() if answer is None],
            purpose=self.purpose,
        )
        ordered = sorted(needs, key=lambda need: need.scope)
        scopes = [(scope, [*here]) for scope, here in groupby(ordered, lambda need: need.scope)]
        answers = at_once(
            lambda item: _tried(partial(self.inspector.permissions, item[0])),
            scopes,
            workers=self.azure.workers,
        )
        for (scope, here), answer in zip(scopes, answers, strict=True):
            yield self._right(scope, here, answer)

    def _right(self, scope: str, needs: Sequence[Need], answer: object) -> Check:
        if isinstance(answer, AzureError):
            essential = any(need.is_essential for need in needs)
            state = State.FAILED if essential else State.WARNING
            return from_error("permissions", answer, state=state)
        assert isinstance(answer, list)
        return rights_check(scope, needs, answer, self.identity)

    def _room(self) -> Iterator[Check]:
        try:
            planned = plan(self.wanted, self.azure, Consent())
        except (AzureError, PlanRefused) as exc:
            yield skipped("quota", f"no plan could be made: {_bare(exc)}")
            return
        cloud, subscription = self.azure.cloud, self.wanted.subscription
        for region in self._regions():
            usages = _tried(partial(cloud.usages, subscription, region))
            sizes = _tried(partial(cloud.capabilities, subscription, region))
            if isinstance(usages, AzureError):
                yield from_error("quota", usages, state=State.WARNING)
            else:
                short = [too_little_text(one) for one in shortfalls(planned, {region: usages})]
                yield from _judged("quota", short, headroom_check(region, usages))
            if isinstance(sizes, AzureError):
                yield from_error("size", sizes, state=State.WARNING)
            else:
                large = [too_much_text(one) for one in too_large(planned, {region: sizes})]
                fits = Check(name="size", state=State.OK, says=f"{region}: every group fits")
                yield from _judged("size", large, fits)


def _bare(error: ReconcilerError) -> str:
    return str(error)


def _judged(name: str, wrong: Sequence[str], well: Check | None) -> Iterator[Check]:
    for text in wrong:
        says, _, fix = text.rpartition("; ")
        yield Check(name=name, state=State.FAILED, says=says, fix=fix)
    if not wrong and well is not None:
        yield well
