"""`release`: ownership goes, the group stays."""

from __future__ import annotations

import pytest

from reconciler.core.ownership import OUR_TAGS, OWNER_TAG
from tests.conftest import Repository, group


def test_a_group_that_is_released_runs_on_without_our_tags(shop: Repository) -> None:
    shop.change("web", lambda body: body["tags"].update(cost="42"))
    before = shop.live("web")

    done = shop.here("release", "web", "--yes")

    assert done.code == 0, done.err
    assert "released rg-shop/web" in done.out
    assert "the next apply adopts it again" in done.out
    after = shop.live("web")
    assert after["properties"] == before["properties"]
    assert after["tags"] == {"team": "shop", "cost": "42"}
    assert shop.writes[-1] == "PATCH web"


def test_what_was_released_is_neither_an_orphan_nor_pruned(shop: Repository) -> None:
    assert shop.here("release", "web", "--yes").code == 0
    shop.forget("web")

    done = shop.here("apply", "--yes", "--prune")

    assert done.code == 0, done.err
    assert shop.names == ["other", "web"]


def test_a_protected_group_is_released_as_well(shop: Repository) -> None:
    shop.write(group(tags={"team": "shop"}, reconcile={"protect": True}), group("other"))
    assert shop.here("apply", "--yes").code == 0

    assert shop.here("release", "web", "--yes").code == 0
    assert not {key.lower() for key in shop.tags("web")} & set(OUR_TAGS)


@pytest.mark.parametrize(
    ("tags", "says"), [({OWNER_TAG: "finance"}, "somebody else's"), ({}, "nobody's")]
)
def test_what_is_not_ours_is_not_released(
    shop: Repository, tags: dict[str, str], says: str
) -> None:
    shop.change("web", lambda body: body.update(tags=tags))

    done = shop.here("release", "web", "--yes")

    assert done.code == 4
    assert says in done.err
    assert shop.counting("PATCH", "web") == 0


def test_a_lost_answer_releases_once(shop: Repository) -> None:
    shop.emulator.plays(
        [{"when": {"stage": "patch", "nth": 1}, "fault": {"status": 504, "afterEffect": True}}]
    )

    assert shop.here("release", "web", "--yes").code == 0
    assert shop.counting("PATCH", "web") == 1


def test_it_asks_where_nobody_said_yes(shop: Repository) -> None:
    assert shop.here("release", "web").code == 64
    assert OWNER_TAG in shop.tags("web")
