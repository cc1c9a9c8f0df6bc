"""`doctor`: what stands in the way of a run, and what to do about it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from reconciler.cli.loading import loaded_for, wanted_for
from reconciler.cli.options import Options, Output
from reconciler.errors import AuthenticationFailed, ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.diagnosis import Check
    from reconciler.manifest import DesiredSet, Project


def doctor(options: Options) -> ExitCode:
    """Look at everything that a run needs of Azure; changes nothing."""
    from reconciler.core.diagnosis import State

    loaded = loaded_for(options)
    if isinstance(loaded, ExitCode):
        return loaded
    project, desired = loaded
    checks = _checks(options, project, desired)
    is_ill = any(one.state in (State.FAILED, State.SKIPPED) for one in checks)
    code = ExitCode.FAILED if is_ill else ExitCode.DONE
    _tell(checks, options, code)
    return code


def _checks(options: Options, project: Project, desired: DesiredSet) -> tuple[Check, ...]:
    from reconciler.app.diagnosing import diagnose
    from reconciler.cli.connection import azure
    from reconciler.core.diagnosis import Purpose, from_error

    try:
        wanted = wanted_for(options, project, desired, prunes=False)
        with azure(options, cloud=project.cloud) as opened:
            assert opened.inspector is not None
            return diagnose(wanted, opened, opened.inspector, Purpose(options.purpose))
    except AuthenticationFailed as exc:  # the file that AZURE_AUTH_LOCATION names
        return (from_error("credential", exc),)


def _tell(checks: Sequence[Check], options: Options, code: ExitCode) -> None:
    from reconciler.cli.files import write_text
    from reconciler.cli.terminal import shape
    from reconciler.report.diagnosis import diagnosis_json, diagnosis_text

    for output in options.outputs or (Output(format="text", path=None),):
        if output.format == "json":
            text = diagnosis_json(checks, purpose=options.purpose, exit_code=code)
        else:
            color, width = shape(is_terminal=output.path is None and sys.stdout.isatty())
            text = diagnosis_text(checks, color=color, width=width)
        write_text(text, path=output.path, format_name=output.format)
