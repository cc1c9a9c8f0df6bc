"""Reading secrets: the real SDK client against a stand-in of the vault's REST API, over HTTP."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs

import pytest

from reconciler import __version__
from reconciler.arm.clouds import CLOUDS, cloud_named
from reconciler.arm.connect import connect
from reconciler.arm.keyvault import KeyVaults
from reconciler.core.references import VaultReference
from reconciler.errors import (
    AuthenticationFailed,
    AzureError,
    Forbidden,
    LocalStateUnusable,
    NotFound,
    Rejected,
    Throttled,
    Unavailable,
)
from tests.conftest import CHECKOUT, environment_of
from tests.vault import NO_RIGHT, VERSION, Refused, VaultStandIn

CANARY = "hunter2-canary"


@pytest.fixture
def vault() -> Iterator[VaultStandIn]:
    with VaultStandIn() as running:
        running.set("db", CANARY)
        yield running


def nobody() -> object:
    raise AssertionError("a credential was asked for")


@pytest.fixture
def vaults() -> Iterator[KeyVaults]:
    made = KeyVaults(domain="vault.azure.net", credential=nobody, parallelism=8)
    yield made
    made.close()


def of(vault: VaultStandIn, name: str = "db", version: str = "") -> VaultReference:
    return VaultReference(vault=vault.url, secret=name, version=version)


def test_the_latest_version_is_read_by_one_get_without_an_identity(vault, vaults) -> None:
    assert vaults.secret(of(vault)) == CANARY

    (target,) = vault.asked
    path, _, query = target.partition("?")
    assert path.rstrip("/") == "/secrets/db"
    assert parse_qs(query) == {"api-version": ["7.4"]}
    (headers,) = vault.headers
    assert "Authorization" not in headers
    assert headers["User-Agent"].startswith(f"aci-reconcile/{__version__}")


def test_a_version_is_read_as_it_was(vault, vaults) -> None:
    vault.set("db", "newer", version="2" * 32)

    assert vaults.secret(of(vault)) == "newer"
    assert vaults.secret(of(vault, version=VERSION)) == CANARY
    assert vault.asked[-1].startswith(f"/secrets/db/{VERSION}?")


def test_nothing_is_kept_between_two_reads(vault, vaults) -> None:
    vaults.secret(of(vault))
    vault.set("db", "rotated")

    assert vaults.secret(of(vault)) == "rotated"


@pytest.mark.parametrize("value", ["", "žluťoučký\n\tkůň", '{"a": "b"}', "x" * 25_000])
def test_a_value_is_handed_over_as_it_is(vault, vaults, value) -> None:
    vault.set("db", value)

    assert vaults.secret(of(vault)) == value


def test_a_secret_that_is_not_there(vault, vaults) -> None:
    with pytest.raises(NotFound, match=r"\(HTTP 404, SecretNotFound, request id r-1\)") as caught:
        vaults.secret(of(vault, "nobody"))

    assert f"read secret 'nobody' in vault '{vault.url}'" in str(caught.value)
    assert "check its name and version" in caught.value.hint


def test_a_version_that_is_not_there_is_named(vault, vaults) -> None:
    with pytest.raises(NotFound, match=f"version '{'3' * 32}' of secret 'db'"):
        vaults.secret(of(vault, version="3" * 32))


def test_a_disabled_secret(vault, vaults) -> None:
    vault.set("db", CANARY, enabled=False)

    with pytest.raises(Forbidden, match="HTTP 403, SecretDisabled") as caught:
        vaults.secret(of(vault))

    assert "enable it" in caught.value.hint


def test_a_vault_that_the_identity_may_not_read(vault, vaults) -> None:
    vault.answer = lambda _path: NO_RIGHT

    with pytest.raises(Forbidden, match=r"HTTP 403, ForbiddenByRbac, request id r-1") as caught:
        vaults.secret(of(vault))

    assert "Key Vault Secrets User" in caught.value.hint
    assert "\n" not in str(caught.value)
    assert len(vault.asked) == 1


def test_a_vault_that_wants_an_identity_where_none_is_shown(vault, vaults) -> None:
    challenge = 'Bearer authorization="https://login.example/t", resource="https://vault.azure.net"'
    vault.answer = lambda _path: Refused(
        status=401,
        code="Unauthorized",
        message="AKV10000: Request is missing a Bearer or PoP token.",
        headers={"WWW-Authenticate": challenge},
    )

    with pytest.raises(AuthenticationFailed, match="AKV10000"):
        vaults.secret(of(vault))


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_vault_is_asked_again_when_it_says(vault, vaults, status) -> None:
    busy = [Refused(status=status, code="Busy", message="later", headers={"Retry-After": "0"})] * 2
    vault.answer = lambda _path: busy.pop() if busy else None

    assert vaults.secret(of(vault)) == CANARY
    assert len(vault.asked) == 3


def test_a_vault_that_stays_busy_is_told_and_when_to_come_back(vault, vaults) -> None:
    vault.answer = lambda _path: Refused(
        status=429, code="Throttled", message="later", headers={"Retry-After": "372"}
    )

    with pytest.raises(Throttled, match="HTTP 429, Throttled") as caught:
        vaults.secret(of(vault))

    assert caught.value.retry_after_s == 372
    assert len(vault.asked) == 1


def test_a_vault_that_never_recovers_ends(vault, vaults) -> None:
    vault.answer = lambda _path: Refused(
        status=503, code="Down", message="no", headers={"Retry-After": "0"}
    )

    with pytest.raises(Unavailable, match="HTTP 503, Down"):
        vaults.secret(of(vault))

    assert 2 <= len(vault.asked) <= 5


def test_a_vault_that_nobody_serves_is_told(vaults) -> None:
    with VaultStandIn() as gone:
        pass

    with pytest.raises(Unavailable, match=f"'{gone.url}': cannot be reached: ") as caught:
        vaults.secret(of(gone))

    assert caught.value.says.endswith("Connection refused")
    assert "Pool" not in caught.value.says


def test_a_vault_that_does_not_answer_is_not_waited_for_without_end(vault) -> None:
    release = threading.Event()

    def hang(_path: str) -> None:
        release.wait(60)

    vault.answer = hang
    hasty = KeyVaults(domain="", credential=nobody, parallelism=1, read_s=0.05, patience_s=0.5)

    try:
        with pytest.raises(Unavailable, match="no answer in time"):
            hasty.secret(of(vault))
    finally:
        release.set()
        hasty.close()


@pytest.mark.parametrize(
    "answer",
    [
        f"<html>{CANARY}</html>".encode(),
        f'{{"value": "{CANARY}'.encode(),
        json.dumps([CANARY]).encode(),
        json.dumps({"value": {"inner": CANARY}}).encode(),
        json.dumps({"secret": CANARY}).encode(),
        b'"' + CANARY.encode() + b'"',
        b"\xff",
    ],
    ids=["page", "torn", "list", "object for text", "no value", "text", "bytes"],
)
def test_an_answer_that_is_no_secret_is_told_without_it(vault, vaults, answer) -> None:
    vault.answer = lambda _path: answer

    with pytest.raises(Unavailable, match="the answer is no secret") as caught:
        vaults.secret(of(vault))

    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None


def test_no_value_is_in_the_log_at_any_level(vault, vaults, caplog) -> None:
    caplog.set_level(logging.DEBUG, logger="reconciler")

    vaults.secret(of(vault))

    assert "GET /secrets/db/: 200, request id r-1" in caplog.text
    assert CANARY not in caplog.text


def test_many_threads_share_it(vault, vaults) -> None:
    for n in range(40):
        vault.set(f"s{n}", f"value {n}")

    with ThreadPoolExecutor(8) as pool:
        values = list(pool.map(lambda n: vaults.secret(of(vault, f"s{n}")), range(40)))

    assert values == [f"value {n}" for n in range(40)]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://kv-shop.vault.azure.net", "plain http is for this machine alone"),
        ("https://kv-shop.vault.azure.net:port", "expected a URL"),
        ("https://joe:pw@kv-shop.vault.azure.net", "credentials in the URL"),
    ],
)
def test_a_url_that_no_manifest_may_hold_is_not_asked_either(vaults, url, says) -> None:
    with pytest.raises(Rejected, match=says) as caught:
        vaults.secret(VaultReference(vault=url, secret="db"))

    assert "pw@" not in str(caught.value)


@pytest.mark.parametrize(
    ("cloud", "domain"),
    [
        ("AzureCloud", "vault.azure.net"),
        ("AzureUSGovernment", "vault.usgovcloudapi.net"),
        ("AzureChinaCloud", "vault.azure.cn"),
    ],
)
def test_a_vault_has_its_name_in_the_domain_of_its_cloud(cloud, domain) -> None:
    made = KeyVaults(domain=cloud_named(cloud).vaults, credential=nobody, parallelism=1)

    assert made._url("kv-shop") == f"https://kv-shop.{domain}"
    assert len({facts.vaults for facts in CLOUDS}) == len(CLOUDS)


def test_the_library_is_missed_by_name(vaults, vault, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.keyvault.secrets", None)

    with pytest.raises(LocalStateUnusable, match=r"pip install 'aci-reconcile\[keyvault\]'"):
        vaults.secret(of(vault))


def test_the_library_is_loaded_by_the_first_secret_alone(vault) -> None:
    code = f"""
import sys
from reconciler.arm.connect import connect
from reconciler.core.references import VaultReference
def loaded(): return any(name.startswith("azure.keyvault") for name in sys.modules)
with connect(cloud="AzureCloud", endpoint="http://127.0.0.1:1", parallelism=1, environ={{}}) as c:
    print(loaded())
    c.vaults.secret(VaultReference(vault="{vault.url}", secret="db"))
    print(loaded())
"""

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=CHECKOUT, env=environment_of(), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip

    assert done.stdout.split() == ["False", "True"]


# With an identity, over https: the vault asks for a token by a challenge


@pytest.fixture
def signed(tmp_path, secure_servers, answer):
    """Vaults behind the file of AZURE_AUTH_LOCATION, the directory that hands out its tokens, and
    a vault that takes them.
    """
    directory, server = secure_servers(), secure_servers()
    tenant = "bbbbbbbb-0000-0000-0000-000000000002"

    def hand_out(seen):
        if seen.path.endswith("/openid-configuration"):
            base = f"{directory.url}/{tenant}"
            ends = {"token_endpoint": f"{base}/token", "authorization_endpoint": f"{base}/a"}
            return answer(body={"issuer": f"{base}/v2.0", **ends})
        return answer(
            body={"token_type": "Bearer", "expires_in": 3600, "access_token": "the-token"}
        )

    directory.answers = [hand_out]
    members = {
        "clientId": "aaaaaaaa-0000-0000-0000-000000000001",
        "clientSecret": "s3cr3t-of-the-principal",
        "subscriptionId": "11111111-2222-3333-4444-555555555555",
        "tenantId": tenant,
        "activeDirectoryEndpointUrl": directory.url,
    }
    (tmp_path / "auth.json").write_text(json.dumps(members))
    environ = {"AZURE_AUTH_LOCATION": str(tmp_path / "auth.json")}
    # A vault's resource is the domain above it, and here an address has to do for a name.
    resource = server.url.replace("127.0.0.1", "0.0.1")

    def challenged(seen):
        if seen.headers.get("Authorization") == "Bearer the-token":
            return answer(body={"value": CANARY, "id": f"{server.url}/secrets/db/1"})
        says = f'Bearer authorization="{directory.url}/{tenant}", resource="{resource}"'
        body = {"error": {"code": "Unauthorized", "message": "AKV10000: no token"}}
        return answer(status=401, body=body, headers={"WWW-Authenticate": says})

    server.answers = [challenged]
    return directory, server, environ


@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:1"], ids=["azure", "emulator"])
def test_a_challenge_is_answered_with_the_runs_own_credential(signed, endpoint) -> None:
    directory, server, environ = signed
    reference = VaultReference(vault=server.url, secret="db")

    with connect(cloud="AzureCloud", endpoint=endpoint, parallelism=4, environ=environ) as cloud:
        with ThreadPoolExecutor(4) as pool:
            values = list(pool.map(lambda _: cloud.vaults.secret(reference), range(8)))

    assert values == [CANARY] * 8
    assert directory.methods.count("POST") == 1  # one token serves every thread
    asked = parse_qs(next(s for s in directory.seen if s.method == "POST").body.decode())
    assert asked["scope"] == [f"{server.url.replace('127.0.0.1', '0.0.1')}/.default"]


def test_a_challenge_for_somebody_elses_token_is_not_answered(signed, answer) -> None:
    """A vault's URL stands in a manifest: whoever serves it gets no token for another service."""
    directory, server, environ = signed
    says = f'Bearer authorization="{directory.url}/t", resource="https://management.azure.com"'
    server.answers = [answer(status=401, body={}, headers={"WWW-Authenticate": says})]

    with connect(cloud="AzureCloud", endpoint=None, parallelism=1, environ=environ) as cloud:
        with pytest.raises(AuthenticationFailed, match="not meant for it"):
            cloud.vaults.secret(VaultReference(vault=server.url, secret="db"))

    assert "POST" not in directory.methods
    assert all("Authorization" not in seen.headers for seen in server.seen)


def test_a_sign_in_that_fails_is_told(signed, answer) -> None:
    directory, server, environ = signed
    refused = {"error": "invalid_client", "error_description": "AADSTS7000215: wrong"}
    hand_out = directory.answers[0]
    directory.answers = [
        lambda seen: answer(status=401, body=refused) if seen.method == "POST" else hand_out(seen)
    ]

    with connect(cloud="AzureCloud", endpoint=None, parallelism=1, environ=environ) as cloud:
        with pytest.raises(AuthenticationFailed, match="no token from Azure.*AADSTS7000215"):
            cloud.vaults.secret(VaultReference(vault=server.url, secret="db"))


def test_a_redirect_is_not_followed(signed, answer) -> None:
    _directory, server, environ = signed
    server.answers = [answer(status=307, headers={"Location": f"{server.url}/elsewhere"})]

    with connect(cloud="AzureCloud", endpoint=None, parallelism=1, environ=environ) as cloud:
        with pytest.raises(AzureError, match="HTTP 307"):
            cloud.vaults.secret(VaultReference(vault=server.url, secret="db"))

    assert len(server.seen) == 1
