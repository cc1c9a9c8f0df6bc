"""The SDK's clients of one connection: a session, an identity, a pool as wide as the run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import requests
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest
from azure.mgmt.containerinstance import ContainerInstanceManagementClient
from azure.mgmt.core import ARMPipelineClient
from azure.mgmt.resource.resources import ResourceManagementClient
from requests.adapters import HTTPAdapter

from reconciler.arm.addresses import is_plain_http
from reconciler.arm.answers import Response
from reconciler.arm.credentials import SignIn
from reconciler.arm.policies import CHANGES_NOTHING, policies_for
from reconciler.core.cloud import Gate

CONTAINERS_API = "2023-05-01"
# Old, and therefore spoken by every cloud; it says all we ask.
RESOURCES_API = "2021-04-01"
SUBSCRIPTIONS_API = "2020-01-01"

_CONNECT_S = 10
_READ_S = 120  # a PUT takes seconds by itself (azure-facts A.2), and ARM gives up first, with 504


class Wire:
    """One connection to ARM, for all threads of a run and every subscription it names."""

    def __init__(self, sign_in: SignIn, *, parallelism: int, gate: Gate | None = None) -> None:
        self.endpoint = sign_in.endpoint
        self._sign_in = sign_in
        self._gate = gate
        self._session = session_of(parallelism, plain=is_plain_http(sign_in.endpoint))
        self._transport = RequestsTransport(
            session=self._session,
            session_owner=False,  # or the first client that closes would close it for all
            connection_timeout=_CONNECT_S,
            read_timeout=_READ_S,
            use_env_settings=self._session.trust_env,
        )
        self._raw = ARMPipelineClient(
            self.endpoint,
            policies=policies_for(sign_in, decode=False, gate=gate),
            transport=self._transport,
        )
        self._lock = threading.Lock()
        self._clients: dict[tuple[type, str], Any] = {}

    @property
    def credential(self) -> Any:
        """Whose tokens requests carry; None over plain http."""
        return self._sign_in.credential

    @property
    def scope(self) -> str:
        """What tokens are asked for."""
        return self._sign_in.scope

    def containers(self, subscription: str) -> Any:
        """The SDK's client for container groups of one subscription."""
        return self._client(ContainerInstanceManagementClient, subscription, CONTAINERS_API)

    def resources(self, subscription: str) -> Any:
        """The SDK's client for resource groups of one subscription."""
        return self._client(ResourceManagementClient, subscription, RESOURCES_API)

    def get(self, url: str) -> Response:
        """What a GET of `url` is answered, whatever the status.

        Lists hand the SDK's `cls=` hook finished models, so pages are read here; and operations,
        at a time of our choosing.
        """
        return self._raw.send_request(
            HttpRequest("GET", url, headers={"Accept": "application/json"}), stream=False
        )

    def post_to_read(self, url: str) -> Response:
        """What a POST of nothing to `url` is answered, one that changes nothing there."""
        request = HttpRequest("POST", url, headers={"Accept": "application/json"})
        return self._raw.send_request(request, stream=False, **{CHANGES_NOTHING: True})

    def close(self) -> None:
        """Close every connection."""
        for client in (*self._clients.values(), self._raw):
            client.close()
        self._session.close()
        if self._sign_in.credential:
            self._sign_in.credential.close()

    def _client(self, kind: type, subscription: str, api_version: str) -> Any:
        with self._lock:
            if (kind, subscription) not in self._clients:
                self._clients[kind, subscription] = kind(
                    self._sign_in.credential or Nobody(),
                    subscription,
                    base_url=self.endpoint,
                    api_version=api_version,
                    policies=policies_for(self._sign_in, decode=True, gate=self._gate),
                    transport=self._transport,
                )
            return self._clients[kind, subscription]


class Nobody:
    """Stands where the SDK's clients insist on a credential and no policy of ours asks it."""


def session_of(parallelism: int, *, plain: bool) -> requests.Session:
    """A session with as many connections as there are workers, and no identity of its own."""
    session = requests.Session()
    adapter = HTTPAdapter(pool_maxsize=max(1, parallelism), max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    # requests would put a ~/.netrc entry for the host in the place of our bearer.
    session.auth = _as_it_is
    # Plain http is this machine: a proxy from the environment could not reach it.
    session.trust_env = not plain
    return session


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def answer_of(operation: Callable[..., object]) -> Response:
    """What an operation of the SDK was answered, whatever the status and the body.

    The SDK builds its model before it calls a `cls=` hook, so one odd member in the body would
    cost the answer to a write that was taken, and its operation's URL with it. The response hook
    comes first, and what the models then trip over is of no concern.
    """
    seen: list[Any] = []
    try:
        operation(raw_response_hook=seen.append)
    except (
        HttpResponseError, ValueError, TypeError, AttributeError, LookupError, RecursionError,
    ):  # fmt: skip
        if not seen:
            raise
    return seen[-1].http_response
