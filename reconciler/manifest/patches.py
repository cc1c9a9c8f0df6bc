"""The patch files of an environment: which document of them changes which manifest."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from reconciler.core.finding import Finding
from reconciler.core.ids import RESOURCE_GROUP_TYPE
from reconciler.manifest import files
from reconciler.manifest.build import Prepared
from reconciler.manifest.document import Document
from reconciler.manifest.kinds import kind_of
from reconciler.manifest.lenient import repaired
from reconciler.manifest.patching import name_of, resource_group_of
from reconciler.manifest.project import Project
from reconciler.manifest.rules import finding, without_echoes
from reconciler.manifest.schemas import Kind, check_patch
from reconciler.manifest.source import parse
from reconciler.manifest.variables import substituted
from reconciler.manifest.wording import described, listed, near, quoted

_MOST_NAMES = 5

# A file's name and bytes to what is wrong with its comments.
Listen: TypeAlias = Callable[[str, bytes], list[Finding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One document of a patch file, in Azure's spelling."""

    document: Document
    kind: Kind
    findings: tuple[Finding, ...]


def patch_files(project: Project) -> frozenset[pathlib.Path]:
    """The files that are patches in one environment or another, and so never manifests."""
    if project.file is None or not project.all_patches:
        return frozenset()
    return frozenset(files.matched(project.root, project.all_patches)[0])


def read_patches(project: Project, listen: Listen) -> tuple[list[Patch], list[Finding]]:
    """The patches of the environment in the order they are applied, and what is wrong with them.

    Each file is shown to `listen`, for its comments.
    """
    if project.file is None or not project.patches:
        return [], []
    home = files.start_of(project.file, project.cwd)
    patches: list[Patch] = []
    findings: list[Finding] = []
    seen: set[pathlib.Path] = set()
    for index, pattern in enumerate(project.patches):
        found, wrong = files.matched(project.root, (pattern,))
        where = project.where.get(f"patches/{index}", home)
        findings += [finding("M504", where, says, path=_place(project, index)) for _, says in wrong]
        for path in found:
            if path not in seen:
                seen.add(path)
                some, problems = _read(path, project, listen)
                patches += some
                findings += problems
    return patches, findings


def _place(project: Project, index: int) -> str:
    return f"environments.{project.environment}.patches[{index}]"


def _read(
    path: pathlib.Path, project: Project, listen: Listen
) -> tuple[list[Patch], list[Finding]]:
    raw = files.read(path, project.cwd)
    if isinstance(raw, Finding):
        return [], [raw]
    name = files.shown(path, project.cwd)
    documents, found = parse(name, raw, noun="a patch", keys="'name' and what differs")
    findings = [*found, *listen(name, raw)]
    patches: list[Patch] = []
    for document in documents:
        patch, problems = _patch(document, project.variables)
        findings += problems
        patches += [patch] if patch is not None else []
    return patches, findings


def _patch(document: Document, variables: Mapping[str, str]) -> tuple[Patch | None, list[Finding]]:
    """A patch as Azure spells it; None where nobody can tell what it is about."""
    key = next((key for key in document.data if key.lower() == "name"), "")
    if not key:
        says = "expected the key 'name', which says which group is meant, got none"
        return None, [finding("M202", document.at(()), says)]
    name = document.data[key]
    if not isinstance(name, str) or not name:
        says = f"expected the name of a group, got {described(name)}"
        return None, [finding("M203", document.at((key,)), says, path="name")]
    kind, found = kind_of(document)
    if kind is None:
        return None, found
    document, repairs = repaired(document, kind, keeps_null=True)
    whole, unset = substituted(document, variables)
    findings = without_echoes([*found, *repairs], unset, check_patch(whole, kind))
    return Patch(document=document, kind=kind, findings=tuple(findings)), []


def assigned(
    patches: Sequence[Patch], manifests: Sequence[Prepared], project: Project
) -> tuple[list[list[Patch]], list[Finding]]:
    """For each manifest its patches, and a finding for each patch that fits none, or several."""
    targets = _Targets(manifests, project)
    result: list[list[Patch]] = [[] for _ in manifests]
    findings: list[Finding] = []
    for patch in patches:
        fits = targets.of(patch)
        if len(fits) == 1:
            result[fits[0]].append(patch)
        else:
            findings += [*patch.findings, targets.problem(patch, fits)]
    return result, findings


class _Targets:
    """Finds what patches mean, without case."""

    def __init__(self, manifests: Sequence[Prepared], project: Project) -> None:
        self.project = project
        self.known: list[tuple[Kind | None, str, str]] = [
            (one.kind, self._home(one.document), name_of(one.document, project.variables))
            for one in manifests
        ]

    def of(self, patch: Patch) -> list[int]:
        """The manifests that a patch may mean, by position; a second declaration does not count."""
        variables = self.project.variables
        name = name_of(patch.document, variables).lower()
        stated = resource_group_of(patch.document, variables).lower()
        first: dict[tuple[str, str], int] = {}
        for index, (kind, home, other) in enumerate(self.known):
            if kind is not patch.kind or other.lower() != name:
                continue
            if not stated or kind is Kind.RESOURCE_GROUP or home.lower() == stated:
                first.setdefault((home.lower(), name), index)
        return list(first.values())

    def problem(self, patch: Patch, fits: Sequence[int]) -> Finding:
        """Why a patch has no target."""
        document = patch.document
        name = name_of(document, self.project.variables)
        where = document.at(("name",))
        if fits:
            every = sorted(f"{self.known[i][1]}/{self.known[i][2]}" for i in fits)
            says = f"expected one group, got {quoted(name)}, which could be {listed(every)}"
            hint = "'reconcile: {resourceGroup: NAME}' in the patch"
            return finding("M701", where, says, path="name", hint=hint)
        noun = "resource group" if patch.kind is Kind.RESOURCE_GROUP else "group"
        names = sorted({other for kind, _, other in self.known if kind is patch.kind and other})
        same = [home for kind, home, other in self.known if kind is patch.kind and other == name]
        stated = resource_group_of(document, self.project.variables)
        if same and stated:
            where = document.at(("reconcile", "resourceGroup"))
            says = f"expected the resource group of {quoted(name)}, got {quoted(stated)}"
            hint = listed(sorted(set(same)))
            return finding("M701", where, says, path="reconcile.resourceGroup", hint=hint)
        guess = near(name, names)
        says = f"expected the name of a {noun} of the project, got {quoted(name)}"
        says += f": did you mean {quoted(guess)}?" if guess else ""
        hint = f"one of {listed(names[:_MOST_NAMES])}" if names and not guess else ""
        if not names and not guess and patch.kind is Kind.GROUP:
            hint = f"'type: {RESOURCE_GROUP_TYPE}' in the patch, if that is meant"
        return finding("M701", where, says, path="name", hint=hint)

    def _home(self, document: Document) -> str:
        return resource_group_of(document, self.project.variables) or self.project.resource_group
