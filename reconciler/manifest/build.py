"""One YAML document to one desired group or resource group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reconciler.core.finding import Finding
from reconciler.core.groups import DesiredGroup, DesiredResourceGroup
from reconciler.core.ids import GroupId, ResourceGroupId
from reconciler.core.jsonval import Json, JsonObject, as_list, as_object, as_text, text_map
from reconciler.core.normalise import canonical
from reconciler.manifest.block import is_task, policy_of, wait_findings
from reconciler.manifest.document import Document, Marks
from reconciler.manifest.kinds import kind_of
from reconciler.manifest.lenient import repaired
from reconciler.manifest.lint import linted
from reconciler.manifest.lint.severities import Severities
from reconciler.manifest.patching import patched
from reconciler.manifest.project import Project
from reconciler.manifest.references import Surroundings
from reconciler.manifest.rules import finding, without_echoes
from reconciler.manifest.schemas import Kind, check
from reconciler.manifest.secrets import extracted
from reconciler.manifest.semantics import meaning, region_findings
from reconciler.manifest.shape import shape_of
from reconciler.manifest.tags import merged_tags, tag_findings
from reconciler.manifest.variables import substituted

if TYPE_CHECKING:
    from reconciler.manifest.patches import Patch

# What PUT carries, apart from the tags.
_BODY = ("location", "identity", "zones", "properties")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the manifests of one run share."""

    project: Project
    subscription: str
    around: Surroundings | None  # None where references are not followed
    severities: Severities = field(default_factory=Severities)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """One document as Azure spells it; `kind` is None where it declares nothing of ours."""

    document: Document
    kind: Kind | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """One document after all checks of its own; `desired` is None where it has errors."""

    document: Document
    name: str
    resource_group: str
    location: str  # the project's where the document states none; may be empty
    desired: DesiredGroup | DesiredResourceGroup | None
    is_group: bool
    findings: tuple[Finding, ...]


def prepared(document: Document) -> Prepared:
    """The document in Azure's spelling. Total."""
    kind, found = kind_of(document)
    if kind is None:
        return Prepared(document=document, kind=None, findings=tuple(found))
    document, repairs = repaired(document, kind)
    return Prepared(document=document, kind=kind, findings=(*found, *repairs))


def build(given: Prepared, context: Context, patches: Sequence[Patch] = ()) -> Built:
    """What one document declares, with everything found in it. Total."""
    document, kind = given.document, given.kind
    if kind is None:
        return _nothing(document, given.findings)
    variables = context.project.variables
    wrong: list[Finding] = []
    for patch in patches:
        changed, problems = patched(document, patch.document, shape_of(kind), variables)
        wrong += without_echoes(problems, patch.findings)
        if changed is None:
            return _nothing(document, wrong)
        document = changed
    document, unset = substituted(document, variables)
    # What a patch brought has been looked at where it stands, by other numbers of its elements.
    told = {one.where for one in wrong if one.is_error}
    found = without_echoes(
        given.findings,
        wrong,
        [one for one in unset if one.where not in told],
        [one for one in check(document, kind) if one.where not in told],
        _said(document, kind, context.project),
        _linted(document, kind, context),
    )
    found = context.severities.settled(found)
    if kind is Kind.RESOURCE_GROUP:
        return _resource_group(document, context, found)
    return _group(document, context, found)


def _nothing(document: Document, findings: Sequence[Finding]) -> Built:
    """A document that declares nothing: it cannot, or a patch takes it out of the environment."""
    return Built(
        document=replace(document, data={}),
        name="",
        resource_group="",
        location="",
        desired=None,
        is_group=False,
        findings=tuple(findings),
    )


def _said(document: Document, kind: Kind, project: Project) -> Iterator[Finding]:
    """What no schema can say of one document."""
    yield from tag_findings(document, ("tags",), project.tags)
    yield from region_findings(document, ("location",))
    if kind is Kind.GROUP:
        yield from meaning(document)
        yield from wait_findings(document)


def _linted(document: Document, kind: Kind, context: Context) -> Iterator[Finding]:
    if kind is Kind.GROUP:
        location = context.project.location
        yield from linted(document, subscription=context.subscription, location=location)


def _group(document: Document, context: Context, found: list[Finding]) -> Built:
    project, data = context.project, document.data
    stated = as_text(as_object(data.get("reconcile")).get("resourceGroup"))
    resource_group = stated or project.resource_group
    if not resource_group and project.file is not None:
        says = "expected a resource group, got none here and none in the project file"
        hint = "'reconcile: {resourceGroup: NAME}'"
        found.append(finding("M305", document.at(("name",)), says, hint=hint))
    desired: DesiredGroup | None = None
    if not any(f.is_error for f in found):
        desired, doubts = _desired_group(document, context, resource_group)
        found += context.severities.settled(doubts)
    location = as_text(data.get("location")) or project.location
    return _built(document, desired, (resource_group, location), found, is_group=True)


def _desired_group(
    document: Document, context: Context, resource_group: str
) -> tuple[DesiredGroup, list[Finding]]:
    """The group that a document without errors declares, and what is doubtful about it."""
    project, data = context.project, document.data
    stripped, secrets, doubts = extracted(document, context.around)
    is_ending = is_task(as_object(data.get("properties")))
    body = _body(stripped, project)
    form = canonical(body)
    policy, problems = policy_of(document, project, secrets, form, is_task=is_ending)
    group = DesiredGroup(
        id=GroupId(
            subscription=context.subscription,
            resource_group=resource_group,
            name=as_text(data.get("name")),
        ),
        body=body,
        canonical=form,
        tags=merged_tags(project.tags, text_map(data.get("tags"))),
        secrets=tuple(secrets),
        policy=policy,
        where=document.at(("name",)),
        marks=Marks(document.values),
        files=document.files,
    )
    return group, [*doubts, *problems]


def _resource_group(document: Document, context: Context, found: list[Finding]) -> Built:
    project, data = context.project, document.data
    location = as_text(data.get("location")) or project.location
    if not location:
        says = "expected a location, got none here and none in the project file"
        found.append(finding("M305", document.at(("name",)), says, hint="'location: westeurope'"))
    desired: DesiredResourceGroup | None = None
    name = as_text(data.get("name"))
    if not any(f.is_error for f in found):
        desired = DesiredResourceGroup(
            id=ResourceGroupId(subscription=context.subscription, name=name),
            location=location,
            tags=merged_tags(project.tags, text_map(data.get("tags"))),
            where=document.at(("name",)),
        )
    return _built(document, desired, (name, location), found, is_group=False)


def _built(
    document: Document,
    desired: DesiredGroup | DesiredResourceGroup | None,
    place: tuple[str, str],
    found: list[Finding],
    *,
    is_group: bool,
) -> Built:
    return Built(
        document=document,
        name=as_text(document.data.get("name")),
        resource_group=place[0],
        location=place[1],
        desired=None if any(f.is_error for f in found) else desired,
        is_group=is_group,
        findings=tuple(found),
    )


def _body(data: JsonObject, project: Project) -> JsonObject:
    body = {name: data[name] for name in _BODY if name in data}
    if "location" not in body and project.location:
        body["location"] = project.location
    return body


def stated_dependencies(data: JsonObject) -> list[Json]:
    """The entries of `reconcile.dependsOn`."""
    return as_list(as_object(data.get("reconcile")).get("dependsOn"))
