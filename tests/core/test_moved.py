"""Tags that moved: told, and with policy `images: digest` a change like any other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.drift import drift_of, without_told
from reconciler.core.evidence import Evidence
from reconciler.core.fallback import with_fallbacks
from reconciler.core.groups import DesiredGroup, LiveGroup, OnReplaceFailure, Replace
from reconciler.core.images import Images, Lookup
from reconciler.core.origin import with_history
from reconciler.core.ownership import STATE_LIMIT, STATE_TAG, format_state, parse_state, state_of
from reconciler.core.pins import images_of, with_lookups
from reconciler.core.plan import Action
from tests.core.given import (
    applied,
    body_of,
    container,
    kinds,
    of,
    owned,
    plan_for,
    unowned,
    wanted,
    with_state,
)

OLD, NEW = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
PART = f"sha256:{'c' * 64}"
WEB = ("properties", "containers", "web", "properties", "image")


def asked(desired: DesiredGroup, digest: str = "", **more: Any) -> DesiredGroup:
    """What a registry said of every image by tag."""
    found = images_of(desired.canonical).items()
    return with_lookups(
        desired,
        {p: Lookup(image=i, digest=digest, **more) for p, i in found if "@" not in i},
    )


def by_digest(body: Any = None, **policy: Any) -> DesiredGroup:
    return wanted(body, images=Images.DIGEST, **policy)


def forgotten(live: LiveGroup) -> LiveGroup:
    """`live` as an apply leaves it that asked no registry."""
    state = state_of(live)
    assert state is not None
    return replace(live, tags={**live.tags, STATE_TAG: format_state(replace(state, images={}))})


def pulled(live: LiveGroup, *images: str, name: str = "Pulled") -> LiveGroup:
    """`live` with a pull event for each of these."""
    from reconciler.core.containers import Event

    events = tuple(
        Event(
            name=name,
            message=f'Successfully pulled image "{image}"',
            is_warning=False,
            count=1,
            last=f"2025-01-01T00:00:0{second}Z",
        )
        for second, image in enumerate(images)
    )
    return replace(live, containers=tuple(replace(v, events=events) for v in live.containers))


def only(desired: DesiredGroup, live: LiveGroup | None) -> Action:
    return of(plan_for([desired], [live] if live is not None else []), "web")


# By tag: told, and nothing is done


def test_a_moved_tag_is_told_from_what_was_remembered_and_nothing_is_done() -> None:
    action = only(asked(wanted(), NEW), owned(asked(wanted(), OLD)))
    says = "image moved: nginx:1 sha256:aaaaaaaa… (when it was last written) -> sha256:bbbbbbbbbbbb"
    after = "nothing is done: a restart of the group pulls it"
    assert (action.kind.value, action.notes) == ("no-op", (f"{says} in web; {after}",))


def test_a_tag_that_stayed_is_no_news() -> None:
    action = only(asked(wanted(), OLD), owned(asked(wanted(), OLD)))
    assert (action.kind.value, action.notes) == ("no-op", ())


def test_a_moved_tag_is_told_from_the_last_pull_event() -> None:
    live = pulled(forgotten(owned(wanted())), f"nginx@{PART}", f"nginx@{OLD}")
    (note,) = only(asked(wanted(), NEW), live).notes
    assert note.startswith("image moved: nginx:1 sha256:aaaaaaaaaaaa (pulled) -> sha256:bbbbbbbb")


def test_what_was_pulled_since_by_a_restart_is_no_news() -> None:
    live = pulled(owned(asked(wanted(), OLD)), f"nginx@{NEW}")
    assert only(asked(wanted(), NEW), live).notes == ()


def test_the_part_for_one_platform_is_the_index_it_is_part_of() -> None:
    live = pulled(forgotten(owned(wanted())), f"nginx@{PART}")
    assert only(asked(wanted(), NEW, members=frozenset({PART})), live).notes == ()


@pytest.mark.parametrize("event", ["nginx", "nginx:1", "aaa@foo.com256:12"])
def test_where_nothing_tells_what_runs_that_is_said(event: str) -> None:
    live = pulled(forgotten(owned(wanted())), event)
    (note,) = only(asked(wanted(), NEW), live).notes
    assert note.startswith("image of web not compared: nginx:1 is sha256:bbbbbbbbbbbb now, and no")


def test_an_image_that_is_only_being_pulled_tells_nothing() -> None:
    live = pulled(forgotten(owned(wanted())), f"nginx@{NEW}", name="Pulling")
    assert "tells what runs" in only(asked(wanted(), NEW), live).notes[0]


def test_a_registry_that_did_not_answer_is_no_equality() -> None:
    action = only(asked(wanted(), reason="it is out of order"), owned(asked(wanted(), OLD)))
    assert action.notes == ("image of web not compared: it is out of order",)


def test_what_a_manifest_pins_itself_is_asked_of_nobody() -> None:
    pinned = wanted(body_of(f"nginx@{OLD}"))
    assert only(asked(pinned, NEW), owned(pinned)).notes == ()


def test_what_a_write_pulls_is_told_and_bound_to() -> None:
    one, other = asked(wanted(), OLD), asked(wanted(), NEW)
    assert only(one, None).notes == ("image of web: nginx:1 is sha256:aaaaaaaaaaaa now",)
    assert only(one, None).effect != only(other, None).effect
    assert only(one, None).effect != only(wanted(), None).effect


def test_a_moved_tag_makes_a_write_of_tags_no_other_write() -> None:
    live = owned(wanted())
    one, other = (asked(wanted(tags={"team": "shop"}), digest) for digest in (OLD, NEW))
    assert only(one, live).kind.value == "patch-tags"
    assert only(one, live).effect == only(other, live).effect


def test_the_group_of_another_owner_is_not_told_about() -> None:
    live = pulled(owned(wanted(), owner="other"), f"nginx@{OLD}")
    assert only(asked(wanted(), NEW), live).notes == ()


# What is remembered


def test_the_state_tag_remembers_images_as_long_as_there_is_room() -> None:
    few = body_of(initContainers=[container("init")])
    state = state_of(owned(asked(wanted(few), OLD)))
    assert state is not None
    assert parse_state(format_state(state)) == state
    assert sorted(state.images.values()) == ["aaaaaaaa", "aaaaaaaa"]
    many = body_of(initContainers=[container(f"c{n}") for n in range(20)])
    live = owned(asked(wanted(many), OLD))
    assert len(live.tags[STATE_TAG]) <= STATE_LIMIT
    full = state_of(live)
    assert full is not None
    assert (full.images, full.spec != "") == ({}, True)


def test_another_image_under_the_same_name_is_not_the_one_remembered() -> None:
    live = owned(asked(wanted(), OLD))
    desired = asked(wanted(body_of("nginx:2")), NEW)
    assert only(desired, live).notes == ("image of web: nginx:2 is sha256:bbbbbbbbbbbb now",)


def test_a_write_of_tags_keeps_what_is_remembered_and_a_definition_renews_it() -> None:
    live = owned(asked(wanted(), OLD))
    patched = applied(only(asked(wanted(tags={"a": "b"}), NEW), live))
    assert patched is not None
    kept = state_of(patched)
    assert kept is not None
    assert list(kept.images.values()) == ["aaaaaaaa"]
    written = applied(only(asked(wanted(), NEW), None))
    assert written is not None
    renewed = state_of(written)
    assert renewed is not None
    assert list(renewed.images.values()) == ["bbbbbbbb"]


def test_what_is_adopted_was_not_pulled_by_us() -> None:
    adopted = applied(only(asked(wanted(), NEW), unowned(wanted())))
    assert adopted is not None
    state = state_of(adopted)
    assert state is not None
    assert state.images == {}


# By digest: sent, compared, bound to


def test_a_pinned_image_is_sent_by_digest_init_containers_included() -> None:
    body = body_of("localhost:5000/a/web:1", initContainers=[container("init", image="busybox")])
    desired = asked(by_digest(body), NEW)
    properties: Any = desired.body["properties"]
    assert properties["containers"][0]["properties"]["image"] == f"localhost:5000/a/web@{NEW}"
    assert properties["initContainers"][0]["properties"]["image"] == f"busybox@{NEW}"
    assert applied(only(desired, None)) is not None


def test_a_moved_tag_is_an_update_that_says_so() -> None:
    action = only(asked(by_digest(), NEW), owned(asked(by_digest(), OLD)))
    assert action.kind.value == "update"
    assert [(c.path, c.before, c.after) for c in action.diff.changes] == [
        (WEB, f"nginx@{OLD}", f"nginx@{NEW}")
    ]
    assert action.notes == (
        "image moved: nginx:1 sha256:aaaaaaaaaaaa -> sha256:bbbbbbbbbbbb in web",
    )


def test_a_tag_that_stayed_is_no_change() -> None:
    action = only(asked(by_digest(), OLD), owned(asked(by_digest(), OLD)))
    assert (action.kind.value, action.notes) == ("no-op", ())


def test_what_was_reviewed_is_what_would_be_sent() -> None:
    live = owned(asked(by_digest(), OLD))
    assert only(asked(by_digest(), NEW), live).effect != only(asked(by_digest(), PART), live).effect


def test_an_unknown_digest_leaves_alone_what_is_as_it_was_applied() -> None:
    live = owned(asked(by_digest(), OLD))
    for desired in (by_digest(), asked(by_digest(), reason="it is out of order")):
        action = only(desired, live)
        why = "no registry was asked" if not desired.images else "it is out of order"
        assert action.kind.value == "no-op"
        assert action.notes == (f"image of web not compared: {why}",)


def test_drift_is_repaired_with_the_digest_that_was_applied() -> None:
    """Azure was changed, the manifest was not: that needs no registry."""
    was = asked(by_digest(), OLD)
    changed = body_of(f"nginx@{OLD}", restartPolicy="Never")
    action = only(by_digest(replace=Replace.ALLOW), owned(was, changed))
    assert action.kind.value == "replace"
    assert action.desired is not None
    assert images_of(action.desired.canonical)[WEB] == f"nginx@{OLD}"


@pytest.mark.parametrize(
    "live",
    [
        None,
        owned(wanted(images=Images.DIGEST)),
        owned(asked(by_digest(), OLD), body_of(f"nginx@{NEW}")),
        owned(asked(by_digest(), OLD), body_of(f"other@{OLD}")),
        owned(asked(by_digest(body_of("other")), OLD)),
        unowned(by_digest()),
        unowned(asked(by_digest(), OLD)),
    ],
    ids=["no group", "by tag", "moved by hand", "other image", "other manifest", "unowned", "copy"],
)
def test_a_write_with_an_unknown_digest_is_refused(live: LiveGroup | None) -> None:
    action = only(asked(by_digest(), reason="it is out of order"), live)
    assert action.kind.value == "refuse"
    assert "the digest of the image of web is not known" in action.why
    assert action.why.endswith(": it is out of order")
    assert action.allow.startswith("plan again once its registry tells it")


def test_what_another_version_applied_cannot_be_taken_for_applied() -> None:
    live = owned(asked(by_digest(), OLD))
    state = state_of(live)
    assert state is not None
    older = format_state(replace(state, hash_version=state.hash_version + 1))
    assert only(by_digest(), with_state(live, older)).kind.value == "refuse"


def test_an_image_in_azure_that_is_none_is_not_taken_for_ours() -> None:
    live = owned(asked(by_digest(), OLD), body_of(f"Not an image@{OLD}"))
    assert only(by_digest(), live).kind.value == "refuse"


def test_beside_a_tag_an_image_may_be_pinned_by_hand() -> None:
    body = body_of(initContainers=[container("init", image=f"busybox@{OLD}")])
    assert only(asked(by_digest(body), NEW), None).notes == (
        "image of web: nginx:1 is sha256:bbbbbbbbbbbb now",
    )


def test_a_list_answer_has_no_events_to_tell_anything() -> None:
    live = forgotten(owned(wanted(), state=None))
    bare = replace(live, containers=())
    assert "tells what runs" in only(asked(wanted(), NEW), bare).notes[0]


def test_of_several_containers_each_is_told_by_its_own() -> None:
    body = body_of(initContainers=[container("web", image="busybox")])
    live = pulled(forgotten(owned(wanted(body))), f"x@{OLD}")
    init, web = live.containers
    live = replace(live, containers=(init, replace(web, events=())))
    notes = only(asked(wanted(body), NEW), live).notes
    assert [note.split(":")[0] for note in notes] == ["image of web not compared", "image moved"]
    one = owned(asked(by_digest(body), OLD))
    changed = with_lookups(
        by_digest(body),
        {
            path: Lookup(image=image, digest=NEW if image == "busybox" else OLD)
            for path, image in images_of(by_digest(body).canonical).items()
        },
    )
    assert only(changed, one).notes == (
        "image moved: busybox sha256:aaaaaaaaaaaa -> sha256:bbbbbbbbbbbb in web",
    )


def test_an_ignored_image_is_left_as_it_is_live() -> None:
    desired = by_digest(ignore=(WEB,))
    assert only(desired, owned(desired, body_of(f"nginx@{OLD}"))).kind.value == "no-op"


def test_a_moved_tag_is_the_manifests_side_and_no_drift() -> None:
    live = owned(asked(by_digest(), OLD))
    plan = plan_for([asked(by_digest(), NEW)], [live])
    told = with_history(plan, {"abc1234": {live.id.address: by_digest()}})
    assert [c.origin.value for c in of(told, "web").diff.changes] == ["config"]
    found = drift_of(told, Evidence(live=(live,)))
    assert [one.category.value for one in found.findings] == ["pending"]


def test_a_replace_falls_back_to_the_digest_that_was_applied() -> None:
    policy = {"replace": Replace.ALLOW, "on_replace_failure": OnReplaceFailure.RESTORE}
    live = owned(asked(by_digest(**policy), OLD))
    desired = asked(by_digest(body_of(restartPolicy="Never"), **policy), NEW)
    then = {live.id.address: by_digest(**policy)}
    action = of(with_fallbacks(plan_for([desired], [live]), {"abc1234": then}), "web")
    assert action.kind.value == "replace"
    assert action.fallback is not None
    assert images_of(action.fallback.canonical)[WEB] == f"nginx@{OLD}"


# `drift`


def test_drift_tells_moved_tags_as_a_finding_and_not_twice() -> None:
    live = owned(asked(wanted(), OLD))
    plan = plan_for([asked(wanted(), NEW)], [live])
    found = drift_of(plan, Evidence(live=(live,)))
    assert [(one.category.value, one.key.rpartition(" ")[2]) for one in found.findings] == [
        ("image-moved", "b" * 16)
    ]
    assert of(without_told(plan), "web").notes == ()


def test_drift_tells_an_image_that_could_not_be_compared() -> None:
    live = owned(asked(wanted(), OLD))
    plan = plan_for([asked(wanted(), reason="it is out of order")], [live])
    (open_,) = drift_of(plan, Evidence(live=(live,))).untold
    assert open_.says.endswith("rg-shop/web: image of web not compared: it is out of order")
    assert [one.value for one in open_.concerns] == ["image-moved"]


def test_without_registries_nothing_is_said_of_images() -> None:
    plan = plan_for([wanted()], [owned(wanted())])
    assert (kinds(plan), of(plan, "web").notes) == ({"web": "no-op"}, ())
