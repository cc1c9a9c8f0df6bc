"""A stand-in for Azure Key Vault: the part of its REST API that reads secrets, over real HTTP."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

VERSION = "0af5b7ac9d0c4e0c8a2b1d3f4e5a6b7c"


@dataclass(frozen=True, kw_only=True)
class Refused:
    """An error as a vault words it; `inner` is the code that tells why."""

    status: int
    code: str
    message: str
    inner: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        return {"error": error | ({"innererror": {"code": self.inner}} if self.inner else {})}


NO_RIGHT = Refused(
    status=403,
    code="Forbidden",
    message="Caller is not authorized to perform action on resource.\r\nAssignment: (not found)",
    inner="ForbiddenByRbac",
)


class VaultStandIn:
    """Holds secrets by name and version; the version that was set last is the latest."""

    def __init__(self) -> None:
        self.asked: list[str] = []  # paths with their query, in order
        self.headers: list[dict[str, str]] = []
        self.answer: Callable[[str], Refused | bytes | None] = lambda _path: None
        self._secrets: dict[str, dict[str, tuple[str, bool]]] = {}
        self._lock = threading.Lock()
        vault = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                vault._serve(self)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def set(self, name: str, value: str, *, version: str = VERSION, enabled: bool = True) -> None:
        """Add a version, which is the latest from now on."""
        versions = self._secrets.setdefault(name, {})
        versions.pop(version, None)
        versions[version] = (value, enabled)

    def forget(self, name: str) -> None:
        """Let a secret be gone."""
        del self._secrets[name]

    def reference(self, name: str, **more: str) -> dict[str, Any]:
        """What a manifest writes."""
        return {"fromKeyVault": {"vault": self.url, "secret": name, **more}}

    @property
    def counts(self) -> Counter[str]:
        """How often each path was asked for."""
        return Counter(urlsplit(target).path for target in self.asked)

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        with self._lock:
            self.asked.append(handler.path)
            self.headers.append(dict(handler.headers))
        found = self.answer(handler.path) or self._found(handler.path)
        status, headers, content = 200, {}, found
        if isinstance(found, Refused):
            status, headers, content = found.status, found.headers, json.dumps(found.body).encode()
        assert isinstance(content, bytes)
        handler.send_response(status)
        sent = {"Content-Type": "application/json", "x-ms-request-id": "r-1", **headers}
        for name, value in {**sent, "Content-Length": str(len(content))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    def _found(self, target: str) -> Refused | bytes:
        parts = urlsplit(target)
        # Without a version the SDK asks for `/secrets/NAME/`.
        empty, room, name, version = (parts.path + "/").split("/")[:4]
        assert (empty, room) == ("", "secrets"), target
        assert parse_qs(parts.query)["api-version"], target
        versions = self._secrets.get(name, {})
        version = version or next(reversed(versions), "")
        if version not in versions:
            says = f"A secret with (name/id) {name} was not found in this key vault."
            return Refused(status=404, code="SecretNotFound", message=says)
        value, enabled = versions[version]
        if not enabled:
            says = "Operation get is not allowed on a disabled secret."
            return Refused(status=403, code="Forbidden", message=says, inner="SecretDisabled")
        body = {
            "value": value,
            "id": f"{self.url}/secrets/{name}/{version}",
            "attributes": {"enabled": True, "created": 1, "updated": 1},
        }
        return json.dumps(body).encode()
