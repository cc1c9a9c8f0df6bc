"""Running a plan: workers in dependency order, past failures, until done or interrupted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from reconciler.core.outcome import Outcome
from reconciler.core.plan import Plan
from reconciler.core.rollout import Rollout
from reconciler.errors import LocalStateUnusable
from reconciler.execute.act import carry_out
from reconciler.execute.queue import Queue
from reconciler.execute.writer import Writer

_TICK_S = 0.5  # how soon an interrupt, or the end of a ration's wait, is noticed
# What was begun is waited for so long after the first interrupt.
GRACE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What became of every pending action, in plan order.

    `under_way` are the addresses of actions that were left before they had an outcome, each with
    the URL of its operation in Azure, without the signed query, or an empty text.
    """

    outcomes: tuple[Outcome, ...]
    is_interrupted: bool = False
    under_way: Mapping[str, str] = field(default_factory=dict)


def run(
    plan: Plan,
    writer: Writer,
    *,
    parallelism: int,
    interrupts: Callable[[], int] = lambda: 0,
    rollout: Rollout | None = None,
) -> Run:
    """Carry out every pending action.

    What depends on a failed or unhealthy action is not started. The first interrupt starts nothing
    more and waits for what runs, at most a minute, and longer for a group that was deleted to be
    created again; a second one leaves at once: what was under way has no outcome then, and goes on
    in Azure. `interrupts` tells how many have come; `KeyboardInterrupt` counts as one as well.
    """
    queue = Queue(plan=plan, pacer=writer.pacer, watcher=writer.watcher, rollout=rollout)
    told = _Interrupts(writer=writer, queue=queue, others=interrupts)
    writer = replace(writer, leaving=lambda: told.number > 0)
    writer.pacer.attend(leave=writer.leaving, tell=writer.watcher.held)
    # Not a `with` block: that would wait for the workers also after a second interrupt.
    pool = ThreadPoolExecutor(parallelism, thread_name_prefix="apply")
    try:
        while True:
            try:
                if told.is_over():
                    return _left(queue)
                queue.submit(
                    lambda action, progress: _begun(
                        pool, partial(carry_out, action, writer, progress), queue
                    ),
                    parallelism,
                )
                if queue.is_done:
                    return _result(queue)
                if queue.running:
                    done, _ = wait(queue.running, timeout=_TICK_S, return_when=FIRST_COMPLETED)
                    queue.collect(done)
                else:
                    writer.clock.sleep(_TICK_S)  # every action waits for a ration
            except KeyboardInterrupt:
                told.own += 1
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _begun(pool: ThreadPoolExecutor, work: Callable[[], Outcome], queue: Queue) -> Future[Outcome]:
    """The outcome of `work` to come; where the machine has no more threads, one of ours does it.

    Raises:
        LocalStateUnusable: there is no thread at all; nothing was begun.
    """
    future: Future[Outcome] = Future()

    def fulfil() -> None:
        try:
            future.set_result(work())
        except BaseException as exc:  # noqa: BLE001  # whoever waits for it hears of it
            future.set_exception(exc)

    try:
        pool.submit(fulfil)
    except RuntimeError as exc:  # it was put into line all the same
        if not queue.running:
            says = f"the machine starts no thread: {exc}"
            raise LocalStateUnusable(says, hint="try a lower --parallelism") from exc
    return future


@dataclass(slots=True)
class _Interrupts:
    """How many interrupts have come, and what follows from that."""

    writer: Writer
    queue: Queue
    others: Callable[[], int]
    own: int = 0

    @property
    def number(self) -> int:
        """Signals, and keyboard interrupts that were raised."""
        return self.own + self.others()

    def is_over(self) -> bool:
        """Whether to leave what is under way; the first interrupt is told to the watcher."""
        if not self.number:
            return False
        now = self.writer.clock.now()
        if self.queue.interrupted is None:
            self.queue.interrupted = now
            self.writer.watcher.interrupted(len(self.queue.running))
        if self.number > 1:
            return True
        return now - self.queue.interrupted > GRACE and not self.queue.is_replacing


def _result(queue: Queue) -> Run:
    queue.drop_unstarted()
    return Run(outcomes=queue.result(), is_interrupted=queue.interrupted is not None)


def _left(queue: Queue) -> Run:
    """What never started says so; what runs has no outcome, unless its group was deleted."""
    queue.leave()
    queue.drop_unstarted()
    return Run(outcomes=queue.result(), is_interrupted=True, under_way=queue.under_way)
