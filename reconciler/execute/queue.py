"""Actions waiting, running and done: what may start now, and what is held back and why."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime
from graphlib import TopologicalSorter

from reconciler.core.cloud import Kind, Ration
from reconciler.core.events import Watcher
from reconciler.core.ids import GroupId
from reconciler.core.outcome import Outcome, Status
from reconciler.core.plan import Action, ActionKind, Plan
from reconciler.core.rollout import Rollout
from reconciler.execute.anew import left_stranded
from reconciler.execute.pacing import Pacer
from reconciler.execute.put import put_ration
from reconciler.execute.writer import Progress

Start = Callable[[Action, Progress], Future[Outcome]]

_INTERRUPTED = "interrupted before it started"
_UNWRITTEN = "interrupted before it was written"
_ROLLED_OUT = (ActionKind.CREATE, ActionKind.UPDATE, ActionKind.REPLACE, ActionKind.START)


@dataclass(slots=True, kw_only=True)
class Queue:
    """The state of a run; used by one thread.

    At most one action of a name is under way: Azure takes one name in several regions at once for
    fraud (refinements, 34), and two operations on one group refuse each other. `ready` holds what
    may start, by what it waits for: an action whose ration is spent stands in nobody's way. One
    that replaces a group waits for two, so that what it deleted can be created again at once.
    """

    plan: Plan
    pacer: Pacer
    watcher: Watcher
    rollout: Rollout | None = None
    interrupted: datetime | None = None
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    running: dict[Future[Outcome], tuple[Action, Progress]] = field(default_factory=dict)
    ready: dict[tuple[Ration, ...], deque[str]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)  # of what is running
    begun: int = 0  # of the actions that are rolled out
    limits: list[int] = field(default_factory=list)  # of the steps still to come
    halted: str = ""  # why the rollout went no further
    sorter: TopologicalSorter[str] = field(init=False)
    actions: Mapping[str, Action] = field(init=False)
    awaited: AbstractSet[str] = field(init=False)  # what a pending action depends on by name

    def __post_init__(self) -> None:
        self.actions = {action.address: action for action in self.plan.actions}
        self.sorter = TopologicalSorter(
            {a.address: (*a.after, *a.behind) for a in self.plan.actions}
        )
        self.sorter.prepare()
        self.awaited = {
            group.address
            for action in self.plan.actions
            if action.is_pending and action.desired is not None
            for group in action.desired.policy.depends_on
        }
        if self.rollout is not None:
            total = sum(_is_rolled_out(action) for action in self.plan.actions)
            self.limits = list(self.rollout.limits(total))

    @property
    def is_done(self) -> bool:
        """Whether nothing runs and nothing can start any more."""
        return not self.running and not any(self.ready.values())

    @property
    def is_replacing(self) -> bool:
        """Whether a group that was deleted has still to be created again."""
        return any(progress.is_deleted for _, progress in self.running.values())

    @property
    def under_way(self) -> Mapping[str, str]:
        """The addresses of what runs, each with the URL of its operation or an empty text."""
        return {action.address: progress.operation for action, progress in self.running.values()}

    def submit(self, start: Start, workers: int) -> None:
        """Start whatever may start now.

        No more than there are workers: what waits in the pool could not be held back any more.
        """
        settled = True
        while settled:
            settled = self._sort_in()
            for rations, addresses in self.ready.items():
                settled |= self._submit_of(rations, addresses, start, workers)

    def _sort_in(self) -> bool:
        """Take in what has become ready; whether anything was settled without being started."""
        settled = False
        for address in self.sorter.get_ready():
            action = self.actions[address]
            if not action.is_pending and address not in self.awaited:
                self.sorter.done(address)
                settled = True
            elif says := self._held_back(action):
                self._done(_not_started(action, says))
                settled = True
            else:
                self.ready.setdefault(_rations_of(action), deque()).append(address)
        return settled

    def _submit_of(
        self, rations: tuple[Ration, ...], addresses: deque[str], start: Start, workers: int
    ) -> bool:
        """Start what waits for `rations`; whether anything was settled without being started."""
        settled = False
        for _ in range(len(addresses)):
            held = self._held_back(self.actions[addresses[0]])
            if not held and (len(self.running) >= workers or any(map(self._is_spent, rations))):
                break
            action = self.actions[addresses.popleft()]
            if held:
                self._done(_not_started(action, held))
                settled = True
            elif rations and not self._may_roll(action):
                addresses.appendleft(action.address)  # the others are rolled out, too
                break
            elif action.target.name.lower() in self.names or not self._may_roll(action):
                addresses.append(action.address)
            else:
                self._start(action, start)
        return settled

    def _is_spent(self, ration: Ration) -> bool:
        """Whether a request of that ration would have to wait for others, sent or about to be."""
        ahead = sum(
            ration in _rations_of(action) and _is_due(ration, progress)
            for action, progress in self.running.values()
        )
        if self.pacer.wait_s(ration, ahead=ahead) <= 0:
            return False
        self.pacer.mention(ration)
        return True

    def _start(self, action: Action, start: Start) -> None:
        self.begun += _is_rolled_out(action)
        self.names.add(action.target.name.lower())
        progress = Progress()
        self.running[start(action, progress)] = (action, progress)

    def collect(self, done: Iterable[Future[Outcome]]) -> None:
        """Take in the outcomes that have landed."""
        for future in done:
            outcome = future.result()
            self._done(outcome)
            action, _ = self.running.pop(future)
            self.names.discard(action.target.name.lower())
            is_refused = action.kind is ActionKind.REFUSE
            if self.rollout and not is_refused and outcome.status is not Status.SUCCEEDED:
                self.halted = self.halted or f"the rollout stopped at {action.target}"

    def result(self) -> tuple[Outcome, ...]:
        """Everything, in plan order; a group that was only looked at counts when it is not well."""
        found = (self.outcomes.get(action.address) for action in self.plan.actions)
        return tuple(
            outcome
            for outcome in found
            if outcome is not None
            and (outcome.action.is_pending or outcome.status is not Status.SUCCEEDED)
        )

    def leave(self) -> None:
        """Give up what runs: what is over by now counts, and a group that was deleted is lost.

        Nobody will create that again: this process ends. The others go on in Azure, without an
        outcome.
        """
        self.collect([future for future in self.running if future.done()])
        for future, (action, progress) in list(self.running.items()):
            if not progress.wrote:
                del self.running[future]
                self._done(_not_started(action, _UNWRITTEN))
            elif progress.is_deleted:
                del self.running[future]
                says = "left while it was being replaced"
                cut = Outcome(action=action, status=Status.FAILED, says=says)
                self._done(replace(left_stranded(cut), wrote=True, operation=progress.operation))

    def drop_unstarted(self) -> None:
        """Give everything that never started an outcome that says so."""
        running = {action.address for action, _ in self.running.values()}
        for address, action in self.actions.items():
            if action.is_pending and address not in running and address not in self.outcomes:
                self.outcomes[address] = _not_started(action, _INTERRUPTED)

    def _may_roll(self, action: Action) -> bool:
        """Whether the step of the rollout has room; removals are `behind` all of it anyway."""
        while self.limits and not self.running and self.begun >= self.limits[0]:
            del self.limits[0]
        return not self.limits or not _is_rolled_out(action) or self.begun < self.limits[0]

    def _held_back(self, action: Action) -> str:
        if self.interrupted is not None:
            return _INTERRUPTED
        if self.halted:
            return self.halted
        failed = [
            str(self.actions[address].target)
            for address in action.after
            if address in self.outcomes and self.outcomes[address].status is not Status.SUCCEEDED
        ]
        return f"waits for {', '.join(failed)}, which did not succeed" if failed else ""

    def _done(self, outcome: Outcome) -> None:
        if outcome.action.address in self.outcomes:
            return  # an interrupt came between taking it in and forgetting its future
        self.outcomes[outcome.action.address] = outcome
        self.sorter.done(outcome.action.address)
        self.watcher.landed(outcome)


def _is_rolled_out(action: Action) -> bool:
    return action.kind in _ROLLED_OUT and isinstance(action.target, GroupId)


def _rations_of(action: Action) -> tuple[Ration, ...]:
    """What the writes of an action are counted in, where the provider counts them."""
    target, rations = action.target, []
    if not isinstance(target, GroupId):
        return ()
    if action.kind in (ActionKind.DELETE, ActionKind.REPLACE):
        location = "" if action.live is None else action.live.location
        rations.append(Ration.of(target.subscription, Kind.DELETE, location))
    if action.kind.sends_body and action.desired is not None:
        rations.append(put_ration(action.desired))
    return tuple(rations)


def _is_due(ration: Ration, progress: Progress) -> bool:
    """Whether an action that runs has still to send what is counted there."""
    return not progress.wrote or (progress.is_deleted and ration.kind is Kind.WRITE)


def _not_started(action: Action, says: str) -> Outcome:
    return Outcome(action=action, status=Status.NOT_STARTED, says=says)
