"""The client against a registry that others wrote: the reference implementation, where it is there.

On Debian it is the package `docker-registry`, elsewhere the command `registry` of distribution.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from reconciler.core.images import parse_image
from reconciler.errors import RegistryError
from tests.registry.stand_in import INDEX, MANIFEST

COMMAND = shutil.which("docker-registry") or shutil.which("registry")
CONFIG = "version: 0.1\nstorage: {inmemory: {}}\nhttp: {addr: '127.0.0.1:0'}\n"

pytestmark = pytest.mark.skipif(
    COMMAND is None, reason="no docker-registry or registry is installed here"
)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry that runs."""
    config: Path = tmp_path_factory.mktemp("registry") / "config.yml"
    config.write_text(CONFIG)
    process = subprocess.Popen(
        [str(COMMAND), "serve", str(config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={"OTEL_TRACES_EXPORTER": "none"},
    )
    assert process.stderr is not None
    try:
        ports = (re.search(r"listening on 127\.0\.0\.1:(\d+)", line) for line in process.stderr)
        port = next(found[1] for found in ports if found)
        yield f"localhost:{port}"
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def blob(host: str, name: str, content: bytes) -> dict[str, Any]:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    begun = requests.post(f"http://{host}/v2/{name}/blobs/uploads/", timeout=5)
    done = requests.put(
        begun.headers["Location"],
        params={"digest": digest},
        data=content,
        headers={"Content-Type": "application/octet-stream"},
        timeout=5,
    )
    assert done.status_code == 201, done.text
    return {"digest": digest, "size": len(content)}


def push(host: str, image: str, manifest: dict[str, Any], media_type: str) -> str:
    name, _, tag = image.partition(":")
    body = json.dumps({"schemaVersion": 2, "mediaType": media_type, **manifest}).encode()
    url = f"http://{host}/v2/{name}/manifests/{tag}"
    done = requests.put(url, data=body, headers={"Content-Type": media_type}, timeout=5)
    assert done.status_code == 201, done.text
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def push_image(host: str, image: str, text: str) -> str:
    config = {"architecture": "amd64", "os": "linux", "author": text}
    found = blob(host, image.partition(":")[0], json.dumps(config).encode())
    kind = {"mediaType": "application/vnd.oci.image.config.v1+json", **found}
    return push(host, image, {"config": kind, "layers": []}, MANIFEST)


def test_a_tag_and_an_index_are_told_as_they_move(host: str, client: Any) -> None:
    one = push_image(host, "shop/web:1", "one")
    image = parse_image(f"{host}/shop/web:1")
    assert client.digest(image, ()) == one
    two = push_image(host, "shop/web:1", "two")
    assert client.digest(image, ()) == two != one
    entry = {"mediaType": MANIFEST, "digest": two, "size": 2}
    size = len(requests.get(f"http://{host}/v2/shop/web/manifests/{two}", timeout=5).content)
    index = push(host, "shop/web:1", {"manifests": [{**entry, "size": size}]}, INDEX)
    assert client.digest(image, ()) == index
    assert client.members(image, index, ()) == {two}


def test_what_is_not_there_is_told(host: str, client: Any) -> None:
    push_image(host, "shop/web:1", "one")
    for name in ("shop/web:9", "nobody/knows:1"):
        with pytest.raises(RegistryError, match="the registry has no such image"):
            client.digest(parse_image(f"{host}/{name}"), ())
