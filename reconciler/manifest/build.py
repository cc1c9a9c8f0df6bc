"""One YAML document to one desired group or resource group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.core.finding import Finding
from reconciler.core.groups import DesiredGroup, DesiredResourceGroup
from reconciler.core.ids import GROUP_TYPE, RESOURCE_GROUP_TYPE, GroupId, ResourceGroupId
from reconciler.core.jsonval import Json, JsonObject, as_list, as_object, as_text, text_map
from reconciler.core.normalise import canonical
from reconciler.manifest.block import is_task, policy_of
from reconciler.manifest.document import Document, Marks
from reconciler.manifest.lenient import repaired
from reconciler.manifest.project import Project
from reconciler.manifest.rules import finding
from reconciler.manifest.schemas import Kind, check
from reconciler.manifest.secrets import Surroundings, extracted
from reconciler.manifest.semantics import meaning, own_tags
from reconciler.manifest.variables import substituted
from reconciler.manifest.wording import listed, near, quoted

# What PUT carries, apart from the tags.
_BODY = ("location", "identity", "zones", "properties")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the manifests of one run share."""

    project: Project
    subscription: str
    around: Surroundings


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """One document after all checks of its own; `desired` is None where it has errors."""

    document: Document
    name: str
    resource_group: str
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
            desired=None,
            is_group=False,
            findings=tuple(found),
        )
    document, repairs = repaired(document, kind)
    document, unset = substituted(document, context.project.variables)
    found += [*repairs, *unset, *check(document, kind)]
    if kind is Kind.RESOURCE_GROUP:
        return _resource_group(document, context, found)
    return _group(document, context, [*found, *meaning(document)])


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
    return _built(document, desired, resource_group, found, is_group=True)


def _desired_group(
    document: Document, context: Context, resource_group: str
) -> tuple[DesiredGroup, list[Finding]]:
    """The group that a document without errors declares, and what is doubtful about it."""
    project, data = context.project, document.data
    stripped, secrets, doubts = extracted(document, context.around)
    is_ending = is_task(as_object(data.get("properties")))
    policy, problems = policy_of(document, project, secrets, is_task=is_ending)
    body = _body(stripped, project)
    group = DesiredGroup(
        id=GroupId(
            subscription=context.subscription,
            resource_group=resource_group,
            name=as_text(data.get("name")),
        ),
        body=body,
        canonical=canonical(body),
        tags=_tags(project.tags, data),
        secrets=tuple(secrets),
        policy=policy,
        where=document.at(("name",)),
        marks=Marks(document.values),
    )
    return group, [*doubts, *problems]


def _resource_group(document: Document, context: Context, found: list[Finding]) -> Built:
    project, data = context.project, document.data
    location = as_text(data.get("location")) or project.location
    found = [*found, *own_tags(document)]
    if not location:
        says = "expected a location, got none here and none in the project file"
        found.append(finding("M305", document.at(("name",)), says, hint="'location: westeurope'"))
    desired: DesiredResourceGroup | None = None
    name = as_text(data.get("name"))
    if not any(f.is_error for f in found):
        desired = DesiredResourceGroup(
            id=ResourceGroupId(subscription=context.subscription, name=name),
            location=location,
            tags=_tags(project.tags, data),
            where=document.at(("name",)),
        )
    return _built(document, desired, name, found, is_group=False)


def _built(
    document: Document,
    desired: DesiredGroup | DesiredResourceGroup | None,
    resource_group: str,
    found: list[Finding],
    *,
    is_group: bool,
) -> Built:
    return Built(
        document=document,
        name=as_text(document.data.get("name")),
        resource_group=resource_group,
        desired=None if any(f.is_error for f in found) else desired,
        is_group=is_group,
        findings=tuple(found),
    )


def _body(data: JsonObject, project: Project) -> JsonObject:
    body = {name: data[name] for name in _BODY if name in data}
    if "location" not in body and project.location:
        body["location"] = project.location
    return body


def _tags(defaults: Mapping[str, str], data: JsonObject) -> Mapping[str, str]:
    """The project's tags under the manifest's; tag names are compared without case."""
    own = text_map(data.get("tags"))
    taken = {name.lower() for name in own}
    return {**{k: v for k, v in defaults.items() if k.lower() not in taken}, **own}


def stated_dependencies(data: JsonObject) -> list[Json]:
    """The entries of `reconcile.dependsOn`."""
    return as_list(as_object(data.get("reconcile")).get("dependsOn"))
