"""`core.diagnosis.Inspector` over ARM: who asks, and what only `doctor` wants to know."""

from __future__ import annotations

import binascii
import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from reconciler.arm.answers import Response, object_in
from reconciler.arm.exchange import Exchange
from reconciler.arm.translate import clean, refusal, translated
from reconciler.arm.wire import SUBSCRIPTIONS_API, Wire
from reconciler.core.diagnosis import Answered, Identity
from reconciler.core.ids import GROUP_TYPE
from reconciler.core.jsonval import Json, JsonObject, as_text
from reconciler.errors import AuthenticationFailed

_PROVIDER = GROUP_TYPE.partition("/")[0]
_PERMISSIONS_API = "2022-04-01"
_LEFT = "x-ms-ratelimit-remaining-subscription-reads"
# Those of azure-identity's chain, as people know them.
_KINDS = {
    "EnvironmentCredential": "the AZURE_ variables of the environment",
    "WorkloadIdentityCredential": "workload identity",
    "ManagedIdentityCredential": "managed identity",
    "SharedTokenCacheCredential": "the token cache of Visual Studio",
    "VisualStudioCodeCredential": "Visual Studio Code",
    "AzureCliCredential": "az login",
    "AzurePowerShellCredential": "Connect-AzAccount",
    "AzureDeveloperCliCredential": "azd auth login",
    "BrokerCredential": "the account of the operating system",
    "ClientSecretCredential": "the secret in the file that AZURE_AUTH_LOCATION names",
    "CertificateCredential": "the certificate in the file that AZURE_AUTH_LOCATION names",
}


class Inspection:
    """One connection's questions of `doctor`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._arm = Exchange(wire)

    def identity(self) -> Identity:
        """Who asks, by the token of the connection: its claims are read, not verified."""
        credential = self._wire.credential
        if credential is None:
            return Identity(credential="")
        try:
            with translated("sign in", ""):
                token = credential.get_token_info(self._wire.scope)
        except AuthenticationFailed as exc:
            raise _briefly(exc, credential.tried) from None
        claims = _claims(token.token)
        names = ("upn", "unique_name", "preferred_username", "app_displayname", "appid", "oid")
        return Identity(
            credential=_KINDS.get(credential.used, credential.used) or "a credential",
            name=clean(next((text for key in names if (text := as_text(claims.get(key)))), "")),
            principal=clean(as_text(claims.get("oid"))),
            tenant=clean(as_text(claims.get("tid"))),
            is_person=as_text(claims.get("idtyp")) == "user" or bool(claims.get("upn")),
            expires=_instant(token.expires_on),
        )

    def subscription(self, subscription: str) -> Answered:
        """The subscription, and what the headers of the answer tell."""
        target = f"subscription {subscription}"
        path = f"/subscriptions/{quote(subscription, safe='')}?api-version={SUBSCRIPTIONS_API}"
        with translated("get", target):
            response = self._wire.get(self._wire.endpoint + path)
            told = partial(Answered, date=_date_of(response), reads_left=_left(response))
            if response.status_code != 200:
                return told(error=refusal(response, verb="get", target=target))
            return told(body=object_in(response))

    def provider(self, subscription: str) -> JsonObject:
        """The resource provider of container groups."""
        target = f"resource provider {_PROVIDER} in subscription {subscription}"
        read = partial(self._wire.resources(subscription).providers.get, _PROVIDER)
        with translated("get", target):
            return object_in(self._arm.asked("get", target, read))

    def permissions(self, scope: str) -> Sequence[Json]:
        """What the roles of the identity allow at a scope."""
        path = f"{quote(scope)}/providers/Microsoft.Authorization/permissions"
        return self._arm.listed(f"{path}?api-version={_PERMISSIONS_API}", f"permissions at {scope}")


def _briefly(error: AuthenticationFailed, tried: Sequence[str]) -> AuthenticationFailed:
    """Of a chain that found nothing, which ones were tried; each says why over many lines."""
    if len(tried) < 2:
        return error
    names = ", ".join(_KINDS.get(name, name) for name in tried)
    says = f"no credential gave a token; tried {names}"
    return AuthenticationFailed(says, hint=error.hint, verb=error.verb)


def _claims(token: str) -> JsonObject:
    """What a token says of its bearer; nothing where it is none of Microsoft Entra's kind."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims: Any = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}


def _instant(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _date_of(response: Response) -> datetime | None:
    try:
        found = parsedate_to_datetime(str(response.headers.get("date") or ""))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _left(response: Response) -> int | None:
    text = str(response.headers.get(_LEFT) or "").strip()
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None
