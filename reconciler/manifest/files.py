"""Which files are meant, and their bytes. Positions show paths relative to the working folder
where they lie inside it, otherwise absolute.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Sequence
from pathlib import Path

from reconciler.core.finding import Finding, Mark, Position
from reconciler.manifest.rules import finding
from reconciler.manifest.wording import quoted

PROJECT_FILES = ("aci-reconcile.yaml", "aci-reconcile.yml")
_SUFFIXES = (".yaml", ".yml")
_LARGEST = 4_000_000  # bytes


def shown(path: Path, cwd: Path) -> str:
    """How findings name a file."""
    full = Path(os.path.normpath(cwd / path))
    text = str(full.relative_to(cwd)) if full.is_relative_to(cwd) else str(full)
    # A file name may hold bytes that are no text, or that a terminal would obey.
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def start_of(path: Path, cwd: Path) -> Position:
    """The first character of a file."""
    return Position(file=shown(path, cwd), mark=Mark(1, 1))


def read(path: Path, cwd: Path) -> bytes | Finding:
    """The bytes of a regular file of bearable size, or why they cannot be had."""
    where = start_of(path, cwd)
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            return finding("M001", where, "expected a file, got something else")
        if facts.st_size > _LARGEST:
            return finding("M001", where, "expected a file of at most 4 MB, got a larger one")
        return path.read_bytes()
    except OSError as exc:
        got = (exc.strerror or "an error").lower()
    except ValueError:
        got = "a path with a NUL character"
    return finding("M001", where, f"expected a file that can be read, got: {got}")


def find_project_file(start: Path) -> tuple[Path | None, Path | None]:
    """The nearest project file at or above the folder `start`, and a second one beside it.

    The search ends at the repository's root (`.git`) or the file system's.
    """
    folder = start
    while True:
        there = [folder / name for name in PROJECT_FILES if _exists(folder / name)]
        if there:
            return there[0], there[1] if len(there) > 1 else None
        if _exists(folder / ".git") or folder.parent == folder:
            return None, None
        folder = folder.parent


def folder_of(path: Path) -> Path:
    """`path` where it is a folder, otherwise the nearest folder above it that exists."""
    while not _is_folder(path) and path.parent != path:
        path = path.parent
    return path


def walked(root: Path) -> tuple[list[Path], list[OSError]]:
    """Every YAML file below `root` in a fixed order, and the folders that cannot be read.

    Hidden folders, folders with a project file of their own, links to folders and project files
    are left out.
    """
    found: list[Path] = []
    closed: list[OSError] = []
    for folder, inner, names in os.walk(root, onerror=closed.append):
        here = Path(folder)
        inner[:] = sorted(
            name
            for name in inner
            if not name.startswith(".")
            and not any(_exists(here / name / project) for project in PROJECT_FILES)
        )
        for name in sorted(names):
            is_yaml = name.endswith(_SUFFIXES) and not name.startswith(".")
            if is_yaml and name not in PROJECT_FILES:
                found.append(here / name)
    return found, closed


def closed_folder(error: OSError, cwd: Path) -> Finding:
    """A folder that could not be read: nobody can tell whether it holds manifests."""
    got = (error.strerror or "an error").lower()
    where = start_of(Path(os.fsdecode(error.filename or ".")), cwd)
    return finding("M001", where, f"expected a folder that can be read, got: {got}")


def matched(root: Path, patterns: Sequence[str]) -> tuple[list[Path], list[tuple[int, str]]]:
    """The files that `patterns` match below `root`; by index, what is wrong with a pattern."""
    found: dict[Path, None] = {}
    wrong: list[tuple[int, str]] = []
    for index, pattern in enumerate(patterns):
        if Path(pattern).is_absolute() or ".." in Path(pattern).parts or "\0" in pattern:
            wrong.append((index, "expected a pattern relative to the project file and below it"))
            continue
        try:
            hits = sorted(path for path in root.glob(pattern) if path.is_file())
        except (ValueError, NotImplementedError, OSError, RuntimeError, IndexError):
            wrong.append((index, "expected a pattern such as 'groups/**/*.yaml'"))
            continue
        if not hits:
            wrong.append((index, "expected a pattern that matches files, got one without a match"))
        found.update(dict.fromkeys(path for path in hits if path.name not in PROJECT_FILES))
    return sorted(found), wrong


def selected(
    files: Sequence[Path], paths: Sequence[Path], cwd: Path, others: Collection[Path] = ()
) -> list[Path | Finding]:
    """Those of `files` that `paths` name or hold, and a finding for each path that is none.

    Whoever names one of the `others`, as the project file, means all of them.
    """
    by_real = {os.path.realpath(path): path for path in files}
    for_all = {os.path.realpath(path) for path in others}
    chosen: dict[Path | Finding, None] = {}
    for given in paths:
        full = Path(os.path.normpath(cwd / given))
        real = _real(full)
        inside = real.rstrip(os.sep) + os.sep
        hits = [path for key, path in by_real.items() if key == real or key.startswith(inside)]
        is_for_all = real in for_all or any(one.startswith(inside) for one in for_all)
        if real and (hits or is_for_all or (full.name in PROJECT_FILES and _exists(full))):
            chosen.update(dict.fromkeys(hits or files))
        else:
            chosen[_no_match(full, cwd)] = None
    return sorted(c for c in chosen if isinstance(c, Path)) + [
        c for c in chosen if isinstance(c, Finding)
    ]


def covered(folder: Path, paths: Sequence[Path], cwd: Path) -> bool:
    """Whether `paths` ask for all of `folder`: it, a folder above it, or its project file."""
    inside = _real(folder).rstrip(os.sep) + os.sep
    for given in paths:
        full = Path(os.path.normpath(cwd / given))
        real = _real(full.parent if full.name in PROJECT_FILES else full)
        if real and inside.startswith(real.rstrip(os.sep) + os.sep):
            return True
    return not paths


def _no_match(full: Path, cwd: Path) -> Finding:
    where = start_of(full, cwd)
    if _is_folder(full):
        return finding("M013", where, "expected manifests in the folder, got none")
    if not _exists(full):
        return finding("M001", where, "expected a file or folder, got none of that name")
    says = f"expected a manifest of the project, got {quoted(full.name)}"
    return finding("M012", where, says, hint="adding it to 'manifests' in the project file")


def _real(path: Path) -> str:
    """The path with its links followed; empty for one that no file can have."""
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return ""


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
