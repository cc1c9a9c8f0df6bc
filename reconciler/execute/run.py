"""Running a plan: workers in dependency order, past failures, until done or interrupted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

from reconciler.core.groups import SecretState
from reconciler.core.outcome import Outcome, Status
from reconciler.core.plan import Action, Plan
from reconciler.errors import PlanRefused, SecretUnresolved
from reconciler.execute.act import Writer, carry_out


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What became of every pending action, in plan order."""

    outcomes: tuple[Outcome, ...]
    is_interrupted: bool = False


def preflight(plan: Plan) -> None:
    """Return when the plan may be carried out; nothing has been written by then.

    Raises:
        PlanRefused: a rail or a refusal blocks it.
        SecretUnresolved: bodies that must be sent lack secrets; every one of them is named.
    """
    if plan.is_blocked:
        number = len(plan.rails) + len(plan.refusals)
        raise PlanRefused(
            f"{number} refusal{'' if number == 1 else 's'} in the plan, nothing was touched"
        )
    missing = [
        f"{secret.where}: {secret.name} of '{action.target}' has no value: {secret.reason}"
        for action in plan.actions
        if action.desired is not None and action.kind.sends_body
        for secret in action.desired.lacking(SecretState.UNRESOLVED, SecretState.UNKNOWN)
    ]
    if missing:
        noun = "secret" if len(missing) == 1 else "secrets"
        raise SecretUnresolved(
            f"{len(missing)} {noun} that must be sent cannot be had",
            hint="set what is named below and apply again; nothing was touched",
            details=tuple(missing),
        )


def run(
    plan: Plan,
    writer: Writer,
    *,
    parallelism: int,
    landed: Callable[[Outcome], None],
    interrupted: Callable[[int], None],
    interrupts: Callable[[], int] = lambda: 0,
) -> Run:
    """Carry out every pending action.

    What depends on a failed or unhealthy action is not started. The first interrupt starts nothing
    more and waits for what runs (`interrupted` hears how many); a second one leaves at once: what
    was under way has no outcome then, and goes on in Azure. `interrupts` tells how many have come;
    `KeyboardInterrupt` counts as one as well.
    """
    state = _Queue(plan=plan, landed=landed)
    # Not a `with` block: that would wait for the workers also after a second interrupt.
    pool = ThreadPoolExecutor(parallelism, thread_name_prefix="apply")
    try:
        while True:
            try:
                if interrupts() > 1:
                    return state.left()
                if interrupts() and not state.is_interrupted:
                    state.is_interrupted = True
                    interrupted(len(state.running))
                state.submit(lambda action: pool.submit(carry_out, action, writer), parallelism)
                if not state.running:
                    return state.result()
                state.collect()
            except KeyboardInterrupt:
                if state.is_interrupted:
                    return state.left()
                state.is_interrupted = True
                interrupted(len(state.running))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@dataclass(slots=True)
class _Queue:
    """Actions waiting, running and done."""

    plan: Plan
    landed: Callable[[Outcome], None]
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    running: dict[Future[Outcome], Action] = field(default_factory=dict)
    ready: deque[str] = field(default_factory=deque)
    is_interrupted: bool = False
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

    def submit(self, start: Callable[[Action], Future[Outcome]], workers: int) -> None:
        """Start whatever may start now.

        No more than there are workers: what waits in the pool could not be held back any more.
        """
        while True:
            self.ready.extend(self.sorter.get_ready())
            if not self.ready or len(self.running) >= workers:
                return
            action = self.actions[self.ready.popleft()]
            if not action.is_pending and action.address not in self.awaited:
                self.sorter.done(action.address)
            elif says := self._held_back(action):
                self._done(_not_started(action, says))
            else:
                self.running[start(action)] = action

    def collect(self) -> None:
        """Take in the outcomes that have landed, waiting for the first."""
        done, _ = wait(self.running, timeout=0.5, return_when=FIRST_COMPLETED)
        for future in done:
            self._done(future.result())
            del self.running[future]

    def result(self) -> Run:
        """Everything, in plan order; a group that was only looked at counts when it is not well."""
        found = (self.outcomes.get(action.address) for action in self.plan.actions)
        outcomes = tuple(
            outcome
            for outcome in found
            if outcome is not None
            and (outcome.action.is_pending or outcome.status is not Status.SUCCEEDED)
        )
        return Run(outcomes=outcomes, is_interrupted=self.is_interrupted)

    def left(self) -> Run:
        """What a second interrupt leaves: what never started says so, what runs has no outcome."""
        running = {action.address for action in self.running.values()}
        for address, action in self.actions.items():
            if action.is_pending and address not in running and address not in self.outcomes:
                self.outcomes[address] = _not_started(action, _INTERRUPTED)
        return self.result()

    def _held_back(self, action: Action) -> str:
        if self.is_interrupted:
            return _INTERRUPTED
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
        if outcome.action.is_pending:
            self.landed(outcome)


_INTERRUPTED = "interrupted before it started"


def _not_started(action: Action, says: str) -> Outcome:
    return Outcome(action=action, status=Status.NOT_STARTED, says=says)
