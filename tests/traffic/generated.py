"""Group bodies drawn at random that a manifest may hold, together covering the property table."""

from __future__ import annotations

import copy
from base64 import b64encode
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from reconciler.core.properties import PROPERTIES, Access
from tests import strategies
from tests.traffic.mutations import leaves
from tests.traffic.recordings import Wire

Pattern = tuple[str, ...]

# Rows of what Azure sets: no manifest holds them.
WRITABLE = frozenset(row.path for row in PROPERTIES if row.access is not Access.READ_ONLY)


@st.composite
def manifests(draw: st.DrawFn) -> Wire:
    """A PUT body that breaks no rule of manifests."""
    return valid({**draw(strategies.bodies), "tags": draw(strategies.tags)})


def valid(drawn: Wire) -> Wire:
    """`drawn` with mounts of volumes it has, secrets that are base64, and one subnet at most."""
    body = copy.deepcopy(drawn)
    properties = body["properties"]
    volumes = properties.get("volumes", [])
    for one in volumes:
        one |= {"secret": _encoded(one["secret"])} if "secret" in one else {}
    if "subnetIds" in properties:
        properties["subnetIds"] = properties["subnetIds"][:1]
    for one in (*properties.get("initContainers", []), *properties["containers"]):
        mounts = one["properties"].pop("volumeMounts", [])
        for number, mount in enumerate(mounts if volumes else []):
            mount["name"] = volumes[number % len(volumes)]["name"]
            one["properties"].setdefault("volumeMounts", []).append(mount)
    return body


def _encoded(files: dict[str, str]) -> dict[str, str]:
    return {name: b64encode(text.encode()).decode() for name, text in files.items()}


@cache
def drawn(count: int) -> tuple[Wire, ...]:
    """`count` bodies, the same ones each time; nobody changes them."""
    found: list[Wire] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(manifests())
    def collect(body: Wire) -> None:
        found.append(body)

    collect()
    return tuple(found)


def rows_of(body: Wire) -> frozenset[Pattern]:
    """The rows of the table that this body says something at."""
    return frozenset(row for place in leaves(body) for row in _rows(place)) & WRITABLE


def _rows(place: Sequence[Any]) -> Iterator[Pattern]:
    found: list[list[str]] = [[]]
    for part in place:
        found = [[*path, name] for path in found for name in (str(part), "*") if len(path) < 9]
        found = [path for path in found if tuple(path) in _PREFIXES]
        for path in found:
            yield tuple(path)
            yield (*path, "**")


_PREFIXES = frozenset(path[:end] for path in WRITABLE for end in range(1, len(path) + 1))


def covering(bodies: Sequence[Wire]) -> list[Wire]:
    """A few of `bodies` that reach every row that any of them reaches."""
    rows = [(rows_of(body), body) for body in bodies]
    missing = frozenset().union(*(some for some, _ in rows))
    chosen: list[Wire] = []
    while missing:
        best, body = max(rows, key=lambda pair: len(pair[0] & missing))
        chosen.append(body)
        missing -= best
    return chosen


def acceptable(body: Wire) -> Wire:
    """`body` with amounts and ports that the service takes together, and no spot it has not.

    Source: B.3. Limits are those of one group: from the container's request to the group's sum.
    """
    body = copy.deepcopy(body)
    properties = body["properties"]
    containers = [one["properties"] for one in properties["containers"]]
    for one in containers:
        requests = one["resources"]["requests"]
        requests["cpu"] = max(1, requests["cpu"])
        limits = one["resources"].get("limits", {})
        for name in limits.keys() & {"cpu", "memoryInGB"}:
            limits[name] = requests[name]
    if properties.get("priority") == "Spot":
        properties.pop("ipAddress", None)
        properties.pop("subnetIds", None)
        properties["sku"] = "Standard"
        for one in containers:
            one["resources"]["requests"].pop("gpu", None)
            one.pop("ports", None)
    if address := properties.get("ipAddress"):
        address["type"] = "Private" if properties.get("subnetIds") else "Public"
        for one in containers:
            one.pop("ports", None)
        containers[0]["ports"] = copy.deepcopy(address["ports"])
    analytics = properties.get("diagnostics", {}).get("logAnalytics", {})
    if "metadata" in analytics:
        analytics["logType"] = "ContainerInsights"
    return body
