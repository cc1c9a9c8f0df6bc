"""What each write makes of a container group: facts in, facts out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.emulator.errors import (
    Refusal,
    bad_request,
    not_modelled,
    other_location,
    transitioning,
)
from reconciler.emulator.facts import Group, Moment, Phase, begin, region_of
from reconciler.emulator.immutability import refused_change
from reconciler.emulator.jsonval import JsonObject, as_object, as_text
from reconciler.emulator.lifecycle import is_going, is_live, is_settled
from reconciler.emulator.pace import Kind, Pace, Unit
from reconciler.emulator.world import Answers


def created(group: Group, pace: Pace) -> Group:
    """A new group, from one that holds only names, version and specification."""
    phase = begin(Kind.CREATE, pace)
    return replace(group, phase=phase, started=start_of(phase), deployed=start_of(phase))


def put(before: Group, asked: Group, moment: Moment, pace: Pace, answers: Answers) -> Group:
    """What a PUT makes of an existing group. Source: D.1.

    A live group is updated in place: every container restarts, even when nothing changed, and the
    address stays. One that was stopped, has ended or failed is deployed anew.

    Raises:
        Refusal: it is in transition, elsewhere, or the PUT changes what is fixed.
    """
    check_settled(before, moment)
    here, there = before.location, asked.location
    if region_of(here) != region_of(there):
        raise other_location(before.name, here, there, before.resource_group)
    live = is_live(before, moment)
    if live or answers.keeps_fixed_when_stopped:
        refusal = refused_change(before.name, before.spec, asked.spec)
        if refusal is not None:
            raise refusal
    # The name stays as it was first written. [INF: ARM keeps the case of the first PUT]
    after = replace(asked, name=before.name, resource_group=before.resource_group)
    if not live:
        phase = begin(Kind.CREATE, pace, before.phase.since)
        start = start_of(phase)
        count = before.deployments + 1
        return replace(after, phase=phase, started=start, deployed=start, deployments=count)
    phase = begin(Kind.UPDATE, pace, before.phase.since)
    return replace(
        after,
        spec=_keeping_scope(before.spec, after.spec),
        phase=phase,
        started=start_of(phase),
        deployed=before.deployed,
        deployments=before.deployments,
        restarts=before.restarts + 1,
    )


def stopped(group: Group, moment: Moment, pace: Pace) -> Group | None:
    """A stopped group; None when there is nothing to stop. Source: A.7, E.3.

    Raises:
        Refusal: it is in transition, unless that is a restart: then provisioning fails.
    """
    interrupts = group.phase.kind is Kind.RESTART and not is_settled(group, moment)
    if not interrupts:
        check_settled(group, moment)
        if not is_live(group, moment):
            return None
    phase = begin(Kind.STOP, pace, group.phase.since)
    failure = "A restart was interrupted by a stop." if interrupts else group.failure
    return replace(group, phase=phase, failure=failure)


def restarted(group: Group, moment: Moment, pace: Pace) -> Group | None:
    """A group whose containers restart in place; None when it does not run. Source: A.7, E.3.

    Raises:
        Refusal: it is in transition.
    """
    check_settled(group, moment)
    if not is_live(group, moment):
        return None
    phase = begin(Kind.RESTART, pace, group.phase.since)
    return replace(group, phase=phase, started=start_of(phase), restarts=group.restarts + 1)


def started(group: Group, moment: Moment, pace: Pace) -> Group | None:
    """A new deployment of a stopped or ended group; None when it runs. Source: A.7, E.3.

    Raises:
        Refusal: it is in transition.
    """
    check_settled(group, moment)
    if is_live(group, moment):
        return None
    phase = begin(Kind.START, pace, group.phase.since)
    return replace(
        group,
        phase=phase,
        started=start_of(phase),
        deployed=start_of(phase),
        deployments=group.deployments + 1,
        restarts=0,
        failure="",
    )


def check_settled(group: Group, moment: Moment) -> None:
    """Refuse what has to wait.

    Raises:
        Refusal: 409 `ContainerGroupTransitioning`.
    """
    if not is_settled(group, moment) or is_going(group):
        raise transitioning(group.name)


def start_of(phase: Phase) -> datetime:
    """When containers start: at the end of the transition, where that is timed."""
    seconds = phase.span if phase.unit is Unit.SECONDS else 0.0
    return phase.since + timedelta(seconds=seconds)


def location_of(spec: JsonObject) -> str:
    """The location of a body.

    Raises:
        Refusal: there is none.
    """
    location = as_text(spec.get("location"))
    if not location:
        raise bad_request(
            "LocationRequired", "The location property is required for this definition."
        )
    return location


def check_modelled(spec: JsonObject) -> Refusal | None:
    """The refusal of what a body asks for and the emulator does not do, if it does."""
    if "containerGroupProfile" in as_object(spec.get("properties")):
        return not_modelled("container group profiles")
    return None


def _keeping_scope(before: JsonObject, after: JsonObject) -> JsonObject:
    """A new scope of the DNS label is taken and not applied. Source: D.2, TF#29020."""
    old = as_object(as_object(before.get("properties")).get("ipAddress"))
    properties = as_object(after.get("properties"))
    new = as_object(properties.get("ipAddress"))
    if not old.get("dnsNameLabel") or not new.get("dnsNameLabel"):
        return after
    kept = {key: item for key, item in new.items() if key != "autoGeneratedDomainNameLabelScope"}
    if scope := old.get("autoGeneratedDomainNameLabelScope"):
        kept["autoGeneratedDomainNameLabelScope"] = scope
    return after | {"properties": properties | {"ipAddress": kept}}
