"""The page on images is true: its commands are run, and print what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.conftest import CHECKOUT, HOME, Repository
from tests.registry.stand_in import RegistryStandIn

PAGE = (CHECKOUT / "docs" / "images.md").read_text("utf-8")
HOST = "localhost:5000"
_BLOCK = re.compile(r"^```(yaml|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def registry() -> Iterator[RegistryStandIn]:
    with RegistryStandIn() as running:
        yield running


def shown(text: str, registry: RegistryStandIn, repository: Repository) -> str:
    """A text without what differs from run to run: digests, host, subscription, line breaks."""
    text = text.replace(registry.host, HOST).replace(repository.subscription, "SUBSCRIPTION")
    text = text.replace("00000000-0000-0000-0000-000000000000", "SUBSCRIPTION")
    text = re.sub(r"sha256:[0-9a-f…]+", "sha256:…", text)
    text = re.sub(r"(desired|live) [0-9a-f]{12}", r"\1 …", text)
    return " ".join(re.sub(r"\(\d+s\)|[0-9]+\.[0-9]s", "", text).split())


def written(block: str, registry: RegistryStandIn, repository: Repository) -> None:
    """Write a file of the page; the project's home is this test's own."""
    name = re.match(r"# (\S+)\n", block)
    assert name is not None, block
    text = block.replace(HOST, registry.host)
    if name[1] == "aci-reconcile.yaml":
        text += (
            f"defaults: {{subscription: {repository.subscription}, resourceGroup: {HOME},"
            " location: westeurope}\n"
        )
    repository.file(name[1], text)


def test_every_command_of_the_page_prints_what_the_page_says(
    repository: Repository, registry: RegistryStandIn
) -> None:
    repository.given_home()
    before_private, _, private = PAGE.partition("## Credentials")
    pushes = ran = 0
    for language, block in _BLOCK.findall(before_private):
        if language == "yaml":
            written(block, registry, repository)
            continue
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, expected = step.partition("\n")
            if line == f"docker push {HOST}/shop/web:1.4":
                pushes += 1
                registry.push("shop/web:1.4", f"build {pushes}")
                continue
            words = line.split()
            assert words[0] == "aci-reconcile", line
            done = repository.here(*words[1:])
            found = shown(done.out + done.err, registry, repository)
            assert shown(expected, registry, repository) in found, line
            assert expected.strip(), line
            ran += 1
    assert (pushes, ran) == (4, 6)

    for _, block in _BLOCK.findall(private):
        written(block, registry, repository)
    repository.environ["REGISTRY_PASSWORD"] = "hunter2-canary"
    registry.scheme, registry.users = "bearer", {"puller": "hunter2-canary"}
    assert "M406" not in repository.here("plan").out
    assert registry.counting("GET", "/token") == 1
