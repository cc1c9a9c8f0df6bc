"""Failures of the SDK and refusals of Azure as errors of ours: nobody else knows their names."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from azure.core import exceptions as sdk
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from reconciler.arm.answers import Response, refusal_in, request_id_of, retry_after_of
from reconciler.arm.hints import again, hint_for
from reconciler.core.jsonval import Json
from reconciler.core.mask import scrubbed
from reconciler.core.properties import write_only_names
from reconciler.core.remedies import SIGN_IN
from reconciler.errors import (
    AuthenticationFailed,
    AzureError,
    Conflict,
    Forbidden,
    NotFound,
    Rejected,
    Throttled,
    Unavailable,
    Unreachable,
)

_LONGEST = 1000
# A secret such as "1" would only blot out half of every message.
_SHORTEST = 4
_SHORTEST_DECODED = 8
_USER = re.compile(r"(?<=://)[^/\s@'\"]+@")
_QUERY = re.compile(r"\?[\w.$%-]+=[^\s'\"<>)\]]*")
_BEARER = re.compile(r"(?i)\b(bearer|sharedaccesssignature)\s+[\w.~+/=&%-]+")
_POOL = re.compile(r"\A\w+\(([\"'<]?\w*Connection\w*\(.*?\)(: | at 0x\w+>, [\"'])|\w+\(\d+, [\"'])")
_HOST = re.compile(r"host='([^']+)', port=(\d+)")
_WRAPPED = re.compile(r"[\"']\)+\Z")
# Kept when read back as "absent" would be wrong: these three say so, any other 404 does not.
_ABSENT = {"resourcenotfound", "containergroupnotfound", "resourcegroupnotfound"}


def is_absent(error: NotFound, *codes: str) -> bool:
    """Whether it says that the thing does not exist; a proxy's 404 and a wrong URL do not."""
    return (error.code or "").lower() in (codes or _ABSENT)


def clean(text: str, *, hidden: Sequence[str] = ()) -> str:
    """`text` on one line, without signed queries, tokens, users in URLs and what is `hidden`."""
    text = scrubbed(text, hidden)
    text = _BEARER.sub(r"\1 (hidden)", _QUERY.sub("", _USER.sub("", text)))
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def secrets_in(body: Json, *, under: str = "") -> list[str]:
    """The write-only values of a body: a refusal of ARM may quote what it could not read.

    `under` is the write-only member that `body` lies in.
    """
    if isinstance(body, str):
        return _texts(body, under) if under and len(body) >= _SHORTEST else []
    if isinstance(body, list):
        return [text for item in body for text in secrets_in(item, under=under)]
    if isinstance(body, dict):
        hidden = write_only_names()
        return [
            text
            for name, item in body.items()
            for text in secrets_in(item, under=under or (name if name in hidden else ""))
        ]
    return []


def _texts(secret: str, under: str) -> list[str]:
    """A secret, as it is and in JSON, and what it is base64 of where that is no coincidence."""
    texts = [secret, json.dumps(secret)[1:-1]]
    with suppress(ValueError):
        decoded = b64decode(secret, validate=True).decode()
        # The files of a volume are base64 by definition.
        if len(decoded) >= (_SHORTEST if under == "secret" else _SHORTEST_DECODED):
            texts.append(decoded)
    return texts


def refusal(
    response: Response, *, verb: str, target: str, hidden: Sequence[str] = ()
) -> AzureError:
    """The error that an answer other than 2xx stands for."""
    code, message = refusal_in(response)
    status = int(response.status_code)
    says = message or f"Azure answered {status} {response.reason or ''}".rstrip()
    if status == 413 and not message:
        says = "the body is too large for Azure"  # IIS answers that with nothing in it
    return kind_of(status)(
        clean(says, hidden=hidden).rstrip("."),
        hint=hint_for(
            status=status,
            code=code,
            message=scrubbed(message, hidden),
            verb=verb,
            target=target,
        ),
        verb=verb,
        target=target,
        status=status,
        code=clean(code, hidden=hidden) or None,
        request_id=request_id_of(response) or None,
        retry_after_s=retry_after_of(response),
    )


def kind_of(status: int) -> type[AzureError]:
    """The class of error that a status means."""
    known = {
        401: AuthenticationFailed, 403: Forbidden, 404: NotFound, 408: Unavailable, 409: Conflict,
        429: Throttled,
    }  # fmt: skip
    if status in known:
        return known[status]
    if status >= 500:
        return Unavailable
    return Rejected if status >= 400 else AzureError


@contextmanager
def translated(verb: str, target: str) -> Iterator[None]:
    """Raise what the SDK raises as ours, and give an error that lacks them `verb` and `target`.

    Causes are not kept: their texts hold signed URLs, and a traceback would print them.
    """
    try:
        yield
    except AzureError as error:
        error.verb, error.target = error.verb or verb, error.target or target
        raise
    except sdk.ClientAuthenticationError as exc:
        says = f"no token from Azure: {clean(exc.message)}"
        raise AuthenticationFailed(says, hint=SIGN_IN, verb=verb, target=target) from None
    except sdk.AzureError as exc:
        raise _unanswered(exc, verb=verb, target=target) from None


def _unanswered(exc: sdk.AzureError, *, verb: str, target: str) -> AzureError:
    kind: type[Unavailable] = Unavailable
    if isinstance(exc, sdk.ServiceRequestTimeoutError | sdk.ServiceResponseTimeoutError):
        says, hint = "no answer in time", again(verb)
    elif isinstance(exc, sdk.ServiceRequestError):
        says, hint = "cannot be reached", "check the network, the proxy and the endpoint"
    else:
        says, hint = "the connection broke", again(verb)
    if _was_never_sent(exc):
        kind = Unreachable
    return kind(f"{says}: {_cause(clean(exc.message))}", hint=hint, verb=verb, target=target)


def _was_never_sent(exc: sdk.AzureError) -> bool:
    """Whether no connection came about at all: the SDK's classes also cover one that broke."""
    found: object = exc.inner_exception
    while isinstance(found, BaseException):
        if isinstance(found, NewConnectionError | ConnectTimeoutError):
            return True
        first = found.args[0] if found.args else None
        found = getattr(found, "reason", None) or first
    return False


def _cause(text: str) -> str:
    """Where it failed and what lies at the bottom of a transport's text, without all around it."""
    _, found, inner = text.rpartition("(Caused by ")
    if not found:
        return text
    host = _HOST.search(text)
    where = f"{host[1]}:{host[2]}: " if host else ""
    return where + _WRAPPED.sub("", _POOL.sub("", inner))
