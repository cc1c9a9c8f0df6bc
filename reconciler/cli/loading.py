"""From options to what the rooms below need: the project, what is wanted, what was consented to."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.options import Options
from reconciler.core.finding import Finding
from reconciler.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from reconciler.app import Consent, Wanted
    from reconciler.core.binding import Reviewed
    from reconciler.core.groups import DesiredGroup
    from reconciler.manifest import DesiredSet, Project
    from reconciler.report.rows import Report


_ADVISED = ("plan", "apply")  # told how much advice there is; 'validate' tells what


def opened(options: Options) -> tuple[Project | None, tuple[Finding, ...]]:
    """The project that the paths belong to, None where its file has errors."""
    from reconciler.manifest import open_project

    return open_project(options.paths, cwd=Path.cwd(), environment=options.environment)


def loaded_for(options: Options) -> tuple[Project, DesiredSet] | ExitCode:
    """The project and what its manifests ask for; findings that forbid going on are reported."""
    from reconciler.manifest import load_desired

    Console(options).check_outputs()
    project, findings = opened(options)
    if project is None or any(finding.is_error for finding in findings):
        return invalid(options, project, findings, files=0, documents=0)
    _check_project(project)
    from reconciler.cli.connection import subscription

    desired = load_desired(
        project,
        options.paths,
        environ=os.environ,
        subscription=subscription(options, project),
        secrets_dirs=options.secrets_dirs,
    )
    if any(finding.is_error for finding in desired.findings):
        both = (*findings, *desired.findings)
        return invalid(options, project, both, files=desired.files, documents=desired.documents)
    if options.command in _ADVISED and desired.advice:
        from reconciler.report.words import plural

        count = plural(len(desired.advice), "lint warning")
        Console(options).say(f"note: {count}; 'aci-reconcile validate' shows them")
    return project, desired


def invalid(
    options: Options,
    project: Project | None,
    findings: Sequence[Finding],
    *,
    files: int = 0,
    documents: int = 0,
) -> ExitCode:
    """The exit code, once the findings that forbid going on have been reported."""
    from reconciler.report.rows import findings_report

    code = ExitCode.INVALID
    report: Report = findings_report(
        tuple(findings),
        files=files,
        documents=documents,
        exit_code=code,
        command=options.command or "validate",
        owner=project.owner if project is not None else "",
        environment=options.environment,
    )
    Console(options).report(report)
    return code


def _check_project(project: Project) -> None:
    if project.file is None:
        raise UsageError(
            f"no project file aci-reconcile.yaml in {project.root} or above it",
            hint="make one that holds at least 'owner: NAME'; groups are tagged with it",
        )
    check_environment(project)


def check_environment(project: Project) -> None:
    """Return when it is clear which environment is meant.

    Raises:
        UsageError: there are several, and none was named.
    """
    if project.environments and project.environment is None:
        listed = ", ".join(project.environments)
        raise UsageError(
            f"{project.file} has environments, and none was named",
            hint=f"add -e with one of: {listed}",
        )


def wanted_for(options: Options, project: Project, desired: DesiredSet, *, prunes: bool) -> Wanted:
    """What is to be made of Azure; only a command that `prunes` may delete orphans."""
    from dataclasses import replace

    from reconciler.app import Wanted
    from reconciler.cli.connection import place, subscription
    from reconciler.core.policy import Prune

    limits = project.limits
    if options.prune:
        limits = replace(limits, prune=Prune.DELETE)
    if not prunes:
        limits = replace(limits, prune=Prune.REPORT)
    return Wanted(
        owner=project.owner,
        subscription=subscription(options, project),
        groups=_waiting(options, desired.groups),
        resource_groups=desired.resource_groups,
        limits=limits,
        is_complete=desired.is_complete,
        known_resource_groups=project.known_resource_groups,
        resolves_digests=options.resolve_digests,
        place=place(options, project),
    )


def _waiting(options: Options, groups: tuple[DesiredGroup, ...]) -> tuple[DesiredGroup, ...]:
    """The groups as they are to be waited for: what the command line says wins.

    Raises:
        UsageError: a group could not become healthy in that time.
    """
    if options.wait is None and options.wait_timeout is None:
        return groups
    from dataclasses import replace

    from reconciler.core.groups import WaitFor

    def changed(group: DesiredGroup) -> DesiredGroup:
        wait = group.policy.wait
        if options.wait is not None:
            wait = replace(wait, until=WaitFor(options.wait))
        if options.wait_timeout is not None:
            wait = replace(wait, timeout=options.wait_timeout)
        if wait.stable_for >= wait.timeout:
            raise UsageError(
                f"--wait-timeout: expected more than the stableFor of '{group.id}'"
                f" ({wait.stable_for}), got {wait.timeout}",
                hint="give a longer time",
            )
        return replace(group, policy=replace(group.policy, wait=wait))

    return tuple(changed(group) for group in groups)


def history_of(
    project: Project, wanted: Wanted
) -> Callable[[str], Mapping[str, DesiredGroup] | None]:
    """What the manifests said at a commit; git is asked only when somebody wants to know."""
    from reconciler.manifest.history import desired_at

    def at(commit: str) -> Mapping[str, DesiredGroup] | None:
        return desired_at(project, commit, environ=os.environ, subscription=wanted.subscription)

    return at


def applied_of(
    options: Options, project: Project, wanted: Wanted
) -> Callable[[str], Mapping[str, DesiredGroup] | None]:
    """The same with the references to secrets followed, as they lead today."""
    from reconciler.manifest.history import desired_at

    def at(commit: str) -> Mapping[str, DesiredGroup] | None:
        return desired_at(
            project,
            commit,
            environ=os.environ,
            subscription=wanted.subscription,
            secrets_dirs=options.secrets_dirs,
        )

    return at


def consent_of(options: Options, reviewed: Reviewed | None = None) -> Consent:
    """What the command line agrees to and asks for, or the plan that was `reviewed`."""
    from reconciler import app

    compared = None
    if reviewed is not None:
        secrets = reviewed.binding.secrets
        compared = {address: frozenset(names) for address, names in secrets.items()}
    return app.Consent(
        compared=compared,
        adopt=options.adopt,
        replace=options.replace,
        retry=options.retry,
        rerun=options.rerun,
        rebaseline=options.rebaseline_secrets,
        select=options.select,
        exclude=options.exclude,
        prune=options.prune,
        allow=dict(options.allow or {}),
    )
