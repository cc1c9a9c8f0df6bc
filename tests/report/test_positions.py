"""Rows point at the lines of real manifests: with comments, several documents, anchors."""

from __future__ import annotations

import json
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.core.diff import Diff, Origin, diff
from reconciler.core.jsonval import parse_pointer
from reconciler.core.normalise import canonical
from reconciler.core.plan import Action, ActionKind
from reconciler.core.policy import Limits
from reconciler.core.rails import rails
from reconciler.errors import ExitCode
from reconciler.manifest import DesiredSet, load_desired, open_project
from reconciler.report.as_json import as_json
from reconciler.report.read_plan import report_of
from reconciler.report.rows import plan_report
from reconciler.report.shape import ActionRow
from tests.report.samples import at, change, live, plan, reports

PROJECT = """\
owner: shop
defaults:
  subscription: 11111111-1111-1111-1111-111111111111
  resourceGroup: rg-shop-prod
  location: westeurope
"""
MANIFEST = """\
# what stands in front
---
type: Microsoft.Resources/resourceGroups
name: rg-shop-prod
location: westeurope
---
# the shop
name: web
Properties:            # in another case
  osType: Linux
  containers:
    # helps the other
    - properties:
        image: side:1
        resources: &small {requests: {cpu: 1, memoryInGB: 1}}
      name: side
    - name: web
      properties:
        image: "nginx:1"   # pinned
        environmentVariables:
          - name: LEVEL
            value: info
          - {name: TOKEN, secureValue: {fromEnv: TOKEN}}
        ports:
          - port: 80
        resources: *small
"""


@pytest.fixture
def loaded(tmp_path: Path) -> DesiredSet:
    (tmp_path / "aci-reconcile.yaml").write_text(PROJECT, encoding="utf-8")
    folder = tmp_path / "groups"
    folder.mkdir()
    (folder / "web.yaml").write_text(textwrap.dedent(MANIFEST), encoding="utf-8")
    project, _ = open_project([tmp_path], cwd=tmp_path, environment=None)
    assert project is not None
    return load_desired(project, [tmp_path], environ={"TOKEN": "hunter2"})


def row_of(action: Action) -> ActionRow:
    (row,) = plan_report(plan(action), environment=None, exit_code=ExitCode.DONE).actions
    return row


def updated(loaded: DesiredSet, *pointers: str) -> ActionRow:
    """An update of the group that differs in so many fields."""
    (group,) = loaded.groups
    changes = tuple(change(parse_pointer(one), "a", "b") for one in pointers)
    return row_of(
        Action(
            kind=ActionKind.UPDATE,
            target=group.id,
            why="differs",
            desired=group,
            live=live("web"),
            diff=Diff(changes=changes),
        )
    )


def test_a_group_stands_where_its_name_does(loaded: DesiredSet) -> None:
    row = updated(loaded)

    assert (row.file, row.line, row.column) == ("groups/web.yaml", 8, 7)


def test_a_resource_group_has_a_place_too(loaded: DesiredSet) -> None:
    (declared,) = loaded.resource_groups

    row = row_of(Action(kind=ActionKind.CREATE, target=declared.id, why="none", declared=declared))

    assert (row.file, row.line, row.column) == ("groups/web.yaml", 4, 7)


def test_a_group_of_no_manifest_has_no_place() -> None:
    row = row_of(Action(kind=ActionKind.DELETE, target=live("x").id, why="ours", live=live("x")))

    assert row.file == ""


def test_a_limit_stands_where_the_project_file_sets_it() -> None:
    action = Action(kind=ActionKind.DELETE, target=live("x").id, why="ours", live=live("x"))
    where = at("aci-reconcile.yaml", 7, 15)
    limits = Limits(max_deletes=0, max_delete_percent=None, where={"maxDeletes": where})

    (set_,) = rails([action], limits, owned=5, allow={})
    (unset,) = rails([action], replace(limits, where={}), owned=5, allow={})

    assert set_.where == where
    assert unset.where is None


def test_a_plan_that_is_read_back_keeps_the_places(tmp_path: Path) -> None:
    report = reports()["plan-blocked"]

    again = report_of(json.loads(as_json(report)))

    assert [one.where for one in again.rails] == [one.where for one in report.rails]
    assert [(one.file, one.line) for one in again.actions] == [
        (one.file, one.line) for one in report.actions
    ]


CONTAINER = "/properties/containers/web/properties"


@pytest.mark.parametrize(
    ("pointer", "place"),
    [
        (f"{CONTAINER}/image", "19:16"),
        (f"{CONTAINER}/environmentVariables/LEVEL/value", "22:20"),
        (f"{CONTAINER}/environmentVariables/TOKEN/secureValue", "23:40"),
        (f"{CONTAINER}/ports/80~1TCP/port", "25:19"),
        # What an alias brought stands where the anchor is, the alias itself where it is written.
        (f"{CONTAINER}/resources", "26:20"),
        (f"{CONTAINER}/resources/requests/cpu", "15:44"),
        ("/properties/containers/side/properties/image", "14:16"),
        # What the manifest does not say lies on the nearest thing around it.
        (f"{CONTAINER}/environmentVariables/OLD/value", "21:11"),
        (f"{CONTAINER}/command", "19:9"),
        ("/properties/containers/gone", "13:5"),
        ("/properties/restartPolicy", "10:3"),
        ("/tags/team", "8:1"),
    ],
)
def test_a_field_stands_where_the_manifest_asks_for_it(
    loaded: DesiredSet, pointer: str, place: str
) -> None:
    (row,) = updated(loaded, pointer).fields

    assert str(row.where) == f"groups/web.yaml:{place}"
    assert row.patch is None


def test_the_paths_of_a_real_diff_lead_to_their_lines(loaded: DesiredSet) -> None:
    (group,) = loaded.groups
    containers = group.body["properties"]["containers"]  # type: ignore[index, call-overload]
    served = [
        {**one, "properties": {**one["properties"], "image": "moved:2"}}  # type: ignore[index, dict-item]
        for one in reversed(containers)  # type: ignore[arg-type]
    ]
    body = {**group.body, "properties": {**group.body["properties"], "containers": served}}  # type: ignore[dict-item]
    found = diff(group, replace(live("web"), body=body, canonical=canonical(body), tags={}))

    row = row_of(
        Action(
            kind=ActionKind.UPDATE,
            target=group.id,
            why="differs",
            desired=group,
            live=live("web"),
            diff=found,
            origin=Origin.DRIFT,
        )
    )

    images = {one.pointer: str(one.where) for one in row.fields if one.pointer.endswith("image")}
    assert images == {
        "/properties/containers/side/properties/image": "groups/web.yaml:14:16",
        "/properties/containers/web/properties/image": "groups/web.yaml:19:16",
    }
