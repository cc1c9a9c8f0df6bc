"""A registry of images: the part of the OCI distribution API that manifests need, over real HTTP."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
_PATH = re.compile(r"/v2/(?P<name>.+)/manifests/(?P<reference>[^/]+)")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]

    @property
    def authorization(self) -> str:
        return self.headers.get("Authorization", "")


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def error(status: int, code: str, **headers: str) -> Reply:
    """An error as the specification words it."""
    body = json.dumps({"errors": [{"code": code, "message": f"about {code}"}]}).encode()
    return Reply(status=status, headers={"Content-Type": "application/json", **headers}, body=body)


class RegistryStandIn:
    """Holds manifests by name and digest, and tags that point at them.

    `scheme` is `bearer` or `basic` for a registry that lets in nobody without a token or password,
    empty for an open one. With `is_public`, tokens are given to anybody. `realm` is where tokens
    are given, by default here.
    """

    def __init__(self, *, scheme: str = "", users: dict[str, str] | None = None) -> None:
        self.scheme = scheme
        self.users = users or {}
        self.is_public = False
        self.tells_digest = True
        self.asked: list[Asked] = []
        self.answer: Callable[[Asked], Reply | None] = lambda _asked: None
        self._manifests: dict[tuple[str, str], tuple[str, bytes]] = {}
        self._tags: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()
        registry = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                registry._serve(self)

            do_HEAD = do_PUT = do_GET

            def log_message(self, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *args: object) -> None:
                """A client that reads no further is none of our errors."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.host = f"localhost:{self._server.server_address[1]}"
        self.realm = f"http://{self.host}/token"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def push(self, image: str, content: Any = "", *, media_type: str = MANIFEST) -> str:
        """Let a tag such as `shop/web:1.2` point at a manifest; its digest. Over HTTP."""
        import requests

        name, _, tag = image.partition(":")
        manifest = content if isinstance(content, dict) else {"annotations": {"is": content}}
        body = json.dumps({"schemaVersion": 2, "mediaType": media_type, **manifest}).encode()
        answer = requests.put(
            f"http://{self.host}/v2/{name}/manifests/{tag}",
            data=body,
            headers={"Content-Type": media_type, "Authorization": "test"},
            timeout=5,
        )
        assert answer.status_code == 201, answer.text
        return answer.headers["Docker-Content-Digest"]

    def push_index(self, image: str, *digests: str) -> str:
        """The same for an index of these manifests."""
        manifests = [{"mediaType": MANIFEST, "digest": one, "size": 2} for one in digests]
        return self.push(image, {"manifests": manifests}, media_type=INDEX)

    def image(self, name: str) -> str:
        """A reference as manifests write it."""
        return f"{self.host}/{name}"

    def counting(self, method: str, path: str = "/manifests/") -> int:
        """How many requests of clients had that in their path."""
        return sum(one.method == method and path in one.path for one in self.asked)

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        asked = Asked(method=handler.command, path=handler.path, headers=dict(handler.headers))
        if asked.method == "PUT":
            reply = self._put(asked, body)
        else:
            with self._lock:
                self.asked.append(asked)
            reply = self.answer(asked) or self._answered(asked)
        handler.send_response(reply.status)
        sent = {"Content-Length": str(len(reply.body)), **reply.headers}
        for name, value in sent.items():
            handler.send_header(name, value)
        handler.end_headers()
        if asked.method != "HEAD":
            handler.wfile.write(reply.body)

    def _put(self, asked: Asked, body: bytes) -> Reply:
        found = _PATH.fullmatch(asked.path)
        assert found is not None, asked.path
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        self._manifests[found["name"], digest] = (asked.headers["Content-Type"], body)
        self._tags[found["name"], found["reference"]] = digest
        return Reply(status=201, headers={"Docker-Content-Digest": digest})

    def _answered(self, asked: Asked) -> Reply:
        parts = urlsplit(asked.path)
        if parts.path == "/token":
            return self._token(asked, parse_qs(parts.query))
        found = _PATH.fullmatch(parts.path)
        if found is None:
            return error(404, "NAME_UNKNOWN")
        name = found["name"]
        if self.scheme and not self._is_let_in(asked, name):
            return error(401, "UNAUTHORIZED", **{"WWW-Authenticate": self._challenge(name)})
        digest = self._tags.get((name, found["reference"]), found["reference"])
        if (name, digest) not in self._manifests:
            return error(404, "MANIFEST_UNKNOWN")
        media_type, body = self._manifests[name, digest]
        if media_type not in asked.headers.get("Accept", ""):
            return error(404, "MANIFEST_UNKNOWN")
        headers = {"Content-Type": media_type}
        headers |= {"Docker-Content-Digest": digest} if self.tells_digest else {}
        return Reply(status=200, headers=headers, body=body)

    def _challenge(self, name: str) -> str:
        if self.scheme == "basic":
            return 'Basic realm="a \\"registry\\", for tests"'
        return (
            f'Bearer realm="{self.realm}",service="a, \\"service\\"",scope="repository:{name}:pull"'
        )

    def _is_let_in(self, asked: Asked, name: str) -> bool:
        if self.scheme == "basic":
            return self._user(asked) is not None
        return asked.authorization == f"Bearer {_token_for(name)}"

    def _user(self, asked: Asked) -> str | None:
        scheme, _, value = asked.authorization.partition(" ")
        user, _, password = (
            b64decode(value).decode().partition(":") if scheme == "Basic" else ("",) * 3
        )
        return user if user and self.users.get(user) == password else None

    def _token(self, asked: Asked, query: dict[str, list[str]]) -> Reply:
        if query.get("service") != ['a, "service"']:
            return error(400, "UNSUPPORTED")
        is_known = self._user(asked) is not None
        if not is_known and (asked.authorization or not self.is_public):
            return error(401, "UNAUTHORIZED")
        [scope] = query["scope"]
        _, name, _ = scope.split(":")
        return Reply(status=200, body=json.dumps({"token": _token_for(name)}).encode())


def _token_for(name: str) -> str:
    return b64encode(f"for {name}".encode()).decode()
