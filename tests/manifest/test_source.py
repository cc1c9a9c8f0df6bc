"""Reading: YAML 1.2 scalars, positions, and no input that raises."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.manifest import Project, load_desired, open_project, scalars
from reconciler.manifest.source import parse
from tests.manifest.conftest import web


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("Null", None), ("nULL", "nULL"),
        ("true", True), ("False", False), ("yes", "yes"), ("no", "no"), ("on", "on"), ("y", "y"),
        ("0", 0), ("-12", -12), ("+7", 7), ("017", 17), ("0o17", 15), ("0x1F", 31), ("0b1", "0b1"),
        ("1_000", "1_000"), ("22:30", "22:30"), ("1.5", 1.5), (".5", 0.5), ("1.", 1.0),
        ("1e3", 1000.0), ("-1.5E-1", -0.15), ("1.2.3", "1.2.3"), ("2019-12-01", "2019-12-01"),
        ("-", "-"), (".", "."), ("+", "+"), ("=", "="), ("<<", "<<"), ("٣", "٣"),
    ],
)  # fmt: skip
def test_plain_scalars_are_those_of_yaml_1_2(text, value):
    found = scalars.plain(text)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", [".inf", "-.INF", ".nan", "1e999", "9" * 41, "0x" + "f" * 50])
def test_numbers_json_cannot_carry_are_refused(text):
    with pytest.raises(ValueError, match="expected|number|digits"):
        scalars.plain(text)


def test_every_value_and_key_has_its_place():
    documents, findings = parse(
        "a.yaml", b"---\na:\n  - b: 'x'\n    c: [1, {d: e}]\n...\n---\nz: 1\n"
    )

    first, second = documents
    assert not findings
    assert dict(first.values) == {
        (): (2, 1), ("a",): (3, 3), ("a", 0): (3, 5), ("a", 0, "b"): (3, 8),
        ("a", 0, "c"): (4, 8), ("a", 0, "c", 0): (4, 9), ("a", 0, "c", 1): (4, 12),
        ("a", 0, "c", 1, "d"): (4, 16),
    }  # fmt: skip
    assert first.keys[("a", 0, "c")] == (4, 5)
    assert second.values[("z",)] == (7, 4)
    assert str(first.at(("a", 0, "nothing", "here"))) == "a.yaml:3:5"


def test_columns_count_characters_not_bytes():
    documents, _ = parse("a.yaml", "ä: ö\nü: {é: x}\n".encode())

    assert documents[0].values[("ü", "é")] == (2, 8)


def test_an_alias_is_a_copy_at_its_own_place():
    documents, _ = parse("a.yaml", b"a: &x {k: [1]}\nb: *x\nc: {<<: *x, m: 2}\n")

    data = documents[0].data
    assert data["b"] == {"k": [1]}
    assert data["c"] == {"k": [1], "m": 2}
    assert data["a"]["k"] is not data["b"]["k"] is not data["c"]["k"]
    assert documents[0].values[("b",)] == (2, 4)
    assert documents[0].values[("b", "k")] == (1, 11)


def test_an_empty_key_is_a_key():
    documents, findings = parse("a.yaml", b'"": 1\n')

    assert documents[0].data == {"": 1}
    assert not findings


def test_a_chain_of_aliases_cannot_grow_deep():
    """Each link is shallow, all together would end Python's stack."""
    link = "a0: &a0 " + "[" * 90 + "]" * 90 + "\n"
    chain = "".join(f"a{i}: &a{i} {'[' * 90}*a{i - 1}{']' * 90}\n" for i in range(1, 12))

    _, findings = parse("a.yaml", (link + chain).encode())

    assert [f.rule for f in findings] == ["M010"]


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 100_000, b"- " * 100_000, b"{a: " * 50_000, b"a: " + b"[" * 5_000 + b"]" * 5_000,
        b"\xef\xbb\xbf\xef\xbb\xbfa: b", b"\xff\xfe\x00\x00", b"\x00", b"\xed\xa0\x80",
        b'a: "\\ud800"', b'a: "\\U00110000"', b"%YAML 9.9\n---\na: b", b"%TAG ! x\n---\n!y a",
        b"a: !<tag:yaml.org,2002:int> x", b"? ? ? a", b"&a &b c", b"*a", b"<<: *x", b"<<: [1, {a: b}]",
        b"? *a\n: b", b"a: &a [*a]", b"&a a: *a", b"!!set {a, b}", b"!!omap [a: b]", b"a: !!float 1",
        b"a: !!float " + b"9" * 1000, b"a: !!null x", b"a: ! 5", b"\ta: b", b"a:\r\n  b\r", b"\x85a: b",
        b"---\n---\n---", b"...", b"--- |\n text", b"a: >\n  x\n y", b"{{a: b}: c}", b"? {a: b}\n: c",
    ],
)  # fmt: skip
def test_awkward_bytes_give_values_or_findings(raw):
    documents, findings = parse("a.yaml", raw)

    assert documents or findings or raw.startswith((b"...", b"---"))
    for finding in findings:
        str(finding).encode("utf-8")


def _load(folder: Path, raw: bytes) -> None:
    (folder / "a.yaml").write_bytes(raw)
    project = Project(
        root=folder, file=folder / "aci-reconcile.yaml", owner="o", resource_group="rg",
        manifests=("a.yaml",), cwd=folder,
    )  # fmt: skip
    loaded = load_desired(project, [], environ={})
    assert loaded.groups or loaded.resource_groups or loaded.findings
    for finding in loaded.findings:
        str(finding).encode("utf-8")


_FUZZ = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

_words = st.sampled_from(
    "name type properties containers osType image resources requests cpu memoryInGB memoryInGb "
    "environmentVariables value secureValue secret volumes azureFile emptyDir volumeMounts tags "
    "reconcile dependsOn ignore wait for timeout identity userAssignedIdentities ipAddress ports "
    "configMap fromEnv fromFile unknown apiVersion protectedSettings extensions subnetIds".split()
)
_leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), _words,
    st.sampled_from(["Linux", "/a/b", "${var:x}", "${var:", "80", "web", "2019-12-01", "10m"]),
)  # fmt: skip
_trees = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(_words, _leaves), inner, max_size=5)
    ),
    max_leaves=25,
)


@_FUZZ
@given(raw=st.binary(max_size=400))
def test_no_bytes_raise(tmp_path: Path, raw: bytes):
    _load(tmp_path, raw)


@_FUZZ
@given(text=st.text(alphabet="ab:- \n\t[]{}&*!|>'\"#%?,<~$0\\", max_size=200))
def test_no_yaml_like_text_raises(tmp_path: Path, text: str):
    _load(tmp_path, text.encode())


@_FUZZ
@given(tree=st.dictionaries(_words, _trees, max_size=6))
def test_no_tree_of_known_words_raises(tmp_path: Path, tree: dict):
    import yaml

    _load(tmp_path, yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "replace"))


def _places(value: object, path: tuple = ()) -> list[tuple]:
    members = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [path, *(place for key, item in members for place in _places(item, (*path, key)))]


@_FUZZ
@given(data=st.data())
def test_no_value_in_any_place_of_a_rich_manifest_raises(tmp_path: Path, data: st.DataObject):
    import yaml

    tree = yaml.safe_load(
        (Path(__file__).parent / "cases" / "docs-reference-tree.yaml").read_text()
    )
    place = data.draw(st.sampled_from(_places(tree)[1:]))
    holder = tree
    for part in place[:-1]:
        holder = holder[part]
    holder[place[-1]] = data.draw(_trees)

    _load(tmp_path, yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "replace"))


@_FUZZ
@given(tree=_trees)
def test_no_project_file_raises(tmp_path: Path, tree: object):
    import yaml

    text = yaml.safe_dump(
        {"owner": "o", "defaults": tree, "environments": {"e": tree}, "policy": tree}
    )
    (tmp_path / "aci-reconcile.yaml").write_bytes(text.encode("utf-8", "replace"))

    project, findings = open_project([tmp_path], cwd=tmp_path, environment=None)

    assert project is not None or findings


def test_the_garbage_collector_runs_again_afterwards(tmp_path: Path):
    (tmp_path / "a.yaml").write_text(web())
    project, _ = open_project([tmp_path], cwd=tmp_path, environment=None)

    load_desired(project, [], environ=os.environ)

    assert gc.isenabled()
