"""What Spot, confidential and Windows groups may have, and zones (azure-facts G17-G19, G36-G38)."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.encoding import is_base64
from reconciler.core.finding import Finding
from reconciler.core.jsonval import as_list
from reconciler.manifest.lint.view import Group, GroupRule
from reconciler.manifest.wording import quoted

_SPOT_REGIONS = ("eastus2", "westeurope", "westus")  # azure-facts F.2


def spot(group: Group) -> Iterator[Finding]:
    """M327: what Azure may take away at any time is not reached from outside."""
    if not group.is_spot:
        return
    says = "expected none in a Spot group, got {}"
    for name, got in (("ipAddress", "an address"), ("subnetIds", "a subnet")):
        if group.inside.data.get(name):
            yield group.say("M327", group.inside.at(name), says.format(got), "removing it")
    if as_list(group.whole.data.get("zones")):
        yield group.say("M327", group.whole.at("zones"), says.format("a zone"), "removing it")
    sku = group.inside.data.get("sku", "Standard")
    if sku != "Standard" and isinstance(sku, str):
        place = group.inside.at("sku")
        yield group.say("M327", place, f"expected 'Standard' in a Spot group, got {quoted(sku)}")
    for container in group.containers:
        gpu = container.inside.part("resources", "requests", "gpu")
        if gpu.data:
            yield group.say("M327", gpu.path, says.format("a GPU"), "removing it")


def spot_region(group: Group) -> Iterator[Finding]:
    """M818: Spot is offered in few regions."""
    region = "".join(group.location.split()).lower()
    if group.is_spot and region and region not in _SPOT_REGIONS:
        says = f"expected a region with Spot for a Spot group, got {quoted(group.location)}"
        hint = ", ".join(map(quoted, _SPOT_REGIONS))
        yield group.say("M818", group.inside.at("priority"), says, f"one of {hint}")


def confidential(group: Group) -> Iterator[Finding]:
    """M328, M329: confidential groups."""
    if not group.is_confidential:
        return
    if group.is_windows:
        place = group.inside.at("osType")
        yield group.say("M328", place, "expected 'Linux' in a confidential group, got 'Windows'")
    stated = group.inside.part("confidentialComputeProperties")
    policy = stated.text("ccePolicy")
    if policy and not is_base64(policy):
        says = "expected base64, got another text"
        hint = "what 'az confcom acipolicygen' prints"
        yield group.say("M329", stated.at("ccePolicy"), says, hint)


def windows(group: Group) -> Iterator[Finding]:
    """M332: what Windows groups cannot have."""
    if not group.is_windows:
        return
    if len(group.containers) > 1:
        says = f"expected one container in a Windows group, got {len(group.containers)}"
        yield group.say("M332", group.inside.at("containers"), says, "a group for each")
    if group.volumes:
        says = f"expected no volume in a Windows group, got {len(group.volumes)}"
        yield group.say("M332", group.inside.at("volumes"), says, "removing them")


def zones(group: Group) -> Iterator[Finding]:
    """M333: a group is in one place."""
    count = len(as_list(group.whole.data.get("zones")))
    if count > 1:
        yield group.say("M333", group.whole.at("zones"), f"expected one zone, got {count}")


RULES: tuple[GroupRule, ...] = (spot, spot_region, confidential, windows, zones)
