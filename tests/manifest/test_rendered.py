"""What `render` writes: the same desired state, with no secret in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifest import DesiredSet, load_desired, open_project
from reconciler.manifest.rendered import as_json, as_yaml, manifests_of, written_down
from reconciler.manifest.source import parse
from tests.manifest.conftest import CASES, ENVIRON, SECRETS, Load, case_project, web

ROOT = Path(__file__).parents[2]
# Those that load; the others render nothing.
NAMES = sorted(
    path.stem
    for path in CASES.glob("*.yaml")
    if "error " not in (CASES / f"{path.stem}.txt").read_text(encoding="utf-8")
)


def rendered(loaded: DesiredSet) -> str:
    return as_yaml(manifests_of(loaded.groups, loaded.resource_groups), says="a comment")


def again(text: str, folder: Path) -> DesiredSet:
    """What the text says by itself: without a project file's defaults, variables and policies."""
    (folder / "rendered.yaml").write_text(text, encoding="utf-8")
    project = case_project("rendered")
    from dataclasses import replace

    bare = replace(
        project, root=folder, file=folder / "x", variables={}, resource_group="", cwd=folder
    )
    return load_desired(bare, [], environ=None)


def wishes(loaded: DesiredSet) -> list[object]:
    """All that a plan is made of."""
    groups = [
        (
            one.id,
            one.canonical,
            one.tags,
            one.policy,
            {(s.name, json.dumps(s.source)) for s in one.secrets},
        )
        for one in loaded.groups
    ]
    homes = [(one.id, one.location, one.tags) for one in loaded.resource_groups]
    return [groups, homes]


def unfollowed(name: str) -> DesiredSet:
    return load_desired(case_project(name), [], environ=None)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_rendered_asks_for_the_same(name: str, tmp_path: Path):
    first = unfollowed(name)

    second = again(rendered(first), tmp_path)

    assert not second.errors, [str(one) for one in second.errors]
    left_out = bool(written_down(first.groups))
    if not left_out:
        assert wishes(second) == wishes(first)
    assert [g.canonical for g in second.groups] == [g.canonical for g in first.groups]
    assert [len(g.secrets) for g in second.groups] == [len(g.secrets) for g in first.groups]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_rendered_twice_is_the_same_text(name: str, tmp_path: Path):
    once = rendered(unfollowed(name))

    assert rendered(again(once, tmp_path)) == once


@pytest.mark.parametrize("name", NAMES)
def test_no_secret_is_rendered(name: str):
    loaded = load_desired(case_project(name), [], environ=ENVIRON)
    documents = manifests_of(loaded.groups, loaded.resource_groups)

    both = as_yaml(documents) + as_json(documents)

    assert not [secret for secret in SECRETS if secret in both]


def test_the_sample_renders_to_the_same(tmp_path: Path):
    project, _ = open_project([ROOT / "manifests"], cwd=ROOT, environment=None)
    assert project is not None
    first = load_desired(project, [], environ=None)

    second = again(rendered(first), tmp_path)

    assert not second.errors
    assert [g.canonical for g in second.groups] == [g.canonical for g in first.groups]
    assert [g.tags for g in second.groups] == [g.tags for g in first.groups]
    assert [g.policy.wait for g in second.groups] == [g.policy.wait for g in first.groups]


def test_policies_of_the_project_are_spelled_out(write, load: Load, tmp_path: Path):
    write(
        "aci-reconcile.yaml",
        "owner: a\ndefaults: {resourceGroup: rg, location: West Europe, tags: {t: x}}\n"
        "policy: {adopt: always, replace: allow, onReplaceFailure: restore}\n"
        "environments: {prod: {protect: true}}\n",
    )
    write("db.yaml", web("db"))
    block = (
        "reconcile: {dependsOn: [db], wait: {for: started, timeout: 90s, stableFor: 1m}, "
        "ignore: [/properties/restartPolicy]}\n"
    )
    write("web.yaml", web("web", block))
    first = load(environment="prod")

    second = again(rendered(first), tmp_path)

    assert not second.errors, [str(one) for one in second.errors]
    pairs = zip(first.groups, second.groups, strict=True)
    for one, other in pairs:
        assert one.policy.protect
        assert (other.policy.adopt, other.policy.replace) == (one.policy.adopt, one.policy.replace)
        assert other.policy.wait == one.policy.wait
        assert other.policy.ignore == one.policy.ignore
        assert other.policy.protect
        assert [d.name for d in other.policy.depends_on] == [d.name for d in one.policy.depends_on]


TEXTS = st.text(max_size=40) | st.sampled_from(
    ["yes", "no", "1e3", "017", "0o17", "0x1F", ".5", "-", "~", "null", "Null", "22:30", "1_000"]
    + [
        "2024-01-31",
        "=",
        "<<",
        "- a",
        "a: b",
        "#",
        "'",
        '"',
        "a\n",
        "\na",
        " a\nb ",
        "a\r\nb",
        "\t",
    ]
    + [
        "\u0085",
        "\u2028",
        "\ufeff",
        "😀",
        "|",
        ">",
        "%a",
        "@a",
        "!a",
        "&a",
        "*a",
        "{",
        "]",
        "",
        ".inf",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | TEXTS
    | st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def _is_sound(value: object) -> bool:
    """Without characters that YAML cannot hold, whoever writes it."""
    text = json.dumps(value, ensure_ascii=False)
    return all(char == "\n" or char == "\t" or ord(char) >= 0x20 for char in text)


@given(st.dictionaries(TEXTS.filter(lambda t: t != "<<"), VALUES, min_size=1, max_size=3))
def test_any_value_reads_back_as_it_was_written(document):
    text = as_yaml([document])

    read, findings = parse("f.yaml", text.encode("utf-8", "surrogatepass"))

    assert not findings, (text, [str(one) for one in findings])
    assert [one.data for one in read] == [document]
