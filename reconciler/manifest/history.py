"""What the manifests said at a commit, from git's own objects: nothing is fetched, checked out or
run, and whatever cannot be told that way is not told at all.
"""

from __future__ import annotations

import os
import posixpath
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from reconciler.core.groups import DesiredGroup
from reconciler.errors import UsageError
from reconciler.manifest.desired import load_desired
from reconciler.manifest.files import PROJECT_FILES
from reconciler.manifest.project import Project, open_project

_COMMIT = re.compile("[0-9a-f]{7,64}")
_YAML = (".yaml", ".yml")
_LINK = "120000"  # git's modes
_FILES = ("100644", "100755", _LINK)
_MOST_LINKS = 8  # followed one after the other
_LARGEST = 4_000_000  # bytes of a file, as for manifests of today
_MOST = 200_000_000  # bytes of all
_PATIENCE_S = 20

# Where the repository is, is told by the project's folder alone: in a hook these name another one.
_LEADING_ELSEWHERE = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
)
_GUARDS = {
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",  # a git older than the line above must not fetch either
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


class _NotTold(Exception):
    """Git has no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A file of a tree; `name` is relative to the project's folder, parted by `/`."""

    name: str
    mode: str
    blob: str


def commit_of(folder: Path, environ: Mapping[str, str]) -> str:
    """The commit that `folder` is at, shortened; empty outside git. `environ` is git's."""
    try:
        found = _Git(folder, environ).head()
    except (_NotTold, OSError, subprocess.SubprocessError):
        return ""
    return found if _COMMIT.fullmatch(found) else ""


def desired_at(
    project: Project,
    commit: str,
    *,
    environ: Mapping[str, str],
    subscription: str,
    secrets_dirs: Sequence[Path] | None = None,
) -> Mapping[str, DesiredGroup] | None:
    """What the manifests of `project` asked for at `commit`, by address.

    With `secrets_dirs`, which may be empty, references to secrets are followed as they are today:
    in `environ`, in files of today's project and of these folders. Else they stay unresolved.
    `commit` may be any text: it comes from a tag that anybody may write. `environ` is git's.
    None where there is no git or no such commit in it, as in a shallow clone, and where the
    manifests of then are not valid by the rules of now.
    """
    if project.file is None or not _COMMIT.fullmatch(commit):
        return None
    try:
        with TemporaryDirectory(prefix="aci-reconcile-", ignore_cleanup_errors=True) as folder:
            _extract(_Git(project.root, environ), commit, Path(folder))
            return _desired(Path(folder), project, environ, subscription, secrets_dirs)
    except (_NotTold, UsageError, OSError, subprocess.SubprocessError):
        return None


def _desired(
    root: Path,
    today: Project,
    environ: Mapping[str, str],
    subscription: str,
    secrets_dirs: Sequence[Path] | None,
) -> Mapping[str, DesiredGroup] | None:
    """What the manifests in `root` ask for, None where they have errors."""
    project, findings = open_project([], cwd=root, environment=today.environment)
    if project is None or any(finding.is_error for finding in findings):
        return None
    loaded = load_desired(
        project,
        [],
        environ=None if secrets_dirs is None else environ,
        subscription=subscription,
        secrets_dirs=secrets_dirs or (),
        secrets_root=today.root,
    )
    if loaded.errors:
        return None
    return {group.id.address: group for group in loaded.groups}


def _extract(git: _Git, commit: str, root: Path) -> None:
    """Write the YAML files that lay in the project's folder at `commit` into `root`."""
    entries = git.files(commit)
    if not any(entry.name in PROJECT_FILES for entry in entries):
        raise _NotTold  # above `root` lie project files of nobody knows whom
    contents = git.contents({entry.blob for entry in entries})
    for name, content in _followed(entries, contents):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _followed(
    entries: Iterable[_Entry], contents: Mapping[str, bytes]
) -> Iterator[tuple[str, bytes]]:
    """Each file with its bytes; a link to another file of the tree has those of that file.

    No link is ever written, so that none can lead out of the folder.
    """
    by_name = {entry.name: entry for entry in entries}
    for entry in by_name.values():
        found: _Entry | None = entry
        for _ in range(_MOST_LINKS):
            if found is None or found.mode != _LINK:
                break
            target = os.fsdecode(contents.get(found.blob, b""))
            beside = posixpath.join(posixpath.dirname(found.name), target)
            found = by_name.get(posixpath.normpath(beside))
        if found is not None and found.mode != _LINK and found.blob in contents:
            yield entry.name, contents[found.blob]


@dataclass(frozen=True, slots=True)
class _Git:
    """The repository that holds `folder`, asked by plumbing alone: no hook, filter or pager."""

    folder: Path
    environ: Mapping[str, str]

    def head(self) -> str:
        """The commit that is checked out.

        Raises:
            _NotTold: there is no repository, or no commit in it yet.
        """
        return self._run("rev-parse", "--short=12", "HEAD").decode("ascii", "replace").strip()

    def files(self, commit: str) -> list[_Entry]:
        """The YAML files below the folder at `commit`; submodules are left out.

        Raises:
            _NotTold: there is no repository, no such commit, or no such folder in it.
        """
        prefix = os.fsdecode(self._run("rev-parse", "--show-prefix").removesuffix(b"\n"))
        verify = ("rev-parse", "--verify", "--quiet", "--end-of-options")
        found = self._run(*verify, f"{commit}^{{commit}}").decode("ascii", "replace").strip()
        if not found.startswith(commit):
            raise _NotTold  # a branch may be called like a commit
        tree = f"{found}:{prefix.rstrip('/')}"
        listing = self._run("ls-tree", "-r", "-z", "--full-tree", tree)
        every = [_entry(os.fsdecode(line)) for line in listing.split(b"\0") if line]
        return [entry for entry in every if _is_wanted(entry)]

    def contents(self, blobs: Iterable[str]) -> Mapping[str, bytes]:
        """The bytes of each blob; those too large for a manifest are left out.

        Raises:
            _NotTold: one is not in the repository, or all together are too much.
        """
        sizes: dict[str, int] = {}
        for line in self._batch("--batch-check", blobs).splitlines():
            blob, size = _blob_and_size(line)
            sizes[blob] = size
        bearable = [blob for blob, size in sizes.items() if size <= _LARGEST]
        if sum(sizes[blob] for blob in bearable) > _MOST:
            raise _NotTold
        return dict(_parted(self._batch("--batch", bearable)))

    def _batch(self, what: str, blobs: Iterable[str]) -> bytes:
        return self._run("cat-file", what, given="".join(f"{blob}\n" for blob in blobs))

    def _run(self, *arguments: str, given: str = "") -> bytes:
        kept = {k: v for k, v in self.environ.items() if k not in _LEADING_ELSEWHERE}
        done = subprocess.run(
            ["git", "--no-pager", "-C", str(self.folder), *arguments],
            input=given.encode("ascii"),
            capture_output=True,
            env={**kept, **_GUARDS},
            timeout=_PATIENCE_S,
            check=False,
        )
        if done.returncode != 0:
            raise _NotTold
        return done.stdout


def _entry(line: str) -> _Entry:
    """One line of a listing, `MODE TYPE OBJECT<tab>NAME`."""
    facts, _, name = line.partition("\t")
    mode, _, blob = facts.split(" ")
    return _Entry(name=name, mode=mode, blob=blob)


def _is_wanted(entry: _Entry) -> bool:
    # A tree that somebody forged may hold any name.
    is_inside = not {"", ".", ".."} & set(entry.name.split("/")) and "\\" not in entry.name
    return is_inside and entry.mode in _FILES and entry.name.endswith(_YAML)


def _blob_and_size(line: bytes) -> tuple[str, int]:
    """What a header `OBJECT TYPE SIZE` says.

    Raises:
        _NotTold: it says `OBJECT missing`.
    """
    blob, *facts = line.decode("ascii", "replace").split(" ")
    if len(facts) != 2 or facts[0] != "blob":
        raise _NotTold
    return blob, int(facts[1])


def _parted(answer: bytes) -> Iterator[tuple[str, bytes]]:
    """Each blob of an answer: a header, the bytes, a line break."""
    start = 0
    while start < len(answer):
        end = answer.index(b"\n", start)
        blob, size = _blob_and_size(answer[start:end])
        yield blob, answer[end + 1 : end + 1 + size]
        start = end + 1 + size + 1
