"""The one style: what changes, what never does, and that a second time changes nothing."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from reconciler.core.jsonval import as_object
from reconciler.manifest.formatting import FormatRefused, format_text, formatted
from reconciler.manifest.formatting.key_order import ORDERS
from reconciler.manifest.formatting.masking import masked
from reconciler.manifest.formatting.quotes import needs_quotes
from reconciler.manifest.schemas import Kind, schema
from reconciler.manifest.source import parse
from tests.conftest import CHECKOUT
from tests.manifest.scribble import NASTY, scribbled

FIXTURES = sorted(
    path
    for folder in ("tests/manifest/cases", "manifests", "ci", "tests/traffic", "docs")
    for path in (CHECKOUT / folder).rglob("*.y*ml")
)


def data_of(text: str) -> list[str]:
    """What a text says to our loader, in which 1, 1.0 and true differ."""
    documents, findings = parse("<text>", text.encode())
    assert not findings
    return [json.dumps(document.data, sort_keys=True) for document in documents]


def read_by_others(text: str) -> Any:
    """What a text says to tools of YAML 1.1."""
    try:
        return [repr(one) for one in map(ordered, yaml.load_all(text, yaml.CSafeLoader))]
    except (yaml.YAMLError, ValueError) as exc:
        return type(exc)


def ordered(value: Any) -> Any:
    """Mappings sorted by key: their order says nothing."""
    if isinstance(value, dict):
        return sorted(((str(k), ordered(v)) for k, v in value.items()), key=lambda pair: pair[0])
    return [ordered(item) for item in value] if isinstance(value, list) else value


@settings(max_examples=int(os.environ.get("FUZZ_EXAMPLES", "30")), deadline=None)
@given(scribbled())
def test_a_manifest_says_the_same_in_the_one_style(text: str) -> None:
    made = format_text(text)

    assert data_of(made) == data_of(text)
    assert read_by_others(made) == read_by_others(text)
    assert format_text(made) == made
    notes = re.compile(r"# \d+ (?:head|foot|own line|beside .*)$", re.MULTILINE)
    assert Counter(notes.findall(made)) == Counter(notes.findall(text))
    for line in made.split("\n"):
        if beside := re.search(r"# \d+ beside ([^-].*)$", line):
            assert beside[1] in line[: beside.start()], "a comment stays with its key"


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_every_file_of_this_repository_says_the_same_in_the_one_style(path: Path) -> None:
    raw = path.read_bytes()
    if parse(path.name, raw)[1]:
        assert not isinstance(formatted(path.name, raw), bytes)
        return

    made = formatted(path.name, raw)

    assert isinstance(made, bytes)
    text, old = made.decode(), raw.decode("utf-8-sig").replace("\r\n", "\n")
    assert data_of(text) == data_of(old)
    assert read_by_others(text) == read_by_others(old)
    assert formatted(path.name, made) == made


@pytest.mark.parametrize(
    "path", sorted((CHECKOUT / "manifests").glob("*.yaml")), ids=lambda p: p.stem
)
def test_the_sample_is_in_the_one_style(path: Path) -> None:
    assert format_text(path.read_text("utf-8")) == path.read_text("utf-8")


CASES = {
    "keys are put in order, comments go with theirs": (
        """\
        # heads the file
        properties:
          # about containers
          containers:
          - properties:
              image: a   # the image
            # about the name
            name: web
          osType: Linux
        # about the name
        name: web
        # yaml-language-server: $schema=x.json
        """,
        """\
        # heads the file
        # about the name
        name: web
        properties:
          osType: Linux
          # about containers
          containers:
            # about the name
            - name: web
              properties:
                image: a  # the image
        # yaml-language-server: $schema=x.json
        """,
    ),
    "the modeline stays on top": (
        "# about\n# yaml-language-server: $schema=x.json\nname: a\n",
        "# yaml-language-server: $schema=x.json\n# about\nname: a\n",
    ),
    "what silences a rule stays with its line": (
        "# aci-reconcile: ignore[M401] known\nproperties: {}\nname: a  # aci-reconcile: ignore[M1] x\n",
        "name: a  # aci-reconcile: ignore[M1] x\n# aci-reconcile: ignore[M401] known\nproperties: {}\n",
    ),
    "needless quotes go, needed ones stay": (
        "name: 'web'\ntags: {\"a\": \"b c\", 'no': 'on', v: '1.10', d: \"2024-01-01\", e: 'y', f: 'a\"b'}\n",
        'name: web\ntags: {a: b c, "no": "on", v: "1.10", d: "2024-01-01", e: "y", f: \'a"b\'}\n',
    ),
    "brackets are closed up, and opened where the line is too long": (
        "name: a\ntags: {   a:  b,\n  c: d }\nzones: [\n]\nproperties: {osType: "
        + "L" * 80
        + ", containers: []}\n",
        "name: a\ntags: {a: b, c: d}\nzones: []\nproperties:\n  osType: "
        + "L" * 80
        + "\n  containers: []\n",
    ),
    "a comment in brackets opens them": (
        "name: a\nzones: [\n  # first\n  a, # beside a\n  b\n  # last\n]\n",
        "name: a\nzones:\n  # first\n  - a  # beside a\n  - b\n  # last\n",
    ),
    "a comment in a document in brackets, and in brackets that hold nothing": (
        "--- {name: a, # beside\n  zones: [ # none\n  ]}\n",
        "---\nname: a  # beside\n# none\nzones: []\n",
    ),
    "one blank line at most, none at the ends": (
        "\n\nname: a\n\n\n\ntags:\n\n  a: b\n\n\n",
        "name: a\n\ntags:\n  a: b\n",
    ),
    "block texts keep every character": (
        "name: a\ntags:\n     a: |+  # kept\n          x\n            y \n\n     b: >-\n       p\n       q\n     c: |2\n         z\n",
        "name: a\ntags:\n  a: |+  # kept\n    x\n      y \n\n  b: >-\n    p\n    q\n  c: |2\n      z\n",
    ),
    "anchors, aliases and merge keys stay, and none comes before its anchor": (
        "properties:\n  containers: &c [a]\n  initContainers: *c\nname: a\ntags: &t {a: b}\n",
        "name: a\ntags: &t {a: b}\nproperties:\n  containers: &c [a]\n  initContainers: *c\n",
    ),
    "documents stay apart": (
        "---\nname: a\n---   # second\nname: b\n...\n---\nname: c\n",
        "---\nname: a\n---  # second\nname: b\n...\n---\nname: c\n",
    ),
    "a document of nothing of ours keeps its order": (
        "on: push\njobs:\n    a: {}\n",
        "on: push\njobs:\n  a: {}\n",
    ),
    "a list of lists": (
        "zones:\n- - a\n  - b\n-\n  # c\n  - d\nname: a\n",
        "name: a\nzones:\n  - - a\n    - b\n  # c\n  - - d\n",
    ),
    "long keys need no question mark": (
        "name: a\ntags:\n  ? b\n  : c\n",
        "name: a\ntags:\n  b: c\n",
    ),
}


def dedent(text: str) -> str:
    """The text without what it is indented by here."""
    return re.sub(r"^        ", "", text, flags=re.MULTILINE) if text.startswith(" " * 8) else text


@pytest.mark.parametrize(("text", "wanted"), CASES.values(), ids=CASES.keys())
def test_the_style_is_this(text: str, wanted: str) -> None:
    made = format_text(dedent(text))

    assert made == dedent(wanted)
    assert format_text(made) == made


@pytest.mark.parametrize("text", NASTY)
def test_quotes_go_only_where_no_reader_would_see_a_difference(text: str) -> None:
    for in_flow in (False, True):
        if not needs_quotes(text, in_flow=in_flow):
            written = f"[{text}]" if in_flow else f"- {text}"
            assert yaml.safe_load(written) == [text]
            assert data_of(f"a: {written if in_flow else text}") == data_of(
                f"a: {json.dumps([text] if in_flow else text)}"
            )


@pytest.mark.parametrize(
    "name", ["1.10", "10.0.0.4", "80", "5 4 * * *", "n", "Off", "0777", "<<", "="]
)
def test_what_could_be_taken_for_something_else_stays_quoted(name: str) -> None:
    text = f'name: a\ntags: {{x: "{name}"}}\n'

    assert format_text(text) == text


def test_line_ends_are_those_of_the_first_line_and_a_byte_order_mark_goes() -> None:
    made = formatted("web.yaml", b"\xef\xbb\xbfname:  a\r\ntags: {a: b}\r\n")

    assert made == b"name: a\r\ntags: {a: b}\r\n"


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "a", "tags": {}}',
        '\n{"name":\n"a"}\n',
        'name:  "a\x85b"\n',
        'name: "a\u2028b"  \n',
    ],
)
def test_json_and_breaks_that_nobody_sees_are_left_alone(text: str) -> None:
    assert format_text(text) == text


def test_a_text_that_is_no_yaml_is_refused_with_its_place() -> None:
    with pytest.raises(FormatRefused, match=r"<text>:2:1: M003"):
        format_text("name: a\n\tb: c\n")


def test_a_loss_is_noticed_and_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever mistake the printer may make, it costs nobody a word of a manifest."""
    from reconciler.manifest import formatting

    for wrong in ("name: b # c\n", "name: a\n", "name: a # c\ntags: {}\n", "name: [\n"):
        monkeypatch.setattr(formatting, "printed", lambda _pages, wrong=wrong: wrong)
        with pytest.raises(FormatRefused, match="would change what it says"):
            format_text("name:  a # c\n")


@pytest.mark.parametrize("path", ORDERS, ids=lambda path: "/".join(path) or "root")
def test_the_order_names_the_keys_of_the_schema_each_once(path: tuple[str, ...]) -> None:
    rules = schema(Kind.GROUP)
    for part in path:
        rules = as_object(rules["items"] if part == "*" else as_object(rules["properties"])[part])

    assert sorted(ORDERS[path]) == sorted(as_object(rules["properties"]))


def test_a_diff_shows_no_secret() -> None:
    text = (
        "name: a\nproperties:\n  imageRegistryCredentials: [{server: s, password: hunter2-a}]\n"
        "  containers:\n    - name: web\n      properties:\n        command: [x, --password, hunter2-b]\n"
        "        environmentVariables:\n"
        "          - {name: A, secureValue: &p hunter2-c}\n"
        "          - {name: B_PASSWORD, value: hunter2-d}\n"
        "          - name: C\n            secureValue: |\n              hunter2-e\n              hunter2-f\n"
        "          - {name: D, value: kept}\n"
        "  volumes: [{name: v, secret: {k: hunter2-g}}]\n"
    )

    shown = masked("web.yaml", text.encode())

    assert "hunter2" not in shown
    assert "kept" in shown
    assert shown.count("\n") == text.count("\n")
    project = masked(
        "p.yaml", b"owner: a\nsecretKey: hunter2\nvariables: {dbPassword: hunter2, b: kept}\n"
    )
    assert "hunter2" not in project
    assert "kept" in project
