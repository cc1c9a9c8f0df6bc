"""From YAML text in a project folder to the action a plan holds, many groups at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from reconciler.core.asker import Asker
from reconciler.core.build import Situation, build_plan
from reconciler.core.finding import Finding
from reconciler.core.groups import DesiredGroup, LiveGroup, LiveResourceGroup, live_group
from reconciler.core.ids import GroupId, ResourceGroupId
from reconciler.core.ownership import SecretKey, state_after_write, written_tags
from reconciler.core.plan import Action
from reconciler.core.policy import Limits
from reconciler.manifest import load_desired, open_project
from reconciler.manifest.rules import RULES
from tests.traffic.recordings import Wire

OWNER = "shop"
KEY = SecretKey(b"a key for tests")
SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
HOME = "rg-traffic"
# Where the resource group lies: a group that leaves its location out would go there.
HOME_REGION = "northeurope"
# Many variants of one group lie in one project here: they claim the same DNS label.
TOGETHER = ("M606",)
# Bodies here combine anything with anything: what Azure refuses of that is another matter.
COMBINED = [rule.id for rule in RULES.values() if "M307" <= rule.id < "M400"]


class _Dumper(yaml.CSafeDumper):
    """Quotes every text, since PyYAML writes for YAML 1.1 and `0o17` is a number in 1.2."""


_Dumper.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
)
_Dumper.ignore_aliases = lambda self, data: True


def as_yaml(manifest: Wire) -> str:
    """A manifest as a file holds it."""
    return yaml.dump(manifest, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What became of one manifest; `desired` is None where it has errors."""

    desired: DesiredGroup | None
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> frozenset[str]:
        """The rules broken."""
        return frozenset(one.rule for one in self.findings if one.is_error)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What is only doubtful."""
        return tuple(one for one in self.findings if not one.is_error)


def load(
    folder: Path,
    bodies: Mapping[str, Wire],
    *,
    subscription: str = SUBSCRIPTION,
    resource_group: str = HOME,
) -> dict[str, Loaded]:
    """Each body as a manifest of the group it stands under, one file each, loaded as a project."""
    folder.mkdir(parents=True, exist_ok=True)
    defaults = {"subscription": subscription, "resourceGroup": resource_group}
    project_file = {
        "owner": OWNER,
        "defaults": defaults,
        "policy": {"replace": "allow"},
        "lint": {"ignore": COMBINED},
    }
    (folder / "aci-reconcile.yaml").write_text(as_yaml(project_file), encoding="utf-8")
    for name, body in bodies.items():
        text = as_yaml({**body, "name": name})
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    project, wrong = open_project([], cwd=folder, environment=None)
    assert project is not None, wrong
    found = load_desired(project, [], environ={})
    groups = {group.id.name: group for group in found.groups}
    findings: dict[str, list[Finding]] = {name: [] for name in bodies}
    for one in found.findings:
        if one.rule not in TOGETHER:
            findings[Path(one.where.file).stem].append(one)
    return {
        name: Loaded(desired=groups.get(name), findings=tuple(findings[name])) for name in bodies
    }


def live_of(desired: DesiredGroup, answer: Wire) -> LiveGroup:
    """The answer as it would be had we sent the create: with our two tags, under that id."""
    state = state_after_write(desired, key=KEY, commit="abc1234")
    ours = written_tags(desired, None, owner=OWNER, state=state)
    return live_group({**answer, "tags": {**(answer.get("tags") or {}), **ours}})


def renamed(live: LiveGroup, base: DesiredGroup, group: GroupId) -> LiveGroup:
    """`live`, had the group always had this id: our tags are bound to it."""
    state = state_after_write(replace(base, id=group), key=KEY, commit="abc1234")
    tags = {**live.tags, **written_tags(base, None, owner=OWNER, state=state)}
    return replace(live, id=group, tags=tags)


def planned(desired: DesiredGroup, live: LiveGroup, *, region: str = HOME_REGION) -> Action:
    """The one action of a plan for this group alone."""
    home = ResourceGroupId(subscription=live.id.subscription, name=live.id.resource_group)
    plan = build_plan(
        Situation(
            subscription=live.id.subscription,
            asker=Asker(owner=OWNER, key=KEY),
            desired=(desired,),
            declared=(),
            live=(live,),
            resource_groups=(LiveResourceGroup(id=home, location=region, tags={}),),
            limits=Limits(max_replaces=99),
            is_complete=True,
        )
    )
    (action,) = plan.actions
    assert not plan.orphans
    return action
