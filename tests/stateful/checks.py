"""What must hold of every plan and of every apply."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.core.ids import GroupId
from reconciler.core.outcome import Outcome, Status
from reconciler.core.plan import Action, ActionKind, Plan
from reconciler.emulator import LoggedRequest
from reconciler.execute.run import Run
from tests.stateful import knowledge
from tests.stateful.drawing import Wire
from tests.stateful.knowledge import FOREIGN, NOBODYS, OURS, UNREADABLE, Live
from tests.stateful.meddling import Key
from tests.stateful.world import World

WRITTEN = (Status.SUCCEEDED, Status.UNHEALTHY)
COSTLY = (ActionKind.CREATE, ActionKind.UPDATE, ActionKind.REPLACE)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the command line said."""

    prune: bool = False
    replace: tuple[str, ...] = ()
    adopt: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    rerun: tuple[str, ...] = ()
    retry: tuple[str, ...] = ()
    rebaseline: tuple[str, ...] = ()
    fault: str = ""

    @property
    def consent(self) -> Mapping[str, tuple[str, ...]]:
        """The names, as the product takes them."""
        names = ("replace", "adopt", "exclude", "rerun", "retry", "rebaseline")
        return {name: getattr(self, name) for name in names if getattr(self, name)}


@dataclass(kw_only=True)
class Scene:
    """Everything around one apply, seen from outside.

    `before` is what the plan saw. `moved` are the groups whose definition or tags others changed
    since, `shaken` those they touched at all.
    """

    world: World
    asked: Asked
    before: Mapping[Key, Live]
    moved: Collection[Key] = ()
    shaken: Collection[Key] = ()
    wanted: dict[Key, Wire] = field(init=False)
    expected: dict[Key, Wire] = field(init=False)

    def __post_init__(self) -> None:
        self.wanted = self.world.wanted
        self.expected = self.world.expected()

    def standing(self, key: Key) -> str:
        """Whose the group was before."""
        repository = self.world.repository
        return self.before[key].standing(repository.owner, repository.subscription)

    def is_same(self, key: Key, live: Live) -> bool:
        """Whether `live` is what the manifest asks for, tags and secrets apart."""
        ignored = self.world.ignored(key[1])
        return knowledge.is_same(live, self.expected[key], self.wanted[key], ignored)

    def has_rotated(self, key: Key) -> bool | None:
        """Whether its secrets are others than were sent last; None where nobody can tell."""
        sent = self.world.sent.get(key)
        now = knowledge.secrets_now(self.wanted[key], self.world.repository.environ)
        if self.world.repository.key is None or sent is None or now is None:
            return None
        return sent != now


def key_of(action: Action) -> Key | None:
    """The group an action is about."""
    target = action.target
    if not isinstance(target, GroupId):
        return None
    return target.resource_group.lower(), target.name.lower()


def by_group(actions: Sequence[Action]) -> dict[Key, Action]:
    """The actions on groups."""
    return {key: action for action in actions if (key := key_of(action)) is not None}


def check_plan(scene: Scene, planned: Plan) -> None:
    """Nothing that is equal is deployed, nothing that differs passes for equal."""
    found = by_group(planned.actions)
    excluded = scene.asked.exclude
    assert set(scene.wanted) == {k for k in found if k in scene.wanted} | {
        k for k in scene.wanted if k[1] in excluded
    }
    for key, action in found.items():
        if action.kind is ActionKind.REFUSE:
            assert action.why and action.allow, action
        if key not in scene.wanted:
            _check_removal(scene, key, action)
        elif key not in scene.before:
            assert action.kind in (ActionKind.CREATE, ActionKind.REFUSE), action
        else:
            _check_decision(scene, key, action)
    for rail in planned.rails:
        assert rail.says and rail.allow


def _check_removal(scene: Scene, key: Key, action: Action) -> None:
    assert scene.wanted, "no manifests at all, and something is removed"
    assert action.kind in (ActionKind.DELETE, ActionKind.REFUSE), action
    assert scene.standing(key) == OURS, action
    if action.kind is ActionKind.DELETE:
        live = scene.before[key]
        assert live.is_readable and not live.is_protected, action
        assert scene.asked.prune or scene.world.policy.get("prune") == "delete", action


def _check_decision(scene: Scene, key: Key, action: Action) -> None:
    live, manifest = scene.before[key], scene.wanted[key]
    if live.is_moving:
        assert action.kind in (ActionKind.NO_OP, ActionKind.REFUSE), action
        return
    same, standing = scene.is_same(key, live), scene.standing(key)
    if action.kind is ActionKind.REPLACE:
        assert manifest["reconcile"].get("protect") is not True, action
    if standing == FOREIGN:
        assert action.kind is ActionKind.REFUSE, action
        return
    if standing != OURS:
        assert action.kind not in (ActionKind.NO_OP, ActionKind.PATCH_TAGS, ActionKind.START)
    if action.kind is ActionKind.NO_OP:
        assert same and knowledge.has_tags(live, manifest), (action.why, live.body, manifest)
        assert not live.has_failed, action
        rotated = scene.has_rotated(key)
        assert not rotated, (action.why, "a rotated secret goes unseen")
    if action.kind in (ActionKind.PATCH_TAGS, ActionKind.ADOPT):
        assert same, (action.why, live.body, manifest)
    if action.kind in (ActionKind.UPDATE, ActionKind.REPLACE) and same:
        by_name = key[1] in scene.asked.replace
        may_repair = live.has_failed and live.state in ("Pending", "Failed")
        assert may_repair or by_name or scene.has_rotated(key), (action.why, action.diff)


def check_writes(scene: Scene, planned: Plan, writes: Sequence[LoggedRequest]) -> None:
    """Only groups that are ours, or become ours rightly, were written; what is protected stays."""
    actions = by_group(planned.actions)
    for one in writes:
        key = knowledge.key_of(one.path)
        if key is None:
            continue
        assert key in actions, (one.method, one.path)
        assert key[1] not in scene.asked.exclude, (one.method, one.path)
        _check_write(scene, key, one, actions[key])


def _check_write(scene: Scene, key: Key, one: LoggedRequest, action: Action) -> None:
    manifest, live = scene.wanted.get(key), scene.before.get(key)
    if key in scene.moved:
        raise AssertionError(f"{one.method} {one.path}, though it moved since the plan")
    if one.method == "DELETE":
        assert live is not None
        if manifest is None:
            assert scene.standing(key) == OURS and not live.is_protected
        else:
            assert action.kind is ActionKind.REPLACE
            assert manifest["reconcile"].get("protect") is not True
    else:
        assert manifest is not None, (one.method, one.path)
    if one.method == "POST":
        assert key[1] in scene.asked.rerun and scene.standing(key) == OURS
    if live is None or scene.standing(key) == OURS:
        return
    standing = scene.standing(key)
    assert standing != FOREIGN, (one.method, one.path)
    _check_adoption(scene, key, standing, one.method)


def _check_adoption(scene: Scene, key: Key, standing: str, method: str) -> None:
    manifest, live = scene.wanted[key], scene.before[key]
    default = scene.world.policy.get("adopt", "identical")
    policy = manifest["reconcile"].get("adopt", default)
    by_name = key[1] in scene.asked.adopt
    if policy == "always" and standing == UNREADABLE:
        policy = "identical"
    if by_name or policy == "always":
        return
    assert policy == "identical", f"{method} to {key}, which is {standing or NOBODYS}"
    assert method == "PATCH" and scene.is_same(key, live), f"{method} to {key}, not identical"


def check_tags(scene: Scene, after: Mapping[Key, Live], written: Collection[Key]) -> None:
    """Tags of others survive every write, and those of ours are as the manifest says."""
    for key in written:
        if key not in scene.before or key not in after:
            continue
        kept = {k: v for k, v in scene.before[key].others.items() if k in ("policy", "bill")}
        assert kept.items() <= after[key].tags.items(), (kept, after[key].tags)


def check_outcomes(
    scene: Scene, planned: Plan, run: Run, after: Mapping[Key, Live], written: Collection[Key]
) -> None:
    """Each group is what its manifest says, or a refusal or an outcome says why not."""
    outcomes = by_outcome(run)
    for key, action in by_group(planned.actions).items():
        if key in scene.shaken:
            continue
        outcome = outcomes.get(key)
        if outcome is not None and outcome.status not in WRITTEN:
            assert outcome.says, outcome
            assert "internal error" not in outcome.says, outcome
            continue
        if action.kind is ActionKind.REFUSE:
            raise AssertionError(f"a refusal passes for done: {action}")
        if action.is_pending:
            assert outcome is not None, action
        if action.kind is ActionKind.DELETE:
            assert key not in after, action
        elif action.kind is ActionKind.NO_OP and scene.before[key].is_moving:
            assert key not in written
        else:
            assert scene.is_same(key, after[key]), (action, after[key].body, scene.wanted[key])
            is_protected = scene.wanted[key]["reconcile"].get("protect", False)
            if after[key].is_readable:
                assert after[key].is_protected == is_protected, action
            if action.is_pending:
                _check_done(scene, key, after[key], action)


def _check_done(scene: Scene, key: Key, live: Live, action: Action) -> None:
    """What was written is ours, with the tags that were asked for, and those of before gone."""
    world, manifest = scene.world, scene.wanted[key]
    assert live.standing(world.repository.owner, world.repository.subscription) == OURS, action
    assert knowledge.has_tags(live, manifest), action
    if key in scene.before and scene.standing(key) == OURS:
        once = world.tagged.get(key, frozenset()) - knowledge.managed(manifest).keys()
        assert not once & {name.lower() for name in live.tags}, (once, live.tags)
    world.tagged[key] = frozenset(knowledge.managed(manifest))
    # A write that others tamper with is another matter.
    if key not in scene.before or action.kind is ActionKind.START or scene.asked.fault:
        return
    first = manifest["properties"]["containers"][0]["name"]
    for path in world.ignored(key[1]):
        was, now = (knowledge.member(one, first, path) for one in (scene.before[key], live))
        assert was == now, (path, was, now)


def by_outcome(run: Run) -> dict[Key, Outcome]:
    """The outcomes of actions on groups."""
    return {key: one for one in run.outcomes if (key := key_of(one.action)) is not None}


def check_untouched(
    scene: Scene, after: Mapping[Key, Live], written: Collection[Key], restarts: Mapping[Key, int]
) -> None:
    """What was not written is as it was, restarts included."""
    for key, live in scene.before.items():
        if key in written or key in scene.shaken:
            continue
        assert key in after, key
        assert after[key].tags == live.tags, key
        repository = scene.world.repository
        now = repository.emulator.restarts(repository.subscription, *key)
        assert now == restarts[key], key


def learn(scene: Scene, planned: Plan, run: Run, writes: Sequence[LoggedRequest]) -> None:
    """Remember which secrets Azure was sent."""
    outcomes = by_outcome(run)
    world = scene.world
    for one in writes:
        key = knowledge.key_of(one.path)
        if key is None or key in scene.shaken:
            continue
        if one.method == "PUT" and one.status < 300 and isinstance(one.body, dict):
            world.sent[key] = knowledge.secrets_of(one.body)
        elif one.method in ("PUT", "DELETE"):
            # Where an answer is lost, nobody knows what Azure was sent.
            if one.status >= 500 or one.method == "DELETE":
                world.sent.pop(key, None)
        elif one.method == "PATCH" and key in scene.before and scene.standing(key) != OURS:
            world.sent.pop(key, None)
    for key, action in by_group(planned.actions).items():
        done = outcomes.get(key)
        if action.rebaseline and done is not None and done.status is Status.SUCCEEDED:
            world.sent[key] = knowledge.secrets_now(scene.wanted[key], world.repository.environ)


def check_bodies(scene: Scene, writes: Sequence[LoggedRequest]) -> None:
    """A PUT carries the secrets of now."""
    for one in writes:
        key = knowledge.key_of(one.path)
        if key is None or one.method != "PUT" or not isinstance(one.body, dict):
            continue
        now = knowledge.secrets_now(scene.wanted[key], scene.world.repository.environ)
        assert knowledge.secrets_of(one.body) == now, one.path


def check_nothing_left(
    scene: Scene, planned: Plan, run: Run, again: Plan, after: Mapping[Key, Live]
) -> None:
    """A plan after an apply holds nothing but what was refused, or named as not done."""
    first, outcomes = by_group(planned.actions), by_outcome(run)
    for key, action in by_group(again.actions).items():
        if not action.is_pending or key in scene.shaken:
            continue
        if key not in first:
            # Excluded then, or an orphan that was only reported.
            assert key[1] in scene.asked.exclude or key not in scene.wanted, action
            continue
        outcome = outcomes.get(key)
        is_named = outcome is not None and outcome.status not in WRITTEN
        had_failed = key in after and after[key].has_failed
        was_moving = key in scene.before and scene.before[key].is_moving
        in_order = action.kind is ActionKind.REFUSE and first[key].kind is ActionKind.REFUSE
        assert is_named or had_failed or was_moving or in_order, (first[key], action)
