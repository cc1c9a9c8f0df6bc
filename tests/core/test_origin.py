"""Who moved a field: what the state tag tells, and what the manifest at the applied commit adds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.diff import Diff, Origin
from reconciler.core.groups import Replace
from reconciler.core.jsonval import parse_pointer
from reconciler.core.normalise import NORMALISER_VERSION, canonical
from reconciler.core.origin import commits_to_ask, with_history
from reconciler.core.ownership import (
    OWNER_TAG,
    STATE_TAG,
    format_state,
    state_after_write,
    state_of,
)
from reconciler.core.plan import ActionKind
from tests.core.given import (
    KEY,
    OWNER,
    asker,
    body_of,
    container,
    of,
    owned,
    plan_for,
    resource_group,
    seldom,
    tagged,
    unowned,
    wanted,
    with_state,
    with_variables,
)

CONFIG, DRIFT, BOTH, UNKNOWN = Origin.CONFIG, Origin.DRIFT, Origin.BOTH, Origin.UNKNOWN
COMMIT = "abc1234"
WEB = "properties/containers/web"
CLOSED = {"replace": Replace.ALLOW}


def told(then, live, now, *, history=None, **options):
    """The plan for `now` over `live`, labelled by the manifest of then, and the one action."""
    plan = plan_for([now], [live], **options)
    groups = {COMMIT: {then.id.address: then}} if history is None else history
    after = with_history(plan, groups)
    return after, of(after, now.id.name)


def labels(action):
    return {"/".join(change.path): change.origin for change in action.diff.changes}


# By example


def variable(value):
    return {"name": "LEVEL", "value": value}


def moved(image="nginx:1", level="info", **properties):
    body = with_variables(variable(level), image=image)
    body["properties"].update(properties)
    return body


LEVEL = f"{WEB}/properties/environmentVariables/LEVEL/value"
SECURE = f"{WEB}/properties/environmentVariables/LEVEL/secureValue"
IMAGE = f"{WEB}/properties/image"

FIRST = "properties/initContainers"


def in_order(*names, image="nginx:1"):
    inits = [{"name": name, "properties": {"image": "i"}} for name in names]
    return body_of(image, **({"initContainers": inits} if inits else {}))


EXAMPLES = [
    (
        "each side moved another field",
        moved("nginx:1", "info"),
        moved("nginx:9", "info"),
        moved("nginx:1", "debug"),
        {IMAGE: DRIFT, LEVEL: CONFIG},
    ),
    (
        "both sides moved the same field, each elsewhere",
        moved("nginx:1"),
        moved("nginx:2"),
        moved("nginx:3"),
        {IMAGE: BOTH},
    ),
    (
        "both sides moved one field to the same value, Azure another as well",
        moved("nginx:1", "info"),
        moved("nginx:2", "warn"),
        moved("nginx:2", "info"),
        {LEVEL: DRIFT},
    ),
    (
        "a container left the manifest, another was added in Azure",
        body_of(containers=[container("web"), container("old")]),
        body_of(containers=[container("web"), container("old"), container("theirs")]),
        body_of(containers=[container("web")]),
        {"properties/containers/old": CONFIG, "properties/containers/theirs": DRIFT},
    ),
    (
        "a container was changed in the manifest and removed in Azure",
        body_of(containers=[container("web"), container("side", image="a")]),
        body_of(containers=[container("web")]),
        body_of(containers=[container("web"), container("side", image="b")]),
        {"properties/containers/side": BOTH},
    ),
    (
        "one container came by the same name on both sides, with another image",
        body_of(),
        body_of(containers=[container("web"), container("side", image="a")]),
        body_of(containers=[container("web"), container("side", image="b", command=["run"])]),
        {
            "properties/containers/side/properties/image": BOTH,
            "properties/containers/side/properties/command": BOTH,
        },
    ),
    (
        "a plain value became a secret one, in Azure the image was changed",
        moved("nginx:1"),
        moved("nginx:9"),
        with_variables({"name": "LEVEL", "secureValue": "hunter2"}),
        {LEVEL: CONFIG, SECURE: CONFIG, IMAGE: DRIFT},
    ),
    (
        "a secret value became a plain one behind our back, the image was changed in the manifest",
        with_variables({"name": "LEVEL", "secureValue": "hunter2"}),
        moved("nginx:1"),
        with_variables({"name": "LEVEL", "secureValue": "hunter2"}, image="nginx:2"),
        {LEVEL: DRIFT, IMAGE: CONFIG},
    ),
    (
        "a plain list is one value",
        body_of(containers=[container("web", command=["a"])]),
        body_of("nginx:9", containers=[container("web", image="nginx:9", command=["a"])]),
        body_of(containers=[container("web", command=["a", "b"])]),
        {IMAGE: DRIFT, f"{WEB}/properties/command": CONFIG},
    ),
    (
        "the order of init containers was changed in Azure, the image in the manifest",
        in_order("first", "second"),
        in_order("second", "first"),
        in_order("first", "second", image="nginx:2"),
        {f"{FIRST}/(order)": DRIFT, IMAGE: CONFIG},
    ),
    (
        "an init container came in between, in Azure the order was changed",
        in_order("first", "second"),
        in_order("second", "first"),
        in_order("first", "third", "second"),
        {f"{FIRST}/(order)": DRIFT, f"{FIRST}/third": CONFIG},
    ),
    (
        "init containers came on both sides, each in another order",
        in_order(),
        in_order("second", "first"),
        in_order("first", "second"),
        {f"{FIRST}/(order)": BOTH},
    ),
    (
        "what Azure fills in by itself did not move",
        moved(sku="Confidential"),
        moved("nginx:9", sku="Confidential", confidentialComputeProperties={"ccePolicy": "YWxs"}),
        moved(sku="Confidential", confidentialComputeProperties={"ccePolicy": "bWluZQ=="}),
        {IMAGE: DRIFT, "properties/confidentialComputeProperties/ccePolicy": CONFIG},
    ),
]


@pytest.mark.parametrize(
    ("why", "then", "there", "now", "found"), EXAMPLES, ids=[e[0] for e in EXAMPLES]
)
def test_where_both_moved_each_field_says_who_did(why, then, there, now, found):
    was = wanted(then)
    _, action = told(was, owned(was, there), wanted(now, **CLOSED))

    assert labels(action) == found
    assert action.origin is BOTH


def test_tags_are_labelled_like_fields():
    was = wanted(tags={"Team": "a", "stage": "b", "left": "c"})
    live = owned(was)
    live = replace(live, tags={**live.tags, "Team": "theirs", "left": "theirs", "new": "theirs"})
    now = wanted(tags={"team": "a", "stage": "ours", "new": "ours"})

    _, action = told(was, live, now)

    assert labels(action) == {
        "tags/team": DRIFT,
        "tags/stage": CONFIG,
        "tags/left": BOTH,  # it left the manifest and was changed in Azure
        "tags/new": CONFIG,  # it was not ours before, so whoever set it did not touch ours
    }
    assert action.origin is BOTH


def test_the_region_of_the_resource_group_is_taken_for_a_manifest_without_one():
    def placeless(image, level):
        return {k: v for k, v in moved(image, level).items() if k != "location"}

    now = wanted(placeless("nginx:1", "debug"))
    was = wanted(placeless("nginx:1", "info"))
    applied = replace(
        was,
        body={**was.body, "location": "northeurope"},
        canonical=canonical({**was.body, "location": "northeurope"}),
    )
    live = owned(applied, {**moved("nginx:9", "info"), "location": "northeurope"})

    _, action = told(was, live, now, homes=[resource_group(location="northeurope")])

    assert labels(action) == {IMAGE: DRIFT, LEVEL: CONFIG}


def test_what_was_ignored_then_stays_unknown_and_the_rest_is_told():
    ignore = (parse_pointer("/" + IMAGE),)
    was = wanted(moved("nginx:1", "info"), ignore=ignore)
    live = owned(was, moved("nginx:7", "warn"))
    now = wanted(moved("nginx:2", "info", restartPolicy="Never"), **CLOSED)

    _, action = told(was, live, now)

    assert labels(action) == {IMAGE: UNKNOWN, LEVEL: DRIFT, "properties/restartPolicy": CONFIG}


def test_a_rotated_secret_is_config_also_where_both_moved():
    secret = {"name": "KEY", "secureValue": "hunter2"}
    was = wanted(with_variables(secret, image="nginx:1"))
    live = owned(was, with_variables(secret, image="nginx:9"))
    now = wanted(
        {
            **with_variables({**secret, "secureValue": "rotated"}, image="nginx:1"),
            "zones": ["1"],
        },
        **CLOSED,
    )

    _, action = told(was, live, now)

    path = f"{WEB}/properties/environmentVariables/KEY/secureValue"
    assert labels(action) == {IMAGE: DRIFT, path: CONFIG, "zones": CONFIG}


# When the manifest of then is not believed, or nobody has it

DISTRUST = [
    ("git has not the commit", {}),
    ("another commit", {"fff0000": {wanted().id.address: wanted(moved())}}),
    ("the group was not there", {COMMIT: {}}),
    (
        "the files differed from the commit",
        {COMMIT: {wanted().id.address: wanted(moved(level="x"))}},
    ),
]


@pytest.mark.parametrize(("why", "history"), DISTRUST, ids=[d[0] for d in DISTRUST])
def test_a_manifest_without_the_hash_of_the_state_tag_tells_nothing(why, history):
    was = wanted(moved())
    live = owned(was, moved("nginx:9"))

    after, action = told(was, live, wanted(moved(level="debug")), history=history)

    assert labels(action) == {IMAGE: UNKNOWN, LEVEL: UNKNOWN}
    assert action.origin is BOTH
    assert commits_to_ask(after) == (COMMIT,)


def test_a_state_tag_of_another_normaliser_is_not_asked_about():
    was = wanted(moved())
    live = owned(was, moved("nginx:9"))
    older = replace(state_of(live), hash_version=NORMALISER_VERSION + 1)
    live = with_state(live, format_state(older))

    after, action = told(was, live, wanted(moved(level="debug")))

    assert commits_to_ask(after) == ()
    assert set(labels(action).values()) == {UNKNOWN}


def test_tags_copied_from_another_group_tell_nothing():
    was, other = wanted(moved()), wanted(moved(), name="other")
    state = owned(other).tags[STATE_TAG]
    live = tagged(unowned(was, moved("nginx:9")), OWNER, state)
    assert OWNER_TAG in live.tags

    plan = plan_for([wanted(moved(level="debug"))], [live], who=asker(adopt=[was.id]))

    assert of(plan, "web").kind is ActionKind.UPDATE
    assert commits_to_ask(plan) == ()
    assert with_history(plan, {COMMIT: {was.id.address: was}}) == plan


@pytest.mark.parametrize(
    ("there", "now"),
    [
        (moved("nginx:9"), moved()),
        (moved(), moved("nginx:2")),
        (moved(), moved()),
    ],
    ids=["only Azure moved", "only the manifest moved", "nobody moved"],
)
def test_git_is_asked_only_where_the_state_tag_cannot_tell(there, now):
    was = wanted(moved())

    assert commits_to_ask(plan_for([wanted(now)], [owned(was, there)])) == ()


def test_every_commit_is_asked_about_once():
    groups = [wanted(moved(level="debug"), name=name) for name in ("a", "b", "c")]
    lives = []
    for group, commit in zip(groups, ("aaaaaaa", "bbbbbbb", "aaaaaaa"), strict=True):
        was = wanted(moved(), name=group.id.name)
        state = state_after_write(was, key=KEY, commit=commit)
        lives.append(with_state(owned(was, moved("nginx:9")), format_state(state)))

    assert commits_to_ask(plan_for(groups, lives)) == ("aaaaaaa", "bbbbbbb")


# A hash never hides drift


def test_what_the_hash_leaves_out_is_never_called_config_by_the_hash():
    def policed(policy, level="info"):
        return moved(
            level=level, sku="Confidential", confidentialComputeProperties={"ccePolicy": policy}
        )

    policy = "properties/confidentialComputeProperties/ccePolicy"
    was = wanted(policed("bWluZQ=="))
    live = owned(was, policed("dGhlaXJz"))
    now = wanted(policed("bWluZQ==", level="debug"), **CLOSED)

    untold = of(plan_for([now], [live]), "web")
    _, action = told(was, live, now)

    assert labels(untold) == {LEVEL: CONFIG, policy: UNKNOWN}
    assert labels(action) == {LEVEL: CONFIG, policy: DRIFT}
    assert action.origin is BOTH


# Against a model: a group as independent slots, each with its label by definition

VALUES = st.sampled_from([None, "one", "two", "three"])
SLOTS = st.fixed_dictionaries(
    {
        "image": st.sampled_from(["one", "two", "three"]),
        "command": VALUES,
        "variable A": st.one_of(VALUES, st.just("(secret)")),
        "variable B": st.one_of(VALUES, st.just("(secret)")),
        "servers": VALUES,
        "options": VALUES,
        "policy": VALUES,
        "tag team": VALUES,
        "tag Stage": VALUES,
        "side": st.one_of(st.none(), st.tuples(st.sampled_from(["one", "two"]), VALUES)),
        "order": st.permutations(["first", "second", "third"]).flatmap(
            lambda names: st.integers(0, 3).map(lambda n: tuple(names[:n]))
        ),
    }
)


@st.composite
def histories(draw):
    """Slots as applied, as live and as desired: the latter two by edits of the first."""
    then = draw(SLOTS)
    sides = []
    for _ in range(2):
        other = draw(SLOTS)
        edited = draw(st.sets(st.sampled_from(sorted(then)), max_size=5))
        sides.append({name: (other if name in edited else then)[name] for name in then})
    return then, *sides


def body_from(slots):
    names = [name for name in ("A", "B") if slots[f"variable {name}"] is not None]
    variables = [
        {"name": name, "secureValue": "hunter2"}
        if slots[f"variable {name}"] == "(secret)"
        else {"name": name, "value": slots[f"variable {name}"]}
        for name in names
    ]
    more = {"command": [slots["command"], "x"]} if slots["command"] else {}
    containers = [container("web", image=slots["image"], environmentVariables=variables, **more)]
    if slots["side"] is not None:
        image, command = slots["side"]
        more = {"command": [command]} if command else {}
        containers.append(container("side", image=image, **more))
    properties = {
        "containers": containers,
        "initContainers": [{"name": n, "properties": {"image": "i"}} for n in slots["order"]],
        "sku": "Dedicated",
    }
    dns = {"nameServers": slots["servers"] and [slots["servers"]], "options": slots["options"]}
    if any(dns.values()):
        properties["dnsConfig"] = {name: value for name, value in dns.items() if value}
    if slots["policy"]:
        properties["confidentialComputeProperties"] = {"ccePolicy": slots["policy"]}
    return body_of(**properties)


def tags_from(slots):
    return {name: slots[f"tag {name}"] for name in ("team", "Stage") if slots[f"tag {name}"]}


def by_definition(was, there, now):
    if was == there:
        return CONFIG
    return DRIFT if was == now else BOTH


def common(one, other):
    return [name for name in one if name in other]


def expected(then, live, now):
    """The label of each path that differs, by the slots alone."""
    found = {}

    def slot(path, name):
        if live[name] != now[name]:
            found[path] = by_definition(then[name], live[name], now[name])

    slot(IMAGE, "image")
    slot(f"{WEB}/properties/command", "command")
    slot("properties/dnsConfig/nameServers", "servers")
    slot("properties/dnsConfig/options", "options")
    for name in ("A", "B"):
        path = f"{WEB}/properties/environmentVariables/{name}"
        both = live[f"variable {name}"] and now[f"variable {name}"]
        slot(f"{path}/value" if both else path, f"variable {name}")
    if now["policy"] is not None:  # left out, it is Azure's choice
        was = then["policy"] or live["policy"]
        if now["policy"] != live["policy"]:
            path = "properties/confidentialComputeProperties/ccePolicy"
            found[path] = by_definition(was, live["policy"], now["policy"])
    for name in ("team", "Stage"):
        was, there, wish = then[f"tag {name}"], live[f"tag {name}"], now[f"tag {name}"]
        # A tag that was not ours is nobody's drift; one that is gone already need not go.
        if there != wish and (wish or (was and there)):
            found[f"tags/{name}"] = by_definition(was, there, wish) if was else CONFIG
    found |= _side(then["side"], live["side"], now["side"])
    return found | _order(then["order"], live["order"], now["order"])


def _side(was, there, now):
    path = "properties/containers/side"
    if there == now:
        return {}
    if there is None or now is None:
        return {path: by_definition(was, there, now)}
    members = {"image": 0, "command": 1}
    return {
        f"{path}/properties/{name}": by_definition(was[i], there[i], now[i]) if was else BOTH
        for name, i in members.items()
        if there[i] != now[i]
    }


def _order(was, there, now):
    path = "properties/initContainers"
    found = {
        f"{path}/{name}": by_definition(name in was, name in there, name in now)
        for name in {*there, *now}
        if (name in there) != (name in now)
    }
    # The order is written down from two elements on.
    if min(len(there), len(now)) > 1 and common(there, now) != common(now, there):
        manifest, azure = (common(was, x) != common(x, was) for x in (now, there))
        found[f"{path}/(order)"] = BOTH if manifest == azure else CONFIG if manifest else DRIFT
    return found


@seldom
@given(histories())
def test_every_label_is_right_for_any_edits_on_either_side(slots):
    then, live, now = slots
    was = wanted(body_from(then), tags=tags_from(then))
    there = owned(was, body_from(live), key=None)
    ours = {k: v for k, v in there.tags.items() if k in (OWNER_TAG, STATE_TAG)}
    there = replace(there, tags={**tags_from(live), **ours})
    wish = wanted(body_from(now), tags=tags_from(now), **CLOSED)

    who = asker(key=None)
    before = of(plan_for([wish], [there], who=who), "web")
    after, action = told(was, there, wish, who=who)

    everything = expected(then, live, now)
    assert labels(before).keys() == everything.keys()
    # Where the hash tells the group, it tells its fields; git may only say more.
    assert all(label in (UNKNOWN, everything[path]) for path, label in labels(before).items()), (
        labels(before)
    )
    assert labels(action) == everything
    assert commits_to_ask(after) == ()
    told_of = set(everything.values())
    if {DRIFT, BOTH} & told_of:
        assert action.origin in (DRIFT, BOTH)
    if {CONFIG, BOTH} & told_of:
        assert action.origin in (CONFIG, BOTH)


@seldom
@given(histories())
def test_labels_change_nothing_that_is_done_or_reviewed(slots):
    then, live, now = slots
    was = wanted(body_from(then), tags=tags_from(then))
    plan = plan_for([wanted(body_from(now), **CLOSED)], [owned(was, body_from(live))])

    after = with_history(plan, {COMMIT: {was.id.address: was}})

    assert after.digest == plan.digest
    assert _bare(after) == _bare(plan)


def _bare(plan):
    actions = [
        replace(
            action,
            origin=UNKNOWN,
            diff=Diff(changes=tuple(replace(c, origin=UNKNOWN) for c in action.diff.changes)),
        )
        for action in plan.actions
    ]
    return replace(plan, actions=tuple(actions))
