"""Actions and plans, as values. `core.decide` makes the one, `core.build` the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from reconciler.core.binding import AsOf, PlannedEffect, digest_of, fingerprint
from reconciler.core.diff import Diff, Origin
from reconciler.core.finding import Position
from reconciler.core.groups import DesiredGroup, DesiredResourceGroup, LiveGroup, Wait
from reconciler.core.ids import Target
from reconciler.core.jsonval import Json, JsonObject, without
from reconciler.core.mask import disclosed, scrubber
from reconciler.core.pins import digests_of
from reconciler.core.properties import Effect
from reconciler.core.stated import stated


class ActionKind(Enum):
    """What is done to one group."""

    CREATE = "create"
    UPDATE = "update"  # PUT in place, restarts every container
    PATCH_TAGS = "patch-tags"
    REPLACE = "replace"  # delete, wait until gone, create
    DELETE = "delete"
    ADOPT = "adopt"  # tags only
    NO_OP = "no-op"
    START = "start"  # POST: an ended or stopped group runs again, nothing is sent
    STOP = "stop"  # POST, by hand alone: no manifest asks for it
    RESTART = "restart"  # POST, by hand alone: in place
    REFUSE = "refuse"

    @property
    def sends_body(self) -> bool:
        """Whether it writes the whole definition, secrets included."""
        return self in (ActionKind.CREATE, ActionKind.UPDATE, ActionKind.REPLACE)


BY_HAND = (ActionKind.STOP, ActionKind.RESTART)  # in no plan that manifests lead to


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """What a person asks of a group past its manifest: no tag is touched for it.

    `wait` is what is waited for afterwards, None for nothing: not even Azure's operation.
    """

    wait: Wait | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One planned step for one target, with the reason and what it costs the workload.

    `after` names the addresses whose actions must have succeeded first, `behind` those that must
    merely be over. `allow` is, for a refusal, what a person can do about it; one that does not
    `block` concerns its own group alone, and the others go on. `trouble` is what is wrong with a
    group that is left as it is. With `rebaseline`, the tags remember its secrets as they are now.
    `fallback` is, for a replace, what is created again where `desired` cannot be had. With a `hand`
    the state of the group is changed, and nothing that a manifest says. Of a resource group, only
    `declared` is set.
    """

    kind: ActionKind
    target: Target
    why: str
    desired: DesiredGroup | None = None
    live: LiveGroup | None = None
    declared: DesiredResourceGroup | None = None
    diff: Diff = field(default_factory=Diff)
    costs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    allow: str = ""
    blocks: bool = True
    trouble: str = ""
    rebaseline: bool = False
    fallback: DesiredGroup | None = None
    hand: Hand | None = None
    origin: Origin = Origin.UNKNOWN
    after: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """The target's address: what `after` refers to."""
        return self.target.address

    @property
    def is_pending(self) -> bool:
        """Whether there is something to do, or to refuse."""
        return self.kind is not ActionKind.NO_OP

    @property
    def deploys(self) -> bool:
        """Whether its containers start anew, and their images are pulled."""
        return self.kind.sends_body or self.kind is ActionKind.START

    @property
    def is_repeatable(self) -> bool:
        """Whether nothing but its having run would tell that it was carried out already."""
        return self.kind is ActionKind.START or (
            self.kind is ActionKind.REPLACE and not self.diff.costing(Effect.REPLACE)
        )

    @property
    def effect(self) -> PlannedEffect:
        """What it does, to be recognised by."""
        return PlannedEffect(
            address=self.address,
            action=self.kind.value,
            desired=_desired_print(self),
            live=_live_print(self, self.live) if self.live is not None else "",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """A group of ours that no manifest names and this plan leaves alone."""

    live: LiveGroup
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rail:
    """A limit that this plan exceeds: it blocks the whole plan. `allow` is the exact consent.

    `where` is the limit in the project file; None for a default, and for what is no limit.
    """

    rule: str
    says: str
    allow: str
    where: Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Every action, one a target, sorted by address; deterministic for equal input."""

    owner: str
    subscription: str
    actions: tuple[Action, ...]
    orphans: tuple[Orphan, ...] = ()
    rails: tuple[Rail, ...] = ()
    notes: tuple[str, ...] = ()
    is_complete: bool = True
    owned: int = 0  # live groups that are ours, the denominator of percentages
    compared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # secrets, by address
    as_of: AsOf | None = None  # where the live side comes from; None: Azure was asked

    @property
    def counts(self) -> Mapping[ActionKind, int]:
        """How many actions there are of each kind."""
        return Counter(action.kind for action in self.actions)

    @property
    def refusals(self) -> tuple[Action, ...]:
        """The actions that are refused."""
        return tuple(action for action in self.actions if action.kind is ActionKind.REFUSE)

    @property
    def is_blocked(self) -> bool:
        """Whether `apply` must not touch anything, or has nothing to touch but what is refused."""
        if self.rails or any(action.blocks for action in self.refusals):
            return True
        pending = [action.kind for action in self.actions if action.is_pending]
        return bool(pending) and set(pending) == {ActionKind.REFUSE}

    @property
    def has_changes(self) -> bool:
        """Whether anything is pending; orphans that are only reported are not."""
        return any(action.is_pending for action in self.actions)

    @property
    def effects(self) -> tuple[PlannedEffect, ...]:
        """What it does, a line a target; what is left alone is none."""
        return tuple(action.effect for action in self.actions if action.is_pending)

    @property
    def digest(self) -> str:
        """`sha256:…` over the effects on what is live: no time and no secret in it."""
        return digest_of(self.owner, self.effects)


def _desired_print(action: Action) -> str:
    """What is asked for: the definition, where its secrets come from, and what may be done to it.

    How long is waited for it is no effect.
    """
    desired, declared = action.desired, action.declared
    if desired is not None:
        sources: JsonObject = {secret.name: secret.written for secret in desired.secrets}
        policy: JsonObject = {
            name: [*sorted(map(str, value))] if isinstance(value, list) else value
            for name, value in stated(desired).items()
            if name not in ("wait", "images")  # what images come to is in the definition
        }
        form = _harmless(action, desired.canonical)
        parts: list[Json] = [form, _harmless(action, {**desired.tags}), sources, policy]
        if action.deploys and (digests := digests_of(desired)):
            parts.append(digests)  # what its tags pointed at is what was reviewed
        return fingerprint(parts)
    return fingerprint([declared.location, {**declared.tags}]) if declared is not None else ""


def _live_print(action: Action, live: LiveGroup) -> str:
    """What is there, as far as the action depends on it."""
    form = _without_secrets(action, live)
    parts: list[Json] = [_harmless(action, form), _harmless(action, {**live.tags})]
    if action.kind in (ActionKind.UPDATE, ActionKind.REPLACE):
        parts.append(live.has_ended)  # then it starts, which is another thing than a restart
    if action.is_repeatable:
        parts.append(_runs(live))
    return fingerprint(parts)


def _harmless(action: Action, form: Json) -> Json:
    """`form` as a report would show it: what it hides is in no hash that a guess could be tried on.

    So a plan binds to all that it shows, and to nothing else.
    """
    secrets = action.desired.secret_texts if action.desired is not None else ()
    scrub = scrubber(secrets)

    def clean(value: Json) -> Json:
        if isinstance(value, dict):
            return {name: clean(item) for name, item in value.items()}
        if isinstance(value, list):
            return [clean(item) for item in value]
        return scrub(value) if isinstance(value, str) else value

    shown = disclosed((), form)
    return clean(shown) if secrets else shown


def _runs(live: LiveGroup) -> Json:
    """What tells one life of a group from the next; one that restarts all the time has no such."""
    return "restarts" if live.restarts else list(live.containers_ran)


def _without_secrets(action: Action, live: LiveGroup) -> Json:
    """The live form less what becomes a secret by this action: no unkeyed hash may cover it."""
    form: Json = live.canonical
    for change in action.diff.changes:
        if change.sensitive:
            form = without(form, change.path)
    return form
