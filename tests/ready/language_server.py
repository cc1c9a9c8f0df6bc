"""A client of a language server, over its stdin and stdout; and where the server is, if anywhere."""

from __future__ import annotations

import json
import os
import queue
import shlex
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

VARIABLE = "YAML_LANGUAGE_SERVER"  # the command that starts it, `--stdio` apart
_PATIENCE = 60  # seconds


@cache
def server() -> tuple[str, ...]:
    """The command of a yaml-language-server that is installed; empty where there is none."""
    if found := os.environ.get(VARIABLE):
        return (*shlex.split(found), "--stdio")
    if shutil.which("yaml-language-server"):
        return ("yaml-language-server", "--stdio")
    if not shutil.which("npx"):
        return ()
    asked = ["npx", "--no-install", "yaml-language-server", "--version"]
    try:
        done = subprocess.run(asked, capture_output=True, stdin=subprocess.DEVNULL, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return ("npx", "--no-install", "yaml-language-server", "--stdio") if not done.returncode else ()


class Client:
    """One conversation. Every answer is waited for; what the server asks is refused politely."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._messages: queue.Queue[dict[str, Any]] = queue.Queue()
        self._kept: list[dict[str, Any]] = []
        self._number = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def request(self, method: str, params: Any) -> Any:
        """The result of a request."""
        self._number += 1
        number = self._number
        self._send({"id": number, "method": method, "params": params})
        return self._wait(lambda one: one.get("id") == number and "method" not in one)["result"]

    def notify(self, method: str, params: Any) -> None:
        """Say something that has no answer."""
        self._send({"method": method, "params": params})

    def diagnostics(self, uri: str) -> list[dict[str, Any]]:
        """What the server says of a document, next."""
        method = "textDocument/publishDiagnostics"
        said = self._wait(lambda one: one.get("method") == method and one["params"]["uri"] == uri)
        return said["params"]["diagnostics"]

    def open(self, path: Path, text: str) -> str:
        """Open a document; its URI."""
        document = {"uri": path.as_uri(), "languageId": "yaml", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})
        return path.as_uri()

    def at(self, method: str, uri: str, text: str, mark: str) -> Any:
        """Ask about the place of `mark` in a document."""
        before = text[: text.index(mark)]
        place = {"line": before.count("\n"), "character": len(before.rpartition("\n")[2])}
        return self.request(method, {"textDocument": {"uri": uri}, "position": place})

    def _wait(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        for one in self._kept:
            if fits(one):
                self._kept.remove(one)
                return one
        while True:
            one = self._messages.get(timeout=_PATIENCE)
            if fits(one):
                return one
            if "id" in one and "method" in one:
                asked = one["params"].get("items", ()) if one.get("params") else ()
                self._send({"id": one["id"], "result": [None for _ in asked] or None})
            else:
                self._kept.append(one)

    def _send(self, message: dict[str, Any]) -> None:
        raw = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(raw), raw))
        self._process.stdin.flush()

    def _listen(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        while header := stream.readline():
            length = int(header.removeprefix(b"Content-Length:"))
            while stream.readline().strip():
                pass
            self._messages.put(json.loads(stream.read(length)))


@contextmanager
def talking(root: Path) -> Iterator[Client]:
    """A server that looks at `root`."""
    process = subprocess.Popen(
        server(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=root
    )
    try:
        client = Client(process)
        able = {"textDocument": {"hover": {"contentFormat": ["markdown", "plaintext"]}}}
        params = {"processId": os.getpid(), "rootUri": root.as_uri(), "capabilities": able}
        client.request("initialize", params)
        client.notify("initialized", {})
        settings = {
            "validate": True, "hover": True, "completion": True, "schemaStore": {"enable": False},
        }  # fmt: skip
        client.notify("workspace/didChangeConfiguration", {"settings": {"yaml": settings}})
        yield client
        client.request("shutdown", None)
        client.notify("exit", None)
        process.wait(timeout=_PATIENCE)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
