"""The shop whose apply is killed and disturbed: what Azure holds, what git says now, what is due.

Git moved on since the last apply: groups were added, changed in place, changed in what Azure keeps
fixed, given other tags, and removed. Two groups lie there that are nobody's business of ours.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.emulator import PLENTY, Emulator, Polls
from tests.conftest import HOME, Repository, group, home
from tests.e2e.test_labels import commit, git
from tests.soak.clock import hurried

SUBSCRIPTION = "77777777-0000-4000-8000-000000000004"
SECOND_HOME = "rg-second"
SETTLES = Polls(2, 1)
POLICY = {
    "prune": "delete",
    "replace": "allow",
    "maxDeletes": 5,
    "maxDeletePercent": 100,
    "maxReplaces": 5,
}
Effects = Mapping[tuple[str, str], int]


@dataclass(frozen=True, kw_only=True)
class Shop:
    """How many groups each kind of change concerns.

    `homes` adds a resource group to create; each group is waited for as long as `timeout`, until
    nothing has restarted for `stable_for`. With `restores` a failed replace puts back what was.
    """

    creates: int = 0
    updates: int = 0
    replaces: int = 0
    tags: int = 0
    deletes: int = 0
    unchanged: int = 1
    homes: bool = False
    timeout: str = "10m"
    stable_for: str = "0s"
    restores: bool = False

    # What git said, and says

    def before(self) -> list[dict[str, Any]]:
        """The manifests that were applied."""
        return [
            *(group(f"update-{n}", image="nginx:1.26") for n in range(self.updates)),
            *(group(f"replace-{n}", cpu=1) for n in range(self.replaces)),
            *(group(f"tag-{n}", tags={"team": "old"}) for n in range(self.tags)),
            *(group(f"delete-{n}") for n in range(self.deletes)),
            *(group(f"same-{n}") for n in range(self.unchanged)),
        ]

    def after(self) -> list[dict[str, Any]]:
        """The manifests that are to be applied."""
        creates = [group(f"create-{n}", reconcile=self._block(n)) for n in range(self.creates)]
        restores = {"onReplaceFailure": "restore"} if self.restores else {}
        manifests = [
            *([home(SECOND_HOME)] if self.homes else []),
            *creates,
            *(group(f"update-{n}", image="nginx:1.27") for n in range(self.updates)),
            *(group(f"replace-{n}", cpu=2, reconcile=restores) for n in range(self.replaces)),
            *(group(f"tag-{n}", tags={"team": "new"}) for n in range(self.tags)),
            *(group(f"same-{n}") for n in range(self.unchanged)),
        ]
        wait = {"for": "running", "timeout": self.timeout, "stableFor": self.stable_for}
        for one in manifests:
            if "properties" in one:
                one["reconcile"] = {"wait": wait, **one.get("reconcile", {})}
        return manifests

    def _block(self, number: int) -> dict[str, Any]:
        """Every second new group waits for the one before it; the last has a home of its own."""
        block: dict[str, Any] = {}
        if number % 2:
            block["dependsOn"] = [f"create-{number - 1}"]
        if self.homes and number == self.creates - 1:
            block = {"resourceGroup": SECOND_HOME}
        return block

    # What is due

    @property
    def due(self) -> Effects:
        """The writes that take effect, of groups, when nothing goes wrong: `(PUT, update-0)`."""
        return {
            **{("PUT", f"create-{n}"): 1 for n in range(self.creates)},
            **{("PUT", f"update-{n}"): 1 for n in range(self.updates)},
            **{("DELETE", f"replace-{n}"): 1 for n in range(self.replaces)},
            **{("PUT", f"replace-{n}"): 1 for n in range(self.replaces)},
            **{("PATCH", f"tag-{n}"): 1 for n in range(self.tags)},
            **{("DELETE", f"delete-{n}"): 1 for n in range(self.deletes)},
        }

    @property
    def wanted(self) -> set[str]:
        """The groups that must be there in the end, and no others."""
        return {m["name"] for m in self.after() if "properties" in m} | set(FOREIGN)


FOREIGN = {
    "theirs": {"owner": "finance"},
    "other": {"aci-reconcile-owner": "other", "aci-reconcile-state": "1.0000"},
}


def lay_out(shop: Shop, folder: Path) -> None:
    """Write a database in which `shop` was applied once, `azure.db`, and its repository, `git`."""
    with Emulator(database=folder / "azure.db", time=Polls(0, 0), limits=PLENTY) as emulator:
        repository = Repository(root=folder / "git", emulator=emulator, subscription=SUBSCRIPTION)
        try:
            repository.project(policy=POLICY)
            repository.given_home()
            repository.write(*shop.before())
            git("init", "--quiet", at=repository.root)
            commit(repository)
            with hurried():
                done = repository.here("apply", "--yes")
            assert done.code == 0, (done.out, done.err)
            for name, tags in FOREIGN.items():
                repository.given(group(name, image="theirs:1"), tags=tags)
        finally:
            repository.close()
        repository.forget(*(one["name"] for one in shop.before()))
        repository.write(*shop.after())


def effects(repository: Repository) -> Counter[tuple[str, str]]:
    """The writes of groups that took effect, whatever was answered, by method and name."""
    return Counter(
        (one.method, one.path.rpartition("/")[2])
        for one in repository.requests
        if one.method != "GET" and "/containergroups/" in one.path.lower()
        # 0: it never came to the service; 204: there was nothing to delete
        if 200 <= one.status < 300 and one.status != 204
    )


@contextmanager
def opened(folder: Path, into: Path, **settings: Any) -> Iterator[Repository]:
    """A copy in `into` of what `lay_out` has put into `folder`, with its emulator running."""
    shutil.copytree(folder, into)
    settings = {"time": SETTLES, "limits": PLENTY, **settings}
    with Emulator(database=into / "azure.db", **settings) as emulator:
        repository = Repository(root=into / "git", emulator=emulator, subscription=SUBSCRIPTION)
        try:
            yield repository
        finally:
            repository.close()


def foreign(repository: Repository) -> str:
    """The groups of others, to the byte."""
    return json.dumps([repository.live(name) for name in FOREIGN], sort_keys=True)


def cpu_of(repository: Repository, name: str) -> float:
    """The cores of a group that exists."""
    live = repository.live(name)
    assert live is not None, f"there is no group {name}"
    container = live["properties"]["containers"][0]["properties"]
    return float(container["resources"]["requests"]["cpu"])


def is_as_wanted(repository: Repository, name: str) -> bool:
    """Whether a group is as git says now, and provisioned."""
    kind, live = name.partition("-")[0], repository.live(name)
    if live is None or kind == "delete":
        return live is None and kind == "delete"
    container = live["properties"]["containers"][0]["properties"]
    team = dict(live.get("tags") or {}).get("team", "")
    return (
        live["properties"]["provisioningState"] == "Succeeded"
        and container["image"] == "nginx:1.27"
        and cpu_of(repository, name) == (2 if kind == "replace" else 1)
        and team == ("new" if kind == "tag" else "")
    )


def check_converged(shop: Shop, repository: Repository, theirs: str) -> None:
    """Azure is as git says, every group is well, and those of others are as they were."""
    assert set(repository.names) == shop.wanted
    states = {
        one["name"]: one["properties"]["provisioningState"]
        for one in repository.emulator.groups(repository.subscription)
    }
    assert set(states.values()) == {"Succeeded"}, states
    other = [name for name in shop.wanted - set(FOREIGN) if not is_as_wanted(repository, name)]
    assert not other, other
    assert foreign(repository) == theirs, "a group of others was touched"


assert HOME != SECOND_HOME
