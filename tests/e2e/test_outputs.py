"""Where reports may be written, and what becomes of signals beside them."""

from __future__ import annotations

import json
import signal
import threading
import time
from pathlib import Path

import pytest

from reconciler.emulator import Call
from tests.conftest import Repository, group, task
from tests.e2e.conftest import PATIENCE_S


@pytest.mark.parametrize("name", ["web.yaml", "aci-reconcile.yaml", "./new.yml"])
@pytest.mark.parametrize("form", ["json", "ndjson", "text"])
def test_a_report_is_never_written_over_a_manifest(shop: Repository, name: str, form: str) -> None:
    path = shop.root / name
    before = path.read_bytes() if path.exists() else None

    done = shop.run("apply", "--yes", "-o", f"{form}={name}")

    assert done.code == 64
    assert f"-o {form}: expected a file for the report, got '" in done.err
    assert (path.read_bytes() if path.exists() else None) == before


def test_a_report_is_never_written_over_the_database_of_the_emulator(tmp_path: Path) -> None:
    from tests.conftest import command

    (tmp_path / "aci-reconcile.yaml").write_text("owner: shop\n")
    done = command("plan", "--emulator", "--emulator-db", "state", "-o", "json=state", cwd=tmp_path)

    assert done.code == 64
    assert not (tmp_path / "state").exists()


def test_invalid_manifests_are_told_in_the_name_of_the_command(repository: Repository) -> None:
    repository.file("web.yaml", "name: [\n")

    done = repository.run("apply", "--yes", "-o", "json")

    assert done.code == 3
    assert json.loads(done.out)["command"] == "apply"


def test_a_group_that_is_only_looked_at_is_not_counted_as_applied(repository: Repository) -> None:
    repository.given_home()
    repository.write(task("job", script="exit 3"))
    assert repository.run("apply", "--yes").code == 7
    repository.write(group("web", reconcile={"dependsOn": ["job"]}))

    done = repository.run("apply", "--yes")

    assert done.code == 7
    assert "Applied 0 of 1: 1 unhealthy, 1 not started" in done.out


@pytest.mark.parametrize("gap_s", [0.0, 0.005, 0.05])
def test_any_signals_in_any_order_while_reading_end_it_quietly(
    repository: Repository, in_background, gap_s: float
) -> None:
    repository.given_home()
    repository.write(group("a"))
    asked, over = threading.Event(), threading.Event()

    def hang(_call: Call) -> None:
        asked.set()
        over.wait(PATIENCE_S)

    repository.intercept(hang)
    plan = in_background("plan", "--endpoint", repository.emulator.url, cwd=repository.root)
    assert asked.wait(PATIENCE_S)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        plan.signal(number)
        time.sleep(gap_s)
    done = plan.end()
    over.set()

    assert done.code == 130
    assert "Exception ignored" not in done.err


@pytest.mark.parametrize("again", ["x.out", "./x.out", "link.out"])
def test_two_reports_have_no_place_in_one_file(repository: Repository, again: str) -> None:
    (repository.root / "link.out").symlink_to("x.out")

    done = repository.here("validate", "-o", "json=x.out", "-o", f"markdown={again}")

    assert (done.code, "two -o write to" in done.err) == (64, True), done.err


def test_links_in_a_circle_make_room_for_the_report(repository: Repository) -> None:
    repository.write(group())
    (repository.root / "one").symlink_to("two")
    (repository.root / "two").symlink_to("one")

    done = repository.here("validate", "-o", "json=one")

    assert done.code == 0, done.err
    assert json.loads((repository.root / "one").read_text())["kind"] == "Validation"


def test_a_dash_is_no_file(repository: Repository) -> None:
    done = repository.here("validate", "-o", "json=-")

    assert (done.code, "-o json is stdout" in done.err) == (64, True), done.err
