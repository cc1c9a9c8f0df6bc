"""Requests to registries: bounded in time, size and number, retried where that may help.

Redirections are followed here, so that a credential goes to the host it is for and to no other.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING

from reconciler.core.cloud import Clock
from reconciler.core.images import Login
from reconciler.errors import RegistryError
from reconciler.registry.addresses import is_loopback, may_follow, origin_of

if TYPE_CHECKING:
    import requests

_TIMEOUT_S = (5, 20)  # to connect, to wait for an answer
_PAUSES_S = (1, 2)  # between the tries
_LONGEST_PAUSE_S = 20  # what Retry-After may ask for; more is told instead
_MOST_REDIRECTIONS = 5
_MOST_BYTES = 4 * 1024 * 1024  # what the distribution specification lets a manifest have
_REDIRECTIONS = (301, 302, 303, 307, 308)
_LATER = (429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back from `url`, the last one of all redirections."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


def basic(login: Login) -> str:
    """The header that shows a login."""
    text = f"{login.username}:{login.password}".encode("utf-8", "surrogatepass")
    return f"Basic {b64encode(text).decode('ascii')}"


class Transport:
    """One connection pool for any number of registries and threads."""

    def __init__(self, clock: Clock, *, connections: int) -> None:
        self._clock = clock
        self._connections = connections
        self._sessions: dict[bool, requests.Session] = {}
        self._unreachable: dict[str, str] = {}  # by origin; not tried again

    def close(self) -> None:
        """Give the connections back."""
        for session in self._sessions.values():
            session.close()

    def send(self, method: str, url: str, *, accept: str, authorization: str = "") -> Answer:
        """The answer, whatever its status; `authorization` goes to the origin of `url` alone.

        Raises:
            RegistryError: none came, or a redirection leads where nobody may go.
        """
        for _ in range(_MOST_REDIRECTIONS + 1):
            answer = self._insisting(method, url, _headers(accept, authorization))
            if answer.status not in _REDIRECTIONS:
                return answer
            target = may_follow(url, answer.headers.get("Location", ""))
            if not target or not answer.headers.get("Location"):
                raise RegistryError(f"{origin_of(url)} redirects to where nothing may be sent")
            if origin_of(target) != origin_of(url):
                authorization = ""
            url = target
        raise RegistryError(f"{origin_of(url)} redirects more than {_MOST_REDIRECTIONS} times")

    def _insisting(self, method: str, url: str, headers: Mapping[str, str]) -> Answer:
        for pause in (*_PAUSES_S, None):
            answer = self._once(method, url, headers, is_last=pause is None)
            if answer is None:
                asked = 0.0
            elif answer.status in _LATER:
                asked = self._retry_after(answer)
            else:
                return answer
            if answer is not None and (pause is None or asked > _LONGEST_PAUSE_S):
                raise _not_now(answer, asked)
            self._clock.sleep(max(pause or 0, asked))
        raise AssertionError("the last try returns or raises")

    def _once(
        self, method: str, url: str, headers: Mapping[str, str], *, is_last: bool
    ) -> Answer | None:
        """The answer, None where there was none and another try may help."""
        import requests

        origin = origin_of(url)
        if (reason := self._unreachable.get(origin)) is not None:
            raise RegistryError(reason)
        try:
            with self._session(url).request(
                method,
                url,
                headers=dict(headers),
                timeout=_TIMEOUT_S,
                allow_redirects=False,
                stream=True,
                auth=_unchanged,
            ) as response:
                body = b"" if method == "HEAD" else _content(response)
                return Answer(
                    url=url, status=response.status_code, headers=response.headers, body=body
                )
        except requests.RequestException as exc:
            is_insecure = isinstance(exc, requests.exceptions.SSLError)
            if not (is_last or is_insecure):
                return None
            why = "no TLS that can be trusted" if is_insecure else type(exc).__name__
            self._unreachable[origin] = f"{origin} cannot be reached ({why})"
            raise RegistryError(self._unreachable[origin]) from exc

    def _retry_after(self, answer: Answer) -> float:
        """The seconds an answer asks to wait, 0 where it asks for nothing that can be read."""
        text = answer.headers.get("Retry-After", "")
        if text.isascii() and text.isdigit():
            return float(text[:9])
        try:
            until = parsedate_to_datetime(text)
        except ValueError:
            return 0.0
        until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
        return max(0.0, (until - self._clock.now()).total_seconds())

    def _session(self, url: str) -> requests.Session:
        import requests
        from requests.adapters import HTTPAdapter

        is_local = is_loopback(url)
        if is_local not in self._sessions:
            session = requests.Session()
            session.trust_env = not is_local  # no proxy on this machine
            session.headers["User-Agent"] = "aci-reconcile"
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            for scheme in ("https://", "http://"):
                session.mount(scheme, HTTPAdapter(pool_maxsize=self._connections))
            self._sessions[is_local] = session
        return self._sessions[is_local]


def _headers(accept: str, authorization: str) -> dict[str, str]:
    # What is packed on the way has another digest.
    headers = {"Accept": accept, "Accept-Encoding": "identity"}
    return {**headers, "Authorization": authorization} if authorization else headers


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No credential of a .netrc file is for us."""
    return request


def _content(response: requests.Response) -> bytes:
    parts = bytearray()
    for part in response.iter_content(64 * 1024):
        parts += part
        if len(parts) > _MOST_BYTES:
            raise RegistryError(f"{origin_of(response.url)} answered more than {_MOST_BYTES} bytes")
    return bytes(parts)


def _not_now(answer: Answer, asked: float) -> RegistryError:
    origin = origin_of(answer.url)
    when = f"run again in {round(asked)} s" if asked else "run again later"
    if answer.status == 429:
        return RegistryError(f"{origin} rations requests (HTTP 429)", hint=when)
    return RegistryError(f"{origin} is out of order (HTTP {answer.status})", hint=when)
