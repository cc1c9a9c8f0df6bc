"""Ports, addresses, subnets (azure-facts B.3, F.3, G6-G16, G37, G42)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from reconciler.core.finding import Finding
from reconciler.core.jsonval import WirePath
from reconciler.manifest.lint.view import Group, GroupRule, Part
from reconciler.manifest.wording import quoted

# Those that the platform keeps for itself (azure-facts F.3).
_RESERVED = (
    range(22, 23), range(1025, 1028), range(3389, 3400), range(9999, 10_000),
    range(19_000, 19_001), range(19_080, 19_081), range(19_100, 19_101), range(19_390, 19_391),
    range(20_000, 30_001), range(49_152, 65_536),
)  # fmt: skip
_SUBSCRIPTION = re.compile(
    r"/subscriptions/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/", re.IGNORECASE
)


def _number(port: Part) -> tuple[int, str] | None:
    """A port with its protocol; None where it is no port. Azure takes TCP where none is stated."""
    number, protocol = port.data.get("port"), port.data.get("protocol", "TCP")
    if not isinstance(number, int) or not isinstance(protocol, str):
        return None
    return number, protocol


def _container_ports(group: Group) -> Iterator[Part]:
    for container in group.containers:
        yield from container.inside.parts("ports")


def unexposed(group: Group) -> Iterator[Finding]:
    """M307: `UnreferencedIpAddressPorts`."""
    exposed = {_number(port) for port in _container_ports(group)}
    for port in group.address.parts("ports"):
        wanted = _number(port)
        if wanted is None or wanted in exposed:
            continue
        number, protocol = wanted
        other = "UDP" if protocol == "TCP" else "TCP"
        hint = f"'ports: [{{port: {number}}}]' in the container that serves it"
        if (number, other) in exposed:
            hint = f"'protocol: {other}', as its container has it"
        says = f"expected a port that a container exposes, got {number}/{protocol}"
        yield group.say("M307", port.at("port"), says, hint)


def repeated(group: Group) -> Iterator[Finding]:
    """M826: containers of a group share one network, and nothing maps one port to another."""
    yield from _repeated(group, _container_ports(group), "among the containers of a group")
    yield from _repeated(group, group.address.parts("ports"), "in an address")


def _repeated(group: Group, ports: Iterable[Part], among: str) -> Iterator[Finding]:
    first: dict[tuple[int, str], WirePath] = {}
    for port in ports:
        number = _number(port)
        if number is None:
            continue
        place = port.at("port")
        if number in first:
            line = group.line_of(first[number])
            got = f"{number[0]}/{number[1]} again (first on line {line})"
            yield group.say("M826", place, f"expected each port once {among}, got {got}")
        first.setdefault(number, place)


def reach(group: Group) -> Iterator[Finding]:
    """M309 to M311: a subnet and a private address need each other; a label needs a public one."""
    kind = group.address.data.get("type")
    place = group.address.at("type")
    if kind == "Private" and not group.has_subnet:
        hint = "'subnetIds: [{id: …}]', or 'type: Public'"
        says = "expected a subnet beside a private address, got none"
        yield group.say("M309", place, says, hint)
    if kind == "Public" and group.has_subnet:
        says = "expected a private address in a subnet, got a public one"
        yield group.say("M310", place, says, "'type: Private', or no 'subnetIds'")
    label = group.address.text("dnsNameLabel")
    if kind == "Private" and label:
        says = f"expected a DNS label beside a public address alone, got {quoted(label)}"
        yield group.say("M311", group.address.at("dnsNameLabel"), says, "removing it")


def subnets(group: Group) -> Iterator[Finding]:
    """M308, M822: the subnet lies in the subscription of the group, and is delegated."""
    for subnet in group.inside.parts("subnetIds"):
        given = subnet.text("id")
        found = _SUBSCRIPTION.match(given)
        place = subnet.at("id")
        if found and group.subscription and found[1].lower() != group.subscription.lower():
            says = f"expected a subnet of subscription {group.subscription}, got one of {found[1]}"
            yield group.say("M308", place, says)
        if given:
            says = "expected a delegation that somebody has looked at, got a subnet"
            hint = (
                "a look at its delegation to Microsoft.ContainerInstance/containerGroups, then"
                " '# aci-reconcile: ignore[M822] delegated by …' on this line"
            )
            yield group.say("M822", place, says, hint)


def resolving(group: Group) -> Iterator[Finding]:
    """M819: name servers of one's own are for virtual networks."""
    place = group.inside.at("dnsConfig")
    if group.inside.part("dnsConfig").data and not group.has_subnet:
        says = "expected a DNS configuration in a subnet alone, got one without 'subnetIds'"
        yield group.say("M819", place, says, "removing it")


def reserved(group: Group) -> Iterator[Finding]:
    """M808: what the platform listens on itself."""
    for port in _container_ports(group):
        number = port.data.get("port")
        if isinstance(number, int) and any(number in span for span in _RESERVED):
            says = f"expected a port that the platform does not keep for itself, got {number}"
            yield group.say("M808", port.at("port"), says, "another port, such as 8080")


RULES: tuple[GroupRule, ...] = (unexposed, repeated, reach, subnets, resolving, reserved)
