"""Adopt: live groups that equal their manifests become ours, by their tags alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reconciler.cli.console import Console
from reconciler.cli.loading import consent_of, loaded_for, wanted_for
from reconciler.cli.options import Options
from reconciler.core.finding import in_order
from reconciler.errors import ExitCode, UsageError


def adopt(options: Options) -> ExitCode:
    """Show that nothing differs, ask, and write the tags."""
    from reconciler.app.adopting import plan_adoption
    from reconciler.cli.commands import carry_out
    from reconciler.cli.connection import azure
    from reconciler.cli.secrets import resolved
    from reconciler.report.rows import plan_report

    console = Console(options)
    _check_names(options.names)
    loaded = loaded_for(options)
    if isinstance(loaded, ExitCode):
        return loaded
    project, desired = loaded
    if not options.yes and not console.can_ask:
        raise UsageError("adopt asks before it writes, and there is no terminal", hint="add --yes")
    with azure(options, cloud=project.cloud) as opened:
        wanted = wanted_for(options, project, desired, prunes=False)
        wanted, connected, doubts = resolved(wanted, opened, project, writes=True)
        planned = plan_adoption(
            wanted,
            connected,
            consent_of(options),
            names=options.names,
            from_owner=options.from_owner,
        )
        code = ExitCode.BLOCKED if planned.is_blocked else ExitCode.DONE
        shown = plan_report(
            planned,
            command="adopt",
            environment=project.environment,
            findings=in_order([*desired.findings, *doubts]),
            exit_code=code,
        )
        if planned.is_blocked or not planned.has_changes:
            console.result(shown)
            return code
        console.preview(shown)
        if not options.yes and not console.ask(
            f"Adopt for '{planned.owner}' in subscription {planned.subscription}?", "yes"
        ):
            console.say("not confirmed, nothing was touched")
            return ExitCode.BLOCKED
        return carry_out(planned, connected, project, options, shown)


def _check_names(names: Sequence[str]) -> None:
    """Return when no name is that of a project's folder, as `export` has just made one.

    Raises:
        UsageError: one is.
    """
    from reconciler.manifest.files import PROJECT_FILES

    for name in names:
        if any((Path(name) / file).is_file() for file in PROJECT_FILES):
            raise UsageError(
                f"expected names of groups, got the folder '{name}'",
                hint=f"'aci-reconcile adopt --manifests {name}' adopts what its manifests name",
            )
