"""Events of `drift`, as a server on this machine receives them."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from reconciler.cli.webhook import KEY, NotDelivered, Webhook, webhook_of
from reconciler.errors import UsageError
from tests.conftest import Done, Repository, Time, command, conforms, group, refusal

SECRET = "a key of more than sixteen characters"
TOKEN = "T0KEN-in-the-path"


@dataclass
class Received:
    """One request, as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The body, once its signature and its schema have been checked."""
        stamp = self.headers["X-Aci-Reconcile-Timestamp"]
        signed = hmac.new(SECRET.encode(), f"{stamp}.".encode() + self.body, hashlib.sha256)
        assert self.headers["X-Aci-Reconcile-Signature"] == f"v1={signed.hexdigest()}"
        event = json.loads(self.body)
        conforms(event, "webhook")
        assert self.headers["Idempotency-Key"] == event["id"]
        assert self.headers["X-Aci-Reconcile-Event"] == event["event"]
        return dict(event)


@dataclass
class Receiver:
    """A server; `answers` are its next statuses and headers, then it answers 204."""

    url: str
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)

    @property
    def events(self) -> list[str]:
        return [one.event["event"] for one in self.received]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of webhooks."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            state.received.append(Received(self.path, dict(self.headers), body))
            status, headers = state.answers.pop(0) if state.answers else (204, {})
            if status == 0:
                self.connection.close()
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state = Receiver(url=f"http://127.0.0.1:{server.server_address[1]}/{TOKEN}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield state
        server.shutdown()
        thread.join()


@pytest.fixture
def shop(repository: Repository) -> Repository:
    """Two groups of ours, applied."""
    repository.given_home()
    repository.write(group(), group("other"))
    repository.apply()
    repository.environ[KEY] = SECRET
    return repository


@pytest.fixture
def check(shop: Repository, receiver: Receiver) -> Callable[..., Done]:
    """One run by cron."""

    def run(*options: str) -> Done:
        since = ("--since", "last.json", "-o", "json=last.json")
        return shop.here("drift", *since, "--webhook", receiver.url, *options)

    return run


# What is told


def test_one_event_a_run(shop: Repository, receiver: Receiver, check: Callable[..., Done]) -> None:
    codes = [check().code]
    shop.set_image("web", "nginx:hotfix")
    codes += [check().code, check().code]
    shop.delete("other")
    codes += [check().code]
    shop.set_image("web", "nginx:1.27")
    shop.apply()
    codes += [check().code, check().code]

    assert codes == [0, 2, 2, 2, 0, 0]
    assert receiver.events == [
        "heartbeat",
        "drift-detected",
        "heartbeat",
        "drift-changed",
        "drift-resolved",
        "heartbeat",
    ]
    ids = [one.event["id"] for one in receiver.received]
    assert len({*ids}) == len(ids)


def test_an_event_tells_what_is_new_and_what_is_resolved(
    shop: Repository, receiver: Receiver, check: Callable[..., Done]
) -> None:
    shop.set_image("web", "nginx:hotfix")
    check()
    shop.delete("other")
    shop.set_image("web", "nginx:1.27")
    check()

    first, second = (one.event for one in receiver.received)
    assert [(f["name"], f["category"], f["new"]) for f in first["found"]] == [
        ("rg-shop/web", "changed", True)
    ]
    assert first["counts"]["counted"] == 1
    assert first["exitCode"] == 2
    assert [(f["name"], f["category"]) for f in second["found"]] == [("rg-shop/other", "missing")]
    assert second["resolved"] == [first["found"][0]["key"]]
    assert second["owner"] == "shop"


def test_without_the_run_before_drift_is_detected_each_time(
    shop: Repository, receiver: Receiver
) -> None:
    shop.set_image("web", "nginx:hotfix")
    for _ in range(2):
        shop.here("drift", "--webhook", receiver.url)

    assert receiver.events == ["drift-detected", "drift-detected"]


def test_a_check_that_fails_is_told_and_forgets_nothing(
    shop: Repository, receiver: Receiver, check: Callable[..., Done]
) -> None:
    shop.set_image("web", "nginx:hotfix")
    check()
    shop.intercept(lambda call: refusal(403, "AuthorizationFailed", "no role"))
    failed = check()
    shop.pass_all()
    check()

    assert failed.code == 1
    assert receiver.events == ["drift-detected", "check-failed", "heartbeat"]
    event = receiver.received[1].event
    assert "no role" in event["problems"][0]
    assert "found" not in event


def test_manifests_with_errors_are_a_check_that_failed(
    shop: Repository, receiver: Receiver, check: Callable[..., Done]
) -> None:
    shop.file("bad.yaml", "name: web\nproperties:\n  osTyp: Linux\n")

    assert check().code == 3
    assert receiver.events == ["check-failed"]
    assert receiver.received[0].event["exitCode"] == 3


# What is not taken


def test_a_webhook_that_fails_hides_no_drift_and_is_told_again(
    shop: Repository, receiver: Receiver, check: Callable[..., Done]
) -> None:
    receiver.answers = [(400, {})]
    shop.set_image("web", "nginx:hotfix")

    first, second = check("-o", "text"), check()

    assert (first.code, second.code) == (2, 2)
    assert "nginx:hotfix" in first.out
    assert "answered 400: drift-detected not delivered" in first.err
    assert receiver.events == ["drift-detected", "drift-detected"]


def test_where_nothing_is_wrong_a_webhook_that_fails_is_1(
    receiver: Receiver, check: Callable[..., Done], shop: Repository
) -> None:
    receiver.answers = [(404, {})]

    done = check()

    assert done.code == 1
    assert json.loads((shop.root / "last.json").read_text())["exitCode"] == 1
    assert len(receiver.received) == 1  # no use trying again


def test_a_check_that_failed_stays_1_when_nobody_hears_of_it(
    shop: Repository, receiver: Receiver, check: Callable[..., Done]
) -> None:
    receiver.answers = [(410, {})]
    shop.intercept(lambda call: refusal(403, "AuthorizationFailed"))

    assert check().code == 1
    assert len(receiver.received) == 1


def post(receiver: Receiver, clock: Time) -> None:
    Webhook(receiver.url, SECRET.encode()).post(
        b'{"id":"evt_1"}', event="heartbeat", event_id="evt_1", clock=clock
    )


@pytest.mark.parametrize("status", [429, 500, 503, 0])
def test_what_may_pass_is_tried_again_by_the_same_key(receiver: Receiver, status: int) -> None:
    """0: the connection is cut."""
    clock = Time()
    receiver.answers = [(status, {}), (status, {})]

    post(receiver, clock)

    assert [one.headers["Idempotency-Key"] for one in receiver.received] == ["evt_1"] * 3
    assert len({one.body for one in receiver.received}) == 1
    stamps = {one.headers["X-Aci-Reconcile-Timestamp"] for one in receiver.received}
    assert len(stamps) == 3  # signed anew: a receiver may refuse what is old
    assert clock.slept == [1, 2]


def test_tries_are_bounded(receiver: Receiver) -> None:
    clock = Time()
    receiver.answers = [(503, {})] * 99

    with pytest.raises(NotDelivered, match="answered 503"):
        post(receiver, clock)

    assert (len(receiver.received), clock.slept) == (5, [1, 2, 4, 8])


@pytest.mark.parametrize(
    ("asked", "waited"), [("7", 7), ("86400", 30), ("Wed, 21 Oct 2026 07:28:00 GMT", 1), ("²", 1)]
)
def test_a_pause_that_is_asked_for_is_made_within_bounds(
    receiver: Receiver, asked: str, waited: float
) -> None:
    clock = Time()
    header = asked.encode("utf-8").decode("latin-1")
    receiver.answers = [(429, {"Retry-After": header})]

    post(receiver, clock)

    assert clock.slept == [waited]


def test_a_redirection_is_not_followed(receiver: Receiver) -> None:
    receiver.answers = [(307, {"Location": receiver.url.replace(TOKEN, "elsewhere")})]

    with pytest.raises(NotDelivered, match="answered 307, which is a redirection"):
        post(receiver, Time())

    assert [one.path for one in receiver.received] == [f"/{TOKEN}"]


def test_a_port_where_nobody_listens_is_named_by_its_host_alone() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        hook = Webhook(f"http://user:pass@127.0.0.1:{port}/{TOKEN}", SECRET.encode())

        with pytest.raises(NotDelivered) as raised:
            hook.post(b"{}", event="heartbeat", event_id="evt_1", clock=Time())

    assert str(raised.value).startswith(f"webhook 127.0.0.1:{port}: cannot be reached")
    assert TOKEN not in str(raised.value)


# What is never said, and what is refused


def test_neither_the_address_nor_the_key_is_shown(shop: Repository, receiver: Receiver) -> None:
    receiver.answers = [(400, {})]

    done = command(
        "drift", "--debug", "--webhook", receiver.url, "--endpoint", shop.emulator.url,
        cwd=shop.root, environ=shop.environ,
    )  # fmt: skip

    assert done.code == 1
    assert "not delivered" in done.err
    for text in (TOKEN, SECRET):
        assert text not in done.out + done.err
    hook = webhook_of(receiver.url, shop.environ)
    assert TOKEN not in repr(hook)
    assert SECRET not in repr(hook)


@pytest.mark.parametrize(
    ("url", "key", "says"),
    [
        ("http://example.org/hook", SECRET, "expected https, got plain http to example.org"),
        ("ftp://example.org/hook", SECRET, "expected an address such as https://host/path"),
        ("https://", SECRET, "expected an address"),
        ("https://evil.example\\@good.example/", SECRET, "expected an address"),
        ("https://example.org:port/", SECRET, "expected an address"),
        ("https://example.org/", "", f"in {KEY}, got none"),
        ("https://example.org/", "short", "at least 16 characters"),
    ],
)
def test_what_cannot_be_a_webhook_is_a_usage_error(url: str, key: str, says: str) -> None:
    with pytest.raises(UsageError) as raised:
        webhook_of(url, {KEY: key})

    assert says in str(raised.value)
    assert raised.value.exit_code == 64


@pytest.mark.parametrize("url", ["http://localhost:1/", "http://[::1]:1/", "https://example.org/x"])
def test_what_may_be_a_webhook(url: str) -> None:
    assert webhook_of(url, {KEY: SECRET}).url == url


def test_without_a_key_nothing_is_asked_of_azure(shop: Repository) -> None:
    del shop.environ[KEY]
    before = len(shop.requests)

    done = shop.here("drift", "--webhook", "https://example.org/")

    assert done.code == 64
    assert len(shop.requests) == before
