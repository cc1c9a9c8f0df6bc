"""What a plan needs of its regions, counted by hand beside what the code counts."""

from __future__ import annotations

import copy
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.groups import Replace
from reconciler.core.plan import Plan
from reconciler.core.policy import Limits, Prune
from reconciler.core.quota import demand_of, regions_of, shortfalls, too_large
from tests.core.given import (
    body_of,
    bounded,
    container,
    kinds,
    of,
    owned,
    plan_for,
    public,
    wanted,
)
from tests.strategies import Wire

HERE = "westeurope"
PRIVATE = {"type": "Private", "ports": [{"port": 80, "protocol": "TCP"}]}


def sized(*cpus: float, memory: float = 1, gpu: str = "", **properties: Any) -> Wire:
    """A body with a container for each number of CPUs."""
    containers = [container(f"c{number}", cpu=cpu) for number, cpu in enumerate(cpus)]
    for one in containers:
        requests = one["properties"]["resources"]["requests"]
        requests["memoryInGB"] = memory
        if gpu:
            requests["gpu"] = {"count": 1, "sku": gpu}
    return body_of(**{**properties, "containers": containers})


def there(body: Wire, location: str) -> Wire:
    return {**copy.deepcopy(body), "location": location}


def usage(name: str, used: float, limit: float) -> Wire:
    return {"unit": "Count", "currentValue": used, "limit": limit, "name": {"value": name}}


def capability(cpu: float = 4, memory: float = 16, **changes: Any) -> Wire:
    usual = {
        "resourceType": "containerGroups",
        "osType": "Linux",
        "location": HERE,
        "ipAddressType": "Public",
        "gpu": "None",
        "capabilities": {"maxMemoryInGB": memory, "maxCpu": cpu, "maxGpuCount": 0.0},
    }
    return {**usual, **changes}


def demands(plan: Plan, name: str = "web") -> dict[str, float]:
    return {quota: float(amount) for quota, amount in demand_of(of(plan, name)).items()}


def replaced(old: Wire, new: Wire, **live: Any) -> Plan:
    """A plan that replaces a group of `old` by one of `new`."""
    before = wanted(old)
    plan = plan_for([wanted(new, replace=Replace.ALLOW)], [owned(before, **live)], homes=None)
    assert kinds(plan) == {"web": "replace"}
    return plan


# what is counted where


@pytest.mark.parametrize(
    ("body", "counted"),
    [
        (sized(1), {"ContainerGroups": 1, "StandardCores": 1}),
        (sized(0.5, 1, 2), {"ContainerGroups": 1, "StandardCores": 3.5}),
        (
            sized(1, initContainers=[{"name": "first", "properties": {"image": "busybox"}}]),
            {"ContainerGroups": 1, "StandardCores": 1},
        ),
        (sized(2, priority="Spot"), {"ContainerGroups": 1, "StandardSpotCores": 2}),
        (sized(2, priority="spot"), {"ContainerGroups": 1, "StandardSpotCores": 2}),
        (sized(2, sku="Dedicated"), {"DedicatedContainerGroups": 1, "DedicatedCores": 2}),
        (sized(2, sku="Confidential"), {"ContainerGroups": 1}),
        (sized(6, gpu="V100"), {"ContainerGroups": 1, "StandardV100Cores": 6}),
        (sized(6, 1, gpu="k80"), {"ContainerGroups": 1, "StandardK80Cores": 7}),
    ],
)
def test_a_creation_counts_itself_and_the_cores_of_its_containers(body, counted) -> None:
    plan = plan_for([wanted(body)])

    assert kinds(plan) == {"web": "create"}
    assert demands(plan) == counted


def test_tenths_of_cores_add_up_exactly() -> None:
    plan = plan_for([wanted(sized(0.1, 0.2))])

    assert shortfalls(plan, {HERE: [usage("StandardCores", 0, 0.3)]}) == ()


def test_a_replace_counts_what_it_needs_more_than_it_frees() -> None:
    assert demands(replaced(sized(1), sized(4))) == {"StandardCores": 3}


def test_a_replace_by_something_smaller_counts_nothing() -> None:
    assert demands(replaced(sized(4), sized(1))) == {}


def test_a_replace_frees_nothing_of_another_quota() -> None:
    plan = replaced(sized(4), sized(1, priority="Spot"))

    assert demands(plan) == {"StandardSpotCores": 1}


def test_a_replace_in_another_region_counts_whole_there() -> None:
    plan = replaced(sized(4), there(sized(4), "northeurope"))

    assert demands(plan) == {"ContainerGroups": 1, "StandardCores": 4}
    assert regions_of(plan) == ("northeurope",)
    assert shortfalls(plan, {HERE: [usage("StandardCores", 100, 100)]}) == ()
    assert shortfalls(plan, {"northeurope": [usage("StandardCores", 97, 100)]}) != ()


@pytest.mark.parametrize("ended", [{"state": "Stopped"}, {"provisioning": "Failed"}])
def test_cores_of_what_has_ended_are_not_relied_on(ended) -> None:
    assert demands(replaced(sized(4), sized(1), **ended)) == {"StandardCores": 1}


def test_what_keeps_its_place_counts_nothing() -> None:
    same, image, tags = wanted(sized(2), "same"), wanted(sized(2), "image"), wanted(name="tags")
    live = [owned(same), owned(image), owned(tags)]
    changed = sized(2)
    changed["properties"]["containers"][0]["properties"]["image"] = "nginx:2"
    plan = plan_for([same, wanted(changed, "image"), wanted(name="tags", tags={"a": "b"})], live)

    assert kinds(plan) == {"same": "no-op", "image": "update", "tags": "patch-tags"}
    assert regions_of(plan) == ()
    full = {HERE: [usage("ContainerGroups", 100, 100), usage("StandardCores", 100, 100)]}
    assert shortfalls(plan, full) == ()


# quotas


def test_a_plan_may_use_up_a_quota_and_not_exceed_it() -> None:
    plan = plan_for([wanted(sized(1), "a"), wanted(sized(1), "b")])

    assert shortfalls(plan, {HERE: [usage("ContainerGroups", 98, 100)]}) == ()
    (short,) = shortfalls(plan, {HERE: [usage("ContainerGroups", 99, 100)]})

    assert (short.region, short.quota) == (HERE, "ContainerGroups")
    assert (short.used, short.limit, short.asked, short.missing) == (99, 100, 2, 1)
    assert [group.name for group in short.asking] == ["a", "b"]


def test_half_a_core_is_half_a_core() -> None:
    plan = plan_for([wanted(sized(0.5), "a"), wanted(sized(0.5), "b")])

    assert shortfalls(plan, {HERE: [usage("StandardCores", 9, 10)]}) == ()


def test_each_quota_that_is_short_is_told_and_no_other() -> None:
    plan = plan_for([wanted(sized(4)), wanted(there(sized(4), "North Europe"), "north")])
    answer = [usage("standardcores", 7, 10), usage("ContainerGroups", 7, 10)]
    more = [usage("StandardSpotCores", 10, 10), usage("StandardV100Cores", 0, 0)]

    found = shortfalls(plan, {"northeurope": answer, HERE: [*answer, *more]})

    assert [(short.region, short.quota) for short in found] == [
        ("northeurope", "standardcores"),
        (HERE, "standardcores"),
    ]
    assert [[g.name for g in short.asking] for short in found] == [["north"], ["web"]]


@pytest.mark.parametrize(
    "odd",
    [
        {},
        [],
        None,
        "StandardCores",
        {"name": {"value": "StandardCores"}},
        {"name": "StandardCores", "currentValue": 9, "limit": 0},
        usage("StandardCores", 9, float("nan")),
        usage("StandardCores", float("inf"), 0),
        {**usage("StandardCores", 9, 0), "limit": "0"},
        {**usage("StandardCores", 9, 0), "currentValue": True},
        usage("NovelCores", 9, 0),
    ],
)
def test_what_azure_does_not_tell_is_not_checked(odd) -> None:
    assert shortfalls(plan_for([wanted()]), {HERE: [odd]}) == ()


def test_the_removals_of_the_plan_are_not_counted_and_named() -> None:
    gone, large = wanted(sized(1), "gone"), wanted(sized(3), "large")
    plan = plan_for([wanted(sized(2), "new")], [owned(gone), owned(large)])
    assert kinds(plan) == {"gone": "delete", "large": "delete", "new": "create"}

    (short,) = shortfalls(plan, {HERE: [usage("StandardCores", 9, 10)]})
    (groups,) = shortfalls(plan, {HERE: [usage("ContainerGroups", 10, 10)]})

    assert [group.name for group in short.freeing] == ["large"]
    assert [group.name for group in groups.freeing] == ["gone"]


def test_removals_that_are_not_enough_are_no_way_out() -> None:
    plan = plan_for([wanted(sized(4), "new")], [owned(wanted(sized(1), "gone"))])

    (short,) = shortfalls(plan, {HERE: [usage("StandardCores", 10, 10)]})

    assert short.freeing == ()


def test_orphans_that_are_left_alone_are_a_way_out_unless_protected() -> None:
    kept = Limits(prune=Prune.REPORT)
    free = owned(wanted(sized(1), "free"))
    protected = owned(wanted(sized(4), "protected", protect=True))
    elsewhere = owned(wanted(there(sized(4), "northeurope"), "elsewhere"))
    plan = plan_for([wanted(sized(1), "new")], [free, protected, elsewhere], limits=kept)
    assert len(plan.orphans) == 3

    (short,) = shortfalls(plan, {HERE: [usage("StandardCores", 10, 10)]})

    assert [group.name for group in short.freeing] == ["free"]


_cores = st.sampled_from([0.5, 1, 1.5, 2, 4])
_steps = st.one_of(
    st.tuples(st.just("create"), st.just(0), _cores), st.tuples(st.just("replace"), _cores, _cores)
)


@given(st.lists(_steps, min_size=1, max_size=6), st.integers(0, 20), st.integers(0, 20))
@bounded
def test_the_sum_is_what_carrying_the_plan_out_in_any_order_needs_at_most(
    steps, used, limit
) -> None:
    desired, live = [], []
    for number, (kind, old, new) in enumerate(steps):
        if kind == "replace":
            live.append(owned(wanted(sized(old), f"g{number}")))
        # The restart policy cannot change in place.
        body = sized(new, restartPolicy="Never")
        desired.append(wanted(body, f"g{number}", replace=Replace.ALLOW))
    plan = plan_for(desired, live)
    assert sorted(kinds(plan).values()) == sorted(kind for kind, _, _ in steps)
    # The worst order: what grows comes before what shrinks.
    worst = sum(max(0, new - old) for _, old, new in steps)

    found = shortfalls(plan, {HERE: [usage("StandardCores", used, limit)]})

    if worst and used + worst > limit:
        assert [short.asked for short in found] == [Decimal(str(worst))]
    else:
        assert found == ()


# sizes


def test_a_group_may_be_as_large_as_its_region_takes() -> None:
    fits = plan_for([wanted(sized(2, 2, memory=8))])
    cpu = plan_for([wanted(sized(2, 2.5, memory=8))])
    memory = plan_for([wanted(sized(2, 2, memory=8.1))])
    told = {HERE: [capability(4, 16)]}

    assert too_large(fits, told) == ()
    (large,) = too_large(cpu, told)
    assert (large.cpu, large.memory, large.max_cpu, large.max_memory) == (Decimal("4.5"), 16, 4, 16)
    (large,) = too_large(memory, told)
    assert (large.cpu, large.memory) == (4, Decimal("16.2"))
    assert (large.region, large.os_type, large.target.name) == (HERE, "Linux", "web")


@pytest.mark.parametrize(
    ("address", "entries", "is_judged"),
    [
        (public(), [capability()], True),
        (public(), [capability(ipAddressType="Private")], False),
        (PRIVATE, [capability(ipAddressType="private")], True),
        (PRIVATE, [capability()], False),
        (None, [capability()], True),
        (None, [capability(), capability(8, ipAddressType="Private")], False),
        (public(), [capability(), capability(8, ipAddressType="Private")], True),
        (None, [capability(osType="Windows")], False),
        (None, [capability(gpu="V100")], False),
        (None, [capability(resourceType="containers")], False),
        (None, [capability(capabilities={"maxCpu": 1})], False),
        (None, [capability(capabilities=None)], False),
        (None, ["odd", None, {}], False),
        (None, [], False),
    ],
)
def test_only_the_entries_that_fit_are_asked(address, entries, is_judged) -> None:
    properties = {} if address is None else {"ipAddress": address}
    plan = plan_for([wanted(sized(5, **properties))])

    assert bool(too_large(plan, {HERE: entries})) is is_judged


@pytest.mark.parametrize(
    "body",
    [
        sized(5, sku="Dedicated"),
        sized(5, sku="Confidential"),
        sized(5, priority="Spot"),
        sized(5, gpu="V100"),
    ],
)
def test_what_the_entries_say_nothing_of_is_not_judged(body) -> None:
    assert too_large(plan_for([wanted(body)]), {HERE: [capability()]}) == ()


def test_an_update_in_place_is_not_judged_and_a_replace_is() -> None:
    old = wanted(sized(5))
    changed = replace(old, body=sized(5))
    image = sized(5)
    image["properties"]["containers"][0]["properties"]["image"] = "nginx:2"
    update = plan_for([wanted(image)], [owned(changed)])
    assert kinds(update) == {"web": "update"}

    assert too_large(update, {HERE: [capability()]}) == ()
    assert len(too_large(replaced(sized(1), sized(5)), {HERE: [capability()]})) == 1
