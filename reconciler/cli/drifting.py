"""`drift`: how Azure stands against what was last applied, told to people and to a webhook."""

from __future__ import annotations

import os
import secrets
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.loading import consent_of, history_of, loaded_for, wanted_for
from reconciler.cli.options import Options
from reconciler.core.alert import DriftEvent, event_of, told_after, told_of_others
from reconciler.core.category import COUNTED, Category
from reconciler.core.drift import Drift
from reconciler.core.evidence import Previous
from reconciler.core.finding import Finding, in_order
from reconciler.errors import ExitCode, ReconcilerError, UsageError

if TYPE_CHECKING:
    from reconciler.app import Wanted
    from reconciler.cli.webhook import Webhook
    from reconciler.core.plan import Plan
    from reconciler.manifest import Project
    from reconciler.report.drift_event import Occasion, Where
    from reconciler.report.shape import Report


_ANEW = "name what 'aci-reconcile drift -o json=FILE' wrote, or remove the file to begin anew"


def drift(options: Options) -> ExitCode:
    """Tell what is not as it was last applied: 2 when that counts, 1 when it cannot be told."""
    check = _Check(options)
    try:
        return check.run()
    except (ReconcilerError, OSError) as exc:
        check.failed(str(exc), exc.exit_code if isinstance(exc, ReconcilerError) else None)
        raise
    except Exception as exc:
        check.failed(f"internal error: {type(exc).__name__}", None)
        raise


class _Check:
    """One run. Whatever it comes to, the webhook hears one event of it."""

    def __init__(self, options: Options) -> None:
        from reconciler.report.drift_event import Where

        self._options = options
        self._console = Console(options)
        self._fail_on = COUNTED if options.fail_on is None else frozenset(options.fail_on)
        self._webhook = _webhook(options)
        self._where: Where = Where(environment=options.environment)
        self._is_heard = False

    def run(self) -> ExitCode:
        """Check and tell.

        Raises:
            ReconcilerError: nothing could be told.
        """
        from reconciler import app
        from reconciler.cli.connection import azure
        from reconciler.cli.secrets import resolved

        loaded = loaded_for(_without_memory(self._options))
        if isinstance(loaded, ExitCode):
            self.failed("the manifests have errors", loaded)
            return loaded
        project, desired = loaded
        wanted = wanted_for(self._options, project, desired, prunes=False)
        self._where = _where(project, wanted)
        previous = previous_in(self._options.since, wanted)
        with azure(self._options, cloud=project.cloud) as opened:
            wanted, connected, doubts = resolved(wanted, opened, project, writes=False)
            history = history_of(project, wanted)
            planned, found = app.drift(
                wanted,
                connected,
                consent_of(self._options),
                history=history,
                previous=previous,
            )
        findings = in_order([*desired.findings, *doubts])
        return self._tell(planned, found, previous or Previous(), findings)

    def _tell(
        self, planned: Plan, found: Drift, previous: Previous, findings: tuple[Finding, ...]
    ) -> ExitCode:
        from reconciler.report.rows import drift_report

        code = exit_code(found, self._fail_on)
        others = told_of_others(previous.told, planned)
        before = previous.told
        now = others.union(one.key for one in found.counted(self._fail_on))
        event = event_of(before, now, is_told=code is not ExitCode.FAILED)

        def report(code: ExitCode, told: frozenset[str]) -> Report:
            return drift_report(
                planned,
                found,
                environment=self._where.environment,
                findings=findings,
                exit_code=code,
                fail_on=self._fail_on,
                told=told,
                event=event.value,
            )

        is_heard = self._post_report(report(code, now), event, before - others)
        if not is_heard and code is ExitCode.DONE:
            code = ExitCode.FAILED  # nobody was told, not even that all is well
        told = told_after(event, before, now, is_heard=is_heard)
        self._console.report(report(code, frozenset(told)))
        return code

    def _post_report(self, report: Report, event: DriftEvent, before: frozenset[str]) -> bool:
        from reconciler.report.drift_event import told_body

        assert report.drift is not None  # a report of drift
        occasion = _occasion(event)
        return self._post(occasion, told_body(occasion, report, report.drift, before))

    def failed(self, says: str, code: ExitCode | None) -> None:
        """Let the webhook hear that nothing could be told, unless it has heard of this run."""
        from reconciler.report.drift_event import failed_body

        if self._is_heard:
            return
        occasion = _occasion(DriftEvent.CHECK_FAILED)
        self._post(occasion, failed_body(occasion, self._where, [says], code or ExitCode.FAILED))

    def _post(self, occasion: Occasion, body: bytes) -> bool:
        """Whether the event was taken, or nobody wants one; that it was not is said."""
        from reconciler.execute.clock import SystemClock
        from reconciler.report.lines import safe

        if self._webhook is None:
            return True
        self._is_heard = True
        event = occasion.event.value
        try:
            self._webhook.post(body, event=event, event_id=occasion.id, clock=SystemClock())
        except ReconcilerError as exc:
            self._console.say(f"aci-reconcile: error: {safe(str(exc))}: {event} not delivered")
            return False
        return True


def exit_code(found: Drift, fail_on: frozenset[Category]) -> ExitCode:
    """1 where something that counts could not be told, 2 where something counts, else 0."""
    if found.open(fail_on):
        return ExitCode.FAILED
    return ExitCode.CHANGES if found.counted(fail_on) else ExitCode.DONE


def _webhook(options: Options) -> Webhook | None:
    if options.webhook is None:
        return None
    from reconciler.cli.webhook import webhook_of

    return webhook_of(options.webhook, os.environ)


def _occasion(event: DriftEvent) -> Occasion:
    from reconciler.report.drift_event import Occasion

    return Occasion(event=event, id=f"evt_{secrets.token_hex(16)}", at=datetime.now(UTC))


def _without_memory(options: Options) -> Options:
    """The options of a report that no later run can go on from: `--since` keeps what it has."""
    if options.since is None:
        return options
    kept = os.path.realpath(options.since)
    others = [o for o in options.outputs if o.path is None or os.path.realpath(o.path) != kept]
    return replace(options, outputs=tuple(others))


def _where(project: Project, wanted: Wanted) -> Where:
    from reconciler.report.drift_event import Where

    return Where(
        owner=wanted.owner, environment=project.environment, subscription=wanted.subscription
    )


def previous_in(path: Path | None, wanted: Wanted) -> Previous | None:
    """What the run before found by its document, None where there was none.

    Raises:
        UsageError: the file holds something else, or the drift of another project.
    """
    if path is None or not path.exists():
        return None
    from reconciler.cli.plans import read_report

    try:
        report = read_report(path)
    except UsageError as exc:
        raise UsageError(f"--since {exc.says}", hint=_ANEW) from exc
    view = report.drift
    if view is None:
        raise UsageError(
            f"--since {path}: expected a drift document, got what '{report.command}' printed",
            hint=_ANEW,
        )
    theirs, ours = (report.owner, report.subscription), (wanted.owner, wanted.subscription.lower())
    if theirs != ours:
        raise UsageError(
            f"--since {path}: it is of owner '{theirs[0]}' in subscription {theirs[1]},"
            f" this run of '{ours[0]}' in {ours[1]}",
            hint="keep a file for each project and environment",
        )
    return Previous(
        seen={one.address: one for one in view.seen},
        told=frozenset(view.told),
        is_complete=report.is_complete,
    )
