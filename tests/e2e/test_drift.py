"""`drift` by cron: categories, what counts, what it says where it cannot tell, and the run before.

Everything a group is found to be is brought about in Azure by somebody else, over HTTP.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler import app
from reconciler.cli.drifting import exit_code
from reconciler.core.category import COUNTED, Category
from reconciler.core.ownership import STATE_TAG
from reconciler.emulator import PLENTY, Call, Emulator, Polls, Reply
from tests.conftest import HOME, Done, Repository, conforms, group, refusal, task

Found = dict[str, set[str]]


def git(*arguments: str, at: Path) -> None:
    who = {
        f"GIT_{w}_{k}": "a@example.org" for w in ("AUTHOR", "COMMITTER") for k in ("NAME", "EMAIL")
    }
    environ = {"PATH": os.environ["PATH"], "HOME": str(at), "GIT_CONFIG_NOSYSTEM": "1", **who}
    subprocess.run(["git", "-C", str(at), *arguments], env=environ, check=True)


def commit(repository: Repository) -> None:
    git("add", "--all", at=repository.root)
    git("commit", "--quiet", "-m", "x", at=repository.root)


@pytest.fixture
def shop(repository: Repository) -> Repository:
    """Two groups, applied from the first commit of a git repository."""
    repository.given_home()
    git("init", "--quiet", at=repository.root)
    repository.write(group(), group("other"))
    commit(repository)
    done = repository.here("apply", "--yes")
    assert done.code == 0, done.err
    return repository


def checked(repository: Repository, *options: str) -> tuple[Done, dict[str, Any]]:
    """What a run said, and its document, which its schema allows."""
    path = repository.root / ".git-ignored.json"
    done = repository.here("drift", *options, "-o", "text", "-o", f"json={path}")
    document = json.loads(path.read_text("utf-8"))
    path.unlink()
    conforms(document)
    assert document["exitCode"] == done.code
    return done, document["drift"]


def found(drift: dict[str, Any]) -> Found:
    """The categories of each group."""
    result: Found = {}
    for one in drift["found"]:
        result.setdefault(one["name"].rpartition("/")[2], set()).add(one["category"])
    return result


def drifted(repository: Repository, *options: str) -> tuple[int, Found]:
    done, drift = checked(repository, *options)
    return done.code, found(drift)


# What was last applied, not what git says


def test_nothing_happened(shop: Repository) -> None:
    done, drift = checked(shop)

    assert (done.code, drift["found"], drift["event"]) == (0, [], "heartbeat")
    assert done.out.splitlines()[-1] == "Drift: no drift; 2 of 2 as applied"


def test_what_is_merged_and_not_applied_is_pending(shop: Repository) -> None:
    shop.write(group(image="nginx:2"))
    commit(shop)

    done, drift = checked(shop)

    assert (done.code, found(drift)) == (0, {"web": {"pending"}})
    assert done.out.splitlines()[-1] == "Drift: no drift; 1 pending; 1 of 2 as applied"


def test_pending_counts_where_somebody_wants_it(shop: Repository) -> None:
    shop.write(group(image="nginx:2"))

    assert drifted(shop, "--fail-on", "pending") == (2, {"web": {"pending"}})


def test_what_somebody_changed_in_azure_is_changed(shop: Repository) -> None:
    shop.set_image("web", "nginx:hotfix")

    done, drift = checked(shop)

    assert (done.code, found(drift)) == (2, {"web": {"changed"}})
    assert "/properties/containers/web/properties/image" in drift["found"][0]["says"]
    assert "nginx:hotfix" in done.out


def test_where_both_moved_it_is_both(shop: Repository) -> None:
    shop.write(group(image="nginx:2"))
    commit(shop)
    shop.set_image("web", "nginx:hotfix")

    assert drifted(shop) == (2, {"web": {"changed", "pending"}})


def test_both_is_told_without_git(repository: Repository) -> None:
    repository.given_home()
    repository.write(group())
    repository.apply()
    repository.write(group(cpu=2))
    repository.set_image("web", "nginx:hotfix")

    assert drifted(repository) == (2, {"web": {"changed", "pending"}})


def test_a_change_in_azure_that_git_has_caught_up_with_is_none(shop: Repository) -> None:
    """An apply remembers it, without a restart, and then there is nothing left to find."""
    shop.set_image("web", "nginx:2")
    shop.write(group(image="nginx:2"))

    assert drifted(shop) == (0, {"web": {"pending"}})
    assert shop.here("apply", "--yes").code == 0
    assert drifted(shop) == (0, {})


def test_a_hand_that_sets_back_what_git_had_caught_up_with_is_seen(shop: Repository) -> None:
    was = shop.live("web")["properties"]["containers"][0]["properties"]["image"]
    shop.set_image("web", "nginx:2")
    shop.write(group(image="nginx:2"))
    put = shop.counting("PUT", "web")
    assert shop.here("apply", "--yes").code == 0
    assert shop.counting("PUT", "web") == put
    shop.set_image("web", was)

    assert drifted(shop) == (2, {"web": {"changed"}})


def test_what_another_version_applied_and_differs_counts_since_it_cannot_be_told(
    shop: Repository,
) -> None:
    def age(body: dict[str, Any]) -> None:
        tag = body["tags"][STATE_TAG]
        body["tags"][STATE_TAG] = tag.replace(";n", ";n9", 1)

    shop.change("web", age)
    shop.write(group(image="nginx:2"))

    done, drift = checked(shop)

    (one,) = drift["found"]
    assert (done.code, one["category"], one["certain"]) == (2, "changed", False)
    assert "another version" in one["says"]
    assert "changed (or pending)" in done.out


def test_a_state_tag_that_somebody_removed_is_a_change(shop: Repository) -> None:
    shop.change("web", lambda body: body["tags"].pop(STATE_TAG))

    assert drifted(shop) == (2, {"web": {"changed"}})


# Groups that are not there


def test_a_group_that_was_applied_and_is_gone_is_missing(shop: Repository) -> None:
    """The other group's state tag names a commit whose manifests have it."""
    shop.delete("web")

    done, drift = checked(shop)

    assert (done.code, found(drift)) == (2, {"web": {"missing"}})
    assert drift["found"][0]["certain"] is True


def test_a_group_that_no_applied_commit_has_is_pending(shop: Repository) -> None:
    shop.write(group("new"))
    commit(shop)

    assert drifted(shop) == (0, {"new": {"pending"}})


def test_without_git_a_group_that_is_not_there_counts_as_missing(repository: Repository) -> None:
    repository.given_home()
    repository.write(group(), group("other"))
    repository.apply()
    repository.delete("web")

    done, drift = checked(repository)

    (one,) = drift["found"]
    assert (done.code, one["category"], one["certain"]) == (2, "missing", False)
    assert "--since" in one["says"]


def test_the_run_before_tells_without_git(repository: Repository) -> None:
    repository.given_home()
    repository.write(group(), group("other"))
    repository.apply()
    again = ("--since", "last.json", "-o", "json=last.json")
    repository.here("drift", *again)
    repository.delete("web")
    repository.write(group("new"))

    first = repository.here("drift", *again)
    document = json.loads((repository.root / "last.json").read_text())
    second = repository.here("drift", *again)

    assert found(document["drift"]) == {"web": {"missing"}, "new": {"pending"}}
    assert all(one["certain"] for one in document["drift"]["found"])
    assert (first.code, second.code) == (2, 2)
    again_document = json.loads((repository.root / "last.json").read_text())
    assert found(again_document["drift"]) == found(document["drift"])


def test_a_group_that_somebody_made_anew_without_our_tags_is_changed(shop: Repository) -> None:
    body = shop.live("web")
    body["tags"] = {}
    shop.put("web", body)

    code, categories = drifted(shop)

    assert (code, categories) == (2, {"web": {"changed"}})


def test_a_group_that_waits_for_its_adoption_is_pending_and_unmanaged(shop: Repository) -> None:
    shop.given(group("new"))
    shop.write(group("new"))
    commit(shop)

    assert drifted(shop) == (0, {"new": {"pending", "unmanaged"}})


# What no manifest names


def test_a_group_of_ours_that_left_the_manifests_is_orphaned(shop: Repository) -> None:
    shop.forget("other")

    assert drifted(shop) == (2, {"other": {"orphaned"}})
    assert drifted(shop, "--fail-on", "changed,missing") == (0, {"other": {"orphaned"}})


def test_a_group_of_nobody_beside_ours_is_unmanaged(shop: Repository) -> None:
    shop.given(group("handmade"))
    shop.given(group("theirs"), tags={"aci-reconcile-owner": "theirs"})
    shop.given(group("elsewhere"), into="rg-elsewhere")

    assert drifted(shop) == (0, {"handmade": {"unmanaged"}})
    assert drifted(shop, "--fail-on", "unmanaged")[0] == 2


# How groups are doing


def test_a_stopped_group_is_seen_though_no_list_tells(shop: Repository) -> None:
    shop.stop("web")

    assert drifted(shop) == (0, {"web": {"stopped"}})
    assert drifted(shop, "--fail-on", "stopped,missing")[0] == 2


def test_a_group_that_crash_loops(make_repository: Callable[..., Repository]) -> None:
    faults = [{"fault": "crash-loop"}]
    with Emulator(time=Polls(0, 0), limits=PLENTY, faults=faults) as failing:
        shop = make_repository(failing)
        shop.given_home()
        shop.write(group())
        shop.apply()

        assert drifted(shop) == (2, {"web": {"crash-looping"}})


def test_a_task_that_failed_and_an_image_that_cannot_be_pulled_are_unhealthy(
    make_repository: Callable[..., Repository],
) -> None:
    faults = [
        {"fault": {"kind": "exits", "code": 3}, "when": {"group": "job"}},
        {"fault": "image-pull", "when": {"group": "web"}},
    ]
    with Emulator(time=Polls(0, 0), limits=PLENTY, faults=faults) as failing:
        shop = make_repository(failing)
        shop.given_home()
        shop.write(group(), task())
        shop.apply()

        assert drifted(shop) == (2, {"web": {"unhealthy"}, "job": {"unhealthy"}})


def test_a_task_that_ended_well_is_well(repository: Repository) -> None:
    repository.given_home()
    repository.write(task())
    repository.apply()

    assert drifted(repository) == (0, {})


def test_views_are_read_of_the_groups_of_manifests_alone(shop: Repository) -> None:
    shop.given(group("theirs"), tags={"aci-reconcile-owner": "theirs"})
    before = {name: shop.counting("GET", name) for name in ("web", "other", "theirs")}

    shop.here("drift")

    asked = {name: shop.counting("GET", name) - count for name, count in before.items()}
    assert asked == {"web": 1, "other": 1, "theirs": 0}


def public() -> dict[str, Any]:
    """A group with an IP address."""
    made = group(ipAddress={"type": "Public", "ports": [{"port": 80, "protocol": "TCP"}]})
    made["properties"]["containers"][0]["properties"]["ports"] = [{"port": 80}]
    return made


def ip(repository: Repository) -> str:
    return repository.live("web")["properties"]["ipAddress"].get("ip", "")


def test_an_address_that_moved_is_told_by_the_run_before(repository: Repository) -> None:
    """A group that was stopped has none meanwhile, and may come back with another."""
    repository.given_home()
    repository.write(public())
    repository.apply()
    again = ("--since", "last.json", "-o", "json=last.json")
    before = ip(repository)
    repository.here("drift", *again)
    repository.stop("web")
    stopped = repository.here("drift", *again)
    (remembered,) = json.loads((repository.root / "last.json").read_text())["drift"]["seen"]
    repository.put("web", repository.live("web"))
    now = ip(repository)
    assert now not in ("", before)

    counted = drifted(repository, "--since", "last.json", "--fail-on", "address-moved")
    seen = repository.here("drift", *again, "-o", "text")
    after = drifted(repository, "--since", "last.json")

    assert (stopped.code, remembered["ip"]) == (0, before)
    assert counted == (2, {"web": {"address-moved"}})
    assert seen.code == 0
    assert f"was {before} in the run before and is {now}" in " ".join(seen.out.split())
    assert after == (0, {})


# Where it cannot be told, it is never 0


def test_a_read_that_fails_is_1(shop: Repository) -> None:
    shop.intercept(
        lambda call: refusal(500, "Broken") if call.path.endswith("containerGroups/web") else None
    )

    assert shop.here("drift").code == 1


def test_a_group_that_stays_in_transition_is_1(shop: Repository) -> None:
    moving = shop.live("web")
    moving["properties"]["provisioningState"] = "Updating"
    listed = {"value": [moving, shop.live("other")]}

    def answer(call: Call) -> Reply | None:
        if call.path.lower().endswith("/containergroups"):
            return Reply(status=200, body=listed)
        return Reply(status=200, body=moving) if call.path.endswith("/web") else None

    shop.intercept(answer)

    _, drift = app.drift(shop.wanted(), shop.azure)

    assert [one.says for one in drift.untold] == [
        "rg-shop/web: in transition (provisioning state Updating), not compared"
    ]
    assert exit_code(drift, COUNTED) == 1
    assert exit_code(drift, frozenset({Category.ORPHANED})) == 0


def closed(call: Call) -> Reply | None:
    """The subscription may not be listed, and one resource group is closed to us."""
    path = call.path.lower()
    is_of_subscription = "/resourcegroups" not in path or path.endswith("/resourcegroups")
    return refusal(403, "AuthorizationFailed") if is_of_subscription or "-prod" in path else None


def test_a_partial_read_is_1_unless_what_it_leaves_open_does_not_count(shop: Repository) -> None:
    shop.project(environments={"test": {}, "prod": {"resourceGroup": "rg-prod"}})
    shop.here("apply", "--yes", "-e", "test", "--adopt", "web", "--adopt", "other")
    shop.intercept(closed)

    done, drift = checked(shop, "-e", "test", "--fail-on", "orphaned")
    other, _ = checked(shop, "-e", "test", "--fail-on", "unhealthy")

    assert done.code == 1
    assert drift["untold"][0]["concerns"] == ["orphaned"]
    assert "rg-prod" in drift["untold"][0]["says"]
    assert "not all could be told" in done.out
    assert other.code == 0


# Options


def test_none_counts_where_nothing_should(shop: Repository) -> None:
    shop.set_image("web", "nginx:hotfix")

    assert drifted(shop, "--fail-on", "none") == (0, {"web": {"changed"}})


def test_a_category_that_does_not_exist_is_64(shop: Repository) -> None:
    done = shop.here("drift", "--fail-on", "changed,gone")

    assert done.code == 64
    assert "got 'gone'" in done.err


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "expected JSON: Expecting property name enclosed in double quotes; name what"),
        ("{}", "or remove the file to begin anew"),
        (None, "keep a file for each project and environment"),
    ],
)
def test_a_document_of_something_else_is_64_and_stays(
    shop: Repository, content: str | None, says: str
) -> None:
    if content is None:
        shop.project(environments={"test": {}})
        shop.here("drift", "-e", "test", "-o", "json=last.json")
        shop.project()
        content = (shop.root / "last.json").read_text()
    shop.file("last.json", content)

    done = shop.here("drift", "--since", "last.json", "-o", "json=last.json")

    assert done.code == 64
    assert says in done.err
    assert (shop.root / "last.json").read_text() == content


def test_a_plan_is_no_drift(shop: Repository) -> None:
    shop.here("plan", "-o", "json=plan.json")

    done = shop.here("drift", "--since", "plan.json")

    assert done.code == 64
    assert "got what 'plan' printed" in done.err


def test_each_environment_has_a_run_before_of_its_own(shop: Repository) -> None:
    shop.project(environments={"test": {}, "prod": {"resourceGroup": "rg-prod"}})
    line = ("drift", "-e", "test", "-e", "prod", "--since", "last-{environment}.json")

    shop.here(*line, "-o", "json=last-{environment}.json")
    again = shop.here(*line, "-o", "json=last-{environment}.json")

    assert again.code == 2  # nothing was applied in either, as far as anybody can tell
    assert again.err == ""
    assert {path.name for path in shop.root.glob("last-*")} == {"last-test.json", "last-prod.json"}


def test_a_document_reads_back_as_it_was_shown(shop: Repository) -> None:
    shop.set_image("web", "nginx:hotfix")
    shop.stop("other")
    done = shop.here("drift", "-o", "json=drift.json", "-o", "text")

    shown = shop.here("show", "drift.json")

    assert shown.out == done.out
    assert HOME in shown.out


def test_what_is_new_since_the_run_before(shop: Repository) -> None:
    def event() -> str:
        shop.here("drift", "--since", "last.json", "-o", "json=last.json")
        return json.loads((shop.root / "last.json").read_text())["drift"]["event"]

    events = [event()]
    shop.set_image("web", "nginx:hotfix")
    events += [event(), event()]
    shop.set_image("web", "nginx:hotfix2")
    events += [event()]
    shop.set_image("web", "nginx:1.27")
    events += [event(), event()]

    assert events == [
        "heartbeat",
        "drift-detected",
        "heartbeat",
        "drift-changed",
        "drift-resolved",
        "heartbeat",
    ]


def test_errors_in_manifests_leave_the_memory_of_the_run_before(shop: Repository) -> None:
    options = ("drift", "--since", "drift.json", "-o", "json=drift.json", "-o", "markdown=d.md")
    assert shop.here(*options).code == 0
    before = (shop.root / "drift.json").read_text("utf-8")
    (shop.root / "bad.yaml").write_text("name: [", "utf-8")

    failed = shop.here(*options)

    assert failed.code == 3
    assert (shop.root / "drift.json").read_text("utf-8") == before
    assert "1 error" in (shop.root / "d.md").read_text("utf-8")
    (shop.root / "bad.yaml").unlink()
    assert shop.here(*options).code == 0
