"""All manifests of a project together: the desired groups, or what stands against them."""

from __future__ import annotations

import gc
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from reconciler.core.finding import Finding, in_order
from reconciler.core.groups import DesiredGroup, DesiredResourceGroup
from reconciler.manifest import files
from reconciler.manifest.build import Context, Prepared, build, prepared
from reconciler.manifest.links import linked
from reconciler.manifest.lint.estate import crowded
from reconciler.manifest.lint.severities import Levels, Severities
from reconciler.manifest.patches import Patch, assigned, patch_files, read_patches
from reconciler.manifest.project import Project
from reconciler.manifest.recognise import mistaken_in
from reconciler.manifest.references import Surroundings
from reconciler.manifest.rules import RULES, finding, without_echoes
from reconciler.manifest.source import parse


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredSet:
    """What the manifests in scope say.

    `is_complete` only where every manifest of a project was asked for, read and found valid:
    nothing may be missed, and so pruned, otherwise.
    """

    groups: tuple[DesiredGroup, ...]
    resource_groups: tuple[DesiredResourceGroup, ...]
    findings: tuple[Finding, ...]
    is_complete: bool
    files: int
    documents: int
    advice: tuple[Finding, ...] = ()  # of the linter, apart from `findings`; never errors
    # Advice about comments that would be due, had they silenced nothing: of another environment.
    needed: tuple[Finding, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that make the manifests invalid."""
        return tuple(found for found in self.findings if found.is_error)


def load_desired(
    project: Project,
    paths: Sequence[pathlib.Path],
    *,
    environ: Mapping[str, str] | None,
    subscription: str | None = None,
    secrets_dirs: Sequence[pathlib.Path] = (),
    secrets_root: pathlib.Path | None = None,
    levels: Levels | None = None,
) -> DesiredSet:
    """The desired groups of `paths`, or of the whole project where there are none.

    `subscription` wins over the project's. Manifests outside `paths` are read as well, so that
    dependencies on them and second declarations are seen; their own findings are left out.
    Files of secrets lie in the project, or in `secrets_root` in its place, and in `secrets_dirs`.
    Without an `environ`, no reference to a secret is followed. `levels` win over the project's.
    """
    dirs = tuple(secrets_dirs)
    context = Context(
        project=project,
        subscription=project.subscription if subscription is None else subscription,
        around=None
        if environ is None
        else Surroundings(root=secrets_root or project.root, environ=environ, secrets_dirs=dirs),
        severities=Severities({**project.lint, **(levels or {})}),
    )
    with _collector_paused():
        return _load(context, paths)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Parsing makes many values and no garbage; the cyclic collector would walk them in vain."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _load(context: Context, paths: Sequence[pathlib.Path]) -> DesiredSet:
    project, severities = context.project, context.severities
    every, findings = _files(project, paths)
    others = patch_files(project)
    every = [path for path in every if path not in others]
    chosen = files.selected(every, paths, project.cwd, others) if paths else list(every)
    findings += [item for item in chosen if isinstance(item, Finding)]
    if not every and not findings:
        says = "expected manifests in the project, got none"
        findings.append(finding("M013", files.start_of(project.root, project.cwd), says))
    manifests: list[Prepared] = []
    names: set[str] = set()
    in_paths = set(chosen)
    for path in every:
        some, found = _file(path, project.cwd, severities)
        manifests += some
        if path in in_paths:
            names.add(files.shown(path, project.cwd))
            findings += found
    patches, wrong = _patches(manifests, project, severities)
    built = [build(one, context, some) for one, some in zip(manifests, patches, strict=True)]
    in_scope = [unit for unit in built if unit.document.file in names]
    groups, resource_groups, links = linked(built)
    said = [f for unit in in_scope for f in unit.findings]
    places = names.union(*(unit.document.files.values() for unit in in_scope))
    links += crowded((unit.document, unit.location) for unit in built if unit.is_group)
    near = [f for f in links if f.where.file in places]
    findings = severities.settled(without_echoes(findings, wrong, said, near))
    has_all = _has_all(project, every, chosen, paths)
    # Of a part, nobody can tell what a comment in a patch is for.
    about = places if has_all else names
    findings += severities.settled(severities.needless(about))
    has_errors = any(f.is_error for f in findings)
    return DesiredSet(
        groups=tuple(g for g in groups if g.where.file in names),
        resource_groups=tuple(g for g in resource_groups if g.where.file in names),
        findings=in_order([f for f in findings if not _is_advice(f)]),
        advice=in_order([f for f in findings if _is_advice(f)]),
        needed=tuple(severities.settled(severities.needed())),
        is_complete=has_all and not has_errors,
        files=len(names),
        documents=len(in_scope),
    )


def _is_advice(found: Finding) -> bool:
    return not found.is_error and RULES[found.rule].is_advice


def _has_all(
    project: Project,
    every: Sequence[pathlib.Path],
    chosen: Sequence[object],
    paths: Sequence[pathlib.Path],
) -> bool:
    """Whether nothing of the project was left out; one whose last manifest is gone has it all."""
    if project.file is None or not set(every) <= set(chosen):
        return False
    return bool(every) or files.covered(project.root, paths, project.cwd)


def _files(
    project: Project, paths: Sequence[pathlib.Path]
) -> tuple[list[pathlib.Path], list[Finding]]:
    """Every manifest file of the project; without a project file, of the paths."""
    if project.file is None:
        return _loose(project, paths)
    if not project.manifests:
        found, closed = files.walked(project.root)
        return found, [files.closed_folder(error, project.cwd) for error in closed]
    found, wrong = files.matched(project.root, project.manifests)
    home = files.start_of(project.file, project.cwd)
    return found, [
        finding("M504", project.where.get(f"manifests/{i}", home), says, path=f"manifests[{i}]")
        for i, says in wrong
    ]


def _loose(
    project: Project, paths: Sequence[pathlib.Path]
) -> tuple[list[pathlib.Path], list[Finding]]:
    found: dict[pathlib.Path, None] = {}
    wrong: list[Finding] = []
    for given in paths or (project.root,):
        full = project.cwd / given
        try:
            if full.is_dir():
                inside, closed = files.walked(full)
                found.update(dict.fromkeys(inside))
                wrong += [files.closed_folder(error, project.cwd) for error in closed]
            elif full.exists():
                found[full] = None
        except (OSError, ValueError):
            continue  # `selected` says what is wrong with the path
    return sorted(found), wrong


def _patches(
    manifests: Sequence[Prepared], project: Project, severities: Severities
) -> tuple[list[list[Patch]], list[Finding]]:
    """The patches of each manifest; wrong ones are told whatever the scope is."""
    patches, findings = read_patches(project, severities.listen)
    result, wrong = assigned(patches, manifests, project)
    return result, [*findings, *wrong]


def _file(
    path: pathlib.Path, cwd: pathlib.Path, severities: Severities
) -> tuple[list[Prepared], list[Finding]]:
    raw = files.read(path, cwd)
    if isinstance(raw, Finding):
        return [], [raw]
    name = files.shown(path, cwd)
    documents, findings = parse(name, raw)
    if found := mistaken_in(name, raw, documents):
        return [], [found]
    wrong = severities.listen(name, raw)
    return [prepared(document) for document in documents], [*findings, *wrong]
