"""Posting an event: signed, retried, and known by one key however often it arrives."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reconciler.errors import ReconcilerError, UsageError

if TYPE_CHECKING:
    import requests

    from reconciler.core.cloud import Clock

KEY = "ACI_RECONCILE_WEBHOOK_KEY"
_SHORTEST_KEY = 16
_TIMEOUT_S = (5, 10)  # to connect, to wait for an answer
_PAUSES_S = (1, 2, 4, 8)  # between the tries
_LONGEST_PAUSE_S = 30  # whatever Retry-After asks for
_MAKE = "make one with 'openssl rand -base64 32', and give it to the receiver, too"


class NotDelivered(ReconcilerError):
    """The receiver did not take an event."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where events go. Neither the URL, which may hold a token, nor the key is ever printed."""

    url: str = field(repr=False)
    key: bytes = field(repr=False)

    @property
    def host(self) -> str:
        """What may be said of the URL."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    def headers(self, body: bytes, *, event: str, event_id: str, at: int) -> Mapping[str, str]:
        """What is sent beside `body` at the Unix time `at`."""
        return {
            "Content-Type": "application/json",
            "User-Agent": "aci-reconcile",
            "Idempotency-Key": event_id,
            "X-Aci-Reconcile-Event": event,
            "X-Aci-Reconcile-Timestamp": str(at),
            "X-Aci-Reconcile-Signature": f"v1={signature(self.key, body, at=at)}",
        }

    def post(self, body: bytes, *, event: str, event_id: str, clock: Clock) -> None:
        """Return once the receiver has taken `body`.

        What may pass (no connection, 429, 5xx) is tried again: signed anew, the same `event_id`.

        Raises:
            NotDelivered: it was refused, or not taken in the last try either.
        """
        for pause in (*_PAUSES_S, None):
            headers = self.headers(
                body, event=event, event_id=event_id, at=int(clock.now().timestamp())
            )
            problem, asked = self._try(body, headers)
            if not problem:
                return
            if asked is None or pause is None:
                raise NotDelivered(f"webhook {self.host}: {problem}")
            clock.sleep(min(max(pause, asked), _LONGEST_PAUSE_S))

    def _try(self, body: bytes, headers: Mapping[str, str]) -> tuple[str, float | None]:
        """What went wrong, empty for nothing, and how long to wait; None: no use trying again."""
        import requests

        session = requests.Session()
        session.trust_env = self.url.lower().startswith("https:")  # no proxy on this machine
        try:
            with session.post(
                self.url,
                data=body,
                headers=dict(headers),
                timeout=_TIMEOUT_S,
                # It would be followed with a GET, or with the body to somebody else.
                allow_redirects=False,
                stream=True,  # the answer's body is nobody's business
            ) as answer:
                return _verdict(answer)
        except requests.RequestException as exc:
            # Its text holds the URL.
            return f"cannot be reached ({type(exc).__name__})", 0.0


def _verdict(answer: requests.Response) -> tuple[str, float | None]:
    status = answer.status_code
    if 200 <= status < 300:
        return "", None
    if status == 429 or status >= 500:
        return f"answered {status}", _seconds(answer.headers.get("Retry-After", ""))
    moved = ", which is a redirection and is not followed" if 300 <= status < 400 else ""
    return f"answered {status}{moved}", None


def _seconds(retry_after: str) -> float:
    """What `Retry-After` asks for; a date is left to our own pauses."""
    return float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0.0


def signature(key: bytes, body: bytes, *, at: int) -> str:
    """HMAC-SHA256 over `TIMESTAMP.BODY`, in hexadecimal."""
    return hmac.new(key, b"%d." % at + body, hashlib.sha256).hexdigest()


def webhook_of(url: str, environ: Mapping[str, str]) -> Webhook:
    """The webhook at `url` with the key of the environment.

    Raises:
        UsageError: it is no address events may be sent to, or there is no key to sign with.
    """
    from reconciler.arm.addresses import is_loopback

    try:
        parts = urlsplit(url)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        is_url = False
    # Parsers disagree about which host a URL with a backslash names.
    if not is_url or not url.isprintable() or {" ", "\\"} & {*url}:
        raise UsageError("--webhook: expected an address such as https://host/path")
    if parts.scheme == "http" and not is_loopback(url):
        raise UsageError(
            f"--webhook: expected https, got plain http to {parts.hostname}",
            hint="plain http is for loopback hosts only",
        )
    key = environ.get(KEY, "")
    if len(key) < _SHORTEST_KEY:
        got = f"{len(key)}" if key else "none"
        raise UsageError(
            f"--webhook: expected a key of at least {_SHORTEST_KEY} characters in {KEY}, got {got}",
            hint=_MAKE,
        )
    return Webhook(url, key.encode("utf-8", "surrogateescape"))
