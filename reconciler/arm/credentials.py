"""Who we are to Azure: the usual credential chain, or one file and nothing else."""

from __future__ import annotations

import json
import stat
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azure.core.credentials import AccessTokenInfo
from azure.identity import CertificateCredential, ClientSecretCredential, DefaultAzureCredential

from reconciler.arm.addresses import checked_endpoint, is_plain_http
from reconciler.arm.clouds import CLOUDS, CloudFacts, scope_for
from reconciler.core.jsonval import JsonObject
from reconciler.errors import AuthenticationFailed, UsageError

AUTH_LOCATION = "AZURE_AUTH_LOCATION"

_HOW_TO = f"write it with 'az ad sp create-for-rbac --sdk-auth', or unset {AUTH_LOCATION}"
# Renewed this long before it ends, so that no request is under way with a token that just ended.
_RENEW_S = 300
_LARGEST = 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A service principal as its file describes it."""

    client_id: str
    tenant_id: str
    subscription: str
    endpoint: str
    authority: str
    secret: str = field(default="", repr=False)
    certificate: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """What every request carries: whose tokens, for which endpoint, asked for by which scope."""

    credential: Any  # azure.core's TokenCredential
    endpoint: str
    scope: str
    subscription: str | None = None


def sign_in(cloud: CloudFacts, environ: Mapping[str, str]) -> SignIn:
    """The file that `AZURE_AUTH_LOCATION` names, or else what `DefaultAzureCredential` finds.

    Nothing is asked of the network yet.

    Raises:
        AuthenticationFailed: the file is set and cannot be used; nothing else is tried then.
    """
    principal = principal_from(environ, cloud=cloud)
    if principal is None:
        chain = DefaultAzureCredential(
            authority=cloud.authority, exclude_interactive_browser_credential=True
        )
        return SignIn(credential=OneToken(chain), endpoint=cloud.endpoint, scope=cloud.scope)
    return SignIn(
        credential=OneToken(_credential_of(principal)),
        endpoint=principal.endpoint,
        scope=scope_for(principal.endpoint, otherwise=f"{principal.endpoint}/.default"),
        subscription=principal.subscription,
    )


def subscription_in_file(environ: Mapping[str, str]) -> str | None:
    """The subscription of the file that `AZURE_AUTH_LOCATION` names; None where it is not set.

    Raises:
        AuthenticationFailed: the file cannot be used.
    """
    principal = principal_from(environ, cloud=CLOUDS[0])
    return principal.subscription if principal else None


def principal_from(environ: Mapping[str, str], *, cloud: CloudFacts) -> Principal | None:
    """The principal of the file that is set; `cloud` gives the URLs that it leaves out.

    Raises:
        AuthenticationFailed: unreadable, not JSON, members missing, or a URL that is not https.
    """
    if AUTH_LOCATION not in environ:
        return None
    if not environ[AUTH_LOCATION]:
        raise AuthenticationFailed(f"{AUTH_LOCATION}: set, but empty", hint=_HOW_TO)
    path = Path(environ[AUTH_LOCATION])
    data = _members(path)
    absent = [name for name in ("clientId", "tenantId", "subscriptionId") if not _text(data, name)]
    secret, certificate = _text(data, "clientSecret"), _text(data, "clientCertificate")
    absent += [] if secret or certificate else ["clientSecret"]
    if absent:
        raise _unusable(path, f"missing or not a text: {', '.join(absent)}")
    return Principal(
        client_id=_text(data, "clientId"),
        tenant_id=_text(data, "tenantId"),
        subscription=_text(data, "subscriptionId"),
        endpoint=_url(path, data, "resourceManagerEndpointUrl", otherwise=cloud.endpoint),
        authority=_url(path, data, "activeDirectoryEndpointUrl", otherwise=cloud.authority),
        secret=secret,
        certificate=certificate,
    )


def _members(path: Path) -> JsonObject:
    try:
        raw = _bytes_of(path)
    except OSError as exc:
        raise _unusable(path, f"cannot be read: {exc.strerror or type(exc).__name__}") from exc
    except ValueError as exc:
        raise _unusable(path, "cannot be read: a path with a NUL character") from exc
    try:
        data = json.loads(raw)  # bytes: PowerShell's `>` writes UTF-16
    except (ValueError, RecursionError):
        # Without its cause: a JSONDecodeError holds the whole text, the secret in it.
        raise _unusable(path, "not JSON") from None
    if not isinstance(data, dict):
        raise _unusable(path, "not a JSON object")
    return data


def _bytes_of(path: Path) -> bytes:
    """The bytes of a regular file: a device may have no end, a pipe may never be written."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise _unusable(path, "cannot be read: not a regular file")
    with path.open("rb") as file:
        raw = file.read(_LARGEST + 1)
    if len(raw) > _LARGEST:
        raise _unusable(path, "cannot be read: larger than 1 MiB")
    return raw


def _text(data: JsonObject, name: str) -> str:
    value = data.get(name)
    return value.strip() if isinstance(value, str) else ""


def _url(path: Path, data: JsonObject, name: str, *, otherwise: str) -> str:
    try:
        url = checked_endpoint(_text(data, name) or otherwise, named_by=name)
    except UsageError as exc:
        raise _unusable(path, exc.says) from exc
    if name == "activeDirectoryEndpointUrl" and is_plain_http(url):
        raise _unusable(path, f"{name}: a secret is sent over https alone")
    return url


def _unusable(path: Path, says: str) -> AuthenticationFailed:
    return AuthenticationFailed(f"{AUTH_LOCATION}: '{path}': {says}", hint=_HOW_TO)


def _credential_of(principal: Principal) -> Any:
    whose = {"tenant_id": principal.tenant_id, "client_id": principal.client_id}
    options = {
        "authority": principal.authority,
        # For an authority of one's own, the public cloud's directory is not asked to vouch.
        "disable_instance_discovery": principal.authority not in {c.authority for c in CLOUDS},
    }
    if principal.secret:
        return ClientSecretCredential(**whose, client_secret=principal.secret, **options)
    try:
        return CertificateCredential(**whose, certificate_path=principal.certificate, **options)
    except (OSError, ValueError) as exc:
        raise AuthenticationFailed(
            f"{AUTH_LOCATION}: clientCertificate '{principal.certificate}' cannot be used",
            hint="name a PEM or PKCS12 file that holds certificate and private key",
        ) from exc


class OneToken:
    """Asks `credential` for a token once for all threads and clients.

    Without it a run on sixteen threads would start `az` sixteen times: the chain's command-line
    credentials keep nothing.
    """

    def __init__(self, credential: Any) -> None:
        self._credential = credential
        self._lock = threading.Lock()
        self._tokens: dict[tuple[str | None, ...], AccessTokenInfo] = {}

    @property
    def used(self) -> str:
        """The class of the credential that gave the tokens: of a chain, the one that could."""
        found = getattr(self._credential, "_successful_credential", None) or self._credential
        return type(found).__name__

    @property
    def tried(self) -> list[str]:
        """The classes of a chain, in the order in which they are asked."""
        return [type(one).__name__ for one in getattr(self._credential, "credentials", ())]

    def get_token_info(self, *scopes: str, options: Any = None) -> AccessTokenInfo:
        """A token for `scopes` that lasts a few minutes more; azure.core's protocol."""
        # A claims challenge says that the token we hold is no longer good.
        challenged = bool(options and options.get("claims"))
        # A vault names its tenant, which need not be that of the next one.
        key = (options.get("tenant_id") if options else None, *scopes)
        with self._lock:
            token = self._tokens.get(key)
            if token is None or challenged or token.expires_on - time.time() < _RENEW_S:
                token = self._credential.get_token_info(*scopes, options=options)
                self._tokens[key] = token
            return token

    def close(self) -> None:
        """Let go of the connections that asking for tokens opened."""
        self._credential.close()
