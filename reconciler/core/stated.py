"""What may be done to a group, as its `reconcile:` block would say it in full."""

from __future__ import annotations

from datetime import timedelta

from reconciler.core.groups import DesiredGroup
from reconciler.core.jsonval import JsonObject, pointer


def stated(group: DesiredGroup) -> JsonObject:
    """Every member of the block apart from the resource group; what is empty is left out."""
    policy = group.policy
    wait: JsonObject = {"for": policy.wait.until.value, "timeout": _spelled(policy.wait.timeout)}
    if policy.wait.stable_for:
        wait["stableFor"] = _spelled(policy.wait.stable_for)
    block: JsonObject = {
        "protect": policy.protect,
        "replace": policy.replace.value,
        "onReplaceFailure": policy.on_replace_failure.value,
        "adopt": policy.adopt.value,
        "images": policy.images.value,
        "wait": wait,
    }
    if policy.depends_on:
        block["dependsOn"] = [
            f"{one.resource_group}/{one.name}" if one.resource_group else one.name
            for one in policy.depends_on
        ]
    if policy.ignore:
        block["ignore"] = [pointer(path) for path in policy.ignore]
    return block


def _spelled(time: timedelta) -> str:
    """A time as manifests write it, such as `1h30m`."""
    minutes, seconds = divmod(round(time.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0s"
