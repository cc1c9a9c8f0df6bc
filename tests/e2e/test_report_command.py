"""`report`: many documents in one comment or issue."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from markdown_it import MarkdownIt

from reconciler.report.gathered import Entry, Gathered, gathered_json, unread
from reconciler.report.gathered_markdown import gathered_markdown
from tests.conftest import Repository, conforms, group


@pytest.fixture
def shop(repository: Repository) -> Repository:
    """Two environments, applied in `test` and drifted there; nothing in `prod`."""
    repository.given_home()
    repository.given_home("rg-prod")
    repository.project(environments={"test": {}, "prod": {"resourceGroup": "rg-prod"}})
    repository.write(group(), group("other"))
    done = repository.here("apply", "--yes", "-e", "test", "-o", "json=applied.json")
    assert done.code == 0, done.err
    repository.set_image("web", "nginx:hotfix")
    repository.here("drift", "-e", "test", "-o", "json=drift.json")
    repository.here("plan", "-e", "prod", "-o", "json=plan.json")
    repository.here("validate", "-o", "json=valid.json")
    return repository


FILES = ("plan.json", "applied.json", "valid.json", "drift.json")


def document(repository: Repository, *files: str) -> dict[str, Any]:
    done = repository.here("report", *files, "-o", "json")
    found = json.loads(done.out)
    conforms(found)
    assert found["exitCode"] == done.code
    return dict(found)


def test_by_project_and_environment_the_worst_first(shop: Repository) -> None:
    found = document(shop, *FILES)

    assert [
        (
            place["owner"],
            place["environment"],
            [(one["command"], one["word"]) for one in place["documents"]],
        )
        for place in found["places"]
    ] == [
        ("shop", "test", [("drift", "drift"), ("apply", "done")]),
        ("shop", "prod", [("plan", "changes")]),
        ("", None, [("validate", "done")]),
    ]
    assert found["counts"] == {"total": 4, "bad": 1, "untold": 0}
    (entry,) = found["places"][0]["documents"][0]["entries"]
    assert (entry["subject"], entry["word"]) == ("rg-shop/web", "changed")


def test_markdown_is_the_default_and_has_marks_to_find_it_by(shop: Repository) -> None:
    done = shop.here("report", *FILES)

    assert done.code == 0
    assert done.out.splitlines()[0] == "<!-- aci-reconcile:report -->"
    marks = re.findall(r"^<!-- (aci-reconcile:\S+) -->$", done.out, re.MULTILINE)
    assert marks == [
        "aci-reconcile:report",
        "aci-reconcile:report:shop:test",
        "aci-reconcile:report:shop:test:end",
        "aci-reconcile:report:shop:prod",
        "aci-reconcile:report:shop:prod:end",
    ]
    assert "1 of 4 runs to look at" in done.out
    assert "| ⚠️ | `shop` | `test` | `drift` | **drift** |" in done.out
    assert "- `rg-shop/web` **changed**: changed in Azure: /properties/containers/web" in done.out


def test_it_is_written_wherever_it_is_wanted(shop: Repository) -> None:
    done = shop.here("report", *FILES, "-o", "markdown=issue.md", "-o", "json=all.json")

    assert (done.code, done.out) == (0, "")
    assert (shop.root / "issue.md").read_text("utf-8") == shop.here("report", *FILES).out
    assert json.loads((shop.root / "all.json").read_text()) == document(shop, *FILES)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read: No such file or directory"),
        ("", "1:1: expected JSON"),
        ("[1]", "expected what -o json wrote, got JSON of the type list"),
        ('{"kind": "Plan"}', "is a required property"),
        ("[" * 100_000, "expected what -o json wrote: RecursionError"),
        (b"\xff\xfe", "expected what -o json wrote: UnicodeDecodeError"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_first_and_hides_no_other(
    shop: Repository, content: str | bytes | None, says: str
) -> None:
    if content is not None:
        data = content if isinstance(content, bytes) else content.encode()
        (shop.root / "bad.json").write_bytes(data)

    done = shop.here("report", "drift.json", "bad.json")
    found = document(shop, "drift.json", "bad.json")

    assert done.code == 1
    assert done.err.startswith("aci-reconcile: error: bad.json: ")
    assert done.err.count("\n") == 1
    assert says in done.err
    assert found["places"][0]["documents"][0]["word"] == "could not be told"
    assert found["places"][1]["documents"][0]["word"] == "drift"
    assert "| ❓ | – | – | `bad.json` | **could not be told** |" in done.out


def test_a_format_that_it_cannot_write_is_64(shop: Repository) -> None:
    done = shop.here("report", *FILES, "-o", "junit=x.xml")

    assert done.code == 64
    assert "expected markdown or json" in done.err


def test_no_azure_and_no_project_is_needed(shop: Repository, tmp_path: Any) -> None:
    from tests.conftest import typed

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    text = (shop.root / "drift.json").read_text()
    (elsewhere / "drift.json").write_text(text)

    assert typed("report", "drift.json", cwd=elsewhere).code == 0


# Hostile and large


NASTY = "x` | <img src=x> @admin ![i](//evil) --> <!-- aci-reconcile:report -->\n# ::set-output"


def run(number: int, *, text: str = "why", entries: int = 1, word: str = "drift") -> Gathered:
    return Gathered(
        file=f"{number}.json",
        owner=f"shop{number}",
        environment=text if text == NASTY else "prod",
        command="drift",
        word=word,
        summary=text,
        exit_code=2,
        entries=tuple(Entry(subject=text, word="changed", says=text) for _ in range(entries)),
    )


def test_texts_of_others_are_text() -> None:
    text = gathered_markdown([run(1, text=NASTY), unread(NASTY, NASTY)])

    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    inline = [child for token in tokens for child in token.children or ()]
    assert {child.type for child in inline} & {"image", "link_open"} == set()
    allowed = ("<!--", "-->", "<code>", "</code>")
    raw = [t.content for t in (*tokens, *inline) if t.type in ("html_inline", "html_block")]
    for html in raw:
        assert html.strip().startswith(allowed), html
        assert "<img" not in html
    assert text.count("<!-- aci-reconcile:report -->") == 1
    outside = re.sub(r"<code>.*?</code>|`[^`]*`", "", text)  # in code GitHub looks for no names
    assert "@admin" not in outside
    assert "admin" in outside
    assert "\n# " not in text


@pytest.mark.parametrize(("documents", "entries"), [(3, 500), (200, 100), (3000, 3)])
def test_it_always_fits_and_says_what_it_left_out(documents: int, entries: int) -> None:
    every = [run(number, text="why " * 60, entries=entries) for number in range(documents)]

    text = gathered_markdown([*every, unread("bad.json", "gone")])

    assert len(text) <= 60_000
    assert "more" in text or "left out" in text
    assert "could not be told" in text
    assert f"{documents + 1} of {documents + 1} runs" in text


def test_equal_documents_make_equal_text_in_any_order() -> None:
    some = [run(n, word=word) for n, word in enumerate(("drift", "no-changes", "failed"))]

    assert gathered_markdown(some) == gathered_markdown(some[::-1])
    assert gathered_json(some, exit_code=0) == gathered_json(some[::-1], exit_code=0)
