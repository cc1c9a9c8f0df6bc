"""What a tag points at, asked of registries over HTTP that behave well or badly."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable
from email.utils import format_datetime
from typing import Any

import pytest

from reconciler.core.images import Login, parse_image
from reconciler.errors import RegistryError
from reconciler.registry.transport import Transport
from tests.conftest import Time
from tests.registry.conftest import ALICE, PASSWORD
from tests.registry.stand_in import Asked, RegistryStandIn, Reply, error

Ask = Callable[..., str]
Start = Callable[..., RegistryStandIn]


def refused(ask: Ask, image: str, *logins: Login) -> str:
    """The text of the error."""
    with pytest.raises(RegistryError) as caught:
        ask(image, *logins)
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


def test_a_tag_is_told_by_one_head_request(registry: RegistryStandIn, ask: Ask) -> None:
    digest = registry.push("shop/web:1.2")
    assert ask(registry.image("shop/web:1.2")) == digest
    assert [(one.method, one.path) for one in registry.asked] == [
        ("HEAD", "/v2/shop/web/manifests/1.2")
    ]


def test_of_a_moved_tag_the_digest_of_now_is_told(registry: RegistryStandIn, ask: Ask) -> None:
    before = registry.push("web:1", "one")
    after = registry.push("web:1", "two")
    assert ask(registry.image("web:1")) == after != before


def test_an_index_is_told_by_its_own_digest(registry: RegistryStandIn, client: Any) -> None:
    one, other = registry.push("web:amd64", "amd64"), registry.push("web:arm64", "arm64")
    index = registry.push_index("web:1", one, other)
    image = parse_image(registry.image("web:1"))
    assert client.digest(image, ()) == index
    assert client.members(image, index, ()) == {one, other}
    assert client.members(image, one, ()) == frozenset()


@pytest.mark.parametrize("told", [{}, {"Docker-Content-Digest": "sha256:short"}])
def test_without_a_digest_in_the_header_the_bytes_are_hashed(
    registry: RegistryStandIn, ask: Ask, told: dict[str, str]
) -> None:
    digest = registry.push("web:1")
    registry.tells_digest = False
    registry.answer = lambda asked: (
        Reply(status=200, headers=told) if asked.method == "HEAD" else None
    )
    assert ask(registry.image("web:1")) == digest
    assert [one.method for one in registry.asked] == ["HEAD", "GET"]


def test_a_registry_that_knows_no_head_is_asked_by_get(registry: RegistryStandIn, ask: Ask) -> None:
    digest = registry.push("web:1")
    registry.answer = lambda asked: error(405, "UNSUPPORTED") if asked.method == "HEAD" else None
    assert ask(registry.image("web:1")) == digest


def test_a_digest_that_is_not_that_of_the_bytes_is_not_believed(
    registry: RegistryStandIn, ask: Ask
) -> None:
    false = f"sha256:{'0' * 64}"
    registry.answer = lambda asked: Reply(
        status=405 if asked.method == "HEAD" else 200,
        headers={"Docker-Content-Digest": false},
        body=b"{}",
    )
    assert f", not {false}" in refused(ask, registry.image("web:1"))


def test_a_page_of_html_is_no_manifest(registry: RegistryStandIn, ask: Ask) -> None:
    registry.answer = lambda _asked: Reply(status=200, body=b"<html>sign in</html>")
    assert "expected a manifest, got something that is no JSON" in refused(
        ask, registry.image("web:1")
    )


def test_an_answer_without_end_is_not_read(registry: RegistryStandIn, ask: Ask) -> None:
    registry.tells_digest = False
    registry.answer = lambda _asked: Reply(status=200, body=b" " * 5_000_000)
    assert "answered more than 4194304 bytes" in refused(ask, registry.image("web:1"))


def test_an_image_that_is_not_there_is_said_to_be_not_there(
    registry: RegistryStandIn, ask: Ask
) -> None:
    says = refused(ask, registry.image("web:9"))
    assert says == (
        f"{registry.host}/web:9: the registry has no such image (HTTP 404); check its name and tag"
    )


# Who asks


def test_a_public_registry_gives_a_token_to_anybody(start: Start, ask: Ask) -> None:
    registry = start(scheme="bearer")
    registry.is_public = True
    digest = registry.push("shop/web:1")
    assert ask(registry.image("shop/web:1")) == digest
    paths = [one.path for one in registry.asked]
    assert paths[1] == ("/token?service=a%2C+%22service%22&scope=repository%3Ashop%2Fweb%3Apull")
    assert [one.authorization != "" for one in registry.asked] == [False, False, True]


def test_a_token_is_asked_for_with_the_login_and_kept_for_the_repository(
    start: Start, client: Any
) -> None:
    registry = start(scheme="bearer", users={"alice": PASSWORD})
    digest = registry.push("shop/web:1")
    image = parse_image(registry.image("shop/web:1"))
    assert client.digest(image, [ALICE]) == digest
    assert client.digest(image, [ALICE]) == digest
    assert registry.counting("GET", "/token") == 1
    shown = [one for one in registry.asked if one.authorization.startswith("Basic ")]
    assert [one.path.partition("?")[0] for one in shown] == ["/token"]


def test_a_registry_that_asks_for_a_password_gets_it_when_it_asks(start: Start, ask: Ask) -> None:
    registry = start(scheme="basic", users={"alice": PASSWORD})
    digest = registry.push("web:1")
    assert ask(registry.image("web:1"), ALICE) == digest
    assert [bool(one.authorization) for one in registry.asked] == [False, True]


def test_of_several_logins_the_first_that_is_taken_is_used(start: Start, ask: Ask) -> None:
    registry = start(scheme="bearer", users={"alice": PASSWORD})
    digest = registry.push("web:1")
    assert ask(registry.image("web:1"), Login("bob", "wrong"), ALICE) == digest


@pytest.mark.parametrize("scheme", ["basic", "bearer"])
def test_a_wrong_password_and_none_are_told_apart(start: Start, ask: Ask, scheme: str) -> None:
    registry = start(scheme=scheme, users={"alice": "another"})
    registry.push("web:1")
    assert "does not take the credentials of" in refused(ask, registry.image("web:1"), ALICE)
    assert "lets nobody read it without credentials" in refused(ask, registry.image("web:1"))


def test_who_may_not_pull_is_told_so(registry: RegistryStandIn, ask: Ask) -> None:
    registry.answer = lambda asked: (
        error(403, "DENIED") if asked.authorization else error(401, "UNAUTHORIZED", **BASIC)
    )
    says = refused(ask, registry.image("web:1"), ALICE)
    assert "these credentials may not read it (HTTP 403)" in says


def test_a_token_that_the_registry_forgot_is_asked_for_again(start: Start, client: Any) -> None:
    registry = start(scheme="bearer", users={"alice": PASSWORD})
    digest = registry.push("web:1")
    image = parse_image(registry.image("web:1"))
    client.digest(image, [ALICE])
    forgets = iter([error(401, "UNAUTHORIZED", **{"WWW-Authenticate": registry._challenge("web")})])
    registry.answer = lambda asked: None if "/token" in asked.path else next(forgets, None)
    assert client.digest(image, [ALICE]) == digest
    assert registry.counting("GET", "/token") == 2


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"token": "a\\r\\nb"}', b'{"token": 5}'])
def test_a_token_that_is_none_is_refused(start: Start, ask: Ask, body: bytes) -> None:
    registry = start(scheme="bearer")
    registry.answer = lambda asked: Reply(status=200, body=body) if "/token" in asked.path else None
    assert "gives no token that can be used" in refused(ask, registry.image("web:1"))


# Where credentials go

BASIC = {"WWW-Authenticate": 'Basic realm="r"'}


@pytest.mark.parametrize(
    "realm",
    [
        "http://registry.example/token",
        "ftp://localhost/token",
        "https://user:pw@localhost/token",
        "https://good.example\\@evil.example/token",
        "https://[::1/token",
        "https://localhost:99999/token",
    ],
)
def test_no_credential_goes_to_a_realm_that_is_not_safe(start: Start, ask: Ask, realm: str) -> None:
    registry = start(scheme="bearer", users={"alice": PASSWORD})
    registry.realm = realm.replace("\\", "\\\\")
    assert "no credential is sent there" in refused(ask, registry.image("web:1"), ALICE)
    assert len(registry.asked) == 1


def test_a_realm_of_its_own_on_this_machine_is_asked(start: Start, ask: Ask) -> None:
    registry = start(scheme="bearer")
    tokens = start(scheme="bearer", users={"alice": PASSWORD})
    registry.realm = tokens.realm
    digest = registry.push("web:1")
    assert ask(registry.image("web:1"), ALICE) == digest
    assert [one.path.partition("?")[0] for one in tokens.asked] == ["/token"]


def test_a_redirection_to_another_host_carries_no_credential(start: Start, ask: Ask) -> None:
    registry, store = start(scheme="basic", users={"alice": PASSWORD}), start()
    digest = store.push("web:1")
    registry.answer = lambda asked: (
        Reply(status=307, headers={"Location": f"http://{store.host}{asked.path}"})
        if asked.authorization
        else None
    )
    assert ask(registry.image("web:1"), ALICE) == digest
    assert [one.authorization for one in store.asked] == [""]


def test_a_redirection_on_the_same_host_carries_it(start: Start, ask: Ask) -> None:
    registry = start(scheme="basic", users={"alice": PASSWORD})
    digest = registry.push("web:2")
    registry.answer = lambda asked: (
        Reply(status=302, headers={"Location": "/v2/web/manifests/2"})
        if asked.path.endswith("/1")
        else None
    )
    assert ask(registry.image("web:1"), ALICE) == digest


def test_another_host_that_asks_for_credentials_gets_none(start: Start, ask: Ask) -> None:
    registry, trap = start(), start(scheme="basic")
    registry.answer = lambda asked: Reply(
        status=307, headers={"Location": f"http://{trap.host}{asked.path}"}
    )
    assert "does not take the credentials" in refused(ask, registry.image("web:1"), ALICE)
    assert [one.authorization for one in trap.asked] == [""]


@pytest.mark.parametrize("location", ["", "http://registry.example/x", "file:///etc/passwd"])
def test_a_redirection_to_nowhere_is_not_followed(
    registry: RegistryStandIn, ask: Ask, location: str
) -> None:
    registry.answer = lambda _asked: Reply(status=302, headers={"Location": location})
    assert "redirects to where nothing may be sent" in refused(ask, registry.image("web:1"))


def test_a_redirection_in_a_circle_ends(registry: RegistryStandIn, ask: Ask) -> None:
    registry.answer = lambda asked: Reply(status=302, headers={"Location": asked.path})
    assert "redirects more than 5 times" in refused(ask, registry.image("web:1"))
    assert len(registry.asked) == 6


def test_a_netrc_file_gives_nobody_a_credential(
    registry: RegistryStandIn, ask: Ask, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text(f"machine localhost login alice password {PASSWORD}\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    registry.push("web:1")
    ask(registry.image("web:1"))
    assert [one.authorization for one in registry.asked] == [""]


# Registries that have no time


def once(reply: Reply) -> Callable[[Asked], Reply | None]:
    replies = iter([reply])
    return lambda _asked: next(replies, None)


def test_a_rationed_request_waits_as_long_as_it_is_told(
    registry: RegistryStandIn, ask: Ask, time: Time
) -> None:
    digest = registry.push("web:1")
    registry.answer = once(error(429, "TOOMANYREQUESTS", **{"Retry-After": "7"}))
    assert ask(registry.image("web:1")) == digest
    assert time.slept == [7]


def test_a_time_of_day_to_come_back_at_is_understood(
    registry: RegistryStandIn, ask: Ask, time: Time
) -> None:
    from datetime import timedelta

    registry.push("web:1")
    until = format_datetime(time.now() + timedelta(seconds=9), usegmt=True)
    registry.answer = once(error(429, "TOOMANYREQUESTS", **{"Retry-After": until}))
    ask(registry.image("web:1"))
    assert time.slept == [9]


def test_who_is_to_wait_for_hours_is_told_at_once(
    registry: RegistryStandIn, ask: Ask, time: Time
) -> None:
    registry.answer = lambda _asked: error(429, "TOOMANYREQUESTS", **{"Retry-After": "21600"})
    says = refused(ask, registry.image("web:1"))
    assert says.endswith("rations requests (HTTP 429); run again in 21600 s")
    assert (time.slept, len(registry.asked)) == ([], 1)


def test_a_registry_out_of_order_is_asked_three_times(
    registry: RegistryStandIn, ask: Ask, time: Time
) -> None:
    registry.answer = lambda _asked: Reply(status=503)
    assert "is out of order (HTTP 503); run again later" in refused(ask, registry.image("web:1"))
    assert (len(registry.asked), time.slept) == (3, [1, 2])


def test_a_registry_that_nobody_reaches_is_tried_for_one_image(ask: Ask, time: Time) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    for name in ("web", "other"):
        says = refused(ask, f"{host}/{name}:1")
        assert says == f"{host}/{name}:1: http://{host} cannot be reached (ConnectionError)"
    assert time.slept == [1, 2]


def test_a_registry_that_speaks_no_tls_is_reached_by_no_other_way(ask: Ask) -> None:
    """A host that is not this machine is asked over https alone."""
    says = refused(ask, "registry.invalid:5000/web:1")
    assert re.search(r"https://registry\.invalid:5000 cannot be reached \(\w+\)", says)


def test_a_server_without_tls_is_not_tried_again(registry: RegistryStandIn, time: Time) -> None:
    transport = Transport(time, connections=1)
    url = f"https://{registry.host}/v2/"
    for _ in range(2):
        with pytest.raises(RegistryError, match="cannot be reached .no TLS that can be trusted"):
            transport.send("HEAD", url, accept="*/*")
    transport.close()
    assert time.slept == []


def test_a_realm_that_gives_no_token_is_told_by_its_status(start: Start, ask: Ask) -> None:
    registry = start(scheme="bearer")
    registry.realm += "?service=another"
    assert refused(ask, registry.image("web:1")).endswith("gives no token (HTTP 400)")


def test_an_unforeseen_answer_is_told_by_its_status_and_code(
    registry: RegistryStandIn, ask: Ask
) -> None:
    body = json.dumps({"errors": [{"code": "DENIED", "message": PASSWORD}]}).encode()
    registry.answer = lambda asked: Reply(status=418 if asked.method == "GET" else 405, body=body)
    assert refused(ask, registry.image("web:1")).endswith("the registry answered HTTP 418 DENIED")
