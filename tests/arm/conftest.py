"""A hand-written stand-in for ARM, for what no well-behaved server does."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from reconciler.arm.cloud import ArmCloud
from reconciler.arm.connect import connect
from reconciler.core.ids import GroupId, ResourceGroupId

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query).items()}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What to answer: JSON, bytes as they are, half of it, or nothing but a torn connection."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    torn: bool = False
    cut: bool = False


class StandIn:
    """Answers what it is told, in turn, the last one for ever; remembers what it was asked."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.seen: list[Seen] = []
        self.answers: list[Answer | Callable[[Seen], Answer]] = [Answer(body={})]
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True

            def _serve(self) -> None:
                stand_in._serve(self)

            do_GET = do_PUT = do_PATCH = do_POST = do_DELETE = _serve

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        seen = Seen(
            method=handler.command,
            target=handler.path,
            headers=dict(handler.headers),
            body=handler.rfile.read(length),
        )
        with self._lock:
            self.seen.append(seen)
            chosen = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        answer = chosen(seen) if callable(chosen) else chosen
        if answer.torn:
            # Zero linger: the client sees a reset, not an end.
            handler.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            handler.close_connection = True
            handler.connection.close()
            return
        body = answer.body
        content = body if isinstance(body, bytes) else b"" if body is None else dumped(body)
        handler.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            handler.send_header(name, value)
        if answer.status != 204:
            handler.send_header("Content-Length", str(len(content) + 9 * answer.cut))
        handler.end_headers()
        handler.close_connection = handler.close_connection or answer.cut
        if answer.status != 204:
            handler.wfile.write(content)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def methods(self) -> list[str]:
        return [seen.method for seen in self.seen]


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def failure(status: int, code: str, message: str = "no", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, body={"error": {"code": code, "message": message}}, headers=named)


@pytest.fixture
def subscription() -> str:
    return SUBSCRIPTION


@pytest.fixture
def group() -> GroupId:
    return GroupId(subscription=SUBSCRIPTION, resource_group="rg-shop", name="web")


@pytest.fixture
def resource_group() -> ResourceGroupId:
    return ResourceGroupId(subscription=SUBSCRIPTION, name="rg-shop")


@pytest.fixture
def answer() -> type[Answer]:
    return Answer


@pytest.fixture
def fail() -> Callable[..., Answer]:
    return failure


@pytest.fixture
def arm() -> Iterator[StandIn]:
    server = StandIn()
    yield server
    server.close()


@pytest.fixture
def cloud(arm: StandIn) -> Iterator[ArmCloud]:
    with connect(cloud="AzureCloud", endpoint=arm.url, parallelism=4, environ={}) as connected:
        yield connected


@dataclass(frozen=True, kw_only=True)
class Certificate:
    path: Path
    context: ssl.SSLContext


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Self-signed for 127.0.0.1; its path serves as the bundle of those to be trusted."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return Certificate(path=path, context=context)


@pytest.fixture
def secure_servers(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], StandIn]]:
    """Makes https servers that this process trusts."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.path))
    servers: list[StandIn] = []

    def make() -> StandIn:
        servers.append(StandIn(certificate.context))
        return servers[-1]

    yield make
    for server in servers:
        server.close()
