"""What only all manifests together can say: one declaration each, dependencies that lead home."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.core.finding import Finding
from reconciler.core.groups import DesiredGroup, DesiredResourceGroup
from reconciler.core.ids import GroupId
from reconciler.core.jsonval import WirePath
from reconciler.manifest.build import Built, stated_dependencies
from reconciler.manifest.rules import finding
from reconciler.manifest.wording import listed, near, quoted, shown_path


def linked(
    built: Sequence[Built],
) -> tuple[list[DesiredGroup], list[DesiredResourceGroup], list[Finding]]:
    """Groups by address with their dependencies, resource groups by address, what is wrong."""
    findings = _twice(built)
    groups: dict[str, DesiredGroup] = {}
    resource_groups: dict[str, DesiredResourceGroup] = {}
    names = _Names(built)
    for unit in built:
        if isinstance(unit.desired, DesiredResourceGroup):
            resource_groups.setdefault(unit.desired.id.address, unit.desired)
        elif unit.is_group:
            targets = names.targets(unit, findings)
            if unit.desired is not None:
                policy = replace(unit.desired.policy, depends_on=targets)
                group = replace(unit.desired, policy=policy)
                groups.setdefault(group.id.address, group)
    findings += _cycles(groups, {unit.document.at(("name",)): unit for unit in built})
    return (
        [groups[key] for key in sorted(groups)],
        [resource_groups[key] for key in sorted(resource_groups)],
        findings,
    )


def _address(unit: Built) -> str:
    return f"{unit.resource_group}/{unit.name}".lower()


def _twice(built: Sequence[Built]) -> list[Finding]:
    first: dict[tuple[bool, str], Built] = {}
    findings = []
    for unit in built:
        if not unit.name:
            continue
        key = (unit.is_group, _address(unit))
        earlier = first.setdefault(key, unit)
        if earlier is not unit:
            where = earlier.document.at(("name",))
            noun = "container group" if unit.is_group else "resource group"
            says = f"expected one manifest for each {noun}, got {quoted(unit.name)} again "
            says += f"(first in {where})"
            findings.append(finding("M601", unit.document.at(("name",)), says, path="name"))
    return findings


class _Names:
    """Finds the groups that `dependsOn` means, without case."""

    def __init__(self, built: Sequence[Built]) -> None:
        self.by_address = {_address(unit): unit for unit in built if unit.is_group and unit.name}
        self.by_name: dict[str, list[Built]] = {}
        for unit in self.by_address.values():
            self.by_name.setdefault(unit.name.lower(), []).append(unit)

    def targets(self, unit: Built, findings: list[Finding]) -> tuple[GroupId, ...]:
        found: list[GroupId] = []
        for index, text in enumerate(stated_dependencies(unit.document.data)):
            if not isinstance(text, str):
                continue  # the schema has said so
            target, problem = self._one(text, unit)
            if target is None:
                place: WirePath = ("reconcile", "dependsOn", index)
                where = unit.document.at(place)
                says = f"expected another group of the project, got {quoted(text)}{problem}"
                findings.append(finding("M602", where, says, path=shown_path(place)))
            elif target.desired is not None and isinstance(target.desired, DesiredGroup):
                found.append(target.desired.id)
        return tuple(dict.fromkeys(found))

    def _one(self, text: str, unit: Built) -> tuple[Built | None, str]:
        if "/" in text:
            target = self.by_address.get(text.lower())
        else:
            target = self.by_address.get(f"{unit.resource_group}/{text}".lower())
            others = self.by_name.get(text.lower(), [])
            if target is None and len(others) > 1:
                every = listed(sorted(f"{o.resource_group}/{o.name}" for o in others))
                return None, f", which could be {every}"
            target = target or (others[0] if others else None)
        if target is unit:
            return None, ", which is the group itself"
        if target is None:
            guess = near(text.rsplit("/", 1)[-1], {g.name for g in self.by_address.values()})
            return None, f": did you mean {quoted(guess)}?" if guess else ""
        return target, ""


def _cycles(groups: dict[str, DesiredGroup], units: dict[object, Built]) -> list[Finding]:
    """One finding for each cycle, at the `dependsOn` that closes it."""
    findings: list[Finding] = []
    done: set[str] = set()
    for start in sorted(groups):
        trail: list[str] = []
        stack = [(start, iter(_next(groups, start)))] if start not in done else []
        if stack:
            trail.append(start)
        while stack:
            node, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                stack.pop()
                trail.pop()
                done.add(node)
            elif following in trail:
                loop = [*trail[trail.index(following) :], following]
                findings.append(_cycle(groups[node], loop, groups, units))
            elif following not in done:
                trail.append(following)
                stack.append((following, iter(_next(groups, following))))
    return findings


def _next(groups: dict[str, DesiredGroup], address: str) -> list[str]:
    return [t.address for t in groups[address].policy.depends_on if t.address in groups]


def _cycle(
    group: DesiredGroup,
    loop: list[str],
    groups: dict[str, DesiredGroup],
    units: dict[object, Built],
) -> Finding:
    unit = units.get(group.where)
    place: WirePath = ("reconcile", "dependsOn")
    where = unit.document.at(place) if unit else group.where
    way = " -> ".join(quoted(groups[address].id.name) for address in loop)
    return finding(
        "M603", where, f"expected dependencies without a cycle, got {way}", path=shown_path(place)
    )
