"""Adopt as a command: tags are written to what equals its manifest, and to nothing else."""

from __future__ import annotations

import json

import pytest

from reconciler.core.adoption import proof
from reconciler.core.groups import live_group
from reconciler.core.ownership import OWNER_TAG, STATE_TAG
from tests.conftest import Repository, conforms, group

SECRET = {"env": [{"name": "DB_PASSWORD", "secureValue": "hunter2hunter2"}]}
UNSAID = {"env": [{"name": "DB_PASSWORD", "secureValue": {"unknown": True}}]}


@pytest.fixture
def found(repository: Repository) -> Repository:
    """Two groups of nobody that equal their manifests."""
    repository.given_home()
    repository.given(group("web", **SECRET), tags={"cost": "7"})
    repository.given(group("api"))
    repository.write(group("web", **UNSAID), group("api", tags={"team": "shop"}))
    return repository


def adopted(repository, *arguments):
    done = repository.here("adopt", *arguments, "--yes", "-o", "json")
    document = json.loads(done.out)
    conforms(document)
    return done, document


def test_equal_groups_become_ours_by_two_tags_and_nothing_restarts(found):
    before = {name: found.live(name)["properties"] for name in found.names}

    done, document = adopted(found)

    assert (done.code, document["command"]) == (0, "adopt")
    assert document["counts"]["adopt"] == 2
    assert sorted(found.writes[1:]) == ["PATCH api", "PATCH web"]
    for name in found.names:
        assert found.live(name)["properties"] == before[name]
        assert found.tags(name)[OWNER_TAG] == "shop"
    assert found.tags("web")["cost"] == "7"
    assert found.tags("api")["team"] == "shop"
    assert not found.plan().has_changes


def test_the_proof_tells_what_was_compared_and_what_was_not_and_why(found):
    done = found.here("adopt", "web", "--yes")

    text = " ".join(done.out.split())
    live = live_group(found.live("web"))
    desired = next(one for one in found.wanted().groups if one.id.name == "web")
    number = proof(desired, live).equal
    assert number > 8
    assert f"compared {number} fields, tags included: none differ" in text
    assert (
        "not compared, Azure never returns secrets: "
        "/properties/containers/web/properties/environmentVariables/DB_PASSWORD/secureValue"
    ) in text
    assert "kept, tags of others: cost" in text


def test_a_group_that_differs_is_refused_with_the_difference_and_what_to_do(found):
    found.set_image("web", "nginx:2")

    done, document = adopted(found)

    assert (done.code, document["kind"], found.writes[1:]) == (4, "Plan", [])
    web = next(one for one in document["actions"] if one["name"].endswith("/web"))
    assert web["action"] == "refuse"
    assert [one["pointer"] for one in web["changes"]] == [
        "/properties/containers/web/properties/image"
    ]
    assert "'aci-reconcile export rg-shop/web -d DIR --update'" in web["allow"]
    assert "'aci-reconcile apply --adopt rg-shop/web'" in web["allow"]


def test_the_others_are_adopted_without_the_one_that_differs(found):
    found.set_image("web", "nginx:2")

    done, _ = adopted(found, "--exclude", "web")

    assert (done.code, found.writes[1:]) == (0, ["PATCH api"])


def test_a_policy_that_adopts_always_writes_no_definition_here(found):
    found.project(policy={"adopt": "always"})
    found.set_image("web", "nginx:2")

    done, _ = adopted(found, "web")

    assert (done.code, found.writes[1:]) == (4, [])


def test_a_policy_that_never_adopts_yields_to_a_name(found):
    found.project(policy={"adopt": "never"})

    refused, document = adopted(found)
    done, _ = adopted(found, "web")

    assert refused.code == 4
    assert "name it: 'aci-reconcile adopt rg-shop/web'" in [
        one["allow"] for one in document["actions"]
    ]
    assert (done.code, found.writes[1:]) == (0, ["PATCH web"])


def test_what_is_ours_already_is_left_alone_whatever_is_pending(found):
    adopted(found)
    found.set_image("api", "nginx:2")

    done = found.here("adopt", "--yes", "-v")

    assert (done.code, sorted(found.writes[1:])) == (0, ["PATCH api", "PATCH web"])
    assert "ours already" in done.out


def test_a_group_that_is_not_there_is_no_adoption(found):
    found.write(group("later"))

    every, document = adopted(found)
    named, refusal = adopted(found, "later")

    assert every.code == 0
    assert any("not in Azure" in note for note in document["notes"])
    assert (named.code, refusal["actions"][0]["why"]) == (4, "there is no such group to adopt")


@pytest.mark.parametrize("held", ["others", "shop/prod"])
def test_a_group_of_another_owner_is_taken_by_both_names_and_by_no_less(found, held):
    found.given(group("db"), tags={OWNER_TAG: held, STATE_TAG: "1;AAAAAAAAAAAAAA", "cost": "1"})
    found.write(group("db"))

    plain, document = adopted(found, "db")
    nameless = found.here("adopt", "--from-owner", held, "--yes")
    wrong, _ = adopted(found, "db", "--from-owner", "somebody")
    before = found.writes[1:]
    done, result = adopted(found, "db", "--from-owner", held)

    assert (plain.code, nameless.code, wrong.code, before) == (4, 64, 4, [])
    assert f"--from-owner {held}" in document["actions"][0]["allow"]
    assert (done.code, found.writes[1:]) == (0, ["PATCH db"])
    assert found.tags("db") | {STATE_TAG: ""} == {OWNER_TAG: "shop", STATE_TAG: "", "cost": "1"}
    assert found.tags("db")[STATE_TAG] != "1;AAAAAAAAAAAAAA"


def test_a_group_of_another_owner_that_differs_is_not_taken(found):
    found.given(group("db", image="nginx:0"), tags={OWNER_TAG: "others"})
    found.write(group("db"))

    done, document = adopted(found, "db", "--from-owner", "others")

    assert (done.code, found.writes[1:]) == (4, [])
    assert "is taken from 'others', as asked, and differs" in document["actions"][0]["why"]


def test_somebody_is_asked_and_no_is_taken_for_an_answer(found, on_terminal):
    terminal = on_terminal(found, "adopt")
    terminal.wait_for("Adopt for 'shop' in subscription")
    terminal.answer("no")
    done = terminal.end()

    assert (done.code, "nothing was touched" in done.out) == (4, True)
    assert found.writes[1:] == []


def test_without_a_terminal_consent_is_asked_for(found):
    done = found.here("adopt")

    assert (done.code, "add --yes" in done.err) == (64, True)


def test_a_group_that_moves_after_it_was_looked_at_is_not_adopted(found):
    def move(call):
        if call.method == "GET" and call.path.endswith("/web"):
            found.pass_all()
            found.set_image("web", "nginx:2")

    found.intercept(move)

    done, document = adopted(found, "web")

    assert (done.code, found.writes[1:]) == (5, [])
    assert document["outcomes"][0]["status"] == "stale"


def test_the_folder_of_a_project_is_no_name(found):
    found.file("shop/aci-reconcile.yaml", "owner: shop\n")

    done = found.here("adopt", "shop", "--yes")

    assert done.code == 64
    assert "expected names of groups, got the folder 'shop'" in done.err
    assert "adopt --manifests shop" in done.err
    assert not [write for write in found.writes if write.startswith("PATCH")]
