"""Git, Azure, everybody else and the product, taking turns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from reconciler.core.outcome import Outcome
from reconciler.core.ownership import SecretKey
from reconciler.core.plan import Plan
from reconciler.errors import PlanRefused, SecretUnresolved, UsageError
from tests.conftest import HOME
from tests.stateful import checks, drawing, knowledge
from tests.stateful.checks import Asked, Scene
from tests.stateful.drawing import HOMES, LENIENT, Wire
from tests.stateful.knowledge import Live
from tests.stateful.meddling import Key, meddlings
from tests.stateful.world import World

_a_change = st.one_of(st.none(), st.tuples(drawing.names, drawing.edits))


class Reconciling(RuleBasedStateMachine):
    """From any live state and any manifests."""

    world: World
    ended: Mapping[Key, Outcome]  # by the last apply that was carried out

    @initialize(
        settle=st.sampled_from([0, 1]),
        has_key=st.booleans(),
        is_strange=st.booleans(),
        found=st.lists(drawing.names, min_size=1, unique=True).flatmap(
            lambda names: st.tuples(*(drawing.manifests(name) for name in names))
        ),
        is_applied=st.booleans(),
    )
    def begin(
        self,
        settle: int,
        has_key: bool,
        is_strange: bool,
        found: tuple[Wire, ...],
        is_applied: bool,
    ) -> None:
        key = SecretKey(b"k" * 32) if has_key else None
        self.ended = {}
        self.world = World.of(settle=settle, key=key, is_strange=is_strange)
        for one in found:
            self.world.become({**self.world.manifests, one["name"]: one})
        if is_applied:
            self._apply(Asked())

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.close()

    @rule(change=drawing.git)
    def change_git(self, change: tuple[str, Any]) -> None:
        """Manifests, policies and secrets move."""
        what, value = change
        world = self.world
        if what == "write":
            world.become({**world.manifests, value["name"]: value})
        elif what == "remove":
            world.become({n: one for n, one in world.manifests.items() if n != value})
        elif what == "policy":
            world.policy = value
            world.write()
        elif what == "rotate":
            world.repository.environ.pop(value[0], None)
            world.repository.environ |= {} if value[1] is None else {value[0]: value[1]}
        elif what == "edit":
            self._edit(value)
        elif value[0] in world.manifests:
            member = {"tags": "tags", "block": "reconcile"}[what]
            after = {**world.manifests[value[0]], member: value[1]}
            world.become({**world.manifests, value[0]: after})

    @rule(order=st.integers(1, 1000))
    def reorder(self, order: int) -> None:
        """Other files, documents, keys and lists: the same plan."""
        # Whatever is under way comes to its end by being looked at: it is not what is compared.
        self.world.plan()
        before = self.world.plan()
        self.world.order = order
        self.world.write()
        after = self.world.plan()
        if not any(Live(body=one).is_moving for one in self.world.live.values()):
            assert after.digest == before.digest

    # Others

    @rule(name=drawing.names, elsewhere=st.integers(0, 9), meddling=meddlings)
    def meddle(self, name: str, elsewhere: int, meddling: tuple[str, Any]) -> None:
        """Others do something to a group."""
        self.world.meddle(self._place(name, elsewhere), meddling)

    # The product

    @rule(prune=st.booleans(), edit=_a_change)
    def apply(self, prune: bool, edit: tuple[str, Any] | None) -> None:
        """Nothing is said by name; often something has just changed in git."""
        self._edit(edit)
        self._apply(Asked(prune=prune))

    @rule(fault=drawing.faults, edit=_a_change)
    def apply_with_a_fault(self, fault: str, edit: tuple[str, Any] | None) -> None:
        """Something goes wrong once."""
        self._edit(edit)
        self._apply(Asked(fault=fault))

    @rule(name=drawing.names, value=drawing.secret_values)
    def rotate_and_apply(self, name: str, value: str) -> None:
        """A secret gets a new value."""
        environ = self.world.repository.environ
        environ.update({one: environ.get(one, "b25lb25l") for one in drawing.SECRETS})
        self._edit((name, ("variable", ("B", {"secureValue": {"fromEnv": "S1"}}))))
        self._apply(Asked())
        environ["S1"] = value
        self._apply(Asked())

    @rule(name=drawing.names, protect=st.sampled_from([True, True, False]), prune=st.booleans())
    def forget_and_apply(self, name: str, protect: bool, prune: bool) -> None:
        """A manifest goes, whose protection was the last thing that changed."""
        self.world.policy = dict(LENIENT)
        self._rule(name, protect=protect)
        self._apply(Asked(exclude=self._blocked()))
        self.world.become({n: one for n, one in self.world.manifests.items() if n != name})
        self._apply(Asked(prune=prune))

    @rule(name=drawing.names, source=drawing.names)
    def copy_and_apply(self, name: str, source: str) -> None:
        """Somebody's group gets a copy of the tags of one of ours: prune lets it be."""
        self.world.policy = dict(LENIENT)
        self.world.write()
        place = self._place(name, 0)
        self.world.meddle(place, ("create", None))
        self.world.meddle(place, ("copy tags", source))
        self._apply(Asked(prune=True))

    @rule(name=drawing.names, path=drawing.ignorable, theirs=drawing.edits, ours=drawing.edits)
    def ignore_and_apply(
        self, name: str, path: str, theirs: tuple[str, Any], ours: tuple[str, Any]
    ) -> None:
        """Others change what a manifest ignores, then it changes elsewhere."""
        self._rule(name, ignore=[path])
        self._apply(Asked())
        self.world.meddle(self._place(name, 1), ("edit", theirs))
        self._edit((name, ours))
        self._apply(Asked())

    @rule(
        prune=st.booleans(),
        what=st.sampled_from(["replace", "adopt", "exclude", "rerun", "retry", "rebaseline"]),
        names=drawing.some_names,
        replace=drawing.some_names,
    )
    def apply_by_name(
        self, prune: bool, what: str, names: tuple[str, ...], replace: tuple[str, ...]
    ) -> None:
        """With consent."""
        kept = {
            name: tuple(one for one in some if one in self.world.manifests)
            for name, some in {"replace": replace, what: names}.items()
        }
        self._apply(Asked(prune=prune, **kept))

    @rule(
        name=drawing.names,
        elsewhere=st.integers(0, 9),
        edit=drawing.edits,
        meddling=st.one_of(st.tuples(st.just("edit"), drawing.edits), meddlings),
    )
    def apply_late(
        self, name: str, elsewhere: int, edit: tuple[str, Any], meddling: tuple[str, Any]
    ) -> None:
        """Others do something between the plan and its execution."""
        self._apply(Asked())
        self._edit((name, edit))
        self._apply(Asked(prune=True), (self._place(name, elsewhere), meddling))

    @rule()
    def allow_all_and_apply(self) -> None:
        """With leave to do everything, a few applies bring Azure to what git says."""
        world = self.world
        world.repository.environ.update({secret: "YWxs" for secret in drawing.SECRETS})
        world.policy = dict(LENIENT)
        world.become({n: _freed(one) for n, one in world.manifests.items()})
        for key in list(world.live):
            world.meddle(key, ("owner", None))
        for _ in range(4):
            planned = self._apply(Asked(replace=self._refused()))
            if planned is not None and not planned.has_changes:
                break
        # What Azure refuses by itself, with a code, nobody can bring about.
        refused = {key for key, one in self.ended.items() if one.code}
        left = checks.by_group([a for a in world.plan().actions if a.is_pending])
        said = [(a.kind, a.why, a.allow, self.ended.get(key)) for key, a in left.items()]
        assert left.keys() <= refused, said

    # How

    def _place(self, name: str, elsewhere: int) -> Key:
        """Where a group of that name is, or might be."""
        home = self.world.home(name) if name in self.world.manifests else HOME
        return (home if elsewhere else next(one for one in HOMES if one != home)), name

    def _edit(self, edit: tuple[str, Any] | None) -> None:
        """Change one field of a manifest that there is."""
        manifests = self.world.manifests
        if edit is not None and edit[0] in manifests:
            after = drawing.tamed(drawing.edited(manifests[edit[0]], edit[1]))
            self.world.become({**manifests, edit[0]: after})

    def _rule(self, name: str, **block: Any) -> None:
        """Change what may be done to a group."""
        manifests = self.world.manifests
        if name in manifests:
            after = {**manifests[name], "reconcile": {**manifests[name]["reconcile"], **block}}
            self.world.become({**manifests, name: after})

    def _blocked(self) -> tuple[str, ...]:
        """The groups that the rest must go on without."""
        return tuple(a.target.name for a in self.world.plan().refusals)

    def _refused(self) -> tuple[str, ...]:
        """The groups of which the product says that replacing them would help."""
        return tuple(a.target.name for a in self.world.plan().refusals if "--replace" in a.allow)

    def _seen(self) -> dict[Key, Live]:
        return {key: Live(body=body) for key, body in self.world.live.items()}

    def _apply(self, asked: Asked, meddling: tuple[Key, Any] | None = None) -> Plan | None:
        world = self.world
        try:
            planned = world.plan(prune=asked.prune, **asked.consent)
        except UsageError as exc:
            assert "fits 2 groups" in str(exc)  # one moved, and its old place is there yet
            return None
        before = self._seen()
        if meddling is not None:
            world.meddle(*meddling)
        now = self._seen()
        scene = Scene(
            world=world,
            asked=asked,
            before=before,
            moved={key for key in {*before, *now} if _has_moved(before.get(key), now.get(key))},
            shaken={meddling[0]} if meddling is not None else set(),
        )
        checks.check_plan(scene, planned)
        restarts = _restarts(world, now)
        start = len(world.repository.writes)
        try:
            run, writes = world.carry_out(planned, asked.fault)
        except (PlanRefused, SecretUnresolved) as exc:
            event(f"refused: {type(exc).__name__}")
            assert len(world.repository.writes) == start, "written, though refused"
            assert str(exc)
            return planned
        self.ended = checks.by_outcome(run)
        for outcome in run.outcomes:
            event(f"{outcome.action.kind.value} {outcome.status.value}")
        after = self._seen()
        written = {key for one in writes if (key := knowledge.key_of(one.path)) is not None}
        checks.check_writes(scene, planned, writes)
        checks.check_bodies(scene, writes)
        checks.check_tags(scene, after, written)
        checks.learn(scene, planned, run, writes)
        checks.check_untouched(scene, after, written, restarts)
        checks.check_outcomes(scene, planned, run, after, written)
        again = world.plan(prune=asked.prune)
        if not asked.fault and meddling is None:
            checks.check_nothing_left(scene, planned, run, again, after)
        self._again(again, run)
        return planned

    def _again(self, again: Plan, run: Any) -> None:
        """Applied once more, nothing that was done is done again."""
        if again.has_changes:
            return
        start = len(self.world.repository.writes)
        self.world.carry_out(again)
        assert len(self.world.repository.writes) == start, run


def _freed(manifest: Wire) -> Wire:
    """A manifest that forbids nothing, and asks for no name that another group may hold."""
    block = {k: v for k, v in manifest["reconcile"].items() if k == "resourceGroup"}
    properties = dict(manifest["properties"])
    address = dict(properties.get("ipAddress") or {})
    for name in ("dnsNameLabel", "autoGeneratedDomainNameLabelScope"):
        address.pop(name, None)
    properties |= {"ipAddress": address} if address else {}
    wait = {"replace": "allow", "adopt": "always", "wait": {"for": "provisioned"}}
    return {**manifest, "properties": properties, "reconcile": {**block, **wait}}


def _has_moved(before: Live | None, now: Live | None) -> bool:
    if before is None or now is None:
        return before is not now
    return before.definition != now.definition or before.tags != now.tags


def _restarts(world: World, live: Mapping[Key, Live]) -> dict[Key, int]:
    repository = world.repository
    return {key: repository.emulator.restarts(repository.subscription, *key) for key in live}
