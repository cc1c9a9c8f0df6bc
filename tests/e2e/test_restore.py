"""A replace that cannot be finished puts back what was there, where policy asks for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Repository, group
from tests.e2e.test_labels import commit, git

RESTORE = {"replace": "allow", "onReplaceFailure": "restore", "wait": {"timeout": "3s"}}
SECRET = "s3cr3t-of-then"


def web(cpu: float, **reconcile: Any) -> dict[str, Any]:
    env = [{"name": "PASSWORD", "secureValue": {"fromEnv": "WEB_PASSWORD"}}]
    return group("web", cpu=cpu, env=env, reconcile=RESTORE | reconcile)


def refusing_cpu(shop: Repository, cpu: float) -> None:
    """Let the region have no room for a group of so many cores."""
    from reconciler.emulator import Reply

    def answer(call) -> Reply | None:
        if call.method != "PUT" or "/containergroups/" not in call.path.lower():
            return None
        asked = call.body["properties"]["containers"][0]["properties"]["resources"]["requests"]
        text = "The requested resource is not available in the location at this moment."
        error = {"error": {"code": "ServiceUnavailable", "message": text}}
        return Reply(status=409, body=error) if asked["cpu"] == cpu else None

    shop.intercept(answer)


@pytest.fixture
def shop(repository: Repository) -> Iterator[Repository]:
    repository.given_home()
    repository.project(policy={"maxReplaces": 1})
    repository.environ |= {"WEB_PASSWORD": SECRET}
    git("init", "--quiet", at=repository.root)
    repository.write(web(1))
    commit(repository)
    done = repository.here("apply", "--yes")
    assert done.code == 0, done.err
    repository.write(web(2))
    commit(repository)
    yield repository
    repository.pass_all()


def apply(shop: Repository) -> tuple[int, dict[str, Any]]:
    done = shop.here("apply", "--yes", "-o", "json")
    assert done.out, done.err
    document = json.loads(done.out)
    return done.code, document


def cpu_of(shop: Repository) -> float:
    live = shop.live("web")
    assert live is not None
    container = live["properties"]["containers"][0]["properties"]
    return float(container["resources"]["requests"]["cpu"])


def test_what_was_applied_before_is_created_again(shop: Repository) -> None:
    refusing_cpu(shop, 2)

    code, document = apply(shop)

    (outcome,) = document["outcomes"]
    assert code == 6
    assert (outcome["status"], outcome["stranded"], outcome["restored"]) == ("failed", False, True)
    assert "created again as it was before" in outcome["says"]
    assert cpu_of(shop) == 1
    last = [r for r in shop.requests if r.method == "PUT" and r.path.endswith("/web")][-1]
    container = last.body["properties"]["containers"][0]["properties"]
    assert container["environmentVariables"] == [{"name": "PASSWORD", "secureValue": SECRET}]
    # The manifest still asks for the other size, and nothing else is to be done.
    shop.pass_all()
    assert apply(shop)[0] == 0
    assert cpu_of(shop) == 2


def test_where_the_commit_cannot_be_had_nothing_is_deleted(shop: Repository) -> None:
    import shutil

    shutil.rmtree(shop.root / ".git")

    code, document = apply(shop)

    (action,) = document["actions"]
    assert (code, action["action"]) == (4, "refuse")
    assert "onReplaceFailure is 'restore'" in action["why"]
    assert "onReplaceFailure: report" in action["allow"]
    assert shop.counting("DELETE", "web") == 0


def test_where_its_secret_is_gone_nothing_is_deleted(shop: Repository) -> None:
    shop.write(group("web", cpu=2, reconcile=RESTORE))
    commit(shop)
    shop.environ.pop("WEB_PASSWORD")

    done = shop.here("apply", "--yes")

    assert done.code == 4
    assert "WEB_PASSWORD" in done.err
    assert shop.counting("DELETE", "web") == 0


def test_a_manifest_that_is_not_what_was_applied_is_no_way_back(shop: Repository) -> None:
    shop.change("web", lambda body: None)
    tags = shop.tags("web")
    state = tags["aci-reconcile-state"]
    head = git("rev-parse", "--short=12", "HEAD", at=shop.root)
    then = git("rev-parse", "--short=12", "HEAD~1", at=shop.root)
    assert then in state or then[:7] in state
    forged = state.replace(then, head) if then in state else state.replace(then[:7], head[:7])
    shop.change("web", lambda body: body["tags"].update({"aci-reconcile-state": forged}))

    code, document = apply(shop)

    assert code == 4
    assert "is not what was applied" in document["actions"][0]["why"]


def test_without_the_policy_it_is_stranded_and_the_report_says_so_loudest(shop: Repository) -> None:
    shop.write(web(2, onReplaceFailure="report"))
    commit(shop)
    refusing_cpu(shop, 2)

    done = shop.here("apply", "--yes")

    assert done.code == 6
    assert "STRANDED" in done.out
    assert "aci-reconcile apply" in done.out
    assert shop.live("web") is None
    shop.pass_all()
    assert shop.here("apply", "--yes").code == 0
    assert cpu_of(shop) == 2


def test_a_group_that_lacks_a_field_is_not_thrown_away_for_what_was_before(
    shop: Repository,
) -> None:
    shop.emulator.drops("/properties/containers/*/properties/command")
    manifest = web(2)
    manifest["properties"]["containers"][0]["properties"]["command"] = ["nginx"]
    shop.write(manifest)
    commit(shop)

    code, document = apply(shop)

    shop.emulator.drops()
    (outcome,) = document["outcomes"]
    assert (code, outcome["restored"]) == (6, False)
    assert "did not take" in outcome["says"]
    assert cpu_of(shop) == 2
