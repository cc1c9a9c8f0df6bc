"""Situations in a line, and a pure model of applying a plan."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, settings

from reconciler.core.asker import Asker
from reconciler.core.build import Situation, build_plan
from reconciler.core.groups import (
    DesiredGroup,
    DesiredResourceGroup,
    GroupPolicy,
    LiveGroup,
    LiveResourceGroup,
    SecretState,
    live_group,
    wire_body,
)
from reconciler.core.ids import GroupId, ResourceGroupId
from reconciler.core.ownership import (
    OWNER_TAG,
    STATE_TAG,
    SecretKey,
    state_after_tags,
    state_after_write,
    state_of,
    written_tags,
)
from reconciler.core.plan import Action, ActionKind, Plan
from reconciler.core.policy import Limits, Prune
from tests.strategies import (
    HERE,
    HOME,
    SUBSCRIPTION,
    Wire,
    desired_of,
    group_id,
    live_of,
    served,
)

OWNER = "shop"
KEY = SecretKey(b"a key for tests")
ANYTHING_GOES = Limits(prune=Prune.DELETE, max_deletes=99, max_delete_percent=100, max_replaces=99)

bounded = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
seldom = settings(bounded, max_examples=25)
rarely = settings(bounded, max_examples=12)  # whole plans are drawn slowly


def body_of(image: str = "nginx:1", **properties: Any) -> Wire:
    """A small valid PUT body; `properties` join the group's."""
    return {
        "location": "westeurope",
        "properties": {
            "osType": "Linux",
            "containers": [container("web", image=image)],
            **properties,
        },
    }


def container(name: str, *, image: str = "nginx:1", cpu: float = 1, **properties: Any) -> Wire:
    """A container; `properties` join its own."""
    requests = {"cpu": cpu, "memoryInGB": 1}
    return {
        "name": name,
        "properties": {"image": image, "resources": {"requests": requests}, **properties},
    }


def with_variables(*variables: Wire, image: str = "nginx:1") -> Wire:
    """A small body whose only container has these environment variables."""
    found = body_of(image)
    found["properties"]["containers"][0]["properties"]["environmentVariables"] = list(variables)
    return found


def public(label: str | None = None, **more: Any) -> Wire:
    """An address with port 80."""
    label_of = {} if label is None else {"dnsNameLabel": label}
    return {"type": "Public", "ports": [{"port": 80, "protocol": "TCP"}], **label_of, **more}


def wanted(
    body: Wire | None = None,
    name: str = "web",
    *,
    home: str = HOME,
    tags: dict[str, str] | None = None,
    **policy: Any,
) -> DesiredGroup:
    """What a manifest says."""
    return desired_of(
        body or body_of(), group_id(name, home), tags=tags, policy=GroupPolicy(**policy)
    )


def unsaid(desired: DesiredGroup, state: SecretState, reason: str = "no value") -> DesiredGroup:
    """`desired` with no secret at hand."""
    secrets = tuple(
        replace(secret, state=state, value=None, reason=reason) for secret in desired.secrets
    )
    return replace(desired, secrets=secrets)


def owned(
    desired: DesiredGroup,
    body: Wire | None = None,
    *,
    owner: str = OWNER,
    key: SecretKey | None = KEY,
    extra: dict[str, str] | None = None,
    **live: Any,
) -> LiveGroup:
    """What is live once `desired` was applied, `body` being what somebody made of it since."""
    state = state_after_write(desired, key=key, commit="abc1234")
    tags = written_tags(desired, None, owner=owner, state=state)
    return live_of(
        body or body_with_secrets(desired), desired.id, tags={**tags, **(extra or {})}, **live
    )


def unowned(
    desired: DesiredGroup,
    body: Wire | None = None,
    *,
    tags: dict[str, str] | None = None,
    **live: Any,
) -> LiveGroup:
    """A live group of the same name that carries no tag of ours."""
    return live_of(body or body_with_secrets(desired), desired.id, tags=tags, **live)


def body_with_secrets(desired: DesiredGroup) -> Wire:
    """The PUT body, `x` standing for what nobody knows."""
    known = [replace(s, value=s.value or "eA==", state=SecretState.KNOWN) for s in desired.secrets]
    found = wire_body(replace(desired, secrets=tuple(known)), {})
    del found["tags"]
    return found


def with_state(live: LiveGroup, text: str) -> LiveGroup:
    """`live` with another state tag."""
    return replace(live, tags={**live.tags, STATE_TAG: text})


def asker(
    owner: str = OWNER, *, key: SecretKey | None = KEY, **consent: Iterable[GroupId]
) -> Asker:
    """Who runs, with consent by name."""
    return Asker(
        owner=owner,
        key=key,
        **{kind: frozenset(group.address for group in groups) for kind, groups in consent.items()},
    )


def resource_group(
    name: str = HOME, location: str = "westeurope", **tags: str
) -> LiveResourceGroup:
    """A live resource group."""
    parent = ResourceGroupId(subscription=SUBSCRIPTION, name=name)
    return LiveResourceGroup(id=parent, location=location, tags=tags)


def declared(name: str = HOME, location: str = "westeurope") -> DesiredResourceGroup:
    """A resource group that a manifest declares."""
    parent = ResourceGroupId(subscription=SUBSCRIPTION, name=name)
    return DesiredResourceGroup(id=parent, location=location, tags={}, where=HERE)


def plan_for(
    desired: Iterable[DesiredGroup] = (),
    live: Iterable[LiveGroup] = (),
    *,
    homes: Iterable[LiveResourceGroup] | None = None,
    limits: Limits = ANYTHING_GOES,
    who: Asker | None = None,
    **rest: Any,
) -> Plan:
    """The plan for a situation in which everything was read and the rails are far."""
    facts: dict[str, Any] = {"declared": (), "is_complete": True, **rest}
    return build_plan(
        Situation(
            subscription=SUBSCRIPTION,
            asker=who or asker(),
            desired=tuple(desired),
            live=tuple(live),
            resource_groups=tuple(homes) if homes is not None else (resource_group(),),
            limits=limits,
            **facts,
        )
    )


def kinds(plan: Plan) -> dict[str, str]:
    """The kind of each action by the target's name."""
    return {action.target.name: action.kind.value for action in plan.actions}


def of(plan: Plan, name: str) -> Action:
    """The one action whose target has this name."""
    (found,) = [action for action in plan.actions if action.target.name == name]
    return found


def applied(action: Action, *, key: SecretKey | None = KEY, owner: str = OWNER) -> LiveGroup | None:
    """What Azure shows once an action was carried out: a pure model of execution."""
    desired, live = action.desired, action.live
    if action.kind in (ActionKind.NO_OP, ActionKind.REFUSE):
        return live
    if action.kind is ActionKind.DELETE:
        return None
    assert desired is not None
    if action.kind.sends_body:
        state = state_after_write(desired, key=key, commit="abc1234")
        tags = written_tags(desired, live, owner=owner, state=state)
        answer = served(copy.deepcopy(wire_body(desired, {})), desired.id)
        return live_group({**answer, "tags": tags})
    assert live is not None
    before = None if action.kind is ActionKind.ADOPT else state_of(live)
    trusted = key if action.rebaseline else None
    state = state_after_tags(desired, before, commit="abc1234", trusted=trusted)
    tags = written_tags(desired, live, owner=owner, state=state)
    return live_group({**live.body, "tags": tags})


def only(changes: Iterable[Any]) -> list[str]:
    """The paths of changes, as people read them."""
    return ["/".join(change.path) for change in changes]


def tagged(live: LiveGroup, owner: str, state: str | None = None) -> LiveGroup:
    """`live` with these tags of ours."""
    more = {} if state is None else {STATE_TAG: state}
    return replace(live, tags={**live.tags, OWNER_TAG: owner, **more})
