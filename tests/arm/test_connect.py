"""Which endpoints are taken, with whose identity, and what every request carries."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest

from reconciler import __version__
from reconciler.arm.addresses import checked_endpoint, is_loopback, is_plain_http
from reconciler.arm.clouds import CLOUDS, cloud_named
from reconciler.arm.connect import connect
from reconciler.errors import UsageError


@pytest.mark.parametrize(
    "url",
    [
        "http://management.azure.com",
        "http://10.0.0.1:8080",
        "http://0.0.0.0:1",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "HTTP://example.com",
    ],
)
def test_plain_http_is_for_this_machine_alone(url) -> None:
    with pytest.raises(UsageError, match="--endpoint: plain http is for this machine alone"):
        connect(cloud="AzureCloud", endpoint=url, parallelism=1, environ={})


@pytest.mark.parametrize(
    "url", ["http://localhost:1", "http://127.0.0.1", "http://127.9.9.9:1/", "http://[::1]:8080"]
)
def test_this_machine_is_asked_without_an_identity(url) -> None:
    """No credential is even looked for: there may be none on this machine."""
    environ = {"AZURE_AUTH_LOCATION": "/nowhere"}

    with connect(cloud="AzureCloud", endpoint=url, parallelism=1, environ=environ) as cloud:
        assert cloud.endpoint == url.rstrip("/")

    assert is_loopback(url)


@pytest.mark.parametrize(
    "url",
    [
        "management.azure.com",
        "ftp://management.azure.com",
        "https://",
        "https://management.azure.com?sig=pw",
        "https://management.azure.com:port",
        "https://a\\@b",
        "https://a b",
        "http://[::1",
        "http://]",
        "",
    ],
)
def test_an_endpoint_that_is_no_base_of_urls_is_refused(url) -> None:
    with pytest.raises(UsageError, match="--endpoint: expected a URL") as caught:
        connect(cloud="AzureCloud", endpoint=url, parallelism=1, environ={})

    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["https://joe:pw@management.azure.com", "http://joe:pw@localhost:1", "https://joe@a.b/"]
)
def test_an_endpoint_with_credentials_is_refused_for_that(url) -> None:
    with pytest.raises(UsageError, match="--endpoint: credentials in the URL are not") as caught:
        connect(cloud="AzureCloud", endpoint=url, parallelism=1, environ={})

    assert "pw" not in str(caught.value)
    assert "joe" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://[::1", "http://]", "", "http://[1.2.3.4]", "http://[x]:1"])
def test_what_is_no_url_is_neither_this_machine_nor_plain_http(url) -> None:
    assert not is_loopback(url)
    assert is_plain_http(url) in (True, False)  # it only must not raise


@pytest.mark.parametrize("facts", CLOUDS, ids=lambda facts: facts.name)
def test_every_cloud_is_reached_at_its_own_endpoint(facts) -> None:
    with connect(cloud=facts.name.lower(), endpoint=None, parallelism=1, environ={}) as cloud:
        assert cloud.endpoint == facts.endpoint

    assert checked_endpoint(facts.endpoint, named_by="x") == facts.endpoint


def test_the_clouds_are_those_that_the_sdk_knows() -> None:
    from azure.core import AzureClouds
    from azure.identity import AzureAuthorityHosts
    from azure.mgmt.core.tools import get_arm_endpoints

    known = {
        "AzureCloud": (AzureClouds.AZURE_PUBLIC_CLOUD, AzureAuthorityHosts.AZURE_PUBLIC_CLOUD),
        "AzureUSGovernment": (
            AzureClouds.AZURE_US_GOVERNMENT,
            AzureAuthorityHosts.AZURE_GOVERNMENT,
        ),
        "AzureChinaCloud": (AzureClouds.AZURE_CHINA_CLOUD, AzureAuthorityHosts.AZURE_CHINA),
    }
    for name, (cloud, host) in known.items():
        facts = cloud_named(name)
        theirs = get_arm_endpoints(cloud)
        assert facts.endpoint == theirs["resource_manager"].rstrip("/")
        assert [facts.scope] == theirs["credential_scopes"]
        assert facts.authority == f"https://{host}"


def test_a_cloud_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="one of AzureCloud, .* got 'AzureGermanCloud'"):
        connect(cloud="AzureGermanCloud", endpoint=None, parallelism=1, environ={})


def test_every_request_says_who_asks(cloud, arm, group, answer, subscription) -> None:
    arm.answers = [answer(body={"value": []})]

    cloud.groups(subscription)
    cloud.group(group)
    cloud.resource_group(group.parent)

    assert {seen.headers["User-Agent"] for seen in arm.seen} == {f"aci-reconcile/{__version__}"}
    assert all(seen.headers["x-ms-client-request-id"] for seen in arm.seen)


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    arm, answer, group, monkeypatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    arm.answers = [answer(body={"name": "web"})]

    with connect(cloud="AzureCloud", endpoint=arm.url, parallelism=1, environ={}) as cloud:
        assert cloud.group(group) == {"name": "web"}


def test_many_threads_share_one_pool_without_a_connection_thrown_away(
    arm, answer, group, subscription, caplog
) -> None:
    caplog.set_level(logging.WARNING)
    arm.answers = [answer(body={"value": []})]

    with (
        connect(cloud="AzureCloud", endpoint=arm.url, parallelism=24, environ={}) as cloud,
        ThreadPoolExecutor(24) as pool,
    ):
        found = list(pool.map(lambda _: cloud.groups(subscription), range(96)))

    assert found == [[]] * 96
    assert caplog.records == []


def test_the_log_has_a_line_for_each_request_and_no_secret(
    cloud, arm, group, answer, caplog
) -> None:
    caplog.set_level(logging.DEBUG, logger="reconciler")
    operation = {"Azure-AsyncOperation": f"{arm.url}/op?s=signed-query"}
    arm.answers = [
        answer(
            status=201,
            body={"x": "secret-in-the-answer"},
            headers={"x-ms-request-id": "westeurope:1"} | operation,
        ),
        answer(body={"status": "Succeeded"}),
        answer(torn=True),
    ]

    accepted = cloud.put_group(group, {"password": "secret-in-the-body"})
    cloud.look(accepted.operation)
    with pytest.raises(Exception, match="connection broke"):
        cloud.stop(group)

    ours = [r.getMessage() for r in caplog.records if r.name.startswith("reconciler")]
    assert ours == [
        f"PUT {group.arm}: 201, request id westeurope:1",
        "GET /op: 200, request id none",
        f"POST {group.arm}/stop: no answer",
    ]
    own = [r for r in caplog.records if not r.name.startswith("urllib3")]
    assert not any("secret-in" in r.getMessage() or "signed" in r.getMessage() for r in own)
