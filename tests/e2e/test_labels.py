"""Who moved a field, as the command tells it from the state tag and the repository's own history."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import Repository, conforms, group

IMAGE = "/properties/containers/web/properties/image"
LEVEL = "/properties/containers/web/properties/environmentVariables/LEVEL/value"


def web(level: str, image: str = "nginx:1.27") -> dict:
    return group("web", image=image, env=[{"name": "LEVEL", "value": level}])


def git(*arguments: str, at: Path) -> str:
    who = {
        f"GIT_{w}_{k}": "a@example.org" for w in ("AUTHOR", "COMMITTER") for k in ("NAME", "EMAIL")
    }
    environ = {"PATH": os.environ["PATH"], "HOME": str(at), "GIT_CONFIG_NOSYSTEM": "1", **who}
    done = subprocess.run(
        ["git", "-C", str(at), *arguments], env=environ, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def commit(repository: Repository) -> str:
    git("add", "--all", at=repository.root)
    git("commit", "--quiet", "-m", "x", at=repository.root)
    return git("rev-parse", "HEAD", at=repository.root)


@pytest.fixture
def shop(repository: Repository) -> Repository:
    """One group, applied at the first commit of a git repository."""
    repository.given_home()
    git("init", "--quiet", at=repository.root)
    repository.write(web("info"))
    commit(repository)
    done = repository.here("apply", "--yes")
    assert done.code == 0, done.err
    return repository


@pytest.fixture
def moved(shop: Repository) -> Repository:
    """Since then, somebody changed the image in Azure and the variable in the manifest."""
    shop.set_image("web", "nginx:9.9")
    shop.write(web("debug"))
    commit(shop)
    return shop


def labels(repository: Repository, command: str = "plan") -> tuple[str, dict[str, str]]:
    """The origin of the group and of each field, by a report that its schema allows."""
    done = repository.here(command, "-o", "json")
    assert done.out, done.err
    document = json.loads(done.out)
    conforms(document)
    (action,) = document["actions"]
    return action["origin"], {c["pointer"]: c["origin"] for c in action["changes"]}


def test_where_the_manifest_and_azure_moved_each_field_says_which(moved: Repository) -> None:
    assert labels(moved) == ("both", {IMAGE: "drift", LEVEL: "config"})
    assert labels(moved, "drift") == ("both", {IMAGE: "drift", LEVEL: "config"})


def told(text: str) -> dict[str, str]:
    """The word in brackets that ends the lines of each field, by the field's last name."""
    found = re.findall(r"(?m)^    [~+-] /\S+/(\w+)\s[^(]*\(([^)]*)\)$", text)
    return dict(found)


def test_the_text_says_so_before_apply_asks_too(moved: Repository) -> None:
    planned, drifted = moved.here("plan"), moved.here("drift")
    applied = moved.here("apply", "--yes")

    for text in (planned.out, drifted.out, applied.out + applied.err):
        assert told(text) == {"image": "drift", "value": "config"}, text


def test_one_field_moved_on_both_sides_is_both(shop: Repository) -> None:
    shop.set_image("web", "nginx:9.9")
    shop.write(web("info", image="nginx:1.28"))
    commit(shop)

    assert labels(shop) == ("both", {IMAGE: "both"})
    assert told(shop.here("plan").out) == {"image": "config and drift"}


def test_a_clone_without_the_applied_commit_hides_no_drift(
    moved: Repository, tmp_path: Path
) -> None:
    shallow = tmp_path / "shallow"
    git("clone", "--quiet", "--depth=1", f"file://{moved.root}", str(shallow), at=moved.root)

    assert labels(replace(moved, root=shallow)) == ("both", {IMAGE: "unknown", LEVEL: "unknown"})


def test_a_folder_outside_git_hides_no_drift(repository: Repository) -> None:
    repository.given_home()
    repository.write(web("info"))
    assert repository.here("apply", "--yes").code == 0
    repository.set_image("web", "nginx:9.9")
    repository.write(web("debug"))

    assert labels(repository) == ("both", {IMAGE: "unknown", LEVEL: "unknown"})


def test_what_was_applied_from_an_edited_file_is_not_taken_from_its_commit(
    shop: Repository,
) -> None:
    shop.write(web("edited, not committed"))
    assert shop.here("apply", "--yes").code == 0
    shop.set_image("web", "nginx:9.9")
    shop.write(web("debug"))
    commit(shop)

    assert labels(shop) == ("both", {IMAGE: "unknown", LEVEL: "unknown"})


def test_one_side_alone_is_told_without_git(shop: Repository) -> None:
    shop.set_image("web", "nginx:9.9")
    drifted = labels(shop)
    shop.set_image("web", "nginx:1.27")
    shop.write(web("debug"))

    assert drifted == ("drift", {IMAGE: "drift"})
    assert labels(shop) == ("config", {LEVEL: "config"})
