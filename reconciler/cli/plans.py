"""Plans on disk: written down with an identity, read back, and held an apply to."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.documents import checked, is_document, read_document
from reconciler.cli.options import Options
from reconciler.core.binding import Binding, Reviewed, differences, digest_of
from reconciler.core.jsonval import Json, JsonObject
from reconciler.errors import ExitCode, PlanDiffers, PlanRefused, UsageError

if TYPE_CHECKING:
    from reconciler.app import Wanted
    from reconciler.core.plan import Plan
    from reconciler.report.shape import Report

# The options that decide what a plan does, and what each is called in its document.
_OPTIONS = {
    "paths": "paths",
    "prune": "prune",
    "adopt": "adopt",
    "replace": "replace",
    "retry": "retry",
    "rerun": "rerun",
    "rebaseline_secrets": "rebaselineSecrets",
    "resolve_digests": "resolveDigests",
    "select": "select",
    "exclude": "exclude",
    "allow": "allow",
}
_AGAIN = "make one with 'aci-reconcile plan -o json=FILE'"
_CLOCKS_APART = timedelta(minutes=5)  # of the machines that plan and apply
_MOST_LINES = 40
_PLAN_ID_BYTES = 5


def binding_of(planned: Plan, options: Options, *, now: datetime, valid: timedelta) -> Binding:
    """The identity of a plan that is written down now."""
    return Binding(
        plan_id=f"pl_{secrets.token_hex(_PLAN_ID_BYTES)}",
        created=now,
        expires=now + valid,
        options=_written(options),
        secrets=planned.compared,
    )


def consent_in(binding: Binding) -> str:
    """The words of the command line that a plan was made with, empty where there were none.

    Whoever reviews the plan agrees to them: they say why no limit stops it.
    """
    words = []
    for name, written in _OPTIONS.items():
        value = binding.options.get(written)
        flag = f"--{name.replace('_', '-')}"
        if name == "paths" or not value:
            continue
        if isinstance(value, dict):
            words += [f"{flag} {kind}={number}" for kind, number in value.items()]
        else:
            words += [f"{flag} {one}" for one in value] if isinstance(value, list) else [flag]
    return " ".join(words)


def _written(options: Options) -> Mapping[str, Json]:
    """Those options that were given, as JSON."""
    found: JsonObject = {}
    for name, written in _OPTIONS.items():
        value = getattr(options, name)
        if isinstance(value, tuple):
            value = [item.as_posix() if isinstance(item, Path) else item for item in value]
        if value:
            found[written] = dict(value) if isinstance(value, Mapping) else value
    return found


def plan_file(options: Options) -> Path | None:
    """The plan document that is to be applied, None where manifests are."""
    documents = [path for path in options.paths if is_document(path)]
    if not documents:
        return None
    if len(options.paths) > 1:
        raise UsageError(
            f"expected one plan document and nothing else, got {len(options.paths)} paths",
            hint=f"run 'aci-reconcile apply {documents[0]}'",
        )
    return documents[0]


def read_report(path: Path) -> Report:
    """The plan in a file, as it was shown.

    Raises:
        UsageError: it holds none; the message says where and what was expected.
    """
    from reconciler.report.read_plan import report_of

    document = read_document(path, expected="a plan in JSON", hint=_AGAIN)
    if document.get("kind") != "Plan":
        kind = document.get("kind")
        says = f"{path}: expected a document of the kind Plan, got {kind!r}"
        raise UsageError(says, hint=_AGAIN)
    checked(path, document, "report", part="plan", hint=_AGAIN)
    try:
        return report_of(document)
    except ValueError as exc:
        raise UsageError(f"{path}: expected a plan: {exc}", hint=_AGAIN) from exc


def reviewed_in(path: Path) -> Reviewed:
    """The plan in a file, to be carried out.

    Raises:
        UsageError: it holds none that could be.
    """
    report = read_report(path)
    if report.binding is None or report.command != "plan":
        raise UsageError(
            f"{path}: expected a plan, got what '{report.command}' printed",
            hint=_AGAIN,
        )
    from reconciler.report.words import is_blocked, pending_effects

    check_digest_of(path, report)
    return Reviewed(
        file=str(path),
        binding=report.binding,
        owner=report.owner,
        subscription=report.subscription,
        environment=report.environment,
        digest=report.digest,
        effects=pending_effects(report),
        is_blocked=is_blocked(report),
        as_of=report.as_of,
        exit_code=report.exit_code,
    )


def check_digest_of(path: Path, report: Report) -> None:
    """Return when a plan's digest is that of what it says it does.

    Raises:
        UsageError: somebody changed one of them, or another version of this tool made it.
    """
    from reconciler.report.words import pending_effects

    digest = digest_of(report.owner, pending_effects(report))
    if digest != report.digest:
        says = f"{path}: /digest: expected {digest}, which is that of its actions"
        raise UsageError(f"{says}, got {report.digest}", hint=_AGAIN)


def bound(options: Options, reviewed: Reviewed) -> Options:
    """The options of a run that carries out a plan: those it was made with.

    Raises:
        UsageError: the command line asks for more, or for another environment.
    """
    own = _written(replace(options, paths=()))
    if own:
        given = (name for name in _OPTIONS if name != "paths" and getattr(options, name))
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise UsageError(
            f"{reviewed.file} says what is done, and the command line says {flags} besides",
            hint=f"drop {flags}, or plan again with it",
        )
    if options.environment not in (None, reviewed.environment):
        raise UsageError(
            f"{reviewed.file} is for environment {reviewed.environment or 'none'},"
            f" not for '{options.environment}'",
            hint="drop -e",
        )
    written_down = reviewed.binding.options
    if len(options.environments) > 1:
        raise UsageError(f"{reviewed.file} is for one environment", hint="drop -e")
    changes: dict[str, object] = {"environment": reviewed.environment, "paths": ()}
    for name, written in _OPTIONS.items():
        value = written_down.get(written)
        if isinstance(value, list):
            changes[name] = tuple(Path(str(v)) if name == "paths" else v for v in value)
        elif value:
            changes[name] = value
    return replace(options, **changes)  # type: ignore[arg-type]


def check_ready(reviewed: Reviewed, *, now: datetime) -> None:
    """Return when a plan may be carried out as far as it says itself.

    Raises:
        PlanRefused: it was blocked, is not whole, or has expired.
    """
    if reviewed.exit_code not in (ExitCode.DONE, ExitCode.CHANGES, ExitCode.BLOCKED):
        raise PlanRefused(
            f"{reviewed.file}: the plan ended with {int(reviewed.exit_code)}, so it is not whole",
            hint="plan again",
        )
    if reviewed.is_blocked:
        raise PlanRefused(f"{reviewed.file}: the plan is blocked", hint="see 'aci-reconcile show'")
    if reviewed.as_of is not None:
        raise PlanRefused(
            f"{reviewed.file}: the plan was made against {reviewed.as_of}, not against Azure",
            hint="plan again, without --live",
        )
    if reviewed.binding.created > now + _CLOCKS_APART:
        raise PlanRefused(
            f"{reviewed.file}: the plan was made at {reviewed.binding.created:%Y-%m-%d %H:%M:%S}"
            " UTC, which is still to come",
            hint="set the clocks, or plan again",
        )
    expires = reviewed.binding.expires
    if now >= expires:
        raise PlanRefused(
            f"{reviewed.file}: the plan expired at {expires:%Y-%m-%d %H:%M:%S} UTC",
            hint="plan again, and have it reviewed; policy.planValidFor says how long one is good",
        )


def check_made_for(reviewed: Reviewed, wanted: Wanted) -> None:
    """Return when a plan was made for this owner, in this subscription; nothing is asked for it.

    Raises:
        PlanRefused: it was made for another.
    """
    if reviewed.owner != wanted.owner:
        raise PlanRefused(
            f"{reviewed.file} is for owner '{reviewed.owner}', this project is of '{wanted.owner}'",
            hint="use the project and the environment that the plan was made for",
        )
    if reviewed.subscription == wanted.subscription.lower():
        return
    from reconciler.core.place import made_elsewhere

    rail = made_elsewhere(reviewed, wanted.subscription, wanted.place)
    raise PlanRefused(f"{rail.rule}: {rail.says}", hint=rail.allow)


def check_same(planned: Plan, reviewed: Reviewed, *, accept_subset: bool) -> None:
    """Return when what would be done now is what was reviewed.

    Raises:
        PlanDiffers: it is not; its details are both lists side by side.
    """
    lines = differences(reviewed.effects, planned.effects, accept_subset=accept_subset)
    if lines:
        raise _differs(f"what would be done now is not what {reviewed.file} says", lines)


def check_digest(planned: Plan, digest: str) -> None:
    """Return when a plan has the digest that was reviewed.

    Raises:
        PlanDiffers: it has not; its details are what would be done now.
    """
    if planned.digest != digest:
        lines = tuple(f"now: {effect.says}" for effect in planned.effects) or ("now: nothing",)
        raise _differs(f"expected digest {digest}, got {planned.digest}", lines)


def _differs(says: str, lines: tuple[str, ...]) -> PlanDiffers:
    more = len(lines) - _MOST_LINES
    shown = lines[:_MOST_LINES] + ((f"and {more} more",) if more > 0 else ())
    return PlanDiffers(f"{says}: nothing was touched", hint="plan again", details=shown)
