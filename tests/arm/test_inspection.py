"""Who asks, as a token says it; no token is ever printed."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.credentials import AccessTokenInfo
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ChainedTokenCredential, CredentialUnavailableError

from reconciler.arm.credentials import OneToken
from reconciler.arm.inspection import Inspection
from reconciler.errors import AuthenticationFailed


class AzureCliCredential:
    """Stands for whatever gives a token."""

    def __init__(self, token: str | Exception) -> None:
        self.token = token

    def get_token_info(self, *_scopes: str, options: Any = None) -> AccessTokenInfo:
        if isinstance(self.token, Exception):
            raise self.token
        return AccessTokenInfo(self.token, int(time.time()) + 3600)


class ManagedIdentityCredential(AzureCliCredential):
    """Another one."""


def inspecting(*chain: AzureCliCredential) -> Inspection:
    credential = OneToken(ChainedTokenCredential(*chain))
    return Inspection(SimpleNamespace(credential=credential, scope="s", endpoint=""))  # type: ignore[arg-type]


def token(claims: object) -> str:
    text = urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"head.{text}.signature"


def test_the_credential_of_a_chain_that_gave_the_token_is_named() -> None:
    none = ManagedIdentityCredential(CredentialUnavailableError("no endpoint"))
    claims = {"oid": "o-1", "tid": "t-1", "upn": "ada@example.org", "appid": "az"}

    identity = inspecting(none, AzureCliCredential(token(claims))).identity()

    assert identity.credential == "az login"
    assert (identity.name, identity.principal, identity.tenant) == ("ada@example.org", "o-1", "t-1")
    assert identity.is_person
    assert identity.expires is not None


@pytest.mark.parametrize(
    "text", ["opaque", "a.b.c", "a.!!.c", token([1]), token({"oid": 7, "tid": None}), ""]
)
def test_a_token_that_tells_nothing_is_no_trouble(text: str) -> None:
    identity = inspecting(AzureCliCredential(text), ManagedIdentityCredential("x")).identity()

    assert (identity.name, identity.principal, identity.tenant) == ("", "", "")
    assert not identity.is_person


def test_a_chain_that_finds_nothing_says_what_it_tried() -> None:
    none = CredentialUnavailableError("not here")
    asked = inspecting(ManagedIdentityCredential(none), AzureCliCredential(none))

    with pytest.raises(AuthenticationFailed) as caught:
        asked.identity()

    assert caught.value.says == "no credential gave a token; tried managed identity, az login"
    assert "az login" in caught.value.hint


def test_one_that_is_refused_says_why() -> None:
    credential = OneToken(
        AzureCliCredential(ClientAuthenticationError("AADSTS7000215: bad secret"))
    )
    asked = Inspection(SimpleNamespace(credential=credential, scope="s", endpoint=""))  # type: ignore[arg-type]

    with pytest.raises(AuthenticationFailed, match="AADSTS7000215"):
        asked.identity()
