"""`render` and `diff`: what the manifests of an environment come to, without asking Azure."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.files import write_text
from reconciler.cli.options import Options, Output
from reconciler.cli.terminal import shape
from reconciler.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from reconciler.core.finding import Finding
    from reconciler.manifest import DesiredSet, Project


def render(options: Options) -> ExitCode:
    """Print the desired state of one environment as manifests."""
    from reconciler.manifest.rendered import (
        as_json,
        as_yaml,
        holds_suspicious,
        manifests_of,
        written_down,
    )
    from reconciler.report.lines import safe

    console = Console(options)
    console.check_outputs()
    project, loaded, findings = _loaded(options, options.environment)
    if project is None or loaded is None:
        return _invalid(options, [(loaded, findings)])
    for place in written_down(loaded.groups):
        console.say(safe(f"note: {place} is written down, and left out as '{{unknown: true}}'"))
    for group in loaded.groups:
        if holds_suspicious(group):
            says = "plain values that look like secrets are printed as they are written there"
            console.say(safe(f"note: {group.where}: '{group.id.name}': {says}"))
    documents = manifests_of(loaded.groups, loaded.resource_groups)
    for output in options.outputs or (Output(format="yaml", path=None),):
        if output.format == "json":
            write_text(as_json(documents), path=output.path, format_name=output.format)
        else:
            write_text(
                as_yaml(documents, says=_title(project)),
                path=output.path,
                format_name=output.format,
            )
    return ExitCode.DONE


def diff(options: Options) -> ExitCode:
    """Compare what two environments want: 0 when it is the same, else 2."""
    from reconciler.core.compare import compared, compared_homes
    from reconciler.report.compared import Side, compared_json, compared_of, compared_text

    Console(options).check_outputs()
    sides = [_loaded(options, name) for name in options.compared]
    (one, first, _), (other, second, _) = sides
    if one is None or other is None or first is None or second is None:
        return _invalid(options, [(loaded, findings) for _, loaded, findings in sides])
    found = compared_of(
        [
            *compared(first.groups, second.groups),
            *compared_homes(first.resource_groups, second.resource_groups),
        ],
        owner=one.name,
        before=Side(environment=one.environment or "", subscription=one.subscription),
        after=Side(environment=other.environment or "", subscription=other.subscription),
    )
    for output in options.outputs or (Output(format="text", path=None),):
        if output.format == "json":
            write_text(compared_json(found), path=output.path, format_name=output.format)
        else:
            color, width = shape(is_terminal=output.path is None and sys.stdout.isatty())
            text = compared_text(found, color=color, width=width, verbose=options.verbose)
            write_text(text, path=output.path, format_name=output.format)
    return found.exit_code


def _loaded(
    options: Options, environment: str | None
) -> tuple[Project | None, DesiredSet | None, tuple[Finding, ...]]:
    """The project as one environment sees it, and its groups; None where there are errors.

    References to secrets are not followed: what they lead to is nobody's business here.
    """
    from reconciler.manifest import load_desired, open_project

    project, findings = open_project(options.paths, cwd=Path.cwd(), environment=environment)
    if project is None or any(finding.is_error for finding in findings):
        return None, None, findings
    if project.environments and environment is None:
        raise UsageError(
            f"{project.file} has environments, and none was named",
            hint=f"add -e with one of: {', '.join(project.environments)}",
        )
    loaded = load_desired(project, options.paths, environ=None)
    findings = (*findings, *loaded.findings)
    return (None if loaded.errors else project), loaded, findings


def _invalid(
    options: Options, sides: Sequence[tuple[DesiredSet | None, tuple[Finding, ...]]]
) -> ExitCode:
    """Report the errors of all sides as `validate` does."""
    from reconciler.core.finding import in_order
    from reconciler.report.rows import findings_report

    errors = [one for _, findings in sides for one in findings if one.is_error]
    loaded = next((one for one, _ in sides if one is not None), None)
    report = findings_report(
        in_order(errors),
        files=loaded.files if loaded else 0,
        documents=loaded.documents if loaded else 0,
        exit_code=ExitCode.INVALID,
        command=options.command,
    )
    outputs = tuple(
        replace(one, format="text") if one.format == "yaml" else one for one in options.outputs
    )
    Console(replace(options, outputs=outputs)).report(report)
    return ExitCode.INVALID


def _title(project: Project) -> str:
    facts = [f"environment {project.environment}"] if project.environment else []
    facts += [f"owner {project.owner}"] if project.owner else []
    facts += [f"subscription {project.subscription}"] if project.subscription else []
    return f"rendered: {', '.join(facts)}" if facts else ""
