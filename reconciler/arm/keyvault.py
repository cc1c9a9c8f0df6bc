"""Secrets out of Azure Key Vault: one GET each, with the identity that ARM is asked with.

The library is an extra and is loaded when the first secret is read.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from azure.core import exceptions as sdk
from azure.core.pipeline.policies import (
    ContentDecodePolicy,
    CustomHookPolicy,
    RequestIdPolicy,
    UserAgentPolicy,
)
from azure.core.pipeline.transport import RequestsTransport

from reconciler import __version__
from reconciler.arm.addresses import checked_endpoint, is_plain_http, without_credentials
from reconciler.arm.answers import Response, refusal_in, request_id_of, retry_after_of, text_of
from reconciler.arm.hints import vault_hint
from reconciler.arm.policies import RequestLog, RetryReads
from reconciler.arm.translate import clean, kind_of, translated
from reconciler.arm.wire import Nobody, session_of
from reconciler.core.jsonval import as_object, as_text, dig
from reconciler.core.references import VaultReference
from reconciler.core.remedies import SIGN_IN
from reconciler.errors import (
    AuthenticationFailed,
    AzureError,
    LocalStateUnusable,
    Rejected,
    Unavailable,
    UsageError,
)

# Old, and therefore spoken by every cloud; a secret's value is all we ask.
VAULT_API = "7.4"

_CONNECT_S = 5.0
_READ_S = 15.0
_PATIENCE_S = 60.0  # for one secret, with all its attempts
_AGENT = f"aci-reconcile/{__version__}"
_MISSING = "the library that reads key vaults is not installed"
_INSTALL = "install it with: pip install 'aci-reconcile[keyvault]'"


class KeyVaults:
    """`core.cloud.Vaults` for one credential. `domain` is where vaults named by name alone live.

    `credential` is called when the first vault over https is read, and never for plain http, which
    is this machine; with `owns_credential` it is closed here. `read_s` and `patience_s` are
    seconds: for one answer, and for a whole read.
    """

    def __init__(
        self,
        *,
        domain: str,
        credential: Callable[[], Any],
        parallelism: int,
        owns_credential: bool = False,
        read_s: float = _READ_S,
        patience_s: float = _PATIENCE_S,
    ) -> None:
        self._domain = domain
        self._ask_credential = credential
        self._owns_credential = owns_credential
        self._parallelism = parallelism
        self._limits = {
            "connection_timeout": _CONNECT_S,
            "read_timeout": read_s,
            "timeout": patience_s,
        }
        self._lock = threading.Lock()
        self._credential: Any = None
        self._transports: dict[bool, RequestsTransport] = {}
        self._sessions: list[Any] = []

    def secret(self, reference: VaultReference) -> str:
        """The value a reference leads to, read anew each time.

        Raises:
            AzureError: the vault refused, has no such secret, or was not reached.
            LocalStateUnusable: the library is not installed.
        """
        shown = replace(reference, vault=without_credentials(reference.vault))
        with translated("read", str(shown)):
            client = self._client(self._url(reference.vault))
            seen: list[Any] = []
            ask = partial(client.get_secret, raw_response_hook=seen.append, **self._limits)
            try:
                ask(reference.secret, reference.version or None)
            except sdk.HttpResponseError as exc:
                raise _refusal(exc) from None
            except (ValueError, TypeError, AttributeError, LookupError) as exc:
                raise _odd(exc, seen) from None
            return _value_in(seen[-1].http_response)

    def close(self) -> None:
        """Close every connection."""
        for session in self._sessions:
            session.close()
        if self._credential is not None and self._owns_credential:
            self._credential.close()

    def _url(self, vault: str) -> str:
        if "://" not in vault:
            return f"https://{vault}.{self._domain}"
        try:
            return checked_endpoint(vault, named_by="vault")
        except UsageError as exc:
            raise Rejected(exc.says, hint=exc.hint) from exc

    def _client(self, url: str) -> Any:
        """A client for one request.

        Its authentication keeps the token in a field without a lock, so threads must not share
        it; what is costly, connections and tokens, is shared.
        """
        try:
            from azure.keyvault.secrets import SecretClient
        except ImportError as exc:
            raise LocalStateUnusable(_MISSING, hint=_INSTALL) from exc
        plain = is_plain_http(url)
        transport = self._transport(plain=plain)
        if plain:
            return SecretClient(
                url, Nobody(), api_version=VAULT_API, transport=transport, policies=_nobodys()
            )
        return SecretClient(
            url,
            self._signed_in(),
            api_version=VAULT_API,
            transport=transport,
            retry_policy=RetryReads(),
            per_retry_policies=[RequestLog()],
            user_agent_policy=UserAgentPolicy(base_user_agent=_AGENT),
            permit_redirects=False,  # a token goes to the vault that was named and nowhere else
        )

    def _signed_in(self) -> Any:
        with self._lock:
            if self._credential is None:
                self._credential = self._ask_credential()
            return self._credential

    def _transport(self, *, plain: bool) -> RequestsTransport:
        with self._lock:
            if plain not in self._transports:
                session = session_of(self._parallelism, plain=plain)
                self._sessions.append(session)
                self._transports[plain] = RequestsTransport(
                    session=session, session_owner=False, use_env_settings=session.trust_env
                )
            return self._transports[plain]


def _nobodys() -> list[Any]:
    """The policies of a client that says nothing of who asks."""
    return [
        RequestIdPolicy(),
        UserAgentPolicy(base_user_agent=_AGENT),
        ContentDecodePolicy(),
        CustomHookPolicy(),
        RetryReads(),
        RequestLog(),
    ]


def _value_in(response: Response) -> str:
    """The value as it was sent: the SDK's model makes a text of whatever stands in its place."""
    try:
        value = as_object(json.loads(text_of(response))).get("value")
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, str):
        raise _unreadable(response)
    return value


def _refusal(exc: sdk.HttpResponseError) -> AzureError:
    """What a vault that refused, or answered no JSON, comes to."""
    response: Response = exc.response
    if response is None:
        # No vault was asked: the sign-in failed.
        return AuthenticationFailed(f"no token from Azure: {clean(exc.message)}", hint=SIGN_IN)
    status = int(response.status_code)
    if status == 200:
        return _unreadable(response)
    code, message = refusal_in(response)
    code = _inner_code(response) or code
    return kind_of(status)(
        clean(message or f"the vault answered {status} {response.reason or ''}").rstrip("."),
        hint=vault_hint(status=status, code=code),
        status=status,
        code=code or None,
        request_id=request_id_of(response) or None,
        retry_after_s=retry_after_of(response),
    )


def _inner_code(response: Response) -> str:
    """The code that tells why, where the outer one is no more than `Forbidden`."""
    try:
        return as_text(dig(as_object(json.loads(text_of(response))), "error", "innererror", "code"))
    except (ValueError, RecursionError):
        return ""


def _odd(exc: Exception, seen: list[Any]) -> AzureError:
    """The SDK tripped over an answer, or did not believe where a challenge sends the token."""
    response = seen[-1].http_response if seen else None
    if response is None or response.status_code != 401:
        return _unreadable(response)
    return AuthenticationFailed(
        f"the vault asks for a token that is not meant for it: {clean(str(exc))}",
        hint="check the vault's URL and the cloud",
        status=401,
        request_id=request_id_of(response) or None,
    )


def _unreadable(response: Response) -> Unavailable:
    # Nothing of the body is shown: it may be the secret in another wrapping.
    return Unavailable(
        "the answer is no secret",
        hint="is it a key vault that answers there, or a proxy for it?",
        status=int(response.status_code) if response is not None else None,
        request_id=(request_id_of(response) or None) if response is not None else None,
    )
