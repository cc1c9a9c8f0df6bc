"""One YAML document to one desired group or resource group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.core.finding import Finding
from reconciler.core.groups import DesiredGroup, DesiredResourceGroup
from reconciler.core.ids import GROUP_TYPE, RESOURCE_GROUP_TYPE, GroupId, ResourceGroupId
from reconciler.core.jsonval import Json, JsonObject, as_list, as_object, as_text, text_map
from reconciler.core.normalise import canonical
from reconciler.manifest.block import is_task, policy_of, wait_findings
from reconciler.manifest.document import Document, Marks
from reconciler.manifest.lenient import repaired
from reconciler.manifest.project import Project
from reconciler.manifest.references import Surroundings
from reconciler.manifest.rules import finding, without_echoes
from reconciler.manifest.schemas import Kind, check
from reconciler.manifest.secrets import extracted
from reconciler.manifest.semantics import meaning, region_findings
from reconciler.manifest.tags import merged_tags, tag_findings
from reconciler.manifest.variables import substituted
from reconciler.manifest.wording import described, listed, near, quoted

# What PUT carries, apart from the tags.
_BODY = ("location", "identity", "zones", "properties")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the manifests of one run share."""

    project: Project
    subscription: str
    around: Surroundings | None  # None where references are not followed


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


def build(document: Document, context: Context) -> Built:
    """What one document declares, with everything found in it. Total."""
    kind, found = _kind(document)
    if kind is None:
        return Built(
            document=document,
            name="",
            resource_group="",
            location="",
            desired=None,
            is_group=False,
            findings=tuple(found),
        )
    document, repairs = repaired(document, kind)
    document, unset = substituted(document, context.project.variables)
    found = without_echoes(
        found, repairs, unset, check(document, kind), _said(document, kind, context.project)
    )
    if kind is Kind.RESOURCE_GROUP:
        return _resource_group(document, context, found)
    return _group(document, context, found)


def _said(document: Document, kind: Kind, project: Project) -> Iterator[Finding]:
    """What no schema can say of one document."""
    yield from tag_findings(document, ("tags",), project.tags)
    yield from region_findings(document, ("location",))
    if kind is Kind.GROUP:
        yield from meaning(document)
        yield from wait_findings(document)


def _kind(document: Document) -> tuple[Kind | None, list[Finding]]:
    """What a document is checked as; a document that declares nothing of ours gets one finding."""
    folded = {key.lower(): key for key in document.data}
    key = folded.get("type", "")
    stated = document.data.get(key) if key else None
    if isinstance(stated, str):
        for known, kind in (
            (GROUP_TYPE, Kind.GROUP),
            (RESOURCE_GROUP_TYPE, Kind.RESOURCE_GROUP),
        ):
            if stated.lower() == known.lower():
                document.data[key] = known
                says = f"expected {quoted(known)}, got {quoted(stated)}"
                warning = finding("M102", document.at((key,)), says, path="type")
                return kind, [warning] if stated != known else []
        guess = near(stated, (GROUP_TYPE, RESOURCE_GROUP_TYPE))
        says = f"expected {listed((GROUP_TYPE, RESOURCE_GROUP_TYPE))}, got {quoted(stated)}"
        says += f": did you mean {quoted(guess)}?" if guess else ""
        return None, [finding("M011", document.at((key,)), says, path="type")]
    if stated is not None:
        says = f"expected {listed((GROUP_TYPE, RESOURCE_GROUP_TYPE))}, got {described(stated)}"
        return None, [finding("M011", document.at((key,)), says, path="type")]
    if "properties" in folded or "name" in folded:
        return Kind.GROUP, []
    says = "expected a manifest with 'name' and 'properties', got a mapping with neither"
    return None, [finding("M011", document.at(()), says)]


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
        found += doubts
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
