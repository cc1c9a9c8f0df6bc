"""`-o html` of every command that reports: one valid page each, and never two in one place."""

from __future__ import annotations

import pytest

from tests.conftest import Repository, group
from tests.report.test_html import Page


@pytest.fixture
def shop(repository: Repository) -> Repository:
    """One group that is applied, and one that is not yet."""
    repository.given_home()
    repository.write(group("old"))
    repository.apply()
    repository.write(group("new"))
    return repository


@pytest.mark.parametrize(
    ("line", "code", "title", "says"),
    [
        ("plan", 0, "plan: changes", "1 to create, 1 of 2 unchanged"),
        ("plan --detailed-exitcode", 2, "plan: changes", "exit code 2"),
        ("apply --yes", 0, "apply: applied", "Applied 1 of 1"),
        ("destroy --confirm OWNER", 0, "destroy: destroyed", "Destroyed 1 of 1"),
        ("drift", 2, "drift: drift", "missing (or pending)"),
        ("status", 0, "status: differs", "1 missing"),
        ("validate", 0, "validate: valid", "0 errors"),
    ],
)
def test_a_command_writes_one_page(
    shop: Repository, line: str, code: int, title: str, says: str
) -> None:
    done = shop.run(*line.replace("OWNER", shop.owner).split(), "-o", "html=page.html")

    assert done.code == code, done.err
    text = (shop.root / "page.html").read_text("utf-8")
    assert text.startswith("<!doctype html>\n")
    assert text.endswith("</html>\n")
    assert f"<title>{title} · aci-reconcile</title>" in text
    assert says in Page(text).words


def test_a_plan_that_was_kept_is_shown_as_a_page(shop: Repository) -> None:
    assert shop.run("plan", "-o", "json=plan.json").code == 0

    done = shop.run("show", "plan.json", "-o", "html")

    assert done.code == 0, done.err
    assert "1 to create" in Page(done.out).words


def test_release_reports_nothing_and_says_so(shop: Repository) -> None:
    done = shop.run("release", "old", "--yes", "-o", "html")

    assert done.code == 64
    assert "-o" in done.err
    assert shop.counting("PATCH", "old") == 0


@pytest.fixture
def estate(repository: Repository) -> Repository:
    """Two environments of one subscription."""
    repository.project(
        defaults={"subscription": repository.subscription, "location": "westeurope"},
        environments={name: {"resourceGroup": f"rg-{name}"} for name in ("test", "prod")},
    )
    for name in ("test", "prod"):
        repository.given_home(f"rg-{name}")
    repository.write(group())
    return repository


@pytest.mark.parametrize("output", ["html", "html=x.html"])
def test_two_environments_have_no_place_in_one_page(estate: Repository, output: str) -> None:
    done = estate.run("plan", "-e", "test", "-e", "prod", "-o", output)

    assert done.code == 64
    assert done.out == ""
    assert "2 environments would write to" in done.err
    assert "-o html=report-{environment}.html" in done.err
    assert not (estate.root / "x.html").exists()


def test_each_environment_has_a_page_of_its_own(estate: Repository) -> None:
    done = estate.run("plan", "-e", "test", "-e", "prod", "-o", "html={environment}.html")

    assert done.code == 0, done.err
    for name in ("test", "prod"):
        page = Page((estate.root / f"{name}.html").read_text("utf-8"))
        assert f"plan {name}" in page.words
        assert page.cards() == [(f"rg-{name}/web", False)]
