"""An emulator a test, a raw client, and the real SDK's clients, all over HTTP."""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from reconciler.emulator import Emulator, ManualClock, Polls

VERSION = "2023-05-01"
WEB = {
    "location": "West Europe",
    "tags": {"team": "shop"},
    "properties": {
        "osType": "Linux",
        "containers": [
            {
                "name": "web",
                "properties": {
                    "image": "nginx:1.27",
                    "ports": [{"port": 80}],
                    "resources": {"requests": {"cpu": 1, "memoryInGB": 1.5}},
                },
            }
        ],
        "ipAddress": {"type": "Public", "ports": [{"port": 80, "protocol": "TCP"}]},
    },
}


class Client:
    """Raw HTTP into one subscription of an emulator, which has a resource group 'rg'."""

    def __init__(self, emulator: Emulator, session: requests.Session) -> None:
        self.emulator = emulator
        self.session = session
        self.subscription = str(uuid.uuid4())
        self.root = f"/subscriptions/{self.subscription}"
        self.rg = f"{self.root}/resourceGroups/rg"
        self.groups = f"{self.rg}/providers/Microsoft.ContainerInstance/containerGroups"
        self.call("PUT", self.rg, {"location": "westeurope"})

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        version: str | None = VERSION,
        **query: Any,
    ) -> requests.Response:
        url = path if path.startswith("http") else self.emulator.url + path
        params = dict(query)
        if version is not None and "api-version=" not in url:
            params["api-version"] = version
        return self.session.request(method, url, json=body, params=params, timeout=10)

    def put(self, body: Any, name: str = "web", **options: Any) -> requests.Response:
        return self.call("PUT", f"{self.groups}/{name}", body, **options)

    def get(self, name: str = "web", **options: Any) -> dict[str, Any]:
        response = self.call("GET", f"{self.groups}/{name}", **options)
        assert response.status_code == 200, response.text
        return response.json()

    def post(self, action: str, name: str = "web", **options: Any) -> requests.Response:
        return self.call("POST", f"{self.groups}/{name}/{action}", **options)

    def refused(self, body: Any, **options: Any) -> tuple[int, str, str]:
        response = self.put(body, **options)
        error = response.json()["error"]
        return response.status_code, error["code"], error["message"]

    def read_back(self, body: Any, version: str = VERSION) -> dict[str, Any]:
        """PUT `body` and GET it."""
        response = self.put(body, version=version)
        assert response.status_code == 201, response.text
        return self.get(version=version)


@pytest.fixture
def body() -> dict[str, Any]:
    """A web server's body, free to be changed."""
    return copy.deepcopy(WEB)


@pytest.fixture
def task(body: dict[str, Any]) -> dict[str, Any]:
    """A task's body: it runs once and ends."""
    del body["properties"]["ipAddress"]
    body["properties"]["restartPolicy"] = "Never"
    container = body["properties"]["containers"][0]
    container["name"] = "job"
    container["properties"] |= {"image": "alpine", "command": ["/bin/sh", "-c", "echo hello"]}
    del container["properties"]["ports"]
    return body


@pytest.fixture(scope="session")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@pytest.fixture
def make(session: requests.Session) -> Iterator[Callable[..., Client]]:
    """Starts an emulator with given options; a client of it."""
    running: list[Emulator] = []

    def start(**options: Any) -> Client:
        emulator = Emulator(**({"time": Polls(0, 0)} | options))
        running.append(emulator.start())
        return Client(emulator, session)

    yield start
    for emulator in running:
        emulator.stop()


@pytest.fixture(scope="session")
def shared() -> Iterator[Emulator]:
    """One emulator for all tests that ask for nothing special: everything settles at once."""
    with Emulator(time=Polls(0, 0)) as emulator:
        yield emulator


@pytest.fixture
def client(shared: Emulator, session: requests.Session) -> Client:
    """A client with a subscription of its own, which is what keeps tests apart."""
    return Client(shared, session)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def sdk() -> Iterator[Callable[[Client], Any]]:
    """The real SDK's container client for a raw client's subscription, without retries."""
    from azure.core.pipeline.policies import SansIOHTTPPolicy
    from azure.mgmt.containerinstance import ContainerInstanceManagementClient

    opened: list[Any] = []

    def connect(client: Client, kind: Any = ContainerInstanceManagementClient) -> Any:
        made = kind(
            NoCredential(),
            client.subscription,
            base_url=client.emulator.url,
            authentication_policy=SansIOHTTPPolicy(),
            retry_total=0,
            polling_interval=0,
        )
        opened.append(made)
        return made

    yield connect
    for made in opened:
        made.close()


class NoCredential:
    """Never asked: the authentication policy is replaced."""

    def get_token(self, *scopes: str, **options: Any) -> Any:
        raise AssertionError("no token is wanted on plain HTTP")


@pytest.fixture
def as_bytes() -> Callable[[Any], bytes]:
    return lambda value: json.dumps(value).encode()
