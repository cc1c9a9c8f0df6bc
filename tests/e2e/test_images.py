"""The command as people run it, with registries on this machine and the emulator as Azure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.core.ownership import parse_state
from tests.conftest import Done, Repository, conforms, group, task, typed
from tests.registry.stand_in import INDEX, RegistryStandIn, Reply, error

CANARY = "hunter2-canary"


@pytest.fixture
def registry() -> Iterator[RegistryStandIn]:
    with RegistryStandIn() as running:
        yield running


@pytest.fixture
def shop(repository: Repository, registry: RegistryStandIn) -> Repository:
    """A group whose image is in the registry, not applied yet."""
    repository.given_home()
    registry.push("shop/web:1", "one")
    repository.write(group(image=registry.image("shop/web:1")))
    return repository


@pytest.fixture
def pinned(shop: Repository) -> Repository:
    """The same by digest."""
    shop.project(policy={"images": "digest"})
    return shop


def images(repository: Repository, name: str = "web") -> list[str]:
    """The images of each PUT of a group, in order."""
    return [
        container["properties"]["image"]
        for request in repository.requests
        if request.method == "PUT" and request.path.endswith(f"/{name}")
        for container in request.body["properties"]["containers"]
    ]


def said(done: Done) -> str:
    """What was printed, as one line: how wide a terminal is does not matter."""
    return " ".join((done.out + done.err).split())


def against(repository: Repository, snapshot: str, *arguments: str) -> Done:
    """A plan that asks no Azure."""
    return typed("plan", "--live", snapshot, *arguments, cwd=repository.root)


def document(repository: Repository, *arguments: str) -> dict[str, Any]:
    found = json.loads(repository.here(*arguments, "-o", "json").out)
    conforms(found)
    return dict(found)


# By tag


def test_a_moved_tag_is_told_and_restarts_nothing(
    shop: Repository, registry: RegistryStandIn
) -> None:
    assert shop.here("apply", "--yes", "--resolve-digests").code == 0
    quiet = shop.here("plan", "--resolve-digests")
    digest = registry.push("shop/web:1", "two")
    moved = shop.here("plan", "--resolve-digests", "--detailed-exitcode")
    again = shop.here("apply", "--yes", "--resolve-digests")

    assert "image" not in said(quiet)
    assert f"-> {digest[:19]} in web; nothing is done" in said(moved)
    assert (moved.code, again.code, shop.writes.count("PUT web")) == (0, 0, 1)
    assert "no changes" in moved.out


def test_nobody_is_asked_unless_somebody_wants_to_know(
    shop: Repository, registry: RegistryStandIn
) -> None:
    for command in (
        ("validate",),
        ("render",),
        ("plan",),
        ("apply", "--yes"),
        ("drift",),
        ("status",),
    ):
        assert shop.here(*command).code == 0
    assert registry.asked == []


def test_the_part_of_an_index_that_was_pulled_is_no_moved_tag(
    shop: Repository, registry: RegistryStandIn
) -> None:
    """A pull event may name the manifest of one platform; the tag names the index."""
    image = registry.image("shop/web:1")
    part = f"sha256:{hashlib.sha256(image.encode()).hexdigest()}"  # as the emulator's events say
    shop.here("apply", "--yes")
    registry.push_index("shop/web:1", part, f"sha256:{'1' * 64}")
    assert "image moved" not in said(shop.here("plan", "--resolve-digests"))
    registry.push_index("shop/web:1", f"sha256:{'1' * 64}")
    assert "image moved" in said(shop.here("plan", "--resolve-digests"))
    assert {one.headers["Accept"].split(", ")[0] for one in registry.asked} == {INDEX}


def test_an_index_that_cannot_be_read_is_taken_for_another_image(
    shop: Repository, registry: RegistryStandIn
) -> None:
    shop.here("apply", "--yes")
    registry.answer = lambda asked: error(403, "DENIED") if asked.method == "GET" else None
    assert "image moved" in said(shop.here("plan", "--resolve-digests"))


def test_each_image_is_asked_for_once_and_only_who_may_have_moved_is_looked_at(
    shop: Repository, registry: RegistryStandIn
) -> None:
    names = [f"web-{n}" for n in range(4)]
    shop.write(*(group(name, image=registry.image("shop/web:1")) for name in names))
    shop.here("apply", "--yes", "--resolve-digests")
    asked, looked = len(registry.asked), shop.counting("GET", "web-1")
    shop.here("plan", "--resolve-digests")
    assert len(registry.asked) - asked == 1
    assert shop.counting("GET", "web-1") == looked  # the state tag tells


def test_a_start_pulls_and_so_renews_what_is_remembered(
    shop: Repository, registry: RegistryStandIn
) -> None:
    def remembered() -> list[str]:
        state = parse_state(shop.tags("job")["aci-reconcile-state"])
        assert state is not None
        return list(state.images.values())

    shop.forget("web")
    shop.write(task(image=registry.image("shop/web:1")))
    shop.here("apply", "--yes", "--resolve-digests")
    digest = registry.push("shop/web:1", "two")
    before = remembered()
    assert shop.here("apply", "--yes", "--rerun", "job", "--resolve-digests").code == 0
    assert remembered() == [digest.removeprefix("sha256:")[:8]] != before
    assert shop.here("apply", "--yes", "--rerun", "job").code == 0
    assert remembered() == []  # it was pulled anew, and nobody asked what


def test_drift_finds_a_moved_tag_and_counts_it_where_that_is_asked(
    shop: Repository, registry: RegistryStandIn
) -> None:
    shop.here("apply", "--yes", "--resolve-digests")
    registry.push("shop/web:1", "two")
    found = document(shop, "drift", "--resolve-digests")
    counted = shop.here("drift", "--resolve-digests", "--fail-on", "image-moved")
    assert [one["category"] for one in found["drift"]["found"]] == ["image-moved"]
    assert (found["exitCode"], counted.code) == (0, 2)


def test_a_plan_that_was_reviewed_is_bound_to_what_its_tags_pointed_at(
    shop: Repository, registry: RegistryStandIn
) -> None:
    shop.here("plan", "--resolve-digests", "-o", "json=plan.json")
    registry.push("shop/web:1", "two")
    stale = shop.here("apply", "plan.json", "--yes")
    assert (stale.code, images(shop)) == (5, [])
    registry.push("shop/web:1", "one")
    assert shop.here("apply", "plan.json", "--yes").code == 0


# By digest


def test_what_is_pinned_runs_by_digest_and_a_moved_tag_is_an_update(
    pinned: Repository, registry: RegistryStandIn
) -> None:
    assert pinned.here("apply", "--yes").code == 0
    assert pinned.here("plan", "--detailed-exitcode").code == 0
    registry.push("shop/web:1", "two")
    planned = pinned.here("plan", "--detailed-exitcode")
    assert pinned.here("apply", "--yes").code == 0
    one, two = (registry.push("x:1", text) for text in ("one", "two"))
    assert images(pinned) == [f"{registry.host}/shop/web@{digest}" for digest in (one, two)]
    assert planned.code == 2
    assert f"image moved: {registry.host}/shop/web:1 {one[:19]} -> {two[:19]}" in said(planned)
    assert "restarts 1 container" in planned.out


def test_a_tag_that_moves_after_the_review_ends_with_5_and_touches_nothing(
    pinned: Repository, registry: RegistryStandIn
) -> None:
    pinned.here("apply", "--yes")
    reviewed = registry.push("shop/web:1", "two")
    pinned.here("plan", "-o", "json=plan.json")
    held = json.loads((pinned.root / "plan.json").read_text())
    registry.push("shop/web:1", "three")
    stale = pinned.here("apply", "plan.json", "--yes")
    (change,) = held["actions"][0]["changes"]
    assert change["after"].endswith(f"@{reviewed}")
    assert (stale.code, len(images(pinned))) == (5, 1)


@pytest.mark.parametrize("level", ["project", "environment", "manifest"])
def test_the_policy_stands_in_the_project_the_environment_or_the_manifest(
    shop: Repository, registry: RegistryStandIn, level: str
) -> None:
    arguments: tuple[str, ...] = ()
    if level == "manifest":
        image = registry.image("shop/web:1")
        shop.write(group(image=image, reconcile={"images": "digest"}))
    elif level == "environment":
        settings = {"subscription": shop.subscription, "policy": {"images": "digest"}}
        shop.project(policy={"images": "tag"}, environments={"prod": settings})
        arguments = ("-e", "prod")
    else:
        shop.project(policy={"images": "digest"})
    assert shop.here("apply", "--yes", *arguments).code == 0
    assert ["@sha256:" in image for image in images(shop)] == [True]


def test_a_manifest_may_keep_its_tag_where_the_project_pins(
    pinned: Repository, registry: RegistryStandIn
) -> None:
    image = registry.image("shop/web:1")
    pinned.write(group(image=image, reconcile={"images": "tag"}))
    assert pinned.here("apply", "--yes").code == 0
    assert (images(pinned), registry.asked) == ([image], [])


def test_a_registry_that_is_away_refuses_a_write_and_says_where(
    pinned: Repository, registry: RegistryStandIn
) -> None:
    registry.answer = lambda _asked: error(404, "NAME_UNKNOWN")
    planned = pinned.here("plan")
    applied = pinned.here("apply", "--yes")
    assert (planned.code, applied.code, images(pinned)) == (4, 4, [])
    assert "web.yaml:10:15: M406 containers[0].image: " in planned.out
    assert "the digest of the image of web is not known (web.yaml:10:15)" in said(planned)
    assert "the registry has no such image" in said(applied)


def test_a_registry_that_is_away_leaves_alone_what_is_applied(
    pinned: Repository, registry: RegistryStandIn
) -> None:
    pinned.here("apply", "--yes")
    registry.answer = lambda _asked: error(403, "DENIED")
    planned, drifted = pinned.here("plan", "--detailed-exitcode"), pinned.here("drift")
    assert (planned.code, drifted.code) == (0, 0)
    assert "image of web not compared" in said(planned)
    assert "M406" in planned.out
    pinned.set_image("web", f"{registry.host}/shop/web@sha256:{'1' * 64}")
    assert pinned.here("drift").code == 2


def test_offline_a_pinned_image_is_compared_with_what_was_applied(
    pinned: Repository, registry: RegistryStandIn
) -> None:
    pinned.here("snapshot", "before.json")
    pinned.here("apply", "--yes")
    pinned.here("snapshot", "after.json")
    asked = len(registry.asked)
    new, same = (against(pinned, f"{when}.json") for when in ("before", "after"))
    assert (new.code, same.code, len(registry.asked)) == (4, 0, asked)
    assert "is not known (web.yaml:10:15): no registry was asked" in said(new)
    assert "image of web not compared: no registry was asked" in said(same)


def test_who_asks_nobody_cannot_ask_registries(shop: Repository) -> None:
    shop.here("snapshot", "live.json")
    done = against(shop, "live.json", "--resolve-digests")
    assert done.code == 64
    assert "--live asks no registry; drop --resolve-digests" in done.err


def test_an_image_that_is_none_is_told_by_its_line(shop: Repository) -> None:
    shop.write(group(image="acme.azurecr.io/Web:1"))
    done = shop.here("plan", "--resolve-digests")
    assert done.code == 0
    assert (
        "web.yaml:10:15: M406 containers[0].image: expected a repository name in lower case,"
        " got 'acme.azurecr.io/Web:1'" in done.out
    )


# Credentials


def private(registry: RegistryStandIn, **credential: Any) -> dict[str, Any]:
    entry = {"server": registry.host, **credential}
    return group(image=registry.image("shop/web:1"), imageRegistryCredentials=[entry])


@pytest.mark.parametrize("scheme", ["basic", "bearer"])
def test_a_private_registry_is_asked_with_the_credential_of_the_manifest(
    pinned: Repository, registry: RegistryStandIn, scheme: str
) -> None:
    registry.scheme, registry.users = scheme, {"alice": CANARY}
    pinned.environ["PASSWORD"] = CANARY
    pinned.write(private(registry, username="alice", password={"fromEnv": "PASSWORD"}))
    runs = [pinned.here("plan", "--debug"), pinned.here("apply", "--yes", "--debug")]
    assert [run.code for run in runs] == [0, 0]
    registry.users = {"alice": "another"}
    runs.append(pinned.here("plan", "--debug", "-o", "text", "-o", "json=plan.json"))
    assert "does not take the credentials of" in said(runs[-1])
    shown = "".join(run.out + run.err for run in runs) + (pinned.root / "plan.json").read_text()
    assert CANARY not in shown


def test_a_managed_identity_is_told_to_be_of_no_use_here(
    pinned: Repository, registry: RegistryStandIn
) -> None:
    registry.scheme = "bearer"
    identity = "/subscriptions/s/resourceGroups/r/providers/Microsoft.ManagedIdentity/x/y"
    assigned = {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}
    pinned.write({**private(registry, identity=identity), "identity": assigned})
    says = said(pinned.here("plan"))
    assert f"the managed identity for '{registry.host}' cannot be used from here" in says


def test_a_password_that_nobody_has_is_told(pinned: Repository, registry: RegistryStandIn) -> None:
    registry.scheme = "bearer"
    pinned.write(private(registry, username="alice", password={"fromEnv": "NOT_SET"}))
    assert "/password has no value (web.yaml:" in said(pinned.here("plan"))


def test_a_registry_that_rations_is_told_with_its_time(
    pinned: Repository, registry: RegistryStandIn
) -> None:
    registry.answer = lambda _asked: Reply(status=429, headers={"Retry-After": "600"})
    assert "rations requests (HTTP 429); run again in 600 s" in said(pinned.here("plan"))
