"""`drift` of some groups: what is outside is not judged, and what was known of it is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Done, Repository, group

REMEMBERED = ("--since", "last.json", "-o", "json=last.json", "-o", "text")


@pytest.fixture
def shop(repository: Repository) -> Repository:
    """Three groups that are applied; two differ by now, and there is one that nobody owns."""
    repository.given_home()
    repository.write(
        group(tags={"team": "shop"}), group("db", tags={"team": "data"}), group("quiet")
    )
    assert repository.here("apply", "--yes").code == 0
    repository.set_image("web", "nginx:hotfix")
    repository.set_image("db", "nginx:hotfix")
    repository.given(group("strange"))
    return repository


def checked(shop: Repository, *options: str) -> tuple[Done, dict[str, Any]]:
    done = shop.here("drift", *options, *REMEMBERED)
    return done, json.loads((shop.root / "last.json").read_text())


def found(document: dict[str, Any]) -> dict[str, str]:
    return {one["name"].rpartition("/")[2]: one["category"] for one in document["drift"]["found"]}


SCOPES = [
    ([], {"web": "changed", "db": "changed", "strange": "unmanaged"}, True),
    (["--select", "web"], {"web": "changed"}, False),
    (["--select", "w*", "--select", "quiet"], {"web": "changed"}, False),
    (["--exclude", "web"], {"db": "changed"}, False),
    (["--select", "tag:team", "--exclude", "tag:team=data"], {"web": "changed"}, False),
    (["--select", "path:d*.yaml"], {"db": "changed"}, False),
    (["--select", "quiet"], {}, False),
]


@pytest.mark.parametrize(
    ("options", "expected", "is_complete"), SCOPES, ids=[" ".join(s[0]) or "all" for s in SCOPES]
)
def test_only_what_is_in_scope_is_judged(
    shop: Repository, options: list[str], expected: dict[str, str], is_complete: bool
) -> None:
    done, document = checked(shop, *options)

    assert done.code == (2 if expected else 0), done.err
    assert found(document) == expected
    assert document["complete"] is is_complete
    assert ("partial scope" in done.out.splitlines()[-1]) is not is_complete


def test_what_is_outside_is_said_and_not_read(shop: Repository) -> None:
    before = {name: shop.counting("GET", name) for name in ("web", "db")}

    done, document = checked(shop, "--select", "web")

    asked = {name: shop.counting("GET", name) - count for name, count in before.items()}
    assert asked == {"web": 1, "db": 0}
    says = "partial scope: unmanaged groups were not looked for, and 2 of 3 groups were left out"
    assert says in document["notes"]
    assert any("orphans were not looked for" in note for note in document["notes"])
    assert says in " ".join(done.out.split())


def test_an_orphan_is_not_judged_in_a_partial_scope(shop: Repository) -> None:
    shop.forget("quiet")

    _, whole = checked(shop)
    _, part = checked(shop, "--exclude", "web")

    assert found(whole)["quiet"] == "orphaned"
    assert found(part) == {"db": "changed"}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--select", "nothing"], "no group 'nothing'"),
        (["--select", "strange"], "no group 'strange'"),
        (["--select", "quiet"], "leave no group that a manifest names"),
        (["--exclude", "*"], "leave no group that a manifest names"),
    ],
    ids=["no such group", "nobody's", "an orphan", "all of them"],
)
def test_a_scope_of_nothing_is_an_error_and_never_no_drift(
    shop: Repository, options: list[str], says: str
) -> None:
    shop.forget("quiet")

    done = shop.here("drift", *options)

    assert done.code == 64, done.out
    assert says in done.err


def test_what_was_told_of_the_others_is_neither_new_nor_resolved(shop: Repository) -> None:
    """A run of one group says nothing of the rest, so a run of all after it finds nothing new."""
    _, first = checked(shop)

    _, part = checked(shop, "--select", "quiet")
    _, again = checked(shop)

    events = [document["drift"]["event"] for document in (first, part, again)]
    assert events == ["drift-detected", "heartbeat", "heartbeat"]
    seen = [{one["address"] for one in document["drift"]["seen"]} for document in (first, again)]
    assert seen[0] == seen[1] == {one["address"] for one in part["drift"]["seen"]}


def test_what_is_mended_in_a_partial_scope_is_resolved_once_all_of_it_is(shop: Repository) -> None:
    checked(shop)
    shop.set_image("web", "nginx:1.27")

    done, part = checked(shop, "--select", "web")
    _, whole = checked(shop)
    shop.set_image("db", "nginx:1.27")
    _, rest = checked(shop, "--exclude", "web")

    assert (done.code, part["drift"]["event"]) == (0, "drift-changed")  # db is as it was
    assert found(whole) == {"db": "changed", "strange": "unmanaged"}
    assert whole["drift"]["event"] == "heartbeat"
    assert rest["drift"]["event"] == "drift-resolved"
