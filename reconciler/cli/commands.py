"""One function a command. What is heavy is imported where it is needed, never at the top."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.options import Options
from reconciler.core.finding import Finding
from reconciler.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from reconciler.app import Azure, Consent, Wanted
    from reconciler.core.plan import Plan
    from reconciler.manifest import DesiredSet, Project
    from reconciler.report.rows import Report


def validate(options: Options) -> ExitCode:
    """Every finding of every file, for each environment when none is named."""
    from reconciler.manifest import load_desired, open_project
    from reconciler.report.rows import findings_report

    Console(options).check_outputs()
    project, found = _open(options)
    findings: list[Finding] = list(found)
    names = (
        [options.environment] if options.environment or not project else list(project.environments)
    )
    files = documents = 0
    for name in names or [None]:
        one, more = open_project(options.paths, cwd=Path.cwd(), environment=name)
        findings += more
        if one is None:
            continue
        loaded = load_desired(one, options.paths, environ=os.environ)
        findings += loaded.findings
        files, documents = loaded.files, loaded.documents
    unique = tuple(dict.fromkeys(findings))
    code = ExitCode.INVALID if any(finding.is_error for finding in unique) else ExitCode.DONE
    Console(options).report(
        findings_report(unique, files=files, documents=documents, exit_code=code)
    )
    return code


def plan(options: Options) -> ExitCode:
    """Show what apply would do."""
    return _plan(options, command="plan")


def drift(options: Options) -> ExitCode:
    """Tell whether Azure still equals git: 2 when it does not, whatever may be done about it."""
    return _plan(options, command="drift")


def _plan(options: Options, *, command: str) -> ExitCode:
    from reconciler import app
    from reconciler.cli.connection import azure
    from reconciler.report.rows import plan_report

    loaded = _load(options)
    if isinstance(loaded, ExitCode):
        return loaded
    project, desired = loaded
    wanted = _wanted(options, project, desired, prunes=command == "plan")
    with azure(options, cloud=project.cloud) as connected:
        # What Azure is still changing cannot be compared: whoever relies on the answer waits.
        settles = command == "drift" or options.detailed_exitcode
        planned = app.plan(wanted, connected, _consent(options), settles=settles)
    code = _drift_code(planned) if command == "drift" else _plan_code(planned, options)
    report = plan_report(
        planned,
        command=command,
        environment=project.environment,
        findings=desired.findings,
        exit_code=code,
    )
    Console(options).report(report)
    return code


def _plan_code(planned: Plan, options: Options) -> ExitCode:
    if planned.is_blocked:
        return ExitCode.BLOCKED
    pending = options.detailed_exitcode and planned.has_changes
    return ExitCode.CHANGES if pending else ExitCode.DONE


def _drift_code(planned: Plan) -> ExitCode:
    return ExitCode.CHANGES if planned.has_changes else ExitCode.DONE


def apply(options: Options) -> ExitCode:
    """Show the plan, ask, carry it out."""
    from reconciler import app
    from reconciler.cli.connection import azure
    from reconciler.execute.run import preflight
    from reconciler.report.rows import plan_report

    console = Console(options)
    loaded = _load(options)
    if isinstance(loaded, ExitCode):
        return loaded
    project, desired = loaded
    if not options.yes and not console.can_ask:
        raise UsageError("apply asks before it writes, and there is no terminal", hint="add --yes")
    with azure(options, cloud=project.cloud) as connected:
        wanted = _wanted(options, project, desired, prunes=True)
        planned = app.plan(wanted, connected, _consent(options), settles=True)
        code = ExitCode.BLOCKED if planned.is_blocked else ExitCode.DONE
        shown = plan_report(
            planned,
            command="apply",
            environment=project.environment,
            findings=desired.findings,
            exit_code=code,
        )
        if planned.is_blocked or not planned.has_changes:
            console.report(shown)
            return code
        console.preview(shown)
        preflight(planned)
        if not options.yes and not console.ask(
            f"Apply to subscription {planned.subscription}?", "yes"
        ):
            console.say("not confirmed, nothing was touched")
            return ExitCode.BLOCKED
        return _carry_out(
            planned, connected, project, options, command="apply", findings=desired.findings
        )


def _carry_out(
    planned: Plan,
    connected: Azure,
    project: Project,
    options: Options,
    *,
    command: str,
    findings: Sequence[Finding] = (),
) -> ExitCode:
    from reconciler import app
    from reconciler.cli.connection import commit_of
    from reconciler.cli.signals import counted_interrupts
    from reconciler.core.outcome import exit_code
    from reconciler.report.rows import apply_report

    console = Console(options)
    progress = console.progress(planned)
    with counted_interrupts() as interrupts:
        done = app.apply(
            planned,
            connected,
            commit=commit_of(project.root),
            tell=progress.tell,
            landed=progress.landed,
            interrupted=progress.interrupted,
            interrupts=interrupts,
        )
    console.say("")  # parts the progress from the result
    code = exit_code(done.outcomes, is_interrupted=done.is_interrupted)
    report = apply_report(
        planned,
        done.outcomes,
        command=command,
        environment=project.environment,
        findings=tuple(findings),
        exit_code=code,
        interrupted=done.is_interrupted,
    )
    console.report(report)
    return code


def status(options: Options) -> ExitCode:
    """One row a group."""
    from reconciler import app
    from reconciler.cli.connection import azure
    from reconciler.report.rows import StatusLine, status_report

    loaded = _load(options)
    if isinstance(loaded, ExitCode):
        return loaded
    project, desired = loaded
    with azure(options, cloud=project.cloud) as connected:
        groups, notes = app.status(_wanted(options, project, desired, prunes=False), connected)
    lines = [
        StatusLine(
            target=group.target,
            sync=group.sync,
            provisioning=group.live.provisioning if group.live else "",
            state=group.live.state if group.live else "",
            restarts=group.live.restarts if group.live else None,
            address=group.live.address if group.live else "",
            note="" if group.sync == "in sync" else group.why,
        )
        for group in groups
    ]
    console = Console(options)
    for note in notes:
        console.say(f"note: {note}")
    console.report(status_report(lines, exit_code=ExitCode.DONE))
    return ExitCode.DONE


def logs(options: Options) -> ExitCode:
    """Print what the containers of a group printed, as they printed it."""
    from reconciler import app
    from reconciler.cli.connection import azure

    loaded = _load(options)
    if isinstance(loaded, ExitCode):
        return loaded
    project, desired = loaded
    with azure(options, cloud=project.cloud) as connected:
        wanted = _wanted(options, project, desired, prunes=False)
        group = app.named_group(options.name, wanted, connected)
        parts = app.logs(
            group,
            connected,
            container=options.container,
            tail=options.tail,
            timestamps=options.timestamps,
        )
    for name, text in parts:
        if len(parts) > 1:
            print(f"==> {name} <==")
        sys.stdout.write(text if text.endswith("\n") or not text else text + "\n")
    return ExitCode.DONE


def destroy(options: Options) -> ExitCode:
    """Delete everything this project owns, once its owner's name has been given."""
    from reconciler import app
    from reconciler.cli.connection import azure
    from reconciler.execute.run import preflight
    from reconciler.report.rows import plan_report

    console = Console(options)
    loaded = _load(options)
    if isinstance(loaded, ExitCode):
        return loaded
    project, desired = loaded
    if not desired.is_complete:
        raise UsageError(
            "destroy takes the whole project, not some of its files", hint="leave PATH out"
        )
    if options.confirm is None and not console.can_ask:
        raise UsageError(
            "destroy asks for the owner's name, and there is no terminal",
            hint=f"add --confirm {project.owner}",
        )
    if options.confirm not in (None, project.owner):
        raise UsageError(f"--confirm: expected '{project.owner}', got '{options.confirm}'")
    with azure(options, cloud=project.cloud) as connected:
        wanted = _wanted(options, project, desired, prunes=False)
        planned = app.teardown(wanted, connected, resource_groups=options.resource_groups)
        code = ExitCode.BLOCKED if planned.is_blocked else ExitCode.DONE
        shown = plan_report(
            planned, command="destroy", environment=project.environment, exit_code=code
        )
        if planned.is_blocked or not planned.has_changes:
            console.report(shown)
            return code
        console.preview(shown)
        preflight(planned)
        if options.confirm is None and not console.ask(
            "This deletes all of the above.", project.owner
        ):
            console.say("not confirmed, nothing was touched")
            return ExitCode.BLOCKED
        return _carry_out(planned, connected, project, options, command="destroy")


def schema(options: Options) -> ExitCode:
    """Print a JSON Schema."""
    from reconciler.manifest import schema_text

    sys.stdout.write(schema_text(options.schema))
    return ExitCode.DONE


def explain(options: Options) -> ExitCode:
    """Print what the property table knows of a path."""
    from reconciler.core.explain import explain as look_up
    from reconciler.core.explain import nearest
    from reconciler.manifest.describe import description

    found = look_up(options.property)
    if found is None:
        close = ", ".join(nearest(options.property))
        hint = f"did you mean {close}?" if close else "write a path as in reconcile.ignore"
        raise UsageError(f"no property '{options.property}'", hint=hint)
    print("/".join(found.path))
    for label, text in (("what", description(found.path)), *found.facts):
        if text:
            print(f"  {label:<9} {text}")
    return ExitCode.DONE


def emulator(options: Options) -> ExitCode:
    """Serve the emulator until Ctrl-C."""
    import threading

    from reconciler.cli.local import emulator as serving

    with serving(options.database, host=options.host, port=options.port) as url:
        print(f"emulator: {url}", flush=True)
        kept = f"state in {options.database}" if options.database else "state in memory"
        here = url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
        Console(options).say(f"{kept}; use it with --endpoint {here}; Ctrl-C stops it")
        with suppress(KeyboardInterrupt):
            threading.Event().wait()
    return ExitCode.DONE


def demo(_options: Options) -> ExitCode:
    """Run the whole job on the embedded emulator."""
    from reconciler.cli.demo import demo as show

    return show()


def _open(options: Options) -> tuple[Project | None, tuple[Finding, ...]]:
    from reconciler.manifest import open_project

    return open_project(options.paths, cwd=Path.cwd(), environment=options.environment)


def _load(options: Options) -> tuple[Project, DesiredSet] | ExitCode:
    """The project and what its manifests ask for; findings that forbid going on are reported."""
    from reconciler.manifest import load_desired

    Console(options).check_outputs()
    project, findings = _open(options)
    if project is None or any(finding.is_error for finding in findings):
        return _invalid(options, findings, files=0, documents=0)
    _check_project(project)
    from reconciler.cli.connection import subscription

    desired = load_desired(
        project, options.paths, environ=os.environ, subscription=subscription(options, project)
    )
    if any(finding.is_error for finding in desired.findings):
        both = (*findings, *desired.findings)
        return _invalid(options, both, files=desired.files, documents=desired.documents)
    return project, desired


def _invalid(
    options: Options, findings: Sequence[Finding], *, files: int, documents: int
) -> ExitCode:
    from reconciler.report.rows import findings_report

    code = ExitCode.INVALID
    report: Report = findings_report(
        tuple(findings), files=files, documents=documents, exit_code=code
    )
    Console(options).report(report)
    return code


def _check_project(project: Project) -> None:
    if project.file is None:
        raise UsageError(
            f"no project file aci-reconcile.yaml in {project.root} or above it",
            hint="make one that holds at least 'owner: NAME'; groups are tagged with it",
        )
    if project.environments and project.environment is None:
        listed = ", ".join(project.environments)
        raise UsageError(
            f"{project.file} has environments, and none was named",
            hint=f"add -e with one of: {listed}",
        )


def _wanted(options: Options, project: Project, desired: DesiredSet, *, prunes: bool) -> Wanted:
    from dataclasses import replace

    from reconciler.app import Wanted
    from reconciler.cli.connection import subscription
    from reconciler.core.policy import Prune

    limits = project.limits
    if options.prune:
        limits = replace(limits, prune=Prune.DELETE)
    if not prunes:
        limits = replace(limits, prune=Prune.REPORT)
    return Wanted(
        owner=project.owner,
        subscription=subscription(options, project),
        groups=desired.groups,
        resource_groups=desired.resource_groups,
        limits=limits,
        is_complete=desired.is_complete,
        known_resource_groups=project.known_resource_groups,
    )


def _consent(options: Options) -> Consent:
    from reconciler import app

    return app.Consent(
        adopt=options.adopt,
        replace=options.replace,
        exclude=options.exclude,
        allow=dict(options.allow or {}),
    )
