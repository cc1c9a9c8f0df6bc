"""The `reconcile:` block: what may be done to one group, over the project's policy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from reconciler.core.finding import Finding
from reconciler.core.groups import (
    Adopt,
    GroupPolicy,
    OnReplaceFailure,
    Replace,
    Secret,
    Wait,
    WaitFor,
)
from reconciler.core.images import Images
from reconciler.core.jsonval import (
    JsonObject,
    Path,
    as_list,
    as_object,
    as_text,
    dig,
    parse_pointer,
    pointer,
)
from reconciler.core.policy import duration_in
from reconciler.manifest.document import Document
from reconciler.manifest.pointers import absent_element, why_not_ignorable
from reconciler.manifest.project import Project
from reconciler.manifest.rules import finding
from reconciler.manifest.wording import quoted, shown_path

_PATIENCE = timedelta(minutes=10)


def policy_of(
    document: Document,
    project: Project,
    secrets: Sequence[Secret],
    canonical: JsonObject,
    *,
    is_task: bool,
) -> tuple[GroupPolicy, list[Finding]]:
    """The policy without its dependencies, which need the other manifests."""
    block = as_object(document.data.get("reconcile"))
    ignore, findings = _ignored(document, block, secrets, canonical)
    protect = block.get("protect")
    policy = GroupPolicy(
        adopt=Adopt(block.get("adopt", project.adopt.value)),
        replace=Replace(block.get("replace", project.replace.value)),
        on_replace_failure=OnReplaceFailure(
            block.get("onReplaceFailure", project.on_replace_failure.value)
        ),
        protect=protect if isinstance(protect, bool) else project.protect,
        images=Images(block.get("images", project.images.value)),
        wait=_wait(as_object(block.get("wait")), is_task=is_task),
        ignore=ignore,
    )
    return policy, findings


def is_task(properties: JsonObject) -> bool:
    """Whether the containers are meant to end."""
    return properties.get("restartPolicy") in ("Never", "OnFailure")


def _wait(block: JsonObject, *, is_task: bool) -> Wait:
    usual = WaitFor.STARTED if is_task else WaitFor.RUNNING
    return Wait(
        until=WaitFor(block.get("for", usual.value)),
        timeout=duration_in(as_text(block.get("timeout")), _PATIENCE),
        stable_for=duration_in(as_text(block.get("stableFor")), timedelta(0)),
    )


def wait_findings(document: Document) -> Iterator[Finding]:
    """A finding where no group could become healthy in time. Tolerant of documents with errors."""
    block = as_object(dig(document.data, "reconcile", "wait"))
    stated = as_text(block.get("timeout"))
    timeout = duration_in(stated, _PATIENCE)
    if not timeout:
        place, limit = "timeout", "some time to wait"
    elif duration_in(as_text(block.get("stableFor")), timedelta(0)) >= timeout:
        place = "stableFor"
        limit = f"less than the timeout of {stated or 'ten minutes'}"
    else:
        return
    path = ("reconcile", "wait", place)
    says = f"expected {limit}, got {quoted(as_text(block.get(place)))}"
    hint = "a longer timeout" if place == "stableFor" else ""
    yield finding("M306", document.at(path), says, path=shown_path(path), hint=hint)


def _ignored(
    document: Document, block: JsonObject, secrets: Sequence[Secret], canonical: JsonObject
) -> tuple[tuple[Path, ...], list[Finding]]:
    paths: list[Path] = []
    findings: list[Finding] = []
    for index, entry in enumerate(as_list(dig(block, "ignore"))):
        text = as_text(entry)
        place = ("reconcile", "ignore", index)
        path, problem, hint = _ignorable(text, secrets)
        rule, says = "M604", f"expected a property that can be ignored, got {quoted(text)}: "
        if not problem:
            paths.append(path)
            rule, says = "M605", f"expected a pointer that matches something, got {quoted(text)}: "
            problem, hint = absent_element(canonical, path)
        if problem:
            where = document.at(place)
            findings.append(finding(rule, where, says + problem, path=shown_path(place), hint=hint))
    return tuple(paths), findings


def _ignorable(text: str, secrets: Sequence[Secret]) -> tuple[Path, str, str]:
    """The path a pointer names, why it cannot be ignored, and what to try."""
    try:
        path = parse_pointer(text)
    except ValueError as exc:
        return (), f"expected {exc}", ""
    problem, hint = why_not_ignorable(path)
    inside = pointer(path)
    if not problem and any(s.name == inside or s.name.startswith(inside + "/") for s in secrets):
        problem = "it holds a secret, which a write would lose"
    return path, problem, hint
