"""Names of things in Azure. ARM compares them without case, so `address` is what is compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

GROUP_TYPE = "Microsoft.ContainerInstance/containerGroups"
RESOURCE_GROUP_TYPE = "Microsoft.Resources/resourceGroups"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceGroupId:
    """A resource group of one subscription; `name` keeps the case it was written in."""

    subscription: str
    name: str

    @property
    def address(self) -> str:
        """`subscription/resourceGroup` in lower case: equal for the same resource group."""
        return f"{self.subscription}/{self.name}".lower()

    @property
    def arm(self) -> str:
        """The ARM resource id."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.name}"

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupId:
    """A container group; the names keep the case they were written in."""

    subscription: str
    resource_group: str
    name: str

    @property
    def address(self) -> str:
        """`subscription/resourceGroup/group` in lower case: equal for the same group."""
        return f"{self.subscription}/{self.resource_group}/{self.name}".lower()

    @property
    def parent(self) -> ResourceGroupId:
        """The resource group it lives in."""
        return ResourceGroupId(subscription=self.subscription, name=self.resource_group)

    @property
    def arm(self) -> str:
        """The ARM resource id."""
        return f"{self.parent.arm}/providers/{GROUP_TYPE}/{self.name}"

    def __str__(self) -> str:
        return f"{self.resource_group}/{self.name}"


Target: TypeAlias = GroupId | ResourceGroupId


def parse_group_id(text: str) -> GroupId:
    """The group an ARM id names; keywords are found without case (azure-facts A.1).

    Raises:
        ValueError: `text` is not the id of a container group.
    """
    parts = text.strip("/").split("/")
    keywords = [part.lower() for part in parts[0::2]]
    if len(parts) != 8 or keywords != [
        "subscriptions",
        "resourcegroups",
        "providers",
        "containergroups",
    ]:
        raise ValueError(f"the id of a container group, got {text!r}")
    return GroupId(subscription=parts[1], resource_group=parts[3], name=parts[7])
