"""Which files are formatted: those of a project, and others whose content is that of manifests."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.core.finding import Finding
from reconciler.core.jsonval import JsonObject, as_list, as_object, as_text
from reconciler.manifest import files
from reconciler.manifest.source import parse


@dataclass(frozen=True, slots=True)
class Chosen:
    """A file to look at. One outside every project is formatted when it is like a manifest."""

    path: Path
    is_certain: bool  # it belongs to a project
    is_foreign: bool = False  # there is a project, and it is none of its files


def chosen(paths: Sequence[Path], cwd: Path) -> tuple[list[Chosen], list[Finding]]:
    """The files that `paths` name or hold, each once; without paths, the project around `cwd`."""
    found: dict[str, Chosen] = {}
    findings: list[Finding] = []
    for given in paths or (_project_around(cwd),):
        full = Path(os.path.normpath(cwd / given))
        if full.is_dir():
            inside, closed = _in_folder(full)
            findings += [files.closed_folder(error, cwd) for error in closed]
        else:
            inside = [_named(full)]
        for one in inside:
            found.setdefault(os.path.realpath(one.path), one)
    return list(found.values()), findings


def _project_around(cwd: Path) -> Path:
    file, _ = files.find_project_file(cwd)
    return file.parent if file is not None else cwd


def _named(path: Path) -> Chosen:
    project, _ = files.find_project_file(files.folder_of(path.parent))
    if project is None:
        return Chosen(path, is_certain=path.name in files.PROJECT_FILES)
    real = os.path.realpath(path)
    is_certain = any(os.path.realpath(one) == real for one in _of_project(project)[0])
    return Chosen(path, is_certain=is_certain, is_foreign=not is_certain)


def _in_folder(folder: Path) -> tuple[list[Chosen], list[OSError]]:
    project, _ = files.find_project_file(folder)
    if project is not None:
        every, closed = _of_project(project)
        inside = [path for path in every if path.is_relative_to(folder)]
        return [Chosen(path, is_certain=True) for path in inside], closed
    loose, closed = files.walked(folder)
    found = [Chosen(path, is_certain=False) for path in loose]
    for below in _projects_below(folder):
        every, more = _of_project(below)
        found += [Chosen(path, is_certain=True) for path in every]
        closed += more
    return found, closed


def _projects_below(folder: Path) -> Iterator[Path]:
    for here, inner, names in os.walk(folder):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        yield from (Path(here) / name for name in files.PROJECT_FILES if name in names)


def _of_project(project: Path) -> tuple[list[Path], list[OSError]]:
    """The project file, its manifests and its patches, as far as it can be read."""
    root, data = project.parent, settings(project)
    parts = [data, *(as_object(one) for one in as_object(data.get("environments")).values())]
    manifests = [as_text(p) for one in parts for p in as_list(one.get("manifests"))]
    patches = [as_text(p) for one in parts for p in as_list(one.get("patches"))]
    closed: list[OSError] = []
    if manifests and data.get("manifests"):
        found = files.matched(root, manifests)[0]
    else:
        found, closed = files.walked(root)
        found += files.matched(root, manifests)[0]
    found += files.matched(root, patches)[0]
    return [project, *dict.fromkeys(found)], closed


def settings(project: Path) -> JsonObject:
    """What a project file says, as far as it can be read."""
    raw = files.read(project, project.parent)
    documents = () if isinstance(raw, Finding) else parse(project.name, raw)[0]
    return documents[0].data if documents else {}
