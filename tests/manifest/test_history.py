"""What the manifests said at a commit, read from real repositories."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.core.ownership import desired_hash
from reconciler.manifest import load_desired, open_project
from reconciler.manifest.history import desired_at
from tests.manifest.conftest import web

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
PROJECT = """
owner: shop
defaults: {subscription: 00000000-0000-0000-0000-000000000000, resourceGroup: rg, location: westeurope}
variables: {tag: "1.27"}
environments: {prod: {resourceGroup: rg-prod, variables: {tag: "1.25"}}}
"""
IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "a"), ("EMAIL", "a@example.org"))
}


class Repo:
    """A git repository in a folder of its own; `root` is the project's folder in it."""

    def __init__(self, top: Path, home: Path, root: str = "") -> None:
        self.top, self.root = top, top / root
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "GIT_CONFIG_NOSYSTEM": "1",
            **IDENTITY,
        }
        self.root.mkdir(parents=True)
        self.git("init", "--quiet", where=top)
        self.write("aci-reconcile.yaml", PROJECT)

    def git(self, *arguments: str, where: Path | None = None, given: bytes = b"") -> str:
        done = subprocess.run(
            ["git", "-C", str(where or self.top), *arguments],
            env=self.environ,
            input=given,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.decode().strip()

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def commit(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", "x")
        return self.git("rev-parse", "--short=12", "HEAD")

    def at(
        self, commit: str, *, environment: str | None = None, root: Path | None = None, **more: str
    ):
        here = root or self.root
        project, findings = open_project([], cwd=here, environment=environment)
        assert project is not None, findings
        environ = {**self.environ, **more}
        return desired_at(project, commit, environ=environ, subscription=SUBSCRIPTION)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo", tmp_path)


def images(found):
    """The image of each group's first container, by name."""
    return found and {
        group.id.name: group.body["properties"]["containers"][0]["properties"]["image"]
        for group in found.values()
    }


def with_image(image: str, name: str = "web") -> str:
    return web(name).replace("nginx:1.27", image)


def test_the_manifests_of_then_are_told_whatever_was_done_since(repo):
    repo.write("web.yaml", with_image("nginx:1"))
    repo.write("old.yaml", web("old"))
    first = repo.commit()
    repo.write("web.yaml", with_image("nginx:2"))
    (repo.root / "old.yaml").unlink()
    repo.write("new.yaml", web("new"))
    second = repo.commit()
    repo.write("web.yaml", with_image("nginx:3"))

    assert images(repo.at(first)) == {"web": "nginx:1", "old": "nginx:1.27"}
    assert images(repo.at(second)) == {"web": "nginx:2", "new": "nginx:1.27"}


def test_what_git_tells_hashes_like_what_was_loaded_then(repo):
    repo.write("groups/web.yaml", with_image("nginx:${var:tag}"))
    project, _ = open_project([], cwd=repo.root, environment="prod")
    then = load_desired(project, [], environ={}, subscription=SUBSCRIPTION).groups
    commit = repo.commit()
    repo.write("groups/web.yaml", with_image("nginx:9"))

    found = repo.at(commit, environment="prod")

    assert {g.id.address: desired_hash(g) for g in then} == {
        address: desired_hash(group) for address, group in found.items()
    }
    assert images(found) == {"web": "nginx:1.25"}


def test_the_working_tree_and_the_index_stay_as_they_are(repo):
    repo.write("web.yaml", with_image("nginx:1"))
    first = repo.commit()
    repo.write("web.yaml", with_image("nginx:2"))
    repo.git("add", "--all")
    repo.write("web.yaml", with_image("nginx:3"))
    before = (repo.git("status", "--porcelain=v2"), sorted(repo.top.rglob("*")))

    assert repo.at(first) is not None

    assert (repo.git("status", "--porcelain=v2"), sorted(repo.top.rglob("*"))) == before


def test_a_project_in_a_folder_of_the_repository_sees_that_folder_alone(tmp_path):
    repo = Repo(tmp_path / "repo", tmp_path, root="infra/shop é")
    repo.write("web.yaml", with_image("nginx:1"))
    (repo.top / "other.yaml").write_text(web("other"), encoding="utf-8")
    commit = repo.commit()

    link = tmp_path / "link"
    link.symlink_to(repo.root)

    assert images(repo.at(commit)) == {"web": "nginx:1"}
    assert images(repo.at(commit, root=link)) == {"web": "nginx:1"}


def test_a_work_tree_beside_the_repository_is_one(repo, tmp_path):
    repo.write("web.yaml", with_image("nginx:1"))
    commit = repo.commit()
    repo.git("worktree", "add", "--quiet", str(tmp_path / "beside"))

    assert images(repo.at(commit, root=tmp_path / "beside")) == {"web": "nginx:1"}


# What lies in trees


def test_a_link_to_a_file_of_the_folder_is_followed_and_none_leads_out(repo, tmp_path):
    (tmp_path / "outside.yaml").write_text(web("outside"), encoding="utf-8")
    repo.write("base/web.txt.yaml", with_image("nginx:1"))
    repo.write("aci-reconcile.yaml", PROJECT + "manifests: ['live/*.yaml']\n")
    live = repo.root / "live"
    live.mkdir()
    (live / "a.yaml").symlink_to("b.yaml")
    (live / "b.yaml").symlink_to("../base/web.txt.yaml")
    (live / "out.yaml").symlink_to("../../outside.yaml")
    (live / "absolute.yaml").symlink_to(tmp_path / "outside.yaml")
    (live / "loop.yaml").symlink_to("loop.yaml")
    (live / "folder.yaml").symlink_to("../base")
    commit = repo.commit()
    (live / "a.yaml").unlink()
    twice = repo.at(commit)  # a and b say the same group twice
    (live / "a.yaml").unlink(missing_ok=True)
    single = repo.commit()

    assert twice is None
    assert images(repo.at(single)) == {"web": "nginx:1"}


def test_submodules_and_other_files_are_left_out(repo, tmp_path):
    other = Repo(tmp_path / "other", tmp_path)
    other.write("theirs.yaml", web("theirs"))
    commit = other.commit()
    full = other.git("rev-parse", commit)
    repo.write("web.yaml", with_image("nginx:1"))
    repo.write("notes.txt", "name: no manifest")
    repo.git("add", "--all")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{full},vendor")
    repo.git("commit", "--quiet", "-m", "x")

    assert images(repo.at(repo.git("rev-parse", "HEAD"))) == {"web": "nginx:1"}


def test_a_forged_tree_cannot_write_outside_the_folder_it_is_read_into(repo, tmp_path, monkeypatch):
    repo.write("web.yaml", with_image("nginx:1"))
    commit = repo.commit()
    blob = repo.git("hash-object", "-w", "--stdin", given=b"name: planted")
    real = repo.git("rev-parse", f"{commit}:web.yaml")
    project = repo.git("rev-parse", f"{commit}:aci-reconcile.yaml")
    inner = raw_tree(repo, [("100644", "planted.yaml", blob)])
    entries = [
        ("40000", "..", inner),
        ("100644", "../planted.yaml", blob),
        ("100644", "aci-reconcile.yaml", project),
        ("100644", "web.yaml", real),
    ]
    forged = repo.git("commit-tree", raw_tree(repo, entries), "-m", "x")
    around = tmp_path / "around"
    around.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(around))

    assert images(repo.at(forged)) == {"web": "nginx:1"}
    assert list(around.iterdir()) == []


def raw_tree(repo, entries):
    raw = b"".join(
        f"{mode} {name}\0".encode() + bytes.fromhex(blob) for mode, name, blob in entries
    )
    return repo.git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", given=raw)


def test_a_pointer_of_large_file_storage_is_no_manifest(repo):
    repo.write("web.yaml", "version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 12\n")
    commit = repo.commit()

    assert repo.at(commit) is None


def test_manifests_with_errors_tell_nothing(repo):
    repo.write("web.yaml", with_image("nginx:1"))
    repo.write("broken.yaml", "name: [")
    broken = repo.commit()
    repo.write("broken.yaml", "# nothing\n")
    repo.write("aci-reconcile.yaml", "owner: [")
    no_project = repo.commit()
    repo.write("aci-reconcile.yaml", PROJECT)

    assert repo.at(broken) is None
    assert repo.at(no_project) is None


def test_a_commit_from_before_the_project_tells_nothing_even_below_another_one(
    repo, tmp_path, monkeypatch
):
    (repo.root / "aci-reconcile.yaml").unlink()
    repo.write("web.yaml", with_image("nginx:1"))
    before = repo.commit()
    repo.write("aci-reconcile.yaml", PROJECT)
    repo.commit()
    around = tmp_path / "tmp"
    around.mkdir()
    (around / "aci-reconcile.yaml").write_text(PROJECT, encoding="utf-8")
    monkeypatch.setattr("tempfile.tempdir", str(around))

    assert repo.at(before) is None


def test_an_environment_that_was_not_there_tells_nothing(repo):
    repo.write("web.yaml", with_image("nginx:1"))
    repo.write("aci-reconcile.yaml", PROJECT.replace("environments: {prod", "environments: {stage"))
    before = repo.commit()
    repo.write("aci-reconcile.yaml", PROJECT)

    assert repo.at(before, environment="prod") is None
    assert images(repo.at(before)) == {"web": "nginx:1"}


def test_secrets_of_then_are_not_looked_for(repo, monkeypatch):
    secret = "{name: KEY, secureValue: {fromEnv: DB_PASSWORD}}"
    text = web() + f"        environmentVariables: [{secret}]\n"
    repo.write("web.yaml", text)
    commit = repo.commit()
    monkeypatch.setenv("DB_PASSWORD", "hunter2")

    (group,) = repo.at(commit, DB_PASSWORD="hunter2").values()

    assert [one.value for one in group.secrets] == [None]


def test_files_of_secrets_hide_no_group_wherever_they_lie(repo):
    for name, file in (("inside", "secrets/db"), ("outside", "/run/secrets/db")):
        secret = f"{{name: KEY, secureValue: {{fromFile: {file}}}}}"
        text = web(name) + f"        environmentVariables: [{secret}]\n"
        repo.write(f"{name}.yaml", text)
    repo.write("web.yaml", web())
    commit = repo.commit()

    assert images(repo.at(commit)) == dict.fromkeys(("web", "inside", "outside"), "nginx:1.27")


# Where git has no answer


def test_a_shallow_clone_has_only_the_commits_it_has(repo, tmp_path):
    repo.write("web.yaml", with_image("nginx:1"))
    first = repo.commit()
    repo.write("web.yaml", with_image("nginx:2"))
    second = repo.commit()
    shallow = tmp_path / "shallow"
    repo.git("clone", "--quiet", "--depth=1", f"file://{repo.top}", str(shallow))

    assert repo.at(first, root=shallow) is None
    assert images(repo.at(second, root=shallow)) == {"web": "nginx:2"}


def test_a_partial_clone_is_not_filled_up(repo, tmp_path):
    repo.write("web.yaml", with_image("nginx:1"))
    first = repo.commit()
    repo.write("web.yaml", with_image("nginx:2"))
    second = repo.commit()
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.git("config", "uploadpack.allowAnySHA1InWant", "true")
    partial = tmp_path / "partial"
    repo.git("clone", "--quiet", "--filter=blob:none", f"file://{repo.top}", str(partial))

    def objects():
        return sorted(p.name for p in (partial / ".git" / "objects").rglob("*") if p.is_file())

    before = objects()

    assert repo.at(first, root=partial) is None
    assert images(repo.at(second, root=partial)) == {"web": "nginx:2"}
    assert objects() == before


HOSTILE = [
    "",
    "abc12",  # too short to be sure
    "HEAD",
    "main",
    "--output=/tmp/planted",
    "-h",
    "ABCDEF123456",
    "abcdef1; touch planted",
    "abcdef1\n",
    "abcdef1^{/x}",
    "a" * 65,
    "0" * 40,
    "abcdef123456",
]


@pytest.mark.parametrize("commit", HOSTILE)
def test_a_text_that_is_no_commit_of_the_repository_tells_nothing(repo, commit):
    repo.write("web.yaml", with_image("nginx:1"))
    repo.commit()

    assert repo.at(commit) is None


def test_a_commit_is_known_by_seven_digits_or_more(repo):
    repo.write("web.yaml", with_image("nginx:1"))
    commit = repo.commit()
    full = repo.git("rev-parse", commit)

    assert repo.at(commit[:6]) is None
    assert repo.at(commit[:7]) == repo.at(commit) == repo.at(full) is not None


def test_a_branch_called_like_a_commit_is_none(repo):
    repo.write("web.yaml", with_image("nginx:1"))
    repo.commit()
    repo.git("update-ref", "refs/heads/abcdef123456", "HEAD")

    assert repo.at("abcdef123456") is None


def test_a_tree_or_a_file_is_no_commit(repo):
    repo.write("web.yaml", with_image("nginx:1"))
    commit = repo.commit()

    assert repo.at(repo.git("rev-parse", f"{commit}^{{tree}}")) is None
    assert repo.at(repo.git("rev-parse", f"{commit}:web.yaml")) is None


def test_a_replaced_object_does_not_rewrite_what_was_applied(repo):
    repo.write("web.yaml", with_image("nginx:1"))
    first = repo.commit()
    repo.write("web.yaml", with_image("nginx:2"))
    second = repo.commit()
    repo.git("replace", first, second)

    assert images(repo.at(first)) == {"web": "nginx:1"}


def test_a_folder_outside_git_tells_nothing(repo, tmp_path):
    repo.write("web.yaml", with_image("nginx:1"))
    commit = repo.commit()
    copy = tmp_path / "copy"
    shutil.copytree(repo.root, copy, ignore=shutil.ignore_patterns(".git"))

    assert repo.at(commit, root=copy, GIT_CEILING_DIRECTORIES=str(tmp_path)) is None


def test_no_project_file_no_history(repo):
    repo.write("web.yaml", with_image("nginx:1"))
    commit = repo.commit()
    project, _ = open_project([], cwd=repo.root, environment=None)

    loose = replace(project, file=None)

    assert desired_at(loose, commit, environ=repo.environ, subscription=SUBSCRIPTION) is None


def test_without_git_nothing_is_told(repo, tmp_path):
    repo.write("web.yaml", with_image("nginx:1"))
    commit = repo.commit()

    assert repo.at(commit, PATH=str(tmp_path)) is None


def test_a_git_that_hangs_is_given_up(repo, tmp_path, monkeypatch):
    repo.write("web.yaml", with_image("nginx:1"))
    commit = repo.commit()
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    slow.chmod(0o755)
    monkeypatch.setattr("reconciler.manifest.history._PATIENCE_S", 0.2)
    started = time.monotonic()

    assert repo.at(commit, PATH=f"{slow.parent}:{repo.environ['PATH']}") is None
    assert time.monotonic() - started < 30


def test_a_repository_of_somebody_else_tells_nothing(repo):
    repo.write("web.yaml", with_image("nginx:1"))
    commit = repo.commit()

    assert repo.at(commit, GIT_TEST_ASSUME_DIFFERENT_OWNER="1") is None


def test_variables_of_a_hook_do_not_lead_to_another_repository(repo, tmp_path):
    other = Repo(tmp_path / "other", tmp_path)
    other.write("theirs.yaml", web("theirs"))
    other.commit()
    repo.write("web.yaml", with_image("nginx:1"))
    commit = repo.commit()

    found = repo.at(
        commit,
        GIT_DIR=str(other.top / ".git"),
        GIT_WORK_TREE=str(other.top),
        GIT_INDEX_FILE=str(tmp_path / "none"),
        GIT_OBJECT_DIRECTORY=str(other.top / ".git" / "objects"),
    )

    assert images(found) == {"web": "nginx:1"}


def test_nothing_that_a_repository_configures_is_run(repo, tmp_path):
    ran = tmp_path / "ran"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {ran}\ncat\n", encoding="utf-8")
    script.chmod(0o755)
    repo.write("web.yaml", with_image("nginx:1"))
    repo.write(".gitattributes", "*.yaml filter=f diff=d\n")
    commit = repo.commit()
    for key in (
        "filter.f.smudge",
        "filter.f.clean",
        "diff.d.textconv",
        "core.fsmonitor",
        "core.pager",
        "alias.ls-tree",
        "diff.external",
    ):
        repo.git("config", key, str(script))
    hooks = repo.top / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        shutil.copy(script, hooks / name)

    assert images(repo.at(commit)) == {"web": "nginx:1"}
    assert not ran.exists()


def test_files_too_large_for_a_manifest_are_left_out(repo, monkeypatch):
    repo.write("web.yaml", with_image("nginx:1"))
    repo.write("large.yaml", "# " + "x" * 5000)
    commit = repo.commit()
    monkeypatch.setattr("reconciler.manifest.history._LARGEST", 4000)

    assert images(repo.at(commit)) == {"web": "nginx:1"}

    monkeypatch.setattr("reconciler.manifest.history._MOST", 100)
    assert repo.at(commit) is None


def test_the_patches_of_then_are_in_what_was_said_then(repo: Repo):
    environments = "environments: {prod: {patches: ['patches/*.yaml']}}\n"
    repo.write("aci-reconcile.yaml", PROJECT.partition("environments")[0] + environments)
    repo.write("web.yaml", web())
    inside = "{containers: [{name: web, properties: {image: %s}}]}"
    repo.write("patches/web.yaml", f"name: web\nproperties: {inside % 'then:1'}\n")
    then = repo.commit()
    repo.write("patches/web.yaml", f"name: web\nproperties: {inside % 'now:1'}\n")

    assert images(repo.at(then, environment="prod")) == {"web": "then:1"}
