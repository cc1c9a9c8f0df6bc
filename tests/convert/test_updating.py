"""A manifest brought to what is live, whatever it said before: it equals it, and is still its own."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from reconciler.convert.updating import NotRewritten, updated
from reconciler.convert.writing import manifest_text
from reconciler.core.diff import diff
from reconciler.core.groups import live_group
from reconciler.manifest.project import Project
from tests.convert.test_round_trip import OWNER, read
from tests.convert.test_round_trip import as_live as read_as_live
from tests.strategies import live_of
from tests.traffic import generated

HOME = "rg-shop"


def project(**variables):
    return Project(root=Path(), file=None, owner=OWNER, variables=variables)


def text_of(body):
    """A manifest as somebody writes it: with a comment above and one behind its name."""
    wire = read_as_live(live_of(body).body).body
    written = manifest_text(wire, name="web", resource_group=HOME, is_read=True, tags={"a": "1"})
    return "# mine\n" + written.text.replace("name: web\n", "name: web  # ours\n", 1)


def test_any_manifest_comes_to_any_live_group():
    bodies = generated.drawn(60)
    for before, after in pairwise(bodies):
        text = text_of(before)
        desired, _ = read(text)
        live = live_group(
            {**live_of(after).body, "id": desired.id.arm, "tags": {"a": "2", "b": "3"}}
        )

        result = updated(live, desired, project(), text=text)

        again, _ = read(result)
        assert not diff(again, live)
        assert again.tags == {"a": "2"}
        assert result.startswith("# mine\n")
        assert "name: web  # ours\n" in result
        assert updated(live, again, project(), text=result) == result


def test_a_manifest_that_equals_stays_as_it_is_to_the_byte():
    for body in generated.drawn(40):
        text = text_of(body)
        desired, _ = read(text)
        live = live_group({**live_of(body).body, "id": desired.id.arm, "tags": {"a": "1"}})

        assert updated(live, desired, project(), text=text) == text


MANIFEST = """\
name: web
reconcile: {resourceGroup: rg-shop, ignore: [/properties/containers/web/properties/command]}
location: westeurope
properties:
  osType: Linux
  containers:
  - name: web
    properties:
      image: nginx:1
      command: [mine]
      resources: {requests: {cpu: 1, memoryInGB: 1}}
---
name: other
location: westeurope
reconcile: {resourceGroup: rg-shop}
properties:
  osType: Linux
  containers:
  - {name: web, properties: {image: nginx:1, resources: {requests: {cpu: 1, memoryInGB: 1}}}}
"""


def live(**container):
    body = {
        "location": "westeurope",
        "properties": {
            "osType": "Linux",
            "containers": [
                {
                    "name": "web",
                    "properties": {
                        "image": "nginx:2",
                        "resources": {"requests": {"cpu": 1, "memoryInGB": 1}},
                        **container,
                    },
                }
            ],
        },
    }
    return body


def as_live(desired, body):
    return live_group({**live_of(body).body, "id": desired.id.arm})


def test_what_is_ignored_and_the_documents_beside_it_stay():
    first = MANIFEST.split("---\n")[0]
    desired, _ = read(first)
    desired = replace(desired, where=replace(desired.where, file="web.yaml"))

    result = updated(as_live(desired, live(command=["theirs"])), desired, project(), text=MANIFEST)

    assert result == MANIFEST.replace("image: nginx:1\n", "image: nginx:2\n", 1)


def test_a_value_that_stands_in_two_places_is_not_half_changed():
    text = MANIFEST.split("---\n")[0].replace(
        "{cpu: 1, memoryInGB: 1}", "&sum {cpu: 1, memoryInGB: 1}"
    )
    text = text.replace("requests: &sum", "limits: *sum, requests: &sum").replace(
        "limits: *sum, requests: &sum {cpu: 1, memoryInGB: 1}",
        "requests: &sum {cpu: 1, memoryInGB: 1}, limits: *sum",
    )
    desired, _ = read(text)
    body = live()
    resources = body["properties"]["containers"][0]["properties"]["resources"]
    resources |= {"requests": {"cpu": 2, "memoryInGB": 1}, "limits": {"cpu": 3, "memoryInGB": 1}}

    with pytest.raises(NotRewritten, match="it would still differ in .*requests/cpu"):
        updated(as_live(desired, body), desired, project(), text=text)


AROUND = """\
# above all
---
# above it

name: web   # who
location: westeurope
reconcile: {resourceGroup: rg-shop}
properties:
  osType: Linux
  containers:   # only one
    - name: web   # front

      # about it
      properties:
        image: nginx:1   # pinned
        command: [sh, -c, "a # b"]
        resources: {requests: {cpu: 1, memoryInGB: 1}}

# below it
---

# about the next
type: Microsoft.Resources/resourceGroups
name: rg-shop
location: westeurope
# the end
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_no_comment_line_end_or_document_around_is_lost(end, mark):
    first = "---\n".join(AROUND.split("---\n")[:2])
    desired, _ = read(first)
    text = mark + AROUND.replace("\n", end)
    body = live(command=["sh", "-c", "a # b"])

    result = updated(as_live(desired, body), desired, project(), text=text)

    assert result == text.replace("image: nginx:1 ", "image: nginx:2 ")
