"""Pages that tell people what to type: what they say is typed here, in that order."""

from __future__ import annotations

import re
import shlex

from tests.conftest import CHECKOUT, Repository, group

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECRET = {"env": [{"name": "DB_PASSWORD", "secureValue": "hunter2hunter2"}]}


def commands(page: str, **words: str) -> list[tuple[list[str], int]]:
    """The words of each command of a page, and the exit code it says; 0 where it says none."""
    text = (CHECKOUT / "docs" / page).read_text("utf-8")
    found = []
    for line in "".join(BLOCK.findall(text)).splitlines():
        typed, _, comment = line.partition("#")
        for name, value in words.items():
            typed = typed.replace(f"${name}", value)
        code = re.search(r"exit (\d+)", comment)
        found.append((shlex.split(typed)[1:], int(code[1]) if code else 0))
    return found


def test_an_estate_is_taken_over_as_the_page_says(repository: Repository) -> None:
    (repository.root / "aci-reconcile.yaml").unlink()
    repository.given_home()
    repository.given(group("web", **SECRET), tags={"team": "shop"})
    repository.given(group("job", policy="Never"))
    repository.given(group("api"), tags={"aci-reconcile-owner": "old-shop"})
    typed = commands("adopting.md", SUBSCRIPTION=repository.subscription)

    for words, code in typed:
        if words == ["export", "-d", "shop"]:
            assert repository.here(*words).code == 0
            repository.set_image("job", "busybox:2")  # Azure moved on: the next one has work to do
            assert repository.here(*words).code == 4
            continue
        done = repository.here(*words)
        assert done.code == code, (words, done.out, done.err)

    assert len(typed) == 12
    assert "busybox:2" in (repository.root / "shop/rg-shop/job.yaml").read_text()
    owners = {name: repository.tags(name)["aci-reconcile-owner"] for name in repository.names}
    assert owners == {"web": "shop", "job": "shop", "api": "shop"}
    assert sorted(repository.writes[1:]) == ["PATCH api", "PATCH job", "PATCH web"]
